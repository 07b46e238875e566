"""The page of members and the invitations on the first page, in two tabs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pyotp.totp import TOTP

from emk_app import clock
from emk_app.domain.actors import Actor, Post
from emk_app.pages.menus import MEMBERS
from emk_app.pages.sign_in import EMPLOYER_REGISTER
from emk_app.services import membering
from emk_app.states.employer import EMPLOYER, EmployerState
from emk_app.states.members import MembersState, OffersState
from emk_app.states.session import MessageState
from emk_app.states.sign_in import RegisterState
from tests.factories import PASSWORD, SECRET, acting_employer, make_employer
from tests.services.test_membering import made_user
from tests.states.conftest import Screen, Screens
from tests.states.test_employer import NONSENSE


async def page(screens: Screens, owner: Actor, *, is_fresh: bool = True) -> Screen:
    before = timedelta(0) if is_fresh else timedelta(hours=1)
    tab = await screens.signed_in(owner.user_id, factor_at=clock.now() - before)
    await tab.follow(MembersState.follow, MEMBERS)
    await tab.until(MembersState, lambda state: state.is_loaded)
    return tab


async def test_owner_invites_after_a_fresh_code_and_the_invited_joins(screens: Screens):
    owner, invited = make_employer(clock.now()), made_user("hr@cafe.example", clock.now())
    tab = await page(screens, owner, is_fresh=False)
    form = {"email": "hr@cafe.example", "post": "hr"}
    await tab.send(MembersState.invite(form), MEMBERS)
    state = await tab.state(MembersState)
    assert state.needs_code
    assert state.errors["code"]
    assert state.invited == []
    await tab.send(MembersState.invite({**form, "code": "000000"}), MEMBERS)
    assert (await tab.state(MembersState)).errors["code"]
    code = TOTP(SECRET).at(clock.now())
    await tab.send(MembersState.invite({**form, "email": "x", "code": code}), MEMBERS)
    state = await tab.state(MembersState)
    assert (state.needs_code, bool(state.errors["email"])) == (False, True)
    await tab.send(MembersState.invite(form), MEMBERS)
    state = await tab.until(MembersState, lambda state: bool(state.invited))
    assert [(row.email, row.post) for row in state.invited] == [("hr@cafe.example", "Кадровик")]
    theirs = await screens.signed_in(invited.user_id)
    await theirs.send(OffersState.load(), EMPLOYER)
    (offer,) = (await theirs.state(OffersState)).offers
    assert (offer.organisation, offer.post) == ("Кафе на Мира", "кадровик")
    await theirs.send(OffersState.accept(offer.id), EMPLOYER)
    assert theirs.gone_to == EMPLOYER
    await theirs.follow(EmployerState.follow, EMPLOYER)
    await theirs.until(EmployerState, lambda state: state.organisation.may_edit)
    state = await tab.until(MembersState, lambda state: len(state.members) == 2)
    assert state.invited == []


async def test_only_owner_is_told_to_name_another_first(screens: Screens):
    owner, other = make_employer(clock.now()), made_user("hr@cafe.example", clock.now())
    tab = await page(screens, owner)
    assert [row.is_only_owner for row in (await tab.state(MembersState)).members] == [True]
    await tab.send(MembersState.invite({"email": "hr@cafe.example", "post": "owner"}), MEMBERS)
    membering.accept(other, membering.offers(other, now=clock.now())[0].id, now=clock.now())
    state = await tab.until(MembersState, lambda state: len(state.members) == 2)
    assert [row.is_only_owner for row in state.members] == [False, False]


async def test_owner_changes_a_post_and_takes_a_member_out(screens: Screens):
    owner, other = make_employer(clock.now()), made_user("hr@cafe.example", clock.now())
    tab = await page(screens, owner)
    await tab.send(MembersState.invite({"email": "hr@cafe.example", "post": "hr"}), MEMBERS)
    membering.accept(other, membering.offers(other, now=clock.now())[0].id, now=clock.now())
    state = await tab.until(MembersState, lambda state: len(state.members) == 2)
    hr = next(row for row in state.members if not row.is_self)
    await tab.send(MembersState.edit(hr.id), MEMBERS)
    await tab.send(MembersState.change({"post": "king"}), MEMBERS)
    assert (await tab.state(MembersState)).errors["post"]
    await tab.send(MembersState.change({"post": "viewer"}), MEMBERS)
    assert acting_employer(other).post is Post.VIEWER
    theirs = await page(screens, other)
    state = await theirs.state(MembersState)
    assert (state.is_owner, state.is_member, state.is_warned) == (False, True, True)
    await theirs.send(MembersState.set_warned(False), MEMBERS)
    await theirs.until(MembersState, lambda state: not state.is_warned)
    await tab.send(MembersState.remove(hr.id), MEMBERS)
    await theirs.until(MembersState, lambda state: not state.is_member)
    own = next(row for row in (await tab.state(MembersState)).members if row.is_self)
    await tab.send(MembersState.remove(own.id), MEMBERS)
    assert "единственный владелец" in (await tab.state(MessageState)).assertive
    assert acting_employer(owner).post is Post.OWNER


async def test_employer_registers_with_an_address_alone(screens: Screens):
    tab = await screens.stranger()
    await tab.send(RegisterState.load_employer(), EMPLOYER_REGISTER)
    form = {"login": "+7 912 345-67-89", "password": PASSWORD, "repeated": PASSWORD}
    await tab.send(RegisterState.give_form(form), EMPLOYER_REGISTER)
    state = await tab.state(RegisterState)
    assert state.errors["login"]
    assert state.summary
    given = {**form, "login": "new@cafe.example"}
    await tab.send(RegisterState.give_form(given), EMPLOYER_REGISTER)
    assert (await tab.state(RegisterState)).step == "contact"


@pytest.mark.parametrize("sent", NONSENSE)
async def test_what_no_page_sends_changes_nothing(sent: Any, screens: Screens):
    owner = make_employer(clock.now())
    tab = await page(screens, owner)
    name, offers = MembersState.get_full_name(), OffersState.get_full_name()
    for handler, argument in (
        *(("invite", "form"), ("change", "form"), ("edit", "member_id")),
        *(("remove", "member_id"), ("withdraw", "invitation_id")),
    ):
        await tab.forge(f"{name}.{handler}", MEMBERS, **{argument: sent})
    for handler in ("accept", "decline"):
        await tab.forge(f"{offers}.{handler}", MEMBERS, invitation_id=sent)
    assert tab.errors == []
    found = membering.circle(owner, now=clock.now())
    assert (len(found.members), found.invited) == (1, ())
