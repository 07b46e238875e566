"""The operators' queue: its parts."""

from __future__ import annotations

from enum import StrEnum


class QueuePart(StrEnum):
    """What of the queue is shown."""

    ALL = "all"
    """Papers that wait for a decision, taken or not."""
    FREE = "free"
    MINE = "mine"
    OVERDUE = "overdue"
    """Of all, those whose term for the papers has passed."""
    ASKED = "asked"
    """Those with the holder: the clock stands still."""
    REVERSALS = "reversals"
    """Decisions that a colleague asks to undo."""
