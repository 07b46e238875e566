"""The form of an application: what the holder types, read into values that are true ever after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

from emk_app.domain.contacts import Phone
from emk_app.domain.errors import InvalidValue, NotAChoice, Required
from emk_app.domain.examinations import ExaminationKind
from emk_app.domain.numbers import Snils
from emk_app.domain.occupations import Occupation, listed_on, occupation
from emk_app.domain.passports import (
    IdentityKind,
    IdentityPaper,
    Passport,
    PassportOutlived,
    passport_warnings,
)
from emk_app.domain.people import (
    YOUNGEST_HOLDER,
    FullName,
    Sex,
    age_on,
    parse_birth_date,
    parse_past_date,
)
from emk_app.domain.places import PostalAddress
from emk_app.domain.policies import OmsPolicy, PolicyKind, PolicyWarning, policy_warnings
from emk_app.domain.representation import (
    Basis,
    PowerOfAttorney,
    Representative,
    check_acts_alone,
    check_basis,
)
from emk_app.domain.terms import last_day
from emk_app.domain.values import Problems

T = TypeVar("T", bound=StrEnum)
FormWarning: TypeAlias = PolicyWarning | PassportOutlived


class Field(StrEnum):
    """The fields of the form, in its order; the values are the names of the controls."""

    APPLIED_BY = "applied_by"
    REPRESENTATIVE_LAST = "representative_last"
    REPRESENTATIVE_FIRST = "representative_first"
    REPRESENTATIVE_PATRONYMIC = "representative_patronymic"
    REPRESENTATIVE_BASIS = "representative_basis"
    ATTORNEY_NUMBER = "attorney_number"
    ATTORNEY_NOTARY = "attorney_notary"
    ATTORNEY_ISSUED_ON = "attorney_issued_on"
    ATTORNEY_UNTIL = "attorney_until"
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
    CATEGORY = "category"
    OCCUPATION = "occupation"
    KIND = "kind"
    EXAM_CERTIFICATE_ON = "exam_certificate_on"


class AppliedBy(StrEnum):
    """Who fills the form in."""

    HOLDER = "holder"
    REPRESENTATIVE = "representative"


class HolderCategory(StrEnum):
    """What the holder has a paper of, beside the work."""

    NONE = "none"
    STUDENT = "student"
    PENSIONER = "pensioner"
    DISABLED = "disabled"


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

ATTORNEY: Final = frozenset(
    {
        Field.ATTORNEY_NUMBER,
        Field.ATTORNEY_NOTARY,
        Field.ATTORNEY_ISSUED_ON,
        Field.ATTORNEY_UNTIL,
    }
)
REPRESENTATIVE: Final = ATTORNEY | {
    Field.APPLIED_BY,
    Field.REPRESENTATIVE_LAST,
    Field.REPRESENTATIVE_FIRST,
    Field.REPRESENTATIVE_PATRONYMIC,
    Field.REPRESENTATIVE_BASIS,
}
POLICY: Final = frozenset({Field.POLICY_KIND, Field.POLICY_SERIES, Field.POLICY_NUMBER})

CERTIFICATE_MONTHS: Final = 12
"""How long a certificate of an examination made elsewhere may be shown."""

_REPRESENTED: Final = {Field.APPLIED_BY: frozenset({AppliedBy.REPRESENTATIVE})}
_WITH_ATTORNEY: Final = _REPRESENTED | {Field.REPRESENTATIVE_BASIS: frozenset({Basis.ATTORNEY})}
_WITH_PASSPORT: Final = {Field.IDENTITY_KIND: frozenset({"", IdentityKind.PASSPORT})}
_OTHER_PAPERS: Final = frozenset(IdentityKind) - {IdentityKind.PASSPORT}

Condition: TypeAlias = Mapping[Field, Set[str]]
"""Answers that must all be among these."""

ASKED_IF: Final[Mapping[Field, Condition]] = MappingProxyType(
    dict.fromkeys(sorted(REPRESENTATIVE - ATTORNEY - {Field.APPLIED_BY}), _REPRESENTED)
    | dict.fromkeys(sorted(ATTORNEY), _WITH_ATTORNEY)
    | {
        Field.PASSPORT_SERIES: _WITH_PASSPORT,
        Field.PASSPORT_NUMBER: _WITH_PASSPORT,
        Field.PASSPORT_ISSUED_ON: _WITH_PASSPORT,
        Field.PASSPORT_UNIT: _WITH_PASSPORT,
        Field.IDENTITY_NUMBER: {Field.IDENTITY_KIND: _OTHER_PAPERS},
        Field.POLICY_SERIES: {Field.POLICY_KIND: frozenset({PolicyKind.OLD})},
    }
)
"""When a field is asked for that not everybody is asked for."""


class CertificateTooOld(InvalidValue):
    """A certificate of an examination that could be shown until ``last_day``, inclusive."""

    def __init__(self, last_day: date) -> None:
        super().__init__(f"shown until {last_day}")
        self.last_day = last_day


class ConsentMissing(InvalidValue):
    """Without consent nothing personal may be processed (152-ФЗ, art. 9)."""


class ClinicNotOffered(InvalidValue):
    """The clinic can't examine: no licence in force, another kind of work, or not connected."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """Everything the form says, read and checked."""

    name: FullName
    born_on: date
    representative: Representative | None
    """None for a holder who applies for themselves."""
    sex: Sex
    identity: Passport | IdentityPaper | None
    """None in forms handed in before it was asked for."""
    snils: Snils
    policy: OmsPolicy
    phone: Phone
    address: PostalAddress
    category: HolderCategory
    occupation: Occupation
    kind: ExaminationKind
    examined_on: date | None
    """When the examination was made of which a certificate is shown."""

    @property
    def passport(self) -> Passport | None:
        """The internal passport, if that is what the holder shows."""
        return self.identity if isinstance(self.identity, Passport) else None


def is_asked(field: Field, fields: Mapping[str, str]) -> bool:
    """Whether the field belongs to the form, as the others are answered."""
    return holds(ASKED_IF.get(field, {}), fields)


def holds(condition: Condition, fields: Mapping[str, str]) -> bool:
    """Whether the answers are such."""
    return all(fields.get(field, "") in right for field, right in condition.items())


def read(fields: Mapping[str, str], today: date) -> Applicant:
    """Read the whole form; raise ``Invalid`` with a problem under each control's name."""
    applicant, problems = _collect(fields, today, asked=frozenset(Field), fresh=frozenset(Field))
    problems.raise_any()
    return applicant


def read_again(fields: Mapping[str, str], today: date, asked: Collection[Field] = ()) -> Applicant:
    """Read a form that was handed in, perhaps before all of today's questions were asked.

    Questions it does not know at all are not missing, and what has run out since is as good as it
    was, except for those ``asked`` since; the rest as ``read``.
    """
    fresh = frozenset(asked)
    applicant, problems = _collect(fields, today, asked=fresh.union(fields), fresh=fresh)
    problems.raise_any()
    return applicant


def problems_of(fields: Mapping[str, str], today: date) -> dict[str, InvalidValue]:
    """Return what is wrong or missing in the form as it stands, under the controls' names."""
    _, problems = _collect(fields, today, asked=frozenset(Field), fresh=frozenset(Field))
    return problems.fields


def warnings(fields: Mapping[str, str], today: date) -> tuple[FormWarning, ...]:
    """Return what does not fit together but refuses nothing, as far as the form reads."""
    applicant, problems = _collect(fields, today, asked=frozenset(Field), fresh=frozenset())
    wrong = problems.fields
    if Field.BIRTH_DATE in wrong:
        return ()
    found: list[FormWarning] = []
    if not wrong.keys() & IDENTITY and applicant.passport:
        found += passport_warnings(applicant.passport, applicant.born_on, today)
    if not wrong.keys() & POLICY and applicant.policy.enp:
        sex = None if Field.SEX in wrong else applicant.sex
        found += policy_warnings(applicant.policy.enp, applicant.born_on, sex)
    return tuple(found)


def _collect(
    fields: Mapping[str, str], today: date, *, asked: Set[str], fresh: Set[str]
) -> tuple[Applicant, Problems]:
    """Read every question of which a field is ``asked``, and note what is wrong with any.

    Of the applicant only what has no problem means anything. Rules of time bind ``fresh`` fields.
    """
    problems = Problems()

    def said(field: Field) -> str:
        return fields.get(field, "")

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
    age = None if Field.BIRTH_DATE in problems.fields else age_on(born_on, today)
    applied_by = problems.take(Field.APPLIED_BY, _applied_by, said(Field.APPLIED_BY))
    representative = None
    if applied_by is AppliedBy.REPRESENTATIVE:
        representative = _read_representative(problems, said, age, today, fresh)
    elif applied_by is AppliedBy.HOLDER and Field.APPLIED_BY in fresh:
        problems.take(Field.APPLIED_BY, check_acts_alone, age)
    sex = problems.take(Field.SEX, _sex, said(Field.SEX))
    identity = None
    if asked & IDENTITY:
        known_birth = None if age is None else born_on
        identity = _read_identity(problems, said, known_birth, today)
    snils = problems.take(Field.SNILS, Snils.parse, said(Field.SNILS))
    policy_kind = problems.take(Field.POLICY_KIND, _policy_kind, said(Field.POLICY_KIND))
    policy = problems.take(
        "policy",
        OmsPolicy.parse,
        # A kind nobody offers has been noted above; the number is then read as the usual one.
        policy_kind if Field.POLICY_KIND not in problems.fields else PolicyKind.UNIFIED,
        number=said(Field.POLICY_NUMBER),
        series=said(Field.POLICY_SERIES),
    )
    applicant = Applicant(
        name=name,
        born_on=born_on,
        representative=representative,
        sex=sex,
        identity=identity,
        snils=snils,
        policy=policy,
        phone=problems.take(Field.PHONE, Phone.parse_mobile, said(Field.PHONE)),
        address=problems.take(
            "address",
            PostalAddress.parse,
            index=said(Field.POSTAL_INDEX),
            text=said(Field.ADDRESS),
        ),
        category=problems.take(Field.CATEGORY, _category, said(Field.CATEGORY)),
        occupation=problems.take(
            Field.OCCUPATION,
            _occupation,
            said(Field.OCCUPATION),
            today,
            is_fresh=Field.OCCUPATION in fresh,
        ),
        kind=problems.take(Field.KIND, _kind, said(Field.KIND)),
        examined_on=problems.take(
            Field.EXAM_CERTIFICATE_ON,
            _examined_on,
            said(Field.EXAM_CERTIFICATE_ON),
            today,
            is_fresh=Field.EXAM_CERTIFICATE_ON in fresh,
        ),
    )
    return applicant, problems


def _read_representative(
    problems: Problems,
    said: Callable[[Field], str],
    age: int | None,
    today: date,
    fresh: Set[str],
) -> Representative:
    name = problems.take(
        "representative",
        FullName.parse,
        last=said(Field.REPRESENTATIVE_LAST),
        first=said(Field.REPRESENTATIVE_FIRST),
        patronymic=said(Field.REPRESENTATIVE_PATRONYMIC),
    )
    basis = problems.take(Field.REPRESENTATIVE_BASIS, _basis, said(Field.REPRESENTATIVE_BASIS))
    if basis is Basis.PARENT and Field.REPRESENTATIVE_BASIS in fresh:
        problems.take(Field.REPRESENTATIVE_BASIS, check_basis, basis, age)
    if basis is not Basis.ATTORNEY:
        return Representative(name, basis, None)
    attorney = problems.take(
        "attorney",
        PowerOfAttorney.parse,
        number=said(Field.ATTORNEY_NUMBER),
        notary=said(Field.ATTORNEY_NOTARY),
        issued_on=said(Field.ATTORNEY_ISSUED_ON),
        until=said(Field.ATTORNEY_UNTIL),
        today=today,
    )
    if not problems.fields.keys() & ATTORNEY and fresh & ATTORNEY:
        problems.take(Field.ATTORNEY_UNTIL, attorney.check_in_force, today)
    return Representative(name, basis, attorney)


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


def _examined_on(text: str, today: date, *, is_fresh: bool) -> date | None:
    if not text.strip():
        return None
    examined_on = parse_past_date(text, today)
    if is_fresh and last_day(examined_on, CERTIFICATE_MONTHS) < today:
        raise CertificateTooOld(last_day(examined_on, CERTIFICATE_MONTHS))
    return examined_on


def _applied_by(text: str) -> AppliedBy:
    return _chosen(AppliedBy, text or AppliedBy.HOLDER)


def _basis(text: str) -> Basis:
    return _chosen(Basis, text)


def _category(text: str) -> HolderCategory:
    return _chosen(HolderCategory, text or HolderCategory.NONE)


def _identity_kind(text: str) -> IdentityKind:
    return _chosen(IdentityKind, text or IdentityKind.PASSPORT)


def _sex(text: str) -> Sex:
    return _chosen(Sex, text)


def _policy_kind(text: str) -> PolicyKind:
    return _chosen(PolicyKind, text or PolicyKind.UNIFIED)


def _kind(text: str) -> ExaminationKind:
    return _chosen(ExaminationKind, text)


def _occupation(code: str, today: date, *, is_fresh: bool) -> Occupation:
    if not code:
        raise Required
    if is_fresh or (chosen := listed_on(code, today)) is None:
        return occupation(code, today)
    return chosen


def _chosen(kind: type[T], text: str) -> T:
    if not text:
        raise Required
    try:
        return kind(text)
    except ValueError:
        raise NotAChoice from None
