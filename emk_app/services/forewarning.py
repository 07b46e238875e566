"""Letters to an employer about terms that end: 30 and 7 days before, and on the last day.

One letter a day at most says how many there are; who they are is seen on the list alone (D44).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from emk_app import clock, incidents
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import employers
from emk_app.db.tables.employers import Organisation
from emk_app.domain.books import Verdict
from emk_app.domain.notices import Channel, News, Notice, is_quiet
from emk_app.domain.reminders import MARKS, due_mark
from emk_app.services import notifying
from emk_app.services.employing import CHECK_AGE, CHECKS_AT_ONCE, look_at

log = logging.getLogger("emk.forewarning")

JOB: Final = "warn_employers"
BATCH: Final = 200


def run(_target_id: int, now: datetime) -> None:
    """Warn every organisation whose staff's terms are near; safe to repeat, and silent by night."""
    if is_quiet(now.astimezone(clock.MOSCOW)):
        return
    for organisation_id in _organisations():
        try:
            warn(organisation_id, now=now)
        except Exception as error:
            # What fails is noted and does not keep the others waiting.
            incidents.note(log, f"warnings of organisation {organisation_id}", error)


def warn(organisation_id: int, *, now: datetime) -> int:
    """Write to the members who want it; return of how many terms, each told once a mark.

    What was not wanted by anybody is not told: it is once somebody wants it.
    """
    today = clock.day_of(now)
    with reading() as db:
        organisation = db.get_one(Organisation, organisation_id)
        if organisation.warned_on == today or not employers.warned_members(db, organisation_id):
            return 0
    last = today + timedelta(days=max(MARKS))
    _look_at_near(organisation_id, today, last, now)
    with unit_of_work() as db:
        organisation = db.get_one(Organisation, organisation_id, with_for_update=True)
        if organisation.warned_on == today:
            return 0
        marks: Counter[int] = Counter()
        for entry in employers.ending(db, organisation_id, now, today, last):
            assert entry.ends_on is not None
            mark = due_mark((entry.ends_on - today).days)
            is_told = (entry.warned_for, entry.warned_mark) == (entry.ends_on, mark)
            if mark is None or is_told or entry.verdict is not Verdict.VALID:
                continue
            entry.warned_for, entry.warned_mark = entry.ends_on, mark
            db.add(entry)
            marks[mark] += 1
        if not marks:
            return 0
        organisation.warned_on = today
        db.add(organisation)
        notice = Notice(News.STAFF_ENDS, counts=tuple(marks[mark] for mark in MARKS))
        for user in employers.warned_members(db, organisation_id):
            address = notifying.contacts_of(user).get(Channel.EMAIL)
            if address is not None:
                occasion = f"staff-ends:{organisation_id}:{user.id}:{today:%Y%m%d}"
                notifying.send(db, address, notice, dedupe=occasion, now=now, user_id=user.id)
    return marks.total()


def _look_at_near(organisation_id: int, first: date, last: date, now: datetime) -> None:
    """Look again at the books whose end is near, so that nobody is warned of what was renewed."""
    while True:
        with unit_of_work() as db:
            batch = employers.ending(
                db,
                organisation_id,
                now,
                first,
                last,
                seen_before=now - CHECK_AGE,
                limit=CHECKS_AT_ONCE,
            )
            for entry in batch:
                look_at(db, entry, now=now)
        if len(batch) < CHECKS_AT_ONCE:
            return


def _organisations() -> Iterator[int]:
    newest = 0
    while True:
        with reading() as db:
            batch = employers.ids(db, after=newest, limit=BATCH)
        yield from batch
        if len(batch) < BATCH:
            return
        newest = batch[-1]
