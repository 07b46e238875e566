from __future__ import annotations

import pytest

from emk_app.domain.documents import (
    LIMITS,
    ForeignType,
    MediaType,
    ScanEmpty,
    ScanKind,
    ScanKindNotAllowed,
    ScanLooksGray,
    ScanNotReadable,
    ScanTooLarge,
    ScanTooManyPages,
    ScanTooManyPixels,
    ScanTooSmall,
    check_pages,
    check_pixels,
    check_size,
    media_type,
    warnings,
)
from emk_app.domain.errors import InvalidValue

MIB = 1_048_576


@pytest.mark.parametrize("kind", ScanKind)
def test_scan_is_limited_by_its_kind_and_the_limit_itself_is_allowed(kind: ScanKind) -> None:
    limit = 2 * MIB if kind in (ScanKind.PASSPORT, ScanKind.POLICY) else 5 * MIB
    check_size(kind, limit)
    with pytest.raises(ScanTooLarge) as refusal:
        check_size(kind, limit + 1)
    assert (refusal.value.size, refusal.value.limit) == (limit + 1, limit)


def test_every_kind_has_a_limit() -> None:
    assert set(LIMITS) == set(ScanKind)


def test_empty_scan_is_refused() -> None:
    with pytest.raises(ScanEmpty):
        check_size(ScanKind.PASSPORT, 0)
    with pytest.raises(ScanEmpty):
        media_type(b"")


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\x89PNG\r\n\x1a\n", ForeignType.PNG),
        (b"\0\0\0\x18ftypheic", ForeignType.HEIC),
        (b"\0\0\0\x18ftypmif1", ForeignType.HEIC),
        (b"RIFF\0\0\0\0WEBPVP8 ", ForeignType.WEBP),
        (b"GIF89a", ForeignType.GIF),
        (b"II*\0", ForeignType.TIFF),
        (b"MM\0*", ForeignType.TIFF),
        (b"BM6\0", ForeignType.BMP),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", ForeignType.OFFICE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ForeignType.OFFICE),
        (b"PK\x03\x04" + b"\0" * 26 + b"passport.jpg", ForeignType.ARCHIVE),
        (b"Rar!\x1a\x07", ForeignType.ARCHIVE),
        (b"<html>", ForeignType.UNKNOWN),
        (b"\xff\xd8", ForeignType.UNKNOWN),
        (b"%PDF", ForeignType.UNKNOWN),
    ],
)
def test_another_type_is_refused_by_name(head: bytes, found: ForeignType) -> None:
    with pytest.raises(ScanKindNotAllowed) as refusal:
        media_type(head)
    assert refusal.value.found is found


@pytest.mark.parametrize("prefix", [b" ", b"\n", b"\xef\xbb\xbf", b"GIF89a", b"PK\x03\x04"])
@pytest.mark.parametrize("head", [b"%PDF-1.7", b"\xff\xd8\xff\xe0"])
def test_type_is_looked_for_at_the_very_beginning_only(prefix: bytes, head: bytes) -> None:
    with pytest.raises(ScanKindNotAllowed):
        media_type(prefix + head)


def test_pdf_and_jpeg_are_known_by_their_first_bytes() -> None:
    assert media_type(b"%PDF-1.7\n") is MediaType.PDF
    assert media_type(b"\xff\xd8\xff\xe0\0\x10JFIF") is MediaType.JPEG


def test_pages_and_pixels_are_limited() -> None:
    check_pages(20)
    check_pixels(5000, 5000)
    with pytest.raises(ScanTooManyPages):
        check_pages(21)
    with pytest.raises(ScanTooManyPixels):
        check_pixels(5000, 5001)
    for nothing in (lambda: check_pages(0), lambda: check_pixels(0, 5)):
        with pytest.raises(ScanNotReadable):
            nothing()


def test_small_and_gray_scan_is_warned_about_and_no_more() -> None:
    small, gray = warnings(999, 700, 5.0)
    assert isinstance(small, ScanTooSmall)
    assert isinstance(gray, ScanLooksGray)
    assert (small.width, small.height, small.needed) == (999, 700, 1000)
    assert isinstance(gray, InvalidValue)


def test_large_coloured_scan_gives_no_warning() -> None:
    assert warnings(700, 1000, 5.1) == ()
