"""Everything a holder may meet has words, and the words say what to do."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest

from emk_app.domain.actors import Role
from emk_app.domain.applications import (
    FINAL,
    ApplicationStatus,
    ExaminationTrack,
    Milestone,
    PapersTrack,
    TrackingNumber,
)
from emk_app.domain.books import BookNumber, BookStatus
from emk_app.domain.checks import Check, CheckOutcome, Finding, Reason
from emk_app.domain.clearance import Fitness
from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.corrections import Asked
from emk_app.domain.documents import MediaType, ScanKind
from emk_app.domain.errors import Required
from emk_app.domain.examinations import ExaminationKind
from emk_app.domain.intake import ConsentMissing, Field
from emk_app.domain.numbers import SnilsLength
from emk_app.domain.people import Sex
from emk_app.domain.policies import PolicyKind
from emk_app.presenting import applications as rows
from emk_app.services.applying import BookSummary, CaseDetails, CaseView, HistoryLine, WizardStep
from emk_app.services.directory import ClinicView
from emk_app.services.scans import ScanView

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
NUMBER = TrackingNumber(2026, 123)

CASE = CaseView(
    id=1,
    number=NUMBER,
    status=ApplicationStatus.UNDER_REVIEW,
    papers=PapersTrack.WAITING,
    examination=ExaminationTrack.WAITING,
    fitness=None,
    occupation=None,
    kind=None,
    clinic=None,
    submitted_at=NOW,
    changed_at=NOW,
    decided_at=None,
    promised_by=date(2026, 12, 2),
    days_left=7,
    is_late=False,
    act_by=date(2027, 1, 22),
    note="",
    asked=Asked(),
    may_withdraw=True,
    may_change_clinic=True,
    may_reapply=False,
    is_erased=False,
)
CLINIC = ClinicView(
    id=7,
    oid="1.2.643",
    name="ГБУЗ «Городская поликлиника № 1»",
    short_name="Поликлиника № 1",
    kind=ClinicKind.POLYCLINIC,
    region_code="77",
    region_name="Москва",
    address="г. Москва",
    phone="+7 495 000-00-00",
    hours="пн–пт",
    okpo="00032537",
    licence_number="Л041",
    licence_status=LicenceStatus.ACTIVE,
    is_connected=True,
    has_electronic_policy=True,
    has_oms_contract=True,
    points=frozenset({"23"}),
    is_demo=True,
)
BOOK = BookSummary(
    BookNumber(77, 1, 1, 26), BookStatus.ACTIVE, TODAY, date(2031, 11, 23), TODAY, True
)
SCAN = ScanView(
    ref="0" * 32,
    kind=ScanKind.PASSPORT,
    name="паспорт.pdf",
    media_type=MediaType.PDF,
    size=1_500_000,
    pages=2,
    is_colour=True,
    is_legible=True,
    uploaded_at=NOW,
)


@pytest.mark.parametrize(
    ("kind", "catalogue"),
    [
        (ApplicationStatus, rows.STATUSES),
        (PapersTrack, rows.PAPERS),
        (ExaminationTrack, rows.EXAMINATIONS),
        (Fitness, rows.CONCLUSIONS),
        (ExaminationKind, rows.KINDS),
        (ScanKind, rows.SCAN_KINDS),
        (Field, rows.FIELDS),
        (Sex, rows.SEXES),
        (PolicyKind, rows.POLICY_KINDS),
        (ClinicKind, rows.CLINIC_KINDS),
        (LicenceStatus, rows.LICENCES),
        (WizardStep, rows.STEPS),
        (Check, rows.CHECKS),
        (CheckOutcome, rows.OUTCOMES),
        (Reason, rows.REASONS),
        (Role, rows.BY),
        (BookStatus, rows.BOOK_STATUSES),
    ],
)
def test_every_value_has_its_word(kind: type[StrEnum], catalogue: dict[StrEnum, Any]):
    assert set(catalogue) == set(kind)


def test_every_event_of_the_history_has_its_title():
    assert set(rows.EVENTS) == {*ApplicationStatus, *Milestone}


def test_unknown_event_still_shows_when_it_was():
    row = rows.event_row(HistoryLine("something_new", Role.SYSTEM, NOW, ""), 0)
    assert (row.title, row.at) == ("Заявка изменена", "23.11.2026 12:00")


def test_history_is_told_from_the_newest_with_keys_that_stay():
    lines = tuple(
        HistoryLine(event, Role.SYSTEM, NOW, "") for event in ("submitted", "received", "approved")
    )
    assert [row.key for row in rows.event_rows(lines)] == ["2", "1", "0"]
    assert rows.event_rows(lines[:2]) == rows.event_rows(lines)[1:]


@pytest.mark.parametrize(
    ("status", "papers", "examination", "fitness"),
    list(itertools.product(ApplicationStatus, PapersTrack, ExaminationTrack, [None, *Fitness])),
)
def test_every_state_of_a_case_says_what_is_next(
    status: ApplicationStatus,
    papers: PapersTrack,
    examination: ExaminationTrack,
    fitness: Fitness | None,
):
    case = replace(CASE, status=status, papers=papers, examination=examination, fitness=fitness)
    row = rows.case_row(case)
    assert row.next.endswith(".")
    assert "  " not in row.next
    assert row.is_open == (status not in FINAL)
    assert bool(row.promise) == row.is_open


def test_case_that_is_decided_promises_nothing_more():
    row = rows.case_row(replace(CASE, status=ApplicationStatus.REJECTED, decided_at=NOW))
    assert (row.promise, row.has_tracks) == ("", False)


def test_support_is_asked_about_a_late_application_with_its_number():
    assert rows.case_row(CASE).support_href == ""
    href = rows.case_row(replace(CASE, is_late=True)).support_href
    assert href == f"/help?number={NUMBER.slug}"


def test_signed_examination_says_its_conclusion():
    case = replace(CASE, examination=ExaminationTrack.CONCLUDED, fitness=Fitness.UNFIT)
    assert rows.case_row(case).examination == "есть противопоказания"


def test_missing_things_are_named_after_what_they_are():
    said = rows.sentences(
        {"scan_passport": Required(), "clinic": Required(), "sex": Required(), "snils": Required()}
    )
    assert said == {
        "scan_passport": "Приложите скан этого документа.",
        "clinic": "Выберите медорганизацию, в которой пройдёте осмотр.",
        "sex": "Выберите один из вариантов.",
        "snils": "Заполните это поле.",
    }


def test_lines_of_a_summary_name_the_field_once_and_keep_the_form_s_order():
    said = rows.sentences(
        {"clinic": Required(), "snils": SnilsLength(10, None), "name_last": Required()}
    ) | {"phone": "На этот номер не приходят СМС."}
    assert rows.summary_lines(said) == [
        ["name_last", "Фамилия: заполните это поле."],
        ["snils", said["snils"]],
        ["phone", "Мобильный телефон: на этот номер не приходят СМС."],
        ["clinic", "Медорганизация: выберите медорганизацию, в которой пройдёте осмотр."],
    ]


def test_problems_lead_to_the_step_where_they_are_put_right():
    found = rows.problem_rows(
        {"consent": ConsentMissing(), "clinic": Required(), "scan_policy": Required()}
        | {"snils": Required()}
    )
    assert [(row.name, row.href) for row in found] == [
        ("snils", "/cabinet/apply/details"),
        ("scan_policy", "/cabinet/apply/papers"),
        ("clinic", "/cabinet/apply/clinic"),
        ("consent", ""),
    ]


@pytest.mark.parametrize(
    ("changed", "point", "start"),
    [
        ({}, "23", ""),
        ({}, None, ""),
        ({}, "27", "Выбрать нельзя: для вашей профессии"),
        ({"is_connected": False}, "23", "Выбрать нельзя: организация"),
        ({"licence_status": LicenceStatus.SUSPENDED}, "23", "Выбрать нельзя: лицензия"),
    ],
)
def test_clinic_says_why_it_can_not_be_chosen(
    changed: dict[str, Any], point: str | None, start: str
):
    row = rows.clinic_row(replace(CLINIC, **changed), point)
    assert row.obstacle.startswith(start)
    assert bool(row.obstacle) == bool(start)


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        (Field.SNILS, "11223344595", "112-233-445 95"),
        (Field.SNILS, "что-то", "что-то"),
        (Field.PHONE, "8 912 345 67 89", "+7 912 345-67-89"),
        (Field.BIRTH_DATE, "27.3.1990", "27.03.1990"),
        (Field.POLICY_NUMBER, "7754900835123450", "7754 9008 3512 3450"),
        (Field.SEX, "female", "Женский"),
        (Field.SEX, "<b>", "<b>"),
        (Field.POLICY_KIND, "", "Единый, 16 цифр"),
        (Field.OCCUPATION, "cook", "Повар, пекарь, кондитер"),
        (Field.KIND, "periodic", "Периодический, для тех, кто уже работает"),
    ],
)
def test_answers_are_shown_as_usually_written(field: Field, text: str, shown: str):
    assert rows.shown(field, text) == shown


def test_scan_tells_its_kind_pages_and_size():
    row = rows.scan_row(ScanKind.PASSPORT, SCAN)
    assert row.details == "PDF, 2\u00a0страницы, 1,4\u00a0МБ"
    assert row.preview_url == f"/api/scans/{'0' * 32}/preview"
    assert rows.scan_row(ScanKind.PASSPORT).name == ""
    assert "замените" in rows.scan_row(ScanKind.PASSPORT, replace(SCAN, is_colour=False)).warning


@pytest.mark.parametrize(
    ("changed", "status", "term", "left"),
    [
        ({}, "Действует", "Действует до", True),
        ({"status": BookStatus.FORMED}, "Ждёт подтверждения", "Действует до", True),
        ({"items_valid_until": TODAY - timedelta(1)}, "Нужен новый осмотр", "Срок книжки", True),
        ({"valid_until": TODAY}, "Действует", "Действует до", True),
        ({"valid_until": TODAY - timedelta(1)}, "Срок истёк", "Действовала до", True),
        ({"status": BookStatus.REVOKED}, "Аннулирована", "Срок в книжке", False),
        ({"status": BookStatus.SUSPENDED}, "Приостановлена", "Срок в книжке", False),
    ],
)
def test_card_of_a_book_never_promises_more_than_the_verdict(
    changed: dict[str, Any], status: str, term: str, left: bool
):
    row = rows.book_row(replace(BOOK, **changed), TODAY)
    assert (row.status, row.term, bool(row.left)) == (status, term, left)


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (Finding(Check.SNILS, CheckOutcome.PASSED), ""),
        (
            Finding(Check.PASSPORT_SCAN, CheckOutcome.PASSED, facts={"pages": "2"}),
            "2\u00a0страницы, цвет и размер в порядке.",
        ),
        (
            Finding(
                Check.POLICY_BIRTH,
                CheckOutcome.FAILED,
                Reason.DIFFERS,
                {"encoded": "1990-03-27", "stated": "1990-03-28"},
            ),
            "В номере полиса дата рождения 27.03.1990, в заявке дата рождения 28.03.1990.",
        ),
        (
            Finding(
                Check.POLICY_SEX,
                CheckOutcome.FAILED,
                Reason.DIFFERS,
                {"encoded": "female", "stated": "male"},
            ),
            "В номере полиса пол женский, в заявке пол мужской.",
        ),
        (
            Finding(
                Check.PASSPORT_TERM,
                CheckOutcome.UNKNOWN,
                Reason.OUTLIVED,
                {"age": "20", "issued_on": "2004-04-20"},
            ),
            "Этот паспорт выдан 20.04.2004, а в 20 лет его меняют. Если новый уже есть, оператор "
            "попросит его данные. Само по себе это не причина отказа.",
        ),
        (
            Finding(
                Check.NO_DUPLICATE,
                CheckOutcome.FAILED,
                Reason.ALREADY_APPLIED,
                {"numbers": "EMK-2026-000123-" + NUMBER.slug[-1]},
            ),
            f"Уже рассматривается: {NUMBER.shown}.",
        ),
    ],
)
def test_evidence_is_told_in_words(finding: Finding, text: str):
    assert rows.check_row(finding).text == text


def test_changes_of_status_are_read_aloud_once():
    before = [rows.case_row(CASE)]
    after = [rows.case_row(replace(CASE, status=ApplicationStatus.APPROVED))]
    assert rows.news(before, after) == f"Заявка {NUMBER.shown}: одобрено."
    assert rows.news(after, after) == ""
    assert rows.news([], after) == ""


def test_search_counts_in_russian():
    assert [rows.found_text(n) for n in (0, 1, 3, 25)] == [
        "",
        "Нашлась 1\u00a0организация",
        "Нашлись 3\u00a0организации",
        "Нашлось 25\u00a0организаций",
    ]


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (7, "осталось 7 рабочих дней"),
        (2, "осталось 2 рабочих дня"),
        (1, "остался 1 рабочий день"),
        (0, "сегодня последний рабочий день"),
        (-1, "срок прошёл 1 рабочий день назад"),
        (-12, "срок прошёл 12 рабочих дней назад"),
    ],
)
def test_what_is_left_of_the_promise_is_told_in_working_days(left: int, said: str):
    assert rows.case_row(replace(CASE, days_left=left)).left.replace("\u00a0", " ") == said


def test_clock_that_stands_still_says_what_will_be_left():
    waits = replace(CASE, status=ApplicationStatus.CLARIFICATION_REQUESTED, days_left=3)
    row = rows.case_row(waits)
    assert row.left.replace("\u00a0", " ") == (
        "срок не идёт, пока ждём вас; после ответа останется 3 рабочих дня"
    )
    assert row.act_by == "Исправьте не позже 22.01.2027, иначе заявка закроется."
    assert rows.case_row(CASE).act_by == (
        "Пройдите осмотр не позже 22.01.2027, иначе заявка закроется."
    )
    ended = replace(CASE, status=ApplicationStatus.REJECTED, act_by=None)
    assert (rows.case_row(ended).act_by, rows.case_row(ended).left) == ("", "")


def details(*events: str, **more: Any) -> CaseDetails:
    lines = tuple(
        HistoryLine(event, Role.SYSTEM, NOW + timedelta(hours=n), "")
        for n, event in enumerate(events, 1)
    )
    case = replace(CASE, clinic=CLINIC, **more)
    return CaseDetails(case, lines, (), (), None, {}, {}, None)


def test_tracks_of_a_fresh_application_await_the_service_and_the_holder():
    found = details(status=ApplicationStatus.SUBMITTED)
    papers, examination = rows.papers_steps(found), rows.examination_steps(found)
    assert [(step.at, step.by) for step in papers] == [
        ("23.11.2026 12:00", ""),
        ("", "сервис, несколько секунд"),
        ("дальше", ""),
    ]
    assert [step.is_current for step in examination] == [False, True, False]
    assert examination[1].by == "вы и медорганизация"


def test_tracks_go_on_side_by_side_each_with_its_own_dates():
    found = details(
        "received",
        "papers_taken",
        "papers_approved",
        "examination_opened",
        papers=PapersTrack.APPROVED,
        examination=ExaminationTrack.OPEN,
    )
    assert [step.at for step in rows.papers_steps(found)] == [
        "23.11.2026 12:00",
        "23.11.2026 13:00",
        "23.11.2026 15:00",
    ]
    last = rows.examination_steps(found)[-1]
    assert (last.by, last.is_current) == ("медорганизация", True)


def test_question_of_the_operator_awaits_the_holder():
    found = details(
        "received",
        "clarification_requested",
        status=ApplicationStatus.CLARIFICATION_REQUESTED,
        papers=PapersTrack.RETURNED,
    )
    last = rows.papers_steps(found)[-1]
    assert last.by == "вы, оператор спросил 23.11.2026 14:00"


@pytest.mark.parametrize(
    ("status", "papers", "examination"),
    list(itertools.product(ApplicationStatus, PapersTrack, ExaminationTrack)),
)
def test_each_track_awaits_one_at_most_and_nobody_once_all_is_over(
    status: ApplicationStatus, papers: PapersTrack, examination: ExaminationTrack
):
    found = details("received", status=status, papers=papers, examination=examination)
    for steps in (rows.papers_steps(found), rows.examination_steps(found)):
        awaited = [step for step in steps if step.is_current]
        assert len(awaited) <= 1
        assert not (awaited and status in FINAL)
        assert all(step.title for step in steps)
    assert rows.book_step(found).title
