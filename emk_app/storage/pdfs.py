"""PDF files inside the sandbox: searched for what acts, rebuilt from their pages, drawn.

The rebuilt file keeps the pages' own marks, fonts and pictures instead of a photograph of them: the
automatic checks read the text, and a second compression would cost legibility. Everything that
belongs to the document and not to a page (catalogue, names, forms, outline, metadata, signatures,
layers) is left behind, because only a page's allowed entries are copied; annotations and filled
fields are first drawn into the page. A file in a stranger's format is still nothing to open
unasked: screens show pages drawn by ``render``, and the file itself goes out only as a download.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import Any, Final

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name, Pdf, Stream
from PIL import Image
from pypdfium2 import raw as pdfium

from emk_app.domain.documents import (
    MAX_PAGES,
    ScanActiveContent,
    ScanEncrypted,
    ScanNotReadable,
    check_pages,
    check_pixels,
)
from emk_app.storage.segments import bare_jpeg, bare_jpeg2000, jpeg2000_size, jpeg_size

FORBIDDEN: Final = frozenset(
    (
        "/JS",
        "/JavaScript",
        "/AA",
        "/Launch",
        "/EF",
        "/EmbeddedFile",
        "/EmbeddedFiles",
        "/FileAttachment",
        "/RichMedia",
        "/RichMediaContent",
        "/RichMediaExecute",
        "/XFA",
        "/SubmitForm",
        "/ImportData",
        "/GoToR",
        "/GoToE",
        "/Rendition",
        "/Movie",
        "/Sound",
        "/3D",
        "/PS",
        "/Collection",
    )
)
"""Names that act or carry other files; as keys, and as values of the keys below (security.md 5)."""

_TELLING: Final = frozenset(("/S", "/Type", "/Subtype", "/Subtype2", "/FT"))

_PAGE_ENTRIES: Final = frozenset(
    (
        "/Type",
        "/MediaBox",
        "/CropBox",
        "/Rotate",
        "/UserUnit",
        "/Resources",
        "/Contents",
        "/Group",
        "/Parent",
    )
)
_DROPPED: Final = frozenset(
    (
        "/Metadata",
        "/PieceInfo",
        "/LastModified",
        "/AF",
        "/Thumb",
        "/OPI",
        "/Ref",
        "/Alternates",
        "/Measure",
        "/PtData",
        "/Annots",
        "/A",
        "/OC",
        "/StructParent",
        "/StructParents",
    )
)
"""Entries of things on a page that say nothing about how it looks; hidden layers become visible."""

_PICTURE_FILTERS: Final = frozenset(("/DCTDecode", "/JPXDecode", "/CCITTFaxDecode", "/JBIG2Decode"))

_MAX_VALUES: Final = 400_000
_MAX_STREAM: Final = 96 * 1024 * 1024
"""Bytes of one unpacked stream: 25 million pixels of RGB and some."""
_MAX_UNPACKED: Final = 512 * 1024 * 1024
"""Bytes of all streams unpacked: twenty A4 pages of colour at 300 dots an inch."""

_POINTS_PER_INCH: Final = 72
_VECTOR_DPI: Final = 150
"""What a page without pictures counts as: sharp at any size, measured as a good scan."""
_MAX_PICTURES: Final = 2000
_MAX_TEXT: Final = 20_000
"""Characters of a page's text that are looked at."""


def warm_up() -> None:
    """Start the libraries and let them import what they import on first use."""
    pikepdf.settings.set_qpdf_limits(
        parser_max_nesting=100,
        parser_max_container_size=100_000,
        doc_max_warnings=100,
        max_stream_filters=4,
        flate_max_memory=_MAX_STREAM,
        run_length_max_memory=_MAX_STREAM,
        png_max_memory=_MAX_STREAM,
        tiff_max_memory=_MAX_STREAM,
    )
    with Pdf.new() as sample:
        sample.add_blank_page(page_size=(72, 72))
        draw(_saved(sample), 0, 8)
        # Python finds the encoding of pdfium's texts among its files.
        codecs.lookup("utf-16-le")
        # Opening an encrypted file takes randomness, whose source must be open by then.
        file = BytesIO()
        sample.save(file, encryption=pikepdf.Encryption(owner="owner", user="", R=6))
    pikepdf.open(file).close()


def rebuild(content: bytes) -> tuple[bytes, int]:
    """Return the cleaned file and the number of its pages.

    Raises ``ScanEncrypted``, ``ScanActiveContent``, ``ScanTooManyPages``, ``ScanTooManyPixels``,
    ``ScanNotReadable``; whatever pikepdf raises means that the file can't be read. A damaged file
    is refused and not repaired: a guess about a paper may differ from what its holder saw.
    """
    try:
        source = pikepdf.open(BytesIO(content), attempt_recovery=False)
    except pikepdf.PasswordError:
        raise ScanEncrypted from None
    with source, Pdf.new() as clean:
        if source.is_encrypted:
            raise ScanEncrypted
        _refuse_active(source)
        check_pages(len(source.pages))
        _draw_in_annotations(source)
        for page in source.pages:
            _keep_only(page.obj, _PAGE_ENTRIES)
            clean.pages.append(page)
        _strip(clean)
        return _saved(clean), len(clean.pages)


def draw(content: bytes, index: int, longest: int) -> Image.Image:
    """Return a page as a picture whose longer side is ``longest`` pixels.

    ``index`` counts from 0; raises ``IndexError`` if there is no such page.
    """
    with pypdfium2.PdfDocument(content) as document:
        page = _page(document, index)
        width, height = page.get_size()
        if not (width > 0 and height > 0):
            raise ScanNotReadable
        # The page is drawn one pixel short, because pdfium rounds each side up.
        scale = max(1, longest - 1) / max(width, height)
        bitmap = page.render(scale=scale, may_draw_forms=False, draw_annots=False)
        return bitmap.to_pil().convert("RGB")


def text(content: bytes, index: int) -> tuple[int, tuple[str, ...]]:
    """Return how many pages there are, and the rows of text of one (from 0), as far as it has any.

    Raises ``IndexError`` if there is no such page.
    """
    with pypdfium2.PdfDocument(content) as document:
        page = _page(document, index)
        layer = page.get_textpage()
        said = layer.get_text_range(count=min(_MAX_TEXT, layer.count_chars()))
        return len(document), tuple(said.splitlines())


def size_in_pixels(content: bytes, index: int = 0) -> tuple[int, int]:
    """Return width and height of the pictures on a page, together, at their own resolution.

    A scanner's strips count as one picture. A page with no picture, or with small ones beside its
    text, counts as drawn at 150 dots an inch.
    """
    with pypdfium2.PdfDocument(content) as document:
        page = _page(document, index)
        width, height = page.get_size()
        boxes: list[tuple[float, float, float, float]] = []
        sharpest = 0.0
        pictures = page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,))
        for picture in islice(pictures, _MAX_PICTURES):
            assert isinstance(picture, pypdfium2.PdfImage)
            box = picture.get_bounds()
            across, down = picture.get_px_size()
            shown = (box[2] - box[0], box[3] - box[1])
            if min(shown) <= 0:
                continue
            boxes.append(box)
            # Not the width alone: a picture may lie on its side.
            sharpest = max(sharpest, (across * down / (shown[0] * shown[1])) ** 0.5)
        left = max(0.0, min((box[0] for box in boxes), default=0))
        bottom = max(0.0, min((box[1] for box in boxes), default=0))
        covered_width = min(width, max((box[2] for box in boxes), default=0)) - left
        covered_height = min(height, max((box[3] for box in boxes), default=0)) - bottom
        is_text = bool(page.get_textpage().count_chars())
        covers_half = covered_width * covered_height >= width * height / 2
        if boxes and min(covered_width, covered_height) > 0 and (covers_half or not is_text):
            return max(1, round(covered_width * sharpest)), max(1, round(covered_height * sharpest))
        dots = _VECTOR_DPI / _POINTS_PER_INCH
        return max(1, round(width * dots)), max(1, round(height * dots))


def _page(document: pypdfium2.PdfDocument, index: int) -> pypdfium2.PdfPage:
    if not 0 <= index < min(len(document), MAX_PAGES):
        raise IndexError(index)
    return document[index]


def _refuse_active(source: Pdf) -> None:
    """Look at every value of the file, reachable or not, direct or not."""
    for value in _containers(source):
        if not isinstance(value, (Dictionary, Stream)):
            continue
        if isinstance(value, Stream) and ("/F" in value or "/FFilter" in value):
            # The bytes of the stream would come from another file.
            raise ScanActiveContent
        for key, entry in value.items():
            if key in FORBIDDEN:
                raise ScanActiveContent
            if key in _TELLING and isinstance(entry, Name) and str(entry) in FORBIDDEN:
                raise ScanActiveContent
            if key == "/OpenAction" and not _is_destination(entry):
                raise ScanActiveContent
        if value.get("/Subtype") == Name.Image:
            check_pixels(_number(value.get("/Width")), _number(value.get("/Height")))


def _is_destination(entry: Any) -> bool:
    """Whether opening only goes to a page: many programs write that, and it is left behind."""
    if isinstance(entry, Dictionary):
        return entry.get("/S") == Name.GoTo and "/Next" not in entry
    return isinstance(entry, Array)


def _containers(pdf: Pdf) -> Iterator[Any]:
    """Yield every dictionary, stream and array of the file once."""
    seen = 0
    todo: list[Any] = [pdf.trailer, *pdf.objects]
    while todo:
        value = todo.pop()
        seen += 1
        if seen > _MAX_VALUES:
            raise ScanNotReadable
        if isinstance(value, (Dictionary, Stream)):
            yield value
            children = [entry for _, entry in value.items()]
        elif isinstance(value, Array):
            yield value
            children = list(value)
        else:
            continue
        # An indirect value is among pdf.objects already; and only direct ones can't form a loop.
        todo += [
            child
            for child in children
            if isinstance(child, (Dictionary, Array)) and not child.is_indirect
        ]


def _draw_in_annotations(source: Pdf) -> None:
    """Make the looks of annotations and filled fields part of their pages.

    Raises ``ScanNotReadable`` if a filled field has no look of its own: it would vanish.
    """
    for page in source.pages:
        annotations = page.obj.get("/Annots")
        if annotations is None:
            continue
        if not isinstance(annotations, Array):
            raise ScanNotReadable
        for annotation in annotations:
            if not isinstance(annotation, Dictionary):
                raise ScanNotReadable
            is_filled = annotation.get("/FT") == Name.Tx and bool(str(annotation.get("/V", "")))
            if is_filled and "/AP" not in annotation:
                raise ScanNotReadable
    form = source.Root.get("/AcroForm")
    if isinstance(form, Dictionary) and "/NeedAppearances" in form:
        del form["/NeedAppearances"]
    source.flatten_annotations("screen")


def _keep_only(page: Any, kept: frozenset[str]) -> None:
    for key in list(page.keys()):
        if key not in kept:
            del page[key]


def _strip(clean: Pdf) -> None:
    """Drop what does not show, and make sure that every stream unpacks within bounds."""
    unpacked = 0
    for value in _containers(clean):
        if not isinstance(value, (Dictionary, Stream)):
            continue
        for key in [key for key in value.keys() if key in _DROPPED]:  # noqa: SIM118
            del value[key]
        if isinstance(value, Stream):
            unpacked += _check_stream(clean, value)
            if unpacked > _MAX_UNPACKED:
                raise ScanNotReadable


def _check_stream(clean: Pdf, stream: Any) -> int:
    """Return how many bytes the stream unpacks to, pictures in formats of their own as they are."""
    filters = _as_list(stream.get("/Filter"))
    last = str(filters[-1]) if filters else ""
    if last not in _PICTURE_FILTERS:
        return len(stream.read_bytes(pikepdf.StreamDecodeLevel.specialized))
    packed = stream.read_raw_bytes()
    parameters = _as_list(stream.get("/DecodeParms"))
    inner = parameters[-1] if len(parameters) == len(filters) else None
    picture = packed
    if len(filters) > 1:
        outer = clean.make_stream(packed, Filter=Array(filters[:-1]))
        if len(parameters) == len(filters):
            outer.DecodeParms = Array(parameters[:-1])
        picture = outer.read_bytes(pikepdf.StreamDecodeLevel.specialized)
    if last == "/DCTDecode":
        check_pixels(*jpeg_size(picture))
        picture = bare_jpeg(picture)
    elif last == "/JPXDecode":
        check_pixels(*jpeg2000_size(picture))
        picture = bare_jpeg2000(picture)
    if picture != packed:
        stream.write(
            picture,
            filter=Name(last),
            decode_parms=inner if isinstance(inner, Dictionary) else None,
        )
    return len(picture)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Array) else [value]


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _saved(pdf: Pdf) -> bytes:
    file = BytesIO()
    pdf.save(
        file,
        min_version="1.7",
        preserve_pdfa=False,
        fix_metadata_version=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        deterministic_id=True,
    )
    return file.getvalue()
