"""Somebody is shut out, and let in again, by whoever runs the service."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import pytest
from sqlmodel import col, select

from emk_app import cli
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.accounts import WrongCode, WrongCredentials
from emk_app.domain.actors import SYSTEM, Actor, Role
from emk_app.domain.errors import InvalidValue, NotFound, NotPermitted
from emk_app.services import accounts, barring, resetting
from emk_app.services.accounts import Step
from tests.factories import make_holder
from tests.services.test_accounts import DOOR, PASSWORD, SECRET, outbox, sign_in, signed_in
from tests.services.test_resetting import NEW, asked

pytestmark = pytest.mark.usefixtures("world")

LOGIN = "operator@example.ru"
ACTS = [barring.bar, barring.unbar, barring.end_sessions, barring.take_factors]


@pytest.fixture
def user_id(now: datetime) -> int:
    return accounts.create_user(Role.OPERATOR, LOGIN, PASSWORD, totp_secret=SECRET, now=now)


def acts(user_id: int) -> list[str]:
    with reading() as db:
        asked = select(AuditEntry.action).where(AuditEntry.subject_id == user_id)
        return list(db.exec(asked.order_by(col(AuditEntry.id))).all())


def is_inside(cookie: str, now: datetime) -> bool:
    return accounts.session_of(accounts.ref_of(cookie), now=now) is not None


def test_barred_person_is_out_at_once_and_does_not_come_in(user_id: int, now: datetime):
    cookie = signed_in(now, LOGIN)
    assert is_inside(cookie, now)
    assert barring.bar(SYSTEM, LOGIN, now=now) == 1
    assert not is_inside(cookie, now)
    with pytest.raises(WrongCredentials):
        sign_in(LOGIN, now, "b" * 64)
    assert barring.bar(SYSTEM, LOGIN, now=now) == 0
    assert acts(user_id)[-2:] == ["sign_in", "bar"]


def test_who_is_let_in_again_signs_in_anew(user_id: int, now: datetime):
    cookie = signed_in(now, LOGIN)
    barring.bar(SYSTEM, LOGIN, now=now)
    barring.unbar(SYSTEM, LOGIN, now=now)
    barring.unbar(SYSTEM, LOGIN, now=now)
    assert not is_inside(cookie, now)
    sign_in(LOGIN, now, "b" * 64)
    assert acts(user_id)[-1] == "unbar"


def test_sessions_are_ended_and_the_door_stays_open(user_id: int, now: datetime):
    cookie = signed_in(now, LOGIN)
    assert barring.end_sessions(SYSTEM, LOGIN, now=now) == 1
    assert not is_inside(cookie, now)
    sign_in(LOGIN, now, "b" * 64)
    assert acts(user_id)[-1] == "end_sessions"


def test_who_has_lost_everything_begins_anew_by_a_link_and_a_new_factor(now: datetime):
    login = "anna@example.ru"
    user_id = make_holder(now, login).user_id
    cookie = signed_in(now, login)
    assert barring.take_factors(SYSTEM, login, now=now) == 1
    assert not is_inside(cookie, now)
    with pytest.raises(WrongCredentials):
        sign_in(login, now, "b" * 64)
    assert "паспорта" in outbox()[-1][1]
    token = asked(now, login)
    resetting.give_password(DOOR, token, NEW, NEW, source="10.0.0.1", now=now)
    assert accounts.step_of(DOOR, now=now) is Step.ENROL
    secret = accounts.enrolment(DOOR, now=now).secret
    assert secret != SECRET
    ticket = accounts.confirm_code(DOOR, pyotp.TOTP(secret).at(now), now=now)
    accounts.enter(DOOR, ticket, device="Chrome", now=now)
    later = now + timedelta(minutes=1)
    assert accounts.begin_sign_in(DOOR, login, NEW, source="10.0.0.1", now=later) is Step.CODE
    assert "take_factors" in acts(user_id)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
@pytest.mark.parametrize("act", ACTS)
def test_nobody_does_it_from_a_screen(act, role: Role, user_id: int, now: datetime):
    before = acts(user_id)
    with pytest.raises(NotPermitted):
        act(Actor(user_id, role), LOGIN, now=now)
    assert acts(user_id) == before


@pytest.mark.parametrize("act", ACTS)
def test_unknown_login_is_told(act, now: datetime):
    with pytest.raises(NotFound):
        act(SYSTEM, "nobody@example.ru", now=now)
    with pytest.raises(InvalidValue):
        act(SYSTEM, "nobody", now=now)


def test_commands_say_what_they_did(user_id: int, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["bar", LOGIN]) == 0
    assert cli.main(["unbar", LOGIN]) == 0
    assert cli.main(["end-sessions", LOGIN]) == 0
    assert capsys.readouterr().out == "sessions ended: 0\nlet in again\nsessions ended: 0\n"
    assert cli.main(["bar", "nobody@example.ru"]) == 1
    assert acts(user_id)[-3:] == ["bar", "unbar", "end_sessions"]


def test_refused_sign_in_stands_in_the_log_by_number_alone(
    user_id: int, now: datetime, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO", "emk.accounts")
    for login, password in ((LOGIN, "не тот пароль 42"), ("nobody@example.ru", PASSWORD)):
        with pytest.raises(WrongCredentials):
            accounts.begin_sign_in(DOOR, login, password, source="10.0.0.1", now=now)
    sign_in(LOGIN, now, DOOR)
    with pytest.raises(WrongCode):
        accounts.confirm_code(DOOR, "000000", now=now)
    assert caplog.messages == [
        f"refused a sign-in of user {user_id}: password",
        "refused a sign-in of user unknown: password",
        f"refused a sign-in of user {user_id}: code",
    ]
