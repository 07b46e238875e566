"""Who is behind a session, asked for each event and each request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import col

from emk_app.db.quick import Quick, reader, together
from emk_app.db.tables.people import User, UserSession
from emk_app.domain.actors import Position, Role


class Standing(NamedTuple):
    """A session with what counts of its person."""

    id: int
    ref: str
    factor_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    user_id: int
    role: Role
    clinic_id: int | None
    position: Position | None
    disabled_at: datetime | None


def standings(refs: Sequence[str]) -> list[Standing]:
    """Return the sessions of these names as they are now, ended ones too."""
    with reader() as read:
        with together(read):
            asked = [_BY_REF.ask(read, ref=ref) for ref in refs]
        return [found for rows in asked for found in rows()]


_BY_REF: Final = Quick(
    Standing,
    sa.select(
        col(UserSession.id),
        col(UserSession.ref),
        col(UserSession.factor_at),
        col(UserSession.last_seen_at),
        col(UserSession.expires_at),
        col(UserSession.revoked_at),
        col(User.id),
        col(User.role),
        col(User.clinic_id),
        col(User.position),
        col(User.disabled_at),
    )
    .join(User, col(User.id) == UserSession.user_id)
    .where(col(UserSession.ref) == sa.bindparam("ref")),
)
