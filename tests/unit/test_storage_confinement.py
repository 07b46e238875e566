"""What a taken-over parser could still do, tried one thing at a time in a confined process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).resolve().parents[2])
CONFINED = (
    "import sys; sys.path.append(sys.argv[1])\n"
    "import ctypes, os, resource, signal, socket, threading\n"
    "from emk_app.storage import confinement\n"
    "confinement.limit()\n"
    "confinement.seal_off()\n"
    "try:\n"
    "    {}\n"
    "except BaseException as error:\n"
    "    print(type(error).__name__)\n"
    "else:\n"
    "    print('done')\n"
)


def tried(statement: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-B", "-c", CONFINED.format(statement), ROOT],
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "statement",
    [
        "open('/etc/passwd')",
        "open(__import__('os').devnull)",
        "open('/tmp/emk-confined', 'w')",
        "os.listdir('/')",
        "os.unlink('/tmp/emk-confined')",
        "os.mkdir('/tmp/emk-confined')",
        "os.chmod('/tmp', 0o777)",
        "socket.socket()",
        "socket.socketpair()",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.kill(os.getppid(), 0)",
        "os.killpg(0, signal.SIGTERM)",
        "os.setuid(0)",
        "os.memfd_create('a')",
        "os.pipe()",
    ],
)
def test_system_is_out_of_reach(statement: str) -> None:
    assert tried(statement).stdout == "PermissionError\n"


def test_no_thread_can_be_started() -> None:
    assert tried("threading.Thread(target=print).start()").stdout == "RuntimeError\n"


def test_no_process_can_be_read() -> None:
    assert tried("print(ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0))").stdout == "-1\ndone\n"


def test_memory_is_bounded() -> None:
    assert tried("bytearray(600 * 2**20)").stdout == "MemoryError\n"
    assert tried("bytearray(200 * 2**20)").stdout == "done\n"


def test_processor_time_is_bounded() -> None:
    ended = tried("any(iter(int, 1))")
    assert ended.returncode < 0
    assert ended.stdout == ""


def test_computing_and_answering_go_on() -> None:
    assert (
        tried("print(sum(range(10**6)), len(os.urandom(16)))").stdout == "499999500000 16\ndone\n"
    )
