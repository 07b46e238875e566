"""Recovery codes: what they look like, and how a person may write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

COUNT: Final = 10
LENGTH: Final = 10
"""Signs of five bits each: 50 bits (D15)."""
SIGNS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Nothing that is taken for something else: no I, O, 0, 1."""
LOOKALIKES: Final = str.maketrans("АВЕКМНРСТУХ", "ABEKMHPCTYX")
"""Russian letters that look the same, typed because the keyboard was not switched."""


def make(choose: Callable[[str], str]) -> list[str]:
    """Return a new set, as it is shown; ``choose`` picks one sign at random."""
    return [shown("".join(choose(SIGNS) for _ in range(LENGTH))) for _ in range(COUNT)]


def shown(code: str) -> str:
    """Return the code in two groups, as it stands on paper."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def normal(text: str) -> str:
    """Return the code without spaces and dashes, in capitals."""
    kept = "".join(sign for sign in text if sign.isalnum())
    return kept.upper().translate(LOOKALIKES)


def looks_like(text: str) -> bool:
    """Whether this may be a recovery code, and is surely no code of an application."""
    code = normal(text)
    return len(code) == LENGTH and all(sign in SIGNS for sign in code)
