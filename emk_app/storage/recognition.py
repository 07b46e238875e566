"""What a kept scan says: its rows of text, read by one confined process that stays warm.

The process is started by the first scan, answers one page at a time, and ends when nobody has asked
for a while, after a number of pages, and whenever it dies, is late or answers amiss; the next scan
starts another. It is never needed: whatever goes wrong here, a person reads the scan.
"""

from __future__ import annotations

import logging
import os
import resource
import select
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from time import monotonic
from typing import Final

from emk_app.domain.documents import MediaType
from emk_app.storage.reader import (
    ANSWER,
    CPU_SECONDS,
    MARK,
    MAX_TEXT,
    PROGRAM,
    QUESTION,
    WITH_PICTURES,
    Medium,
    Outcome,
    Page,
    Source,
    Want,
    is_found,
)

PAGES: Final = 3
"""Of a scan that are read: the wanted spread is among the first."""
PAGE_CPU_SECONDS: Final = 8
"""Processor time for one page; some 0.5 s are usual."""
PAGE_SECONDS: Final = 35.0
"""From question to answer; the process has the lowest claim to a busy processor."""
START_SECONDS: Final = 60.0
PAGES_OF_A_LIFE: Final = 100
"""After which the process gives its memory back: it only ever grows."""
IDLE_SECONDS: Final = 120.0

_PIECE: Final = 256 * 1024
_PACKAGE_ROOT: Final = str(Path(__file__).resolve().parents[2])
_MEDIA: Final = {MediaType.JPEG: Medium.JPEG, MediaType.PDF: Medium.PDF}
_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}
"""What keeps the libraries from starting threads when they are loaded, and from talking."""

_log = logging.getLogger(__name__)


class Unread(StrEnum):
    """Why nothing was read."""

    NO_READER = "no_reader"
    """The scan is a picture, and the extra that reads pictures is not installed or switched off."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reading:
    """The rows of one page on which the wanted was found, or of the first that had any."""

    rows: tuple[str, ...] = ()
    is_layer: bool = False
    """The rows are the text of a PDF and not of a picture."""
    unread: Unread | None = None


class Recogniser:
    """Reads scans, one page at a time, in a process of its own; safe to share among threads."""

    def __init__(self, *, with_pictures: bool, idle_seconds: float = IDLE_SECONDS) -> None:
        """Start nothing yet; ``with_pictures`` asks for the extra."""
        self._with_pictures = with_pictures
        self._idle_seconds = idle_seconds
        self._turn = threading.Lock()
        self._process: Popen[bytes] | None = None
        self._pages = 0
        self._rest: threading.Timer | None = None

    def read(self, content: bytes, media_type: MediaType, want: Want) -> Reading:
        """Read page after page until the wanted is found; never raises for want of a reader."""
        if media_type is MediaType.JPEG and not self._with_pictures:
            return Reading(unread=Unread.NO_READER)
        kept = Reading(unread=Unread.FAILED)
        for number in range(1, PAGES + 1):
            try:
                page = self._ask_again(content, _MEDIA[media_type], want, number)
            except _ReaderFailed as error:
                _log.warning("reader: page %d of %d bytes failed: %s", number, len(content), error)
                break
            match page.outcome:
                case Outcome.DONE:
                    reading = Reading(page.rows, page.source is Source.TEXT)
                    if is_found(want, page.rows):
                        return reading
                    if not kept.rows:
                        kept = reading
                case Outcome.NO_PICTURES:
                    if not kept.rows:
                        kept = Reading(unread=Unread.NO_READER)
                case _:
                    break
            if number >= page.pages:
                break
        return kept

    def close(self) -> None:
        """End the process, if there is one."""
        with self._turn:
            self._end()

    def _ask_again(self, content: bytes, medium: Medium, want: Want, number: int) -> Page:
        """Ask, and once more if the process was killed over the page: it need not be the page."""
        try:
            return self._ask(content, medium, want, number)
        except _ReaderDied as error:
            _log.warning("reader: %s over a page of %d bytes", error, len(content))
            return self._ask(content, medium, want, number)

    def _ask(self, content: bytes, medium: Medium, want: Want, number: int) -> Page:
        with self._turn:
            if self._rest is not None:
                self._rest.cancel()
            if self._pages >= PAGES_OF_A_LIFE or (
                self._process is not None and self._process.poll() is not None
            ):
                self._end()
            try:
                process = self._process or self._start()
                self._pages += 1
                _allow_processor(process.pid)
                deadline = monotonic() + PAGE_SECONDS
                question = QUESTION.pack(want, medium, number, len(content))
                _send(process, question + content, deadline)
                return _receive(process, deadline)
            except BaseException:
                # Whatever was left in the pipes would be taken for the next answer.
                self._end()
                raise
            finally:
                if self._process is not None:
                    self._rest = threading.Timer(self._idle_seconds, self.close)
                    self._rest.daemon = True
                    self._rest.start()

    def _start(self) -> Popen[bytes]:
        arguments = [WITH_PICTURES] if self._with_pictures else []
        self._pages = 0
        self._process = process = Popen(
            [sys.executable, "-I", "-B", "-c", PROGRAM, _PACKAGE_ROOT, *arguments],
            stdin=PIPE,
            stdout=PIPE,
            # The parsers' complaints may quote the paper.
            stderr=DEVNULL,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
        )
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
        if _receive(process, monotonic() + START_SECONDS).outcome is not Outcome.READY:
            raise _ReaderFailed("not ready")
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


class _ReaderFailed(Exception):
    """The process died, was late or answered amiss."""


class _ReaderDied(_ReaderFailed):
    """The process has ended, by itself or not."""


def _allow_processor(pid: int) -> None:
    """Let the process compute for one page more, and be killed by the kernel after that."""
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, ValueError, IndexError):
        # After the command in brackets: utime and stime are the 12th and 13th (proc_pid_stat(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        limit = min(CPU_SECONDS, int(used) + 1 + PAGE_CPU_SECONDS)
        resource.prlimit(pid, resource.RLIMIT_CPU, (limit, CPU_SECONDS))


def _send(process: Popen[bytes], content: bytes, deadline: float) -> None:
    assert process.stdin is not None
    descriptor = process.stdin.fileno()
    left = memoryview(content)
    while left:
        _wait(descriptor, select.POLLOUT, deadline)
        try:
            left = left[os.write(descriptor, left[:_PIECE]) :]
        except BlockingIOError:
            continue
        except OSError as error:
            raise _ReaderDied(type(error).__name__) from None


def _receive(process: Popen[bytes], deadline: float) -> Page:
    """Return the next answer, believed only as far as it has been checked."""
    head = _exactly(process, ANSWER.size, deadline)
    mark, outcome, source, pages, length = ANSWER.unpack(head)
    if mark != MARK or length > MAX_TEXT:
        raise _ReaderFailed("not an answer")
    try:
        text = _exactly(process, length, deadline).decode("ascii")
        rows = tuple(text.split("\n")) if text else ()
        return Page(Outcome(outcome), Source(source), pages, rows)
    except ValueError:
        raise _ReaderFailed("not an answer") from None


def _exactly(process: Popen[bytes], length: int, deadline: float) -> bytes:
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    answer = bytearray()
    while len(answer) < length:
        _wait(descriptor, select.POLLIN, deadline)
        try:
            piece = os.read(descriptor, length - len(answer))
        except BlockingIOError:
            continue
        if not piece:
            with suppress(TimeoutExpired):
                process.wait(1)
            raise _ReaderDied(f"died with {process.returncode}")
        answer += piece
    return bytes(answer)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    left = deadline - monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise _ReaderFailed("late")
