from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emk_app.storage.antivirus import (
    Clamd,
    Clean,
    Infected,
    NoScanner,
    Unavailable,
    Verdict,
    require_clean,
    scanner_at,
)
from emk_app.storage.errors import ScanCheckUnavailable, ScanInfected

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
Peer = Callable[[socket.socket], None]
Serve = Callable[[Peer], str]


def received(peer: socket.socket) -> bytes:
    """Read one INSTREAM command to its end, as clamd does."""
    file = peer.makefile("rb")
    assert file.read(10) == b"zINSTREAM\0"
    content = b""
    while length := struct.unpack("!I", file.read(4))[0]:
        content += file.read(length)
    return content


def clamd(peer: socket.socket) -> None:
    """Answer like clamd with one signature."""
    found = EICAR in received(peer)
    peer.sendall(b"stream: Eicar-Test-Signature FOUND\0" if found else b"stream: OK\0")


def answering(reply: bytes) -> Peer:
    def peer(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(reply)

    return peer


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that treats its next connection as told; returns its address."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(peer: Peer) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def once() -> None:
            connection, _ = listener.accept()
            with connection:
                peer(connection)

        threads.append(threading.Thread(target=once))
        threads[-1].start()
        return f"tcp:127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join(timeout=10)
    for listener in listeners:
        listener.close()


def verdict(address: str, content: bytes = b"scan", seconds: float = 5) -> Verdict:
    return Clamd(address, seconds).check(content)


def test_infected_file_is_refused_by_its_name(serve: Serve) -> None:
    with pytest.raises(ScanInfected) as refusal:
        require_clean(Clamd(serve(clamd)), b"%PDF-" + EICAR)
    assert refusal.value.name == "Eicar-Test-Signature"


def test_mark_across_two_pieces_is_found(serve: Serve) -> None:
    assert verdict(serve(clamd), bytes(64 * 1024 - 10) + EICAR) == Infected("Eicar-Test-Signature")


def test_no_scanner_where_one_is_configured_means_no_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for address in (f"tcp:127.0.0.1:{port}", f"unix:{tmp_path}/none.ctl"):
        with pytest.raises(ScanCheckUnavailable):
            require_clean(scanner_at(address), b"scan")


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\0",
        b"OK\0",
        b"stream: OK",
        b"stream: OK\n",
        b"stream: OK\0stream: OK\0",
        b"stream: O",
        b"INSTREAM size limit exceeded. ERROR\0",
        b"stream: lstat() failed ERROR\0",
        b"UNKNOWN COMMAND\0",
        b"stream: " + b"a" * 5000 + b" FOUND",
    ],
)
def test_any_other_answer_is_no_verdict(serve: Serve, reply: bytes) -> None:
    assert isinstance(verdict(serve(answering(reply))), Unavailable)


def test_scanner_that_hangs_up_is_no_verdict(serve: Serve) -> None:
    assert isinstance(verdict(serve(lambda peer: None), bytes(5_000_000)), Unavailable)


def test_scanner_that_is_silent_is_no_verdict(serve: Serve) -> None:
    ended = threading.Event()

    def silent(peer: socket.socket) -> None:
        received(peer)
        ended.wait(10)

    assert isinstance(verdict(serve(silent), seconds=0.3), Unavailable)
    ended.set()


def test_scanner_that_does_not_read_is_no_verdict(serve: Serve) -> None:
    ended = threading.Event()

    def deaf(peer: socket.socket) -> None:
        ended.wait(10)

    assert isinstance(verdict(serve(deaf), bytes(20_000_000), 0.3), Unavailable)
    ended.set()


def test_name_of_a_virus_is_made_printable(serve: Serve) -> None:
    found = verdict(serve(answering(b"stream: a\r\n\x1b[31m\xff FOUND\0")))
    assert found == Infected("a???[31m?")


@pytest.mark.parametrize("content", [b"", b"scan", bytes(5_000_000)])
def test_clean_file_passes(serve: Serve, content: bytes) -> None:
    require_clean(Clamd(serve(clamd)), content)


def test_scanner_behind_a_local_socket_is_asked_too(tmp_path: Path) -> None:
    path = tmp_path / "clamd.ctl"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def once() -> None:
            connection, _ = listener.accept()
            with connection:
                clamd(connection)

        thread = threading.Thread(target=once)
        thread.start()
        assert verdict(f"unix:{path}", EICAR) == Infected("Eicar-Test-Signature")
        thread.join()


def test_without_a_scanner_everything_passes() -> None:
    for address in (None, ""):
        scanner = scanner_at(address)
        assert isinstance(scanner, NoScanner)
        assert scanner.check(EICAR) == Clean()


@pytest.mark.parametrize(
    "address",
    ["clamav", "tcp:", "tcp:host", "tcp:host:", "tcp:host:0", "tcp:host:99999", "unix:", "unix:a"],
)
def test_bad_address_stops_the_start(address: str) -> None:
    with pytest.raises(ValueError):
        scanner_at(address)
