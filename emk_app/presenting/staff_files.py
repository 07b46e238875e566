"""The employer's list as a file: CSV for anything, XLSX for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font

from emk_app.presenting.employing import staff_row
from emk_app.services.employing import StaffView

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
        yield _written([[harmless(str(value)) for value in line(view)] for view in views]).encode()


def xlsx(pieces: Iterable[tuple[StaffView, ...]]) -> bytes:
    """Write the list as a workbook; dates and numbers are dates and numbers."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Сотрудники")
    sheet.freeze_panes = "A2"
    heads: list[Cell] = []
    for text in HEADS:
        cell = WriteOnlyCell(sheet, value=text)
        cell.font = Font(bold=True)
        heads.append(cell)
    sheet.append(heads)
    for views in pieces:
        for view in views:
            said = line(view)
            said[7] = view.ends_on or ""
            said[8] = view.days_left if view.days_left is not None else ""
            sheet.append([harmless(each) if isinstance(each, str) else each for each in said])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def line(view: StaffView) -> list[object]:
    """Return one line of the list in the order of ``HEADS``."""
    row = staff_row(view)
    left = "" if view.days_left is None else str(view.days_left)
    return [
        *(row.label, row.tab_number, row.department, row.occupation),
        *(row.name, row.group, row.state, row.until.removeprefix("по "), left),
        *(row.how, row.checked),
    ]


def harmless(text: str) -> str:
    """Return the text so that no spreadsheet runs it; numbers below zero stay numbers."""
    is_number = text.removeprefix("-").isdigit()
    return f"'{text}" if text.startswith(FORMULA) and not is_number else text


def _written(lines: Iterable[Iterable[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=";", lineterminator="\r\n").writerows(lines)
    return file.getvalue()
