"""A file of staff: columns by many names, wrong lines, and tables as programs write them."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook

from emk_app.domain import enlisting
from emk_app.domain.employing import LABEL_LIMIT
from emk_app.domain.enlisting import (
    ROW_LIMIT,
    SIZE_LIMIT,
    Column,
    NoColumns,
    NoRows,
    NotATable,
    Outcome,
    Repeated,
    Row,
    TooManyRows,
)
from emk_app.domain.errors import Required, TooLong
from emk_app.presenting import enlisting as words
from emk_app.presenting.texts import sentence
from emk_app.storage import workbooks

HEADS = ["ФИО", "№ книжки", "СНИЛС", "Таб. №", "Отдел", "Должность"]
LINE = ["Иванова М.", "77-01-000123-26", "112-233-445 95", "17", "Кухня", "Повар"]


def workbook(*lines: list[object]) -> bytes:
    book = Workbook()
    for line in lines:
        book.worksheets[0].append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_columns_are_known_by_the_names_that_people_use():
    (row,) = enlisting.read([[], HEADS, LINE, ["", ""]])
    assert row == Row(
        3, "Иванова М.", "77-01-000123-26", "112-233-445 95", "", "17", "Кухня", "Повар"
    )
    (checked,) = enlisting.check([row])
    assert (checked.problems, checked.occupation) == ({}, "cook")


@pytest.mark.parametrize("column", Column)
def test_sample_reads_as_what_it_names(column: Column):
    line = ["x" if each is column else "" for each in enlisting.HEADINGS]
    (row,) = enlisting.read([words.SAMPLE_HEADS, line])
    assert getattr(row, column.value) == "x"


def test_link_stands_for_number_and_snils():
    (row,) = enlisting.read([["Сотрудник", "Ссылка"], ["Анна", "https://emk.example/v/x"]])
    assert enlisting.check([row])[0].problems == {}


def test_missing_columns_are_named():
    with pytest.raises(NoColumns) as refused:
        enlisting.read([["ФИО", "Оклад"], ["Анна", "1"]])
    assert refused.value.missing == (Column.NUMBER, Column.SNILS)
    assert "столбцов «Номер книжки» и «СНИЛС»" in sentence(refused.value)
    with pytest.raises(NoColumns):
        enlisting.read([["Ссылка"], ["x"]])


def test_nothing_and_too_much_are_refused():
    for table in ([], [[""]], [HEADS], [HEADS, ["", " "]]):
        with pytest.raises(NoRows):
            enlisting.read(table)
    with pytest.raises(TooManyRows):
        enlisting.read([HEADS, *[LINE] * (ROW_LIMIT + 1)])


def test_everything_wrong_with_a_line_is_told():
    rows = [Row(2, label="", number="1", snils="112-233-445 96"), Row(3, label="Я" * 300)]
    first, second = enlisting.check(rows)
    assert set(first.problems) == {"label", "number", "snils"}
    assert isinstance(first.problems["label"], Required)
    assert isinstance(second.problems["label"], TooLong)
    assert second.problems["label"].limit == LABEL_LIMIT


def test_same_book_twice_is_wrong_the_second_time():
    rows = enlisting.read([HEADS, LINE, [LINE[0], "770100012326", *LINE[2:]]])
    first, second = enlisting.check(rows)
    assert first.problems == {}
    assert isinstance(second.problems["number"], Repeated)
    assert second.problems["number"].line == 2


def test_zeros_that_a_spreadsheet_took_are_given_back():
    (row,) = enlisting.read([HEADS, ["Анна", "10100012326", "123456789", "", "", ""]])
    assert (row.number, row.snils) == ("010100012326", "00123456789")


@pytest.mark.parametrize(
    ("said", "code"),
    [("повар", "cook"), ("Кондитер", "cook"), ("cook", "cook"), ("уборщица", ""), ("", "")],
)
def test_occupation_is_found_by_one_of_its_names(said: str, code: str):
    assert enlisting.occupation_in(said) == code


def test_every_outcome_has_its_words():
    assert set(words.OUTCOMES) == set(Outcome)


def test_csv_is_read_in_the_alphabets_and_with_the_signs_that_programs_write():
    for between in ";,\t":
        text = "\r\n".join(between.join(line) for line in (HEADS, LINE))
        for coding in ("utf-8", "utf-8-sig", "cp1251", "utf-16"):
            assert workbooks.read(text.encode(coding)) == [HEADS, LINE]


def test_workbook_is_read_as_it_was_typed():
    read = workbooks.read(
        workbook(list(HEADS), ["Анна", 770100012326, 11223344595.0, None, "=1+1"])
    )
    assert read == [HEADS, ["Анна", "770100012326", "11223344595"]]


def test_what_is_no_table_is_refused():
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(["a"]))) as good,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for name in good.namelist():
            is_sheet = name.endswith("sheet1.xml")
            bad.writestr(name, b" " * 700_000_000 if is_sheet else good.read(name))
    for content in (
        b"",
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0old",
        b"a\0b",
        b"x" * (SIZE_LIMIT + 1),
        bomb.getvalue(),
    ):
        with pytest.raises(NotATable):
            workbooks.read(content)
