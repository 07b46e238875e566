"""Screens that follow what is committed, without polling."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from emk_app.db import changes as bus
from emk_app.edge.trees import turn

__all__ = ["changes", "changes_or_ticks", "turn"]

TICK: Final = 20.0
"""Seconds within which a minute that has begun is seen."""


async def changes(*topics: str) -> AsyncGenerator[None, None]:
    """Yield at once, and again whenever somebody has committed a change of ``topics``.

    For a background event started by ``on_load``: navigation and disconnect end it. Whoever
    iterates asks anew, each turn, who is acting.
    """
    watch = bus.subscribe(topics)
    try:
        while True:
            yield
            await watch.wait()
    finally:
        bus.unsubscribe(watch)


async def changes_or_ticks(*topics: str) -> AsyncGenerator[bool, None]:
    """Yield True as ``changes`` does, and False every ``TICK`` seconds without one.

    For a screen that tells how much time is left: a tick asks nothing of the database.
    """
    watch = bus.subscribe(topics)
    try:
        yield True
        while True:
            try:
                async with asyncio.timeout(TICK):
                    await watch.wait()
            except TimeoutError:
                yield False
            else:
                yield True
    finally:
        bus.unsubscribe(watch)
