"""QR pictures that another program reads."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from emk_app.crypto.qr import QUIET_ZONE, ErrorCorrection, qr_png, qr_svg, share_url

SHARE = "MFRGGZDFMZTWQ2LKNNWG23TPOA"
TOKEN = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 10)[:317]
URL = share_url("https://emk.example.ru", SHARE, TOKEN)
SVG = "{http://www.w3.org/2000/svg}"


def read(picture: Image.Image) -> list[str]:
    # The squares of a code happen to look like lines of another kind.
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.barcode_formats_from_str("QRCode"))
    return [code.text for code in found]


def drawn(svg: str, box: int) -> Image.Image:
    """Draw the two paths of the SVG the way a browser does."""
    root = ElementTree.fromstring(svg)
    size = int(root.attrib["viewBox"].split()[2])
    picture = Image.new("L", (size * box, size * box), 128)
    plate, modules = root.iter(f"{SVG}path")
    assert plate.attrib == {"fill": "#fff", "d": f"M0 0h{size}v{size}H0z"}
    assert modules.attrib["transform"] == "translate(0 .5)"
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, size * box, size * box), fill=255)
    x = y = 0
    for command, numbers in re.findall(r"([Mmh])([\d ]+)", modules.attrib["d"]):
        match command, [int(number) for number in numbers.split()]:
            case "M", [left, top]:
                x, y = left, top
            case "m", [right, 0]:
                x += right
            case "h", [width]:
                pen.rectangle((x * box, y * box, (x + width) * box - 1, (y + 1) * box - 1), fill=0)
                x += width
            case other:
                raise AssertionError(other)
    return picture


def test_address_carries_the_token_in_the_fragment_only() -> None:
    assert share_url("https://emk.example.ru", SHARE) == f"https://emk.example.ru/v/{SHARE}"
    assert URL.partition("#") == (f"https://emk.example.ru/v/{SHARE}", "#", TOKEN)


@pytest.mark.parametrize("error", ["L", "M", "Q", "H"])
def test_png_is_read_by_another_program(error: ErrorCorrection) -> None:
    picture = Image.open(io.BytesIO(qr_png(URL, error=error)))
    assert picture.mode == "1"
    assert read(picture) == [URL]


@pytest.mark.parametrize("text", [URL, share_url("https://emk.example.ru", SHARE), "Ёж"])
def test_svg_is_read_by_another_program(text: str) -> None:
    assert read(drawn(qr_svg(text), 6)) == [text]


def test_svg_and_png_are_the_same_picture() -> None:
    png = Image.open(io.BytesIO(qr_png(URL, box=3))).convert("L")
    assert png.tobytes() == drawn(qr_svg(URL), 3).tobytes()


def test_code_of_a_share_with_its_token_is_of_version_12_at_most() -> None:
    size = Image.open(io.BytesIO(qr_png(URL, box=1))).size[0] - 2 * QUIET_ZONE
    assert size <= 17 + 4 * 12


def test_quiet_zone_is_white() -> None:
    picture = Image.open(io.BytesIO(qr_png(URL, box=1))).convert("L")
    size = picture.size[0]
    inner = range(QUIET_ZONE, size - QUIET_ZONE)
    edge = {
        picture.getpixel((x, y))
        for x in range(size)
        for y in range(size)
        if x not in inner or y not in inner
    }
    assert edge == {255}


def test_svg_is_small_enough_for_a_state_update() -> None:
    assert len(qr_svg(URL)) < 9_000


def test_svg_names_itself_and_cannot_be_broken_out_of() -> None:
    root = ElementTree.fromstring(qr_svg("text", title="<script>\"&'</script>"))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "<script>\"&'</script>"
    assert root.findtext(f"{SVG}title") == "<script>\"&'</script>"
    assert not list(root.iter("script"))
