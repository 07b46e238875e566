"""Books, versions, links and looks: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, Final, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, SQLModel, col, select

from emk_app.crypto import sealing
from emk_app.db import changes
from emk_app.db.engine import engine
from emk_app.db.quick import Quick, reader
from emk_app.db.repositories import employers
from emk_app.db.tables.books import BookSequence, BookVersion, Extract, Look, MedicalBook, ShareLink
from emk_app.db.tables.people import User
from emk_app.db.vault import Vault
from emk_app.domain.actors import Actor
from emk_app.domain.books import BookNumber, BookStatus
from emk_app.domain.errors import ChangedMeanwhile, NotFound
from emk_app.domain.sharing import LinkState, ShareScope

CANONICAL: Final = ("book_versions", "canonical")
CODE: Final = ("share_links", "code")
REASON: Final = ("books", "reason")
BRANCH: Final = 1
"""The second part of a book's number: this service issues as one branch."""


def get(db: Session, book_id: int) -> MedicalBook:
    """Return the book; raise ``NotFound``."""
    found = db.get(MedicalBook, book_id)
    if found is None:
        raise NotFound
    return found


def locked(db: Session, book_id: int) -> MedicalBook:
    """Return the book, held until the commit; raise ``NotFound``."""
    found = db.get(MedicalBook, book_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def own(db: Session, actor: Actor, book_id: int) -> MedicalBook:
    """Return the holder's own book; a foreign one does not exist for them (D21)."""
    found = get(db, book_id)
    if found.holder_id != actor.user_id:
        raise NotFound
    return found


def by_number(db: Session, number: BookNumber) -> MedicalBook:
    """Return the book of that number; raise ``NotFound``."""
    found = db.exec(select(MedicalBook).where(MedicalBook.number == number.digits)).first()
    if found is None:
        raise NotFound
    return found


def of_holder(db: Session, holder_id: int) -> Sequence[MedicalBook]:
    """Return the holder's books, newest first; all but the first are revoked."""
    return db.exec(
        select(MedicalBook)
        .where(MedicalBook.holder_id == holder_id)
        .order_by(col(MedicalBook.id).desc())
    ).all()


def standing_of(db: Session, holder_id: int) -> MedicalBook | None:
    """Return the holder's book that is not revoked, held until the commit."""
    return db.exec(
        select(MedicalBook)
        .where(MedicalBook.holder_id == holder_id, MedicalBook.status != BookStatus.REVOKED)
        .with_for_update()
    ).first()


def version(db: Session, book_id: int, number: int) -> BookVersion:
    """Return one version of a book; raise ``NotFound``."""
    found = db.exec(
        select(BookVersion).where(BookVersion.book_id == book_id, BookVersion.version == number)
    ).first()
    if found is None:
        raise NotFound
    return found


def versions(db: Session, book_id: int) -> Sequence[BookVersion]:
    """Return every version of a book, newest first."""
    return db.exec(
        select(BookVersion)
        .where(BookVersion.book_id == book_id)
        .order_by(col(BookVersion.version).desc())
    ).all()


def ending(db: Session, today: date, until: date, *, after: int, limit: int) -> Sequence[int]:
    """Return identities above ``after``, rising, of books in force in which something ends by
    ``until``, or has ended, and which were not looked at ``today``.
    """
    return db.exec(
        select(MedicalBook.id)
        .join(
            BookVersion,
            sa.and_(
                col(BookVersion.book_id) == MedicalBook.id,
                col(BookVersion.version) == MedicalBook.current_version,
            ),
        )
        .where(
            col(MedicalBook.id) > after,
            col(MedicalBook.status) == BookStatus.ACTIVE,
            sa.or_(col(MedicalBook.reminded_on).is_(None), col(MedicalBook.reminded_on) != today),
            sa.or_(
                col(MedicalBook.valid_until) <= until,
                col(BookVersion.items_valid_until) <= until,
            ),
        )
        .order_by(col(MedicalBook.id))
        .limit(limit)
    ).all()


def carry_links(db: Session, book: MedicalBook, old: int, new: int) -> None:
    """Let the links of one version show the next, which says the same to whoever looks."""
    db.execute(
        sa.update(ShareLink)
        .where(col(ShareLink.book_id) == book.id, col(ShareLink.version) == old)
        .values(version=new)
        .execution_options(synchronize_session=False)
    )


def version_of_application(db: Session, application_id: int) -> BookVersion | None:
    """Return the version the application has led to, if it has."""
    return db.exec(select(BookVersion).where(BookVersion.application_id == application_id)).first()


def newest_of(db: Session, holder_id: int) -> MedicalBook | None:
    """Return the holder's newest book, whatever its state."""
    return db.exec(
        select(MedicalBook)
        .where(MedicalBook.holder_id == holder_id)
        .order_by(col(MedicalBook.id).desc())
        .limit(1)
    ).first()


def newest_application_of(db: Session, book_id: int) -> int | None:
    """Return the application that has led to the book's newest version which came of one."""
    return db.exec(
        select(BookVersion.application_id)
        .where(BookVersion.book_id == book_id, col(BookVersion.application_id).is_not(None))
        .order_by(col(BookVersion.version).desc())
        .limit(1)
    ).first()


def next_number(db: Session, region: int, year: int) -> BookNumber:
    """Return the next number of a region in a year; the row is locked until the commit."""
    key = f"{region:02}{BRANCH:02}{year % 100:02}"
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    serial = db.execute(
        insert(BookSequence)
        .values(key=key, last=1)
        .on_conflict_do_update(
            index_elements=[col(BookSequence.key)], set_={"last": col(BookSequence.last) + 1}
        )
        .returning(col(BookSequence.last))
    ).scalar_one()
    return BookNumber(region, BRANCH, serial, year % 100)


def move(db: Session, book: MedicalBook, **values: Any) -> None:
    """Write ``values`` if status and version are still those that were read (D34).

    Raises ``ChangedMeanwhile`` for the one who came second.
    """
    result = db.execute(
        sa.update(MedicalBook)
        .where(
            col(MedicalBook.id) == book.id,
            col(MedicalBook.status) == book.status,
            col(MedicalBook.current_version) == book.current_version,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise ChangedMeanwhile
    db.refresh(book)
    tell(db, book)


def tell(db: Session, book: MedicalBook) -> None:
    """Announce that the book, its links or its looks have changed; employers' lists look again."""
    employers.mark_stale(db, book.holder_id)
    changes.announce(db, f"book:{book.id}", f"holder:{book.holder_id}")


def seal_canonical(vault: Vault, book_id: int, number: int, canonical: bytes) -> bytes:
    """Seal the signed bytes for the one row they belong to."""
    return sealing.seal(vault.key, canonical, sealing.place(*CANONICAL, book_id, number))


def open_canonical(vault: Vault, book_id: int, number: int, sealed: bytes) -> bytes:
    """Return the signed bytes of a version; raise ``SealBroken``."""
    return sealing.unseal(vault.key, sealed, sealing.place(*CANONICAL, book_id, number))


def own_link(db: Session, actor: Actor, link_id: int) -> ShareLink:
    """Return the holder's own link; a foreign one does not exist for them."""
    found = db.exec(
        select(ShareLink)
        .join(MedicalBook, col(MedicalBook.id) == ShareLink.book_id)
        .where(ShareLink.id == link_id, MedicalBook.holder_id == actor.user_id)
    ).first()
    if found is None:
        raise NotFound
    return found


def links_of(db: Session, holder_id: int) -> Sequence[ShareLink]:
    """Return every link to the holder's books, newest first."""
    return db.exec(
        select(ShareLink)
        .join(MedicalBook, col(MedicalBook.id) == ShareLink.book_id)
        .where(MedicalBook.holder_id == holder_id)
        .order_by(col(ShareLink.id).desc())
    ).all()


class LinkLine(NamedTuple):
    """A link with what its holder sees of it."""

    id: int
    version: int
    digest: str
    code_sealed: bytes
    label: str
    scope: ShareScope
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    max_looks: int | None
    looks: int
    current_version: int
    holder_uid: str
    holder_key: bytes


class LookLine(NamedTuple):
    """A look with the name of its link."""

    id: int
    at: datetime
    label: str
    verdict: str
    viewer: str


def link_lines(read: Any, holder_id: int) -> Callable[[], list[LinkLine]]:
    """Ask for every link to the holder's books, newest first."""
    return _LINK_LINES.ask(read, holder=holder_id)


def look_lines(read: Any, holder_id: int, limit: int) -> Callable[[], list[LookLine]]:
    """Ask for the last looks at the holder's books, newest first."""
    return _LOOK_LINES.ask(read, holder=holder_id, limit=limit)


def taken_of(read: Any, holder_id: int) -> Callable[[], Iterable[tuple[int, int]]]:
    """Ask how many looks each of the holder's links has shown the book to."""
    return _TAKEN.ask(read, holder=holder_id)


class _Taken(NamedTuple):
    share_id: int
    looks: int


_LINK_LINES: Final = Quick(
    LinkLine,
    sa.select(
        col(ShareLink.id),
        col(ShareLink.version),
        col(ShareLink.digest),
        col(ShareLink.code_sealed),
        col(ShareLink.label),
        col(ShareLink.scope),
        col(ShareLink.created_at),
        col(ShareLink.expires_at),
        col(ShareLink.revoked_at),
        col(ShareLink.max_looks),
        col(ShareLink.looks),
        col(MedicalBook.current_version),
        col(User.uid),
        col(User.key_sealed),
    )
    .join(MedicalBook, col(MedicalBook.id) == ShareLink.book_id)
    .join(User, col(User.id) == MedicalBook.holder_id)
    .where(col(MedicalBook.holder_id) == sa.bindparam("holder"))
    .order_by(col(ShareLink.id).desc()),
)
_LOOK_LINES: Final = Quick(
    LookLine,
    sa.select(col(Look.id), col(Look.at), col(ShareLink.label), col(Look.verdict), col(Look.viewer))
    .join(ShareLink, col(ShareLink.id) == Look.share_id)
    .join(MedicalBook, col(MedicalBook.id) == ShareLink.book_id)
    .where(col(MedicalBook.holder_id) == sa.bindparam("holder"))
    .order_by(col(Look.id).desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
)
_TAKEN: Final = Quick(
    _Taken,
    sa.select(col(Look.share_id), sa.func.count())
    .join(ShareLink, col(ShareLink.id) == Look.share_id)
    .join(MedicalBook, col(MedicalBook.id) == ShareLink.book_id)
    .where(
        col(MedicalBook.holder_id) == sa.bindparam("holder"),
        *(col(Look.verdict) != state.value for state in LinkState if state is not LinkState.ALIVE),
    )
    .group_by(col(Look.share_id)),
)


def newest_extract(db: Session, book_id: int, number: int) -> tuple[Extract, ShareLink] | None:
    """Return the last extract made of a version, with the link whose code is on it."""
    return db.exec(
        select(Extract, ShareLink)
        .join(ShareLink, col(ShareLink.id) == Extract.link_id)
        .where(Extract.book_id == book_id, Extract.version == number)
        .order_by(col(Extract.id).desc())
        .limit(1)
    ).first()


def open_code(vault: Vault, link: ShareLink | LinkLine) -> str:
    """Return the code in the link."""
    return vault.open(link.code_sealed, *CODE, link.digest)


class Scanned(NamedTuple):
    """Everything a look needs, as one row."""

    share_id: int
    scope: ShareScope
    expires_at: datetime
    link_revoked_at: datetime | None
    max_looks: int | None
    looks: int
    told_at: datetime | None
    book_id: int
    holder_id: int
    number: str
    status: BookStatus
    current_version: int
    version: int
    canonical_sealed: bytes
    version_hash: str
    signature: bytes
    signed_at: datetime
    holder_uid: str
    holder_key: bytes


def by_digest(digest: str) -> Scanned | None:
    """Return what stands behind a link's digest as of now."""
    with reader() as read:
        found = _BY_DIGEST.all(read, digest=digest)
    return found[0] if found else None


Run = Callable[..., Any]
"""Runs a statement as the driver takes it: of a session's connection, or of the driver itself."""


def closed_among(run: Run, share_ids: Collection[int]) -> Collection[int]:
    """Return those of the links that the holder has closed by now."""
    # To let SQLAlchemy expand them costs more than the look-up.
    sign = "?" if engine().dialect.paramstyle == "qmark" else "%s"
    signs = ", ".join([sign] * len(share_ids))
    statement = f"SELECT id FROM share_links WHERE revoked_at IS NOT NULL AND id IN ({signs})"
    return {id_ for (id_,) in run(statement, tuple(share_ids)).fetchall()}


def count_limited(db: Session, share_id: int, wanted: int) -> int:
    """Count up to ``wanted`` looks through a link with a limit; return how many there were."""
    link = db.exec(select(ShareLink).where(ShareLink.id == share_id).with_for_update()).one()
    granted = max(min(wanted, (link.max_looks or 0) - link.looks), 0)
    link.looks += granted
    db.add(link)
    db.flush()
    return granted


def take_telling(db: Session, share_id: int, *, before: datetime, now: datetime) -> bool:
    """Note that the holder is told of a look through the link, unless told since ``before``.

    Of several at once one does it.
    """
    links = _table(ShareLink)
    done = db.connection().execute(
        sa.update(links)
        .where(
            links.c.id == share_id,
            sa.or_(links.c.told_at.is_(None), links.c.told_at <= before),
        )
        .values(told_at=now)
    )
    return done.rowcount == 1


def write_looks(run: Run, rows: Sequence[tuple[int, datetime, str, str]]) -> None:
    """Add looks, given as link, moment, verdict and viewer, in one statement.

    One statement and not one a row, because the driver lets go of the interpreter's lock at each,
    and getting it back from a busy server takes longer than the writing.
    """
    dialect = engine().dialect
    moment_of = _moment_of(dialect)
    sign = "?" if dialect.paramstyle == "qmark" else "%s"
    values = ", ".join([f"({', '.join([sign] * 4)})"] * len(rows))
    run(
        f"INSERT INTO looks (share_id, at, verdict, viewer) VALUES {values}",
        tuple(
            part
            for share_id, at, verdict, viewer in rows
            for part in (share_id, moment_of(at), verdict, viewer)
        ),
    )


@cache
def _moment_of(dialect: sa.Dialect) -> Callable[[Any], Any]:
    """Return what makes of a moment a value of the driver."""
    return _table(Look).c.at.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is


def _table(kind: type[SQLModel]) -> sa.Table:
    """Return the bare table: for what runs by the thousand, without the mapper's cost."""
    return SQLModel.metadata.tables[str(kind.__tablename__)]


_BY_DIGEST: Final = Quick(
    Scanned,
    sa.select(
        col(ShareLink.id),
        col(ShareLink.scope),
        col(ShareLink.expires_at),
        col(ShareLink.revoked_at),
        col(ShareLink.max_looks),
        col(ShareLink.looks),
        col(ShareLink.told_at),
        col(MedicalBook.id),
        col(MedicalBook.holder_id),
        col(MedicalBook.number),
        col(MedicalBook.status),
        col(MedicalBook.current_version),
        col(BookVersion.version),
        col(BookVersion.canonical_sealed),
        col(BookVersion.version_hash),
        col(BookVersion.signature),
        col(BookVersion.signed_at),
        col(User.uid),
        col(User.key_sealed),
    )
    .join(MedicalBook, col(MedicalBook.id) == ShareLink.book_id)
    .join(
        BookVersion,
        sa.and_(
            col(BookVersion.book_id) == ShareLink.book_id,
            col(BookVersion.version) == ShareLink.version,
        ),
    )
    .join(User, col(User.id) == MedicalBook.holder_id)
    .where(col(ShareLink.digest) == sa.bindparam("digest")),
)


def _as_it_is(value: Any) -> Any:
    return value
