"""Organisations, members and staff: every SELECT and UPDATE; nothing here commits."""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app.db import changes, vault
from emk_app.db.tables.employers import Organisation, OrganisationMember, StaffEntry
from emk_app.db.tables.people import Login, User
from emk_app.domain.actors import Actor
from emk_app.domain.books import Verdict
from emk_app.domain.employing import LINK_OVER, SOON, UNSETTLED, AccessState, Light
from emk_app.domain.errors import NotFound

ABOUT: Final = ("organisations", "about")
SAID: Final = ("staff_entries", "said")
NAME: Final = ("staff_entries", "name")


def topic_of(organisation_id: int) -> str:
    """Return the topic of an organisation's staff."""
    return f"employer:{organisation_id}"


@dataclass(frozen=True, slots=True)
class StaffFilter:
    """What of the list is wanted; empty is everything."""

    light: Light | None = None
    department: str = ""
    occupation: str = ""


def acting(db: Session, actor: Actor) -> Actor:
    """Return the actor with the organisation they act for, as it is now; or with none."""
    member = db.exec(
        select(OrganisationMember).where(OrganisationMember.user_id == actor.user_id)
    ).first()
    if member is None:
        return actor
    return replace(actor, organisation_id=member.organisation_id, post=member.post)


def by_inn(db: Session, inn: str) -> Organisation | None:
    """Return the organisation with this ИНН."""
    return db.exec(select(Organisation).where(Organisation.inn_blind == blind_of(inn))).first()


def by_ogrn(db: Session, ogrn: str) -> Organisation | None:
    """Return the organisation with this ОГРН."""
    blind = ogrn_blind_of(ogrn)
    return db.exec(select(Organisation).where(Organisation.ogrn_blind == blind)).first()


def blind_of(inn: str) -> str:
    """Return the blind index of an ИНН."""
    return vault.blind("organisations-inn", inn)


def ogrn_blind_of(ogrn: str) -> str:
    """Return the blind index of an ОГРН."""
    return vault.blind("organisations-ogrn", ogrn)


def seal_about(inn_blind: str, about: dict[str, str]) -> bytes:
    """Seal name, ИНН, ОГРН and contact."""
    return vault.service_seal(json.dumps(about, ensure_ascii=False), *ABOUT, inn_blind)


def open_about(row: Organisation) -> dict[str, str]:
    """Return name, ИНН, ОГРН and contact."""
    return json.loads(vault.service_open(row.about_sealed, *ABOUT, row.inn_blind))


def names_of(db: Session, ids: Collection[int]) -> dict[int, str]:
    """Return the names of organisations."""
    rows = db.exec(select(Organisation).where(col(Organisation.id).in_(ids))).all() if ids else ()
    return {row.id: open_about(row)["name"] for row in rows}


def tell(db: Session, entry: StaffEntry) -> None:
    """Announce that an entry has changed, to the organisation and to the holder."""
    changes.announce(db, topic_of(entry.organisation_id))
    if entry.holder_id is not None:
        changes.announce(db, f"holder:{entry.holder_id}")


def mark_stale(db: Session, holder_id: int) -> None:
    """Note that what a holder's employers see has changed, and tell their screens."""
    those = db.exec(
        select(StaffEntry.organisation_id).where(
            StaffEntry.holder_id == holder_id, StaffEntry.state == AccessState.GRANTED
        )
    ).all()
    if not those:
        return
    db.execute(
        sa.update(StaffEntry)
        .where(col(StaffEntry.holder_id) == holder_id, col(StaffEntry.state) == AccessState.GRANTED)
        .values(is_stale=True)
        .execution_options(synchronize_session=False)
    )
    changes.announce(db, *(topic_of(each) for each in those))


def open_said(entry: StaffEntry) -> dict[str, str]:
    """Return what the employer has said of a member of staff."""
    return json.loads(vault.service_open(entry.said_sealed, *SAID, entry.ref))


def open_name(entry: StaffEntry) -> dict[str, str]:
    """Return the name as far as it is shown; empty where none is."""
    if entry.name_sealed is None:
        return {}
    return json.loads(vault.service_open(entry.name_sealed, *NAME, entry.ref))


def seal_said(entry_ref: str, said: dict[str, str]) -> bytes:
    """Seal what the employer says."""
    return vault.service_seal(json.dumps(said, ensure_ascii=False), *SAID, entry_ref)


def seal_name(entry_ref: str, name: dict[str, str]) -> bytes:
    """Seal the name as it is shown."""
    return vault.service_seal(json.dumps(name, ensure_ascii=False), *NAME, entry_ref)


def own_entry(db: Session, organisation_id: int, entry_id: int) -> StaffEntry:
    """Return an entry of the organisation's own list, held until the commit."""
    return _held(
        db,
        StaffEntry.id == entry_id,
        StaffEntry.organisation_id == organisation_id,
        col(StaffEntry.removed_at).is_(None),
    )


def holders_entry(db: Session, user: User, contacts: Collection[str], entry_id: int) -> StaffEntry:
    """Return an entry that is about the holder, held; ``contacts`` as ``blinds_of`` gives them."""
    return _held(db, StaffEntry.id == entry_id, _about(user.id, contacts))


def _held(db: Session, *which: Any) -> StaffEntry:
    found = db.exec(select(StaffEntry).where(*which).with_for_update()).first()
    if found is None:
        raise NotFound
    return found


def blinds_of(db: Session, user: User) -> set[str]:
    """Return the blind indexes by which the holder may have been invited: every login."""
    return set(db.exec(select(Login.blind).where(Login.user_id == user.id)).all())


def about(db: Session, user: User, contacts: Collection[str], limit: int) -> Sequence[StaffEntry]:
    """Return the entries about the holder, newest first."""
    return db.exec(
        select(StaffEntry)
        .where(_about(user.id, contacts))
        .order_by(col(StaffEntry.asked_at).desc(), col(StaffEntry.id).desc())
        .limit(limit)
    ).all()


def _about(user_id: int, contacts: Collection[str]) -> Any:
    return sa.or_(
        col(StaffEntry.holder_id) == user_id,
        sa.and_(
            col(StaffEntry.holder_id).is_(None),
            col(StaffEntry.contact_blind).in_(contacts),
            col(StaffEntry.removed_at).is_(None),
        ),
    )


def of_holder(db: Session, organisation_id: int, holder_id: int) -> StaffEntry | None:
    """Return the one entry an organisation has for a holder, held until the commit."""
    return db.exec(
        select(StaffEntry)
        .where(StaffEntry.organisation_id == organisation_id, StaffEntry.holder_id == holder_id)
        .with_for_update()
    ).first()


def granted_of(db: Session, holder_id: int) -> Sequence[StaffEntry]:
    """Return every leave of the holder that nobody has ended, held until the commit."""
    return db.exec(
        select(StaffEntry)
        .where(StaffEntry.holder_id == holder_id, StaffEntry.state == AccessState.GRANTED)
        .order_by(col(StaffEntry.id))
        .with_for_update()
    ).all()


def invited_by(db: Session, organisation_id: int, contact_blind: str) -> Sequence[StaffEntry]:
    """Return the organisation's invitations to a contact, newest first."""
    return db.exec(
        select(StaffEntry)
        .where(
            StaffEntry.organisation_id == organisation_id,
            StaffEntry.contact_blind == contact_blind,
        )
        .order_by(col(StaffEntry.id).desc())
    ).all()


def stale_of(
    db: Session,
    organisation_id: int,
    now: datetime,
    age: timedelta,
    limit: int,
    *,
    held: bool = False,
) -> Sequence[StaffEntry]:
    """Return what has to be looked at afresh, ``held`` until the commit."""
    query = (
        select(StaffEntry)
        .where(
            StaffEntry.organisation_id == organisation_id,
            StaffEntry.state == AccessState.GRANTED,
            col(StaffEntry.removed_at).is_(None),
            sa.or_(col(StaffEntry.until).is_(None), col(StaffEntry.until) > now),
            sa.or_(
                col(StaffEntry.is_stale),
                col(StaffEntry.checked_at).is_(None),
                col(StaffEntry.checked_at) <= now - age,
            ),
        )
        .order_by(col(StaffEntry.id))
        .limit(limit)
    )
    return db.exec(query.with_for_update() if held else query).all()


def ids(db: Session, *, after: int, limit: int) -> Sequence[int]:
    """Return organisations by identity, a batch at a time."""
    query = select(Organisation.id).where(col(Organisation.id) > after)
    return db.exec(query.order_by(col(Organisation.id)).limit(limit)).all()


def warned_members(db: Session, organisation_id: int) -> Sequence[User]:
    """Return the members who want to be warned."""
    return db.exec(
        select(User)
        .join(OrganisationMember, col(OrganisationMember.user_id) == User.id)
        .where(
            OrganisationMember.organisation_id == organisation_id,
            col(OrganisationMember.is_warned),
            col(User.disabled_at).is_(None),
        )
        .order_by(col(User.id))
    ).all()


def ending(
    db: Session,
    organisation_id: int,
    now: datetime,
    first: date,
    last: date,
    *,
    seen_before: datetime | None = None,
    limit: int | None = None,
) -> Sequence[StaffEntry]:
    """Return who is seen and whose term ends from ``first`` to ``last``, held until the commit.

    ``seen_before`` leaves those alone that were looked at since and have not changed.
    """
    conditions = [
        *listed(organisation_id),
        StaffEntry.state == AccessState.GRANTED,
        sa.or_(col(StaffEntry.until).is_(None), col(StaffEntry.until) > now),
        col(StaffEntry.ends_on).between(first, last),
    ]
    if seen_before is not None:
        old = col(StaffEntry.checked_at) <= seen_before
        conditions.append(sa.or_(col(StaffEntry.is_stale), old))
    query = select(StaffEntry).where(*conditions).order_by(col(StaffEntry.id)).limit(limit)
    return db.exec(query.with_for_update()).all()


def light(now: datetime, today: date) -> sa.ColumnElement[str]:
    """Return the traffic light as SQL; the same as ``domain.employing.light_of``."""
    entry = StaffEntry
    grey = sa.or_(
        col(entry.state) != AccessState.GRANTED,
        col(entry.until) <= now,
        col(entry.verdict).in_(LINK_OVER),
    )
    red = sa.or_(
        col(entry.verdict).is_(None),
        col(entry.verdict) != Verdict.VALID,
        col(entry.ends_on).is_(None),
        col(entry.ends_on) < today,
    )
    return sa.case(
        (grey, Light.GREY.value),
        (col(entry.verdict).in_(UNSETTLED), Light.YELLOW.value),
        (red, Light.RED.value),
        (col(entry.ends_on) <= today + SOON, Light.YELLOW.value),
        else_=Light.GREEN.value,
    )


def listed(organisation_id: int) -> tuple[Any, ...]:
    """Return the conditions of standing on the organisation's list."""
    return (
        StaffEntry.organisation_id == organisation_id,
        col(StaffEntry.removed_at).is_(None),
    )


def counts(db: Session, organisation_id: int, now: datetime, today: date) -> dict[Light, int]:
    """Return how many stand under each light."""
    shown = light(now, today).label("light")
    found = db.connection().execute(
        sa.select(shown, sa.func.count()).where(*listed(organisation_id)).group_by(shown)
    )
    numbers = {Light(each): number for each, number in found.all()}
    return {each: numbers.get(each, 0) for each in Light}


def departments(db: Session, organisation_id: int) -> list[str]:
    """Return the departments in use, in the order of their letters."""
    found = db.exec(
        select(StaffEntry.department)
        .where(*listed(organisation_id), StaffEntry.department != "")
        .distinct()
    ).all()
    return sorted(found)


def occupations(db: Session, organisation_id: int) -> list[str]:
    """Return the codes of occupations in use."""
    return sorted(
        db.exec(
            select(StaffEntry.occupation)
            .where(*listed(organisation_id), StaffEntry.occupation != "")
            .distinct()
        ).all()
    )


def _found(organisation_id: int, wanted: StaffFilter, now: datetime, today: date) -> list[Any]:
    conditions: list[Any] = [*listed(organisation_id)]
    if wanted.light is not None:
        conditions.append(light(now, today) == wanted.light.value)
    if wanted.department:
        conditions.append(StaffEntry.department == wanted.department)
    if wanted.occupation:
        conditions.append(StaffEntry.occupation == wanted.occupation)
    return conditions


def _order(now: datetime, today: date) -> tuple[Any, ...]:
    return (
        sa.case((light(now, today) == Light.GREY.value, 1), else_=0),
        col(StaffEntry.ends_on).is_not(None),
        col(StaffEntry.ends_on),
        col(StaffEntry.id),
    )


def count(
    db: Session, organisation_id: int, wanted: StaffFilter, now: datetime, today: date
) -> int:
    """Return how many of the list are wanted."""
    conditions = _found(organisation_id, wanted, now, today)
    return db.exec(select(sa.func.count()).select_from(StaffEntry).where(*conditions)).one()


def entries(
    db: Session,
    organisation_id: int,
    wanted: StaffFilter,
    now: datetime,
    today: date,
    *,
    skip: int = 0,
    limit: int | None = None,
) -> Sequence[StaffEntry]:
    """Return entries of the list: whose end is nearest first, who has no term last."""
    return db.exec(
        select(StaffEntry)
        .where(*_found(organisation_id, wanted, now, today))
        .order_by(*_order(now, today))
        .offset(skip)
        .limit(limit)
    ).all()


def places(
    db: Session, organisation_id: int, wanted: StaffFilter, now: datetime, today: date
) -> array[int]:
    """Return the identities of the entries in the order of ``entries``, eight bytes each.

    Each page of a list that is sorted anew for every page costs as much as the whole.
    """
    found = select(StaffEntry.id).where(*_found(organisation_id, wanted, now, today))
    rows = db.connection().execute(found.order_by(*_order(now, today)))
    return array("q", (id_ for (id_,) in rows))


def entries_at(db: Session, organisation_id: int, ids: Sequence[int]) -> list[StaffEntry]:
    """Return these entries in their order; who is off the list by now is left out."""
    rows = db.exec(
        select(StaffEntry).where(*listed(organisation_id), col(StaffEntry.id).in_(ids))
    ).all()
    by_id = {row.id: row for row in rows}
    return [by_id[each] for each in ids if each in by_id]


def entries_after(
    db: Session,
    organisation_id: int,
    wanted: StaffFilter,
    now: datetime,
    today: date,
    after: int,
    limit: int,
) -> Sequence[StaffEntry]:
    """Return entries of the list that come after one of them, in the order of identities."""
    return db.exec(
        select(StaffEntry)
        .where(*_found(organisation_id, wanted, now, today), col(StaffEntry.id) > after)
        .order_by(col(StaffEntry.id))
        .limit(limit)
    ).all()


def mark_looked(db: Session, ids: Collection[int], now: datetime, pause: timedelta) -> bool:
    """Note that these were on a member's screen, unless noted lately; return whether any was."""
    result = db.execute(
        sa.update(StaffEntry)
        .where(
            col(StaffEntry.id).in_(ids),
            sa.or_(col(StaffEntry.looked_at).is_(None), col(StaffEntry.looked_at) <= now - pause),
        )
        .values(looked_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(getattr(result, "rowcount", 0))
