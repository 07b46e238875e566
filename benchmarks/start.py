"""From a clean clone to the first page, and the second start: ``python -m benchmarks.start``.

Prints one JSON object. Packages come from the network, or from pip's and npm's caches.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.servers import ROOT, free_port

PATIENCE = 600.0


def measure() -> dict[str, float]:
    """Return the seconds of the first start and of the second."""
    with tempfile.TemporaryDirectory(prefix="emk-bench-") as name:
        clone = Path(name) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        return {"first": _run(clone), "second": _run(clone)}


def _run(clone: Path) -> float:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMK_")}
    environment |= {"EMK_PORT": str(port), "EMK_DATA": str(clone / ".data")}
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "run"],
        cwd=clone,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=sys.stderr,
        start_new_session=True,
    )
    try:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() - began > PATIENCE:
                raise RuntimeError("it does not start; what it said is above")
            time.sleep(0.1)
        return time.monotonic() - began
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def main() -> int:
    print(json.dumps(measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
