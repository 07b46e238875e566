"""Every occupation, age edge and sex against expectations written by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from emk_app.domain.examinations import ORDER, ExaminationKind, programme
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.domain.people import Sex
from emk_app.domain.refdata import Span, load, span

Studies = list[tuple[str, int | None]]

ON = date(2026, 11, 25)


def read() -> dict[str, list[str]]:
    """Return the lines of each section of the file."""
    sections: dict[str, list[str]] = {}
    name = ""
    for line in Path("tests/vectors/programmes.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif line and name:
            sections.setdefault(name, []).append(line)
    return sections


def studies(text: str) -> Studies:
    pairs = (each.split() for each in text.split(","))
    return [(code, None if months == "once" else int(months)) for code, months in pairs]


EXPECTED = read()
GUIDE = studies(EXPECTED["guide"][0])
POINTS = {line[:2]: studies(line.partition(":")[2]) for line in EXPECTED["points"]}
WORKS = dict(line.split() for line in EXPECTED["occupations"])
PEOPLE = {
    (int(who.split()[0]), Sex(who.split()[1])): studies(asked)
    for who, _, asked in (line.partition(":") for line in EXPECTED["general"])
}


def test_the_file_knows_every_occupation_and_no_other():
    assert {code: work.point for code, work in OCCUPATIONS.items()} == WORKS


@pytest.mark.parametrize("code", WORKS)
@pytest.mark.parametrize(("age", "sex"), PEOPLE)
def test_programme_is_the_one_written_by_hand(code: str, age: int, sex: Sex):
    point = OCCUPATIONS[code].point
    hired = programme(point, age, sex, ExaminationKind.PRE_PLACEMENT, ON)
    expected = [*GUIDE, *PEOPLE[age, sex], *POINTS[WORKS[code]]]
    assert [(each.code, each.period_months) for each in hired] == expected
    assert all(each.required for each in hired)
    later = programme(point, age, sex, ExaminationKind.PERIODIC, ON)
    assert [(each.code, each.required) for each in later] == [
        (study, months is not None) for study, months in expected
    ]


def test_row_counts_on_its_first_and_last_day_and_on_no_other_side():
    days = span({"valid_from": "2025-03-01", "valid_to": "2025-08-31"}, ORDER)
    inside = (date(2025, 3, 1), date(2025, 6, 1), date(2025, 8, 31))
    outside = (date(2025, 2, 28), date(2025, 9, 1), date(2021, 4, 1))
    assert all(days.holds(each) for each in inside)
    assert not any(days.holds(each) for each in outside)


def test_row_without_days_has_those_of_its_table():
    assert span({}, ORDER) == ORDER == Span(date(2021, 4, 1), date(2027, 3, 31))
    assert span({"valid_from": "2025-03-01"}, ORDER) == Span(date(2025, 3, 1), ORDER.last)


def test_every_row_of_the_table_is_in_force_within_the_order():
    table = load("programme")
    rows = [row for name in ("general", "own", "hygiene") for row in table[name]]
    rows += [row for point in load("work_points")["points"] for row in point["requirements"]]
    assert len(rows) > 50
    for row in rows:
        days = span(row, ORDER)
        assert ORDER.holds(days.first), row
        assert days.last is None or ORDER.holds(days.last), row


@pytest.mark.parametrize("on", [date(2020, 1, 1), date(2027, 4, 1), date(2040, 1, 1)])
def test_nobody_goes_unexamined_because_a_table_has_ended(on: date):
    asked = programme("23", 30, Sex.MALE, ExaminationKind.PRE_PLACEMENT, on)
    assert asked == programme("23", 30, Sex.MALE, ExaminationKind.PRE_PLACEMENT, ON)


def test_study_that_an_order_brings_later_is_asked_from_that_day_on(
    monkeypatch: pytest.MonkeyPatch,
):
    from emk_app.domain import examinations

    table = {**examinations._TABLE}
    table["general"] = [
        row | {"valid_from": "2025-03-01"} if row["code"] == "ecg" else row
        for row in table["general"]
    ]
    monkeypatch.setattr(examinations, "_TABLE", table)

    def codes(on: date) -> list[str]:
        made = programme("23", 30, Sex.MALE, ExaminationKind.PRE_PLACEMENT, on)
        return [each.code for each in made]

    assert "ecg" not in codes(date(2025, 2, 28))
    assert "ecg" in codes(date(2025, 3, 1))
    assert codes(date(2025, 2, 28))[:4] == [code for code, _ in GUIDE]
