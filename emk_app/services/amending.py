"""Amendments of occupations, studies and the words of messages: written by one administrator,
agreed to by another, in force from their day on in every process.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app import clock
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import desks
from emk_app.db.tables.amendments import Amendment
from emk_app.domain import amending as rules
from emk_app.domain import examinations, occupations
from emk_app.domain.actors import Actor, Role, permit, permit_fresh
from emk_app.domain.amending import (
    AmendmentAnswered,
    AmendmentKind,
    AmendmentPending,
    Facts,
    NothingAmended,
    Template,
    TypedOccupation,
    TypedStudy,
    TypedTemplate,
)
from emk_app.domain.errors import NotFound
from emk_app.domain.examinations import AmendedStudy, Bounds
from emk_app.domain.notices import News
from emk_app.domain.occupations import Amended
from emk_app.domain.orders import OrderAnswer
from emk_app.services import auditing

TOPIC: Final = "amendments"
SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class AmendmentView:
    """One amendment; exactly one of ``occupation``, ``template`` and ``study`` is there."""

    id: int
    kind: AmendmentKind
    code: str
    valid_from: date
    occupation: Amended | None
    template: Template | None
    study: AmendedStudy | None
    reason: str
    by: str
    at: datetime
    answer: OrderAnswer | None
    answered_by: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class InForce:
    """All that was agreed to: what the rules and the words go by."""

    occupations: tuple[Amended, ...]
    templates: Mapping[News, tuple[tuple[date, Template], ...]]
    """By message, oldest first."""
    studies: tuple[AmendedStudy, ...] = ()


def in_force() -> InForce:
    """Return all amendments that were agreed to, those of days to come as well."""
    with reading() as db:
        rows = db.exec(
            select(Amendment)
            .where(Amendment.answer == OrderAnswer.CONFIRMED)
            .order_by(col(Amendment.valid_from), col(Amendment.id))
        ).all()
    templates: defaultdict[News, tuple[tuple[date, Template], ...]] = defaultdict(tuple)
    listed: list[Amended] = []
    studies: list[AmendedStudy] = []
    for row in rows:
        news = rules.read_news(row.code)
        if row.kind is AmendmentKind.OCCUPATION:
            listed.append(_occupation(row))
        elif row.kind is AmendmentKind.STUDY:
            studies.append(_study(row))
        elif news is not None:
            templates[news] = (*templates[news], (row.valid_from, _template(row)))
    return InForce(tuple(listed), dict(templates), tuple(studies))


def amendments(actor: Actor) -> tuple[AmendmentView, ...]:
    """Return the newest amendments, those that wait first."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        rows = db.exec(
            select(Amendment)
            .order_by(col(Amendment.answer).is_not(None), col(Amendment.id).desc())
            .limit(SHOWN)
        ).all()
        names = desks.names_of(
            db, [each for row in rows for each in (row.written_by, row.answered_by) if each]
        )
    return tuple(
        AmendmentView(
            row.id,
            row.kind,
            row.code,
            row.valid_from,
            _occupation(row) if row.kind is AmendmentKind.OCCUPATION else None,
            _template(row) if row.kind is AmendmentKind.TEMPLATE else None,
            _study(row) if row.kind is AmendmentKind.STUDY else None,
            row.reason,
            names.get(row.written_by, ""),
            row.written_at,
            row.answer,
            names.get(row.answered_by or 0, ""),
            row.written_by == actor.user_id,
        )
        for row in rows
    )


def write_occupation(actor: Actor, typed: TypedOccupation, *, now: datetime) -> int:
    """Write how an occupation is listed from a day on; a new one where no code is given.

    Raises ``Invalid`` by the names of ``TypedOccupation``, ``FreshFactorNeeded``, ``NotFound``,
    ``NothingAmended``, ``AmendmentPending``.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        code = typed.code or rules.new_code(_next(db))
        if typed.code and occupations.point_of(typed.code) is None:
            raise NotFound
        wanted, reason = rules.read_occupation(typed, code, today=clock.day_of(now))
        listed = occupations.listed_on(code, wanted.valid_from)
        is_open = any(each.code == code for each in occupations.offered(wanted.valid_from))
        if (
            listed is not None
            and (listed.name, listed.group) == (wanted.name, wanted.group)
            and is_open is not wanted.is_closed
        ):
            raise NothingAmended
        said = asdict(wanted) | {"valid_from": wanted.valid_from.isoformat()}
        return _write(
            db, actor, AmendmentKind.OCCUPATION, code, wanted.valid_from, said, reason, now
        )


def write_template(
    actor: Actor, typed: TypedTemplate, facts: Facts, *, sms_limit: int, now: datetime
) -> int:
    """Write the words of a message from a day on; ``facts`` are what it carries.

    Raises ``Invalid`` by the names of ``TypedTemplate``, ``FreshFactorNeeded``, ``NotFound``,
    ``AmendmentPending``.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    news = rules.read_news(typed.news)
    if news is None:
        raise NotFound
    today = clock.day_of(now)
    wanted = rules.read_template(typed, facts, today=today, sms_limit=sms_limit)
    valid_from = rules.read_day(typed.valid_from, today)
    with unit_of_work() as db:
        return _write(
            db,
            actor,
            AmendmentKind.TEMPLATE,
            news.value,
            valid_from,
            asdict(wanted),
            rules.read_reason(typed.reason),
            now,
        )


def write_study(actor: Actor, typed: TypedStudy, *, now: datetime) -> int:
    """Write how often a study is made and what its numbers may be, from a day on.

    Raises ``Invalid`` as ``read_study``, ``FreshFactorNeeded``, ``NotFound``, ``NothingAmended``,
    ``AmendmentPending``.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    today = clock.day_of(now)
    listed = examinations.listed_study(typed.key, today)
    if listed is None:
        raise NotFound
    wanted, reason = rules.read_study(typed, listed, today=today)
    standing = examinations.listed_study(typed.key, wanted.valid_from)
    assert standing is not None
    if examinations.standing_as(standing.study) == (wanted.period_months, wanted.bounds):
        raise NothingAmended
    said = {
        "period_months": wanted.period_months,
        "bounds": [
            {name: None if value is None else f"{value:f}" for name, value in asdict(each).items()}
            for each in wanted.bounds
        ],
    }
    with unit_of_work() as db:
        return _write(
            db, actor, AmendmentKind.STUDY, typed.key, wanted.valid_from, said, reason, now
        )


def confirm(actor: Actor, amendment_id: int, *, now: datetime) -> AmendmentKind:
    """Agree to a colleague's amendment; it is in force from its day on.

    Raises ``SameEditor``, ``AmendmentAnswered``, ``FreshFactorNeeded``, ``NotFound``.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        row = _open(db, amendment_id)
        rules.permit_answering(row.written_by, actor.user_id)
        if row.valid_from <= clock.day_of(now):
            # What was listed today stays so.
            raise AmendmentAnswered
        _answer(db, actor, row, OrderAnswer.CONFIRMED, now)
        return row.kind


def decline(actor: Actor, amendment_id: int, *, now: datetime) -> AmendmentKind:
    """Refuse a colleague's amendment, or take back one's own.

    Raises ``AmendmentAnswered``, ``FreshFactorNeeded``, ``NotFound``.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        row = _open(db, amendment_id)
        is_own = row.written_by == actor.user_id
        _answer(db, actor, row, OrderAnswer.TAKEN_BACK if is_own else OrderAnswer.DECLINED, now)
        return row.kind


def _write(
    db: Session,
    actor: Actor,
    kind: AmendmentKind,
    code: str,
    valid_from: date,
    content: Mapping[str, object],
    reason: str,
    now: datetime,
) -> int:
    waits = select(Amendment.id).where(
        Amendment.kind == kind, Amendment.code == code, col(Amendment.answer).is_(None)
    )
    if db.exec(waits).first() is not None:
        raise AmendmentPending
    row = Amendment(
        kind=kind,
        code=code,
        valid_from=valid_from,
        content=json.dumps(content, ensure_ascii=False),
        reason=reason,
        written_by=actor.user_id,
        written_at=now,
    )
    db.add(row)
    db.flush()
    _note(db, actor, row, f"amend_{kind}", now)
    return row.id


def _open(db: Session, amendment_id: int) -> Amendment:
    row = db.exec(select(Amendment).where(Amendment.id == amendment_id).with_for_update()).first()
    if row is None:
        raise NotFound
    if row.answer is not None:
        raise AmendmentAnswered
    return row


def _answer(db: Session, actor: Actor, row: Amendment, answer: OrderAnswer, now: datetime) -> None:
    row.answer, row.answered_by, row.answered_at = answer, actor.user_id, now
    db.add(row)
    _note(db, actor, row, f"amendment_{answer}", now)


def _note(db: Session, actor: Actor, row: Amendment, action: str, now: datetime) -> None:
    changes.announce(db, TOPIC)
    auditing.record(db, actor, action, f"amendment:{row.id}", fields=row.code, now=now)


def _next(db: Session) -> int:
    """Return the next free number of an added occupation."""
    count = db.exec(
        select(sa.func.count(col(Amendment.id))).where(
            Amendment.kind == AmendmentKind.OCCUPATION,
            col(Amendment.code).startswith(rules.NEW, autoescape=True),
        )
    ).one()
    return count + 1


def _occupation(row: Amendment) -> Amended:
    said = json.loads(row.content)
    return Amended(**said | {"valid_from": date.fromisoformat(said["valid_from"])})


def _study(row: Amendment) -> AmendedStudy:
    said = json.loads(row.content)
    bounds = tuple(
        Bounds(**{name: value and Decimal(value) for name, value in each.items()})
        for each in said["bounds"]
    )
    return AmendedStudy(row.code, row.valid_from, said["period_months"], bounds)


def _template(row: Amendment) -> Template:
    return Template(**json.loads(row.content))
