"""The search on the guide's page as a stranger's tab meets it."""

from __future__ import annotations

from typing import Any

from emk_app.presenting.guide import NO_WORDS, NOTHING
from emk_app.states.guide import GuideState
from tests.states.conftest import Screens

PAGE = "/guide"
FIND = "reflex___state____state.emk_app___states___guide____guide_state.find"
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]}, "\ud800")


async def test_stranger_finds_and_takes_away(screens: Screens):
    screen = await screens.stranger()
    for leave in (GuideState.forget, GuideState.begin):
        await screen.send(GuideState.find({"words": "повар"}), PAGE)
        state = await screen.state(GuideState)
        assert [row.where for row in state.found] == ["Кому нужна книжка"]
        assert state.summary == "Нашёлся 1\u00a0ответ."
        await screen.leave()
        await screen.send(leave, PAGE)
        state = await screen.state(GuideState)
        assert (state.found, state.summary) == ([], "")


async def test_nonsense_finds_nothing(screens: Screens):
    screen = await screens.stranger()
    for form in (*NONSENSE, *[{"words": each} for each in NONSENSE]):
        await screen.forge(FIND, PAGE, form=form)
        state = await screen.state(GuideState)
        assert state.found == []
        assert state.summary in ("", NO_WORDS, NOTHING)
