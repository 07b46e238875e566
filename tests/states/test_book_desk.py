"""The operators' desk of books as two tabs meet it: orders, answers, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.repositories import books
from emk_app.services import stopping
from emk_app.states.book_desk import BookDeskState, BooksState
from tests.factories import make_book, make_holder, make_operator
from tests.states.conftest import Screen, Screens

DESK = "reflex___state____state.emk_app___states___book_desk____book_desk_state"
ROUTE = "/books/[number_arg]"
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]}, "\ud800")
ACTS = ("suspend", "resume", "revoke", "confirm", "decline")


def made() -> str:
    holder = make_holder(clock.now())
    book_id = make_book(holder, clock.now())
    with reading() as db:
        return books.get(db, book_id).number


async def opened(screens: Screens, number: str) -> Screen:
    screen = await screens.signed_in(make_operator(clock.now()).user_id)
    await screen.follow(BookDeskState.follow, ROUTE, number_arg=number)
    await screen.until(BookDeskState, lambda state: state.is_loaded)
    return screen


async def test_two_operators_suspend_and_each_sees_the_other_live(screens: Screens):
    number = made()
    first, second = await opened(screens, number), await opened(screens, number)
    form = {"ground": "disavowed", "note": "Письмо медорганизации", "code": ""}
    await first.send(BookDeskState.suspend(form), ROUTE, number_arg=number)
    state = await first.state(BookDeskState)
    assert (state.book.status, state.standing.is_own) == ("приостановлена", True)
    assert not state.standing.may_confirm
    seen = await second.until(BookDeskState, lambda state: bool(state.standing.title))
    assert seen.standing.may_confirm
    assert "Письмо медорганизации" in seen.standing.reason
    await second.send(BookDeskState.confirm({"code": ""}), ROUTE, number_arg=number)
    seen = await second.state(BookDeskState)
    assert (seen.standing.title, len(seen.history)) == ("", 1)
    await first.until(BookDeskState, lambda state: state.book.may_resume)


async def test_what_is_filled_in_wrong_is_told_beside_its_field(screens: Screens):
    number = made()
    screen = await opened(screens, number)
    form = {"ground": "other", "note": "", "code": ""}
    await screen.send(BookDeskState.revoke(form), ROUTE, number_arg=number)
    state = await screen.state(BookDeskState)
    assert state.errors["note"]
    assert state.standing.title == ""


async def test_search_opens_the_book_or_says_why_not(screens: Screens):
    number = made()
    screen = await screens.signed_in(make_operator(clock.now()).user_id)
    await screen.send(BooksState.find({"number": "12"}), "/books")
    assert (await screen.state(BooksState)).error
    await screen.send(BooksState.find({"number": "990100000126"}), "/books")
    assert "нет" in (await screen.state(BooksState)).error
    await screen.send(BooksState.find({"number": number}), "/books")
    assert screen.gone_to == f"/books/{number}"


async def test_unknown_book_is_an_empty_page(screens: Screens):
    made()
    for number in ("990100000126", "x" * 300, ""):
        screen = await opened(screens, number)
        assert (await screen.state(BookDeskState)).is_missing
        await screen.send(BookDeskState.confirm({}), ROUTE, number_arg=number)
        assert screen.errors == []


@pytest.mark.parametrize("handler", ACTS)
async def test_strangers_and_holders_are_turned_away(screens: Screens, handler: str):
    stranger = await screens.stranger()
    await stranger.forge(f"{DESK}.{handler}", ROUTE, form={})
    assert stranger.gone_to == "/login"
    holder = await screens.signed_in(make_holder(clock.now()).user_id)
    await holder.forge(f"{DESK}.{handler}", ROUTE, form={})
    assert holder.gone_to == "/forbidden"


async def test_nonsense_changes_nothing_and_breaks_nothing(screens: Screens):
    number = made()
    screen = await opened(screens, number)
    for nonsense in NONSENSE:
        for act in ACTS:
            await screen.forge(f"{DESK}.{act}", ROUTE, form=nonsense)
            await screen.forge(f"{DESK}.{act}", ROUTE, form={"ground": nonsense, "code": nonsense})
    assert screen.errors == []
    operator = make_operator(clock.now())
    assert stopping.waiting(operator) == ()
    with reading() as db:
        assert books.by_number(db, stopping.find(operator, number)).suspended_at is None
