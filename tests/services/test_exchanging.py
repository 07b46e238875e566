"""A signed conclusion on its way out: put beside the signature, sent until a receipt is there."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from emk_app.crypto.messages import (
    Message,
    ServiceKey,
    check,
    read_claim,
    sign_receipt,
)
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.exchange import Shipment
from emk_app.demo.stories import good_entry
from emk_app.domain.actors import SYSTEM, Actor, Position, Role
from emk_app.domain.clearance import Fitness
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.domain.exchange import LONGEST_TRYING, Format, ShipmentEnded, ShipmentState
from emk_app.exchange import cda, fhir
from emk_app.keys import exchange_key
from emk_app.outbound.exchange import Document, ExchangeGateway, Receipt
from emk_app.outbound.transports import Refused
from emk_app.services import examining, exchanging, overseeing
from emk_app.settings import settings
from tests.factories import (
    make_clinic,
    make_holder,
    make_operator,
    make_physician,
    make_received,
)
from tests.scenes import kept

pytestmark = pytest.mark.usefixtures("world")


def sign_anew(now: datetime, holder: Actor | None = None) -> tuple[Actor, Actor, int]:
    """Return holder, chair and examination of a conclusion signed on the road everybody goes."""
    holder = holder or make_holder(now)
    clinic_id = make_clinic()
    chair = make_physician(clinic_id, now, Position.CHAIR, name="Седов Виктор Ильич")
    number = make_received(holder, now, clinic_id=clinic_id).number.slug
    examination_id = examining.open_case(chair, number, now=now)
    examining.confirm_identity(chair, examination_id, now=now)
    seen = examining.view(chair, examination_id, now=now)
    for study in seen.programme:
        text = good_entry(study, now.date())
        examining.enter_result(
            chair, examination_id, study.code, text, f"{now:%d.%m.%Y}", confirmed=True, now=now
        )
    signer = replace(chair, factor_at=now, session_id=1)
    version = examining.view(signer, examination_id, now=now).version
    examining.conclude_and_sign(signer, examination_id, Fitness.FIT, seen=version, now=now)
    return holder, chair, examination_id


sign = kept(sign_anew)


def shipment() -> Shipment:
    with reading() as db:
        return db.exec(select(Shipment)).one()


class Other:
    """A receiving end of another maker, that answers as it is told."""

    def __init__(self) -> None:
        self.key = ServiceKey.generate()
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.status = 201
        self.headers: dict[str, str] = {}
        self.changes: dict[str, str] = {}
        self.body: bytes | None = None
        self.wait = 0.0
        self.drips = False

    def receipt(self, headers: dict[str, str], body: bytes) -> bytes:
        if self.body is not None:
            return self.body
        said = {
            "number": "Q-1",
            "document": shipment().document_uid,
            "digest": hashlib.sha256(body).hexdigest(),
            "key": headers["idempotency-key"],
        }
        return sign_receipt(self.key, said | self.changes)


@contextmanager
def listening(other: Other) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            other.taken.append((headers, body))
            time.sleep(other.wait)
            said = other.receipt(headers, body) if other.status < 300 else b"{}"
            self.send_response(other.status)
            for name, value in other.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/documents"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def other() -> Other:
    return Other()


@pytest.fixture
def address(other: Other) -> Iterator[str]:
    with listening(other) as url:
        yield url


def send(
    other: Other, address: str, at: datetime, patience: float = 5, believes: bool = True
) -> int:
    keys = {other.key.key_id: other.key.public} if believes else {}
    gateway = ExchangeGateway(address, exchange_key(), keys, patience=patience)
    return exchanging.deliver_due(gateway, clock=lambda: at, jitter=lambda: 0.5)


def test_signing_puts_the_conclusion_on_its_way(now: datetime):
    _, chair, examination_id = sign(now)
    row = shipment()
    assert (row.examination_id, row.state, row.attempts) == (
        examination_id,
        ShipmentState.WAITING,
        0,
    )
    progress = exchanging.progress(chair, examination_id)
    assert progress is not None and progress.state is ShipmentState.WAITING


def test_a_document_arrives_signed_and_its_receipt_is_kept(
    now: datetime, other: Other, address: str
):
    holder, chair, examination_id = sign(now)
    assert send(other, address, now) == 1
    [(headers, body)] = other.taken
    claim = read_claim(headers["signature-input"], headers["signature"])
    message = Message("POST", address, body, headers["content-type"], headers["idempotency-key"])
    check(message, headers["content-digest"], claim, exchange_key().public)
    assert claim.key_id == exchange_key().key_id
    said = cda.read(body)
    assert said.snils == "11223344595" and said.conclusion.fitness is Fitness.FIT
    assert len(said.studies) == len(examining.view(chair, examination_id, now=now).programme)
    row = shipment()
    assert (row.state, row.receipt_number, row.delivered_at) == (
        ShipmentState.DELIVERED,
        "Q-1",
        now,
    )
    assert row.receipt is not None and json.loads(row.receipt)["key"] == other.key.key_id
    for actor in (chair, holder):
        progress = exchanging.progress(actor, examination_id)
        assert progress is not None and progress.receipt == "Q-1"
    assert send(other, address, now) == 0


def test_a_bundle_leaves_where_the_settings_say_so(
    now: datetime, other: Other, address: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        exchanging, "settings", lambda: replace(settings(), exchange_format=Format.FHIR)
    )
    sign_anew(now)
    send(other, address, now)
    [(headers, body)] = other.taken
    assert headers["content-type"] == "application/fhir+json"
    assert fhir.read(body).snils == "11223344595"


@pytest.mark.parametrize(
    ("status", "failure", "state"),
    [
        (500, "busy", ShipmentState.WAITING),
        (503, "busy", ShipmentState.WAITING),
        (429, "busy", ShipmentState.WAITING),
        (401, "unauthorized", ShipmentState.WAITING),
        (404, "unauthorized", ShipmentState.WAITING),
        (302, "unclear", ShipmentState.WAITING),
        (409, "refused", ShipmentState.DEAD),
        (422, "refused", ShipmentState.DEAD),
    ],
)
def test_an_answer_decides_whether_to_try_again(
    now: datetime, other: Other, address: str, status: int, failure: str, state: ShipmentState
):
    sign(now)
    other.status = status
    send(other, address, now)
    row = shipment()
    assert (row.state, row.failure) == (state, failure)
    other.status = 201
    assert send(other, address, now) == 0
    send(other, address, now + timedelta(seconds=30))
    expected = ShipmentState.DELIVERED if state is ShipmentState.WAITING else state
    assert shipment().state is expected


def test_the_same_bytes_leave_under_the_same_key_at_every_try(
    now: datetime, other: Other, address: str
):
    sign(now)
    other.status = 500
    for minutes in (0, 10, 60):
        send(other, address, now + timedelta(minutes=minutes))
    assert len({(headers["idempotency-key"], body) for headers, body in other.taken}) == 1
    assert len({headers["signature-input"] for headers, _ in other.taken}) == 3


def test_pauses_grow_and_end(now: datetime, other: Other, address: str):
    sign(now)
    other.status = 503
    dues: list[timedelta] = []
    at = now
    for _ in range(4):
        send(other, address, at)
        dues.append(shipment().due_at - at)
        at = shipment().due_at
    assert dues == sorted(dues) and dues[-1] > dues[0]
    send(other, address, now + LONGEST_TRYING)
    assert shipment().state is ShipmentState.DEAD


def test_the_other_side_may_ask_for_a_pause(now: datetime, other: Other, address: str):
    sign(now)
    other.status, other.headers = 503, {"Retry-After": "3600"}
    send(other, address, now)
    assert shipment().due_at == now + timedelta(hours=1)


def test_a_slow_answer_is_a_failed_try(now: datetime, other: Other, address: str):
    sign(now)
    other.wait = 1.0
    send(other, address, now, patience=0.2)
    assert (shipment().state, shipment().failure) == (ShipmentState.WAITING, "unreachable")


def test_nobody_at_the_address_is_a_failed_try(now: datetime, other: Other):
    sign(now)
    send(other, "http://127.0.0.1:9/documents", now)
    assert (shipment().state, shipment().failure) == (ShipmentState.WAITING, "unreachable")


FALSE_RECEIPTS: dict[str, dict[str, Any]] = {
    "of another document": {"changes": {"document": "1.2^x"}},
    "of other bytes": {"changes": {"digest": "0" * 64}},
    "of another key": {"changes": {"key": "x" * 32}},
    "without a number": {"changes": {"number": ""}},
    "unsigned": {"body": b'{"receipt":{"number":"Q-1"}}'},
    "a page": {"body": b"<html>sign in</html>"},
    "too long": {"body": b"[" * 100_000},
    "nothing": {"body": b""},
}


@pytest.mark.parametrize("what", FALSE_RECEIPTS)
def test_a_false_receipt_proves_nothing(now: datetime, other: Other, address: str, what: str):
    sign(now)
    for name, value in FALSE_RECEIPTS[what].items():
        setattr(other, name, value)
    send(other, address, now)
    assert (shipment().state, shipment().failure) == (ShipmentState.WAITING, "receipt")


def test_a_receipt_of_a_stranger_proves_nothing(now: datetime, other: Other, address: str):
    sign(now)
    send(other, address, now, believes=False)
    assert (shipment().state, shipment().failure) == (ShipmentState.WAITING, "receipt")


def test_a_killed_worker_is_followed_by_another_when_its_lease_is_over(
    now: datetime, other: Other, address: str
):
    sign(now)

    class Killed:
        def send(self, document: Document, at: datetime) -> Receipt:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exchanging.deliver_due(Killed(), clock=lambda: now)
    assert send(other, address, now + timedelta(minutes=1)) == 0
    assert send(other, address, now + timedelta(minutes=3)) == 1
    assert shipment().state is ShipmentState.DELIVERED


def test_a_document_in_the_hands_of_a_clock_that_was_ahead_is_free(
    now: datetime, other: Other, address: str
):
    sign(now)

    class Killed:
        def send(self, document: Document, at: datetime) -> Receipt:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exchanging.deliver_due(Killed(), clock=lambda: now + timedelta(hours=1))
    assert send(other, address, now) == 1
    assert shipment().state is ShipmentState.DELIVERED


def test_a_receipt_counts_though_the_lease_ran_out(now: datetime, other: Other, address: str):
    sign(now)

    class Slow:
        def send(self, document: Document, at: datetime) -> Receipt:
            send(other, address, now + timedelta(minutes=5))
            return Receipt("late", b"{}")

    exchanging.deliver_due(Slow(), clock=lambda: now)
    assert (shipment().state, shipment().receipt_number) == (ShipmentState.DELIVERED, "Q-1")


def test_a_document_that_breaks_our_own_rules_never_leaves(
    now: datetime, other: Other, address: str, monkeypatch: pytest.MonkeyPatch
):
    sign(now)
    monkeypatch.setitem(
        exchanging.WRITERS, Format.CDA, lambda said: cda.write(replace(said, snils="1"))
    )
    send(other, address, now)
    assert other.taken == []
    assert (shipment().state, shipment().failure) == (
        ShipmentState.DEAD,
        "schema rule:snils",
    )
    monkeypatch.undo()
    exchanging.retry(SYSTEM, shipment().id, now=now)
    send(other, address, now)
    assert shipment().state is ShipmentState.DELIVERED


def test_the_administrator_sees_tries_again_and_lays_aside(
    now: datetime, other: Other, address: str
):
    _, chair, _ = sign(now)
    other.status = 422
    send(other, address, now)
    seen = overseeing.health(Actor(1, Role.ADMIN), now=now)
    assert (seen.conclusions_waiting, seen.conclusions_dead) == (0, 1)
    [stuck] = exchanging.stuck(SYSTEM, now=now)
    assert (stuck.state, stuck.failure) == (ShipmentState.DEAD, "refused")
    for actor in (chair, make_operator(now), make_holder(now)):
        with pytest.raises(NotPermitted):
            exchanging.stuck(actor, now=now)
        with pytest.raises(NotPermitted):
            exchanging.retry(actor, stuck.id, now=now)
        with pytest.raises(NotPermitted):
            exchanging.drop(actor, stuck.id, now=now)
    exchanging.drop(SYSTEM, stuck.id, now=now)
    with pytest.raises(ShipmentEnded):
        exchanging.retry(SYSTEM, stuck.id, now=now)
    assert send(other, address, now) == 0
    with pytest.raises(NotFound):
        exchanging.drop(SYSTEM, 999, now=now)


def test_what_has_arrived_is_not_sent_again(now: datetime, other: Other, address: str):
    sign(now)
    send(other, address, now)
    with pytest.raises(ShipmentEnded):
        exchanging.retry(SYSTEM, shipment().id, now=now)


def test_strangers_do_not_see_how_far_it_is(now: datetime):
    _, _, examination_id = sign(now)
    foreign = make_physician(make_clinic(), now, Position.CHAIR)
    for actor in (foreign, make_holder(now)):
        with pytest.raises(NotFound):
            exchanging.progress(actor, examination_id)
    with pytest.raises(NotPermitted):
        exchanging.progress(make_operator(now), examination_id)


def test_logs_say_nothing_of_the_person(
    now: datetime, other: Other, address: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    sign(now)
    other.status = 500
    send(other, address, now)

    class Fault:
        def send(self, document: Document, at: datetime) -> Receipt:
            raise RuntimeError(document.body.decode())

    exchanging.deliver_due(Fault(), clock=lambda: now + timedelta(hours=1))
    assert "shipment" in caplog.text
    for secret in ("Иванова", "11223344595", "112-233", "ClinicalDocument"):
        assert secret not in caplog.text


def test_what_was_signed_leaves_whatever_has_changed_since(
    now: datetime, other: Other, address: str
):
    sign(now)
    with unit_of_work() as db:
        db.execute(sa.text("UPDATE clinics SET name = 'Другое имя'"))
    send(other, address, now)
    assert "поликлиника" in cda.read(other.taken[0][1]).clinic.name


def test_a_document_stands_sealed_in_the_database(now: datetime, other: Other, address: str):
    sign(now)
    send(other, address, now)
    sealed = shipment().document_sealed
    assert sealed and b"ClinicalDocument" not in sealed and "Иванова".encode() not in sealed


def test_a_refused_receipt_is_no_reason_to_forget(now: datetime):
    sign(now)

    class Never:
        def send(self, document: Document, at: datetime) -> Receipt:
            raise Refused("refused")

    exchanging.deliver_due(Never(), clock=lambda: now)
    assert exchanging.deliver_due(Never(), clock=lambda: now + timedelta(days=3)) == 0
    assert [each.state for each in exchanging.stuck(SYSTEM, now=now)] == [ShipmentState.DEAD]
