"""«Передать в страховую»: one link, one receiver, one fetching, by the holder's own consent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from emk_app.crypto import tokens
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books, consents, disclosures
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.tables.disclosures import Handover
from emk_app.db.tables.people import User
from emk_app.db.vault import Vault
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Role, permit, permit_fresh
from emk_app.domain.books import BookNotShareable, BookNumber, Verdict
from emk_app.domain.consent import ConsentNeeded, ConsentOutdated
from emk_app.domain.disclosures import (
    HANDOVER_CONSENT,
    HANDOVERS_AT_ONCE,
    RECEIVER_LIMIT,
    HandoverOver,
    HandoverScope,
    HandoverState,
    Network,
    Purpose,
    TooManyHandovers,
    handover_days,
    handover_state,
)
from emk_app.domain.errors import NotFound, Required
from emk_app.domain.fieldpolicy import Viewer, name_for
from emk_app.domain.notices import News, Notice
from emk_app.domain.values import Problems, one_line
from emk_app.services import auditing, exporting, issuing, notifying, throttling
from emk_app.services.exporting import ExportFormat
from emk_app.services.verifying import LookResult, witness_of
from emk_app.settings import settings

SHOWN: Final = 50
PATH: Final = "/handover/"
MAKINGS: Final = Rule(tries=50, window=timedelta(days=1), longest_block=timedelta(hours=1))
_FORMATS: Final = {
    HandoverScope.EXTRACT: ExportFormat.JSON,
    HandoverScope.FHIR: ExportFormat.FHIR,
}


@dataclass(frozen=True, slots=True)
class HandoverView:
    """One handover as its holder sees it; ``url`` is empty once it can't be fetched any more."""

    id: int
    url: str = field(repr=False)
    receiver: str = field(repr=False)
    purpose: Purpose
    scope: HandoverScope
    state: HandoverState
    consent_version: str
    created_at: datetime
    expires_at: datetime
    fetched_at: datetime | None
    network: Network | None
    version: int | None


@dataclass(frozen=True, slots=True)
class Package:
    """What leaves; ``document`` for a file, ``verdict`` where nothing else was agreed to."""

    scope: HandoverScope
    number: BookNumber
    version: int
    document: bytes | None = field(repr=False)
    verdict: LookResult | None = field(repr=False)


def make(
    actor: Actor,
    receiver: str,
    purpose: Purpose,
    scope: HandoverScope,
    days: int,
    *,
    consent_version: str,
    now: datetime,
) -> HandoverView:
    """Make a link by which the current version is fetched once.

    Raises ``Invalid`` with ``receiver``, ``days`` and ``consent``, ``FreshFactorNeeded``,
    ``ConsentNeeded``, ``NotFound`` without a book, ``BookNotShareable``, ``TooManyHandovers`` and
    ``TooManyAttempts``.
    """
    permit(actor, Role.HOLDER)
    problems = Problems()
    said = problems.take("receiver", _receiver, receiver)
    life = problems.take("days", handover_days, days)
    problems.take("consent", _agreed, consent_version)
    problems.raise_any()
    permit_fresh(actor, now)
    throttling.spend((throttling.key_of("handover-makings", str(actor.user_id)), MAKINGS), now=now)
    with unit_of_work() as db:
        consents.hold(db, actor.user_id)
        if consents.is_withdrawn(db, actor.user_id):
            raise ConsentNeeded
        book = books.newest_of(db, actor.user_id)
        if book is None:
            raise NotFound
        if issuing.card_of(db, book, now=now).content is None:
            raise BookNotShareable(Verdict.NOT_GENUINE)
        if len(disclosures.waiting_of(db, actor.user_id, now)) >= HANDOVERS_AT_ONCE:
            raise TooManyHandovers(HANDOVERS_AT_ONCE)
        own = vault.vault_for(db, actor.user_id)
        code = tokens.new_share()
        digest = _digest(code)
        handover = Handover(
            book_id=book.id,
            holder_id=actor.user_id,
            digest=digest,
            code_sealed=own.seal(code, *disclosures.CODE, digest),
            receiver_sealed=own.seal(said, *disclosures.RECEIVER, digest),
            purpose=purpose,
            scope=scope,
            consent_version=consent_version,
            created_at=now,
            expires_at=now + life,
        )
        db.add(handover)
        db.flush()
        changes.announce(db, f"holder:{actor.user_id}")
        _audit(db, actor, handover, "offer_handover", now, fields=scope.value)
        return _view(handover, own, now)


def shown(actor: Actor, *, now: datetime) -> tuple[HandoverView, ...]:
    """Return the holder's last handovers, newest first."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        own = vault.vault_for(db, actor.user_id)
        return tuple(
            _view(row, own, now) for row in disclosures.handovers_of(db, actor.user_id, SHOWN)
        )


def revoke(actor: Actor, handover_id: int, *, now: datetime) -> None:
    """Close a link that was not fetched yet; of any other nothing changes.

    Raises ``HandoverOver`` where it was fetched meanwhile.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        handover = disclosures.own_handover(db, actor, handover_id)
        match _state(handover, now):
            case HandoverState.FETCHED:
                raise HandoverOver(HandoverState.FETCHED, handover.fetched_at)
            case HandoverState.WAITING:
                handover.revoked_at = now
                db.add(handover)
                changes.announce(db, f"holder:{actor.user_id}")
                _audit(db, actor, handover, "revoke_handover", now)
            case _:
                pass


def revoke_all(db: Session, holder_id: int, *, now: datetime) -> None:
    """Close every link of a holder whose consent ends; part of the caller's transaction."""
    for handover in disclosures.waiting_of(db, holder_id, now):
        handover.revoked_at = now
        db.add(handover)


def count_waiting(db: Session, holder_id: int, now: datetime) -> int:
    """Return how many links of the holder can still be fetched."""
    rows = disclosures.handovers_of(db, holder_id, SHOWN)
    return sum(_state(row, now) is HandoverState.WAITING for row in rows)


def peek(code: str, *, now: datetime) -> HandoverScope:
    """Return what the link would give, without giving it: previews of messengers burn nothing.

    Raises ``NotFound`` and ``HandoverOver``.
    """
    digest = _known(code)
    with reading() as db:
        return _waiting(disclosures.handover_by(db, digest), now).scope


def fetch(code: str, network: Network, *, now: datetime) -> Package:
    """Give what was agreed to, and close the link with it; of two at once one gets it.

    Raises ``NotFound``, ``HandoverOver``, and ``BookNotShareable`` for a book we can't prove; then
    the link stays.
    """
    digest = _known(code)
    with unit_of_work() as db:
        handover = _waiting(disclosures.handover_by(db, digest, held=True), now)
        book = books.get(db, handover.book_id)
        row = books.version(db, book.id, book.current_version)
        package = _package(handover.scope, book, row, vault.vault_for(db, book.holder_id), now)
        handover.fetched_at, handover.network, handover.version = now, network, row.version
        db.add(handover)
        changes.announce(db, f"holder:{handover.holder_id}")
        holder = db.get_one(User, handover.holder_id)
        notifying.tell(
            db,
            holder,
            Notice(News.RECORD_HANDED_OVER, at=now),
            dedupe=f"handover:{handover.id}",
            now=now,
        )
        _audit(db, None, handover, "fetch_handover", now, fields=handover.scope.value)
        return package


def _package(
    scope: HandoverScope, book: MedicalBook, row: BookVersion, own: Vault, now: datetime
) -> Package:
    number = BookNumber.parse(book.number)
    if scope in _FORMATS:
        document = exporting.made(book, row, own, _FORMATS[scope], now=now)
        return Package(scope, number, row.version, document, None)
    witness = witness_of(book, row, own)
    content = issuing.content_of(witness)
    if content is None:
        raise BookNotShareable(Verdict.NOT_GENUINE)
    judgement = issuing.judgement_of(book, row, content, now=now)
    result = LookResult(
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        checked_at=now,
        name=name_for(Viewer.BY_LINK, content.holder),
        birth_year=content.born_on.year,
        occupation_group=content.occupation.group,
        issued_on=content.issued_on,
        valid_until=content.valid_until,
        days_left=judgement.days_left,
        items_valid_until=judgement.readiness.items_valid_until,
        items_overdue_since=judgement.items_overdue_since,
        version=row.version,
        version_hash=row.version_hash,
        issuer=witness.signature.signer,
    )
    return Package(scope, number, row.version, None, result)


def _waiting(handover: Handover | None, now: datetime) -> Handover:
    if handover is None:
        raise NotFound
    state = _state(handover, now)
    if state is not HandoverState.WAITING:
        raise HandoverOver(state, handover.fetched_at)
    return handover


def _known(code: str) -> str:
    share = tokens.parse_share(code)
    if share is None:
        raise NotFound
    return _digest(share)


def _digest(code: str) -> str:
    return tokens.digest(code, "handover")


def _receiver(text: str) -> str:
    said = one_line(text, RECEIVER_LIMIT)
    if not said:
        raise Required
    return said


def _agreed(version: str) -> str:
    if not version:
        raise Required
    if version != HANDOVER_CONSENT:
        raise ConsentOutdated
    return version


def _state(row: Handover, now: datetime) -> HandoverState:
    return handover_state(row.expires_at, row.fetched_at, row.revoked_at, now)


def _view(row: Handover, own: Vault, now: datetime) -> HandoverView:
    state = _state(row, now)
    is_waiting = state is HandoverState.WAITING
    return HandoverView(
        id=row.id,
        url=settings().origin + PATH + disclosures.open_code(own, row) if is_waiting else "",
        receiver=disclosures.open_receiver(own, row),
        purpose=row.purpose,
        scope=row.scope,
        state=state,
        consent_version=row.consent_version,
        created_at=row.created_at,
        expires_at=row.expires_at,
        fetched_at=row.fetched_at,
        network=row.network,
        version=row.version,
    )


def _audit(
    db: Session,
    actor: Actor | None,
    handover: Handover,
    action: str,
    now: datetime,
    *,
    fields: str = "",
) -> None:
    auditing.record(
        db,
        actor,
        action,
        f"handover:{handover.id}",
        subject_id=handover.holder_id,
        fields=fields,
        now=now,
    )
