"""Readings that are hot: a statement compiled once, run on the bare driver.

To build a statement and to make objects of its rows takes SQLAlchemy ten times what the look-up
takes the database, and here the look-up is all there is: who acts, and what a screen follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

import sqlalchemy as sa

from emk_app.db.engine import engine, hot_engine, is_embedded, kept_connection

R = TypeVar("R", bound=tuple[Any, ...])


@contextmanager
def reader() -> Iterator[Any]:
    """Give the driver's connection; each statement reads what is committed when it begins."""
    if is_embedded():
        yield kept_connection().connection.dbapi_connection
    else:
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
    readers: tuple[Callable[[Any], Any] | None, ...]


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
        readers = compiled.readers
        return [
            self._row(
                *[turn(value) if turn else value for turn, value in zip(readers, each, strict=True)]
            )
            for each in answer.fetchall()
        ]

    def _compile(self, dialect: sa.Dialect) -> _Compiled:
        made = self._statement.compile(dialect=dialect)
        readers = tuple(
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in self._statement.selected_columns
        )
        names = made.positiontup if dialect.positional else None
        order = tuple(names) if names is not None else None
        return _Compiled(str(made), order, dict(made.params), readers)
