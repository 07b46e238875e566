"""Conclusions leaving and arriving: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db import leases, vault
from emk_app.db.tables.exchange import ExchangePartner, ReceivedDocument, Shipment
from emk_app.db.vault import Vault
from emk_app.domain.errors import NotFound
from emk_app.domain.exchange import ReceivedState, ShipmentState

DOCUMENT = ("exchange_shipments", "document")
RECEIVED = ("exchange_received", "document")


def partner_of(db: Session, key_id: str) -> ExchangePartner | None:
    """Return the partner whose key it is, if it is still one."""
    return db.exec(
        select(ExchangePartner).where(
            ExchangePartner.key_id == key_id, col(ExchangePartner.removed_at).is_(None)
        )
    ).first()


def partners(db: Session) -> Sequence[ExchangePartner]:
    """Return all partners that ever were, in the order they came."""
    return db.exec(select(ExchangePartner).order_by(col(ExchangePartner.id))).all()


def receipt_keys(db: Session) -> dict[str, bytes]:
    """Return the keys whose receipts are believed, by their names."""
    rows = db.exec(
        select(ExchangePartner).where(
            col(ExchangePartner.signs_receipts).is_(True),
            col(ExchangePartner.removed_at).is_(None),
        )
    ).all()
    return {row.key_id: row.public_key for row in rows}


def due(db: Session, now: datetime) -> Shipment | None:
    """Return the next shipment that is due and in nobody's hands, held until the commit."""
    return db.exec(
        select(Shipment)
        .where(
            Shipment.state == ShipmentState.WAITING,
            leases.is_due(col(Shipment.due_at), col(Shipment.created_at), now),
            leases.is_free(col(Shipment.leased_until), now),
        )
        .order_by(col(Shipment.due_at), col(Shipment.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()


def locked_shipment(db: Session, shipment_id: int) -> Shipment:
    """Return a shipment, held until the commit; raise ``NotFound``."""
    found = db.get(Shipment, shipment_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def shipments_of(db: Session, examination_id: int) -> Sequence[Shipment]:
    """Return the shipments of an examination, oldest first."""
    return db.exec(
        select(Shipment).where(Shipment.examination_id == examination_id).order_by(col(Shipment.id))
    ).all()


def shipment_of_digest(db: Session, key: str, digest: str) -> Shipment | None:
    """Return our own shipment that is this very document under this key."""
    return db.exec(
        select(Shipment).where(Shipment.idempotency_key == key, Shipment.digest == digest)
    ).first()


def stuck(db: Session, limit: int) -> Sequence[Shipment]:
    """Return shipments that were given up, then those that failed so far, newest first."""
    return db.exec(
        select(Shipment)
        .where(
            sa.or_(
                col(Shipment.state) == ShipmentState.DEAD,
                sa.and_(col(Shipment.state) == ShipmentState.WAITING, col(Shipment.failure) != ""),
            )
        )
        .order_by(col(Shipment.state) != ShipmentState.DEAD, col(Shipment.id).desc())
        .limit(limit)
    ).all()


def received_under(db: Session, key_id: str, idempotency_key: str) -> ReceivedDocument | None:
    """Return what a partner has sent under this key."""
    return db.exec(
        select(ReceivedDocument).where(
            ReceivedDocument.key_id == key_id,
            ReceivedDocument.idempotency_key == idempotency_key,
        )
    ).first()


def received_as(db: Session, document_uid: str) -> ReceivedDocument | None:
    """Return the document of this name."""
    return db.exec(
        select(ReceivedDocument).where(ReceivedDocument.document_uid == document_uid)
    ).first()


def newest_version(db: Session, series: str, key_id: str) -> int:
    """Return the highest version of a document that a partner has sent; 0 for none."""
    query = select(sa.func.max(ReceivedDocument.version)).where(
        ReceivedDocument.series == series, ReceivedDocument.key_id == key_id
    )
    return db.exec(query).one() or 0


def locked_received(db: Session, received_id: int) -> ReceivedDocument:
    """Return a received document, held until the commit; raise ``NotFound``."""
    found = db.get(ReceivedDocument, received_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    return found


def waiting_for(db: Session, blind: str) -> Sequence[ReceivedDocument]:
    """Return what waits for a holder of this СНИЛС, oldest first, held until the commit."""
    return db.exec(
        select(ReceivedDocument)
        .where(
            ReceivedDocument.snils_blind == blind,
            ReceivedDocument.state == ReceivedState.PENDING,
        )
        .order_by(col(ReceivedDocument.id))
        .with_for_update()
    ).all()


def undecided(db: Session, limit: int) -> Sequence[ReceivedDocument]:
    """Return quarantined documents, then those that wait for a holder, newest first."""
    return db.exec(
        select(ReceivedDocument)
        .where(col(ReceivedDocument.state).in_((ReceivedState.QUARANTINED, ReceivedState.PENDING)))
        .order_by(
            col(ReceivedDocument.state) != ReceivedState.QUARANTINED,
            col(ReceivedDocument.id).desc(),
        )
        .limit(limit)
    ).all()


def linked_to(db: Session, holder_id: int) -> Sequence[ReceivedDocument]:
    """Return what stands of other systems' conclusions about a person, newest first."""
    return db.exec(
        select(ReceivedDocument)
        .where(
            ReceivedDocument.holder_id == holder_id,
            ReceivedDocument.state == ReceivedState.LINKED,
            col(ReceivedDocument.superseded_at).is_(None),
        )
        .order_by(col(ReceivedDocument.linked_at).desc(), col(ReceivedDocument.id).desc())
    ).all()


def supersede(db: Session, row: ReceivedDocument, now: datetime) -> None:
    """Note that ``row`` stands in the place of its earlier versions."""
    db.exec(
        sa.update(ReceivedDocument)
        .where(
            col(ReceivedDocument.series) == row.series,
            col(ReceivedDocument.key_id) == row.key_id,
            col(ReceivedDocument.version) < row.version,
            col(ReceivedDocument.superseded_at).is_(None),
        )
        .values(superseded_at=now)
        .execution_options(synchronize_session=False)
    )


def seal_received(row: ReceivedDocument, raw: bytes, holder: Vault | None) -> None:
    """Keep the document under its holder's key or, before there is one, under one of its own."""
    text = raw.decode()
    row.document_sealed = (
        holder.seal(text, *RECEIVED, row.ref)
        if holder
        else vault.service_seal(text, *RECEIVED, row.ref)
    )


def open_received(row: ReceivedDocument, holder: Vault | None) -> bytes:
    """Return the document as it came."""
    assert row.document_sealed is not None
    if holder is None:
        return vault.service_open(row.document_sealed, *RECEIVED, row.ref).encode()
    return holder.open(row.document_sealed, *RECEIVED, row.ref).encode()
