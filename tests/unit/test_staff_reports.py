"""Counting the staff, and where the marks of the charts stand."""

from __future__ import annotations

from datetime import date

import pytest

from emk_app.domain.employing import Light
from emk_app.domain.staff_reports import (
    Cell,
    Tally,
    due_by_month,
    folded,
    month_starts,
    tallied,
)
from emk_app.presenting import charts


def cell(department: str, light: Light, people: int, due: int | None = None) -> Cell:
    return Cell(department, "", light, due, 0, people)


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 11, 26), date(2026, 11, 1), date(2027, 11, 1)),
        (date(2026, 1, 31), date(2026, 1, 1), date(2027, 1, 1)),
        (date(2026, 12, 31), date(2026, 12, 1), date(2027, 12, 1)),
    ],
)
def test_twelve_months_begin_with_the_present_one(today: date, first: date, last: date):
    starts = month_starts(today)
    assert (starts[0], starts[-1], len(starts)) == (first, last, 13)
    assert all(each.day == 1 for each in starts)


def test_greatest_is_named_first_and_the_unnamed_last():
    cells = [
        cell("", Light.GREEN, 90),
        cell("Зал", Light.RED, 1),
        cell("Бар", Light.GREY, 1),
        cell("Кухня", Light.YELLOW, 3),
        cell("Кухня", Light.RED, 2),
    ]
    found = tallied(cells, lambda each: each.department)
    assert list(found) == ["Кухня", "Бар", "Зал", ""]
    assert (found["Кухня"].people, found["Кухня"].in_date, found["Кухня"].share) == (5, 3, 60)
    kept, rest = folded(found, 3)
    assert list(kept) == ["Кухня", "Бар", "Зал"]
    assert [each.people for each in rest] == [90]


def test_share_is_whole_only_where_all_are_in_date():
    tally = Tally()
    assert tally.share == 0
    tally.add(cell("", Light.GREEN, 999))
    tally.add(cell("", Light.RED, 1))
    assert tally.share == 99


def test_only_terms_of_those_who_may_work_end():
    cells = [
        cell("", Light.GREEN, 4, 11),
        cell("", Light.YELLOW, 2, 0),
        cell("", Light.RED, 8, 0),
        cell("", Light.GREY, 8, 3),
        cell("", Light.GREEN, 16),
    ]
    assert due_by_month(cells) == [2, *[0] * 10, 4]


def test_columns_stand_on_one_floor_and_what_is_little_is_seen():
    none, one, most = charts.columns([("янв", 0), ("фев", 1), ("мар", 10_000)])
    assert (none.height, none.number) == ("0", "")
    assert (one.height, one.number) == ("2", "1")
    for mark in (none, one, most):
        assert int(mark.y) + int(mark.height) == 172
    assert float(most.x.rstrip("%")) + float(most.width.rstrip("%")) < 100
    assert charts.columns([]) == []


def test_parts_fill_the_bar_and_a_long_name_is_cut():
    height, (mark, empty) = charts.shares(
        {"Ж" * 60: ("50 %", {"success": 1, "waiting": 0, "danger": 1}), "Пусто": ("0 %", {})}
    )
    assert height == "100"
    assert len(mark.label) == 42
    assert [(part.tone, part.x, part.width) for part in mark.parts] == [
        ("success", "0.00%", "50.00%"),
        ("danger", "50.00%", "50.00%"),
    ]
    assert empty.parts == []
