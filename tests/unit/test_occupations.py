from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from emk_app.domain import occupations
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import NotAChoice
from emk_app.domain.intake import Field
from emk_app.domain.occupations import (
    OCCUPATIONS,
    POINTS,
    Amended,
    amend,
    find_occupations,
    listed_on,
    occupation,
    offered,
    point_of,
)
from emk_app.domain.papers import papers

DAY = date(2026, 11, 26)


def codes(text: str) -> list[str]:
    return [each.code for each in find_occupations(text)]


def test_unknown_occupation_is_no_choice() -> None:
    with pytest.raises(NotAChoice):
        occupation("astronaut", DAY)


def test_every_occupation_is_ruled_by_a_point_and_every_point_rules_some() -> None:
    assert {each.point for each in OCCUPATIONS.values()} == set(POINTS)
    assert list(POINTS) == ["23", "24", "25", "26", "27"]
    assert occupation("teacher", DAY).work_point.point == "25"


def test_names_are_not_repeated() -> None:
    names = [each.name for each in OCCUPATIONS.values()]
    assert len(set(names)) == len(names) >= 25


def test_food_workers_attest_yearly_and_others_every_two_years() -> None:
    assert {point: work.hygiene_months for point, work in POINTS.items()} == {
        "23": 12,
        "24": 24,
        "25": 24,
        "26": 24,
        "27": 24,
    }


def test_medical_workers_are_not_in_the_federal_register() -> None:
    assert [point for point, work in POINTS.items() if not work.in_elmk_registry] == ["27"]


@pytest.mark.parametrize(
    ("words", "point"),
    [
        ("терапевт", "27"),
        ("медсестра", "27"),
        ("медицинская сестра", "27"),
        ("акушерка", "27"),
        ("фельдшер", "27"),
        ("санитар-медик", "27"),
        ("фармацевт", "27"),
        ("провизор", "27"),
        ("лаборант", "27"),
        ("биохимик", "27"),
        ("микробиолог", "27"),
        ("физиотерапии", "27"),
        ("скорой", "27"),
        ("общественном питании", "23"),
        ("учитель", "25"),
        ("воспитатель", "25"),
        ("педагог", "25"),
        ("водопроводных", "24"),
        ("парикмахер", "26"),
        ("проводник", "26"),
    ],
)
def test_professions_of_the_guide_and_the_missing_ones_are_found(words: str, point: str) -> None:
    assert {each.point for each in find_occupations(words)} == {point}


def test_health_control_is_offered_for_both_places_of_work() -> None:
    assert {each.point for each in find_occupations("эпидемиологического контроля")} == {"26", "27"}


def test_search_takes_word_beginnings_in_any_order_and_case_and_yo_for_ye() -> None:
    assert codes("ПОВАР") == codes("пов") == codes("кондит пек") == ["cook"]
    assert codes("учёба") == codes("учеба") == []
    assert codes("овар") == []


def test_empty_search_shows_the_list_and_the_limit_cuts_it() -> None:
    assert codes("  ") == list(OCCUPATIONS)
    assert len(find_occupations("", limit=3)) == 3


@pytest.fixture
def amended() -> Iterator[None]:
    """Rename cooks, close teachers and add a medical occupation, each from a day on."""
    amend(
        [
            Amended("cook", DAY + timedelta(days=9), "Повар-кондитер", "Питание", "23"),
            Amended("cook", DAY, "Повар", "Общественное питание", "23"),
            Amended("teacher", DAY, "Учитель", "Образование", "25", is_closed=True),
            Amended("work_1", DAY, "Врач-генетик", "Медицина", "27"),
        ]
    )
    yield
    amend([])


@pytest.mark.usefixtures("amended")
def test_each_day_has_the_names_of_that_day():
    before, later = DAY - timedelta(days=1), DAY + timedelta(days=9)
    names = [each.name for day in (before, DAY, later) if (each := listed_on("cook", day))]
    assert names == [OCCUPATIONS["cook"].name, "Повар", "Повар-кондитер"]
    assert occupation("cook", later).group == "Питание"
    assert listed_on("work_1", before) is None


@pytest.mark.usefixtures("amended")
def test_closed_occupation_is_chosen_no_more_and_stays_known():
    before = DAY - timedelta(days=1)
    assert occupation("teacher", before) == OCCUPATIONS["teacher"]
    with pytest.raises(NotAChoice):
        occupation("teacher", DAY)
    assert listed_on("teacher", DAY) is not None
    assert "teacher" in {each.code for each in offered(before)}
    assert "teacher" not in {each.code for each in offered(DAY)}


@pytest.mark.usefixtures("amended")
def test_added_occupation_is_ruled_by_its_point():
    assert point_of("work_1") == "27"
    assert occupation("work_1", DAY).work_point.point == "27"
    assert ScanKind.DIPLOMA in papers({Field.OCCUPATION: "work_1"}).required
    groups = [each.group for each in offered(DAY)]
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)


def test_without_amendments_the_list_is_the_shipped_one():
    assert offered(DAY) == tuple(OCCUPATIONS.values())
    assert occupations.point_of("astronaut") is None
