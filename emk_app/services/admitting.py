"""What the holder lets employers see: requests answered, leaves ended, looks shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import consents, employers
from emk_app.db.tables.employers import StaffEntry
from emk_app.db.tables.people import User
from emk_app.domain import employing as rules
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.consent import ConsentNeeded
from emk_app.domain.employing import AccessState, AddedBy
from emk_app.domain.errors import Invalid, NotAChoice, NotFound
from emk_app.domain.sharing import ShareScope, expiry
from emk_app.services import auditing, employing

SHOWN: Final = 100
TERMS_DAYS: Final = (30, 90, 365)


@dataclass(frozen=True, slots=True)
class EmployerView:
    """One employer as the holder sees it."""

    id: int
    organisation: str
    added_by: AddedBy
    scope: ShareScope | None
    state: AccessState
    ended_by: Role | None
    asked_at: datetime
    until: datetime | None
    ended_at: datetime | None
    looked_at: datetime | None
    is_counted: bool
    """Whether the vaccinations are counted in the employer's report, without a name."""


def shown(actor: Actor, *, now: datetime) -> tuple[EmployerView, ...]:
    """Return who sees the holder's book, asks to, and did; newest first."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        user = db.get_one(User, actor.user_id)
        rows = employers.about(db, user, employers.blinds_of(db, user), SHOWN)
        names = employers.names_of(db, {row.organisation_id for row in rows})
        return tuple(
            EmployerView(
                id=row.id,
                organisation=names[row.organisation_id],
                added_by=row.added_by,
                scope=row.scope,
                state=rules.state_of(row.state, row.until, now),
                ended_by=row.ended_by,
                asked_at=row.asked_at,
                until=row.until,
                ended_at=row.ended_at,
                looked_at=row.looked_at,
                is_counted=row.is_counted,
            )
            for row in rows
        )


def grant(
    actor: Actor,
    entry_id: int,
    scope: ShareScope,
    days: int,
    *,
    is_counted: bool = False,
    now: datetime,
) -> None:
    """Let the employer see the verdict and the term, for so many days.

    ``is_counted`` lets the vaccinations be counted among those of the whole staff.
    Raises ``Invalid`` with ``days``, ``ConsentNeeded``, and ``NotFound`` where nothing is asked.
    """
    permit(actor, Role.HOLDER)
    if days not in TERMS_DAYS:
        raise Invalid({"days": NotAChoice()})
    with unit_of_work() as db:
        consents.hold(db, actor.user_id)
        if consents.is_withdrawn(db, actor.user_id):
            raise ConsentNeeded
        entry = _asked(db, actor, entry_id, now)
        earlier = employers.of_holder(db, entry.organisation_id, actor.user_id)
        if earlier is not None and earlier.id != entry.id:
            # One line for one person: the newer words and the newer leave stand.
            db.delete(earlier)
            db.flush()
        entry.holder_id, entry.scope, entry.share_id = actor.user_id, scope, None
        entry.state, entry.decided_at = AccessState.GRANTED, now
        entry.until, entry.is_counted = expiry(now, days), is_counted
        employing.look_at(db, entry, now=now)
        employers.tell(db, entry)
        fields = f"{scope.value},counted" if is_counted else scope.value
        _audit(db, actor, entry, "admit_employer", now, fields=fields)


def refuse(actor: Actor, entry_id: int, *, now: datetime) -> None:
    """Refuse a request; the employer is told no more than that."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        entry = _asked(db, actor, entry_id, now)
        if employers.of_holder(db, entry.organisation_id, actor.user_id) is None:
            entry.holder_id = actor.user_id
        entry.state, entry.decided_at = AccessState.REFUSED, now
        db.add(entry)
        employers.tell(db, entry)
        _audit(db, actor, entry, "refuse_employer", now)


def be_counted(actor: Actor, entry_id: int, is_counted: bool, *, now: datetime) -> None:
    """Let the vaccinations be counted in an employer's report, without a name, or no longer.

    Raises ``ConsentNeeded``, and ``NotFound`` where the employer sees nothing.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        consents.hold(db, actor.user_id)
        if is_counted and consents.is_withdrawn(db, actor.user_id):
            raise ConsentNeeded
        entry = _own(db, actor, entry_id)
        if rules.state_of(entry.state, entry.until, now) is not AccessState.GRANTED:
            raise NotFound
        if entry.is_counted is not is_counted:
            entry.is_counted = is_counted
            db.add(entry)
            # The employer is not told who agrees: only the holder's screens are.
            changes.announce(db, f"holder:{actor.user_id}")
            action = "agree_to_be_counted" if is_counted else "refuse_to_be_counted"
            _audit(db, actor, entry, action, now)


def end(actor: Actor, entry_id: int, *, now: datetime) -> None:
    """End what an employer sees, at once. Ending twice is once."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        entry = _own(db, actor, entry_id)
        if entry.state is AccessState.GRANTED:
            employing.end(db, entry, Role.HOLDER, now)
            _audit(db, actor, entry, "end_employer", now)


def end_all(db: Session, holder_id: int, *, now: datetime) -> None:
    """End every leave of a holder whose consent ends; part of the caller's transaction."""
    for entry in employers.granted_of(db, holder_id):
        employing.end(db, entry, Role.HOLDER, now)


def _own(db: Session, actor: Actor, entry_id: int) -> StaffEntry:
    user = db.get_one(User, actor.user_id)
    return employers.holders_entry(db, user, employers.blinds_of(db, user), entry_id)


def _asked(db: Session, actor: Actor, entry_id: int, now: datetime) -> StaffEntry:
    entry = _own(db, actor, entry_id)
    if rules.state_of(entry.state, entry.until, now) is not AccessState.INVITED:
        raise NotFound
    return entry


def _audit(
    db: Session, actor: Actor, entry: StaffEntry, action: str, now: datetime, *, fields: str = ""
) -> None:
    auditing.record(
        db, actor, action, f"staff:{entry.id}", subject_id=actor.user_id, fields=fields, now=now
    )
