"""QR pictures: black on a white plate of their own, quiet zone of four modules included."""

from __future__ import annotations

import io
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import Any, Final, Literal

import zxingcpp
from PIL import Image
from qrcode.constants import (  # pyright: ignore[reportMissingTypeStubs]
    ERROR_CORRECT_H,
    ERROR_CORRECT_L,
    ERROR_CORRECT_M,
    ERROR_CORRECT_Q,
)
from qrcode.main import QRCode  # pyright: ignore[reportMissingTypeStubs]

ErrorCorrection = Literal["L", "M", "Q", "H"]

QUIET_ZONE: Final = 4
MAX_PIXELS: Final = 25_000_000
_LEVELS: Final[dict[ErrorCorrection, int]] = {
    "L": ERROR_CORRECT_L,
    "M": ERROR_CORRECT_M,
    "Q": ERROR_CORRECT_Q,
    "H": ERROR_CORRECT_H,
}
# A picture costs 15 ms and never changes.
_KEPT: Final = 256


def share_url(origin: str, share: str, token: str | None = None) -> str:
    """Return the address of a share; the token goes into the fragment, which no server sees."""
    address = f"{origin}/v/{share}"
    return address if token is None else f"{address}#{token}"


@lru_cache(maxsize=_KEPT)
def qr_svg(text: str, error: ErrorCorrection = "M", title: str = "QR-код") -> str:
    """Return an SVG that scales to its container; one path, a stroke for each run of modules."""
    return _drawn(_matrix(text, error), title)


def paper_svg(text: str, title: str = "QR-код") -> str:
    """Return the same for paper, which gets dirty: level Q, made anew in a millisecond."""
    library: Any = zxingcpp
    code = library.create_barcode(text, library.BarcodeFormat.QRCode, ec_level="Q")
    picture = memoryview(code.to_image(scale=1, add_quiet_zones=True))
    size, light = len(picture), bytes(picture)
    rows = [[not each for each in light[at : at + size]] for at in range(0, size * size, size)]
    return _drawn(rows, title)


@lru_cache(maxsize=_KEPT)
def qr_png(text: str, box: int = 8, error: ErrorCorrection = "M") -> bytes:
    """Return a PNG of two colours, ``box`` pixels to a module."""
    matrix = _matrix(text, error)
    size = len(matrix)
    rows = (bytes(0 if is_dark else 255 for is_dark in row for _ in range(box)) for row in matrix)
    pixels = b"".join(row * box for row in rows)
    picture = Image.frombytes("L", (size * box, size * box), pixels).convert("1")
    png = io.BytesIO()
    picture.save(png, "PNG", optimize=True)
    return png.getvalue()


def read_codes(picture: bytes) -> tuple[str, ...]:
    """Return the texts of the codes in a picture file (PNG, JPEG, WebP), none where there is none.

    For files of one's own: whoever takes pictures from strangers reads them in a confined process.
    Raises ``ValueError`` for what is no picture or has more than ``MAX_PIXELS``.
    """
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG", "JPEG", "WEBP")) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise ValueError("too many pixels")
            found = zxingcpp.read_barcodes(opened.convert("L"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("not a picture") from error
    is_qr = zxingcpp.BarcodeFormat.QRCode
    return tuple(code.text for code in found if code.format == is_qr)


def _drawn(matrix: list[list[bool]], title: str) -> str:
    size = len(matrix)
    path: list[str] = []
    for y, row in enumerate(matrix):
        x = pen = 0
        for is_dark, modules in groupby(row):
            width = len(list(modules))
            if is_dark:
                path.append(f"m{x - pen} 0h{width}" if pen else f"M{x} {y}h{width}")
                pen = x + width
            x += width
    name = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" '
        f'aria-label="{name}" shape-rendering="crispEdges"><title>{name}</title>'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
        f'<path stroke="#000" transform="translate(0 .5)" d="{"".join(path)}"/></svg>'
    )


def _matrix(text: str, error: ErrorCorrection) -> list[list[bool]]:
    # qrcode splits the text into byte and alphanumeric segments by itself.
    code = QRCode(error_correction=_LEVELS[error], border=QUIET_ZONE)
    code.add_data(text)  # pyright: ignore[reportUnknownMemberType]
    code.make(fit=True)
    return code.get_matrix()
