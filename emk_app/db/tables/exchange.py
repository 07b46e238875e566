"""Conclusions on their way to other systems, those that came from them, and who speaks for whom."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.exchange import Doubt, Format, ReceivedState, ShipmentState


class Shipment(SQLModel, table=True):
    """One signed conclusion that leaves, at least once, under a lease (D32)."""

    __tablename__ = "exchange_shipments"
    __table_args__ = (
        UniqueConstraint("signed_id"),
        Index("ix_exchange_shipments_due", "state", "due_at"),
    )

    id: int = identity()
    signed_id: int = reference("signed_conclusions.id", nullable=False, index=False)
    examination_id: int = reference("examinations.id", nullable=False)
    format: Format = choice(Format, nullable=False)
    state: ShipmentState = choice(ShipmentState, nullable=False)
    idempotency_key: str = Field(max_length=80, unique=True)
    document_sealed: bytes | None = None
    """Sealed under the holder's key; made at the first try, the same for all others."""
    document_uid: str = Field(default="", max_length=160)
    digest: str = Field(default="", max_length=64, index=True)
    """SHA-256 of the document."""
    created_at: datetime
    due_at: datetime
    leased_until: datetime | None = None
    attempts: int = 0
    failure: str = Field(default="", max_length=80)
    """Why it has not been taken so far, in a word of ours; never what the other side said."""
    receipt: bytes | None = None
    """As it came, with the receiver's signature."""
    receipt_number: str = Field(default="", max_length=40)
    delivered_at: datetime | None = None


class ExchangePartner(SQLModel, table=True):
    """A system that may send to us, or whose receipts we believe."""

    __tablename__ = "exchange_partners"
    __table_args__ = (UniqueConstraint("key_id"),)

    id: int = identity()
    name: str = Field(max_length=80)
    key_id: str = Field(max_length=16)
    public_key: bytes
    """DER."""
    oids: str = Field(default="", max_length=2000)
    """OIDs of the clinics it may speak for, between blanks."""
    signs_receipts: bool = False
    added_at: datetime
    removed_at: datetime | None = None


class SeenNonce(SQLModel, table=True):
    """A signed request that was taken: it is not taken again while its signature is fresh."""

    __tablename__ = "exchange_nonces"

    key_id: str = Field(max_length=16, primary_key=True)
    nonce: str = Field(max_length=64, primary_key=True)
    expires_at: datetime = Field(index=True)


class ReceivedDocument(SQLModel, table=True):
    """A conclusion from another system."""

    __tablename__ = "exchange_received"
    __table_args__ = (
        UniqueConstraint("key_id", "idempotency_key"),
        UniqueConstraint("document_uid"),
        Index("ix_exchange_received_waiting", "state", "expires_at"),
    )

    id: int = identity()
    ref: str = Field(max_length=32, unique=True)
    """Random number of the receipt."""
    key_id: str = Field(max_length=16)
    idempotency_key: str = Field(max_length=80)
    format: Format = choice(Format, nullable=False)
    document_uid: str = Field(max_length=160)
    series: str = Field(max_length=160, index=True)
    """What its versions have in common."""
    version: int
    digest: str = Field(max_length=64)
    clinic_oid: str = Field(max_length=60)
    state: ReceivedState = choice(ReceivedState, nullable=False)
    doubt: Doubt | None = choice(Doubt, default=None, nullable=True)
    document_sealed: bytes | None = None
    """Under the holder's key once it is linked; erased when it expires or is dropped."""
    snils_blind: str | None = Field(default=None, max_length=64, index=True)
    holder_id: int | None = reference("users.id", default=None, nullable=True)
    receipt: bytes
    received_at: datetime
    linked_at: datetime | None = None
    superseded_at: datetime | None = None
    """When a later version of it was linked."""
    expires_at: datetime | None = None
    """From when it is erased if nobody has decided."""
    ended_at: datetime | None = None
