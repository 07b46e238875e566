"""A browser without a browser: send events, read what would reach the screen.

Events go through the framework's own processor and our gate, as those of a real tab do; only the
socket is missing. ``screens`` opens tabs of one processor, so that one tab may watch another.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
import reflex as rx
from reflex.state import State, StateUpdate
from reflex_base.event import Event
from reflex_base.event.processor import BaseStateEventProcessor

from emk_app.edge.stays import StayState
from emk_app.edge.trees import Trees

S = TypeVar("S", bound=rx.State)

PATIENCE = 5.0
"""Seconds after which a screen that has not changed never will."""


class Screen:
    """One tab: what it sends, and all that it is sent."""

    def __init__(self, processor: BaseStateEventProcessor, manager: Trees, seal: str):
        self._processor = processor
        self._manager = manager
        self._seal = seal
        self._followed: list[Any] = []
        self._stirred = asyncio.Event()
        self.token = uuid.uuid4().hex
        self.sent: list[Event] = []
        """Events for the browser: redirects, downloads."""
        self.shown: list[Mapping[str, Any]] = []
        """Changes of state as the browser gets them."""
        self.errors: list[BaseException] = []
        """What handlers raised; the application's own handler words it."""

    async def send(self, event: Any, path: str = "/", **arguments: str) -> None:
        """Send an event as the page at ``path`` would, and wait for all that follows from it."""
        for each in self._events(event, path, arguments):
            future = await self._processor.enqueue(self.token, each)
            try:
                async with asyncio.timeout(4 * PATIENCE):
                    await future.wait_all()
            except TimeoutError:
                raise
            except Exception as error:
                self.errors.append(error)
                # The application's handler of errors runs in a task of its own.
                await asyncio.sleep(0.01)

    async def forge(self, handler: str, path: str = "/", /, **payload: Any) -> None:
        """Send what no page would: any handler by its name, any payload."""
        await self.send(Event(name=handler, payload=payload), path)

    async def leave(self) -> None:
        """Go from the page: what is opened from now on begins there."""
        async with self.changing(StayState) as stay:
            stay._stay += 1

    async def follow(self, event: Any, path: str = "/", **arguments: str) -> None:
        """Start a background event that goes on until the tab is closed."""
        for each in self._events(event, path, arguments):
            self._followed.append(await self._processor.enqueue(self.token, each))

    async def state(self, kind: type[S]) -> S:
        """Return the tab's state."""
        root = await self._manager.get_state(rx.BaseStateToken(ident=self.token, cls=State))
        return await root.get_state(kind)

    @contextlib.asynccontextmanager
    async def changing(self, kind: type[S]) -> AsyncIterator[S]:
        """Give the tab's state, to be brought to where earlier presses would have brought it."""
        token = rx.BaseStateToken(ident=self.token, cls=State)
        async with self._manager.modify_state(token) as root:
            yield await root.get_state(kind)

    async def until(self, kind: type[S], holds: Callable[[S], bool]) -> S:
        """Return the state once ``holds`` is true of it; fail if it never is."""
        async with asyncio.timeout(PATIENCE):
            while not holds(state := await self.state(kind)):
                self._stirred.clear()
                await self._stirred.wait()
        return state

    @property
    def is_still(self) -> bool:
        """Whether every background event of the tab has ended."""
        return all(future.done() for future in self._followed)

    @property
    def gone_to(self) -> str | None:
        """Where the screen was sent last, if anywhere."""
        paths = [each.payload["path"] for each in self.sent if each.name == "_redirect"]
        return paths[-1] if paths else None

    async def take(self, update: StateUpdate) -> None:
        """Receive what the server sends."""
        self.sent.extend(update.events)
        if update.delta:
            self.shown.append(update.delta)
        self._stirred.set()

    async def prepare(self) -> None:
        """Behave as a tab that has loaded its page already."""
        token = rx.BaseStateToken(ident=self.token, cls=State)
        async with self._manager.modify_state(token) as root:
            root.router_data = self._router_data("/", {})
            root.is_hydrated = True
            root._clean()

    def close(self) -> None:
        """Stop what still follows."""
        for future in self._followed:
            future.cancel()

    def _events(self, event: Any, path: str, arguments: Mapping[str, str]) -> list[Event]:
        return Event.from_event_type(event, router_data=self._router_data(path, arguments))

    def _router_data(self, path: str, arguments: Mapping[str, str]) -> dict[str, Any]:
        return {
            "pathname": path,
            "asPath": path,
            "query": dict(arguments),
            "token": self.token,
            "sid": self.token,
            "ip": "10.0.0.7",
            "headers": {"cookie": self._seal},
        }


class Screens:
    """Opens tabs, each for somebody."""

    def __init__(self, processor: BaseStateEventProcessor, manager: Trees) -> None:
        self._processor = processor
        self._manager = manager
        self._open: dict[str, Screen] = {}

    async def signed_in(self, user_id: int, *, factor_at: datetime | None = None) -> Screen:
        """Open a tab of a person with a live session of their own."""
        from emk_app import clock
        from emk_app.db.engine import unit_of_work
        from emk_app.db.tables.people import UserSession
        from emk_app.edge.cookies import Caller, Standing
        from emk_app.services.accounts import ref_of

        now = clock.now()
        ref = ref_of(secrets.token_urlsafe(32))
        with unit_of_work() as db:
            db.add(
                UserSession(
                    ref=ref,
                    user_id=user_id,
                    factor_at=factor_at or now,
                    device="Chrome, Windows",
                    created_at=now,
                    last_seen_at=now,
                    expires_at=now + timedelta(hours=12),
                )
            )
        return await self._opened(Caller(Standing.SIGNED_IN, ref))

    async def stranger(self) -> Screen:
        """Open a tab of somebody who has not signed in."""
        from emk_app.edge.cookies import Caller, Standing

        return await self._opened(Caller(Standing.STRANGER, secrets.token_hex(32)))

    async def intruder(self, reference: str) -> Screen:
        """Open a tab whose reference the guard never wrote."""
        return await self._add(reference)

    async def emit_update(self, update: StateUpdate, token: str) -> None:
        """Deliver to the tab, as the socket would."""
        if token in self._open:
            await self._open[token].take(update)

    def close(self) -> None:
        """Close every tab."""
        for screen in self._open.values():
            screen.close()

    async def _opened(self, caller: Any) -> Screen:
        from emk_app.edge import cookies

        return await self._add(cookies.pack(caller))

    async def _add(self, seal: str) -> Screen:
        screen = Screen(self._processor, self._manager, seal)
        self._open[screen.token] = screen
        await screen.prepare()
        return screen


@contextlib.asynccontextmanager
async def open_screens() -> AsyncIterator[Screens]:
    """Start the event processor behind the gate."""
    from emk_app.emk_app import app

    manager = Trees()
    processor = BaseStateEventProcessor(
        middleware=app,
        backend_exception_handler=app.backend_exception_handler,
        graceful_shutdown_timeout=0,
    )
    screens = Screens(processor, manager)
    async with processor.configure(
        state_manager=manager,
        event_namespace=screens,  # pyright: ignore[reportArgumentType]
    ):
        yield screens
        screens.close()
    await manager.close()


@pytest.fixture
async def screens(world: None) -> AsyncIterator[Screens]:
    """Return a way to open tabs on a fresh database."""
    async with open_screens() as opened:
        yield opened
