"""Numbers that are told of a staff single nobody out, also by subtraction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.books import BookVaccination
from emk_app.domain.gaps import COUNTED, FEWEST, Gap, gaps_of, told
from tests.unit.test_books import CONTENT

TODAY = date(2026, 11, 26)


def gap(people: int, lacking: int) -> Gap:
    return Gap(people, min(lacking, people))


GAPS = st.dictionaries(
    st.text("абвг", min_size=1, max_size=2),
    st.builds(gap, st.integers(1, 30), st.integers(0, 30)),
    max_size=6,
)


def whole(gaps: list[Gap]) -> Gap:
    return sum(gaps, Gap())


@given(GAPS, st.integers(0, 9))
def test_neither_what_is_told_nor_what_is_left_tells_of_a_few(gaps: dict[str, Gap], seed: int):
    said = told(gaps, Random(seed).random)
    assert said.groups.keys() == gaps.keys()
    if said.total is None:
        assert not whole([*gaps.values()]).is_safe
        assert set(said.groups.values()) <= {None}
        return
    for name, shown in said.groups.items():
        if shown is not None:
            assert gaps[name].is_safe
            for exact, told_number in (
                (gaps[name].people, shown.people),
                (gaps[name].lacking, shown.lacking),
            ):
                assert told_number % FEWEST == 0
                assert abs(told_number - exact) < FEWEST
    hidden = [gaps[name] for name, shown in said.groups.items() if shown is None]
    assert not hidden or whole(hidden).is_safe


@pytest.mark.parametrize(
    ("gaps", "shown"),
    [
        ({"а": Gap(20, 10), "б": Gap(20, 10)}, {"а", "б"}),
        # One that is hidden alone would be learnt from the total, so the smallest goes with it.
        ({"а": Gap(20, 10), "б": Gap(30, 10), "в": Gap(3, 1)}, {"б"}),
        # Two that are hidden and safe together hide each other.
        ({"а": Gap(20, 10), "б": Gap(9, 3), "в": Gap(9, 3)}, {"а"}),
        # Nobody, or nearly nobody, lacks it: that too would be told of each.
        ({"а": Gap(20, 0), "б": Gap(20, 10), "в": Gap(30, 15)}, {"в"}),
        ({"а": Gap(20, 20), "б": Gap(20, 10), "в": Gap(30, 15)}, {"в"}),
    ],
)
def test_small_numbers_are_hidden_with_what_gives_them_away(gaps: dict[str, Gap], shown: set[str]):
    said = told(gaps, lambda: 0.99)
    assert said.total is not None
    assert {name for name, each in said.groups.items() if each} == shown


@pytest.mark.parametrize("gaps", [{}, {"а": Gap(9, 5)}, {"а": Gap(100, 4)}, {"а": Gap(100, 96)}])
def test_of_few_in_all_nothing_is_told(gaps: dict[str, Gap]):
    assert told(gaps, lambda: 0.0).total is None


def test_number_is_drawn_from_the_multiples_around_it():
    assert told({"а": Gap(22, 11)}, lambda: 0.0).total == Gap(25, 15)
    assert told({"а": Gap(22, 11)}, lambda: 0.39).total == Gap(25, 10)
    assert told({"а": Gap(22, 11)}, lambda: 0.99).total == Gap(20, 10)
    draws = count()
    many = [told({"а": Gap(22, 10)}, lambda: next(draws) % 100 / 100).total for _ in range(100)]
    # Of many reports the mean is true: nothing is made up for planning.
    assert sum(each.people for each in many if each) / 100 == pytest.approx(22, abs=1)


def test_gap_is_a_dose_that_the_calendar_asks_for():
    young = replace(CONTENT, born_on=date(2009, 1, 1), vaccinations=())
    assert gaps_of(young, TODAY) == {}
    adult = replace(CONTENT, born_on=date(1990, 1, 1), vaccinations=())
    assert gaps_of(adult, TODAY) == {each.code: Gap(1, 1) for each in COUNTED}
    old = replace(CONTENT, born_on=date(1960, 1, 1), vaccinations=())
    assert "measles" not in gaps_of(old, TODAY)

    def measles(kind: str, dose: str = "", until: date | None = None) -> int:
        record = BookVaccination(
            "measles", "Корь", kind, date(2026, 1, 1), dose, "Вакцина", "1", until
        )
        return gaps_of(replace(adult, vaccinations=(record,)), TODAY)["measles"].lacking

    assert measles("had_disease") == 0
    assert measles("medical_exemption", until=date(2027, 1, 1)) == 0
    assert measles("medical_exemption", until=date(2026, 2, 1)) == 1
    assert measles("refusal") == 1
    assert measles("done", "V1") == 1
