"""Scans: who may send, see and remove them, and what is taken in."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image
from sqlmodel import col, select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.tables.applications import Scan
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.corrections import NotAsked
from emk_app.domain.documents import (
    LIMITS,
    ForeignType,
    MediaType,
    ScanEmpty,
    ScanKind,
    ScanKindNotAllowed,
    ScanTooLarge,
)
from emk_app.domain.errors import NotFound, NotPermitted, TooManyAttempts
from emk_app.services import applying, scans
from emk_app.settings import settings
from emk_app.storage.antivirus import Clamd
from emk_app.storage.blobs import BlobMissing
from emk_app.storage.errors import ScanCheckUnavailable, ScanInfected
from tests.factories import (
    make_clinic,
    make_draft,
    make_holder,
    make_operator,
    make_physician,
    make_submitted,
    put,
    put_scan,
)
from tests.files import good

pytestmark = pytest.mark.usefixtures("world")


def begun(now: datetime) -> tuple[Actor, str, int]:
    holder = make_holder(now)
    draft = applying.draft(holder, now=now)
    return holder, draft.number.slug, draft.id


def files() -> set[str]:
    return {path.name for path in (settings().data / "blobs").rglob("*") if path.is_file()}


def standing(application_id: int) -> list[Scan]:
    with reading() as db:
        return [
            row
            for row in db.exec(select(Scan).where(Scan.application_id == application_id)).all()
            if row.removed_at is None
        ]


def test_foreign_application_takes_no_scan(now: datetime):
    _, number, application_id = begun(now)
    stranger = make_holder(now)
    for which in (number, "EMK-2026-999999-0", "вздор"):
        with pytest.raises(NotFound):
            scans.permit_upload(stranger, which, ScanKind.PASSPORT, now=now)
        with pytest.raises(NotFound):
            scans.accept(stranger, which, ScanKind.PASSPORT, good.jpeg(), "", now=now)
    assert standing(application_id) == []


def test_application_handed_in_takes_no_scan(now: datetime):
    holder = make_holder(now)
    draft = make_submitted(holder, now)
    with pytest.raises(NotAsked):
        scans.permit_upload(holder, draft.number.slug, ScanKind.PASSPORT, now=now)
    with pytest.raises(NotAsked):
        scans.accept(holder, draft.number.slug, ScanKind.DIPLOMA, good.jpeg(), "", now=now)


def test_staff_send_no_scans(now: datetime):
    _, number, _ = begun(now)
    with pytest.raises(NotPermitted):
        scans.permit_upload(make_operator(now), number, ScanKind.PASSPORT, now=now)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", ScanEmpty),
        (b"MZ" + b"\0" * 100, ScanKindNotAllowed),
        (b"%PDF-1.7\n<html>", Exception),
        (b"\xff\xd8\xff" + b"\0" * (LIMITS[ScanKind.PASSPORT] - 2), ScanTooLarge),
    ],
)
def test_what_is_no_scan_is_refused_and_leaves_no_file(
    content: bytes, kind: type[Exception], now: datetime
):
    holder, number, application_id = begun(now)
    before = files()
    with pytest.raises(kind):
        scans.accept(holder, number, ScanKind.PASSPORT, content, "паспорт.pdf", now=now)
    assert files() == before
    assert standing(application_id) == []


def test_refusal_names_what_was_sent(now: datetime):
    holder, number, _ = begun(now)
    picture = BytesIO()
    good.paper().save(picture, "PNG")
    with pytest.raises(ScanKindNotAllowed) as refused:
        scans.accept(holder, number, ScanKind.PASSPORT, picture.getvalue(), "a.jpg", now=now)
    assert refused.value.found is ForeignType.PNG


def test_day_has_an_end_of_uploads(now: datetime):
    holder, number, _ = begun(now)
    for _ in range(scans.UPLOADS.tries):
        scans.permit_upload(holder, number, ScanKind.PASSPORT, now=now)
    with pytest.raises(TooManyAttempts):
        scans.permit_upload(holder, number, ScanKind.PASSPORT, now=now)
    scans.permit_upload(holder, number, ScanKind.PASSPORT, now=now + timedelta(days=1, minutes=1))


@pytest.mark.parametrize(
    "status",
    [ApplicationStatus.DRAFT, ApplicationStatus.WITHDRAWN],
)
def test_operator_sees_neither_drafts_nor_withdrawn_cases(status: ApplicationStatus, now: datetime):
    holder = make_holder(now)
    draft = make_draft(holder, now)
    if status is ApplicationStatus.WITHDRAWN:
        applying.submit(holder, draft.id, now=now)
        applying.withdraw(holder, draft.id, now=now)
    with pytest.raises(NotFound):
        scans.preview(make_operator(now), draft.scans[0].ref, now=now)


def test_scan_does_not_exist_for_those_it_is_not_for(now: datetime):
    clinic, other = make_clinic(), make_clinic()
    draft = make_submitted(make_holder(now), now, clinic_id=clinic)
    ref = draft.scans[0].ref
    for stranger in (make_holder(now), make_physician(other, now), make_physician(clinic, now)):
        # The clinic sees the case once the checks have let it through.
        with pytest.raises(NotFound):
            scans.file(stranger, ref, now=now)
        with pytest.raises(NotFound):
            scans.preview(stranger, ref, now=now)
    with pytest.raises(NotPermitted):
        scans.file(Actor(1, Role.EMPLOYER), ref, now=now)
    with pytest.raises(NotFound):
        scans.file(make_operator(now), "0" * 32, now=now)


def test_operator_and_the_chosen_clinic_see_it_and_that_is_noted(now: datetime):
    clinic = make_clinic()
    holder = make_holder(now)
    draft = make_submitted(holder, now, clinic_id=clinic)
    put(draft.id, status=ApplicationStatus.RECEIVED)
    ref = draft.scans[0].ref
    scans.file(holder, ref, now=now)
    scans.file(make_operator(now), ref, now=now)
    scans.preview(make_physician(clinic, now, Position.CHAIR), ref, now=now)
    with reading() as db:
        looks = [
            e
            for e in db.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
            if e.action == "view"
        ]
    assert [(e.role, e.subject_id, e.fields) for e in looks] == [
        ("operator", holder.user_id, "scan_passport"),
        ("clinic", holder.user_id, "scan_passport"),
    ]


@pytest.mark.parametrize(
    ("content", "media_type", "name"),
    [
        (good.jpeg(), MediaType.JPEG, "паспорт.jpg"),
        (good.scanned_pdf(2), MediaType.PDF, "паспорт.pdf"),
    ],
)
def test_scan_is_kept_encrypted_and_given_back(
    content: bytes, media_type: MediaType, name: str, now: datetime
):
    holder, number, application_id = begun(now)
    view = scans.accept(
        holder, number, ScanKind.PASSPORT, content, "C:\\мои\\../паспорт.PNG", now=now
    )
    assert (view.name, view.media_type) == (name, media_type)
    assert view.is_colour and view.is_legible
    kept = scans.file(holder, view.ref, now=now)
    assert (kept.media_type, kept.name) == (media_type, name)
    assert kept.content != content
    for page in range(1, view.pages + 1):
        Image.open(BytesIO(scans.preview(holder, view.ref, page=page, now=now))).verify()
    for page in (0, view.pages + 1, 10**9):
        with pytest.raises(NotFound):
            scans.preview(holder, view.ref, page=page, now=now)
    [row] = standing(application_id)
    path = settings().data / "blobs" / row.blob[:2] / row.blob[2:4] / row.blob
    assert kept.content[:64] not in path.read_bytes()
    assert "паспорт".encode() not in row.name_sealed


def test_new_scan_takes_the_place_of_the_old_one_and_its_file_goes(now: datetime):
    holder, number, application_id = begun(now)
    first = scans.accept(holder, number, ScanKind.PASSPORT, good.jpeg(), "1.jpg", now=now)
    [old] = standing(application_id)
    second = scans.accept(holder, number, ScanKind.PASSPORT, good.jpeg(), "2.jpg", now=now)
    assert [row.ref for row in standing(application_id)] == [second.ref]
    with pytest.raises(NotFound):
        scans.file(holder, first.ref, now=now)
    assert not {old.blob, old.preview_blob} & files()
    scans.remove(holder, application_id, ScanKind.PASSPORT, now=now)
    scans.remove(holder, application_id, ScanKind.PASSPORT, now=now)
    assert standing(application_id) == []


def test_lost_file_is_our_fault_and_not_a_missing_scan(now: datetime):
    holder, _, application_id = begun(now)
    ref = put_scan(holder, application_id, ScanKind.PASSPORT, now)
    [row] = standing(application_id)
    scans.forget([row.blob])
    with pytest.raises(BlobMissing):
        scans.file(holder, ref, now=now)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", "скан.jpg"),
        ("...", "скан.jpg"),
        ("/etc/passwd", "passwd.jpg"),
        ("a\r\nSet-Cookie: x=1.jpg", "aSet-Cookie x=1.jpg"),
        ("снимок\u202egpj.exe", "снимокgpj.jpg"),
        ("я" * 500 + ".jpg", "я" * 80 + ".jpg"),
    ],
)
def test_names_are_cleaned(given: str, kept: str, now: datetime):
    assert scans.cleaned(given, MediaType.JPEG) == kept


def test_sweep_takes_what_no_scan_names_and_nothing_else():
    moment = clock.now()
    holder, _, application_id = begun(moment)
    put_scan(holder, application_id, ScanKind.PASSPORT, moment)
    orphan = scans.blobs().put(b"left behind", b"k" * 32)
    scans.sweep(now=moment)
    assert orphan in files()
    scans.sweep(now=moment + timedelta(days=2))
    [row] = standing(application_id)
    assert files() == {row.blob, row.preview_blob}


class VirusScanner:
    """A clamd that knows one mark, and can be away."""

    def __init__(self) -> None:
        self.asked = 0
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            self.port = reserved.getsockname()[1]
        self._listener: socket.socket | None = None

    def come(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def go(self) -> None:
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as sent:
                assert sent.read(10) == b"zINSTREAM\0"
                content = b""
                while length := struct.unpack("!I", sent.read(4))[0]:
                    content += sent.read(length)
                self.asked += 1
                is_known = b"evil-mark" in content
                peer.sendall(b"stream: Evil.Mark FOUND\0" if is_known else b"stream: OK\0")


@pytest.fixture
def scanner(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirusScanner]:
    made = VirusScanner()
    monkeypatch.setattr(scans, "_scanner", lambda: Clamd(f"tcp:127.0.0.1:{made.port}"))
    yield made
    made.go()


def test_while_the_virus_scanner_is_away_nothing_is_taken_and_nothing_lost(
    scanner: VirusScanner, now: datetime
):
    holder, number, draft_id = begun(now)
    before = files()
    scanner.come()
    scans.accept(holder, number, ScanKind.PASSPORT, good.jpeg(), "", now=now)
    (kept,) = standing(draft_id)
    scanner.go()
    with pytest.raises(ScanCheckUnavailable):
        scans.accept(holder, number, ScanKind.PASSPORT, good.scanned_pdf(), "", now=now)
    # What was there before stands, and no file was left behind.
    assert [each.ref for each in standing(draft_id)] == [kept.ref]
    assert len(files() - before) == 2
    scanner.come()
    scans.accept(holder, number, ScanKind.PASSPORT, good.scanned_pdf(), "", now=now)
    (replaced,) = standing(draft_id)
    assert replaced.media_type is MediaType.PDF
    assert scanner.asked == 2


def test_infected_scan_is_refused_before_it_is_parsed(scanner: VirusScanner, now: datetime):
    holder, number, draft_id = begun(now)
    before = files()
    scanner.come()
    with pytest.raises(ScanInfected) as refusal:
        scans.accept(
            holder, number, ScanKind.PASSPORT, good.jpeg() + b"evil-mark", "паспорт.jpg", now=now
        )
    assert refusal.value.name == "Evil.Mark"
    assert standing(draft_id) == []
    assert files() == before
