"""What guards an account: sessions, the password, the authenticator, recovery codes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pyotp
import pytest
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.people import RecoveryCode, User
from emk_app.domain import recovery
from emk_app.domain.accounts import (
    NothingToReplace,
    PasswordsDiffer,
    PasswordTooShort,
    SamePassword,
    WrongCode,
    WrongCredentials,
    WrongPresentPassword,
)
from emk_app.domain.actors import Actor
from emk_app.domain.errors import (
    DomainError,
    FreshFactorNeeded,
    Invalid,
    NotFound,
    NotSignedIn,
    TooManyAttempts,
)
from emk_app.services import accounts, securing
from tests.services.test_accounts import (
    DOOR,
    PASSWORD,
    SECRET,
    outbox,
    sign_in,
    signed_in,
    staff,
)

pytestmark = pytest.mark.usefixtures("world")

LOGIN = "operator@example.ru"
NEW = "вечерний поезд 17"


def entered(now: datetime, door: str = DOOR) -> Actor:
    return accounts.actor_of(accounts.ref_of(signed_in(now, door=door)), now=now)


@pytest.fixture
def actor(now: datetime) -> Actor:
    """Return somebody who has just signed in, with a factor that is fresh."""
    staff(now)
    return entered(now)


def refusal(actor: Actor, now: datetime, *given: str) -> dict[str, type[Exception]]:
    with pytest.raises(Invalid) as refused:
        securing.change_password(actor, *given, now=now)
    return {name: type(error) for name, error in refused.value.fields.items()}


def test_sessions_are_listed_and_one_is_ended(actor: Actor, now: datetime):
    later = now + timedelta(minutes=1)
    other = signed_in(later, door="e" * 64)
    here, there = securing.view(actor, now=later).sessions
    assert (here.is_here, there.is_here) == (True, False)
    securing.end_session(actor, there.id, now=later)
    securing.end_session(actor, there.id, now=later)
    assert accounts.session_of(accounts.ref_of(other), now=later) is None
    assert [each.id for each in securing.view(actor, now=later).sessions] == [actor.session_id]


def test_sessions_that_ended_by_themselves_are_not_listed(actor: Actor, now: datetime):
    assert securing.view(actor, now=now + timedelta(minutes=16)).sessions == ()


def test_all_other_sessions_are_ended(actor: Actor, now: datetime):
    for step, door in enumerate(("e" * 64, "f" * 64), 1):
        signed_in(now + timedelta(minutes=step), door=door)
    later = now + timedelta(minutes=2)
    assert securing.end_others(actor, now=later) == 2
    assert [each.is_here for each in securing.view(actor, now=later).sessions] == [True]
    assert securing.end_others(actor, now=later) == 0


def test_session_of_somebody_else_is_not_found(actor: Actor, now: datetime):
    staff(now, "other@example.ru")
    cookie = signed_in(now, "other@example.ru", "e" * 64)
    foreign = accounts.session_of(accounts.ref_of(cookie), now=now)
    assert foreign is not None
    for session_id in (foreign.id, 999_999):
        with pytest.raises(NotFound):
            securing.end_session(actor, session_id, now=now)
    assert accounts.session_of(accounts.ref_of(cookie), now=now) == foreign


def test_new_password_opens_the_old_one_does_not_and_other_sessions_end(
    actor: Actor, now: datetime
):
    later = now + timedelta(minutes=1)
    other = signed_in(later, door="e" * 64)
    securing.change_password(actor, PASSWORD, NEW, NEW, now=later)
    assert [each.id for each in securing.view(actor, now=later).sessions] == [actor.session_id]
    with pytest.raises(NotSignedIn):
        accounts.actor_of(accounts.ref_of(other), now=later)
    with pytest.raises(WrongCredentials):
        sign_in(LOGIN, later)
    accounts.begin_sign_in(DOOR, LOGIN, NEW, source="10.0.0.1", now=later)
    assert outbox()[-1][0] == LOGIN and "Пароль изменён" in outbox()[-1][1]


def test_password_is_refused_beside_its_field(actor: Actor, now: datetime):
    assert refusal(actor, now, "не тот пароль 42", NEW, NEW) == {"present": WrongPresentPassword}
    assert refusal(actor, now, PASSWORD, "короткий", "короткий") == {"password": PasswordTooShort}
    assert refusal(actor, now, PASSWORD, PASSWORD, PASSWORD) == {"password": SamePassword}
    assert refusal(actor, now, PASSWORD, NEW, NEW + "!") == {"repeated": PasswordsDiffer}


def test_present_password_can_not_be_guessed_from_an_open_screen(actor: Actor, now: datetime):
    for _ in range(5):
        assert refusal(actor, now, "не тот пароль 42", NEW, NEW)
    with pytest.raises(TooManyAttempts):
        securing.change_password(actor, PASSWORD, NEW, NEW, now=now)


def test_sensitive_acts_ask_for_a_fresh_factor(actor: Actor, now: datetime):
    securing.begin_replacement(actor, now=now)
    late = now + timedelta(minutes=6)
    acts = [
        lambda: securing.change_password(actor, PASSWORD, NEW, NEW, now=late),
        lambda: securing.make_recovery_codes(actor, now=late),
        lambda: securing.begin_replacement(actor, now=late),
        lambda: securing.confirm_replacement(actor, "000000", now=late),
    ]
    for act in acts:
        with pytest.raises(FreshFactorNeeded):
            act()
    assert securing.view(actor, now=now).codes_left == 0


def test_recovery_code_opens_once_and_its_owner_is_told(actor: Actor, now: datetime):
    first, second, *_ = securing.make_recovery_codes(actor, now=now)
    sign_in(LOGIN, now, "e" * 64)
    ticket = accounts.confirm_code("e" * 64, first.lower().replace("-", " "), now=now)
    accounts.enter("e" * 64, ticket, device="Chrome", now=now)
    assert "резервным кодом" in outbox()[-1][1]
    assert securing.view(actor, now=now).codes_left == recovery.COUNT - 1
    sign_in(LOGIN, now, "f" * 64)
    with pytest.raises(WrongCode):
        accounts.confirm_code("f" * 64, first, now=now)
    assert accounts.confirm_code("f" * 64, second, now=now)


def test_two_at_once_do_not_spend_the_same_recovery_code(actor: Actor, now: datetime):
    code = securing.make_recovery_codes(actor, now=now)[0]

    def spend(_: int) -> bool:
        try:
            accounts.renew_factor(actor, code, now=now)
        except WrongCode:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(spend, range(3))) == 1


def test_new_set_replaces_the_old_one(actor: Actor, now: datetime):
    old = securing.make_recovery_codes(actor, now=now)
    new = securing.make_recovery_codes(actor, now=now)
    assert len(set(old) | set(new)) == 2 * recovery.COUNT
    with pytest.raises(WrongCode):
        accounts.renew_factor(actor, old[0], now=now)
    accounts.renew_factor(actor, new[0], now=now)


def test_recovery_code_of_somebody_else_opens_nothing(actor: Actor, now: datetime):
    staff(now, "other@example.ru")
    cookie = signed_in(now, "other@example.ru", "e" * 64)
    other = accounts.actor_of(accounts.ref_of(cookie), now=now)
    with pytest.raises(WrongCode):
        accounts.renew_factor(actor, securing.make_recovery_codes(other, now=now)[0], now=now)


def test_recovery_codes_do_not_stand_in_clear(actor: Actor, now: datetime):
    codes = securing.make_recovery_codes(actor, now=now)
    with reading() as db:
        kept = repr([row.model_dump() for row in db.exec(select(RecoveryCode)).all()])
    assert not any(recovery.normal(code) in kept or code in kept for code in codes)


def test_authenticator_is_replaced_once_its_code_is_given(actor: Actor, now: datetime):
    later = now + timedelta(minutes=1)
    other = signed_in(later, door="e" * 64)
    secret = securing.begin_replacement(actor, now=later).secret
    with pytest.raises(WrongCode):
        securing.confirm_replacement(actor, pyotp.TOTP(SECRET).at(later), now=later)
    # Until then the old one counts.
    after = later + timedelta(minutes=1)
    accounts.renew_factor(actor, pyotp.TOTP(SECRET).at(after), now=after)
    securing.confirm_replacement(actor, pyotp.TOTP(secret).at(after), now=after)
    assert accounts.session_of(accounts.ref_of(other), now=after) is None
    assert "заменено" in outbox()[-1][1]
    last = after + timedelta(minutes=1)
    with pytest.raises(WrongCode):
        accounts.renew_factor(actor, pyotp.TOTP(SECRET).at(last), now=last)
    accounts.renew_factor(actor, pyotp.TOTP(secret).at(last), now=last)
    with pytest.raises(NothingToReplace):
        securing.confirm_replacement(actor, pyotp.TOTP(secret).at(last), now=last)


def test_code_that_proved_the_new_authenticator_is_spent(actor: Actor, now: datetime):
    secret = securing.begin_replacement(actor, now=now).secret
    code = pyotp.TOTP(secret).at(now)
    securing.confirm_replacement(actor, code, now=now)
    with pytest.raises(WrongCode):
        accounts.renew_factor(actor, code, now=now)


def test_new_secret_does_not_stand_in_clear(actor: Actor, now: datetime):
    secret = securing.begin_replacement(actor, now=now).secret
    with reading() as db:
        user = db.get(User, actor.user_id)
    assert user is not None and user.totp_next_sealed is not None
    assert secret.encode() not in user.totp_next_sealed


def test_recovery_code_proves_nobody_whose_authenticator_was_never_proved(
    actor: Actor, now: datetime
):
    code = securing.make_recovery_codes(actor, now=now)[0]
    with unit_of_work() as db:
        user = db.get(User, actor.user_id)
        assert user is not None
        user.totp_confirmed_at = None
        db.add(user)
    with pytest.raises(DomainError):
        accounts.renew_factor(actor, code, now=now)
