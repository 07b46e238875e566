"""Amendments of lists and words: by two administrators, from a day to come, the past untouched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from emk_app import clock, working
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain import occupations
from emk_app.domain.actors import Actor, Role
from emk_app.domain.amending import (
    AmendmentAnswered,
    AmendmentKind,
    AmendmentPending,
    DayPassed,
    DayTooFar,
    MessageTooLong,
    NameTaken,
    NothingAmended,
    PlaceholderMissing,
    SameEditor,
    TypedOccupation,
    TypedTemplate,
    UnknownPlaceholder,
)
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
)
from emk_app.domain.news import NotAMoment
from emk_app.domain.notices import Channel, News, Notice
from emk_app.domain.orders import OrderAnswer
from emk_app.presenting import field_texts, notices, reference
from emk_app.services import amending
from tests.factories import make_admin

pytestmark = pytest.mark.usefixtures("world", "shipped_after")

DAY = date(2026, 12, 1)
COOK = TypedOccupation(
    "cook", "Повар", "Общественное питание", valid_from="01.12.2026", reason="Приказ"
)
NEW = TypedOccupation("", "Бортпроводник", "Транспорт", "25", False, "01.12.2026", "Приказ")
CODE = TypedTemplate("contact_code", "Код", "Ваш код {code}.", "Код {code}", "01.12.2026", "Короче")


@pytest.fixture
def shipped_after() -> Iterator[None]:
    yield
    occupations.amend([])
    notices.amend({})


@pytest.fixture
def writing(now: datetime) -> Actor:
    return replace(make_admin(now), session_id=1, factor_at=now)


@pytest.fixture
def other(now: datetime) -> Actor:
    return replace(make_admin(now), session_id=2, factor_at=now)


def write(actor: Actor, typed: TypedTemplate, now: datetime) -> int:
    news = News(typed.news)
    return amending.write_template(
        actor, typed, notices.facts_of(news), sms_limit=notices.sms_limit(news), now=now
    )


def test_occupation_is_renamed_from_its_day_on_once_another_agrees(
    writing: Actor, other: Actor, now: datetime
):
    number = amending.write_occupation(writing, COOK, now=now)
    working.amend()
    listed = occupations.listed_on("cook", DAY)
    assert listed is not None and listed.name != "Повар"
    assert amending.confirm(other, number, now=now) is AmendmentKind.OCCUPATION
    working.amend()
    names = [
        each.name
        for day in (DAY - timedelta(days=1), DAY)
        if (each := occupations.listed_on("cook", day))
    ]
    assert names == ["Повар, пекарь, кондитер", "Повар"]
    [view] = amending.amendments(other)
    assert (view.answer, view.answered_by) == (OrderAnswer.CONFIRMED, "Кедров Лев Львович")
    with reading() as db:
        acts = db.exec(select(AuditEntry.action).where(AuditEntry.fields == "cook")).all()
    assert list(acts) == ["amend_occupation", "amendment_confirmed"]


def test_new_occupation_gets_a_code_of_its_own_and_is_closed_again(
    writing: Actor, other: Actor, now: datetime
):
    for typed in (NEW, replace(NEW, name="Проводник")):
        amending.confirm(other, amending.write_occupation(writing, typed, now=now), now=now)
    working.amend()
    added = [each for each in occupations.offered(DAY) if each.group == "Транспорт"]
    assert [each.code for each in added] == ["work_1", "work_2"]
    today = DAY - timedelta(days=2)
    rows = reference.occupation_rows(amending.amendments(other), today)
    [row] = [each for each in rows if each.code == "work_1"]
    assert (row.state, row.later) == ("будет", "с 01.12.2026: «Бортпроводник», Транспорт, п. 25")
    closed = replace(NEW, code="work_1", is_closed=True, valid_from="02.12.2026")
    amending.confirm(other, amending.write_occupation(writing, closed, now=now), now=now)
    working.amend()
    assert "work_1" in {each.code for each in occupations.offered(DAY)}
    assert "work_1" not in {each.code for each in occupations.offered(DAY + timedelta(days=1))}


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        (
            replace(NEW, name="", group="", point="", reason=""),
            ("name", "group", "point", "reason"),
        ),
        (replace(NEW, point="29"), ("point",)),
        (replace(NEW, name="повар, пекарь, кондитер"), ("name",)),
        (replace(NEW, valid_from="завтра"), ("valid_from",)),
    ],
)
def test_occupation_is_refused_by_field(
    typed: TypedOccupation, fields: tuple[str, ...], writing: Actor, now: datetime
):
    with pytest.raises(Invalid) as refused:
        amending.write_occupation(writing, typed, now=now)
    assert set(refused.value.fields) == set(fields)
    kinds = {type(each) for each in refused.value.fields.values()}
    assert kinds <= {Required, NotAChoice, NameTaken, NotAMoment}


@pytest.mark.parametrize(
    ("day", "error"),
    [
        ("23.11.2026", DayPassed),
        ("01.01.2020", DayPassed),
        ("24.11.2028", DayTooFar),
        ("31.11.2026", NotAMoment),
    ],
)
def test_past_and_today_are_not_amended(day: str, error: type, writing: Actor, now: datetime):
    with pytest.raises(Invalid) as refused:
        amending.write_occupation(writing, replace(COOK, valid_from=day), now=now)
    assert type(refused.value.fields["valid_from"]) is error


def test_amendment_needs_two_and_its_day_must_not_have_come(
    writing: Actor, other: Actor, now: datetime
):
    number = amending.write_occupation(writing, COOK, now=now)
    with pytest.raises(SameEditor):
        amending.confirm(writing, number, now=now)
    with pytest.raises(AmendmentPending):
        amending.write_occupation(other, COOK, now=now)
    late = datetime(2026, 11, 30, 21, 0, tzinfo=now.tzinfo)
    assert clock.day_of(late) == DAY
    with pytest.raises(AmendmentAnswered):
        amending.confirm(replace(other, factor_at=late), number, now=late)
    assert amending.decline(writing, number, now=now) is AmendmentKind.OCCUPATION
    with pytest.raises(AmendmentAnswered):
        amending.confirm(other, number, now=now)
    assert amending.in_force().occupations == ()


def test_acts_want_an_administrator_and_a_fresh_factor(writing: Actor, other: Actor, now: datetime):
    number = amending.write_occupation(writing, COOK, now=now)
    acts: list[Any] = [
        lambda who: amending.write_occupation(who, NEW, now=now),
        lambda who: write(who, CODE, now),
        lambda who: amending.confirm(who, number, now=now),
        lambda who: amending.decline(who, number, now=now),
    ]
    for act in acts:
        with pytest.raises(FreshFactorNeeded):
            act(replace(other, factor_at=None))
        for role in set(Role) - {Role.ADMIN}:
            with pytest.raises(NotPermitted):
                act(replace(other, role=role))
    with pytest.raises(NotPermitted):
        amending.amendments(replace(other, role=Role.OPERATOR))
    with pytest.raises(NotFound):
        amending.confirm(other, number + 1, now=now)
    with pytest.raises(NotFound):
        amending.write_occupation(writing, replace(COOK, code="astronaut"), now=now)


def test_what_stands_so_already_is_no_amendment(writing: Actor, now: datetime):
    same = replace(COOK, name="Повар, пекарь, кондитер")
    with pytest.raises(NothingAmended):
        amending.write_occupation(writing, same, now=now)
    amending.write_occupation(writing, replace(same, is_closed=True), now=now)


def test_words_of_a_message_change_on_their_day_and_not_for_what_was_told(
    writing: Actor, other: Actor, now: datetime
):
    amending.confirm(other, write(writing, CODE, now), now=now)
    working.amend()
    notice = Notice(News.CONTACT_CODE, code="271828")
    before, after = (notices.wording(notice, day) for day in (DAY - timedelta(days=1), DAY))
    assert before.text.startswith("Код для регистрации")
    assert (after.title, after.text, after.sms) == ("Код", "Ваш код 271828.", "Код 271828")
    assert after.path == before.path
    row = reference.opened(News.CONTACT_CODE, DAY)
    assert (row.text, row.places) == ("Ваш код {code}.", "{code} — код")
    # Today's message goes out in today's words.
    assert "регистрации" in notices.message(notice, Channel.SMS).text


@pytest.mark.parametrize(
    ("typed", "field", "error"),
    [
        (replace(CODE, sms="Код"), "sms", PlaceholderMissing),
        (replace(CODE, text="Код для {name}: {code}"), "text", UnknownPlaceholder),
        (replace(CODE, title="Код {", text="Код {code}"), "title", UnknownPlaceholder),
        (replace(CODE, text="{code.__class__} {code}"), "text", UnknownPlaceholder),
        (replace(CODE, sms="Код {code} " + "я" * 200), "sms", MessageTooLong),
        (replace(CODE, title=""), "title", Required),
        (replace(CODE, news="reset_asked", text="а", sms="я" * 190), "sms", MessageTooLong),
        (replace(CODE, news="book_resumed", text="а {on}", sms="а"), "text", UnknownPlaceholder),
    ],
)
def test_words_are_checked_with_their_places_filled_in(
    typed: TypedTemplate, field: str, error: type, writing: Actor, now: datetime
):
    with pytest.raises(Invalid) as refused:
        write(writing, typed, now)
    assert type(refused.value.fields[field]) is error
    assert field_texts.word(refused.value.fields[field])
    assert amending.amendments(writing) == ()


@pytest.mark.parametrize("news", News)
def test_shipped_words_are_words_that_could_be_written(news: News, writing: Actor, now: datetime):
    held = notices.template_of(news, DAY)
    typed = TypedTemplate(news.value, held.title, held.text, held.sms, "01.12.2026", "Как есть")
    write(writing, typed, now)
    notice = Notice(news, **notices.SAMPLE)
    shipped = notices.wording(notice)
    notices.amend({news: ((DAY, held),)})
    assert notices.wording(notice, DAY) == shipped
