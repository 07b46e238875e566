"""Where somebody is registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain.errors import InvalidValue
from emk_app.domain.values import Personal, Problems, read_digits, read_words

SHORTEST_ADDRESS: Final = 5
LONGEST_ADDRESS: Final = 300
POST_REGIONS: Final = range(101, 695)
"""First three digits of the postal indexes in use."""


class NoSuchPostalIndex(InvalidValue):
    """Six digits that begin no region's postal indexes."""


@dataclass(frozen=True, slots=True, repr=False)
class PostalAddress(Personal):
    """A postal index and the address after it, on one line."""

    index: str
    text: str

    @classmethod
    def parse(cls, *, index: str, text: str) -> PostalAddress:
        """Read the two fields; raise ``Invalid`` with ``index`` and ``text``."""
        problems = Problems()
        address = cls(
            problems.take("index", parse_postal_index, index),
            problems.take("text", parse_address_text, text),
        )
        problems.raise_any()
        return cls(address.index, address.text.removeprefix(address.index).lstrip(" ,"))

    def __str__(self) -> str:
        return f"{self.index}, {self.text}"

    @property
    def masked(self) -> str:
        """The region's part of the index."""
        return f"{self.index[:3]}***"


def parse_postal_index(text: str) -> str:
    """Read six digits whose first three are in use; raise ``NoSuchPostalIndex`` for others."""
    index = read_digits(text, 6)
    if int(index[:3]) not in POST_REGIONS:
        raise NoSuchPostalIndex
    return index


def parse_address_text(text: str) -> str:
    """Read 5 to 300 characters of letters, digits and the punctuation of addresses."""
    return read_words(text, SHORTEST_ADDRESS, LONGEST_ADDRESS)
