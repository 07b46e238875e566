"""Reference tables of the rules, as JSON; each module of the domain loads its own once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any


def load(name: str) -> Any:
    """Return the contents of ``name``.json."""
    return json.loads(files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which something is in force, both inclusive; ``last`` is ``None`` for no end."""

    first: date
    last: date | None

    def holds(self, on: date) -> bool:
        """Whether ``on`` is one of the days."""
        return self.first <= on and (self.last is None or on <= self.last)

    def nearest(self, on: date) -> date:
        """Return the day of the span that is nearest to ``on``."""
        return max(self.first, on if self.last is None else min(on, self.last))


def span(row: Mapping[str, Any], within: Span | None = None) -> Span:
    """Return the days of a table's row; where it names none, those of the table it stands in."""
    first, last = row.get("valid_from"), row.get("valid_to")
    if within is None:
        return Span(date.fromisoformat(row["valid_from"]), last and date.fromisoformat(last))
    return Span(
        date.fromisoformat(first) if first else within.first,
        date.fromisoformat(last) if last else within.last,
    )
