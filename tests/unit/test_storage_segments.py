from __future__ import annotations

import struct
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emk_app.storage.segments import bare_jpeg, bare_jpeg2000, jpeg2000_size, jpeg_size
from tests.files.good import jpeg, paper
from tests.files.hostile import MARK, segment, with_segments

GOOD = jpeg(paper(160, 120))


def pixels(packed: bytes) -> bytes:
    return Image.open(BytesIO(packed)).tobytes()


def jpeg2000() -> bytes:
    file = BytesIO()
    paper(160, 120).save(file, "JPEG2000")
    return file.getvalue()


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8junk",
        b"\xff\xd8\xff\xe0\x00",
        b"\xff\xd8\xff\xe0\x00\x01",
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\xd8\xff\xd8",
        GOOD[:-2],
        GOOD[: len(GOOD) // 2],
    ],
)
def test_broken_jpeg_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError):
        bare_jpeg(broken)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_shortened(noise: bytes) -> None:
    for content in (noise, b"\xff\xd8\xff" + noise, GOOD[:600] + noise):
        with suppress(ValueError):
            assert len(bare_jpeg(content)) <= len(content)
        with suppress(ValueError):
            jpeg_size(content)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_any_changed_byte_is_survived(place: int, value: int) -> None:
    changed = GOOD[:place] + bytes((value,)) + GOOD[place + 1 :]
    with suppress(ValueError):
        assert len(bare_jpeg(changed)) <= len(changed)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_pixels_stay_as_they_were(options: dict[str, object]) -> None:
    packed = jpeg(comment=MARK, icc_profile=MARK, **options)
    bare = bare_jpeg(packed)
    assert MARK not in bare
    assert pixels(bare) == pixels(packed)


def test_colour_transform_of_four_inks_stays() -> None:
    packed = jpeg(paper().convert("CMYK"), comment=MARK)
    assert pixels(bare_jpeg(packed)) == pixels(packed)


def test_comment_between_scans_goes() -> None:
    packed = jpeg(progressive=True)
    last = packed.rindex(b"\xff\xda")
    bare = bare_jpeg(packed[:last] + segment(0xFE, MARK) + packed[last:])
    assert bare == bare_jpeg(packed)


def test_bytes_after_the_end_go() -> None:
    assert bare_jpeg(GOOD + MARK) == bare_jpeg(GOOD)


def test_bare_jpeg_stays_as_it_is() -> None:
    assert bare_jpeg(bare_jpeg(GOOD)) == bare_jpeg(GOOD)


def test_size_is_read_behind_other_segments() -> None:
    assert jpeg_size(GOOD) == (160, 120)
    assert jpeg_size(with_segments(segment(0xFE, b"\xff\xc0" * 40))) == (1240, 877)


def test_jpeg_without_a_frame_has_no_size() -> None:
    with pytest.raises(ValueError):
        jpeg_size(GOOD[: GOOD.index(b"\xff\xc0")])


@pytest.mark.parametrize("kind", [b"xml ", b"uuid", b"uinf", b"asoc"])
def test_boxes_of_a_jpeg2000_go(kind: bytes) -> None:
    packed = jpeg2000()
    box = struct.pack(">I", 8 + len(MARK)) + kind + MARK
    assert bare_jpeg2000(packed + box) == packed
    # Before the last box, which holds the pixels and may reach to the end of the file.
    at = packed.index(b"jp2c") - 4
    assert bare_jpeg2000(packed[:at] + box + packed[at:]) == packed


def test_broken_boxes_are_refused() -> None:
    with pytest.raises(ValueError):
        bare_jpeg2000(jpeg2000() + b"\xff\xff\xff\xffxml ")
    with pytest.raises(ValueError):
        bare_jpeg2000(jpeg2000() + b"\0\0\0\3xml ")


def test_size_of_a_jpeg2000_is_that_of_its_code_stream() -> None:
    assert jpeg2000_size(jpeg2000()) == (160, 120)
    with pytest.raises(ValueError):
        jpeg2000_size(b"no code stream")
    assert jpeg2000_size(b"\xff\x4f\xff\x51cut") == (0, 0)
