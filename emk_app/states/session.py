"""Who is at this screen, asked of the database every time, and what the screen tells them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import reflex as rx

from emk_app import clock
from emk_app.db.engine import is_embedded
from emk_app.domain.actors import Actor, Role, permit_fresh
from emk_app.domain.errors import DomainError, FreshFactorNeeded, NotSignedIn
from emk_app.domain.factors import Way
from emk_app.edge import stays
from emk_app.edge.cookies import Standing
from emk_app.edge.gate import caller_of
from emk_app.edge.policy import allow, allow_anyone, allow_signed_in
from emk_app.presenting import factors, texts
from emk_app.services import accounts, securing
from emk_app.threads import Together, in_thread

P = ParamSpec("P")
S = TypeVar("S", bound=rx.State)


async def actor_of(state: rx.State) -> Actor:
    """Return who acts in this tab; raise ``NotSignedIn`` for nobody."""
    caller = caller_of(state.router_data)
    if caller is None or caller.standing is not Standing.SIGNED_IN:
        raise NotSignedIn
    actor = await _actors.read(caller.ref)
    if actor is None:
        raise NotSignedIn
    return actor


_actors: Final = Together[str, Actor | None](
    lambda refs: accounts.actors_of(refs, now=clock.now()), on_loop=is_embedded
)


def door_of(state: rx.State) -> str:
    """Return the name of this browser before it is signed in; raise ``NotSignedIn``."""
    caller = caller_of(state.router_data)
    if caller is None or caller.standing is not Standing.STRANGER:
        raise NotSignedIn
    return caller.ref


def ref_of(state: rx.State) -> str:
    """Return the name of the session in this browser; raise ``NotSignedIn``."""
    caller = caller_of(state.router_data)
    if caller is None or caller.standing is not Standing.SIGNED_IN:
        raise NotSignedIn
    return caller.ref


def source_of(state: rx.State) -> str:
    """Return the address the browser comes from, for throttling."""
    return state.router.session.client_ip


class MessageState(rx.State):
    """The live message region: what was done, and what went wrong."""

    polite: str = ""
    assertive: str = ""

    @rx.event
    @allow_anyone
    def alert(self, text: str):
        """Show what went wrong; anybody may show themselves a sentence."""
        self.polite, self.assertive = "", text[:400] if isinstance(text, str) else ""


class PersonState(rx.State):
    """The name in the header, and how its owner proves themselves before a sensitive act."""

    name: str = ""
    role: str = ""
    has_passkey: bool = False
    has_sms: bool = False
    code_label: str = "Код из приложения"
    sms_said: str = ""
    """That a code was sent, or why none was; beside the field, since a dialog hides the rest."""

    @rx.event
    @allow_signed_in(quiet=True)
    async def load(self):
        """Show who is signed in."""
        actor = await actor_of(self)
        if await arrive(self, hushes=False):
            self.sms_said = ""
        name = await in_thread(accounts.person_name, actor.user_id)
        self.name, self.role = name, actor.role.value
        await self._show_ways(actor)

    @rx.event
    @allow(Role.HOLDER)
    async def send_code(self):
        """Send a code by SMS for the act at hand."""
        try:
            actor = await actor_of(self)
            phone = (await in_thread(securing.offer, actor)).phone
            await in_thread(securing.send_code, actor, now=clock.now())
        except DomainError as error:
            self.sms_said = texts.sentence(error)
        else:
            self.sms_said = factors.sent_to(phone)

    async def _show_ways(self, actor: Actor) -> None:
        offer = await in_thread(securing.offer, actor)
        self.has_passkey, self.has_sms = Way.PASSKEY in offer.ways, Way.SMS in offer.ways
        self.code_label = factors.code_label(offer)


def is_fresh(actor: Actor) -> bool:
    """Whether the second factor was given so lately that none need be asked for."""
    try:
        permit_fresh(actor, clock.now())
    except FreshFactorNeeded:
        return False
    return True


async def fresh_actor(state: rx.State, code: str) -> Actor:
    """Return who acts, after taking ``code`` where the last one is older than five minutes (D13).

    Raises ``FreshFactorNeeded`` where one is needed and nothing was typed.
    """
    actor = await actor_of(state)
    if is_fresh(actor):
        return actor
    if not code:
        raise FreshFactorNeeded
    await in_thread(accounts.renew_factor, actor, code, now=clock.now())
    return await actor_of(state)


async def proven(state: Any, code: str, *, at: str = "code") -> Actor | None:
    """Return who acts, as ``fresh_actor`` does.

    Where that is refused, return None: ``errors[at]`` of the state says why, and ``needs_code``
    that its form has to ask.
    """
    try:
        actor = await fresh_actor(state, code)
    except DomainError as error:
        state.needs_code = True
        state.errors = {**state.errors, at: texts.sentence(error)}
        return None
    state.needs_code = False
    return actor


async def say(state: rx.State, text: str) -> None:
    """Tell the person that something was done."""
    messages = await state.get_state(MessageState)
    messages.polite, messages.assertive = text, ""


async def warn(state: rx.State, error: Exception) -> None:
    """Tell the person why something was not done."""
    messages = await state.get_state(MessageState)
    messages.polite, messages.assertive = "", texts.sentence(error)


async def hush(state: rx.State) -> None:
    """Take old messages off the screen."""
    messages = await state.get_state(MessageState)
    if messages.polite or messages.assertive:
        messages.polite, messages.assertive = "", ""


async def arrive(state: rx.State, *, hushes: bool = True) -> bool:
    """Take old messages off the screen where a page begins; return whether it does.

    It does not where its connection has merely come back: all stays there as the person left it.
    """
    return await _begin(state, resets=False, hushes=hushes)


async def renew(state: rx.State, *, hushes: bool = True) -> bool:
    """Do what ``arrive`` does, and begin with nothing that was said or chosen before."""
    return await _begin(state, resets=True, hushes=hushes)


async def _begin(state: rx.State, *, resets: bool, hushes: bool) -> bool:
    begins = await stays.begin(state, resets=resets)
    if begins and hushes:
        await hush(state)
    return begins


def ends_busy(
    handler: Callable[Concatenate[S, P], AsyncIterator[Any]],
) -> Callable[Concatenate[S, P], AsyncIterator[Any]]:
    """Take ``busy`` back however the handler ends: a button must not turn for ever after a fault.

    The handler sets it and yields; this stands below ``@allow``.
    """

    @wraps(handler)
    async def watched(state: S, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[Any]:
        try:
            async for each in handler(state, *args, **kwargs):
                yield each
        except Exception:
            state.busy = False
            # What an event changed before it failed is not sent unless it is handed over.
            yield None
            raise
        finally:
            state.busy = False

    return watched


HOME: dict[Role, str] = {
    Role.HOLDER: "/cabinet",
    Role.CLINIC: "/clinic",
    Role.OPERATOR: "/review",
    Role.EMPLOYER: "/employer",
    Role.SUPPORT: "/support",
    Role.ADMIN: "/admin",
}
"""Where each role begins."""
