"""What guards one's own account, live: sessions, the password, each second factor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.errors import DomainError, FreshFactorNeeded, Invalid
from emk_app.domain.factors import LONGEST_NAME
from emk_app.edge.policy import allow_signed_in
from emk_app.presenting import securing as rows
from emk_app.presenting import texts
from emk_app.presenting.securing import FactorRow, KeyRow, SessionRow
from emk_app.services import factors, passkeys, securing
from emk_app.states import live
from emk_app.states.session import (
    HOME,
    PersonState,
    actor_of,
    fresh_actor,
    is_fresh,
    renew,
    say,
    warn,
)
from emk_app.states.sign_in import authenticator_of, text_of
from emk_app.threads import in_thread

FIELDS: Final = ("present", "password", "repeated")
FORMS: Final = (
    "password_form",
    "codes",
    "replace",
    "proof",
    "no_app",
    "key",
    "no_key",
    "sms",
)
"""Each form asks for a fresh code of its own, ``code_`` and its name; what was typed stays."""


class SecurityState(rx.State):
    """The page of what guards the account."""

    is_loaded: bool = False
    home: str = "/"
    factors: list[FactorRow] = []
    keys: list[KeyRow] = []
    sessions: list[SessionRow] = []
    has_app: bool = False
    phone: str = ""
    """Where codes may go by SMS, masked; empty for those who can't have them."""
    sends_sms: bool = False
    needs_code: bool = False
    """The last code is older than five minutes, so the forms ask for another (D13)."""
    errors: dict[str, str] = dict.fromkeys((*FIELDS, *FORMS), "")
    codes: list[str] = []
    """New recovery codes, shown until the page is left."""
    secret: str = ""
    picture: str = ""
    """The new authenticator's secret and its QR code, until a code proves it."""
    is_adding: bool = False
    """A new key may be made: its name is given, and the factor is fresh."""
    new_key: str = ""
    """What the new key will be called; after the device where empty."""
    removing: int = 0
    """Which key is about to be removed."""
    removing_name: str = ""

    @rx.event(background=True)
    @allow_signed_in(quiet=True)
    async def follow(self):
        """Show what guards the account, and each change of it."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
            self.home = HOME[actor.role]
            self.needs_code = not is_fresh(actor)
        async for _ in live.changes(factors.topic_of(actor.user_id)):
            async with self:
                await self._show()

    @rx.event
    @allow_signed_in()
    async def end(self, session_id: int):
        """End one session."""
        if not isinstance(session_id, int) or not 0 < session_id < 2**63:
            return
        try:
            actor = await actor_of(self)
            await in_thread(securing.end_session, actor, session_id, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Сеанс завершён.")
            if session_id != actor.session_id:
                await self._show()

    @rx.event
    @allow_signed_in()
    async def end_others(self):
        """End every session but this one."""
        actor = await actor_of(self)
        ended = await in_thread(securing.end_others, actor, now=clock.now())
        await say(self, rows.ended(ended))
        await self._show()

    @rx.event
    @allow_signed_in()
    async def change_password(self, form: dict[str, Any]):
        """Put a new password in the place of the present one."""
        given = [text_of(form, name) for name in FIELDS]
        if await self._do("password_form", form, securing.change_password, *given) is not None:
            await say(self, "Пароль изменён, остальные сеансы завершены.")
            await self._show()

    @rx.event
    @allow_signed_in()
    async def make_codes(self, form: dict[str, Any]):
        """Show ten new recovery codes."""
        made = await self._do("codes", form, securing.make_recovery_codes)
        if made is not None:
            self.codes = made[0]
            await say(self, "Коды созданы. Сохраните их: больше мы их не покажем.")
            await self._show()

    @rx.event
    @allow_signed_in()
    def hide_codes(self):
        """Take the codes off the screen."""
        self.codes = []

    @rx.event
    @allow_signed_in()
    async def replace(self, form: dict[str, Any]):
        """Show the secret of a new authenticator."""
        made = await self._do("replace", form, securing.begin_replacement)
        if made is not None:
            self.secret, self.picture = await in_thread(authenticator_of, made[0])

    @rx.event
    @allow_signed_in()
    async def prove(self, form: dict[str, Any]):
        """Let the new authenticator take the place of the old one."""
        code = text_of(form, "proof", 12)
        if await self._do("proof", form, securing.confirm_replacement, code) is not None:
            self.secret, self.picture = "", ""
            await say(self, "Приложение заменено, остальные сеансы завершены.")
            await self._show()

    @rx.event
    @allow_signed_in()
    def keep(self):
        """Leave the present authenticator as it is."""
        self.secret, self.picture = "", ""

    @rx.event
    @allow_signed_in()
    async def do_without_app(self, form: dict[str, Any]):
        """Take the authenticator away."""
        if await self._do("no_app", form, securing.remove_app) is not None:
            await say(self, "Приложение отключено, остальные сеансы завершены.")
            await self._show()

    @rx.event
    @allow_signed_in()
    async def begin_key(self, form: dict[str, Any]):
        """Let a new key be made, by the small script."""
        if await self._do("key", form, passkeys.begin_adding) is not None:
            self.new_key = text_of(form, "key_name", LONGEST_NAME)
            self.is_adding = True

    @rx.event
    @allow_signed_in()
    async def end_key(self, form: dict[str, Any]):
        """Say that the new key is there; the script comes here once it is."""
        self.is_adding = False
        await say(self, "Ключ доступа добавлен.")
        await self._show()

    @rx.event
    @allow_signed_in()
    def drop_key(self):
        """Make no new key."""
        self.is_adding = False

    @rx.event
    @allow_signed_in()
    def choose_key(self, key_id: int):
        """Ask whether this key is to be removed."""
        self.errors = {**self.errors, "no_key": ""}
        found = [each for each in self.keys if each.id == key_id]
        self.removing = found[0].id if found else 0
        self.removing_name = found[0].name if found else ""

    @rx.event
    @allow_signed_in()
    def keep_key(self):
        """Leave the key where it is."""
        self.removing = 0

    @rx.event
    @allow_signed_in()
    async def remove_key(self, form: dict[str, Any]):
        """Take the chosen key away."""
        if await self._do("no_key", form, securing.remove_passkey, self.removing) is not None:
            self.removing = 0
            await say(self, "Ключ доступа удалён, остальные сеансы завершены.")
            await self._show()

    @rx.event
    @allow_signed_in()
    async def switch_sms(self, form: dict[str, Any]):
        """Let codes go out by SMS, or not any more."""
        is_on = not self.sends_sms
        act = partial(securing.switch_sms, is_on=is_on)
        if await self._do("sms", form, act) is not None:
            await say(self, "Коды по СМС включены." if is_on else "Коды по СМС отключены.")
            await self._show()

    async def _do(
        self, name: str, form: Any, act: Callable[..., Any], *given: Any
    ) -> tuple[Any] | None:
        """Do one act with a fresh second factor; return its answer in a tuple, None if refused."""
        self.errors = dict.fromkeys((*FIELDS, *FORMS), "")
        try:
            actor = await fresh_actor(self, text_of(form, f"code_{name}", 20))
            self.needs_code = False
            return (await in_thread(act, actor, *given, now=clock.now()),)
        except Invalid as error:
            self.errors = {**self.errors, **texts.field_sentences(error)}
        except DomainError as error:
            self.needs_code = self.needs_code or isinstance(error, FreshFactorNeeded)
            self.errors = {**self.errors, name: texts.sentence(error)}
        return None

    async def _show(self) -> None:
        actor = await actor_of(self)
        guards = await in_thread(securing.view, actor, now=clock.now())
        self.factors, self.sessions = rows.factor_rows(guards), rows.session_rows(guards)
        self.keys, self.has_app = rows.key_rows(guards), guards.proofs.app
        self.phone, self.sends_sms = guards.phone, guards.proofs.offers_sms
        self.is_loaded = True
        person = await self.get_state(PersonState)
        await person._show_ways(actor)
