"""Bring the schema up or down by the scripts in ``alembic/`` (D39)."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from emk_app.db.engine import engine

SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"


class WrongRevision(RuntimeError):
    """The database's schema is not the one this code was written for."""

    def __init__(self, found: str | None, wanted: str | None) -> None:
        super().__init__(f"schema is {found}, this code needs {wanted}: run `make migrate`")


def config(target: sa.Engine | None = None) -> Config:
    """Return alembic's configuration; no file, the database comes from the settings."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    made.attributes["engine"] = target or engine()
    return made


def upgrade(revision: str = "head", target: sa.Engine | None = None) -> None:
    """Bring the schema up to ``revision``."""
    command.upgrade(config(target), revision)


def downgrade(revision: str, target: sa.Engine | None = None) -> None:
    """Bring the schema down to ``revision``."""
    command.downgrade(config(target), revision)


def head() -> str | None:
    """Return the newest known revision."""
    return ScriptDirectory.from_config(config()).get_current_head()


def check_revision() -> None:
    """Raise ``WrongRevision`` unless the schema is exactly the newest known one."""
    wanted = head()
    with engine().connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != wanted:
        raise WrongRevision(found, wanted)
