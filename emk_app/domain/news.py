"""What the service says of itself: news, and the hours in which it is worked on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from emk_app.domain.errors import Conflict, InvalidValue, NotAChoice, Required, TooLong
from emk_app.domain.values import RAW_LIMIT, Problems, one_line

TITLE_LIMIT: Final = 160
TEXT_LIMIT: Final = 8000
SLUG_LIMIT: Final = 60
WINDOW_LIMIT: Final = 600
TOLD_BEFORE: Final = timedelta(days=3)
"""How long before work on the service every screen tells of it: a weekend is looked over."""
_MOMENT: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}),? +(\d{1,2})[:.](\d{2})")
_LATIN: Final = (
    dict(zip("абвгдезийклмнопрстуфцыэ", "abvgdeziyklmnoprstufcye", strict=True))
    | {"ё": "e", "ж": "zh", "х": "kh", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya"}
    | dict.fromkeys("ъь", "")
)


class NotAMoment(InvalidValue):
    """Not a day and an hour such as 05.12.2026 18:00."""


class MomentPassed(InvalidValue):
    """The moment should lie ahead and does not."""


class NotAfterStart(InvalidValue):
    """The end of a stretch of time does not lie after its beginning."""


class EditedMeanwhile(Conflict):
    """Somebody else has changed the item since it was opened."""


class Release(StrEnum):
    """What is to become of an item that is saved."""

    DRAFT = "draft"
    NOW = "now"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Typed:
    """An item as typed."""

    title: str
    text: str
    release: str
    at: str


@dataclass(frozen=True, slots=True)
class Item:
    """What an item says, and from when; None while it is a draft."""

    title: str
    text: str
    published_at: datetime | None


def read_item(typed: Typed, *, published_at: datetime | None, now: datetime, zone: tzinfo) -> Item:
    """Return the item that was typed; raise ``Invalid`` by the names of ``Typed``.

    What has been out keeps its moment when it is published again.
    """
    problems = Problems()
    title = problems.take("title", _required, typed.title)
    text = problems.take("text", read_text, typed.text, TEXT_LIMIT)
    release = problems.take("release", _release, typed.release)
    at = published_at
    match release:
        case Release.DRAFT:
            at = None
        case Release.NOW if at is None or at > now:
            at = now
        case Release.LATER:
            at = problems.take("at", read_future, typed.at, now, zone)
        case _:
            pass
    problems.raise_any()
    return Item(title, text, at)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours in which the service is worked on."""

    starts_at: datetime
    ends_at: datetime
    text: str


def read_window(starts: str, ends: str, about: str, *, now: datetime, zone: tzinfo) -> Window:
    """Return the hours that were typed; raise ``Invalid`` by ``starts``, ``ends`` and ``about``.

    They may have begun already, but not ended.
    """
    problems = Problems()
    starts_at = problems.take("starts", read_moment, starts, zone)
    ends_at = problems.take("ends", read_future, ends, now, zone)
    if not problems.fields and ends_at <= starts_at:
        problems.fields["ends"] = NotAfterStart()
    said = problems.take("about", read_text, about, WINDOW_LIMIT)
    problems.raise_any()
    return Window(starts_at, ends_at, said)


def read_text(text: str, limit: int) -> str:
    """Return several lines without invisible marks; paragraphs stand apart by one empty line.

    Raises ``Required``, ``TooLong`` or ``UnexpectedCharacter``.
    """
    if len(text) > 2 * limit:
        raise TooLong(limit)
    lines = [
        _long_line(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    clean = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    if not clean:
        raise Required
    if len(clean) > limit:
        raise TooLong(limit)
    return clean


def read_moment(text: str, zone: tzinfo) -> datetime:
    """Return an aware moment of «05.12.2026 18:00»; raise ``Required`` or ``NotAMoment``."""
    line = one_line(text, 40)
    if not line:
        raise Required
    found = _MOMENT.fullmatch(line)
    if found is None:
        raise NotAMoment
    day, month, year, hour, minute = map(int, found.groups())
    if not 2000 <= year < 2100:
        raise NotAMoment
    try:
        return datetime(year, month, day, hour, minute, tzinfo=zone)
    except ValueError:
        raise NotAMoment from None


def read_future(text: str, now: datetime, zone: tzinfo) -> datetime:
    """Return a moment that lies ahead; raise what ``read_moment`` does, or ``MomentPassed``."""
    at = read_moment(text, zone)
    if at <= now:
        raise MomentPassed
    return at


def slug_of(title: str) -> str:
    """Return the name of an item in its address: Latin letters, digits and hyphens."""
    latin = "".join(_LATIN.get(each, each) for each in title.lower())
    words = re.sub(r"[^a-z0-9]+", "-", latin).strip("-")
    return words[:SLUG_LIMIT].strip("-") or "novost"


def _long_line(line: str) -> str:
    """Read a line word by word: a paragraph may be longer than a line of a form."""
    return " ".join(read for word in line.split() if (read := one_line(word, RAW_LIMIT)))


def _required(text: str) -> str:
    if not (line := one_line(text, TITLE_LIMIT)):
        raise Required
    return line


def _release(text: str) -> Release:
    try:
        return Release(text)
    except ValueError:
        raise NotAChoice from None
