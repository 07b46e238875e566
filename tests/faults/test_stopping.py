"""A process that is told to stop finishes what runs, takes no more, and goes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from emk_app import working
from emk_app.readiness import leaving, pulses
from tests.e2e.wire import ROOT, Refused, Wire
from tests.running import Server


@pytest.mark.usefixtures("world")
async def test_round_that_is_being_made_comes_to_its_end(monkeypatch: pytest.MonkeyPatch):
    is_begun, may_end = threading.Event(), threading.Event()
    ended: list[bool] = []

    def work(_count: int) -> None:
        is_begun.set()
        ended.append(may_end.wait(20))

    monkeypatch.setattr(working, "_work", work)
    manager = working.lifespan()
    await manager.__aenter__()
    assert await asyncio.to_thread(is_begun.wait, 20)
    leave = asyncio.create_task(manager.__aexit__(None, None, None))
    await asyncio.sleep(0)
    may_end.set()
    await leave
    assert ended == [True]
    assert not pulses.any_busy()
    leaving.clear()


@pytest.mark.usefixtures("world")
async def test_word_to_stop_is_heeded_once_nothing_runs(monkeypatch: pytest.MonkeyPatch):
    is_begun, may_end = threading.Event(), threading.Event()
    went = asyncio.Event()
    words: list[int] = []

    def work(_count: int) -> None:
        is_begun.set()
        may_end.wait(20)

    def kill(_pid: int, word: int) -> None:
        words.append(word)
        went.set()

    monkeypatch.setattr(working, "_work", work)
    async with working.lifespan():
        assert await asyncio.to_thread(is_begun.wait, 20)
        to_us = os.kill
        monkeypatch.setattr(os, "kill", kill)
        to_us(os.getpid(), signal.SIGTERM)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(went.wait(), 3 * working.GLANCE)
        assert leaving.is_set()
        may_end.set()
        await went.wait()
    assert words == [signal.SIGINT]
    leaving.clear()


@pytest.fixture
def server(prepared: Path, tmp_path: Path) -> Server:
    made = Server(tmp_path, prepared)
    made.is_anew = True
    return made


def test_stopping_server_answers_what_it_has_begun_and_calls_itself_not_ready(server: Server):
    server.more = {"EMK_DRAIN_SECONDS": "2", "EMK_LOG": "json"}
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as begun:
        begun.settimeout(20)
        host = f"localhost:{server.port}"
        begun.sendall(
            f"POST /session/enter HTTP/1.1\r\nhost: {host}\r\norigin: {server.origin}\r\n"
            "content-type: application/x-www-form-urlencoded\r\ncontent-length: 8\r\n"
            "connection: close\r\n\r\ntick".encode()
        )
        screen = Wire(server, "y" * 43)
        process = server.tell_to_stop()
        while (answer := httpx.get(f"{server.origin}/readyz")).status_code == 200:
            pass
        assert (answer.status_code, answer.json()) == (503, {"status": "not_ready"})
        with pytest.raises(Refused):
            Wire(server, "x" * 43)
        begun.sendall(b"et=x")
        assert begun.recv(1000).startswith(b"HTTP/1.1 303")
        # The screen is sent to another process, and still heard until it goes.
        screen.wait(lambda: any(frame.startswith('42/_event,["move",') for frame in screen.frames))
        assert ROOT in screen.state()
        screen.close()
    assert process.wait(20) == 0
    server.close()
    log = server.log()
    assert "not ready: stopping" in log
    assert "Killing" not in log
    server.check_log()


def test_server_that_is_told_to_stop_again_and_again_stops(server: Server):
    server.start()
    process = server.tell_to_stop()
    # make passes on what its terminal has told us already, and people press keys twice. One word
    # must not come in the middle of another and wait for it: of so many some do.
    for _ in range(10_000):
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGTERM)
        time.sleep(0.0001)
    assert process.wait(20) == 0
    server.close()
    assert "Killing" not in server.log()
