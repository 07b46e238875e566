"""The door for scans: what comes in is parsed by a confined process and rebuilt before it is kept.

The parent looks at size and first bytes only. Each file gets a fresh child process with no
environment, no file system, no network and bounded memory, time and answer (``confinement``); if it
dies or does not answer in time, the scan can't be read and nothing else happens.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from threading import BoundedSemaphore
from time import monotonic
from typing import IO, Final

from emk_app.domain.documents import (
    MAX_PAGES,
    MAX_PIXELS,
    MediaType,
    ScanActiveContent,
    ScanEncrypted,
    ScanKind,
    ScanLooksGray,
    ScanNotReadable,
    ScanTooManyPages,
    ScanTooManyPixels,
    ScanWarning,
    check_pages,
    check_size,
    media_type,
    warnings,
)
from emk_app.domain.errors import NotFound
from emk_app.storage.blobs import MAX_CONTENT
from emk_app.storage.errors import ScanCheckUnavailable
from emk_app.storage.sandbox import HEAD_LENGTH, PROGRAM, Answer, Outcome, Task

WALL_SECONDS: Final = 8.0
"""From the start of a child to its whole answer."""
CHILDREN: Final = 2
"""At once in this process: a flood of uploads must leave the processors to the screens."""
WAIT_SECONDS: Final = 30.0
"""For a free child, before the holder is asked to try again."""
LONGEST_RENDERED: Final = 3000

PNG: Final = b"\x89PNG\r\n\x1a\n"
_HEAD_OF_FILE: Final = 64
_MAX_PREVIEW: Final = 16 * 1024 * 1024
_MAX_ANSWER: Final = HEAD_LENGTH + MAX_CONTENT + _MAX_PREVIEW
_PIECE: Final = 256 * 1024
_PACKAGE_ROOT: Final = str(Path(__file__).resolve().parents[2])
_FIRST_BYTES: Final = {MediaType.JPEG: b"\xff\xd8\xff", MediaType.PDF: b"%PDF-"}
_INSPECT: Final = {MediaType.JPEG: Task.INSPECT_JPEG, MediaType.PDF: Task.INSPECT_PDF}
_RENDER: Final = {MediaType.JPEG: Task.RENDER_JPEG, MediaType.PDF: Task.RENDER_PDF}

_log = logging.getLogger(__name__)
_turns = BoundedSemaphore(CHILDREN)


@dataclass(frozen=True, slots=True)
class Inspected:
    """A scan fit to be kept."""

    media_type: MediaType
    content: bytes
    """What to store; never the bytes that came in."""
    preview: bytes
    """The first page as a JPEG of at most 1200 pixels a side; may be shown inline."""
    pages: int
    width: int
    height: int
    """Pixels as seen; of a PDF, of its first page as it was scanned."""
    saturation_percent: float
    """Of the most colourful twentieth of the first page."""
    is_colour: bool
    warnings: tuple[ScanWarning, ...]
    """What to tell the holder though the scan is accepted."""


def inspect(content: bytes, kind: ScanKind, *, png: bool = False) -> Inspected:
    """Return the scan rebuilt, with what is known about it; neither name nor declared type counts.

    With ``png`` one of those is taken as well, and becomes a JPEG: screenshots are made as PNG.
    Raises the refusals of ``domain.documents``, or ``ScanCheckUnavailable`` if no child was free.
    """
    check_size(kind, len(content))
    if png and content.startswith(PNG):
        found, task = MediaType.JPEG, Task.INSPECT_PNG
    else:
        found = media_type(content[:_HEAD_OF_FILE])
        task = _INSPECT[found]
    answer = _checked(_ask(task, content))
    check_pages(answer.pages)
    is_sound = (
        answer.content.startswith(_FIRST_BYTES[found])
        and len(answer.content) <= MAX_CONTENT
        and _is_jpeg(answer.preview)
        and min(answer.width, answer.height) > 0
        and 0 <= answer.saturation <= 100
    )
    if not is_sound:
        raise ScanNotReadable
    found_warnings = warnings(answer.width, answer.height, answer.saturation)
    return Inspected(
        media_type=found,
        content=answer.content,
        preview=answer.preview,
        pages=answer.pages,
        width=answer.width,
        height=answer.height,
        saturation_percent=answer.saturation,
        is_colour=not any(isinstance(warning, ScanLooksGray) for warning in found_warnings),
        warnings=found_warnings,
    )


def render(content: bytes, page: int = 1, longest: int = 1600) -> bytes:
    """Return a page (from 1) of a kept scan as a JPEG whose longer side is at most ``longest``.

    Raises ``NotFound`` for a page that is not there, ``ScanNotReadable``, ``ScanCheckUnavailable``.
    """
    if not 1 <= longest <= LONGEST_RENDERED:
        raise ValueError("longest is out of bounds")
    if not 1 <= page <= MAX_PAGES:
        raise NotFound
    answer = _checked(_ask(_RENDER[media_type(content[:_HEAD_OF_FILE])], content, page, longest))
    if not _is_jpeg(answer.preview):
        raise ScanNotReadable
    return answer.preview


def _checked(answer: Answer) -> Answer:
    """Return the answer of a task that was done; raise what the others mean."""
    match answer.outcome:
        case Outcome.DONE:
            return answer
        case Outcome.NOT_READABLE:
            raise ScanNotReadable
        case Outcome.ENCRYPTED:
            raise ScanEncrypted
        case Outcome.ACTIVE_CONTENT:
            raise ScanActiveContent
        case Outcome.TOO_MANY_PAGES:
            raise ScanTooManyPages(answer.pages, MAX_PAGES)
        case Outcome.TOO_MANY_PIXELS:
            raise ScanTooManyPixels(answer.pixels, MAX_PIXELS)
        case Outcome.NO_SUCH_PAGE:
            raise NotFound


def _is_jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8\xff") and content.endswith(b"\xff\xd9")


def _ask(task: Task, content: bytes, page: int = 1, longest: int = 1) -> Answer:
    """Let a child do the task; whatever is wrong with the child is the file's fault."""
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise ScanCheckUnavailable
    try:
        return Answer.unpack(_run([task, str(page), str(longest)], content))
    except (_ChildFailed, ValueError) as error:
        _log.warning("sandbox: %s of %d bytes failed: %s", task, len(content), error)
        raise ScanNotReadable from None
    finally:
        _turns.release()


class _ChildFailed(Exception):
    """The child died, was late or said too much."""


def _run(arguments: list[str], content: bytes) -> bytes:
    """Return what a child with these arguments and this input writes before it exits with 0."""
    deadline = monotonic() + WALL_SECONDS
    process = Popen(
        [sys.executable, "-I", "-B", "-c", PROGRAM, _PACKAGE_ROOT, *arguments],
        stdin=PIPE,
        stdout=PIPE,
        # The parsers' complaints may quote the paper.
        stderr=DEVNULL,
        cwd="/",
        env={},
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        answer = _exchange(process.stdin, process.stdout, content, deadline)
        process.wait(timeout=max(0.0, deadline - monotonic()))
    except TimeoutExpired:
        raise _ChildFailed("did not end") from None
    finally:
        _end(process)
    if process.returncode != 0:
        raise _ChildFailed(f"exit code {process.returncode}")
    return answer


def _exchange(into: IO[bytes], out: IO[bytes], content: bytes, deadline: float) -> bytes:
    """Write ``content`` and read the answer at the same time, so that neither side can block."""
    answer = bytearray()
    left = memoryview(content)
    os.set_blocking(into.fileno(), False)
    os.set_blocking(out.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(into, selectors.EVENT_WRITE)
        selector.register(out, selectors.EVENT_READ)
        while True:
            remaining = deadline - monotonic()
            if remaining <= 0:
                raise _ChildFailed("no answer in time")
            for key, _ in selector.select(remaining):
                if key.fileobj is out:
                    piece = os.read(out.fileno(), _PIECE)
                    if not piece:
                        return bytes(answer)
                    answer += piece
                    if len(answer) > _MAX_ANSWER:
                        raise _ChildFailed("too long an answer")
                    continue
                try:
                    left = left[os.write(into.fileno(), left[:_PIECE]) :]
                except BrokenPipeError:
                    left = left[:0]
                if not left:
                    selector.unregister(into)
                    into.close()


def _end(process: Popen[bytes]) -> None:
    """Leave nothing of the child behind, nor of a group whose leader has ended already."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
