"""Tries to get round the service are noted, by a pseudonym, and not by the thousand."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from emk_app import attempts, figures


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    attempts.lines.forget()
    yield
    attempts.lines.forget()


def counted(kind: str) -> float:
    return figures.REGISTRY.get_sample_value("emk_attempts_total", {"kind": kind}) or 0.0


def test_try_is_named_by_kind_place_and_a_source_that_stays_the_same(
    caplog: pytest.LogCaptureFixture,
):
    attempts.note("foreign_origin", "203.0.113.7")
    attempts.note("unknown_host", "203.0.113.7", "page")
    first, second = caplog.messages
    known = re.fullmatch(r"attempt foreign_origin by ([0-9a-f]{8})", first)
    assert known and second == f"attempt unknown_host by {known[1]} at page"
    assert "203.0.113" not in caplog.text


def test_flood_costs_one_line_and_is_counted_whole(caplog: pytest.LogCaptureFixture):
    before = counted("made_up_event")
    for _ in range(500):
        attempts.note("made_up_event", "203.0.113.7")
    assert len(caplog.messages) == 1
    assert counted("made_up_event") == before + 500


def test_many_sources_fill_no_log_and_the_next_minute_is_noted_again():
    lines = attempts.lines
    taken = [lines.take("x", str(source), 0.0) for source in range(attempts.LINES_A_PAUSE + 50)]
    assert sum(taken) == attempts.LINES_A_PAUSE
    assert not lines.take("x", "0", attempts.PAUSE - 1)
    assert lines.take("x", "0", attempts.PAUSE)
