"""How a message leaves the service."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way out."""

    channel: str
    recipient: str = field(repr=False)
    text: str = field(repr=False)
    dedupe: str
    """The receiving side may see a letter twice; this tells it so."""
    subject: str = ""
    is_optional: bool = False
    """Whether the recipient can switch this kind off."""


class NotSent(Exception):
    """The other side has not taken a letter; ``reason`` is a word of ours, never its answer."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        """How long the other side asks to wait, if it said so."""


class Refused(NotSent):
    """This letter will never be taken: there is no such number, or the address is wrong."""


class Postponed(NotSent):
    """This letter is not taken now; the others may be."""


class Unavailable(NotSent):
    """Nothing is taken now: the other side is out of reach, busy, or does not know us."""


class Transport(Protocol):
    """Something that takes letters."""

    def send(self, letter: Letter, at: datetime) -> None:
        """Hand the letter over; return only when the other side has it, else raise ``NotSent``."""
        ...


class JsonLines:
    """Writes letters to a file, a line each: the demo's gateway."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, letter: Letter, at: datetime) -> None:
        """Append the letter; the line is on the disk when this returns."""
        line = json.dumps(
            {
                "at": at.isoformat(),
                "channel": letter.channel,
                "to": letter.recipient,
                "text": letter.text,
                "dedupe": letter.dedupe,
            },
            ensure_ascii=False,
        )
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
