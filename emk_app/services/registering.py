"""The administrator's imports of the register: a file is looked through, confirmed, put in.

What takes long is done by jobs, batch by batch; a job that is done twice does the same. One import
is open at a time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories.clinics import Put
from emk_app.db.tables.clinics import RegisterImport
from emk_app.domain import imports
from emk_app.domain.actors import SYSTEM, Actor, Role, permit
from emk_app.domain.errors import ChangedMeanwhile, Conflict, NotFound
from emk_app.domain.imports import FileEmpty, ImportState, ImportUnderWay, ReportGone
from emk_app.domain.register import NotARegister
from emk_app.services import accounts, auditing, importing, jobs
from emk_app.services.importing import BadRow, Report
from emk_app.settings import settings
from emk_app.storage.uploads import UploadFiles

CHECK: Final = "check_register"
APPLY: Final = "apply_register"
SWEEP: Final = "sweep_registers"
"""Kinds of jobs."""
TOPIC: Final = "imports"
SHOWN: Final = 10
"""Imports of the history that a screen shows."""
LINES_SHOWN: Final = 20
"""Lines of a report beside them; the rest is in the file."""

Words = Callable[[BadRow], Sequence[Sequence[str]]]
"""Puts a bad row into lines of the report."""


@dataclass(frozen=True, slots=True)
class ImportView:
    """One import as the administrator sees it."""

    id: int
    name: str
    size: int
    state: ImportState
    brought_by: str
    """Empty is the command line."""
    created_at: datetime
    confirmed_by: str
    confirmed_at: datetime | None
    ended_at: datetime | None
    seen: int
    report: Report


class _GivenUp(Exception):
    """The import was dropped while it was being worked on."""


def permit_upload(actor: Actor) -> None:
    """Raise unless the actor may bring a file now: ``NotPermitted``, ``ImportUnderWay``."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        if db.exec(select(RegisterImport.id).where(col(RegisterImport.is_open))).first():
            raise ImportUnderWay


def accept(actor: Actor, upload: str, name: str, *, now: datetime) -> int:
    """Have an uploaded file looked through; return the import's identity.

    Raises ``FileEmpty`` and ``ImportUnderWay``; the file is then gone.
    """
    try:
        permit(actor, Role.ADMIN)
        with files().open(upload) as file:
            size = file.seek(0, io.SEEK_END)
        if not size:
            raise FileEmpty
        row = RegisterImport(
            name=_plain(name),
            upload=upload,
            size=size,
            state=ImportState.CHECKING,
            is_open=True,
            brought_by=actor.user_id,
            created_at=now,
        )
        with unit_of_work() as db:
            db.add(row)
            db.flush()
            jobs.enqueue(db, CHECK, row.id, occasion="once", now=now)
            _record(db, actor, "upload_register", row.id, now)
            return row.id
    except IntegrityError:
        files().delete(upload)
        raise ImportUnderWay from None
    except BaseException:
        files().delete(upload)
        raise


def confirm(actor: Actor, import_id: int, *, now: datetime) -> None:
    """Have the file put in that was looked through; raise ``TransitionNotAllowed``."""
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        _step(
            db,
            import_id,
            ImportState.APPLYING,
            seen=0,
            confirmed_by=actor.user_id,
            confirmed_at=now,
        )
        jobs.enqueue(db, APPLY, import_id, occasion="once", now=now)
        _record(db, actor, "confirm_register", import_id, now)


def drop(actor: Actor, import_id: int, *, now: datetime) -> None:
    """Give an import up; batches that are in already stay. Raises ``TransitionNotAllowed``."""
    permit(actor, Role.ADMIN, Role.SYSTEM)
    with unit_of_work() as db:
        row = _step(db, import_id, ImportState.DROPPED, ended_at=now)
        _record(db, actor, "drop_register", import_id, now)
    files().delete(row.upload)


def note(actor: Actor, name: str, report: Report, *, now: datetime) -> None:
    """Write an import of the command line into the history."""
    permit(actor, Role.SYSTEM)
    with unit_of_work() as db:
        db.add(
            RegisterImport(
                name=_plain(name),
                state=ImportState.DONE,
                created_at=now,
                confirmed_at=now,
                ended_at=now,
                **_counts(report),
            )
        )
        changes.announce(db, TOPIC)


def history(actor: Actor) -> list[ImportView]:
    """Return the last imports, the newest first; one that is open is the first."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        rows = db.exec(
            select(RegisterImport)
            .order_by(col(RegisterImport.is_open).desc(), col(RegisterImport.id).desc())
            .limit(SHOWN)
        ).all()
    people = {who for row in rows for who in (row.brought_by, row.confirmed_by) if who}
    names = {who: accounts.person_name(who) for who in people} | {None: ""}
    return [_view(row, names) for row in rows]


def bad_lines(actor: Actor, import_id: int, *, limit: int = LINES_SHOWN) -> list[list[str]]:
    """Return the first lines of the report; none where there is no report any more."""
    try:
        with report(actor, import_id) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", newline="")
            return list(islice(csv.reader(text, delimiter=";"), 1, limit + 1))
    except ReportGone:
        return []


def report(actor: Actor, import_id: int) -> BinaryIO:
    """Open the whole report of an import; raise ``NotFound`` or ``ReportGone``."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        row = db.get(RegisterImport, import_id)
    if row is None:
        raise NotFound
    if not row.upload:
        raise ReportGone
    try:
        return files().open_report(row.upload)
    except FileNotFoundError:
        raise ReportGone from None


def look_through(
    import_id: int, *, clock: Callable[[], datetime], header: Sequence[str], words: Words
) -> None:
    """Say what a file would change, and write down the rows that can't be used."""
    row = _row_in(import_id, ImportState.CHECKING)
    if row is None:
        return
    with (
        files().write_report(row.upload) as kept,
        io.TextIOWrapper(kept, "utf-8-sig", newline="") as text,
        files().open(row.upload) as file,
    ):
        lines = csv.writer(text, delimiter=";")
        lines.writerow(header)
        try:
            done = importing.import_file(
                SYSTEM,
                file,
                now=clock(),
                dry_run=True,
                on_bad=lambda bad: lines.writerows(words(bad)),
                on_progress=_telling(row, CHECK, clock),
            )
        except NotARegister:
            done = None
        except _GivenUp:
            return
    with suppress(Conflict), unit_of_work() as db:
        if done is not None:
            _step(db, import_id, ImportState.CHECKED, seen=done.rows, **_counts(done))
            return
        _step(db, import_id, ImportState.REFUSED, ended_at=clock())
    files().delete(row.upload)


def put_in(import_id: int, *, clock: Callable[[], datetime]) -> None:
    """Put a confirmed file in, under the authority of who confirmed it."""
    row = _row_in(import_id, ImportState.APPLYING)
    if row is None or row.confirmed_by is None:
        return
    actor = Actor(row.confirmed_by, Role.ADMIN)
    try:
        with files().open(row.upload) as file:
            done = importing.import_file(
                actor,
                file,
                now=clock(),
                dry_run=False,
                name=row.name,
                on_progress=_telling(row, APPLY, clock),
            )
    except _GivenUp:
        return
    with suppress(Conflict), unit_of_work() as db:
        _step(db, import_id, ImportState.DONE, seen=done.rows, ended_at=clock(), **_counts(done))
    files().delete(row.upload)


def sweep(*, now: datetime) -> None:
    """Give up what waits for too long, and remove files and reports that nobody needs."""
    with reading() as db:
        forgotten = db.exec(
            select(RegisterImport.id).where(
                col(RegisterImport.state).in_([ImportState.CHECKING, ImportState.CHECKED]),
                col(RegisterImport.created_at) <= now - imports.WAITS,
            )
        ).all()
    for import_id in forgotten:
        drop(SYSTEM, import_id, now=now)
    with reading() as db:
        opened = db.exec(select(RegisterImport.upload).where(col(RegisterImport.is_open))).all()
        young = db.exec(
            select(RegisterImport.upload).where(
                col(RegisterImport.created_at) > now - imports.REPORT_KEPT
            )
        ).all()
    files().sweep(set(opened), set(young), now - imports.WAITS)


@cache
def files() -> UploadFiles:
    """Return where the files are."""
    return UploadFiles(settings().data / "register")


def _telling(
    row: RegisterImport, kind: str, clock: Callable[[], datetime]
) -> Callable[[int], None]:
    """Return what tells after each batch how far the work is, and keeps the job's lease.

    It raises ``_GivenUp`` where somebody has dropped the import.
    """

    def tell(seen: int) -> None:
        with unit_of_work() as db:
            told = db.connection().execute(_still(row).values(seen=seen))
            if not told.rowcount:
                raise _GivenUp
            jobs.hold(db, kind, row.id, now=clock())
            changes.announce(db, TOPIC)

    return tell


def _still(row: RegisterImport) -> sa.Update:
    """Return an update of the import that misses once somebody else has moved it on."""
    return sa.update(RegisterImport).where(
        col(RegisterImport.id) == row.id, col(RegisterImport.state) == row.state
    )


def _step(db: Session, import_id: int, target: ImportState, **values: Any) -> RegisterImport:
    """Move an import on; raise ``NotFound``, ``TransitionNotAllowed`` or ``ChangedMeanwhile``."""
    row = db.get(RegisterImport, import_id)
    if row is None:
        raise NotFound
    imports.check_step(row.state, target)
    values |= {"state": target, "is_open": target in imports.OPEN}
    if not db.connection().execute(_still(row).values(**values)).rowcount:
        raise ChangedMeanwhile
    changes.announce(db, TOPIC)
    return row


def _row_in(import_id: int, state: ImportState) -> RegisterImport | None:
    """Return the import if it still is in this state; a repeated job finds it elsewhere."""
    with reading() as db:
        row = db.get(RegisterImport, import_id)
    return row if row is not None and row.state is state else None


def _record(db: Session, actor: Actor, action: str, import_id: int, now: datetime) -> None:
    auditing.record(db, actor, action, f"register_import:{import_id}", now=now)
    changes.announce(db, TOPIC)


def _counts(done: Report) -> dict[str, Any]:
    return {"rows": done.rows, "bad": done.bad, **asdict(done.put)}


def _plain(name: str) -> str:
    """Return the last part of a file's name, as far as it can be shown."""
    shown = "".join(each for each in PurePath(name.replace("\\", "/")).name if each.isprintable())
    return shown[-120:] or "register"


def _view(row: RegisterImport, names: Mapping[int | None, str]) -> ImportView:
    return ImportView(
        id=row.id,
        name=row.name,
        size=row.size,
        state=row.state,
        brought_by=names[row.brought_by],
        created_at=row.created_at,
        confirmed_by=names[row.confirmed_by],
        confirmed_at=row.confirmed_at,
        ended_at=row.ended_at,
        seen=row.seen,
        report=Report(row.rows, Put(row.added, row.changed, row.unchanged, row.removed), row.bad),
    )
