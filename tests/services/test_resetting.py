"""A forgotten password: who gets a link, what it opens, and what a stranger learns."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pyotp.totp import TOTP
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import Job
from emk_app.db.tables.people import PasswordReset, User
from emk_app.domain.accounts import (
    DoorstepExpired,
    PasswordsDiffer,
    PasswordTooShort,
    ResetLinkOver,
    WrongCode,
    WrongCredentials,
)
from emk_app.domain.actors import Role
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotFound,
    NotPermitted,
    NotSignedIn,
    TooManyAttempts,
)
from emk_app.services import accounts, jobs, resetting, securing
from emk_app.services.accounts import Step
from tests.factories import make_admin, make_holder, make_operator
from tests.services.test_accounts import DOOR, PASSWORD, SECRET, outbox, sign_in, signed_in

LOGIN = "anna@example.ru"
NEW = "вечерний поезд 17"
OTHER = "e" * 64


@pytest.fixture(autouse=True)
def holder(world: None, now: datetime) -> int:
    """Return somebody who forgets the password."""
    return make_holder(now, LOGIN).user_id


def work(now: datetime) -> None:
    """Do the jobs that send links."""
    jobs.run_due({resetting.SEND: resetting.send}, now=now)


def asked(now: datetime, login: str = LOGIN) -> str:
    """Ask for a link; return the token of the one that was sent."""
    resetting.ask(login, source="10.0.0.1", now=now)
    work(now)
    return token_in(outbox()[-1][1])


def token_in(text: str) -> str:
    return re.findall(r"/recover/new#([\w-]{43})", text)[0]


def give(token: str, now: datetime, *, door: str = DOOR, password: str = NEW) -> None:
    resetting.give_password(door, token, password, password, source="10.0.0.1", now=now)


def test_new_password_waits_for_the_second_factor_and_ends_every_session(now: datetime):
    old = signed_in(now, LOGIN, OTHER)
    later = now + timedelta(minutes=1)
    give(asked(later), later)
    assert accounts.step_of(DOOR, now=later) is Step.CODE and resetting.waits(DOOR, now=later)
    # Until the second factor is given, nothing has changed.
    accounts.actor_of(accounts.ref_of(old), now=later)
    assert sign_in(LOGIN, later, "f" * 64) is Step.CODE
    with pytest.raises(WrongCode):
        accounts.confirm_code(DOOR, "123456", now=later)
    ticket = accounts.confirm_code(DOOR, TOTP(SECRET).at(later), now=later)
    cookie, _ = accounts.enter(DOOR, ticket, device="Chrome", now=later)
    accounts.actor_of(accounts.ref_of(cookie), now=later)
    with pytest.raises(NotSignedIn):
        accounts.actor_of(accounts.ref_of(old), now=later)
    with pytest.raises(WrongCredentials):
        sign_in(LOGIN, later)
    accounts.begin_sign_in(DOOR, LOGIN, NEW, source="10.0.0.1", now=later)
    assert outbox()[-1][0] == LOGIN and "Пароль заменён" in outbox()[-1][1]


def test_link_opens_once_and_for_a_quarter_of_an_hour(now: datetime):
    token = asked(now)
    with pytest.raises(ResetLinkOver):
        give(token, now + timedelta(minutes=15))
    give(token, now + timedelta(minutes=14))
    with pytest.raises(ResetLinkOver):
        give(token, now + timedelta(minutes=14), door=OTHER)
    for made_up in ("", "x" * 43):
        with pytest.raises(ResetLinkOver):
            give(made_up, now)


def test_link_is_kept_while_the_password_is_unfit(now: datetime):
    token = asked(now)
    for password, repeated, field, kind in [
        ("короткий", "короткий", "password", PasswordTooShort),
        (NEW, NEW + "!", "repeated", PasswordsDiffer),
    ]:
        with pytest.raises(Invalid) as refused:
            resetting.give_password(DOOR, token, password, repeated, source="10.0.0.1", now=now)
        assert isinstance(refused.value.fields[field], kind)
    assert accounts.step_of(DOOR, now=now) is None
    give(token, now)


def test_known_and_unknown_login_leave_the_same_trace_and_only_the_job_knows(now: datetime):
    traces = []
    for login in (LOGIN, "nobody@example.ru", "+79160000001", "500100732259"):
        resetting.ask(login, source="10.0.0.1", now=now)
        with reading() as db:
            row = db.exec(select(PasswordReset).order_by(PasswordReset.id.desc())).first()  # pyright: ignore
            job = db.exec(select(Job).order_by(Job.id.desc())).first()  # pyright: ignore
        assert row is not None and job is not None and row.login_sealed is not None
        traces.append((row.user_id, row.token_hash, row.expires_at, job.kind, job.due_at))
    assert len(set(traces)) == 1 and outbox() == []
    work(now)
    assert [recipient for recipient, _ in outbox()] == [LOGIN]
    with reading() as db:
        assert [row.user_id is not None for row in db.exec(select(PasswordReset))] == [True]


def test_typed_login_must_be_one(now: datetime):
    with pytest.raises(Invalid) as refused:
        resetting.ask("что-то", source="10.0.0.1", now=now)
    assert set(refused.value.fields) == {"login"}


def test_link_goes_to_nobody_who_is_disabled(now: datetime, holder: int):
    token = asked(now)
    disable(holder, now)
    with pytest.raises(ResetLinkOver):
        give(token, now)
    sent = len(outbox())
    resetting.ask(LOGIN, source="10.0.0.1", now=now + timedelta(minutes=2))
    work(now + timedelta(minutes=2))
    assert len(outbox()) == sent


def disable(user_id: int, now: datetime) -> None:
    with unit_of_work() as db:
        user = db.get(User, user_id)
        assert user is not None
        user.disabled_at = now
        db.add(user)


@pytest.mark.parametrize("login", [LOGIN, "nobody@example.ru"])
def test_links_are_few_whoever_is_asked_for(now: datetime, login: str):
    resetting.ask(login, source="10.0.0.1", now=now)
    with pytest.raises(TooManyAttempts):
        resetting.ask(login, source="10.0.0.2", now=now + timedelta(seconds=59))
    for minute in (1, 2):
        resetting.ask(login, source="10.0.0.2", now=now + timedelta(minutes=minute))
    with pytest.raises(TooManyAttempts):
        resetting.ask(login, source="10.0.0.3", now=now + timedelta(minutes=59))


def test_one_address_asks_for_few_links(now: datetime):
    for number in range(20):
        resetting.ask(f"x{number}@example.ru", source="10.0.0.1", now=now)
    with pytest.raises(TooManyAttempts):
        for number in range(20, 22):
            resetting.ask(f"x{number}@example.ru", source="10.0.0.1", now=now)
    resetting.ask(LOGIN, source="10.0.0.2", now=now)


def test_password_changed_inside_shuts_links_and_waiting_passwords(now: datetime):
    actor = accounts.actor_of(accounts.ref_of(signed_in(now, LOGIN)), now=now)
    later = now + timedelta(minutes=1)
    first = asked(later)
    give(asked(later + timedelta(minutes=1)), later + timedelta(minutes=1), door=OTHER)
    securing.change_password(actor, PASSWORD, "утренний паром 9", "утренний паром 9", now=later)
    with pytest.raises(ResetLinkOver):
        give(first, later)
    with pytest.raises(DoorstepExpired):
        accounts.confirm_code(OTHER, TOTP(SECRET).at(later), now=later)


def test_second_factor_that_was_never_proved_is_begun_anew(now: datetime, holder: int):
    with unit_of_work() as db:
        user = db.get(User, holder)
        assert user is not None
        user.totp_confirmed_at = None
        db.add(user)
    give(asked(now), now)
    assert accounts.step_of(DOOR, now=now) is Step.ENROL
    assert accounts.enrolment(DOOR, now=now).secret != SECRET


def test_nothing_of_a_link_stands_in_clear(now: datetime):
    resetting.ask(LOGIN, source="10.0.0.1", now=now)
    with reading() as db:
        before = repr([row.model_dump() for row in db.exec(select(PasswordReset)).all()])
    work(now)
    token = token_in(outbox()[-1][1])
    with reading() as db:
        after = repr([row.model_dump() for row in db.exec(select(PasswordReset)).all()])
    assert "anna" not in before and token not in after


def test_job_that_is_done_twice_sends_one_link(now: datetime):
    asked(now)
    with reading() as db:
        [row] = db.exec(select(PasswordReset)).all()
    resetting.send(row.id, now)
    assert len(outbox()) == 1


def test_support_begins_a_reset_and_never_sees_it(now: datetime, holder: int):
    admin = replace(make_admin(now), session_id=1, factor_at=now)
    support = replace(admin, role=Role.SUPPORT)
    assert resetting.begin_for(support, holder, now=now) is None
    work(now)
    assert outbox()[-1][0] == LOGIN
    with pytest.raises(FreshFactorNeeded):
        resetting.begin_for(admin, holder, now=now + timedelta(minutes=6))
    with pytest.raises(NotFound):
        resetting.begin_for(admin, 999_999, now=now)
    operator = replace(make_operator(now), session_id=1, factor_at=now)
    with pytest.raises(NotPermitted):
        resetting.begin_for(operator, holder, now=now)


def test_links_that_open_nothing_are_forgotten(now: datetime):
    asked(now)
    resetting.sweep(now=now + timedelta(minutes=14))
    with reading() as db:
        assert db.exec(select(PasswordReset)).all()
    resetting.sweep(now=now + timedelta(minutes=15))
    with reading() as db:
        assert not db.exec(select(PasswordReset)).all()
