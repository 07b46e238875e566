"""Once a month: how many of a staff lack which vaccination, of those who agreed to be counted.

The books are opened for it, and only what ``domain.gaps`` lets be told is kept: of no person is it
written down anywhere outside their book. A number stands for the whole month, so that who was
added or taken off the list meanwhile can't be told by it.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlmodel import Session

from emk_app import clock
from emk_app.crypto.errors import SealBroken
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books, employers
from emk_app.db.repositories import staff_reports as counted_of
from emk_app.db.tables.employers import StaffEntry, StaffGaps
from emk_app.domain import gaps as rules
from emk_app.domain.books import BookContent
from emk_app.domain.gaps import Gap, Told
from emk_app.services import issuing, jobs, verifying

JOB: Final = "count_gaps"
PIECE: Final = 500


@dataclass(frozen=True, slots=True)
class GapReport:
    """What is told of an organisation's staff, by the code of the infection."""

    counted_on: date
    infections: dict[str, Told]


def run(_target_id: int, now: datetime) -> None:
    """Count every organisation that has not been counted in this month."""
    first = clock.day_of(now).replace(day=1)
    with reading() as db:
        due = counted_of.to_count(db, first)
    for organisation_id in due:
        count(organisation_id, now=now)


def count(organisation_id: int, *, now: datetime) -> None:
    """Count one organisation, and keep what may be told."""
    today = clock.day_of(now)
    found: dict[str, dict[str, Gap]] = {each.code: {} for each in rules.COUNTED}
    after = 0
    while True:
        with reading() as db:
            entries = counted_of.agreed(db, organisation_id, now, after, PIECE)
            for entry in entries:
                _add(found, _content(db, entry), today)
        if not entries:
            break
        after = entries[-1].id
        with unit_of_work() as db:
            jobs.hold(db, JOB, 0, now=clock.now())
    draw = random.SystemRandom().random
    told = {code: rules.told(groups, draw) for code, groups in found.items()}
    with unit_of_work() as db:
        row = db.get(StaffGaps, organisation_id) or StaffGaps(
            organisation_id=organisation_id, counted_on=today, told=""
        )
        row.counted_on, row.told = today, json.dumps(_written(told), ensure_ascii=False)
        db.add(row)
        changes.announce(db, employers.topic_of(organisation_id))


def newest(db: Session, organisation_id: int) -> GapReport | None:
    """Return what was told last; None where nothing may be told at all."""
    row = db.get(StaffGaps, organisation_id)
    if row is None:
        return None
    told = {
        code: Told(_gap(total), {name: _gap(each) for name, each in groups.items()})
        for code, (total, groups) in json.loads(row.told).items()
    }
    if not any(each.total for each in told.values()):
        return None
    return GapReport(row.counted_on, told)


def _add(found: dict[str, dict[str, Gap]], content: BookContent | None, today: date) -> None:
    if content is None:
        return
    for code, gap in rules.gaps_of(content, today).items():
        groups = found[code]
        groups[content.occupation.group] = groups.get(content.occupation.group, Gap()) + gap


def _content(db: Session, entry: StaffEntry) -> BookContent | None:
    assert entry.holder_id is not None
    book = books.newest_of(db, entry.holder_id)
    if book is None:
        return None
    try:
        own = vault.vault_for(db, entry.holder_id)
    except SealBroken:
        return None
    version = books.version(db, book.id, book.current_version)
    return issuing.content_of(verifying.witness_of(book, version, own))


def _written(told: dict[str, Told]) -> dict[str, Any]:
    return {
        code: [_pair(each.total), {name: _pair(gap) for name, gap in each.groups.items()}]
        for code, each in told.items()
    }


def _pair(gap: Gap | None) -> list[int] | None:
    return [gap.people, gap.lacking] if gap else None


def _gap(pair: list[int] | None) -> Gap | None:
    return Gap(*pair) if pair else None
