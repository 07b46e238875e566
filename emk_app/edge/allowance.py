"""How much one caller may ask for (D03)."""

from __future__ import annotations

import math
from collections import OrderedDict


class Allowance:
    """A bucket of tries for each key, which fills by the second; in this process.

    Of a key one number is kept, the moment at which its bucket is full again (the cells of GCRA): a
    crowd of addresses leaves nothing that the collector has to go through.
    """

    def __init__(self, burst: int, rate: float, keys: int = 20_000) -> None:
        self._between = 1 / rate
        """Seconds in which one try grows anew."""
        self._longest = burst / rate
        """Seconds in which an empty bucket fills."""
        self._keys = keys
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, at: float) -> bool:
        """Take one try at the monotonic moment ``at``; return whether there was one."""
        known = self._full_at.pop(key, at)
        full_at = max(known, at) + self._between
        # A thousandth of a try is lost in the sum of many.
        is_allowed = full_at - at <= self._longest + self._between / 1000
        self._full_at[key] = full_at if is_allowed else known
        if len(self._full_at) > self._keys:
            self._full_at.popitem(last=False)
        return is_allowed

    def wait(self, key: str, at: float) -> int:
        """Return after how many seconds from ``at`` the next try is allowed, at least one."""
        full_at = self._full_at.get(key, at)
        return max(math.ceil(full_at + self._between - self._longest - at), 1)
