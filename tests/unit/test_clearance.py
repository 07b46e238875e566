from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.clearance import (
    Conclusion,
    ContraindicationsFound,
    DatedItem,
    Fitness,
    Light,
    UntilNotInFuture,
    admits,
    conclude,
    dated,
    newest,
    readiness,
)
from emk_app.domain.errors import Invalid, InvalidValue, NotAChoice, Required
from emk_app.domain.examinations import ExaminationKind, TestResult, programme
from emk_app.domain.people import Sex
from emk_app.domain.values import TooLong

TODAY = date(2026, 11, 23)


def result(code: str, value: str = "normal", on: date = TODAY) -> TestResult:
    return TestResult(code, value, deviation=False, performed_on=on)


def problems(fitness: Fitness, results: list[TestResult] | None = None, **kwargs: object):
    with pytest.raises(Invalid) as refusal:
        conclude(fitness, results=results or [], today=TODAY, **kwargs)  # type: ignore[arg-type]
    return {field: type(problem) for field, problem in refusal.value.fields.items()}


def test_restrictions_are_required_where_there_are_some() -> None:
    assert problems(Fitness.FIT_WITH_RESTRICTIONS) == {"restrictions": Required}
    assert problems(Fitness.FIT_WITH_RESTRICTIONS, restrictions=" \u200b ") == {
        "restrictions": Required
    }


def test_too_long_words_are_refused_all_at_once() -> None:
    assert problems(Fitness.FIT_WITH_RESTRICTIONS, restrictions="а" * 501, note="б" * 501) == {
        "restrictions": TooLong,
        "note": TooLong,
    }


def test_temporary_unfitness_needs_a_day_in_the_future() -> None:
    why = {"contraindication_codes": ["skin"]}
    assert problems(Fitness.TEMPORARILY_UNFIT, **why) == {"until": Required}
    assert problems(Fitness.TEMPORARILY_UNFIT, until=TODAY, **why) == {"until": UntilNotInFuture}
    tomorrow = TODAY + timedelta(days=1)
    concluded = conclude(
        Fitness.TEMPORARILY_UNFIT,
        until=tomorrow,
        contraindication_codes=["skin"],
        results=[],
        today=TODAY,
    )
    assert concluded.until == tomorrow


@pytest.mark.parametrize("fitness", [Fitness.TEMPORARILY_UNFIT, Fitness.UNFIT])
def test_whoever_is_kept_from_work_is_told_why(fitness: Fitness) -> None:
    until = {"until": TODAY + timedelta(days=9)}
    assert problems(fitness, **until) == {"contraindications": Required}
    assert problems(fitness, contraindication_codes=["чума"], **until) == {
        "contraindications": NotAChoice
    }


def test_words_of_the_catalogue_come_first_and_in_its_order() -> None:
    concluded = conclude(
        Fitness.FIT_WITH_RESTRICTIONS,
        restrictions="не дольше шести часов",
        restriction_codes=["glasses", "no_nights"],
        contraindication_codes=["skin"],
        results=[],
        today=TODAY,
    )
    assert concluded.restrictions == (
        "без ночных смен; работа в очках или контактных линзах; не дольше шести часов"
    )
    assert concluded.contraindications == ""


def test_nobody_with_a_contraindication_on_record_is_fit_without_restrictions() -> None:
    found = [result("doc_ent", "contraindications"), result("doc_derm", "no_contraindications")]
    assert problems(Fitness.FIT, found) == {"fitness": ContraindicationsFound}
    for fitness, more in (
        (Fitness.FIT_WITH_RESTRICTIONS, {"restrictions": "Без ночных смен"}),
        (Fitness.UNFIT, {"contraindications": "по заключению ЛОР-врача"}),
    ):
        assert conclude(fitness, results=found, today=TODAY, **more).fitness is fitness


def test_corrected_contraindication_no_longer_counts() -> None:
    corrected = [
        result("doc_ent", "contraindications"),
        result("doc_ent", "no_contraindications"),
    ]
    assert conclude(Fitness.FIT, results=corrected, today=TODAY) == Conclusion(Fitness.FIT)


def test_conclusion_keeps_only_what_its_outcome_has_room_for() -> None:
    concluded = conclude(
        Fitness.FIT,
        restrictions="Без ночных смен",
        until=TODAY,
        note=" Осмотр  через год ",
        results=[],
        today=TODAY,
    )
    assert concluded == Conclusion(Fitness.FIT, note="Осмотр через год")


def test_conclusion_stays_out_of_the_representation() -> None:
    assert repr(Conclusion(Fitness.UNFIT)) == "Conclusion(***)"


def test_only_the_fit_are_admitted() -> None:
    assert {fitness for fitness in Fitness if admits(fitness)} == {
        Fitness.FIT,
        Fitness.FIT_WITH_RESTRICTIONS,
    }


@pytest.mark.parametrize(
    ("left", "light"),
    [
        (31, Light.GREEN),
        (30, Light.YELLOW),
        (0, Light.YELLOW),
        (-1, Light.RED),
    ],
)
def test_light_turns_yellow_thirty_days_before_the_last_day_and_red_after_it(
    left: int, light: Light
) -> None:
    end = TODAY + timedelta(days=left)
    ready = readiness([DatedItem("bp", TODAY, end)], TODAY)
    assert ready.light is ready.items[0].light is light
    assert (ready.items[0].days_left, ready.items_valid_until) == (left, end)
    assert ready.in_date is (light is not Light.RED)


def test_overdue_study_says_since_when_and_a_missing_one_cannot() -> None:
    yesterday = TODAY - timedelta(days=1)
    overdue = readiness(
        [DatedItem("bp", TODAY, yesterday), DatedItem("xray", None, None)], TODAY
    ).overdue
    assert [(state.code, state.overdue_since) for state in overdue] == [
        ("bp", TODAY),
        ("xray", None),
    ]


def test_study_made_once_is_green_for_ever_and_has_no_last_day() -> None:
    ready = readiness([DatedItem("typhoid", date(1990, 1, 1), None)], TODAY)
    assert (ready.light, ready.items_valid_until) == (Light.GREEN, None)


def test_nothing_examined_is_not_in_date() -> None:
    assert not readiness([], TODAY).in_date


def test_last_result_counts_and_of_one_day_the_later_entry() -> None:
    old, first, corrected = (
        result("bp", "119/79", TODAY - timedelta(days=400)),
        result("bp", "120/80"),
        result("bp", "121/81"),
    )
    assert newest([first, corrected, old]) == {"bp": corrected}


def test_studies_are_dated_by_their_periods() -> None:
    studies = programme("27", 30, Sex.MALE, ExaminationKind.PERIODIC, TODAY)
    results = [result("staph"), result("bp"), result("typhoid")]
    dates = {each.code: each for each in dated(studies, results)}
    assert dates["staph"].valid_until == date(2027, 5, 23)
    assert dates["bp"].valid_until == date(2027, 11, 23)
    assert dates["typhoid"] == DatedItem("typhoid", TODAY, None)
    assert dates["vision"] == DatedItem("vision", None, None)
    assert "intestinal" not in dates


dates = st.dates(date(2020, 1, 1), date(2035, 1, 1))
studies = st.lists(st.builds(DatedItem, st.text(max_size=3), st.none() | dates, st.none() | dates))


@given(studies, dates)
def test_book_is_in_date_exactly_while_every_study_is(each: list[DatedItem], today: date) -> None:
    ready = readiness(each, today)
    good = [
        study.performed_on is not None and (study.valid_until is None or today <= study.valid_until)
        for study in each
    ]
    assert ready.in_date is (bool(good) and all(good))
    assert len(ready.overdue) == good.count(False)


def test_errors_of_a_conclusion_are_problems_of_fields() -> None:
    assert issubclass(UntilNotInFuture, InvalidValue)
    assert ContraindicationsFound(("doc_ent",)).codes == ("doc_ent",)
