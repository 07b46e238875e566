"""The journal of acts for administrators: sought, read page by page, taken away as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.clock import MOSCOW
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain import inspecting as rules
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.contacts import Login
from emk_app.domain.inspecting import NobodyKnown, Sought, Span
from emk_app.domain.values import Problems
from emk_app.services import accounts, auditing

PER_PAGE: Final = 50
PIECE: Final = 500
LARGEST_EXPORT: Final = 50_000
_APART: Final = 1000
"""Entries by which the order of times and that of the chain may differ."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act; ``fields`` are names of fields, never values."""

    id: int
    at: datetime
    actor_id: int | None
    role: str
    session_id: int | None
    subject_id: int | None
    action: str
    target: str
    fields: str
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The newest entries before a point; ``before`` leads to older ones, 0 where there are none."""

    entries: tuple[Entry, ...]
    before: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Whether the chain holds: how many entries there are, and the first that does not fit."""

    entries: int
    broken: int | None


def page(actor: Actor, sought: Sought, before: int, *, now: datetime) -> Page:
    """Return a page of what is sought, newest first, older than entry ``before`` unless 0.

    The look is noted. Raises ``Invalid`` by the names of ``Sought``.
    """
    permit(actor, Role.ADMIN)
    auditing.look(actor, "audit", fields=_said(sought), now=now)
    with reading() as db:
        found = _conditions(db, sought, now)
        rows = _older(db, found, before, PER_PAGE + 1)
    return Page(
        tuple(map(_entry, rows[:PER_PAGE])),
        rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else 0,
    )


def export(actor: Actor, sought: Sought, *, now: datetime) -> Iterator[tuple[Entry, ...]]:
    """Return what is sought, newest first, piece by piece; that it was taken away is noted first.

    Raises ``Invalid`` by the names of ``Sought``.
    """
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        found = _conditions(db, sought, now)
        auditing.record(db, actor, "export_audit", "audit", fields=_said(sought), now=now)
    return _pieces(found)


def chain(actor: Actor, *, now: datetime) -> Chain:
    """Go through the whole chain; takes a while for a long one."""
    permit(actor, Role.ADMIN)
    auditing.look(actor, "audit", fields="chain", now=now)
    with reading() as db:
        count = db.exec(select(sa.func.count(col(AuditEntry.id)))).one()
        return Chain(count, auditing.first_broken(db))


def _pieces(found: list[sa.ColumnElement[bool]]) -> Iterator[tuple[Entry, ...]]:
    before, given = 0, 0
    while given < LARGEST_EXPORT:
        with reading() as db:
            rows = _older(db, found, before, PIECE)
        if not rows:
            return
        yield tuple(map(_entry, rows))
        before, given = rows[-1].id, given + len(rows)


def _older(
    db: Session, found: list[sa.ColumnElement[bool]], before: int, limit: int
) -> list[AuditEntry]:
    older = [col(AuditEntry.id) < before] if before else []
    return list(
        db.exec(
            select(AuditEntry)
            .where(*found, *older)
            .order_by(col(AuditEntry.id).desc())
            .limit(limit)
        ).all()
    )


def _conditions(db: Session, sought: Sought, now: datetime) -> list[sa.ColumnElement[bool]]:
    problems = Problems()
    span = rules.read_span(problems, sought, now=now, zone=MOSCOW)
    action = problems.take("action", rules.read_action, sought.action)
    target = problems.take("target", rules.read_target, sought.target)
    who = problems.take("who", _account, db, sought.who)
    whose = problems.take("whose", _account, db, sought.whose)
    problems.raise_any()
    found = [col(AuditEntry.at) >= span.since, col(AuditEntry.at) < span.until, *_bounds(db, span)]
    if who is not None:
        found.append(col(AuditEntry.actor_id) == who)
    if whose is not None:
        found.append(col(AuditEntry.subject_id) == whose)
    if action:
        found.append(col(AuditEntry.action).startswith(action, autoescape=True))
    if target:
        found.append(col(AuditEntry.target).startswith(target, autoescape=True))
    if sought.result in ("done", "refused"):
        refused = sa.or_(
            col(AuditEntry.action) == rules.DENIED,
            col(AuditEntry.action).startswith(rules.REFUSAL),
        )
        found.append(refused if sought.result == "refused" else ~refused)
    return found


def _bounds(db: Session, span: Span) -> list[sa.ColumnElement[bool]]:
    """Return between which entries the span lies: the chain is read in its own order."""
    bounds: list[sa.ColumnElement[bool]] = []
    first = db.exec(
        select(AuditEntry.id)
        .where(col(AuditEntry.at) >= span.since)
        .order_by(col(AuditEntry.at))
        .limit(1)
    ).first()
    last = db.exec(
        select(AuditEntry.id)
        .where(col(AuditEntry.at) < span.until)
        .order_by(col(AuditEntry.at).desc())
        .limit(1)
    ).first()
    if first is not None:
        bounds.append(col(AuditEntry.id) >= first - _APART)
    if last is not None:
        bounds.append(col(AuditEntry.id) <= last + _APART)
    return bounds


def _account(db: Session, text: str) -> int | None:
    said = text.strip().removeprefix("№").strip()
    if not said:
        return None
    if said.isascii() and said.isdigit() and len(said) < 10:
        # An account may be gone by now, its acts are not.
        return int(said)
    user = accounts.user_by_login(db, Login.parse(text))
    if user is None:
        raise NobodyKnown
    return user.id


def _said(sought: Sought) -> str:
    """Return which conditions were given, never what they are."""
    return ",".join(name for name in Sought.__slots__ if getattr(sought, name))


def _entry(row: AuditEntry) -> Entry:
    return Entry(
        row.id,
        row.at,
        row.actor_id,
        row.role,
        row.session_id,
        row.subject_id,
        row.action,
        row.target,
        row.fields,
        rules.is_refused(row.action),
    )
