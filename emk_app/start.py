"""What ``make run`` does once all is installed and built: ready the data, then serve.

One start of Python, because each import of the product costs a second: ``python -m emk_app.start``.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from multiprocessing import get_context
from time import monotonic
from typing import Final

# What is imported stays, and the collector would go through it again and again: a second of five.
gc.disable()

from emk_app import cli, frontend  # noqa: E402

BEFORE_SERVING: Final = (("db", "upgrade"), ("keys", "check"), ("seed",))


def main() -> int:
    """Run the commands one after another and serve; return the exit code of the first to fail."""
    code = _apart(*BEFORE_SERVING, meanwhile=frontend.import_application)
    if not code:
        frontend.serve()
    return code


def _apart(*commands: tuple[str, ...], meanwhile: Callable[[], None] = lambda: None) -> int:
    """Run commands in a child, something else here ``meanwhile``; return the child's exit code.

    The server's worker is forked from here. Connections and the threads of libraries, typst's among
    them, do not live through a fork: whoever waits for them in the worker waits for ever.
    """
    sys.stdout.flush()
    child = get_context("fork").Process(target=_end_with, args=(commands,))
    child.start()
    try:
        meanwhile()
    finally:
        child.join()
    return child.exitcode or 0


def _end_with(commands: tuple[tuple[str, ...], ...]) -> None:
    gc.enable()
    for command in commands:
        since = monotonic()
        if code := cli.main(command):
            raise SystemExit(code)
        print(f"==> {' '.join(command)} took {monotonic() - since:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
