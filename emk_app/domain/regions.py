"""The 89 regions, by the number that stands in codes of organisations and books."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Final

from emk_app.domain import refdata
from emk_app.domain.errors import NotAChoice


def _load() -> dict[str, str]:
    text = files(refdata).joinpath("regions.csv").read_text(encoding="utf-8")
    return {row["code"]: row["name"] for row in csv.DictReader(text.splitlines())}


REGIONS: Final = _load()
"""Names by two-digit code, in the order of the codes."""


def region_name(code: str) -> str:
    """Return the region's name; raise ``NotAChoice`` for a code nobody has."""
    if code not in REGIONS:
        raise NotAChoice
    return REGIONS[code]
