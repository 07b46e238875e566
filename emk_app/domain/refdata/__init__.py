"""Reference tables of the rules, as JSON; each module of the domain loads its own once."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def load(name: str) -> Any:
    """Return the contents of ``name``.json."""
    return json.loads(files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
