"""Reads the QR codes in a stranger's picture, in a confined child; nothing of it is kept."""

from __future__ import annotations

import warnings
from io import BytesIO
from threading import BoundedSemaphore
from typing import Final

from emk_app.domain.documents import MAX_PIXELS
from emk_app.storage import children, confinement
from emk_app.storage.errors import ScanCheckUnavailable

PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); from emk_app.storage.codes import main; main()"
)
PICTURE_LIMIT: Final = 5 * 1024 * 1024
"""Bytes."""
KINDS: Final = ("JPEG", "PNG", "WEBP", "GIF")
WALL_SECONDS: Final = 6.0
CHILDREN: Final = 2
"""At once in this process."""
WAIT_SECONDS: Final = 10.0
MOST_CODES: Final = 8
LONGEST_SIDE: Final = 3000
"""Pixels; a larger photograph is made smaller before it is searched."""

_MAX_ANSWER: Final = 16 * 1024
_turns = BoundedSemaphore(CHILDREN)


class PictureNotReadable(ValueError):
    """Not a picture of a kind that is read, a broken one, or one of too many pixels."""


def read_codes(picture: bytes) -> tuple[str, ...]:
    """Return what the QR codes in the picture say, none for a picture without any.

    Raises ``PictureNotReadable``, and ``ScanCheckUnavailable`` if no child was free in time.
    """
    if not 0 < len(picture) <= PICTURE_LIMIT:
        raise PictureNotReadable("size")
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise ScanCheckUnavailable
    try:
        answer = children.ask(PROGRAM, picture, longest=_MAX_ANSWER, wall_seconds=WALL_SECONDS)
    except children.ChildFailed:
        raise PictureNotReadable("the child failed") from None
    finally:
        _turns.release()
    if not answer.startswith(b"+"):
        raise PictureNotReadable("broken")
    said = answer[1:].decode("utf-8", "replace")
    return tuple(text for text in said.split("\0") if text)


def main() -> None:
    """Lock oneself in and answer; for the child."""
    confinement.limit()
    from PIL import Image

    Image.preinit()
    # What is imported on first use can't be once the process is sealed off.
    for kind in KINDS:
        sample = BytesIO()
        Image.new("RGB", (32, 32), "white").save(sample, kind)
        _texts(sample.getvalue())
    confinement.seal_off()
    content = children.read_question()
    try:
        texts = _texts(content)
    except BaseException:
        # The decoders answer broken input with errors of every kind; each means the same.
        children.say_and_end(b"-")
        return
    children.say_and_end(b"+" + "\0".join(texts).encode("utf-8", "replace")[: _MAX_ANSWER - 1])


def _texts(content: bytes) -> list[str]:
    import zxingcpp
    from PIL import Image, ImageOps

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    picture = Image.open(BytesIO(content), formats=KINDS)
    if picture.width * picture.height > MAX_PIXELS:
        raise PictureNotReadable("pixels")
    picture.draft("L", (LONGEST_SIDE, LONGEST_SIDE))
    upright = picture.convert("RGBA") if picture.mode in ("P", "LA", "PA") else picture
    if upright.mode == "RGBA":
        # What is seen through is white, as on the screens such pictures are taken from.
        plate = Image.new("RGBA", upright.size, "white")
        plate.alpha_composite(upright)
        upright = plate
    gray = upright.convert("L")
    gray.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    for shown in (gray, ImageOps.autocontrast(gray, cutoff=2)):
        found = zxingcpp.read_barcodes(shown, formats=zxingcpp.barcode_formats_from_str("QRCode"))
        texts = [code.text[:2000].replace("\0", "") for code in found[:MOST_CODES] if code.valid]
        if texts:
            return texts
    return []
