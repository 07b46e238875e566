"""Books, their versions, the links that show them and the looks taken."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.actors import Role
from emk_app.domain.books import BookStatus
from emk_app.domain.orders import OrderAnswer, OrderKind
from emk_app.domain.sharing import ShareScope


class MedicalBook(SQLModel, table=True):
    """A holder's book; what it says stands in its versions."""

    __tablename__ = "books"
    __table_args__ = (
        # A revoked book never comes back; of the others a holder has one.
        Index(
            "uq_books_standing",
            "holder_id",
            unique=True,
            sqlite_where=text("status <> 'revoked'"),
            postgresql_where=text("status <> 'revoked'"),
        ),
    )

    id: int = identity()
    holder_id: int = reference("users.id", nullable=False)
    number: str = Field(max_length=12, unique=True)
    status: BookStatus = choice(BookStatus, nullable=False)
    current_version: int
    issued_on: date
    valid_until: date
    """Inclusive."""
    received_at: datetime | None = None
    """When the holder pressed «Подтвердить получение»."""
    suspended_at: datetime | None = None
    suspended_by: Role | None = choice(Role, default=None, nullable=True)
    """The system lifts only the suspensions it made itself."""
    revoked_at: datetime | None = None
    reason_sealed: bytes | None = None
    """Why it was suspended or revoked; for the holder's eyes."""
    reminded_on: date | None = None
    """The last day on which the ends in it were looked at."""
    is_demo: bool = False


class BookVersion(SQLModel, table=True):
    """One signed state of a book; append-only."""

    __tablename__ = "book_versions"
    __table_args__ = (UniqueConstraint("book_id", "version"),)

    id: int = identity()
    book_id: int = reference("books.id", nullable=False, index=False)
    version: int
    application_id: int | None = reference(
        "applications.id", default=None, nullable=True, unique=True, index=False
    )
    canonical_sealed: bytes
    """The exact signed bytes (RFC 8785), sealed."""
    version_hash: str = Field(max_length=64)
    signature: bytes
    """The detached signature, packed with the signer's certificate chain."""
    signed_at: datetime
    occupations: str = Field(max_length=200)
    """Points of order 29н, shown on a scan."""
    items_valid_until: date
    """The last day on which every item is in date; inclusive."""


class BookOrder(SQLModel, table=True):
    """What an operator has ordered about a book, and what became of it."""

    __tablename__ = "book_orders"
    __table_args__ = (
        # One open order a book: two of them can't each wait for the other's answer.
        Index(
            "uq_book_orders_open",
            "book_id",
            unique=True,
            sqlite_where=text("answer IS NULL"),
            postgresql_where=text("answer IS NULL"),
        ),
    )

    id: int = identity()
    book_id: int = reference("books.id", nullable=False)
    kind: OrderKind = choice(OrderKind, nullable=False)
    ground: str = Field(max_length=40)
    note_sealed: bytes
    ordered_by: int = reference("users.id", nullable=False, index=False)
    ordered_at: datetime
    lapses_at: datetime | None = None
    """Until when it has to be confirmed, where it acts already."""
    answer: OrderAnswer | None = choice(OrderAnswer, default=None, nullable=True)
    answered_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    answered_at: datetime | None = None


class ShareLink(SQLModel, table=True):
    """A revocable link to a book's verdict."""

    __tablename__ = "share_links"

    id: int = identity()
    book_id: int = reference("books.id", nullable=False)
    version: int
    """The version the link was made for; once there is a newer one the link says so."""
    digest: str = Field(max_length=64, unique=True)
    """Hash of the 128-bit code in the link."""
    code_sealed: bytes
    """The code itself, so that the holder can show it again."""
    scope: ShareScope = choice(ShareScope, nullable=False)
    label: str = Field(max_length=80)
    created_at: datetime
    expires_at: datetime
    max_looks: int | None = None
    looks: int = 0
    """Counted only where there is a limit; else the looks themselves are counted."""
    revoked_at: datetime | None = None
    told_at: datetime | None = None
    """When the holder was last told of a look through it."""


class Extract(SQLModel, table=True):
    """A signed PDF of one version, made when the holder first asked for it; kept as it was given.

    A holder who closes its link and asks again gets another one.
    """

    __tablename__ = "extracts"

    id: int = identity()
    book_id: int = reference("books.id", nullable=False)
    version: int
    """The version the paper states; unlike its link's, it never changes."""
    link_id: int = reference("share_links.id", nullable=False, unique=True, index=False)
    """The link whose code is printed on it."""
    content_sealed: bytes
    made_at: datetime


class Look(SQLModel, table=True):
    """One look somebody took through a link."""

    __tablename__ = "looks"

    id: int = identity()
    share_id: int = reference("share_links.id", nullable=False)
    at: datetime
    verdict: str = Field(max_length=32)
    viewer: str = Field(max_length=60)
    """Browser family, as coarse as it gets; never an address."""


class BookSequence(SQLModel, table=True):
    """The last serial given to a book of a region in a year."""

    __tablename__ = "book_sequences"

    key: str = Field(primary_key=True, max_length=8)
    last: int
