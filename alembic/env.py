"""Run migrations with our own engine, metadata and naming."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import context
from sqlmodel import SQLModel

from emk_app.db import tables
from emk_app.db.engine import engine

assert tables
target = SQLModel.metadata
SEARCH_INDEX = "trigrams"


def run() -> None:
    """Migrate the database of the settings, in one transaction a migration."""
    if context.is_offline_mode():
        raise SystemExit("migrations run against a database, never as a script of SQL")
    connectable = context.config.attributes.get("engine") or engine()
    with connectable.connect() as connection, _foreign_keys_off(connection):
        context.configure(
            connection=connection,
            target_metadata=target,
            compare_type=True,
            include_name=_is_ours,
            render_as_batch=connection.dialect.name == "sqlite",
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether the models speak of it; the index of the search is known to its migration alone."""
    return not (kind in ("table", "index") and name and SEARCH_INDEX in name)


@contextmanager
def _foreign_keys_off(connection: sa.Connection) -> Iterator[None]:
    """Let SQLite put a remade table in the place of one that others refer to.

    It can't be switched within a transaction, and that is open as soon as SQLAlchemy is asked.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        if broken := raw.execute("PRAGMA foreign_key_check").fetchall():
            raise RuntimeError(f"a migration has left references to nothing: {broken[:5]}")
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


run()
