"""Identities of another system that lead to accounts, and those who are on their way there."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.federation import Purpose


class FederatedIdentity(SQLModel, table=True):
    """One person of a provider, who is the owner of one account."""

    __tablename__ = "federated_identities"
    __table_args__ = (UniqueConstraint("blind"), UniqueConstraint("user_id"))

    id: int = identity()
    user_id: int = reference("users.id", nullable=False, index=False)
    blind: str = Field(max_length=64)
    """Blind index of issuer and subject: neither stands in clear."""
    linked_at: datetime
    used_at: datetime | None = None


class Flight(SQLModel, table=True):
    """Somebody who was sent to the provider and has not come back, or not yet proved themselves."""

    __tablename__ = "federated_flights"

    id: int = identity()
    door: str = Field(max_length=64, index=True)
    """The browser, by the hash of its cookie."""
    state_hash: str = Field(max_length=64, unique=True)
    purpose: Purpose = choice(Purpose, nullable=False)
    user_id: int | None = reference("users.id", default=None, nullable=True)
    """Who is signed in; or, once back, whose second factor makes the link."""
    secrets_sealed: bytes | None = None
    """The nonce and the code verifier; gone with the first answer."""
    blind: str | None = Field(default=None, max_length=64)
    """Who came back, until the second factor has made the link."""
    expires_at: datetime = Field(index=True)
