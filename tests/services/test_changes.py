"""Who hears of a commit, and who need not."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime

import pytest

from emk_app.db import changes
from emk_app.db.engine import unit_of_work

pytestmark = pytest.mark.usefixtures("world")


async def test_rolled_back_change_wakes_nobody():
    watch = changes.subscribe(["queue"])
    with pytest.raises(RuntimeError), unit_of_work() as db:
        changes.announce(db, "queue")
        raise RuntimeError
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watch.wait(), 0.05)
    changes.unsubscribe(watch)


async def test_change_between_subscribing_and_waiting_is_heard():
    watch = changes.subscribe(["queue", "clinic:1"])
    await asyncio.to_thread(changes.publish, ["clinic:1"])
    await asyncio.wait_for(watch.wait(), 5)
    changes.unsubscribe(watch)


async def test_change_while_the_one_before_is_read_is_heard():
    watch = changes.subscribe(["queue"])
    for _ in range(3):
        changes.publish(["queue"])
        await asyncio.wait_for(watch.wait(), 5)
        changes.publish(["queue"])
        await asyncio.wait_for(watch.wait(), 5)
    changes.unsubscribe(watch)


async def test_nothing_is_kept_of_those_who_have_gone():
    before = dict(changes._watches)
    watches = [changes.subscribe([f"application:{number}", "queue"]) for number in range(50)]
    for watch in watches:
        changes.unsubscribe(watch)
        changes.unsubscribe(watch)
    assert changes._watches == before


def test_commit_is_told_though_a_watcher_has_died_with_its_loop(now: datetime):
    async def forget() -> None:
        changes.subscribe(["queue"])

    thread = threading.Thread(target=asyncio.run, args=(forget(),))
    thread.start()
    thread.join()
    with unit_of_work() as db:
        changes.announce(db, "queue")
