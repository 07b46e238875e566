"""The register of clinics: every SELECT and UPDATE; nothing here commits.

The search has one interface and two engines: FTS5 with trigrams on SQLite, ``pg_trgm`` on
PostgreSQL. Both only find candidates, never more than asked for; ranking is the caller's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from emk_app.db.tables.clinics import Clinic, ClinicCount, ClinicWord
from emk_app.domain.clinics import ClinicKind, LicenceStatus, found_by, search_name
from emk_app.domain.errors import NotFound
from emk_app.domain.regions import REGIONS
from emk_app.domain.register import COLUMNS, Said
from emk_app.domain.typos import is_mistakable, keys_of

WORDS_OF_A_KEY: Final = 400
"""Words of the register that are compared with a mistyped one."""

SEVERAL: Final = 3
"""Words of a query from which on a rare one among them is sought by itself."""

SAMPLE: Final = 600
"""Clinics from everywhere in the register that tell how common a query is."""

SAMPLE_LASTS: Final = 600.0
"""Seconds for which a sample is used; an old one costs speed, never a result."""

DEARNESS: Final = 3
"""How much longer it takes to read a clinic than to meet it in the index's list of one word."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions beside the words."""

    region: str | None = None
    kind: ClinicKind | None = None
    point: str | None = None
    with_electronic_policy: bool = False
    in_force: bool = False

    def admit(self, found: Candidate) -> bool:
        """Whether the clinic meets all of them."""
        return (
            (self.region is None or found.region_code == self.region)
            and (self.kind is None or found.kind == self.kind)
            and (self.point is None or self.point in found.points)
            and (not self.with_electronic_policy or found.has_electronic_policy)
            and (not self.in_force or found.is_in_force)
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked."""
        return self == Filters()


class Candidate(NamedTuple):
    """A clinic as far as filters and ranking look at it."""

    id: int
    search_name: str
    short_name: str
    region_code: str
    kind: str
    has_electronic_policy: bool
    licence_status: str
    is_connected: bool
    points: str

    @property
    def is_in_force(self) -> bool:
        """Whether the licence stands."""
        return self.licence_status == LicenceStatus.ACTIVE


class Cell(NamedTuple):
    """How many clinics share a region, a type, the service and the state of the licence."""

    region_code: str
    kind: str
    has_electronic_policy: bool
    in_force: bool
    number: int


@dataclass(frozen=True, slots=True)
class Put:
    """What putting rows into the register has changed, or would change."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0

    def __add__(self, other: Put) -> Put:
        return Put(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.removed + other.removed,
        )


def get(db: Session, clinic_id: int) -> Clinic:
    """Return the clinic; raise ``NotFound``."""
    found = db.get(Clinic, clinic_id)
    if found is None or found.deleted_on is not None:
        raise NotFound
    return found


def shown(db: Session, ids: Sequence[int]) -> list[sa.Row[Any]]:
    """Return the rows of the clinics of these identities, in their order, to be read only."""
    # Rows and not objects, which cost more to make than to find.
    asked = sa.select(_TABLE).where(_TABLE.c.id.in_(ids))
    found = {row.id: row for row in db.connection().execute(asked).all()}
    return [found[each] for each in ids if each in found]


def number(db: Session, parts: Sequence[str], filters: Filters, *, limit: int) -> int:
    """Return how many clinics ``candidates`` would find, without looking at them."""
    if _is_embedded(db) and (asked := _asked(parts, filters)):
        statement = "SELECT 1 FROM clinic_trigrams WHERE clinic_trigrams MATCH :asked LIMIT :limit"
        values: dict[str, Any] = {"asked": asked}
    else:
        conditions, values = _conditions(parts, filters)
        _point_the_way(db, parts, filters, limit=limit)
        statement = f"SELECT 1 FROM clinics WHERE {conditions} LIMIT :limit"
    counted = f"SELECT count(*) FROM ({statement}) AS found"
    return _read(db, counted, values | {"limit": limit})[0][0]


def is_borne(db: Session, part: str) -> bool:
    """Return whether any clinic has this part in its search name; one may have gone just now."""
    if not _is_embedded(db) and any(part in each.search_name for each in _sample(db).clinics):
        return True
    return number(db, [part], Filters(), limit=1) > 0


def candidates(
    db: Session, parts: Sequence[str], filters: Filters, *, limit: int
) -> list[Candidate]:
    """Return the first clinics that have all ``parts`` somewhere in their search name.

    Parts are of the letters of ``key_of``. One that begins or ends with a blank begins or ends a
    word; with its blanks it has three characters or more, but for one letter that begins a word.
    """
    if _is_embedded(db) and (asked := _asked(parts, filters)):
        # The cross join keeps the planner from beginning at the other end.
        statement = (
            f"SELECT {_COLUMNS} FROM clinic_trigrams CROSS JOIN clinics"
            " ON clinics.id = clinic_trigrams.rowid"
            " WHERE clinic_trigrams MATCH :asked LIMIT :limit"
        )
        values: dict[str, Any] = {"asked": asked}
    else:
        conditions, values = _conditions(parts, filters)
        _point_the_way(db, parts, filters, limit=limit)
        statement = f"SELECT {_COLUMNS} FROM clinics WHERE {conditions} LIMIT :limit"
    return list(map(Candidate._make, _read(db, statement, values | {"limit": limit})))


def few(
    db: Session, parts: Sequence[str], filters: Filters, *, limit: int, otherwise: int
) -> tuple[list[Candidate], bool]:
    """Return every clinic that ``candidates`` would find, and True.

    Where that is over ``limit``, return only the first ``otherwise`` of them, and False.
    """
    if not _is_embedded(db):
        return _few(db, parts, filters, limit=limit, otherwise=otherwise)
    if filters.is_empty and len(parts) >= SEVERAL:
        # FTS5 goes through the lists of every word, however common. One rare word names so few
        # rows that the others are sooner looked for in them; it mostly stands at the end.
        for rare in reversed(parts):
            if number(db, [rare], Filters(), limit=limit + 1) <= limit:
                found = candidates(db, [rare], Filters(), limit=limit)
                fitting = [
                    each for each in found if all(part in each.search_name for part in parts)
                ]
                return fitting, True
    is_all = number(db, parts, filters, limit=limit + 1) <= limit
    return candidates(db, parts, filters, limit=limit if is_all else otherwise), is_all


def by_okpo(db: Session, beginning: str, *, limit: int) -> list[Candidate]:
    """Return the first clinics whose ОКПО begins with these digits."""
    # A range of digits is one in every collation, and any index serves it.
    statement = (
        f"SELECT {_COLUMNS} FROM clinics WHERE okpo >= :low AND okpo < :high"
        " AND deleted_on IS NULL ORDER BY okpo LIMIT :limit"
    )
    values = {"low": beginning, "high": beginning + ":", "limit": limit}
    return list(map(Candidate._make, _read(db, statement, values)))


def by_oid(db: Session, oid: str) -> list[Candidate]:
    """Return the clinic of an OID, if there is one."""
    statement = f"SELECT {_COLUMNS} FROM clinics WHERE oid = :oid AND deleted_on IS NULL"
    return list(map(Candidate._make, _read(db, statement, {"oid": oid})))


def counts(db: Session, point: str | None) -> list[Cell]:
    """Return the cells of the whole register, or of the clinics that serve ``point``."""
    statement = f"SELECT {', '.join(Cell._fields)} FROM clinic_counts WHERE point = :point"
    return list(map(Cell._make, _read(db, statement, {"point": point or ""})))


def words_like(db: Session, typed: str) -> list[str]:
    """Return words of the register that share a key with a word that is in none of them."""
    statement = (
        sa.select(col(ClinicWord.word))
        .where(col(ClinicWord.key).in_(sorted(keys_of(typed))))
        .distinct()
        .limit(WORDS_OF_A_KEY)
    )
    return list(db.connection().execute(statement).scalars())


def put(db: Session, rows: Sequence[Said], *, now: datetime, changes: bool = True) -> Put:
    """Add and change clinics by their OID; with ``changes`` false only say what that would do.

    What a file has no column for stays as it is. Counts and words are brought up to date by
    ``settle`` once all is put.
    """
    known = {
        row.oid: row
        for row in db.connection().execute(
            sa.select(Clinic.__table__).where(  # pyright: ignore[reportAttributeAccessIssue]
                col(Clinic.oid).in_([said.entry.oid for said in rows])
            )
        )
    }
    done = Put()
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for said in rows:
        old = known.get(said.entry.oid)
        values = said.values()
        stamp = {"row_hash": said.digest(), "imported_at": now}
        if old is None:
            everything = {name: getattr(said.entry, name) for name in COLUMNS}
            fresh.append(everything | stamp | {"search_name": search_name(_words(everything))})
            done += Put(added=1)
            continue
        if old.row_hash == stamp["row_hash"]:
            done += Put(unchanged=1)
            continue
        merged = {name: getattr(old, name) for name in COLUMNS} | values
        searched = {"which": old.id, "search_name": search_name(_words(merged))}
        changed.append(merged | stamp | searched)
        if all(getattr(old, name) == value for name, value in values.items()):
            done += Put(unchanged=1)
        elif merged["deleted_on"] is not None and old.deleted_on is None:
            done += Put(removed=1)
        else:
            done += Put(changed=1)
    if changes:
        _write(db, fresh, changed)
    return done


def settle(db: Session) -> None:
    """Count the register anew, after the last change of a transaction."""
    in_force = sa.case((col(Clinic.licence_status) == LicenceStatus.ACTIVE, True), else_=False)
    standing = (
        sa.select(
            col(Clinic.points),
            col(Clinic.region_code),
            col(Clinic.kind),
            col(Clinic.has_electronic_policy),
            in_force,
            sa.func.count(),
        )
        .where(col(Clinic.deleted_on).is_(None))
        .group_by(
            col(Clinic.points),
            col(Clinic.region_code),
            col(Clinic.kind),
            col(Clinic.has_electronic_policy),
            in_force,
        )
    )
    cells: dict[tuple[Any, ...], int] = {}
    for points, *cell, number in db.connection().execute(standing):
        for point in {"", *points.split(",")}:
            key = (point, *cell)
            cells[key] = cells.get(key, 0) + number
    names = ("point", "region_code", "kind", "has_electronic_policy", "in_force", "number")
    db.connection().execute(sa.delete(ClinicCount))
    if cells:
        db.connection().execute(
            sa.insert(ClinicCount),
            [dict(zip(names, (*key, number), strict=True)) for key, number in cells.items()],
        )


def end_licences(db: Session, today: date) -> int:
    """End the licences whose last day has passed; return how many."""
    ended = db.connection().execute(
        sa.update(Clinic)
        .where(
            col(Clinic.licence_status) == LicenceStatus.ACTIVE, col(Clinic.licensed_until) < today
        )
        .values(licence_status=LicenceStatus.ENDED)
    )
    return ended.rowcount


def tidy(db: Session) -> None:
    """Leave the index in one piece and the planner informed, after a large change."""
    if _is_embedded(db):
        db.connection().exec_driver_sql(
            "INSERT INTO clinic_trigrams(clinic_trigrams) VALUES ('optimize')"
        )
    else:
        db.connection().exec_driver_sql(
            "SELECT gin_clean_pending_list('ix_clinics_trigrams'::regclass)"
        )
        db.connection().exec_driver_sql("ANALYZE clinics")


_TABLE: Final = SQLModel.metadata.tables["clinics"]

# Plain text, because the types of an ORM would cost more than the search.
_COLUMNS: Final = ", ".join(Candidate._fields)


def _is_embedded(db: Session) -> bool:
    return db.get_bind().dialect.name == "sqlite"


def _read(db: Session, statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement from the bare driver, within the transaction of ``db``.

    SQLAlchemy's way of running a statement would cost as much as the rows do.
    """
    driver: Any = db.connection().connection.dbapi_connection
    cursor = driver.cursor()
    cursor.execute(statement if _is_embedded(db) else _for_psycopg(statement), values)
    rows = cursor.fetchall()
    cursor.close()
    return rows


@lru_cache(maxsize=1024)
def _for_psycopg(statement: str) -> str:
    return _NAME.sub(r"%(\1)s", statement)


_NAME: Final = re.compile(r":(\w+)")


def _asked(parts: Sequence[str], filters: Filters) -> str:
    """Return a query of FTS5, or nothing where nothing is asked."""
    # In the index two blanks precede each word, so that one letter makes a trigram.
    asked = [
        'words : "' + ("  " + part[1:] if part.startswith(" ") else part) + '"' for part in parts
    ]
    marks = {
        f"r{filters.region}": filters.region,
        f"k{(filters.kind or '')[:2]}": filters.kind,
        f"p{filters.point}": filters.point,
        "e#1": filters.with_electronic_policy,
        "l#1": filters.in_force,
    }
    asked += [f'filters : "{mark}"' for mark, is_asked in marks.items() if is_asked]
    return " AND ".join(asked)


def _conditions(parts: Sequence[str], filters: Filters) -> tuple[str, dict[str, Any]]:
    """Return conditions on the rows themselves; PostgreSQL has an index for the parts."""
    conditions, values = ["deleted_on IS NULL"], dict[str, Any]()
    for at, part in enumerate(parts):
        conditions.append(f"search_name LIKE :part{at}")
        values[f"part{at}"] = f"%{part}%"
    if filters.region:
        conditions.append("region_code = :region")
        values["region"] = filters.region
    if filters.kind:
        conditions.append("kind = :kind")
        values["kind"] = filters.kind.value
    if filters.point:
        conditions.append("points LIKE :point")
        values["point"] = f"%{filters.point}%"
    if filters.with_electronic_policy:
        conditions.append("has_electronic_policy")
    if filters.in_force:
        conditions.append("licence_status = 'active'")
    return " AND ".join(conditions), values


def _few(
    db: Session, parts: Sequence[str], filters: Filters, *, limit: int, otherwise: int
) -> tuple[list[Candidate], bool]:
    """Do ``few`` by one search: PostgreSQL keeps what it has found while it counts."""
    if _is_surely_over(db, parts, filters, limit):
        return candidates(db, parts, filters, limit=otherwise), False
    conditions, values = _conditions(parts, filters)
    _point_the_way(db, parts, filters, limit=limit + 1)
    statement = (
        f"WITH found AS MATERIALIZED (SELECT {_COLUMNS} FROM clinics WHERE {conditions}"
        " LIMIT :limit + 1), counted AS (SELECT count(*) AS number FROM found)"
        " SELECT counted.number, found.* FROM counted CROSS JOIN found LIMIT"
        " (SELECT CASE WHEN number > :limit THEN :otherwise ELSE :limit END FROM counted)"
    )
    asked = values | {"limit": limit, "otherwise": otherwise}
    rows = _read(db, statement, asked)
    return [Candidate._make(row[1:]) for row in rows], not rows or rows[0][0] <= limit


class _Sample(NamedTuple):
    taken_at: float
    newest: int
    """Highest identity in the register, which has about so many clinics."""
    clinics: list[Candidate]

    def fitting(self, parts: Sequence[str], filters: Filters) -> int:
        """Return how many of the sample would be found."""
        found = self.clinics
        for part in parts:
            found = [each for each in found if part in each.search_name]
        return len(found) if filters.is_empty else sum(map(filters.admit, found))

    def met(self, part: str) -> int:
        """Return how many of the sample bear one part."""
        return len([None for each in self.clinics if part in each.search_name])


_samples: WeakKeyDictionary[sa.Engine, _Sample] = WeakKeyDictionary()


def _is_surely_over(db: Session, parts: Sequence[str], filters: Filters, limit: int) -> bool:
    """Return whether the sample holds more than it ever would if ``limit`` clinics fitted."""
    sample = _sample(db)
    if len(sample.clinics) < SAMPLE // 2:
        return False
    expected = limit * len(sample.clinics) / sample.newest
    return sample.fitting(parts, filters) > expected + 5 * expected**0.5 + 2


def _point_the_way(db: Session, parts: Sequence[str], filters: Filters, *, limit: int) -> None:
    """Tell PostgreSQL by a sample whether to go by its index or to read until enough is found.

    Its planner takes the words of a name, which stand together, for strangers, and those of a town,
    which stand together in the register, for scattered. It guesses wrong by ten times either way:
    it goes through the long lists of common words, or through the whole register for a rare one.
    What is set here ends with the transaction.
    """
    if _is_embedded(db):
        return
    way = _way(db, parts, filters, limit=limit) if parts else (True, True)
    if way != db.info.get(_WAY, (True, True)):
        by_index, by_reading = way
        _read(
            db,
            "SELECT set_config('enable_bitmapscan', :by_index, true),"
            " set_config('enable_seqscan', :by_reading, true)",
            {"by_index": str(by_index), "by_reading": str(by_reading)},
        )
        db.info[_WAY] = way


_WAY: Final = "emk_way"


def _way(db: Session, parts: Sequence[str], filters: Filters, *, limit: int) -> tuple[bool, bool]:
    """Return whether the index may be gone by, and whether the register may be read."""
    sample = _sample(db)
    taken = len(sample.clinics)
    if taken < SAMPLE // 2:
        return (True, True)
    # Of the register's N clinics the index meets the share of each word in the list of that word;
    # who reads the register has what is enough after as many as hold that.
    met = sum(map(sample.met, parts))
    fitting = sample.fitting(parts, filters)
    is_common = met * fitting * sample.newest > taken * taken * DEARNESS * limit
    return (not is_common, is_common)


def _sample(db: Session) -> _Sample:
    bind = db.connection().engine
    known = _samples.get(bind)
    now = time.monotonic()
    if known is None or now - known.taken_at > SAMPLE_LASTS:
        # Steps of the golden section, which no order of the register repeats.
        statement = f"""
            SELECT newest, {_COLUMNS}
              FROM (SELECT max(id) AS newest FROM clinics) AS register
             CROSS JOIN generate_series(1, {SAMPLE}) AS step
              JOIN clinics ON id = 1 + step * 2654435769 % newest
             WHERE deleted_on IS NULL"""
        rows = db.connection().execute(sa.text(statement)).all()
        newest = rows[0][0] if rows else 0
        known = _Sample(now, newest, [Candidate._make(row[1:]) for row in rows])
        if len(rows) < SAMPLE // 2:
            # A register that is being filled is looked at anew.
            return known
        _samples[bind] = known
    return known


def _words(values: dict[str, Any]) -> list[str]:
    region = REGIONS.get(values["region_code"], "")
    return found_by(values["name"], values["short_name"], values["address"], region)


def _write(db: Session, fresh: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
    connection = db.connection()
    if fresh:
        connection.execute(sa.insert(Clinic), fresh)
    if changed:
        named = {name: sa.bindparam(name) for name in changed[0] if name != "which"}
        connection.execute(
            sa.update(Clinic).where(col(Clinic.id) == sa.bindparam("which")).values(named), changed
        )
    _remember_words(db, {word for row in (*fresh, *changed) for word in _words(row)})


def _remember_words(db: Session, words: Iterable[str]) -> None:
    """Keep the words of new names for the search of mistyped ones."""
    rows = [
        {"key": key, "word": word}
        for word in sorted(words)
        if is_mistakable(word) and len(word) <= 60
        for key in sorted(keys_of(word))
    ]
    if rows:
        insert = sqlite.insert if _is_embedded(db) else postgresql.insert
        db.connection().execute(insert(ClinicWord).on_conflict_do_nothing(), rows)
