"""The way back in as a tab meets it."""

from __future__ import annotations

import pytest

from emk_app import clock
from emk_app.presenting.notices import RECOVER, RESET
from emk_app.services import jobs, resetting
from emk_app.states.recover import NewPasswordState, RecoverState
from emk_app.states.sign_in import SignInState
from tests.factories import make_holder
from tests.services.test_accounts import outbox
from tests.services.test_resetting import NEW, token_in
from tests.states.conftest import Screens


@pytest.mark.parametrize("login", ["anna@example.ru", "nobody@example.ru"])
async def test_known_and_unknown_login_get_the_same_screen(screens: Screens, login: str):
    make_holder(clock.now(), "anna@example.ru")
    screen = await screens.stranger()
    await screen.send(RecoverState.ask({"login": login}), RECOVER)
    state = await screen.state(RecoverState)
    assert (state.is_sent, state.error, state.problem, state.busy) == (True, "", "", False)
    await screen.send(RecoverState.start_over, RECOVER)
    await screen.send(RecoverState.ask({"login": login}), RECOVER)
    state = await screen.state(RecoverState)
    assert not state.is_sent and "попыт" in state.problem


@pytest.mark.parametrize("form", [{}, {"login": "что-то"}, {"login": 5}, None, []])
async def test_what_is_no_login_is_refused_beside_its_field(screens: Screens, form: object):
    screen = await screens.stranger()
    await screen.forge(f"{RecoverState.get_full_name()}.ask", RECOVER, form=form)
    state = await screen.state(RecoverState)
    assert screen.errors == [] and state.error and not state.is_sent


async def test_new_password_leads_to_the_second_factor(screens: Screens):
    make_holder(clock.now(), "anna@example.ru")
    resetting.ask("anna@example.ru", source="10.0.0.1", now=clock.now())
    jobs.run_due({resetting.SEND: resetting.send}, now=clock.now())
    form = {"token": token_in(outbox()[-1][1]), "password": NEW, "repeated": NEW}
    screen = await screens.stranger()
    await screen.send(NewPasswordState.give(form | {"repeated": "x"}), RESET)
    assert (await screen.state(NewPasswordState)).errors["repeated"]
    await screen.send(NewPasswordState.give(form), RESET)
    assert screen.gone_to == "/login"
    await screen.send(SignInState.load, "/login")
    state = await screen.state(SignInState)
    assert (state.step, state.has_new_password) == ("code", True)
    assert NEW not in repr(screen.shown) and form["token"] not in repr(screen.shown)
    other = await screens.stranger()
    await other.send(NewPasswordState.give(form), RESET)
    assert "Ссылка" in (await other.state(NewPasswordState)).problem


async def test_somebody_who_is_signed_in_changes_the_password_inside(screens: Screens):
    screen = await screens.signed_in(make_holder(clock.now()).user_id)
    await screen.send(NewPasswordState.load, RESET)
    assert screen.gone_to == "/cabinet/security"
