"""The event gate: an event passes only if its handler says who may call it, and the session,
read afresh, is such a one (D20).
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Final, cast
from urllib.parse import parse_qs

import msgspec
import reflex as rx
from reflex.app import EventNamespace
from reflex.istate.data import RouterData
from reflex.state import BaseState, StateUpdate
from reflex_base.constants import RouteVar
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from emk_app import attempts, clock, figures, incidents
from emk_app.db.engine import is_embedded
from emk_app.edge import cookies, frames, limits, stays, trees
from emk_app.edge.allowance import Allowance
from emk_app.edge.cookies import Caller, Standing
from emk_app.edge.policy import Access, Undeclared, access_of
from emk_app.edge.turns import Turns, give_after
from emk_app.edge.wires import Wires
from emk_app.services import accounts, auditing
from emk_app.services.accounts import SessionFacts
from emk_app.settings import settings
from emk_app.threads import Together, in_thread

log = logging.getLogger("emk.gate")

FRAMEWORK: Final = frozenset(
    {
        "reflex___state____state.hydrate",
        "reflex___state____state.hydrate_and_load",
        "reflex___state____state.set_is_hydrated",
        "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal",
        "reflex___state____state.reflex___state____on_load_internal_state.set_is_hydrated",
    }
)
"""The framework's own events that a page can't live without; they show the caller's own state."""
SHUT: Final = ("setvar", "handle_frontend_exception", "update_vars_internal")
"""The framework's other handlers: closed to everybody."""
ENDED_PAGE: Final = "/ended"
FORBIDDEN_PAGE: Final = "/forbidden"
SIGN_IN_PAGE: Final = "/login"
EVENTS_A_SECOND: Final = 40.0
BURST: Final = 120
AT_WORK_PER_CALLER: Final = 4
AT_WORK_PER_ADDRESS: Final = 8
"""Events at once; more wait unread in their sockets, so that they cost neither time nor memory."""
BOOT: Final = "reflex___state____state.hydrate_and_load"
LOADING: Final = "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal"
OPENING: Final = FRAMEWORK - {name for name in FRAMEWORK if name.endswith(".set_is_hydrated")}
"""Those of the framework's events that a page sends; the others follow from them."""
LONGEST_PLACE: Final = 4096
MOST_KEPT: Final = 8
"""Pairs of a query up to which the place is remembered: pages of ours have fewer."""
QUOTING: Final = (
    "engineio.server",
    "reflex.app",
    "reflex_base.event.processor.base_state_processor",
)
"""Loggers that quote what browsers send; what fails in our own code is noted without them."""


class Gate(rx.Middleware):
    """Denies by default; stands before every event, chained and background ones included."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """Return nothing to let the event pass, or an update that answers in its stead."""
        caller = caller_of(state.router_data)
        session = None
        if caller is not None and caller.standing is Standing.SIGNED_IN:
            session = await _sessions.read(caller.ref)
        if caller is None or (session is None and caller.standing is not Standing.STRANGER):
            return _send_to(ENDED_PAGE, state)
        if event.name in FRAMEWORK:
            if event.name == BOOT:
                trees.note_hashes(event.payload.get("hashes", ()))
                await stays.note_connection(state, is_page_new="hashes" in event.payload)
            elif event.name == LOADING:
                await stays.note_loading(state)
            return None
        access = _declared(event.name)
        if access is None:
            return StateUpdate()
        if not access.admits(session.role if session else None):
            log.info("refused %s for %s", event.name, session.role if session else "nobody")
            if session is not None:
                actor = await in_thread(accounts.actor_of, caller.ref, now=clock.now())
                short = event.name.rsplit("___", 1)[-1]
                await in_thread(auditing.denied, actor, short, now=clock.now())
            return _send_to(FORBIDDEN_PAGE if session else SIGN_IN_PAGE, state)
        await stays.note_event(state, event.name)
        if session is not None and access.extends_idle:
            await in_thread(accounts.notice_presence, session, now=clock.now())
        if not RegistrationContext.get().event_handlers[event.name].handler.is_background:
            figures.time_event(event.name)
        return None


class QuietNamespace(EventNamespace):
    """Drops what no page of ours sends before it costs a state or a line in the log (D44)."""

    def __init__(self, namespace: str, app: rx.App) -> None:
        super().__init__(namespace, app)
        self._allowance = Allowance(BURST, EVENTS_A_SECOND)
        self._of_callers = Turns(AT_WORK_PER_CALLER)
        self._of_addresses = Turns(AT_WORK_PER_ADDRESS)
        self._sources: dict[str, tuple[str, str]] = {}
        self.wires = Wires(self, app.set_contexts)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Connect a page; one that comes back takes the place of its socket of before.

        Nobody may have heard of the end of that one: it would be taken for another tab.
        """
        if _comes_back(auth):
            token = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]
            known = self._token_manager.token_to_socket.get(token)
            if known is not None and known.instance_id == self._token_manager.instance_id:
                self.wires.dismiss(known.sid)
                if (leaving := self.on_disconnect(known.sid)) is not None:
                    await leaving
        await super().on_connect(sid, environ, auth)

    def on_disconnect(self, sid: str) -> asyncio.Task[None] | None:
        """Forget who was there."""
        self._sources.pop(sid, None)
        return super().on_disconnect(sid)

    async def emit_update(self, update: StateUpdate, token: str) -> None:
        """Send an update to a tab; what is said to a wire goes out without waiting here."""
        record = self._token_manager.token_to_socket.get(token)
        if record is not None and record.instance_id == self._token_manager.instance_id:
            self.wires.say(record.sid, frames.EVENT, update)
        else:
            await super().emit_update(update, token)

    async def emit(self, event: str, data: Any = None, to: str | None = None, **_: Any) -> None:
        """Send an event to one page."""
        self.wires.say(to, event, data)

    async def on_event(self, sid: str, data: Any) -> None:
        """Pass on an event that a page may send, rebuilt from what was understood of it."""
        ref, address = self._source_of(sid)
        if not self._has_allowance(sid):
            attempts.note("too_many_events", address)
            return
        fields = cast("Mapping[str, Any]", data) if isinstance(data, Mapping) else {}
        name = fields.get("name")
        payload = payload_of(name, fields.get("payload", {})) if isinstance(name, str) else None
        if payload is None:
            is_known = isinstance(name, str) and name in RegistrationContext.get().event_handlers
            attempts.note("made_up_event", address, cast("str", name) if is_known else "")
            return
        place = place_of(fields.get("router_data"))
        # The socket is read no further until there is a turn.
        of_caller = await self._of_callers.take(ref)
        of_address = await self._of_addresses.take(address)
        work: asyncio.Future[Any] | None = None
        try:
            await super().on_event(sid, {"name": name, "payload": payload, "router_data": place})
            # The one that was put in the queue just now; the framework keeps it to itself.
            work = next(reversed(self.app.event_processor._futures.values()), None)  # pyright: ignore
        except Exception as error:
            incidents.note(log, "an event's way in", error)
        finally:

            def give() -> None:
                of_caller()
                of_address()

            give_after(give, work)

    async def on_client_error(self, sid: str, data: Any = None) -> None:
        """Note that a browser failed; its words are not ours to keep."""
        if self._has_allowance(sid):
            log.warning("a browser reported an error")

    def _source_of(self, sid: str) -> tuple[str, str]:
        """Return the session and the address behind a socket."""
        if (found := self._sources.get(sid)) is not None:
            return found
        known: Mapping[str, Any] = self._static_router_data.get(sid, {})
        caller = caller_of(known)
        address = str(known.get(RouteVar.CLIENT_IP, sid))
        found = (caller.ref if caller else sid), limits.source_of(address)
        if known:
            self._sources[sid] = found
        return found

    def _has_allowance(self, sid: str) -> bool:
        # Counted by tab: a browser may take leave and connect anew on one and the same socket.
        return self._allowance.take(self.sid_to_token.get(sid, sid), time.monotonic())


def _comes_back(auth: Any) -> bool:
    """Whether the page was connected before: one that was just loaded, or copied, says so."""
    event = cast("Mapping[str, Any]", auth).get(frames.EVENT) if isinstance(auth, Mapping) else None
    if not isinstance(event, Mapping):
        return False
    boot = cast("Mapping[str, Any]", event)
    name = boot.get("name")
    return name == BOOT and payload_of(name, boot.get("payload", {})) == {}


def payload_of(name: str, said: Any) -> dict[str, Any] | None:
    """Return the arguments of an event, or None where no page would send it."""
    registered = RegistrationContext.get().event_handlers.get(name)
    if registered is None or not isinstance(said, Mapping):
        return None
    payload = dict(cast("Mapping[str, Any]", said))
    if name in OPENING:
        # No page of ours keeps anything in the browser's storage, which is all else it may say.
        hashes = payload.get("hashes")
        is_known = name == BOOT and isinstance(hashes, list)
        return {"hashes": [str(each) for each in cast("list[Any]", hashes)]} if is_known else {}
    handler = registered.handler
    if access_of(handler.fn) is None or handler.is_background:
        # What follows a topic is started by its page alone: it would outlive the socket.
        return None
    needed, known = _arguments_of(handler.fn)
    if not needed <= payload.keys() <= known:
        return None
    try:
        # Half a character, which JSON can say, could never be sent back.
        msgspec.json.encode(payload)
    except (TypeError, ValueError, ArithmeticError, RecursionError):
        return None
    return payload


@cache
def _arguments_of(handler: Callable[..., Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of the arguments that have to be given, and of those that may."""
    _, *taken = inspect.signature(handler).parameters.values()
    named = [each for each in taken if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    return (
        frozenset(each.name for each in named if each.default is each.empty),
        frozenset(each.name for each in named),
    )


def place_of(said: Any) -> dict[str, Any]:
    """Return the address of the page that sent an event, of nothing but text.

    The framework fails over anything else, again and again: its answer to a failure goes the same
    way as the event that failed.
    """
    fields = cast("Mapping[Any, Any]", said) if isinstance(said, Mapping) else {}
    query = fields.get("query")
    pairs = cast("Mapping[Any, Any]", query) if isinstance(query, Mapping) else {}
    read = _place if len(pairs) <= MOST_KEPT else _place.__wrapped__
    # What stands behind «#», such as the token of a link, is kept nowhere.
    place = read(
        _short(fields.get("pathname")),
        _short(fields.get("asPath")).partition("#")[0],
        tuple((_short(key), _short(value)) for key, value in pairs.items()),
    )
    return {**place, "query": dict(place["query"])} if place else {}


def _short(said: Any) -> str:
    return said if type(said) is str and len(said) <= LONGEST_PLACE else ""


@lru_cache(maxsize=512)
def _place(pathname: str, as_path: str, pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    path, full = _text(pathname), _text(as_path)
    if not path.startswith("/"):
        return {}
    place = {
        "pathname": path,
        "asPath": full if full.startswith("/") else path,
        "query": {key: _text(value) for key, value in pairs if _text(key)},
    }
    if not _can_be_parsed(path, place["asPath"], tuple(place["query"].items())):
        return {"pathname": path, "asPath": path, "query": {}}
    return place


def _can_be_parsed(path: str, full: str, query: tuple[tuple[str, str], ...]) -> bool:
    """Whether the framework's own parser takes the address; "?self=" it does not, for one."""
    place = {"pathname": path, "asPath": full, "query": dict(query)}
    try:
        RouterData.from_router_data({**place, "headers": {"origin": settings().origin}})
    except (TypeError, ValueError):
        return False
    return True


def install(app: rx.App) -> Wires:
    """Put the gate before the app's events, and return what serves its sockets.

    Raises ``Undeclared`` for a handler without access.
    """
    undeclared = [
        name
        for name, registered in RegistrationContext.get().event_handlers.items()
        if name not in FRAMEWORK
        and name.rsplit(".", 1)[-1] not in SHUT
        and access_of(registered.handler.fn) is None
    ]
    if undeclared:
        raise Undeclared(undeclared)
    if not any(isinstance(each, Gate) for each in app._middlewares):  # pyright: ignore
        app.add_middleware(Gate(), index=0)
    for quoting in QUOTING:
        logging.getLogger(quoting).setLevel(logging.CRITICAL)
    assert app.sio is not None
    assert app.event_namespace is not None
    quiet = QuietNamespace(str(app.event_namespace.namespace), app)
    app._event_namespace = quiet  # pyright: ignore[reportPrivateUsage]
    app.sio.register_namespace(quiet)
    return quiet.wires


def caller_of(router_data: Mapping[str, Any]) -> Caller | None:
    """Return who sent the event, as the guard sealed it into the socket's handshake."""
    return cookies.unpack(router_data.get("headers", {}).get("cookie", ""))


_sessions: Final = Together[str, SessionFacts | None](
    lambda refs: accounts.sessions_of(refs, now=clock.now()), on_loop=is_embedded
)


def _declared(name: str) -> Access | None:
    registered = RegistrationContext.get().event_handlers.get(name)
    return access_of(registered.handler.fn) if registered else None


def _text(said: str) -> str:
    return said.encode(errors="ignore").decode()


def _send_to(page: str, state: BaseState) -> StateUpdate:
    if state.router_data.get("pathname") == page:
        # Going where one is would load the page, and be refused, for ever.
        return StateUpdate()
    return StateUpdate(
        events=[
            Event(
                name="_redirect",
                payload={"path": page, "external": False, "popup": False, "replace": True},
            )
        ]
    )
