"""What a test begins from: an empty database, or a scene that was built once and is put back.

A fixture that is ``kept`` is built once for all tests of its file that come to it by the same way;
the others get what it returned and a copy of the database as it left it. A test that asks for
several of them, each upon the one before, is given the copy of the last.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, ParamSpec, Protocol, TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy import event

P = ParamSpec("P")
T = TypeVar("T")

_serials = itertools.count(1)


class _Copy(Protocol):
    """A database as it once was."""

    def put_back(self) -> None: ...

    def drop(self) -> None: ...


class _File:
    """A copy of the embedded database, and the sealed files that came with it."""

    def __init__(self, folder: Path, before: frozenset[Path]) -> None:
        self._path = folder / f"scene-{next(_serials)}.db"
        with closing(sqlite3.connect(_embedded())) as source:
            source.execute("VACUUM INTO ?", (str(self._path),))
        self._blobs = _Blobs(folder, before)

    def put_back(self) -> None:
        from emk_app.db.engine import engine

        engine().dispose()
        database = _embedded()
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self._path, database)
        self._blobs.put_back()

    def drop(self) -> None:
        self._path.unlink()
        self._blobs.drop()


class _Schema:
    """A copy of the rows in PostgreSQL, in a schema of their own beside the one in use."""

    def __init__(self, folder: Path, before: frozenset[Path]) -> None:
        from sqlmodel import SQLModel

        from emk_app.db.engine import engine

        self._name = f"scene_{next(_serials)}"
        tables = SQLModel.metadata.sorted_tables
        self._deletes = "".join(f'DELETE FROM "{table.name}";' for table in tables)
        with engine().begin() as connection:
            connection.execute(sa.text(f"CREATE SCHEMA {self._name}"))
            asked = ", ".join(f'EXISTS (SELECT FROM "{table.name}")' for table in tables)
            has_rows = connection.execute(sa.text(f"SELECT {asked}")).one()
            filled = [table for table, has in zip(tables, has_rows, strict=True) if has]
            for table in filled:
                copy = f'CREATE TABLE {self._name}."{table.name}" AS TABLE "{table.name}"'
                connection.execute(sa.text(copy))
            connection.execute(
                sa.text(
                    f"CREATE TABLE {self._name}.sequences AS SELECT sequencename, last_value"
                    " FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
                )
            )
        self._inserts = "".join(self._insert(table) for table in filled)
        self._blobs = _Blobs(folder, before)

    def _insert(self, table: sa.Table) -> str:
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        return (
            f'INSERT INTO "{table.name}" ({columns}) OVERRIDING SYSTEM VALUE'
            f' SELECT {columns} FROM {self._name}."{table.name}";'
        )

    def put_back(self) -> None:
        from emk_app.db.engine import engine

        with engine().begin() as connection:
            # What is only added refuses to be emptied, but to who owns the whole cluster. To empty
            # eighty tables by TRUNCATE takes ten times as long as to strike out their few rows.
            connection.exec_driver_sql(
                "SET LOCAL session_replication_role = replica;"
                f"{self._deletes}{self._inserts}"
                "SELECT setval(quote_ident(now.sequencename)::regclass,"
                " coalesce(was.last_value, 1), was.last_value IS NOT NULL)"
                f" FROM pg_sequences now LEFT JOIN {self._name}.sequences was USING (sequencename)"
                " WHERE now.schemaname = 'public'"
                " AND now.last_value IS DISTINCT FROM was.last_value"
            )
        self._blobs.put_back()

    def drop(self) -> None:
        from emk_app.db.engine import engine

        with engine().begin() as connection:
            connection.execute(sa.text(f"DROP SCHEMA {self._name} CASCADE"))
        self._blobs.drop()


class _Blobs:
    """Sealed files that a scene has put into the store, which is not emptied between tests."""

    def __init__(self, folder: Path, before: frozenset[Path]) -> None:
        self._links = {path: folder / path.name for path in sorted(_blobs() - before)}
        for path, link in self._links.items():
            if not link.exists():
                os.link(path, link)

    def put_back(self) -> None:
        for path, link in self._links.items():
            if not path.exists():
                os.link(link, path)

    def drop(self) -> None:
        for link in self._links.values():
            link.unlink(missing_ok=True)


def _embedded() -> Path:
    from emk_app.settings import settings

    return settings().data / "emk.db"


def _blobs() -> frozenset[Path]:
    from emk_app.settings import settings

    return frozenset((settings().data / "blobs").glob("??/??/*"))


@dataclass(frozen=True)
class _Scene:
    copy: _Copy
    value: Any


class Scenes:
    """The scenes of one file of tests, and the one that the present test stands in."""

    EMPTY: Final = ("empty",)

    def __init__(self, folder: Path, *, is_embedded: bool) -> None:
        self._folder = folder
        self._kind: type[_File] | type[_Schema] = _File if is_embedded else _Schema
        self._known: dict[tuple[str, ...], _Scene] = {}
        self._before: frozenset[Path] = frozenset()
        self._at: tuple[str, ...] | None = None
        """The way by which the test came to where it is; none where a test's own acts lie on it."""
        self._is_due = False
        self._is_ours = True
        self._has_written = False
        event.listen(sa.Engine, "commit", self._is_left)

    def keep_empty(self) -> None:
        """Keep the database, as the migrations have left it, for ``empty``."""
        self._known[self.EMPTY] = _Scene(self._kind(self._folder, _blobs()), None)
        self._is_ours = False

    def empty(self) -> None:
        """Begin anew; nothing is done before somebody looks."""
        self._at, self._is_due, self._before = self.EMPTY, True, frozenset()

    def leave(self) -> None:
        """Keep nothing of what comes from here on, until somebody begins anew."""
        self._at, self._is_due = None, False

    def settle(self) -> None:
        """Put back what is due: from now on somebody looks."""
        if self._is_due:
            assert self._at is not None
            self._is_due, self._is_ours = False, True
            self._known[self._at].copy.put_back()
            self._is_ours = False

    def play(self, name: str, build: Callable[[], T]) -> T:
        """Return what ``build`` makes upon the present scene, or made the first time."""
        if self._at is None or self._is_ours:
            return build()
        way = (*self._at, name)
        if way not in self._known:
            self._known[way] = self._built(build)
        else:
            self._is_due = True
        self._at = way
        return self._known[way].value

    def _built(self, build: Callable[[], Any]) -> _Scene:
        assert self._at is not None
        self.settle()
        self._before = self._before or _blobs()
        self._is_ours, self._has_written = True, False
        try:
            value = build()
            if self._has_written:
                return _Scene(self._kind(self._folder, self._before), value)
            return _Scene(self._known[self._at].copy, value)
        finally:
            self._is_ours = False

    def forget(self) -> None:
        """Let go of what a file of tests has built."""
        empty = self._known[self.EMPTY]
        for copy in {scene.copy for scene in self._known.values()} - {empty.copy}:
            copy.drop()
        self._known = {self.EMPTY: empty}

    def _is_left(self, _: sa.Connection) -> None:
        self._has_written = True
        if not self._is_ours:
            self._at = None


class _Present:
    scenes: Scenes | None = None
    file: Path | None = None
    may_wait = False
    """Whether nobody looks at the database before another fixture or the test is begun."""


def begin(folder: Path, *, is_embedded: bool) -> Scenes:
    """Make the scenes of this process, each a copy in ``folder`` or in the database itself."""
    _Present.scenes = Scenes(folder, is_embedded=is_embedded)
    _Present.scenes.keep_empty()
    return _Present.scenes


def enter(file: Path) -> None:
    """Begin a test of a file: let go of the scenes of another one."""
    if _Present.scenes:
        _Present.scenes.leave()
        if _Present.file != file:
            _Present.scenes.forget()
    _Present.file = file


def settle() -> None:
    """Put back what is due in this process, if anything is."""
    if _Present.scenes:
        _Present.scenes.settle()


def prepare(fixture: pytest.FixtureDef[Any]) -> None:
    """Have the database as a fixture needs it: a file's own one looks at it, a kept one may not."""
    _Present.may_wait = is_kept(fixture)
    if fixture.baseid not in ("", "tests") and not _Present.may_wait:
        settle()


def kept(build: Callable[P, T]) -> Callable[P, T]:
    """Let a fixture be built once, and put back from then on; stands below ``pytest.fixture``.

    So may a function that a test calls before it does anything else. It has to return plain values
    that nobody changes, and to leave nothing behind but rows and sealed files.
    """

    @functools.wraps(build)
    def played(*args: P.args, **kwargs: P.kwargs) -> T:
        may_wait, _Present.may_wait = _Present.may_wait, False
        if _Present.scenes is None:
            return build(*args, **kwargs)
        name = f"{build.__module__}.{build.__qualname__}{args or ''}{kwargs or ''}"
        value = _Present.scenes.play(name, lambda: build(*args, **kwargs))
        if not may_wait:
            settle()
        return value

    played.__dict__["is_kept"] = True
    return played


def is_kept(fixture: pytest.FixtureDef[Any]) -> bool:
    """Whether the fixture's own work is a scene."""
    return getattr(fixture.func, "is_kept", False)


def put_in_order(items: Iterable[pytest.Item]) -> None:
    """Let tests of a file ask for its kept fixtures in one order: what most of them need first."""
    by_file: dict[Path, list[pytest.Function]] = {}
    for item in items:
        if isinstance(item, pytest.Function):
            by_file.setdefault(item.path, []).append(item)
    for of_file in by_file.values():
        needed = Counter(name for item in of_file for name in {*_kept_of(item)})
        for item in of_file:
            ordered = iter(sorted(_kept_of(item), key=lambda name: (-needed[name], name)))
            names = item.fixturenames
            names[:] = [next(ordered) if name in needed else name for name in names]


def _kept_of(item: pytest.Function) -> list[str]:
    found = item._fixtureinfo.name2fixturedefs
    return [name for name in item.fixturenames if name in found and is_kept(found[name][-1])]
