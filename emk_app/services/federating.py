"""Signing in by way of the provider: it stands for the password, never for the second factor."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import cache
from typing import Final

from sqlmodel import Session, col, delete, select

from emk_app.crypto import tokens
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.tables.federation import FederatedIdentity, Flight
from emk_app.db.tables.people import User
from emk_app.domain.accounts import PROVIDER_SOURCE, PROVIDER_TO_ALL
from emk_app.domain.actors import Actor, Role, permit, permit_fresh
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.errors import NotFound
from emk_app.domain.federation import (
    FLIGHT_LIFE,
    AlreadyLinked,
    Identity,
    IdentityUntrusted,
    Outcome,
    ProviderUnavailable,
    Purpose,
    read_identity,
)
from emk_app.outbound.identity_provider import (
    Client,
    IdentityProvider,
    Secrets,
    new_secrets,
)
from emk_app.services import accounts, factors, linking, throttling
from emk_app.services.throttling import key_of
from emk_app.settings import settings

log = logging.getLogger("emk.federating")

BACK: Final = "/session/provider/back"
"""Where the provider sends browsers back; registered there as our redirect URI."""


@cache
def provider() -> IdentityProvider | None:
    """Return the provider of the settings, if there is one."""
    given = settings().identity_provider
    if given is None:
        return None
    return IdentityProvider(
        Client(
            issuer=given.issuer,
            id=given.client,
            secret=given.secret.read_text().strip(),
            scope=given.scope,
            back=settings().origin + BACK,
        )
    )


def name() -> str:
    """Return what people call the provider; empty where there is none."""
    given = settings().identity_provider
    return given.name if given else ""


def begin(door: str, *, source: str, now: datetime) -> str:
    """Return where to send a browser whose owner wants to sign in.

    Raises ``NotFound`` without a provider, ``ProviderUnavailable``, ``TooManyAttempts``.
    """
    return _depart(door, Purpose.SIGN_IN, None, source=source, now=now)


def begin_link(actor: Actor, door: str, *, source: str, now: datetime) -> str:
    """Return where to send somebody signed in, who wants the provider to lead to the account.

    Raises ``FreshFactorNeeded``, ``AlreadyLinked`` and what ``begin`` raises.
    """
    permit(actor, Role.HOLDER)
    permit_fresh(actor, now)
    with reading() as db:
        if linking.of_user(db, actor.user_id) is not None:
            raise AlreadyLinked
    return _depart(door, Purpose.LINK, actor.user_id, source=source, now=now)


def finish(
    door: str, state: str, code: str, issuer: str, actor: Actor | None, *, now: datetime
) -> Outcome:
    """Take whoever the provider sent back to the next step, and say which it is.

    ``issuer`` is what the answer says of its sender (RFC 9207), if it says anything. ``code`` is
    empty where the provider let nobody through. Whatever comes of it, the state serves once.
    """
    flight = _landed(door, state, now)
    if flight is None or flight.secrets_sealed is None:
        return Outcome.STALE
    if not code:
        return Outcome.DECLINED
    given = settings().identity_provider
    known = provider()
    if given is None or known is None or issuer not in ("", given.issuer):
        return Outcome.UNAVAILABLE
    nonce, verifier = vault.service_open(
        flight.secrets_sealed, "federated_flights", "secrets", flight.state_hash
    ).split("\n")
    try:
        said = read_identity(known.claims(code, Secrets(nonce, verifier), now))
    except ProviderUnavailable as error:
        log.warning("the provider of identities: %s", error.why)
        return Outcome.UNAVAILABLE
    except IdentityUntrusted:
        return Outcome.UNTRUSTED
    blind = linking.blind_of(given.issuer, said.subject)
    with unit_of_work() as db:
        if flight.purpose is Purpose.LINK:
            return _link(db, flight, actor, said, blind, now)
        return _arrive(db, door, said, blind, now)


def _depart(door: str, purpose: Purpose, user_id: int | None, *, source: str, now: datetime) -> str:
    known = provider()
    if known is None:
        raise NotFound
    throttling.spend(
        (key_of("provider-source", source), PROVIDER_SOURCE),
        (key_of("provider", "everybody"), PROVIDER_TO_ALL),
        now=now,
    )
    state, own = tokens.new_token(), new_secrets()
    address = known.address(state, own)
    state_hash = tokens.digest(state, "provider-state")
    with unit_of_work() as db:
        db.exec(delete(Flight).where(col(Flight.door) == door))
        db.add(
            Flight(
                door=door,
                state_hash=state_hash,
                purpose=purpose,
                user_id=user_id,
                secrets_sealed=vault.service_seal(
                    f"{own.nonce}\n{own.verifier}", "federated_flights", "secrets", state_hash
                ),
                expires_at=now + FLIGHT_LIFE,
            )
        )
    return address


def _landed(door: str, state: str, now: datetime) -> Flight | None:
    """Return the flight that this answer ends, and forget it: no answer counts twice."""
    with unit_of_work() as db:
        flight = db.exec(
            select(Flight)
            .where(
                Flight.door == door,
                Flight.state_hash == tokens.digest(state, "provider-state"),
                col(Flight.secrets_sealed).is_not(None),
            )
            .with_for_update()
        ).first()
        if flight is None:
            return None
        db.delete(flight)
        return flight if flight.expires_at > now else None


def _arrive(db: Session, door: str, said: Identity, blind: str, now: datetime) -> Outcome:
    known = db.exec(select(FederatedIdentity).where(FederatedIdentity.blind == blind)).first()
    user = db.get(User, known.user_id) if known else _owner(db, said)
    if user is None or user.disabled_at is not None:
        return Outcome.UNKNOWN
    if known is None and linking.of_user(db, user.id) is not None:
        return Outcome.TAKEN
    # Without a second factor of its own the account would be open to whoever holds the identity.
    if not factors.proofs_of(db, user).is_enrolled:
        return Outcome.UNPROVED
    accounts.stand_at_door(db, door, user, now)
    db.add(
        Flight(
            door=door,
            state_hash=tokens.digest(tokens.new_token(), "provider-state"),
            purpose=Purpose.SIGN_IN,
            user_id=user.id,
            blind=blind,
            expires_at=now + FLIGHT_LIFE,
        )
    )
    return Outcome.CODE


def _link(
    db: Session, flight: Flight, actor: Actor | None, said: Identity, blind: str, now: datetime
) -> Outcome:
    """Link to the account of whoever is signed in, if it is still the one who asked."""
    if actor is None or actor.user_id != flight.user_id:
        return Outcome.STALE
    user = db.get(User, actor.user_id)
    if user is None:
        return Outcome.STALE
    own = _snils_of(db, user.id)
    if own and vault.blind(*_PLACE, said.snils.digits) not in own:
        return Outcome.ANOTHER
    owner = _owner(db, said)
    if owner is not None and owner.id != user.id:
        return Outcome.TAKEN
    return Outcome.LINKED if linking.link(db, actor, user, blind, now) else Outcome.TAKEN


_PLACE: Final = ("applications-snils",)


def _owner(db: Session, said: Identity) -> User | None:
    """Return the one whose papers were found right with this СНИЛС; nobody where several were."""
    blind = vault.blind(*_PLACE, said.snils.digits)
    owners = {
        each.holder_id
        for each in applications.of_snils(db, blind)
        if each.status is ApplicationStatus.APPROVED
    }
    return db.get(User, owners.pop()) if len(owners) == 1 else None


def _snils_of(db: Session, user_id: int) -> set[str]:
    """Return the indices of the СНИЛС with which the person's papers were found right."""
    return {
        each.snils_blind
        for each in applications.of_holder(db, user_id)
        if each.status is ApplicationStatus.APPROVED and each.snils_blind
    }
