"""The stage of the faults: a server of the module's own, to be killed and started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Server


@pytest.fixture(scope="module")
def server(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server; at the end its log must be clean."""
    started = Server(tmp_path_factory.mktemp("server"), prepared)
    # Of the applicant that tests/factories.py makes up.
    started.keep_private("Иванова", "Ильинка", "112-233-445 95", "11223344595")
    started.start()
    yield started
    started.check_alive()
    started.close()
    started.check_log()
