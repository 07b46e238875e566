"""Scans of papers: which there are, how large, and what their bytes must be."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from emk_app.domain.errors import InvalidValue

MIB: Final = 1024 * 1024
MAX_PAGES: Final = 20
MAX_PIXELS: Final = 25_000_000
LEGIBLE_SIDE: Final = 1000
"""Pixels of the longer side: a passport's spread at 150 dots an inch."""
COLOUR_SATURATION: Final = 5.0
"""Mean saturation in percent above which a picture counts as coloured."""


class ScanKind(StrEnum):
    """What paper a scan shows."""

    PASSPORT = "passport"
    POLICY = "policy"
    SNILS = "snils"
    CONSENT = "consent"
    WORK_CERTIFICATE = "work_certificate"
    DIPLOMA = "diploma"
    STATUS_CERTIFICATE = "status_certificate"
    POWER_OF_ATTORNEY = "power_of_attorney"
    REPRESENTED_STATUS = "represented_status"
    """A birth certificate, an act of guardianship, what else shows whose affairs these are."""
    EXAM_CERTIFICATE = "exam_certificate"
    CLARIFICATION = "clarification"


LIMITS: Final[Mapping[ScanKind, int]] = MappingProxyType(
    dict.fromkeys(ScanKind, 5 * MIB) | {ScanKind.PASSPORT: 2 * MIB, ScanKind.POLICY: 2 * MIB}
)
"""Bytes, inclusive: the guide's 2 МБ for the form's two scans, 5 МБ for every other paper."""


class MediaType(StrEnum):
    """What a scan may be."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"


class ForeignType(StrEnum):
    """What people send instead, so that they can be told how to turn it into a PDF or JPEG."""

    PNG = "png"
    HEIC = "heic"
    WEBP = "webp"
    GIF = "gif"
    TIFF = "tiff"
    BMP = "bmp"
    OFFICE = "office"
    ARCHIVE = "archive"
    UNKNOWN = "unknown"


class ScanEmpty(InvalidValue):
    """No bytes at all."""


class ScanTooLarge(InvalidValue):
    """More bytes than ``limit``."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes, limit {limit}")
        self.size = size
        self.limit = limit


class ScanKindNotAllowed(InvalidValue):
    """Neither PDF nor JPEG by its first bytes."""

    def __init__(self, found: ForeignType) -> None:
        super().__init__(f"{found} is neither PDF nor JPEG")
        self.found = found


class ScanNotReadable(InvalidValue):
    """It begins well, but does not open as what it claims to be."""


class ScanEncrypted(InvalidValue):
    """A PDF that asks for a password."""


class ScanActiveContent(InvalidValue):
    """A PDF with scripts, launches or attachments."""


class ScanTooManyPages(InvalidValue):
    """More pages than ``limit``."""

    def __init__(self, pages: int, limit: int) -> None:
        super().__init__(f"{pages} pages, limit {limit}")
        self.pages = pages
        self.limit = limit


class ScanTooManyPixels(InvalidValue):
    """A picture of more pixels than ``limit``."""

    def __init__(self, pixels: int, limit: int) -> None:
        super().__init__(f"{pixels} pixels, limit {limit}")
        self.pixels = pixels
        self.limit = limit


class ScanWarning(InvalidValue):
    """Something to tell about a scan that is accepted all the same; never raised."""


class ScanLooksGray(ScanWarning):
    """The guide asks for a coloured scan; mean ``saturation`` is in percent."""

    def __init__(self, saturation: float) -> None:
        super().__init__(f"saturation {saturation:.1f} %")
        self.saturation = saturation


class ScanTooSmall(ScanWarning):
    """Small letters may be illegible: the longer side has fewer than ``needed`` pixels."""

    def __init__(self, width: int, height: int, needed: int) -> None:
        super().__init__(f"{width}x{height}, {needed} needed")
        self.width = width
        self.height = height
        self.needed = needed


def check_size(kind: ScanKind, size: int) -> None:
    """Raise ``ScanEmpty`` or ``ScanTooLarge`` unless ``size`` bytes are within the limit."""
    if size <= 0:
        raise ScanEmpty
    if size > LIMITS[kind]:
        raise ScanTooLarge(size, LIMITS[kind])


def check_pages(pages: int) -> None:
    """Raise ``ScanNotReadable`` for no pages, ``ScanTooManyPages`` above the limit."""
    if pages <= 0:
        raise ScanNotReadable
    if pages > MAX_PAGES:
        raise ScanTooManyPages(pages, MAX_PAGES)


def check_pixels(width: int, height: int) -> None:
    """Raise ``ScanNotReadable`` for no pixels, ``ScanTooManyPixels`` above the limit."""
    if width <= 0 or height <= 0:
        raise ScanNotReadable
    if width * height > MAX_PIXELS:
        raise ScanTooManyPixels(width * height, MAX_PIXELS)


def warnings(width: int, height: int, saturation: float) -> tuple[ScanWarning, ...]:
    """Return what to tell about an accepted scan; ``saturation`` is its mean in percent."""
    found: list[ScanWarning] = []
    if max(width, height) < LEGIBLE_SIDE:
        found.append(ScanTooSmall(width, height, LEGIBLE_SIDE))
    if saturation <= COLOUR_SATURATION:
        found.append(ScanLooksGray(saturation))
    return tuple(found)


_ALLOWED: Final = {b"%PDF-": MediaType.PDF, b"\xff\xd8\xff": MediaType.JPEG}
_FOREIGN: Final = (
    (0, b"\x89PNG\r\n\x1a\n", ForeignType.PNG),
    *((4, b"ftyp" + brand, ForeignType.HEIC) for brand in (b"hei", b"hev", b"mif1", b"msf1")),
    (8, b"WEBP", ForeignType.WEBP),
    (0, b"GIF8", ForeignType.GIF),
    (0, b"II*\0", ForeignType.TIFF),
    (0, b"MM\0*", ForeignType.TIFF),
    (0, b"BM", ForeignType.BMP),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ForeignType.OFFICE),
    (30, b"[Content_Types].xml", ForeignType.OFFICE),
    (30, b"mimetypeapplication/vnd.oasis", ForeignType.OFFICE),
    (0, b"PK\x03\x04", ForeignType.ARCHIVE),
    (0, b"Rar!", ForeignType.ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", ForeignType.ARCHIVE),
)


def media_type(head: bytes) -> MediaType:
    """Return what the first bytes (64 are enough) say, at offset 0 and whatever the file's name.

    Raises ``ScanEmpty`` or ``ScanKindNotAllowed``.
    """
    if not head:
        raise ScanEmpty
    for magic, allowed in _ALLOWED.items():
        if head.startswith(magic):
            return allowed
    for offset, magic, foreign in _FOREIGN:
        if head.startswith(magic, offset):
            raise ScanKindNotAllowed(foreign)
    raise ScanKindNotAllowed(ForeignType.UNKNOWN)
