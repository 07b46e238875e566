"""What the running process may and does: nobody reads what it writes, and it calls nobody."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from emk_app import frontend, hardening
from emk_app.settings import Environment, settings
from tests.e2e.wire import LOAD, Wire
from tests.faults.test_kills import BACKSTAGE, Applicant
from tests.running import CHAIR, ROOT, Server

OURS = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", b"localhost", b"127.0.0.1"})
"""Where a process that was told of no gateway may connect to: itself."""


@pytest.fixture(scope="module")
def server(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server whose connections are written down, through a story that sends letters."""
    folder = tmp_path_factory.mktemp("server")
    started = Server(folder, prepared)
    started.is_anew = True
    started.data.chmod(0o755)
    started.more = {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent / 'watching'}",
        "EMK_WATCHED_CONNECTIONS": str(folder / "connections"),
    }
    started.start()
    clinic = started.clinic_of(CHAIR)
    (user_id,) = started.ask(f"{BACKSTAGE}:settle_people", 1)
    (number,) = started.ask(f"{BACKSTAGE}:drafts", [user_id], clinic)
    applicant = Applicant(started, user_id, number)
    applicant.act()
    applicant.wire.wait(lambda: applicant.is_told)
    applicant.wire.close()
    with Wire(started, started.cookie_of(CHAIR)) as wire:
        wire.call(LOAD, path="/clinic")
        wire.state()
    for path in ("/", "/login", "/check", "/guide"):
        assert httpx.get(started.origin + path).status_code == 200
    started.settle()
    yield started
    started.close()


def processes(server: Server) -> list[int]:
    """Return the server and its children."""
    assert server._process is not None
    first = server._process.pid
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]


def test_product_connects_to_nobody_that_it_was_not_told_of(server: Server):
    lines = (server.folder / "connections").read_text(encoding="utf-8").splitlines()
    said = [line.partition(" ") for line in lines]
    places = {ast.literal_eval(place) for _, _, place in said}
    foreign = {
        each
        for each in places
        # A path is a socket of this machine; no place at all is any of ours, to listen at.
        if each not in OURS and each is not None and not str(each).startswith("/")
    }
    assert foreign == set()


def test_watch_sees_a_connection_to_elsewhere(tmp_path: Path):
    code = (
        "import socket, contextlib\n"
        "with contextlib.suppress(OSError):\n"
        "    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))\n"
    )
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parent / "watching"),
        "EMK_WATCHED_CONNECTIONS": str(tmp_path / "connections"),
    }
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert "192.0.2.1" in (tmp_path / "connections").read_text(encoding="utf-8")


def test_framework_is_told_to_report_nothing():
    assert frontend.QUIET["REFLEX_TELEMETRY_ENABLED"] == "false"
    assert frontend.QUIET["REFLEX_CHECK_LATEST_VERSION"] == "false"
    assert "telemetry_enabled=False" in (ROOT / "rxconfig.py").read_text(encoding="utf-8")


def test_nobody_else_reads_what_the_server_writes(server: Server):
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    written = [path for path in server.data.rglob("*") if path.is_file()]
    assert written
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_no_process_of_the_server_leaves_its_memory_behind(server: Server):
    for process in processes(server):
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
        assert "Umask:\t0077" in status
        limits = Path(f"/proc/{process}/limits").read_text(encoding="ascii")
        (core,) = [line for line in limits.splitlines() if line.startswith("Max core file size")]
        assert core.split()[4:6] == ["0", "0"]


def test_server_listens_on_this_machine_alone(server: Server):
    port = f":{server.port:04X}"
    table = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    places = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [each for each in places if each.endswith(port)] == [f"0100007F{port}"]


def test_memory_can_not_be_dumped_and_files_are_for_their_owner_alone(tmp_path: Path):
    code = (
        "import ctypes, os, resource\n"
        "from emk_app import hardening\n"
        "hardening.close_to_others()\n"
        "assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0\n"
        "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\n"
        f"open({str(tmp_path / 'made')!r}, 'w').close()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600


def test_folder_that_others_may_read_is_closed_to_them(tmp_path: Path):
    open_one = tmp_path / "open"
    open_one.mkdir(mode=0o755)
    for folder in (open_one, tmp_path / "deep" / "new"):
        hardening.make_private(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_production_is_not_served_by_root(monkeypatch: pytest.MonkeyPatch):
    production = replace(settings(), environment=Environment.PRODUCTION)
    monkeypatch.setattr(frontend, "settings", lambda: production)
    monkeypatch.setattr(hardening.os, "geteuid", lambda: 0)
    with pytest.raises(SystemExit, match="a user of its own"):
        frontend.check_user()
    monkeypatch.setattr(hardening.os, "geteuid", lambda: 1000)
    frontend.check_user()
