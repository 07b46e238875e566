"""Registering, signing in, the second factor, sessions."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select

from emk_app.crypto import passwords, tokens, totp
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import employers, sessions
from emk_app.db.repositories.sessions import Standing
from emk_app.db.tables.people import Browser, Doorstep, Login, PasswordReset, User, UserSession
from emk_app.domain import accounts as rules
from emk_app.domain import specialties
from emk_app.domain.accounts import (
    DoorstepExpired,
    WrongCode,
    WrongContactCode,
    WrongCredentials,
)
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.contacts import Email, LoginKind, Phone
from emk_app.domain.contacts import Login as LoginName
from emk_app.domain.errors import (
    Invalid,
    InvalidValue,
    NotFound,
    NotPermitted,
    NotSignedIn,
    Required,
)
from emk_app.domain.factors import Proofs, Purpose, SmsNotOffered, Way
from emk_app.domain.notices import News, Notice
from emk_app.domain.switches import Feature
from emk_app.keys import keystore
from emk_app.services import auditing, factors, linking, notifying, switching, throttling
from emk_app.services.factors import Offer, Place
from emk_app.services.throttling import key_of

log = logging.getLogger("emk.accounts")

SEEN_STEP: Final = timedelta(minutes=1)
"""How stale ``last_seen_at`` may grow before it is written again."""
SELF_MADE: Final = frozenset({Role.HOLDER, Role.EMPLOYER})
"""Roles in which people register by themselves; the others are given."""


class Step(StrEnum):
    """What somebody between password and session has to do next."""

    CONTACT = "contact"
    """Give the code sent to the phone or address."""
    ENROL = "enrol"
    """Add the second factor."""
    CODE = "code"
    """Give a code of the second factor."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator application needs; shown until the first code proves it."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A live session, as the door sees it."""

    id: int
    ref: str
    user_id: int
    role: Role
    last_seen_at: datetime
    ends_at: datetime
    """When it ends if nothing more is done."""


def ref_of(cookie: str) -> str:
    """Return the name under which the cookie's session is stored (D10)."""
    return tokens.digest(cookie, "session")


def register(
    door: str,
    login: str,
    contact: str,
    password: str,
    repeated: str,
    *,
    role: Role = Role.HOLDER,
    source: str,
    now: datetime,
) -> None:
    """Begin a registration: a code goes to the contact, and the account exists once it is given.

    ``contact`` may be empty where the login is a phone or an address itself. A taken login looks
    the same from outside (D17): its owner gets a different message, and no code ever fits. People
    register as a holder or as an employer; an employer's login is an address. Raises
    ``FeatureOff``.
    """
    if role not in SELF_MADE:
        raise NotPermitted(f"nobody makes themselves {role}")
    switching.require(Feature.REGISTRATION, now=now)
    throttling.spend((key_of("register-source", source), rules.REGISTER_SOURCE), now=now)
    name, reach, secret = _registration(login, contact, password, repeated, role)
    # Whoever owns a taken login hears of it wherever else the code would have gone.
    told = sorted({reach, name.value})
    throttling.spend_messages(*told, now=now)
    hashed = passwords.hash_password(secret)
    code = tokens.numeric_code()
    with unit_of_work() as db:
        taken = user_by_login(db, name)
        step = _renew_doorstep(db, door, now)
        step.kind = LoginKind(name.kind)
        step.code_sent_at = now
        step.registration_sealed = vault.service_seal(
            "\n".join((name.kind, name.value, reach, hashed, role)),
            "doorsteps",
            "registration",
            door,
        )
        occasion = f"register:{secrets.token_hex(8)}"
        if taken is None:
            step.code_hash = _code_hash(door, code)
            notice = Notice(News.CONTACT_CODE, code=code)
            notifying.send(db, reach, notice, dedupe=occasion, now=now)
        else:
            notice = Notice(News.REGISTRATION_TRIED)
            notifying.tell(db, taken, notice, dedupe=occasion, now=now)
        db.add(step)


def resend_contact_code(door: str, *, now: datetime) -> None:
    """Send a new code to the same contact; the one before no longer fits.

    For a taken login nothing is sent, and nothing on the screen tells (D17).
    """
    with reading() as db:
        reach = _registration_at(_doorstep(db, door, now), door)[2]
    throttling.spend_messages(reach, now=now)
    code = tokens.numeric_code()
    with unit_of_work() as db:
        step = _doorstep(db, door, now)
        step.code_sent_at, step.code_tries = now, 0
        if step.code_hash is not None:
            step.code_hash = _code_hash(door, code)
            occasion = f"register:{secrets.token_hex(8)}"
            notice = Notice(News.CONTACT_CODE, code=code)
            notifying.send(db, reach, notice, dedupe=occasion, now=now)
        db.add(step)


def confirm_contact(door: str, code: str, *, now: datetime) -> None:
    """Make the account whose contact the code proves; raise ``WrongContactCode``."""
    with unit_of_work() as db:
        step = _doorstep(db, door, now)
        step.code_tries += 1
        db.add(step)
        # The count of tries is kept though the code be wrong, so the refusal comes after.
        right = (
            step.code_hash is not None
            and step.code_tries <= rules.CODE_TRIES
            and step.code_sent_at is not None
            and now - step.code_sent_at <= rules.CODE_LIFE
            and tokens.same(step.code_hash, _code_hash(door, code.strip()))
        )
        if right:
            kind, value, reach, hashed, role = _registration_at(step, door)
            name = LoginName(LoginKind(kind), value)
            if user_by_login(db, name) is not None:
                right = False
            else:
                user = make_user(db, Role(role), name, hashed, contact=reach, now=now)
                step.user_id = user.id
                step.registration_sealed = None
                step.code_hash = None
                auditing.record(
                    db, _as_actor(user), "register", f"user:{user.id}", subject_id=user.id, now=now
                )
    if not right:
        raise WrongContactCode


def begin_sign_in(door: str, login: str, password: str, *, source: str, now: datetime) -> Step:
    """Check login and password; return what comes next.

    Raises ``WrongCredentials`` whichever of the two is wrong.
    """
    try:
        name: LoginName | None = LoginName.parse(login)
    except InvalidValue:
        name = None
    everybody = key_of("sign-in", "everybody")
    account = key_of("sign-in", name.value if name else login.strip().casefold()[:100])
    throttling.spend(
        (account, rules.SIGN_IN_ACCOUNT),
        (key_of("sign-in-source", source), rules.SIGN_IN_SOURCE),
        (everybody, rules.SIGN_IN_EVERYBODY),
        now=now,
    )
    with reading() as db:
        user = user_by_login(db, name) if name else None
    usable = user is not None and user.disabled_at is None
    check = passwords.verify_password(password, user.password_hash if user and usable else None)
    if user is None or not usable or not check.ok:
        log.info("refused a sign-in of user %s: password", user.id if user else "unknown")
        raise WrongCredentials
    rehashed = passwords.hash_password(password) if check.needs_rehash else None
    with unit_of_work() as db:
        if not (proofs := factors.proofs_of(db, user)).is_enrolled:
            # Whoever else knew the password may have been shown a secret: it must never be the
            # one that is proved here.
            db.exec(delete(Doorstep).where(col(Doorstep.user_id) == user.id))
            db.exec(
                sa.update(User)
                .where(col(User.id) == user.id, col(User.totp_confirmed_at).is_(None))
                .values(totp_sealed=None)
            )
        step = _renew_doorstep(db, door, now)
        step.user_id = user.id
        step.kind = LoginKind(name.kind) if name else None
        db.add(step)
        if rehashed:
            db.exec(sa.update(User).where(col(User.id) == user.id).values(password_hash=rehashed))
    throttling.forgive(account)
    throttling.refund(everybody)
    return _step_after(proofs)


def step_of(door: str, *, now: datetime) -> Step | None:
    """Return where this browser stands between password and session, or None at the beginning."""
    with reading() as db:
        step = db.exec(select(Doorstep).where(Doorstep.ref == door)).first()
        if step is None or step.expires_at <= now:
            return None
        if step.user_id is None:
            return Step.CONTACT
        user = db.get(User, step.user_id)
        return _step_after(factors.proofs_of(db, user)) if user else Step.ENROL


def offer_at(door: str, *, now: datetime) -> Offer:
    """Return how the person at the door may prove themselves; raise ``DoorstepExpired``."""
    with reading() as db:
        user = person_at(db, door, now)
        by_sms = _may_be_sms(db, door) and factors.sends_codes(now)
        return factors.offer_of(db, user, by_sms=by_sms)


def send_code(door: str, *, now: datetime) -> None:
    """Send the person at the door a code by SMS; the one before no longer fits.

    Raises ``DoorstepExpired``, ``SmsNotOffered``, ``TooManyAttempts``.
    """
    with reading() as db:
        user = person_at(db, door, now)
        if not _may_be_sms(db, door):
            raise SmsNotOffered
        place = _place(db, door, user)
    factors.send_code(place, now)


def enrolment(door: str, *, now: datetime) -> Enrolment:
    """Return the secret to be added to an authenticator; never again once a code has proved it."""
    with unit_of_work() as db:
        user = person_at(db, door, now)
        if factors.proofs_of(db, user).is_enrolled:
            raise DoorstepExpired
        own = vault.vault_of(user)
        if user.totp_sealed is None:
            user.totp_sealed = own.seal(totp.new_secret(), "users", "totp", user.uid)
            db.add(user)
        secret = own.open(user.totp_sealed, "users", "totp", user.uid)
        account = shown_login(db, user)
    return Enrolment(secret, totp.provisioning_uri(secret, account))


def confirm_code(door: str, code: str, *, now: datetime) -> str:
    """Check a code of the second factor, the first one included; return a ticket to the session.

    The ticket is good once, for 30 seconds, in this browser. Raises ``WrongCode``.
    """
    with reading() as db:
        user = person_at(db, door, now)
    factors.spend(user.id, now)
    with unit_of_work() as db:
        user = person_at(db, door, now)
        place = _place(db, door, user)
        may_be_sms = _may_be_sms(db, door)
        way = factors.accept(db, user, code, place, now, by_sms=may_be_sms)
        ticket = give_ticket(db, door, user, way, now) if way else ""
    # The count of tries is kept though the code be wrong, so the refusal comes after.
    if not ticket:
        log.info("refused a sign-in of user %s: code", user.id)
        raise WrongCode
    factors.forgive(user.id)
    return ticket


def give_ticket(db: Session, door: str, user: User, way: Way, now: datetime) -> str:
    """Return the ticket of somebody who has just proved themselves at the door."""
    factors.prove(db, user, way, now)
    ticket = tokens.new_token()
    step = _doorstep(db, door, now)
    step.ticket_hash = tokens.digest(ticket, "ticket")
    step.ticket_expires_at = now + rules.TICKET_LIFE
    db.add(step)
    return ticket


def enter(
    door: str, ticket: str, *, device: str, browser: str = "", origin: str = "", now: datetime
) -> tuple[str, Role]:
    """Exchange the ticket for a session; return its cookie and role. Raises ``NotSignedIn``.

    ``browser`` is its lasting cookie, ``origin`` roughly where it is, in words: a browser in which
    the person has never signed in before is told to the person.
    """
    cookie = tokens.new_token()
    with unit_of_work() as db:
        step = db.exec(select(Doorstep).where(Doorstep.ref == door).with_for_update()).first()
        if (
            step is None
            or step.user_id is None
            or step.ticket_hash is None
            or step.ticket_expires_at is None
            or step.ticket_expires_at <= now
            or not tokens.same(step.ticket_hash, tokens.digest(ticket, "ticket"))
        ):
            raise NotSignedIn
        user = db.get(User, step.user_id)
        if user is None or user.disabled_at is not None:
            raise NotSignedIn
        db.delete(step)
        if step.password_next_hash is not None:
            _put_new_password(db, user, step.password_next_hash, now)
        linking.settle(db, door, user, now)
        if browser:
            _know(db, user, browser, f"{device[:60]}, {origin}", now)
        session = UserSession(
            ref=ref_of(cookie),
            user_id=user.id,
            factor_at=now,
            device=device[:120],
            created_at=now,
            last_seen_at=now,
            expires_at=now + rules.LONGEST_SESSION,
        )
        db.add(session)
        db.flush()
        auditing.record(
            db,
            _as_actor(user, session),
            "sign_in",
            f"session:{session.id}",
            subject_id=user.id,
            now=now,
        )
        changes.announce(db, factors.topic_of(user.id))
    return cookie, user.role


def leave(ref: str, *, now: datetime) -> None:
    """End the session; its screens close at once. Unknown sessions are ended already."""
    with unit_of_work() as db:
        session = db.exec(select(UserSession).where(UserSession.ref == ref)).first()
        if session is None or session.revoked_at is not None:
            return
        user = db.get(User, session.user_id)
        assert user is not None
        revoke(db, session, now)
        auditing.record(
            db,
            _as_actor(user, session),
            "sign_out",
            f"session:{session.id}",
            subject_id=user.id,
            now=now,
        )


def session_of(ref: str, *, now: datetime) -> SessionFacts | None:
    """Return the live session of this name, or None where it never was, or has ended."""
    return sessions_of([ref], now=now)[ref]


def sessions_of(refs: Sequence[str], *, now: datetime) -> dict[str, SessionFacts | None]:
    """Return the live session of each of these names, or None."""
    found: dict[str, SessionFacts | None] = dict.fromkeys(refs)
    for each in _live(refs, now):
        ends_at = min(each.expires_at, each.last_seen_at + idle_of(each.role))
        found[each.ref] = SessionFacts(
            each.id, each.ref, each.user_id, each.role, each.last_seen_at, ends_at
        )
    return found


def was_session(ref: str) -> bool:
    """Whether a session of this name ever was; then its cookie must go."""
    with reading() as db:
        return (
            db.exec(select(UserSession.id).where(UserSession.ref == ref).limit(1)).first()
            is not None
        )


def actor_of(ref: str, *, now: datetime) -> Actor:
    """Return who acts in the session; raise ``NotSignedIn``."""
    actor = actors_of([ref], now=now)[ref]
    if actor is None:
        raise NotSignedIn
    return actor


def actors_of(refs: Sequence[str], *, now: datetime) -> dict[str, Actor | None]:
    """Return who acts in each of the sessions, or None where nobody does any more."""
    found: dict[str, Actor | None] = dict.fromkeys(refs)
    for each in _live(refs, now):
        actor = Actor(
            user_id=each.user_id,
            role=each.role,
            session_id=each.id,
            clinic_id=each.clinic_id,
            position=each.position,
            factor_at=each.factor_at,
        )
        if each.role is Role.EMPLOYER:
            with reading() as db:
                actor = employers.acting(db, actor)
        found[each.ref] = actor
    return found


def notice_presence(session: SessionFacts, *, now: datetime) -> None:
    """Note that the person did something; at most once a minute is written."""
    if abs(now - session.last_seen_at) <= SEEN_STEP:
        return
    with unit_of_work() as db:
        db.exec(
            sa.update(UserSession)
            .where(col(UserSession.id) == session.id, col(UserSession.revoked_at).is_(None))
            .values(last_seen_at=now)
        )


def renew_factor(actor: Actor, code: str, *, now: datetime) -> None:
    """Take a fresh code for a sensitive act (D13); raise ``WrongCode``."""
    factors.spend(actor.user_id, now)
    with unit_of_work() as db:
        user = db.get(User, actor.user_id)
        way = factors.accept(db, user, code, factors.in_session(actor), now) if user else None
        if user is not None and way is not None:
            freshen(db, actor, user, way, now)
    if way is None:
        log.info("refused a fresh factor of user %s: code", actor.user_id)
        raise WrongCode
    factors.forgive(actor.user_id)


def freshen(db: Session, actor: Actor, user: User, way: Way, now: datetime) -> None:
    """Note that the person in the session has proved themselves again."""
    factors.prove(db, user, way, now)
    db.exec(
        sa.update(UserSession).where(col(UserSession.id) == actor.session_id).values(factor_at=now)
    )
    auditing.record(db, actor, "renew_factor", f"user:{user.id}", subject_id=user.id, now=now)


def create_user(
    role: Role,
    login: str,
    password: str,
    *,
    now: datetime,
    totp_secret: str | None = None,
    name: str = "",
    clinic_id: int | None = None,
    position: Position | None = None,
    own_specialties: Collection[str] = (),
    is_demo: bool = False,
) -> int:
    """Make an account from the command line, or find the one of this login; return its identity.

    ``own_specialties`` are a physician's; raises ``NotAChoice`` for one that is not in the list.
    """
    parsed = LoginName.parse(login)
    with unit_of_work() as db:
        known = user_by_login(db, parsed)
        if known is not None:
            return known.id
        hashed = passwords.hash_password(rules.check_new_password(password, ""))
        contact = parsed.value if parsed.kind is not LoginKind.INN else None
        user = make_user(db, role, parsed, hashed, contact=contact, now=now)
        own = vault.vault_of(user)
        user.clinic_id, user.position, user.is_demo = clinic_id, position, is_demo
        user.specialties = specialties.write(own_specialties) or None
        if name:
            user.name_sealed = own.seal(name, "users", "name", user.uid)
        if totp_secret:
            user.totp_sealed = own.seal(totp_secret, "users", "totp", user.uid)
            user.totp_confirmed_at = now
        db.add(user)
        auditing.record(db, None, "create_user", f"user:{user.id}", subject_id=user.id, now=now)
    return user.id


def person_name(user_id: int) -> str:
    """Return the person's name, or the login where there is none yet."""
    with reading() as db:
        user = db.get(User, user_id)
        if user is None:
            raise NotFound
        if user.name_sealed:
            return vault.vault_of(user).open(user.name_sealed, "users", "name", user.uid)
        return shown_login(db, user)


def sweep(*, now: datetime) -> None:
    """Forget doorsteps nobody stands on any more."""
    with unit_of_work() as db:
        db.exec(delete(Doorstep).where(col(Doorstep.expires_at) <= now))
        linking.sweep(db, now=now)
        db.exec(delete(Browser).where(col(Browser.seen_at) <= now - rules.BROWSER_KEPT))
    factors.sweep(now=now)


def _registration(
    login: str, contact: str, password: str, repeated: str, role: Role
) -> tuple[LoginName, str, str]:
    problems: dict[str, InvalidValue] = {}
    name: LoginName | None = None
    reach = ""
    secret = ""
    try:
        name = LoginName.parse(login) if role is Role.HOLDER else _address(login)
    except InvalidValue as error:
        problems["login"] = error
    if name is not None and name.kind is not LoginKind.INN:
        reach = name.value
    else:
        try:
            reach = reach_of(contact)
        except InvalidValue as error:
            if name is not None:
                problems["contact"] = error
    try:
        secret = rules.choose_password(password, repeated, name.value if name else "", contact)
    except Invalid as error:
        problems |= error.fields
    if problems or name is None:
        raise Invalid(problems)
    return name, reach, secret


def _address(login: str) -> LoginName:
    return LoginName(LoginKind.EMAIL, Email.parse(login).address)


def reach_of(contact: str) -> str:
    """Return a phone or an address as it is kept; raise ``InvalidValue``."""
    if not contact.strip():
        raise Required
    return Email.parse(contact).address if "@" in contact else Phone.parse_mobile(contact).e164


def _registration_at(step: Doorstep, door: str) -> list[str]:
    """Return kind and value of the login, the contact, the password's hash and the role."""
    if step.registration_sealed is None:
        raise DoorstepExpired
    said = vault.service_open(step.registration_sealed, "doorsteps", "registration", door)
    kind, value, reach, hashed, *role = said.split("\n")
    # What was sealed before roles were told is of a holder.
    return [kind, value, reach, hashed, role[0] if role else Role.HOLDER.value]


def _code_hash(door: str, code: str) -> str:
    return tokens.keyed_digest(keystore().session_key, f"{door}|{code}", "contact-code")


def own_user(db: Session, actor: Actor, *, locked: bool = False) -> User:
    """Return the account of who acts; raise ``NotFound``."""
    asked = select(User).where(User.id == actor.user_id)
    user = db.exec(asked.with_for_update() if locked else asked).first()
    if user is None:
        raise NotFound
    return user


def user_by_login(db: Session, name: LoginName) -> User | None:
    """Return who signs in by this login."""
    return db.exec(
        select(User)
        .join(Login, col(Login.user_id) == User.id)
        .where(Login.blind == vault.blind(f"login-{name.kind}", name.value))
    ).first()


def make_user(
    db: Session,
    role: Role,
    name: LoginName,
    hashed: str,
    *,
    contact: str | None,
    now: datetime,
) -> User:
    """Make an account; ``contact`` is taken to be proved."""
    uid = secrets.token_hex(16)
    own, wrapped = vault.new_key(uid)
    user = User(uid=uid, role=role, key_sealed=wrapped, password_hash=hashed, created_at=now)
    if contact:
        user.contact_sealed = own.seal(contact, *notifying.CONTACT, uid)
    db.add(user)
    db.flush()
    blind = vault.blind(f"login-{name.kind}", name.value)
    db.add(
        Login(
            user_id=user.id,
            kind=LoginKind(name.kind),
            blind=blind,
            value_sealed=own.seal(name.value, "logins", "value", blind),
        )
    )
    db.flush()
    return user


def shown_login(db: Session, user: User) -> str:
    """Return the login the account began with; empty where it has none."""
    login = db.exec(select(Login).where(Login.user_id == user.id).order_by(col(Login.id))).first()
    if login is None:
        return ""
    return vault.vault_of(user).open(login.value_sealed, "logins", "value", login.blind)


def _renew_doorstep(db: Session, door: str, now: datetime) -> Doorstep:
    db.exec(delete(Doorstep).where(col(Doorstep.ref) == door))
    return Doorstep(ref=door, created_at=now, expires_at=now + rules.DOORSTEP_LIFE)


def _doorstep(db: Session, door: str, now: datetime) -> Doorstep:
    step = db.exec(select(Doorstep).where(Doorstep.ref == door).with_for_update()).first()
    if step is None or step.expires_at <= now:
        raise DoorstepExpired
    return step


def _may_be_sms(db: Session, door: str) -> bool:
    """Whether a code by SMS proves anything at this door.

    The link to a new password may have come to the same telephone: then it would be all (D18).
    """
    asked = select(Doorstep.password_next_hash).where(Doorstep.ref == door)
    return db.exec(asked).first() is None


def _place(db: Session, door: str, user: User) -> Place:
    is_enrolled = factors.proofs_of(db, user).is_enrolled
    return factors.at_door(door, user.id, Purpose.ENTER if is_enrolled else Purpose.ENROL)


def _step_after(proofs: Proofs) -> Step:
    return Step.CODE if proofs.is_enrolled else Step.ENROL


def stand_at_door(db: Session, door: str, user: User, now: datetime) -> None:
    """Let the person stand at this door as after the right password."""
    step = _renew_doorstep(db, door, now)
    step.user_id = user.id
    db.add(step)


def person_at(db: Session, door: str, now: datetime) -> User:
    """Return who has given the password at this door; raise ``DoorstepExpired``."""
    step = db.exec(select(Doorstep).where(Doorstep.ref == door)).first()
    user = db.get(User, step.user_id) if step and step.user_id else None
    if step is None or step.expires_at <= now or user is None or user.disabled_at is not None:
        raise DoorstepExpired
    return user


def _live(refs: Sequence[str], now: datetime) -> list[Standing]:
    return [each for each in sessions.standings(refs) if is_live(each, each, now)]


def told_of(db: Session, user: User) -> list[str]:
    """Return what strangers may know of the person, so that no password be made of it."""
    own = vault.vault_of(user)
    logins = db.exec(select(Login).where(Login.user_id == user.id)).all()
    told = [own.open(each.value_sealed, "logins", "value", each.blind) for each in logins]
    told += notifying.contacts_of(user).values()
    if user.name_sealed:
        told.append(own.open(user.name_sealed, "users", "name", user.uid))
    return told


def is_live(session: UserSession | Standing, user: User | Standing, now: datetime) -> bool:
    """Whether the session still opens anything."""
    return (
        session.revoked_at is None
        and session.expires_at > now
        and session.last_seen_at + idle_of(user.role) > now
        and user.disabled_at is None
    )


def idle_of(role: Role) -> timedelta:
    """Return how long a session lives when nothing is done in it (D12)."""
    return rules.IDLE_HOLDER if role in (Role.HOLDER, Role.EMPLOYER) else rules.IDLE_STAFF


def revoke(db: Session, session: UserSession, now: datetime) -> None:
    """End a session; the screens that are open in it close at the commit."""
    session.revoked_at = now
    db.add(session)
    changes.announce(db, f"session:{session.ref}", factors.topic_of(session.user_id))


def revoke_all(db: Session, user_id: int, now: datetime, *, but: int | None = None) -> int:
    """End every session of the person but one; return how many were still alive."""
    asked = select(UserSession, User).join(User, col(User.id) == UserSession.user_id)
    rows = db.exec(
        asked.where(UserSession.user_id == user_id, col(UserSession.revoked_at).is_(None))
    ).all()
    ended = 0
    for session, user in rows:
        if session.id != but:
            ended += is_live(session, user, now)
            revoke(db, session, now)
    return ended


def forget_resets(db: Session, user_id: int) -> None:
    """Let no link and no password that waits at a door take effect any more."""
    db.exec(delete(PasswordReset).where(col(PasswordReset.user_id) == user_id))
    db.exec(
        delete(Doorstep).where(
            col(Doorstep.user_id) == user_id, col(Doorstep.password_next_hash).is_not(None)
        )
    )


def _know(db: Session, user: User, browser: str, source: str, now: datetime) -> None:
    """Remember the browser; tell the person if it is a new one, and not the very first (D19)."""
    text = f"{user.uid}|{browser}"
    ref = tokens.keyed_digest(keystore().session_key, text, "browser")
    known = db.exec(select(Browser).where(Browser.user_id == user.id)).all()
    here = next((each for each in known if each.ref == ref), None)
    if known and here is None:
        notice = Notice(News.NEW_BROWSER, at=now, source=source)
        notifying.tell(db, user, notice, dedupe=f"browser:{user.id}:{ref[:40]}", now=now)
    row = here or Browser(user_id=user.id, ref=ref, seen_at=now)
    row.seen_at = now
    db.add(row)


def _put_new_password(db: Session, user: User, hashed: str, now: datetime) -> None:
    """Replace a forgotten password, now that the second factor is given; every session ends."""
    user.password_hash, user.password_set_at = hashed, now
    db.add(user)
    forget_resets(db, user.id)
    revoke_all(db, user.id, now)
    auditing.record(
        db, _as_actor(user), "reset_password", f"user:{user.id}", subject_id=user.id, now=now
    )
    dedupe = f"password-reset:{user.id}:{secrets.token_hex(8)}"
    notifying.tell(db, user, Notice(News.PASSWORD_RESET), dedupe=dedupe, now=now)


def _as_actor(user: User, session: UserSession | None = None) -> Actor:
    return Actor(
        user_id=user.id,
        role=user.role,
        session_id=session.id if session else None,
        clinic_id=user.clinic_id,
        position=user.position,
        factor_at=session.factor_at if session else None,
    )
