"""Which passwords are guessed first: common words in every disguise, walks on the keyboard.

A password is common if all of it is made of such parts and at most two different common words.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

LATIN_KEYS: Final = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
RUSSIAN_KEYS: Final = "ёйцукенгшщзхъфывапролджэячсмитьбю"
TO_LATIN: Final = str.maketrans(RUSSIAN_KEYS, LATIN_KEYS)
TO_RUSSIAN: Final = str.maketrans(LATIN_KEYS, RUSSIAN_KEYS)
DISGUISES: Final = str.maketrans("@4031!5$7", "aaoeiisst")
"""Signs that stand for letters: p@ssw0rd."""
WALKS: Final = (
    *("1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "йцукенгшщзхъ", "фывапролджэ"),
    *("ячсмитьбю.", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "qazwsxedcrfvtgbyhnujmik,ol.p;/"),
    *("1q2w3e4r5t6y7u8i9o0p", "й1ц2у3к4е5н6г7ш8щ9з0", "1й2ц3у4к5е6н7г8ш9щ0з"),
    *("abcdefghijklmnopqrstuvwxyz", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
)
SHORTEST_WALK: Final = 3
MOST_WORDS: Final = 2
"""So many different common words are still guessed at once."""
FREE: Final = re.compile(r"[\d\W_]")
"""Figures and signs add little: they are what is put behind a word."""
LONGEST_WORD: Final = 24


@cache
def words() -> frozenset[str]:
    """Return the common words, in small letters."""
    text = (files("emk_app.domain") / "refdata" / "common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.split("\n") if line and not line.startswith("#"))


def is_common(password: str) -> bool:
    """Whether an attacker tries this among the first, in either layout of the keyboard."""
    folded = password.casefold()
    if len(set(folded)) < 4 or _repeats(folded):
        return True
    forms = {folded, folded.translate(TO_LATIN), folded.translate(TO_RUSSIAN)}
    return any(_is_made_of_common(form) for form in forms)


def _repeats(text: str) -> bool:
    """Whether it is one short part said again and again."""
    return any(
        text[:size] * (len(text) // size) == text
        for size in range(1, min(6, len(text) // 2) + 1)
        if len(text) % size == 0
    )


def _is_made_of_common(text: str) -> bool:
    """Whether the whole text falls into common parts; each place keeps its fewest words."""
    ways: list[frozenset[str] | None] = [None] * (len(text) + 1)
    ways[0] = frozenset()
    for at in range(len(text)):
        said = ways[at]
        if said is None:
            continue
        for end, word in _steps(text, at):
            new = said | {word} if word else said
            known = ways[end]
            if len(new) <= MOST_WORDS and (known is None or len(new) < len(known)):
                ways[end] = new
    return ways[-1] is not None


def _steps(text: str, at: int) -> list[tuple[int, str]]:
    """Return where the parts that begin here end, with the word where it is one."""
    steps: list[tuple[int, str]] = []
    if FREE.fullmatch(text[at]):
        steps.append((at + 1, ""))
    for end in range(at + 2, min(len(text), at + LONGEST_WORD) + 1):
        part = text[at:end]
        plain = part.translate(DISGUISES)
        if part in words() or plain in words():
            steps.append((end, plain))
        elif len(part) >= SHORTEST_WALK and _is_walk(part):
            steps.append((end, ""))
    run = len(text[at:]) - len(text[at:].lstrip(text[at]))
    if run >= SHORTEST_WALK:
        steps.append((at + run, ""))
    return steps


def _is_walk(part: str) -> bool:
    return any(part in walk or part[::-1] in walk for walk in WALKS)
