"""Reads ``docs/access.md``: who may do what, as data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from emk_app.domain.actors import Role

TABLE = Path(__file__).resolve().parents[1] / "docs" / "access.md"
EVERYBODY = frozenset(Role) - {Role.SYSTEM}


class Whose(StrEnum):
    """Of what a role may do it."""

    OWN = "own"
    ALL = "all"
    NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """One action."""

    action: str
    is_open: bool
    roles: dict[Role, Whose]
    is_fresh: bool
    calls: tuple[str, ...]
    """``GET /path``, or ``module.State.handler``."""


def rows() -> Iterator[Row]:
    """Yield the rows of all tables; fail at one that can't be understood."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("| ") or line.startswith("| action "):
            continue
        action, who, fresh, calls = (cell.strip() for cell in line.strip("|").split(" | "))
        assert fresh in ("yes", "–"), line
        assert re.fullmatch(r"(`[^`]+` ?)+", calls), line
        roles: dict[Role, Whose] = {}
        for said in who.split(", "):
            name, whose = said.rsplit(" ", 1)
            for role in EVERYBODY if name in ("anyone", "signed in") else {Role(name)}:
                assert role not in roles, line
                roles[role] = Whose(whose)
        named = re.findall(r"`([^`]+)`", calls)
        yield Row(
            action,
            who.startswith("anyone "),
            roles,
            fresh == "yes",
            tuple(call for each in named for call in _spread(each)),
        )


def _spread(named: str) -> list[str]:
    """Return the handlers that ``module.State.{one,another}`` names."""
    braces = None if "/" in named else re.fullmatch(r"([\w.]+\.)\{([\w,]+)\}", named)
    return [braces[1] + each for each in braces[2].split(",")] if braces else [named]


def by_call() -> dict[str, Row]:
    """Return the row of each call; fail where one stands twice."""
    found: dict[str, Row] = {}
    for row in rows():
        for call in row.calls:
            assert call not in found, f"{call} stands twice"
            found[call] = row
    return found
