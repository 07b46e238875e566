"""«Мои данные» as a tab meets it: a copy, the wish to be forgotten, the administrator's list."""

from __future__ import annotations

from datetime import timedelta

from emk_app import clock
from emk_app.domain.erasure import PHRASE, WAITING
from emk_app.domain.errors import FreshFactorNeeded
from emk_app.presenting import erasures as words
from emk_app.presenting import texts
from emk_app.services import erasing, jobs, own_data
from emk_app.states.own_data import ErasuresState, OwnDataState
from emk_app.states.session import MessageState
from tests.factories import make_admin, make_holder, make_received
from tests.states.conftest import Screens

PAGE = "/cabinet/data"


async def test_copy_is_asked_for_and_its_link_appears(screens: Screens):
    holder = make_holder(clock.now())
    screen = await screens.signed_in(holder.user_id)
    await screen.follow(OwnDataState.follow, PAGE)
    state = await screen.until(OwnDataState, lambda state: state.is_loaded)
    assert (state.copy.is_there, state.needs_code) == (False, False)
    await screen.send(OwnDataState.make_copy({}), PAGE)
    state = await screen.state(OwnDataState)
    assert (state.copy.is_there, state.copy.is_ready, state.copy.href) == (True, False, "")
    jobs.run_due({own_data.JOB: own_data.make}, now=clock.now())
    state = await screen.until(OwnDataState, lambda state: state.copy.is_ready)
    assert state.copy.href.startswith("/api/data/")
    await screen.send(OwnDataState.drop_copy, PAGE)
    assert not (await screen.state(OwnDataState)).copy.is_there


async def test_old_factor_is_asked_for_again(screens: Screens):
    holder = make_holder(clock.now())
    screen = await screens.signed_in(holder.user_id, factor_at=clock.now() - timedelta(minutes=6))
    await screen.send(OwnDataState.ask({"phrase": PHRASE}), PAGE)
    state = await screen.state(OwnDataState)
    assert state.needs_code
    assert state.errors["ask"] == texts.sentence(FreshFactorNeeded())
    assert erasing.wish(holder) is None


async def test_wish_wants_its_phrase_and_is_taken_back(screens: Screens):
    holder = make_holder(clock.now())
    screen = await screens.signed_in(holder.user_id)
    await screen.send(OwnDataState.ask({"phrase": "да"}), PAGE)
    state = await screen.state(OwnDataState)
    assert PHRASE in state.errors["phrase"]
    await screen.forge(f"{OwnDataState.get_full_name()}.ask", PAGE, form={"phrase": {"x": 1}})
    assert erasing.wish(holder) is None
    await screen.send(OwnDataState.ask({"phrase": PHRASE}), PAGE)
    assert (await screen.state(OwnDataState)).wish.startswith("Вы попросили удалить данные")
    await screen.send(OwnDataState.cancel, PAGE)
    assert (await screen.state(OwnDataState)).wish == ""
    await screen.send(OwnDataState.cancel, PAGE)
    assert (await screen.state(MessageState)).assertive.startswith("Отменять нечего")


async def test_administrator_sees_the_wish_and_then_the_act(screens: Screens):
    holder = make_holder(clock.now())
    make_received(holder, clock.now())
    admin = make_admin(clock.now())
    screen = await screens.signed_in(admin.user_id)
    await screen.follow(ErasuresState.follow, "/admin/erasures")
    await screen.until(ErasuresState, lambda state: state.is_loaded)
    theirs = await screens.signed_in(holder.user_id)
    await theirs.send(OwnDataState.ask({"phrase": PHRASE}), PAGE)
    state = await screen.until(ErasuresState, lambda state: bool(state.rows))
    assert (state.rows[0].state, state.rows[0].pdf) == ("ждёт срока", "")
    erasing.run(0, clock.now() + WAITING)
    state = await screen.until(ErasuresState, lambda state: bool(state.rows[0].pdf))
    assert state.rows[0].state == "выполнено"
    facts = erasing.act(admin, state.rows[0].id, now=clock.now())
    said = words.act(facts)
    assert {"operator", "on_behalf", "subject", "categories", "system"} <= said.keys()
    assert {"method", "reason", "destroyed_at", "log"} <= said.keys()
    assert "Сканы документов" in said["categories"]
    assert said["log"]["lines"]
    assert words.pdf(facts).startswith(b"%PDF")
