"""What ``make run`` does once all is installed and built: ready the data, then serve.

One start of Python, because each import of the product costs a second: ``python -m emk_app.start``.
"""

from __future__ import annotations

import sys
from multiprocessing import get_context
from time import monotonic
from typing import Final

from emk_app import cli, frontend

BEFORE_SERVING: Final = (("db", "upgrade"), ("keys", "check"), ("seed",))


def main() -> int:
    """Run the commands one after another and serve; return the exit code of the first to fail."""
    for command in BEFORE_SERVING:
        from_then = monotonic()
        if code := _apart(command):
            return code
        print(f"==> {' '.join(command)} took {monotonic() - from_then:.1f} s", file=sys.stderr)
    frontend.serve()
    return 0


def _apart(command: tuple[str, ...]) -> int:
    """Run a command in a child; return its exit code.

    The server's worker is forked from here. Connections and the threads of libraries, typst's among
    them, do not live through a fork: whoever waits for them in the worker waits for ever.
    """
    sys.stdout.flush()
    child = get_context("fork").Process(target=_end_with, args=(command,))
    child.start()
    child.join()
    return child.exitcode or 0


def _end_with(command: tuple[str, ...]) -> None:
    raise SystemExit(cli.main(command))


if __name__ == "__main__":
    raise SystemExit(main())
