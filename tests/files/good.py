"""Files that people really send, made by code; nothing here is committed as bytes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from io import BytesIO

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageDraw

ORIENTATION = 0x0112
GPS = 0x8825


def paper(width: int = 1240, height: int = 877) -> Image.Image:
    """A coloured page: red in the left upper corner, blue in the right lower one, some lines."""
    page = Image.new("RGB", (width, height), (240, 225, 215))
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, width // 4, height // 4), fill=(200, 30, 30))
    draw.rectangle((width * 3 // 4, height * 3 // 4, width, height), fill=(30, 30, 200))
    for line in range(5):
        top = height // 3 + line * height // 15
        draw.line((width // 10, top, width * 9 // 10, top), fill="black", width=3)
    return page


def jpeg(picture: Image.Image | None = None, **options: object) -> bytes:
    file = BytesIO()
    (picture or paper()).save(file, "JPEG", **{"quality": 85, **options})  # type: ignore[arg-type]
    return file.getvalue()


def gray_jpeg() -> bytes:
    return jpeg(paper().convert("L"))


def oriented_jpeg(orientation: int) -> bytes:
    """A JPEG that looks upright only to who obeys its EXIF orientation."""
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    page = paper()
    return jpeg(page if stored is None else page.transpose(stored), exif=exif)


def scanned_pdf(pages: int = 1) -> bytes:
    """What a scanner makes: one JPEG a page, 150 dots an inch."""
    file = BytesIO()
    page = paper()
    rest = [page] * (pages - 1)
    page.save(file, "PDF", save_all=True, append_images=rest, resolution=150)
    return file.getvalue()


TEXT = b"BT /F1 24 Tf 72 700 Td (Spravka No 17) Tj ET"


def page_objects(
    content: bytes = TEXT, page: bytes = b"", catalog: bytes = b""
) -> dict[int, bytes]:
    """The objects of a one-page document, to be added to or spoilt; ``page`` adds entries."""
    return {
        1: b"<< /Type /Catalog /Pages 2 0 R " + catalog + b" >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources "
        b"<< /Font << /F1 5 0 R >> >> " + page + b" >>",
        4: stream(content),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def flate(content: bytes, entries: bytes = b"") -> bytes:
    return stream(zlib.compress(content, 9), b"/Filter /FlateDecode " + entries)


def written_pdf(
    objects: Mapping[int, bytes],
    trailer: bytes = b"",
    *,
    header: bytes = b"%PDF-1.7\n",
    between: bytes = b"",
) -> bytes:
    """Write a PDF by hand, with a correct table of its objects."""
    file = bytearray(header)
    table = {0: b"0000000000 65535 f \n"}
    for number, body in objects.items():
        table[number] = b"%010d 00000 n \n" % len(file)
        file += b"%d 0 obj\n%s\nendobj\n%s" % (number, body, between)
    start = len(file)
    file += b"xref\n"
    for number in sorted(table):
        file += b"%d 1\n%s" % (number, table[number])
    size = max(table) + 1
    file += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        trailer,
        start,
    )
    return bytes(file)


def text_pdf() -> bytes:
    """What an office program makes: text, a font by name, and an opening view."""
    return written_pdf(page_objects(catalog=b"/OpenAction [3 0 R /XYZ null null 0]"))


def lines_pdf(*lines: str) -> bytes:
    """A page that says these lines of ASCII in letters."""
    said = b" 0 -14 Td ".join(b"(" + line.encode("ascii") + b") Tj" for line in lines)
    return written_pdf(page_objects(b"BT /F1 10 Tf 72 700 Td " + said + b" ET"))


def form_pdf() -> bytes:
    """A filled form: the field's look is a form XObject of an annotation."""
    objects = page_objects(page=b"/Annots [6 0 R]", catalog=b"/AcroForm << /Fields [6 0 R] >>")
    objects[6] = (
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (Ivanov) /F 4 "
        b"/Rect [72 300 500 500] /AP << /N 7 0 R >> >>"
    )
    objects[7] = stream(
        b"1 0 0 rg 0 0 428 200 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 428 200]"
    )
    return written_pdf(objects)


def inherited_pdf() -> bytes:
    """Size and fonts of the page stand in the page tree, as the standard allows."""
    objects = page_objects(TEXT.replace(b"700", b"300"))
    objects[2] = (
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 842 595] "
        b"/Resources << /Font << /F1 5 0 R >> >> >>"
    )
    objects[3] = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>"
    return written_pdf(objects)


def strips_pdf() -> bytes:
    """A scan cut into ten strips, as some scanners' programs write it."""
    page = paper(1240, 1750)
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 840))
        pictures = Dictionary()
        marks = b""
        for number in range(10):
            strip = page.crop((0, number * 175, 1240, number * 175 + 175))
            pictures[f"/S{number}"] = pdf.make_indirect(picture_of(pdf, jpeg(strip), 1240, 175))
            marks += b"q 595 0 0 84 0 %d cm /S%d Do Q " % (840 - 84 * (number + 1), number)
        pdf.pages[0].obj.Resources = Dictionary(XObject=pictures)
        pdf.pages[0].obj.Contents = pdf.make_stream(marks)
        return saved(pdf)


def picture_of(
    pdf: pikepdf.Pdf, packed: bytes, width: int, height: int, filters: object = Name.DCTDecode
) -> pikepdf.Stream:
    return pikepdf.Stream(
        pdf,
        packed,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=width,
        Height=height,
        BitsPerComponent=8,
        ColorSpace=Name.DeviceRGB,
        Filter=filters,
    )


def picture_pdf(
    packed: bytes, width: int = 1240, height: int = 877, filters: object = Name.DCTDecode
) -> bytes:
    """One page filled by one picture whose packed bytes are given."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 421))
        picture = pdf.make_indirect(picture_of(pdf, packed, width, height, filters))
        pdf.pages[0].obj.Resources = Dictionary(XObject=Dictionary(I=picture))
        pdf.pages[0].obj.Contents = pdf.make_stream(b"q 595 0 0 421 0 0 cm /I Do Q")
        return saved(pdf)


def chain(*names: str) -> Array:
    return Array([Name(f"/{name}") for name in names])


def saved(pdf: pikepdf.Pdf, **options: object) -> bytes:
    file = BytesIO()
    defaults: dict[str, object] = {
        "compress_streams": False,
        "stream_decode_level": pikepdf.StreamDecodeLevel.none,
    }
    pdf.save(file, **{**defaults, **options})  # type: ignore[arg-type]
    return file.getvalue()
