"""Whatever a role may call shows no field of a holder that the table of fields hides (D22)."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest
from reflex_base.event import Event
from sqlmodel import col, select

from emk_app import clock
from emk_app.api.routing import Endpoint
from emk_app.db.engine import reading
from emk_app.db.tables.applications import Application, Scan
from emk_app.db.tables.books import MedicalBook
from emk_app.db.tables.examinations import Attachment, Examination
from emk_app.db.tables.people import User
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.applications import TrackingNumber
from emk_app.domain.books import BookNumber, Verdict
from emk_app.domain.clearance import Fitness
from emk_app.domain.contacts import Email, Phone
from emk_app.domain.fieldpolicy import HolderField, Sight, Viewer, sight_of
from emk_app.domain.intake import Field
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.emk_app import ENDPOINTS
from emk_app.presenting.formats import day
from emk_app.presenting.verdicts import VERDICTS
from emk_app.services import employing, notifying, vaccinating
from emk_app.services.employing import Said
from emk_app.services.vaccinating import Typed
from tests import factories
from tests.access import EVERYBODY, Whose, by_call
from tests.api.test_scans import cookie_of
from tests.edge.test_foreign import filled
from tests.edge.test_routes import ask
from tests.foreign import Somebody, make_somebody
from tests.states.conftest import PATIENCE, Screen, Screens
from tests.states.test_foreign import HANDLERS, NAMED, PATHS, ROOT, arguments
from tests.states.test_fresh import make_supporter

SERIES = "QX777"
ROLES = {
    Viewer.REGISTRAR: Role.CLINIC,
    Viewer.PHYSICIAN: Role.CLINIC,
    Viewer.CHAIR: Role.CLINIC,
    Viewer.OPERATOR: Role.OPERATOR,
    Viewer.EMPLOYER: Role.EMPLOYER,
    Viewer.SUPPORT: Role.SUPPORT,
    Viewer.ADMIN: Role.ADMIN,
}
TABLE = by_call()
OF_OTHER_THINGS = {
    "clinic.ExaminationState.follow",
    "book_desk.BookDeskState.follow",
    "book_desk.BooksState.find",
}
"""What is also asked of the case that was concluded, and of the book by its number."""
ENDLESS = {"records.ClinicRecordsState.resume"}
"""What goes on in the background for as long as a record is open."""
LISTS = "reference."
"""Where all occupations there are stand in a list, which says nothing about anybody's."""

UNSHOWN = {
    # A chair reads a book as a physician does: the one whom the holder lets in.
    Viewer.CHAIR: {HolderField.TERM},
    # Nobody here has asked support for anything.
    Viewer.SUPPORT: {HolderField.APPLICATION},
}
"""What the table allows and nobody is shown in this world."""
PICTURES = ("image/", "application/pdf")
NEITHER = {"import_id": "1", "erasure_id": "1"}
"""What is nobody's, or has not come to be."""


@dataclass(frozen=True, slots=True)
class World:
    """A holder of whom everything is known, who may look, and what is looked for."""

    somebody: Somebody
    viewers: Mapping[Viewer, Actor]
    full: Mapping[HolderField, tuple[str, ...]]
    """How each field reads where it is shown."""
    part: Mapping[HolderField, tuple[str, ...]]
    """What of it a mask leaves."""
    names: tuple[Mapping[str, str], ...]
    """Under which names calls may ask for what is the holder's."""

    def shown_in(self, text: str) -> dict[HolderField, Sight]:
        """Return what of the holder the text tells."""
        said: dict[HolderField, Sight] = {}
        for sight, marks in ((Sight.MASKED, self.part), (Sight.SHOWN, self.full)):
            for field, words in marks.items():
                if any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words):
                    said[field] = sight
        return said


def make_world(now: datetime) -> World:
    """Make somebody with an earlier case that was concluded, and one of each who may look."""
    somebody = make_somebody(now)
    clinic_id = somebody.physician.clinic_id
    assert clinic_id is not None
    registrar, chair = (
        factories.make_physician(clinic_id, now, each)
        for each in (Position.REGISTRAR, Position.CHAIR)
    )
    open_case = int(somebody.names["examination_id"])
    shot = Typed("hbv", "done", day(clock.day_of(now)), "V1", "Регевак", SERIES)
    vaccinating.record(somebody.physician, open_case, shot, now=now)
    factories.make_green(
        somebody.holder, now, clinic_id=clinic_id, fitness=Fitness.FIT_WITH_RESTRICTIONS
    )
    with reading() as db:
        holder = db.get_one(User, somebody.holder.user_id)
        contact = next(iter(notifying.contacts_of(holder).values()))
        book = db.get_one(MedicalBook, int(somebody.names["book_id"]))
        cases = db.exec(select(Examination).order_by(col(Examination.id))).all()
        applications = db.exec(select(Application)).all()
        scans, papers = db.exec(select(Scan)).all(), db.exec(select(Attachment)).all()
    employing.add_by_number(
        somebody.employer, book.number, factories.FORM[Field.SNILS], Said("Повар"), "x", now=now
    )
    form, work = factories.FORM, OCCUPATIONS["cook"]
    number = BookNumber.parse(book.number)
    concluded = next(str(each.id) for each in cases[::-1] if each.fitness is not None)
    tracked = [
        TrackingNumber.parse(each.tracking_number) for each in applications if each.tracking_number
    ]
    phone = Phone.parse(form[Field.PHONE])
    snils = form[Field.SNILS]
    full = {
        HolderField.NAME: ("Сергеевна",),
        HolderField.BIRTH_DATE: ("27.03.1990", "1990-03-27"),
        HolderField.SEX: ("женский", "Женский", "female"),
        HolderField.IDENTITY: (form[Field.PASSPORT_NUMBER], somebody.names["ref"]),
        HolderField.SNILS: (snils, re.sub(r"\D", "", snils)),
        HolderField.POLICY: (form[Field.POLICY_NUMBER], form[Field.POLICY_NUMBER][-4:]),
        HolderField.ADDRESS: ("Ильинка",),
        HolderField.PHONE: (str(phone), "79123456789", "9123456789"),
        HolderField.EMAIL: (contact,),
        HolderField.OCCUPATION: (work.name,),
        HolderField.APPLICATION: tuple(
            said for each in tracked for said in (each.shown, each.slug)
        ),
        HolderField.SCANS: tuple(each.ref for each in scans),
        HolderField.RESULTS: (SERIES, "120/80"),
        HolderField.CONCLUSION: ("без ночных смен",),
        HolderField.EXAMINATION_PAPERS: tuple(each.ref for each in papers),
        HolderField.BOOK_NUMBER: (number.shown, number.digits),
        HolderField.TERM: (
            day(book.valid_until),
            book.valid_until.isoformat(),
            VERDICTS[Verdict.VALID].word,
        ),
    }
    part = {
        HolderField.NAME: ("Иванова", "Мария"),
        HolderField.BIRTH_DATE: ("1990",),
        HolderField.SNILS: ("112***95",),
        HolderField.ADDRESS: ("109012",),
        HolderField.PHONE: (phone.masked,),
        HolderField.EMAIL: (Email.parse(contact).masked,),
        HolderField.OCCUPATION: (work.group,),
    }
    viewers = {
        Viewer.REGISTRAR: registrar,
        Viewer.PHYSICIAN: somebody.physician,
        Viewer.CHAIR: chair,
        Viewer.OPERATOR: factories.make_operator(now),
        Viewer.EMPLOYER: somebody.employer,
        Viewer.ADMIN: factories.make_admin(now),
        Viewer.SUPPORT: make_supporter(now),
    }
    return World(
        somebody,
        viewers,
        full,
        part,
        (
            {**NEITHER, **somebody.names},
            {**NEITHER, **somebody.names, "number": number.digits, "examination_id": concluded},
        ),
    )


def calls_of(role: Role) -> list[str]:
    """Return the handlers by which the role sees or changes anything of anybody but itself."""
    return [
        call
        for call, row in TABLE.items()
        if "/" not in call
        and len(row.roles) < len(EVERYBODY)
        and row.roles.get(role, Whose.NOTHING) is not Whose.NOTHING
    ]


async def seen_on_screens(
    screens: Screens, who: Actor, calls: Iterable[str], names: Mapping[str, str]
) -> AsyncIterator[tuple[str, str]]:
    """Yield what comes of each handler, in a new tab on its page of the thing."""
    for call in calls:
        screen = await screens.signed_in(who.user_id)
        route = PATHS.get(call.split(".")[1], "/cabinet")
        event = Event(name=NAMED[call], payload=arguments(NAMED[call], names))
        query = {
            "number_arg": names["number"],
            "examination_arg": names["examination_id"],
            "ref_arg": names["ref"],
        }
        if HANDLERS[event.name].handler.is_background or call in ENDLESS:
            await screen.follow(event, route, **query)
            await shown_first(screen, event.name)
        else:
            await screen.send(event, route, **query)
        # What a tab knows of its own address is what it was given.
        shown = [
            {state: said for state, said in update.items() if state != ROOT}
            for update in screen.shown
        ]
        screen.close()
        said = json.dumps(shown, ensure_ascii=False, default=repr)
        # A screen may keep the number it was given.
        yield call, said.replace(f'"{names["number"]}"', '"…"')


async def shown_first(screen: Screen, name: str) -> None:
    """Wait until what follows has shown what there is, has ended, or sent its reader away."""
    kind = HANDLERS[name].handler.state_full_name
    async with asyncio.timeout(PATIENCE):
        while not (screen.gone_to or screen.errors or screen.is_still):
            said = [update[kind] for update in screen.shown if kind in update]
            loaded = [is_loaded for each in said for is_loaded in values_of(each, "is_loaded")]
            if any(loaded) or (said and not loaded):
                return
            await asyncio.sleep(0.01)


def values_of(update: Mapping[str, Any], name: str) -> list[Any]:
    """Return the value of a var; the framework adds a word of its own to its name."""
    return [value for key, value in update.items() if key.startswith(name)]


def seen_at_routes(who: Actor, role: Role, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what every route that the role may read answers."""
    cookie = cookie_of(who, clock.now())["cookie"].removeprefix("emk_sid=")
    for endpoint in ENDPOINTS:
        row = TABLE[f"{endpoint.method} {endpoint.path}"]
        if endpoint.method == "GET" and not row.is_open and role in row.roles:
            answer = ask("GET", filled(endpoint, dict(names)), cookie)
            is_picture = answer.headers.get("content-type", "").startswith(PICTURES)
            told = names_in(endpoint, names) if is_picture else text_of(answer)
            yield endpoint.path, told


def names_in(endpoint: Endpoint, names: Mapping[str, str]) -> str:
    """Return which thing it is whose picture was shown."""
    return filled(endpoint, dict(names)).replace("/", " ")


def text_of(answer: httpx.Response) -> str:
    """Return what an answer says; of a workbook, what its parts say."""
    if not answer.content.startswith(b"PK"):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as parts:
        return " ".join(parts.read(name).decode() for name in parts.namelist())


@pytest.mark.parametrize("viewer", ROLES)
async def test_nothing_that_a_role_may_call_shows_what_the_table_hides(
    screens: Screens, viewer: Viewer
):
    world = make_world(clock.now())
    who, role = world.viewers[viewer], ROLES[viewer]
    shown: dict[HolderField, Sight] = {}
    for names in world.names:
        calls = calls_of(role) if names is world.names[0] else OF_OTHER_THINGS & set(calls_of(role))
        views = [each async for each in seen_on_screens(screens, who, sorted(calls), names)]
        if names is world.names[0]:
            views += await asyncio.to_thread(list, seen_at_routes(who, role, names))
        for call, text in views:
            for field, sight in world.shown_in(text).items():
                if call.startswith(LISTS) and field is HolderField.OCCUPATION:
                    continue
                allowed = sight_of(viewer, field)
                assert sight is allowed or allowed is Sight.SHOWN, (call, field, text)
                shown[field] = min(sight, shown.get(field, sight), key=list(Sight).index)
    # What nobody shows, nobody needs: the table says no more than is done.
    needed = {field for field in HolderField if sight_of(viewer, field) is Sight.SHOWN}
    assert needed - shown.keys() - UNSHOWN.get(viewer, set()) == set()
