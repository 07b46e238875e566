"""Reads a stranger's table into lines of text: CSV, or a workbook in a confined child.

Formulas are never computed: of a cell the last value that the spreadsheet stored is read.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import islice
from threading import BoundedSemaphore
from typing import Any, Final, cast

from emk_app.domain.enlisting import CELL_LIMIT, COLUMN_LIMIT, ROW_LIMIT, SIZE_LIMIT, NotATable
from emk_app.storage import children, confinement
from emk_app.storage.errors import ScanCheckUnavailable

PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); from emk_app.storage.workbooks import main; main()"
)
WALL_SECONDS: Final = 10.0
CHILDREN: Final = 2
"""At once in this process."""
WAIT_SECONDS: Final = 15.0
LINES: Final = ROW_LIMIT + 50
"""Lines that are read: those that may be, some blank ones, and enough to see that it is more."""

_MAX_ANSWER: Final = 16 * 1024 * 1024
_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_turns = BoundedSemaphore(CHILDREN)


def read(content: bytes) -> list[list[str]]:
    """Return the lines of the first sheet as text; raise ``NotATable``.

    Raises ``ScanCheckUnavailable`` if no child was free in time. Not for the event loop.
    """
    if not 0 < len(content) <= SIZE_LIMIT or content.startswith(_OLD_EXCEL):
        raise NotATable
    return _from_workbook(content) if content.startswith(_ZIP) else _from_text(content)


def _from_text(content: bytes) -> list[list[str]]:
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotATable
    try:
        text = _decoded(content)
        first = next((line for line in text.splitlines() if line.strip()), "")
        between = max(";\t,", key=first.count)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=between)
        return _bounded(lines)
    except (UnicodeDecodeError, csv.Error):
        raise NotATable from None


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel calls «CSV» in a Russian Windows.
        return content.decode("cp1251")


def _from_workbook(content: bytes) -> list[list[str]]:
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise ScanCheckUnavailable
    try:
        answer = children.ask(PROGRAM, content, longest=_MAX_ANSWER, wall_seconds=WALL_SECONDS)
    except children.ChildFailed:
        raise NotATable from None
    finally:
        _turns.release()
    if not answer.startswith(b"+"):
        raise NotATable
    said = json.loads(answer[1:])
    if not isinstance(said, list):
        raise NotATable
    return _bounded(said)


def _bounded(lines: Iterable[Sequence[Any]]) -> list[list[str]]:
    return [
        [str(cell)[: CELL_LIMIT + 1] for cell in line[:COLUMN_LIMIT]]
        for line in islice(lines, LINES)
    ]


def main() -> None:
    """Lock oneself in and answer; for the child."""
    confinement.limit()
    # openpyxl takes numpy along where it finds it, which starts threads that could not be confined.
    sys.modules["numpy"] = cast("Any", None)
    warnings.simplefilter("ignore")
    # What is imported on first use can't be once the process is sealed off.
    _lines(_sample())
    confinement.seal_off()
    content = children.read_question()
    try:
        said = json.dumps(_bounded(_lines(content)), ensure_ascii=False)
    except BaseException:
        # Broken and hostile files end in errors of every kind; each means the same.
        children.say_and_end(b"-")
        return
    children.say_and_end(b"+" + said.encode("utf-8", "replace"))


def _sample() -> bytes:
    """Return a small workbook; openpyxl would need a file to write one, which the child may not."""
    office = "http://schemas.openxmlformats.org"
    sheet = f'xmlns="{office}/spreadsheetml/2006/main"'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    related = f"{office}/officeDocument/2006/relationships"
    cells = '<c r="A1" t="inlineStr"><is><t>x</t></is></c><c r="B1"><v>1.5</v></c>'
    dated = '<c r="C1" s="1"><v>46000</v></c><c r="D1" t="s"><v>0</v></c>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">'
        + "".join(
            f'<Override PartName="/xl/{name}.xml" ContentType="{kind}.{what}+xml"/>'
            for name, what in (
                ("workbook", "sheet.main"),
                ("worksheets/sheet1", "worksheet"),
                ("styles", "styles"),
                ("sharedStrings", "sharedStrings"),
            )
        )
        + "</Types>",
        "xl/workbook.xml": f'<workbook {sheet} xmlns:r="{related}"><sheets>'
        '<sheet name="x" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{office}/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{related}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/styles.xml": f"<styleSheet {sheet}><fonts><font/></fonts>"
        "<fills><fill><patternFill/></fill></fills><borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs>"
        '<cellXfs><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f"<sst {sheet}><si><t>y</t></si></sst>",
        "xl/worksheets/sheet1.xml": f'<worksheet {sheet}><sheetData><row r="1">{cells}{dated}</row>'
        "</sheetData></worksheet>",
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return made.getvalue()


def _lines(content: bytes) -> list[list[str]]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    sheet = book.worksheets[0]
    # What a file says of its own size is not believed, nor kept.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_row=LINES, max_col=COLUMN_LIMIT, values_only=True)
    return [_trimmed([_text(cell) for cell in row]) for row in rows]


def _trimmed(cells: list[str]) -> list[str]:
    """Return the cells up to the last that says something."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _text(cell: object) -> str:
    """Return a cell as it was meant: a number that was typed has no «.0»."""
    match cell:
        case None:
            return ""
        case datetime() | date():
            return cell.strftime("%d.%m.%Y")
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case _:
            return str(cell)
