"""How a message leaves the service."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way out."""

    channel: str
    recipient: str
    text: str
    dedupe: str
    """The receiving side may see a letter twice; this tells it so."""


class Transport(Protocol):
    """Something that takes letters; raises where it could not."""

    def send(self, letter: Letter, at: datetime) -> None:
        """Hand the letter over; return only when the other side has it."""
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
