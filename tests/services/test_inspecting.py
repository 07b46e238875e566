"""The journal of acts: found by time, person, act, object and result; taken away on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import Invalid, NotPermitted
from emk_app.domain.inspecting import EndBeforeStart, NobodyKnown, NotACode, Sought
from emk_app.domain.news import NotAMoment
from emk_app.presenting import inspecting as words
from emk_app.services import auditing, inspecting
from tests.factories import make_admin, make_holder

pytestmark = pytest.mark.usefixtures("world")

LOGIN = "holder@example.ru"


@pytest.fixture
def admin(now: datetime) -> Actor:
    return make_admin(now - timedelta(days=30))


@pytest.fixture
def holder(admin: Actor, now: datetime) -> Actor:
    """Return somebody of whom the journal tells: one act a day, from ten days ago on."""
    holder = make_holder(now - timedelta(days=20), LOGIN)
    with unit_of_work() as db:
        for days in range(10, 0, -1):
            at = now - timedelta(days=days)
            action = "denied" if days == 3 else "view_book"
            auditing.record(
                db, holder, action, f"book:{days}", subject_id=holder.user_id, fields="name", now=at
            )
    return holder


def targets(admin: Actor, now: datetime, **sought: str) -> list[str]:
    page = inspecting.page(admin, Sought(**sought), 0, now=now)
    return [each.target for each in page.entries if each.target.startswith("book")]


@pytest.mark.parametrize(
    ("sought", "days"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"since": "15.11.2026"}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"since": "01.11.2026", "until": "15.11.2026"}, [8, 9, 10]),
        ({"since": "15.11.2026 12:00", "until": "16.11.2026 12:00"}, [8]),
        ({"until": "16.11.2026 12:01"}, [7, 8, 9, 10]),
        ({"who": LOGIN, "action": "view"}, [1, 2, 4, 5, 6, 7]),
        ({"whose": LOGIN, "result": "refused"}, [3]),
        ({"result": "done", "target": "book:"}, [1, 2, 4, 5, 6, 7]),
        ({"target": "book:5"}, [5]),
        ({"who": "№ 99999"}, []),
        ({"action": "view_"}, [1, 2, 4, 5, 6, 7]),
        ({"action": "v_ew"}, []),
    ],
)
def test_acts_are_found(
    sought: dict[str, str], days: list[int], admin: Actor, holder: Actor, now: datetime
):
    assert targets(admin, now, **sought) == [f"book:{each}" for each in days]


@pytest.mark.parametrize(
    ("sought", "fields"),
    [
        ({"since": "вчера"}, {"since": NotAMoment}),
        ({"since": "31.02.2026"}, {"since": NotAMoment}),
        ({"until": "31.12.9999"}, {"until": NotAMoment}),
        ({"since": "02.11.2026", "until": "01.11.2026 10:00"}, {"until": EndBeforeStart}),
        ({"who": "nobody@example.ru"}, {"who": NobodyKnown}),
        ({"action": "a'b", "target": "книжка"}, {"action": NotACode, "target": NotACode}),
    ],
)
def test_what_cannot_be_sought_is_told_by_field(
    sought: dict[str, str], fields: dict[str, type], admin: Actor, now: datetime
):
    for act in (lambda: inspecting.page(admin, Sought(**sought), 0, now=now), None):
        with pytest.raises(Invalid) as refused:
            act() if act else inspecting.export(admin, Sought(**sought), now=now)
        assert {name: type(why) for name, why in refused.value.fields.items()} == fields


def test_long_journal_is_read_page_by_page_without_gaps(
    admin: Actor, holder: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(inspecting, "PER_PAGE", 3)
    found: list[str] = []
    before = 0
    sought = Sought(target="book:")
    for _ in range(3):
        page = inspecting.page(admin, sought, before, now=now)
        found += [each.target for each in page.entries]
        before = page.before
    assert found == [f"book:{days}" for days in range(1, 8)]
    assert before == 0


def test_file_says_what_the_screen_says_and_that_it_was_taken(
    admin: Actor, holder: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(inspecting, "PIECE", 2)
    pieces = inspecting.export(admin, Sought(who=LOGIN), now=now)
    text = b"".join(words.csv_pieces(pieces)).decode()
    lines = text.removeprefix("\ufeff").splitlines()
    assert lines[0].split(";") == list(words.HEADS)
    assert len(lines) == 8
    assert lines[3].split(";")[6:] == ["denied", "book:3", "name", "отказано"]
    with reading() as db:
        [entry] = db.exec(select(AuditEntry).where(AuditEntry.action == "export_audit")).all()
    # What was sought may be somebody's address: only that it was sought is kept.
    assert (entry.actor_id, entry.fields) == (admin.user_id, "who")


def test_formula_in_the_journal_does_not_run_in_a_spreadsheet(admin: Actor, now: datetime):
    with unit_of_work() as db:
        auditing.record(db, admin, "view", "call:x", fields="=1+1", now=now)
    pieces = inspecting.export(admin, Sought(target="call"), now=now)
    assert b";'=1+1;" in b"".join(words.csv_pieces(pieces))


def test_chain_is_gone_through(admin: Actor, holder: Actor, now: datetime):
    found = inspecting.chain(admin, now=now)
    assert found.broken is None
    assert words.chain_text(found)[1] == "success"
    broken = replace(found, broken=5)
    assert "начиная с записи 5" in words.chain_text(broken)[0]


def test_only_administrators_look_and_each_look_is_on_record(
    admin: Actor, holder: Actor, now: datetime
):
    acts: list[Any] = [
        lambda who: inspecting.page(who, Sought(), 0, now=now),
        lambda who: inspecting.export(who, Sought(), now=now),
        lambda who: inspecting.chain(who, now=now),
    ]
    for role in set(Role) - {Role.ADMIN}:
        for act in acts:
            with pytest.raises(NotPermitted):
                act(replace(admin, role=role))
    inspecting.page(admin, Sought(), 0, now=now)
    with reading() as db:
        asked = select(AuditEntry.id).where(
            AuditEntry.actor_id == admin.user_id, AuditEntry.target == "audit"
        )
        assert len(db.exec(asked).all()) == 1
