"""What compressed pictures carry besides pixels, cut out without touching the pixels."""

from __future__ import annotations

import struct
from typing import Final

_MARKER: Final = 0xFF
_SOI: Final = 0xD8
_EOI: Final = 0xD9
_SOS: Final = 0xDA
_TEM: Final = 0x01
_RESTARTS: Final = range(0xD0, 0xD8)
_APP0: Final = 0xE0
_APP14: Final = 0xEE
_APPS: Final = range(0xE0, 0xF0)
_COMMENT: Final = 0xFE
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Frame headers of every process of coding; the three left out bring tables."""
_JFIF_LENGTH: Final = 16
"""Of an APP0 segment without a thumbnail."""

_JP2_HEAD: Final = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_CODE_STREAM: Final = b"\xff\x4f\xff\x51"
"""Start of code stream, then the segment with the size."""
_JP2_CARRIERS: Final = frozenset((b"xml ", b"uuid", b"uinf", b"asoc", b"jp2i", b"free", b"skip"))


def bare_jpeg(content: bytes) -> bytes:
    """Return a JPEG without EXIF, profile, comments, thumbnails and bytes after its end.

    What decoding needs stays: the JFIF mark and Adobe's APP14, which names the colour transform.
    Raises ``ValueError`` unless the segments follow ITU-T T.81, annex B.
    """
    if content[:2] != bytes((_MARKER, _SOI)):
        raise ValueError("no start of image")
    kept = [content[:2]]
    at = 2
    while True:
        start = at
        if at >= len(content) or content[at] != _MARKER:
            raise ValueError("a marker is missing")
        while at < len(content) and content[at] == _MARKER:
            at += 1
        if at >= len(content):
            raise ValueError("cut")
        code = content[at]
        at += 1
        if code == _EOI:
            return b"".join((*kept, bytes((_MARKER, _EOI))))
        if code == _TEM or code in _RESTARTS:
            kept.append(content[start:at])
            continue
        length = int.from_bytes(content[at : at + 2], "big")
        if code in (0, _SOI) or length < 2 or at + length > len(content):
            raise ValueError("a segment is broken")
        body = content[at : at + length]
        at += length
        if _is_needed(code, body):
            kept.append(bytes((_MARKER, code)) + body)
        if code == _SOS:
            end = _end_of_scan(content, at)
            kept.append(content[at:end])
            at = end


def bare_jpeg2000(content: bytes) -> bytes:
    """Return a JPEG 2000 file without its boxes of XML, UUID (EXIF, XMP, place) and the like.

    Raises ``ValueError`` unless the boxes follow ISO/IEC 15444-1, annex I. A naked code stream has
    no boxes and is returned as it is.
    """
    if not content.startswith(_JP2_HEAD):
        return content
    kept: list[bytes] = []
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        kind = content[at + 4 : at + 8]
        head = 8
        if length == 1:
            length = int.from_bytes(content[at + 8 : at + 16], "big")
            head = 16
        elif length == 0:
            length = len(content) - at
        if length < head or at + length > len(content):
            raise ValueError("a box is broken")
        if kind not in _JP2_CARRIERS:
            kept.append(content[at : at + length])
        at += length
    return b"".join(kept)


def jpeg_size(content: bytes) -> tuple[int, int]:
    """Return the width and height that a JPEG's frame header claims.

    Raises ``ValueError`` unless there is one among the segments before the coded pixels.
    """
    at = 2
    while content[at : at + 1] == b"\xff" and at + 9 <= len(content):
        code = content[at + 1]
        if code == _MARKER:
            at += 1
            continue
        if code in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    raise ValueError("no frame header")


def jpeg2000_size(content: bytes) -> tuple[int, int]:
    """Return the width and height that the code stream of a JPEG 2000 file claims.

    Raises ``ValueError`` if there is no code stream.
    """
    at = content.index(_CODE_STREAM) + len(_CODE_STREAM) + 4
    right, bottom, left, top = struct.unpack(">IIII", content[at : at + 16].ljust(16, b"\0"))
    return max(0, right - left), max(0, bottom - top)


def _is_needed(code: int, body: bytes) -> bool:
    if code == _COMMENT:
        return False
    if code == _APP0:
        return body[2:7] == b"JFIF\0" and len(body) == _JFIF_LENGTH
    if code == _APP14:
        return body[2:7] == b"Adobe"
    return code not in _APPS


def _end_of_scan(content: bytes, at: int) -> int:
    """Return where the marker after the coded pixels stands (or the end of a cut file)."""
    while True:
        at = content.find(_MARKER, at)
        if at < 0 or at + 1 >= len(content):
            return len(content)
        following = content[at + 1]
        if following != 0 and following != _MARKER and following not in _RESTARTS:
            return at
        at += 1 if following == _MARKER else 2
