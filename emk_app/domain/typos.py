"""Mistyped words: which words of a register may have been meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rapidfuzz.distance import OSA

KEY_LETTERS: Final = 5
SHORTEST: Final = 4
"""Letters of the shortest word that is taken for a mistake; numbers never are."""
MEANT_AT_MOST: Final = 3


def keys_of(word: str) -> frozenset[str]:
    """Return the keys of a word of the register, or of one that is being typed.

    Two words that differ in one letter (another, missing, needless, or two in the wrong order)
    within the first five share a key, and so do those that differ further on.
    """
    heads = {word[:KEY_LETTERS], word[: KEY_LETTERS + 1]}
    return frozenset(
        head[:at] + head[at + 1 :] for head in heads for at in range(len(head))
    ) | frozenset({word[:KEY_LETTERS]})


def is_mistakable(word: str) -> bool:
    """Whether the word is long enough, and no number."""
    return len(word) >= SHORTEST and word.isalpha()


def nearest(typed: str, words: Iterable[str]) -> list[str]:
    """Return the words whose beginning is nearest to what was typed, at most three.

    One mistake is forgiven in a word of four to six letters, two in a longer one.
    """
    allowed = 1 if len(typed) < 7 else 2
    measured: list[tuple[int, int, str]] = []
    for word in words:
        # The word may be unfinished, and a letter too few or too many shifts its end.
        lengths = {min(len(word), len(typed) + shift) for shift in (-1, 0, 1)}
        distance = min(
            OSA.distance(typed, word[:length], score_cutoff=allowed) for length in lengths
        )
        if distance <= allowed:
            measured.append((distance, abs(len(word) - len(typed)), word))
    measured.sort()
    return [word for _, _, word in measured[:MEANT_AT_MOST]]
