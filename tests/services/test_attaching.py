"""Papers of an examination: who adds, sees and removes them, and what they must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.crypto.errors import SealBroken
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import examinations
from emk_app.db.tables.examinations import Attachment
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Position
from emk_app.domain.attachments import (
    COUNT_LIMIT,
    AttachmentKind,
    AttachmentSigned,
    TooManyAttachments,
)
from emk_app.domain.clearance import Fitness
from emk_app.domain.documents import MediaType, ScanKindNotAllowed, ScanNotReadable, ScanTooLarge
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.domain.examinations import ExaminationSigned, IdentityNotChecked
from emk_app.services import appealing, attaching, examining, reports, scans
from emk_app.storage.blobs import BlobMissing
from tests.factories import (
    good_results,
    make_clinic,
    make_holder,
    make_operator,
    make_physician,
    make_received,
)
from tests.files import good, hostile
from tests.scenes import kept

pytestmark = pytest.mark.usefixtures("world")

LAB = AttachmentKind.LAB_REPORT
TODAY = "23.11.2026"


@pytest.fixture
@kept
def clinic_id() -> int:
    return make_clinic()


@pytest.fixture
@kept
def holder(now: datetime) -> Actor:
    return make_holder(now)


@pytest.fixture
@kept
def number(holder: Actor, clinic_id: int, now: datetime) -> str:
    return make_received(holder, now, clinic_id=clinic_id).number.slug


@pytest.fixture
@kept
def chair(clinic_id: int, now: datetime) -> Actor:
    return replace(
        make_physician(clinic_id, now, Position.CHAIR, "Седов Виктор Ильич"), factor_at=now
    )


@pytest.fixture
@kept
def physician(clinic_id: int, now: datetime) -> Actor:
    return make_physician(clinic_id, now)


@pytest.fixture
@kept
def case(number: str, chair: Actor, now: datetime) -> int:
    found = examining.open_case(chair, number, now=now)
    examining.confirm_identity(chair, found, now=now)
    return found


def attach(actor: Actor, case: int, now: datetime, content: bytes | None = None) -> str:
    content = good.jpeg() if content is None else content
    return attaching.attach(actor, case, LAB, content, "../кровь <1>.jpg", now=now)


def sign(chair: Actor, case: int, now: datetime) -> None:
    shown = examining.view(chair, case, now=now)
    for each in good_results(shown.programme, now.date()):
        if each.code not in shown.entries:
            examining.enter_result(chair, case, each.code, each.value, TODAY, now=now)
    seen = examining.view(chair, case, now=now).version
    examining.conclude_and_sign(chair, case, Fitness.FIT, seen=seen, now=now)


def rows() -> list[Attachment]:
    with reading() as db:
        return list(db.exec(select(Attachment).order_by(col(Attachment.id))).all())


def test_paper_is_kept_rebuilt_and_seen_by_clinic_and_holder(
    case: int, number: str, holder: Actor, physician: Actor, chair: Actor, now: datetime
):
    ref = attach(physician, case, now)
    (paper,) = attaching.folder(chair, case, now=now).papers
    assert (paper.ref, paper.kind, paper.name, paper.media_type) == (
        ref,
        LAB,
        "кровь 1.jpg",
        MediaType.JPEG,
    )
    mine = appealing.mine(holder, number, now=now)
    assert mine is not None and [each.ref for each in mine.papers] == [ref]
    for actor in (physician, chair, holder):
        assert attaching.file(actor, ref, now=now).content.startswith(b"\xff\xd8\xff")
        assert attaching.preview(actor, ref, now=now).startswith(b"\xff\xd8\xff")
        with pytest.raises(NotFound):
            attaching.preview(actor, ref, page=2, now=now)
    with reading() as db:
        looks = db.exec(select(AuditEntry).where(AuditEntry.target == f"attachment:{paper.id}"))
        assert {each.action for each in looks} == {"view"}
    (row,) = rows()
    assert "кровь".encode() not in row.name_sealed
    with pytest.raises(SealBroken):
        scans.blobs().open(row.blob, b"k" * 32)


def test_many_pages_are_shown_one_by_one(case: int, physician: Actor, now: datetime):
    ref = attaching.attach(
        physician, case, AttachmentKind.CONSULTATION, good.scanned_pdf(2), "з.pdf", now=now
    )
    assert attaching.preview(physician, ref, page=2, now=now).startswith(b"\xff\xd8\xff")


def test_same_file_twice_is_one_paper(case: int, physician: Actor, now: datetime):
    assert attach(physician, case, now) == attach(physician, case, now)
    assert len(rows()) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, ScanKindNotAllowed),
        (hostile.noise_after_magic(), ScanNotReadable),
        (b"\xff\xd8\xff" + b"\0" * 5 * 1024 * 1024, ScanTooLarge),
    ],
)
def test_anything_but_a_small_pdf_or_jpeg_is_refused(
    content: bytes, problem: type[Exception], case: int, physician: Actor, now: datetime
):
    with pytest.raises(problem):
        attach(physician, case, now, content)
    assert rows() == []


def test_others_attach_see_and_remove_nothing(
    case: int, clinic_id: int, physician: Actor, now: datetime
):
    ref = attach(physician, case, now)
    paper = rows()[0].id
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    foreign = make_physician(make_clinic(), now, Position.CHAIR)
    acts: list[Callable[[Actor], object]] = [
        lambda actor: attaching.permit_upload(actor, case, now=now),
        lambda actor: attach(actor, case, now, good.gray_jpeg()),
        lambda actor: attaching.remove(actor, case, paper, now=now),
        lambda actor: attaching.folder(actor, case, now=now),
    ]
    looks: list[Callable[[Actor], object]] = [
        lambda actor: attaching.file(actor, ref, now=now),
        lambda actor: attaching.preview(actor, ref, now=now),
    ]
    for act in acts:
        for actor in (registrar, make_operator(now), make_holder(now)):
            with pytest.raises(NotPermitted):
                act(actor)
        with pytest.raises(NotFound):
            act(foreign)
    for look in looks:
        for actor in (registrar, make_operator(now)):
            with pytest.raises(NotPermitted):
                look(actor)
        for actor in (foreign, make_holder(now)):
            with pytest.raises(NotFound):
                look(actor)
    assert [each.removed_at for each in rows()] == [None]


def test_only_who_added_it_and_the_chair_remove_a_paper_with_its_files(
    case: int, clinic_id: int, physician: Actor, chair: Actor, now: datetime
):
    attach(physician, case, now)
    row = rows()[0]
    with pytest.raises(NotPermitted):
        attaching.remove(make_physician(clinic_id, now), case, row.id, now=now)
    attaching.remove(chair, case, row.id, now=now)
    with pytest.raises(NotFound):
        attaching.remove(chair, case, row.id, now=now)
    with pytest.raises(NotFound):
        attaching.file(physician, row.ref, now=now)
    with pytest.raises(BlobMissing):
        scans.blobs().open(row.blob, b"k" * 32)
    assert attaching.folder(chair, case, now=now).papers == ()


def test_before_identity_and_after_the_signature_nothing_is_attached_or_removed(
    number: str, chair: Actor, now: datetime
):
    case = examining.open_case(chair, number, now=now)
    with pytest.raises(IdentityNotChecked):
        attach(chair, case, now)
    examining.confirm_identity(chair, case, now=now)
    attach(chair, case, now)
    sign(chair, case, now)
    folder = attaching.folder(chair, case, now=now)
    assert (folder.may_add, folder.papers[0].may_remove) == (False, False)
    with pytest.raises(ExaminationSigned):
        attach(chair, case, now, good.gray_jpeg())
    with pytest.raises(ExaminationSigned):
        attaching.remove(chair, case, folder.papers[0].id, now=now)


def test_what_was_signed_with_stays_when_the_case_is_open_again(
    case: int, chair: Actor, now: datetime
):
    ref = attach(chair, case, now)
    sign(chair, case, now)
    with reading() as db:
        report = reports.signed_report(db, examinations.signed_of(db, case)[-1])
    assert report is not None
    assert [(each["ref"], each["sha256"]) for each in report["attachments"]] == [
        (ref, rows()[0].sha256)
    ]
    examining.withdraw_conclusion(chair, case, now=now)
    with pytest.raises(AttachmentSigned):
        attaching.remove(chair, case, rows()[0].id, now=now)
    later = now + timedelta(hours=1)
    attach(chair, case, later, good.gray_jpeg())
    assert [each.may_remove for each in attaching.folder(chair, case, now=later).papers] == [
        False,
        True,
    ]
    attaching.remove(chair, case, rows()[1].id, now=later)


def test_no_more_than_the_limit(case: int, physician: Actor, now: datetime):
    attach(physician, case, now)
    values = rows()[0].model_dump(exclude={"id", "ref", "sha256"})
    with unit_of_work() as db:
        for serial in range(1, COUNT_LIMIT):
            db.add(Attachment(**values, ref=f"{serial:032}", sha256=f"{serial:064}"))
    for act in (
        lambda: attaching.permit_upload(physician, case, now=now),
        lambda: attach(physician, case, now, good.gray_jpeg()),
    ):
        with pytest.raises(TooManyAttachments):
            act()
    assert len(rows()) == COUNT_LIMIT


def test_daily_sweep_leaves_the_files_of_papers(case: int, physician: Actor, now: datetime):
    ref = attach(physician, case, now)
    scans.sweep(now=now + timedelta(days=3))
    assert attaching.file(physician, ref, now=now).content
