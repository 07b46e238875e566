"""The employer's list as a file: CSV for anything, XLSX for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from emk_app.presenting.employing import staff_row
from emk_app.presenting.enlisting import RESULT_HEADS, SAMPLE_HEADS, result_line
from emk_app.presenting.formats import day
from emk_app.services.employing import StaffView
from emk_app.services.enlisting import LineView

BOM: Final = "\ufeff"
"""Without it Excel takes the letters for another alphabet's."""
HEADS: Final = (
    *("Сотрудник", "Табельный номер", "Подразделение", "Работа на этом месте"),
    *("Имя в книжке", "Для какой работы книжка", "Допуск", "Действует по", "Осталось дней"),
    *("Доступ", "Проверено"),
)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula (CWE-1236)."""


def csv_pieces(pieces: Iterable[tuple[StaffView, ...]]) -> Iterator[bytes]:
    """Write the list with semicolons, as Russian spreadsheets expect; piece by piece."""
    yield (BOM + _written([HEADS])).encode()
    for views in pieces:
        yield _written(line(view) for view in views).encode()


def xlsx(pieces: Iterable[tuple[StaffView, ...]]) -> bytes:
    """Write the list as a workbook; dates and numbers are dates and numbers."""
    return _workbook(HEADS, (line(view) for views in pieces for view in views))


def result_csv(lines: Iterable[LineView]) -> bytes:
    """Write what became of a file's lines, as ``csv_pieces`` writes the list."""
    return (BOM + _written([RESULT_HEADS, *map(result_line, lines)])).encode()


def result_xlsx(lines: Iterable[LineView]) -> bytes:
    """Write what became of a file's lines as a workbook."""
    return _workbook(RESULT_HEADS, map(result_line, lines))


def sample() -> bytes:
    """Write an empty workbook with the headings that are known."""
    return _workbook(SAMPLE_HEADS, ())


def line(view: StaffView) -> list[object]:
    """Return one line of the list in the order of ``HEADS``."""
    row = staff_row(view)
    left = "" if view.days_left is None else view.days_left
    return [
        *(row.label, row.tab_number, row.department, row.occupation),
        *(row.name, row.group, row.state, view.ends_on or "", left),
        *(row.how, row.checked),
    ]


def harmless(text: str) -> str:
    """Return the text so that no spreadsheet runs it; numbers below zero stay numbers."""
    is_number = text.removeprefix("-").isdigit()
    return f"'{text}" if text.startswith(FORMULA) and not is_number else text


def _written(lines: Iterable[Iterable[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerows([harmless(_text(each)) for each in line] for line in lines)
    return file.getvalue()


def _text(value: object) -> str:
    return day(value) if isinstance(value, date) else str(value)


def _workbook(heads: Iterable[str], lines: Iterable[Iterable[object]]) -> bytes:
    # Takes a quarter of a second to import.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Сотрудники")
    sheet.freeze_panes = "A2"
    cells = [WriteOnlyCell(sheet, value=text) for text in heads]
    for cell in cells:
        cell.font = Font(bold=True)
    sheet.append(cells)
    for line in lines:
        sheet.append([harmless(each) if isinstance(each, str) else each for each in line])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
