"""Screens that follow what is committed, without polling."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from emk_app.db import changes as bus


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
