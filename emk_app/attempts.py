"""Tries to get round what guards the service: noted in the log by kind, place and source.

The source is a pseudonym that stays the same, so that the tries of one can be put together; a flood
costs a line a minute (D44). Refusals of rights stand in the audit, which names who tried.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from typing import Final

from emk_app import figures
from emk_app.crypto import tokens
from emk_app.keys import keystore

log = logging.getLogger("emk.attempts")

PAUSE: Final = 60.0
"""Seconds between two lines about the same kind of try from the same source."""
LINES_A_PAUSE: Final = 100
"""Lines in that time about all sources: who has many addresses fills no log either."""


class _Lines:
    def __init__(self) -> None:
        self._said: OrderedDict[tuple[str, str], float] = OrderedDict()

    def take(self, kind: str, source: str, at: float) -> bool:
        """Return whether a line may be written at the monotonic moment ``at``."""
        while self._said and next(iter(self._said.values())) <= at - PAUSE:
            self._said.popitem(last=False)
        if (kind, source) in self._said or len(self._said) >= LINES_A_PAUSE:
            return False
        self._said[kind, source] = at
        return True

    def forget(self) -> None:
        self._said.clear()


lines: Final = _Lines()


def note(kind: str, source: str, place: str = "") -> None:
    """Count a try, and log it unless this source has just been named for the same.

    ``place`` is one of our own names: nothing that was sent is quoted.
    """
    figures.ATTEMPTS.labels(kind).inc()
    if lines.take(kind, source, time.monotonic()):
        known = tokens.keyed_digest(keystore().session_key, source, "log-source")[:8]
        log.warning("attempt %s by %s%s", kind, known, f" at {place}" if place else "")
