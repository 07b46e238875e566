"""The published list of keys: what a reader believes, and every way it refuses."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emk_app.crypto import trustlist
from emk_app.crypto.keystore import Keystore
from emk_app.crypto.signing import KeyStatus, KeyUse, TrustList
from emk_app.crypto.trustlist import ListProblem, ListRefused

NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Keystore:
    return Keystore.create(tmp_path_factory.mktemp("keys") / "keys", NOW - timedelta(days=1))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Keystore:
    return Keystore.create(tmp_path_factory.mktemp("others") / "keys", NOW - timedelta(days=1))


def published(store: Keystore, version: int = 7, at: datetime = NOW) -> bytes:
    return trustlist.publish(store.list_signer, store.trust_list, version, at)


def problem(raw: bytes, store: Keystore, **said: Any) -> ListProblem:
    with pytest.raises(ListRefused) as refused:
        trustlist.read(raw, store.root, **({"now": NOW} | said))
    return refused.value.problem


def test_list_says_what_the_register_says(store: Keystore) -> None:
    found = trustlist.read(published(store), store.root, now=NOW)
    assert found.trust.roots == (store.root,)
    assert {key.key_id: (key.use, key.status) for key in found.trust.keys} == {
        key.key_id: (key.use, key.status) for key in store.trust_list.keys
    }
    assert {key.use for key in found.trust.keys} == set(KeyUse)
    assert found.edition == (7, NOW.replace(minute=0))
    assert not found.is_stale(NOW)
    assert found.is_stale(found.next_update)


def test_list_is_the_same_within_the_hour(store: Keystore) -> None:
    assert published(store, at=NOW) == published(store, at=NOW + timedelta(minutes=39))
    assert published(store, at=NOW) != published(store, at=NOW + timedelta(minutes=41))


def test_withdrawn_keys_are_listed_as_such_and_left_out_for_general_readers(
    store: Keystore,
) -> None:
    first, *others = store.trust_list.keys
    trust = TrustList((replace(first, status=KeyStatus.COMPROMISED), *others), (store.root,))
    raw = trustlist.publish(store.list_signer, trust, 8, NOW)
    read = trustlist.read(raw, store.root, now=NOW)
    assert read.trust.candidates(first.key_id, first.use)[0].status is KeyStatus.COMPROMISED
    kids = {key["kid"] for key in trustlist.jwk_set(trust, with_compromised=False)["keys"]}
    assert kids == {key.key_id.hex() for key in others}


def test_older_list_is_refused(store: Keystore) -> None:
    newest = trustlist.read(published(store), store.root, now=NOW).edition
    assert trustlist.read(published(store), store.root, now=NOW, at_least=newest)
    later = NOW + timedelta(hours=2)
    assert trustlist.read(published(store, at=later), store.root, now=later, at_least=newest)
    older = published(store, at=NOW - timedelta(hours=1))
    assert problem(older, store, at_least=newest) is ListProblem.OLDER
    lower = published(store, version=6, at=later)
    assert problem(lower, store, now=later, at_least=newest) is ListProblem.OLDER


def test_list_from_the_future_is_refused(store: Keystore) -> None:
    ahead = published(store, at=NOW + timedelta(hours=3))
    assert problem(ahead, store) is ListProblem.FROM_FUTURE


def test_list_of_another_root_is_refused(store: Keystore, stranger: Keystore) -> None:
    assert problem(published(stranger), store) is ListProblem.NOT_GENUINE


@pytest.mark.parametrize("use", ["book_signer", "qr_signer"])
def test_stolen_key_of_another_use_vouches_for_nobody(store: Keystore, use: str) -> None:
    raw = trustlist.publish(getattr(store, use), store.trust_list, 9, NOW)
    assert problem(raw, store) is ListProblem.NOT_GENUINE


def test_list_of_an_expired_key_is_refused(store: Keystore) -> None:
    later = NOW + timedelta(days=800)
    assert problem(published(store), store, now=later) is ListProblem.NOT_GENUINE


def test_list_of_statuses_is_no_list_of_keys(store: Keystore) -> None:
    protected, payload, signature = trustlist.sign_jws(
        store.list_signer, "statuslist+jwt", b"{}"
    ).split(".")
    raw = {"protected": protected, "payload": payload, "signature": signature}
    assert problem(json.dumps(raw).encode(), store) is ListProblem.MALFORMED


def test_changed_byte_is_refused(store: Keystore) -> None:
    raw = published(store)
    for at in range(0, len(raw), 37):
        changed = bytearray(raw)
        changed[at] ^= 1
        with pytest.raises(ListRefused):
            trustlist.read(bytes(changed), store.root, now=NOW)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"{" * 5000,
        b'{"protected":1,"payload":2,"signature":3}',
        b'{"protected":"e30","payload":"e30","signature":"AA"}',
        b'{"protected":"e30","payload":"e30","signature":"AA","more":1}',
        b" " * (trustlist.MAX_LENGTH + 1),
    ],
)
def test_anything_else_is_refused(raw: bytes, store: Keystore) -> None:
    assert problem(raw, store) is ListProblem.MALFORMED


def test_key_that_is_not_the_one_of_its_certificate_is_refused(store: Keystore) -> None:
    said = trustlist.jwk_set(store.trust_list, with_compromised=True)
    said["keys"][0]["x"] = said["keys"][1]["x"]
    payload = json.dumps(said | {"version": 1, "issued": 1, "next_update": 2}).encode()
    protected, body, signature = trustlist.sign_jws(
        store.list_signer, trustlist.LIST_TYPE, payload
    ).split(".")
    raw = json.dumps({"protected": protected, "payload": body, "signature": signature})
    assert problem(raw.encode(), store) is ListProblem.MALFORMED


def test_payload_is_a_jwk_set(store: Keystore, tmp_path: Path) -> None:
    body = json.loads(published(store))["payload"]
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    key = said["keys"][0]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert len(base64.urlsafe_b64decode(key["x"] + "=")) == 32
    assert set(said) == {"keys", "roots", "version", "issued", "next_update"}
