"""The receiving end: who may bring what, and whose it becomes."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from emk_app import clock
from emk_app.api import exchange as api
from emk_app.api.routing import routes
from emk_app.crypto.messages import Message, ServiceKey, read_receipt, signed_headers
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import exchange
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.exchange import ReceivedDocument, SeenNonce, Shipment
from emk_app.db.tables.journal import AuditEntry
from emk_app.db.tables.notices import StoredNotice
from emk_app.domain.actors import SYSTEM, Actor, Position
from emk_app.domain.applications import ApplicationStatus, PapersTrack
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.domain.exchange import (
    DOCUMENT_LIMIT,
    DocumentRefused,
    Doubt,
    Format,
    ReceivedState,
    ShipmentEnded,
    ShipmentState,
    Statement,
)
from emk_app.domain.people import FullName
from emk_app.edge.allowance import Allowance
from emk_app.edge.guard import Guard
from emk_app.edge.site import Site
from emk_app.emk_app import ENDPOINTS
from emk_app.exchange import cda, fhir
from emk_app.keys import exchange_key
from emk_app.services import (
    consenting,
    examining,
    exchanging,
    issuing,
    jobs,
    receiving,
    reviewing,
)
from tests.factories import (
    make_clinic,
    make_holder,
    make_operator,
    make_physician,
    make_received,
    put,
)
from tests.services.test_exchanging import sign_anew
from tests.statements import FOREIGN_OID, made, partner

pytestmark = pytest.mark.usefixtures("world")

ORIGIN = "http://localhost:8000"
DOCUMENTS = "/api/exchange/v1/documents"


@pytest.fixture(autouse=True)
def at_ease(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Let the clock of the service stand where the story does, and nobody be throttled."""
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr(api, "allowance", Allowance(10_000, 10_000))


def ask(
    method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> httpx.Response:
    async def nothing_else(_scope: object, _receive: object, _send: object) -> None:
        raise AssertionError("our routes are answered before the framework")

    async def once() -> httpx.Response:
        site = Guard(Site(routes(ENDPOINTS), nothing_else))
        transport = httpx.ASGITransport(site)  # pyright: ignore[reportArgumentType]
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.request(method, path, headers=headers, content=body)

    return asyncio.run(once())


def signed(
    key: ServiceKey,
    body: bytes,
    at: datetime,
    *,
    name: str = "",
    kind: str = "application/xml",
    uri: str = ORIGIN + DOCUMENTS,
) -> dict[str, str]:
    message = Message("POST", uri, body, kind, name or secrets.token_hex(16))
    return signed_headers(key, message, at)


def bring(key: ServiceKey, said: Statement | bytes, at: datetime, **given: Any) -> httpx.Response:
    body = said if isinstance(said, bytes) else cda.write(said)
    return ask("POST", DOCUMENTS, signed(key, body, at, **given), body)


def kept() -> list[ReceivedDocument]:
    with reading() as db:
        return list(db.exec(select(ReceivedDocument).order_by(col(ReceivedDocument.id))).all())


def make_known(now: datetime, *, papers: bool = True, register: bool = True) -> Actor:
    """Return a holder whose papers an operator has approved, at a clinic that goes on."""
    holder = make_holder(now)
    make_application(holder, now, papers=papers)
    if register:
        register_foreign()
    return holder


def make_application(holder: Actor, now: datetime, *, papers: bool = True) -> int:
    draft = make_received(holder, now)
    if papers:
        approve(draft.number.slug, now)
    return draft.id


def approve(number: str, now: datetime) -> None:
    operator = make_operator(now)
    reviewing.take(operator, number, now=now)
    reviewing.approve(operator, number, now=now)


def register_foreign() -> None:
    clinic_id = make_clinic()
    with unit_of_work() as db:
        db.execute(sa.update(Clinic).where(col(Clinic.id) == clinic_id).values(oid=FOREIGN_OID))


def refusal_of(answer: httpx.Response) -> tuple[int, str]:
    said = answer.json()
    assert set(said) == {"code", "message", "id"}
    return answer.status_code, said["code"]


def test_a_conclusion_becomes_its_holders(now: datetime):
    holder = make_known(now)
    answer = bring(partner(now), made(), now)
    assert answer.status_code == 201, answer.text
    own = exchange_key()
    said = read_receipt(answer.content, {own.key_id: own.public})
    assert said["document"] == made().uid
    [found] = receiving.mine(holder)
    assert found.statement == made() and found.linked_at == now
    [row] = kept()
    assert (row.state, row.holder_id, row.expires_at) == (
        ReceivedState.LINKED,
        holder.user_id,
        None,
    )
    assert row.document_sealed and b"ClinicalDocument" not in row.document_sealed
    with reading() as db:
        acts = db.exec(
            select(AuditEntry.action).where(AuditEntry.subject_id == holder.user_id)
        ).all()
        notices = db.exec(
            select(StoredNotice.dedupe).where(StoredNotice.user_id == holder.user_id)
        ).all()
    assert "linked_received" in acts and f"received:{row.id}" in notices
    assert receiving.mine(make_holder(now)) == []


def test_a_bundle_is_taken_as_well(now: datetime):
    holder = make_known(now)
    body = fhir.write(made())
    answer = bring(partner(now), body, now, kind="application/fhir+json; charset=utf-8")
    assert answer.status_code == 201
    assert [each.statement for each in receiving.mine(holder)] == [made()]


def test_a_receipt_does_not_tell_whether_we_know_the_person(now: datetime):
    key = partner(now)
    unknown = bring(key, made(), now)
    make_known(now)
    known = bring(key, made(application="SPB-2026-78"), now)
    assert unknown.status_code == known.status_code == 201
    names = [set(json.loads(each.content)["receipt"]) for each in (unknown, known)]
    assert names[0] == names[1] == {"number", "document", "digest", "key", "received_at"}
    assert [row.state for row in kept()] == [ReceivedState.PENDING, ReceivedState.LINKED]


@pytest.mark.parametrize("way", ["none", "stranger", "removed", "other body", "other path", "get"])
def test_without_the_right_signature_nothing_is_taken(now: datetime, way: str):
    key, body = partner(now), cda.write(made())
    headers = signed(key, body, now)
    if way == "none":
        headers = {"content-type": "application/xml", "idempotency-key": "x" * 16}
    elif way == "stranger":
        headers = signed(ServiceKey.generate(), body, now)
    elif way == "removed":
        exchanging.remove_partner(SYSTEM, key.key_id, now=now)
    elif way == "other body":
        body = body.replace(b"118/76", b"119/76")
    elif way == "other path":
        headers = signed(key, body, now, uri=f"{ORIGIN}/api/exchange/v1/other")
    else:
        headers |= signed_headers(key, Message("GET", ORIGIN + DOCUMENTS), now)
    assert refusal_of(ask("POST", DOCUMENTS, headers, body)) == (401, "not_a_partner")
    assert kept() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-digest", "sha-256=:AAAA:"),
        ("content-type", "application/fhir+json"),
        ("idempotency-key", "another-key-of-mine"),
        ("signature", "emk=:AAAA:"),
        ("signature", "emk=:" + "A" * 86 + "==:"),
        ("signature-input", 'emk=("@method");created=1'),
    ],
)
def test_every_signed_part_counts(now: datetime, name: str, value: str):
    key, body = partner(now), cda.write(made())
    headers = signed(key, body, now) | {name: value}
    assert refusal_of(ask("POST", DOCUMENTS, headers, body)) == (401, "not_a_partner")


def test_a_request_is_taken_once(now: datetime):
    key, body = partner(now), cda.write(made())
    headers = signed(key, body, now)
    assert ask("POST", DOCUMENTS, headers, body).status_code == 201
    assert refusal_of(ask("POST", DOCUMENTS, headers, body)) == (401, "replayed")
    assert len(kept()) == 1


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_request_of_another_time_is_not_taken(now: datetime, minutes: int):
    answer = bring(partner(now), made(), now + timedelta(minutes=minutes))
    assert refusal_of(answer) == (401, "replayed")


def test_our_own_key_is_nobody_where_we_do_not_answer_ourselves(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    lone = replace(receiving.settings(), exchanges_with_itself=False)
    monkeypatch.setattr(receiving, "settings", lambda: lone)
    assert refusal_of(bring(exchange_key(), made(), now)) == (401, "not_a_partner")


def test_our_own_key_brings_only_what_we_have_sent(now: datetime):
    assert refusal_of(bring(exchange_key(), made(), now)) == (403, "foreign_organisation")
    assert kept() == []


def test_nobody_speaks_for_an_organisation_that_is_not_theirs(now: datetime):
    make_known(now)
    key = partner(now, "1.2.643.5.1.13.13.12.2.77.1")
    assert refusal_of(bring(key, made(), now)) == (403, "foreign_organisation")
    clinic = replace(made().clinic, oid="1.2.643.5.1.13.13.12.2.77.10")
    assert refusal_of(bring(key, made(clinic=clinic), now))[0] == 403
    assert kept() == []


def test_a_browser_is_not_a_partner(now: datetime):
    key, body = partner(now), cda.write(made())
    headers = signed(key, body, now) | {"origin": "https://evil.example"}
    assert refusal_of(ask("POST", DOCUMENTS, headers, body)) == (403, "foreign_origin")


def test_other_routes_still_want_their_origin(now: datetime):
    answer = ask("POST", "/session/exit", {})
    assert refusal_of(answer) == (403, "foreign_origin")


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "too large for the guard": (b" " * (DOCUMENT_LIMIT + 2000), 413, "body_too_large"),
    "too large": (b" " * (DOCUMENT_LIMIT + 1), 413, "body_too_large"),
    "an entity": (
        cda.write(made()).replace(
            b"<ClinicalDocument",
            b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><ClinicalDocument',
        ),
        422,
        "document_refused",
    ),
    "laughs": (
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
        422,
        "document_refused",
    ),
    "another schema": (b"<x/>", 422, "document_refused"),
    "a wrong СНИЛС": (cda.write(made(snils="11223344590")), 422, "document_refused"),
    "tomorrow's": (
        cda.write(made(signed_at=datetime.fromisoformat("2026-11-24T09:00:00+00:00"))),
        422,
        "document_refused",
    ),
    "nothing": (b"", 422, "document_refused"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_document_is_refused(now: datetime, what: str):
    body, status, code = REFUSED[what]
    assert refusal_of(bring(partner(now), body, now)) == (status, code)
    assert kept() == []


def test_an_unknown_format_is_refused(now: datetime):
    answer = bring(partner(now), made(), now, kind="text/plain")
    assert refusal_of(answer) == (415, "unknown_format")


@pytest.mark.parametrize("name", ["short", "x" * 81, "ключ-из-букв", "a b c d e f g h"])
def test_a_key_has_a_form(now: datetime, name: str):
    with pytest.raises((DocumentRefused, UnicodeError)):
        name.encode("ascii")
        receiving.receive(
            receiving.Sender("0" * 16, "", frozenset({FOREIGN_OID})),
            "application/xml",
            name,
            cda.write(made()),
            now=now,
        )


def test_the_same_again_gets_the_same_receipt(now: datetime):
    key = partner(now)
    first = bring(key, made(), now, name="n" * 16)
    again = bring(key, made(), now, name="n" * 16)
    renamed = bring(key, made(), now, name="m" * 16)
    assert [each.status_code for each in (first, again, renamed)] == [201, 200, 200]
    assert first.content == again.content == renamed.content
    assert len(kept()) == 1


def test_a_key_or_a_name_stands_for_one_document(now: datetime):
    key = partner(now)
    bring(key, made(), now, name="n" * 16)
    other = made(application="SPB-2026-99")
    assert refusal_of(bring(key, other, now, name="n" * 16)) == (409, "document_differs")
    changed = made(occupation="Пекарь")
    assert refusal_of(bring(key, changed, now)) == (409, "document_differs")


def test_another_partner_can_not_take_a_name(now: datetime):
    first, second = partner(now), partner(now)
    bring(first, made(), now)
    assert refusal_of(bring(second, made(), now)) == (409, "document_differs")


def test_a_later_version_stands_in_the_place_of_the_earlier(now: datetime):
    holder, key = make_known(now), partner(now)
    bring(key, made(), now)
    second = made(version=2, occupation="Пекарь")
    assert bring(key, second, now).status_code == 201
    assert [each.statement for each in receiving.mine(holder)] == [second]
    assert refusal_of(bring(key, made(version=1, work="иное"), now)) == (409, "document_differs")


def test_a_receipt_is_found_again_by_whom_it_belongs_to(now: datetime):
    key, other = partner(now), partner(now, "1.2.643.5.1.13.13.12.2.77.1")
    first = bring(key, made(), now, name="n" * 16)
    path = f"/api/exchange/v1/receipts/{'n' * 16}"

    def find(by: ServiceKey) -> httpx.Response:
        return ask("GET", path, signed_headers(by, Message("GET", ORIGIN + path), now))

    assert find(key).content == first.content
    assert refusal_of(find(other)) == (404, "not_found")
    assert refusal_of(find(ServiceKey.generate())) == (401, "not_a_partner")
    assert refusal_of(ask("GET", path, {})) == (401, "not_a_partner")


DOUBTS: dict[str, tuple[dict[str, Any], Doubt]] = {
    "another name": ({"name": FullName("Иванова", "Марина", "Сергеевна")}, Doubt.NAME),
    "another birth date": ({"born_on": date(1990, 3, 28)}, Doubt.BIRTH_DATE),
}


@pytest.mark.parametrize("what", DOUBTS)
def test_what_does_not_agree_with_the_papers_waits_apart(now: datetime, what: str):
    changed, doubt = DOUBTS[what]
    holder = make_known(now)
    assert bring(partner(now), made(**changed), now).status_code == 201
    [row] = kept()
    assert (row.state, row.doubt, row.holder_id) == (ReceivedState.QUARANTINED, doubt, None)
    assert receiving.mine(holder) == []


def test_an_unregistered_clinic_is_doubted(now: datetime):
    make_known(now, register=False)
    bring(partner(now), made(), now)
    [row] = kept()
    assert (row.state, row.doubt) == (ReceivedState.QUARANTINED, Doubt.CLINIC_UNKNOWN)
    register_foreign()
    assert receiving.compare_again(SYSTEM, row.id, now=now) is ReceivedState.LINKED


def test_two_accounts_of_one_number_get_nothing(now: datetime):
    first = make_known(now)
    put(only_application(first), status=ApplicationStatus.APPROVED)
    second = make_known(now, register=False)
    bring(partner(now), made(), now)
    [row] = kept()
    assert (row.state, row.doubt) == (ReceivedState.QUARANTINED, Doubt.SEVERAL_HOLDERS)
    assert receiving.mine(first) == receiving.mine(second) == []


def only_application(holder: Actor) -> int:
    with reading() as db:
        return db.exec(select(Application.id).where(Application.holder_id == holder.user_id)).one()


def test_who_only_typed_the_number_gets_nothing_until_the_papers_are_approved(now: datetime):
    holder = make_known(now, papers=False)
    bring(partner(now), made(), now)
    assert [row.state for row in kept()] == [ReceivedState.PENDING]
    assert receiving.mine(holder) == []
    with reading() as db:
        number = db.exec(select(Application.tracking_number)).one()
    approve(number, now)
    works: dict[str, jobs.Work] = {receiving.MATCH: receiving.match_waiting}
    assert jobs.run_due(works, now=now) == 1
    assert [each.statement for each in receiving.mine(holder)] == [made()]


def test_what_came_in_the_moment_of_the_approval_is_not_missed(now: datetime):
    holder = make_known(now, papers=False)
    bring(partner(now), made(), now)
    put(only_application(holder), papers=PapersTrack.APPROVED)
    assert receiving.sweep(now=now + timedelta(days=31)) == 0
    assert [each.statement for each in receiving.mine(holder)] == [made()]


def test_an_approval_that_does_not_stand_shows_nothing(now: datetime):
    holder = make_known(now)
    bring(partner(now), made(), now)
    put(only_application(holder), papers=PapersTrack.TAKEN)
    assert receiving.mine(holder) == []


def test_without_a_consent_nothing_is_linked(now: datetime):
    holder = make_known(now)
    consenting.withdraw(holder, now=now)
    bring(partner(now), made(), now)
    assert [row.state for row in kept()] == [ReceivedState.PENDING]


def test_a_document_changes_neither_application_nor_book(now: datetime):
    holder = make_known(now)
    application_id = only_application(holder)
    with reading() as db:
        before = db.exec(select(Application.status, Application.papers, Application.version)).one()
    bring(partner(now), made(), now)
    with reading() as db:
        after = db.exec(select(Application.status, Application.papers, Application.version)).one()
    assert after == before and application_id
    assert issuing.card(holder, now=now) is None


def test_what_still_counts_is_offered_to_the_physician(now: datetime):
    holder = make_known(now)
    old = replace(made().studies[0], performed_on=date(2020, 1, 1), valid_until=None)
    mean = replace(made().studies[2], value="perfect")
    studies = (old, made().studies[1], mean, *made().studies[3:])
    bring(partner(now), made(studies=studies), now)
    with reading() as db:
        application = db.get(Application, only_application(holder))
    assert application is not None and application.clinic_id is not None
    chair = make_physician(application.clinic_id, now, Position.CHAIR)
    examination_id = examining.open_case(chair, application.tracking_number, now=now)
    examining.confirm_identity(chair, examination_id, now=now)
    shown = examining.view(chair, examination_id, now=now)
    assert set(shown.offers) == {"bp", "glucose", "hygiene"}
    offer = shown.offers["bp"]
    assert (offer.result.value, offer.result.performed_on) == ("118/76", date(2026, 11, 19))
    examining.take_over(chair, examination_id, "bp", now=now)
    entry = examining.view(chair, examination_id, now=now).entries["bp"]
    assert entry.source == "exchange" and "Поликлиника № 5" in entry.details.performer
    examining.take_over(chair, examination_id, "bp", now=now)


def test_what_nobody_claims_is_erased(now: datetime):
    bring(partner(now), made(), now)
    assert receiving.sweep(now=now + timedelta(days=29)) == 0
    assert receiving.sweep(now=now + timedelta(days=30)) == 1
    [row] = kept()
    assert (row.state, row.document_sealed, row.snils_blind) == (ReceivedState.EXPIRED, None, None)
    with reading() as db:
        assert db.exec(select(SeenNonce)).all() == []
    with pytest.raises(ShipmentEnded):
        receiving.drop(SYSTEM, row.id, now=now)


def test_the_administrator_sees_and_refuses_without_reading(now: datetime):
    holder = make_known(now)
    bring(partner(now), made(born_on=date(1990, 3, 28)), now)
    [waiting] = receiving.undecided(SYSTEM, now=now)
    assert (waiting.partner, waiting.doubt) == ("МИС Северная", Doubt.BIRTH_DATE)
    assert "Иванова" not in repr(waiting)
    for act in (receiving.drop, receiving.compare_again):
        for actor in (holder, make_operator(now)):
            with pytest.raises(NotPermitted):
                act(actor, waiting.id, now=now)
        with pytest.raises(NotFound):
            act(SYSTEM, 999, now=now)
    assert receiving.compare_again(SYSTEM, waiting.id, now=now) is ReceivedState.QUARANTINED
    receiving.drop(SYSTEM, waiting.id, now=now)
    assert receiving.undecided(SYSTEM, now=now) == []
    assert kept()[0].document_sealed is None


def test_two_at_once_bring_it_once(now: datetime):
    key = partner(now)
    body, outcomes = cda.write(made()), []
    sender = receiving.Sender(key.key_id, "МИС", frozenset({FOREIGN_OID}))

    async def both() -> None:
        tasks = [
            asyncio.to_thread(receiving.receive, sender, "application/xml", name, body, now=now)
            for name in ("n" * 16, "n" * 16, "m" * 16)
        ]
        outcomes.extend(await asyncio.gather(*tasks))

    asyncio.run(both())
    assert [each.is_new for each in outcomes].count(True) == 1
    assert len({each.receipt for each in outcomes}) == 1 and len(kept()) == 1


def test_the_same_brought_between_two_reads_of_another_is_no_older_version(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    key = partner(now)
    body = cda.write(made())
    first = bring(key, body, now)
    asked: list[str] = []

    def as_before(name: str, nothing: object, read: Callable[..., Any]) -> None:
        def one(*given: Any) -> Any:
            asked.append(name)
            return nothing if len(asked) == 1 else read(*given)

        monkeypatch.setattr(exchange, name, one)

    as_before("received_as", None, exchange.received_as)
    as_before("newest_version", 0, exchange.newest_version)
    again = bring(key, body, now)
    assert len(asked) == 2
    assert (again.status_code, again.content) == (200, first.content)


@pytest.mark.parametrize("form", [Format.CDA, Format.FHIR])
def test_the_embedded_default_answers_itself_with_a_receipt(
    now: datetime, form: Format, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        exchanging, "settings", lambda: replace(receiving.settings(), exchange_format=form)
    )
    _, chair, examination_id = sign_anew(now)

    class Here:
        def send(self, document: exchanging.Document, at: datetime) -> exchanging.Receipt:
            key = exchange_key()
            gateway = exchanging.ExchangeGateway(ORIGIN + DOCUMENTS, key, {key.key_id: key.public})
            answer = bring(key, document.body, at, name=document.key, kind=document.media_type)
            assert answer.status_code == 201, answer.text
            return gateway._receipt(answer.content, document)

    assert exchanging.deliver_due(Here(), clock=lambda: now) == 1
    progress = exchanging.progress(chair, examination_id)
    assert progress is not None and progress.state is ShipmentState.DELIVERED
    assert [row.state for row in kept()] == [ReceivedState.OWN]
    with reading() as db:
        assert db.exec(select(Shipment.receipt_number)).one() == kept()[0].ref


def test_one_address_has_a_bound(now: datetime, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(api, "allowance", Allowance(1, 1e-6))
    key = partner(now)
    assert bring(key, made(), now).status_code == 201
    answer = bring(key, made(), now)
    assert refusal_of(answer) == (429, "too_many_attempts")
    assert answer.headers["retry-after"]


def test_logs_and_answers_say_nothing_of_the_person(
    now: datetime, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    make_known(now)
    key = partner(now)
    answers = [
        bring(key, made(), now),
        bring(key, made(snils="11223344590"), now),
        bring(key, made(application="X-1", born_on=date(1990, 3, 28)), now),
    ]
    told = caplog.text + "".join(each.text for each in answers)
    assert "snils" in told
    for secret in ("Иванова", "11223344595", "1122334459", "1990"):
        assert secret not in told


def test_partners_are_the_administrators(now: datetime):
    key = partner(now)
    [shown] = exchanging.list_partners(SYSTEM)
    assert (shown.key_id, shown.oids, shown.removed_at) == (key.key_id, (FOREIGN_OID,), None)
    acts: list[Callable[[Actor], object]] = [
        exchanging.list_partners,
        lambda actor: exchanging.remove_partner(actor, key.key_id, now=now),
    ]
    for act in acts:
        for actor in (make_holder(now), make_operator(now)):
            with pytest.raises(NotPermitted):
                act(actor)
    exchanging.remove_partner(SYSTEM, key.key_id, now=now)
    with pytest.raises(NotFound):
        exchanging.remove_partner(SYSTEM, key.key_id, now=now)
