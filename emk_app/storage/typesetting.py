"""Words set on paper: a sheet of ours and what it is to say, as a tagged PDF/A-2b.

What is said goes in as data and is never read as markup. The compiler is kept: the first sheet
takes some ten times as long as the next.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

_SHEETS: Final = Path(__file__).parent / "sheets"
_PAGES: Final = re.compile(rb"/Type/Pages/Count (\d{1,4})")
_turns: Final = {"extract": threading.Lock(), "staff": threading.Lock()}
"""A long list keeps no extract waiting."""


def extract(said: Mapping[str, Any], at: datetime) -> tuple[bytes, int]:
    """Return the extract and how many pages it has; the same words at ``at`` give the same bytes.

    Not for the event loop.
    """
    made = _set("extract", said, at)
    counted = _PAGES.search(made)
    assert counted is not None
    return made, int(counted[1])


def staff_list(said: Mapping[str, Any], at: datetime) -> bytes:
    """Return an employer's list. Not for the event loop."""
    return _set("staff", said, at)


def _set(sheet: str, said: Mapping[str, Any], at: datetime) -> bytes:
    # A compiler keeps what it was given last, so two threads may not share it at one time.
    with _turns[sheet]:
        made = _compiler(sheet).compile(
            format="pdf",
            sys_inputs={"said": json.dumps(said, ensure_ascii=False)},
            pdf_standards=["a-2b"],
            timestamp=at.astimezone(UTC).replace(microsecond=0),
        )
    assert isinstance(made, bytes)
    return made


@cache
def _compiler(sheet: str) -> typst.Compiler:
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[_SHEETS]
    )
    return typst.Compiler(
        _SHEETS / f"{sheet}.typ", root=_SHEETS, font_paths=fonts, sys_inputs={"said": "{}"}
    )
