"""Who acts for an employer's organisation: invited by mail, given a post, taken out.

An owner rules over the members; a post is given only after a fresh second factor. Whoever is
invited finds it by signing in with the address, so nobody learns whether it has an account.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select

from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import employers
from emk_app.db.repositories.employers import topic_of as staff_topic_of
from emk_app.db.tables.employers import MemberInvitation, Organisation, OrganisationMember
from emk_app.db.tables.people import User
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Post, Role, permit, permit_fresh, permit_post
from emk_app.domain.contacts import Email, LoginKind
from emk_app.domain.employing import (
    MEMBER_INVITATION_LIFE,
    MEMBER_LIMIT,
    HasOrganisation,
    LastOwner,
    MemberInvited,
    MembersFull,
)
from emk_app.domain.errors import NotAChoice, NotFound
from emk_app.domain.notices import News, Notice
from emk_app.domain.values import Problems
from emk_app.services import accounts, auditing, notifying, throttling

EMAIL: Final = ("member_invitations", "email")
INVITATIONS: Final = Rule(tries=40, window=timedelta(days=1), is_quota=True)
"""Letters that one organisation may have sent a day."""
TO_ONE: Final = Rule(tries=5, window=timedelta(days=1), is_quota=True)
"""Letters that one address is sent a day, from all organisations together."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """One member."""

    id: int
    login: str = field(repr=False)
    post: Post
    since: datetime
    is_self: bool
    is_warned: bool


@dataclass(frozen=True, slots=True)
class InvitationView:
    """One address that may become a member."""

    id: int
    email: str = field(repr=False)
    post: Post
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Circle:
    """The members, and for an owner who is invited."""

    members: tuple[MemberView, ...]
    invited: tuple[InvitationView, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """An organisation that would have the actor as a member."""

    id: int
    organisation: str
    post: Post
    expires_at: datetime


def topic_of(organisation_id: int) -> str:
    """Return the topic of an organisation's members."""
    return f"members:{organisation_id}"


def circle(actor: Actor, *, now: datetime) -> Circle:
    """Return the members; who is invited is told to owners alone."""
    organisation_id = permit_post(actor, *Post)
    with reading() as db:
        members = tuple(
            MemberView(
                row.id,
                accounts.shown_login(db, user),
                row.post,
                row.created_at,
                user.id == actor.user_id,
                row.is_warned,
            )
            for row, user in _members(db, organisation_id)
        )
        if actor.post is not Post.OWNER:
            return Circle(members, ())
        invited = tuple(
            InvitationView(row.id, _email_of(row), row.post, row.expires_at)
            for row in _invited(db, organisation_id, now)
        )
    return Circle(members, invited)


def invite(actor: Actor, email: str, post: str, *, now: datetime) -> int:
    """Invite an address by mail; return the invitation's identity.

    Raises ``FreshFactorNeeded``, ``Invalid`` with ``email`` and ``post``, ``MemberInvited``,
    ``MembersFull`` and ``TooManyAttempts``.
    """
    organisation_id = permit_post(actor, Post.OWNER)
    permit_fresh(actor, now)
    problems = Problems()
    address = problems.take("email", Email.parse, email)
    given = problems.take("post", _post, post)
    problems.raise_any()
    blind = vault.blind(f"login-{LoginKind.EMAIL}", str(address))
    throttling.spend(
        (throttling.key_of("member-invite", str(organisation_id)), INVITATIONS),
        (throttling.key_of("member-invited", blind), TO_ONE),
        now=now,
    )
    with unit_of_work() as db:
        # Held, so that of two presses one invites.
        _hold(db, organisation_id)
        db.exec(delete(MemberInvitation).where(col(MemberInvitation.expires_at) <= now))
        invited = _invited(db, organisation_id, now)
        members = _members(db, organisation_id)
        if blind in {row.email_blind for row in invited} or any(
            blind in employers.blinds_of(db, user) for _, user in members
        ):
            raise MemberInvited
        if len(invited) + len(members) >= MEMBER_LIMIT:
            raise MembersFull(MEMBER_LIMIT)
        ref = secrets.token_hex(16)
        row = MemberInvitation(
            ref=ref,
            organisation_id=organisation_id,
            email_sealed=vault.service_seal(str(address), *EMAIL, ref),
            email_blind=blind,
            post=given,
            invited_by=actor.user_id,
            created_at=now,
            expires_at=now + MEMBER_INVITATION_LIFE,
        )
        db.add(row)
        db.flush()
        notifying.send(
            db, str(address), Notice(News.MEMBER_INVITED), dedupe=f"member-invited:{ref}", now=now
        )
        _note(
            db, actor, organisation_id, "invite_member", f"member_invitation:{row.id}", now, given
        )
        return row.id


def withdraw(actor: Actor, invitation_id: int, *, now: datetime) -> None:
    """Take an invitation back."""
    organisation_id = permit_post(actor, Post.OWNER)
    with unit_of_work() as db:
        row = db.get(MemberInvitation, invitation_id, with_for_update=True)
        if row is None or row.organisation_id != organisation_id:
            raise NotFound
        db.delete(row)
        target = f"member_invitation:{invitation_id}"
        _note(db, actor, organisation_id, "withdraw_member_invitation", target, now)


def change(actor: Actor, member_id: int, post: str, *, now: datetime) -> None:
    """Give a member another post.

    Raises ``FreshFactorNeeded``, ``Invalid`` with ``post`` and ``LastOwner``.
    """
    organisation_id = permit_post(actor, Post.OWNER)
    permit_fresh(actor, now)
    problems = Problems()
    given = problems.take("post", _post, post)
    problems.raise_any()
    with unit_of_work() as db:
        _hold(db, organisation_id)
        member = _member(db, organisation_id, member_id)
        if member.post is given:
            return
        if given is not Post.OWNER:
            _keep_an_owner(db, member)
        member.post = given
        db.add(member)
        _note(db, actor, organisation_id, "change_member", f"user:{member.user_id}", now, given)


def remove(actor: Actor, member_id: int, *, now: datetime) -> None:
    """Take a member out, at once; anybody may leave by themselves. Raises ``LastOwner``."""
    organisation_id = permit_post(actor, *Post)
    with unit_of_work() as db:
        _hold(db, organisation_id)
        member = _member(db, organisation_id, member_id)
        if member.user_id != actor.user_id:
            permit_post(actor, Post.OWNER)
        _keep_an_owner(db, member)
        user_id = member.user_id
        db.delete(member)
        _note(db, actor, organisation_id, "remove_member", f"user:{user_id}", now)
        # The screens of who is out look again at who is acting.
        changes.announce(db, staff_topic_of(organisation_id))


def set_warned(actor: Actor, is_warned: bool, *, now: datetime) -> None:
    """Say whether one wants the letters about terms that end."""
    organisation_id = permit_post(actor, *Post)
    with unit_of_work() as db:
        db.exec(
            sa.update(OrganisationMember)
            .where(col(OrganisationMember.user_id) == actor.user_id)
            .values(is_warned=is_warned)
        )
        action = "want_warnings" if is_warned else "refuse_warnings"
        _note(db, actor, organisation_id, action, f"user:{actor.user_id}", now)


def offers(actor: Actor, *, now: datetime) -> list[Offer]:
    """Return who invites the actor; nobody where the actor acts for an organisation."""
    permit(actor, Role.EMPLOYER)
    if actor.organisation_id is not None:
        return []
    with reading() as db:
        rows = _offered(db, actor, now)
        names = employers.names_of(db, [row.organisation_id for row in rows])
    return [Offer(row.id, names[row.organisation_id], row.post, row.expires_at) for row in rows]


def accept(actor: Actor, invitation_id: int, *, now: datetime) -> None:
    """Become a member; raise ``HasOrganisation``."""
    permit(actor, Role.EMPLOYER)
    with unit_of_work() as db:
        # Held, so that of two invitations taken at once one counts.
        db.get_one(User, actor.user_id, with_for_update=True)
        if employers.acting(db, actor).organisation_id is not None:
            raise HasOrganisation
        row = _own_offer(db, actor, invitation_id, now)
        db.add(
            OrganisationMember(
                organisation_id=row.organisation_id,
                user_id=actor.user_id,
                post=row.post,
                is_warned=row.post is not Post.VIEWER,
                created_at=now,
            )
        )
        db.delete(row)
        _note(
            db, actor, row.organisation_id, "join_organisation",
            f"organisation:{row.organisation_id}", now, row.post,
        )  # fmt: skip


def decline(actor: Actor, invitation_id: int, *, now: datetime) -> None:
    """Refuse an invitation."""
    permit(actor, Role.EMPLOYER)
    with unit_of_work() as db:
        row = _own_offer(db, actor, invitation_id, now)
        organisation_id = row.organisation_id
        db.delete(row)
        target = f"member_invitation:{invitation_id}"
        _note(db, actor, organisation_id, "decline_member_invitation", target, now)


def _post(said: str) -> Post:
    if said not in set(Post):
        raise NotAChoice
    return Post(said)


def _hold(db: Session, organisation_id: int) -> None:
    db.get_one(Organisation, organisation_id, with_for_update=True)


def _members(db: Session, organisation_id: int) -> Sequence[tuple[OrganisationMember, User]]:
    return db.exec(
        select(OrganisationMember, User)
        .join(User, col(User.id) == OrganisationMember.user_id)
        .where(OrganisationMember.organisation_id == organisation_id)
        .order_by(col(OrganisationMember.id))
    ).all()


def _member(db: Session, organisation_id: int, member_id: int) -> OrganisationMember:
    row = db.get(OrganisationMember, member_id, with_for_update=True)
    if row is None or row.organisation_id != organisation_id:
        raise NotFound
    return row


def _keep_an_owner(db: Session, leaving: OrganisationMember) -> None:
    others = select(OrganisationMember.id).where(
        OrganisationMember.organisation_id == leaving.organisation_id,
        OrganisationMember.post == Post.OWNER,
        OrganisationMember.id != leaving.id,
    )
    if leaving.post is Post.OWNER and db.exec(others).first() is None:
        raise LastOwner


def _invited(db: Session, organisation_id: int, now: datetime) -> Sequence[MemberInvitation]:
    return db.exec(
        select(MemberInvitation)
        .where(
            MemberInvitation.organisation_id == organisation_id,
            col(MemberInvitation.expires_at) > now,
        )
        .order_by(col(MemberInvitation.id))
    ).all()


def _offered(db: Session, actor: Actor, now: datetime) -> Sequence[MemberInvitation]:
    blinds = employers.blinds_of(db, db.get_one(User, actor.user_id))
    return db.exec(
        select(MemberInvitation)
        .where(
            col(MemberInvitation.email_blind).in_(blinds), col(MemberInvitation.expires_at) > now
        )
        .order_by(col(MemberInvitation.id))
    ).all()


def _own_offer(db: Session, actor: Actor, invitation_id: int, now: datetime) -> MemberInvitation:
    found = next((row for row in _offered(db, actor, now) if row.id == invitation_id), None)
    if found is None:
        raise NotFound
    return found


def _email_of(row: MemberInvitation) -> str:
    return vault.service_open(row.email_sealed, *EMAIL, row.ref)


def _note(
    db: Session,
    actor: Actor,
    organisation_id: int,
    action: str,
    target: str,
    now: datetime,
    post: Post | None = None,
) -> None:
    auditing.record(db, actor, action, target, fields=post.value if post else "", now=now)
    changes.announce(db, topic_of(organisation_id))
