"""Undoing a decision on papers: one operator asks, another one confirms or declines."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from emk_app.domain.actors import Role
from emk_app.domain.applications import FINAL, ApplicationStatus, PapersTrack
from emk_app.domain.errors import Conflict, NotPermitted, Required, TransitionNotAllowed
from emk_app.domain.values import one_line

REASON_LIMIT: Final = 500


class Answer(StrEnum):
    """What the second operator says."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"


class SameEyes(NotPermitted):
    """Whoever asks to undo a decision does not answer it."""


class NotReversible(Conflict):
    """The decision stands for good: the book is formed, or the application has ended otherwise."""


class Replaced(Conflict):
    """The holder has begun anew since: the refused application would come back as a second one."""


REVERSIBLE: Final = frozenset(
    {
        (ApplicationStatus.UNDER_REVIEW, PapersTrack.APPROVED),
        (ApplicationStatus.REJECTED, PapersTrack.REJECTED),
    }
)
"""Where a decision can be undone; a refusal by the medical commission is not an operator's."""

_ENDED_FOR_NOTHING: Final = FINAL - {ApplicationStatus.APPROVED}


def is_reversible(status: ApplicationStatus, papers: PapersTrack) -> bool:
    """Whether there is a decision that can still be undone."""
    return (status, papers) in REVERSIBLE


def permit_reversal(
    status: ApplicationStatus, papers: PapersTrack, later: Collection[ApplicationStatus]
) -> None:
    """Refuse what cannot be undone; ``later`` are the statuses of what the holder began since.

    Raises ``NotReversible`` or ``Replaced``.
    """
    if not is_reversible(status, papers):
        raise NotReversible
    if status is ApplicationStatus.REJECTED and any(
        each not in _ENDED_FOR_NOTHING for each in later
    ):
        raise Replaced


def reverse(
    status: ApplicationStatus, papers: PapersTrack, role: Role, *, asked_by: int, confirmed_by: int
) -> tuple[ApplicationStatus, PapersTrack]:
    """Return where the application stands once the second operator agrees: in the queue again.

    Raises ``TransitionNotAllowed``, ``NotPermitted`` and ``SameEyes``.
    """
    if not is_reversible(status, papers):
        raise TransitionNotAllowed(papers, PapersTrack.WAITING)
    if role is not Role.OPERATOR:
        raise NotPermitted(f"{role} may not undo a decision")
    permit_answer(asked_by, confirmed_by)
    return ApplicationStatus.UNDER_REVIEW, PapersTrack.WAITING


def permit_answer(asked_by: int, answered_by: int) -> None:
    """Raise ``SameEyes`` unless these are two people."""
    if asked_by == answered_by:
        raise SameEyes("who asked does not answer")


def reason(text: str) -> str:
    """Return the reason on one line; raise ``Required`` and as ``one_line``."""
    if not (line := one_line(text, REASON_LIMIT)):
        raise Required
    return line
