"""The desks in words: everything that can be has its word, and the words are right."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from emk_app.domain.actors import Role
from emk_app.domain.applications import ExaminationTrack, PapersTrack
from emk_app.domain.checks import CheckOutcome
from emk_app.domain.clearance import Fitness
from emk_app.domain.corrections import Asked, scan_control
from emk_app.domain.decisions import GROUNDS
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import ChangedMeanwhile, Invalid, Required
from emk_app.domain.examinations import (
    Choices,
    ExaminationKind,
    ExaminationSigned,
    Implausible,
    Incomplete,
    ItemKind,
    NumberPart,
    Numbers,
    PassedOn,
    programme,
)
from emk_app.domain.intake import Field
from emk_app.domain.occupations import POINTS
from emk_app.domain.people import Sex
from emk_app.domain.queue import QueuePart
from emk_app.domain.values import TooLong
from emk_app.presenting import examinations, formats, reviews, texts
from tests.conftest import NOW


def test_every_state_has_its_word():
    assert set(reviews.PAPERS) == set(PapersTrack)
    assert set(reviews.OUTCOMES) == set(CheckOutcome)
    assert set(reviews.BY) == set(Role)
    assert set(reviews.PARTS) == set(reviews.EMPTY) == set(QueuePart)
    assert set(reviews._EXAMINATIONS) == set(ExaminationTrack)
    assert set(examinations.GROUPS) == set(ItemKind)
    for table in (examinations.FITNESS, examinations.FITNESS_TEXTS, examinations.CONCLUSIONS):
        assert set(table) == set(Fitness)


def test_every_field_may_be_asked_for_once_and_every_paper():
    asked = [control for each in reviews.QUESTIONS for control in each.controls]
    assert sorted(asked) == sorted(Field)
    assert [each.controls for each in reviews.PAPER_QUESTIONS] == [
        (scan_control(kind),) for kind in ScanKind
    ]


@pytest.mark.parametrize(
    ("name", "paper"),
    [
        ("name", "passport"),
        ("identity", "passport"),
        ("passport_scan", "passport"),
        ("policy_birth", "policy"),
        ("snils", "snils"),
        ("phone", ""),
        ("no_duplicate", ""),
    ],
)
def test_what_a_paper_proves_leads_to_it(name: str, paper: str):
    assert reviews.proof_of(name) == paper


@pytest.mark.parametrize(
    ("left", "said", "tone"),
    [
        (2, "осталось 2\u00a0рабочих дня", "neutral"),
        (1, "остался 1\u00a0рабочий день", "neutral"),
        (0, "сегодня последний день", "waiting"),
        (-1, "просрочена на 1\u00a0рабочий день", "danger"),
        (-12, "просрочена на 12\u00a0рабочих дней", "danger"),
    ],
)
def test_term_for_the_papers_is_told_in_working_days(left: int, said: str, tone: str):
    label = reviews.due_label(NOW.date(), left)
    assert (label.text, label.tone) == (said, tone)
    assert reviews.due_text(NOW.date(), left) == f"{said}, срок 23.11.2026"
    assert reviews.due_label(None, 0).text == reviews.due_text(None, 0) == ""


def test_every_ground_is_offered():
    assert [code for code, _ in reviews.GROUND_OPTIONS] == list(GROUNDS)


@pytest.mark.parametrize("point", POINTS)
def test_every_study_has_a_control(point: str):
    for study in programme(
        point, 45, Sex.FEMALE, ExaminationKind.PRE_PLACEMENT, date(2026, 11, 23)
    ):
        form, options = examinations._control(study)
        match study.form:
            case Numbers():
                assert (form, options) == ("numbers", [])
            case PassedOn():
                assert (form, options) == ("date", [])
            case Choices(choices):
                assert form == ("radios" if len(choices) <= 2 else "select")
                assert [code for code, _ in options] == [choice.code for choice in choices]


def part(low: str | None, high: str | None) -> NumberPart:
    bounds = [None if bound is None else Decimal(bound) for bound in (low, high)]
    return NumberPart("x", Decimal(0), Decimal(999), bounds[0], bounds[1], 1)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([part("90", "139"), part("60", "89")], "Норма 90–139/60–89"),
        ([part("0.8", None)] * 2, "Норма от 0,8"),
        ([part(None, "5.0")], "Норма до 5,0"),
        ([part(None, None)] * 3, ""),
    ],
)
def test_norm_is_written_as_people_write_it(parts: list[NumberPart], said: str):
    assert examinations.norm_text(parts) == said


@pytest.mark.parametrize(
    ("person", "short"),
    [
        ("Петров Пётр Петрович", "Петров П. П."),
        ("Салтыков-Щедрин Михаил", "Салтыков-Щедрин М."),
        ("chair@example.ru", "chair@example.ru"),
        ("", ""),
    ],
)
def test_name_of_staff_is_shortened(person: str, short: str):
    assert formats.short_person(person) == short


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        (0, "меньше рабочего дня"),
        (1, "1\u00a0рабочий день"),
        (2, "2\u00a0рабочих дня"),
        (11, "11\u00a0рабочих дней"),
        (21, "21\u00a0рабочий день"),
    ],
)
def test_waiting_is_counted_in_right_plurals(spent: int, said: str):
    assert reviews.waiting(spent) == said


@pytest.mark.parametrize(
    ("outcomes", "said", "tone"),
    [
        ({}, "ещё идут", "neutral"),
        ({CheckOutcome.PASSED: 8}, "всё сходится", "success"),
        ({CheckOutcome.PASSED: 6, CheckOutcome.UNKNOWN: 2}, "сверить: 2", "waiting"),
        ({CheckOutcome.FAILED: 1, CheckOutcome.UNKNOWN: 2}, "не сходится: 1", "danger"),
    ],
)
def test_checks_are_summed_up_by_the_worst(outcomes: dict[CheckOutcome, int], said: str, tone: str):
    label = reviews.checks_label(outcomes)
    assert (label.text, label.tone) == (said, tone)


def test_what_is_asked_is_named_as_one_thing_where_it_is_one():
    asked = Asked(
        frozenset({Field.POSTAL_INDEX, Field.ADDRESS, Field.SNILS}), frozenset({ScanKind.SNILS})
    )
    assert reviews.asked_labels(asked) == ["СНИЛС", "Адрес регистрации", "скан «СНИЛС»"]


def test_empty_control_is_told_what_it_is_for_and_a_wrong_one_what_is_wrong():
    said = reviews.sentences(Invalid({"ground": Required(), "note": TooLong(500)}))
    assert said["ground"] == "Выберите причину."
    assert said["note"].startswith("Слишком длинно")
    said = examinations.sentences(Invalid({"until": Required()}))
    assert said["until"].startswith("Укажите последний день")


def test_who_was_faster_is_named_as_far_as_it_is_known():
    known = texts.sentence(ChangedMeanwhile("Орлова Анна Петровна", NOW))
    assert known == (
        "Пока вы смотрели, запись изменилась: Орлова Анна Петровна, 23.11.2026 12:00. "
        "Показаны свежие данные."
    )
    unknown = texts.sentence(ChangedMeanwhile())
    assert unknown == "Пока вы смотрели, запись изменилась. Показаны свежие данные."
    assert "(Седов" in texts.sentence(ExaminationSigned("Седов Виктор Ильич", NOW))


def test_missing_results_and_slips_of_the_keyboard_say_what_to_do():
    assert "2\u00a0исследований" in texts.sentence(Incomplete(("bp", "vision")))
    slip = Implausible("рост", Decimal(999), Decimal(80), Decimal(240), "см")
    assert texts.sentence(slip) == ("Рост: бывает от 80 до 240 см, а введено 999. Проверьте число.")
