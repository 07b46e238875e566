"""Accounts in the hands of administrators: found, entrusted with roles, shut, let in again.

What gives power, or takes it, two administrators decide (docs/decisions/0036).
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from emk_app import incidents
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import desks, people
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.people import Login, User, UserSession
from emk_app.db.tables.staff import StaffOrder
from emk_app.domain import accounts as limits
from emk_app.domain import staff as rules
from emk_app.domain.actors import SYSTEM, Actor, Position, Role, permit, permit_fresh
from emk_app.domain.contacts import Login as LoginName
from emk_app.domain.contacts import LoginKind
from emk_app.domain.errors import Invalid, InvalidValue, NotFound
from emk_app.domain.factors import Way
from emk_app.domain.notices import News
from emk_app.domain.orders import OrderAnswer
from emk_app.domain.staff import (
    STAFF,
    Appointment,
    Invited,
    LoginKnown,
    NotAskable,
    NothingAsked,
    StaffOrderKind,
    StaffOrderPending,
    TooFewAdministrators,
    Typed,
)
from emk_app.domain.values import Problems
from emk_app.services import accounts, auditing, barring, factors, notifying, resetting, throttling
from emk_app.services.throttling import key_of

log = logging.getLogger("emk.entrusting")

JOB: Final = "lapse_staff_orders"
TOPIC: Final = "people"
PER_PAGE: Final = 30
SHOWN: Final = 50
INVITED: Final = ("staff_orders", "invited")
REASON: Final = ("staff_orders", "reason")


@dataclass(frozen=True, slots=True)
class Line:
    """One of the staff in the list."""

    id: int
    name: str
    role: Role
    position: Position | None
    clinic: str
    is_blocked: bool
    has_factor: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the staff."""

    lines: tuple[Line, ...]
    page: int
    pages: int
    found: int


@dataclass(frozen=True, slots=True)
class Order:
    """One decision; ``invited`` is None where it is about an account that there is."""

    id: int
    kind: StaffOrderKind
    user_id: int | None
    about: str
    """Whose account: the name, or the masked login."""
    invited: Invited | None
    appointment: Appointment | None
    clinic: str
    reason: str
    acted: bool
    by: str
    at: datetime
    lapses_at: datetime
    answer: OrderAnswer | None
    answered_by: str
    answered_at: datetime | None
    is_own: bool
    may_confirm: bool


@dataclass(frozen=True, slots=True)
class Person:
    """One account as an administrator sees it: of holders and employers no name."""

    id: int
    name: str
    logins: tuple[str, ...]
    """Masked."""
    contacts: tuple[str, ...]
    """Masked."""
    appointment: Appointment
    clinic: str
    clinic_oid: str
    since: datetime
    blocked_at: datetime | None
    ways: tuple[Way, ...]
    sessions: int
    seen_at: datetime | None
    is_self: bool
    may: tuple[StaffOrderKind, ...]
    open: Order | None
    history: tuple[Order, ...]


def find(actor: Actor, text: str, *, now: datetime) -> int:
    """Return whose account has this login, typed in any spelling, or this number.

    Raises ``Invalid`` with ``login``, ``NotFound``, ``TooManyAttempts``.
    """
    permit(actor, Role.ADMIN)
    said = text.strip().removeprefix("№").strip()
    by_number = said.isascii() and said.isdigit() and len(said) < 10
    name = None
    if not by_number:
        try:
            name = LoginName.parse(text)
        except InvalidValue as error:
            raise Invalid({"login": error}) from None
    throttling.spend((key_of("people-search", str(actor.user_id)), limits.PEOPLE_SEARCH), now=now)
    with unit_of_work() as db:
        user = accounts.user_by_login(db, name) if name else db.get(User, int(said))
        target = f"user:{user.id}" if user else "users"
        auditing.record(
            db,
            actor,
            "find_person",
            target,
            subject_id=user.id if user else None,
            fields="id" if by_number else "login",
            now=now,
        )
    if user is None:
        raise NotFound
    return user.id


def page_of(actor: Actor, role: Role | None, clinic: str, page: int, *, now: datetime) -> Listing:
    """Return a page of the staff: of one role, of the clinic of this OID or ОКПО, or all.

    Raises ``Invalid`` with ``clinic``.
    """
    permit(actor, Role.ADMIN)
    auditing.look(actor, "staff", fields="name,role", now=now)
    roles = STAFF if role is None or role not in STAFF else (role,)
    with reading() as db:
        clinic_id = people.clinic_by(db, clinic)
        if clinic.strip() and clinic_id is None:
            raise Invalid({"clinic": rules.NoSuchClinic()})
        found = people.count(db, roles, clinic_id)
        pages = max(1, -(-found // PER_PAGE))
        page = min(max(page, 1), pages)
        rows = people.listed(db, roles, clinic_id, offset=(page - 1) * PER_PAGE, limit=PER_PAGE)
        names = desks.names_of(db, [row.id for row in rows])
        clinics = people.clinics_of(db, {row.clinic_id for row in rows if row.clinic_id})
        lines = tuple(
            Line(
                row.id,
                names.get(row.id, ""),
                row.role,
                row.position,
                clinics.get(row.clinic_id or 0, ""),
                row.disabled_at is not None,
                factors.proofs_of(db, row).is_enrolled,
            )
            for row in rows
        )
    return Listing(lines, page, pages, found)


def waiting(actor: Actor) -> tuple[Order, ...]:
    """Return what waits for a second administrator, oldest first."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        return _orders(db, actor, people.waiting(db, SHOWN))


def order_of(actor: Actor, order_id: int, *, now: datetime) -> Order:
    """Return one decision; the look is noted. Raises ``NotFound``."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        row = db.get(StaffOrder, order_id)
        if row is None:
            raise NotFound
        [found] = _orders(db, actor, [row])
    auditing.look(
        actor, f"staff_order:{order_id}", subject_id=found.user_id, fields="account", now=now
    )
    return found


def person(actor: Actor, user_id: int, *, now: datetime) -> Person:
    """Return one account; the look is noted. Raises ``NotFound``."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        if db.get(User, user_id) is None:
            raise NotFound
    auditing.look(actor, f"user:{user_id}", subject_id=user_id, fields="account", now=now)
    with reading() as db:
        return _person(db, actor, user_id, now)


def invite(actor: Actor, typed: Typed, *, now: datetime) -> int:
    """Ask for an account of somebody new; return the decision's identity.

    Raises ``Invalid`` by the names of ``Typed``, ``FreshFactorNeeded``, ``StaffOrderPending``.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    problems = Problems()
    invited = rules.read_invited(problems, typed)
    reason = problems.take("reason", rules.read_reason, typed.reason)
    with unit_of_work() as db:
        given = rules.read_appointment(problems, typed, people.clinic_by(db, typed.clinic))
        problems.raise_any()
        name = LoginName(LoginKind.EMAIL, invited.address)
        if accounts.user_by_login(db, name) is not None:
            raise Invalid({"login": LoginKnown()})
        blind = _blind(name)
        if people.open_invitation(db, blind) is not None:
            raise StaffOrderPending
        row = _ask(db, actor, StaffOrderKind.INVITE, reason, now, given=given)
        row.login_blind = blind
        said = json.dumps([invited.address, invited.name], ensure_ascii=False)
        row.invited_sealed = vault.service_seal(said, *INVITED, row.ref)
        db.add(row)
        db.flush()
        _note(db, actor, row, "ask_invite", now, fields="role,clinic,position,name,login")
        return row.id


def order(
    actor: Actor, user_id: int, kind: str, typed: Typed, *, now: datetime
) -> tuple[StaffOrderKind, bool]:
    """Ask for something about an account; return what, and whether it holds already.

    Raises ``Invalid`` by the names of ``Typed``, ``FreshFactorNeeded``, ``NotFound``,
    ``OwnAccount``, ``NotAskable``, ``StaffOrderPending``, ``TooFewAdministrators``.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    rules.permit_asking(actor.user_id, user_id)
    if kind not in set(StaffOrderKind):
        raise NotAskable
    wanted = StaffOrderKind(kind)
    problems = Problems()
    reason = problems.take("reason", rules.read_reason, typed.reason)
    with unit_of_work() as db:
        user = people.locked(db, user_id)
        if wanted not in rules.askable(user.role, is_blocked=user.disabled_at is not None):
            raise NotAskable
        given = None
        if wanted is StaffOrderKind.CHANGE:
            given = rules.read_appointment(problems, typed, people.clinic_by(db, typed.clinic))
        problems.raise_any()
        if given is not None and given == _appointment(user):
            raise NotAskable
        if people.open_order_of(db, user_id) is not None:
            raise StaffOrderPending
        _keep_two(db, user, wanted, given)
        row = _ask(db, actor, wanted, reason, now, given=given)
        row.user_id = user_id
        if rules.acts_at_once(wanted, user.role):
            barring.shut_out(db, actor, user, now)
            row.acted = True
        db.add(row)
        db.flush()
        _note(db, actor, row, f"ask_{wanted}", now, fields=_fields(given))
        return wanted, row.acted


def confirm(actor: Actor, order_id: int, *, now: datetime) -> StaffOrderKind:
    """Agree with a colleague: what waited is done, what holds already stands.

    Raises ``SameAdministrator``, ``OwnAccount``, ``NothingAsked``, ``NotAskable``,
    ``TooFewAdministrators``, ``FreshFactorNeeded``, ``NotFound``; ``LoginKnown`` within
    ``Invalid`` where somebody has taken the invited login meanwhile.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    unknown = barring.unknown_password()
    with unit_of_work() as db:
        row = _open(db, order_id)
        rules.permit_answering(row.asked_by, actor.user_id, row.user_id)
        if row.lapses_at <= now:
            raise NothingAsked
        if row.kind is StaffOrderKind.INVITE:
            row.user_id = _make(db, actor, row, unknown, now)
        else:
            _do(db, actor, row, unknown, now)
        _answer(db, actor, row, OrderAnswer.CONFIRMED, now)
        return row.kind


def decline(actor: Actor, order_id: int, *, now: datetime) -> StaffOrderKind:
    """Refuse a colleague's wish, or take back one's own; what it did already is undone.

    Raises ``NothingAsked``, ``OwnAccount``, ``FreshFactorNeeded``, ``NotFound``.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        row = _open(db, order_id)
        is_own = row.asked_by == actor.user_id
        if row.user_id is not None and not is_own:
            rules.permit_asking(actor.user_id, row.user_id)
        _undo(db, actor, row, now)
        _answer(db, actor, row, OrderAnswer.TAKEN_BACK if is_own else OrderAnswer.DECLINED, now)
        return row.kind


def end_sessions(actor: Actor, user_id: int, *, now: datetime) -> int:
    """End every session of the person at once; return how many were alive. One is enough: the
    person signs in again.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        user = people.locked(db, user_id)
        ended = barring.end_all(db, actor, user, now)
        changes.announce(db, TOPIC)
        return ended


def run(_target_id: int, now: datetime) -> None:
    """Let go what nobody has answered in time; safe to repeat."""
    with reading() as db:
        late = people.late(db, now)
    for order_id in late:
        try:
            with unit_of_work() as db:
                row = people.order(db, order_id)
                if row.answer is None and row.lapses_at <= now:
                    _undo(db, SYSTEM, row, now)
                    _answer(db, SYSTEM, row, OrderAnswer.LAPSED, now)
        except Exception as error:
            # What fails is noted and does not keep the others waiting.
            incidents.note(log, f"decision {order_id} about an account", error)


def _ask(
    db: Session,
    actor: Actor,
    kind: StaffOrderKind,
    reason: str,
    now: datetime,
    *,
    given: Appointment | None,
) -> StaffOrder:
    ref = secrets.token_hex(16)
    return StaffOrder(
        ref=ref,
        kind=kind,
        role=given.role if given else None,
        clinic_id=given.clinic_id if given else None,
        position=given.position if given else None,
        specialties=given.specialties if given else None,
        reason_sealed=vault.service_seal(reason, *REASON, ref),
        asked_by=actor.user_id,
        asked_at=now,
        lapses_at=now + rules.CONFIRM_WITHIN,
    )


def _open(db: Session, order_id: int) -> StaffOrder:
    row = people.order(db, order_id)
    if row.answer is not None:
        raise NothingAsked
    return row


def _make(db: Session, actor: Actor, row: StaffOrder, unknown: str, now: datetime) -> int:
    """Make the account of whoever is invited, and have the link sent."""
    invited, given = _invited(row), _given(row)
    assert invited is not None and given is not None
    name = LoginName(LoginKind.EMAIL, invited.address)
    if accounts.user_by_login(db, name) is not None:
        raise Invalid({"login": LoginKnown()})
    user = accounts.make_user(db, given.role, name, unknown, contact=invited.address, now=now)
    user.name_sealed = vault.vault_of(user).seal(invited.name, "users", "name", user.uid)
    _appoint(db, user, given)
    auditing.record(
        db,
        actor,
        "create_user",
        f"user:{user.id}",
        subject_id=user.id,
        fields=_fields(given),
        now=now,
    )
    resetting.invite(db, user, now=now)
    return user.id


def _do(db: Session, actor: Actor, row: StaffOrder, unknown: str, now: datetime) -> None:
    assert row.user_id is not None
    user = people.locked(db, row.user_id)
    may = rules.askable(user.role, is_blocked=user.disabled_at is not None)
    if row.kind not in may and not row.acted:
        raise NotAskable
    given = _given(row)
    _keep_two(db, user, row.kind, given)
    match row.kind:
        case StaffOrderKind.CHANGE:
            assert given is not None
            _appoint(db, user, given)
            # A session acts in one role (D24): the new one begins with a new sign-in.
            accounts.revoke_all(db, user.id, now)
            factors.told(
                db, user, News.ROLE_CHANGED, "change_role", now, actor=actor, fields=_fields(given)
            )
        case StaffOrderKind.BLOCK:
            barring.shut_out(db, actor, user, now)
        case StaffOrderKind.UNBLOCK:
            barring.let_in(db, actor, user, now)
        case _:
            barring.strip(db, actor, user, unknown, now)


def _undo(db: Session, actor: Actor, row: StaffOrder, now: datetime) -> None:
    if row.acted and row.user_id is not None:
        barring.let_in(db, actor, people.locked(db, row.user_id), now)


def _keep_two(db: Session, user: User, kind: StaffOrderKind, given: Appointment | None) -> None:
    leaves = kind is StaffOrderKind.BLOCK or (given is not None and given.role is not Role.ADMIN)
    if user.role is Role.ADMIN and leaves:
        left = people.open_administrators(db) - (user.disabled_at is None)
        if left < rules.LEAST_ADMINISTRATORS:
            raise TooFewAdministrators


def _appoint(db: Session, user: User, given: Appointment) -> None:
    for clinic_id in {user.clinic_id, given.clinic_id} - {None}:
        changes.announce(db, f"staff:{clinic_id}")
    user.role, user.clinic_id, user.position = given.role, given.clinic_id, given.position
    user.specialties = given.specialties or None
    db.add(user)


def _answer(db: Session, actor: Actor, row: StaffOrder, answer: OrderAnswer, now: datetime) -> None:
    row.answer, row.answered_at = answer, now
    row.answered_by = actor.user_id if actor is not SYSTEM else None
    # Who is not taken is forgotten; who is has an account that says it.
    row.invited_sealed = None
    db.add(row)
    _note(db, actor, row, f"order_{answer}", now, fields=row.kind.value)


def _note(
    db: Session, actor: Actor, row: StaffOrder, action: str, now: datetime, *, fields: str
) -> None:
    changes.announce(db, TOPIC)
    auditing.record(
        db,
        actor,
        action,
        f"staff_order:{row.id}",
        subject_id=row.user_id,
        fields=fields,
        now=now,
    )


def _fields(given: Appointment | None) -> str:
    if given is None:
        return ""
    return "role,clinic,position,specialties" if given.role is Role.CLINIC else "role"


def _blind(name: LoginName) -> str:
    return vault.blind(f"login-{name.kind}", name.value)


def _appointment(user: User) -> Appointment:
    return Appointment(user.role, user.clinic_id, user.position, user.specialties or "")


def _given(row: StaffOrder) -> Appointment | None:
    if row.role is None:
        return None
    return Appointment(row.role, row.clinic_id, row.position, row.specialties or "")


def _invited(row: StaffOrder) -> Invited | None:
    if row.invited_sealed is None:
        return None
    return Invited(*json.loads(vault.service_open(row.invited_sealed, *INVITED, row.ref)))


def _orders(db: Session, actor: Actor, rows: Collection[StaffOrder]) -> tuple[Order, ...]:
    clinics = people.clinics_of(db, {row.clinic_id for row in rows if row.clinic_id})
    names = desks.names_of(
        db, [each for row in rows for each in (row.asked_by, row.answered_by) if each]
    )
    return tuple(
        Order(
            id=row.id,
            kind=row.kind,
            user_id=row.user_id,
            about=_about(db, row),
            invited=_invited(row),
            appointment=_given(row),
            clinic=clinics.get(row.clinic_id or 0, ""),
            reason=vault.service_open(row.reason_sealed, *REASON, row.ref),
            acted=row.acted,
            by=names.get(row.asked_by, ""),
            at=row.asked_at,
            lapses_at=row.lapses_at,
            answer=row.answer,
            answered_by=names.get(row.answered_by or 0, ""),
            answered_at=row.answered_at,
            is_own=row.asked_by == actor.user_id,
            may_confirm=row.answer is None and actor.user_id not in (row.asked_by, row.user_id),
        )
        for row in rows
    )


def _about(db: Session, row: StaffOrder) -> str:
    user = db.get(User, row.user_id) if row.user_id is not None else None
    if user is None:
        return ""
    return _name(user) or next(iter(_logins(db, user)), "")


def _name(user: User) -> str:
    """Return the name of one of the staff; of others none."""
    if user.role not in STAFF or user.name_sealed is None:
        return ""
    return vault.vault_of(user).open(user.name_sealed, "users", "name", user.uid)


def _logins(db: Session, user: User) -> tuple[str, ...]:
    own = vault.vault_of(user)
    rows = db.exec(select(Login).where(Login.user_id == user.id).order_by(col(Login.id))).all()
    return tuple(
        LoginName(row.kind, own.open(row.value_sealed, "logins", "value", row.blind)).masked
        for row in rows
    )


def _person(db: Session, actor: Actor, user_id: int, now: datetime) -> Person:
    user = db.get(User, user_id)
    if user is None:
        raise NotFound
    sessions = db.exec(select(UserSession).where(UserSession.user_id == user_id)).all()
    orders = _orders(db, actor, people.about(db, user_id, SHOWN))
    waits = next((each for each in orders if each.answer is None), None)
    proofs = factors.proofs_of(db, user)
    is_self = user_id == actor.user_id
    is_blocked = user.disabled_at is not None
    clinic = db.get(Clinic, user.clinic_id) if user.clinic_id is not None else None
    return Person(
        id=user.id,
        name=_name(user),
        logins=_logins(db, user),
        contacts=tuple(map(notifying.masked, notifying.contacts_of(user).values())),
        appointment=_appointment(user),
        clinic=clinic.short_name if clinic else "",
        clinic_oid=clinic.oid if clinic else "",
        since=user.created_at,
        blocked_at=user.disabled_at,
        ways=proofs.ways if proofs.is_enrolled else (),
        sessions=sum(accounts.is_live(each, user, now) for each in sessions),
        seen_at=max((each.last_seen_at for each in sessions), default=None),
        is_self=is_self,
        may=() if waits or is_self else rules.askable(user.role, is_blocked=is_blocked),
        open=waits,
        history=tuple(each for each in orders if each.answer is not None),
    )
