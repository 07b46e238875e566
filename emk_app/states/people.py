"""Accounts as administrators find them, and decisions that two of them make."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError, Invalid, NotFound, Required
from emk_app.domain.specialties import SPECIALTIES
from emk_app.domain.staff import REASON_LIMIT, STAFF, StaffOrderKind, Typed
from emk_app.edge.policy import allow
from emk_app.presenting import people as rows
from emk_app.presenting import texts
from emk_app.presenting.formats import counted
from emk_app.presenting.people import PLACE, PersonRow, StaffOrderRow, StaffRow
from emk_app.services import entrusting, resetting
from emk_app.states import live
from emk_app.states.session import actor_of, fresh_actor, is_fresh, proven, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

CONTROLS: Final = ("login", "name", "role", "clinic", "position", "specialties", "reason", "code")


def typed_in(form: Any, prefix: str = "") -> Typed:
    """Return what stands in the form of an appointment."""
    return Typed(
        role=text_of(form, "role", 20),
        clinic=text_of(form, "clinic", 60),
        position=text_of(form, "position", 20),
        specialties=[code for code in SPECIALTIES if _is_ticked(form, f"specialty_{code}")],
        login=text_of(form, "login", 200),
        name=text_of(form, "name", 300),
        reason=text_of(form, f"{prefix}reason", 2 * REASON_LIMIT),
    )


def _is_ticked(form: Any, name: str) -> bool:
    value: Any = form.get(name) if isinstance(form, dict) else None
    return value is True or value in ("on", "true")


def path_number(text: Any) -> int:
    """Return an identity from the address of a page; 0, which nothing has, for what is none."""
    said = str(text)
    return int(said) if said.isascii() and said.isdigit() and len(said) < 19 else 0


def _known(said: Any, choices: Collection[str]) -> str:
    """Return what the browser chose, or nothing where there is no such choice."""
    return said if isinstance(said, str) and said in choices else ""


class PeopleState(rx.State):
    """The search, what waits for a second administrator, and the staff."""

    is_loaded: bool = False
    rows: list[StaffRow] = []
    waiting: list[StaffOrderRow] = []
    role: str = ""
    clinic: str = ""
    page: int = 1
    pages: int = 1
    found: str = ""
    error: str = ""
    clinic_error: str = ""

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show each change while the page is open."""
        async with self:
            await renew(self)
        async for _ in live.changes(entrusting.TOPIC):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    async def find(self, form: dict[str, Any]):
        """Open the account of the login that was typed."""
        self.error = ""
        actor = await actor_of(self)
        try:
            found = await in_thread(
                entrusting.find, actor, text_of(form, "login", 200), now=clock.now()
            )
        except Invalid as error:
            is_empty = isinstance(error.fields["login"], Required)
            self.error = rows.UNSAID_SEARCH if is_empty else texts.field_sentences(error)["login"]
        except NotFound:
            self.error = rows.NOBODY
        except DomainError as error:
            self.error = texts.sentence(error)
        else:
            return rx.redirect(f"{PLACE}/{found}")
        return None

    @rx.event
    @allow(Role.ADMIN)
    async def choose_role(self, role: str):
        """Show one role, or all."""
        self.role, self.page = _known(role, STAFF), 1
        await self._show(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    async def choose_clinic(self, form: dict[str, Any]):
        """Show the staff of one clinic, or of all."""
        self.clinic, self.page = text_of(form, "clinic", 60), 1
        await self._show(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    async def turn(self, page: int):
        """Show another page of the list."""
        self.page = page if isinstance(page, int) and 0 < page < 10**6 else 1
        await self._show(await actor_of(self))

    async def _show(self, actor: Actor) -> None:
        role = Role(self.role) if self.role else None
        waiting = rows.order_rows(await in_thread(entrusting.waiting, actor))
        if waiting != self.waiting:
            self.waiting = waiting
        try:
            found = await in_thread(
                entrusting.page_of, actor, role, self.clinic, self.page, now=clock.now()
            )
        except Invalid as error:
            self.clinic_error, self.rows, self.pages = rows.sentences(error)["clinic"], [], 1
            self.found, self.is_loaded = "", True
            return
        self.clinic_error = ""
        shown = rows.staff_rows(found)
        if shown != self.rows:
            self.rows = shown
        self.page, self.pages = found.page, found.pages
        self.found, self.is_loaded = rows.found_text(found), True


class InviteState(rx.State):
    """The form in which somebody new is invited."""

    role: str = ""
    position: str = ""
    errors: dict[str, str] = dict.fromkeys(CONTROLS, "")
    needs_code: bool = True

    @rx.event
    @allow(Role.ADMIN)
    async def load(self):
        """Open an empty form."""
        await renew(self)
        self.needs_code = not is_fresh(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    def choose_role(self, role: str):
        """Show what belongs to the role."""
        self.role = _known(role, STAFF)

    @rx.event
    @allow(Role.ADMIN)
    def choose_position(self, position: str):
        """Show what belongs to the position."""
        self.position = _known(position, dict(rows.STAFF_POSITIONS))

    @rx.event
    @allow(Role.ADMIN)
    async def invite(self, form: dict[str, Any]):
        """Ask a colleague to invite somebody."""
        actor = await self._proven(form)
        if actor is None:
            return None
        try:
            found = await in_thread(entrusting.invite, actor, typed_in(form), now=clock.now())
        except Invalid as error:
            self.errors = {**self.errors, **rows.sentences(error)}
            return None
        except DomainError as error:
            await warn(self, error)
            return None
        return rx.redirect(f"{PLACE}/orders/{found}")

    async def _proven(self, form: Any) -> Actor | None:
        self.errors = dict.fromkeys(CONTROLS, "")
        return await proven(self, text_of(form, "code", 12))


class PersonDeskState(rx.State):
    """One account on an administrator's screen."""

    is_loaded: bool = False
    is_missing: bool = False
    person: PersonRow = PersonRow()
    standing: StaffOrderRow = StaffOrderRow()
    history: list[StaffOrderRow] = []
    role: str = ""
    position: str = ""
    errors: dict[str, str] = dict.fromkeys(CONTROLS, "")
    needs_code: bool = True

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show each change of the account while the page is open."""
        async with self:
            begins = await renew(self)
            actor = await actor_of(self)
            self.needs_code = not is_fresh(actor)
            await self._show(actor)
            if begins:
                self.role, self.position = self.person.role_code, self.person.position_code
            if self.is_missing:
                return
        async for _ in live.changes(entrusting.TOPIC, f"account:{self._number()}"):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    def choose_role(self, role: str):
        """Show what belongs to the role."""
        self.role = _known(role, STAFF)

    @rx.event
    @allow(Role.ADMIN)
    def choose_position(self, position: str):
        """Show what belongs to the position."""
        self.position = _known(position, dict(rows.STAFF_POSITIONS))

    @rx.event
    @allow(Role.ADMIN)
    async def change(self, form: dict[str, Any]):
        """Ask for other rights."""
        await self._order(StaffOrderKind.CHANGE, form)

    @rx.event
    @allow(Role.ADMIN)
    async def block(self, form: dict[str, Any]):
        """Shut the account, or ask for it."""
        await self._order(StaffOrderKind.BLOCK, form)

    @rx.event
    @allow(Role.ADMIN)
    async def unblock(self, form: dict[str, Any]):
        """Ask to open the account again."""
        await self._order(StaffOrderKind.UNBLOCK, form)

    @rx.event
    @allow(Role.ADMIN)
    async def take_factors(self, form: dict[str, Any]):
        """Ask to take the factors of somebody who has lost them."""
        await self._order(StaffOrderKind.TAKE_FACTORS, form)

    @rx.event
    @allow(Role.ADMIN)
    async def end_sessions(self, form: dict[str, Any]):
        """End all sessions of the person."""

        def said(ended: int) -> str:
            return f"Закончено: {counted(ended, 'сеанс', 'сеанса', 'сеансов')}."

        await self._do(form, "end_", entrusting.end_sessions, said)

    @rx.event
    @allow(Role.ADMIN)
    async def start_reset(self, form: dict[str, Any]):
        """Have a link for a new password sent to the person."""
        await self._do(form, "reset_", resetting.begin_for, lambda _: rows.RESET_SENT)

    async def _order(self, kind: StaffOrderKind, form: Any) -> None:
        prefix = f"{kind}_"

        def said(found: tuple[StaffOrderKind, bool]) -> str:
            return rows.SHUT if found[1] else rows.ASKED

        await self._do(form, prefix, entrusting.order, said, kind.value, typed_in(form, prefix))

    async def _do(
        self,
        form: Any,
        prefix: str,
        act: Callable[..., Any],
        said: Callable[[Any], str],
        *words: Any,
    ) -> None:
        """Do one act with a fresh second factor and show the account as it then is."""
        asked = self._number()
        self.errors = dict.fromkeys(CONTROLS, "")
        actor = await proven(self, text_of(form, f"{prefix}code", 12))
        if actor is None:
            return
        try:
            found = await in_thread(act, actor, asked, *words, now=clock.now())
        except Invalid as error:
            self.errors = {**self.errors, **rows.sentences(error)}
            return
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, said(found))
        await self._show(actor)

    async def _show(self, actor: Actor) -> None:
        now = clock.now()
        try:
            found = await in_thread(entrusting.person, actor, self._number(), now=now)
        except NotFound:
            self.is_missing = self.is_loaded = True
            return
        standing = rows.order_row(found.open) if found.open else StaffOrderRow()
        shown = (rows.person_row(found), standing, rows.order_rows(found.history))
        if shown != (self.person, self.standing, self.history):
            self.person, self.standing, self.history = shown
        self.is_loaded, self.is_missing = True, False

    def _number(self) -> int:
        return path_number(getattr(self, "user_arg", ""))


class StaffOrderState(rx.State):
    """One decision that waits for a second administrator."""

    is_loaded: bool = False
    is_missing: bool = False
    order: StaffOrderRow = StaffOrderRow()
    person: str = ""
    """Where the account is, once there is one."""
    error: str = ""
    needs_code: bool = True

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show the decision while the page is open."""
        async with self:
            await renew(self)
            self.needs_code = not is_fresh(await actor_of(self))
        async for _ in live.changes(entrusting.TOPIC):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    async def confirm(self, form: dict[str, Any]):
        """Agree with the colleague."""
        await self._answer(form, "confirm_", entrusting.confirm, lambda kind: rows.CONFIRMED[kind])

    @rx.event
    @allow(Role.ADMIN)
    async def decline(self, form: dict[str, Any]):
        """Refuse, or take one's own wish back."""
        said = rows.LIFTED if self.order.acted else rows.DECLINED
        await self._answer(form, "decline_", entrusting.decline, lambda _: said)

    async def _answer(
        self,
        form: Any,
        prefix: str,
        act: Callable[..., StaffOrderKind],
        said: Callable[[StaffOrderKind], str],
    ) -> None:
        self.error = ""
        try:
            actor = await fresh_actor(self, text_of(form, f"{prefix}code", 12))
        except DomainError as error:
            self.needs_code, self.error = True, texts.sentence(error)
            return
        self.needs_code = False
        try:
            kind = await in_thread(act, actor, self._number(), now=clock.now())
        except Invalid as error:
            await warn(self, next(iter(error.fields.values())))
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, said(kind))
        await self._show(actor)

    async def _show(self, actor: Actor) -> None:
        try:
            found = await in_thread(entrusting.order_of, actor, self._number(), now=clock.now())
        except NotFound:
            self.is_missing = self.is_loaded = True
            return
        shown = rows.order_row(found)
        if shown != self.order:
            self.order = shown
        self.person = f"{PLACE}/{found.user_id}" if found.user_id else ""
        self.is_loaded, self.is_missing = True, False

    def _number(self) -> int:
        return path_number(getattr(self, "order_arg", ""))
