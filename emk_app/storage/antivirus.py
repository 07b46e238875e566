"""The virus scanner, an optional part that fails closed where it is configured (D42)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

from emk_app.storage.errors import ScanCheckUnavailable, ScanInfected

CONNECT_SECONDS: Final = 2.0
TOTAL_SECONDS: Final = 20.0

_PIECE: Final = 64 * 1024
_LONGEST_REPLY: Final = 1024
_LONGEST_NAME: Final = 100
_LENGTH: Final = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Clean:
    """Nothing known was found, or no scanner is configured."""


@dataclass(frozen=True, slots=True)
class Infected:
    """The scanner knows the file."""

    name: str
    """The scanner's name for it, printable ASCII."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The scanner gave no verdict; ``reason`` is for the log."""

    reason: str


Verdict = Clean | Infected | Unavailable


class Scanner(Protocol):
    """Whoever can tell an infected file."""

    def check(self, content: bytes) -> Verdict:
        """Return the verdict on a file; never raises for want of one."""
        ...


class NoScanner:
    """None is configured: the other checks stand alone."""

    def check(self, content: bytes) -> Verdict:
        """Pass everything."""
        return Clean()


class Clamd:
    """ClamAV's daemon, spoken to by INSTREAM (clamd(8)): the file goes over the socket."""

    def __init__(self, address: str, total_seconds: float = TOTAL_SECONDS) -> None:
        """Take ``tcp:host:port`` or ``unix:/path``; raise ``ValueError`` for anything else."""
        self._connect = _connector(address)
        self._total_seconds = total_seconds

    def check(self, content: bytes) -> Verdict:
        """Return clamd's verdict; every way of not getting one is ``Unavailable``."""
        deadline = monotonic() + self._total_seconds
        try:
            with self._connect() as peer:
                try:
                    for piece in _instream(content):
                        peer.settimeout(_left(deadline))
                        peer.sendall(piece)
                except (BrokenPipeError, ConnectionResetError):
                    # Over its own size limit clamd answers and hangs up: the answer says why.
                    pass
                reply = _reply(peer, deadline)
        except OSError as error:
            return Unavailable(type(error).__name__)
        return _verdict(reply)


def scanner_at(address: str | None) -> Scanner:
    """Return the scanner at this address, or the one that passes everything if there is none."""
    return Clamd(address) if address else NoScanner()


def require_clean(scanner: Scanner, content: bytes) -> None:
    """Raise ``ScanInfected``, or ``ScanCheckUnavailable`` if there is no verdict."""
    match scanner.check(content):
        case Clean():
            return
        case Infected(name):
            raise ScanInfected(name)
        case Unavailable(reason):
            raise ScanCheckUnavailable(reason)


def _connector(address: str) -> Callable[[], socket.socket]:
    scheme, _, rest = address.partition(":")
    if scheme == "unix" and rest.startswith("/"):
        return lambda: _connect_unix(rest)
    host, _, port = rest.rpartition(":")
    if scheme == "tcp" and host and port.isascii() and port.isdecimal() and 0 < int(port) < 65536:
        peer = (host.removeprefix("[").removesuffix("]"), int(port))
        return lambda: socket.create_connection(peer, timeout=CONNECT_SECONDS)
    raise ValueError("must be like tcp:127.0.0.1:3310 or unix:/run/clamav/clamd.ctl")


def _connect_unix(path: str) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.settimeout(CONNECT_SECONDS)
        peer.connect(path)
    except BaseException:
        peer.close()
        raise
    return peer


def _instream(content: bytes) -> Iterator[bytes]:
    yield b"zINSTREAM\0"
    for start in range(0, len(content), _PIECE):
        piece = content[start : start + _PIECE]
        yield _LENGTH.pack(len(piece)) + piece
    yield _LENGTH.pack(0)


def _reply(peer: socket.socket, deadline: float) -> bytes:
    reply = b""
    while not reply.endswith(b"\0") and len(reply) <= _LONGEST_REPLY:
        peer.settimeout(_left(deadline))
        piece = peer.recv(_LONGEST_REPLY)
        if not piece:
            break
        reply += piece
    return reply


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _verdict(reply: bytes) -> Verdict:
    """Read ``stream: OK`` or ``stream: <name> FOUND``, whole and ended; nothing else is a pass."""
    if reply == b"stream: OK\0":
        return Clean()
    if reply.startswith(b"stream: ") and reply.endswith(b" FOUND\0"):
        name = reply[len(b"stream: ") : -len(b" FOUND\0")].decode("ascii", "replace")
        shown = "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in name)
        return Infected(shown[:_LONGEST_NAME])
    return Unavailable("no verdict in the answer")
