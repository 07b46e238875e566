"""Answers that support gives often: kept by administrators, offered at the desks for a ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.kept import Kept
from emk_app.db.repositories import desks
from emk_app.db.tables.support import PreparedAnswer
from emk_app.domain import prepared as rules
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.errors import ChangedMeanwhile, NotFound
from emk_app.domain.news import EditedMeanwhile
from emk_app.domain.prepared import Place, SameTitleOffered, TooManyAnswers, Typed
from emk_app.domain.support import STAFF
from emk_app.services import auditing

TOPIC: Final = "prepared"
LISTED: Final = 300


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One answer; ``by`` is empty for one that came with the program and was never changed."""

    id: int
    title: str
    text: str
    version: int
    retired_at: datetime | None
    changed_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Offered:
    """An answer that can be chosen at a desk."""

    id: int
    title: str
    text: str


def answers(actor: Actor) -> tuple[AnswerView, ...]:
    """Return every answer, those that are offered first."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        rows = db.exec(
            select(PreparedAnswer)
            .order_by(
                col(PreparedAnswer.retired_at).is_not(None),
                col(PreparedAnswer.title),
                col(PreparedAnswer.id),
            )
            .limit(LISTED)
        ).all()
        names = desks.names_of(db, [row.changed_by for row in rows if row.changed_by])
    return tuple(
        AnswerView(
            row.id,
            row.title,
            row.text,
            row.version,
            row.retired_at,
            row.changed_at,
            names.get(row.changed_by or 0, ""),
        )
        for row in rows
    )


def offered(actor: Actor, facts: Mapping[Place, str], *, now: datetime) -> tuple[Offered, ...]:
    """Return what can be answered where these facts are known, filled in."""
    permit(actor, *STAFF)
    return tuple(
        Offered(each.id, each.title, rules.filled_in(each.text, facts))
        for each in _kept.get(now)
        if rules.fits(each.text, facts)
    )


def write(actor: Actor, typed: Typed, *, now: datetime) -> int:
    """Keep a new answer and return its identity.

    Raises ``Invalid`` by the names of ``Typed``, and ``TooManyAnswers``.
    """
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        said = rules.read_answer(typed, _room(db))
        row = PreparedAnswer(
            title=said.title, text=said.text, changed_by=actor.user_id, changed_at=now
        )
        db.add(row)
        db.flush()
        _note(db, row, actor, "write_answer", now)
        return row.id


def rewrite(actor: Actor, answer_id: int, version: int, typed: Typed, *, now: datetime) -> None:
    """Change an answer that was opened as ``version``.

    Raises ``NotFound``, ``EditedMeanwhile`` and ``Invalid`` by the names of ``Typed``.
    """
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        row = _get(db, answer_id)
        if row.version != version:
            raise EditedMeanwhile
        said = rules.read_answer(typed, [] if row.retired_at else _titles(db, but=row.id))
        row.title, row.text = said.title, said.text
        _keep(db, row, actor, "rewrite_answer", now)


def retire(actor: Actor, answer_id: int, *, now: datetime) -> None:
    """Offer an answer no more; raise ``NotFound`` or ``ChangedMeanwhile``."""
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        row = _get(db, answer_id)
        if row.retired_at is not None:
            raise ChangedMeanwhile
        row.retired_at = now
        _keep(db, row, actor, "retire_answer", now)


def bring_back(actor: Actor, answer_id: int, *, now: datetime) -> None:
    """Offer an answer again.

    Raises ``NotFound``, ``ChangedMeanwhile``, ``TooManyAnswers``, ``SameTitleOffered``.
    """
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        row = _get(db, answer_id)
        if row.retired_at is None:
            raise ChangedMeanwhile
        if rules.is_taken(row.title, _room(db)):
            raise SameTitleOffered
        row.retired_at = None
        _keep(db, row, actor, "bring_answer_back", now)


def _get(db: Session, answer_id: int) -> PreparedAnswer:
    row = db.exec(
        select(PreparedAnswer).where(PreparedAnswer.id == answer_id).with_for_update()
    ).first()
    if row is None:
        raise NotFound
    return row


def _titles(db: Session, *, but: int = 0) -> Sequence[str]:
    return db.exec(
        select(PreparedAnswer.title).where(
            col(PreparedAnswer.retired_at).is_(None), PreparedAnswer.id != but
        )
    ).all()


def _room(db: Session) -> Sequence[str]:
    """Return the titles that are offered; raise ``TooManyAnswers`` where there is no room."""
    titles = _titles(db)
    if len(titles) >= rules.ANSWERS_LIMIT:
        raise TooManyAnswers(rules.ANSWERS_LIMIT)
    return titles


def _keep(db: Session, row: PreparedAnswer, actor: Actor, action: str, now: datetime) -> None:
    row.version, row.changed_by, row.changed_at = row.version + 1, actor.user_id, now
    db.add(row)
    _note(db, row, actor, action, now)


def _note(db: Session, row: PreparedAnswer, actor: Actor, action: str, now: datetime) -> None:
    changes.announce(db, TOPIC)
    auditing.record(db, actor, action, f"answer:{row.id}", now=now)


def _read(_now: datetime) -> tuple[Offered, ...]:
    with reading() as db:
        rows = db.exec(
            select(PreparedAnswer)
            .where(col(PreparedAnswer.retired_at).is_(None))
            .order_by(col(PreparedAnswer.title), col(PreparedAnswer.id))
        ).all()
    return tuple(Offered(row.id, row.title, row.text) for row in rows)


_kept: Final = Kept(TOPIC, _read)
