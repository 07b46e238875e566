"""A flood waits in its own line, and others do not wait for it."""

from __future__ import annotations

import asyncio

import pytest

from emk_app.edge import turns
from emk_app.edge.turns import Turns, give_after


async def test_who_comes_late_waits_in_the_order_of_coming_and_others_do_not():
    line = Turns(2)
    first, _ = await line.take("a"), await line.take("a")
    came: list[int] = []

    async def come(number: int) -> None:
        give = await line.take("a")
        came.append(number)
        give()

    late = [asyncio.create_task(come(number)) for number in range(3)]
    await asyncio.sleep(0)
    assert came == []
    (await line.take("b"))()
    first()
    first()
    await asyncio.gather(*late)
    assert came == [0, 1, 2]


async def test_turn_is_given_on_when_the_work_has_ended():
    line = Turns(1)
    work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    give_after(await line.take("a"), work)
    late = asyncio.create_task(line.take("a"))
    await asyncio.sleep(0)
    assert not late.done()
    work.set_result(None)
    (await late)()
    assert line.waiting() == 0


async def test_turn_is_given_on_when_the_work_takes_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turns, "LONGEST", 0.01)
    line = Turns(1)
    give_after(await line.take("a"), asyncio.get_running_loop().create_future())
    (await line.take("a"))()
    give_after(await line.take("a"), None)
    (await line.take("a"))()
    assert line.waiting() == 0
    assert not line._lines


async def test_who_leaves_while_waiting_leaves_nothing_behind():
    line = Turns(1)
    give = await line.take("a")
    late = asyncio.create_task(line.take("a"))
    await asyncio.sleep(0)
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    give()
    assert line.waiting() == 0
    assert not line._lines


async def test_turn_that_comes_at_the_moment_of_leaving_goes_to_the_next():
    line = Turns(1)
    give = await line.take("a")
    late, next_one = (asyncio.create_task(line.take("a")) for _ in range(2))
    await asyncio.sleep(0)
    give()
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    (await next_one)()
    assert line.waiting() == 0
    assert not line._lines
