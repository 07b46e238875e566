"""How much one caller may ask for (D03)."""

from __future__ import annotations

import math
from collections import OrderedDict


class Allowance:
    """A bucket of tries for each key, which fills by the second; in this process."""

    def __init__(self, burst: int, rate: float, keys: int = 20_000) -> None:
        self._burst = burst
        self._rate = rate
        self._keys = keys
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, at: float) -> bool:
        """Take one try at the monotonic moment ``at``; return whether there was one."""
        left, since = self._left.pop(key, (float(self._burst), at))
        left = min(self._burst, left + (at - since) * self._rate)
        is_allowed = left >= 1
        self._left[key] = (left - 1 if is_allowed else left, at)
        if len(self._left) > self._keys:
            self._left.popitem(last=False)
        return is_allowed

    def wait(self, key: str) -> int:
        """Return after how many seconds the next try will be allowed, at least one."""
        left, _ = self._left.get(key, (1.0, 0.0))
        return max(math.ceil((1 - left) / self._rate), 1)
