"""Run plain synchronous code off the event loop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await ``work(*args, **kwargs)`` done in a thread; its exceptions come through."""
    return await asyncio.to_thread(functools.partial(work, *args, **kwargs))
