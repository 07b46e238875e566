"""Which process a browser's tab is connected to, where there are several (``EMK_REDIS_URL``).

The framework writes it into Redis and takes a second connection with the same name for a duplicated
tab, which gets a state of its own. A process that has died, or is about to go, does not strike its
tabs out in time: their state would be lost to those who only move to another process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
from collections.abc import Callable, Coroutine
from typing import Final

import reflex as rx
from redis.asyncio import Redis
from redis.exceptions import RedisError
from reflex.state import StateUpdate
from reflex.utils.token_manager import RedisTokenManager

from emk_app import incidents
from emk_app.db import changes
from emk_app.edge.shared_trees import SharedTrees
from emk_app.readiness import parting

log = logging.getLogger("emk.tabs")

Emit = Callable[[StateUpdate, str], Coroutine[None, None, None]]
PAUSE: Final = 1.0
"""Seconds until Redis is asked again after a failure."""


class Tabs(RedisTokenManager):
    """Lets a tab move from a process that is no longer there, with all its state."""

    def __init__(self, redis: Redis, emit_update: Emit) -> None:
        super().__init__(redis)
        self._emit_update = emit_update
        self.trees = SharedTrees(redis, self.is_here)

    def is_here(self, token: str) -> bool:
        """Whether the tab is connected to this process."""
        record = self.token_to_socket.get(token)
        return record is not None and record.instance_id == self.instance_id

    async def link_token_to_sid(self, token: str, sid: str) -> str | None:
        """Forget where the tab was connected, if that process is gone; then link it here."""
        # The framework goes on without Redis in its own way.
        with contextlib.suppress(RedisError):
            await self._forget_gone(token)
        return await super().link_token_to_sid(token, sid)

    async def disconnect_token(self, token: str, sid: str) -> None:
        """Forget the tab, whose state another process may take over."""
        await super().disconnect_token(token, sid)
        self.trees.let_go(token)

    async def stay(self) -> None:
        """Be there for the others, until this process sends its tabs away."""
        present = asyncio.create_task(self._be_present())
        watch = changes.subscribe([changes.PARTING])
        try:
            while not parting.is_set():
                await watch.wait()
        finally:
            changes.unsubscribe(watch)
            present.cancel()
            await asyncio.wait([present])

    async def _be_present(self) -> None:
        # Redis notices at once when the process dies: the subscription ends with its connection.
        while True:
            try:
                async with self.redis.pubsub() as sign:
                    await sign.subscribe(_sign_of(self.instance_id))
                    # The framework stops listening for the others after five seconds without Redis.
                    self._ensure_socket_record_task()
                    self.ensure_lost_and_found_task(self._emit_update)
                    async for _ in sign.listen():
                        pass
            except (RedisError, OSError) as error:
                log.warning("Redis is away: %s", incidents.trace(error))
            await asyncio.sleep(PAUSE)

    async def _forget_gone(self, token: str) -> None:
        key = self._get_redis_key(token)
        kept = await self.redis.get(key)
        if kept is None:
            return
        owner = pickle.loads(kept).instance_id
        if owner == self.instance_id:
            return
        ((_, present),) = await self.redis.pubsub_numsub(_sign_of(owner))
        if not present:
            # A lock that the dead held would keep the tab waiting until it runs out. Where the
            # holder lives after all, it finds the lock gone and writes nothing.
            await self.redis.delete(key, f"{token}_lock")


def _sign_of(instance: str) -> str:
    return f"emk_present_{instance}"


def install(app: rx.App) -> None:
    """Let tabs move between processes with their states, where there can be several."""
    namespace = app.event_namespace
    assert namespace is not None
    stock = namespace._token_manager  # pyright: ignore[reportPrivateUsage]
    if isinstance(stock, RedisTokenManager):
        tabs = Tabs(stock.redis, namespace.emit_update)
        namespace._token_manager = tabs  # pyright: ignore[reportPrivateUsage]
        app._state_manager = tabs.trees  # pyright: ignore[reportPrivateUsage]
        app.register_lifespan_task(tabs.stay)
