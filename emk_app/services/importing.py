"""Bringing a register of clinics in: from a file of any usual shape, or made up for the demo.

A table is read row by row, so that its size is no matter of memory (JSON is read whole). A row
that can't be used is reported with its line and does not stop the others. The same file twice
changes nothing.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import BinaryIO, Final, TypeVar, cast

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import clinics
from emk_app.db.repositories.clinics import Put
from emk_app.domain import register
from emk_app.domain.actors import SYSTEM, Actor, Role, permit
from emk_app.domain.errors import Invalid, InvalidValue
from emk_app.domain.register import ColumnsAmiss, Entry, NotARegister, NotText, OidRepeated, Said
from emk_app.services import auditing
from emk_app.settings import settings

T = TypeVar("T")

LICENCES: Final = "licences"
"""Kind of the job that ends licences."""
BATCH: Final = 1000
"""Rows in one transaction: other writers wait for no more than that."""
TOPIC: Final = "register"
LONGEST_CELL: Final = 10_000
LARGE: Final = 5000
"""Rows after which the index is worth tidying."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out: where it stands, whose it is, and what is wrong with each field."""

    line: int
    oid: str
    problems: Mapping[str, InvalidValue]


@dataclass(frozen=True, slots=True)
class Report:
    """What an import has done, or would do."""

    rows: int
    put: Put
    bad: int


def import_file(
    actor: Actor,
    file: BinaryIO,
    *,
    now: datetime,
    dry_run: bool,
    name: str = "",
    on_bad: Callable[[BadRow], object] = lambda _: None,
    on_progress: Callable[[int], object] = lambda _: None,
) -> Report:
    """Put a file's clinics into the register, or with ``dry_run`` only say what that would do.

    Each batch is a transaction of its own. Raises ``NotARegister``.
    """
    permit(actor, Role.ADMIN, Role.SYSTEM)
    bad = 0

    def leave_out(row: BadRow) -> None:
        nonlocal bad
        bad += 1
        on_bad(row)

    done, rows = Put(), 0
    accepts_demo = not settings().is_production
    # Closed here, while the file is open, wherever ``on_progress`` may lead.
    with closing(
        read_register(file, today=now.date(), accepts_demo=accepts_demo, on_bad=leave_out)
    ) as read:
        for batch in _batches(read):
            if dry_run:
                with reading() as db:
                    done += clinics.put(db, batch, now=now, changes=False)
            else:
                done += _put(actor, batch, name, now)
            rows += len(batch)
            on_progress(rows + bad)
    if not dry_run:
        _settle(actor, done, now)
    return Report(rows + bad, done, bad)


def put_all(actor: Actor, entries: Iterable[Entry], *, now: datetime) -> Put:
    """Put whole entries into the register."""
    permit(actor, Role.ADMIN, Role.SYSTEM)
    everything = frozenset(register.COLUMNS)
    done = Put()
    for batch in _batches(Said(entry, everything) for entry in entries):
        done += _put(actor, batch, "", now)
    _settle(actor, done, now)
    return done


def end_licences(_target_id: int, now: datetime) -> None:
    """End the licences whose last day has passed."""
    with unit_of_work() as db:
        ended = clinics.end_licences(db, now.date())
        if ended:
            clinics.settle(db)
            auditing.record(db, SYSTEM, "end_licences", TOPIC, now=now)
            changes.announce(db, TOPIC)


def read_register(
    file: BinaryIO, *, today: date, accepts_demo: bool, on_bad: Callable[[BadRow], object]
) -> Generator[Said]:
    """Yield the rows that can be used: CSV with ``;`` or ``,``, or JSON, in UTF-8 or cp1251.

    JSON is a list of objects, one object a line, or ``{"list": [...]}`` as the federal service
    answers. Raises ``NotARegister``.
    """
    head = file.read(4096)
    file.seek(0)
    rows = _json_rows(file) if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"[") else None
    seen: set[str] = set()
    for line, row in rows if rows is not None else _csv_rows(file, head):
        oid = row.get("oid", "").strip() if isinstance(row, dict) else ""
        try:
            if isinstance(row, InvalidValue):
                raise Invalid({"": row})
            said = register.read(row, today=today, accepts_demo=accepts_demo)
            if said.entry.oid in seen:
                raise Invalid({"oid": OidRepeated()})
        except Invalid as error:
            on_bad(BadRow(line, oid[:60] if oid.isprintable() else "", error.fields))
            continue
        seen.add(said.entry.oid)
        yield said


def _put(actor: Actor, batch: list[Said], name: str, now: datetime) -> Put:
    with unit_of_work() as db:
        done = clinics.put(db, batch, now=now)
        if done != Put(unchanged=len(batch)):
            said = f"added {done.added}, changed {done.changed}, removed {done.removed}"
            target = f"register:{name}"[:60]
            auditing.record(db, actor, "import_register", target, fields=said, now=now)
            changes.announce(db, TOPIC)
    return done


def _settle(actor: Actor, done: Put, now: datetime) -> None:
    touched = done.added + done.changed + done.removed
    with unit_of_work() as db:
        clinics.settle(db)
        changes.announce(db, TOPIC)
    if touched >= LARGE:
        with unit_of_work() as db:
            clinics.tidy(db)


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


Row = tuple[int, "dict[str, str] | InvalidValue"]


def _csv_rows(file: BinaryIO, head: bytes) -> Iterator[Row]:
    encoding = _encoding(file)
    text = io.TextIOWrapper(file, encoding, errors="replace", newline="")
    try:
        first = head.split(b"\n", 1)[0].decode(encoding, "replace")
        delimiter = max(";,\t", key=first.count)
        reader = csv.reader(text, delimiter=delimiter)
        try:
            header = register.read_header(next(reader))
        except (StopIteration, csv.Error, InvalidValue):
            raise NotARegister from None
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield line, ColumnsAmiss()
                continue
            if not any(cells):
                continue
            yield line, _cells(header, cells)
    finally:
        text.detach()


def _cells(header: list[str], cells: list[str]) -> dict[str, str] | InvalidValue:
    if len(cells) != len(header) or any(len(cell) > LONGEST_CELL for cell in cells):
        return ColumnsAmiss()
    if any("\ufffd" in cell for cell in cells):
        return NotText()
    return {name: cell for name, cell in zip(header, cells, strict=True) if name}


def _encoding(file: BinaryIO) -> str:
    """Tell UTF-8 from cp1251: a Russian text in the latter is never valid UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(1 << 20):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1251"
    finally:
        file.seek(0)
    return "utf-8-sig"


def _json_rows(file: BinaryIO) -> Iterator[Row]:
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotARegister from None
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        yield from _json_lines(text)
        return
    if isinstance(found, dict):
        whole = cast("dict[str, object]", found)
        found = whole.get("list", [whole])
    if not isinstance(found, list):
        raise NotARegister
    for number, each in enumerate(cast("list[object]", found), 1):
        yield number, _object(each)


def _json_lines(text: str) -> Iterator[Row]:
    lines = text.splitlines()
    if not lines or not lines[0].lstrip().startswith("{"):
        raise NotARegister
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, _object(json.loads(line))
        except (ValueError, RecursionError):
            yield number, ColumnsAmiss()


def _object(found: object) -> dict[str, str] | InvalidValue:
    if not isinstance(found, dict):
        return ColumnsAmiss()
    members = cast("dict[object, object]", found)
    if any(isinstance(value, dict | list) for value in members.values()):
        return ColumnsAmiss()
    names = list(map(str, members))
    try:
        header = register.read_header(names)
    except InvalidValue as error:
        return error
    return {
        name: _said(value) for name, value in zip(header, members.values(), strict=True) if name
    }


def _said(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "да" if value else "нет"
        case _:
            return str(value)
