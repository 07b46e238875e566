"""What is done before serving leaves nothing behind that a forked worker would wait for."""

from __future__ import annotations

import subprocess
import sys

PAPER = """
import os, signal, sys
from emk_app import cli, start
from emk_app.presenting import consent_form

cli.main = lambda command: 0 if consent_form.blank() and command == ("seed",) else 1
assert start._apart(("seed",)) == 0
assert start._apart(("keys",)) == 1
worker = os.fork()
if worker == 0:
    signal.alarm(60)
    os._exit(0 if consent_form.filled({}).startswith(b"%PDF-") else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
"""


def test_worker_that_is_forked_after_the_commands_sets_a_paper() -> None:
    done = subprocess.run([sys.executable, "-c", PAPER], check=False, timeout=120)
    assert done.returncode == 0
