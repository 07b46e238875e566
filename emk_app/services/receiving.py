"""Conclusions from other systems: believed, read, and linked to the one holder they speak of.

A document changes neither an application nor a book. Its results are shown to their holder and
offered to the physician of an examination, who takes them over or makes them anew.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from emk_app import clock
from emk_app.crypto import messages
from emk_app.crypto.errors import SealBroken
from emk_app.crypto.messages import Claim, Message, NotSigned
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, consents
from emk_app.db.repositories import exchange as rows
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.exchange import ReceivedDocument, SeenNonce
from emk_app.db.tables.people import User
from emk_app.domain.actors import SYSTEM, Actor, Role, permit
from emk_app.domain.applications import PapersTrack
from emk_app.domain.errors import InvalidValue, NotFound
from emk_app.domain.examinations import ProgrammeItem, TestResult, check_made_on, parse_entry
from emk_app.domain.exchange import (
    DOCUMENT_LIMIT,
    IDEMPOTENCY_KEY,
    KEPT,
    MEDIA_TYPES,
    WINDOW,
    DocumentDiffers,
    DocumentRefused,
    DocumentTooLarge,
    Doubt,
    ForeignOrganisation,
    Format,
    NotAPartner,
    ReceivedState,
    Replayed,
    ShipmentEnded,
    Statement,
    UnknownFormat,
    doubt_of,
)
from emk_app.domain.notices import News, Notice
from emk_app.domain.numbers import Snils
from emk_app.keys import exchange_key
from emk_app.services import auditing, cases, notifying
from emk_app.services.exchanging import READERS, TOPIC
from emk_app.settings import settings

log = logging.getLogger("emk.exchange")

MATCH: Final = "exchange_match"
"""Job that looks for documents that have waited for the holder of an application."""
SWEEP: Final = "exchange_sweep"
SHOWN: Final = 100
FORMATS: Final = {kind: each for each, kind in MEDIA_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who has signed a request."""

    key_id: str
    name: str
    oids: frozenset[str]
    is_self: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The receipt, and whether the document came for the first time.

    Nothing in it tells whether we know the person: that is nobody's business but theirs.
    """

    receipt: bytes
    is_new: bool


@dataclass(frozen=True, slots=True)
class Undecided:
    """A document that waits, as the administrator sees it: of nobody in clear."""

    id: int
    partner: str
    clinic_oid: str
    state: ReceivedState
    doubt: Doubt | None
    received_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Foreign:
    """A conclusion of another system about its holder; ``linked_at`` is when we have matched it."""

    statement: Statement
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class ForeignResult:
    """A result of such a conclusion that still counts."""

    result: TestResult
    clinic: str


def authenticate(message: Message, digest: str, claim: Claim, *, now: datetime) -> Sender:
    """Return who has signed a request, and remember it so that it can't come twice.

    Raises ``NotAPartner`` or ``Replayed``.
    """
    with reading() as db:
        sender, public = _sender(db, claim.key_id)
    if sender is None:
        raise NotAPartner("unknown key")
    try:
        messages.check(message, digest, claim, public)
    except NotSigned:
        raise NotAPartner("bad signature") from None
    if not messages.is_fresh(claim, now, WINDOW):
        raise Replayed("stale")
    try:
        with unit_of_work() as db:
            db.add(
                SeenNonce(
                    key_id=claim.key_id, nonce=claim.nonce, expires_at=claim.created + 2 * WINDOW
                )
            )
    except IntegrityError:
        raise Replayed("seen") from None
    return sender


def receive(
    sender: Sender, media_type: str, idempotency_key: str, raw: bytes, *, now: datetime
) -> Outcome:
    """Take a document in and return its receipt; the same again gets the same receipt.

    Raises ``DocumentTooLarge``, ``UnknownFormat``, ``DocumentRefused``, ``ForeignOrganisation``,
    and ``DocumentDiffers`` where the key or the document's name stands for something else.
    """
    if len(raw) > DOCUMENT_LIMIT:
        raise DocumentTooLarge
    form = FORMATS.get(media_type.partition(";")[0].strip().lower())
    if form is None:
        raise UnknownFormat
    if not IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise DocumentRefused("idempotency-key")
    digest = hashlib.sha256(raw).hexdigest()
    if known := _known(sender, idempotency_key, digest):
        return known
    statement = _read(form, raw, now)
    if not sender.is_self and statement.clinic.oid not in sender.oids:
        raise ForeignOrganisation
    for _ in range(2):
        try:
            with unit_of_work() as db:
                return _take(db, sender, form, idempotency_key, digest, raw, statement, now)
        except IntegrityError:
            # Somebody has just brought the same: whoever came first has the receipt.
            if known := _known(sender, idempotency_key, digest):
                return known
    raise DocumentDiffers


def receipt(sender: Sender, idempotency_key: str) -> bytes:
    """Return the receipt of what the sender has brought under this key; raise ``NotFound``."""
    with reading() as db:
        row = rows.received_under(db, sender.key_id, idempotency_key)
        if row is None:
            raise NotFound
        return row.receipt


def match_waiting(application_id: int, now: datetime) -> None:
    """Link what has waited for the holder of this application; the work of a job."""
    with reading() as db:
        application = applications.get(db, application_id)
        blind = application.snils_blind
    if blind is None:
        return
    with unit_of_work() as db:
        applications.locked(db, application_id)
        for row in rows.waiting_for(db, blind):
            _match_again(db, row, now)


def undecided(actor: Actor, *, now: datetime) -> list[Undecided]:
    """Return documents that wait for a decision or for their holder; quarantined ones first."""
    permit(actor, Role.ADMIN, Role.SYSTEM)
    if actor.role is Role.ADMIN:
        auditing.look(actor, "exchange", fields="received", now=now)
    with reading() as db:
        names = {row.key_id: row.name for row in rows.partners(db)}
        return [
            Undecided(
                row.id,
                names.get(row.key_id, row.key_id),
                row.clinic_oid,
                row.state,
                row.doubt,
                row.received_at,
                row.expires_at,
            )
            for row in rows.undecided(db, SHOWN)
        ]


def compare_again(actor: Actor, received_id: int, *, now: datetime) -> ReceivedState:
    """Compare a document with the papers of its holder as they now are; return what came of it.

    Nobody links a document against the papers: what was wrong is put right in them, or by the
    sender in a new version. Raises ``ShipmentEnded`` where it is decided.
    """
    permit(actor, Role.ADMIN, Role.SYSTEM)
    with unit_of_work() as db:
        row = _undecided_row(db, received_id)
        _match_again(db, row, now)
        auditing.record(db, actor, "compare_received", f"received:{row.id}", now=now)
        return row.state


def drop(actor: Actor, received_id: int, *, now: datetime) -> None:
    """Refuse a document and erase it; raise ``ShipmentEnded`` where it is decided."""
    permit(actor, Role.ADMIN, Role.SYSTEM)
    with unit_of_work() as db:
        row = _undecided_row(db, received_id)
        _erase(row, ReceivedState.DROPPED, now)
        db.add(row)
        auditing.record(db, actor, "drop_received", f"received:{row.id}", now=now)
        changes.announce(db, TOPIC)


def sweep(*, now: datetime) -> int:
    """Erase what nobody has claimed in ``KEPT`` and forget old requests; return how many.

    What came in the very moment in which its holder's papers were approved is linked first.
    """
    _match_missed(now)
    with unit_of_work() as db:
        db.exec(delete(SeenNonce).where(col(SeenNonce.expires_at) <= now))
        result = db.exec(
            sa.update(ReceivedDocument)
            .where(
                col(ReceivedDocument.state).in_((ReceivedState.PENDING, ReceivedState.QUARANTINED)),
                col(ReceivedDocument.expires_at) <= now,
            )
            .values(
                state=ReceivedState.EXPIRED, document_sealed=None, snils_blind=None, ended_at=now
            )
            .execution_options(synchronize_session=False)
        )
        return result.rowcount


def mine(actor: Actor) -> list[Foreign]:
    """Return the conclusions of other systems about the actor, the last linked one first."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        if not _is_checked(db, actor.user_id):
            return []
        own = vault.vault_for(db, actor.user_id)
        return [
            Foreign(statement, row.linked_at)
            for row in rows.linked_to(db, actor.user_id)
            if row.linked_at is not None and (statement := _opened(row, own)) is not None
        ]


def results_for(
    db: Session,
    application: Application,
    studies: tuple[ProgrammeItem, ...],
    entered: Collection[str],
    *,
    now: datetime,
) -> dict[str, ForeignResult]:
    """Return what other systems' conclusions say of studies that have no result yet, by code.

    Only of a person whose papers on this application agree with the document today, only what is
    in date and reads as a result of this very study; the last made where there are several.
    """
    patient = cases.patient_of(db, application, now=now)
    if patient.born_on is None or patient.snils is None:
        return {}
    if not _is_checked(db, application.holder_id):
        return {}
    own = vault.vault_for(db, application.holder_id)
    found: dict[str, ForeignResult] = {}
    for row in rows.linked_to(db, application.holder_id):
        said = _opened(row, own)
        if (
            said is None
            or said.snils != patient.snils.digits
            or doubt_of(patient.name, patient.born_on, patient.sex, said)
        ):
            continue
        made = {each.code: each for each in said.studies}
        for study in studies:
            line = made.get(study.code)
            if line is None or study.code in entered or line.kind is not study.kind:
                continue
            try:
                result = parse_entry(study, line.value, line.performed_on)
                check_made_on(study, result.performed_on, patient.born_on, clock.day_of(now))
            except InvalidValue:
                continue
            earlier = found.get(study.code)
            if earlier is None or earlier.result.performed_on < result.performed_on:
                found[study.code] = ForeignResult(result, said.clinic.name)
    return found


def _sender(db: Session, key_id: str) -> tuple[Sender | None, bytes]:
    own = exchange_key()
    if settings().exchanges_with_itself and key_id == own.key_id:
        return Sender(key_id, "ЭМК Онлайн", frozenset(), is_self=True), own.public
    partner = rows.partner_of(db, key_id)
    if partner is None:
        return None, b""
    return Sender(key_id, partner.name, frozenset(partner.oids.split())), partner.public_key


def _known(sender: Sender, idempotency_key: str, digest: str) -> Outcome | None:
    """Return the receipt of a repetition; raise ``DocumentDiffers`` for a key of something else."""
    with reading() as db:
        row = rows.received_under(db, sender.key_id, idempotency_key)
    if row is None:
        return None
    if row.digest != digest:
        raise DocumentDiffers
    return Outcome(row.receipt, is_new=False)


def _read(form: Format, raw: bytes, now: datetime) -> Statement:
    said = READERS[form](raw)
    if said.signed_at > now + WINDOW:
        raise DocumentRefused("signed in the future")
    try:
        Snils.parse(said.snils)
    except InvalidValue:
        raise DocumentRefused("snils") from None
    return said


def _take(
    db: Session,
    sender: Sender,
    form: Format,
    idempotency_key: str,
    digest: str,
    raw: bytes,
    said: Statement,
    now: datetime,
) -> Outcome:
    # In this order: the same document that another one commits in between is known by its name.
    newest = 0 if sender.is_self else rows.newest_version(db, said.series, sender.key_id)
    same = rows.received_as(db, said.uid)
    if same is not None:
        # The document itself is the same under another key: its receipt names the first one.
        if same.key_id == sender.key_id and same.digest == digest:
            return Outcome(same.receipt, is_new=False)
        raise DocumentDiffers
    if not sender.is_self and said.version <= newest:
        raise DocumentDiffers
    ref = secrets.token_hex(8)
    made = ReceivedDocument(
        ref=ref,
        key_id=sender.key_id,
        idempotency_key=idempotency_key,
        format=form,
        document_uid=said.uid,
        series=said.series,
        version=said.version,
        digest=digest,
        clinic_oid=said.clinic.oid,
        state=ReceivedState.PENDING,
        receipt=messages.sign_receipt(
            exchange_key(),
            {
                "number": ref,
                "document": said.uid,
                "digest": digest,
                "key": idempotency_key,
                "received_at": now.isoformat(timespec="seconds"),
            },
        ),
        received_at=now,
    )
    if sender.is_self:
        if rows.shipment_of_digest(db, idempotency_key, digest) is None:
            raise ForeignOrganisation
        made.state = ReceivedState.OWN
        db.add(made)
        return Outcome(made.receipt, is_new=True)
    made.snils_blind = vault.blind("applications-snils", said.snils)
    _match(db, made, said, raw, now)
    db.add(made)
    db.flush()
    _finish(db, made, now)
    auditing.record(
        db,
        SYSTEM,
        f"{made.state.value}_received",
        f"received:{made.id}",
        subject_id=made.holder_id,
        now=now,
    )
    changes.announce(db, TOPIC)
    return Outcome(made.receipt, is_new=True)


def _match(db: Session, row: ReceivedDocument, said: Statement, raw: bytes, now: datetime) -> None:
    """Decide whose document it is and seal it accordingly.

    Whose identity nobody has checked can't have it: anybody may type anybody's СНИЛС.
    """
    row.expires_at = row.received_at + KEPT
    checked = [
        each
        for each in applications.of_snils(db, row.snils_blind or "")
        if each.papers is PapersTrack.APPROVED and consents.standing(db, each.holder_id)
    ]
    holders = {each.holder_id for each in checked}
    row.state, row.doubt = ReceivedState.QUARANTINED, None
    holder: vault.Vault | None = None
    if not holders:
        row.state = ReceivedState.PENDING
    elif len(holders) > 1:
        row.doubt = Doubt.SEVERAL_HOLDERS
    elif not _is_registered(db, said.clinic.oid):
        row.doubt = Doubt.CLINIC_UNKNOWN
    else:
        patient = cases.patient_of(db, checked[-1], now=now)
        row.doubt = doubt_of(patient.name, patient.born_on, patient.sex, said)
        if row.doubt is None:
            row.state, row.holder_id = ReceivedState.LINKED, checked[-1].holder_id
            row.linked_at, row.expires_at = now, None
            holder = vault.vault_for(db, row.holder_id)
    rows.seal_received(row, raw, holder)


def _match_again(db: Session, row: ReceivedDocument, now: datetime) -> None:
    try:
        raw = rows.open_received(row, None)
        said = READERS[row.format](raw)
    except (SealBroken, DocumentRefused):
        row.state, row.doubt = ReceivedState.QUARANTINED, Doubt.UNREADABLE
        db.add(row)
        return
    _match(db, row, said, raw, now)
    db.add(row)
    db.flush()
    _finish(db, row, now)
    if row.state is ReceivedState.LINKED:
        auditing.record(
            db,
            SYSTEM,
            "linked_received",
            f"received:{row.id}",
            subject_id=row.holder_id,
            now=now,
        )
    changes.announce(db, TOPIC)


def _finish(db: Session, row: ReceivedDocument, now: datetime) -> None:
    """Tell the holder, and every screen that shows them, of what was linked."""
    if row.state is not ReceivedState.LINKED or row.holder_id is None:
        return
    rows.supersede(db, row, now)
    holder = db.get(User, row.holder_id)
    assert holder is not None
    notifying.tell(
        db, holder, Notice(News.CONCLUSION_RECEIVED), dedupe=f"received:{row.id}", now=now
    )
    changes.announce(
        db,
        f"holder:{row.holder_id}",
        *(f"application:{each.id}" for each in applications.of_holder(db, row.holder_id)),
    )


def _is_checked(db: Session, holder_id: int) -> bool:
    """Whether an operator's approval of the person's papers stands today."""
    every = applications.of_holder(db, holder_id)
    return any(each.papers is PapersTrack.APPROVED for each in every)


def _is_registered(db: Session, oid: str) -> bool:
    clinic = db.exec(select(Clinic.id).where(Clinic.oid == oid)).first()
    return clinic is not None


def _match_missed(now: datetime) -> None:
    with reading() as db:
        missed = db.exec(
            select(ReceivedDocument.id)
            .where(
                ReceivedDocument.state == ReceivedState.PENDING,
                sa.exists().where(
                    col(Application.snils_blind) == col(ReceivedDocument.snils_blind),
                    col(Application.papers) == PapersTrack.APPROVED,
                ),
            )
            .limit(SHOWN)
        ).all()
    for received_id in missed:
        with unit_of_work() as db:
            row = rows.locked_received(db, received_id)
            if row.state is ReceivedState.PENDING:
                _match_again(db, row, now)


def _undecided_row(db: Session, received_id: int) -> ReceivedDocument:
    row = rows.locked_received(db, received_id)
    if row.state not in (ReceivedState.PENDING, ReceivedState.QUARANTINED):
        raise ShipmentEnded
    return row


def _erase(row: ReceivedDocument, state: ReceivedState, now: datetime) -> None:
    row.state, row.document_sealed, row.snils_blind, row.ended_at = state, None, None, now


def _opened(row: ReceivedDocument, own: vault.Vault) -> Statement | None:
    try:
        return READERS[row.format](rows.open_received(row, own))
    except (SealBroken, DocumentRefused):
        return None
