"""Files of staff: looked through, confirmed, and then each line checked and put onto the list.

A file is worked on in short jobs that put one another, so that the files of several employers, and
all other work, take turns. What became of each line is kept beside it: a job that is done again
goes on where the last one stopped.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import employers
from emk_app.db.repositories import staff_uploads as uploads
from emk_app.db.repositories.staff_uploads import topic_of
from emk_app.db.tables.employers import StaffUpload, StaffUploadLine
from emk_app.domain import enlisting as rules
from emk_app.domain.actors import SYSTEM, Actor, Role, permit_post
from emk_app.domain.books import BookNumber
from emk_app.domain.employing import LINK_OVER, AccessEnded, StaffFull
from emk_app.domain.enlisting import (
    DAILY_ROWS,
    KEPT,
    OPEN,
    WAITS,
    Checked,
    DayFull,
    NothingToAdd,
    Outcome,
    Row,
    UploadState,
    UploadUnderWay,
)
from emk_app.domain.errors import NotFound, TooManyAttempts
from emk_app.domain.numbers import Snils
from emk_app.domain.switches import Feature
from emk_app.services import auditing, employing, jobs, lookup, switching, throttling, verifying
from emk_app.services.employing import EDITORS, VIEWER, Said, StaffView
from emk_app.storage import workbooks

APPLY: Final = "enlist"
SWEEP: Final = "sweep_staff_uploads"
"""Kinds of jobs."""
BATCH: Final = 25
"""Lines of one job, and of one transaction."""
SHOWN: Final = 6
"""Files that a screen shows."""


@dataclass(frozen=True, slots=True)
class UploadView:
    """One file as the employer sees it."""

    id: int
    name: str
    state: UploadState
    created_at: datetime
    ended_at: datetime | None
    rows: int
    bad: int
    done: int
    counts: Mapping[Outcome, int]


@dataclass(frozen=True, slots=True)
class LineView:
    """One line, what is wrong with it, and what became of it."""

    checked: Checked
    outcome: Outcome | None
    staff: StaffView | None
    """What the list says of the person now; None where nobody was added or is any more."""


def permit_upload(actor: Actor) -> None:
    """Raise unless the actor may bring a file now: ``NotPermitted``, ``UploadUnderWay``."""
    organisation_id = permit_post(actor, *EDITORS)
    with reading() as db:
        if uploads.is_any_open(db, organisation_id):
            raise UploadUnderWay


def accept(actor: Actor, content: bytes, name: str, *, now: datetime) -> int:
    """Look a file through, keep its lines sealed, and return its identity.

    Raises ``NotATable``, ``NoColumns``, ``NoRows``, ``TooManyRows`` and ``UploadUnderWay``.
    """
    organisation_id = permit_post(actor, *EDITORS)
    rows = rules.read(workbooks.read(content))
    ref = secrets.token_hex(16)
    row = StaffUpload(
        ref=ref,
        organisation_id=organisation_id,
        name=_plain(name),
        rows_sealed=uploads.seal_rows(ref, rows),
        state=UploadState.CHECKED,
        is_open=True,
        brought_by=actor.user_id,
        created_at=now,
        rows=len(rows),
        bad=sum(bool(each.problems) for each in rules.check(rows)),
    )
    try:
        with unit_of_work() as db:
            db.add(row)
            db.flush()
            _tell(db, actor, row, "upload_staff", now)
            return row.id
    except IntegrityError:
        raise UploadUnderWay from None


def confirm(actor: Actor, upload_id: int, *, now: datetime) -> None:
    """Have the lines checked and put onto the list.

    Raises ``NothingToAdd``, ``DayFull`` and ``TransitionNotAllowed``.
    """
    organisation_id = permit_post(actor, *EDITORS)
    with unit_of_work() as db:
        row = uploads.own(db, organisation_id, upload_id, held=True)
        good = row.rows - row.bad
        if not good:
            raise NothingToAdd
        had = uploads.rows_confirmed(db, organisation_id, now - timedelta(days=1))
        if had + good > DAILY_ROWS:
            raise DayFull(max(DAILY_ROWS - had, 0))
        _step(row, UploadState.APPLYING)
        row.confirmed_by, row.confirmed_at = actor.user_id, now
        db.add(row)
        jobs.enqueue(db, APPLY, row.id, occasion="0", now=now)
        _tell(db, actor, row, "confirm_staff_upload", now)


def drop(actor: Actor, upload_id: int, *, now: datetime) -> None:
    """Give a file up; who was added already stays. Raises ``TransitionNotAllowed``."""
    organisation_id = permit_post(actor, *EDITORS)
    with unit_of_work() as db:
        _drop(db, actor, uploads.own(db, organisation_id, upload_id, held=True), now)


def shown(actor: Actor) -> list[UploadView]:
    """Return the last files, the newest first."""
    organisation_id = permit_post(actor, *EDITORS)
    with reading() as db:
        rows = uploads.newest(db, organisation_id, SHOWN)
        counts = uploads.counts(db, [row.id for row in rows])
    return [
        UploadView(
            row.id, row.name, row.state, row.created_at, row.ended_at,
            row.rows, row.bad, row.done, counts[row.id],
        )
        for row in rows
    ]  # fmt: skip


def lines(actor: Actor, upload_id: int, *, now: datetime) -> list[LineView]:
    """Return every line of a file, with what became of it."""
    organisation_id = permit_post(actor, *EDITORS)
    with reading() as db:
        row = uploads.own(db, organisation_id, upload_id)
        became = uploads.outcomes(db, row.id)
        entries = uploads.entries(db, [each.entry_id for each in became.values() if each.entry_id])
        return [
            _line(checked, became.get(checked.row.line), entries, now)
            for checked in rules.check(uploads.open_rows(row))
        ]


def result(actor: Actor, upload_id: int, *, now: datetime) -> list[LineView]:
    """Note that the result is taken away, and return it."""
    found = lines(actor, upload_id, now=now)
    with unit_of_work() as db:
        auditing.record(
            db, actor, "export_staff", f"staff_upload:{upload_id}",
            fields=employing.SEEN_FIELDS, now=now,
        )  # fmt: skip
    return found


def apply(upload_id: int, now: datetime) -> None:
    """Check the next lines of a confirmed file, and have the others done after it."""
    with reading() as db:
        row = db.get(StaffUpload, upload_id)
        if row is None or row.state is not UploadState.APPLYING or row.confirmed_by is None:
            return
        became = uploads.outcomes(db, row.id)
        actor = employers.acting(db, Actor(row.confirmed_by, Role.EMPLOYER))
    waiting = [
        each
        for each in rules.check(uploads.open_rows(row))
        if not each.problems and each.row.line not in became
    ]
    if actor.organisation_id != row.organisation_id or actor.post not in EDITORS:
        # Whoever confirmed it acts for the organisation no longer.
        _give_up(upload_id, now)
        return
    batch = waiting[:BATCH]
    opened = [_opened(each, now) for each in batch]
    wrong: list[BookNumber] = []
    with unit_of_work() as db:
        held = uploads.held(db, upload_id)
        if held is None or held.state is not UploadState.APPLYING:
            return
        for each, open_it in zip(batch, opened, strict=True):
            outcome, entry_id = open_it(db, actor, row.organisation_id, wrong)
            db.add(
                StaffUploadLine(
                    upload_id=row.id, line=each.row.line, outcome=outcome, entry_id=entry_id
                )
            )
        held.done = len(became) + len(batch)
        if len(batch) == len(waiting):
            _step(held, UploadState.DONE)
            held.ended_at = now
            held.rows_sealed = uploads.seal_rows(held.ref, _without_snils(row))
            _tell(db, actor, held, "staff_upload_done", now)
        else:
            jobs.enqueue(db, APPLY, row.id, occasion=str(held.done), now=now)
            changes.announce(db, topic_of(row.organisation_id))
        db.add(held)
    for number in wrong:
        try:
            throttling.spend(lookup.tries_of(number), now=now)
        except TooManyAttempts:
            continue


def sweep(*, now: datetime) -> None:
    """Give up what waits for too long, and forget what ended long ago."""
    with unit_of_work() as db:
        for row in uploads.forgotten(db, now - WAITS):
            _drop(db, SYSTEM, row, now)
        uploads.delete_ended(db, now - KEPT)


_Open = Callable[[Session, Actor, int, list[BookNumber]], tuple[Outcome, int | None]]


def _opened(checked: Checked, now: datetime) -> _Open:
    """Return what puts one line onto the list, after what needs a transaction of its own."""
    words = Said(
        checked.row.label, checked.row.tab, checked.row.department, checked.occupation
    )  # fmt: skip
    if not checked.row.link:
        if not switching.is_on(Feature.NUMBER_CHECK, now=now):
            return _ended(Outcome.OFF)
        number, snils = BookNumber.parse(checked.row.number), Snils.parse(checked.row.snils)
        try:
            throttling.check(lookup.tries_of(number), now=now)
        except TooManyAttempts:
            return _ended(Outcome.TOO_OFTEN)

        def by_number(
            db: Session, actor: Actor, organisation_id: int, wrong: list[BookNumber]
        ) -> tuple[Outcome, int | None]:
            try:
                book = lookup.owned(db, number, snils).book
            except NotFound:
                wrong.append(number)
                return Outcome.NOT_FOUND, None
            known = employing.say_of(db, actor, organisation_id, book.holder_id, words, now=now)
            if known is not None:
                return Outcome.KNOWN, known
            return _put(
                lambda: employing.put_by_number(db, actor, organisation_id, book, words, now=now)
            )

        return by_number
    try:
        code = lookup.share_in(checked.row.link)
        seen = verifying.look(code, VIEWER, now=now)
    except (lookup.NotACode, NotFound):
        return _ended(Outcome.NOT_A_LINK)
    if seen.verdict in LINK_OVER:
        return _ended(Outcome.LINK_OVER)
    return lambda db, actor, organisation_id, _: _put(
        lambda: employing.put_by_link(db, actor, organisation_id, code, words, now=now)
    )


def _ended(outcome: Outcome) -> _Open:
    return lambda _db, _actor, _organisation_id, _wrong: (outcome, None)


def _put(put: Callable[[], int]) -> tuple[Outcome, int | None]:
    # Both are refused before anything is written.
    try:
        return Outcome.ADDED, put()
    except AccessEnded:
        return Outcome.CLOSED, None
    except StaffFull:
        return Outcome.FULL, None


def _without_snils(row: StaffUpload) -> list[Row]:
    """Return the lines to be kept with what came of them: the check needs no СНИЛС any more."""
    return [
        each.row if each.problems else replace(each.row, snils="")
        for each in rules.check(uploads.open_rows(row))
    ]


def _line(
    checked: Checked, became: StaffUploadLine | None, entries: Mapping[int, Any], now: datetime
) -> LineView:
    entry = entries.get(became.entry_id) if became and became.entry_id else None
    return LineView(
        # What was looked up had nothing wrong with it.
        replace(checked, problems={}) if became else checked,
        became.outcome if became else None,
        employing.view_of(entry, now) if entry is not None else None,
    )


def _give_up(upload_id: int, now: datetime) -> None:
    with unit_of_work() as db:
        row = uploads.held(db, upload_id)
        if row is not None and row.state in OPEN:
            _drop(db, SYSTEM, row, now)


def _drop(db: Session, actor: Actor, row: StaffUpload, now: datetime) -> None:
    _step(row, UploadState.DROPPED)
    row.ended_at, row.rows_sealed = now, None
    db.add(row)
    _tell(db, actor, row, "drop_staff_upload", now)


def _step(row: StaffUpload, target: UploadState) -> None:
    rules.check_step(row.state, target)
    row.state, row.is_open = target, target in OPEN


def _tell(db: Session, actor: Actor, row: StaffUpload, action: str, now: datetime) -> None:
    auditing.record(db, actor, action, f"staff_upload:{row.id}", now=now)
    changes.announce(db, topic_of(row.organisation_id))


def _plain(name: str) -> str:
    """Return the last part of a file's name, as far as it can be shown."""
    shown = "".join(each for each in PurePath(name.replace("\\", "/")).name if each.isprintable())
    return shown[-120:] or "список"
