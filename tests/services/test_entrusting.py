"""Accounts in the hands of two administrators: what both agree on is done, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry, OutboxMessage
from emk_app.db.tables.people import User, UserSession
from emk_app.db.tables.staff import StaffOrder
from emk_app.domain import staff as rules
from emk_app.domain.accounts import PEOPLE_SEARCH, ResetLinkOver, WrongCredentials
from emk_app.domain.actors import SYSTEM, Actor, Position, Role
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
    TooManyAttempts,
)
from emk_app.domain.notices import News
from emk_app.domain.orders import OrderAnswer
from emk_app.domain.staff import (
    CONFIRM_WITHIN,
    LoginKnown,
    NoSuchClinic,
    NotAskable,
    NothingAsked,
    OwnAccount,
    SameAdministrator,
    StaffOrderKind,
    StaffOrderPending,
    TooFewAdministrators,
    Typed,
)
from emk_app.services import accounts, barring, delivering, directory, entrusting, jobs, resetting
from emk_app.services.accounts import Step
from tests.factories import make_admin, make_clinic, make_holder, make_operator, make_physician
from tests.services.test_accounts import DOOR, PASSWORD, SECRET, sign_in, signed_in

pytestmark = pytest.mark.usefixtures("world")

WHY = Typed("", reason="Заявка службы безопасности")
NEW = Typed("operator", login="new@example.ru", name="Новикова Ольга Ильинична", reason="Приём")


@pytest.fixture
def asking(now: datetime) -> Actor:
    return fresh(make_admin(now), now)


@pytest.fixture
def other(now: datetime) -> Actor:
    return fresh(make_admin(now, "Лугова Ирина Павловна"), now)


def fresh(actor: Actor, now: datetime) -> Actor:
    return replace(actor, session_id=1, factor_at=now)


def order(actor: Actor, user_id: int, kind: StaffOrderKind, now: datetime, typed: Typed = WHY):
    return entrusting.order(actor, user_id, kind.value, typed, now=now)


def waiting(actor: Actor) -> int:
    [found] = entrusting.waiting(actor)
    return found.id


def user(user_id: int) -> User:
    with reading() as db:
        found = db.get(User, user_id)
        assert found is not None
        return found


def acts() -> list[str]:
    with reading() as db:
        return list(db.exec(select(AuditEntry.action).order_by(col(AuditEntry.id))).all())


def link_of(news: News, now: datetime) -> str:
    """Return the token of the newest link of this kind in the outbox."""
    jobs.run_due({resetting.SEND: resetting.send}, now=now)
    with reading() as db:
        rows = db.exec(select(OutboxMessage).order_by(col(OutboxMessage.id).desc())).all()
    [token, *_] = [notice.code for notice in map(delivering.notice_of, rows) if notice.news is news]
    return token


def test_invited_person_sets_a_password_and_a_factor_and_is_what_two_agreed_on(
    asking: Actor, other: Actor, now: datetime
):
    clinic = make_clinic()
    typed = replace(
        NEW,
        role="clinic",
        clinic=directory.get(clinic).oid,
        position="physician",
        specialties=["therapist", "ent"],
    )
    order_id = entrusting.invite(asking, typed, now=now)
    [seen] = entrusting.waiting(other)
    assert (seen.invited, seen.may_confirm) == (
        rules.Invited("new@example.ru", "Новикова Ольга Ильинична"),
        True,
    )
    with pytest.raises(WrongCredentials):
        sign_in("new@example.ru", now, DOOR)
    entrusting.confirm(other, order_id, now=now)
    token = link_of(News.INVITED, now)
    later = now + timedelta(days=2)
    resetting.give_password(DOOR, token, PASSWORD, PASSWORD, source="10.0.0.1", now=later)
    assert accounts.step_of(DOOR, now=later) is Step.ENROL
    made = entrusting.person(other, entrusting.find(other, "new@example.ru", now=now), now=now)
    assert (made.name, made.appointment.role, made.appointment.position, made.ways) == (
        "Новикова Ольга Ильинична",
        Role.CLINIC,
        Position.PHYSICIAN,
        (),
    )
    assert made.appointment.clinic_id == clinic
    assert made.appointment.specialties == "therapist,ent"
    assert "ask_invite" in acts() and "create_user" in acts()
    # What was typed of the person is no longer kept beside the account.
    with reading() as db:
        assert db.get_one(StaffOrder, order_id).invited_sealed is None


def test_invitation_is_over_after_three_days(asking: Actor, other: Actor, now: datetime):
    entrusting.confirm(other, entrusting.invite(asking, NEW, now=now), now=now)
    token = link_of(News.INVITED, now)
    with pytest.raises(ResetLinkOver):
        resetting.give_password(
            DOOR, token, PASSWORD, PASSWORD, source="a", now=now + timedelta(days=3, seconds=1)
        )


def test_changed_role_ends_the_sessions_and_counts_from_the_next_one(
    asking: Actor, other: Actor, now: datetime
):
    accounts.create_user(Role.OPERATOR, "op@example.ru", PASSWORD, totp_secret=SECRET, now=now)
    cookie = signed_in(now, "op@example.ru")
    user_id = entrusting.find(asking, "op@example.ru", now=now)
    typed = replace(WHY, role="support")
    assert order(asking, user_id, StaffOrderKind.CHANGE, now, typed) == (
        StaffOrderKind.CHANGE,
        False,
    )
    assert accounts.session_of(accounts.ref_of(cookie), now=now) is not None
    assert user(user_id).role is Role.OPERATOR
    entrusting.confirm(other, waiting(other), now=now)
    assert user(user_id).role is Role.SUPPORT
    assert accounts.session_of(accounts.ref_of(cookie), now=now) is None
    assert "change_role" in acts()


def test_stolen_account_is_shut_at_once_and_stays_so_once_confirmed(
    asking: Actor, other: Actor, now: datetime
):
    target = make_operator(now).user_id
    assert order(asking, target, StaffOrderKind.BLOCK, now) == (StaffOrderKind.BLOCK, True)
    assert user(target).disabled_at == now
    entrusting.confirm(other, waiting(other), now=now)
    entrusting.run(0, now + CONFIRM_WITHIN)
    assert user(target).disabled_at == now
    assert order(asking, target, StaffOrderKind.UNBLOCK, now) == (StaffOrderKind.UNBLOCK, False)
    assert user(target).disabled_at == now
    entrusting.confirm(other, waiting(other), now=now)
    assert user(target).disabled_at is None


@pytest.mark.parametrize("by", ["other", "asking", "nobody"])
def test_shut_account_opens_again_where_nobody_else_agrees(
    by: str, asking: Actor, other: Actor, now: datetime
):
    target = make_holder(now).user_id
    order(asking, target, StaffOrderKind.BLOCK, now)
    order_id = waiting(other)
    if by == "nobody":
        entrusting.run(0, now + CONFIRM_WITHIN - timedelta(seconds=1))
        assert user(target).disabled_at == now
        entrusting.run(0, now + CONFIRM_WITHIN)
    else:
        entrusting.decline(other if by == "other" else asking, order_id, now=now)
    assert user(target).disabled_at is None
    answer = {
        "other": OrderAnswer.DECLINED,
        "asking": OrderAnswer.TAKEN_BACK,
        "nobody": OrderAnswer.LAPSED,
    }[by]
    [told] = entrusting.person(asking, target, now=now).history
    assert told.answer is answer
    with pytest.raises(NothingAsked):
        entrusting.confirm(other, order_id, now=now)


def test_administrator_is_shut_only_by_two_and_never_the_last_but_one(
    asking: Actor, other: Actor, now: datetime
):
    with pytest.raises(TooFewAdministrators):
        order(asking, other.user_id, StaffOrderKind.BLOCK, now)
    with pytest.raises(TooFewAdministrators):
        order(asking, other.user_id, StaffOrderKind.CHANGE, now, replace(WHY, role="operator"))
    third = fresh(make_admin(now), now)
    assert order(asking, other.user_id, StaffOrderKind.BLOCK, now)[1] is False
    assert user(other.user_id).disabled_at is None
    order_id = waiting(third)
    with pytest.raises(OwnAccount):
        entrusting.confirm(other, order_id, now=now)
    with pytest.raises(OwnAccount):
        entrusting.decline(other, order_id, now=now)
    entrusting.confirm(third, order_id, now=now)
    assert user(other.user_id).disabled_at == now


def test_count_of_administrators_is_looked_at_again_when_it_is_confirmed(
    asking: Actor, other: Actor, now: datetime
):
    third, fourth = fresh(make_admin(now), now), fresh(make_admin(now), now)
    order(asking, third.user_id, StaffOrderKind.BLOCK, now)
    standing = waiting(third)
    for by, about, agrees in ((fourth, asking, other), (other, fourth, third)):
        order(by, about.user_id, StaffOrderKind.BLOCK, now)
        [asked] = [each for each in entrusting.waiting(agrees) if each.id != standing]
        entrusting.confirm(agrees, asked.id, now=now)
    with pytest.raises(TooFewAdministrators):
        entrusting.confirm(other, standing, now=now)
    assert user(third.user_id).disabled_at is None


def test_lost_factors_go_after_two_have_agreed(asking: Actor, other: Actor, now: datetime):
    target = make_holder(now).user_id
    order(asking, target, StaffOrderKind.TAKE_FACTORS, now)
    assert user(target).totp_sealed is not None
    entrusting.confirm(other, waiting(other), now=now)
    assert user(target).totp_sealed is None
    assert "take_factors" in acts()


def test_nobody_confirms_their_own_wish_nor_decides_about_themselves(
    asking: Actor, other: Actor, now: datetime
):
    target = make_operator(now).user_id
    order(asking, target, StaffOrderKind.TAKE_FACTORS, now)
    with pytest.raises(SameAdministrator):
        entrusting.confirm(asking, waiting(asking), now=now)
    with pytest.raises(StaffOrderPending):
        order(other, target, StaffOrderKind.BLOCK, now)
    for kind in StaffOrderKind:
        with pytest.raises(OwnAccount):
            order(asking, asking.user_id, kind, now, replace(WHY, role="operator"))


def test_each_act_wants_a_fresh_factor_and_an_administrator(
    asking: Actor, other: Actor, now: datetime
):
    target = make_operator(now)
    order(asking, target.user_id, StaffOrderKind.TAKE_FACTORS, now)
    order_id = waiting(other)
    stale = replace(other, factor_at=now - timedelta(minutes=6))
    tried: list[Any] = [
        lambda who: entrusting.invite(who, NEW, now=now),
        lambda who: order(who, target.user_id, StaffOrderKind.BLOCK, now),
        lambda who: entrusting.confirm(who, order_id, now=now),
        lambda who: entrusting.decline(who, order_id, now=now),
        lambda who: entrusting.end_sessions(who, target.user_id, now=now),
    ]
    for act in tried:
        with pytest.raises(FreshFactorNeeded):
            act(stale)
    for role in set(Role) - {Role.ADMIN}:
        stranger = replace(other, role=role)
        for act in (
            *tried,
            lambda who: entrusting.find(who, "op@example.ru", now=now),
            lambda who: entrusting.page_of(who, None, "", 1, now=now),
            entrusting.waiting,
            lambda who: entrusting.person(who, target.user_id, now=now),
            lambda who: entrusting.order_of(who, order_id, now=now),
        ):
            with pytest.raises(NotPermitted):
                act(stranger)
    assert entrusting.waiting(other)[0].answer is None


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        (Typed(""), {"role": Required, "login": Required, "name": Required, "reason": Required}),
        (replace(NEW, role="holder"), {"role": NotAChoice}),
        (replace(NEW, role="system"), {"role": NotAChoice}),
        (replace(NEW, role="clinic"), {"clinic": Required, "position": Required}),
        (
            replace(NEW, role="clinic", clinic="1", position="physician"),
            {"clinic": NoSuchClinic, "specialties": Required},
        ),
        (replace(NEW, role="clinic", clinic="1", position="x"), {"position": NotAChoice}),
    ],
)
def test_invitation_is_refused_by_field(
    typed: Typed, fields: dict[str, type], asking: Actor, now: datetime
):
    with pytest.raises(Invalid) as refused:
        entrusting.invite(asking, typed, now=now)
    found = {name: type(problem) for name, problem in refused.value.fields.items()}
    assert fields.items() <= found.items()


def test_known_address_is_invited_neither_at_first_nor_at_the_end(
    asking: Actor, other: Actor, now: datetime
):
    make_holder(now, "taken@example.ru")
    with pytest.raises(Invalid) as refused:
        entrusting.invite(asking, replace(NEW, login="taken@example.ru"), now=now)
    assert isinstance(refused.value.fields["login"], LoginKnown)
    order_id = entrusting.invite(asking, NEW, now=now)
    with pytest.raises(StaffOrderPending):
        entrusting.invite(other, NEW, now=now)
    make_holder(now, NEW.login)
    with pytest.raises(Invalid):
        entrusting.confirm(other, order_id, now=now)
    assert entrusting.waiting(other)[0].answer is None


def test_what_an_account_is_already_cannot_be_asked_for(asking: Actor, now: datetime):
    operator, holder = make_operator(now).user_id, make_holder(now).user_id
    with pytest.raises(NotAskable):
        order(asking, operator, StaffOrderKind.UNBLOCK, now)
    with pytest.raises(NotAskable):
        order(asking, operator, StaffOrderKind.CHANGE, now, replace(WHY, role="operator"))
    with pytest.raises(NotAskable):
        order(asking, operator, StaffOrderKind.INVITE, now)
    with pytest.raises(NotAskable):
        entrusting.order(asking, operator, "x", WHY, now=now)
    # Who holds a book does not become staff: they get an account of their own.
    with pytest.raises(NotAskable):
        order(asking, holder, StaffOrderKind.CHANGE, now, replace(WHY, role="admin"))
    with pytest.raises(NotFound):
        order(asking, 10**6, StaffOrderKind.BLOCK, now)


def test_people_are_found_by_login_or_number_and_each_search_is_noted(asking: Actor, now: datetime):
    holder = make_holder(now, "+79125550177").user_id
    for text in ("8 (912) 555-01-77", str(holder), f"№ {holder}"):
        assert entrusting.find(asking, text, now=now) == holder
    with pytest.raises(NotFound):
        entrusting.find(asking, "nobody@example.ru", now=now)
    with pytest.raises(Invalid):
        entrusting.find(asking, "кто-то", now=now)
    assert acts().count("find_person") == 4
    seen = entrusting.person(asking, holder, now=now)
    # Of a holder an administrator sees how the account stands, not who it is.
    assert seen.name == ""
    assert all("555" not in text for text in (*seen.logins, *seen.contacts))
    with pytest.raises(TooManyAttempts):
        for _ in range(PEOPLE_SEARCH.tries):
            entrusting.find(asking, str(holder), now=now)


def test_staff_are_listed_by_role_and_by_clinic(asking: Actor, now: datetime):
    clinic = make_clinic()
    physician = make_physician(clinic, now).user_id
    operator = make_operator(now).user_id
    make_holder(now)
    oid = directory.get(clinic).oid
    everybody = entrusting.page_of(asking, None, "", 1, now=now)
    assert {line.id for line in everybody.lines} == {physician, operator, asking.user_id}
    [line] = entrusting.page_of(asking, Role.CLINIC, oid, 99, now=now).lines
    assert (line.id, line.position, line.is_blocked) == (physician, Position.PHYSICIAN, False)
    assert entrusting.page_of(asking, Role.OPERATOR, oid, 1, now=now).found == 0
    with pytest.raises(Invalid):
        entrusting.page_of(asking, None, "1.2.3", 1, now=now)


def test_sessions_are_ended_by_one_at_once(asking: Actor, now: datetime):
    login = "op2@example.ru"
    accounts.create_user(Role.OPERATOR, login, PASSWORD, totp_secret=SECRET, now=now)
    cookie = signed_in(now, login)
    user_id = entrusting.find(asking, login, now=now)
    assert entrusting.person(asking, user_id, now=now).sessions == 1
    assert entrusting.end_sessions(asking, user_id, now=now) == 1
    assert accounts.session_of(accounts.ref_of(cookie), now=now) is None
    with reading() as db:
        assert db.exec(select(UserSession.revoked_at)).all() == [now]


def test_reason_and_invited_person_are_sealed(asking: Actor, now: datetime):
    entrusting.invite(asking, NEW, now=now)
    with reading() as db:
        row = db.exec(select(StaffOrder)).one()
    for blob in (row.reason_sealed, row.invited_sealed or b""):
        assert "Приём".encode() not in blob and b"new@example.ru" not in blob
    assert vault.service_open(row.reason_sealed, *entrusting.REASON, row.ref) == "Приём"


def test_barred_from_the_command_line_is_seen_on_the_screen(asking: Actor, now: datetime):
    login = "op3@example.ru"
    accounts.create_user(Role.OPERATOR, login, PASSWORD, totp_secret=SECRET, now=now)
    barring.bar(SYSTEM, login, now=now)
    seen = entrusting.person(asking, entrusting.find(asking, login, now=now), now=now)
    assert (seen.blocked_at, seen.may) == (now, (StaffOrderKind.UNBLOCK,))
