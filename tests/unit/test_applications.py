from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.actors import Role
from emk_app.domain.applications import (
    EXAMINATION_STEPS,
    FINAL,
    PAPERS_STEPS,
    REQUIRED_SCANS,
    STEPS,
    ApplicationField,
    ApplicationStatus,
    CaseAlreadyOpen,
    ExaminationTrack,
    PapersTrack,
    TrackingNumber,
    TrackingNumberMalformed,
    TrackingNumberMistyped,
    advance,
    advance_examination,
    advance_papers,
    both_green,
    clinic_may_change,
    is_lapsed,
    is_reminder_due,
    kept_until,
    missing,
    reopen_examination,
    reopen_for_appeal,
    withdraw,
)
from emk_app.domain.clearance import Fitness
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import NotPermitted, TransitionNotAllowed
from emk_app.domain.steps import Step

A = ApplicationStatus
SAVED_ON = date(2026, 11, 23)

# The rules of design.md section 3, written a second time as sentences: source, target, who.
ALLOWED = {
    (A.DRAFT, A.SUBMITTED): {Role.HOLDER},
    (A.SUBMITTED, A.RECEIVED): {Role.SYSTEM},
    (A.SUBMITTED, A.REJECTED): {Role.SYSTEM},
    (A.RECEIVED, A.UNDER_REVIEW): {Role.OPERATOR, Role.CLINIC},
    (A.UNDER_REVIEW, A.CLARIFICATION_REQUESTED): {Role.OPERATOR},
    (A.UNDER_REVIEW, A.REJECTED): {Role.OPERATOR, Role.SYSTEM},
    (A.UNDER_REVIEW, A.APPROVED): {Role.SYSTEM},
    (A.DRAFT, A.EXPIRED): {Role.SYSTEM},
    (A.RECEIVED, A.EXPIRED): {Role.SYSTEM},
    (A.UNDER_REVIEW, A.EXPIRED): {Role.SYSTEM},
    (A.CLARIFICATION_REQUESTED, A.UNDER_REVIEW): {Role.HOLDER},
    (A.CLARIFICATION_REQUESTED, A.REJECTED): {Role.SYSTEM},
    (A.CLARIFICATION_REQUESTED, A.EXPIRED): {Role.SYSTEM},
    **{
        (source, A.WITHDRAWN): {Role.HOLDER}
        for source in (
            A.DRAFT,
            A.SUBMITTED,
            A.RECEIVED,
            A.UNDER_REVIEW,
            A.CLARIFICATION_REQUESTED,
        )
    },
}


@pytest.mark.parametrize(("source", "target", "role"), list(itertools.product(A, A, Role)))
def test_application_moves_only_by_the_table(source: A, target: A, role: Role) -> None:
    by = ALLOWED.get((source, target), set())
    if role in by:
        assert advance(source, target, role) is target
    else:
        with pytest.raises(NotPermitted if by else TransitionNotAllowed):
            advance(source, target, role)


@pytest.mark.parametrize(
    ("status", "papers", "role"), list(itertools.product(A, PapersTrack, Role))
)
def test_only_what_a_commission_ended_comes_back_and_only_for_a_second_one(
    status: A, papers: PapersTrack, role: Role
) -> None:
    by_commission = status is A.REJECTED and papers is not PapersTrack.REJECTED
    if status in FINAL and not by_commission:
        with pytest.raises(TransitionNotAllowed):
            reopen_for_appeal(status, papers, role)
    elif role is not Role.CLINIC:
        with pytest.raises(NotPermitted):
            reopen_for_appeal(status, papers, role)
    else:
        back = reopen_for_appeal(status, papers, role)
        assert back is (A.UNDER_REVIEW if status is A.REJECTED else status)


def test_every_status_is_reached_from_a_draft() -> None:
    reached = {A.DRAFT}
    for _ in A:
        reached |= {step.target for step in STEPS if step.source in reached}
    assert reached == set(A)


def test_nothing_leads_out_of_a_final_status_and_something_out_of_every_other() -> None:
    assert {step.source for step in STEPS} == set(A) - FINAL


PAPERS = {
    ("waiting", "taken", "operator"),
    ("taken", "waiting", "operator"),
    ("taken", "waiting", "system"),
    ("taken", "returned", "operator"),
    ("returned", "waiting", "holder"),
    ("taken", "approved", "operator"),
    ("taken", "rejected", "operator"),
}
EXAMINATION = {("waiting", "open", "clinic"), ("open", "concluded", "clinic")}


@pytest.mark.parametrize(
    ("source", "target", "role"), list(itertools.product(PapersTrack, PapersTrack, Role))
)
def test_papers_move_only_by_the_table(
    source: PapersTrack, target: PapersTrack, role: Role
) -> None:
    if (source, target, role) in PAPERS:
        assert advance_papers(source, target, role) is target
    else:
        with pytest.raises((NotPermitted, TransitionNotAllowed)):
            advance_papers(source, target, role)


@pytest.mark.parametrize(
    ("source", "target", "role"), list(itertools.product(ExaminationTrack, ExaminationTrack, Role))
)
def test_examination_moves_only_by_the_table(
    source: ExaminationTrack, target: ExaminationTrack, role: Role
) -> None:
    if (source, target, role) in EXAMINATION:
        assert advance_examination(source, target, role) is target
    else:
        with pytest.raises((NotPermitted, TransitionNotAllowed)):
            advance_examination(source, target, role)


@pytest.mark.parametrize("steps", [PAPERS_STEPS, EXAMINATION_STEPS])
def test_every_state_of_a_track_is_reached_from_waiting(
    steps: frozenset[Step[PapersTrack]],
) -> None:
    reached = {"waiting"}
    for _ in range(len(steps)):
        reached |= {str(step.target) for step in steps if step.source in reached}
    assert reached == {str(state) for step in steps for state in (step.source, step.target)}


@pytest.mark.parametrize(("fitness", "role"), list(itertools.product(Fitness, Role)))
def test_only_temporary_unfitness_is_examined_again_and_only_by_the_clinic(
    fitness: Fitness, role: Role
) -> None:
    if fitness is Fitness.TEMPORARILY_UNFIT and role is Role.CLINIC:
        assert reopen_examination(fitness, role) is ExaminationTrack.OPEN
    else:
        with pytest.raises((NotPermitted, TransitionNotAllowed)):
            reopen_examination(fitness, role)


@pytest.mark.parametrize("examination", [ExaminationTrack.OPEN, ExaminationTrack.CONCLUDED])
def test_withdrawal_ends_when_the_clinic_opens_the_case(examination: ExaminationTrack) -> None:
    with pytest.raises(CaseAlreadyOpen):
        withdraw(A.UNDER_REVIEW, examination, Role.HOLDER)


def test_only_the_holder_withdraws() -> None:
    with pytest.raises(NotPermitted):
        withdraw(A.RECEIVED, ExaminationTrack.WAITING, Role.OPERATOR)
    assert withdraw(A.RECEIVED, ExaminationTrack.WAITING, Role.HOLDER) is A.WITHDRAWN


@pytest.mark.parametrize("current", A)
def test_clinic_changes_until_it_opens_the_case_or_all_is_over(current: A) -> None:
    assert clinic_may_change(current, ExaminationTrack.WAITING) is (current not in FINAL)
    assert not clinic_may_change(current, ExaminationTrack.OPEN)


@pytest.mark.parametrize(
    ("papers", "fitness"), list(itertools.product(PapersTrack, [None, *Fitness]))
)
def test_book_is_formed_only_on_approved_papers_and_an_admitting_conclusion(
    papers: PapersTrack, fitness: Fitness | None
) -> None:
    admitting = fitness in (Fitness.FIT, Fitness.FIT_WITH_RESTRICTIONS)
    assert both_green(papers, fitness) is (papers is PapersTrack.APPROVED and admitting)


TERMS = {
    A.DRAFT: (30, [3]),
    A.RECEIVED: (60, [14, 3]),
    A.UNDER_REVIEW: (60, [14, 3]),
    A.CLARIFICATION_REQUESTED: (60, [14, 3]),
}


@pytest.mark.parametrize("current", TERMS)
def test_waiting_application_is_reminded_of_in_time_and_ends_after_its_last_day(
    current: A,
) -> None:
    days, before = TERMS[current]
    reminded: list[int] = []
    reminded_on: date | None = None
    for passed in range(days + 10):
        today = SAVED_ON + timedelta(days=passed)
        if is_lapsed(current, SAVED_ON, today, reminded_on, visited=False):
            assert passed == days + 1
            break
        assert kept_until(current, SAVED_ON, reminded_on, visited=False) == SAVED_ON + timedelta(
            days=days
        )
        if is_reminder_due(current, SAVED_ON, today, reminded_on, visited=False):
            reminded.append(days - passed)
            reminded_on = today
    assert reminded == before


@pytest.mark.parametrize("current", TERMS)
@given(late=st.integers(0, 4000))
def test_nothing_ends_sooner_than_three_days_after_a_reminder(current: A, late: int) -> None:
    found = SAVED_ON + timedelta(days=TERMS[current][0] + late)
    assert not is_lapsed(current, SAVED_ON, found, None, visited=False)
    assert is_reminder_due(current, SAVED_ON, found, None, visited=False)
    last = kept_until(current, SAVED_ON, found, visited=False)
    assert last == found + timedelta(days=3)
    assert not is_reminder_due(current, SAVED_ON, last, found, visited=False)
    assert not is_lapsed(current, SAVED_ON, last, found, visited=False)
    assert is_lapsed(current, SAVED_ON, last + timedelta(days=1), found, visited=False)


@pytest.mark.parametrize("current", TERMS)
def test_reminder_of_an_earlier_waiting_does_not_count(current: A) -> None:
    days, before = TERMS[current]
    early = SAVED_ON + timedelta(days=days - max(before) - 1)
    over = SAVED_ON + timedelta(days=days + 1)
    assert not is_lapsed(current, SAVED_ON, over, early, visited=False)
    assert is_reminder_due(current, SAVED_ON, over, early, visited=False)


@pytest.mark.parametrize("current", A)
@pytest.mark.parametrize("visited", [False, True])
def test_only_what_waits_for_the_holder_ever_ends(current: A, visited: bool) -> None:
    waits = current is A.CLARIFICATION_REQUESTED or (current in TERMS and not visited)
    over = SAVED_ON + timedelta(days=1000)
    reminded_on = over - timedelta(days=10)
    assert is_lapsed(current, SAVED_ON, over, reminded_on, visited=visited) is waits
    assert is_reminder_due(current, SAVED_ON, over, None, visited=visited) is waits
    until = kept_until(current, SAVED_ON, None, visited=visited)
    assert (until is not None) is waits


COMPLETE = {ScanKind.PASSPORT, ScanKind.POLICY}


def test_empty_application_lacks_everything_in_the_order_of_the_form() -> None:
    assert missing((), (), REQUIRED_SCANS) == (
        *ApplicationField,
        ScanKind.PASSPORT,
        ScanKind.POLICY,
    )


@pytest.mark.parametrize("field", ApplicationField)
def test_application_lacking_one_field_says_which(field: ApplicationField) -> None:
    assert missing(set(ApplicationField) - {field}, COMPLETE, REQUIRED_SCANS) == (field,)


@pytest.mark.parametrize("kind", sorted(COMPLETE))
def test_application_lacking_one_scan_says_which(kind: ScanKind) -> None:
    assert missing(set(ApplicationField), COMPLETE - {kind}, REQUIRED_SCANS) == (kind,)


def test_complete_application_lacks_nothing() -> None:
    assert missing(set(ApplicationField), COMPLETE | {ScanKind.DIPLOMA}, REQUIRED_SCANS) == ()


NUMBER = TrackingNumber(2026, 123)


def test_tracking_number_has_a_form_for_people_and_one_for_addresses() -> None:
    assert NUMBER.shown == "ЭМК-2026-000123-8"
    assert NUMBER.slug == str(NUMBER) == "EMK-2026-000123-8"
    assert NUMBER.slug.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "ЭМК-2026-000123-8",
        "EMK-2026-000123-8",
        "эмк 2026 000123 8",
        "  эМK\u20132026\u2014000123\u22128\u00a0",  # a Latin K, dashes of all kinds, a hard blank
        "20260001238",
        "№ ЭМК-2026-000123-8",
    ],
)
def test_tracking_number_is_read_as_people_write_it(text: str) -> None:
    assert TrackingNumber.parse(text) == NUMBER


@pytest.mark.parametrize(
    "text",
    ["", "ЭМК", "123", "ЭМК-26-000123-8", "АБВ-2026-000123-8", "ЭМК-2026-0000123-8", "²" * 11],
)
def test_what_is_no_tracking_number_is_malformed(text: str) -> None:
    with pytest.raises(TrackingNumberMalformed):
        TrackingNumber.parse(text)


numbers = st.builds(TrackingNumber, st.integers(2000, 2099), st.integers(0, 999_999_999))


@given(numbers)
def test_both_forms_of_any_number_are_read_back(number: TrackingNumber) -> None:
    assert TrackingNumber.parse(number.shown) == TrackingNumber.parse(number.slug) == number


@given(numbers, st.data())
def test_one_wrong_digit_is_noticed(number: TrackingNumber, data: st.DataObject) -> None:
    digits = number.slug.replace("-", "")[3:]
    place = data.draw(st.integers(2, len(digits) - 1))
    wrong = data.draw(st.sampled_from(sorted(set("0123456789") - {digits[place]})))
    with pytest.raises((TrackingNumberMistyped, TrackingNumberMalformed)):
        TrackingNumber.parse(digits[:place] + wrong + digits[place + 1 :])


@given(numbers, st.data())
def test_two_swapped_digits_are_noticed(number: TrackingNumber, data: st.DataObject) -> None:
    digits = number.slug.replace("-", "")[3:]
    places = [n for n in range(2, len(digits) - 1) if digits[n] != digits[n + 1]]
    if places:
        at = data.draw(st.sampled_from(places))
        with pytest.raises((TrackingNumberMistyped, TrackingNumberMalformed)):
            TrackingNumber.parse(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :])
