"""The owner's page of keys."""

from __future__ import annotations

from typing import Any

import pytest

from emk_app import clock
from emk_app.domain.employer_keys import PREFIX, KeyRevoked
from emk_app.services import employer_keys
from emk_app.states.employer_keys import KEYS, EmployerKeysState
from tests.states.conftest import Screen, Screens
from tests.states.test_employer import NONSENSE, made_employer, made_owner

FORM = {"name": "Учёт", "days": "90", "scope_read": "on"}


async def keys_tab(screens: Screens, user_id: int) -> Screen:
    screen = await screens.signed_in(user_id)
    await screen.follow(EmployerKeysState.follow, KEYS)
    await screen.until(EmployerKeysState, lambda state: state.is_loaded)
    return screen


async def test_key_is_shown_once_used_and_withdrawn(screens: Screens):
    tab = await keys_tab(screens, made_owner().user_id)
    await tab.send(EmployerKeysState.make({**FORM, "name": "", "scope_read": ""}), KEYS)
    state = await tab.state(EmployerKeysState)
    assert state.errors["name"]
    assert state.errors["scopes"]
    await tab.send(EmployerKeysState.make(FORM), KEYS)
    state = await tab.state(EmployerKeysState)
    token = state.made
    assert token.startswith(PREFIX)
    (row,) = state.keys
    assert (row.name, row.is_live, row.used) == ("Учёт", True, "ещё не использовали")
    assert token not in repr(row)
    employer_keys.bearer_of(token, now=clock.now())
    await tab.until(EmployerKeysState, lambda state: state.keys[0].used != row.used)
    await tab.send(EmployerKeysState.hide(), KEYS)
    assert (await tab.state(EmployerKeysState)).made == ""
    await tab.send(EmployerKeysState.revoke(row.id), KEYS)
    assert (await tab.state(EmployerKeysState)).keys[0].state == "отозван"
    with pytest.raises(KeyRevoked):
        employer_keys.bearer_of(token, now=clock.now())


async def test_without_an_organisation_there_are_no_keys(screens: Screens):
    tab = await keys_tab(screens, made_employer())
    await tab.send(EmployerKeysState.make(FORM), KEYS)
    state = await tab.state(EmployerKeysState)
    assert (state.is_owner, state.keys, state.made) == (False, [], "")
    assert state.errors["key"]


@pytest.mark.parametrize("sent", NONSENSE)
async def test_what_no_page_sends_makes_no_key(sent: Any, screens: Screens):
    tab = await keys_tab(screens, made_owner().user_id)
    name = EmployerKeysState.get_full_name()
    await tab.forge(f"{name}.make", KEYS, form=sent)
    await tab.forge(f"{name}.revoke", KEYS, key_id=sent)
    assert tab.errors == []
    assert (await tab.state(EmployerKeysState)).keys == []
