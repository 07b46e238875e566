"""What the log says of a fault."""

from __future__ import annotations

import logging

import pytest

from emk_app import incidents


def test_fault_is_logged_on_one_line_by_kind_and_place_without_its_words(
    caplog: pytest.LogCaptureFixture,
):
    try:
        try:
            raise KeyError("112-233-445 95")
        except KeyError as error:
            raise ValueError("Иванова\nнет") from error
    except ValueError as error:
        incident = incidents.note(logging.getLogger("emk.test"), "a test", error)
    (record,) = caplog.records
    said = record.getMessage()
    assert said.startswith(f"incident {incident} at a test: ValueError [")
    assert "from KeyError [" in said
    assert "test_incidents.py:" in said
    assert "\n" not in said
    for private in ("112-233-445 95", "Иванова", "нет"):
        assert private not in said


def test_fault_of_the_database_shows_no_values():
    import sqlalchemy as sa

    from emk_app.db.engine import connect

    with pytest.raises(sa.exc.OperationalError) as failed, connect("sqlite://").connect() as db:
        db.execute(sa.text("SELECT :snils FROM nowhere"), {"snils": "112-233-445 95"})
    assert "112-233-445 95" not in str(failed.value)
