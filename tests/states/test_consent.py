"""The consent as a tab meets it: live, given, taken back, and forged."""

from __future__ import annotations

from emk_app import clock
from emk_app.domain.consent import TEXTS
from emk_app.services import applying, consenting
from emk_app.states.consent import ConsentState
from emk_app.states.session import MessageState
from tests.factories import make_draft, make_holder, make_received, put
from tests.states.conftest import Screen, Screens

PAGE = "/cabinet/consent"


async def opened(screens: Screens, user_id: int) -> Screen:
    screen = await screens.signed_in(user_id)
    await screen.follow(ConsentState.follow, PAGE)
    await screen.until(ConsentState, lambda state: state.is_loaded)
    return screen


async def test_page_shows_a_consent_as_soon_as_it_is_given(screens: Screens):
    holder = make_holder(clock.now())
    draft = make_draft(holder, clock.now())
    screen = await opened(screens, holder.user_id)
    state = await screen.state(ConsentState)
    assert (state.records, state.consequences, state.card.may_withdraw) == ([], [], False)
    applying.submit(holder, draft.id, now=clock.now())
    state = await screen.until(ConsentState, lambda state: bool(state.records))
    assert state.records[0].number == draft.number.shown
    assert draft.number.shown in state.consequences[0]


async def test_consent_is_taken_back_and_given_again(screens: Screens):
    holder = make_holder(clock.now())
    make_received(holder, clock.now())
    screen = await opened(screens, holder.user_id)
    await screen.send(ConsentState.withdraw, PAGE)
    state = await screen.state(ConsentState)
    assert (state.card.may_give, state.card.may_withdraw) == (True, False)
    assert state.consequences == []
    assert (await screen.state(MessageState)).polite == "Согласие отозвано."
    await screen.send(ConsentState.give, PAGE)
    state = await screen.state(ConsentState)
    assert (state.card.may_give, state.card.may_withdraw) == (False, True)
    assert len(state.records) == 2


async def test_withdrawal_pressed_twice_is_one(screens: Screens):
    holder = make_holder(clock.now())
    make_received(holder, clock.now())
    screen = await opened(screens, holder.user_id)
    for _ in range(2):
        await screen.send(ConsentState.withdraw, PAGE)
    [record] = consenting.view(holder, now=clock.now()).records
    assert record.withdrawn_at is not None
    assert screen.errors == []


async def test_draft_with_a_consent_to_the_older_text_is_asked_again(screens: Screens):
    holder = make_holder(clock.now())
    draft = make_draft(holder, clock.now())
    put(draft.id, consent_version=next(iter(TEXTS)))
    found = applying.standing_draft(holder, now=clock.now())
    assert found is not None
    assert (found.is_consented, "consent" in found.lacking) == (False, True)
