"""The operators' desk as a tab meets it: real events, honest and forged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.tables.applications import Application
from emk_app.domain.actors import Position
from emk_app.domain.applications import ApplicationStatus, PapersTrack
from emk_app.domain.corrections import Asked
from emk_app.domain.documents import ScanKind
from emk_app.domain.intake import Field
from emk_app.presenting.applications import EVENTS
from emk_app.services import applying, reviewing
from emk_app.states.review import QueueState, ReviewState
from emk_app.states.session import MessageState
from tests.factories import (
    make_clinic,
    make_draft,
    make_holder,
    make_operator,
    make_physician,
    make_received,
)
from tests.states.conftest import Screen, Screens

STATE = "reflex___state____state"
QUEUE = f"{STATE}.emk_app___states___review____queue_state"
REVIEW = f"{STATE}.emk_app___states___review____review_state"
PAGE = "/review/[number_arg]"

HANDLERS: dict[str, tuple[str, ...]] = {
    f"{QUEUE}.open": (),
    f"{REVIEW}.open": (),
    f"{REVIEW}.take": (),
    f"{REVIEW}.release": (),
    f"{REVIEW}.approve": (),
    f"{REVIEW}.choose_ground": ("code",),
    f"{REVIEW}.reject": ("form",),
    f"{REVIEW}.ask": ("form",),
}
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]}, "\ud800")
REFUSAL = {"ground": "identity_differs", "note": ""}


@pytest.fixture
def moment(world: None) -> datetime:
    """Handlers read the clock themselves."""
    return clock.now()


def everything() -> list[dict[str, Any]]:
    with reading() as db:
        return [row.model_dump() for row in db.exec(select(Application)).all()]


def only() -> Application:
    with reading() as db:
        return db.exec(select(Application)).one()


async def messages(screen: Screen) -> tuple[str, str]:
    state = await screen.state(MessageState)
    return state.polite, state.assertive


async def at_desk(screens: Screens, moment: datetime, number: str, **more: Any) -> Screen:
    """Return an operator's tab that shows the case."""
    tab = await screens.signed_in(make_operator(moment, **more).user_id)
    await tab.follow(ReviewState.follow(), PAGE, number_arg=number)
    await tab.until(ReviewState, lambda state: state.is_loaded)
    return tab


async def act(tab: Screen, event: Any, number: str) -> None:
    await tab.send(event, PAGE, number_arg=number)


def test_list_of_handlers_is_complete():
    from reflex_base.registry import RegistrationContext

    ours = {
        name
        for name in RegistrationContext.get().event_handlers
        if name.startswith((QUEUE, REVIEW)) and not name.endswith((".follow", ".setvar"))
    }
    assert ours == set(HANDLERS)


@pytest.mark.parametrize("name", [*HANDLERS, f"{QUEUE}.follow", f"{REVIEW}.follow"])
async def test_other_roles_and_strangers_learn_and_move_nothing(
    name: str, screens: Screens, moment: datetime
):
    number = make_received(make_holder(moment), moment).number.slug
    before = everything()
    payload: dict[str, Any] = dict.fromkeys(HANDLERS.get(name, ()), REFUSAL)
    for actor in (make_holder(moment), make_physician(make_clinic(), moment, Position.CHAIR)):
        tab = await screens.signed_in(actor.user_id)
        await tab.forge(name, f"/review/{number}", **payload)
        assert tab.gone_to == "/forbidden"
        assert not any(number in str(delta) for delta in tab.shown)
    stranger = await screens.stranger()
    await stranger.forge(name, f"/review/{number}", **payload)
    assert stranger.gone_to == "/login"
    assert everything() == before


@pytest.mark.parametrize("name", [name for name, names in HANDLERS.items() if names])
async def test_nonsense_in_a_payload_breaks_nothing(name: str, screens: Screens, moment: datetime):
    number = make_received(make_holder(moment), moment).number.slug
    tab = await at_desk(screens, moment, number)
    await act(tab, ReviewState.take(), number)
    before = everything()
    for value in (*NONSENSE, {"ground": ""}, {"ask_snils": "on"}):
        await tab.forge(name, PAGE, **dict.fromkeys(HANDLERS[name], value))
    assert tab.errors == []
    assert everything() == before


async def test_draft_unknown_and_hostile_numbers_are_missing(screens: Screens, moment: datetime):
    draft = make_draft(make_holder(moment), moment).number.slug
    for number in (draft, "EMK-2026-999999-1", "..", "x" * 500, "%00"):
        tab = await at_desk(screens, moment, number)
        assert (await tab.state(ReviewState)).is_missing
        await act(tab, ReviewState.take(), number)
        assert (await tab.state(ReviewState)).is_missing
    assert only().papers is PapersTrack.WAITING


async def test_click_from_the_page_before_decides_nothing_here(screens: Screens, moment: datetime):
    number = make_received(make_holder(moment), moment).number.slug
    tab = await screens.signed_in(make_operator(moment).user_id)
    await act(tab, ReviewState.open(), number)
    await act(tab, ReviewState.take(), number)
    assert only().papers is PapersTrack.WAITING
    assert (await tab.state(ReviewState)).case.may_take
    await act(tab, ReviewState.take(), number)
    assert only().papers is PapersTrack.TAKEN


async def test_queue_shows_each_commit_and_nothing_personal(screens: Screens, moment: datetime):
    operator = make_operator(moment)
    tab = await screens.signed_in(operator.user_id)
    await tab.follow(QueueState.follow())
    await tab.until(QueueState, lambda state: state.is_loaded)
    number = make_received(make_holder(moment), moment).number
    state = await tab.until(QueueState, lambda state: bool(state.rows))
    row = state.rows[0]
    assert (row.number, row.href) == (number.shown, f"/review/{number.slug}")
    assert (row.occupation, row.holder) == ("Повар, пекарь, кондитер", "свободна")
    assert row.checks.startswith("сверить: ")
    assert (state.figures.total, state.figures.late_tone) == ("1", "neutral")
    colleague = make_operator(moment, "Лебедева Ольга Ивановна")
    reviewing.take(colleague, number.slug, now=moment)
    await tab.until(QueueState, lambda state: state.rows[0].holder == "Лебедева Ольга Ивановна")
    reviewing.release(colleague, number.slug, now=moment)
    reviewing.take(operator, number.slug, now=moment)
    await tab.until(QueueState, lambda state: state.rows[0].holder == "у вас")
    reviewing.approve(operator, number.slug, now=moment)
    await tab.until(QueueState, lambda state: not state.rows)
    assert not any("Иванова" in str(delta) for delta in tab.shown)


async def test_case_shows_what_a_decision_needs(screens: Screens, moment: datetime):
    number = make_received(make_holder(moment), moment).number.slug
    tab = await at_desk(screens, moment, number)
    state = await tab.state(ReviewState)
    assert (state.case.status, state.case.may_take, state.case.may_decide) == (
        "Получено",
        True,
        False,
    )
    assert [row.value for row in state.answers][:2] == [
        "Иванова Мария Сергеевна",
        "27.03.1990",
    ]
    assert [row.label for row in state.papers] == ["Паспорт", "Полис ОМС"]
    assert state.papers[0].preview_url.startswith("/api/scans/")
    assert state.checks[0].word == "сверьте сами"
    assert state.history[0].title == EVENTS[ApplicationStatus.RECEIVED].text
    assert (state.history[0].by, state.history[1].by) == ("автоматически", "владелец")


async def test_operator_takes_and_approves(screens: Screens, moment: datetime):
    number = make_received(make_holder(moment), moment).number.slug
    tab = await at_desk(screens, moment, number)
    await act(tab, ReviewState.take(), number)
    state = await tab.state(ReviewState)
    assert (state.case.may_take, state.case.may_decide) == (False, True)
    assert (await messages(tab))[0].startswith("Заявка у вас.")
    await act(tab, ReviewState.approve(), number)
    state = await tab.state(ReviewState)
    assert (state.case.papers, state.case.may_decide, state.busy) == ("одобрены", False, False)
    assert only().papers is PapersTrack.APPROVED
    assert tab.errors == []


async def test_refusal_without_a_ground_says_so_and_decides_nothing(
    screens: Screens, moment: datetime
):
    number = make_received(make_holder(moment), moment).number.slug
    tab = await at_desk(screens, moment, number)
    await act(tab, ReviewState.take(), number)
    await act(tab, ReviewState.reject({"ground": "", "note": "Не то."}), number)
    state = await tab.state(ReviewState)
    assert state.errors["ground"] == "Выберите причину."
    await act(tab, ReviewState.choose_ground("other"), number)
    await act(tab, ReviewState.reject({"ground": "other", "note": ""}), number)
    state = await tab.state(ReviewState)
    assert state.errors["ground"] == "" and state.errors["note"].startswith("Напишите, что")
    assert only().status is ApplicationStatus.UNDER_REVIEW
    await act(tab, ReviewState.reject({"ground": "other", "note": "Закрыто."}), number)
    state = await tab.state(ReviewState)
    assert (state.case.note, state.case.note_title) == ("Закрыто.", "Причина отказа")
    assert only().status is ApplicationStatus.REJECTED


async def test_question_covers_the_fields_that_belong_together(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    number = make_received(holder, moment).number.slug
    tab = await at_desk(screens, moment, number)
    await act(tab, ReviewState.take(), number)
    await act(tab, ReviewState.ask({"question": "Что это?"}), number)
    assert (await tab.state(ReviewState)).summary == [
        ["ask_name", "Отметьте, что нужно исправить."]
    ]
    ticked = {"ask_policy": "on", "ask_scan_policy": True, "ask_phone": False}
    await act(tab, ReviewState.ask({**ticked, "question": ""}), number)
    assert (await tab.state(ReviewState)).errors["question"] == "Напишите вопрос."
    await act(tab, ReviewState.ask({**ticked, "question": "Какой полис?"}), number)
    assert applying.case(holder, number, now=moment).case.asked == Asked(
        frozenset({Field.POLICY_KIND, Field.POLICY_SERIES, Field.POLICY_NUMBER}),
        frozenset({ScanKind.POLICY}),
    )
    state = await tab.state(ReviewState)
    assert state.case.asked == "Полис ОМС, скан «Полис ОМС»"
    assert (state.case.note_title, state.case.note) == ("Вопрос владельцу", "Какой полис?")


async def test_operator_who_came_second_is_told_and_sees_who_has_it(
    screens: Screens, moment: datetime
):
    number = make_received(make_holder(moment), moment).number.slug
    first = await at_desk(screens, moment, number, name="Лебедева Ольга Ивановна")
    second = await at_desk(screens, moment, number)
    await act(first, ReviewState.take(), number)
    await second.until(ReviewState, lambda state: not state.case.may_take)
    await act(second, ReviewState.take(), number)
    said = (await messages(second))[1]
    assert said.startswith("Пока вы смотрели, запись изменилась: Лебедева Ольга Ивановна")
    state = await second.state(ReviewState)
    assert state.case.notice == "Документы проверяет другой оператор: Лебедева Ольга Ивановна."
    assert not state.case.may_decide
    for event in (ReviewState.approve(), ReviewState.release(), ReviewState.reject(REFUSAL)):
        await act(second, event, number)
    assert only().papers is PapersTrack.TAKEN
    assert second.errors == []


async def test_withdrawn_case_leaves_the_screen_at_once(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    application = make_received(holder, moment)
    tab = await at_desk(screens, moment, application.number.slug)
    applying.withdraw(holder, application.id, now=moment)
    state = await tab.until(ReviewState, lambda state: state.is_missing)
    assert (state.answers, state.papers, state.history) == ([], [], [])


async def test_decision_sends_what_changed_and_not_the_whole_case(
    screens: Screens, moment: datetime
):
    number = make_received(make_holder(moment), moment).number.slug
    tab = await at_desk(screens, moment, number)
    tab.shown.clear()
    await act(tab, ReviewState.take(), number)
    changed = {name.split("_rx_state_")[0] for delta in tab.shown for name in delta.get(REVIEW, {})}
    assert "case" in changed and "history" in changed
    assert not changed & {"answers", "papers", "checks"}
