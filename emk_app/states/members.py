"""The members of one's organisation, and the organisations that invite one."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Post, Role
from emk_app.domain.errors import DomainError, FreshFactorNeeded, Invalid
from emk_app.edge.policy import allow
from emk_app.presenting import membering as rows
from emk_app.presenting import texts
from emk_app.presenting.membering import InvitationRow, MemberRow, OfferRow
from emk_app.services import membering
from emk_app.states import live
from emk_app.states.apply import number
from emk_app.states.employer import EMPLOYER
from emk_app.states.session import actor_of, fresh_actor, is_fresh, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

NO_ERRORS: Final[dict[str, str]] = dict.fromkeys(("email", "post", "code"), "")


class MembersState(rx.State):
    """The circle around an organisation's account."""

    is_loaded: bool = False
    is_member: bool = False
    is_owner: bool = False
    is_warned: bool = False
    members: list[MemberRow] = []
    invited: list[InvitationRow] = []
    editing: MemberRow = MemberRow(0, "", "", "", "", False)
    needs_code: bool = False
    errors: dict[str, str] = NO_ERRORS.copy()
    form_key: int = 0

    @rx.event(background=True)
    @allow(Role.EMPLOYER, quiet=True)
    async def follow(self):
        """Show the members as they are, while the page is open."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
            if actor.organisation_id is None:
                self.is_loaded = True
                return
        async for _ in live.changes(membering.topic_of(actor.organisation_id)):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.EMPLOYER)
    async def invite(self, form: dict[str, Any]):
        """Invite an address."""
        said = text_of(form, "email"), text_of(form, "post", 20)
        if await self._do(form, membering.invite, *said):
            self.form_key += 1
            await say(self, "Приглашение отправлено.")

    @rx.event
    @allow(Role.EMPLOYER)
    async def edit(self, member_id: int):
        """Begin to change a member's post, or leave it with 0."""
        self.errors = NO_ERRORS.copy()
        wanted = number(member_id)
        nobody = MemberRow(0, "", "", "", "", False)
        self.editing = next((row for row in self.members if row.id == wanted), nobody)
        self.needs_code = not is_fresh(await actor_of(self))

    @rx.event
    @allow(Role.EMPLOYER)
    async def change(self, form: dict[str, Any]):
        """Give the member another post."""
        if await self._do(form, membering.change, self.editing.id, text_of(form, "post", 20)):
            self.editing = MemberRow(0, "", "", "", "", False)
            await say(self, "Роль изменена.")

    @rx.event
    @allow(Role.EMPLOYER)
    async def remove(self, member_id: int):
        """Take a member out, or leave."""
        actor = await actor_of(self)
        wanted = number(member_id)
        is_self = any(row.id == wanted and row.is_self for row in self.members)
        try:
            await in_thread(membering.remove, actor, wanted, now=clock.now())
        except DomainError as error:
            await warn(self, error)
            return None
        if is_self:
            return rx.redirect("/employer")
        await say(self, "Участник больше не видит кабинет.")
        return None

    @rx.event
    @allow(Role.EMPLOYER)
    async def withdraw(self, invitation_id: int):
        """Take an invitation back."""
        actor = await actor_of(self)
        try:
            await in_thread(membering.withdraw, actor, number(invitation_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Приглашение отозвано.")

    @rx.event
    @allow(Role.EMPLOYER)
    async def set_warned(self, wanted: bool):
        """Want the letters about terms, or not."""
        actor = await actor_of(self)
        try:
            await in_thread(membering.set_warned, actor, wanted is True, now=clock.now())
        except DomainError as error:
            await warn(self, error)

    async def _do(self, form: Any, act: Any, *said: Any) -> bool:
        """Do an act that a fresh second factor is needed for; return whether it was done."""
        self.errors = NO_ERRORS.copy()
        try:
            actor = await fresh_actor(self, text_of(form, "code", 12))
            self.needs_code = False
            await in_thread(act, actor, *said, now=clock.now())
        except Invalid as error:
            self.errors = self.errors | texts.field_sentences(error)
        except DomainError as error:
            if isinstance(error, FreshFactorNeeded) or not is_fresh(await actor_of(self)):
                self.needs_code = True
                self.errors = {**self.errors, "code": texts.sentence(error)}
            else:
                await warn(self, error)
        else:
            return True
        return False

    async def _show(self, actor: Actor) -> None:
        if actor.organisation_id is None:
            self.members, self.invited, self.is_member = [], [], False
            self.is_loaded = True
            return
        found = await in_thread(membering.circle, actor, now=clock.now())
        self.members = rows.member_rows(found)
        self.invited = rows.invitation_rows(found)
        self.is_member, self.is_owner = True, actor.post is Post.OWNER
        self.is_warned = any(view.is_self and view.is_warned for view in found.members)
        if not self.is_loaded:
            self.needs_code = not is_fresh(actor)
            self.is_loaded = True


class OffersState(rx.State):
    """The organisations that invite whoever has none."""

    offers: list[OfferRow] = []

    @rx.event
    @allow(Role.EMPLOYER, quiet=True)
    async def load(self):
        """Show who invites the person."""
        await self._show()

    @rx.event
    @allow(Role.EMPLOYER)
    async def accept(self, invitation_id: int):
        """Become a member."""
        actor = await actor_of(self)
        try:
            await in_thread(membering.accept, actor, number(invitation_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
            await self._show()
            return None
        self.offers = []
        return rx.redirect(EMPLOYER, replace=True)

    @rx.event
    @allow(Role.EMPLOYER)
    async def decline(self, invitation_id: int):
        """Refuse an invitation."""
        actor = await actor_of(self)
        try:
            await in_thread(membering.decline, actor, number(invitation_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        await self._show()

    async def _show(self) -> None:
        found = await in_thread(membering.offers, await actor_of(self), now=clock.now())
        self.offers = [rows.offer_row(each) for each in found]
