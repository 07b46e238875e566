"""Where the marks of a chart stand: per cent across, pixels down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_TOP: Final = 20
_FLOOR: Final = 172
_GAP: Final = 0.8
"""Per cent on either side of a column."""
_LINE: Final = 50
_LABEL_LIMIT: Final = 42
"""Signs of a name that go beside the per cent on a narrow telephone."""


@dataclass(frozen=True)
class ColumnMark:
    """One column with its number over it and its label below."""

    key: str
    label: str
    number: str
    x: str
    middle: str
    width: str
    y: str
    height: str
    number_y: str


@dataclass(frozen=True)
class PartMark:
    """One part of a bar."""

    tone: str
    x: str
    width: str


@dataclass(frozen=True)
class ShareMark:
    """One bar of parts that together are all."""

    key: str
    label: str
    share: str
    label_y: str
    bar_y: str
    parts: list[PartMark]


def columns(told: Sequence[tuple[str, int]]) -> list[ColumnMark]:
    """Return columns side by side, the greatest as high as there is room."""
    most = max((number for _, number in told), default=0) or 1
    step = 100 / max(len(told), 1)
    marks: list[ColumnMark] = []
    for at, (label, number) in enumerate(told):
        # What is not nothing is seen, however little it is beside the greatest.
        height = max(round((_FLOOR - _TOP) * number / most), 2 if number else 0)
        top = _FLOOR - height
        marks.append(
            ColumnMark(
                key=str(at),
                label=label,
                number=str(number) if number else "",
                x=_share(at * step + _GAP),
                middle=_share((at + 0.5) * step),
                width=_share(step - 2 * _GAP),
                y=str(top),
                height=str(height),
                number_y=str(top - 5),
            )
        )
    return marks


def shares(told: Mapping[str, tuple[str, Mapping[str, int]]]) -> tuple[str, list[ShareMark]]:
    """Return the height of a chart and its bars: by name, what is written and parts by tone."""
    marks: list[ShareMark] = []
    for at, (name, (share, parts)) in enumerate(told.items()):
        whole, drawn, done = sum(parts.values()) or 1, list[PartMark](), 0
        for tone, number in parts.items():
            if number:
                drawn.append(
                    PartMark(tone, _share(100 * done / whole), _share(100 * number / whole))
                )
            done += number
        short = name if len(name) <= _LABEL_LIMIT else f"{name[: _LABEL_LIMIT - 1].rstrip()}…"
        marks.append(
            ShareMark(str(at), short, share, str(at * _LINE + 16), str(at * _LINE + 24), drawn)
        )
    return str(len(marks) * _LINE), marks


def _share(number: float) -> str:
    return f"{number:.2f}%"
