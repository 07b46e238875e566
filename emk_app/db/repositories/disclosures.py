"""Grants to read, readings and handovers: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from emk_app.db import changes
from emk_app.db.tables.applications import Application
from emk_app.db.tables.disclosures import Handover, RecordGrant, RecordReading
from emk_app.db.tables.examinations import Attachment, Examination
from emk_app.db.vault import Vault
from emk_app.domain.actors import Actor, Role
from emk_app.domain.disclosures import RecordPart
from emk_app.domain.errors import NotFound

CODE: Final = ("handovers", "code")
RECEIVER: Final = ("handovers", "receiver")


def tell(db: Session, grant: RecordGrant) -> None:
    """Announce that a grant has changed, to its holder and to who reads."""
    changes.announce(db, f"holder:{grant.holder_id}")
    if grant.physician_id is not None:
        changes.announce(db, f"physician:{grant.physician_id}")


def own_grant(db: Session, actor: Actor, grant_id: int) -> RecordGrant:
    """Return the holder's own grant, held until the commit; another's does not exist for them."""
    return _held(db, grant_id, RecordGrant.holder_id == actor.user_id)


def physicians_grant(db: Session, actor: Actor, grant_id: int) -> RecordGrant:
    """Return a grant the physician has claimed for this clinic, held until the commit."""
    return _held(
        db,
        grant_id,
        RecordGrant.physician_id == actor.user_id,
        RecordGrant.clinic_id == actor.clinic_id,
    )


def _held(db: Session, grant_id: int, *whose: Any) -> RecordGrant:
    found = db.exec(
        select(RecordGrant).where(RecordGrant.id == grant_id, *whose).with_for_update()
    ).first()
    if found is None:
        raise NotFound
    return found


def grants_of(db: Session, holder_id: int, limit: int) -> Sequence[RecordGrant]:
    """Return the holder's last grants, newest first."""
    return db.exec(
        select(RecordGrant)
        .where(RecordGrant.holder_id == holder_id)
        .order_by(col(RecordGrant.id).desc())
        .limit(limit)
    ).all()


def unended_of(db: Session, holder_id: int) -> Sequence[RecordGrant]:
    """Return the holder's grants that nobody has ended, held until the commit."""
    return db.exec(
        select(RecordGrant)
        .where(RecordGrant.holder_id == holder_id, col(RecordGrant.ended_at).is_(None))
        .order_by(col(RecordGrant.id))
        .with_for_update()
    ).all()


def unended_for(db: Session, actor: Actor) -> Sequence[RecordGrant]:
    """Return what the physician has claimed for this clinic and nobody has ended, newest first."""
    return db.exec(
        select(RecordGrant)
        .where(
            RecordGrant.physician_id == actor.user_id,
            RecordGrant.clinic_id == actor.clinic_id,
            col(RecordGrant.ended_at).is_(None),
        )
        .order_by(col(RecordGrant.id).desc())
        .limit(50)
    ).all()


def is_code_free(db: Session, digest: str) -> bool:
    """Whether no code that may still be entered has this digest."""
    return db.exec(select(RecordGrant.id).where(RecordGrant.code_digest == digest)).first() is None


def forget_old_codes(db: Session, now: datetime) -> None:
    """Let go of the digests of codes nobody may enter any more."""
    db.execute(
        sa.update(RecordGrant)
        .where(col(RecordGrant.code_digest).is_not(None), col(RecordGrant.code_expires_at) <= now)
        .values(code_digest=None)
        .execution_options(synchronize_session=False)
    )


def claim(db: Session, digest: str, actor: Actor, now: datetime) -> RecordGrant | None:
    """Let the physician have the grant behind a code; None if no code like it may be entered.

    Of two who enter it at once, one gets it.
    """
    grant_id = db.exec(select(RecordGrant.id).where(RecordGrant.code_digest == digest)).first()
    result = db.execute(
        sa.update(RecordGrant)
        .where(
            col(RecordGrant.id) == grant_id,
            col(RecordGrant.code_digest) == digest,
            col(RecordGrant.code_expires_at) > now,
            col(RecordGrant.ended_at).is_(None),
        )
        .values(
            code_digest=None,
            physician_id=actor.user_id,
            clinic_id=actor.clinic_id,
            claimed_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", result).rowcount != 1:
        return None
    return db.get_one(RecordGrant, grant_id, populate_existing=True)


def end(db: Session, grant: RecordGrant, by: Role, now: datetime) -> None:
    """End a grant."""
    grant.ended_at, grant.ended_by, grant.code_digest = now, by, None
    db.add(grant)
    tell(db, grant)


def readings_of(db: Session, grant_ids: Collection[int]) -> Sequence[RecordReading]:
    """Return what was read by these grants, oldest first."""
    if not grant_ids:
        return ()
    return db.exec(
        select(RecordReading)
        .where(col(RecordReading.grant_id).in_(grant_ids))
        .order_by(col(RecordReading.id))
    ).all()


def was_read(
    db: Session, grant_id: int, part: RecordPart, attachment_id: int | None, since: datetime
) -> bool:
    """Whether this part was read by this grant since then."""
    return (
        db.exec(
            select(RecordReading.id).where(
                RecordReading.grant_id == grant_id,
                RecordReading.part == part,
                RecordReading.attachment_id == attachment_id,
                col(RecordReading.at) >= since,
            )
        ).first()
        is not None
    )


def papers_of(db: Session, holder_id: int) -> Sequence[Attachment]:
    """Return the papers of every examination of the holder, the newest first."""
    return db.exec(
        select(Attachment)
        .join(Examination, col(Examination.id) == Attachment.examination_id)
        .join(Application, col(Application.id) == Examination.application_id)
        .where(Application.holder_id == holder_id, col(Attachment.removed_at).is_(None))
        .order_by(col(Attachment.id).desc())
    ).all()


def handovers_of(db: Session, holder_id: int, limit: int) -> Sequence[Handover]:
    """Return the holder's last handovers, newest first."""
    return db.exec(
        select(Handover)
        .where(Handover.holder_id == holder_id)
        .order_by(col(Handover.id).desc())
        .limit(limit)
    ).all()


def waiting_of(db: Session, holder_id: int, now: datetime) -> Sequence[Handover]:
    """Return the holder's handovers that can still be fetched, held until the commit."""
    return db.exec(
        select(Handover)
        .where(
            Handover.holder_id == holder_id,
            col(Handover.fetched_at).is_(None),
            col(Handover.revoked_at).is_(None),
            col(Handover.expires_at) > now,
        )
        .order_by(col(Handover.id))
        .with_for_update()
    ).all()


def own_handover(db: Session, actor: Actor, handover_id: int) -> Handover:
    """Return the holder's own handover, held until the commit."""
    found = db.exec(
        select(Handover)
        .where(Handover.id == handover_id, Handover.holder_id == actor.user_id)
        .with_for_update()
    ).first()
    if found is None:
        raise NotFound
    return found


def handover_by(db: Session, digest: str, *, held: bool = False) -> Handover | None:
    """Return the handover behind a link's digest; ``held`` until the commit."""
    query = select(Handover).where(Handover.digest == digest)
    return db.exec(query.with_for_update() if held else query).first()


def open_code(vault: Vault, handover: Handover) -> str:
    """Return the code in the link."""
    return vault.open(handover.code_sealed, *CODE, handover.digest)


def open_receiver(vault: Vault, handover: Handover) -> str:
    """Return whom it is for, in the holder's words."""
    return vault.open(handover.receiver_sealed, *RECEIVER, handover.digest)
