"""Run migrations with our own engine, metadata and naming."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from emk_app.db import tables
from emk_app.db.engine import engine

assert tables
target = SQLModel.metadata


def run() -> None:
    """Migrate the database of the settings, in one transaction a migration."""
    if context.is_offline_mode():
        raise SystemExit("migrations run against a database, never as a script of SQL")
    connectable = context.config.attributes.get("engine") or engine()
    with connectable.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=target,
            compare_type=True,
            render_as_batch=connection.dialect.name == "sqlite",
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
