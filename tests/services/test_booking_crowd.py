"""Two hundred people at the last twenty places, from one process and from four."""

from __future__ import annotations

from datetime import datetime

import pytest

from benchmarks import booking as crowd
from tests.scenes import kept

prepared = kept(crowd.prepare)

pytestmark = pytest.mark.usefixtures("world")


@pytest.mark.parametrize("workers", [1, 4])
def test_last_places_go_to_twenty_of_two_hundred_and_none_to_two(now: datetime, workers: int):
    people, times = prepared(crowd.PEOPLE, now)
    assert len(times) == 4
    found = crowd.rush(people, times, workers, now)
    assert found["outcomes"] == {"booked": 20, "SlotTaken": 180}
    assert crowd.seats() == (20, 20)
