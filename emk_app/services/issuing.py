"""The book's life: formed and signed when both tracks are green, received, suspended, revoked.

Versions are only ever added (docs/decisions/0022): each repeats the words of the one before, save
what its cause has changed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlmodel import Session

from emk_app import clock
from emk_app.crypto import canonical, signing
from emk_app.crypto.certificates import Described, described
from emk_app.crypto.signing import DetachedSignature, KeyUse
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import (
    applications,
    books,
    examinations,
    identities,
    vaccinations,
)
from emk_app.db.tables.applications import Application
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.examinations import Examination
from emk_app.db.tables.people import User
from emk_app.db.vault import Vault
from emk_app.domain import books as rules
from emk_app.domain import intake
from emk_app.domain.actors import SYSTEM, Actor, Role, permit, permit_fresh
from emk_app.domain.applications import ApplicationStatus, advance, both_green
from emk_app.domain.books import (
    CARRYING,
    FORMAT,
    BookContent,
    BookFacts,
    BookNumber,
    BookStatus,
    BookUnreadable,
    BookVaccination,
    Cause,
    Judgement,
    advance_book,
    book_lines,
    book_vaccinations,
    dated_lines,
    judge,
    renewed_term,
    standing_of,
)
from emk_app.domain.clearance import readiness
from emk_app.domain.errors import Required
from emk_app.domain.identities import Identity
from emk_app.domain.notices import News, Notice
from emk_app.domain.values import one_line
from emk_app.keys import signer
from emk_app.services import auditing, cases, notifying
from emk_app.services.verifying import Witness, withdrawn_words, witness_of

REASON_LIMIT: Final = 300


@dataclass(frozen=True, slots=True)
class EarlierBook:
    """A revoked book of the same holder."""

    number: BookNumber
    valid_until: date


@dataclass(frozen=True, slots=True)
class BookCard:
    """The holder's own view of the book; ``content`` is ``None`` if the version is not genuine."""

    id: int
    number: BookNumber
    status: BookStatus
    version: int
    version_hash: str
    signed_at: datetime
    issued_on: date
    valid_until: date
    received_at: datetime | None
    reason: str
    """Why it was suspended or revoked; empty otherwise."""
    content: BookContent | None
    judgement: Judgement
    today: date
    earlier: tuple[EarlierBook, ...]


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """Everything «Проверить подпись» found, each fact on its own."""

    number: BookNumber
    version: int
    version_hash: str
    signed_at: datetime
    witness: Witness
    judgement: Judgement
    certificates: tuple[Described, ...]
    """The chain as the signature carries it, the signer's first; empty where it can't be read."""


def form_if_green(db: Session, application: Application, *, now: datetime) -> MedicalBook | None:
    """Form and sign the book once papers and examination are both green; part of the caller's
    transaction.

    Returns the book, also when it was formed before, and None while something is missing. A holder
    whose book is not revoked gets its next version, under the same number.
    """
    formed = books.version_of_application(db, application.id)
    if formed is not None:
        return books.get(db, formed.book_id)
    examination = examinations.of_application(db, application.id)
    if (
        application.status is not ApplicationStatus.UNDER_REVIEW
        or examination is None
        or not both_green(application.papers, examination.fitness)
    ):
        return None
    holder = db.get(User, application.holder_id)
    assert holder is not None
    own = vault.vault_of(holder)
    book = books.standing_of(db, holder.id)
    previous = books.version(db, book.id, book.current_version) if book else None
    cause = Cause.EXAMINATION if book else Cause.FORMED
    content = _content(db, application, examination, own, book, previous, cause, now)
    book = _renew(db, book, content) if book else _make(db, holder, content)
    _sign(db, book, content, own, application_id=application.id, now=now)
    status = advance(application.status, ApplicationStatus.APPROVED, SYSTEM.role)
    applications.move(db, application, now=now, status=status, decided_at=now)
    applications.write_history(db, application, status.value, by=SYSTEM.role, user_id=None, now=now)
    auditing.record(
        db, SYSTEM, "form_book", f"book:{book.id}:{content.version}", subject_id=holder.id, now=now
    )
    _tell(
        db,
        book,
        News.BOOK_FORMED if book.status is BookStatus.FORMED else News.BOOK_RENEWED,
        occasion=f"v{content.version}",
        now=now,
    )
    return book


def correct(db: Session, application: Application, *, now: datetime) -> MedicalBook:
    """Make the version of a book whose conclusion the commission has put right; part of the
    caller's transaction. The application stays approved.
    """
    formed = books.version_of_application(db, application.id)
    examination = examinations.of_application(db, application.id)
    assert formed is not None and examination is not None
    own = vault.vault_for(db, application.holder_id)
    book = books.standing_of(db, application.holder_id)
    assert book is not None and book.id == formed.book_id
    previous = books.version(db, book.id, book.current_version)
    content = _content(db, application, examination, own, book, previous, Cause.CORRECTION, now)
    _renew(db, book, content)
    _sign(db, book, content, own, application_id=None, now=now)
    auditing.record(
        db,
        SYSTEM,
        "correct_book",
        f"book:{book.id}:{content.version}",
        subject_id=application.holder_id,
        now=now,
    )
    _tell(
        db,
        book,
        News.BOOK_RENEWED,
        occasion=f"v{content.version}",
        now=now,
    )
    return book


def receive(actor: Actor, book_id: int, *, now: datetime) -> None:
    """Note that the holder has received the book: from now on it may be shown.

    A second press of the button changes nothing.
    """
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        book = books.own(db, actor, book_id)
        if book.status is BookStatus.ACTIVE:
            return
        status = advance_book(book.status, BookStatus.ACTIVE, actor.role)
        books.move(db, book, status=status, received_at=now)
        _audit(db, actor, "receive_book", book, now)


def suspend(actor: Actor, book_id: int, reason: str, *, now: datetime) -> None:
    """Take the book out of force for a while; the holder is told why.

    Who may ask for it and who has to agree is the matter of ``stopping``: no screen leads here.
    """
    _stop(actor, book_id, reason, BookStatus.SUSPENDED, now)


def revoke(actor: Actor, book_id: int, reason: str, *, now: datetime) -> None:
    """Take the book out of force for good; the holder is told why. As ``suspend``."""
    _stop(actor, book_id, reason, BookStatus.REVOKED, now)


def resume(actor: Actor, book_id: int, *, now: datetime) -> None:
    """Put a suspended book back into force. As ``suspend``."""
    permit(actor, Role.OPERATOR)
    permit_fresh(actor, now)
    with unit_of_work() as db:
        put_back(db, actor, books.locked(db, book_id), now=now)


def stop(
    db: Session,
    actor: Actor,
    book: MedicalBook,
    target: BookStatus,
    said: str,
    *,
    now: datetime,
) -> None:
    """Suspend or revoke the book and make the version that says so; part of the caller's
    transaction.

    A book whose signed words are not genuine is stopped too: then there is nothing to sign anew.
    """
    own = vault.vault_for(db, book.holder_id)
    status = advance_book(book.status, target, actor.role)
    values: dict[str, Any] = {
        "status": status,
        "reason_sealed": own.seal(said, *books.REASON, book.id) if said else None,
    }
    if status is BookStatus.REVOKED:
        values |= {"revoked_at": now}
    else:
        values |= {"suspended_at": now, "suspended_by": actor.role}
    cause = Cause.REVOCATION if status is BookStatus.REVOKED else Cause.SUSPENSION
    remake(db, book, own, cause, now=now, values=values)
    _audit(db, actor, f"{_VERBS[status]}_book", book, now)
    news = News.BOOK_REVOKED if status is BookStatus.REVOKED else News.BOOK_SUSPENDED
    _tell(db, book, news, occasion=f"{status.value}:{now:%Y%m%d%H%M}", now=now)


def put_back(db: Session, actor: Actor, book: MedicalBook, *, now: datetime) -> None:
    """Put a suspended book back into force; part of the caller's transaction."""
    status = advance_book(book.status, BookStatus.ACTIVE, actor.role)
    own = vault.vault_for(db, book.holder_id)
    remake(db, book, own, Cause.RESUMPTION, now=now, values=_UNSUSPENDED | {"status": status})
    _audit(db, actor, "resume_book", book, now)
    _tell(db, book, News.BOOK_RESUMED, occasion=f"resumed:{now:%Y%m%d%H%M}", now=now)


def note_vaccinations(db: Session, holder_id: int, *, now: datetime) -> None:
    """Let the holder's book say what is recorded of vaccinations now; part of the caller's
    transaction. No book, or one that says so already, is left alone.
    """
    book = books.standing_of(db, holder_id)
    if book is None:
        return
    own = vault.vault_for(db, holder_id)
    current = content_of(witness_of(book, books.version(db, book.id, book.current_version), own))
    if current is None or current.vaccinations == _vaccinations(db, holder_id, own):
        return
    remake(db, book, own, Cause.VACCINATION, now=now)
    auditing.record(
        db,
        SYSTEM,
        "renew_book",
        f"book:{book.id}:{book.current_version}",
        subject_id=holder_id,
        fields=Cause.VACCINATION.value,
        now=now,
    )


def remake(
    db: Session,
    book: MedicalBook,
    own: Vault,
    cause: Cause,
    *,
    now: datetime,
    values: dict[str, Any] | None = None,
    **said: Any,
) -> BookContent | None:
    """Write ``values`` to the book and sign its next version: the words of the one before, with
    what is recorded of vaccinations now and ``said``; part of the caller's transaction.

    Nothing is signed, and ``None`` returned, where the version before is not genuine: its words
    are nobody's. Links go on to the new version where the cause changes nothing they show.
    """
    previous = books.version(db, book.id, book.current_version)
    if cause is Cause.REISSUE:
        before = _read(withdrawn_words(book, previous, own))
    else:
        before = content_of(witness_of(book, previous, own))
    written = dict(values or {})
    if before is None:
        if written:
            books.move(db, book, **written)
        return None
    status = written.get("status", book.status)
    content = replace(
        before,
        format=FORMAT,
        version=previous.version + 1,
        previous_hash=previous.version_hash,
        salt=secrets.token_hex(16),
        vaccinations=_vaccinations(db, book.holder_id, own),
        cause=cause,
        made_on=clock.day_of(now),
        standing=standing_of(status),
        **said,
    )
    books.move(db, book, **written | {"current_version": content.version})
    _sign(db, book, content, own, application_id=None, now=now)
    if cause in CARRYING:
        books.carry_links(db, book, previous.version, content.version)
    return content


def suspend_unfit(db: Session, holder_id: int, *, now: datetime) -> None:
    """Take the holder's book out of force after a conclusion that does not admit to work; part of
    the caller's transaction.

    A later conclusion that admits lifts it (``form_if_green``). The reason stays between the
    holder and the clinic.
    """
    book = books.standing_of(db, holder_id)
    if book is None or book.status not in rules.IN_FORCE:
        return
    # One that was never in anybody's hands must not get there by a press of the button.
    never_held = book.status is BookStatus.FORMED
    stop(
        db,
        SYSTEM,
        book,
        BookStatus.REVOKED if never_held else BookStatus.SUSPENDED,
        "",
        now=now,
    )


def card(actor: Actor, *, now: datetime) -> BookCard | None:
    """Return the holder's newest book as it stands now, or None before the first one."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        every = books.of_holder(db, actor.user_id)
        return card_of(db, every[0], earlier=every[1:], now=now) if every else None


def card_of(
    db: Session, book: MedicalBook, *, earlier: Iterable[MedicalBook] = (), now: datetime
) -> BookCard:
    """Return what a book says as it stands now; whether anybody may see it, the caller knows."""
    own = vault.vault_for(db, book.holder_id)
    version = books.version(db, book.id, book.current_version)
    content = content_of(witness_of(book, version, own))
    return card_with(book, version, content, own, earlier=earlier, now=now)


def card_with(
    book: MedicalBook,
    version: BookVersion,
    content: BookContent | None,
    own: Vault,
    *,
    earlier: Iterable[MedicalBook],
    now: datetime,
) -> BookCard:
    """Return the same of a current version that has been checked; without ``content`` if it is not
    genuine.
    """
    reason = own.open(book.reason_sealed, *books.REASON, book.id) if book.reason_sealed else ""
    return BookCard(
        id=book.id,
        number=BookNumber.parse(book.number),
        status=book.status,
        version=version.version,
        version_hash=version.version_hash,
        signed_at=version.signed_at,
        issued_on=book.issued_on,
        valid_until=book.valid_until,
        received_at=book.received_at,
        reason=reason,
        content=content,
        judgement=judgement_of(book, version, content, now=now),
        today=clock.day_of(now),
        earlier=tuple(
            EarlierBook(BookNumber.parse(each.number), each.valid_until) for each in earlier
        ),
    )


def check_signature(actor: Actor, book_id: int, *, now: datetime) -> SignatureFacts:
    """Check the current version anew and return every fact found."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        book = books.own(db, actor, book_id)
        version = books.version(db, book.id, book.current_version)
        witness = witness_of(book, version, vault.vault_for(db, book.holder_id))
    return SignatureFacts(
        number=BookNumber.parse(book.number),
        version=version.version,
        version_hash=version.version_hash,
        signed_at=version.signed_at,
        witness=witness,
        judgement=judgement_of(book, version, content_of(witness), now=now),
        certificates=_chain(version.signature),
    )


def _chain(packed: bytes) -> tuple[Described, ...]:
    try:
        return tuple(described(each) for each in DetachedSignature.unpack(packed).certificates)
    except ValueError:
        return ()


def tell(db: Session, book: MedicalBook, notice: Notice, *, occasion: str, now: datetime) -> None:
    """Tell the book's holder, once an ``occasion``; part of the caller's transaction."""
    holder = db.get(User, book.holder_id)
    assert holder is not None
    notifying.tell(db, holder, notice, dedupe=f"book:{book.id}:{occasion}", now=now)


def content_of(witness: Witness) -> BookContent | None:
    """Return what a genuine version says, and nothing of any other."""
    return _read(witness.canonical if witness.is_genuine else None)


def _read(canonical: bytes | None) -> BookContent | None:
    try:
        return None if canonical is None else rules.read(json.loads(canonical))
    except BookUnreadable:
        return None


def judgement_of(
    book: MedicalBook, version: BookVersion, content: BookContent | None, *, now: datetime
) -> Judgement:
    """Judge a version for its own holder, without a link; ``content`` is None if not genuine."""
    return judge(
        BookFacts(
            signature_genuine=content is not None,
            version=version.version,
            current_version=book.current_version,
            status=book.status,
            valid_until=content.valid_until if content else book.valid_until,
            items=dated_lines(content) if content else (),
            link=None,
        ),
        now,
        clock.day_of(now),
    )


def _content(
    db: Session,
    application: Application,
    examination: Examination,
    own: Vault,
    book: MedicalBook | None,
    previous: BookVersion | None,
    cause: Cause,
    now: datetime,
) -> BookContent:
    today = clock.day_of(now)
    applicant = intake.read_again(applications.form_of(db, application), today)
    studies = cases.studies_of(db, application, examination, now=now)
    conclusion = examinations.conclusion_of(examination, own)
    clinic = db.get(Clinic, examination.clinic_id)
    chair = db.get(User, examination.signed_by or 0)
    assert conclusion and clinic and chair and examination.signed_at and application.kind
    if book is None:
        number = books.next_number(db, int(clinic.region_code), today.year)
        term = (today, rules.valid_until(today, applicant.born_on))
    else:
        number = BookNumber.parse(book.number)
        term = renewed_term((book.issued_on, book.valid_until), applicant.born_on, today)
    issued_on, valid_until = term
    person = _person(db, Identity(applicant.name, applicant.born_on), book, own)
    return BookContent(
        number=number,
        version=previous.version + 1 if previous else 1,
        previous_hash=previous.version_hash if previous else "",
        salt=secrets.token_hex(16),
        holder=person.name,
        born_on=person.born_on,
        snils=applicant.snils.digits,
        occupation=applicant.occupation,
        work=applicant.occupation.work_point.name,
        examination=application.kind,
        lines=book_lines(studies, examinations.results_of(db, examination, own)),
        conclusion=conclusion,
        concluded_on=clock.day_of(examination.signed_at),
        clinic_name=clinic.name,
        clinic_oid=clinic.oid,
        clinic_okpo=clinic.okpo,
        chair_name=_name_of(chair),
        issued_on=issued_on,
        valid_until=valid_until,
        vaccinations=_vaccinations(db, application.holder_id, own),
        cause=cause,
        made_on=today,
        # What the system has suspended, a conclusion that admits puts back.
        standing=standing_of(_status_after(book) if book else BookStatus.FORMED),
    )


def _person(db: Session, said: Identity, book: MedicalBook | None, own: Vault) -> Identity:
    """Return whose book it is: an application that still says what was changed on a paper since
    does not change it back.
    """
    made = identities.approved_of(db, book.id) if book else ()
    pairs = [identities.said_of(row, own) for row in made]
    return pairs[-1][1] if any(was == said for was, _ in pairs) else said


def _status_after(book: MedicalBook) -> BookStatus:
    """Return what a conclusion that admits makes of the book's status."""
    if book.status is BookStatus.SUSPENDED and book.suspended_by is SYSTEM.role:
        return advance_book(book.status, BookStatus.ACTIVE, SYSTEM.role)
    return book.status


def _vaccinations(db: Session, holder_id: int, own: Vault) -> tuple[BookVaccination, ...]:
    return book_vaccinations(
        vaccinations.opened(row, own) for row in vaccinations.of_holder(db, holder_id)
    )


def _make(db: Session, holder: User, content: BookContent) -> MedicalBook:
    book = MedicalBook(
        holder_id=holder.id,
        number=content.number.digits,
        status=BookStatus.FORMED,
        current_version=content.version,
        issued_on=content.issued_on,
        valid_until=content.valid_until,
        is_demo=holder.is_demo,
    )
    db.add(book)
    db.flush()
    books.tell(db, book)
    return book


_UNSUSPENDED: Final[dict[str, Any]] = {
    "suspended_at": None,
    "suspended_by": None,
    "reason_sealed": None,
}


def _renew(db: Session, book: MedicalBook, content: BookContent) -> MedicalBook:
    values: dict[str, Any] = {
        "current_version": content.version,
        "issued_on": content.issued_on,
        "valid_until": content.valid_until,
    }
    if (status := _status_after(book)) is not book.status:
        values |= _UNSUSPENDED | {"status": status}
    books.move(db, book, **values)
    return book


def _sign(
    db: Session,
    book: MedicalBook,
    content: BookContent,
    own: Vault,
    *,
    application_id: int | None,
    now: datetime,
) -> None:
    own_key = signer(KeyUse.BOOK)
    raw = canonical.canonical(rules.document(content))
    today = clock.day_of(now)
    ends = readiness(dated_lines(content), today).items_valid_until
    db.add(
        BookVersion(
            book_id=book.id,
            version=content.version,
            application_id=application_id,
            canonical_sealed=books.seal_canonical(own, book.id, content.version, raw),
            version_hash=canonical.sha256(raw).hex(),
            signature=signing.sign_document(own_key, raw).pack(),
            # A book of the demonstration may be older than the key that signs it.
            signed_at=max(now, own_key.certificate.not_valid_before_utc),
            occupations=content.occupation.point,
            items_valid_until=ends or content.valid_until,
        )
    )
    db.flush()


def _stop(actor: Actor, book_id: int, reason: str, target: BookStatus, now: datetime) -> None:
    permit(actor, Role.OPERATOR)
    permit_fresh(actor, now)
    said = one_line(reason, REASON_LIMIT)
    if not said:
        raise Required
    with unit_of_work() as db:
        stop(db, actor, books.locked(db, book_id), target, said, now=now)


_VERBS: Final = {BookStatus.REVOKED: "revoke", BookStatus.SUSPENDED: "suspend"}


def _name_of(user: User) -> str:
    if user.name_sealed is None:
        return ""
    return vault.vault_of(user).open(user.name_sealed, "users", "name", user.uid)


def _audit(db: Session, actor: Actor, action: str, book: MedicalBook, now: datetime) -> None:
    auditing.record(db, actor, action, f"book:{book.id}", subject_id=book.holder_id, now=now)


def _tell(db: Session, book: MedicalBook, news: News, *, occasion: str, now: datetime) -> None:
    tell(db, book, Notice(news), occasion=occasion, now=now)
