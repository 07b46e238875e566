"""Readings that are hot: a statement compiled once, run on the bare driver.

To build a statement and to make objects of its rows takes SQLAlchemy ten times what the look-up
takes the database, and here the look-up is all there is: who acts, and what a screen follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from emk_app.db.engine import engine, hot_engine, is_embedded, kept_driver

R = TypeVar("R", bound=tuple[Any, ...])


def reader() -> AbstractContextManager[Any]:
    """Give the driver's connection; each statement reads what is committed when it begins."""
    return nullcontext(kept_driver()) if is_embedded() else _borrowed()


@contextmanager
def _borrowed() -> Iterator[Any]:
    connection = hot_engine().raw_connection()
    try:
        yield connection.driver_connection
    finally:
        connection.close()


def together(read: Any) -> AbstractContextManager[object]:
    """Let what is asked within go to the database in one piece; the rows are there at the end."""
    return nullcontext() if is_embedded() else read.pipeline()


class _Compiled(NamedTuple):
    text: str
    names: tuple[str, ...] | None
    """The order of the values, where the driver takes them without names."""
    known: dict[str, Any]
    """What the statement itself says."""
    readers: tuple[tuple[int, Callable[[Any], Any]], ...]
    """By place, of the columns that the driver does not give as they are."""


class Quick(Generic[R]):
    """A statement with bound names, and the named tuple that a row of it becomes.

    The columns come in the order of the tuple's fields. No lists among the values: such a statement
    is another one for each length.
    """

    def __init__(self, row: type[R], statement: sa.Select[*tuple[Any, ...]]) -> None:
        self._row = row
        self._statement = statement
        self._compiled = cache(self._compile)

    def all(self, read: Any, **values: Any) -> list[R]:
        """Return what the statement finds for ``values``, which are of the driver's own types."""
        return self.ask(read, **values)()

    def ask(self, read: Any, **values: Any) -> Callable[[], list[R]]:
        """Put the statement; return what gives the rows (``together``)."""
        compiled = self._compiled(engine().dialect)
        names = compiled.names
        known = compiled.known | values
        given = known if names is None else tuple(known[name] for name in names)
        answer = read.execute(compiled.text, given)
        return lambda: self._rows(compiled, answer)

    def _rows(self, compiled: _Compiled, answer: Any) -> list[R]:
        rows: list[R] = []
        for each in answer.fetchall():
            values = list(each)
            for place, turn in compiled.readers:
                values[place] = turn(values[place])
            rows.append(self._row(*values))
        return rows

    def _compile(self, dialect: sa.Dialect) -> _Compiled:
        made = self._statement.compile(dialect=dialect)
        readers = tuple(
            (place, turn)
            for place, column in enumerate(self._statement.selected_columns)
            if (turn := _reader_of(column.type, dialect)) is not None
        )
        names = made.positiontup if dialect.positional else None
        order = tuple(names) if names is not None else None
        return _Compiled(str(made), order, dict(made.params), readers)


def _reader_of(kind: Any, dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    if isinstance(kind, UTCDateTime) and dialect.name == "sqlite":
        return _moment
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _moment(written: str | None) -> datetime | None:
    """Read what the embedded database keeps of a moment: UTC, without saying so."""
    return None if written is None else datetime.fromisoformat(written + "+00:00")
