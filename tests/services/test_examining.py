"""The clinic's desk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.crypto import signing
from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application, StatusChange
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.tables.examinations import Examination, ExaminationEntry, SignedConclusion
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.notices import StoredNotice
from emk_app.domain import decisions
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.applications import (
    ApplicationStatus,
    ExaminationTrack,
    PapersTrack,
    TrackingNumberMalformed,
    TrackingNumberMistyped,
)
from emk_app.domain.books import BookStatus
from emk_app.domain.clearance import ContraindicationsFound, Fitness, UntilNotInFuture
from emk_app.domain.corrections import Asked
from emk_app.domain.errors import (
    ChangedMeanwhile,
    DomainError,
    FreshFactorNeeded,
    Invalid,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
    TransitionNotAllowed,
)
from emk_app.domain.examinations import (
    BeingCorrected,
    CaseClosed,
    CorrectionReason,
    ExaminationSigned,
    IdentityNotChecked,
    Implausible,
    Incomplete,
    ResultOutdated,
    SignerUnnamed,
)
from emk_app.domain.intake import Field
from emk_app.domain.people import InFuture, NotADate
from emk_app.services import applying, examining, reviewing
from emk_app.services.examining import ExaminationView, Words
from tests.factories import (
    ask,
    good_results,
    make_book,
    make_clinic,
    make_holder,
    make_operator,
    make_physician,
    make_received,
    make_submitted,
    put,
)
from tests.scenes import kept

pytestmark = pytest.mark.usefixtures("world")

TODAY = "23.11.2026"
TYPO = CorrectionReason.TYPO


@pytest.fixture
@kept
def clinic_id() -> int:
    return make_clinic()


@pytest.fixture
@kept
def holder(now: datetime) -> Actor:
    return make_holder(now)


@pytest.fixture
@kept
def number(holder: Actor, clinic_id: int, now: datetime) -> str:
    return make_received(holder, now, clinic_id=clinic_id).number.slug


@pytest.fixture
@kept
def registrar(clinic_id: int, now: datetime) -> Actor:
    return make_physician(clinic_id, now, Position.REGISTRAR, "Регистратова Инна Юрьевна")


@pytest.fixture
@kept
def physician(clinic_id: int, now: datetime) -> Actor:
    return make_physician(clinic_id, now)


@pytest.fixture
@kept
def second(clinic_id: int, now: datetime) -> Actor:
    return make_physician(clinic_id, now, name="Сидорова Елена Павловна")


@pytest.fixture
@kept
def chair(clinic_id: int, now: datetime) -> Actor:
    made = make_physician(clinic_id, now, Position.CHAIR, "Седов Виктор Ильич")
    return replace(made, factor_at=now)


@pytest.fixture
@kept
def opened(number: str, registrar: Actor, now: datetime) -> int:
    """A case that is open, with identity checked."""
    examination_id = examining.open_case(registrar, number, now=now)
    examining.confirm_identity(registrar, examination_id, now=now)
    return examination_id


@pytest.fixture
@kept
def complete(opened: int, physician: Actor, now: datetime) -> int:
    """A case in which everything is entered and nothing deviates."""
    fill(physician, opened, now)
    return opened


def fill(physician: Actor, examination_id: int, now: datetime, but: tuple[str, ...] = ()) -> None:
    seen = examining.view(physician, examination_id, now=now)
    for result in good_results(seen.programme, date(2026, 11, 23)):
        if result.code not in (*but, *seen.entries):
            examining.enter_result(
                physician, examination_id, result.code, result.value, TODAY, now=now
            )


def seen(actor: Actor, examination_id: int, now: datetime) -> ExaminationView:
    return examining.view(actor, examination_id, now=now)


def sign(
    chair: Actor,
    examination_id: int,
    now: datetime,
    fitness: Fitness = Fitness.FIT,
    **words: str,
) -> None:
    version = seen(chair, examination_id, now).version
    said = Words(**{"contraindications": "по протоколу", **words})
    examining.conclude_and_sign(chair, examination_id, fitness, said, seen=version, now=now)


def row(number: str) -> Application:
    with reading() as db:
        return applications.by_number(db, number)


def entries(examination_id: int) -> list[ExaminationEntry]:
    with reading() as db:
        return list(
            db.exec(
                select(ExaminationEntry)
                .where(ExaminationEntry.examination_id == examination_id)
                .order_by(col(ExaminationEntry.id))
            ).all()
        )


def events(number: str) -> list[str]:
    with reading() as db:
        return list(
            db.exec(
                select(StatusChange.event)
                .where(StatusChange.application_id == applications.by_number(db, number).id)
                .order_by(col(StatusChange.id))
            ).all()
        )


def audited(actor: Actor) -> list[tuple[str, str]]:
    with reading() as db:
        return list(
            db.exec(
                select(AuditEntry.action, AuditEntry.fields)
                .where(AuditEntry.actor_id == actor.user_id)
                .order_by(col(AuditEntry.id))
            ).all()
        )


# Refusals: who


ON_A_CASE: dict[str, Callable[[Actor, int, datetime], object]] = {
    "view": lambda actor, case, now: examining.view(actor, case, now=now),
    "confirm": lambda actor, case, now: examining.confirm_identity(actor, case, now=now),
    "enter": lambda actor, case, now: examining.enter_result(
        actor, case, "bp", "120/80", TODAY, now=now
    ),
    "correct": lambda actor, case, now: examining.correct_result(
        actor, case, 1, "120/80", TODAY, reason=TYPO, now=now
    ),
    "sign": lambda actor, case, now: examining.conclude_and_sign(
        actor, case, Fitness.FIT, seen=1, now=now
    ),
    "check": lambda actor, case, now: examining.check_conclusion(actor, case, Fitness.FIT, now=now),
    "reopen": lambda actor, case, now: examining.reopen(actor, case, now=now),
}
MAY: dict[str, set[Position]] = {
    "view": set(Position),
    "confirm": {Position.REGISTRAR, Position.CHAIR},
    "enter": {Position.PHYSICIAN, Position.CHAIR},
    "correct": {Position.PHYSICIAN, Position.CHAIR},
    "sign": {Position.CHAIR},
    "check": {Position.CHAIR},
    "reopen": {Position.REGISTRAR, Position.CHAIR},
}


@pytest.mark.parametrize("act", ON_A_CASE)
def test_other_roles_have_no_business_at_the_clinics_desk(
    act: str, opened: int, holder: Actor, clinic_id: int, now: datetime
):
    strangers = [holder, make_operator(now), *(Actor(99, role) for role in Role)]
    # A role is not made by the columns beside it.
    strangers += [replace(holder, clinic_id=clinic_id, position=Position.CHAIR, factor_at=now)]
    for stranger in strangers:
        with pytest.raises(NotPermitted):
            ON_A_CASE[act](stranger, opened, now)


@pytest.mark.parametrize("act", ON_A_CASE)
@pytest.mark.parametrize("position", Position)
def test_position_decides_what_a_member_of_staff_does(
    act: str, position: Position, opened: int, clinic_id: int, now: datetime
):
    actor = replace(make_physician(clinic_id, now, position), factor_at=now)
    if position in MAY[act]:
        try:
            ON_A_CASE[act](actor, opened, now)
        except NotPermitted:
            pytest.fail("refused")
        except DomainError:
            pass
    else:
        with pytest.raises(NotPermitted):
            ON_A_CASE[act](actor, opened, now)


@pytest.mark.parametrize("act", ON_A_CASE)
def test_foreign_and_missing_cases_look_the_same(act: str, opened: int, now: datetime):
    foreign = make_physician(make_clinic(), now, Position.CHAIR)
    foreign = replace(foreign, factor_at=now)
    for missing in (opened, 424242, -1, 0):
        with pytest.raises(NotFound):
            ON_A_CASE[act](foreign, missing, now)
    assert entries(opened) == []


def test_clinic_sees_and_opens_only_applications_that_chose_it(
    number: str, registrar: Actor, now: datetime
):
    other = make_received(make_holder(now), now).number.slug
    unchecked = make_submitted(make_holder(now), now, clinic_id=registrar.clinic_id).number.slug
    assert [str(line.number) for line in examining.day(registrar, now=now).lines] == [number]
    for foreign in (other, unchecked):
        with pytest.raises(NotFound):
            examining.find(registrar, foreign)
        with pytest.raises(NotFound):
            examining.open_case(registrar, foreign, now=now)
    with pytest.raises(NotPermitted):
        examining.day(make_operator(now), now=now)


def test_physician_does_not_open_cases(number: str, physician: Actor, now: datetime):
    with pytest.raises(NotPermitted):
        examining.open_case(physician, number, now=now)
    assert row(number).examination is ExaminationTrack.WAITING


def test_registrar_sees_how_far_the_case_is_and_no_finding(
    complete: int, registrar: Actor, chair: Actor, now: datetime
):
    shown = seen(registrar, complete, now)
    assert (dict(shown.entries), shown.missing, shown.signature) == ({}, (), None)
    sign(chair, complete, now)
    assert seen(registrar, complete, now).signature is None
    assert not seen(registrar, complete, now).may_enter


@pytest.mark.parametrize(
    ("typed", "problem"),
    [("", TrackingNumberMalformed), ("вчера", TrackingNumberMalformed)],
)
def test_slip_in_a_number_is_named(typed: str, problem: type[Exception], registrar: Actor):
    with pytest.raises(problem):
        examining.find(registrar, typed)


def test_mistyped_number_is_told_from_an_unknown_one(number: str, registrar: Actor):
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    with pytest.raises(TrackingNumberMistyped):
        examining.find(registrar, wrong)
    assert examining.find(registrar, number.lower().replace("-", " ")).examination_id is None


# Refusals: when


def test_nothing_is_entered_before_identity_is_checked(
    number: str, registrar: Actor, chair: Actor, now: datetime
):
    case = examining.open_case(registrar, number, now=now)
    with pytest.raises(IdentityNotChecked):
        examining.enter_result(chair, case, "bp", "120/80", TODAY, now=now)
    with pytest.raises(IdentityNotChecked):
        sign(chair, case, now)
    assert not seen(chair, case, now).may_enter


@pytest.mark.parametrize(
    ("code", "text", "made_on", "field", "problem"),
    [
        ("bp", "", TODAY, "text", Required),
        ("bp", "1200/80", TODAY, "text", DomainError),
        ("bp", "300/80", TODAY, "text", Implausible),
        ("bp", "120/80", "24.11.2026", "made_on", InFuture),
        ("bp", "120/80", "вчера", "made_on", NotADate),
        ("bp", "120/80", "", "made_on", Required),
        ("bp", "120/80", "22.11.2025", "made_on", ResultOutdated),
        ("syphilis", "может быть", TODAY, "text", NotAChoice),
        ("hygiene", "24.11.2026", "", "text", InFuture),
    ],
)
def test_wrong_entry_is_refused_beside_its_field(
    code: str,
    text: str,
    made_on: str,
    field: str,
    problem: type[Exception],
    opened: int,
    physician: Actor,
    now: datetime,
):
    with pytest.raises(Invalid) as refused:
        examining.enter_result(physician, opened, code, text, made_on, now=now)
    assert isinstance(refused.value.fields[field], problem)
    assert entries(opened) == []


@pytest.mark.parametrize("code", ["iop", "mammography", "нет такого", "", "bp' OR 1=1"])
def test_study_outside_the_programme_is_not_entered(
    code: str, opened: int, physician: Actor, now: datetime
):
    with pytest.raises(NotAChoice):
        examining.enter_result(physician, opened, code, "16/17", TODAY, now=now)


def test_second_of_two_physicians_at_one_study_sees_the_first_ones_value(
    opened: int, physician: Actor, second: Actor, now: datetime
):
    examining.enter_result(physician, opened, "bp", "120/80", TODAY, now=now)
    with pytest.raises(ChangedMeanwhile) as beaten:
        examining.enter_result(second, opened, "bp", "145/95", TODAY, now=now + timedelta(hours=1))
    assert (beaten.value.by, beaten.value.at) == ("Петров Пётр Петрович", now)
    shown = seen(second, opened, now).entries["bp"]
    assert (shown.result.value, shown.person) == ("120/80", "Петров Пётр Петрович")
    assert not shown.may_correct


def test_entry_of_another_is_corrected_by_the_chair_alone(
    opened: int, physician: Actor, second: Actor, chair: Actor, now: datetime
):
    examining.enter_result(physician, opened, "bp", "120/80", TODAY, now=now)
    old = entries(opened)[0]
    with pytest.raises(NotPermitted):
        examining.correct_result(second, opened, old.id, "145/95", TODAY, reason=TYPO, now=now)
    examining.correct_result(chair, opened, old.id, "145/95", TODAY, reason=TYPO, now=now)
    assert seen(physician, opened, now).entries["bp"].result.value == "145/95"


def test_entry_corrected_already_is_not_corrected_again(
    opened: int, physician: Actor, chair: Actor, now: datetime
):
    examining.enter_result(physician, opened, "bp", "120/80", TODAY, now=now)
    old = entries(opened)[0]
    examining.correct_result(chair, opened, old.id, "145/95", TODAY, reason=TYPO, now=now)
    with pytest.raises(ChangedMeanwhile) as beaten:
        examining.correct_result(physician, opened, old.id, "130/85", TODAY, reason=TYPO, now=now)
    assert beaten.value.by == "Седов Виктор Ильич"


def test_entry_of_another_case_is_not_reached_through_ones_own(
    opened: int, physician: Actor, now: datetime
):
    elsewhere = make_received(make_holder(now), now).number.slug
    other_clinic = row(elsewhere).clinic_id
    assert other_clinic is not None
    foreign_chair = make_physician(other_clinic, now, Position.CHAIR)
    case = examining.open_case(foreign_chair, elsewhere, now=now)
    examining.confirm_identity(foreign_chair, case, now=now)
    examining.enter_result(foreign_chair, case, "bp", "120/80", TODAY, now=now)
    with pytest.raises(NotFound):
        examining.correct_result(
            physician,
            opened,
            entries(case)[0].id,
            "145/95",
            TODAY,
            reason=TYPO,
            now=now,
        )


def test_case_of_an_ended_application_goes_no_further(
    number: str, opened: int, physician: Actor, chair: Actor, now: datetime
):
    put(row(number).id, status=ApplicationStatus.REJECTED)
    with pytest.raises(CaseClosed):
        examining.enter_result(physician, opened, "bp", "120/80", TODAY, now=now)
    with pytest.raises(CaseClosed):
        sign(chair, opened, now)
    assert seen(chair, opened, now).is_closed


# Refusals: signing


def test_stale_or_missing_factor_signs_nothing(complete: int, chair: Actor, now: datetime):
    for stale in (None, now - timedelta(minutes=5, seconds=1)):
        with pytest.raises(FreshFactorNeeded):
            sign(replace(chair, factor_at=stale), complete, now)
    assert not seen(chair, complete, now).is_signed


@pytest.mark.parametrize("fitness", Fitness)
def test_incomplete_examination_is_not_signed_whatever_the_outcome(
    fitness: Fitness, opened: int, physician: Actor, chair: Actor, now: datetime
):
    fill(physician, opened, now, but=("vision", "hygiene"))
    with pytest.raises(Incomplete) as refused:
        sign(chair, opened, now, fitness, restrictions="нет", until="01.02.2027")
    assert refused.value.codes == ("vision", "hygiene")
    assert seen(chair, opened, now).missing == ("vision", "hygiene")


def test_result_that_ran_out_meanwhile_counts_as_missing(
    complete: int, chair: Actor, now: datetime
):
    later = now + timedelta(days=366)
    with pytest.raises(Incomplete) as refused:
        sign(replace(chair, factor_at=later), complete, later)
    assert "bp" in refused.value.codes and "typhoid" not in refused.value.codes


def test_contraindication_on_record_is_not_signed_as_fit(
    opened: int, physician: Actor, chair: Actor, now: datetime
):
    examining.enter_result(physician, opened, "doc_derm", "contraindications", TODAY, now=now)
    fill(physician, opened, now)
    with pytest.raises(Invalid) as refused:
        sign(chair, opened, now)
    assert isinstance(refused.value.fields["fitness"], ContraindicationsFound)


@pytest.mark.parametrize(
    ("fitness", "words", "field", "problem"),
    [
        (Fitness.FIT_WITH_RESTRICTIONS, {}, "restrictions", Required),
        (Fitness.TEMPORARILY_UNFIT, {}, "until", Required),
        (Fitness.TEMPORARILY_UNFIT, {"until": "скоро"}, "until", NotADate),
        (Fitness.TEMPORARILY_UNFIT, {"until": TODAY}, "until", UntilNotInFuture),
    ],
)
def test_outcome_lacks_nothing_it_needs(
    fitness: Fitness,
    words: dict[str, str],
    field: str,
    problem: type[Exception],
    complete: int,
    chair: Actor,
    now: datetime,
):
    with pytest.raises(Invalid) as refused:
        sign(chair, complete, now, fitness, **words)
    assert isinstance(refused.value.fields[field], problem)
    with pytest.raises(Invalid):
        examining.check_conclusion(chair, complete, fitness, Words(**words), now=now)


def test_chair_signs_only_what_was_on_the_screen(
    complete: int, physician: Actor, chair: Actor, now: datetime
):
    looked_at = seen(chair, complete, now).version
    bp = next(each for each in entries(complete) if each.code == "bp")
    examining.correct_result(physician, complete, bp.id, "170/100", TODAY, reason=TYPO, now=now)
    with pytest.raises(ChangedMeanwhile):
        examining.conclude_and_sign(chair, complete, Fitness.FIT, seen=looked_at, now=now)
    assert not seen(chair, complete, now).is_signed


def test_conclusion_without_a_name_under_it_is_not_signed(
    complete: int, clinic_id: int, now: datetime
):
    nameless = replace(make_physician(clinic_id, now, Position.CHAIR, ""), factor_at=now)
    with pytest.raises(SignerUnnamed):
        sign(nameless, complete, now)


def test_signature_waits_while_what_the_programme_depends_on_is_corrected(
    number: str, complete: int, holder: Actor, chair: Actor, now: datetime
):
    application_id = row(number).id
    ask(application_id, Asked(frozenset({Field.BIRTH_DATE})), "Год рождения?", now)
    with pytest.raises(BeingCorrected):
        sign(chair, complete, now)
    applying.change_fields(holder, application_id, {Field.BIRTH_DATE: "27.03."}, now=now)
    shown = seen(chair, complete, now)
    assert (shown.programme, shown.may_enter, shown.is_settled) == ((), False, False)
    with pytest.raises(BeingCorrected):
        examining.enter_result(chair, complete, "bp", "120/80", TODAY, now=now)


def test_signed_examination_takes_no_more_entries(
    complete: int, physician: Actor, chair: Actor, registrar: Actor, now: datetime
):
    sign(chair, complete, now)
    first = entries(complete)[0]
    for act in (
        lambda: examining.enter_result(physician, complete, "bp", "120/80", TODAY, now=now),
        lambda: examining.correct_result(
            chair, complete, first.id, "130/80", TODAY, reason=TYPO, now=now
        ),
    ):
        with pytest.raises(ExaminationSigned) as refused:
            act()
        assert (refused.value.by, refused.value.at) == ("Седов Виктор Ильич", now)
    with pytest.raises(TransitionNotAllowed):
        examining.reopen(registrar, complete, now=now)


def test_second_chair_is_told_who_signed(
    complete: int, clinic_id: int, chair: Actor, now: datetime
):
    other = make_physician(clinic_id, now, Position.CHAIR, "Новиков Олег Ильич")
    sign(chair, complete, now)
    with pytest.raises(ExaminationSigned) as refused:
        sign(replace(other, factor_at=now), complete, now, Fitness.UNFIT)
    assert refused.value.by == "Седов Виктор Ильич"


# What works


def test_opening_a_case_begins_the_review_and_ends_the_right_to_withdraw(
    number: str, registrar: Actor, chair: Actor, now: datetime
):
    case = examining.open_case(registrar, number, now=now)
    assert examining.open_case(chair, number, now=now) == case
    opened = row(number)
    assert (opened.status, opened.examination) == (
        ApplicationStatus.UNDER_REVIEW,
        ExaminationTrack.OPEN,
    )
    assert events(number)[-2:] == ["under_review", "examination_opened"]
    assert examining.find(chair, number).examination_id == case


def test_case_is_opened_also_while_an_operator_reviews_or_asks(
    number: str, registrar: Actor, now: datetime
):
    operator = make_operator(now)
    reviewing.take(operator, number, now=now)
    reviewing.ask_clarification(operator, number, ["scan_policy"], "Переснимите.", now=now)
    examining.open_case(registrar, number, now=now)
    assert row(number).status is ApplicationStatus.CLARIFICATION_REQUESTED
    assert row(number).examination is ExaminationTrack.OPEN


def test_identity_is_checked_once_by_somebody(
    number: str, registrar: Actor, chair: Actor, now: datetime
):
    case = examining.open_case(registrar, number, now=now)
    examining.confirm_identity(registrar, case, now=now)
    examining.confirm_identity(chair, case, now=now + timedelta(hours=1))
    shown = seen(chair, case, now)
    assert (shown.identity_checked_by, shown.identity_checked_at) == (
        "Регистратова Инна Юрьевна",
        now,
    )


def test_programme_is_that_of_the_work_age_and_sex(opened: int, physician: Actor, now: datetime):
    shown = seen(physician, opened, now)
    codes = [study.code for study in shown.programme]
    assert codes[:4] == ["bp", "vision", "respiratory", "cardiovascular"]
    assert {"staph", "helminths", "doc_gynecologist"} < set(codes) and codes[-1] == "hygiene"
    assert "iop" not in codes and shown.age == 36
    assert shown.missing == tuple(codes) and shown.required == len(codes)


def test_entry_is_sealed_and_shown_in_canonical_form_with_its_deviation(
    opened: int, physician: Actor, now: datetime
):
    examining.enter_result(physician, opened, "bp", " 145 на 95 ", "20.11.2026", now=now)
    shown = seen(physician, opened, now).entries["bp"]
    assert (shown.result.value, shown.result.deviation) == ("145/95", True)
    assert (shown.result.performed_on, shown.entered_at) == (date(2026, 11, 20), now)
    assert shown.may_correct and not shown.is_correction
    assert b"145" not in entries(opened)[0].value_sealed
    assert ("enter_result", "bp") in audited(physician)


def test_same_entry_twice_is_one_entry(opened: int, physician: Actor, now: datetime):
    for typed in ("120/80", "120 / 80"):
        examining.enter_result(physician, opened, "bp", typed, TODAY, now=now)
    assert len(entries(opened)) == 1


def test_correction_is_a_new_entry_that_names_the_old(opened: int, physician: Actor, now: datetime):
    examining.enter_result(physician, opened, "bp", "120/80", TODAY, now=now)
    later = now + timedelta(minutes=5)
    for _ in range(2):
        old = entries(opened)[0]
        examining.correct_result(
            physician, opened, old.id, "125/80", TODAY, reason=CorrectionReason.REPEATED, now=later
        )
    old, new = entries(opened)
    assert (old.superseded_at, new.supersedes_id, new.superseded_at) == (later, old.id, None)
    assert (old.reason, new.reason) == (None, CorrectionReason.REPEATED)
    with reading() as db:
        own = vault.vault_for(db, row_of(opened).holder_id)
        assert own.open(old.value_sealed, "examination_entries", "value", old.id) == "120/80"
    assert seen(physician, opened, now).entries["bp"].is_correction


def row_of(examination_id: int) -> Application:
    with reading() as db:
        found = db.get(Examination, examination_id)
        assert found is not None
        return applications.get(db, found.application_id)


def test_attestation_counts_from_the_day_it_was_passed(
    opened: int, physician: Actor, now: datetime
):
    examining.enter_result(physician, opened, "hygiene", "01.06.2026", "", now=now)
    shown = seen(physician, opened, now).entries["hygiene"].result
    assert (shown.value, shown.performed_on) == ("2026-06-01", date(2026, 6, 1))


def test_fit_person_with_approved_papers_gets_the_book_at_the_signature(
    number: str, complete: int, holder: Actor, chair: Actor, now: datetime
):
    operator = make_operator(now)
    reviewing.take(operator, number, now=now)
    reviewing.approve(operator, number, now=now)
    sign(chair, complete, now)
    signed = row(number)
    assert (signed.status, signed.examination) == (
        ApplicationStatus.APPROVED,
        ExaminationTrack.CONCLUDED,
    )
    shown = seen(chair, complete, now)
    assert shown.signature is not None and shown.signature.person == "Седов Виктор Ильич"
    assert (shown.may_enter, shown.may_sign, shown.is_closed) == (False, False, False)
    with reading() as db:
        assert len(db.exec(select(BookVersion)).all()) == 1
    assert ("sign", "") in audited(chair)


def test_fit_person_whose_papers_wait_gets_the_book_at_their_approval(
    number: str, complete: int, chair: Actor, now: datetime
):
    sign(chair, complete, now, Fitness.FIT_WITH_RESTRICTIONS, restrictions="Без ночных смен")
    assert row(number).status is ApplicationStatus.UNDER_REVIEW
    operator = make_operator(now)
    reviewing.take(operator, number, now=now)
    reviewing.approve(operator, number, now=now)
    assert row(number).status is ApplicationStatus.APPROVED


def test_signing_twice_signs_once(complete: int, chair: Actor, holder: Actor, now: datetime):
    version = seen(chair, complete, now).version
    for _ in range(2):
        examining.conclude_and_sign(chair, complete, Fitness.FIT, seen=version, now=now)
    with reading() as db:
        assert len(db.exec(select(SignedConclusion)).all()) == 1
        told = db.exec(select(StoredNotice.dedupe)).all()
    assert sum(each.startswith("concluded:") for each in told) == 1


@pytest.mark.parametrize("asked", [False, True])
def test_unfitness_ends_the_application_in_words_the_holder_reads(
    asked: bool, number: str, complete: int, holder: Actor, chair: Actor, now: datetime
):
    if asked:
        operator = make_operator(now)
        reviewing.take(operator, number, now=now)
        reviewing.ask_clarification(operator, number, ["scan_policy"], "Переснимите.", now=now)
    sign(chair, complete, now, Fitness.UNFIT, note="Решение комиссии № 7")
    assert row(number).status is ApplicationStatus.REJECTED
    assert applying.case(holder, number, now=now).case.note == decisions.FOUND_UNFIT
    assert events(number)[-2:] == ["examination_concluded", "rejected"]


def test_temporary_unfitness_goes_on_later_and_both_conclusions_are_kept(
    number: str,
    complete: int,
    registrar: Actor,
    second: Actor,
    chair: Actor,
    now: datetime,
):
    sign(chair, complete, now, Fitness.TEMPORARILY_UNFIT, until="01.02.2027")
    assert row(number).status is ApplicationStatus.UNDER_REVIEW
    assert seen(chair, complete, now).may_reopen
    later = now + timedelta(days=71)
    for _ in range(2):
        examining.reopen(registrar, complete, now=later)
    assert row(number).examination is ExaminationTrack.OPEN
    with pytest.raises(IdentityNotChecked):
        examining.enter_result(second, complete, "bp", "120/80", TODAY, now=later)
    examining.confirm_identity(registrar, complete, now=later)
    # What was found before anybody may bring up to date.
    bp = next(each for each in entries(complete) if each.code == "bp")
    examining.correct_result(
        second, complete, bp.id, "118/76", "02.02.2027", reason=TYPO, now=later
    )
    sign(replace(chair, factor_at=later), complete, later)
    with reading() as db:
        signed = db.exec(select(SignedConclusion).order_by(col(SignedConclusion.id))).all()
    assert [each.fitness for each in signed] == [Fitness.TEMPORARILY_UNFIT, Fitness.FIT]
    assert events(number).count("examination_reopened") == 1


def test_unfitness_suspends_a_book_in_force(clinic_id: int, chair: Actor, now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    number = make_received(holder, now, clinic_id=clinic_id).number.slug
    case = examining.open_case(chair, number, now=now)
    examining.confirm_identity(chair, case, now=now)
    fill(chair, case, now)
    sign(chair, case, now, Fitness.TEMPORARILY_UNFIT, until="01.02.2027")
    with reading() as db:
        book = db.get(MedicalBook, book_id)
        assert book is not None and book.status is BookStatus.SUSPENDED


def test_each_look_at_patients_is_noted_once(
    number: str, opened: int, holder: Actor, physician: Actor, now: datetime
):
    for _ in range(2):
        examining.day(physician, now=now)
        examining.view(physician, opened, now=now)
    assert audited(physician) == [("view", "day"), ("view", "form,results")]


# All or nothing, and one at a time


def test_failure_while_the_book_is_formed_leaves_the_examination_unsigned(
    number: str, complete: int, chair: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    put(row(number).id, papers=PapersTrack.APPROVED)

    def fail(*_: object, **__: object) -> None:
        raise OSError("no key")

    with monkeypatch.context() as broken:
        broken.setattr(signing, "sign_document", fail)
        with pytest.raises(OSError, match="no key"):
            sign(chair, complete, now)
    assert not seen(chair, complete, now).is_signed
    assert row(number).examination is ExaminationTrack.OPEN
    with reading() as db:
        assert db.exec(select(SignedConclusion)).all() == []
        assert db.exec(select(MedicalBook)).all() == []
    sign(chair, complete, now)
    assert row(number).status is ApplicationStatus.APPROVED


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do all acts in threads of their own at the same moment; return results and refusals."""
    start = threading.Barrier(len(acts))
    found: list[object] = []

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            found.append(act())
        except DomainError as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_case_opened_by_several_at_once_is_one_case(
    number: str, registrar: Actor, chair: Actor, now: datetime
):
    found = at_once(
        *[lambda: examining.open_case(registrar, number, now=now)] * 2,
        *[lambda: examining.open_case(chair, number, now=now)] * 2,
    )
    assert len(set(found)) == 1 and isinstance(found[0], int)
    assert events(number).count("examination_opened") == 1


def test_of_physicians_at_one_study_at_once_exactly_one_wins(
    opened: int, clinic_id: int, now: datetime
):
    staff = [make_physician(clinic_id, now, name=f"Врач {letter}") for letter in "АБВГ"]
    found = at_once(
        *(
            lambda each=each, at=at: examining.enter_result(
                each, opened, "bp", f"12{at}/80", TODAY, now=now
            )
            for at, each in enumerate(staff)
        )
    )
    assert found.count(None) == 1
    assert sum(isinstance(each, ChangedMeanwhile) for each in found) == 3
    assert len(entries(opened)) == 1


def test_signature_and_correction_at_once_follow_each_other(
    complete: int, physician: Actor, chair: Actor, now: datetime
):
    bp = next(each for each in entries(complete) if each.code == "bp")
    version = seen(chair, complete, now).version
    found = at_once(
        lambda: examining.correct_result(
            physician, complete, bp.id, "125/80", TODAY, reason=TYPO, now=now
        ),
        lambda: examining.conclude_and_sign(chair, complete, Fitness.FIT, seen=version, now=now),
    )
    # Either the correction was refused as too late, or the chair has to look again.
    assert found.count(None) == 1
    assert {type(each) for each in found} in (
        {type(None), ExaminationSigned},
        {type(None), ChangedMeanwhile},
    )


def test_signature_and_refusal_at_once_never_form_a_book(
    number: str, complete: int, chair: Actor, now: datetime
):
    operator = make_operator(now)
    reviewing.take(operator, number, now=now)
    version = seen(chair, complete, now).version
    at_once(
        lambda: reviewing.reject(operator, number, "identity_differs", "", now=now),
        lambda: examining.conclude_and_sign(chair, complete, Fitness.UNFIT, seen=version, now=now),
    )
    assert row(number).status is ApplicationStatus.REJECTED
    assert events(number).count("rejected") == 1
    with reading() as db:
        assert db.exec(select(BookVersion)).all() == []


def test_signature_pressed_by_many_hands_is_one(
    number: str, complete: int, chair: Actor, now: datetime
):
    put(row(number).id, papers=PapersTrack.APPROVED)
    version = seen(chair, complete, now).version
    found = at_once(
        *[lambda: examining.conclude_and_sign(chair, complete, Fitness.FIT, seen=version, now=now)]
        * 4
    )
    assert found == [None] * 4
    with reading() as db:
        assert len(db.exec(select(SignedConclusion)).all()) == 1
        assert len(db.exec(select(BookVersion)).all()) == 1
