"""Processes of the product that begin with its imports done: a parent that has them forks them.

A server takes eight seconds of a processor before it answers, nearly all of them for imports that
are the same each time; a fork of who has done them takes a tenth of one. The parent reads no
setting, so its children take all of them from their own environment, as a process begun anew does;
and they run the very module that ``python -m`` would.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
LEFT_OUT: Final = frozenset({"emk_app.cli", "emk_app.start", "emk_app.emk_app"})
"""What is run, and what reads the settings as it is imported."""
LONGEST: Final = 1 << 20
"""Bytes of a request; an environment has some thousands."""


class Child:
    """A process that the nursery has borne; asked as a ``subprocess.Popen`` is."""

    def __init__(self, nursery: Nursery, pid: int, arguments: tuple[str, ...]) -> None:
        self.pid = pid
        self.args = arguments
        self.returncode: int | None = None
        self._nursery = nursery

    def poll(self) -> int | None:
        """Return the exit status, if it has ended."""
        if self.returncode is None:
            self.returncode = self._nursery.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; return the exit status."""
        end = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            time.sleep(0.01)
        return status

    def kill(self) -> None:
        """End it between two instructions."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


class Nursery:
    """The parent, seen from the tests."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        inherited = {name: value for name, value in os.environ.items() if name[:4] != "EMK_"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery", str(theirs.fileno())],
                cwd=ROOT,
                # Of the settings only that they are a test's.
                env=inherited | {"EMK_ENV": "test", "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # Who stops the tests from the keyboard lets them end their servers themselves.
                start_new_session=True,
            )

    def module(
        self, *arguments: str, environment: Mapping[str, str], output: int | IO[Any]
    ) -> Child:
        """Bear what ``python -m ARGUMENTS`` would start, in a session of its own."""
        with open(os.devnull, "rb") as nothing:
            return self._bear(arguments, environment, (nothing, output, output))

    def code(
        self,
        code: str,
        *,
        environment: Mapping[str, str],
        given: int | IO[Any],
        output: int | IO[Any],
    ) -> Child:
        """Bear what ``python -c CODE`` would start; its complaints go where the tests' own go."""
        return self._bear(("-c", code), environment, (given, output, 2))

    def ask(self, request: Mapping[str, Any], *files: int) -> Any:
        """Return the answer to a request."""
        with self._turn:
            socket.send_fds(self._ours, [json.dumps(request).encode()], files)
            answer = self._ours.recv(LONGEST)
        assert answer, "the nursery is gone; what it said is above"
        return json.loads(answer)

    def _bear(
        self,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        files: tuple[int | IO[Any], int | IO[Any], int | IO[Any]],
    ) -> Child:
        numbers = [each if isinstance(each, int) else each.fileno() for each in files]
        request = {"arguments": arguments, "environment": dict(environment)}
        return Child(self, self.ask(request, *numbers), arguments)


@functools.cache
def nursery() -> Nursery:
    """Return the nursery of these tests, which ends with them."""
    return Nursery()


class Parent:
    """The parent itself: hears, bears, and tells how children have ended."""

    def __init__(self, number: int) -> None:
        self._socket = socket.socket(fileno=number)
        self._living: set[int] = set()

    def tend(self) -> list[str] | None:
        """Serve until nobody asks; return, in each child, what it is to run."""
        while True:
            heard, files, _, _ = socket.recv_fds(self._socket, LONGEST, 3)
            if not heard:
                self._bury()
                return None
            request = json.loads(heard)
            if "poll" in request:
                answer = self._poll(request["poll"])
            elif answer := os.fork():
                self._living.add(answer)
                for each in files:
                    os.close(each)
            else:
                self._socket.close()
                _become(request["environment"], files)
                return request["arguments"]
            self._socket.send(json.dumps(answer).encode())

    def _poll(self, pid: int) -> int | None:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            return None
        self._living.discard(pid)
        return os.waitstatus_to_exitcode(status)

    def _bury(self) -> None:
        """Let nobody outlive the tests."""
        for each in self._living:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each, signal.SIGKILL)


def _become(environment: Mapping[str, str], files: list[int]) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    for number, each in enumerate(files):
        os.dup2(each, number)
        os.close(each)
    # What the parent's has read or is about to write is not the child's.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115


def _learn() -> None:
    """Import the product, as a server has it once it runs; fail if that has read a setting."""
    from emk_app import frontend
    from emk_app.settings import settings

    # Reflex asks for some of these as it is imported, and a server has them by then.
    os.environ.update(frontend.QUIET | frontend.SERVING)
    import emk_app

    for each in pkgutil.walk_packages(emk_app.__path__, "emk_app."):
        if each.name not in LEFT_OUT and not each.name.endswith("__main__"):
            importlib.import_module(each.name)
    assert "rxconfig" not in sys.modules, "a module asks Reflex for its settings"
    assert not settings.cache_info().currsize, "a module reads the settings as it is imported"


def main(number: int) -> None:
    """Be the parent, and in each child what is asked for."""
    import gc

    _learn()
    gc.collect()
    gc.freeze()
    asked = Parent(number).tend()
    if asked is None:
        return
    word, *more = asked
    if word == "-c":
        sys.argv = ["-c"]
        exec(more[0], {"__name__": "__main__"})
    else:
        sys.argv = [word, *more]
        runpy.run_module(word, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
