"""Files made to hurt, built by code: what must be refused, and what must be made harmless.

Everything dangerous is inert here: scripts only name a mark, bombs only unpack to zeros.
"""

from __future__ import annotations

import base64
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from zipfile import ZipFile

import pikepdf
from pikepdf import Dictionary, Encryption, Name
from PIL import Image, PngImagePlugin

from emk_app.domain.documents import (
    MIB,
    ScanActiveContent,
    ScanEmpty,
    ScanEncrypted,
    ScanKind,
    ScanKindNotAllowed,
    ScanNotReadable,
    ScanTooLarge,
    ScanTooManyPages,
    ScanTooManyPixels,
)
from emk_app.domain.errors import InvalidValue
from tests.files.good import (
    GPS,
    TEXT,
    chain,
    flate,
    jpeg,
    page_objects,
    paper,
    picture_of,
    picture_pdf,
    saved,
    scanned_pdf,
    stream,
    written_pdf,
)

MARK = b"<script>evil-mark-7f3a</script>"
"""What must not be found in anything that is kept."""


@dataclass(frozen=True)
class Hostile:
    """A file, and the refusals allowed for it; none: it must come out without the mark."""

    name: str
    make: Callable[[], bytes]
    refused: tuple[type[InvalidValue], ...] = ()
    may_pass: bool = False
    """Harmless either way: refused as said, or accepted without the mark."""
    kind: ScanKind = ScanKind.DIPLOMA


def segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + struct.pack(">H", len(body) + 2) + body


def with_segments(*segments: bytes) -> bytes:
    good = jpeg()
    return good[:2] + b"".join(segments) + good[2:]


def claiming(width: int, height: int) -> bytes:
    """A JPEG whose frame header claims another size than it has."""
    good = bytearray(jpeg())
    at = good.index(b"\xff\xc0")
    good[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(good)


def without_segment(code: int) -> bytes:
    good = jpeg()
    while (at := good.find(bytes((0xFF, code)))) >= 0:
        length = int.from_bytes(good[at + 2 : at + 4], "big")
        good = good[:at] + good[at + 2 + length :]
    return good


def recoded(code: int) -> bytes:
    """A JPEG that says it is of another process: arithmetic, lossless, hierarchical."""
    return jpeg().replace(b"\xff\xc0", bytes((0xFF, code)), 1)


def gps_jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = MARK.decode()
    exif.get_ifd(GPS)[2] = (55.0, 45.0, 21.0)
    return jpeg(exif=exif)


def looping_exif() -> bytes:
    # The first directory has one entry and names itself as the next.
    ifd = struct.pack("<H", 1) + struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<I", 8)
    return with_segments(segment(0xE1, b"Exif\0\0II*\0" + struct.pack("<I", 8) + ifd + MARK))


def greedy_exif() -> bytes:
    entry = struct.pack("<HHII", 0x0112, 5, 0x0FFFFFFF, 0xFFFFFFF0)
    ifd = struct.pack("<H", 0xFFFF) + entry * 200
    return with_segments(segment(0xE1, b"Exif\0\0II*\0" + struct.pack("<I", 8) + ifd + MARK))


def odd_orientation() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 9999
    exif[0x010E] = MARK.decode()
    return jpeg(exif=exif)


def many_scans() -> bytes:
    """Every scan of a progressive JPEG goes over all pixels: thousands of scans of 40 bytes."""
    good = jpeg(Image.new("L", (5000, 5000), 200), progressive=True)
    last = good.rindex(b"\xff\xda")
    tail = good[last:-2]
    return good[:-2] + tail * min(20_000, 3 * MIB // len(tail)) + good[-2:]


def many_pictures() -> bytes:
    file = BytesIO()
    paper().save(
        file, "MPO", save_all=True, append_images=[paper(64, 64)], comment=MARK, quality=85
    )
    return file.getvalue() + MARK


def jar() -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Main-Class: Evil\n")
        archive.writestr("Evil.class", MARK)
    return file.getvalue()


def twelve_bit() -> bytes:
    good = bytearray(jpeg())
    good[good.index(b"\xff\xc0") + 4] = 12
    return bytes(good)


def noise_after_magic() -> bytes:
    return b"\xff\xd8\xff\xe0" + random.Random(17).randbytes(100_000)


def noisy_pixels() -> bytes:
    """A JPEG with a thousand broken bytes among the coded pixels."""
    good = bytearray(jpeg())
    chance = random.Random(18)
    for _ in range(1000):
        good[chance.randrange(700, len(good) - 2)] = chance.randrange(256)
    return bytes(good)


def png(**options: object) -> bytes:
    file = BytesIO()
    paper(200, 100).save(file, "PNG", **options)  # type: ignore[arg-type]
    return file.getvalue()


def deep_png() -> bytes:
    file = BytesIO()
    Image.new("I;16", (100, 100), 40_000).save(file, "PNG")
    return file.getvalue()


def png_bomb() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("Comment", MARK.decode())
    file = BytesIO()
    Image.new("1", (12_000, 12_000)).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def in_format(name: str) -> bytes:
    file = BytesIO()
    paper(100, 100).save(file, name)
    return file.getvalue()


def gifar() -> bytes:
    return in_format("GIF") + jar()


def acting(catalog: bytes = b"", page: bytes = b"", **more: bytes) -> bytes:
    """A page with active entries; further objects as ``o6=…``."""
    objects = page_objects(catalog=catalog, page=page)
    objects |= {int(name[1:]): body for name, body in more.items()}
    return written_pdf(objects)


JAVASCRIPT = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"


def with_annotation(action: bytes) -> bytes:
    return acting(
        page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 90 90] /A " + action + b" >>]"
    )


def in_object_stream() -> bytes:
    with pikepdf.open(BytesIO(acting(catalog=b"/OpenAction " + JAVASCRIPT))) as pdf:
        return saved(
            pdf, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True
        )


def in_nested_tree() -> bytes:
    return acting(
        catalog=b"/Names << /Dests << /Kids [ << /Kids [ << /Names [(a) << /Deep [ [ << /Deeper "
        b"<< /Type /Filespec /F (a) /EF << /F 6 0 R >> >> >> ] ] >> ] >> ] >> ] >> >>",
        o6=stream(MARK),
    )


def by_update() -> bytes:
    """A good file with an update appended that gives the catalogue an action."""
    first = written_pdf(page_objects())
    at = len(first)
    body = b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R /OpenAction %s >>\nendobj\n" % JAVASCRIPT
    before = int(first.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    return (
        first
        + body
        + b"xref\n1 1\n%010d 00000 n \ntrailer\n<< /Size 6 /Root 1 0 R /Prev %d >>\n" % (at, before)
        + b"startxref\n%d\n%%%%EOF\n" % (at + len(body))
    )


def encrypted(user: str, owner: str, strength: int) -> bytes:
    with pikepdf.open(BytesIO(scanned_pdf())) as pdf:
        return saved(
            pdf,
            encryption=Encryption(user=user, owner=owner, R=strength, aes=strength >= 4),
            stream_decode_level=None,
        )


def cut_pdf() -> bytes:
    return scanned_pdf()[: len(scanned_pdf()) // 2]


def repeated_page(times: int) -> bytes:
    objects = page_objects()
    objects[2] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b"3 0 R " * times, times)
    return written_pdf(objects)


def looping_pages() -> bytes:
    objects = page_objects()
    objects[2] = b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>"
    return written_pdf(objects)


def deep_page_tree() -> bytes:
    objects = page_objects()
    depth = 5000
    objects[2] = b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>"
    for level in range(10, depth):
        objects[level] = b"<< /Type /Pages /Parent %d 0 R /Kids [%d 0 R] /Count 1 >>" % (
            level - 1,
            level + 1,
        )
    objects[depth] = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return written_pdf(objects)


def looping_tables() -> bytes:
    good = written_pdf(page_objects())
    start = int(good.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    return good.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %d" % start)


def nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return acting(page=b"/Deep " + opening * depth + closing * depth)


@cache
def bomb(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


def content_bomb() -> bytes:
    objects = page_objects()
    objects[4] = stream(bomb(128 * MIB), b"/Filter /FlateDecode")
    return written_pdf(objects)


def double_bomb() -> bytes:
    objects = page_objects()
    objects[4] = stream(zlib.compress(bomb(128 * MIB)), b"/Filter [/FlateDecode /FlateDecode]")
    return written_pdf(objects)


def many_bombs() -> bytes:
    """No stream is too long; all of them together are."""
    objects = page_objects(page=b"/Contents [%s]" % b" ".join(b"%d 0 R" % n for n in range(10, 30)))
    objects[3] = objects[3].replace(b"/Contents 4 0 R ", b"")
    objects |= dict.fromkeys(range(10, 30), stream(bomb(90 * MIB), b"/Filter /FlateDecode"))
    return written_pdf(objects)


def text_coded_bomb() -> bytes:
    objects = page_objects()
    coded = base64.a85encode(bomb(128 * MIB)) + b"~>"
    objects[4] = stream(coded, b"/Filter [/ASCII85Decode /FlateDecode]")
    return written_pdf(objects)


def run_length_bomb() -> bytes:
    objects = page_objects()
    objects[4] = stream(
        zlib.compress(b"\x81\0" * (2 * MIB), 9), b"/Filter [/FlateDecode /RunLengthDecode]"
    )
    return written_pdf(objects)


def many_filters() -> bytes:
    objects = page_objects()
    packed = TEXT
    for _ in range(50):
        packed = zlib.compress(packed)
    objects[4] = stream(packed, b"/Filter [%s]" % (b"/FlateDecode " * 50))
    return written_pdf(objects)


def bomb_in_object_stream() -> bytes:
    with pikepdf.open(BytesIO(written_pdf(page_objects()))) as pdf:
        pdf.Root.Padding = pdf.make_indirect(Dictionary(Text=b"A" * (100 * MIB)))
        return saved(
            pdf, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True
        )


def laughing_forms() -> bytes:
    """Each form draws the one below ten times: ten to the ninth squares."""
    objects = page_objects(content=b"/X9 Do")
    objects[3] = objects[3].replace(b"/Font", b"/XObject << /X9 19 0 R >> /Font")
    objects[10] = form(b"0 0 595 842 re f", b"")
    for level in range(1, 10):
        below = b"/XObject << /X%d %d 0 R >>" % (level - 1, 9 + level)
        objects[10 + level] = form(b"/X%d Do " % (level - 1) * 10, below)
    return written_pdf(objects)


def form(content: bytes, resources: bytes) -> bytes:
    return stream(
        content,
        b"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << " + resources + b" >>",
    )


def self_drawing_form() -> bytes:
    objects = page_objects(content=b"/X Do")
    objects[3] = objects[3].replace(b"/Font", b"/XObject << /X 6 0 R >> /Font")
    objects[6] = form(b"/X Do", b"/XObject << /X 6 0 R >>")
    return written_pdf(objects)


def fine_pattern() -> bytes:
    """A pattern whose steps are so short that the page has ten to the tenth of them."""
    objects = page_objects(content=b"/Pattern cs /P scn 0 0 595 842 re f")
    objects[3] = objects[3].replace(b"/Font", b"/Pattern << /P 6 0 R >> /Font")
    objects[6] = stream(
        b"1 0 0 rg 0 0 9 9 re f",
        b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 900 900] "
        b"/XStep 0.005 /YStep 0.005 /Resources << >>",
    )
    return written_pdf(objects)


def many_marks() -> bytes:
    objects = page_objects()
    objects[4] = flate(b"q 1 0 0 1 0 0 cm 0 0 595 842 re f " * 2_000_000)
    return written_pdf(objects)


def unclosed_states() -> bytes:
    objects = page_objects()
    objects[4] = flate(b"q " * 10_000_000)
    return written_pdf(objects)


def with_box(box: bytes) -> bytes:
    objects = page_objects()
    objects[3] = objects[3].replace(b"[0 0 595 842]", box)
    return written_pdf(objects)


def broken_font() -> bytes:
    objects = page_objects()
    objects[5] = (
        b"<< /Type /Font /Subtype /TrueType /BaseFont /Evil /FirstChar 0 /LastChar 255 "
        b"/FontDescriptor 6 0 R /Widths [%s] >>" % (b"600 " * 256)
    )
    objects[6] = b"<< /Type /FontDescriptor /FontName /Evil /Flags 4 /FontFile2 7 0 R >>"
    tables = b"\0\1\0\0\0\x10" + b"glyfcmaplocaheadmaxpcvt fpgmprep" * 400
    objects[7] = flate(tables + random.Random(19).randbytes(50_000), b"/Length1 999999")
    return written_pdf(objects)


def self_drawing_font() -> bytes:
    objects = page_objects()
    objects[5] = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar "
        b"0 /LastChar 255 /Widths [%s] /Encoding << /Differences [0 %s] >> /CharProcs << /a 6 0 R "
        b">> /Resources << /Font << /F1 5 0 R >> >> >>" % (b"1 " * 256, b"/a " * 256)
    )
    objects[6] = stream(b"1 0 d0 " + TEXT)
    return written_pdf(objects)


def broken_picture(name: str) -> bytes:
    return picture_pdf(random.Random(20).randbytes(20_000), filters=Name(f"/{name}"))


def huge_picture() -> bytes:
    return picture_pdf(bomb(80 * MIB), 60_000, 60_000, Name.FlateDecode)


def small_claim_of_huge_jpeg() -> bytes:
    """The dictionary is modest; the JPEG inside claims 65500 by 65500."""
    return picture_pdf(claiming(65_500, 65_500), 100, 100)


def small_claim_of_huge_jpeg2000() -> bytes:
    file = BytesIO()
    paper().save(file, "JPEG2000")
    packed = bytearray(file.getvalue())
    at = packed.index(b"\xff\x4f\xff\x51") + 8
    packed[at : at + 8] = struct.pack(">II", 65_500, 65_500)
    return picture_pdf(bytes(packed), 100, 100, Name.JPXDecode)


def commented_picture() -> bytes:
    return picture_pdf(with_segments(segment(0xFE, MARK), segment(0xE1, b"Exif\0\0" + MARK)))


def wrapped_picture() -> bytes:
    packed = zlib.compress(with_segments(segment(0xFE, MARK)) + MARK)
    return picture_pdf(packed, filters=chain("FlateDecode", "DCTDecode"))


def boxed_picture() -> bytes:
    file = BytesIO()
    paper().save(file, "JPEG2000")
    box = struct.pack(">I", 8 + len(MARK)) + b"xml " + MARK
    return picture_pdf(file.getvalue() + box, filters=Name.JPXDecode)


def described_picture() -> bytes:
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 421))
        picture = picture_of(pdf, jpeg(), 1240, 877)
        picture.Metadata = pdf.make_stream(MARK, Type=Name.Metadata, Subtype=Name.XML)
        pdf.pages[0].obj.Resources = Dictionary(XObject=Dictionary(I=pdf.make_indirect(picture)))
        pdf.pages[0].obj.Contents = pdf.make_stream(b"q 595 0 0 421 0 0 cm /I Do Q")
        pdf.pages[0].obj.PieceInfo = Dictionary(Evil=Dictionary(Private=MARK))
        pdf.pages[0].obj.Thumb = pdf.make_stream(MARK)
        pdf.Root.Metadata = pdf.make_stream(MARK, Type=Name.Metadata, Subtype=Name.XML)
        pdf.docinfo.Title = MARK
        return saved(pdf)


def attached() -> bytes:
    with pikepdf.open(BytesIO(scanned_pdf())) as pdf:
        pdf.attachments["evil.js"] = MARK
        return saved(pdf)


def unreachable_file() -> bytes:
    objects = page_objects()
    objects[9] = stream(MARK, b"/Type /EmbeddedFile")
    return written_pdf(objects)


def empty_form() -> bytes:
    """A filled field without a look: the viewer is to draw it, and it would vanish."""
    return acting(
        catalog=b"/AcroForm << /NeedAppearances true /Fields [6 0 R] >>",
        page=b"/Annots [6 0 R]",
        o6=b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (b) /Rect [0 0 9 9] /F 4 >>",
    )


def self_measured_stream() -> bytes:
    objects = page_objects()
    objects[4] = b"<< /Length 4 0 R >>\nstream\nq\nendstream"
    return written_pdf(objects)


def self_filtered_stream() -> bytes:
    objects = page_objects()
    objects[4] = b"<< /Length 2 /Filter 4 0 R /DecodeParms 4 0 R >>\nstream\nq\n\nendstream"
    return written_pdf(objects)


def looping_resources() -> bytes:
    objects = page_objects()
    objects[3] = objects[3].replace(b"/Font <<", b"/Properties 6 0 R /Font <<")
    objects[6] = b"<< /Self 6 0 R /Other << /Up 3 0 R /Again 6 0 R >> >>"
    return written_pdf(objects)


def pages(catalog_pages: bytes) -> bytes:
    objects = page_objects()
    objects[1] = b"<< /Type /Catalog /Pages %s >>" % catalog_pages
    return written_pdf(objects)


def without_pages() -> bytes:
    objects = page_objects()
    objects[2] = b"<< /Type /Pages /Kids [] /Count 0 >>"
    return written_pdf(objects)


def lying_length() -> bytes:
    return written_pdf(page_objects()).replace(b"/Length %d" % len(TEXT), b"/Length 99999999")


def wandering_object() -> bytes:
    good = written_pdf(page_objects())
    return good.replace(b"trailer", b"2147483647 1\n0000000009 00000 n \ntrailer")


def many_objects() -> bytes:
    objects = page_objects()
    objects |= dict.fromkeys(range(10, 90_000), b"[[][]]")
    return written_pdf(objects)


def html_header() -> bytes:
    return written_pdf(page_objects(), header=b"%PDF-1.7\n%" + MARK + b"\n")


def script_between_objects() -> bytes:
    return written_pdf(page_objects(), between=b"%" + MARK + b"\n")


def link_to_site() -> bytes:
    return with_annotation(b"<< /S /URI /URI (" + MARK + b") >>")


def hidden_layer() -> bytes:
    objects = page_objects(
        catalog=b"/OCProperties << /OCGs [6 0 R] /D << /OFF [6 0 R] /Name (%s) >> >>" % MARK
    )
    objects[6] = b"<< /Type /OCG /Name (a) >>"
    return written_pdf(objects)


def _active(name: str, make: Callable[[], bytes]) -> Hostile:
    return Hostile(name, make, (ScanActiveContent,))


def _unreadable(name: str, make: Callable[[], bytes], *, may_pass: bool = False) -> Hostile:
    return Hostile(name, make, (ScanNotReadable,), may_pass)


def _foreign(name: str, make: Callable[[], bytes]) -> Hostile:
    return Hostile(name, make, (ScanKindNotAllowed,))


def _harmless(name: str, make: Callable[[], bytes]) -> Hostile:
    return Hostile(name, make)


JPEGS = (
    Hostile("empty", lambda: b"", (ScanEmpty,)),
    _foreign("one byte", lambda: b"\xff"),
    _foreign("two bytes", lambda: b"\xff\xd8"),
    _foreign("line before the picture", lambda: b"\n" + jpeg()),
    _unreadable("magic alone", lambda: b"\xff\xd8\xff"),
    _unreadable("start and end only", lambda: b"\xff\xd8\xff\xd9"),
    _unreadable("noise after the magic", noise_after_magic),
    _unreadable("cut in the middle", lambda: jpeg()[: len(jpeg()) // 2]),
    _unreadable("no coded pixels", lambda: jpeg()[: jpeg().index(b"\xff\xda") + 14]),
    _unreadable("cut in the header", lambda: jpeg()[:100]),
    _unreadable("noisy pixels", noisy_pixels, may_pass=True),
    Hostile("claims 65500 by 65500", lambda: claiming(65_500, 65_500), (ScanTooManyPixels,)),
    Hostile("claims 5001 by 5000", lambda: claiming(5001, 5000), (ScanTooManyPixels,)),
    _unreadable("claims no width", lambda: claiming(0, 877)),
    _unreadable("claims no height", lambda: claiming(1240, 0)),
    _unreadable("claims more than it has", lambda: claiming(4000, 4000), may_pass=True),
    _unreadable("twelve bits", twelve_bit),
    _unreadable("no Huffman tables", lambda: without_segment(0xC4), may_pass=True),
    _unreadable("no quantisation tables", lambda: without_segment(0xDB)),
    _unreadable("lossless process", lambda: recoded(0xC3)),
    _unreadable("arithmetic process", lambda: recoded(0xC9), may_pass=True),
    _unreadable("hierarchical process", lambda: recoded(0xC5)),
    _unreadable("twenty thousand scans", many_scans),
    Hostile(
        "larger than a passport may be",
        lambda: jpeg() + bytes(2 * MIB),
        (ScanTooLarge,),
        kind=ScanKind.PASSPORT,
    ),
    Hostile("larger than any scan may be", lambda: jpeg() + bytes(5 * MIB), (ScanTooLarge,)),
    _harmless("EXIF with a place", gps_jpeg),
    _harmless("EXIF in a loop", looping_exif),
    _harmless("EXIF with huge counts", greedy_exif),
    _harmless("EXIF with an orientation of 9999", odd_orientation),
    _harmless("comment with a script", lambda: with_segments(segment(0xFE, MARK))),
    _harmless("sixty thousand comments", lambda: with_segments(segment(0xFE, MARK) * 60_000)),
    _harmless(
        "XMP with a script",
        lambda: with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + MARK)),
    ),
    _harmless("colour profile with a script", lambda: jpeg(icc_profile=MARK * 100)),
    _harmless(
        "IPTC with a script", lambda: with_segments(segment(0xED, b"Photoshop 3.0\x008BIM" + MARK))
    ),
    _harmless("thumbnail", lambda: with_segments(segment(0xE0, b"JFXX\0\x10" + MARK))),
    _harmless("several pictures", many_pictures),
    _harmless("archive at the end", lambda: jpeg() + jar()),
    _harmless("page at the end", lambda: jpeg() + b"<html>" + MARK),
    _harmless("server's script at the end", lambda: jpeg() + b"<?php system('id');?>" + MARK),
    _harmless(
        "PDF at the end", lambda: jpeg() + acting(catalog=b"/OpenAction " + JAVASCRIPT) + MARK
    ),
    _harmless("progressive", lambda: jpeg(progressive=True, comment=MARK)),
    _harmless("four inks", lambda: jpeg(paper().convert("CMYK"), comment=MARK)),
    _harmless("gray", lambda: jpeg(paper().convert("L"), comment=MARK)),
)

OTHERS = (
    _foreign("PNG by another name", png),
    _foreign("PNG of 16 bits", deep_png),
    _foreign("PNG of 144 million pixels", png_bomb),
    _foreign("GIF with an archive", gifar),
    _foreign("BMP", lambda: in_format("BMP")),
    _foreign("TIFF", lambda: in_format("TIFF")),
    _foreign("WebP", lambda: in_format("WEBP")),
    _foreign("HEIC", lambda: b"\0\0\0\x18ftypheic" + bytes(100)),
    _foreign("SVG with a script", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'>" + MARK),
    _foreign("page", lambda: b"<!doctype html>" + MARK),
    _foreign("archive", jar),
    _foreign("program", lambda: b"\x7fELF\x02\x01\x01" + bytes(100)),
    _foreign("PostScript", lambda: b"%!PS-Adobe-3.0\n(evil) run"),
    _foreign("zeros", lambda: bytes(1000)),
)

PDFS = (
    _foreign("PDF after a GIF", lambda: b"GIF89a" + scanned_pdf()),
    _foreign("PDF after a page", lambda: b"<html>" + MARK + scanned_pdf()),
    _foreign("PDF after a blank", lambda: b" " + scanned_pdf()),
    _unreadable("PDF magic alone", lambda: b"%PDF-"),
    _unreadable("PDF header and end", lambda: b"%PDF-1.7\n%%EOF\n"),
    _unreadable("PDF of noise", lambda: b"%PDF-1.7\n" + random.Random(21).randbytes(50_000)),
    _unreadable("PDF cut in the middle", cut_pdf),
    _unreadable("PDF without its last kilobyte", lambda: scanned_pdf()[:-1024]),
    _unreadable("long archive after the PDF", lambda: scanned_pdf() + jar() + bytes(5000)),
    _active("script on opening", lambda: acting(catalog=b"/OpenAction " + JAVASCRIPT)),
    _active(
        "launch on opening",
        lambda: acting(catalog=b"/OpenAction << /S /Launch /F (cmd.exe) >>"),
    ),
    _active(
        "a view on opening, then a command",
        lambda: acting(
            catalog=b"/OpenAction << /S /GoTo /D [3 0 R /Fit] /Next 6 0 R >>",
            o6=b"<< /S /Named /N /Print >>",
        ),
    ),
    _active(
        "script among the names",
        lambda: acting(catalog=b"/Names << /JavaScript << /Names [(a) 6 0 R] >> >>", o6=JAVASCRIPT),
    ),
    _active("file deep in a tree of names", in_nested_tree),
    _active("script in an object stream", in_object_stream),
    _active(
        "script by a spelt name",
        lambda: acting(catalog=b"/OpenAction << /S /J#61vaScript /J#53 (1) >>"),
    ),
    _active("script by an update", by_update),
    _active("script of a page", lambda: acting(page=b"/AA << /O " + JAVASCRIPT + b" >>")),
    _active("script of a link", lambda: with_annotation(JAVASCRIPT)),
    _active(
        "script of a field",
        lambda: acting(
            catalog=b"/AcroForm << /Fields [<< /FT /Tx /T (a) /AA << /K 6 0 R >> >>] >>",
            o6=JAVASCRIPT,
        ),
    ),
    _active(
        "script of the outline",
        lambda: acting(
            catalog=b"/Outlines << /First 6 0 R >>", o6=b"<< /Title (a) /A %s >>" % JAVASCRIPT
        ),
    ),
    _active("script nobody refers to", lambda: acting(o9=JAVASCRIPT)),
    _active("launch by a link", lambda: with_annotation(b"<< /S /Launch /F (cmd.exe) >>")),
    _active("form sent away", lambda: with_annotation(b"<< /S /SubmitForm /F (http://a) >>")),
    _active("form filled from outside", lambda: with_annotation(b"<< /S /ImportData /F (a) >>")),
    _active("link into a file", lambda: with_annotation(b"<< /S /GoToR /F (a.pdf) /D [0] >>")),
    _active("link into an attachment", lambda: with_annotation(b"<< /S /GoToE /T << >> >>")),
    _active("film by a link", lambda: with_annotation(b"<< /S /Rendition /OP 0 >>")),
    _active(
        "rich media",
        lambda: acting(page=b"/Annots [<< /Type /Annot /Subtype /RichMedia /Rect [0 0 9 9] >>]"),
    ),
    _active(
        "film",
        lambda: acting(page=b"/Annots [<< /Type /Annot /Subtype /Movie /Rect [0 0 9 9] >>]"),
    ),
    _active(
        "solid body",
        lambda: acting(page=b"/Annots [<< /Type /Annot /Subtype /3D /Rect [0 0 9 9] >>]"),
    ),
    _active("sound", lambda: with_annotation(b"<< /S /Sound /Sound 6 0 R >>")),
    _active("attachment", attached),
    _active("attached file nobody refers to", unreachable_file),
    _active(
        "attachment by an annotation",
        lambda: acting(
            page=b"/Annots [<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /FS "
            b"<< /Type /Filespec /F (a) /EF << /F 6 0 R >> >> >>]",
            o6=stream(MARK),
        ),
    ),
    _active(
        "XFA form",
        lambda: acting(catalog=b"/AcroForm << /Fields [] /XFA 6 0 R >>", o6=stream(MARK)),
    ),
    _active("portfolio", lambda: acting(catalog=b"/Collection << /View /T >>")),
    _active(
        "PostScript inside",
        lambda: acting(o9=stream(b"quit", b"/Type /XObject /Subtype /PS")),
    ),
    _active(
        "stream from another file",
        lambda: acting(o9=stream(b"", b"/F (/etc/passwd) /FFilter /FlateDecode")),
    ),
    Hostile("password", lambda: encrypted("secret", "secret", 4), (ScanEncrypted,)),
    Hostile("password of AES-256", lambda: encrypted("secret", "secret", 6), (ScanEncrypted,)),
    Hostile("owner's password only", lambda: encrypted("", "owner", 6), (ScanEncrypted,)),
    Hostile("twenty-one pages", lambda: scanned_pdf(21), (ScanTooManyPages,)),
    Hostile(
        "ninety thousand pages",
        lambda: repeated_page(90_000),
        (ScanTooManyPages, ScanNotReadable),
    ),
    _unreadable("no pages", without_pages),
    _unreadable("no page tree", lambda: pages(b"null")),
    _unreadable("number for a page tree", lambda: pages(b"17")),
    _unreadable("page tree in a loop", looping_pages),
    _unreadable("page tree of 5000 levels", deep_page_tree, may_pass=True),
    _unreadable("tables in a loop", looping_tables, may_pass=True),
    _unreadable("arrays in arrays", lambda: nested(b"[", b"]", 50_000)),
    _unreadable("dictionaries in dictionaries", lambda: nested(b"<</A ", b">>", 50_000)),
    _unreadable("bomb for a page", content_bomb),
    _unreadable("bomb in a bomb", double_bomb),
    _unreadable("twenty bombs", many_bombs),
    _unreadable("bomb in letters", text_coded_bomb),
    _unreadable("bomb of runs", run_length_bomb),
    _unreadable("bomb in an object stream", bomb_in_object_stream),
    _unreadable("fifty filters", many_filters),
    _unreadable("ten to the ninth forms", laughing_forms),
    _unreadable("form that draws itself", self_drawing_form, may_pass=True),
    _unreadable("finest of patterns", fine_pattern, may_pass=True),
    _unreadable("two million rectangles", many_marks, may_pass=True),
    _unreadable("ten million open states", unclosed_states, may_pass=True),
    _unreadable("page of a million miles", lambda: with_box(b"[0 0 1e30 1e30]"), may_pass=True),
    _unreadable("page of no size", lambda: with_box(b"[0 0 0 0]"), may_pass=True),
    _unreadable("page thin as a hair", lambda: with_box(b"[0 0 100000 0.001]"), may_pass=True),
    _unreadable("page of words", lambda: with_box(b"[(a) (b) /c null]"), may_pass=True),
    _unreadable("broken font", broken_font, may_pass=True),
    _unreadable("font that draws itself", self_drawing_font, may_pass=True),
    _unreadable("broken JPEG inside", lambda: broken_picture("DCTDecode")),
    _unreadable("broken JPEG 2000 inside", lambda: broken_picture("JPXDecode"), may_pass=True),
    _unreadable("broken JBIG2 inside", lambda: broken_picture("JBIG2Decode"), may_pass=True),
    _unreadable("broken fax inside", lambda: broken_picture("CCITTFaxDecode"), may_pass=True),
    _unreadable("unknown filter", lambda: broken_picture("Nonsense")),
    Hostile("picture of 60000 by 60000", huge_picture, (ScanTooManyPixels,)),
    Hostile("huge JPEG in a small frame", small_claim_of_huge_jpeg, (ScanTooManyPixels,)),
    Hostile("huge JPEG 2000 in a small frame", small_claim_of_huge_jpeg2000, (ScanTooManyPixels,)),
    _unreadable("field without a look", empty_form),
    _unreadable("stream as long as itself", self_measured_stream, may_pass=True),
    _unreadable("stream that filters itself", self_filtered_stream),
    _unreadable("length beyond the file", lying_length),
    _unreadable("object far outside", wandering_object, may_pass=True),
    _unreadable("ninety thousand objects", many_objects, may_pass=True),
    _harmless("resources in a loop", looping_resources),
    _harmless("short archive after the PDF", lambda: scanned_pdf() + jar()),
    _harmless("page in the header", html_header),
    _harmless("script between objects", script_between_objects),
    _harmless("link to a site", link_to_site),
    _harmless("hidden layer", hidden_layer),
    _harmless("metadata everywhere", described_picture),
    _harmless("comment of a picture", commented_picture),
    _harmless("comment of a wrapped picture", wrapped_picture),
    _harmless("box of a picture", boxed_picture),
)

HOSTILE = (*JPEGS, *OTHERS, *PDFS)
