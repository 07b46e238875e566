"""A child process for one question: bytes in by stdin, bytes out by stdout, and it is gone.

The child has no environment and a session of its own; what else it may not do, it gives up by
itself (``confinement``) before it has read anything of a stranger's.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from threading import Timer
from typing import Final

_PACKAGE_ROOT: Final = str(Path(__file__).resolve().parents[2])
_PIECE: Final = 64 * 1024


class ChildFailed(Exception):
    """The child died, was late or said more than an answer may be."""


class OutOfTime(ChildFailed):
    """It took more time than it may."""


def ask(program: str, question: bytes, *, longest: int, wall_seconds: float) -> bytes:
    """Return the answer of at most ``longest`` bytes; raise ``ChildFailed`` or ``OutOfTime``.

    ``program`` is for ``python -I -c`` and finds our own package's folder as ``sys.argv[1]``.
    """
    process = Popen(
        [sys.executable, "-I", "-B", "-c", program, _PACKAGE_ROOT],
        stdin=PIPE,
        stdout=PIPE,
        # The parsers' complaints may quote the file.
        stderr=DEVNULL,
        cwd="/",
        env={},
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # Ends writing and reading too: the child's ends of the pipes close with it.
    alarm = Timer(wall_seconds, _kill, (process,))
    alarm.start()
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(question)
            process.stdin.flush()
        with suppress(BrokenPipeError):
            process.stdin.close()
        answer = process.stdout.read(longest + 1)
    finally:
        # Whoever says more than he may finds nobody reading.
        process.stdout.close()
        process.wait()
        alarm.cancel()
    if process.returncode in (-signal.SIGKILL, -signal.SIGXCPU):
        raise OutOfTime("out of time")
    if process.returncode != 0 or len(answer) > longest:
        raise ChildFailed(f"exit code {process.returncode}")
    return answer


def read_question() -> bytes:
    """Return all that the parent says; for the child."""
    pieces: list[bytes] = []
    while piece := os.read(0, _PIECE):
        pieces.append(piece)
    return b"".join(pieces)


def say_and_end(answer: bytes) -> None:
    """Answer and exit; for the child."""
    left = memoryview(answer)
    while left:
        left = left[os.write(1, left) :]
    # Not sys.exit: there is nothing to tidy up, and no reason to run the libraries' own ends.
    os._exit(0)


def _kill(process: Popen[bytes]) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
