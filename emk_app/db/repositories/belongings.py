"""Everything the tables hold of one person, opened, for the person alone (152-ФЗ, ст. 14).

A table that is added later and leads to a person by ``user_id`` or ``holder_id``, or hangs on
something of theirs, is in it without a word here.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from emk_app.crypto import sealing
from emk_app.crypto.errors import SealBroken
from emk_app.db.repositories.erasures import OWNERS
from emk_app.db.vault import Vault

PLACES: Final[dict[str, tuple[str, ...]]] = {
    "users": ("uid",),
    "logins": ("blind",),
    "notices": ("dedupe",),
    "scans": ("ref",),
    "esignatures": ("application_id",),
    "identity_changes": ("ref",),
    "examination_attachments": ("ref",),
    "exchange_received": ("ref",),
    "book_versions": ("book_id", "version"),
    "extracts": ("book_id", "link_id"),
    "share_links": ("digest",),
    "handovers": ("digest",),
    "support_tickets": ("number",),
    "support_messages": ("ref",),
    "support_files": ("ref",),
    "support_glasses": ("ref",),
}
"""Columns that name the row in the place a value is sealed for; ``id`` where none are said."""
SECRETS: Final = frozenset(
    {"key_sealed", "password_hash", "totp_sealed", "totp_next_sealed", "totp_counter"}
    | {
        "code_sealed",
        "code_hash",
        "code_digest",
        "ticket_hash",
        "digest",
        "blind",
        "snils_blind",
        "login_blind",
    }
    | {"contact_blind", "code_blind", "form_key"}
    | {"blob", "preview_blob", "public_key", "credential_id", "idempotency_key"}
)
"""What opens doors, or says nothing to the person: never in the copy."""
FILES: Final = frozenset({("extracts", "content_sealed")})
"""Sealed values that are whole files: they lie beside, not in the text."""
LEFT_OUT: Final = frozenset({"outbox", "doorsteps", "data_exports"})
"""What only carries: letters on their way say what the notices say."""


def of(db: Session, user_id: int, own: Vault) -> dict[str, list[dict[str, Any]]]:
    """Return every row by table, values opened, other people left out."""
    found: dict[str, dict[Any, Any]] = {}
    users = SQLModel.metadata.tables["users"]
    _collect(db, users, users.c.id == user_id, found)
    # Parents stand before their children, so one walk reaches everything.
    for table in SQLModel.metadata.sorted_tables:
        if table.name in LEFT_OUT:
            continue
        ways = [table.c[name] == user_id for name in OWNERS if _is_owner(table, name)]
        for column in table.columns:
            for key in column.foreign_keys:
                parent = key.column.table.name
                if parent != "users" and parent in found and "id" in key.column.table.c:
                    ids = list(found[parent])
                    if ids:
                        ways.append(column.in_(ids))
        if ways and table.name != "users":
            _collect(db, table, sa.or_(*ways), found)
    return {
        name: [_said(SQLModel.metadata.tables[name], row, own) for row in rows.values()]
        for name, rows in found.items()
        if rows
    }


def _is_owner(table: sa.Table, name: str) -> bool:
    return name in table.c and any(
        key.column.table.name == "users" for key in table.c[name].foreign_keys
    )


def _collect(
    db: Session, table: sa.Table, which: sa.ColumnElement[bool], found: dict[str, dict[Any, Any]]
) -> None:
    key = tuple(table.primary_key.columns)
    rows = db.execute(sa.select(table).where(which).order_by(*key)).mappings().all()
    kept = found.setdefault(table.name, {})
    for row in rows:
        name = row[key[0].name] if len(key) == 1 else tuple(row[each.name] for each in key)
        kept[name] = dict(row)


def _said(table: sa.Table, row: dict[str, Any], own: Vault) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for column in table.columns:
        value, name = row[column.name], column.name
        leads_to_user = any(key.column.table.name == "users" for key in column.foreign_keys)
        if name in SECRETS or (table.name, name) in FILES:
            continue
        if leads_to_user and name not in OWNERS:
            # Who of the staff it was, «Кто смотрел» says as far as it may be said.
            continue
        if name.endswith("_sealed"):
            said[name.removesuffix("_sealed")] = _opened(table.name, name, row, own)
        else:
            said[name] = plain(value)
    return said


def _opened(table: str, name: str, row: dict[str, Any], own: Vault) -> Any:
    if not row[name]:
        return None
    names = PLACES.get(table, ("id",))
    place = sealing.place(table, name.removesuffix("_sealed"), *(row[each] for each in names))
    try:
        return plain(sealing.unseal(own.key, row[name], place))
    except SealBroken:
        return None


def plain(value: Any) -> Any:
    """Return a value as JSON says it: text where bytes are text, base64 where they are not."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Enum():
            return value.value
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return base64.b64encode(value).decode("ascii")
        case _:
            return value


def blobs_of(db: Session, table: str, ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return name, kind and blob of each file that rows of a table name and that stands."""
    made = SQLModel.metadata.tables[table]
    which = made.c.id.in_(list(ids))
    if "removed_at" in made.c:
        which = which & made.c.removed_at.is_(None)
    rows = db.execute(sa.select(made.c.ref, made.c.media_type, made.c.blob).where(which))
    return [dict(row) for row in rows.mappings()]
