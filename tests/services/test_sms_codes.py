"""Codes by SMS: to holders with a proved telephone, few, short-lived, good at one place."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pyotp
import pytest
from sqlmodel import delete, select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.people import Challenge, Throttle
from emk_app.domain.accounts import DoorstepExpired, WrongCode
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import TooManyAttempts
from emk_app.domain.factors import LastFactor, SmsNotOffered, Way
from emk_app.services import accounts, jobs, resetting, securing
from emk_app.services.accounts import Step
from tests.services.test_accounts import DOOR, PASSWORD, SECRET, outbox, sign_in, staff
from tests.services.test_resetting import token_in

pytestmark = pytest.mark.usefixtures("world")

PHONE = "+79123456789"
MAIL = "anna@example.ru"
THERE = "e" * 64
MINUTE = timedelta(minutes=1)


def holder(now: datetime, login: str = PHONE, secret: str | None = SECRET) -> int:
    return accounts.create_user(Role.HOLDER, login, PASSWORD, totp_secret=secret, now=now)


def sent(now: datetime, door: str = THERE) -> str:
    accounts.send_code(door, now=now)
    to, text = outbox()[-1]
    assert to == PHONE
    return re.findall(r"\d{6}", text)[0]


def entered(now: datetime, door: str = DOOR) -> Actor:
    sign_in(PHONE, now, door)
    ticket = accounts.confirm_code(door, pyotp.TOTP(SECRET).at(now), now=now)
    cookie = accounts.enter(door, ticket, device="Chrome", now=now)[0]
    return accounts.actor_of(accounts.ref_of(cookie), now=now)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_holder_signs_in_by_a_code_once(now: datetime):
    holder(now)
    sign_in(PHONE, now, THERE)
    offer = accounts.offer_at(THERE, now=now)
    assert offer.ways == (Way.APP, Way.SMS, Way.RECOVERY)
    assert offer.phone and PHONE not in offer.phone
    code = sent(now)
    with reading() as db:
        assert code not in repr(db.exec(select(Challenge)).one().model_dump())
    assert accounts.confirm_code(THERE, f" {code} ", now=now)
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, code, now=now)


def test_code_by_sms_may_be_the_only_factor(now: datetime):
    holder(now, secret=None)
    assert sign_in(PHONE, now, THERE) is Step.ENROL
    assert accounts.offer_at(THERE, now=now).ways == (Way.APP, Way.PASSKEY, Way.SMS)
    shown = accounts.enrolment(THERE, now=now).secret
    ticket = accounts.confirm_code(THERE, sent(now), now=now)
    actor = accounts.actor_of(
        accounts.ref_of(accounts.enter(THERE, ticket, device="Chrome", now=now)[0]), now=now
    )
    assert "кодом из СМС" in outbox()[-1][1]
    later = now + 2 * MINUTE
    assert sign_in(PHONE, later, THERE) is Step.CODE
    with pytest.raises(DoorstepExpired):
        accounts.enrolment(THERE, now=later)
    # The secret that was on the screen meanwhile was never proved.
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, pyotp.TOTP(shown).at(later), now=later)
    with pytest.raises(LastFactor):
        securing.switch_sms(actor, is_on=False, now=later)


def test_newest_code_alone_counts_and_for_five_minutes(now: datetime):
    holder(now)
    sign_in(PHONE, now, THERE)
    first = sent(now)
    second = sent(now + MINUTE)
    if first != second:
        with pytest.raises(WrongCode):
            accounts.confirm_code(THERE, first, now=now + MINUTE)
    late = now + 6 * MINUTE
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, second, now=late)
    assert accounts.confirm_code(THERE, sent(late), now=late)


def test_code_has_five_tries_whatever_the_throttle_lets_through(now: datetime):
    holder(now)
    sign_in(PHONE, now, THERE)
    code = sent(now)
    for _ in range(5):
        with pytest.raises(WrongCode):
            accounts.confirm_code(THERE, wrong(code), now=now)
    with unit_of_work() as db:
        db.exec(delete(Throttle))
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, code, now=now)


def test_code_serves_its_door_its_person_and_its_purpose_alone(now: datetime):
    holder(now)
    actor = entered(now)
    holder(now, MAIL, pyotp.random_base32())
    late = now + 2 * MINUTE
    sign_in(PHONE, late, THERE)
    code = sent(late)
    sign_in(PHONE, late, "f" * 64)
    with pytest.raises(WrongCode):
        accounts.confirm_code("f" * 64, code, now=late)
    with pytest.raises(WrongCode):
        accounts.renew_factor(actor, code, now=late)
    # Somebody with two accounts does not open one by the other's telephone.
    sign_in(MAIL, late, THERE)
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, code, now=late)
    sign_in(PHONE, late, THERE)
    assert accounts.confirm_code(THERE, code, now=late)


def test_code_of_another_telephone_does_not_open_the_account_signed_in_after_it(now: datetime):
    holder(now)
    other = "+79160000001"
    holder(now, other)
    sign_in(PHONE, now, THERE)
    code = sent(now)
    sign_in(other, now, THERE)
    assert Way.SMS in accounts.offer_at(THERE, now=now).ways
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, code, now=now)


def test_code_renews_the_factor_in_its_session(now: datetime):
    holder(now)
    actor = entered(now)
    late = now + 10 * MINUTE
    securing.send_code(actor, now=late)
    code = re.findall(r"\d{6}", outbox()[-1][1])[0]
    sign_in(PHONE, late, THERE)
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, code, now=late)
    accounts.renew_factor(actor, code, now=late)
    with pytest.raises(WrongCode):
        accounts.renew_factor(actor, code, now=late)


def test_codes_are_few_and_pressing_in_vain_costs_none(now: datetime):
    holder(now)
    day = [timedelta(hours=hour, minutes=minute) for hour in (0, 6, 12) for minute in range(4)]
    went: list[int] = []
    for passed in day:
        sign_in(PHONE, now + passed, THERE)
        try:
            accounts.send_code(THERE, now=now + passed)
            went.append(passed // timedelta(hours=1))
            with pytest.raises(TooManyAttempts):
                accounts.send_code(THERE, now=now + passed + timedelta(seconds=59))
        except TooManyAttempts:
            continue
    assert went == [0, 0, 0, 6, 6]


def test_staff_and_those_without_a_telephone_get_none(now: datetime):
    staff(now, PHONE)
    holder(now, MAIL)
    for login in (PHONE, MAIL):
        sign_in(login, now, THERE)
        assert Way.SMS not in accounts.offer_at(THERE, now=now).ways
        with pytest.raises(SmsNotOffered):
            accounts.send_code(THERE, now=now)
    with pytest.raises(DoorstepExpired):
        accounts.send_code("f" * 64, now=now)
    assert outbox() == []


def test_owner_does_without_codes_by_sms(now: datetime):
    holder(now)
    actor = entered(now)
    later = now + MINUTE
    sign_in(PHONE, later, THERE)
    code = sent(later)
    securing.switch_sms(actor, is_on=False, now=later)
    assert "больше не подтверждается" in outbox()[-1][1]
    with pytest.raises(SmsNotOffered):
        accounts.send_code(THERE, now=later)
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, code, now=later)
    securing.switch_sms(actor, is_on=True, now=later)
    assert "можно подтвердить" in outbox()[-1][1]
    assert accounts.offer_at(THERE, now=later).phone


def test_staff_can_not_switch_codes_by_sms_on(now: datetime):
    staff(now, PHONE)
    with pytest.raises(SmsNotOffered):
        securing.switch_sms(entered(now), is_on=True, now=now)


def test_code_proves_nothing_where_the_link_came_to_the_same_telephone(now: datetime):
    holder(now)
    resetting.ask(PHONE, source="10.0.0.1", now=now)
    jobs.run_due({resetting.SEND: resetting.send}, now=now)
    token = token_in(outbox()[-1][1])
    new = "вечерний поезд 17"
    resetting.give_password(THERE, token, new, new, source="10.0.0.1", now=now)
    assert accounts.offer_at(THERE, now=now).ways == (Way.APP, Way.RECOVERY)
    with pytest.raises(SmsNotOffered):
        accounts.send_code(THERE, now=now)
    assert accounts.confirm_code(THERE, pyotp.TOTP(SECRET).at(now), now=now)
