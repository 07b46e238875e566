"""What a commission does beyond a plain examination: orders, takes over, corrects, is contested."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.repositories import applications, examinations
from emk_app.db.tables.applications import Application, StatusChange
from emk_app.db.tables.examinations import (
    Appeal,
    ExaminationEntry,
)
from emk_app.db.tables.people import User
from emk_app.domain import appeals as rules
from emk_app.domain import specialties
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.appeals import (
    AlreadyAppealed,
    AppealPending,
    AppealStatus,
    AppealTooLate,
    NoSecondCommission,
    NothingToContest,
    SameSigner,
)
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack, PapersTrack
from emk_app.domain.books import BookStatus
from emk_app.domain.clearance import Fitness
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
)
from emk_app.domain.examinations import (
    CaseClosed,
    CorrectionReason,
    FurtherStudyDone,
    IdentityNotChecked,
    Incomplete,
    Source,
    Unlikely,
)
from emk_app.domain.specialties import ForeignSpecialty
from emk_app.domain.vaccinations import NotBySerology, Protection
from emk_app.services import (
    appealing,
    applying,
    examining,
    issuing,
    reports,
    staffing,
    vaccinating,
)
from emk_app.services.examining import Words
from emk_app.services.vaccinating import Typed
from tests.factories import (
    good_results,
    make_book,
    make_clinic,
    make_holder,
    make_operator,
    make_physician,
    make_received,
    put,
)
from tests.scenes import kept

pytestmark = pytest.mark.usefixtures("world")

TODAY = "23.11.2026"
ILL = Words(contraindication_codes=("skin",))


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


def chair_of(clinic_id: int, now: datetime, name: str = "Седов Виктор Ильич") -> Actor:
    return replace(make_physician(clinic_id, now, Position.CHAIR, name), factor_at=now)


@pytest.fixture
@kept
def chair(clinic_id: int, now: datetime) -> Actor:
    return chair_of(clinic_id, now)


@pytest.fixture
@kept
def physician(clinic_id: int, now: datetime) -> Actor:
    return make_physician(clinic_id, now)


@pytest.fixture
@kept
def opened(number: str, chair: Actor, now: datetime) -> int:
    return begin(chair, number, now)


def begin(chair: Actor, number: str, now: datetime) -> int:
    examination_id = examining.open_case(chair, number, now=now)
    examining.confirm_identity(chair, examination_id, now=now)
    return examination_id


def fill(actor: Actor, case: int, now: datetime) -> None:
    shown = examining.view(actor, case, now=now)
    for result in good_results(shown.programme, now.date()):
        if result.code not in shown.entries:
            made_on = f"{now:%d.%m.%Y}"
            examining.enter_result(actor, case, result.code, result.value, made_on, now=now)


def sign(
    chair: Actor, case: int, now: datetime, fitness: Fitness = Fitness.FIT, words: Words = ILL
) -> None:
    seen = examining.view(chair, case, now=now).version
    examining.conclude_and_sign(chair, case, fitness, words, seen=seen, now=now)


def row(number: str) -> Application:
    with reading() as db:
        return applications.by_number(db, number)


def entry(case: int, code: str) -> ExaminationEntry:
    with reading() as db:
        return next(each for each in examinations.standing(db, case) if each.code == code)


def events(number: str) -> list[str]:
    with reading() as db:
        return list(
            db.exec(
                select(StatusChange.event)
                .where(StatusChange.application_id == applications.by_number(db, number).id)
                .order_by(col(StatusChange.id))
            ).all()
        )


# Specialties


def test_physician_enters_only_studies_of_their_own_specialties(
    opened: int, clinic_id: int, now: datetime
):
    therapist = make_physician(clinic_id, now, own_specialties=("therapist",))
    examining.enter_result(therapist, opened, "bp", "120/80", TODAY, now=now)
    for act in (
        lambda: examining.enter_result(therapist, opened, "syphilis", "not_found", TODAY, now=now),
        lambda: examining.take_over(therapist, opened, "syphilis", now=now),
    ):
        with pytest.raises(ForeignSpecialty) as refused:
            act()
        assert refused.value.specialty == "laboratory"
    shown = examining.view(therapist, opened, now=now)
    assert shown.own == {
        "bp",
        "respiratory",
        "cardiovascular",
        "survey",
        "anthropometry",
        "cv_risk_rel",
        "doc_therapist",
    }


def test_entry_of_a_lost_specialty_is_corrected_by_its_author_no_longer(
    opened: int, chair: Actor, clinic_id: int, now: datetime
):
    physician = make_physician(clinic_id, now, own_specialties=("therapist",))
    examining.enter_result(physician, opened, "bp", "120/80", TODAY, now=now)
    staffing.set_specialties(chair, physician.user_id, ["dentist"], now=now)
    with pytest.raises(ForeignSpecialty):
        examining.correct_result(
            physician,
            opened,
            entry(opened, "bp").id,
            "125/80",
            TODAY,
            reason=CorrectionReason.TYPO,
            now=now,
        )
    assert not examining.view(physician, opened, now=now).entries["bp"].may_correct


def test_physician_without_a_specialty_enters_nothing(opened: int, clinic_id: int, now: datetime):
    nobody = make_physician(clinic_id, now, own_specialties=())
    assert examining.view(nobody, opened, now=now).own == frozenset()
    with pytest.raises(ForeignSpecialty):
        examining.enter_result(nobody, opened, "bp", "120/80", TODAY, now=now)


def test_chair_enters_everything_and_gives_specialties_to_own_physicians_alone(
    opened: int, chair: Actor, physician: Actor, clinic_id: int, now: datetime
):
    assert len(examining.view(chair, opened, now=now).own) == len(
        examining.view(chair, opened, now=now).programme
    )
    foreign = make_physician(make_clinic(), now)
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    for other in (foreign.user_id, registrar.user_id, chair.user_id, 424242, -1):
        with pytest.raises(NotFound):
            staffing.set_specialties(chair, other, ["dentist"], now=now)
    with pytest.raises(Invalid):
        staffing.set_specialties(chair, physician.user_id, ["шаман"], now=now)
    for stranger in (physician, registrar, make_operator(now), Actor(1, Role.HOLDER)):
        with pytest.raises(NotPermitted):
            staffing.set_specialties(stranger, physician.user_id, ["dentist"], now=now)
        with pytest.raises(NotPermitted):
            staffing.staff(stranger)
    staffing.set_specialties(chair, physician.user_id, ["dentist", "ent"], now=now)
    members = {each.id: each for each in staffing.staff(chair)}
    assert members[physician.user_id].specialties == {"dentist", "ent"}
    assert set(members) == {physician.user_id, registrar.user_id, chair.user_id}
    with reading() as db:
        found = db.get(User, physician.user_id)
        assert found is not None and specialties.read(found.specialties) == {"dentist", "ent"}


# Rare numbers, details


def test_rare_number_is_saved_once_it_is_confirmed(opened: int, physician: Actor, now: datetime):
    with pytest.raises(Invalid) as refused:
        examining.enter_result(physician, opened, "bp", "210/80", TODAY, now=now)
    assert isinstance(refused.value.fields["text"], Unlikely)
    examining.enter_result(physician, opened, "bp", "210/80", TODAY, confirmed=True, now=now)
    assert examining.view(physician, opened, now=now).entries["bp"].result.deviation


def test_details_say_who_made_an_analysis_and_survive_its_correction(
    opened: int, physician: Actor, clinic_id: int, now: datetime
):
    examining.enter_result(physician, opened, "glucose", "5.1", TODAY, now=now)
    made = entry(opened, "glucose").id
    said = {"performer": "Лаборатория № 2", "device": "AU480", "number": "17-б"}
    for _ in range(2):
        examining.put_details(physician, opened, made, **said, from_certificate=False, now=now)
    with pytest.raises(Invalid) as refused:
        examining.put_details(physician, opened, made, **said, from_certificate=True, now=now)
    assert isinstance(refused.value.fields["from_certificate"], NotAChoice)
    second = make_physician(clinic_id, now)
    with pytest.raises(NotPermitted):
        examining.put_details(second, opened, made, **said, from_certificate=False, now=now)
    examining.correct_result(
        physician, opened, made, "5.2", TODAY, reason=CorrectionReason.TYPO, now=now
    )
    shown = examining.view(physician, opened, now=now).entries["glucose"]
    assert (shown.details.performer, shown.details.device, shown.details.number) == (
        "Лаборатория № 2",
        "AU480",
        "17-б",
    )


# Taking over from the book


@pytest.fixture
@kept
def second_case(holder: Actor, clinic_id: int, chair: Actor, now: datetime) -> int:
    """A case of a holder whose book was made eight months ago."""
    make_book(holder, now - timedelta(days=240))
    number = make_received(holder, now, clinic_id=clinic_id).number.slug
    return begin(chair, number, now)


def test_what_the_book_says_and_is_in_date_is_offered_and_taken_over_with_its_day(
    second_case: int, physician: Actor, now: datetime
):
    shown = examining.view(physician, second_case, now=now)
    made_on = (now - timedelta(days=240)).date()
    assert set(shown.offers) == {each.code for each in shown.programme}
    assert shown.offers["syphilis"].result.performed_on == made_on
    for _ in range(2):
        examining.take_over(physician, second_case, "syphilis", now=now)
    kept = entry(second_case, "syphilis")
    assert (kept.source, kept.performed_on) == (Source.BOOK, made_on)
    assert "syphilis" not in examining.view(physician, second_case, now=now).offers


def test_made_anew_is_the_other_answer_to_an_offer(
    second_case: int, physician: Actor, now: datetime
):
    examining.enter_result(physician, second_case, "bp", "120/80", TODAY, now=now)
    assert entry(second_case, "bp").source is None
    assert "bp" not in examining.view(physician, second_case, now=now).offers


def test_what_is_over_or_of_a_book_out_of_force_is_not_offered(
    holder: Actor, clinic_id: int, chair: Actor, physician: Actor, now: datetime
):
    make_book(holder, now - timedelta(days=400))
    number = make_received(holder, now, clinic_id=clinic_id).number.slug
    case = begin(chair, number, now)
    offered = set(examining.view(physician, case, now=now).offers)
    assert offered == {"intestinal", "typhoid", "staph"}  # made once, on hiring
    with pytest.raises(NotAChoice):
        examining.take_over(physician, case, "bp", now=now)
    card = issuing.card(holder, now=now)
    assert card is not None
    officer = replace(make_operator(now), factor_at=now)
    issuing.suspend(officer, card.id, "проверка", now=now)
    assert examining.view(physician, case, now=now).offers == {}


def test_nothing_is_taken_over_from_somebody_elses_book(
    opened: int, physician: Actor, now: datetime
):
    make_book(make_holder(now), now - timedelta(days=240))
    assert examining.view(physician, opened, now=now).offers == {}
    with pytest.raises(NotAChoice):
        examining.take_over(physician, opened, "syphilis", now=now)


# Further studies


def test_further_study_extends_the_case_stops_the_clock_and_tells_the_holder(
    opened: int, number: str, holder: Actor, physician: Actor, chair: Actor, now: datetime
):
    fill(physician, opened, now)
    for _ in range(2):
        examining.order_further(physician, opened, "УЗИ щитовидной железы", now=now)
    code = examining.view(physician, opened, now=now).missing[0]
    assert events(number)[-1] == "further_ordered"
    with pytest.raises(Incomplete) as refused:
        sign(chair, opened, now)
    assert refused.value.codes == (code,)
    later = now + timedelta(days=7)
    promised = applying.case(holder, number, now=now).case.promised_by
    assert applying.case(holder, number, now=later).case.promised_by > promised
    mine = appealing.mine(holder, number, now=now)
    assert mine is not None
    assert [each.study.name for each in mine.studies if each.result is None] == [
        "УЗИ щитовидной железы"
    ]
    examining.enter_result(physician, opened, code, "no_contraindications", "30.11.2026", now=later)
    assert events(number)[-1] == "further_done"
    sign(replace(chair, factor_at=later), opened, later)
    assert row(number).examination is ExaminationTrack.CONCLUDED


def test_further_study_is_taken_back_by_who_ordered_it_and_before_its_result(
    opened: int, number: str, physician: Actor, clinic_id: int, now: datetime
):
    examining.order_further(physician, opened, "Консультация кардиолога", now=now)
    order = next(iter(examining.view(physician, opened, now=now).further.values()))
    second = make_physician(clinic_id, now)
    with pytest.raises(NotPermitted):
        examining.cancel_further(second, opened, order, now=now)
    with pytest.raises(NotFound):
        examining.cancel_further(physician, opened, order + 1, now=now)
    examining.cancel_further(physician, opened, order, now=now)
    assert events(number)[-1] == "further_done"
    assert examining.view(physician, opened, now=now).further == {}
    examining.order_further(physician, opened, "Консультация кардиолога", now=now)
    code, order = next(iter(examining.view(physician, opened, now=now).further.items()))
    examining.enter_result(physician, opened, code, "no_contraindications", TODAY, now=now)
    with pytest.raises(FurtherStudyDone):
        examining.cancel_further(physician, opened, order, now=now)


@pytest.mark.parametrize("name", ["", "   ", "а" * 200])
def test_further_study_has_a_name(name: str, opened: int, physician: Actor, now: datetime):
    with pytest.raises(Invalid) as refused:
        examining.order_further(physician, opened, name, now=now)
    assert "name" in refused.value.fields


def test_registrar_and_foreign_clinic_order_nothing(opened: int, clinic_id: int, now: datetime):
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    with pytest.raises(NotPermitted):
        examining.order_further(registrar, opened, "УЗИ", now=now)
    with pytest.raises(NotFound):
        examining.order_further(chair_of(make_clinic(), now), opened, "УЗИ", now=now)


# What is signed


def test_what_is_signed_is_kept_whole_and_says_the_same_for_ever(
    opened: int, physician: Actor, chair: Actor, clinic_id: int, now: datetime
):
    fill(physician, opened, now)
    vaccinating.record(
        physician, opened, Typed("measles", "done", TODAY, "V1", "ЖКВ", "0123"), now=now
    )
    sign(chair, opened, now, Fitness.FIT_WITH_RESTRICTIONS, Words(restriction_codes=("glasses",)))
    with reading() as db:
        signed = examinations.signed_of(db, opened)[-1]
        report = reports.signed_report(db, signed)
        raw = examinations.report_of(signed, vault.vault_for(db, applications.get(db, 1).holder_id))
    assert report is not None and raw is not None
    assert signed.clinic_id == clinic_id
    assert report["format"] == reports.FORMAT
    assert report["number"] == 1 and report["previous_hash"] == ""
    assert report["conclusion"]["restrictions"] == "работа в очках или контактных линзах"
    assert report["chair"]["name"] == "Седов Виктор Ильич"
    assert report["vaccinations"][0]["series"] == "0123"
    assert len(report["lines"]) == len(examining.view(chair, opened, now=now).programme)
    assert json.loads(raw) == report
    assert report["patient"]["snils"] == "11223344595"


# Corrections after the signature


def test_conclusion_is_corrected_after_the_book_and_makes_its_next_version(
    opened: int, number: str, holder: Actor, physician: Actor, chair: Actor, now: datetime
):
    fill(physician, opened, now)
    put(row(number).id, papers=PapersTrack.APPROVED)
    sign(chair, opened, now)
    card = issuing.card(holder, now=now)
    assert card is not None and card.version == 1
    issuing.receive(holder, card.id, now=now)
    stale = replace(chair, factor_at=now - timedelta(minutes=6))
    with pytest.raises(FreshFactorNeeded):
        examining.withdraw_conclusion(stale, opened, now=now)
    with pytest.raises(NotPermitted):
        examining.withdraw_conclusion(physician, opened, now=now)
    for _ in range(2):
        examining.withdraw_conclusion(chair, opened, now=now)
    assert events(number)[-1] == "conclusion_withdrawn"
    still = issuing.card(holder, now=now)
    assert still is not None and still.judgement.is_valid
    bp = entry(opened, "bp")
    examining.correct_result(
        chair, opened, bp.id, "125/80", TODAY, reason=CorrectionReason.MIXED_UP, now=now
    )
    sign(chair, opened, now)
    renewed = issuing.card(holder, now=now)
    assert renewed is not None and renewed.content is not None
    assert (renewed.version, renewed.status) == (2, BookStatus.ACTIVE)
    assert {line.code: line.value for line in renewed.content.lines}["bp"] == "125/80"
    assert row(number).status is ApplicationStatus.APPROVED
    with reading() as db:
        kept = examinations.signed_of(db, opened)
        assert len(kept) == 2
        after = reports.signed_report(db, kept[1])
        assert after is not None and after["previous_hash"] == kept[0].report_hash


def test_book_is_suspended_when_the_corrected_conclusion_does_not_admit(
    opened: int, number: str, holder: Actor, physician: Actor, chair: Actor, now: datetime
):
    fill(physician, opened, now)
    put(row(number).id, papers=PapersTrack.APPROVED)
    sign(chair, opened, now)
    card = issuing.card(holder, now=now)
    assert card is not None
    issuing.receive(holder, card.id, now=now)
    examining.withdraw_conclusion(chair, opened, now=now)
    sign(chair, opened, now, Fitness.UNFIT)
    after = issuing.card(holder, now=now)
    assert after is not None and after.status is BookStatus.SUSPENDED
    assert row(number).status is ApplicationStatus.APPROVED


def test_book_nobody_has_received_is_revoked_and_not_received_any_more(
    opened: int, number: str, holder: Actor, physician: Actor, chair: Actor, now: datetime
):
    fill(physician, opened, now)
    put(row(number).id, papers=PapersTrack.APPROVED)
    sign(chair, opened, now)
    examining.withdraw_conclusion(chair, opened, now=now)
    sign(chair, opened, now, Fitness.UNFIT)
    card = issuing.card(holder, now=now)
    assert card is not None and card.status is BookStatus.REVOKED


def test_conclusion_under_an_older_version_of_the_book_is_corrected_no_more(
    opened: int, number: str, holder: Actor, physician: Actor, chair: Actor, now: datetime
):
    fill(physician, opened, now)
    put(row(number).id, papers=PapersTrack.APPROVED)
    sign(chair, opened, now)
    make_book(holder, now, received=False)
    assert not examining.view(chair, opened, now=now).may_withdraw
    with pytest.raises(CaseClosed):
        examining.withdraw_conclusion(chair, opened, now=now)


# Vaccinations


def test_vaccination_is_recorded_judged_and_taken_back(
    opened: int, holder: Actor, number: str, physician: Actor, chair: Actor, now: datetime
):
    typed = Typed("hbv", "done", "01.10.2026", "V1", "Комбиотех", "45")
    for _ in range(2):
        vaccinating.record(physician, opened, typed, now=now)
    card = vaccinating.card(physician, opened, now=now)
    assert len(card.records) == 1
    standing = {each.infection.code: each for each in card.standings}["hbv"]
    assert (standing.protection, standing.due_on) == (Protection.OVERDUE, date(2026, 10, 31))
    mine = appealing.mine(holder, number, now=now)
    assert mine is not None and "hbv" in {each.infection.code for each in mine.vaccinations}
    second = make_physician(chair.clinic_id or 0, now)
    with pytest.raises(NotPermitted):
        vaccinating.withdraw(second, opened, card.records[0].id, now=now)
    vaccinating.withdraw(chair, opened, card.records[0].id, now=now)
    assert vaccinating.card(physician, opened, now=now).records == ()
    with pytest.raises(NotFound):
        vaccinating.withdraw(chair, opened, card.records[0].id, now=now)


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        (Typed("", "", ""), {"code", "kind", "on"}),
        (Typed("hbv", "done", TODAY), {"dose", "vaccine", "series"}),
        (Typed("hbv", "done", TODAY, "RV", "в", "1"), {"dose"}),
        (Typed("flu", "immune_by_serology", TODAY), {"kind"}),
        (Typed("hbv", "medical_exemption", TODAY, until=TODAY), {"until"}),
        (Typed("hbv", "refusal", "24.11.2026"), {"on"}),
        (Typed("hbv", "had_disease", "01.01.1980"), {"on"}),
    ],
)
def test_record_of_a_vaccination_lacks_nothing(
    typed: Typed, fields: set[str], opened: int, physician: Actor, now: datetime
):
    with pytest.raises(Invalid) as refused:
        vaccinating.record(physician, opened, typed, now=now)
    assert set(refused.value.fields) == fields
    if typed.code == "flu":
        assert isinstance(refused.value.fields["kind"], NotBySerology)


def test_vaccinations_of_others_are_out_of_reach(
    opened: int, clinic_id: int, physician: Actor, now: datetime
):
    typed = Typed("hbv", "refusal", TODAY)
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    for stranger in (registrar, make_operator(now), Actor(1, Role.HOLDER)):
        with pytest.raises(NotPermitted):
            vaccinating.record(stranger, opened, typed, now=now)
        with pytest.raises(NotPermitted):
            vaccinating.card(stranger, opened, now=now)
    with pytest.raises(NotFound):
        vaccinating.card(make_physician(make_clinic(), now), opened, now=now)


# Appeals


@pytest.fixture
@kept
def unfit(opened: int, physician: Actor, chair: Actor, now: datetime) -> int:
    fill(physician, opened, now)
    sign(chair, opened, now, Fitness.UNFIT)
    return opened


def test_second_commission_of_another_chair_decides_and_both_conclusions_are_kept(
    unfit: int, number: str, holder: Actor, chair: Actor, clinic_id: int, now: datetime
):
    second = chair_of(clinic_id, now, "Юдина Раиса Фёдоровна")
    put(row(number).id, papers=PapersTrack.APPROVED)
    appealing.file(holder, number, "Вылечился", now=now)
    (waiting,) = appealing.waiting(second, now=now)
    assert (waiting.reason, waiting.may_take, waiting.fitness) == ("Вылечился", True, Fitness.UNFIT)
    assert not appealing.waiting(chair, now=now)[0].may_take
    with pytest.raises(SameSigner):
        appealing.take(chair, number, now=now)
    assert [appealing.take(second, number, now=now) for _ in range(2)] == [unfit, unfit]
    assert row(number).status is ApplicationStatus.UNDER_REVIEW
    assert appealing.waiting(second, now=now) == ()
    with pytest.raises(IdentityNotChecked):
        sign(second, unfit, now)
    examining.confirm_identity(second, unfit, now=now)
    with pytest.raises(SameSigner):
        sign(chair, unfit, now)
    sign(second, unfit, now)
    assert row(number).status is ApplicationStatus.APPROVED
    assert events(number).count("appeal_decided") == 1
    mine = appealing.mine(holder, number, now=now)
    assert mine is not None and mine.appeal is not None
    assert mine.appeal.status is AppealStatus.DECIDED
    assert [each.conclusion.fitness for each in mine.conclusions] == [Fitness.UNFIT, Fitness.FIT]
    assert [each.chair_name for each in mine.conclusions] == [
        "Седов Виктор Ильич",
        "Юдина Раиса Фёдоровна",
    ]


def test_commission_of_another_clinic_takes_the_case_with_it(
    unfit: int, number: str, holder: Actor, chair: Actor, now: datetime
):
    elsewhere = make_clinic()
    second = chair_of(elsewhere, now)
    appealing.file(holder, number, "Не согласен", clinic_id=elsewhere, now=now)
    with pytest.raises(NotFound):
        appealing.take(chair_of(make_clinic(), now), number, now=now)
    appealing.take(second, number, now=now)
    assert examining.view(second, unfit, now=now).contest is not None
    with pytest.raises(NotFound):
        examining.view(chair, unfit, now=now)


def test_second_refusal_is_final(
    unfit: int, number: str, holder: Actor, clinic_id: int, now: datetime
):
    second = chair_of(clinic_id, now)
    appealing.file(holder, number, "Не согласен", now=now)
    with pytest.raises(AlreadyAppealed):
        appealing.file(holder, number, "Ещё раз", now=now)
    appealing.take(second, number, now=now)
    examining.confirm_identity(second, unfit, now=now)
    sign(second, unfit, now, Fitness.UNFIT)
    assert row(number).status is ApplicationStatus.REJECTED
    with pytest.raises(AlreadyAppealed):
        appealing.file(holder, number, "И снова", now=now)
    with reading() as db:
        assert len(db.exec(select(Appeal)).all()) == 1


def test_appeal_has_its_days_its_reason_and_its_owner(
    unfit: int, number: str, holder: Actor, clinic_id: int, now: datetime
):
    chair_of(clinic_id, now)
    with pytest.raises(Invalid) as refused:
        appealing.file(holder, number, "  ", now=now)
    assert isinstance(refused.value.fields["reason"], Required)
    for stranger in (make_holder(now),):
        with pytest.raises(NotFound):
            appealing.file(stranger, number, "Не согласен", now=now)
        with pytest.raises(NotFound):
            appealing.mine(stranger, number, now=now)
    with pytest.raises(NotPermitted):
        appealing.file(make_operator(now), number, "Не согласен", now=now)
    with pytest.raises(AppealTooLate):
        appealing.file(holder, number, "Поздно", now=now + timedelta(days=rules.DAYS + 1))
    appealing.file(holder, number, "В последний день", now=now + timedelta(days=rules.DAYS))


def test_without_another_chair_there_is_no_second_commission(
    unfit: int, number: str, holder: Actor, now: datetime
):
    with pytest.raises(NoSecondCommission):
        appealing.file(holder, number, "Не согласен", now=now)
    with reading() as db:
        assert db.exec(select(Appeal)).all() == []


def test_only_a_conclusion_that_keeps_from_work_is_contested(
    opened: int, number: str, holder: Actor, physician: Actor, chair: Actor, now: datetime
):
    chair_of(chair.clinic_id or 0, now)
    with pytest.raises(NothingToContest):
        appealing.file(holder, number, "Заранее", now=now)
    fill(physician, opened, now)
    sign(chair, opened, now)
    with pytest.raises(NothingToContest):
        appealing.file(holder, number, "Годен, но против", now=now)
    mine = appealing.mine(holder, number, now=now)
    assert mine is not None and not mine.may_appeal


def test_first_commission_does_not_go_on_while_the_second_is_asked(
    opened: int, number: str, holder: Actor, physician: Actor, chair: Actor, now: datetime
):
    chair_of(chair.clinic_id or 0, now)
    fill(physician, opened, now)
    sign(chair, opened, now, Fitness.TEMPORARILY_UNFIT, replace(ILL, until="01.02.2027"))
    appealing.file(holder, number, "Здоров", now=now)
    with pytest.raises(AppealPending):
        examining.reopen(chair, opened, now=now)
    with pytest.raises(AppealPending):
        examining.withdraw_conclusion(chair, opened, now=now)


def test_holder_sees_each_result_as_it_is_confirmed_and_no_one_elses(
    opened: int, number: str, holder: Actor, physician: Actor, now: datetime
):
    before = appealing.mine(holder, number, now=now)
    assert before is not None and before.done == 0
    examining.enter_result(physician, opened, "bp", "145/95", TODAY, now=now)
    after = appealing.mine(holder, number, now=now)
    assert after is not None and after.done == 1
    found = {each.study.code: each for each in after.studies}["bp"]
    assert found.result is not None and found.result.deviation
    assert found.valid_until == date(2027, 11, 23)
