"""Answers that support gives often: prepared once, read and changed before each is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from emk_app.domain.amending import filled, places_of
from emk_app.domain.errors import Conflict, InvalidValue
from emk_app.domain.news import read_text
from emk_app.domain.values import Problems, read_words

TITLE_LIMIT: Final = 80
TEXT_LIMIT: Final = 2000
ANSWERS_LIMIT: Final = 60
"""As many can be chosen from at a time."""


class Place(StrEnum):
    """A place in the words of an answer, as it is typed between braces."""

    TICKET = "обращение"
    APPLICATION = "заявка"
    STATUS = "статус"


class TitleTaken(InvalidValue):
    """Another answer that is offered is called so."""


class SameTitleOffered(Conflict):
    """An answer can't be offered again: another one has its title now."""


class TooManyAnswers(Conflict):
    """There are ``limit`` already: one has to be retired first."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit}")
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form of an answer."""

    title: str = ""
    text: str = ""


def read_answer(typed: Typed, taken: Collection[str]) -> Typed:
    """Return title and text; ``taken`` are the titles of the others that are offered.

    Raises ``Invalid`` by the names of ``Typed``.
    """
    problems = Problems()
    title = problems.take("title", read_words, typed.title, 3, TITLE_LIMIT)
    text = problems.take("text", read_text, typed.text, TEXT_LIMIT)
    if "title" not in problems.fields and is_taken(title, taken):
        problems.fields["title"] = TitleTaken()
    if "text" not in problems.fields:
        problems.take("text", places_of, text, tuple(Place))
    problems.raise_any()
    return Typed(title, text)


def is_taken(title: str, taken: Collection[str]) -> bool:
    """Whether one of the titles is the same to a reader."""
    return title.casefold() in {each.casefold() for each in taken}


def fits(text: str, facts: Mapping[Place, str]) -> bool:
    """Whether every place of the words has a fact; one about no application fits no such words."""
    return all(facts.get(Place(name)) for name in places_of(text, tuple(Place)))


def filled_in(text: str, facts: Mapping[Place, str]) -> str:
    """Return the words with the facts in their places."""
    return filled(text, {place.value: fact for place, fact in facts.items()})
