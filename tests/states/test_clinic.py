"""The clinic's desk as a tab meets it: real events, honest and forged."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from pyotp.totp import TOTP
from reflex_base.event import Event
from sqlmodel import col, select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import Examination, ExaminationEntry
from emk_app.db.tables.people import User
from emk_app.domain.actors import Actor, Position
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack
from emk_app.domain.clearance import Fitness
from emk_app.domain.examinations import CorrectionReason
from emk_app.domain.terms import last_day
from emk_app.presenting.formats import day
from emk_app.services import applying, examining, reviewing
from emk_app.states.clinic import DayState, ExaminationState, StaffState
from emk_app.states.my_examination import MyExaminationState
from emk_app.states.session import MessageState
from tests.factories import (
    SECRET,
    good_results,
    make_clinic,
    make_holder,
    make_operator,
    make_physician,
    make_received,
)
from tests.scenes import kept
from tests.states.conftest import Screen, Screens

STATE = "reflex___state____state"
DAY = f"{STATE}.emk_app___states___clinic____day_state"
EXAM = f"{STATE}.emk_app___states___clinic____examination_state"
STAFF = f"{STATE}.emk_app___states___clinic____staff_state"
MINE = f"{STATE}.emk_app___states___my_examination____my_examination_state"
PAGE = "/clinic/exams/[examination_arg]"
MY_PAGE = "/cabinet/applications/[number_arg]"

HANDLERS: dict[str, tuple[str, ...]] = {
    f"{DAY}.open": (),
    f"{DAY}.find": ("form",),
    f"{DAY}.choose": ("slug",),
    f"{DAY}.open_case": (),
    f"{DAY}.take_appeal": ("slug",),
    f"{EXAM}.open": (),
    f"{EXAM}.confirm_identity": (),
    f"{EXAM}.reopen": (),
    f"{EXAM}.set_default_date": ("text",),
    f"{EXAM}.enter": ("code", "text"),
    f"{EXAM}.hold": ("code", "option"),
    f"{EXAM}.settle": ("code",),
    f"{EXAM}.enter_date": ("code", "text"),
    f"{EXAM}.choose_fitness": ("value",),
    f"{EXAM}.conclude": ("form",),
    f"{EXAM}.change_mind": (),
    f"{EXAM}.confirm_rare": ("code",),
    f"{EXAM}.explain": ("code", "reason"),
    f"{EXAM}.take_over": ("code",),
    f"{EXAM}.detail": ("code", "name", "text"),
    f"{EXAM}.certify": ("code", "given"),
    f"{EXAM}.set_performer": ("text",),
    f"{EXAM}.set_device": ("text",),
    f"{EXAM}.show_own": ("chosen",),
    f"{EXAM}.order_further": ("form",),
    f"{EXAM}.cancel_further": ("code",),
    f"{EXAM}.choose_vaccine_kind": ("kind",),
    f"{EXAM}.vaccinate": ("form",),
    f"{EXAM}.withdraw_record": ("record_id",),
    f"{EXAM}.withdraw_conclusion": ("form",),
    f"{EXAM}.choose_attachment_kind": ("kind",),
    f"{EXAM}.choose_paper": ("paper_id",),
    f"{EXAM}.remove_paper": (),
    f"{STAFF}.set_specialty": ("user_id", "code", "given"),
}
HOLDERS: dict[str, tuple[str, ...]] = {f"{MINE}.appeal": ("form",)}
"""The holder's own handlers, which the clinic has no use for."""
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]}, "\ud800")
GROUPS = ("measurements", "physicians", "labs", "instrumental", "attestation", "further")


@pytest.fixture
@kept
def moment(world: None) -> datetime:
    """Handlers read the clock themselves."""
    return clock.now()


@pytest.fixture
@kept
def clinic_id(world: None) -> int:
    return make_clinic()


@pytest.fixture
@kept
def holder(moment: datetime) -> Actor:
    return make_holder(moment)


@pytest.fixture
@kept
def number(holder: Actor, clinic_id: int, moment: datetime) -> str:
    return make_received(holder, moment, clinic_id=clinic_id).number.slug


@pytest.fixture
@kept
def chair(clinic_id: int, moment: datetime) -> Actor:
    return make_physician(clinic_id, moment, Position.CHAIR, "Седов Виктор Ильич")


@pytest.fixture
@kept
def opened(number: str, chair: Actor, moment: datetime) -> int:
    examination_id = examining.open_case(chair, number, now=moment)
    examining.confirm_identity(chair, examination_id, now=moment)
    return examination_id


def fill(actor: Actor, case: int, moment: datetime, but: tuple[str, ...] = ()) -> None:
    shown = examining.view(actor, case, now=moment)
    for result in good_results(shown.programme, clock.day_of(moment)):
        if result.code not in (*but, *shown.entries):
            examining.enter_result(
                actor, case, result.code, result.value, day(clock.day_of(moment)), now=moment
            )


def entries() -> list[ExaminationEntry]:
    with reading() as db:
        return list(db.exec(select(ExaminationEntry).order_by(col(ExaminationEntry.id))).all())


def everything() -> list[dict[str, Any]]:
    with reading() as db:
        return [
            row.model_dump()
            for table in (Application, Examination, ExaminationEntry)
            for row in db.exec(select(table)).all()
        ]


def people() -> list[str]:
    with reading() as db:
        return [repr(row) for row in db.exec(select(User).order_by(col(User.id))).all()]


def only() -> Application:
    with reading() as db:
        return db.exec(select(Application)).one()


async def messages(screen: Screen) -> tuple[str, str]:
    state = await screen.state(MessageState)
    return state.polite, state.assertive


async def at_case(screens: Screens, actor: Actor, case: int | str, **session: Any) -> Screen:
    """Return a tab that shows the examination."""
    tab = await screens.signed_in(actor.user_id, **session)
    await act(tab, ExaminationState.open(), case)
    await tab.follow(ExaminationState.follow(), PAGE, examination_arg=str(case))
    await tab.until(ExaminationState, lambda state: state.is_loaded)
    return tab


async def act(tab: Screen, event: Any, case: int | str) -> None:
    await tab.send(event, PAGE, examination_arg=str(case))


async def line(tab: Screen, code: str) -> Any:
    state = await tab.state(ExaminationState)
    return next(row for name in GROUPS for row in getattr(state, name) if row.code == code)


def test_list_of_handlers_is_complete():
    from reflex_base.registry import RegistrationContext

    ours = {
        name
        for name in RegistrationContext.get().event_handlers
        if name.startswith((DAY, EXAM, STAFF, MINE)) and not name.endswith((".follow", ".setvar"))
    }
    assert ours == {*HANDLERS, *HOLDERS}


@pytest.mark.parametrize("name", [*HANDLERS, *(f"{state}.follow" for state in (DAY, EXAM, STAFF))])
async def test_other_roles_and_strangers_learn_and_move_nothing(
    name: str, screens: Screens, opened: int, holder: Actor, moment: datetime
):
    before = everything()
    payload: dict[str, Any] = dict.fromkeys(HANDLERS.get(name, ()), "1")
    for actor in (holder, make_operator(moment)):
        tab = await screens.signed_in(actor.user_id)
        await tab.forge(name, f"/clinic/exams/{opened}", **payload)
        assert tab.gone_to == "/forbidden"
        assert not any("Иванова" in str(delta) for delta in tab.shown)
    stranger = await screens.stranger()
    await stranger.forge(name, f"/clinic/exams/{opened}", **payload)
    assert stranger.gone_to == "/login"
    assert everything() == before


@pytest.mark.parametrize("name", [name for name, names in HANDLERS.items() if names])
async def test_nonsense_in_a_payload_breaks_nothing(
    name: str, screens: Screens, opened: int, chair: Actor
):
    tab = await at_case(screens, chair, opened)
    before = everything()
    for value in NONSENSE:
        await tab.forge(name, PAGE, **dict.fromkeys(HANDLERS[name], value))
        if "code" in HANDLERS[name]:
            await tab.forge(name, PAGE, **(dict.fromkeys(HANDLERS[name], value) | {"code": "bp"}))
    assert [repr(error) for error in tab.errors] == []
    assert everything() == before


async def test_nonsense_about_a_specialty_changes_nobodys(
    screens: Screens, chair: Actor, clinic_id: int, moment: datetime
):
    physician = make_physician(clinic_id, moment, own_specialties=("dentist",))
    registrar = make_physician(clinic_id, moment, Position.REGISTRAR)
    foreign = make_physician(make_clinic(), moment, own_specialties=("dentist",))
    tab = await screens.signed_in(chair.user_id)
    await tab.follow(StaffState.follow())
    await tab.until(StaffState, lambda state: len(state.rows) == 3)
    before = people()
    name = f"{STAFF}.set_specialty"
    for value in NONSENSE:
        for user_id in (value, physician.user_id):
            await tab.forge(name, "/clinic/staff", user_id=user_id, code=value, given=True)
        await tab.forge(name, "/clinic/staff", user_id=value, code="ent", given=True)
    for other in (registrar, foreign, chair):
        await tab.forge(name, "/clinic/staff", user_id=other.user_id, code="ent", given=True)
    assert [repr(error) for error in tab.errors] == []
    assert people() == before


@pytest.mark.parametrize("name", [*HOLDERS, f"{MINE}.follow"])
async def test_holders_handlers_are_closed_to_everybody_else(
    name: str, screens: Screens, opened: int, number: str, chair: Actor, moment: datetime
):
    payload: dict[str, Any] = {key: {"reason": "Вылечился"} for key in HOLDERS.get(name, ())}
    page = f"/cabinet/applications/{number}"
    before = everything()
    for actor in (chair, make_operator(moment)):
        tab = await screens.signed_in(actor.user_id)
        await tab.forge(name, page, **payload)
        assert tab.gone_to == "/forbidden"
    stranger = await screens.stranger()
    await stranger.forge(name, page, **payload)
    assert stranger.gone_to == "/login"
    assert everything() == before


async def test_nonsense_in_an_appeal_breaks_nothing(
    screens: Screens, opened: int, number: str, holder: Actor, clinic_id: int, moment: datetime
):
    tab = await screens.signed_in(holder.user_id)
    before = everything()
    for value in NONSENSE:
        for form in (value, {"reason": value}, {"reason": "Вылечился", "commission": value}):
            forged = Event(name=f"{MINE}.appeal", payload={"form": form})
            for shown in (number, "424242", "x" * 5000):
                await tab.send(forged, MY_PAGE, number_arg=shown)
    await tab.send(MyExaminationState.appeal({"reason": ""}), MY_PAGE, number_arg=number)
    state = await tab.state(MyExaminationState)
    assert state.appeal_error and state.commission_error
    assert [repr(error) for error in tab.errors] == []
    assert everything() == before


async def test_foreign_clinic_finds_no_such_case_whatever_it_sends(
    screens: Screens, opened: int, number: str, moment: datetime
):
    foreign = make_physician(make_clinic(), moment, Position.CHAIR)
    before = everything()
    tab = await at_case(screens, foreign, opened)
    assert (await tab.state(ExaminationState)).is_missing
    for event in (
        ExaminationState.confirm_identity(),
        ExaminationState.enter("bp", "120/80"),
        ExaminationState.conclude({"fitness": "fit"}),
        ExaminationState.reopen(),
    ):
        await act(tab, event, opened)
    await tab.send(DayState.choose(number))
    await tab.send(DayState.open_case())
    assert everything() == before
    assert not any("Иванова" in str(delta) for delta in tab.shown)
    assert tab.gone_to is None


@pytest.mark.parametrize("case", ["424242", "0", "-1", "x", "1e3", "9" * 40, "%00", ""])
async def test_case_that_is_none_is_missing(case: str, screens: Screens, chair: Actor):
    tab = await at_case(screens, chair, case)
    assert (await tab.state(ExaminationState)).is_missing


async def test_registrar_gets_no_findings_into_the_browser(
    screens: Screens, opened: int, clinic_id: int, chair: Actor, moment: datetime
):
    examining.enter_result(chair, opened, "bp", "187/111", day(clock.day_of(moment)), now=moment)
    registrar = make_physician(clinic_id, moment, Position.REGISTRAR)
    tab = await at_case(screens, registrar, opened)
    state = await tab.state(ExaminationState)
    assert state.progress.text.startswith("Внесено 1 из")
    assert not state.head.shows_results
    assert "187" not in json.dumps(tab.shown, default=str)
    await act(tab, ExaminationState.enter("vision", "1,0/1,0"), opened)
    assert len(entries()) == 1


async def test_day_follows_applications_and_their_cases(
    screens: Screens, holder: Actor, clinic_id: int, chair: Actor, moment: datetime
):
    tab = await screens.signed_in(chair.user_id)
    await tab.follow(DayState.follow())
    await tab.until(DayState, lambda state: state.is_loaded)
    number = make_received(holder, moment, clinic_id=clinic_id).number
    state = await tab.until(DayState, lambda state: bool(state.rows))
    row = state.rows[0]
    assert (row.name, row.number, row.stage) == (
        "Иванова Мария Сергеевна",
        number.shown,
        "ждёт приёма",
    )
    assert (row.action, row.may_open, row.href) == ("Открыть", True, "")
    await tab.send(DayState.choose(number.slug))
    assert (await tab.state(DayState)).chosen_name == "Иванова Мария Сергеевна"
    await tab.send(DayState.open_case())
    with reading() as db:
        case = db.exec(select(Examination)).one()
    assert tab.gone_to == f"/clinic/exams/{case.id}"
    await tab.until(DayState, lambda state: state.rows[0].stage == "сверьте личность")
    examining.confirm_identity(chair, case.id, now=moment)
    await tab.until(DayState, lambda state: state.rows[0].stage == "осмотр идёт")


async def test_number_leads_to_its_case_or_says_what_is_wrong(
    screens: Screens, number: str, chair: Actor, clinic_id: int, moment: datetime
):
    tab = await screens.signed_in(chair.user_id)
    await tab.follow(DayState.follow())
    await tab.until(DayState, lambda state: bool(state.rows))
    for typed, said in (
        ("", "Номер заявления выглядит так"),
        ("123", "Номер заявления выглядит так"),
        (number[:-1] + str((int(number[-1]) + 1) % 10), "В номере заявления опечатка"),
        ("EMK-2026-999999-1", "Заявки с этим номером"),
    ):
        await tab.send(DayState.find({"number": typed}))
        assert (await tab.state(DayState)).problem.startswith((said, "В номере"))
    await tab.send(DayState.find({"number": number.replace("-", " ")}))
    state = await tab.state(DayState)
    assert (state.problem, state.found_slug) == ("", number)
    case = examining.open_case(chair, number, now=moment)
    await tab.send(DayState.find({"number": number}))
    assert tab.gone_to == f"/clinic/exams/{case}"


async def test_physician_may_not_open_and_is_told_who_may(
    screens: Screens, number: str, clinic_id: int, moment: datetime
):
    tab = await screens.signed_in(make_physician(clinic_id, moment).user_id)
    await tab.follow(DayState.follow())
    await tab.until(DayState, lambda state: bool(state.rows))
    state = await tab.state(DayState)
    assert (state.rows[0].action, state.rows[0].may_open, state.may_open) == ("", False, False)
    await tab.send(DayState.find({"number": number}))
    assert "регистратор" in (await tab.state(DayState)).found_text
    await tab.send(DayState.choose(number))
    await tab.send(DayState.open_case())
    assert only().examination is ExaminationTrack.WAITING
    assert (await messages(tab))[1].startswith("На это действие нет прав")


async def test_identity_comes_first(screens: Screens, number: str, chair: Actor, moment: datetime):
    case = examining.open_case(chair, number, now=moment)
    tab = await at_case(screens, chair, case)
    state = await tab.state(ExaminationState)
    assert (state.head.may_confirm, state.head.may_enter, state.head.shows_results) == (
        True,
        False,
        False,
    )
    await act(tab, ExaminationState.enter("bp", "120/80"), case)
    assert entries() == []
    await act(tab, ExaminationState.confirm_identity(), case)
    state = await tab.state(ExaminationState)
    assert (state.head.may_confirm, state.head.may_enter) == (False, True)
    assert state.head.identity.startswith("Седов Виктор Ильич")


async def test_programme_is_grouped_and_nothing_is_filled_in(
    screens: Screens, opened: int, chair: Actor, moment: datetime
):
    tab = await at_case(screens, chair, opened)
    state = await tab.state(ExaminationState)
    assert [row.code for row in state.measurements[:4]] == [
        "bp",
        "vision",
        "respiratory",
        "cardiovascular",
    ]
    assert {row.code for row in state.attestation} == {"hygiene"}
    lines = [row for name in GROUPS for row in getattr(state, name)]
    assert len(lines) == len(examining.view(chair, opened, now=moment).programme)
    assert not any(row.value or row.words or row.mark for row in lines)
    assert {row.made_on for row in lines} == {day(clock.today())}
    bp, risk = state.measurements[0], await line(tab, "cv_risk_rel")
    assert (bp.form, bp.unit) == ("numbers", "мм рт. ст.")
    assert (bp.hint, bp.norm) == ("Например: 120/80", "Норма 90–139/60–89")
    assert (risk.form, len(risk.options)) == ("select", 4)
    assert (await line(tab, "doc_derm")).form == "radios"
    assert (await line(tab, "hygiene")).form == "date"


async def test_result_is_saved_as_it_is_left_with_its_deviation_in_words(
    screens: Screens, opened: int, chair: Actor
):
    tab = await at_case(screens, chair, opened)
    await act(tab, ExaminationState.enter("bp", ""), opened)
    assert entries() == []
    await act(tab, ExaminationState.enter("bp", " 145 на 95"), opened)
    row = await line(tab, "bp")
    assert (row.value, row.words, row.mark, row.mark_tone) == (
        "145/95",
        "145/95 мм рт. ст.",
        "вне нормы",
        "danger",
    )
    assert row.by.startswith("Седов В. И., ")
    state = await tab.state(ExaminationState)
    assert state.progress.done == 1 and not row.is_missing
    await act(tab, ExaminationState.enter("bp", "145/95"), opened)
    assert len(entries()) == 1
    await act(tab, ExaminationState.enter("bp", "125/80"), opened)
    assert [each.superseded_at is None for each in entries()] == [False, True]
    assert (await line(tab, "bp")).by.startswith("исправление (опечатка), Седов В. И., ")


async def test_what_is_wrong_stands_beside_its_line_until_it_is_put_right(
    screens: Screens, opened: int, chair: Actor
):
    tab = await at_case(screens, chair, opened)
    await act(tab, ExaminationState.enter("bp", "80/120"), opened)
    row = await line(tab, "bp")
    assert row.error.startswith("Первое число должно быть больше второго")
    assert (row.value, row.entry_id) == ("", 0)
    await act(tab, ExaminationState.enter("vision", "1,0/1,0"), opened)
    assert (await line(tab, "bp")).error
    await act(tab, ExaminationState.enter("bp", "120/80"), opened)
    assert (await line(tab, "bp")).error == ""


async def test_answer_chosen_in_a_list_is_saved_as_the_list_is_left(
    screens: Screens, opened: int, chair: Actor
):
    tab = await at_case(screens, chair, opened)
    for passed in ("low", "moderate", "high"):
        await act(tab, ExaminationState.hold("cv_risk_rel", passed), opened)
    assert entries() == []
    assert (await tab.state(ExaminationState)).held == "cv_risk_rel"
    await act(tab, ExaminationState.settle("cv_risk_rel"), opened)
    await act(tab, ExaminationState.settle("cv_risk_rel"), opened)
    row = await line(tab, "cv_risk_rel")
    assert (row.value, row.words, row.mark) == ("high", "высокий", "отклонение")
    assert len(entries()) == 1
    assert (await tab.state(ExaminationState)).held == ""


async def test_day_of_a_study_is_kept_before_and_corrected_after_its_result(
    screens: Screens, opened: int, chair: Actor, moment: datetime
):
    tab = await at_case(screens, chair, opened)
    today = clock.day_of(moment)
    earlier, last_week = today - timedelta(days=3), today - timedelta(days=7)
    await act(tab, ExaminationState.enter_date("cbc", day(earlier)), opened)
    assert entries() == []
    await act(tab, ExaminationState.enter("cbc", "normal"), opened)
    assert entries()[0].performed_on == earlier
    await act(tab, ExaminationState.enter_date("cbc", day(last_week)), opened)
    assert [each.performed_on for each in entries()] == [earlier, last_week]
    await act(tab, ExaminationState.enter_date("cbc", day(today + timedelta(days=1))), opened)
    row = await line(tab, "cbc")
    assert row.date_error.startswith("Этот день ещё не наступил")
    assert row.made_on == day(last_week)


async def test_day_above_the_list_stands_for_what_has_no_result_yet(
    screens: Screens, opened: int, chair: Actor, moment: datetime
):
    tab = await at_case(screens, chair, opened)
    await act(tab, ExaminationState.enter("bp", "120/80"), opened)
    earlier = day(clock.day_of(moment) - timedelta(days=2))
    await act(tab, ExaminationState.set_default_date("вчера"), opened)
    assert (await tab.state(ExaminationState)).default_date_error
    await act(tab, ExaminationState.set_default_date(earlier), opened)
    state = await tab.state(ExaminationState)
    assert (state.default_date, state.default_date_error) == (earlier, "")
    assert (await line(tab, "vision")).made_on == earlier
    assert (await line(tab, "bp")).made_on == day(clock.day_of(moment))


async def test_two_at_one_case_see_each_other_and_overwrite_nothing(
    screens: Screens, opened: int, clinic_id: int, chair: Actor, moment: datetime
):
    physician = make_physician(clinic_id, moment, name="Петров Пётр Петрович")
    second = make_physician(clinic_id, moment, name="Сидорова Елена Павловна")
    here = await at_case(screens, physician, opened)
    there = await at_case(screens, second, opened)
    await act(here, ExaminationState.enter("bp", "120/80"), opened)
    await there.until(
        ExaminationState, lambda state: state.measurements[0].words == "120/80 мм рт. ст."
    )
    row = await line(there, "bp")
    assert not row.may_edit and row.by.startswith("Петров П. П., ")
    # A tab that has not heard of it yet sends what was typed there.
    examining.enter_result(
        physician, opened, "vision", "1,0/1,0", day(clock.day_of(moment)), now=moment
    )
    await act(there, ExaminationState.enter("vision", "0,5/0,5"), opened)
    row = await line(there, "vision")
    assert row.words == "1,0/1,0"
    assert len(entries()) == 2


async def test_entry_sends_its_own_group_and_not_the_page(
    screens: Screens, opened: int, chair: Actor
):
    tab = await at_case(screens, chair, opened)
    tab.shown.clear()
    await act(tab, ExaminationState.enter("bp", "120/80"), opened)
    changed = {name.split("_rx_state_")[0] for delta in tab.shown for name in delta.get(EXAM, {})}
    assert changed == {"measurements", "progress"}
    assert sum(len(json.dumps(delta, default=str)) for delta in tab.shown) < 12_000


async def test_incomplete_examination_offers_no_signature_and_takes_none(
    screens: Screens, opened: int, chair: Actor, moment: datetime
):
    fill(chair, opened, moment, but=("hygiene",))
    tab = await at_case(screens, chair, opened)
    state = await tab.state(ExaminationState)
    assert not state.progress.is_complete
    assert [row.code for row in state.attestation if row.is_missing] == ["hygiene"]
    await act(tab, ExaminationState.conclude({"fitness": "fit"}), opened)
    assert not (await tab.state(ExaminationState)).is_confirming
    assert (await messages(tab))[1].startswith("Нет действующих результатов")


async def test_conclusion_is_shown_in_words_before_it_is_signed(
    screens: Screens, opened: int, chair: Actor, moment: datetime
):
    fill(chair, opened, moment)
    tab = await at_case(screens, chair, opened)
    await act(tab, ExaminationState.conclude({}), opened)
    state = await tab.state(ExaminationState)
    assert state.errors["fitness"] == "Выберите вывод комиссии."
    form = {"fitness": "fit_with_restrictions", "restrictions": "", "note": ""}
    await act(tab, ExaminationState.conclude(form), opened)
    state = await tab.state(ExaminationState)
    assert state.summary == [["restrictions", "Отметьте ограничение или напишите своё."]]
    form["restrictions"] = "Без ночных смен"
    await act(tab, ExaminationState.conclude(form), opened)
    state = await tab.state(ExaminationState)
    assert (state.is_confirming, state.needs_code, state.head.is_signed) == (True, False, False)
    assert (state.draft.fitness, state.draft.restrictions) == (
        "Допуск с ограничениями",
        "Без ночных смен",
    )
    await act(tab, ExaminationState.change_mind(), opened)
    assert not (await tab.state(ExaminationState)).is_confirming
    await act(tab, ExaminationState.conclude(form), opened)
    await act(tab, ExaminationState.conclude(form), opened)
    state = await tab.state(ExaminationState)
    assert (state.head.is_signed, state.signature.person) == (True, "Седов Виктор Ильич")
    assert not state.head.may_enter
    assert (await messages(tab))[0] == "Заключение подписано."
    assert tab.errors == []


async def test_signature_asks_for_a_fresh_code(
    screens: Screens, opened: int, chair: Actor, moment: datetime
):
    fill(chair, opened, moment)
    tab = await at_case(screens, chair, opened, factor_at=moment - timedelta(minutes=6))
    form = {"fitness": "fit", "note": ""}
    await act(tab, ExaminationState.conclude(form), opened)
    assert (await tab.state(ExaminationState)).needs_code
    for code, said in (("", "Подтвердите действие свежим кодом"), ("000000", "Код не подошёл")):
        await act(tab, ExaminationState.conclude({**form, "code": code}), opened)
        state = await tab.state(ExaminationState)
        assert state.errors["code"].startswith(said)
        assert (state.is_confirming, state.head.is_signed) == (True, False)
    code = TOTP(SECRET).at(clock.now())
    await act(tab, ExaminationState.conclude({**form, "code": code}), opened)
    assert (await tab.state(ExaminationState)).head.is_signed


async def test_change_between_look_and_signature_is_looked_at_first(
    screens: Screens, opened: int, clinic_id: int, chair: Actor, moment: datetime
):
    physician = make_physician(clinic_id, moment)
    fill(physician, opened, moment)
    tab = await at_case(screens, chair, opened)
    form = {"fitness": "fit", "note": ""}
    await act(tab, ExaminationState.conclude(form), opened)
    bp = next(each for each in entries() if each.code == "bp")
    examining.correct_result(
        physician,
        opened,
        bp.id,
        "170/100",
        day(clock.day_of(moment)),
        reason=CorrectionReason.TYPO,
        now=moment,
    )
    await tab.until(ExaminationState, lambda state: state.measurements[0].mark == "вне нормы")
    await act(tab, ExaminationState.conclude(form), opened)
    state = await tab.state(ExaminationState)
    assert (state.is_confirming, state.head.is_signed) == (False, False)
    assert (await messages(tab))[1].startswith("Пока вы смотрели, запись изменилась")


async def test_unfitness_is_signed_and_temporary_one_goes_on(
    screens: Screens, opened: int, chair: Actor, moment: datetime
):
    fill(chair, opened, moment)
    tab = await at_case(screens, chair, opened)
    until = day(clock.day_of(moment) + timedelta(days=60))
    form = {
        "fitness": Fitness.TEMPORARILY_UNFIT.value,
        "until": until,
        "contraindication-skin": "on",
    }
    for _ in range(2):
        await act(tab, ExaminationState.conclude(form), opened)
    state = await tab.state(ExaminationState)
    assert state.signature.until == f"до {until} включительно"
    assert state.head.may_reopen
    await act(tab, ExaminationState.reopen(), opened)
    state = await tab.state(ExaminationState)
    assert (state.head.is_signed, state.head.may_confirm) == (False, True)
    assert only().status is ApplicationStatus.UNDER_REVIEW


async def test_refusal_of_the_papers_stops_the_page_of_results(
    screens: Screens, opened: int, number: str, chair: Actor, moment: datetime
):
    tab = await at_case(screens, chair, opened)
    operator = make_operator(moment)
    reviewing.take(operator, number, now=moment)
    reviewing.reject(operator, number, "identity_differs", "", now=moment)
    await tab.until(ExaminationState, lambda state: not state.head.may_enter)
    assert (await tab.state(ExaminationState)).head.notice.startswith("Заявка завершена")
    await act(tab, ExaminationState.enter("bp", "120/80"), opened)
    assert entries() == []


async def test_correction_by_the_holder_is_told_on_the_page_of_results(
    screens: Screens, opened: int, number: str, holder: Actor, chair: Actor, moment: datetime
):
    tab = await at_case(screens, chair, opened)
    operator = make_operator(moment)
    reviewing.take(operator, number, now=moment)
    reviewing.ask_clarification(operator, number, ["born_on"], "Год?", now=moment)
    state = await tab.until(ExaminationState, lambda state: state.head.notice != "")
    assert "Подписать заключение можно будет" in state.head.notice
    applying.correct(holder, only().id, now=moment)
    await tab.until(ExaminationState, lambda state: state.head.notice == "")


async def test_attestation_says_its_programme_by_whom_and_when_the_next_is_due(
    screens: Screens, opened: int, chair: Actor, moment: datetime
):
    today = clock.day_of(moment)
    tab = await at_case(screens, chair, opened)
    row = await line(tab, "hygiene")
    assert "контакт с пищевыми продуктами" in row.programme
    assert row.programme.endswith("Аттестацию проходят каждый год.")
    await act(tab, ExaminationState.enter("hygiene", day(today)), opened)
    centre = "ФБУЗ «Центр гигиены и эпидемиологии в городе Москве»"
    await act(tab, ExaminationState.detail("hygiene", "performer", centre), opened)
    await act(tab, ExaminationState.detail("hygiene", "number", "77-01234"), opened)
    row = await line(tab, "hygiene")
    assert row.details == f"{centre}, № 77-01234"
    assert row.until == f"следующая — не позже {day(last_day(today, 12))}"
