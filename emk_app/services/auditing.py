"""Who did what, on whose records, when: written in the caller's own transaction (D50)."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import FIELDS_LENGTH, AuditEntry
from emk_app.domain.actors import Actor
from emk_app.keys import keystore
from emk_app.outbound import anchors as outbound

ANCHOR: Final = "audit_anchor"
"""The job that anchors the chain once a day, where the settings name a file."""
ANCHOR_BY_POST: Final = "audit_anchor_post"
"""The job that sends the chain's head every hour, where the settings name an address."""
FIRST = "0" * 64
_LOCK = 7_340_211
"""Name of PostgreSQL's advisory lock under which the chain grows; SQLite has one writer anyway."""

ONE_LOOK: Final = timedelta(minutes=15)
"""A screen that keeps itself fresh is one look for so long."""
DENIALS_NOTED: Final = 20
"""Refusals of one person that are written down within ``ONE_LOOK``."""
TARGET_LENGTH: Final = 60
_LOOK_BACK: Final = 500
"""Entries among which the same look is sought; beyond them it is written again."""


def record(
    db: Session,
    actor: Actor | None,
    action: str,
    target: str,
    *,
    now: datetime,
    subject_id: int | None = None,
    fields: str = "",
) -> None:
    """Add one entry to the chain; ``fields`` are names of fields, never their values.

    Of more names than the entry holds, the first are kept, and «…» says that there were others.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.connection().execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    db.flush()
    last = db.exec(select(AuditEntry.digest).order_by(col(AuditEntry.id).desc()).limit(1)).first()
    entry = AuditEntry(
        at=now,
        actor_id=actor.user_id if actor else None,
        role=actor.role.value if actor else "nobody",
        session_id=actor.session_id if actor else None,
        subject_id=subject_id,
        action=action,
        target=target,
        fields=_fitting(fields),
        previous=last or FIRST,
        digest="",
    )
    entry.digest = digest_of(entry)
    db.add(entry)
    if subject_id is not None and entry.actor_id != subject_id:
        changes.announce(db, topic_of(subject_id))


def topic_of(subject_id: int) -> str:
    """Return the word that is told when somebody else has acted on this person's records."""
    return f"watched:{subject_id}"


def _fitting(fields: str) -> str:
    if len(fields) <= FIELDS_LENGTH:
        return fields
    return fields[: fields.rindex(",", 0, FIELDS_LENGTH - 1)] + ",…"


def look(
    actor: Actor,
    target: str,
    *,
    now: datetime,
    subject_id: int | None = None,
    fields: str = "",
) -> None:
    """Record that the actor sees somebody's record, before it is shown; once for one look."""
    with reading() as db:
        newest = (
            db.exec(select(AuditEntry.id).order_by(col(AuditEntry.id).desc()).limit(1)).first() or 0
        )
        known = db.exec(
            select(AuditEntry.id).where(
                col(AuditEntry.id) > newest - _LOOK_BACK,
                col(AuditEntry.actor_id) == actor.user_id,
                col(AuditEntry.session_id) == actor.session_id,
                col(AuditEntry.action) == "view",
                col(AuditEntry.target) == target,
                col(AuditEntry.fields) == fields,
                col(AuditEntry.at) > now - ONE_LOOK,
            )
        ).first()
    if known is None:
        with unit_of_work() as db:
            record(db, actor, "view", target, subject_id=subject_id, fields=fields, now=now)


def denied(actor: Actor, what: str, *, now: datetime) -> None:
    """Record that somebody tried what their role may not do; of a flood the first are enough."""
    with reading() as db:
        known = db.exec(
            select(sa.func.count()).where(
                AuditEntry.actor_id == actor.user_id,
                AuditEntry.action == "denied",
                col(AuditEntry.at) > now - ONE_LOOK,
            )
        ).one()
    if known < DENIALS_NOTED:
        with unit_of_work() as db:
            record(db, actor, "denied", f"call:{what}"[:TARGET_LENGTH], now=now)


def digest_of(entry: AuditEntry) -> str:
    """Return what ``entry.digest`` must be."""
    said = json.dumps(
        [
            entry.at.isoformat(),
            entry.actor_id,
            entry.role,
            entry.session_id,
            entry.subject_id,
            entry.action,
            entry.target,
            entry.fields,
            entry.previous,
        ],
        ensure_ascii=False,
    )
    return hmac.new(keystore().audit_key, said.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain at a moment: what came before can't be changed without changing it."""

    id: int
    digest: str


def head(db: Session) -> Head | None:
    """Return the newest entry's, or None while there is none."""
    newest = db.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(1)).first()
    return Head(newest.id, newest.digest) if newest else None


def anchor(path: Path, *, now: datetime) -> None:
    """Add the chain's head to a file outside the database: so it shows when the end is cut off."""
    with reading() as db:
        newest = head(db)
    if newest is None:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="ascii") as file:
        file.write(_line(newest, now) + "\n")
        file.flush()
        os.fsync(file.fileno())


def anchor_by_post(url: str, token: str, *, now: datetime) -> None:
    """Send the chain's head to another machine, as the line of a file of anchors.

    Raises ``anchors.NotKept``; the job that does it tries again.
    """
    with reading() as db:
        newest = head(db)
    if newest is not None:
        outbound.post(url, token, _line(newest, now), newest.digest)


def _line(newest: Head, now: datetime) -> str:
    return json.dumps({"at": now.isoformat(), "id": newest.id, "digest": newest.digest})


def anchors(path: Path) -> list[Head]:
    """Return the heads of a file; raise ``BadAnchor`` with the number of a line that is not one."""
    found: list[Head] = []
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        try:
            said = json.loads(line)
            found.append(Head(int(said["id"]), str(said["digest"])))
        except (ValueError, KeyError, TypeError):
            raise BadAnchor(number) from None
    return found


def first_unanchored(db: Session, heads: Iterable[Head]) -> Head | None:
    """Return the first head that is no longer in the chain, or None."""
    for each in heads:
        found = db.get(AuditEntry, each.id)
        if found is None or not hmac.compare_digest(found.digest, each.digest):
            return each
    return None


class BadAnchor(ValueError):
    """A line of the file of anchors is not one of ours."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} is not an anchor")
        self.line = line


def first_broken(db: Session) -> int | None:
    """Return the identity of the first entry that does not fit the chain, or None."""
    previous = FIRST
    for entry in db.exec(select(AuditEntry).order_by(col(AuditEntry.id))):
        if entry.previous != previous or not hmac.compare_digest(entry.digest, digest_of(entry)):
            return entry.id
        previous = entry.digest
    return None
