"""Loaded by the Makefile (``-p tests.noskip``): a skipped test fails the run."""

from __future__ import annotations

import pytest


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or session.exitstatus != pytest.ExitCode.OK:
        return
    left_out = [*reporter.stats.get("skipped", []), *reporter.stats.get("deselected", [])]
    if left_out:
        reporter.write_line(f"{len(left_out)} tests were left out", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
