"""What many ask in one turn of the loop is read once, and nobody gets an answer from before."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence

import pytest

from emk_app import threads
from emk_app.threads import Together, each


class Read:
    """Notes what is read and where."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.was_on_loop: list[bool] = []
        self.value = 0

    def __call__(self, keys: Sequence[int]) -> Mapping[int, tuple[int, int] | Exception]:
        self.calls.append(list(keys))
        self.was_on_loop.append(threading.current_thread() is threading.main_thread())
        return {key: (key, self.value) for key in keys}


async def test_what_is_asked_together_is_read_once_for_each_key():
    read = Read()
    asked = Together(read, on_loop=lambda: False)
    found = await asyncio.gather(*(asked.read(number % 3) for number in range(30)))
    assert read.calls == [[0, 1, 2]]
    assert found == [(number % 3, 0) for number in range(30)]
    assert read.was_on_loop == [False]


async def test_many_keys_are_read_and_answered_in_portions():
    read = Read()
    asked = Together(read, on_loop=lambda: True)
    answered: list[int] = []
    begun = asyncio.Event()

    async def ask(number: int) -> None:
        await asked.read(number)
        answered.append(number)
        begun.set()

    tasks = [asyncio.create_task(ask(number)) for number in range(threads.AT_ONCE + 1)]
    await begun.wait()
    assert len(answered) == threads.AT_ONCE
    await asyncio.gather(*tasks)
    assert [len(keys) for keys in read.calls] == [threads.AT_ONCE, 1]
    # A crowd goes to a thread; the one that was left is read at once.
    assert read.was_on_loop == [False, True]


async def test_what_is_asked_while_it_is_read_is_read_anew():
    began, go_on = threading.Event(), threading.Event()
    value = 0

    def work(_: int) -> int:
        seen = value
        began.set()
        go_on.wait(5)
        return seen

    asked = Together(each(work), on_loop=lambda: False)
    first = asyncio.create_task(asked.read(1))
    assert await asyncio.to_thread(began.wait, 5)
    value = 1
    second = asyncio.create_task(asked.read(1))
    await asyncio.sleep(0)
    go_on.set()
    assert [await first, await second] == [0, 1]


async def test_few_keys_are_left_to_threads_while_reading_is_slow(monkeypatch: pytest.MonkeyPatch):
    read = Read()
    asked = Together(read, on_loop=lambda: True)
    monkeypatch.setattr(threads, "SLOW", -1.0)
    assert [await asked.read(1), await asked.read(2)] == [(1, 0), (2, 0)]
    assert read.was_on_loop == [True, False]


async def test_error_of_one_is_not_that_of_the_others():
    def work(key: int) -> int:
        if key == 2:
            raise LookupError(key)
        return key

    asked = Together(each(work), on_loop=lambda: True)
    one, two, three = await asyncio.gather(
        *(asked.read(key) for key in (1, 2, 3)), return_exceptions=True
    )
    assert (one, three) == (1, 3)
    assert isinstance(two, LookupError)


async def test_error_of_the_whole_reading_is_told_to_all():
    def work(_: Sequence[int]) -> Mapping[int, int]:
        raise OSError

    asked = Together(work, on_loop=lambda: True)
    found = await asyncio.gather(asked.read(1), asked.read(2), return_exceptions=True)
    assert [type(each) for each in found] == [OSError, OSError]


async def test_who_stops_waiting_does_not_take_it_from_the_others():
    asked = Together(Read(), on_loop=lambda: False)
    gone, stays = asyncio.create_task(asked.read(1)), asyncio.create_task(asked.read(1))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == (1, 0)
    assert gone.cancelled()


def test_another_loop_begins_afresh():
    read = Read()
    asked = Together(read, on_loop=lambda: True)

    async def leave() -> None:
        asking = asyncio.ensure_future(asked.read(1))
        await asyncio.sleep(0)
        asking.cancel()

    asyncio.run(leave())
    assert asyncio.run(asked.read(2)) == (2, 0)
