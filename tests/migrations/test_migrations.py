"""The schema goes up, down and up again, on a database with people in it."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

from emk_app.db import migrations, tables
from emk_app.db.engine import connect

assert tables
POSTGRES = os.environ.get("EMK_TEST_DATABASE_URL")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
ROWS = 3
SEARCH_INDEX = "trigrams"
"""In the names of what the search stands on: made by a migration, unknown to the models."""
SHIPPED = "prepared_answers"
"""A table that a migration fills."""

Rows = dict[str, list[dict[str, Any]]]

_numbers = itertools.count(1)


def databases(folder: Path, template: str = "") -> Iterator[str]:
    """Yield addresses of databases on the server under test, empty or copies of ``template``."""
    while True:
        number = next(_numbers)
        if not POSTGRES:
            path = folder / f"{number}.db"
            if template:
                shutil.copyfile(str(make_url(template).database), path)
            yield f"sqlite:///{path}"
            continue
        name = f"emk_migrations_{WORKER}_{number}"
        source = make_url(template).database if template else "template1"
        server = connect(POSTGRES)
        with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {source}"))
        server.dispose()
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def addresses(tmp_path: Path) -> Iterator[str]:
    return databases(tmp_path)


@pytest.fixture(scope="module")
def migrated_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a database that the migrations have made."""
    address = next(databases(tmp_path_factory.mktemp("template")))
    made = connect(address)
    migrations.upgrade(target=made)
    # The last connection to SQLite takes its log into the file.
    made.dispose()
    return address


@pytest.fixture
def migrated_empty(tmp_path: Path, migrated_template: str) -> Iterator[sa.Engine]:
    made = connect(next(databases(tmp_path, migrated_template)))
    yield made
    made.dispose()


def revisions() -> list[str]:
    """Return every revision, oldest first."""
    script = ScriptDirectory.from_config(migrations.config())
    return [each.revision for each in script.walk_revisions()][::-1]


def value_for(column: sa.Column[Any], number: int) -> Any:
    """Return a value that the column takes, another one for each row."""
    if column.foreign_keys:
        return number
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, sa.Enum):
        members = list(kind.enum_class or ())
        return members[number % len(members)]
    values: dict[type, Any] = {
        bool: number % 2 == 0,
        int: number,
        bytes: b"\x00\xff" + bytes([number]),
        datetime: datetime(2026, 1, number, 21, 30, tzinfo=UTC),
        date: date(2026, 1, number),
        str: f"Ё{number}",
    }
    return values[kind.python_type]


def fill(engine: sa.Engine) -> None:
    """Put rows into every table."""
    with engine.begin() as connection:
        connection.execute(sa.delete(SQLModel.metadata.tables[SHIPPED]))
        for table in SQLModel.metadata.sorted_tables:
            rows = [
                {
                    column.name: value_for(column, number)
                    for column in table.columns
                    if not (column.primary_key and column.autoincrement is True)
                }
                for number in range(1, ROWS + 1)
            ]
            connection.execute(sa.insert(table), rows)


def is_ours(table: str) -> bool:
    return table != "alembic_version" and SEARCH_INDEX not in table


def dump(engine: sa.Engine) -> Rows:
    """Return all rows of all tables as the database has them, in the order of their keys."""
    with engine.connect() as connection:
        return {
            table: [
                dict(row._mapping)
                for row in connection.exec_driver_sql(
                    f'SELECT * FROM "{table}" ORDER BY {", ".join(columns)}'
                )
            ]
            for table, columns in keys_of(engine).items()
        }


def keys_of(engine: sa.Engine) -> dict[str, list[str]]:
    """Return the columns of the key of each table."""
    if engine.dialect.name == "sqlite":
        return {table: seen["key"]["constrained_columns"] for table, seen in shape(engine).items()}
    keys = sa.inspect(engine).get_multi_pk_constraint()
    return {
        table: key["constrained_columns"]
        for (_, table), key in keys.items()
        if key and is_ours(table)
    }


def common(one: Rows, other: Rows) -> tuple[Rows, Rows]:
    """Keep the tables and columns that both have."""

    def kept(of: Rows, beside: Rows) -> Rows:
        return {
            table: [
                {
                    name: value
                    for name, value in row.items()
                    if not beside[table] or name in beside[table][0]
                }
                for row in rows
            ]
            for table, rows in of.items()
            if table in beside
        }

    return kept(one, other), kept(other, one)


_shapes: dict[tuple[Any, ...], dict[str, Any]] = {}
"""What SQLite has told of tables, by the statements that it keeps of each."""


def shape(engine: sa.Engine) -> dict[str, Any]:
    """Return what the database says of its tables: columns, keys, indexes with their conditions."""
    if engine.dialect.name != "sqlite":
        return look(engine)
    # It is asked by seven statements for each table, of which a migration changes one or two; all
    # that it answers it reads from what it was told when they were made.
    made: dict[str, tuple[Any, ...]] = {}
    with engine.connect() as connection:
        for table, *told in connection.exec_driver_sql(
            "SELECT tbl_name, type, name, sql FROM sqlite_schema ORDER BY tbl_name, type, name"
        ):
            if is_ours(table):
                made[table] = (*made.get(table, (table,)), *told)
    if unknown := [table for table, told in made.items() if told not in _shapes]:
        _shapes.update({made[table]: seen for table, seen in look(engine, unknown).items()})
    return {table: _shapes[told] for table, told in made.items()}


def look(engine: sa.Engine, names: list[str] | None = None) -> dict[str, Any]:
    """Ask the database for the shape of all tables, or of those with these ``names``."""
    seen = sa.inspect(engine)
    keys = seen.get_multi_pk_constraint(filter_names=names)
    foreign = seen.get_multi_foreign_keys(filter_names=names)
    unique = seen.get_multi_unique_constraints(filter_names=names)
    indexes = seen.get_multi_indexes(filter_names=names)
    return {
        table[1]: {
            "columns": {
                each["name"]: (
                    str(each["type"]),
                    each["nullable"],
                    # A sequence is named after its table; SQLite has none.
                    str(each["default"]).replace("public.", ""),
                )
                for each in columns
            },
            "key": keys[table],
            "foreign": sorted(
                (str(each["name"]), tuple(each["constrained_columns"]), each["referred_table"])
                for each in foreign[table]
            ),
            "unique": sorted(
                (str(each["name"]), tuple(each["column_names"])) for each in unique[table]
            ),
            "indexes": sorted(
                (
                    str(each["name"]),
                    tuple(map(str, each["column_names"])),
                    bool(each["unique"]),
                    str(each.get("dialect_options", {}).get(f"{engine.dialect.name}_where", "")),
                )
                for each in indexes[table]
                if SEARCH_INDEX not in str(each["name"])
            ),
        }
        for table, columns in seen.get_multi_columns(filter_names=names).items()
        if is_ours(table[1])
    }


def test_there_is_one_newest_revision_and_no_branch():
    script = ScriptDirectory.from_config(migrations.config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    assert all(
        not isinstance(each.down_revision, tuple) and len(each.nextrev) <= 1
        for each in script.walk_revisions()
    )


def test_every_revision_can_be_taken_back():
    script = ScriptDirectory.from_config(migrations.config())
    for each in script.walk_revisions():
        assert callable(each.module.downgrade), each.revision


def test_tables_need_nothing_that_the_migrations_do_not_make(migrated_empty: sa.Engine):
    command.check(migrations.config(migrated_empty))


def test_migrations_make_exactly_the_tables(migrated_empty: sa.Engine, addresses: Iterator[str]):
    straight = connect(next(addresses))
    SQLModel.metadata.create_all(straight)
    made, wanted = shape(migrated_empty), shape(straight)
    straight.dispose()
    assert made.keys() == wanted.keys()
    for table in wanted:
        assert made[table] == wanted[table]


def test_partial_indexes_are_partial(migrated_empty: sa.Engine):
    partial = {
        name: where
        for table in shape(migrated_empty).values()
        for name, _, _, where in table["indexes"]
        if where
    }
    assert "draft" in partial["uq_applications_draft"]
    assert "superseded_at IS NULL" in partial["uq_examination_entries_standing"]


def test_upgrade_of_the_newest_changes_nothing(migrated_empty: sa.Engine):
    fill(migrated_empty)
    before = dump(migrated_empty)
    migrations.upgrade(target=migrated_empty)
    assert dump(migrated_empty) == before


def test_all_the_way_down_leaves_no_table(migrated_empty: sa.Engine):
    fill(migrated_empty)
    migrations.downgrade("base", target=migrated_empty)
    assert shape(migrated_empty) == {}


def test_down_to_nothing_and_up_again_on_data(migrated_empty: sa.Engine):
    before = shape(migrated_empty)
    fill(migrated_empty)
    migrations.downgrade("base", target=migrated_empty)
    migrations.upgrade(target=migrated_empty)
    assert shape(migrated_empty) == before
    fill(migrated_empty)


def test_each_step_down_and_up_keeps_the_data_it_does_not_name(
    migrated_empty: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    # A hundred moves, each of which would read all scripts anew.
    scripts = ScriptDirectory.from_config(migrations.config())
    monkeypatch.setattr(ScriptDirectory, "from_config", lambda _: scripts)
    fill(migrated_empty)
    known = [*revisions()[::-1], "base"]
    for upper, lower in pairwise(known):
        schema, rows = shape(migrated_empty), dump(migrated_empty)
        migrations.downgrade(lower, target=migrated_empty)
        low = dump(migrated_empty)
        kept, wanted = common(low, rows)
        assert kept == wanted
        migrations.upgrade(upper, target=migrated_empty)
        assert shape(migrated_empty) == schema
        # What stood below is untouched by the way up; new columns and tables begin empty.
        kept, wanted = common(dump(migrated_empty), low)
        assert kept == wanted
        migrations.downgrade(lower, target=migrated_empty)


def test_rows_of_every_table_survive_a_round_of_the_database(migrated_empty: sa.Engine):
    fill(migrated_empty)
    for table, rows in dump(migrated_empty).items():
        assert len(rows) == ROWS, table


def test_what_ships_as_rows_is_there_before_anybody_writes(migrated_empty: sa.Engine):
    filled = {table for table, rows in dump(migrated_empty).items() if rows}
    assert filled == {SHIPPED}


@pytest.mark.usefixtures("world")
def test_a_schema_of_another_revision_stops_the_start():
    migrations.check_revision()
    migrations.downgrade("base")
    try:
        with pytest.raises(migrations.WrongRevision, match="make migrate"):
            migrations.check_revision()
    finally:
        migrations.upgrade()
    migrations.check_revision()


def test_what_was_handed_in_before_is_given_its_last_day_for_the_papers(migrated_empty: sa.Engine):
    fill(migrated_empty)
    seen = sa.MetaData()
    seen.reflect(migrated_empty)
    made, changes = seen.tables["applications"], seen.tables["status_changes"]
    # Saturday already in Moscow, still Friday in Greenwich.
    submitted = datetime(2026, 11, 20, 22, tzinfo=UTC)
    asked = {"clarification_requested": (1, 23), "corrected": (2, 26)}
    with migrated_empty.begin() as connection:
        connection.execute(sa.update(made).values(submitted_at=submitted))
        for event, (number, day) in asked.items():
            connection.execute(
                sa.update(changes)
                .where(changes.c.id == number)
                .values(application_id=2, event=event, at=datetime(2026, 11, day, 12, tzinfo=UTC))
            )
    migrations.downgrade("2026_11_23_foundation", target=migrated_empty)
    migrations.upgrade(target=migrated_empty)
    with migrated_empty.connect() as connection:
        due = dict(connection.execute(sa.select(made.c.id, made.c.due_on)).all())
    assert due == {1: date(2026, 11, 24), 2: date(2026, 11, 27), 3: date(2026, 11, 24)}
