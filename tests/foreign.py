"""Things of one holder and one clinic, by the names under which calls take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlmodel import col, select

from emk_app.clock import MOSCOW
from emk_app.db.engine import reading
from emk_app.db.tables.applications import Scan
from emk_app.db.tables.examinations import Examination
from emk_app.db.tables.notices import StoredNotice
from emk_app.db.tables.people import UserSession
from emk_app.db.tables.visits import Visit
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.applications import TrackingNumber
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.disclosures import HANDOVER_CONSENT, HandoverScope, Purpose, RecordScope
from emk_app.services import (
    attaching,
    booking,
    employing,
    enlisting,
    examining,
    handing_over,
    membering,
    renaming,
    scheduling,
    sharing,
    showing,
    supporting,
)
from emk_app.services.employing import Said
from tests import factories
from tests.api.test_scans import cookie_of
from tests.files import good

HOURS: Final = {
    "name": "Кабинет 12",
    **{f"day_{n}": "09:00–17:00" for n in range(7)},
    "breaks": "13:00–14:00",
    "slot_minutes": "30",
    "capacity": "1",
    "horizon_days": "14",
}
NOBODYS: Final[Mapping[str, str]] = {
    "number": TrackingNumber(2026, 999999).slug,
    "kind": "passport",
    "part": "text",
    "version": "1",
    "ref": "0" * 32,
    "scan": "0" * 32,
    "attachment": "0" * 32,
    "uid": "0" * 32,
    "ticket": "00000000",
    "screenshot": "0" * 32,
} | dict.fromkeys(
    (
        *("application_id", "book_id", "examination_id", "grant_id", "handover_id"),
        *(
            "entry_id",
            "invitation_id",
            "key_id",
            "link_id",
            "member_id",
            "notice_id",
            "paper_id",
            "record_id",
            "room_id",
            "session_id",
            "upload_id",
            "user_id",
        ),
    ),
    "999999",
)
"""Well-formed names of things that do not exist."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who has the things, and what they are called."""

    holder: Actor
    physician: Actor
    employer: Actor
    names: Mapping[str, str]

    def actor(self, role: Role) -> Actor:
        """Return the owner who acts in ``role``."""
        owners = {Role.HOLDER: self.holder, Role.EMPLOYER: self.employer}
        return owners.get(role, self.physician)


def make_somebody(now: datetime) -> Somebody:
    """Make a holder with everything a holder can have, at a clinic with all a clinic can have."""
    clinic_id = factories.make_clinic()
    holder = replace(factories.make_holder(now), session_id=1, factor_at=now)
    registrar, physician = (
        replace(factories.make_physician(clinic_id, now, each), session_id=2, factor_at=now)
        for each in (Position.REGISTRAR, Position.PHYSICIAN)
    )
    book_id = factories.make_book(holder, now, clinic_id=clinic_id)
    link = sharing.make(holder, book_id, now=now)
    code = showing.make(holder, RecordScope.WHOLE, 15, now=now).code
    grant_id = showing.claim(physician, code, now=now).grant_id
    showing.open_record(physician, grant_id, now=now)
    handover = handing_over.make(
        holder,
        "СК «Надежда»",
        Purpose.INSURANCE,
        HandoverScope.FHIR,
        1,
        consent_version=HANDOVER_CONSENT,
        now=now,
    )
    wish = renaming.Typed("Петрова", "Мария", "Сергеевна", "27.03.1990", "marriage")
    identity = renaming.ask(holder, wish, good.jpeg(), "x.jpg", now=now)
    room_id = scheduling.add(registrar, HOURS, now=now)
    number = factories.make_received(holder, now, clinic_id=clinic_id).number.slug
    slot = booking.booking(holder, number, now=now).slots[0].starts_at
    booking.book(holder, number, slot.astimezone(MOSCOW), key="k", now=now)
    examination_id = examining.open_case(registrar, number, now=now)
    examining.confirm_identity(registrar, examination_id, now=now)
    paper = attaching.attach(
        physician, examination_id, AttachmentKind.LAB_REPORT, good.jpeg(), "y.jpg", now=now
    )
    employer = factories.make_employer(now)
    entry_id = employing.add_by_link(employer, link.url, Said("Иванова М."), now=now)
    upload_id = enlisting.accept(
        employer, "Сотрудник;Ссылка\nИванова М.;x".encode(), "z.csv", now=now
    )
    owner = replace(employer, session_id=3, factor_at=now)
    invitation_id = membering.invite(owner, "invited@example.ru", "hr", now=now)
    member_id = membering.circle(owner, now=now).members[0].id
    question = supporting.Typed("other", "Где номер книжки?")
    ticket = supporting.begin(holder, question, good.jpeg(), "z.jpg", now=now)
    screenshot = supporting.thread(holder, ticket, now=now).lines[0].files[0].ref
    cookie_of(holder, now)
    with reading() as db:
        session = db.exec(select(UserSession)).first()
        scan = db.exec(select(Scan).order_by(col(Scan.id).desc())).first()
        notice = db.exec(select(StoredNotice)).first()
        visit = db.exec(select(Visit)).first()
        examination = db.get(Examination, examination_id)
        assert session and scan and notice and visit and examination
        names: dict[str, Any] = {
            "number": number,
            "ref": identity,
            "scan": scan.ref,
            "attachment": paper,
            "uid": visit.uid,
            "ticket": ticket,
            "screenshot": screenshot,
            "application_id": examination.application_id,
            "book_id": book_id,
            "entry_id": entry_id,
            "examination_id": examination_id,
            "grant_id": grant_id,
            "handover_id": handover.id,
            "link_id": link.id,
            "notice_id": notice.id,
            "paper_id": 1,
            "record_id": 1,
            "room_id": room_id,
            "upload_id": upload_id,
            "invitation_id": invitation_id,
            "member_id": member_id,
            "session_id": session.id,
            "user_id": physician.user_id,
        }
    return Somebody(
        holder, physician, employer, {**NOBODYS, **{k: str(v) for k, v in names.items()}}
    )


def make_others(now: datetime) -> dict[Role, tuple[Actor, ...]]:
    """Make others of each role that has things of its own: they own nothing of the above."""
    clinic_id = factories.make_clinic()
    other = factories.make_holder(now)
    factories.make_book(other, now, clinic_id=clinic_id)
    return {
        Role.HOLDER: (other,),
        # There is nothing at a clinic that its chair may not do.
        Role.CLINIC: (factories.make_physician(clinic_id, now, Position.CHAIR),),
        Role.EMPLOYER: (factories.make_employer(now),),
    }
