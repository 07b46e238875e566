"""The form of an application: what the holder types, read into values that are true ever after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

from emk_app.domain.contacts import Phone
from emk_app.domain.errors import Invalid, InvalidValue, NotAChoice, Required
from emk_app.domain.examinations import ExaminationKind
from emk_app.domain.numbers import Snils
from emk_app.domain.occupations import Occupation, occupation
from emk_app.domain.passports import IdentityKind, IdentityPaper, Passport
from emk_app.domain.people import (
    YOUNGEST_HOLDER,
    FullName,
    Sex,
    parse_birth_date,
    parse_name_part,
)
from emk_app.domain.places import PostalAddress, parse_address_text, parse_postal_index
from emk_app.domain.policies import OmsPolicy, PolicyKind
from emk_app.domain.values import Problems

T = TypeVar("T", bound=StrEnum)


class Field(StrEnum):
    """The fields of the form, in its order; the values are the names of the controls."""

    LAST_NAME = "name_last"
    FIRST_NAME = "name_first"
    PATRONYMIC = "name_patronymic"
    BIRTH_DATE = "born_on"
    SEX = "sex"
    IDENTITY_KIND = "identity_kind"
    PASSPORT_SERIES = "passport_series"
    PASSPORT_NUMBER = "passport_number"
    PASSPORT_ISSUED_ON = "passport_issued_on"
    PASSPORT_UNIT = "passport_unit"
    IDENTITY_NUMBER = "identity_number"
    SNILS = "snils"
    POLICY_KIND = "policy_kind"
    POLICY_SERIES = "policy_series"
    POLICY_NUMBER = "policy_number"
    PHONE = "phone"
    POSTAL_INDEX = "address_index"
    ADDRESS = "address_text"
    OCCUPATION = "occupation"
    KIND = "kind"


IDENTITY: Final = frozenset(
    {
        Field.IDENTITY_KIND,
        Field.PASSPORT_SERIES,
        Field.PASSPORT_NUMBER,
        Field.PASSPORT_ISSUED_ON,
        Field.PASSPORT_UNIT,
        Field.IDENTITY_NUMBER,
    }
)

_WITH_PASSPORT: Final = {Field.IDENTITY_KIND: frozenset({"", IdentityKind.PASSPORT})}
_OTHER_PAPERS: Final = frozenset(IdentityKind) - {IdentityKind.PASSPORT}

ASKED_IF: Final[Mapping[Field, Mapping[Field, Set[str]]]] = MappingProxyType(
    {
        Field.PASSPORT_SERIES: _WITH_PASSPORT,
        Field.PASSPORT_NUMBER: _WITH_PASSPORT,
        Field.PASSPORT_ISSUED_ON: _WITH_PASSPORT,
        Field.PASSPORT_UNIT: _WITH_PASSPORT,
        Field.IDENTITY_NUMBER: {Field.IDENTITY_KIND: _OTHER_PAPERS},
        Field.POLICY_SERIES: {Field.POLICY_KIND: frozenset({PolicyKind.OLD})},
    }
)
"""Fields that are asked for only where the answers to others are among these."""


class ConsentMissing(InvalidValue):
    """Without consent nothing personal may be processed (152-ФЗ, art. 9)."""


class ClinicNotOffered(InvalidValue):
    """The clinic can't examine: no licence in force, another kind of work, or not connected."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Everything the form says, read and checked."""

    name: FullName
    born_on: date
    sex: Sex
    identity: Passport | IdentityPaper | None
    """None in forms handed in before it was asked for."""
    snils: Snils
    policy: OmsPolicy
    phone: Phone
    address: PostalAddress
    occupation: Occupation
    kind: ExaminationKind

    @property
    def passport(self) -> Passport | None:
        """The internal passport, if that is what the holder shows."""
        return self.identity if isinstance(self.identity, Passport) else None


def is_asked(field: Field, fields: Mapping[str, str]) -> bool:
    """Whether the field belongs to the form, as the others are answered."""
    return all(fields.get(other, "") in right for other, right in ASKED_IF.get(field, {}).items())


def read(fields: Mapping[str, str], today: date) -> Applicant:
    """Read the whole form; raise ``Invalid`` with a problem under each control's name."""
    return _read(fields, today, asked=frozenset(Field))


def read_again(fields: Mapping[str, str], today: date, asked: Collection[Field] = ()) -> Applicant:
    """Read a form that was handed in, perhaps before all of today's questions were asked.

    Questions it does not know at all are not missing, unless ``asked`` since; the rest as ``read``.
    """
    return _read(fields, today, asked=frozenset(fields).union(asked))


def _read(fields: Mapping[str, str], today: date, asked: Set[str]) -> Applicant:
    said = _said(fields)

    problems = Problems()
    name = problems.take(
        "name",
        FullName.parse,
        last=said(Field.LAST_NAME),
        first=said(Field.FIRST_NAME),
        patronymic=said(Field.PATRONYMIC),
    )
    born_on = problems.take(
        Field.BIRTH_DATE,
        parse_birth_date,
        said(Field.BIRTH_DATE),
        today,
        youngest=YOUNGEST_HOLDER,
    )
    sex = problems.take(Field.SEX, _sex, said(Field.SEX))
    identity = None
    if asked & IDENTITY:
        identity = _read_identity(problems, said, born_on, today)
    snils = problems.take(Field.SNILS, Snils.parse, said(Field.SNILS))
    kind = problems.take(Field.POLICY_KIND, _policy_kind, said(Field.POLICY_KIND))
    policy = problems.take(
        "policy",
        OmsPolicy.parse,
        # A kind nobody offers has been noted above; the number is then read as the usual one.
        kind if Field.POLICY_KIND not in problems.fields else PolicyKind.UNIFIED,
        number=said(Field.POLICY_NUMBER),
        series=said(Field.POLICY_SERIES),
    )
    phone = problems.take(Field.PHONE, Phone.parse_mobile, said(Field.PHONE))
    address = problems.take(
        "address", PostalAddress.parse, index=said(Field.POSTAL_INDEX), text=said(Field.ADDRESS)
    )
    job = problems.take(Field.OCCUPATION, _occupation, said(Field.OCCUPATION))
    purpose = problems.take(Field.KIND, _kind, said(Field.KIND))
    problems.raise_any()
    return Applicant(
        name=name,
        born_on=born_on,
        sex=sex,
        identity=identity,
        snils=snils,
        policy=policy,
        phone=phone,
        address=address,
        occupation=job,
        kind=purpose,
    )


def problem_of(field: Field, fields: Mapping[str, str], today: date) -> InvalidValue | None:
    """Return what is wrong with one field as it stands, or None; the rest may still be empty."""
    text = fields.get(field, "")
    try:
        match field:
            case Field.LAST_NAME | Field.FIRST_NAME:
                parse_name_part(text, required=True)
            case Field.PATRONYMIC:
                parse_name_part(text, required=False)
            case Field.BIRTH_DATE:
                parse_birth_date(text, today, youngest=YOUNGEST_HOLDER)
            case Field.SEX:
                _sex(text)
            case Field.IDENTITY_KIND:
                _identity_kind(text)
            case (
                Field.PASSPORT_SERIES
                | Field.PASSPORT_NUMBER
                | Field.PASSPORT_ISSUED_ON
                | Field.PASSPORT_UNIT
                | Field.IDENTITY_NUMBER
            ):
                problems = Problems()
                _read_identity(problems, _said(fields), _born_on(fields, today), today)
                return problems.fields.get(field)
            case Field.SNILS:
                Snils.parse(text)
            case Field.POLICY_KIND:
                _policy_kind(text)
            case Field.POLICY_SERIES | Field.POLICY_NUMBER:
                OmsPolicy.parse(
                    _policy_kind(fields.get(Field.POLICY_KIND, "")),
                    number=fields.get(Field.POLICY_NUMBER, ""),
                    series=fields.get(Field.POLICY_SERIES, ""),
                )
            case Field.PHONE:
                Phone.parse_mobile(text)
            case Field.POSTAL_INDEX:
                parse_postal_index(text)
            case Field.ADDRESS:
                parse_address_text(text)
            case Field.OCCUPATION:
                _occupation(text)
            case Field.KIND:
                _kind(text)
    except InvalidValue as error:
        return error
    except Invalid as error:
        return error.fields.get(field.removeprefix("policy_"))
    return None


def _read_identity(
    problems: Problems, said: Callable[[Field], str], born_on: date | None, today: date
) -> Passport | IdentityPaper | None:
    kind = problems.take(Field.IDENTITY_KIND, _identity_kind, said(Field.IDENTITY_KIND))
    if Field.IDENTITY_KIND in problems.fields:
        return None
    if kind is not IdentityKind.PASSPORT:
        return problems.take(
            Field.IDENTITY_NUMBER, IdentityPaper.parse, kind, said(Field.IDENTITY_NUMBER)
        )
    return problems.take(
        "passport",
        Passport.parse,
        series=said(Field.PASSPORT_SERIES),
        number=said(Field.PASSPORT_NUMBER),
        issued_on=said(Field.PASSPORT_ISSUED_ON),
        unit=said(Field.PASSPORT_UNIT),
        born_on=born_on,
        today=today,
    )


def _said(fields: Mapping[str, str]) -> Callable[[Field], str]:
    return lambda field: fields.get(field, "")


def _born_on(fields: Mapping[str, str], today: date) -> date | None:
    try:
        return parse_birth_date(fields.get(Field.BIRTH_DATE, ""), today)
    except InvalidValue:
        return None


def _identity_kind(text: str) -> IdentityKind:
    return _chosen(IdentityKind, text or IdentityKind.PASSPORT)


def _sex(text: str) -> Sex:
    return _chosen(Sex, text)


def _policy_kind(text: str) -> PolicyKind:
    return _chosen(PolicyKind, text or PolicyKind.UNIFIED)


def _kind(text: str) -> ExaminationKind:
    return _chosen(ExaminationKind, text)


def _occupation(code: str) -> Occupation:
    if not code:
        raise Required
    return occupation(code)


def _chosen(kind: type[T], text: str) -> T:
    if not text:
        raise Required
    try:
        return kind(text)
    except ValueError:
        raise NotAChoice from None
