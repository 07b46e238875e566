"""Where a person is reached: a new contact is proved, the old ones are told, logins follow."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, delete, select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.people import ContactChange, Login, PasswordReset, User
from emk_app.domain.accounts import (
    ContactTaken,
    LastContact,
    SameContact,
    WrongContactCode,
    WrongCredentials,
)
from emk_app.domain.actors import Actor
from emk_app.domain.contacts import LoginKind
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    InvalidValue,
    NotFound,
    NotSignedIn,
    TooManyAttempts,
)
from emk_app.domain.factors import LastFactor
from emk_app.domain.notices import Channel
from emk_app.services import accounts, jobs, reaching, resetting
from emk_app.services.accounts import Step
from tests.factories import make_holder
from tests.services.test_accounts import outbox, sign_in, signed_in

LOGIN = "anna@example.ru"
NEW = "anna.new@example.ru"
PHONE = "+79123456789"


@pytest.fixture
def actor(world: None, now: datetime) -> Actor:
    """Return a holder who has just signed in."""
    make_holder(now, LOGIN)
    return accounts.actor_of(accounts.ref_of(signed_in(now, LOGIN)), now=now)


def code_sent(contact: str) -> str:
    [*_, text] = [text for recipient, text in outbox() if recipient == contact]
    return re.findall(r"\d{6}", text)[0]


def change(actor: Actor, contact: str, now: datetime) -> None:
    reaching.begin(actor, contact, now=now)
    reaching.confirm(actor, code_sent(contact), now=now)


def test_new_address_counts_once_its_code_is_given_and_the_old_one_is_told(
    actor: Actor, now: datetime
):
    reaching.begin(actor, NEW, now=now)
    seen = reaching.view(actor, now=now)
    assert (seen.email, seen.waits) == ("a***@example.ru", "a***@example.ru")
    assert sign_in(LOGIN, now, "e" * 64) is Step.CODE
    reaching.confirm(actor, code_sent(NEW), now=now)
    assert outbox()[-1][0] == LOGIN and "изменены" in outbox()[-1][1]
    assert reaching.view(actor, now=now).waits == ""
    assert sign_in(NEW, now, "e" * 64) is Step.CODE
    with pytest.raises(WrongCredentials):
        sign_in(LOGIN, now, "e" * 64)


def test_phone_stands_beside_the_address_and_both_sign_in(actor: Actor, now: datetime):
    change(actor, PHONE, now)
    seen = reaching.view(actor, now=now)
    assert seen.phone.endswith("67-89") and seen.email == "a***@example.ru"
    for login in (LOGIN, PHONE):
        assert sign_in(login, now, "e" * 64) is Step.CODE
    later = now + timedelta(minutes=2)
    change(actor, NEW, later)
    assert {recipient for recipient, text in outbox() if "изменены" in text} == {LOGIN, PHONE}
    assert reaching.view(actor, now=later).phone.endswith("67-89")


def test_code_has_five_tries_five_minutes_and_is_newest_only(actor: Actor, now: datetime):
    reaching.begin(actor, NEW, now=now)
    first = code_sent(NEW)
    late = now + timedelta(minutes=5)
    with pytest.raises(WrongContactCode):
        reaching.confirm(actor, first, now=late)
    late = now + timedelta(minutes=4)
    reaching.begin(actor, NEW, now=late)
    second = code_sent(NEW)
    if first != second:
        with pytest.raises(WrongContactCode):
            reaching.confirm(actor, first, now=late)
    wrong = f"{(int(second) + 1) % 1_000_000:06}"
    for _ in range(5):
        with pytest.raises(WrongContactCode):
            reaching.confirm(actor, wrong, now=late)
    with pytest.raises(WrongContactCode):
        reaching.confirm(actor, second, now=late)
    assert sign_in(LOGIN, late, "e" * 64) is Step.CODE


def test_each_step_asks_for_a_fresh_factor(actor: Actor, now: datetime):
    reaching.begin(actor, NEW, now=now)
    late = now + timedelta(minutes=6)
    with pytest.raises(FreshFactorNeeded):
        reaching.begin(actor, NEW, now=late)
    with pytest.raises(FreshFactorNeeded):
        reaching.confirm(actor, code_sent(NEW), now=late)


@pytest.mark.parametrize(("contact", "kind"), [(LOGIN, SameContact), ("что-то", InvalidValue)])
def test_unfit_contact_is_refused_beside_its_field(
    actor: Actor, now: datetime, contact: str, kind: type[Exception]
):
    with pytest.raises(Invalid) as refused:
        reaching.begin(actor, contact, now=now)
    assert isinstance(refused.value.fields["contact"], kind)


def test_contact_of_somebody_else_is_told_only_to_who_proves_it(actor: Actor, now: datetime):
    make_holder(now, NEW)
    reaching.begin(actor, NEW, now=now)
    with pytest.raises(ContactTaken):
        reaching.confirm(actor, code_sent(NEW), now=now)
    assert sign_in(LOGIN, now, "e" * 64) is Step.CODE


def test_nobody_is_flooded_with_codes(actor: Actor, now: datetime):
    reaching.begin(actor, NEW, now=now)
    with pytest.raises(TooManyAttempts):
        reaching.begin(actor, NEW, now=now)


def test_change_is_given_up(actor: Actor, now: datetime):
    reaching.begin(actor, NEW, now=now)
    reaching.drop(actor, now=now)
    assert reaching.view(actor, now=now).waits == ""
    with pytest.raises(WrongContactCode):
        reaching.confirm(actor, code_sent(NEW), now=now)


def test_link_in_the_old_mailbox_opens_nothing_any_more(actor: Actor, now: datetime):
    resetting.ask(LOGIN, source="10.0.0.1", now=now)
    jobs.run_due({resetting.SEND: resetting.send}, now=now)
    change(actor, NEW, now)
    with reading() as db:
        assert not db.exec(select(PasswordReset)).all()


def test_new_contact_does_not_stand_in_clear(actor: Actor, now: datetime):
    reaching.begin(actor, NEW, now=now)
    with reading() as db:
        kept = repr([row.model_dump() for row in db.exec(select(ContactChange)).all()])
    assert "anna" not in kept and code_sent(NEW) not in kept


def test_one_of_two_contacts_goes_and_both_are_told(actor: Actor, now: datetime):
    change(actor, PHONE, now)
    reaching.remove(actor, Channel.EMAIL, now=now)
    seen = reaching.view(actor, now=now)
    assert seen.email == "" and seen.phone.endswith("67-89")
    assert {recipient for recipient, text in outbox() if "удалены" in text} == {LOGIN, PHONE}
    assert sign_in(PHONE, now, "e" * 64) is Step.CODE
    with pytest.raises(WrongCredentials):
        sign_in(LOGIN, now, "e" * 64)
    # The place is free again.
    later = now + timedelta(minutes=2)
    change(actor, NEW, later)
    assert reaching.view(actor, now=later).phone.endswith("67-89")


@pytest.mark.parametrize("channel", Channel)
def test_last_contact_stays(actor: Actor, now: datetime, channel: Channel):
    with pytest.raises(LastContact if channel is Channel.EMAIL else NotFound):
        reaching.remove(actor, channel, now=now)
    assert reaching.view(actor, now=now).email
    assert sign_in(LOGIN, now, "e" * 64) is Step.CODE


def test_contact_that_is_the_only_login_stays(actor: Actor, now: datetime):
    change(actor, PHONE, now)
    with unit_of_work() as db:
        db.exec(delete(Login).where(col(Login.kind) == LoginKind.PHONE))
    with pytest.raises(LastContact):
        reaching.remove(actor, Channel.EMAIL, now=now)


def test_removing_a_contact_asks_for_a_fresh_factor(actor: Actor, now: datetime):
    change(actor, PHONE, now)
    with pytest.raises(FreshFactorNeeded):
        reaching.remove(actor, Channel.EMAIL, now=now + timedelta(minutes=6))
    assert reaching.view(actor, now=now).email


def test_telephone_that_brings_codes_ends_what_they_may_have_opened(actor: Actor, now: datetime):
    change(actor, PHONE, now)
    soon = now + timedelta(minutes=1)
    other = accounts.ref_of(signed_in(soon, PHONE))
    reaching.remove(actor, Channel.SMS, now=soon)
    with pytest.raises(NotSignedIn):
        accounts.actor_of(other, now=soon)
    assert reaching.view(actor, now=soon).phone == ""


def test_telephone_stays_while_its_codes_are_the_only_second_factor(actor: Actor, now: datetime):
    change(actor, PHONE, now)
    with unit_of_work() as db:
        user = db.get_one(User, actor.user_id)
        user.totp_confirmed_at, user.sms_proved_at = None, now
    with pytest.raises(LastFactor):
        reaching.remove(actor, Channel.SMS, now=now)
    assert reaching.view(actor, now=now).phone


def test_link_in_the_removed_mailbox_opens_nothing(actor: Actor, now: datetime):
    change(actor, PHONE, now)
    resetting.ask(LOGIN, source="10.0.0.1", now=now)
    jobs.run_due({resetting.SEND: resetting.send}, now=now)
    reaching.remove(actor, Channel.EMAIL, now=now)
    with reading() as db:
        assert db.exec(select(PasswordReset)).all() == []
