"""Keys for an employer's own systems: made and withdrawn by the owner, asked for at the door."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from emk_app.crypto import tokens
from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import employer_keys as keys_of
from emk_app.db.repositories.employer_keys import topic_of
from emk_app.db.tables.employers import EmployerKey, Organisation
from emk_app.domain import employer_keys as rules
from emk_app.domain.actors import Actor, Post, Role, permit_fresh, permit_post
from emk_app.domain.employer_keys import (
    KeyEnded,
    KeyRefused,
    KeyRevoked,
    KeyScope,
    KeyState,
    ScopeMissing,
    TooManyKeys,
)
from emk_app.domain.values import Problems
from emk_app.services import auditing

SHOWN: Final = 50
PURPOSE: Final = "employer-key"


@dataclass(frozen=True, slots=True)
class KeyView:
    """One key as its owner sees it."""

    id: int
    name: str
    hint: str
    scopes: tuple[KeyScope, ...]
    state: KeyState
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who has shown a key: what it is good for, and on whose authority."""

    key_id: int
    scopes: frozenset[KeyScope]
    actor: Actor
    organisation_id: int

    def permit(self, scope: KeyScope) -> Actor:
        """Return on whose authority the bearer acts; raise ``ScopeMissing``."""
        if scope not in self.scopes:
            raise ScopeMissing(scope)
        return self.actor


def keys(actor: Actor, *, now: datetime) -> tuple[KeyView, ...]:
    """Return the keys of the actor's organisation, newest first."""
    organisation_id = permit_post(actor, Post.OWNER)
    with reading() as db:
        return tuple(_view(row, now) for row in keys_of.of_organisation(db, organisation_id, SHOWN))


def make(actor: Actor, name: str, scopes: Collection[str], days: int, *, now: datetime) -> str:
    """Make a key and return it, the only time that anybody sees it.

    Raises ``FreshFactorNeeded``, ``Invalid`` with ``name``, ``scopes`` and ``days``, and
    ``TooManyKeys``.
    """
    organisation_id = permit_post(actor, Post.OWNER)
    permit_fresh(actor, now)
    problems = Problems()
    said = problems.take("name", rules.key_name, name)
    chosen = problems.take("scopes", rules.key_scopes, scopes)
    ends = problems.take("days", rules.key_expiry, now, days)
    problems.raise_any()
    token = rules.PREFIX + tokens.new_token()
    with unit_of_work() as db:
        # Held, so that of two keys made at once each counts the other.
        db.get_one(Organisation, organisation_id, with_for_update=True)
        if keys_of.live(db, organisation_id, now) >= rules.KEYS_AT_ONCE:
            raise TooManyKeys(rules.KEYS_AT_ONCE)
        row = EmployerKey(
            organisation_id=organisation_id,
            made_by=actor.user_id,
            name=said,
            digest=tokens.digest(token, PURPOSE),
            hint=token[-rules.HINT :],
            scopes=",".join(chosen),
            created_at=now,
            expires_at=ends,
        )
        db.add(row)
        db.flush()
        changes.announce(db, topic_of(organisation_id))
        auditing.record(
            db, actor, "make_employer_key", f"employer-key:{row.id}", fields=row.scopes, now=now
        )
    return token


def revoke(actor: Actor, key_id: int, *, now: datetime) -> None:
    """Withdraw a key at once. Withdrawing twice is once."""
    organisation_id = permit_post(actor, Post.OWNER)
    with unit_of_work() as db:
        row = keys_of.own(db, organisation_id, key_id)
        if row.revoked_at is not None:
            return
        row.revoked_at = now
        db.add(row)
        changes.announce(db, topic_of(organisation_id))
        auditing.record(db, actor, "revoke_employer_key", f"employer-key:{row.id}", now=now)


def bearer_of(token: str, *, now: datetime) -> Bearer:
    """Return who shows a key; raise ``KeyRefused``, ``KeyEnded`` or ``KeyRevoked``.

    The bearer acts on the authority of the owner who made the key, and with no more than the key
    was made for: one that only reads acts as a viewer.
    """
    with reading() as db:
        row = keys_of.by_digest(db, tokens.digest(token, PURPOSE))
    if row is None:
        raise KeyRefused
    match rules.key_state(row.expires_at, row.revoked_at, now):
        case KeyState.REVOKED:
            raise KeyRevoked
        case KeyState.ENDED:
            raise KeyEnded
        case KeyState.LIVE:
            pass
    scopes = frozenset(_scopes(row))
    actor = Actor(
        row.made_by,
        Role.EMPLOYER,
        organisation_id=row.organisation_id,
        post=Post.HR if KeyScope.STAFF_WRITE in scopes else Post.VIEWER,
    )
    if row.used_at is None or row.used_at <= now - rules.USE_PAUSE:
        _note_use(row, actor, now)
    return Bearer(row.id, scopes, actor, row.organisation_id)


def _note_use(row: EmployerKey, actor: Actor, now: datetime) -> None:
    with unit_of_work() as db:
        if keys_of.mark_used(db, row.id, now, rules.USE_PAUSE):
            changes.announce(db, topic_of(row.organisation_id))
            auditing.record(
                db, actor, "use_employer_key", f"employer-key:{row.id}", fields=row.scopes, now=now
            )


def _scopes(row: EmployerKey) -> tuple[KeyScope, ...]:
    return tuple(KeyScope(each) for each in row.scopes.split(","))


def _view(row: EmployerKey, now: datetime) -> KeyView:
    return KeyView(
        id=row.id,
        name=row.name,
        hint=row.hint,
        scopes=_scopes(row),
        state=rules.key_state(row.expires_at, row.revoked_at, now),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )
