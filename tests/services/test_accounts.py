"""Registering, signing in, the second factor, sessions."""

from __future__ import annotations

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from pyotp.totp import TOTP
from sqlmodel import col, select

from emk_app import attempts
from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.tables.journal import OutboxMessage
from emk_app.db.tables.people import Browser, Login, Throttle, User
from emk_app.domain import accounts as rules
from emk_app.domain.accounts import (
    LONGEST_WINDOW,
    MESSAGES_TO_ALL,
    SIGN_IN_EVERYBODY,
    DoorstepExpired,
    PasswordsDiffer,
    PasswordTooCommon,
    PasswordTooShort,
    Rule,
    WrongCode,
    WrongContactCode,
    WrongCredentials,
)
from emk_app.domain.actors import Role, permit_fresh
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotPermitted,
    NotSignedIn,
    TooManyAttempts,
)
from emk_app.presenting.notices import message
from emk_app.services import accounts, auditing, delivering, throttling
from emk_app.services.accounts import Step
from tests.factories import unguarded

pytestmark = pytest.mark.usefixtures("world")

PASSWORD = "лесная тропа 42"
DOOR = "d" * 64
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def outbox() -> list[tuple[str, str]]:
    """Return what waits to leave, as (recipient, text)."""
    with reading() as db:
        return [
            (
                vault.service_open(row.recipient_sealed, "outbox", "recipient", row.dedupe),
                message(delivering.notice_of(row), row.channel).text,
            )
            for row in db.exec(select(OutboxMessage).order_by(col(OutboxMessage.id))).all()
        ]


def register(login: str, now: datetime, *, contact: str = "", door: str = DOOR) -> None:
    accounts.register(door, login, contact, PASSWORD, PASSWORD, source="10.0.0.1", now=now)


def code_sent() -> str:
    return re.findall(r"\d{6}", outbox()[-1][1])[0]


def sign_in(login: str, now: datetime, door: str = DOOR) -> Step:
    return accounts.begin_sign_in(door, login, PASSWORD, source="10.0.0.1", now=now)


def staff(now: datetime, login: str = "operator@example.ru") -> int:
    return accounts.create_user(Role.OPERATOR, login, PASSWORD, totp_secret=SECRET, now=now)


def signed_in(now: datetime, login: str = "operator@example.ru", door: str = DOOR) -> str:
    sign_in(login, now, door)
    ticket = accounts.confirm_code(door, TOTP(SECRET).at(now), now=now)
    return accounts.enter(door, ticket, device="Chrome", now=now)[0]


def test_short_common_and_differing_passwords_are_refused_beside_their_fields(now: datetime):
    for password, repeated, field, kind in [
        ("короткий", "короткий", "password", PasswordTooShort),
        ("qwerty123456", "qwerty123456", "password", PasswordTooCommon),
        (PASSWORD, PASSWORD + "!", "repeated", PasswordsDiffer),
    ]:
        with pytest.raises(Invalid) as refused:
            accounts.register(
                DOOR, "a@example.ru", "", password, repeated, source="10.0.0.1", now=now
            )
        assert isinstance(refused.value.fields[field], kind)


def test_login_by_inn_needs_a_contact(now: datetime):
    with pytest.raises(Invalid) as refused:
        register("500100732259", now)
    assert set(refused.value.fields) == {"contact"}


@pytest.mark.parametrize(
    ("login", "contact"),
    [("+7 912 345-67-89", ""), ("anna@example.ru", ""), ("500100732259", "anna@example.ru")],
)
def test_holder_registers_enrols_and_signs_in(now: datetime, login: str, contact: str):
    register(login, now, contact=contact)
    assert accounts.step_of(DOOR, now=now) is Step.CONTACT
    accounts.confirm_contact(DOOR, code_sent(), now=now)
    assert accounts.step_of(DOOR, now=now) is Step.ENROL
    secret = accounts.enrolment(DOOR, now=now).secret
    ticket = accounts.confirm_code(DOOR, TOTP(secret).at(now), now=now)
    cookie, role = accounts.enter(DOOR, ticket, device="Chrome, Windows", now=now)
    assert role is Role.HOLDER
    actor = accounts.actor_of(accounts.ref_of(cookie), now=now)
    assert actor.role is Role.HOLDER
    later = now + timedelta(minutes=2)
    assert sign_in(login, later) is Step.CODE


def test_nothing_personal_stands_in_clear(now: datetime):
    register("anna@example.ru", now)
    accounts.confirm_contact(DOOR, code_sent(), now=now)
    with reading() as db:
        rows = [*db.exec(select(User)).all(), *db.exec(select(Login)).all()]
        rows += list(db.exec(select(OutboxMessage)).all())
    assert "anna" not in "".join(repr(row.model_dump()) for row in rows)


def test_taken_login_looks_the_same_and_its_owner_is_told(now: datetime):
    register("anna@example.ru", now)
    accounts.confirm_contact(DOOR, code_sent(), now=now)
    register("anna@example.ru", now + timedelta(minutes=1), door="e" * 64)
    assert accounts.step_of("e" * 64, now=now) is Step.CONTACT
    recipient, text = outbox()[-1]
    assert recipient == "anna@example.ru"
    assert not re.search(r"\d{6}", text)
    with pytest.raises(WrongCode):
        accounts.confirm_contact("e" * 64, "000000", now=now)


def test_contact_code_has_five_tries(now: datetime):
    register("anna@example.ru", now)
    right = code_sent()
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        with pytest.raises(WrongCode):
            accounts.confirm_contact(DOOR, wrong, now=now)
    with pytest.raises(WrongCode):
        accounts.confirm_contact(DOOR, right, now=now)


def test_code_sent_again_replaces_the_one_before(now: datetime):
    register("anna@example.ru", now)
    before = code_sent()
    accounts.resend_contact_code(DOOR, now=now + timedelta(minutes=6))
    after = code_sent()
    if before != after:
        with pytest.raises(WrongContactCode):
            accounts.confirm_contact(DOOR, before, now=now + timedelta(minutes=6))
    accounts.confirm_contact(DOOR, after, now=now + timedelta(minutes=6))


def test_taken_login_gets_no_code_a_second_time_either(now: datetime):
    register("anna@example.ru", now)
    accounts.confirm_contact(DOOR, code_sent(), now=now)
    register("anna@example.ru", now + timedelta(minutes=1), door="e" * 64)
    sent = len(outbox())
    accounts.resend_contact_code("e" * 64, now=now + timedelta(minutes=2))
    assert len(outbox()) == sent


def test_messages_to_one_contact_are_few(now: datetime):
    """One a minute, three an hour, five a day."""
    register("anna@example.ru", now)
    with pytest.raises(TooManyAttempts):
        accounts.resend_contact_code(DOOR, now=now + timedelta(seconds=59))
    accounts.resend_contact_code(DOOR, now=now + timedelta(minutes=1))
    sent = [now, now + timedelta(minutes=1)]
    for seconds in (*range(80, 2 * 3600, 20), *range(2 * 3600, 6 * 3600, 180)):
        at = now + timedelta(seconds=seconds)
        with contextlib.suppress(TooManyAttempts):
            throttling.spend_messages("anna@example.ru", now=at)
            sent.append(at)
    assert len(sent) == 5
    assert min(later - earlier for earlier, later in pairwise(sent)) >= timedelta(minutes=1)
    assert max(sum(timedelta(0) <= b - a < timedelta(hours=1) for b in sent) for a in sent) == 3
    throttling.spend_messages("anna@example.ru", now=now + timedelta(days=1))


def test_messages_to_all_contacts_together_have_an_end(now: datetime):
    rule = replace(MESSAGES_TO_ALL, tries=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(throttling, "MESSAGES_TO_ALL", rule)
        for number in range(3):
            register(f"x{number}@example.ru", now)
        with pytest.raises(TooManyAttempts):
            register("x3@example.ru", now)
        register("x3@example.ru", now + rule.window)


def test_wrong_passwords_from_everywhere_together_have_an_end(now: datetime):
    staff(now)
    rule = replace(SIGN_IN_EVERYBODY, tries=3)

    def wrong(number: int) -> None:
        source = f"10.0.0.{number}"
        accounts.begin_sign_in(DOOR, f"x{number}@example.ru", PASSWORD, source=source, now=now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "SIGN_IN_EVERYBODY", rule)
        for _ in range(5):
            assert sign_in("operator@example.ru", now) is Step.CODE
        for number in range(3):
            with pytest.raises(WrongCredentials):
                wrong(number)
        with pytest.raises(TooManyAttempts):
            wrong(4)
        with pytest.raises(TooManyAttempts):
            sign_in("operator@example.ru", now)
        assert sign_in("operator@example.ru", now + rule.window) is Step.CODE


def test_wrong_codes_are_few_in_minutes_in_an_hour_and_in_a_day(now: datetime):
    staff(now)
    actor = accounts.actor_of(accounts.ref_of(signed_in(now)), now=now)
    at, tried = now, list[datetime]()
    while at < now + timedelta(hours=3):
        at += timedelta(seconds=50)
        try:
            accounts.renew_factor(actor, "123456", now=at)
        except WrongCode:
            tried.append(at)
        except TooManyAttempts:
            continue
    for window, most in [(timedelta(minutes=5), 5), (timedelta(hours=1), 20)]:
        begun = tried[0]
        assert sum(begun <= each < begun + window for each in tried) == most
    assert len(tried) == 50


def test_right_codes_are_not_counted_however_many(now: datetime):
    staff(now)
    actor = accounts.actor_of(accounts.ref_of(signed_in(now)), now=now)
    for minute in range(1, 60):
        at = now + timedelta(minutes=minute)
        accounts.renew_factor(actor, TOTP(SECRET).at(at), now=at)


def test_what_is_refused_is_counted_nowhere(now: datetime):
    quota = Rule(tries=1, window=timedelta(minutes=1), is_quota=True)
    wide = Rule(tries=2, window=timedelta(hours=1), is_quota=True)
    throttling.spend(("a", quota), ("b", wide), now=now)
    for _ in range(5):
        with pytest.raises(TooManyAttempts):
            throttling.spend(("a", quota), ("b", wide), now=now)
    throttling.spend(("a", quota), ("b", wide), now=now + timedelta(minutes=1))


def test_owner_of_a_taken_login_is_not_flooded_by_way_of_other_contacts(now: datetime):
    register("500100732259", now, contact="anna@example.ru")
    accounts.confirm_contact(DOOR, code_sent(), now=now)
    with pytest.raises(TooManyAttempts):
        for number in range(10):
            contact = f"x{number}@example.ru"
            register("500100732259", now + timedelta(hours=number), contact=contact, door="e" * 64)


def test_contact_code_does_not_open_another_browser(now: datetime):
    register("anna@example.ru", now)
    right = code_sent()
    register("boris@example.ru", now, door="e" * 64)
    with pytest.raises(WrongCode):
        accounts.confirm_contact("e" * 64, right, now=now)


def test_unknown_login_and_wrong_password_are_refused_alike(now: datetime):
    staff(now)
    for login, password in [
        ("nobody@example.ru", PASSWORD),
        ("operator@example.ru", "неверный пароль"),
        ("что-то странное", PASSWORD),
    ]:
        with pytest.raises(WrongCredentials):
            accounts.begin_sign_in(DOOR, login, password, source="10.0.0.1", now=now)


def test_sixth_wrong_password_waits_and_the_right_one_too(now: datetime):
    staff(now)
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            accounts.begin_sign_in(
                DOOR, "operator@example.ru", "неверный пароль", source="10.0.0.1", now=now
            )
    with pytest.raises(TooManyAttempts) as refused:
        sign_in("operator@example.ru", now)
    assert sign_in("operator@example.ru", refused.value.until + timedelta(seconds=1)) is Step.CODE


def test_totp_code_opens_once(now: datetime):
    staff(now)
    code = TOTP(SECRET).at(now)
    sign_in("operator@example.ru", now)
    accounts.confirm_code(DOOR, code, now=now)
    sign_in("operator@example.ru", now, "e" * 64)
    with pytest.raises(WrongCode):
        accounts.confirm_code("e" * 64, code, now=now)


def test_second_factor_is_throttled(now: datetime):
    staff(now)
    sign_in("operator@example.ru", now)
    for _ in range(5):
        with pytest.raises(WrongCode):
            accounts.confirm_code(DOOR, "123456", now=now)
    with pytest.raises(TooManyAttempts):
        accounts.confirm_code(DOOR, TOTP(SECRET).at(now), now=now)


def test_tries_at_a_shut_door_are_noted_without_a_name(
    now: datetime, caplog: pytest.LogCaptureFixture
):
    attempts.lines.forget()
    staff(now)
    sign_in("operator@example.ru", now)
    for _ in range(8):
        with pytest.raises((WrongCode, TooManyAttempts)):
            accounts.confirm_code(DOOR, "123456", now=now)
    noted = [line for line in caplog.messages if line.startswith("attempt shut_door by ")]
    assert len(noted) == 1 and "operator" not in noted[0]


def test_door_that_a_clock_ahead_has_shut_opens_with_its_return(now: datetime):
    """While the clock is an hour ahead no code fits, and the door shuts; then all is as before."""
    staff(now)
    ahead, code = now + timedelta(hours=1), TOTP(SECRET).at(now)
    sign_in("operator@example.ru", ahead)
    for _ in range(5):
        with pytest.raises(WrongCode):
            accounts.confirm_code(DOOR, code, now=ahead)
    with pytest.raises(TooManyAttempts):
        accounts.confirm_code(DOOR, code, now=ahead)
    accounts.confirm_code(DOOR, code, now=now)


def test_tries_under_a_clock_that_was_ahead_stay_counted(now: datetime):
    rule = Rule(tries=2, window=timedelta(minutes=15))
    for moment in (now + timedelta(hours=1), now):
        throttling.spend(("key", rule), now=moment)
    with pytest.raises(TooManyAttempts):
        throttling.spend(("key", rule), now=now)
    with pytest.raises(TooManyAttempts):
        throttling.check(("key", rule), now=now)


def test_clock_that_was_ahead_leaves_nobody_signed_in_or_proved_for_longer(now: datetime):
    staff(now)
    entered = accounts.ref_of(signed_in(now + timedelta(hours=1)))
    with pytest.raises(FreshFactorNeeded):
        permit_fresh(accounts.actor_of(entered, now=now), now)
    session = accounts.session_of(entered, now=now)
    assert session is not None
    accounts.notice_presence(session, now=now)
    seen = accounts.session_of(entered, now=now)
    assert seen is not None and seen.last_seen_at == now


def test_second_factor_without_password_is_nothing(now: datetime):
    staff(now)
    with pytest.raises(DoorstepExpired):
        accounts.confirm_code(DOOR, TOTP(SECRET).at(now), now=now)


def test_secret_shown_to_somebody_else_is_not_the_one_that_is_proved(now: datetime):
    accounts.create_user(Role.OPERATOR, "new@example.ru", PASSWORD, now=now)
    other = "e" * 64
    sign_in("new@example.ru", now, other)
    seen = accounts.enrolment(other, now=now).secret
    assert accounts.enrolment(other, now=now).secret == seen
    sign_in("new@example.ru", now)
    assert accounts.enrolment(DOOR, now=now).secret != seen
    with pytest.raises(DoorstepExpired):
        accounts.enrolment(other, now=now)


def test_enrolled_secret_is_never_shown_again(now: datetime):
    staff(now)
    sign_in("operator@example.ru", now)
    with pytest.raises(DoorstepExpired):
        accounts.enrolment(DOOR, now=now)


def test_ticket_works_once_in_its_browser_for_thirty_seconds(now: datetime):
    staff(now)
    sign_in("operator@example.ru", now)
    ticket = accounts.confirm_code(DOOR, TOTP(SECRET).at(now), now=now)
    with pytest.raises(NotSignedIn):
        accounts.enter("e" * 64, ticket, device="", now=now)
    with pytest.raises(NotSignedIn):
        accounts.enter(DOOR, ticket, device="", now=now + timedelta(seconds=30))
    accounts.enter(DOOR, ticket, device="", now=now)
    with pytest.raises(NotSignedIn):
        accounts.enter(DOOR, ticket, device="", now=now)


def test_session_ends_by_idleness_by_age_and_by_leaving(now: datetime):
    staff(now)
    ref = accounts.ref_of(signed_in(now))
    assert accounts.session_of(ref, now=now + timedelta(minutes=14)) is not None
    assert accounts.session_of(ref, now=now + timedelta(minutes=15)) is None
    moment = now
    for _ in range(80):
        moment += timedelta(minutes=10)
        session = accounts.session_of(ref, now=moment)
        if session is not None:
            accounts.notice_presence(session, now=moment)
    assert accounts.session_of(ref, now=now + timedelta(hours=12)) is None
    accounts.leave(ref, now=now)
    with pytest.raises(NotSignedIn):
        accounts.actor_of(ref, now=now)
    assert accounts.was_session(ref)


def test_first_tries_at_once_are_all_counted(now: datetime):
    rule = Rule(tries=8, window=timedelta(minutes=1))
    with ThreadPoolExecutor(8) as pool:
        for spent in [pool.submit(throttling.spend, ("door", rule), now=now) for _ in range(8)]:
            spent.result()
    with pytest.raises(TooManyAttempts):
        throttling.spend(("door", rule), now=now)


def test_counts_that_shut_no_door_are_forgotten(now: datetime):
    throttling.spend(("door", Rule(tries=1, window=timedelta(minutes=1))), now=now)
    throttling.sweep(now=now)
    with reading() as db:
        assert db.exec(select(Throttle)).all()
    throttling.sweep(now=now + LONGEST_WINDOW)
    with reading() as db:
        assert not db.exec(select(Throttle)).all()


def test_thirty_writers_at_once_wait_for_each_other_and_lose_nothing(now: datetime):
    rule = Rule(tries=1000, window=timedelta(minutes=1))

    def write_and_read() -> None:
        for _ in range(10):
            throttling.spend(("door", rule), now=now)
            assert accounts.session_of("none", now=now) is None

    with ThreadPoolExecutor(30) as pool:
        for written in [pool.submit(write_and_read) for _ in range(30)]:
            written.result()
    with reading() as db:
        assert db.exec(select(Throttle.failures)).one() == 300


def test_audit_chain_holds_and_names_the_first_broken_entry(now: datetime):
    staff(now)
    signed_in(now)
    from emk_app.db.engine import unit_of_work
    from emk_app.db.tables.journal import AuditEntry

    with reading() as db:
        assert auditing.first_broken(db) is None
    with unit_of_work() as db, unguarded(db, "audit_entries"):
        entry = db.exec(select(AuditEntry).where(AuditEntry.action == "sign_in")).one()
        entry.action = "sign_out"
        db.add(entry)
        broken = entry.id
        db.flush()
    with reading() as db:
        assert auditing.first_broken(db) == broken


def entered_by(browser: str, now: datetime, door: str = DOOR) -> None:
    sign_in("operator@example.ru", now, door)
    ticket = accounts.confirm_code(door, TOTP(SECRET).at(now), now=now)
    accounts.enter(
        door, ticket, device="Chrome, Windows", browser=browser, origin="адрес 203.0.*.*", now=now
    )


def test_new_browser_is_told_once_and_the_first_one_is_not(now: datetime):
    staff(now)

    def told() -> list[str]:
        return [text for _, text in outbox() if "нового устройства" in text]

    entered_by("a" * 43, now)
    entered_by("a" * 43, now + timedelta(minutes=1))
    assert told() == []
    entered_by("b" * 43, now + timedelta(minutes=2))
    [text] = told()
    assert "Chrome, Windows, адрес 203.0.*.*" in text and "завершите" in text
    entered_by("b" * 43, now + timedelta(minutes=3))
    entered_by("a" * 43, now + timedelta(minutes=4))
    assert len(told()) == 1


def test_browser_stands_hashed_and_is_forgotten_in_the_end(now: datetime):
    staff(now)
    entered_by("a" * 43, now)
    with reading() as db:
        [row] = db.exec(select(Browser)).all()
    assert "aaaa" not in row.ref
    accounts.sweep(now=now + timedelta(days=400))
    with reading() as db:
        assert not db.exec(select(Browser)).all()


def test_employer_registers_with_an_address_and_is_nobody_else(now: datetime):
    given = ("", PASSWORD, PASSWORD)
    with pytest.raises(Invalid) as refused:
        accounts.register(
            DOOR, "+7 912 345-67-89", *given, role=Role.EMPLOYER, source="10.0.0.1", now=now
        )
    assert set(refused.value.fields) == {"login"}
    accounts.register(DOOR, "hr@example.ru", *given, role=Role.EMPLOYER, source="10.0.0.1", now=now)
    accounts.confirm_contact(DOOR, code_sent(), now=now)
    secret = accounts.enrolment(DOOR, now=now).secret
    ticket = accounts.confirm_code(DOOR, TOTP(secret).at(now), now=now)
    _, role = accounts.enter(DOOR, ticket, device="Chrome, Windows", now=now)
    assert role is Role.EMPLOYER


@pytest.mark.parametrize("role", [role for role in Role if role not in accounts.SELF_MADE])
def test_nobody_registers_in_a_role_that_is_given(role: Role, now: datetime):
    with pytest.raises(NotPermitted):
        accounts.register(
            DOOR, "a@example.ru", "", PASSWORD, PASSWORD, role=role, source="10.0.0.1", now=now
        )
