"""Other people's implementations: installed by their lock, and missing never quietly."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emk_app import frontend

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", "judge.mjs")

Judge = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="session")
def judge() -> Judge:
    """Return what asks the judges; fails where they can't be installed."""
    folder = frontend.BUILD / "judges"
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | frontend.node_environment()
    with (frontend.BUILD / "judges.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        _install(folder, environment)

    def ask(asked: dict[str, Any]) -> dict[str, Any]:
        ended = subprocess.run(
            ["node", "judge.mjs"],
            cwd=folder,
            env=environment,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return ask


def _install(folder: Path, environment: dict[str, str]) -> None:
    stamp = folder / "installed"
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    for name in FILES:
        shutil.copy(HERE / name, folder / name)
    shutil.copy(frontend.ROOT / ".npmrc", folder / ".npmrc")
    ended = subprocess.run(
        ["npm", "ci"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"the judges of tests/judges can't be installed:\n{ended.stderr}"
    stamp.write_text(wanted)
