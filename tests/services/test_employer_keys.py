"""Keys of employers' systems: who makes them, and when they no longer open anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.employers import EmployerKey, OrganisationMember
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.people import User
from emk_app.domain.actors import Actor, Post, Role
from emk_app.domain.employer_keys import (
    KEYS_AT_ONCE,
    PREFIX,
    KeyEnded,
    KeyRefused,
    KeyRevoked,
    KeyScope,
    KeyState,
    ScopeMissing,
    TooManyKeys,
)
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
)
from emk_app.services import employer_keys
from tests.factories import make_employer, make_employers_user

pytestmark = pytest.mark.usefixtures("world")

READ = [KeyScope.STAFF_READ.value]
DAY = timedelta(days=1)


def fresh_owner(now: datetime) -> Actor:
    return replace(make_employer(now), factor_at=now)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.EMPLOYER])
def test_only_an_owner_has_keys(role: Role, now: datetime):
    owner = fresh_owner(now)
    for actor in (
        Actor(1, role, organisation_id=1, post=Post.OWNER, factor_at=now),
        replace(owner, post=Post.HR),
        replace(owner, post=Post.VIEWER),
        replace(make_employers_user(now), factor_at=now),
    ):
        with pytest.raises(NotPermitted):
            employer_keys.keys(actor, now=now)
        with pytest.raises(NotPermitted):
            employer_keys.make(actor, "Учёт", READ, 90, now=now)
        with pytest.raises(NotPermitted):
            employer_keys.revoke(actor, 1, now=now)


def test_key_wants_a_fresh_factor_and_everything_said(now: datetime):
    owner = make_employer(now)
    for factor_at in (None, now - timedelta(minutes=6)):
        with pytest.raises(FreshFactorNeeded):
            employer_keys.make(replace(owner, factor_at=factor_at), "Учёт", READ, 90, now=now)
    owner = replace(owner, factor_at=now)
    with pytest.raises(Invalid) as refused:
        employer_keys.make(owner, " ", [], 1, now=now)
    assert {name: type(why) for name, why in refused.value.fields.items()} == {
        "name": Required,
        "scopes": Required,
        "days": NotAChoice,
    }
    with pytest.raises(Invalid) as refused:
        employer_keys.make(owner, "Учёт", ["staff:all"], 90, now=now)
    assert set(refused.value.fields) == {"scopes"}
    assert employer_keys.keys(owner, now=now) == ()


def test_of_a_key_only_its_digest_is_kept(now: datetime):
    owner = fresh_owner(now)
    token = employer_keys.make(owner, "Учёт", [*READ, "books:check"], 90, now=now)
    assert token.startswith(PREFIX)
    with reading() as db:
        row = db.exec(select(EmployerKey)).one()
        audited = db.exec(select(AuditEntry).where(AuditEntry.action == "make_employer_key")).one()
    assert token not in repr(row.model_dump())
    assert audited.fields == "staff:read,books:check"
    (view,) = employer_keys.keys(owner, now=now)
    assert (view.name, view.hint, view.state) == ("Учёт", token[-4:], KeyState.LIVE)
    assert (view.expires_at, view.used_at) == (now + 90 * DAY, None)


def test_bearer_acts_as_little_as_the_key_was_made_for(now: datetime):
    owner = fresh_owner(now)
    reader = employer_keys.bearer_of(
        employer_keys.make(owner, "Чтение", READ, 30, now=now), now=now
    )
    assert (reader.actor.user_id, reader.actor.organisation_id, reader.actor.post) == (
        owner.user_id,
        owner.organisation_id,
        Post.VIEWER,
    )
    assert reader.permit(KeyScope.STAFF_READ) == reader.actor
    for scope in (KeyScope.STAFF_WRITE, KeyScope.BOOKS_CHECK):
        with pytest.raises(ScopeMissing):
            reader.permit(scope)
    writes = employer_keys.make(owner, "Запись", ["staff:write"], 30, now=now)
    writer = employer_keys.bearer_of(writes, now=now)
    assert (writer.actor.post, writer.actor.factor_at) == (Post.HR, None)
    with pytest.raises(NotPermitted):
        employer_keys.make(writer.actor, "Ещё", READ, 30, now=now)


def test_ended_withdrawn_and_unknown_keys_open_nothing(now: datetime):
    owner = fresh_owner(now)
    token = employer_keys.make(owner, "Учёт", READ, 30, now=now)
    for wrong in ("", "x", PREFIX, token[:-1], token.upper()):
        with pytest.raises(KeyRefused):
            employer_keys.bearer_of(wrong, now=now)
    assert employer_keys.bearer_of(token, now=now + 30 * DAY - timedelta(seconds=1))
    with pytest.raises(KeyEnded):
        employer_keys.bearer_of(token, now=now + 30 * DAY)
    (view,) = employer_keys.keys(owner, now=now)
    with pytest.raises(NotFound):
        employer_keys.revoke(fresh_owner(now), view.id, now=now)
    assert employer_keys.bearer_of(token, now=now)
    employer_keys.revoke(owner, view.id, now=now)
    employer_keys.revoke(owner, view.id, now=now + DAY)
    with pytest.raises(KeyRevoked):
        employer_keys.bearer_of(token, now=now)
    (view,) = employer_keys.keys(owner, now=now)
    assert (view.state, view.revoked_at) == (KeyState.REVOKED, now)
    assert employer_keys.keys(fresh_owner(now), now=now) == ()


@pytest.mark.parametrize("change", ["post", "member", "disabled"])
def test_key_ends_with_its_makers_authority(change: str, now: datetime):
    owner = fresh_owner(now)
    token = employer_keys.make(owner, "Учёт", READ, 30, now=now)
    with unit_of_work() as db:
        member = sa.update(OrganisationMember).where(sa.column("user_id") == owner.user_id)
        if change == "post":
            db.execute(member.values(post=Post.HR))
        elif change == "member":
            db.execute(sa.delete(OrganisationMember).where(sa.column("user_id") == owner.user_id))
        else:
            db.get_one(User, owner.user_id).disabled_at = now
    with pytest.raises(KeyRefused):
        employer_keys.bearer_of(token, now=now)


def test_use_is_noted_once_in_a_while(now: datetime):
    owner = fresh_owner(now)
    token = employer_keys.make(owner, "Учёт", READ, 30, now=now)
    for minutes in (1, 2, 15, 17):
        employer_keys.bearer_of(token, now=now + timedelta(minutes=minutes))
    (view,) = employer_keys.keys(owner, now=now)
    assert view.used_at == now + timedelta(minutes=17)
    with reading() as db:
        uses = db.exec(select(AuditEntry).where(AuditEntry.action == "use_employer_key")).all()
    assert [each.at for each in uses] == [now + timedelta(minutes=m) for m in (1, 17)]


def test_no_more_keys_than_can_be_looked_after(now: datetime):
    owner = fresh_owner(now)
    for number in range(KEYS_AT_ONCE):
        employer_keys.make(owner, f"Программа {number}", READ, 30, now=now)
    with pytest.raises(TooManyKeys):
        employer_keys.make(owner, "Ещё одна", READ, 30, now=now)
    employer_keys.revoke(owner, employer_keys.keys(owner, now=now)[0].id, now=now)
    assert employer_keys.make(owner, "Ещё одна", READ, 30, now=now)
