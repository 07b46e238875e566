"""The search on the book's page as a tab meets it."""

from __future__ import annotations

from typing import Any

from emk_app import clock
from emk_app.states.book import BookState
from emk_app.states.book_search import BookSearchState
from tests.factories import make_book, make_holder
from tests.services.test_versions import vaccinate
from tests.states.conftest import Screens

PAGE = "/cabinet/book"
FIND = "reflex___state____state.emk_app___states___book_search____book_search_state.find"
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]}, "\ud800")


async def test_what_is_found_is_shown_and_goes_with_the_page(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    screen = await screens.signed_in(holder.user_id)
    await screen.send(BookSearchState.find({"words": "терапевт"}), PAGE)
    state = await screen.state(BookSearchState)
    assert [piece.text for piece in state.found[0].title if piece.is_hit] == ["терапевт"]
    assert state.summary == "Нашлась 1\u00a0запись."
    for leave in (BookSearchState.forget, BookSearchState.begin):
        await screen.send(BookSearchState.find({"words": "терапевт"}), PAGE)
        await screen.send(leave, PAGE)
        state = await screen.state(BookSearchState)
        assert (state.found, state.summary) == ([], "")


async def test_what_was_asked_is_not_kept_in_the_state(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    screen = await screens.signed_in(holder.user_id)
    await screen.send(BookSearchState.find({"words": "абракадабра"}), PAGE)
    state = await screen.state(BookSearchState)
    assert state.summary
    assert "абракадабра" not in str(state.dict())


async def test_nonsense_finds_nothing(screens: Screens):
    screen = await screens.signed_in(make_holder(clock.now()).user_id)
    for form in (*NONSENSE, *[{"words": each} for each in NONSENSE]):
        await screen.forge(FIND, PAGE, form=form)
        assert (await screen.state(BookSearchState)).found == []


async def test_vaccinations_of_the_book_are_listed(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    vaccinate(holder, clock.now(), series="Ж-77")
    screen = await screens.signed_in(holder.user_id)
    await screen.follow(BookState.follow, PAGE)
    await screen.until(BookState, lambda state: state.is_loaded)
    shots = (await screen.state(BookState)).shots
    assert [(row.name, row.vaccine) for row in shots] == [("Корь", "ЖКВ, доза первая, серия Ж-77")]
