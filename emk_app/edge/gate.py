"""The event gate: an event passes only if its handler says who may call it, and the session,
read afresh, is such a one (D20).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, Final, cast

import reflex as rx
from reflex.app import EventNamespace
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.edge import cookies
from emk_app.edge.cookies import Caller, Standing
from emk_app.edge.policy import Access, Undeclared, access_of
from emk_app.services import accounts
from emk_app.threads import in_thread

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
EVENTS_A_SECOND: Final = 40
BURST: Final = 120


class Gate(rx.Middleware):
    """Denies by default; stands before every event, chained and background ones included."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """Return nothing to let the event pass, or an update that answers in its stead."""
        caller = caller_of(state.router_data)
        role = None
        if caller is not None and caller.standing is Standing.SIGNED_IN:
            role = await _role(caller)
        if caller is None or (role is None and caller.standing is not Standing.STRANGER):
            return _send_to(ENDED_PAGE, state)
        if event.name in FRAMEWORK:
            return None
        access = _declared(event.name)
        if access is None:
            return StateUpdate()
        if not access.admits(role):
            log.info("refused %s for %s", event.name, role or "nobody")
            return _send_to(SIGN_IN_PAGE if role is None else FORBIDDEN_PAGE, state)
        if role is not None and access.extends_idle:
            await in_thread(accounts.notice_presence, caller.ref, now=clock.now())
        return None


class QuietNamespace(EventNamespace):
    """Drops what no page of ours sends before it costs a state or a line in the log (D44)."""

    def __init__(self, namespace: str, app: rx.App) -> None:
        super().__init__(namespace, app)
        self._allowance: dict[str, tuple[float, float]] = {}

    async def on_event(self, sid: str, data: Any) -> None:
        """Pass on an event of a declared handler from somebody who has not sent too many."""
        if not isinstance(data, Mapping) or not self._has_allowance(sid):
            return
        fields = cast("Mapping[str, Any]", data)
        name = fields.get("name")
        if not isinstance(name, str) or not (name in FRAMEWORK or _declared(name)):
            return
        if not isinstance(fields.get("payload", {}), Mapping):
            return
        if not isinstance(fields.get("router_data", {}), Mapping):
            return
        await super().on_event(sid, dict(fields))

    async def on_client_error(self, sid: str, data: Any = None) -> None:
        """Note that a browser failed; its words are not ours to keep."""
        if self._has_allowance(sid):
            log.warning("a browser reported an error")

    def on_disconnect(self, sid: str) -> Any:
        """Forget the socket."""
        self._allowance.pop(sid, None)
        return super().on_disconnect(sid)

    def _has_allowance(self, sid: str) -> bool:
        now = time.monotonic()
        left, since = self._allowance.get(sid, (float(BURST), now))
        left = min(BURST, left + (now - since) * EVENTS_A_SECOND) - 1
        self._allowance[sid] = (max(left, 0.0), now)
        return left >= 0


def install(app: rx.App) -> None:
    """Put the gate before the app's events; raise ``Undeclared`` for a handler without access."""
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
    assert app.sio is not None
    assert app.event_namespace is not None
    quiet = QuietNamespace(str(app.event_namespace.namespace), app)
    app._event_namespace = quiet  # pyright: ignore[reportPrivateUsage]
    app.sio.register_namespace(quiet)


def caller_of(router_data: Mapping[str, Any]) -> Caller | None:
    """Return who sent the event, as the guard sealed it into the socket's handshake."""
    return cookies.unpack(router_data.get("headers", {}).get("cookie", ""))


def _declared(name: str) -> Access | None:
    registered = RegistrationContext.get().event_handlers.get(name)
    return access_of(registered.handler.fn) if registered else None


async def _role(caller: Caller) -> Role | None:
    session = await in_thread(accounts.session_of, caller.ref, now=clock.now())
    return session.role if session else None


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
