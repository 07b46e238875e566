"""A new master key while the service runs: every data key is wrapped anew, then the old one goes.

(D40, docs/keys.md.) Nothing sealed is touched: only the small keys it is sealed under.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from emk_app.crypto import keystore as folder
from emk_app.crypto import register, sealing
from emk_app.crypto.errors import KeyRefused
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.vault import WRAPPED_LENGTH
from emk_app.domain.actors import Actor, Role, permit
from emk_app.keys import key_folder, keystore, reread
from emk_app.services import auditing, jobs

JOB: Final = "rewrap"
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class _Place:
    """A column that begins with a wrapped key, and how its row is named in the place of the key."""

    table: str
    column: str
    row: str
    sealed_for: str


PLACES: Final = (
    _Place("users", "key_sealed", "uid", "key"),
    _Place("outbox", "recipient_sealed", "dedupe", "recipient"),
    _Place("outbox", "notice_sealed", "dedupe", "notice"),
    _Place("exchange_received", "document_sealed", "ref", "document"),
    _Place("password_resets", "login_sealed", "ref", "login"),
    _Place("staff_orders", "invited_sealed", "ref", "invited"),
    _Place("staff_orders", "reason_sealed", "ref", "reason"),
    _Place("organisations", "about_sealed", "inn_blind", "about"),
    _Place("staff_entries", "said_sealed", "ref", "said"),
    _Place("staff_entries", "name_sealed", "ref", "name"),
    _Place("member_invitations", "email_sealed", "ref", "email"),
    _Place("staff_uploads", "rows_sealed", "ref", "rows"),
)
PASSING: Final = (("doorsteps", "registration_sealed"),)
"""Columns that are left alone: their rows live for a quarter of an hour."""


def rotate(actor: Actor, *, now: datetime) -> int:
    """Make a new master key, seal by it from now on in every process, and have the rest wrapped
    anew by a job; return its number.

    Raises ``KeyRefused`` while keys are still to be wrapped anew.
    """
    permit(actor, Role.SYSTEM)
    keystore()
    with register.locked(key_folder()), unit_of_work() as db:
        left = _left(db)
        if set(left) - {keystore().keyring.current}:
            raise KeyRefused("the last rotation is not done yet: let the jobs run")
        kid = folder.add_master(key_folder())
        jobs.enqueue(db, JOB, kid, occasion="rotated", now=now)
        auditing.record(db, actor, "rotate_master", f"master:{kid}", now=now)
    reread()
    return kid


def drop(actor: Actor, kid: int, *, now: datetime) -> None:
    """Take an old master key off the ring for good.

    Raises ``KeyRefused`` while anything is wrapped by it, and for the one that seals.
    """
    permit(actor, Role.SYSTEM)
    keystore()
    with register.locked(key_folder()), unit_of_work() as db:
        if _left(db)[kid]:
            raise KeyRefused(f"{_left(db)[kid]} values are still under key {kid}")
        folder.drop_master(key_folder(), kid)
        auditing.record(db, actor, "drop_master", f"master:{kid}", now=now)
    reread()


def run(_target_id: int, now: datetime) -> None:
    """Wrap every older key anew, a batch a transaction; begun anew where it was stopped."""
    for place in PLACES:
        for ids in _batches(place):
            with unit_of_work() as db:
                _rewrap(db, place, ids)
                jobs.hold(db, JOB, _target_id, now=now)


def left() -> Counter[int]:
    """Return how many values are under which master key."""
    with reading() as db:
        return _left(db)


def _left(db: Session) -> Counter[int]:
    found: Counter[int] = Counter()
    for name, column in (*((each.table, each.column) for each in PLACES), *PASSING):
        table = SQLModel.metadata.tables[name]
        head = sa.func.substr(table.c[column], 1, 2)
        conditions = [table.c[column].is_not(None)]
        if name == "exchange_received":
            conditions.append(table.c.holder_id.is_(None))
        rows = (
            db.connection()
            .execute(sa.select(head, sa.func.count()).where(*conditions).group_by(head))
            .all()
        )
        for said, count in rows:
            found[bytes(said)[1]] += count
    return found


def _batches(place: _Place) -> Iterator[list[int]]:
    """Yield rows whose key is under an older master key, until there are none."""
    current = bytes((1, keystore().keyring.current))
    table = SQLModel.metadata.tables[place.table]
    newest = 0
    while True:
        conditions = [
            table.c.id > newest,
            table.c[place.column].is_not(None),
            sa.func.substr(table.c[place.column], 1, 2) != current,
        ]
        if place.table == "exchange_received":
            # Under its holder's key once it is linked.
            conditions.append(table.c.holder_id.is_(None))
        with reading() as db:
            ids = list(
                db.connection()
                .execute(sa.select(table.c.id).where(*conditions).order_by(table.c.id).limit(BATCH))
                .scalars()
            )
        if not ids:
            return
        yield ids
        newest = ids[-1]


def _rewrap(db: Session, place: _Place, ids: list[int]) -> None:
    table = SQLModel.metadata.tables[place.table]
    column = table.c[place.column]
    ring = keystore().keyring
    rows = (
        db.connection()
        .execute(sa.select(table.c.id, table.c[place.row], column).where(table.c.id.in_(ids)))
        .all()
    )
    for row_id, name, blob in rows:
        if blob is None or not ring.needs_rewrap(blob):
            continue
        head, rest = blob[:WRAPPED_LENGTH], blob[WRAPPED_LENGTH:]
        where = sealing.place(place.table, place.sealed_for, name)
        made = ring.wrap(ring.unwrap(head, where), where) + rest
        # Whoever has changed it meanwhile has sealed by the newer key already.
        db.connection().execute(
            sa.update(table).where(table.c.id == row_id, column == blob).values({column.name: made})
        )
