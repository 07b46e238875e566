"""Undoing an operator's decision: one asks with a reason, another confirms or declines."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import applications, desks, reversals
from emk_app.db.tables.applications import Application, Reversal
from emk_app.domain import reversals as rules
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.applications import Milestone
from emk_app.domain.errors import ChangedMeanwhile
from emk_app.domain.notices import News
from emk_app.domain.reversals import Answer, NotReversible
from emk_app.domain.values import Problems
from emk_app.services import reviewing


def ask(actor: Actor, number: str, reason: str, *, now: datetime) -> None:
    """Ask a colleague to undo the decision on the papers; nothing moves until one agrees.

    Raises ``Invalid`` with ``reason``, ``NotReversible``, ``Replaced``, and ``ChangedMeanwhile``
    where another operator has asked already. Asking twice changes nothing.
    """
    permit(actor, Role.OPERATOR)
    problems = Problems()
    said = problems.take("reason", rules.reason, reason)
    problems.raise_any()
    with unit_of_work() as db:
        application = reviewing.locked(db, number)
        wish = reversals.open_of(db, application.id)
        _permit(db, application)
        if wish is not None:
            if wish.asked_by == actor.user_id:
                return
            raise _beaten(db, wish.asked_by, wish.asked_at)
        # The version counts this too: every screen shows the case anew.
        applications.move(db, application, now=now)
        reversals.add(db, application, said, by=actor.user_id, now=now)
        reviewing.audit(db, actor, application, "ask_reversal", now)


def confirm(actor: Actor, number: str, *, now: datetime) -> None:
    """Agree that the decision was wrong: the papers wait for a fresh one, the holder is told.

    Raises ``SameEyes`` for the one who asked, ``NotReversible``, ``Replaced``, and
    ``ChangedMeanwhile`` where a colleague has answered before.
    """
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        application = reviewing.locked(db, number)
        wish = _standing(db, application, actor, Answer.CONFIRMED)
        if wish is None:
            return
        _permit(db, application)
        status, papers = rules.reverse(
            application.status,
            application.papers,
            actor.role,
            asked_by=wish.asked_by,
            confirmed_by=actor.user_id,
        )
        applications.move(
            db,
            application,
            now=now,
            status=status,
            papers=papers,
            reviewer_id=None,
            decided_at=None,
            note_sealed=None,
            # Its days may be over: nothing ends without a reminder of its own.
            reminded_on=None,
        )
        _answer(db, wish, actor, Answer.CONFIRMED, now)
        reviewing.write(db, actor, application, Milestone.DECISION_UNDONE, now)
        reviewing.audit(db, actor, application, "confirm_reversal", now)
        reviewing.tell(db, application, News.DECISION_UNDONE, now)


def decline(actor: Actor, number: str, *, now: datetime) -> None:
    """Let the decision stand; raises what ``confirm`` raises, save ``Replaced``."""
    permit(actor, Role.OPERATOR)
    with unit_of_work() as db:
        application = reviewing.locked(db, number)
        wish = _standing(db, application, actor, Answer.DECLINED)
        if wish is None:
            return
        if not rules.is_reversible(application.status, application.papers):
            raise NotReversible
        applications.move(db, application, now=now)
        _answer(db, wish, actor, Answer.DECLINED, now)
        reviewing.audit(db, actor, application, "decline_reversal", now)


def _permit(db: Session, application: Application) -> None:
    """Refuse what cannot come back, as the application and the holder's later ones stand."""
    rules.permit_reversal(
        application.status, application.papers, reversals.begun_since(db, application)
    )


def _standing(
    db: Session, application: Application, actor: Actor, answer: Answer
) -> Reversal | None:
    """Return the wish to be answered; None where this operator has just answered it so."""
    wish = reversals.open_of(db, application.id)
    if wish is not None:
        rules.permit_answer(wish.asked_by, actor.user_id)
        return wish
    last = next(reversed(reversals.of_application(db, application.id)), None)
    if last is None:
        raise NotReversible
    if last.answered_by == actor.user_id and last.answer is answer:
        return None
    raise _beaten(db, last.answered_by, last.answered_at)


def _answer(db: Session, wish: Reversal, actor: Actor, answer: Answer, now: datetime) -> None:
    wish.answer, wish.answered_by, wish.answered_at = answer, actor.user_id, now
    db.add(wish)


def _beaten(db: Session, user_id: int | None, at: datetime | None) -> ChangedMeanwhile:
    return ChangedMeanwhile(by=desks.names_of(db, [user_id]).get(user_id or 0), at=at)
