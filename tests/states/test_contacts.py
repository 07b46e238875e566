"""Contacts on the page of what guards the account, as a tab meets them."""

from __future__ import annotations

from dataclasses import replace

from emk_app import clock
from emk_app.states.contacts import ContactsState
from emk_app.states.session import MessageState
from tests.factories import make_holder
from tests.services.test_reaching import LOGIN, NEW, PHONE, change, code_sent
from tests.states.conftest import Screens

PAGE = "/cabinet/security"


async def test_contact_is_changed_and_what_is_wrong_is_said(screens: Screens):
    screen = await screens.signed_in(make_holder(clock.now(), LOGIN).user_id)
    await screen.follow(ContactsState.follow, PAGE)
    await screen.until(ContactsState, lambda state: state.email != "")
    await screen.send(ContactsState.begin({"contact": "что-то"}), PAGE)
    assert (await screen.state(ContactsState)).error
    await screen.send(ContactsState.begin({"contact": NEW}), PAGE)
    state = await screen.state(ContactsState)
    assert (state.waits, state.error, state.problem) == ("a***@example.ru", "", "")
    await screen.send(ContactsState.confirm({"contact_code": "x"}), PAGE)
    assert "Код не подошёл" in (await screen.state(ContactsState)).problem
    await screen.send(ContactsState.confirm({"contact_code": code_sent(NEW)}), PAGE)
    assert (await screen.state(ContactsState)).waits == ""
    assert "Контакт изменён" in (await screen.state(MessageState)).polite
    assert NEW not in repr(screen.shown)


async def test_change_is_given_up(screens: Screens):
    screen = await screens.signed_in(make_holder(clock.now(), LOGIN).user_id)
    await screen.send(ContactsState.begin({"contact": NEW}), PAGE)
    await screen.send(ContactsState.drop, PAGE)
    assert (await screen.state(ContactsState)).waits == ""


async def test_contact_is_removed_and_the_last_one_stays(screens: Screens):
    now = clock.now()
    holder = make_holder(now, LOGIN)
    screen = await screens.signed_in(holder.user_id)
    await screen.send(ContactsState.remove({"removed": "pigeon"}), PAGE)
    assert "предложенных" in (await screen.state(ContactsState)).removed_error
    await screen.send(ContactsState.remove({"removed": "email"}), PAGE)
    assert "единственный контакт" in (await screen.state(ContactsState)).problem
    change(replace(holder, factor_at=now), PHONE, now)
    await screen.send(ContactsState.remove({"removed": "email"}), PAGE)
    state = await screen.state(ContactsState)
    assert (state.email, state.problem, state.removed_error) == ("", "", "") and state.phone
    assert "Контакт удалён" in (await screen.state(MessageState)).polite
