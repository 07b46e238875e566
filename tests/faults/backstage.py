"""What the tests of faults do behind the scene, on the server's data, through the services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlmodel import Session, col, select

from emk_app import clock
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, books, examinations
from emk_app.db.tables.applications import Application, Scan, StatusChange
from emk_app.db.tables.books import BookVersion, MedicalBook, ShareLink
from emk_app.db.tables.examinations import Examination, ExaminationStatus, SignedConclusion
from emk_app.db.tables.journal import AuditEntry, Job, OutboxMessage
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.applications import (
    FINAL,
    ApplicationStatus,
    ExaminationTrack,
    Milestone,
    PapersTrack,
    ScanKind,
)
from emk_app.services import (
    accounts,
    auditing,
    cases,
    examining,
    issuing,
    reviewing,
    scans,
    sharing,
)
from emk_app.settings import settings
from tests import factories


def settle_people(count: int) -> list[int]:
    """Make holders; return their identities."""
    now = clock.now()
    return [
        accounts.create_user(
            Role.HOLDER,
            f"{uuid4().hex}@example.ru",
            factories.PASSWORD,
            totp_secret=factories.SECRET,
            now=now,
        )
        for _ in range(count)
    ]


def drafts(holders: list[int], clinic_id: int | None) -> list[str]:
    """Give each holder a draft that is ready to be handed in; return their numbers."""
    now = clock.now()
    _end_earlier(holders)
    return [
        factories.make_draft(Actor(each, Role.HOLDER), now, clinic_id=clinic_id).number.slug
        for each in holders
    ]


def cases_to_sign(holders: list[int], clinic_id: int, operator_id: int, chair_id: int) -> list[int]:
    """Bring an application of each holder to the moment before the signature; return the cases."""
    now = clock.now()
    operator = Actor(operator_id, Role.OPERATOR)
    chair = Actor(chair_id, Role.CLINIC, clinic_id=clinic_id, position=Position.CHAIR)
    made: list[int] = []
    _end_earlier(holders)
    for each in holders:
        draft = factories.make_received(Actor(each, Role.HOLDER), now, clinic_id=clinic_id)
        reviewing.take(operator, draft.number.slug, now=now)
        reviewing.approve(operator, draft.number.slug, now=now)
        examination_id = examining.open_case(chair, draft.number.slug, now=now)
        examining.confirm_identity(chair, examination_id, now=now)
        with unit_of_work() as db:
            application = applications.locked(db, draft.id)
            examination = db.get(Examination, examination_id)
            assert examination is not None
            own = examinations.vault_of(db, application)
            patient = cases.patient_of(db, application, now=now)
            studies = cases.programme_of(patient, examination)
            for result in factories.good_results(studies, clock.day_of(now)):
                examinations.add_entry(db, examination, result, own, by=chair_id, now=now)
        made.append(examination_id)
    return made


def _end_earlier(holders: list[int]) -> None:
    """End what is under way: who asks twice for the same is refused by the checks."""
    now = clock.now()
    with unit_of_work() as db:
        for application in db.exec(
            select(Application).where(
                col(Application.holder_id).in_(holders),
                col(Application.status).not_in([ApplicationStatus.DRAFT, *FINAL]),
            )
        ).all():
            applications.move(
                db, application, now=now, status=ApplicationStatus.EXPIRED, decided_at=now
            )


def papers_to_decide(holders: list[int], clinic_id: int, operator_id: int) -> list[str]:
    """Bring an application of each holder before the operator, who takes it; return the numbers."""
    now = clock.now()
    operator = Actor(operator_id, Role.OPERATOR)
    _end_earlier(holders)
    numbers = [
        factories.make_received(Actor(each, Role.HOLDER), now, clinic_id=clinic_id).number.slug
        for each in holders
    ]
    for number in numbers:
        reviewing.take(operator, number, now=now)
    return numbers


def ending_books(count: int) -> list[tuple[int, int]]:
    """Make books that may be renewed; return holder and book of each."""
    now = clock.now()
    holders = [factories.make_holder(now, f"{uuid4().hex}@example.ru") for _ in range(count)]
    return [(each.user_id, factories.make_ending_book(each, now, 10)) for each in holders]


def links_to_close(count: int) -> list[tuple[int, int, int]]:
    """Make books with a link each; return holder, book and link."""
    now = clock.now()
    made: list[tuple[int, int, int]] = []
    for _ in range(count):
        holder = factories.make_holder(now, f"{uuid4().hex}@example.ru")
        book_id = factories.make_book(holder, now)
        made.append((holder.user_id, book_id, sharing.make(holder, book_id, now=now).id))
    return made


def what_is_done() -> dict[str, list[Any]]:
    """Return what was done, by act: numbers of applications, identities of the rest."""
    with reading() as db:

        def found(column: Any, *conditions: Any) -> list[Any]:
            return list(db.exec(select(column).where(*conditions)).all())

        return {
            "submitted": submitted(),
            "signed": signed(),
            "decided": found(
                Application.tracking_number, Application.papers == PapersTrack.APPROVED
            ),
            "renewed": [each for each in found(MedicalBook.id) if _renewals(db, each)],
            "closed": found(ShareLink.id, col(ShareLink.revoked_at).is_not(None)),
        }


def was_kept(number: str) -> bool:
    """Whether a scan of the policy is there; ``what_is_wrong`` has opened them all."""
    with reading() as db:
        return (
            db.exec(
                select(Scan.id)
                .join(Application, col(Application.id) == col(Scan.application_id))
                .where(
                    Application.tracking_number == number,
                    Scan.kind == ScanKind.POLICY,
                    col(Scan.removed_at).is_(None),
                )
            ).first()
            is not None
        )


def submitted() -> list[str]:
    """Return the numbers of the applications that were handed in."""
    with reading() as db:
        return list(
            db.exec(
                select(Application.tracking_number).where(
                    col(Application.submitted_at).is_not(None)
                )
            ).all()
        )


def signed() -> list[int]:
    """Return the examinations that are signed."""
    with reading() as db:
        return list(
            db.exec(
                select(Examination.id).where(Examination.status == ExaminationStatus.SIGNED)
            ).all()
        )


def what_is_wrong() -> list[str]:
    """Return every record that is half made; call it once jobs and letters are done."""
    with reading() as db:
        found = [
            *_damage(db),
            *(
                line
                for each in db.exec(select(Application)).all()
                for line in _application(db, each)
            ),
            *(
                line
                for each in db.exec(select(Examination)).all()
                for line in _examination(db, each)
            ),
            *(line for each in db.exec(select(MedicalBook)).all() for line in _book(db, each)),
            *(line for each in db.exec(select(Scan)).all() for line in _scan(db, each)),
            *(line for each in db.exec(select(ShareLink)).all() for line in _link(db, each)),
            *_letters(db),
        ]
        broken = auditing.first_broken(db)
    return found if broken is None else [*found, f"the audit chain breaks at {broken}"]


def _damage(db: Session) -> Iterator[str]:
    if db.get_bind().dialect.name != "sqlite":
        return
    if db.execute(sa.text("PRAGMA integrity_check")).scalar() != "ok":
        yield "the database file is damaged"
    if db.execute(sa.text("PRAGMA foreign_key_check")).first() is not None:
        yield "a row refers to nothing"


def _count(db: Session, *conditions: Any) -> int:
    return db.exec(select(sa.func.count()).where(*conditions)).one()


def _application(db: Session, application: Application) -> Iterator[str]:
    """What is written about the handing in stands in six places, or in none."""
    is_submitted = application.submitted_at is not None
    name = f"application {application.tracking_number}"
    target = f"application:{application.id}"
    if (application.status is ApplicationStatus.DRAFT) is is_submitted:
        yield f"{name}: status {application.status}, submitted {is_submitted}"
    records = {
        "history": _count(
            db,
            StatusChange.application_id == application.id,
            StatusChange.event == ApplicationStatus.SUBMITTED,
        ),
        "audit": _count(db, AuditEntry.target == target, AuditEntry.action == "submit"),
        "letter": _count(db, col(OutboxMessage.dedupe).startswith(f"submitted:{application.id}:")),
        "job": _count(
            db,
            Job.key == f"check_application:{application.id}:submit",
            col(Job.done_at).is_not(None),
        ),
        "receipt": _count(
            db,
            StatusChange.application_id == application.id,
            StatusChange.event == ApplicationStatus.RECEIVED,
        ),
        "occupation": int(application.occupation is not None),
    }
    if set(records.values()) != {int(is_submitted)}:
        yield f"{name}: submitted {is_submitted}, but {records}"


def _examination(db: Session, examination: Examination) -> Iterator[str]:
    """A signature stands in every place, with the book that follows from it, or in none."""
    is_signed = examination.status is ExaminationStatus.SIGNED
    application = applications.get(db, examination.application_id)
    history = (StatusChange.application_id == application.id,)
    records = {
        "signed_by": int(examination.signed_by is not None),
        "signed_at": int(examination.signed_at is not None),
        "conclusion": int(examination.conclusion_sealed is not None),
        "kept": _count(db, SignedConclusion.examination_id == examination.id),
        "track": int(application.examination is ExaminationTrack.CONCLUDED),
        "approved": int(application.status is ApplicationStatus.APPROVED),
        "audit": _count(
            db, AuditEntry.action == "sign", AuditEntry.target == f"examination:{examination.id}"
        ),
        "history": _count(db, *history, StatusChange.event == Milestone.EXAMINATION_CONCLUDED),
        "end": _count(db, *history, StatusChange.event == ApplicationStatus.APPROVED),
        "version of the book": _count(db, BookVersion.application_id == application.id),
    }
    if set(records.values()) != {int(is_signed)}:
        yield f"examination {examination.id}: signed {is_signed}, but {records}"


def _book(db: Session, book: MedicalBook) -> Iterator[str]:
    versions = db.exec(
        select(BookVersion).where(BookVersion.book_id == book.id).order_by(col(BookVersion.version))
    ).all()
    name = f"book {book.number}"
    if [each.version for each in versions] != list(range(1, book.current_version + 1)):
        yield f"{name}: versions {[each.version for each in versions]} of {book.current_version}"
    renewed = _renewals(db, book.id)
    if not renewed <= {each.version for each in versions}:
        yield f"{name}: renewals on record {renewed} are not all there"
    if renewed and book.valid_until < clock.day_of(clock.now()) + timedelta(days=300):
        yield f"{name}: renewed on record, but not in its term"
    own = vault.vault_for(db, book.holder_id)
    for version in versions:
        if not issuing.witness_of(book, version, own).is_genuine:
            yield f"{name}: version {version.version} is not genuine"


def _link(db: Session, link: ShareLink) -> Iterator[str]:
    """A closed link is on record as closed, and no other is."""
    told = _count(db, AuditEntry.action == "revoke_link", AuditEntry.target == f"link:{link.id}")
    if told != int(link.revoked_at is not None):
        yield f"link {link.id}: closed {link.revoked_at}, but {told} records of it"


def _renewals(db: Session, book_id: int) -> set[int]:
    """Return the versions that are on record as the holder's renewals."""
    targets = db.exec(
        select(AuditEntry.target).where(
            AuditEntry.action == "renew_book",
            col(AuditEntry.target).startswith(f"book:{book_id}:"),
        )
    ).all()
    return {int(each.rpartition(":")[2]) for each in targets}


def _scan(db: Session, scan: Scan) -> Iterator[str]:
    """A scan that is in the database can be opened."""
    if scan.removed_at is not None:
        return
    application = applications.get(db, scan.application_id)
    own = vault.vault_for(db, application.holder_id)
    for blob in (scan.blob, scan.preview_blob):
        if len(scans.blobs().open(blob, own.key)) < 100:
            yield f"scan {scan.id}: its file is empty"


def _letters(db: Session) -> Iterator[str]:
    """Every letter that is said to have left has left; at least once, as promised."""
    file = settings().data / "outbox.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    left = {json.loads(line)["dedupe"] for line in lines}
    for letter in db.exec(select(OutboxMessage)).all():
        if letter.sent_at is None and letter.due_at > clock.now():
            # Nobody's telephone rings at night.
            continue
        if letter.sent_at is None or letter.dedupe not in left:
            yield f"letter {letter.dedupe} never left"


def links_to_a_book(count: int) -> list[tuple[int, str]]:
    """Make a holder with a book and links to it; return identity and code of each link."""
    now = clock.now()
    holder = factories.make_holder(now)
    book_id = factories.make_book(holder, now)
    made = [sharing.make(holder, book_id, now=now) for _ in range(count)]
    return [(each.id, each.url[-26:]) for each in made]


def close_link(link_id: int) -> None:
    """Close one of them, as its holder."""
    with reading() as db:
        link = db.get(ShareLink, link_id)
        assert link is not None
        holder_id = books.get(db, link.book_id).holder_id
    sharing.revoke(Actor(holder_id, Role.HOLDER), link_id, now=clock.now())


def revoke_book() -> None:
    """Revoke the book."""
    with reading() as db:
        (book,) = db.exec(select(MedicalBook)).all()
    issuing.revoke(factories.make_officer(clock.now()), book.id, "Ошибка", now=clock.now())
