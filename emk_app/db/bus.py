"""How what one process commits reaches the watchers of all the others.

On PostgreSQL the word is a ``NOTIFY`` inside the transaction: it leaves exactly at the commit, to
one ``LISTEN`` in each process. Processes on one embedded database, as the command line beside the
server, send it to each other's socket in the data folder after the commit. A word says which topics
have changed and never what: a watcher reads afresh, so two words are as good as one, and whoever
may have missed some is told of everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy.engine import make_url
from sqlmodel import Session

from emk_app import incidents
from emk_app.db import changes
from emk_app.settings import settings

log = logging.getLogger("emk.bus")

CHANNEL: Final = "emk"
LONGEST: Final = 7900
"""Bytes of one word; PostgreSQL takes less than 8000."""
MOST: Final = 1000
"""Topics that are named one by one; a transaction that changes more has changed everything."""
BEAT: Final = 1.0
"""Seconds after which a silent connection is asked whether it is still there."""
PATIENCE: Final = 5.0
"""Seconds within which it answers, or is dead; under a heavy load answers are slow."""
PAUSES: Final = (0.1, 3.0)
"""Seconds between two tries to connect, the shortest and the longest."""
HANDS: Final = 0.2
"""Seconds for which a full socket of another process is waited for."""

_token: Final = secrets.token_hex(6)
_listening = threading.Event()


def is_listening() -> bool:
    """Whether this process hears what others commit."""
    return _listening.is_set()


def tell_within(session: Session) -> None:
    """Tell other processes of this transaction's topics, if it commits and when it does."""
    topics = changes.announced(session)
    if topics and _is_postgres(session):
        tell_by(session.connection().exec_driver_sql, topics)


def tell_by(run: Callable[[str, tuple[str, str]], object], topics: Iterable[str]) -> None:
    """The same by what runs a statement of PostgreSQL's driver within the transaction."""
    for word in words(topics):
        run("SELECT pg_notify(%s, %s)", (CHANNEL, word))


def tell_after(session: Session) -> None:
    """Tell the watchers of this process, and others where the database does not, of a commit."""
    topics = changes.announced(session)
    if not _is_postgres(session):
        tell_here(topics)
    elif topics:
        changes.publish(topics)


def tell_here(topics: set[str]) -> None:
    """Tell of a commit to the embedded database."""
    if topics:
        changes.publish(topics)
        _send(words(topics))


def words(topics: Iterable[str]) -> list[str]:
    """Return what is sent of ``topics``: who speaks, then the topics, in as few words as it takes.

    Topics are names and numbers of our own, without spaces and without anything about people.
    """
    named = sorted(topics)
    if len(named) > MOST:
        named = [changes.EVERYTHING]
    said: list[str] = []
    for topic in named:
        if not said or len(f"{said[-1]} {topic}".encode()) > LONGEST:
            said.append(_me())
        said[-1] += f" {topic}"
    return said


def hear(word: str) -> None:
    """Wake this process's watchers of what another one has committed."""
    speaker, _, topics = word.partition(" ")
    if speaker != _me():
        changes.publish(topics.split())


async def listen() -> None:
    """Hear what other processes commit, for ever; whatever may have been missed is told after."""
    if make_url(settings().database_url).get_backend_name() == "sqlite":
        await _listen_at_socket()
    else:
        await _listen_to_postgres()


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _me() -> str:
    # A worker forked from here has the same token, and one on another machine may have the same
    # number.
    return f"{_token}.{os.getpid()}"


async def _listen_to_postgres() -> None:
    url = make_url(settings().database_url)
    _, given = url.get_dialect()().create_connect_args(url)
    shortest, longest = PAUSES
    pause = shortest
    while True:
        try:
            async with await _connect(given) as connection:
                await _hear_all(connection)
        except Exception as error:
            if pause == shortest:
                log.warning("not listening to the database: %s", incidents.trace(error))
            if _listening.is_set():
                pause = shortest
        finally:
            _listening.clear()
        # Not all processes at one moment.
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        pause = min(pause * 2, longest)


async def _connect(given: Mapping[str, Any]) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(
        # Milliseconds: a cable that is cut is noticed though nothing says so.
        **{"connect_timeout": 5, "tcp_user_timeout": 2000, **given},
        autocommit=True,
        application_name="emk listening",
    )


async def _hear_all(connection: psycopg.AsyncConnection[Any]) -> None:
    """Hear until the connection is lost, which raises."""
    await connection.execute(f"LISTEN {CHANNEL}")
    _listening.set()
    changes.publish([changes.EVERYTHING])
    while True:
        async for each in connection.notifies(timeout=BEAT):
            hear(each.payload)
        # A machine that is gone closes nothing: only asking tells (D11).
        async with asyncio.timeout(PATIENCE):
            await connection.execute("SELECT 1")


async def _listen_at_socket() -> None:
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = str(os.getpid())
    (folder / name).unlink(missing_ok=True)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.setblocking(False)
        try:
            with _near(folder) as near:
                ear.bind(f"{near}/{name}")
        except OSError as error:
            # Nobody else serves; what the command line does is seen at the next look.
            log.warning("no socket in the data folder: %s", incidents.trace(error))

        def take() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    hear(ear.recv(LONGEST + 100).decode())

        loop.add_reader(ear, take)
        _listening.set()
        try:
            await loop.create_future()
        finally:
            _listening.clear()
            loop.remove_reader(ear)
            (folder / name).unlink(missing_ok=True)


def _send(said: list[str]) -> None:
    """Put words into the sockets of the other processes on this data folder."""
    folder = _folder()
    try:
        names = [name for name in os.listdir(folder) if name != str(os.getpid())]
    except FileNotFoundError:
        return
    if not names:
        return
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth,
        _near(folder) as near,
    ):
        mouth.settimeout(HANDS)
        for name in names:
            try:
                for word in said:
                    mouth.sendto(word.encode(), f"{near}/{name}")
            except ConnectionRefusedError:
                # It ended without tidying up.
                (folder / name).unlink(missing_ok=True)
            except OSError as error:
                log.warning("another process was not told: %s", incidents.trace(error))


def _folder() -> Path:
    return settings().data / "bus"


@contextmanager
def _near(folder: Path) -> Iterator[str]:
    """Give a short name of the folder: the path of a socket may have 107 characters at most."""
    short = Path("/proc/self/fd")
    if not short.is_dir():
        yield str(folder)
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(short / str(opened))
    finally:
        os.close(opened)
