"""What ``make run`` does once all is installed and built: ready the data, then serve.

One process, because each import of the product costs a second: ``python -m emk_app.start``.
"""

from __future__ import annotations

import sys
from time import monotonic
from typing import Final

from emk_app import cli, frontend
from emk_app.db.engine import engine

BEFORE_SERVING: Final = (("db", "upgrade"), ("keys",), ("seed",))


def main() -> int:
    """Run the commands one after another and serve; return the exit code of the first to fail."""
    for command in BEFORE_SERVING:
        from_then = monotonic()
        if code := cli.main(command):
            return code
        print(f"==> {' '.join(command)} took {monotonic() - from_then:.1f} s", file=sys.stderr)
    # The server's worker is forked from here and must not share these connections.
    engine().dispose()
    engine.cache_clear()
    sys.stdout.flush()
    frontend.serve()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
