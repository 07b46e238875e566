"""Signed conclusions on their way to the system of ОМС: put beside the signature, sent until a
receipt is there.
"""

from __future__ import annotations

import hashlib
import logging
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import Session, col

from emk_app.clock import day_of
from emk_app.db import changes, leases
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.leases import LEASE
from emk_app.db.repositories import applications, books, examinations
from emk_app.db.repositories import exchange as rows
from emk_app.db.tables.examinations import Examination, SignedConclusion
from emk_app.db.tables.exchange import ExchangePartner, Shipment
from emk_app.domain.actors import Actor, Position, Role, permit, permit_position
from emk_app.domain.books import BookNumber
from emk_app.domain.clearance import Conclusion, Fitness
from emk_app.domain.errors import NotFound
from emk_app.domain.examinations import ExaminationKind, ItemKind
from emk_app.domain.exchange import (
    LONGEST_PAUSE,
    MEDIA_TYPES,
    TRIES,
    DocumentRefused,
    Format,
    Organisation,
    ShipmentEnded,
    ShipmentState,
    Shot,
    Statement,
    Study,
    is_given_up,
    pause_after,
)
from emk_app.domain.people import FullName, Sex
from emk_app.domain.vaccinations import RecordKind
from emk_app.exchange import cda, fhir
from emk_app.keys import exchange_key
from emk_app.outbound.exchange import Document, ExchangeGateway, Receipt
from emk_app.outbound.transports import NotSent, Refused, Unavailable
from emk_app.services import auditing, reports
from emk_app.settings import settings

log = logging.getLogger("emk.exchange")

TOPIC: Final = "exchange"
"""Longer than any receiving end is waited for."""
BATCH: Final = 20
SHOWN: Final = 100
PATH: Final = "/api/exchange/v1/documents"
WRITERS: Final[dict[Format, Callable[[Statement], bytes]]] = {
    Format.CDA: cda.write,
    Format.FHIR: fhir.write,
}
READERS: Final[dict[Format, Callable[[bytes], Statement]]] = {
    Format.CDA: cda.read,
    Format.FHIR: fhir.read,
}


class Gateway(Protocol):
    """Something that takes documents."""

    def send(self, document: Document, at: datetime) -> Receipt:
        """Return the receipt, or raise ``NotSent``."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the newest conclusion of an examination has come."""

    state: ShipmentState
    receipt: str
    delivered_at: datetime | None
    is_failing: bool


@dataclass(frozen=True, slots=True)
class StuckShipment:
    """A document that has not left in its time: of nobody in clear."""

    id: int
    examination_id: int
    format: Format
    state: ShipmentState
    failure: str
    attempts: int
    created_at: datetime
    due_at: datetime


def enqueue(db: Session, signed: SignedConclusion, *, now: datetime) -> None:
    """Put a signed conclusion on its way; part of the transaction that signs it."""
    if signed.report_sealed is None:
        return
    db.add(
        Shipment(
            signed_id=signed.id,
            examination_id=signed.examination_id,
            format=settings().exchange_format,
            state=ShipmentState.WAITING,
            idempotency_key=secrets.token_hex(16),
            created_at=now,
            due_at=now,
        )
    )
    changes.announce(db, TOPIC)


def gateway() -> Gateway | None:
    """Return where documents go: the address of the settings, or outside production ourselves."""
    given = settings()
    if given.exchange_url is not None:
        with reading() as db:
            believed = rows.receipt_keys(db)
        return ExchangeGateway(given.exchange_url, exchange_key(), believed)
    if not given.exchanges_with_itself:
        return None
    key = exchange_key()
    host = "127.0.0.1" if given.host in ("0.0.0.0", "localhost") else given.host
    host = f"[{host}]" if ":" in host else host
    return ExchangeGateway(
        f"{given.origin}{PATH}",
        key,
        {key.key_id: key.public},
        address=f"http://{host}:{given.port}{PATH}",
    )


def deliver_due(
    gateway: Gateway | None,
    *,
    clock: Callable[[], datetime],
    jitter: Callable[[], float] = random.random,
) -> int:
    """Send what is due, at most a batch; return how many were tried.

    A receiving end that takes nothing now is left alone until the next round.
    """
    tried = 0
    while gateway is not None and tried < BATCH:
        shipment = _take(clock())
        if shipment is None:
            break
        tried += 1
        try:
            receipt = gateway.send(_document(shipment), clock())
        except NotSent as error:
            _put_back(shipment, error, clock(), jitter())
            if isinstance(error, Unavailable):
                break
        except Exception as error:
            # What an unknown error says may quote the document, so only its kind is logged.
            log.warning("shipment %s: %s", shipment.id, type(error).__name__)
            _put_back(shipment, NotSent("fault"), clock(), jitter())
        else:
            _delivered(shipment, receipt, clock())
    return tried


def progress(actor: Actor, examination_id: int) -> Progress | None:
    """Return how far the conclusion of the actor's own examination has come; None before it."""
    permit(actor, Role.HOLDER, Role.CLINIC)
    with reading() as db:
        examination = db.get(Examination, examination_id)
        if examination is None:
            raise NotFound
        if actor.role is Role.CLINIC:
            if permit_position(actor, *Position) != examination.clinic_id:
                raise NotFound
        else:
            applications.own(db, actor, examination.application_id)
        return progress_of(db, examination_id)


def progress_of(db: Session, examination_id: int) -> Progress | None:
    """Return the same to a service that has asked who may see it."""
    found = rows.shipments_of(db, examination_id)
    if not found:
        return None
    last = found[-1]
    return Progress(
        last.state, last.receipt_number, last.delivered_at, is_failing=last.failure != ""
    )


def stuck(actor: Actor, *, now: datetime) -> list[StuckShipment]:
    """Return documents that were given up, then those that failed so far, newest first."""
    permit(actor, Role.ADMIN, Role.SYSTEM)
    if actor.role is Role.ADMIN:
        auditing.look(actor, "exchange", fields="stuck", now=now)
    with reading() as db:
        return [
            StuckShipment(
                row.id,
                row.examination_id,
                row.format,
                row.state,
                row.failure,
                row.attempts,
                row.created_at,
                row.due_at,
            )
            for row in rows.stuck(db, SHOWN)
        ]


def retry(actor: Actor, shipment_id: int, *, now: datetime) -> None:
    """Try a document again as if it were new; raise ``ShipmentEnded`` where it has arrived.

    One that our own schema refused is written anew.
    """
    _decide(actor, shipment_id, "retry_shipment", ShipmentState.WAITING, now)


def drop(actor: Actor, shipment_id: int, *, now: datetime) -> None:
    """Lay a document aside for good; raise ``ShipmentEnded`` where it has arrived."""
    _decide(actor, shipment_id, "drop_shipment", ShipmentState.DROPPED, now)


def statement_of(db: Session, signed: SignedConclusion) -> Statement:
    """Return what was signed, from the structure that was signed and from nothing else.

    Only the book's number, which no conclusion can know of itself, is added where there is one.
    Raises ``DocumentRefused`` for a conclusion that is older than such structures.
    """
    said = reports.signed_report(db, signed)
    if said is None:
        raise DocumentRefused("no report")
    examination = db.get(Examination, signed.examination_id)
    assert examination is not None
    application = applications.get(db, examination.application_id)
    book = books.newest_of(db, application.holder_id)
    patient, work, clinic, end = (
        said[part] for part in ("patient", "work", "clinic", "conclusion")
    )
    signed_at = datetime.fromisoformat(said["signed_at"]).astimezone(UTC)
    referred_at = application.submitted_at or examination.opened_at
    chair = said["chair"]
    return Statement(
        application=said["application"],
        version=said["number"],
        signed_at=signed_at,
        name=FullName(patient["last_name"], patient["first_name"], patient["patronymic"] or None),
        born_on=date.fromisoformat(patient["born_on"]),
        sex=Sex(patient["sex"]),
        snils=patient["snils"],
        referred_on=min(day_of(referred_at), day_of(signed_at)),
        kind=ExaminationKind(said["kind"]),
        point=work["point"],
        work=work["legal_name"],
        occupation=work["name"],
        book_number=BookNumber.parse(book.number).digits if book else "",
        clinic=Organisation(
            clinic["oid"], clinic["name"], clinic["ogrn"], clinic["address"], clinic["phone"]
        ),
        chair_id=chair["id"],
        chair=chair["name"],
        commission=tuple(
            dict.fromkeys(
                [
                    chair["name"],
                    *(each["entered_by"] for each in said["lines"] if each["entered_by"]),
                ]
            )
        ),
        studies=tuple(_study(line) for line in said["lines"]),
        shots=tuple(_shot(each) for each in said["vaccinations"]),
        conclusion=Conclusion(
            fitness=Fitness(end["fitness"]),
            restrictions=end["restrictions"],
            until=_day(end["until"]),
            note=end["note"],
            contraindications=end["contraindications"],
        ),
    )


def _study(line: dict[str, Any]) -> Study:
    shown = f"{line['value']} {line['unit']}".strip()
    return Study(
        code=line["code"],
        name=line["name"],
        kind=ItemKind(line["kind"]),
        value=line["raw"],
        shown=shown,
        deviation=line["deviation"],
        performed_on=date.fromisoformat(line["performed_on"]),
        valid_until=_day(line["valid_until"]),
        performer=line["performer"],
        device=line["device"],
        number=line["number"],
    )


def _shot(said: dict[str, Any]) -> Shot:
    return Shot(
        code=said["code"],
        name=said["name"],
        kind=RecordKind(said["kind"]),
        on=date.fromisoformat(said["on"]),
        dose=said["dose"],
        vaccine=said["vaccine"],
        series=said["series"],
        until=_day(said["until"]),
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _document(shipment: Shipment) -> Document:
    """Return the document of a leased shipment, writing and keeping it at the first try.

    Raises ``Refused`` where it breaks our own rules: such a document never leaves.
    """
    with unit_of_work() as db:
        row = rows.locked_shipment(db, shipment.id)
        signed = db.get(SignedConclusion, row.signed_id)
        assert signed is not None
        examination = db.get(Examination, row.examination_id)
        assert examination is not None
        application = applications.get(db, examination.application_id)
        holder = examinations.vault_of(db, application)
        if row.document_sealed is None:
            try:
                statement = statement_of(db, signed)
                body = WRITERS[row.format](statement)
                READERS[row.format](body)
            except DocumentRefused as error:
                raise Refused(f"schema {error.rule}"[:80]) from None
            row.document_sealed = holder.seal(body.decode(), *rows.DOCUMENT, row.id)
            row.document_uid = statement.uid
            row.digest = hashlib.sha256(body).hexdigest()
            db.add(row)
        else:
            body = holder.open(row.document_sealed, *rows.DOCUMENT, row.id).encode()
        return Document(
            body, MEDIA_TYPES[row.format], row.idempotency_key, row.document_uid, row.digest
        )


def _take(now: datetime) -> Shipment | None:
    """Lease the next shipment that is due."""
    while True:
        with unit_of_work() as db:
            found = rows.due(db, now)
            if found is None:
                return None
            db.add(found)
            if found.attempts >= TRIES:
                # No try has come back to say so: it takes the process down each time.
                found.state, found.failure = ShipmentState.DEAD, "fatal"
                continue
            found.leased_until = now + LEASE
            found.attempts += 1
            return found


def _put_back(shipment: Shipment, error: NotSent, now: datetime, jitter: float) -> None:
    """Try again later, each time twice as late, or leave the document for people to look at."""
    log.warning("shipment %s, try %s: %s", shipment.id, shipment.attempts, error.reason)
    failure = error.reason[:80]
    if isinstance(error, Refused) or is_given_up(shipment.attempts, now - shipment.created_at):
        _note(shipment, state=ShipmentState.DEAD, leased_until=None, failure=failure)
        return
    pause = pause_after(shipment.attempts, jitter)
    if error.retry_after is not None:
        pause = max(pause, min(error.retry_after, LONGEST_PAUSE))
    _note(shipment, leased_until=None, due_at=now + pause, failure=failure)


def _delivered(shipment: Shipment, receipt: Receipt, now: datetime) -> None:
    _note(
        shipment,
        state=ShipmentState.DELIVERED,
        leased_until=None,
        failure="",
        receipt=receipt.raw,
        receipt_number=receipt.number,
        delivered_at=now,
    )


def _note(shipment: Shipment, **values: Any) -> None:
    """Write how a try has ended, unless the lease ran out and another worker has the document.

    A receipt counts whoever brings it: what has arrived has arrived.
    """
    with unit_of_work() as db:
        mine = [col(Shipment.id) == shipment.id, col(Shipment.state) == ShipmentState.WAITING]
        if "receipt" not in values:
            mine.append(col(Shipment.leased_until) == shipment.leased_until)
        db.exec(
            sa.update(Shipment)
            .where(*mine)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        _announce(db, shipment.examination_id)


def _announce(db: Session, examination_id: int) -> None:
    examination = db.get(Examination, examination_id)
    assert examination is not None
    changes.announce(db, f"application:{examination.application_id}", "exchange:log")


def _decide(
    actor: Actor, shipment_id: int, action: str, state: ShipmentState, now: datetime
) -> None:
    permit(actor, Role.ADMIN, Role.SYSTEM)
    with unit_of_work() as db:
        row = rows.locked_shipment(db, shipment_id)
        is_leased = leases.is_held(row.leased_until, now)
        if row.state in (ShipmentState.DELIVERED, ShipmentState.DROPPED) or is_leased:
            raise ShipmentEnded
        if state is ShipmentState.WAITING:
            row.attempts, row.failure, row.due_at, row.created_at = 0, "", now, now
        row.state, row.leased_until = state, None
        db.add(row)
        db.flush()
        auditing.record(db, actor, action, f"shipment:{row.id}", now=now)
        _announce(db, row.examination_id)
        changes.announce(db, TOPIC)


@dataclass(frozen=True, slots=True)
class PartnerView:
    """A system that may send to us, or whose receipts we believe."""

    name: str
    key_id: str
    oids: tuple[str, ...]
    signs_receipts: bool
    added_at: datetime
    removed_at: datetime | None


def add_partner(
    actor: Actor,
    name: str,
    public: bytes,
    key_id: str,
    *,
    oids: tuple[str, ...],
    signs_receipts: bool,
    now: datetime,
) -> None:
    """Register a key, or change what it may do: its name, organisations and receipts."""
    permit(actor, Role.ADMIN, Role.SYSTEM)
    with unit_of_work() as db:
        known = {row.key_id: row for row in rows.partners(db)}
        row = known.get(key_id) or ExchangePartner(
            name=name, key_id=key_id, public_key=public, added_at=now
        )
        row.name, row.public_key = name, public
        row.oids, row.signs_receipts = " ".join(oids), signs_receipts
        row.removed_at = None
        db.add(row)
        auditing.record(db, actor, "add_partner", f"partner:{key_id}", now=now)


def remove_partner(actor: Actor, key_id: str, *, now: datetime) -> None:
    """Take a key out of use at once; what it has sent stays. Raises ``NotFound``."""
    permit(actor, Role.ADMIN, Role.SYSTEM)
    with unit_of_work() as db:
        row = rows.partner_of(db, key_id)
        if row is None:
            raise NotFound
        row.removed_at = now
        db.add(row)
        auditing.record(db, actor, "remove_partner", f"partner:{key_id}", now=now)


def list_partners(actor: Actor) -> list[PartnerView]:
    """Return all partners that ever were."""
    permit(actor, Role.ADMIN, Role.SYSTEM)
    with reading() as db:
        return [
            PartnerView(
                row.name,
                row.key_id,
                tuple(row.oids.split()),
                row.signs_receipts,
                row.added_at,
                row.removed_at,
            )
            for row in rows.partners(db)
        ]


def origin_of(path: str) -> str:
    """Return the address under which others sign requests to ``path`` of ours."""
    parts = urlsplit(settings().origin)
    return f"{parts.scheme}://{parts.netloc}{path}"
