"""Passkeys: kept, asked for at the door and before sensitive acts, refused whenever they lie."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pyotp
import pytest
from sqlmodel import select

from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.people import Challenge, Passkey
from emk_app.domain.accounts import DoorstepExpired, WrongCode
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import (
    DomainError,
    FreshFactorNeeded,
    NotFound,
    Required,
    TooLong,
    TooManyAttempts,
)
from emk_app.domain.factors import (
    MOST_PASSKEYS,
    ChallengeGone,
    LastFactor,
    PasskeyCopied,
    PasskeyKnown,
    PasskeyRefused,
    PasskeyUnknown,
    TooManyPasskeys,
    Way,
)
from emk_app.services import accounts, factors, passkeys, securing
from emk_app.services.accounts import Step
from tests.authenticator import PRESENT, Authenticator
from tests.services.test_accounts import DOOR, PASSWORD, SECRET, outbox, sign_in, signed_in, staff

pytestmark = pytest.mark.usefixtures("world")

LOGIN = "operator@example.ru"
OTHER = "other@example.ru"
THERE = "e" * 64


def entered(now: datetime, login: str = LOGIN, door: str = DOOR) -> Actor:
    return accounts.actor_of(accounts.ref_of(signed_in(now, login, door)), now=now)


@pytest.fixture
def actor(now: datetime) -> Actor:
    staff(now)
    return entered(now)


@pytest.fixture
def key(actor: Actor, now: datetime) -> Authenticator:
    return added(actor, now)


def added(actor: Actor, now: datetime, name: str = "Мой телефон") -> Authenticator:
    made = Authenticator()
    options = passkeys.begin_adding(actor, now=now)
    passkeys.confirm_adding(actor, name, made.create(options), now=now)
    return made


def asked(now: datetime, login: str = LOGIN, door: str = THERE) -> passkeys.Options:
    """Give the password and ask for a key."""
    assert sign_in(login, now, door) is Step.CODE
    return passkeys.ask_at_door(door, now=now)


def challenges() -> int:
    with reading() as db:
        return len(db.exec(select(Challenge)).all())


def test_key_is_added_told_of_and_opens_the_door(actor: Actor, now: datetime):
    made = Authenticator()
    options = passkeys.begin_adding(actor, now=now)
    assert options["rp"] == {"id": "localhost", "name": "ЭМК Онлайн"}
    assert options["authenticatorSelection"]["userVerification"] == "required"
    passkeys.confirm_adding(actor, "  Мой   телефон ", made.create(options), now=now)
    assert "добавлен ключ" in outbox()[-1][1]
    [kept] = securing.view(actor, now=now).keys
    assert (kept.name, kept.used_at) == ("Мой телефон", None)

    later = now + timedelta(minutes=1)
    request = asked(later)
    assert request["userVerification"] == "required"
    assert [each["transports"] for each in request["allowCredentials"]] == [["internal"]]
    ticket = passkeys.answer_at_door(THERE, made.get(request), now=later)
    assert accounts.enter(THERE, ticket, device="Chrome", now=later)[1] is Role.OPERATOR
    assert securing.view(actor, now=later).keys[0].used_at == later
    assert challenges() == 0


def test_key_renews_the_factor_of_its_session_alone(
    actor: Actor, key: Authenticator, now: datetime
):
    late = now + timedelta(minutes=10)
    with pytest.raises(FreshFactorNeeded):
        passkeys.begin_adding(actor, now=late)
    answer = key.get(passkeys.ask_in_session(actor, now=late))
    elsewhere = replace(actor, session_id=(actor.session_id or 0) + 1)
    with pytest.raises(ChallengeGone):
        passkeys.answer_in_session(elsewhere, answer, now=late)
    passkeys.answer_in_session(actor, answer, now=late)
    with reading() as db:
        assert db.exec(select(AuditEntry).where(AuditEntry.action == "renew_factor")).one()


def test_answer_serves_once(key: Authenticator, now: datetime):
    answer = key.get(asked(now))
    passkeys.answer_at_door(THERE, answer, now=now)
    with pytest.raises(ChallengeGone):
        passkeys.answer_at_door(THERE, answer, now=now)


def test_wrong_answer_uses_the_challenge_up(key: Authenticator, now: datetime):
    request = asked(now)
    right = key.get(request)
    with pytest.raises(PasskeyRefused):
        passkeys.answer_at_door(THERE, replace(key, flags=PRESENT).get(request), now=now)
    with pytest.raises(ChallengeGone):
        passkeys.answer_at_door(THERE, right, now=now)


def test_answer_serves_for_five_minutes_at_its_door_for_its_purpose(
    actor: Actor, key: Authenticator, now: datetime
):
    late = now + timedelta(minutes=5)
    answer = key.get(asked(now))
    with pytest.raises(ChallengeGone):
        passkeys.answer_at_door(THERE, answer, now=late)
    answer = key.get(asked(now))
    asked(now, door="f" * 64)
    for serve in (
        lambda: passkeys.answer_at_door("f" * 64, answer, now=now),
        lambda: passkeys.answer_in_session(actor, answer, now=now),
        lambda: passkeys.answer_at_door(
            THERE, key.get(passkeys.ask_in_session(actor, now=now)), now=now
        ),
    ):
        with pytest.raises(ChallengeGone):
            serve()


def test_newer_challenge_replaces_the_one_before(key: Authenticator, now: datetime):
    before = asked(now)
    after = passkeys.ask_at_door(THERE, now=now)
    with pytest.raises(ChallengeGone):
        passkeys.answer_at_door(THERE, key.get(before), now=now)
    passkeys.answer_at_door(THERE, key.get(after), now=now)


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://emk-online.example"},
        {"origin": "http://localhost:8001"},
        {"site": "emk-online.example"},
        {"flags": PRESENT},
        {"flags": 0},
        {"key": Authenticator().key},
        {"handle": "AAAA"},
    ],
    ids=["origin", "port", "site", "unverified", "absent", "signature", "person"],
)
def test_key_that_lies_opens_nothing(key: Authenticator, now: datetime, lie: dict[str, object]):
    liar = replace(key, **lie)  # pyright: ignore[reportArgumentType]
    with pytest.raises(PasskeyRefused):
        passkeys.answer_at_door(THERE, liar.get(asked(now)), now=now)
    passkeys.answer_at_door(THERE, key.get(passkeys.ask_at_door(THERE, now=now)), now=now)


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://emk-online.example"},
        {"site": "emk-online.example"},
        {"flags": PRESENT},
    ],
    ids=["origin", "site", "unverified"],
)
def test_key_that_lies_is_not_kept(actor: Actor, now: datetime, lie: dict[str, object]):
    liar = Authenticator(**lie)  # pyright: ignore[reportArgumentType]
    with pytest.raises(PasskeyRefused):
        passkeys.confirm_adding(
            actor, "Ключ", liar.create(passkeys.begin_adding(actor, now=now)), now=now
        )
    assert securing.view(actor, now=now).keys == ()


@pytest.mark.parametrize("count", [0, 4, 5])
def test_key_that_counts_back_is_refused_and_its_owner_told(
    key: Authenticator, actor: Actor, now: datetime, count: int
):
    key.count = 4
    passkeys.answer_at_door(THERE, key.get(asked(now)), now=now)
    copy = replace(key, count=count - 1 if count else 0, counts=bool(count))
    later = now + timedelta(minutes=1)
    with pytest.raises(PasskeyCopied):
        passkeys.answer_at_door(THERE, copy.get(asked(later)), now=later)
    assert "скопирован" in outbox()[-1][1]
    passkeys.answer_at_door(THERE, key.get(asked(later)), now=later)


def test_key_that_never_counts_goes_on_serving(actor: Actor, now: datetime):
    made = Authenticator(counts=False)
    passkeys.confirm_adding(
        actor, "Ключ", made.create(passkeys.begin_adding(actor, now=now)), now=now
    )
    for _ in range(3):
        passkeys.answer_at_door(THERE, made.get(asked(now)), now=now)


def test_key_of_somebody_else_opens_nothing_and_is_not_taken_over(
    key: Authenticator, now: datetime
):
    staff(now, OTHER)
    other = entered(now, OTHER, "f" * 64)
    with pytest.raises(PasskeyUnknown):
        passkeys.ask_in_session(other, now=now)
    added(other, now)
    with pytest.raises(PasskeyUnknown):
        passkeys.answer_at_door(THERE, key.get(asked(now, OTHER)), now=now)
    with pytest.raises(PasskeyKnown):
        passkeys.confirm_adding(
            other, "Чужой", key.create(passkeys.begin_adding(other, now=now)), now=now
        )


def test_key_without_the_password_is_nothing(key: Authenticator, now: datetime):
    with pytest.raises(DoorstepExpired):
        passkeys.ask_at_door(THERE, now=now)
    with pytest.raises(DoorstepExpired):
        passkeys.answer_at_door(THERE, key.get({"challenge": "AAAA"}), now=now)


@pytest.mark.parametrize("broken", [{}, {"response": {}}, {"response": {"clientDataJSON": "?"}}])
def test_what_is_no_answer_is_refused(
    key: Authenticator, actor: Actor, now: datetime, broken: dict[str, object]
):
    asked(now)
    with pytest.raises(PasskeyRefused):
        passkeys.answer_at_door(THERE, broken, now=now)
    passkeys.begin_adding(actor, now=now)
    with pytest.raises(PasskeyRefused):
        passkeys.confirm_adding(actor, "Ключ", broken, now=now)


def test_answers_are_counted_as_tries_of_the_second_factor(key: Authenticator, now: datetime):
    for _ in range(5):
        with pytest.raises(PasskeyRefused):
            passkeys.answer_at_door(THERE, replace(key, flags=0).get(asked(now)), now=now)
    with pytest.raises(TooManyAttempts):
        passkeys.answer_at_door(THERE, key.get(asked(now)), now=now)


def test_two_at_once_do_not_use_one_answer(key: Authenticator, now: datetime):
    answer = key.get(asked(now))

    def serve(_: int) -> bool:
        try:
            passkeys.answer_at_door(THERE, answer, now=now)
        except DomainError:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(serve, range(3))) == 1


def test_name_is_needed_and_short(actor: Actor, now: datetime):
    for name, kind in (("  ", Required), ("я" * 41, TooLong)):
        made = Authenticator().create(passkeys.begin_adding(actor, now=now))
        with pytest.raises(kind):
            passkeys.confirm_adding(actor, name, made, now=now)


def test_keys_are_ten_at_most(actor: Actor, now: datetime):
    for _ in range(MOST_PASSKEYS):
        added(actor, now)
    with pytest.raises(TooManyPasskeys):
        passkeys.begin_adding(actor, now=now)


def test_adding_and_removing_ask_for_a_fresh_factor(
    actor: Actor, key: Authenticator, now: datetime
):
    late = now + timedelta(minutes=6)
    [kept] = securing.view(actor, now=now).keys
    for act in (
        lambda: passkeys.begin_adding(actor, now=late),
        lambda: passkeys.confirm_adding(actor, "Ключ", {}, now=late),
        lambda: securing.remove_passkey(actor, kept.id, now=late),
        lambda: securing.remove_app(actor, now=late),
        lambda: securing.switch_sms(actor, is_on=False, now=late),
    ):
        with pytest.raises(FreshFactorNeeded):
            act()


def test_removed_key_opens_nothing_other_sessions_end_and_its_owner_is_told(
    actor: Actor, key: Authenticator, now: datetime
):
    later = now + timedelta(minutes=1)
    request = asked(later)
    ticket = passkeys.answer_at_door(THERE, key.get(request), now=later)
    cookie = accounts.enter(THERE, ticket, device="Chrome", now=later)[0]
    request = asked(later)
    [kept] = securing.view(actor, now=now).keys
    securing.remove_passkey(actor, kept.id, now=later)
    assert "Ключ доступа удалён" in outbox()[-1][1]
    assert accounts.session_of(accounts.ref_of(cookie), now=later) is None
    with pytest.raises(PasskeyUnknown):
        passkeys.answer_at_door(THERE, key.get(request), now=later)
    with pytest.raises(NotFound):
        securing.remove_passkey(actor, kept.id, now=later)


def test_key_of_somebody_else_is_not_removed(actor: Actor, key: Authenticator, now: datetime):
    staff(now, OTHER)
    other = entered(now, OTHER, "f" * 64)
    [kept] = securing.view(actor, now=now).keys
    with pytest.raises(NotFound):
        securing.remove_passkey(other, kept.id, now=now)
    assert securing.view(actor, now=now).keys == (kept,)


def test_last_factor_stays(actor: Actor, key: Authenticator, now: datetime):
    code = securing.make_recovery_codes(actor, now=now)[0]
    securing.remove_app(actor, now=now)
    assert "отключён" in outbox()[-1][1]
    [kept] = securing.view(actor, now=now).keys
    with pytest.raises(LastFactor):
        securing.remove_passkey(actor, kept.id, now=now)
    with pytest.raises(NotFound):
        securing.remove_app(actor, now=now)
    later = now + timedelta(minutes=1)
    asked(later)
    # The authenticator opens nothing any more, the codes on paper do.
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, pyotp.TOTP(SECRET).at(later), now=later)
    with pytest.raises(DoorstepExpired):
        accounts.enrolment(THERE, now=later)
    assert accounts.offer_at(THERE, now=later).ways == (Way.PASSKEY, Way.RECOVERY)
    assert accounts.confirm_code(THERE, code, now=later)
    # An authenticator is added again without ending anything.
    secret = securing.begin_replacement(actor, now=later).secret
    securing.confirm_replacement(actor, pyotp.TOTP(secret).at(later), now=later)
    assert "подключён вход по коду" in outbox()[-1][1]


def test_app_without_another_factor_stays(actor: Actor, now: datetime):
    with pytest.raises(LastFactor):
        securing.remove_app(actor, now=now)


def test_key_may_be_the_first_factor_and_a_secret_that_was_shown_is_not_one(now: datetime):
    accounts.create_user(Role.OPERATOR, LOGIN, PASSWORD, now=now)
    assert sign_in(LOGIN, now) is Step.ENROL
    assert accounts.offer_at(DOOR, now=now).ways == (Way.APP, Way.PASSKEY)
    shown = accounts.enrolment(DOOR, now=now).secret
    made = Authenticator()
    answer = made.create(passkeys.begin_enrolment(DOOR, now=now))
    ticket = passkeys.confirm_enrolment(DOOR, "Chrome, Windows", answer, now=now)
    accounts.enter(DOOR, ticket, device="Chrome", now=now)
    request = asked(now)
    with pytest.raises(WrongCode):
        accounts.confirm_code(THERE, pyotp.TOTP(shown).at(now), now=now)
    with pytest.raises(DoorstepExpired):
        passkeys.begin_enrolment(THERE, now=now)
    passkeys.answer_at_door(THERE, made.get(request), now=now)


def test_two_do_not_both_enrol_the_first_factor(now: datetime):
    accounts.create_user(Role.OPERATOR, LOGIN, PASSWORD, now=now)
    sign_in(LOGIN, now)
    options = passkeys.begin_enrolment(DOOR, now=now)
    secret = accounts.enrolment(DOOR, now=now).secret
    accounts.confirm_code(DOOR, pyotp.TOTP(secret).at(now), now=now)
    with pytest.raises(DoorstepExpired):
        passkeys.confirm_enrolment(DOOR, "Ключ", Authenticator().create(options), now=now)


def test_nothing_of_a_key_stands_in_clear_but_its_public_half(
    actor: Actor, key: Authenticator, now: datetime
):
    with reading() as db:
        [row] = db.exec(select(Passkey)).all()
    kept = repr(row.model_dump())
    assert "телефон" not in kept
    assert key.id.hex() not in kept and repr(key.id)[2:-1] not in kept


def test_challenges_that_nobody_answered_are_forgotten(key: Authenticator, now: datetime):
    asked(now)
    factors.sweep(now=now)
    assert challenges() == 1
    accounts.sweep(now=now + timedelta(minutes=5))
    assert challenges() == 0
