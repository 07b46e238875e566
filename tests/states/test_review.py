"""The operators' desk as a tab meets it: real events, honest and forged."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application
from emk_app.domain.actors import Position
from emk_app.domain.applications import ApplicationStatus, PapersTrack
from emk_app.domain.corrections import Asked
from emk_app.domain.documents import ScanKind
from emk_app.domain.intake import Field
from emk_app.presenting.applications import EVENTS
from emk_app.presenting.formats import hour
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
from tests.scenes import kept
from tests.states.conftest import Screen, Screens

STATE = "reflex___state____state"
QUEUE = f"{STATE}.emk_app___states___review____queue_state"
REVIEW = f"{STATE}.emk_app___states___review____review_state"
PAGE = "/review/[number_arg]"

HANDLERS: dict[str, tuple[str, ...]] = {
    f"{QUEUE}.open": (),
    f"{QUEUE}.choose_part": ("part",),
    f"{QUEUE}.turn": ("page",),
    f"{QUEUE}.find": ("form",),
    f"{QUEUE}.take_next": (),
    f"{REVIEW}.open": (),
    f"{REVIEW}.take": (),
    f"{REVIEW}.take_next": (),
    f"{REVIEW}.release": (),
    f"{REVIEW}.approve": (),
    f"{REVIEW}.choose_ground": ("code",),
    f"{REVIEW}.reject": ("form",),
    f"{REVIEW}.ask": ("form",),
    f"{REVIEW}.ask_reversal": ("form",),
    f"{REVIEW}.confirm_reversal": (),
    f"{REVIEW}.decline_reversal": (),
}
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]}, "\ud800")
REFUSAL = {"ground": "identity_differs", "note": ""}


@pytest.fixture
@kept
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
    assert (row.due, row.due_tone) == ("осталось 2\u00a0рабочих дня", "neutral")
    counts = {part.part: (part.count, part.tone) for part in state.parts}
    assert counts["all"] == ("1", "neutral") and counts["overdue"] == ("0", "neutral")
    assert [part.part for part in state.parts if part.is_current] == ["all"]
    colleague = make_operator(moment, "Лебедева Ольга Ивановна")
    reviewing.take(colleague, number.slug, now=moment)
    since = f"с\u00a0{hour(moment)}"
    await tab.until(QueueState, lambda state: state.rows[0].holder == f"Лебедева О. И., {since}")
    reviewing.release(colleague, number.slug, now=moment)
    reviewing.take(operator, number.slug, now=moment)
    await tab.until(QueueState, lambda state: state.rows[0].holder == f"у вас, {since}")
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
    assert tab.gone_to == "/review"
    await tab.leave()
    await tab.send(QueueState.open(), "/review")
    assert (await messages(tab))[0] == (
        f"{state.case.number}: документы одобрены. Свободных заявок больше нет."
    )


async def test_after_each_decision_comes_the_next_application(screens: Screens, moment: datetime):
    made = [make_received(make_holder(moment), moment - timedelta(hours=n)) for n in (3, 2, 1)]
    numbers = [each.number.slug for each in made]
    tab = await at_desk(screens, moment, numbers[0])
    await act(tab, ReviewState.take(), numbers[0])
    await act(tab, ReviewState.reject(REFUSAL), numbers[0])
    assert tab.gone_to == f"/review/{numbers[1]}"
    await tab.leave()
    await act(tab, ReviewState.open(), numbers[1])
    assert (await messages(tab))[0].endswith("Перед вами следующая заявка.")
    assert (await tab.state(ReviewState)).case.number == ""
    await act(tab, ReviewState.release(), numbers[1])
    await act(tab, ReviewState.release(), numbers[1])
    assert applying_papers(numbers[1]) is PapersTrack.WAITING
    await act(tab, ReviewState.take(), numbers[1])
    await act(tab, ReviewState.ask({"ask_snils": "on", "why_snils": "differs"}), numbers[1])
    assert tab.gone_to == f"/review/{numbers[2]}"
    assert tab.errors == []


def applying_papers(number: str) -> PapersTrack:
    with reading() as db:
        return applications.by_number(db, number).papers


async def test_parts_pages_and_search_show_what_they_name(
    screens: Screens, moment: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reviewing, "PAGE_LENGTH", 2)
    operator = make_operator(moment)
    numbers = [
        make_received(make_holder(moment), moment - timedelta(days=n)).number for n in (9, 2, 1)
    ]
    reviewing.take(operator, numbers[2].slug, now=moment)
    tab = await screens.signed_in(operator.user_id)

    async def shown(event: Any) -> list[str]:
        await tab.send(event, "/review")
        return [row.number for row in (await tab.state(QueueState)).rows]

    one, two, three = (each.shown for each in numbers)
    assert await shown(QueueState.choose_part("all")) == [one, two]
    assert await shown(QueueState.turn(2)) == [three]
    assert (await tab.state(QueueState)).pages == 2
    assert await shown(QueueState.turn(99)) == [three]
    assert await shown(QueueState.choose_part("overdue")) == [one]
    assert (await tab.state(QueueState)).rows[0].due_tone == "danger"
    assert await shown(QueueState.choose_part("mine")) == [three]
    assert await shown(QueueState.choose_part("reversals")) == []
    assert (await tab.state(QueueState)).empty_title == "Просьб об отмене нет"
    assert await shown(QueueState.find({"search": two.lower()})) == [two]
    assert not any(part.is_current for part in (await tab.state(QueueState)).parts)
    assert await shown(QueueState.find({"search": "12"})) == []
    assert (await tab.state(QueueState)).empty_title == "Слишком коротко"
    assert await shown(QueueState.find({"search": ""})) == []
    assert await shown(QueueState.choose_part("free")) == [one, two]
    assert tab.errors == []


async def test_next_is_taken_from_the_queue_until_nothing_is_free(
    screens: Screens, moment: datetime
):
    number = make_received(make_holder(moment), moment).number.slug
    tab = await screens.signed_in(make_operator(moment).user_id)
    await tab.send(QueueState.take_next(), "/review")
    assert tab.gone_to == f"/review/{number}"
    assert only().papers is PapersTrack.TAKEN
    await tab.send(QueueState.take_next(), "/review")
    assert (await messages(tab))[0].startswith("Свободных заявок нет")
    await act(tab, ReviewState.take_next(), number)
    assert (await messages(tab))[0].startswith("Свободных заявок больше нет")
    assert tab.errors == []


async def test_decision_is_undone_by_the_colleague_and_by_nobody_alone(
    screens: Screens, moment: datetime
):
    number = make_received(make_holder(moment), moment).number.slug
    tab = await at_desk(screens, moment, number)
    await act(tab, ReviewState.take(), number)
    await act(tab, ReviewState.approve(), number)
    assert (await tab.state(ReviewState)).case.may_ask_reversal
    await act(tab, ReviewState.ask_reversal({"reason": " "}), number)
    assert (await tab.state(ReviewState)).errors["reason"].startswith("Напишите, почему")
    await act(tab, ReviewState.ask_reversal({"reason": "Чужой паспорт."}), number)
    state = await tab.state(ReviewState)
    assert state.reversal.title == "Просят отменить одобрение документов"
    assert not state.reversal.may_answer and not state.case.may_ask_reversal
    await act(tab, ReviewState.confirm_reversal(), number)
    assert (await messages(tab))[1].startswith("Отменить решение просили вы")
    assert only().papers is PapersTrack.APPROVED
    other = await at_desk(screens, moment, number, name="Лебедева Ольга Ивановна")
    state = await other.state(ReviewState)
    assert state.reversal.may_answer and state.reversal.reason == "Чужой паспорт."
    await act(other, ReviewState.confirm_reversal(), number)
    assert only().papers is PapersTrack.WAITING
    state = await tab.until(ReviewState, lambda state: state.case.may_take)
    assert state.reversal.title == ""
    assert state.history[0].title.startswith("Решение отменено")
    assert tab.errors == other.errors == []


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
        ["ask_representative", "Отметьте, что нужно исправить."]
    ]
    ticked = {"ask_policy": "on", "ask_scan_policy": True, "ask_phone": False}
    await act(tab, ReviewState.ask({**ticked, "question": ""}), number)
    assert (await tab.state(ReviewState)).errors["question"].startswith("Напишите вопрос")
    await act(tab, ReviewState.ask({**ticked, "question": "Какой полис?"}), number)
    assert applying.case(holder, number, now=moment).case.asked == Asked(
        frozenset({Field.POLICY_KIND, Field.POLICY_SERIES, Field.POLICY_NUMBER}),
        frozenset({ScanKind.POLICY}),
    )
    state = await tab.state(ReviewState)
    assert state.case.asked == "Полис ОМС, скан «Полис ОМС»"
    assert (state.case.note_title, state.case.note) == ("Вопрос владельцу", "Какой полис?")


async def test_prepared_questions_are_asked_for_what_is_ticked_and_nothing_else(
    screens: Screens, moment: datetime
):
    holder = make_holder(moment)
    number = make_received(holder, moment).number.slug
    tab = await at_desk(screens, moment, number)
    await act(tab, ReviewState.take(), number)
    form = {
        "ask_snils": "on",
        "why_snils": "differs",
        "why_phone": "differs",
        "ask_scan_passport": "on",
        "why_scan_passport": "illegible",
        "question": "Спасибо.",
    }
    await act(tab, ReviewState.ask(form | {"why_snils": "мой_повод"}), number)
    assert only().status is ApplicationStatus.UNDER_REVIEW
    await act(tab, ReviewState.ask(form), number)
    seen = applying.case(holder, number, now=moment).case
    assert seen.asked == Asked(frozenset({Field.SNILS}), frozenset({ScanKind.PASSPORT}))
    first, second, last = seen.note.splitlines()
    assert first.startswith("СНИЛС: не совпадает")
    assert second.startswith("Скан «Паспорт»: не читается.") and last == "Спасибо."


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
    assert said == (
        f"Эту заявку уже взяли в работу в {hour(clock.now())}: Лебедева О. И. Возьмите следующую."
    )
    state = await second.state(ReviewState)
    assert state.case.notice.startswith("Документы проверяет другой оператор: Лебедева О. И., с")
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
