"""What is born warm is what a process begun anew would be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.nursery import Child, nursery

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "EMK_ENV": "test",
    "EMK_PORT": "8123",
    "EMK_ORIGIN": "http://localhost:8123",
}


def told(code: str, environment: dict[str, str]) -> tuple[Child, str]:
    """Return the child that ran a piece of code, and what it printed."""
    read, write = os.pipe()
    with open(os.devnull, "rb") as nothing, open(read, encoding="utf-8") as said:
        child = nursery().code(code, environment=environment, given=nothing, output=write)
        os.close(write)
        return child, said.read()


def test_child_has_its_own_environment_and_settings_and_leads_its_session(tmp_path: Path):
    code = """
import json, os
from emk_app.settings import settings
ours = settings()
print(json.dumps([dict(os.environ), ours.port, str(ours.data), os.getsid(0), os.getpid()]))
"""
    mine = ENVIRONMENT | {"EMK_DATA": str(tmp_path)}
    child, said = told(code, mine)
    environment, port, data, session, pid = json.loads(said)
    assert environment == mine
    assert (port, data) == (8123, str(tmp_path))
    assert session == pid == child.pid
    assert child.wait(20) == 0


def test_children_draw_different_lots():
    code = "import random, secrets; print(random.random(), secrets.token_hex(8))"
    said = [told(code, ENVIRONMENT)[1].split() for _ in range(3)]
    assert len({word for words in said for word in words}) == 6


def test_child_ends_with_a_status_as_any_process_does():
    assert told("raise SystemExit(3)", ENVIRONMENT)[0].wait(20) == 3
    child, said = told("import os; print('so far'); os.kill(os.getpid(), 9)", ENVIRONMENT)
    assert (child.wait(20), said) == (-signal.SIGKILL, "so far\n")


def test_who_does_not_end_is_not_waited_for_forever():
    with open(os.devnull, "rb") as nothing:
        child = nursery().code(
            "import time; time.sleep(600)", environment=ENVIRONMENT, given=nothing, output=2
        )
    assert child.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.05)
    child.kill()
    assert child.wait(20) == -signal.SIGKILL


def test_command_line_says_what_it_says_when_begun_anew():
    read, write = os.pipe()
    with open(read, encoding="utf-8") as said:
        child = nursery().module("emk_app.cli", "nonsense", environment=ENVIRONMENT, output=write)
        os.close(write)
        printed = said.read()
    assert child.wait(20) == 2
    assert printed.startswith("usage: ") and "nonsense" in printed
