from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from pathlib import Path
from time import sleep

import pikepdf
import pytest
from PIL import Image

from emk_app.domain.documents import (
    LIMITS,
    MediaType,
    ScanEmpty,
    ScanKind,
    ScanKindNotAllowed,
    ScanLooksGray,
    ScanNotReadable,
    ScanTooLarge,
    ScanTooSmall,
)
from emk_app.domain.errors import NotFound
from emk_app.storage import inspection
from emk_app.storage.errors import ScanCheckUnavailable
from emk_app.storage.inspection import LONGEST_RENDERED, inspect, render
from tests.files import good

KIND = ScanKind.DIPLOMA


def opened(jpeg: bytes) -> Image.Image:
    picture = Image.open(BytesIO(jpeg))
    picture.load()
    return picture


def is_reddish(colour: object) -> bool:
    assert isinstance(colour, tuple)
    return colour[0] > 150 and max(colour[1:]) < 90


def is_bluish(colour: object) -> bool:
    assert isinstance(colour, tuple)
    return colour[2] > 150 and max(colour[:2]) < 90


def shows_the_paper(picture: Image.Image) -> bool:
    """Whether the red corner is on the left above and the blue one on the right below."""
    right, below = picture.width - 1, picture.height - 1
    return is_reddish(picture.getpixel((right // 10, below // 10))) and is_bluish(
        picture.getpixel((right * 9 // 10, below * 9 // 10))
    )


def test_no_bytes_are_refused() -> None:
    with pytest.raises(ScanEmpty):
        inspect(b"", KIND)


@pytest.mark.parametrize("kind", [ScanKind.PASSPORT, ScanKind.DIPLOMA])
def test_one_byte_over_the_limit_is_refused(kind: ScanKind) -> None:
    with pytest.raises(ScanTooLarge) as refusal:
        inspect(good.jpeg().ljust(LIMITS[kind] + 1, b"\0"), kind)
    assert refusal.value.limit == LIMITS[kind]


def test_the_limit_itself_is_accepted() -> None:
    content = good.jpeg().ljust(LIMITS[ScanKind.PASSPORT], b"\0")
    assert inspect(content, ScanKind.PASSPORT).pages == 1


def test_neither_pdf_nor_jpeg_is_refused() -> None:
    with pytest.raises(ScanKindNotAllowed):
        inspect(b"GIF89a" + good.jpeg(), KIND)


def test_coloured_jpeg_is_rebuilt() -> None:
    content = good.jpeg()
    inspected = inspect(content, KIND)
    assert inspected.media_type is MediaType.JPEG
    assert inspected.content != content
    assert (inspected.pages, inspected.width, inspected.height) == (1, 1240, 877)
    assert inspected.is_colour
    assert inspected.warnings == ()
    picture = opened(inspected.content)
    assert picture.size == (1240, 877)
    assert shows_the_paper(picture)


def test_rebuilt_jpeg_carries_nothing_but_pixels() -> None:
    exif = Image.Exif()
    exif.get_ifd(good.GPS)[2] = (55.0, 45.0, 21.0)
    content = good.jpeg(exif=exif, comment=b"note", icc_profile=b"profile", dpi=(300, 300))
    picture = opened(inspect(content, KIND).content)
    assert not picture.getexif()
    assert not {"exif", "comment", "icc_profile", "dpi", "photoshop"} & set(picture.info)


def test_gray_jpeg_is_accepted_with_a_warning() -> None:
    inspected = inspect(good.gray_jpeg(), KIND)
    assert not inspected.is_colour
    assert [type(warning) for warning in inspected.warnings] == [ScanLooksGray]
    assert opened(inspected.content).mode == "L"


def test_gray_paper_photographed_in_colour_mode_counts_as_gray() -> None:
    assert not inspect(good.jpeg(good.paper().convert("L").convert("RGB")), KIND).is_colour


def test_white_sheet_with_a_blue_stamp_counts_as_coloured() -> None:
    sheet = Image.new("RGB", (1240, 1754), "white")
    sheet.paste((60, 60, 190), (900, 1500, 1100, 1700))
    assert inspect(good.jpeg(sheet), KIND).is_colour


def test_small_picture_is_accepted_with_a_warning() -> None:
    inspected = inspect(good.jpeg(good.paper(640, 480)), KIND)
    assert [type(warning) for warning in inspected.warnings] == [ScanTooSmall]


def test_picture_without_anything_on_it_is_refused() -> None:
    with pytest.raises(ScanNotReadable):
        inspect(good.jpeg(Image.new("RGB", (1240, 877), "white")), KIND)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_kept_for_the_eye(orientation: int) -> None:
    inspected = inspect(good.oriented_jpeg(orientation), KIND)
    assert (inspected.width, inspected.height) == (1240, 877)
    assert shows_the_paper(opened(inspected.content))
    assert shows_the_paper(opened(inspected.preview))


def test_largest_picture_allowed_is_accepted() -> None:
    content = good.jpeg(good.paper(5000, 5000), progressive=True, subsampling=0)
    assert inspect(content, KIND).width == 5000


def test_four_inks_become_three_colours() -> None:
    picture = opened(inspect(good.jpeg(good.paper().convert("CMYK")), KIND).content)
    assert picture.mode == "RGB"
    assert shows_the_paper(picture)


@pytest.mark.parametrize(
    ("content", "size"),
    [(good.paper(2400, 1200), (1200, 600)), (good.paper(600, 300), (600, 300))],
)
def test_preview_has_at_most_1200_pixels_a_side(
    content: Image.Image, size: tuple[int, int]
) -> None:
    assert opened(inspect(good.jpeg(content), KIND).preview).size == size


def test_scanned_pdf_is_rebuilt_with_all_its_pages() -> None:
    content = good.scanned_pdf(3)
    inspected = inspect(content, KIND)
    assert inspected.media_type is MediaType.PDF
    assert inspected.content != content
    assert inspected.pages == 3
    assert inspected.is_colour
    assert inspected.warnings == ()
    assert (inspected.width, inspected.height) == pytest.approx((1240, 877), abs=2)
    assert shows_the_paper(opened(inspected.preview))
    with pikepdf.open(BytesIO(inspected.content)) as pdf:
        assert len(pdf.pages) == 3
        assert set(pdf.Root.keys()) == {"/Type", "/Pages"}
        assert "/Info" not in pdf.trailer


def test_twenty_pages_are_accepted() -> None:
    assert inspect(good.scanned_pdf(20), KIND).pages == 20


def test_pictures_of_a_scan_are_not_packed_anew() -> None:
    picture = good.jpeg(quality=95)
    with pikepdf.open(BytesIO(inspect(good.picture_pdf(picture), KIND).content)) as pdf:
        kept = pdf.pages[0].obj.Resources.XObject.I
        assert opened(kept.read_raw_bytes()).tobytes() == opened(picture).tobytes()


def test_opening_view_of_an_office_program_is_no_activity() -> None:
    inspected = inspect(good.text_pdf(), KIND)
    assert inspected.pages == 1
    assert b"Spravka" in pages_text(inspected.content)
    # Text is sharp at any size: its page counts as scanned at 150 dots an inch.
    assert (inspected.width, inspected.height) == (1240, 1754)


def test_filled_field_stays_visible() -> None:
    inspected = inspect(good.form_pdf(), KIND)
    picture = opened(render(inspected.content, 1, 842))
    assert is_reddish(picture.getpixel((250, 842 - 400)))
    assert b"/Widget" not in inspected.content


def test_entries_inherited_from_the_page_tree_are_kept() -> None:
    inspected = inspect(good.inherited_pdf(), KIND)
    assert inspected.width > inspected.height
    assert b"Spravka" in pages_text(inspected.content)


def test_strips_of_a_scan_count_as_one_picture() -> None:
    inspected = inspect(good.strips_pdf(), KIND)
    assert (inspected.width, inspected.height) == pytest.approx((1240, 1750), abs=20)


def test_same_file_is_rebuilt_to_the_same_bytes() -> None:
    assert inspect(good.text_pdf(), KIND).content == inspect(good.text_pdf(), KIND).content


def test_rebuilt_scan_passes_again() -> None:
    for content in (good.jpeg(), good.scanned_pdf(), good.form_pdf()):
        once = inspect(content, KIND)
        assert inspect(once.content, KIND).pages == once.pages


def test_each_page_is_rendered() -> None:
    kept = inspect(good.scanned_pdf(2), KIND).content
    for page in (1, 2):
        picture = opened(render(kept, page, 900))
        assert max(picture.size) == pytest.approx(900, abs=1)
        assert shows_the_paper(picture)


def test_kept_jpeg_is_rendered_smaller() -> None:
    assert opened(render(good.jpeg(), 1, 620)).size == (620, 438)


@pytest.mark.parametrize("page", [-1, 0, 3, 21, 2**40])
def test_page_that_is_not_there_is_not_found(page: int) -> None:
    kept = good.scanned_pdf(2)
    with pytest.raises(NotFound):
        render(kept, page)


def test_jpeg_has_one_page() -> None:
    with pytest.raises(NotFound):
        render(good.jpeg(), 2)


@pytest.mark.parametrize("longest", [-1, 0, LONGEST_RENDERED + 1])
def test_size_out_of_bounds_is_a_fault_of_the_caller(longest: int) -> None:
    with pytest.raises(ValueError):
        render(good.jpeg(), 1, longest)


def is_running(mark: str) -> bool:
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if mark.encode() in command.read_bytes():
                return True
    return False


FAILING = {
    "ends with an error": "import os; os._exit(3)",
    "kills itself": "import os; os.kill(os.getpid(), 9)",
    "says nothing": "",
    "says nonsense": "print('nonsense' * 1000)",
    "does not end": "import time; time.sleep(600)",
    "ends its answer and stays": "import os, time; os.close(1); time.sleep(600)",
    "never stops talking": "import os\nwhile True: os.write(1, bytes(1 << 20))",
    "claims blobs it does not send": (
        "import sys; sys.path.append(sys.argv[1])\n"
        "from emk_app.storage.sandbox import *\n"
        "raw = Answer(Outcome.DONE, 1, 9, 9, 0, 0.0, b'a' * 99).pack(); _write(1, raw[:-50])"
    ),
    "unknown outcome": (
        "import os, sys; sys.path.append(sys.argv[1])\n"
        "from emk_app.storage.sandbox import *\n"
        "raw = bytearray(Answer(Outcome.DONE).pack()); raw[4] = 99; os.write(1, raw)"
    ),
}
SAYS = (
    "import os, sys; sys.path.append(sys.argv[1])\n"
    "from emk_app.storage.sandbox import Answer, Outcome\n"
    "jpeg = b'\\xff\\xd8\\xff\\xd9'\n"
    "os.write(1, Answer(Outcome.DONE, {}).pack())"
)
LIES = {
    "a page for a picture": "1, 9, 9, 0, 0.0, b'<html>', jpeg",
    "a page for a preview": "1, 9, 9, 0, 0.0, jpeg, b'<html>'",
    "no pages": "0, 9, 9, 0, 0.0, jpeg, jpeg",
    "no width": "1, 0, 9, 0, 0.0, jpeg, jpeg",
    "a saturation that is no number": "1, 9, 9, 0, float('nan'), jpeg, jpeg",
    "a saturation over the whole": "1, 9, 9, 0, 101.0, jpeg, jpeg",
}


@pytest.mark.parametrize("program", FAILING.values(), ids=FAILING.keys())
def test_child_that_fails_means_a_scan_that_cannot_be_read(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "PROGRAM", program)
    monkeypatch.setattr(inspection, "WALL_SECONDS", 1.5)
    with pytest.raises(ScanNotReadable):
        inspect(good.jpeg(good.paper(3000, 2000), quality=95), KIND)


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_child_is_not_believed(lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "PROGRAM", SAYS.format(lie))
    with pytest.raises(ScanNotReadable):
        inspect(good.jpeg(), KIND)


def test_what_a_child_leaves_running_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = "left-running-5c1d"
    program = f"import os, time\nif os.fork() == 0: time.sleep(600)  # {mark}\nos._exit(0)"
    monkeypatch.setattr(inspection, "PROGRAM", program)
    monkeypatch.setattr(inspection, "WALL_SECONDS", 1.0)
    with pytest.raises(ScanNotReadable):
        inspect(good.jpeg(), KIND)
    # A killed process goes in its own time, but it goes.
    for _ in range(200):
        if not is_running(mark):
            return
        sleep(0.05)
    pytest.fail("still running")


def test_child_is_told_nothing_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # LC_CTYPE is Python's own doing (PEP 538).
    program = "import os, sys; sys.exit(len(os.environ.keys() - {'LC_CTYPE'}))"
    monkeypatch.setattr(inspection, "PROGRAM", program)
    monkeypatch.setenv("EMK_SECRET", "secret")
    with pytest.raises(ScanNotReadable):
        inspect(good.jpeg(), KIND)
    assert "exit code" not in caplog.text


def test_without_a_free_child_the_holder_is_asked_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inspection, "WAIT_SECONDS", 0.01)
    turns = inspection._turns
    for _ in range(inspection.CHILDREN):
        turns.acquire()
    try:
        with pytest.raises(ScanCheckUnavailable):
            inspect(good.jpeg(), KIND)
    finally:
        turns.release(inspection.CHILDREN)
    assert inspect(good.jpeg(), KIND).pages == 1


def test_log_says_nothing_of_the_paper(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inspection, "PROGRAM", "import sys; sys.exit(sys.stdin.read())")
    with pytest.raises(ScanNotReadable):
        inspect(b"%PDF-1.7 Ivanov", KIND)
    assert "exit code" in caplog.text
    assert "Ivanov" not in caplog.text


def pages_text(content: bytes) -> bytes:
    with pikepdf.open(BytesIO(content)) as pdf:
        return b"".join(page.Contents.read_bytes() for page in pdf.pages)
