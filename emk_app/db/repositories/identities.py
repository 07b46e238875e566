"""Wishes to change identity data: every SELECT; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlmodel import Session, col, select

from emk_app.db.tables.identities import IdentityChange
from emk_app.db.vault import Vault
from emk_app.domain.errors import NotFound
from emk_app.domain.identities import ChangeStatus, Identity
from emk_app.domain.people import FullName

SAID: Final = ("identity_changes", "said")
FILE: Final = ("identity_changes", "file")
REASON: Final = ("identity_changes", "reason")


def by_ref(db: Session, ref: str, *, hold: bool = False) -> IdentityChange:
    """Return a wish by its public name, held until the commit if asked; raise ``NotFound``."""
    if not ref.isascii():
        raise NotFound
    query = select(IdentityChange).where(IdentityChange.ref == ref)
    found = db.exec(
        query.with_for_update().execution_options(populate_existing=True) if hold else query
    ).first()
    if found is None:
        raise NotFound
    return found


def of_holder(db: Session, holder_id: int) -> Sequence[IdentityChange]:
    """Return all wishes of a holder, newest first."""
    return db.exec(
        select(IdentityChange)
        .where(IdentityChange.holder_id == holder_id)
        .order_by(col(IdentityChange.id).desc())
    ).all()


def open_of(db: Session, holder_id: int) -> IdentityChange | None:
    """Return the wish nobody has answered."""
    return db.exec(
        select(IdentityChange).where(
            IdentityChange.holder_id == holder_id, IdentityChange.status == ChangeStatus.ASKED
        )
    ).first()


def approved_of(db: Session, book_id: int) -> Sequence[IdentityChange]:
    """Return the changes that were made to a book, in the order they were made."""
    return db.exec(
        select(IdentityChange)
        .where(IdentityChange.book_id == book_id, IdentityChange.status == ChangeStatus.APPROVED)
        .order_by(col(IdentityChange.decided_at), col(IdentityChange.id))
    ).all()


def waiting(db: Session, limit: int) -> Sequence[IdentityChange]:
    """Return the wishes nobody has answered, oldest first."""
    return db.exec(
        select(IdentityChange)
        .where(IdentityChange.status == ChangeStatus.ASKED)
        .order_by(col(IdentityChange.id))
        .limit(limit)
    ).all()


def blobs_in_use(db: Session) -> frozenset[str]:
    """Return the names of all files that a wish needs; one taken back needs none."""
    rows = db.exec(
        select(IdentityChange.blob, IdentityChange.preview_blob).where(
            IdentityChange.status != ChangeStatus.WITHDRAWN
        )
    ).all()
    return frozenset(name for pair in rows for name in pair)


def seal_said(holder: Vault, ref: str, was: Identity, wanted: Identity) -> bytes:
    """Seal what the book says and what it is to say."""
    return holder.seal_json({"was": _pack(was), "wanted": _pack(wanted)}, *SAID, ref)


def said_of(row: IdentityChange, holder: Vault) -> tuple[Identity, Identity]:
    """Return what the book said and what it is to say."""
    said = holder.open_json(row.said_sealed, *SAID, row.ref)
    return _unpack(said["was"]), _unpack(said["wanted"])


def _pack(each: Identity) -> dict[str, Any]:
    name = each.name
    return {
        "last": name.last,
        "first": name.first,
        "patronymic": name.patronymic or "",
        "born_on": each.born_on.isoformat(),
    }


def _unpack(said: dict[str, Any]) -> Identity:
    return Identity(
        FullName(said["last"], said["first"], said["patronymic"] or None),
        date.fromisoformat(said["born_on"]),
    )
