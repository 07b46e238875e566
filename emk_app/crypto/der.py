"""A strict walk over DER, before and beside the general parsers: one way to write each thing.

General parsers read more than DER (lengths left open, spare bytes, whatever follows the end), and
what two of them read differently can be used to deceive. Here such bytes are refused unread.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30
SET: Final = 0x31

MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 20_000

_CONSTRUCTED: Final = 0x20
_ARMOUR: Final = re.compile(
    rb"-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----\s*"
)


class NotDer(ValueError):
    """The bytes are not DER, or too deep or too many to be anything of use."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, its content and the whole of its bytes."""

    tag: int
    content: bytes
    whole: bytes

    def children(self) -> tuple[Element, ...]:
        """Return the elements that the content consists of."""
        return elements(self.content)


def element(raw: bytes, tag: int | None = None) -> Element:
    """Return the one element that ``raw`` consists of, of that tag if one is given."""
    found = elements(raw)
    if len(found) != 1 or tag not in (None, found[0].tag):
        raise NotDer("not the one element expected")
    return found[0]


def elements(raw: bytes) -> tuple[Element, ...]:
    """Return the elements that stand in ``raw`` one after another, nothing between and after."""
    found: list[Element] = []
    start = 0
    while start < len(raw):
        tag, content, end = _head(raw, start, len(raw))
        found.append(Element(tag, raw[content:end], raw[start:end]))
        if len(found) > MAX_ELEMENTS:
            raise NotDer("too many elements")
        start = end
    return tuple(found)


def require_der(raw: bytes) -> None:
    """Raise ``NotDer`` unless ``raw`` is one element, well-formed all the way down."""
    if not raw:
        raise NotDer("empty")
    # (position, end) of what is still to be walked; an explicit list, for depth is the sender's.
    open_ranges = [(0, len(raw))]
    walked = 0
    while open_ranges:
        start, end = open_ranges.pop()
        tag, content, after = _head(raw, start, end)
        walked += 1
        if walked > MAX_ELEMENTS or len(open_ranges) > MAX_DEPTH:
            raise NotDer("too many elements or too deep")
        if not open_ranges and walked == 1 and after != end:
            raise NotDer("bytes after the end")
        if after < end:
            open_ranges.append((after, end))
        if tag & _CONSTRUCTED and content < after:
            open_ranges.append((content, after))


def write(tag: int, *parts: bytes) -> bytes:
    """Return the element of that tag whose content is ``parts``, one after another."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def dotted(content: bytes) -> str:
    """Return the object identifier with that content as numbers and dots."""
    if not content or content[-1] & 0x80 or len(content) > 64:
        raise NotDer("not an object identifier")
    numbers: list[int] = []
    value = 0
    for byte in content:
        if byte == 0x80 and value == 0:
            raise NotDer("an object identifier with spare zeros")
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def unarmoured(raw: bytes, labels: Sequence[str]) -> bytes:
    """Return the DER of a file that holds it as it is, as bare base64 or as one PEM block.

    Raises ``NotDer`` for PEM of another label, for a second block, and for text around the block.
    """
    if raw[:1] == bytes((SEQUENCE,)):
        return raw
    text = raw.removeprefix(b"\xef\xbb\xbf").strip()
    if found := _ARMOUR.fullmatch(text):
        if found[1].decode() not in labels:
            raise NotDer(f"PEM of another kind: {found[1].decode()}")
        text = found[2]
    try:
        der = base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise NotDer("neither DER nor base64") from None
    if der[:1] != bytes((SEQUENCE,)):
        raise NotDer("not a sequence")
    return der


def _head(raw: bytes, start: int, end: int) -> tuple[int, int, int]:
    """Return tag, start of the content and end of the element that starts at ``start``."""
    if start + 2 > end:
        raise NotDer("cut")
    tag, length = raw[start], raw[start + 1]
    content = start + 2
    if tag & 0x1F == 0x1F or tag == 0:
        raise NotDer("a tag that nothing here has")
    if length >= 0x80:
        size = length - 0x80
        if not 1 <= size <= 4 or content + size > end:
            raise NotDer("a length left open, too long or cut")
        length = int.from_bytes(raw[content : content + size], "big")
        if length < 0x80 or length.bit_length() <= 8 * (size - 1):
            raise NotDer("a length written too long")
        content += size
    if content + length > end:
        raise NotDer("cut")
    return tag, content, content + length
