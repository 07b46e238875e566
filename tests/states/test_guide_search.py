"""The search on the guide's page as a stranger's tab meets it."""

from __future__ import annotations

from typing import Any

from emk_app import clock
from emk_app.domain import examinations
from emk_app.domain.examinations import AmendedStudy
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


async def test_page_tells_what_is_amended_and_nothing_else(screens: Screens):
    screen = await screens.stranger()
    await screen.send(GuideState.begin, PAGE)
    state = await screen.state(GuideState)
    assert (state.who, state.examination, state.terms) == ((), (), ())
    study = AmendedStudy("hygiene:23", clock.today(), 18)
    examinations.amend([study])
    try:
        await screen.leave()
        await screen.send(GuideState.begin, PAGE)
        state = await screen.state(GuideState)
        told = {line for each in state.terms for line in each.lines}
        assert "Пищевые продукты, торговля и общественное питание: 18\u00a0месяцев" in told
        assert (state.who, state.examination) == ((), ())
    finally:
        examinations.amend([])
    await screen.leave()
    await screen.send(GuideState.begin, PAGE)
    assert (await screen.state(GuideState)).terms == ()
