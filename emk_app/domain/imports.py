"""How a register comes in by the administrator's page: looked through first, then put in."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import Conflict, DomainError, TransitionNotAllowed

SIZE_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a file; the whole federal register takes about half of it."""
WAITS: Final = timedelta(days=1)
"""How long a file that was looked through waits for a word: the register goes on without it."""
REPORT_KEPT: Final = timedelta(days=30)


class ImportState(StrEnum):
    """Where an import is."""

    CHECKING = "checking"
    CHECKED = "checked"
    APPLYING = "applying"
    DONE = "done"
    REFUSED = "refused"
    """The file is no register at all."""
    DROPPED = "dropped"
    """Given up by a person, or forgotten; what was put in already stays."""


OPEN: Final = frozenset({ImportState.CHECKING, ImportState.CHECKED, ImportState.APPLYING})

STEPS: Final = frozenset(
    {
        (ImportState.CHECKING, ImportState.CHECKED),
        (ImportState.CHECKING, ImportState.REFUSED),
        (ImportState.CHECKED, ImportState.APPLYING),
        (ImportState.APPLYING, ImportState.DONE),
        *((state, ImportState.DROPPED) for state in OPEN),
    }
)


class ImportUnderWay(Conflict):
    """Another file is being looked through or put in: one at a time."""


class FileEmpty(DomainError):
    """Not a single byte."""


class ReportGone(DomainError):
    """The report was kept for its term, and is no more."""


def check_step(current: ImportState, target: ImportState) -> None:
    """Raise ``TransitionNotAllowed`` for a step that is not in the table."""
    if (current, target) not in STEPS:
        raise TransitionNotAllowed(current, target)
