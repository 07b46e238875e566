"""Members of an organisation: every refusal, then invited, given a post, taken out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry, OutboxMessage
from emk_app.domain.actors import Actor, Post, Role
from emk_app.domain.employing import (
    MEMBER_INVITATION_LIFE,
    HasOrganisation,
    LastOwner,
    MemberInvited,
    MembersFull,
)
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotFound,
    NotPermitted,
    TooManyAttempts,
)
from emk_app.services import accounts, employing, membering
from tests.factories import (
    PASSWORD,
    SECRET,
    acting_employer,
    make_employer,
    make_employers_user,
    make_holder,
)

pytestmark = pytest.mark.usefixtures("world")


def make_owner(now: datetime) -> Actor:
    return replace(make_employer(now), session_id=1, factor_at=now)


def made_user(login: str, now: datetime) -> Actor:
    user_id = accounts.create_user(
        Role.EMPLOYER, login, PASSWORD, totp_secret=SECRET, name="Кафе", now=now
    )
    return Actor(user_id, Role.EMPLOYER)


def joined(owner: Actor, post: Post, now: datetime) -> Actor:
    """Return a member who was invited to the post."""
    login = f"{post.value}{len(membering.circle(owner, now=now).members)}@example.ru"
    user = made_user(login, now)
    membering.accept(user, membering.invite(owner, login, post.value, now=now), now=now)
    return replace(acting_employer(user), session_id=2, factor_at=now)


def member_id(actor: Actor, now: datetime) -> int:
    return next(row.id for row in membering.circle(actor, now=now).members if row.is_self)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.EMPLOYER])
def test_only_an_employer_has_members(role: Role, now: datetime):
    actor = Actor(1, role, organisation_id=1, post=Post.OWNER, factor_at=now)
    for act in (
        lambda: membering.circle(actor, now=now),
        lambda: membering.invite(actor, "a@example.ru", "hr", now=now),
        lambda: membering.withdraw(actor, 1, now=now),
        lambda: membering.change(actor, 1, "hr", now=now),
        lambda: membering.remove(actor, 1, now=now),
        lambda: membering.set_warned(actor, False, now=now),
        lambda: membering.offers(actor, now=now),
        lambda: membering.accept(actor, 1, now=now),
        lambda: membering.decline(actor, 1, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


@pytest.mark.parametrize("post", [Post.HR, Post.VIEWER])
def test_who_is_no_owner_rules_over_nobody(post: Post, now: datetime):
    owner = make_owner(now)
    other = joined(owner, post, now)
    invitation_id = membering.invite(owner, "new@example.ru", "hr", now=now)
    owners_id = member_id(owner, now)
    for act in (
        lambda: membering.invite(other, "a@example.ru", "hr", now=now),
        lambda: membering.withdraw(other, invitation_id, now=now),
        lambda: membering.change(other, owners_id, "viewer", now=now),
        lambda: membering.change(other, member_id(other, now), "owner", now=now),
        lambda: membering.remove(other, owners_id, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()
    seen = membering.circle(other, now=now)
    assert (len(seen.members), seen.invited) == (2, ())


def test_post_is_given_after_a_fresh_factor_alone(now: datetime):
    owner = make_owner(now)
    hr = joined(owner, Post.HR, now)
    for stale in (None, now - timedelta(minutes=6)):
        tired = replace(owner, factor_at=stale)
        with pytest.raises(FreshFactorNeeded):
            membering.invite(tired, "a@example.ru", "hr", now=now)
        with pytest.raises(FreshFactorNeeded):
            membering.change(tired, member_id(hr, now), "owner", now=now)


def test_members_of_another_organisation_do_not_exist(now: datetime):
    owner, stranger = make_owner(now), make_owner(now)
    invitation_id = membering.invite(owner, "new@example.ru", "hr", now=now)
    for act in (
        lambda: membering.withdraw(stranger, invitation_id, now=now),
        lambda: membering.change(stranger, member_id(owner, now), "viewer", now=now),
        lambda: membering.remove(stranger, member_id(owner, now), now=now),
    ):
        with pytest.raises(NotFound):
            act()


def test_last_owner_stays_an_owner(now: datetime):
    owner = make_owner(now)
    own_id = member_id(owner, now)
    with pytest.raises(LastOwner):
        membering.change(owner, own_id, "hr", now=now)
    with pytest.raises(LastOwner):
        membering.remove(owner, own_id, now=now)
    second = joined(owner, Post.OWNER, now)
    membering.change(owner, own_id, "hr", now=now)
    assert acting_employer(owner).post is Post.HR
    with pytest.raises(LastOwner):
        membering.remove(second, member_id(second, now), now=now)


def test_wrong_address_and_post_are_told_at_once(now: datetime):
    owner = make_owner(now)
    with pytest.raises(Invalid) as refused:
        membering.invite(owner, "нет", "king", now=now)
    assert set(refused.value.fields) == {"email", "post"}
    with pytest.raises(Invalid):
        membering.change(owner, member_id(owner, now), "king", now=now)


def test_invited_person_joins_by_the_address_alone(now: datetime):
    owner = make_owner(now)
    invited, other = made_user("hr7@example.ru", now), make_employers_user(now)
    invitation_id = membering.invite(owner, "HR7@Example.ru", "hr", now=now)
    with reading() as db:
        assert db.exec(select(OutboxMessage)).all()
    assert membering.offers(other, now=now) == []
    with pytest.raises(NotFound):
        membering.accept(other, invitation_id, now=now)
    with pytest.raises(NotFound):
        membering.decline(other, invitation_id, now=now)
    (offer,) = membering.offers(invited, now=now)
    assert (offer.organisation, offer.post) == ("Кафе на Мира", Post.HR)
    with pytest.raises(MemberInvited):
        membering.invite(owner, "hr7@example.ru", "viewer", now=now)
    membering.accept(invited, invitation_id, now=now)
    member = acting_employer(invited)
    assert (member.organisation_id, member.post) == (owner.organisation_id, Post.HR)
    assert membering.offers(member, now=now) == []
    with pytest.raises(HasOrganisation):
        membering.accept(invited, invitation_id, now=now)
    with pytest.raises(MemberInvited):
        membering.invite(owner, "hr7@example.ru", "viewer", now=now)
    assert membering.circle(owner, now=now).invited == ()


def test_invitation_is_refused_taken_back_and_runs_out(now: datetime):
    owner, invited = make_owner(now), made_user("hr8@example.ru", now)
    membering.decline(
        invited, membering.invite(owner, "hr8@example.ru", "hr", now=now), now=now
    )  # fmt: skip
    second = membering.invite(owner, "hr8@example.ru", "hr", now=now)
    membering.withdraw(owner, second, now=now)
    with pytest.raises(NotFound):
        membering.accept(invited, second, now=now)
    third = membering.invite(owner, "hr8@example.ru", "hr", now=now)
    late = now + MEMBER_INVITATION_LIFE
    assert membering.offers(invited, now=late) == []
    with pytest.raises(NotFound):
        membering.accept(invited, third, now=late)
    fresh = replace(owner, factor_at=late)
    membering.accept(
        invited, membering.invite(fresh, "hr8@example.ru", "hr", now=late), now=late
    )  # fmt: skip


def test_removed_member_sees_nothing_any_more(now: datetime):
    owner = make_owner(now)
    hr = joined(owner, Post.HR, now)
    membering.remove(owner, member_id(hr, now), now=now)
    gone = acting_employer(Actor(hr.user_id, Role.EMPLOYER))
    assert gone.organisation_id is None
    with pytest.raises(NotPermitted):
        employing.roster(gone, now=now)
    leaving = joined(owner, Post.VIEWER, now)
    membering.remove(leaving, member_id(leaving, now), now=now)
    assert len(membering.circle(owner, now=now).members) == 1
    with reading() as db:
        actions = db.exec(select(AuditEntry.action)).all()
    assert {"invite_member", "join_organisation", "remove_member"} <= set(actions)


def test_letters_and_members_are_bounded(now: datetime, monkeypatch: pytest.MonkeyPatch):
    owner = make_owner(now)
    monkeypatch.setattr(membering, "MEMBER_LIMIT", 2)
    membering.invite(owner, "one@example.ru", "hr", now=now)
    with pytest.raises(MembersFull):
        membering.invite(owner, "two@example.ru", "hr", now=now)
    for _ in range(membering.TO_ONE.tries - 1):
        membering.withdraw(owner, membering.circle(owner, now=now).invited[0].id, now=now)
        membering.invite(owner, "one@example.ru", "hr", now=now)
    with pytest.raises(TooManyAttempts):
        membering.invite(owner, "one@example.ru", "hr", now=now)


def test_holder_with_the_address_is_invited_to_nothing(now: datetime):
    owner, holder = make_owner(now), make_holder(now, "both@example.ru")
    membering.invite(owner, "both@example.ru", "hr", now=now)
    with pytest.raises(NotPermitted):
        membering.offers(holder, now=now)
