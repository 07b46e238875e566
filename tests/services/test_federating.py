"""Signing in by way of a provider of identities, against one that really answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from pyotp.totp import TOTP
from sqlmodel import col, select

from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.federation import FederatedIdentity, Flight
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.people import Doorstep, User
from emk_app.domain.accounts import DoorstepExpired
from emk_app.domain.actors import Actor
from emk_app.domain.errors import (
    FreshFactorNeeded,
    NotFound,
    NotPermitted,
    TooManyAttempts,
)
from emk_app.domain.federation import AlreadyLinked, Outcome, ProviderUnavailable
from emk_app.services import accounts, federating, linking
from emk_app.services.accounts import Step
from tests import provider as local
from tests.factories import make_holder, make_operator, make_submitted, put
from tests.provider import CLIENT, Provider
from tests.scenes import kept
from tests.services.test_accounts import DOOR, SECRET, outbox

pytestmark = pytest.mark.usefixtures("world")

SNILS = "112-233-445 95"
OTHER = "087-654-303 00"
SOURCE = "10.0.0.1"


@pytest.fixture
def provider(tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with local.signing_in(tmp_path, monkeypatch, now) as served:
        yield served


@pytest.fixture
@kept
def holder(now: datetime) -> Actor:
    """Return somebody whose papers with the СНИЛС of the provider were found right."""
    return local.make_known(now, "anna@example.ru")


def go(provider: Provider, now: datetime, door: str = DOOR, **changed: str) -> Outcome:
    address = federating.begin(door, source=SOURCE, now=now)
    said = provider.authorize(address) | changed
    return come_back(said, now, door)


def come_back(
    said: dict[str, str], now: datetime, door: str = DOOR, actor: Actor | None = None
) -> Outcome:
    return federating.finish(door, said["state"], said["code"], said.get("iss", ""), actor, now=now)


def enter(now: datetime, door: str = DOOR) -> Actor:
    ticket = accounts.confirm_code(door, TOTP(SECRET).at(now), now=now)
    cookie, _ = accounts.enter(door, ticket, device="Chrome", now=now)
    return accounts.actor_of(accounts.ref_of(cookie), now=now)


def links() -> list[FederatedIdentity]:
    with reading() as db:
        return list(db.exec(select(FederatedIdentity).order_by(col(FederatedIdentity.id))).all())


def test_account_is_found_by_snils_and_linked_by_its_second_factor(
    provider: Provider, holder: Actor, now: datetime
):
    assert go(provider, now) is Outcome.CODE
    assert accounts.step_of(DOOR, now=now) is Step.CODE
    assert links() == []
    actor = enter(now)
    assert actor.user_id == holder.user_id
    assert [each.user_id for each in links()] == [holder.user_id]
    assert any("привязан вход через внешнюю систему" in text for _, text in outbox())
    with reading() as db:
        assert "link_provider" in set(db.exec(select(AuditEntry.action)).all())


def test_linked_identity_leads_in_whatever_snils_it_says_now(
    provider: Provider, holder: Actor, now: datetime
):
    go(provider, now)
    enter(now)
    later = now + timedelta(minutes=2)
    provider.now = later.timestamp
    provider.claims["snils"] = OTHER
    assert go(provider, later) is Outcome.CODE
    assert enter(later).user_id == holder.user_id
    assert [each.used_at for each in links()] == [later]


def test_without_the_second_factor_nothing_is_linked(
    provider: Provider, holder: Actor, now: datetime
):
    go(provider, now)
    with pytest.raises(DoorstepExpired):
        accounts.confirm_code(DOOR, "000000", now=now + timedelta(hours=1))
    assert links() == []


def test_unknown_snils_leads_to_registration(provider: Provider, holder: Actor, now: datetime):
    provider.claims["snils"] = OTHER
    assert go(provider, now) is Outcome.UNKNOWN
    assert accounts.step_of(DOOR, now=now) is None


def test_snils_that_nobody_has_checked_leads_nowhere(provider: Provider, now: datetime):
    made = make_submitted(make_holder(now), now)
    put(made.id, snils_blind=vault.blind("applications-snils", "11223344595"))
    assert go(provider, now) is Outcome.UNKNOWN


def test_account_without_a_second_factor_is_not_opened(
    provider: Provider, holder: Actor, now: datetime
):
    with unit_of_work() as db:
        user = db.get(User, holder.user_id)
        assert user is not None
        user.totp_sealed = user.totp_confirmed_at = None
        db.add(user)
    assert go(provider, now) is Outcome.UNPROVED
    with reading() as db:
        assert db.exec(select(Doorstep)).all() == []


def test_blocked_account_is_not_opened(provider: Provider, holder: Actor, now: datetime):
    with unit_of_work() as db:
        user = db.get(User, holder.user_id)
        assert user is not None
        user.disabled_at = now
        db.add(user)
    assert go(provider, now) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "claims",
    [
        {"trusted": False},
        {"trusted": None},
        {"trusted": 1},
        {"snils": ""},
        {"snils": "112-233-445 96"},
        {"snils": 11223344595},
        {"sub": ""},
        {"sub": "x" * 256},
    ],
)
def test_person_whom_the_provider_does_not_know_is_not_let_in(
    claims: dict[str, Any], provider: Provider, holder: Actor, now: datetime
):
    provider.claims |= claims
    assert go(provider, now) in (Outcome.UNTRUSTED, Outcome.UNAVAILABLE)
    assert accounts.step_of(DOOR, now=now) is None


@pytest.mark.parametrize(
    "spoil",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"iss": "http://127.0.0.1:1"},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"azp": "another"},
    ],
)
def test_token_that_is_not_for_this_question_is_refused(
    spoil: dict[str, Any], provider: Provider, holder: Actor, now: datetime
):
    provider.spoil = lambda said: {
        name: value for name, value in (said | spoil).items() if value is not None
    }
    assert go(provider, now) is Outcome.UNAVAILABLE


def test_token_signed_by_nobody_or_by_a_shared_secret_is_refused(
    provider: Provider, holder: Actor, now: datetime
):
    def unsigned(said: dict[str, Any]) -> str:
        signed = jwt.encode({"alg": "ES256"}, said, provider.key)
        _, body, _ = signed.split(".")
        return f"eyJhbGciOiJub25lIn0.{body}."

    def shared(said: dict[str, Any]) -> str:
        key = OctKey.import_key(local.SECRET)
        return jwt.encode({"alg": "HS256", "kid": "1"}, said, key, algorithms=["HS256"])

    def strangers(said: dict[str, Any]) -> str:
        key = ECKey.generate_key("P-256", {"kid": "1"})
        return jwt.encode({"alg": "ES256", "kid": "1"}, said, key)

    for sign in (unsigned, shared, strangers):
        provider.sign = sign
        assert go(provider, now) is Outcome.UNAVAILABLE, sign


def test_new_key_of_the_provider_is_fetched(
    provider: Provider, holder: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    assert go(provider, now) is Outcome.CODE
    provider.key = ECKey.generate_key("P-256", {"kid": "2"})
    monkeypatch.setattr("emk_app.outbound.identity_provider.KEYS_AGAIN", 0.0)
    assert go(provider, now, "e" * 64) is Outcome.CODE
    assert provider.asked.count("/keys") == 2


def test_description_and_keys_are_asked_once(provider: Provider, holder: Actor, now: datetime):
    for door in ("a" * 64, "b" * 64):
        go(provider, now, door)
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    assert provider.asked.count("/keys") == 1


def test_answer_serves_once_in_one_browser_for_a_quarter_of_an_hour(
    provider: Provider, holder: Actor, now: datetime
):
    said = provider.authorize(federating.begin(DOOR, source=SOURCE, now=now))
    assert come_back(said, now, "e" * 64) is Outcome.STALE
    assert come_back(said | {"state": "made up"}, now) is Outcome.STALE
    assert come_back(said, now) is Outcome.CODE
    assert come_back(said, now) is Outcome.STALE
    late = provider.authorize(federating.begin(DOOR, source=SOURCE, now=now))
    assert come_back(late, now + timedelta(minutes=16)) is Outcome.STALE


def test_stolen_code_is_worth_nothing_without_its_verifier(
    provider: Provider, holder: Actor, now: datetime
):
    victim = provider.authorize(federating.begin(DOOR, source=SOURCE, now=now))
    thief = "e" * 64
    own = provider.authorize(federating.begin(thief, source=SOURCE, now=now))
    assert come_back(own | {"code": victim["code"]}, now, thief) is Outcome.UNAVAILABLE


def test_answer_of_another_provider_is_refused(provider: Provider, holder: Actor, now: datetime):
    assert go(provider, now, iss="https://id.example.org") is Outcome.UNAVAILABLE


def test_userinfo_of_somebody_else_is_refused(provider: Provider, holder: Actor, now: datetime):
    provider.userinfo = {"sub": "2000", "snils": SNILS, "trusted": True}
    provider.claims = {"sub": "subject-of-anna"}
    assert go(provider, now) is Outcome.UNAVAILABLE


def test_person_who_turned_back_is_told(provider: Provider, now: datetime):
    assert go(provider, now, code="") is Outcome.DECLINED


def test_silent_provider_is_said_to_be_silent(tmp_path: Path, now: datetime, provider: Provider):
    provider.issuer += "/elsewhere"
    with pytest.raises(ProviderUnavailable):
        federating.begin(DOOR, source=SOURCE, now=now)
    with reading() as db:
        assert db.exec(select(Flight)).all() == []


def test_without_a_provider_there_is_no_way_there(now: datetime):
    assert federating.name() == ""
    with pytest.raises(NotFound):
        federating.begin(DOOR, source=SOURCE, now=now)


def test_ways_from_one_address_are_bounded(provider: Provider, now: datetime):
    with pytest.raises(TooManyAttempts):
        for _ in range(40):
            federating.begin(DOOR, source=SOURCE, now=now)


def test_holder_links_and_unlinks_by_hand(provider: Provider, holder: Actor, now: datetime):
    actor = replace(holder, factor_at=now)
    address = federating.begin_link(actor, DOOR, source=SOURCE, now=now)
    assert come_back(provider.authorize(address), now, actor=actor) is Outcome.LINKED
    assert linking.linked_at(actor) == now
    with pytest.raises(AlreadyLinked):
        federating.begin_link(actor, DOOR, source=SOURCE, now=now)
    linking.unlink(actor, now=now)
    assert linking.linked_at(actor) is None
    assert any("больше не ведёт" in text for _, text in outbox())
    with pytest.raises(NotFound):
        linking.unlink(actor, now=now)


def test_linking_asks_for_a_fresh_factor_and_a_holder(
    provider: Provider, holder: Actor, now: datetime
):
    stale = replace(holder, factor_at=now - timedelta(minutes=6))
    with pytest.raises(FreshFactorNeeded):
        federating.begin_link(stale, DOOR, source=SOURCE, now=now)
    with pytest.raises(FreshFactorNeeded):
        linking.unlink(stale, now=now)
    officer = replace(make_operator(now), factor_at=now)
    with pytest.raises(NotPermitted):
        federating.begin_link(officer, DOOR, source=SOURCE, now=now)


def test_somebody_elses_identity_is_not_linked(provider: Provider, holder: Actor, now: datetime):
    another = replace(make_holder(now), factor_at=now)
    address = federating.begin_link(another, DOOR, source=SOURCE, now=now)
    said = provider.authorize(address)
    assert come_back(said, now, actor=replace(holder, factor_at=now)) is Outcome.STALE
    address = federating.begin_link(another, DOOR, source=SOURCE, now=now)
    assert come_back(provider.authorize(address), now, actor=another) is Outcome.TAKEN
    provider.claims["snils"] = OTHER
    own = replace(holder, factor_at=now)
    address = federating.begin_link(own, DOOR, source=SOURCE, now=now)
    assert come_back(provider.authorize(address), now, actor=own) is Outcome.ANOTHER
    assert links() == []


def test_nothing_of_the_identity_stands_in_clear(provider: Provider, holder: Actor, now: datetime):
    go(provider, now)
    enter(now)
    go(provider, now + timedelta(minutes=1), "e" * 64)
    with reading() as db:
        rows: list[Any] = [*db.exec(select(FederatedIdentity)), *db.exec(select(Flight))]
    assert rows
    text = "".join(repr(row.model_dump()) for row in rows)
    assert provider.claims["sub"] not in text
    assert provider.issuer not in text and "11223344595" not in text
