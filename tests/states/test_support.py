"""Support in two tabs at once: the person's and the desk's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.services import answering, supporting
from emk_app.services.supporting import Typed
from emk_app.states.support import DeskState, HelpState, SupportState
from tests.factories import make_employer, make_holder, make_received, make_support
from tests.states.conftest import Screen, Screens

MINE = "/cabinet/support"
DESK = "/support"
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]})


def asked(person: Actor, text: str = "Письма не приходят") -> str:
    return supporting.begin(person, Typed("other", text), b"", "", now=clock.now())


async def persons_tab(screens: Screens, person: Actor, query: str = "") -> Screen:
    screen = await screens.signed_in(person.user_id)
    await screen.follow(SupportState.follow, MINE + query)
    await screen.until(SupportState, lambda state: state.is_loaded)
    return screen


async def desk_tab(screens: Screens, support: Actor) -> Screen:
    screen = await screens.signed_in(support.user_id)
    await screen.follow(DeskState.follow, DESK)
    await screen.until(DeskState, lambda state: state.is_loaded)
    return screen


async def test_question_and_answer_are_seen_by_both_as_they_come(screens: Screens):
    now = clock.now()
    holder, support = make_holder(now), make_support(now)
    mine, desk = await persons_tab(screens, holder), await desk_tab(screens, support)
    first_key = (await mine.state(SupportState)).form_key
    number = asked(holder)
    state = await mine.until(SupportState, lambda state: state.opened == number)
    assert state.form_key != first_key
    state = await desk.until(DeskState, lambda state: bool(state.rows))
    assert state.rows[0].number == number
    assert (state.parts[0].count, state.rows[0].who) == (1, "Свободно")
    await desk.send(DeskState.open(number), DESK)
    state = await desk.state(DeskState)
    keys = {title: key for key, title in state.prepared}
    assert "Заявка на проверке" not in keys, "the ticket is about no application"
    await desk.send(DeskState.use_prepared(keys["Обновить браузер и очистить кэш"]), DESK)
    assert "обновите браузер" in (await desk.state(DeskState)).draft
    await desk.send(DeskState.answer({"text": " ", "form_key": "a"}), DESK)
    assert (await desk.state(DeskState)).errors["text"]
    await desk.send(DeskState.answer({"text": "Обновите браузер", "form_key": "a"}), DESK)
    state = await desk.state(DeskState)
    assert (state.draft, state.ticket.status) == ("", "Отвечено")
    state = await mine.until(SupportState, lambda state: len(state.lines) == 2)
    assert [line.text for line in state.lines] == ["Письма не приходят", "Обновите браузер"]
    # It was on the screen, so it is read.
    await mine.until(SupportState, lambda state: not state.tickets[0].unread)
    await mine.send(SupportState.close({"rating": "9"}), MINE)
    assert (await mine.state(SupportState)).errors["rating"]
    await mine.send(SupportState.close({"rating": "5", "comment": "Спасибо"}), MINE)
    assert (await mine.state(SupportState)).thread.rating == "5 из 5"
    state = await desk.until(DeskState, lambda state: state.thread.is_closed)
    assert (state.thread.comment, state.thread.may_answer) == ("Спасибо", False)


async def test_address_fills_the_form_in_and_opens_the_ticket(screens: Screens):
    now = clock.now()
    holder = make_holder(now)
    number = make_received(holder, now).number.slug
    ticket = asked(holder)
    tab = await persons_tab(screens, holder, f"?error=3f7a91c0&number={number}")
    state = await tab.state(SupportState)
    assert (state.incident, state.number, state.subject) == ("3f7a91c0", number, "error")
    assert len(state.code.digits) == 9
    tab = await persons_tab(screens, holder, f"?ticket={ticket}&error=<script>&number=1")
    state = await tab.state(SupportState)
    assert (state.opened, state.ticket.number) == (ticket, ticket)
    assert (state.incident, state.number) == ("", "")
    foreign = asked(make_holder(now))
    tab = await persons_tab(screens, holder, f"?ticket={foreign}")
    state = await tab.state(SupportState)
    assert (state.opened, state.lines) == ("", [])


async def test_help_leads_each_to_their_own_support(screens: Screens):
    now = clock.now()
    stranger = await screens.stranger()
    await stranger.send(HelpState.load, "/help?error=404")
    assert (stranger.gone_to, (await stranger.state(HelpState)).write_href) == (None, "")
    for person, base in ((make_holder(now), MINE), (make_employer(now), "/employer/support")):
        tab = await screens.signed_in(person.user_id)
        await tab.send(HelpState.load, "/help")
        assert (await tab.state(HelpState)).write_href == base
        await tab.send(HelpState.load, "/help?error=3f7a91c0&ticket=12345678&else=1")
        assert tab.gone_to == f"{base}?ticket=12345678&error=3f7a91c0"


async def test_more_is_shown_by_two_and_hidden_when_the_holder_ends_it(screens: Screens):
    now = clock.now()
    holder, support = make_holder(now), make_support(now)
    number = asked(holder)
    desk, mine = await desk_tab(screens, support), await persons_tab(screens, holder)
    await mine.send(SupportState.open(number), MINE)
    await desk.send(DeskState.open(number), DESK)
    assert not (await desk.state(DeskState)).thread.may_ask
    await desk.send(DeskState.take, DESK)
    await desk.send(DeskState.ask_glass({"reason": "надо"}), DESK)
    assert (await desk.state(DeskState)).errors["reason"]
    await desk.send(DeskState.ask_glass({"reason": "Проверить адрес почты"}), DESK)
    await desk.send(DeskState.see, DESK)
    assert (await desk.state(DeskState)).seen == []
    state = await mine.until(SupportState, lambda state: state.glass.may_agree)
    assert state.glass.reason == "Проверить адрес почты"
    await mine.send(SupportState.agree, MINE)
    await desk.until(DeskState, lambda state: state.glass.state == "open")
    await desk.send(DeskState.see, DESK)
    assert (await desk.state(DeskState)).seen[0].term == "Имя"
    await mine.send(SupportState.decline, MINE)
    await desk.until(DeskState, lambda state: state.seen == [] and state.glass.state == "")


async def test_old_factor_is_asked_for_before_anything_is_asked(screens: Screens):
    now = clock.now()
    holder, support = make_holder(now), make_support(now)
    number = asked(holder)
    answering.take(support, number, now=now)
    tab = await screens.signed_in(support.user_id, factor_at=now - timedelta(minutes=6))
    await tab.send(DeskState.open(number), DESK)
    await tab.send(DeskState.ask_glass({"reason": "Проверить адрес почты"}), DESK)
    state = await tab.state(DeskState)
    assert state.needs_code
    assert state.errors["factor"]
    assert supporting.thread(holder, number, now=now).glass is None


async def test_caller_is_found_by_the_code_on_their_screen(screens: Screens):
    now = clock.now()
    holder, support = make_holder(now), make_support(now)
    number = asked(holder)
    code = (await (await persons_tab(screens, holder)).state(SupportState)).code
    desk = await desk_tab(screens, support)
    await desk.send(DeskState.find_caller({"code": "1"}), DESK)
    assert (await desk.state(DeskState)).errors["code"]
    await desk.send(DeskState.find_caller({"code": code.digits}), DESK)
    state = await desk.state(DeskState)
    assert [row.number for row in state.caller_tickets] == [number]
    await desk.send(DeskState.find({"query": number}), DESK)
    assert (await desk.state(DeskState)).ticket.number == number
    await desk.send(DeskState.find({"query": "00000000"}), DESK)
    assert (await desk.state(DeskState)).errors["query"]


@pytest.mark.parametrize("role", [Role.HOLDER, Role.SUPPORT])
async def test_nonsense_changes_nothing_and_breaks_nothing(role: Role, screens: Screens):
    now = clock.now()
    holder = make_holder(now)
    number = asked(holder)
    who = holder if role is Role.HOLDER else make_support(now)
    tab = await screens.signed_in(who.user_id)
    state, calls = (
        (SupportState, {"open": "ticket", "close": "form", "rate": "form"})
        if role is Role.HOLDER
        else (
            DeskState,
            {
                "open": "ticket", "choose_part": "part", "turn": "page", "find": "form",
                "find_caller": "form", "give": "form", "keep_draft": "text", "use_prepared": "key",
                "answer": "form", "note": "form", "hand": "form", "hand_late": "slug",
                "ask_glass": "form", "agree_glass": "form",
            },
        )
    )  # fmt: skip
    before = supporting.thread(holder, number, now=now)
    for name, argument in calls.items():
        for nonsense in NONSENSE:
            await tab.forge(f"{state.get_full_name()}.{name}", DESK, **{argument: nonsense})
    assert tab.errors == []
    assert supporting.thread(holder, number, now=now) == before
