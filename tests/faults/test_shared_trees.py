"""What several processes do with the state of one tab, on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import reflex as rx
from redis import asyncio as aio
from redis.exceptions import RedisError
from reflex.state import BaseState, State

from emk_app.edge import shared_trees
from emk_app.edge.shared_trees import SharedTrees
from emk_app.states.meter import MeterState
from emk_app.states.session import MessageState
from tests.faults.test_redis import Redis

TAB = rx.BaseStateToken(ident="5f3c9a52-5a0e-4b52-9d8e-3a1d1f1d7b11", cls=MeterState)
LOCK, TREE = f"{TAB.ident}_lock", f"{TAB.ident}_tree"
METER = MeterState.get_full_name()


class Process:
    """What one process knows of tabs; whether they are connected to it is said by the test."""

    def __init__(self, client: aio.Redis) -> None:
        self.is_here = True
        self.trees = SharedTrees(client, lambda _: self.is_here)

    async def set_level(self, level: int) -> None:
        async with self.trees.modify_state(TAB) as root:
            meter_of(root).level = level

    async def level(self) -> int:
        async with self.trees.modify_state(TAB) as root:
            return meter_of(root).level


def meter_of(root: Any) -> MeterState:
    return root.get_substate(METER.split("."))


@pytest.fixture
def server(tmp_path: Path):
    import emk_app.emk_app  # noqa: F401  (all states there are)

    started = Redis(tmp_path)
    yield started
    started.stop()


@pytest.fixture
async def client(server: Redis) -> AsyncIterator[Any]:
    async with aio.Redis.from_url(server.url) as opened:
        yield opened


@pytest.fixture
async def start(server: Redis) -> AsyncIterator[Callable[[], Process]]:
    """Return what starts a process, with connections of its own."""
    async with AsyncExitStack() as stack:
        made: list[Process] = []

        def begin() -> Process:
            made.append(Process(aio.Redis.from_url(server.url)))
            stack.push_async_callback(made[-1].trees.close)
            return made[-1]

        yield begin


async def test_turn_is_in_redis_by_its_end(start: Callable[[], Process], client: Any):
    one = start()
    await one.set_level(2)
    assert set(await client.hkeys(TREE)) == {b"", METER.encode()}
    assert 0 < await client.ttl(TREE) <= shared_trees.KEPT_FOR
    assert not await client.exists(LOCK)
    # What a turn leaves as it was is not written again.
    await client.hdel(TREE, METER)
    assert await one.level() == 2
    assert not await client.hexists(TREE, METER)


async def test_tab_moves_with_its_state_and_back(start: Callable[[], Process]):
    one, other = start(), start()
    await one.set_level(2)
    assert await other.level() == 2
    await other.set_level(3)
    # Its own tree is not the last any more.
    assert await one.level() == 3


async def test_tree_grows_on_at_another_process(start: Callable[[], Process]):
    one, other = start(), start()
    async with one.trees.modify_state(TAB) as root:
        root.router_data = {"pathname": "/register"}
        meter_of(root).level = 1
    async with other.trees.modify_state(TAB) as root:
        assert type(root) is State
        assert root.router_data == {"pathname": "/register"}
        assert list(dict.values(root.substates)) == [meter_of(root)]
        assert meter_of(root).parent_state is root
        assert (await root.get_state(MessageState)).polite == ""


async def test_turns_of_two_processes_follow_each_other(start: Callable[[], Process]):
    processes = [start(), start()]

    async def rise(process: Process) -> None:
        for _ in range(10):
            async with process.trees.modify_state(TAB) as root:
                before = meter_of(root).level
                await asyncio.sleep(0.002)
                meter_of(root).level = before + 1

    await asyncio.gather(*[rise(process) for process in processes for _ in range(2)])
    assert [await process.level() for process in processes] == [40, 40]


async def test_what_another_could_not_wait_for_is_not_written(
    start: Callable[[], Process], client: Any, caplog: pytest.LogCaptureFixture
):
    one, other = start(), start()
    async with one.trees.modify_state(TAB) as root:
        meter_of(root).level = 1
        # As when ten seconds have gone by.
        await client.delete(LOCK)
        await other.set_level(3)
    assert "did not wait" in caplog.text
    assert await one.level() == 3


async def test_long_turn_that_nobody_minds_is_written(start: Callable[[], Process], client: Any):
    one, other = start(), start()
    async with one.trees.modify_state(TAB) as root:
        meter_of(root).level = 1
        await client.delete(LOCK)
    assert await other.level() == 1


async def test_turn_of_another_is_not_ended(start: Callable[[], Process], client: Any):
    one = start()
    async with one.trees.modify_state(TAB):
        await client.set(LOCK, "another")
    assert await client.get(LOCK) == b"another"


async def test_fault_loses_nothing_that_was_changed_before_it(start: Callable[[], Process]):
    one, other = start(), start()
    with pytest.raises(ZeroDivisionError):
        async with one.trees.modify_state(TAB) as root:
            meter_of(root).level = 2
            _ = 1 / 0
    assert await other.level() == 2


async def test_redis_that_comes_back_empty_is_told_all(start: Callable[[], Process], client: Any):
    one, other = start(), start()
    async with one.trees.modify_state(TAB) as root:
        meter_of(root).level = 2
        (await root.get_state(MessageState)).polite = "Сохранено."
    await client.flushall()
    assert await one.level() == 2
    async with other.trees.modify_state(TAB) as root:
        assert meter_of(root).level == 2
        assert (await root.get_state(MessageState)).polite == "Сохранено."


async def test_what_redis_was_not_told_is_told_by_the_next_turn(
    start: Callable[[], Process], server: Redis
):
    one = start()
    await one.set_level(1)
    with pytest.raises(RedisError):
        async with one.trees.modify_state(TAB) as root:
            meter_of(root).level = 2
            server.stop()
    with pytest.raises(RedisError):
        await one.level()
    server.start()
    assert await one.level() == 2
    assert await start().level() == 2


async def test_lock_that_was_not_given_back_does_not_stop_its_process(
    start: Callable[[], Process], client: Any
):
    one = start()
    async with one.trees.modify_state(TAB):
        held = await client.get(LOCK)
    assert held is not None
    await client.set(LOCK, held)
    await one.set_level(2)
    assert not await client.exists(LOCK)


async def test_what_another_version_wrote_is_begun_anew(
    start: Callable[[], Process], client: Any, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(MeterState, "_to_schema", classmethod(lambda _: "another"))
        await start().set_level(2)
    assert await start().level() == 0


async def test_tab_that_is_not_here_is_not_kept(start: Callable[[], Process]):
    one = start()
    trees = one.trees
    await one.set_level(2)
    trees.let_go(TAB.ident)
    assert TAB.ident in trees._kept
    one.is_here = False
    async with trees.modify_state(TAB):
        # Somebody works for it still.
        trees.let_go(TAB.ident)
        assert TAB.ident in trees._kept
    assert TAB.ident not in trees._kept
    trees.let_go(TAB.ident)
    assert await one.level() == 2


async def test_state_is_read_in_a_turn_and_set_in_none(start: Callable[[], Process]):
    one = start()
    await one.set_level(2)
    root = await one.trees.get_state(TAB)
    assert isinstance(root, BaseState)
    assert meter_of(root).level == 2
    with pytest.raises(NotImplementedError):
        await one.trees.set_state(TAB, root)
