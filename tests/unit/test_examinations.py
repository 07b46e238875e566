from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.errors import InvalidValue, NotAChoice, Required
from emk_app.domain.examinations import (
    AttestationOutdated,
    Choices,
    ExaminationKind,
    Implausible,
    ItemKind,
    MadeBeforeBirth,
    NumberMalformed,
    Numbers,
    NumbersOutOfOrder,
    PassedOn,
    ProgrammeItem,
    ResultOutdated,
    TestResult,
    check_made_on,
    completeness,
    parse_entry,
    programme,
)
from emk_app.domain.occupations import POINTS
from emk_app.domain.people import InFuture, NoSuchDay, NotADate, Sex
from emk_app.domain.values import TooLong

TODAY = date(2026, 11, 23)
HIRING, PERIODIC = ExaminationKind.PRE_PLACEMENT, ExaminationKind.PERIODIC

GUIDE = ["bp", "vision", "respiratory", "cardiovascular"]
ADULT = ["survey", "anthropometry", "ecg", "cholesterol", "xray"]
EVERYONE = [
    "cbc",
    "urinalysis",
    "glucose",
    "doc_therapist",
    "doc_neurologist",
    "doc_psychiatrist",
    "doc_narcologist",
]
WOMEN = ["gyn_smear", "pelvic_us", "doc_gynecologist"]
THREE_DOCTORS = {"doc_ent": 12, "doc_derm": 12, "doc_dent": 12}

# order 29н, points 23-27: study and its months, None for once on hiring
OWN: dict[str, dict[str, int | None]] = {
    "23": {
        **THREE_DOCTORS,
        "syphilis": 12,
        "intestinal": None,
        "typhoid": None,
        "helminths": 12,
        "staph": None,
    },
    "24": {"doc_ent": 12, "doc_derm": 12, "intestinal": None, "typhoid": None, "helminths": None},
    "25": {
        **THREE_DOCTORS,
        "syphilis": 12,
        "gonorrhea": None,
        "intestinal": None,
        "typhoid": None,
        "helminths": 12,
    },
    "26": {**THREE_DOCTORS, "syphilis": 12, "gonorrhea": None, "helminths": 12},
    "27": {
        **THREE_DOCTORS,
        "syphilis": 12,
        "gonorrhea": 12,
        "intestinal": None,
        "typhoid": None,
        "helminths": 12,
        "staph": 6,
    },
}


def expected(point: str, age: int, sex: Sex) -> set[str]:
    codes = {*GUIDE, *EVERYONE, *OWN[point], "hygiene"}
    if age >= 18:
        codes |= {*ADULT, "cv_risk_rel" if age <= 40 else "cv_risk_abs"}
    if age >= 41:
        codes |= {"iop"}
    if sex is Sex.FEMALE:
        codes |= {*WOMEN, *(["mammography"] if age >= 41 else [])}
    return codes


def study(code: str, point: str = "27", age: int = 45) -> ProgrammeItem:
    return next(
        each for each in programme(point, age, Sex.FEMALE, HIRING, TODAY) if each.code == code
    )


def entered(code: str, text: str) -> tuple[str, bool]:
    result = parse_entry(study(code), text, TODAY)
    return result.value, result.deviation


@pytest.mark.parametrize("sex", Sex)
@pytest.mark.parametrize("age", [13, 14, 17, 18, 40, 41, 65, 66, 100])
@pytest.mark.parametrize("point", OWN)
def test_programme_follows_work_age_and_sex(point: str, age: int, sex: Sex) -> None:
    codes = [each.code for each in programme(point, age, sex, HIRING, TODAY)]
    assert set(codes) == expected(point, age, sex)
    assert len(set(codes)) == len(codes)
    assert codes[:4] == GUIDE
    assert codes[-1] == "hygiene"


@pytest.mark.parametrize("point", OWN)
def test_studies_of_a_point_have_their_periods(point: str) -> None:
    months = {
        each.code: each.period_months for each in programme(point, 30, Sex.MALE, HIRING, TODAY)
    }
    assert {code: months[code] for code in OWN[point]} == OWN[point]
    assert months["hygiene"] == (12 if point == "23" else 24)
    rest = set(months) - set(OWN[point]) - {"hygiene"}
    assert {months[code] for code in rest} == {12}


def test_mammography_is_made_every_two_years() -> None:
    assert study("mammography").period_months == 24


@pytest.mark.parametrize("point", OWN)
def test_everything_is_required_on_hiring_and_what_is_made_once_never_again(point: str) -> None:
    assert all(each.required for each in programme(point, 30, Sex.FEMALE, HIRING, TODAY))
    optional = [x.code for x in programme(point, 30, Sex.FEMALE, PERIODIC, TODAY) if not x.required]
    assert optional == [code for code, months in OWN[point].items() if months is None]


def test_every_point_has_its_expectation() -> None:
    assert set(OWN) == set(POINTS)


@pytest.mark.parametrize(
    "each", programme("27", 45, Sex.FEMALE, HIRING, TODAY), ids=lambda each: each.code
)
def test_empty_entry_is_required(each: ProgrammeItem) -> None:
    for text in ("", "  ", "\u200b"):
        with pytest.raises(Required):
            parse_entry(each, text, TODAY)


@pytest.mark.parametrize(
    ("code", "text", "problem"),
    [
        ("bp", "120", NumberMalformed),
        ("bp", "120/80/60", NumberMalformed),
        ("bp", "120/", NumberMalformed),
        ("bp", "120.5/80", NumberMalformed),
        ("bp", "-120/80", NumberMalformed),
        ("bp", "1e2/80", NumberMalformed),
        ("bp", "\u0661\u0662\u0660/80", NumberMalformed),
        ("bp", "норма", NumberMalformed),
        ("bp", "nan/80", NumberMalformed),
        ("bp", "80/120", NumbersOutOfOrder),
        ("bp", "80/80", NumbersOutOfOrder),
        ("bp", "1200/80", NumberMalformed),
        ("bp", "261/80", Implausible),
        ("bp", "120/29", Implausible),
        ("vision", "10/8", Implausible),
        ("vision", "1,001/1", NumberMalformed),
        ("glucose", "51", Implausible),
        ("glucose", "0,9", Implausible),
        ("syphilis", "нет", NotAChoice),
        ("doc_therapist", "годен", NotAChoice),
        ("hygiene", "вчера", NotADate),
        ("hygiene", "31.02.2026", NoSuchDay),
        ("hygiene", "24.11.2026", InFuture),
        ("hygiene", "22.11.2024", AttestationOutdated),
        ("bp", "1" * 100, TooLong),
    ],
)
def test_wrong_entry_is_refused(code: str, text: str, problem: type[InvalidValue]) -> None:
    with pytest.raises(problem):
        parse_entry(study(code), text, TODAY)


def test_implausible_number_says_what_is_plausible_and_its_value_stays_out_of_the_log() -> None:
    with pytest.raises(Implausible) as refusal:
        entered("bp", "125/20")
    problem = refusal.value
    assert (problem.name, problem.value) == ("диастолическое", Decimal(20))
    assert (problem.low, problem.high, problem.unit) == (30, 160, "мм рт. ст.")
    assert str(problem) == "outside 30..160"


def test_number_of_several_units_is_refused_in_its_own() -> None:
    for typed, unit in [("300/70/80", "см"), ("172/500/80", "кг"), ("172/70/300", "см")]:
        with pytest.raises(Implausible) as refusal:
            entered("anthropometry", typed)
        assert refusal.value.unit == unit
    with pytest.raises(Implausible) as refusal:
        entered("glucose", "99")
    assert refusal.value.unit == "ммоль/л"


def test_malformed_numbers_say_how_to_write_them() -> None:
    with pytest.raises(NumberMalformed) as refusal:
        entered("vision", "хорошо")
    assert (refusal.value.parts, refusal.value.decimals) == (2, 2)


@pytest.mark.parametrize("text", ["120/80", "120 / 80", "120\\80", "120 на 80", "120 80", "120;80"])
def test_pressure_is_read_as_people_write_it(text: str) -> None:
    assert entered("bp", text) == ("120/80", False)


@pytest.mark.parametrize(
    ("code", "text", "value", "deviation"),
    [
        ("bp", "139/89", "139/89", False),
        ("bp", "140/80", "140/80", True),
        ("bp", "120/90", "120/90", True),
        ("bp", "89/60", "89/60", True),
        ("vision", "1/0,8", "1.0/0.8", False),
        ("vision", "1,0 0.05", "1.0/0.05", True),
        ("glucose", "6", "6.0", False),
        ("glucose", "6,1", "6.1", True),
        ("cholesterol", "5,0", "5.0", False),
        ("cholesterol", "1,0", "1.0", False),
        ("anthropometry", "172/68,5/80", "172/68.5/80", False),
        ("iop", "21/22", "21/22", True),
        ("respiratory", "Норма", "normal", False),
        ("respiratory", "deviation", "deviation", True),
        ("syphilis", "не обнаружено", "not_found", False),
        ("syphilis", "found", "found", True),
        ("doc_therapist", "выявлены противопоказания", "contraindications", True),
        ("hygiene", "23.11.2026", "2026-11-23", False),
        ("hygiene", "2024-11-23", "2024-11-23", False),
    ],
)
def test_entry_is_stored_in_one_form_with_its_deviation(
    code: str, text: str, value: str, deviation: bool
) -> None:
    assert entered(code, text) == (value, deviation)


def test_attestation_counts_from_its_own_date_and_lasts_through_its_last_day() -> None:
    food = study("hygiene", point="23")
    assert parse_entry(food, "23.11.2025", TODAY).performed_on == date(2025, 11, 23)
    with pytest.raises(AttestationOutdated) as refusal:
        parse_entry(food, "22.11.2025", TODAY)
    assert refusal.value.valid_until == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("code", "value", "words", "unit"),
    [
        ("bp", "120/80", "120/80", "мм рт. ст."),
        ("vision", "1.0/0.8", "1,0/0,8", ""),
        ("helminths", "not_found", "не обнаружено", ""),
        ("hygiene", "2026-11-23", "23.11.2026", ""),
    ],
)
def test_value_has_words(code: str, value: str, words: str, unit: str) -> None:
    assert (study(code).words(value), study(code).unit) == (words, unit)


@pytest.mark.parametrize(
    "each", programme("27", 45, Sex.FEMALE, HIRING, TODAY), ids=lambda each: each.code
)
def test_words_of_a_choice_or_number_read_back_as_the_same_value(each: ProgrammeItem) -> None:
    match each.form:
        case Choices(options):
            values = [choice.code for choice in options]
        case Numbers(parts):
            values = ["/".join(str(part.high) for part in parts)]
        case PassedOn():
            values = ["2026-11-23"]
    for value in values:
        stored = parse_entry(each, value, TODAY).value
        assert parse_entry(each, each.words(stored), TODAY).value == stored


def test_choices_begin_with_what_is_normal() -> None:
    for each in programme("27", 45, Sex.FEMALE, HIRING, TODAY):
        if isinstance(each.form, Choices):
            assert not each.form.options[0].deviation
            assert each.form.options[-1].deviation


def test_norms_lie_within_what_is_plausible() -> None:
    for each in programme("27", 45, Sex.FEMALE, HIRING, TODAY):
        if isinstance(each.form, Numbers):
            for part in each.form.parts:
                low = part.low if part.norm_low is None else part.norm_low
                high = part.high if part.norm_high is None else part.norm_high
                assert part.low <= low < high <= part.high


def test_only_attestation_is_entered_as_a_date() -> None:
    for each in programme("27", 45, Sex.FEMALE, HIRING, TODAY):
        assert isinstance(each.form, PassedOn) == (each.kind is ItemKind.ATTESTATION)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_as_invalid(text: str) -> None:
    for code in ("bp", "glucose", "syphilis", "hygiene"):
        try:
            parse_entry(study(code), text, TODAY)
        except InvalidValue:
            continue


def test_study_counts_through_its_last_day_and_one_made_once_counts_for_ever() -> None:
    born_on = date(1981, 5, 1)
    yearly, once = study("xray"), study("typhoid")
    assert check_made_on(yearly, date(2025, 11, 23), born_on, TODAY) == date(2025, 11, 23)
    with pytest.raises(ResultOutdated) as refusal:
        check_made_on(yearly, date(2025, 11, 22), born_on, TODAY)
    assert refusal.value.valid_until == date(2026, 11, 22)
    assert check_made_on(once, born_on, born_on, TODAY) == born_on
    with pytest.raises(MadeBeforeBirth):
        check_made_on(once, date(1981, 4, 30), born_on, TODAY)


def test_completeness_names_what_is_missing_in_order_and_nothing_optional() -> None:
    studies = programme("24", 30, Sex.MALE, PERIODIC, TODAY)
    required = [each.code for each in studies if each.required]
    assert completeness(studies, []) == tuple(required)
    assert "intestinal" not in required
    results = [TestResult(code, "x", deviation=False, performed_on=TODAY) for code in required]
    assert completeness(studies, results) == ()
    assert completeness(studies, results[1:-1]) == ("bp", "hygiene")


def test_finding_stays_out_of_the_representation() -> None:
    result = parse_entry(study("syphilis"), "found", TODAY)
    assert repr(result) == "TestResult(syphilis)"
