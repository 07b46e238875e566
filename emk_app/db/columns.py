"""Column types shared by the tables.

Times are plain ``datetime`` fields: SQLModel stores and returns them aware, in UTC. Columns whose
name ends in ``_sealed`` hold sealed bytes: personal values never stand in clear (D40).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

# Every constraint has a name, so that a later migration can drop it on any database.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""An identity that SQLite can count up and PostgreSQL will not run out of."""


def identity() -> Any:
    """Return a primary key that the database counts up."""
    return Field(default=None, primary_key=True, sa_type=BIG)  # pyright: ignore[reportArgumentType]


def reference(target: str, **more: Any) -> Any:
    """Return an indexed foreign key to ``target`` ("table.column")."""
    more.setdefault("index", True)
    return Field(foreign_key=target, sa_type=BIG, **more)  # pyright: ignore[reportArgumentType]


def choice(kind: type[StrEnum], **more: Any) -> Any:
    """Return a column that stores the enum's value, not its name."""
    return Field(
        sa_type=sa.Enum(  # pyright: ignore[reportArgumentType]
            kind,
            values_callable=lambda members: [member.value for member in members],
            native_enum=False,
            create_constraint=False,
            length=32,
        ),
        **more,
    )
