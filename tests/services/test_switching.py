"""Features switched off and on: refused at once in words, told beforehand, on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import (
    ChangedMeanwhile,
    FreshFactorNeeded,
    Invalid,
    NotFound,
    NotPermitted,
)
from emk_app.domain.factors import Purpose, Way
from emk_app.domain.switches import Feature, FeatureOff
from emk_app.presenting import switches as words
from emk_app.presenting import texts
from emk_app.services import accounts, appealing, factors, lookup, switching
from tests.edge.test_routes import ask
from tests.factories import make_admin, make_holder
from tests.services.test_accounts import DOOR, PASSWORD

pytestmark = pytest.mark.usefixtures("world")

WHY = "Авария у оператора"


@pytest.fixture
def admin(now: datetime) -> Actor:
    return replace(make_admin(now), session_id=1, factor_at=now)


def switch_off(admin: Actor, feature: Feature, now: datetime) -> None:
    fresh = replace(admin, session_id=1, factor_at=now)
    switching.turn(fresh, feature.value, False, WHY, now=now)


def register(now: datetime) -> None:
    accounts.register(DOOR, "new@example.ru", "", PASSWORD, PASSWORD, source="10.0.0.1", now=now)


def test_registration_is_closed_and_opened_again(admin: Actor, now: datetime):
    switch_off(admin, Feature.REGISTRATION, now)
    with pytest.raises(FeatureOff) as refused:
        register(now)
    assert texts.sentence(refused.value).startswith("Зарегистрироваться сейчас нельзя.")
    switching.turn(admin, "registration", True, "Починили", now=now)
    register(now)


def test_no_code_leaves_by_sms_and_none_is_offered(admin: Actor, now: datetime):
    user_id = make_holder(now, "+79125550188").user_id
    accounts.begin_sign_in(DOOR, "+79125550188", PASSWORD, source="10.0.0.1", now=now)
    assert Way.SMS in accounts.offer_at(DOOR, now=now).ways
    switch_off(admin, Feature.SMS_FACTOR, now)
    offered = accounts.offer_at(DOOR, now=now).ways
    assert Way.SMS not in offered and Way.APP in offered
    with pytest.raises(FeatureOff):
        factors.send_code(factors.at_door(DOOR, user_id, Purpose.ENTER), now)


def test_nobody_looks_a_book_up_by_its_number(admin: Actor, now: datetime):
    switch_off(admin, Feature.NUMBER_CHECK, now)
    with pytest.raises(FeatureOff):
        lookup.by_number("770100012326", "112-233-445 95", "10.0.0.1", now=now)


def test_appeal_is_refused_before_anything_is_read(admin: Actor, now: datetime):
    switch_off(admin, Feature.APPEALS, now)
    with pytest.raises(FeatureOff):
        appealing.file(make_holder(now), "0", "Почему", clinic_id=1, now=now)


def test_pages_tell_what_is_off_and_only_where_it_matters(admin: Actor, now: datetime):
    assert ask("GET", "/announced").json() == []
    switch_off(admin, Feature.NUMBER_CHECK, now)
    [said] = ask("GET", "/announced").json()
    assert said["on"] == "/check"
    assert said["head"] == "Проверка книжки по номеру: временно отключено."
    assert "Проверка книжки по номеру: временно отключено." in ask("GET", "/status").text
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = ask("POST", "/check/number", given=form, content=b"number=770100012326&snils=1")
    assert answer.status_code == 503
    assert "Попросите у работника ссылку" in answer.text
    assert 'value="770100012326"' in answer.text
    switching.turn(admin, "number_check", True, "Починили", now=now)
    switching.turn(admin, "number_check", False, WHY, now=now + timedelta(minutes=1))
    # Who has put the first strip away is told of the second.
    assert ask("GET", "/announced").json()[0]["key"] != said["key"]


def test_switch_wants_an_administrator_a_fresh_factor_a_reason_and_a_change(
    admin: Actor, now: datetime
):
    acts: list[tuple[type[Exception], Any]] = [
        (FreshFactorNeeded, (replace(admin, factor_at=None), "appeals", False, WHY)),
        (Invalid, (admin, "appeals", False, " ")),
        (NotFound, (admin, "everything", False, WHY)),
        (ChangedMeanwhile, (admin, "appeals", True, WHY)),
        *(
            (NotPermitted, (replace(admin, role=role), "appeals", False, WHY))
            for role in set(Role) - {Role.ADMIN}
        ),
    ]
    for error, asked in acts:
        with pytest.raises(error):
            switching.turn(*asked, now=now)
    assert switching.off(now=now) == {}
    with pytest.raises(NotPermitted):
        switching.switches(replace(admin, role=Role.SUPPORT))


def test_who_switched_what_and_since_when_is_seen_and_on_record(admin: Actor, now: datetime):
    switch_off(admin, Feature.APPEALS, now)
    seen = {each.feature: each for each in switching.switches(admin)}
    assert seen.keys() == set(Feature)
    off = seen.pop(Feature.APPEALS)
    assert (off.is_on, off.since, off.by, off.reason) == (False, now, "Кедров Лев Львович", WHY)
    assert {each.since for each in seen.values()} == {None}
    assert words.row(off).state == "отключено"
    with reading() as db:
        [entry] = db.exec(select(AuditEntry).where(AuditEntry.action == "switch_off")).all()
    assert (entry.target, entry.fields) == ("feature:appeals", "appeals")


def test_every_feature_has_words_and_a_place():
    for each in Feature:
        assert words.NAMES[each] and words.EFFECTS[each] and words.PLACES[each].startswith("/")
        assert texts.FEATURES_OFF[each].endswith(".")
