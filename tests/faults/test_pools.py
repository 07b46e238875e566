"""The connections to PostgreSQL: asked whether they are there, in a transaction only to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from deploy.cluster import database
from emk_app.db import engine
from emk_app.db.quick import reader
from tests.faults.test_away import until

PID = "SELECT pg_backend_pid()"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with database() as given:
        yield given


@pytest.fixture
def main(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    made = engine.connect(url)
    monkeypatch.setattr(engine, "engine", lambda: made)
    yield made
    made.dispose()


@pytest.fixture
def beside(url: str) -> Iterator[Any]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


def read_pid() -> int:
    with engine.reading() as db:
        return db.execute(sa.text(PID)).scalar_one()


def hot_pid() -> int:
    with reader() as read:
        return read.execute(PID).fetchone()[0]


def states(beside: Any) -> set[str]:
    found = beside.execute(
        "SELECT state FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    return {state for (state,) in found.fetchall()}


def test_reading_is_in_no_transaction(main: sa.Engine, beside: Any):
    with engine.reading() as db, reader() as read:
        db.execute(sa.text(PID))
        read.execute(PID)
        assert states(beside) == {"idle"}


def test_writing_is_in_one_also_after_a_reading(main: sa.Engine, beside: Any):
    before = read_pid()
    with pytest.raises(ZeroDivisionError), engine.unit_of_work() as db:
        assert db.execute(sa.text(PID)).scalar_one() == before
        db.execute(sa.text("CREATE TABLE lost (id int)"))
        assert states(beside) == {"idle in transaction"}
        _ = 1 / 0
    assert beside.execute("SELECT to_regclass('lost')").fetchone() == (None,)


def test_bare_unit_of_work_is_whole_or_not_at_all(main: sa.Engine, beside: Any):
    beside.execute("LISTEN emk")
    with pytest.raises(ZeroDivisionError), engine.bare_unit_of_work() as (run, topics):
        run("CREATE TABLE lost (id int)")
        topics.add("lost")
        _ = 1 / 0
    with pytest.raises(psycopg.errors.UndefinedTable), engine.bare_unit_of_work() as (run, topics):
        topics.add("lost")
        run("CREATE TABLE lost (id int)")
        run("INSERT INTO nowhere VALUES (1)")
    with engine.bare_unit_of_work() as (run, topics):
        run("CREATE TABLE kept (id int)")
        run("INSERT INTO kept VALUES (%s)", (7,))
        assert run("SELECT id FROM kept").fetchall() == [(7,)]
        topics.add("kept")
    told = [each.payload for each in beside.notifies(timeout=5, stop_after=1)]
    assert [word.split()[1:] for word in told] == [["kept"]]
    found = beside.execute("SELECT to_regclass('lost'), to_regclass('kept')").fetchone()
    assert found == (None, "kept")
    beside.execute("DROP TABLE kept")


def test_connection_that_the_server_closed_is_replaced(
    main: sa.Engine, beside: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engine, "TRUSTED", 0.0)
    before = read_pid(), hot_pid()
    assert (read_pid(), hot_pid()) == before
    for pid in before:
        assert beside.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,)).fetchone() == (True,)
    after = read_pid(), hot_pid()
    assert not set(before) & set(after)


def test_connection_that_broke_in_use_is_not_used_again(main: sa.Engine, beside: Any):
    def end(pid: int) -> None:
        assert beside.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,)).fetchone() == (True,)

    before = hot_pid()
    end(before)
    # It was just used, and counts as there.
    with pytest.raises(psycopg.OperationalError):
        hot_pid()
    assert hot_pid() != before
    before = read_pid()
    end(before)
    with pytest.raises(OperationalError):
        read_pid()
    assert read_pid() != before


def test_plans_are_kept_of_hot_statements_alone(main: sa.Engine):
    with engine.reading() as db, reader() as read:
        asked = "SHOW plan_cache_mode"
        assert db.execute(sa.text(asked)).scalar_one() == "force_custom_plan"
        assert read.execute(asked).fetchone() == ("auto",)


def test_hot_connections_are_closed_with_the_others(main: sa.Engine, beside: Any):
    assert read_pid() != hot_pid()
    assert states(beside) == {"idle"}
    main.dispose()
    until(lambda: not states(beside), "both are closed")
