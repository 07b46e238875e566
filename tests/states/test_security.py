"""What guards an account as a tab meets it: live, for every role, and forged."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.services import accounts
from emk_app.states.security import SecurityState
from emk_app.states.session import HOME, MessageState
from tests.factories import PASSWORD, SECRET, make_holder
from tests.states.conftest import Screen, Screens

PAGE = "/cabinet/security"
NEW = "вечерний поезд 17"


async def opened(screens: Screens, user_id: int, *, stale: bool = False) -> Screen:
    factor_at = clock.now() - timedelta(minutes=6) if stale else None
    screen = await screens.signed_in(user_id, factor_at=factor_at)
    await screen.follow(SecurityState.follow, PAGE)
    await screen.until(SecurityState, lambda state: state.is_loaded)
    return screen


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
async def test_page_opens_for_every_role(screens: Screens, role: Role):
    now = clock.now()
    user_id = accounts.create_user(role, "x@example.ru", PASSWORD, totp_secret=SECRET, now=now)
    state = await (await opened(screens, user_id)).state(SecurityState)
    assert state.home == HOME[role]
    assert [each.is_here for each in state.sessions] == [True]
    assert [each.key for each in state.factors] == ["password", "passkeys", "totp", "recovery"]


async def test_session_appears_on_the_other_screen_and_is_ended_there(screens: Screens):
    holder = make_holder(clock.now())
    first = await opened(screens, holder.user_id)
    second = await opened(screens, holder.user_id)
    state = await second.state(SecurityState)
    [other] = [each.id for each in state.sessions if not each.is_here]
    await second.send(SecurityState.end(other), PAGE)
    state = await second.state(SecurityState)
    assert [each.is_here for each in state.sessions] == [True]
    await first.send(SecurityState.end_others, PAGE)
    assert first.gone_to == "/ended"


async def test_what_was_typed_goes_on_once_a_fresh_code_is_added(screens: Screens):
    holder = make_holder(clock.now())
    screen = await opened(screens, holder.user_id, stale=True)
    form = {"present": PASSWORD, "password": NEW, "repeated": NEW}
    await screen.send(SecurityState.change_password(form), PAGE)
    state = await screen.state(SecurityState)
    assert state.needs_code and "код" in state.errors["password_form"]
    form["code_password_form"] = pyotp.TOTP(SECRET).at(clock.now())
    await screen.send(SecurityState.change_password(form), PAGE)
    state = await screen.state(SecurityState)
    assert not state.needs_code and set(state.errors.values()) == {""}
    assert "Пароль изменён" in (await screen.state(MessageState)).polite


async def test_wrong_password_stands_beside_its_field(screens: Screens):
    screen = await opened(screens, make_holder(clock.now()).user_id)
    form = {"present": "не тот пароль 42", "password": NEW, "repeated": NEW}
    await screen.send(SecurityState.change_password(form), PAGE)
    state = await screen.state(SecurityState)
    assert state.errors["present"] and not state.errors["password"]


async def test_codes_are_shown_once(screens: Screens):
    holder = make_holder(clock.now())
    screen = await opened(screens, holder.user_id)
    await screen.send(SecurityState.make_codes({}), PAGE)
    state = await screen.state(SecurityState)
    assert len(state.codes) == 10
    await screen.send(SecurityState.hide_codes, PAGE)
    assert (await screen.state(SecurityState)).codes == []
    again = await (await opened(screens, holder.user_id)).state(SecurityState)
    assert again.codes == [] and "осталось 10" in again.factors[3].text


async def test_authenticator_is_replaced(screens: Screens):
    screen = await opened(screens, make_holder(clock.now()).user_id)
    await screen.send(SecurityState.replace({}), PAGE)
    state = await screen.state(SecurityState)
    secret = state.secret.replace(" ", "")
    assert state.picture.startswith("data:image/svg+xml")
    await screen.send(SecurityState.prove({"proof": "000000"}), PAGE)
    assert (await screen.state(SecurityState)).errors["proof"]
    await screen.send(SecurityState.prove({"proof": pyotp.TOTP(secret).at(clock.now())}), PAGE)
    assert (await screen.state(SecurityState)).secret == ""


@pytest.mark.parametrize("forged", [-1, 0, 2**63, 2**80, "1", None, [], {}])
async def test_forged_session_number_ends_nothing(screens: Screens, forged: object):
    holder = make_holder(clock.now())
    other = await opened(screens, make_holder(clock.now()).user_id)
    screen = await opened(screens, holder.user_id)
    name = f"{SecurityState.get_full_name()}.end"
    await screen.forge(name, PAGE, session_id=forged)
    assert screen.errors == [] and other.gone_to is None
    await screen.send(SecurityState.end_others, PAGE)
    assert (await other.state(SecurityState)).sessions[0].is_here
