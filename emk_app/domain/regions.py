"""The 89 regions, by the number that stands in codes of organisations and books."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

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


def zone_of(code: str) -> ZoneInfo:
    """Return the clock of a region; where it keeps several, that of its capital."""
    return _ZONES.get(code, _MOSCOW)


_MOSCOW: Final = ZoneInfo("Europe/Moscow")
_ZONES: Final = {
    code: ZoneInfo(name)
    for name, codes in {
        "Europe/Kaliningrad": "39",
        "Europe/Samara": "18 63",
        "Europe/Astrakhan": "30",
        "Europe/Saratov": "64",
        "Europe/Ulyanovsk": "73",
        "Asia/Yekaterinburg": "02 45 56 59 66 72 74 86 89",
        "Asia/Omsk": "55",
        "Asia/Barnaul": "04 22",
        "Asia/Novosibirsk": "54",
        "Asia/Tomsk": "70",
        "Asia/Novokuznetsk": "42",
        "Asia/Krasnoyarsk": "17 19 24",
        "Asia/Irkutsk": "03 38",
        "Asia/Chita": "75",
        "Asia/Yakutsk": "14 28",
        "Asia/Vladivostok": "25 27 79",
        "Asia/Sakhalin": "65",
        "Asia/Magadan": "49",
        "Asia/Kamchatka": "41",
        "Asia/Anadyr": "87",
    }.items()
    for code in codes.split()
}
