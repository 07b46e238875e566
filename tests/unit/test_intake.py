"""The form as a whole: what it asks of whom, what it refuses, what it only warns of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain import intake
from emk_app.domain.errors import Invalid, InvalidValue, NotAChoice, Required
from emk_app.domain.intake import (
    ASKED_IF,
    ATTORNEY,
    IDENTITY,
    REPRESENTATIVE,
    AppliedBy,
    CertificateTooOld,
    Field,
    HolderCategory,
    is_asked,
)
from emk_app.domain.passports import (
    IdentityKind,
    IdentityPaper,
    IssuedTooEarly,
    Passport,
    PassportOutlived,
)
from emk_app.domain.people import InFuture, NotADate, TooYoung, birthday
from emk_app.domain.policies import BirthDiffers, SexDiffers
from emk_app.domain.representation import (
    AttorneyExpired,
    Basis,
    ParentOfAdult,
    RepresentativeNeeded,
    UntilBeforeIssue,
)
from emk_app.domain.terms import add_months
from emk_app.domain.values import NotDigits, TooShort, UnexpectedCharacter, WrongLength
from tests.factories import FORM

TODAY = date(2026, 11, 25)
REPRESENTED = {
    Field.APPLIED_BY: "representative",
    Field.REPRESENTATIVE_LAST: "Иванов",
    Field.REPRESENTATIVE_FIRST: "Сергей",
    Field.REPRESENTATIVE_BASIS: "attorney",
    Field.ATTORNEY_NUMBER: "77 АБ № 1234567",
    Field.ATTORNEY_NOTARY: "Петрова Анна Ильинична, г. Москва",
    Field.ATTORNEY_ISSUED_ON: "10.03.2026",
}
MINOR = {Field.BIRTH_DATE: "01.02.2010", Field.PASSPORT_ISSUED_ON: "15.02.2024"}


def problems(changes: Mapping[Field, str] | None = None) -> dict[str, type[InvalidValue]]:
    found = intake.problems_of({**FORM, **(changes or {})}, TODAY)
    return {name: type(problem) for name, problem in found.items()}


def read(changes: Mapping[Field, str] | None = None) -> intake.Applicant:
    return intake.read({**FORM, **(changes or {})}, TODAY)


def test_right_form_reads_and_has_no_problem():
    assert problems() == {}
    found = read()
    assert found.passport == Passport("4510", "406933", date(2010, 4, 20), "770045")
    assert (found.representative, found.category, found.examined_on) == (
        *(None, HolderCategory.NONE),
        None,
    )


def test_problems_stand_under_names_of_controls():
    everything = dict.fromkeys(Field, "\x00") | {
        Field.APPLIED_BY: "representative",
        Field.REPRESENTATIVE_BASIS: "attorney",
        Field.IDENTITY_KIND: "passport",
        Field.POLICY_KIND: "old",
    }
    expected = {field for field in Field if is_asked(field, everything)} - everything.keys()
    found = intake.problems_of(everything, TODAY)
    assert expected <= found.keys() <= {*Field}


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        (Field.PASSPORT_SERIES, "451", WrongLength),
        (Field.PASSPORT_SERIES, "45IO", NotDigits),
        (Field.PASSPORT_NUMBER, "", Required),
        (Field.PASSPORT_ISSUED_ON, "26.11.2026", InFuture),
        (Field.PASSPORT_ISSUED_ON, "26.03.2004", IssuedTooEarly),
        (Field.PASSPORT_UNIT, "770-04", WrongLength),
        (Field.IDENTITY_KIND, "library card", NotAChoice),
        (Field.CATEGORY, "hero", NotAChoice),
        (Field.APPLIED_BY, "nobody", NotAChoice),
        (Field.EXAM_CERTIFICATE_ON, "вчера", NotADate),
        (Field.EXAM_CERTIFICATE_ON, "26.11.2026", InFuture),
        (Field.EXAM_CERTIFICATE_ON, "24.11.2025", CertificateTooOld),
        (Field.BIRTH_DATE, "26.11.2012", TooYoung),
    ],
)
def test_wrong_answer_is_told_beside_its_field(
    field: Field, text: str, problem: type[InvalidValue]
):
    assert problems({field: text})[field] is problem


@pytest.mark.parametrize("kind", [each for each in IdentityKind if each != "passport"])
def test_other_paper_takes_the_place_of_the_passport(kind: IdentityKind):
    without = dict.fromkeys(IDENTITY, "") | {Field.IDENTITY_KIND: kind}
    assert problems(without) == {Field.IDENTITY_NUMBER: Required}
    found = read(without | {Field.IDENTITY_NUMBER: "фр № 12-34/5"})
    assert found.identity == IdentityPaper(kind, "ФР 12-34/5")
    assert found.passport is None
    assert problems(without | {Field.IDENTITY_NUMBER: "12*3"}) == {
        Field.IDENTITY_NUMBER: UnexpectedCharacter
    }


def test_unknown_birth_date_does_not_hinder_the_passport():
    assert problems({Field.BIRTH_DATE: "31.02.1990"}).keys() == {Field.BIRTH_DATE}


def test_passport_not_exchanged_is_warned_of_and_accepted():
    outlived = {Field.PASSPORT_ISSUED_ON: "20.04.2004"}
    assert problems(outlived) == {}
    assert intake.warnings({**FORM, **outlived}, TODAY) == (PassportOutlived(20),)
    assert intake.warnings(FORM, TODAY) == ()


def test_passport_is_warned_of_only_after_the_days_of_grace():
    born = {Field.BIRTH_DATE: "26.08.2006", Field.PASSPORT_ISSUED_ON: "01.09.2020"}
    form = {**FORM, **born}
    day = birthday(date(2006, 8, 26), 20) + timedelta(days=90)
    assert PassportOutlived(20) not in intake.warnings(form, day)
    assert PassportOutlived(20) in intake.warnings(form, day + timedelta(days=1))


def test_policy_is_compared_as_far_as_the_rest_reads():
    other = {Field.BIRTH_DATE: "28.03.1990", Field.SEX: "male", Field.SNILS: "1"}
    found = intake.warnings({**FORM, **other}, TODAY)
    assert [type(each) for each in found] == [BirthDiffers, SexDiffers]
    assert intake.warnings({**FORM, Field.BIRTH_DATE: "?"}, TODAY) == ()
    assert intake.warnings({}, TODAY) == ()


@pytest.mark.parametrize("age", range(14, 18))
def test_minor_does_not_apply_alone(age: int):
    born_on = add_months(TODAY, -12 * age)
    minor = {Field.BIRTH_DATE: f"{born_on:%d.%m.%Y}", Field.PASSPORT_ISSUED_ON: "25.11.2026"}
    assert problems(minor) == {Field.APPLIED_BY: RepresentativeNeeded}
    parent = REPRESENTED | {Field.REPRESENTATIVE_BASIS: "parent"}
    assert problems(minor | parent) == {}


def test_adult_acts_alone_from_the_birthday_on():
    born_on = add_months(TODAY, -12 * 18)
    grown = {Field.BIRTH_DATE: f"{born_on:%d.%m.%Y}", Field.PASSPORT_ISSUED_ON: "01.12.2022"}
    assert problems(grown) == {}
    assert problems({**grown, Field.BIRTH_DATE: f"{born_on + timedelta(days=1):%d.%m.%Y}"}) == {
        Field.APPLIED_BY: RepresentativeNeeded
    }


@pytest.mark.parametrize(
    ("basis", "of_minor", "of_adult"),
    [("parent", None, ParentOfAdult), ("guardian", None, None), ("attorney", None, None)],
)
def test_basis_fits_the_age(
    basis: str, of_minor: type[InvalidValue] | None, of_adult: type[InvalidValue] | None
):
    chosen = REPRESENTED | {Field.REPRESENTATIVE_BASIS: basis}
    assert problems(chosen | MINOR).get(Field.REPRESENTATIVE_BASIS) is of_minor
    assert problems(chosen).get(Field.REPRESENTATIVE_BASIS) is of_adult


def test_representative_is_read_with_the_power_of_attorney():
    found = read(REPRESENTED).representative
    assert found is not None and found.attorney is not None
    assert (str(found.name), found.basis) == ("Иванов Сергей", Basis.ATTORNEY)
    assert str(found.attorney) == "77 АБ 1234567"
    assert found.attorney.valid_until == date(2027, 3, 10)


def test_representative_is_asked_for_everything_and_parents_for_no_paper_of_a_notary():
    only = {Field.APPLIED_BY: "representative"}
    assert problems(only) == {
        Field.REPRESENTATIVE_LAST: Required,
        Field.REPRESENTATIVE_FIRST: Required,
        Field.REPRESENTATIVE_BASIS: Required,
    }
    assert problems(only | {Field.REPRESENTATIVE_BASIS: "attorney"}).keys() == {
        *(Field.REPRESENTATIVE_LAST, Field.REPRESENTATIVE_FIRST, Field.ATTORNEY_NUMBER),
        *(Field.ATTORNEY_NOTARY, Field.ATTORNEY_ISSUED_ON),
    }


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        (Field.ATTORNEY_NUMBER, "", Required),
        (Field.ATTORNEY_NUMBER, "77*1", UnexpectedCharacter),
        (Field.ATTORNEY_NOTARY, "ИП", TooShort),
        (Field.ATTORNEY_ISSUED_ON, "26.11.2026", InFuture),
        (Field.ATTORNEY_UNTIL, "09.03.2026", UntilBeforeIssue),
        (Field.ATTORNEY_UNTIL, "24.11.2026", AttorneyExpired),
        (Field.ATTORNEY_UNTIL, "25.11.2026", None),
        (Field.ATTORNEY_UNTIL, "  ", None),
    ],
)
def test_power_of_attorney_is_checked_field_by_field(
    field: Field, text: str, problem: type[InvalidValue] | None
):
    assert problems(REPRESENTED | {field: text}).get(field) is problem


def test_power_of_attorney_without_a_term_lasts_a_year():
    made = REPRESENTED | {Field.ATTORNEY_ISSUED_ON: "25.11.2025"}
    assert problems(made) == {}
    made = REPRESENTED | {Field.ATTORNEY_ISSUED_ON: "24.11.2025"}
    assert problems(made) == {Field.ATTORNEY_UNTIL: AttorneyExpired}


def test_certificate_is_shown_for_twelve_months():
    assert read({Field.EXAM_CERTIFICATE_ON: "25.11.2025"}).examined_on == date(2025, 11, 25)
    assert problems({Field.EXAM_CERTIFICATE_ON: "25.11.2026"}) == {}


def test_what_ran_out_after_it_was_handed_in_is_as_good_as_it_was():
    form = {**FORM, **REPRESENTED, Field.EXAM_CERTIFICATE_ON: "25.11.2025"}
    later = TODAY + timedelta(days=500)
    assert intake.problems_of(form, later).keys() == {
        Field.ATTORNEY_UNTIL,
        Field.EXAM_CERTIFICATE_ON,
    }
    assert intake.read_again(form, later) == intake.read(form, TODAY)
    with pytest.raises(Invalid) as refused:
        intake.read_again(form, later, [Field.EXAM_CERTIFICATE_ON])
    assert refused.value.fields.keys() == {Field.EXAM_CERTIFICATE_ON}


def test_form_handed_in_before_the_passport_was_asked_for_reads():
    old = {field: text for field, text in FORM.items() if field not in IDENTITY}
    with pytest.raises(Invalid):
        intake.read(old, TODAY)
    found = intake.read_again(old, TODAY)
    assert (found.identity, found.passport) == (None, None)
    with pytest.raises(Invalid) as refused:
        intake.read_again(old, TODAY, [Field.PASSPORT_SERIES])
    assert refused.value.fields.keys() < IDENTITY


def test_every_field_is_asked_for_in_some_form():
    forms = [{}, REPRESENTED, {Field.IDENTITY_KIND: "refugee"}, {Field.POLICY_KIND: "old"}]
    for field in Field:
        assert any(is_asked(field, form) for form in forms), field
    assert {*ASKED_IF} == {
        *(REPRESENTATIVE - {Field.APPLIED_BY}),
        *(IDENTITY - {Field.IDENTITY_KIND}),
        Field.POLICY_SERIES,
    }
    assert not any(is_asked(field, FORM) for field in ATTORNEY)


TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *(each.value for kind in (AppliedBy, Basis, IdentityKind) for each in kind),
            *("25.11.2026", "31.02.2026", "4510", "770-045", "112-233-445 95"),
        ]
    ),
)


@given(st.dictionaries(st.sampled_from(Field), TEXTS))
def test_no_answers_break_the_form_and_reading_agrees_with_its_problems(answers: dict[Field, str]):
    form = {**FORM, **answers}
    found = intake.problems_of(form, TODAY)
    assert found.keys() <= {*Field}
    intake.warnings(form, TODAY)
    if found:
        with pytest.raises(Invalid) as refused:
            intake.read(form, TODAY)
        assert refused.value.fields.keys() == found.keys()
    else:
        assert intake.read_again(form, TODAY) == intake.read(form, TODAY)
