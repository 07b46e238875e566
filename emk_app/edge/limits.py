"""How much one address and one session may ask of this process (D03).

The bounds are far above what people do, and above what the staff of a clinic does behind one
address. Whoever is over them is told to wait, or hung up on: never a slow death for all.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Final

from emk_app import figures
from emk_app.edge.allowance import Allowance

SOCKETS_PER_CALLER: Final = 24
SOCKETS_PER_ADDRESS: Final = 400
SOCKETS: Final = 4_000
"""In all: each holds an open file and a watch."""
SOCKETS_AT_ONCE: Final = 300
SOCKETS_A_SECOND: Final = 1.0
"""What one address may open: each socket of a new tab costs a state for an hour."""
STATES: Final = 10_000
"""Tabs that are open or were within the hour; each keeps up to 64 KB (D31)."""
STATES_OF_STRANGERS: Final = 7_500
"""Beyond these only who is signed in gets a new one: their work comes before curiosity."""
STATE_LIFE: Final = 3600.0
"""Seconds for which the framework keeps the state of a closed tab."""
FRAMES_AT_ONCE: Final = 240
FRAMES_A_SECOND: Final = 60.0
"""What all tabs of one session may send."""
FRAMES_AT_ONCE_PER_ADDRESS: Final = 1_000
FRAMES_A_SECOND_PER_ADDRESS: Final = 150.0


@dataclass(frozen=True, slots=True)
class Class:
    """Requests that cost about the same; one address has a bucket for each."""

    name: str
    at_once: int
    a_second: float


FILES: Final = Class("files", 3_000, 300.0)
"""Styles, scripts and pictures of the build."""
PAGES: Final = Class("pages", 400, 40.0)
"""Pages, and our own routes that only read."""
CHANGES: Final = Class("changes", 300, 10.0)
"""Requests that change something, signing in included; its tries are counted elsewhere (D16)."""
UPLOADS: Final = Class("uploads", 120, 2.0)
"""Requests with large bodies."""
CLASSES: Final = (FILES, PAGES, CHANGES, UPLOADS)


class Requests:
    """Counts the requests of every address, by class."""

    def __init__(self) -> None:
        self._left = {each: Allowance(each.at_once, each.a_second) for each in CLASSES}

    def wait(self, kind: Class, address: str) -> int | None:
        """Count one request; return the seconds to wait where it is one too many."""
        allowance, key, at = self._left[kind], source_of(address), monotonic()
        if allowance.take(key, at):
            return None
        figures.TOO_MANY.labels(kind.name).inc()
        return allowance.wait(key, at)


class Sockets:
    """Counts sockets, the states that they cost, and what is said over them."""

    def __init__(self) -> None:
        self._by_caller: Counter[str] = Counter()
        self._by_address: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        self._closed: OrderedDict[str, float] = OrderedDict()
        self._opening = Allowance(SOCKETS_AT_ONCE, SOCKETS_A_SECOND)
        self._frames = Allowance(FRAMES_AT_ONCE, FRAMES_A_SECOND)
        self._frames_of_address = Allowance(FRAMES_AT_ONCE_PER_ADDRESS, FRAMES_A_SECOND_PER_ADDRESS)

    def may_knock(self, address: str) -> bool:
        """Count one handshake, before anything is done for it; return whether it may go on."""
        may = self._opening.take(source_of(address), monotonic())
        if not may:
            figures.TOO_MANY.labels("sockets").inc()
        return may

    def open(self, ref: str, address: str, state: str, *, is_stranger: bool) -> bool:
        """Count one more socket; return whether there may be one. ``close`` what was opened."""
        source, at = source_of(address), monotonic()
        if (
            self._by_caller[ref] >= SOCKETS_PER_CALLER
            or self._by_address[source] >= SOCKETS_PER_ADDRESS
            or self._open.total() >= SOCKETS
            or not self._has_room(state, at, STATES_OF_STRANGERS if is_stranger else STATES)
        ):
            figures.TOO_MANY.labels("sockets").inc()
            return False
        self._by_caller[ref] += 1
        self._by_address[source] += 1
        self._open[state] += 1
        self._closed.pop(state, None)
        return True

    def close(self, ref: str, address: str, state: str) -> None:
        """Count one socket less; the state of its tab lives on."""
        _count_down(self._by_caller, ref)
        _count_down(self._by_address, source_of(address))
        _count_down(self._open, state)
        if state not in self._open:
            self._closed[state] = monotonic()

    def may_say(self, ref: str, address: str) -> bool:
        """Count one frame; return whether it is not one too many."""
        at = monotonic()
        may = self._frames.take(ref, at) and self._frames_of_address.take(source_of(address), at)
        if not may:
            figures.TOO_MANY.labels("frames").inc()
        return may

    def _has_room(self, state: str, at: float, most: int) -> bool:
        while self._closed and at - next(iter(self._closed.values())) > STATE_LIFE:
            self._closed.popitem(last=False)
        is_known = state in self._open or state in self._closed
        return is_known or len(self._open) + len(self._closed) < most


@lru_cache(maxsize=20_000)
def source_of(address: str) -> str:
    """Return whom an address stands for: a subscriber has 2^64 of IPv6, and of IPv4 one."""
    if ":" not in address:
        return address[:64]
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((int(known) >> 64 << 64, 64)).network_address)
    return str(known)


def _count_down(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
