"""Vaccinations of a staff: counted of those who agreed, once a month, and told in numbers alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.employers import StaffEntry, StaffGaps
from emk_app.domain import gaps
from emk_app.domain.actors import Actor, Role
from emk_app.domain.consent import ConsentNeeded
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.domain.gaps import Gap
from emk_app.domain.sharing import ShareScope
from emk_app.presenting import staff_reports as words
from emk_app.services import (
    admitting,
    consenting,
    employing,
    gap_counting,
    sharing,
    staff_reports,
)
from emk_app.services.employing import Said
from tests.factories import make_book, make_employer, make_holder
from tests.services.test_versions import vaccinate

pytestmark = pytest.mark.usefixtures("world")

CATERING = "Общественное питание"
MONTH = timedelta(days=31)


def added(owner: Actor, holder: Actor, now: datetime, *, agrees: bool = True) -> int:
    url = sharing.make(holder, make_book(holder, now), now=now).url
    entry_id = employing.add_by_link(owner, url, Said("Анна"), now=now)
    if agrees:
        admitting.be_counted(holder, entry_id, True, now=now)
    return entry_id


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let numbers of one be told, exactly: what is hidden is tested apart."""
    monkeypatch.setattr(gaps, "FEWEST", 1)


@pytest.mark.usefixtures("few")
def test_only_who_agreed_is_counted_and_once_a_month(now: datetime):
    owner, vaccinated, agreeing = make_employer(now), make_holder(now), make_holder(now)
    added(owner, vaccinated, now)
    vaccinate(vaccinated, now)
    entry_id = added(owner, agreeing, now)
    added(owner, make_holder(now), now, agrees=False)
    gap_counting.run(0, now)
    report = staff_reports.report(owner, now=now).gaps
    assert report is not None
    assert report.infections["measles"].total == Gap(2, 1)
    # That all lack it would be told of each.
    assert report.infections["flu"].total is None
    admitting.be_counted(agreeing, entry_id, False, now=now)
    gap_counting.run(0, now + timedelta(days=3))
    assert staff_reports.report(owner, now=now).gaps == report
    gap_counting.run(0, now + MONTH)
    assert staff_reports.report(owner, now=now).gaps != report


@pytest.mark.usefixtures("few")
def test_leave_that_is_over_is_not_counted(now: datetime):
    owner, holder, other = make_employer(now), make_holder(now), make_holder(now)
    vaccinate_both = added(owner, holder, now)
    added(owner, other, now)
    vaccinate(other, now)
    employing.remove(owner, vaccinate_both, now=now)
    gap_counting.run(0, now)
    with reading() as db:
        row = db.get_one(StaffGaps, owner.organisation_id)
        counted = db.exec(select(StaffEntry.is_counted).order_by(StaffEntry.id)).all()  # pyright: ignore[reportArgumentType]
    assert counted == [False, True]
    # Of one person alone nothing is safe to tell.
    assert "[1" not in row.told
    assert staff_reports.report(owner, now=now).gaps is None


def test_of_a_few_nothing_is_kept_at_all(now: datetime):
    owner = make_employer(now)
    for _ in range(2):
        added(owner, make_holder(now), now)
    gap_counting.run(0, now)
    with reading() as db:
        told = db.get_one(StaffGaps, owner.organisation_id).told
    assert not set("123456789") & set(told)
    report = staff_reports.report(owner, now=now)
    assert report.gaps is None
    assert words.page(report).gaps == []


def test_what_is_told_is_worded_by_group_with_the_hidden_named(now: datetime):
    owner = make_employer(now)
    told = gaps.Told(Gap(40, 15), {CATERING: Gap(30, 10), "Медицина": None})
    report = gap_counting.GapReport(now.date(), {"measles": told})
    page = words.page(replace(staff_reports.report(owner, now=now), gaps=report))
    column = words.GAP_HEADS.index("Корь")
    assert [(row.name, row.cells[column]) for row in page.gaps] == [
        ("Все группы", "15 из 40"),
        ("Медицина", words.HIDDEN),
        (CATERING, "10 из 30"),
    ]
    assert {cell for row in page.gaps for at, cell in enumerate(row.cells) if at != column} == {
        words.HIDDEN
    }


def test_only_the_holder_agrees_and_only_while_the_employer_sees(now: datetime):
    owner, holder = make_employer(now), make_holder(now)
    entry_id = added(owner, holder, now, agrees=False)
    for role in set(Role) - {Role.HOLDER}:
        with pytest.raises(NotPermitted):
            admitting.be_counted(Actor(1, role), entry_id, True, now=now)
    with pytest.raises(NotFound):
        admitting.be_counted(make_holder(now), entry_id, True, now=now)
    admitting.be_counted(holder, entry_id, True, now=now)
    assert admitting.shown(holder, now=now)[0].is_counted
    admitting.end(holder, entry_id, now=now)
    assert not admitting.shown(holder, now=now)[0].is_counted
    with pytest.raises(NotFound):
        admitting.be_counted(holder, entry_id, True, now=now)


def test_agreeing_with_a_grant_and_not_without_consent(now: datetime):
    owner, holder = make_employer(now), make_holder(now, "me@example.ru")
    make_book(holder, now)
    employing.invite(owner, "me@example.ru", Said("Анна"), now=now)
    (asked,) = admitting.shown(holder, now=now)
    admitting.grant(holder, asked.id, ShareScope.VERDICT_ONLY, 30, is_counted=True, now=now)
    assert admitting.shown(holder, now=now)[0].is_counted
    consenting.withdraw(holder, now=now)
    assert not admitting.shown(holder, now=now)[0].is_counted
    with pytest.raises((ConsentNeeded, NotFound)):
        admitting.be_counted(holder, asked.id, True, now=now)


def test_words_of_the_employer_do_not_tell_who_agreed(now: datetime):
    owner, holder = make_employer(now), make_holder(now)
    entry_id = added(owner, holder, now, agrees=False)
    before = employing.roster(owner, now=now)
    admitting.be_counted(holder, entry_id, True, now=now)
    assert employing.roster(owner, now=now) == before
    with unit_of_work() as db:
        assert db.get_one(StaffEntry, entry_id).is_counted
