"""The child process that reads the text of a stranger's scans, one page after another.

Confined like ``sandbox``, but kept: loading the models takes longer than reading a page. Questions
come by stdin, answers go by stdout, both with a head of fixed width; of an answer the parent takes
rows of printable ASCII and nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from emk_app.domain import mrz, policies
from emk_app.storage import confinement

if TYPE_CHECKING:
    from PIL import Image

PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from emk_app.storage.reader import main; main(sys.argv[2:])"
)
"""For ``python -I -c``: the path to our own package comes last, so that it can hide nothing."""
WITH_PICTURES: Final = "pictures"
"""The argument that makes the child load the models: it then reads pictures too."""

MEMORY: Final = 2 * 1024 * 1024 * 1024
"""Bytes of address space; of these about 700 MB are used."""
CPU_SECONDS: Final = 900
"""In its whole life; a page has a limit of its own, set by the parent."""
NICENESS: Final = 10
"""Screens come first."""

QUESTION: Final = Struct(">BBBI")
"""What is wanted, of what, page from 1, length of the content that follows."""
ANSWER: Final = Struct(">4sBBHI")
"""Mark, outcome, source, pages, length of the rows that follow."""
MARK: Final = b"EMKR"
MAX_TEXT: Final = 64 * 1024

_FREE: Final = 64 * 1024
_LONGEST_DETECTED: Final = 1280
"""Pixels of the longer side of the picture in which lines are sought; they are then read in the
picture as it came, because that costs by the line."""
_LONGEST_DRAWN: Final = 2400
"""Pixels of the longer side of a drawn page: A4 at 200 dots an inch."""
_FIRST_LINES: Final = 6
_MOST_LINES: Final = 40
_SAME_ROW: Final = 0.6
"""Of the height of a line: pieces nearer than this stand on one row."""


class Want(IntEnum):
    """What the rows are read for: the reader stops turning the page when it has found that."""

    ZONE = 0
    POLICY = 1


_SLIMMEST: Final = {Want.ZONE: 6.0, Want.POLICY: 2.5}
"""Width of a line by its height from which it is worth reading."""


class Medium(IntEnum):
    """What the content is."""

    JPEG = 0
    PDF = 1


class Source(IntEnum):
    """Where the rows come from."""

    PICTURE = 0
    TEXT = 1
    """The text layer of a PDF."""


class Outcome(IntEnum):
    """How it went; what is not DONE carries no rows."""

    READY = 0
    """Said once, at the start."""
    DONE = 1
    NOT_READABLE = 2
    NO_SUCH_PAGE = 3
    NO_PICTURES = 4
    """The page is a picture, and the models are not loaded."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was read of a page."""

    outcome: Outcome
    source: Source = Source.PICTURE
    pages: int = 0
    rows: tuple[str, ...] = ()

    def pack(self) -> bytes:
        """Return the answer's bytes; what is not printable ASCII becomes blanks."""
        text = "\n".join(_printable(row) for row in self.rows)[:MAX_TEXT].encode("ascii")
        pages = min(self.pages, 0xFFFF)
        return ANSWER.pack(MARK, self.outcome, self.source, pages, len(text)) + text


def main(arguments: list[str]) -> None:
    """Load, lock oneself in, then answer questions until there are no more."""
    confinement.limit(MEMORY, CPU_SECONDS)
    os.nice(NICENESS)
    eyes = _Eyes() if WITH_PICTURES in arguments else None
    _warm_up(eyes)
    confinement.seal_off()
    _write(1, Page(Outcome.READY).pack())
    while head := _read(0, QUESTION.size):
        want, medium, page, length = QUESTION.unpack(head)
        content = _read(0, length)
        answer = _answer(eyes, Want(want), Medium(medium), page, content)
        _write(1, answer.pack())
    os._exit(0)


def _warm_up(eyes: _Eyes | None) -> None:
    from PIL import Image, ImageDraw

    from emk_app.storage import pdfs, pictures

    pictures.warm_up()
    pdfs.warm_up()
    if eyes is not None:
        sample = Image.new("RGB", (736, 736), "white")
        ImageDraw.Draw(sample).text((20, 80), "WARM<<UP<1234567890", fill="black", font_size=40)
        pictures.decode(pictures.encode(sample))
        for want in Want:
            for _ in eyes.read(sample, want):
                pass
    mrz.find(())


def _answer(eyes: _Eyes | None, want: Want, medium: Medium, page: int, content: bytes) -> Page:
    from emk_app.storage import pdfs, pictures

    try:
        if medium is Medium.JPEG:
            if page != 1:
                return Page(Outcome.NO_SUCH_PAGE, pages=1)
            if eyes is None:
                return Page(Outcome.NO_PICTURES, pages=1)
            return Page(Outcome.DONE, pages=1, rows=_seen(eyes, pictures.decode(content), want))
        pages, rows = pdfs.text(content, page - 1)
        if is_found(want, rows):
            return Page(Outcome.DONE, Source.TEXT, pages, rows)
        if eyes is None:
            return Page(Outcome.NO_PICTURES, pages=pages)
        drawn = pdfs.draw(content, page - 1, _LONGEST_DRAWN)
        return Page(Outcome.DONE, pages=pages, rows=_seen(eyes, drawn, want))
    except IndexError:
        return Page(Outcome.NO_SUCH_PAGE)
    except Exception:
        # The parsers answer broken input with errors of every kind; each means the same.
        return Page(Outcome.NOT_READABLE)


def _seen(eyes: _Eyes, picture: Image.Image, want: Want) -> tuple[str, ...]:
    """Return the rows that tell what is wanted, or the last that were read."""
    rows: tuple[str, ...] = ()
    for rows in eyes.read(picture, want):
        if is_found(want, rows):
            break
    return rows


def is_found(want: Want, rows: tuple[str, ...]) -> bool:
    """Whether the rows tell what is wanted."""
    return bool(mrz.find(rows) if want is Want.ZONE else policies.found_in(rows))


class _Eyes:
    """The models: one finds lines of text in a picture, the other reads a line."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR  # pyright: ignore[reportMissingImports]

        engine = "EngineConfig.onnxruntime."
        self._model: Any = RapidOCR(
            params={
                f"{engine}intra_op_num_threads": 1,
                f"{engine}inter_op_num_threads": 1,
                "Global.log_level": "critical",
            }
        )

    def read(self, picture: Image.Image, want: Want) -> Iterator[tuple[str, ...]]:
        """Yield the rows of the page, then what they are upside down; few first, then all.

        Lines are cut out along their own direction, so a page that lies on its side is read too:
        then one of the two is right.
        """
        from rapidocr.utils.process_img import (  # pyright: ignore[reportMissingImports]
            get_rotate_crop_image,
        )

        from emk_app.storage import pictures

        small = pictures.scaled(picture.convert("RGB"), _LONGEST_DETECTED)
        found = self._model(small, use_det=True, use_cls=False, use_rec=False)
        if found is None or found.boxes is None:
            return
        factor = max(picture.size) / max(small.size)
        whole = self._model.load_img(picture.convert("RGB"))
        lines: list[tuple[float, Any, Any]] = []
        for box in found.boxes:
            corners = (box * factor).astype(box.dtype)
            cut = get_rotate_crop_image(whole, corners)
            height, width = cut.shape[:2]
            if height and width / height >= _SLIMMEST[want]:
                lines.append((width / height, corners, cut))
        lines.sort(key=lambda line: line[0], reverse=True)
        known: dict[tuple[int, bool], str] = {}
        # The two lines of a zone are the slimmest on the page: mostly the first look is enough.
        for count in sorted({min(_FIRST_LINES, len(lines)), min(_MOST_LINES, len(lines))}):
            for is_turned in (False, True):
                for at, (_, _, cut) in enumerate(lines[:count]):
                    if (at, is_turned) not in known:
                        shown = cut[::-1, ::-1] if is_turned else cut
                        known[at, is_turned] = self._line(shown)
                read = [
                    (corners, known[at, is_turned])
                    for at, (_, corners, _) in enumerate(lines[:count])
                ]
                yield tuple(_rows(read, is_turned))

    def _line(self, cut: Any) -> str:
        read = self._model(cut, use_det=False, use_cls=False, use_rec=True)
        return "".join(read.txts or ()) if read is not None else ""


def _rows(read: list[tuple[Any, str]], is_turned: bool) -> list[str]:
    """Join the pieces that stand on one row, in the direction of the text."""
    pieces: list[tuple[float, float, float, str]] = []
    for corners, text in read:
        along = corners[1] - corners[0]
        down = corners[3] - corners[0]
        if (along**2).sum() < (down**2).sum():
            # ``get_rotate_crop_image`` turns upright lines against the clock: what was down is
            # now along.
            along, down = down, -along
        length = float((along**2).sum()) ** 0.5 or 1.0
        height = float((down**2).sum()) ** 0.5
        centre = corners.mean(axis=0)
        across = float(centre[0] * -along[1] + centre[1] * along[0]) / length
        pieces.append((across, float(centre @ along) / length, height, text))
    pieces.sort(reverse=is_turned)
    rows: list[list[tuple[float, float, float, str]]] = []
    for piece in pieces:
        if rows and abs(rows[-1][-1][0] - piece[0]) < _SAME_ROW * max(piece[2], rows[-1][-1][2]):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [
        "".join(text for _, _, _, text in sorted(row, key=lambda it: it[1], reverse=is_turned))
        for row in rows
    ]


def _printable(row: str) -> str:
    return "".join(
        sign if sign.isascii() and sign.isprintable() else _FILLERS.get(sign, " ") for sign in row
    )


_FILLERS: Final = {"«": "<<", "\u2039": "<", "\uff1c": "<"}
"""What a reader makes of the zone's filler."""


def _read(descriptor: int, length: int) -> bytes:
    """Return ``length`` bytes, or nothing when there will be no more; half a question ends us."""
    pieces: list[bytes] = []
    left = length
    while left:
        piece = os.read(descriptor, min(left, _FREE))
        if not piece:
            if pieces:
                sys.exit(1)
            return b""
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
