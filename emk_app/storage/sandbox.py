"""The child process that reads a stranger's file: bytes in by stdin, bytes out by stdout.

What comes back is numbers of fixed width and two blobs of stated length, so that the parent has
nothing to parse even if the child has been taken over.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from struct import Struct
from typing import Final

from emk_app.domain.documents import (
    ScanActiveContent,
    ScanEncrypted,
    ScanTooManyPages,
    ScanTooManyPixels,
)
from emk_app.storage import confinement

PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from emk_app.storage.sandbox import main; main(sys.argv[2:])"
)
"""For ``python -I -c``: the path to our own package comes last, so that it can hide nothing."""

_HEAD: Final = Struct(">4sBIIIQfII")
_MAGIC: Final = b"EMK1"
HEAD_LENGTH: Final = _HEAD.size
_FREE: Final = 64 * 1024


class Task(StrEnum):
    """What the child is asked to do."""

    INSPECT_JPEG = "inspect-jpeg"
    INSPECT_PDF = "inspect-pdf"
    INSPECT_PNG = "inspect-png"
    RENDER_JPEG = "render-jpeg"
    RENDER_PDF = "render-pdf"


class Outcome(IntEnum):
    """How it went; what is not DONE carries no blobs."""

    DONE = 0
    NOT_READABLE = 1
    ENCRYPTED = 2
    ACTIVE_CONTENT = 3
    TOO_MANY_PAGES = 4
    TOO_MANY_PIXELS = 5
    NO_SUCH_PAGE = 6


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child found; believed only as far as ``unpack`` and the parent have checked."""

    outcome: Outcome
    pages: int = 0
    width: int = 0
    height: int = 0
    pixels: int = 0
    saturation: float = 0.0
    content: bytes = b""
    preview: bytes = b""

    def pack(self) -> bytes:
        """Return the answer's bytes."""
        head = _HEAD.pack(
            _MAGIC,
            self.outcome,
            self.pages,
            self.width,
            self.height,
            self.pixels,
            self.saturation,
            len(self.content),
            len(self.preview),
        )
        return head + self.content + self.preview

    @classmethod
    def unpack(cls, raw: bytes) -> Answer:
        """Return the answer; raise ``ValueError`` unless it is whole and nothing follows it."""
        if len(raw) < HEAD_LENGTH:
            raise ValueError("cut")
        magic, outcome, pages, width, height, pixels, saturation, content, preview = _HEAD.unpack(
            raw[:HEAD_LENGTH]
        )
        if magic != _MAGIC or len(raw) != HEAD_LENGTH + content + preview:
            raise ValueError("not an answer")
        body = raw[HEAD_LENGTH:]
        return cls(
            Outcome(outcome),
            pages,
            width,
            height,
            pixels,
            saturation,
            body[:content],
            body[content:],
        )


def main(arguments: list[str]) -> None:
    """Do one task and exit: ``[task, page from 1, longest side]``."""
    confinement.limit()
    task, page, longest = Task(arguments[0]), int(arguments[1]), int(arguments[2])
    _warm_up(task)
    confinement.seal_off()
    answer = _answer(task, _read(0), page, longest).pack()
    _write(1, answer)
    # Not sys.exit: there is nothing to tidy up, and no reason to run the libraries' own ends.
    os._exit(0)


def _answer(task: Task, content: bytes, page: int, longest: int) -> Answer:
    try:
        match task:
            case Task.INSPECT_JPEG:
                return _inspect_picture(content, is_png=False)
            case Task.INSPECT_PNG:
                return _inspect_picture(content, is_png=True)
            case Task.INSPECT_PDF:
                return _inspect_pdf(content)
            case Task.RENDER_JPEG:
                return _render_jpeg(content, page, longest)
            case Task.RENDER_PDF:
                return _render_pdf(content, page, longest)
    except ScanEncrypted:
        return Answer(Outcome.ENCRYPTED)
    except ScanActiveContent:
        return Answer(Outcome.ACTIVE_CONTENT)
    except ScanTooManyPages as error:
        return Answer(Outcome.TOO_MANY_PAGES, pages=min(error.pages, 0xFFFFFFFF))
    except ScanTooManyPixels as error:
        return Answer(Outcome.TOO_MANY_PIXELS, pixels=min(error.pixels, 0xFFFFFFFFFFFFFFFF))
    except Exception:
        # The parsers answer broken input with errors of every kind; each means the same.
        return Answer(Outcome.NOT_READABLE)


def _warm_up(task: Task) -> None:
    from emk_app.storage import pictures

    pictures.warm_up()
    if task in (Task.INSPECT_PDF, Task.RENDER_PDF):
        from emk_app.storage import pdfs

        pdfs.warm_up()


def _inspect_picture(content: bytes, *, is_png: bool) -> Answer:
    from emk_app.storage import pictures

    picture = (pictures.decode_png if is_png else pictures.decode)(content)
    preview = pictures.scaled(picture, pictures.PREVIEW_SIDE)
    if pictures.is_blank(preview):
        return Answer(Outcome.NOT_READABLE)
    return Answer(
        Outcome.DONE,
        pages=1,
        width=picture.width,
        height=picture.height,
        saturation=pictures.saturation(picture),
        content=pictures.encode(picture),
        preview=pictures.encode(preview, pictures.PREVIEW_QUALITY),
    )


def _inspect_pdf(content: bytes) -> Answer:
    from emk_app.storage import pdfs, pictures

    cleaned, pages = pdfs.rebuild(content)
    width, height = pdfs.size_in_pixels(cleaned)
    preview = pdfs.draw(cleaned, 0, pictures.PREVIEW_SIDE)
    if pictures.is_blank(preview):
        # A picture or a font that does not open leaves the page empty without an error.
        return Answer(Outcome.NOT_READABLE)
    return Answer(
        Outcome.DONE,
        pages=pages,
        width=width,
        height=height,
        saturation=pictures.saturation(preview),
        content=cleaned,
        preview=pictures.encode(preview, pictures.PREVIEW_QUALITY),
    )


def _render_jpeg(content: bytes, page: int, longest: int) -> Answer:
    from emk_app.storage import pictures

    if page != 1:
        return Answer(Outcome.NO_SUCH_PAGE)
    picture = pictures.scaled(pictures.decode(content), longest)
    return Answer(Outcome.DONE, preview=pictures.encode(picture))


def _render_pdf(content: bytes, page: int, longest: int) -> Answer:
    from emk_app.storage import pdfs, pictures

    try:
        picture = pdfs.draw(content, page - 1, longest)
    except IndexError:
        return Answer(Outcome.NO_SUCH_PAGE)
    return Answer(Outcome.DONE, preview=pictures.encode(picture))


def _read(descriptor: int) -> bytes:
    pieces: list[bytes] = []
    while piece := os.read(descriptor, _FREE):
        pieces.append(piece)
    return b"".join(pieces)


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
