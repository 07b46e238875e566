"""Role × act × own or foreign, as one hand-written table: whoever may not moves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from sqlmodel import SQLModel, col, select

from emk_app.db.engine import reading
from emk_app.db.repositories import examinations
from emk_app.db.tables.applications import Application, StatusChange
from emk_app.db.tables.examinations import (
    Appeal,
    Attachment,
    Examination,
    ExaminationEntry,
    FurtherStudy,
    SignedConclusion,
    VaccinationRecord,
)
from emk_app.db.tables.people import User
from emk_app.domain.actors import SYSTEM, Actor, Position
from emk_app.domain.appeals import SameSigner
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.clearance import Fitness
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.domain.examinations import CorrectionReason
from emk_app.domain.specialties import ForeignSpecialty
from emk_app.services import appealing, attaching, examining, staffing, vaccinating
from emk_app.services.examining import Words
from emk_app.services.vaccinating import Typed
from tests.conftest import NOW
from tests.factories import (
    good_results,
    make_admin,
    make_book,
    make_clinic,
    make_holder,
    make_operator,
    make_physician,
    make_received,
)
from tests.files import good
from tests.scenes import kept

pytestmark = pytest.mark.usefixtures("world")

TODAY = "23.11.2026"
ILL = Words(contraindication_codes=("skin",))
REFUSALS: dict[str, type[Exception]] = {
    "P": NotPermitted,
    "N": NotFound,
    "S": ForeignSpecialty,
    "C": SameSigner,
}
TABLES: tuple[type[SQLModel], ...] = (
    Application,
    StatusChange,
    Examination,
    ExaminationEntry,
    FurtherStudy,
    VaccinationRecord,
    SignedConclusion,
    Appeal,
    Attachment,
    User,
)


@cache
def rights() -> dict[str, dict[str, str]]:
    """Return what the table says, by act and person."""
    path = Path(__file__).parents[1] / "vectors" / "examination_rights.txt"
    lines = [line.split() for line in path.read_text("utf-8").splitlines()]
    rows = [cells for cells in lines if cells and cells[0] != "#"]
    people = rows[0][1:]
    return {act: dict(zip(people, marks, strict=True)) for act, *marks in rows[1:]}


@kept
def _begun() -> tuple[int, Actor, Actor, Actor, str]:
    """Return a clinic, a holder, its chair, its physician, and what the holder has handed in."""
    clinic_id = make_clinic()
    holder = make_holder(NOW)
    chair = make_physician(clinic_id, NOW, Position.CHAIR, "Седов Виктор Ильич")
    author = make_physician(clinic_id, NOW, Position.PHYSICIAN, "Юдина Раиса Фёдоровна")
    make_book(holder, NOW - timedelta(days=240))
    made = make_received(holder, NOW, clinic_id=clinic_id)
    return (
        clinic_id,
        holder,
        replace(chair, factor_at=NOW),
        replace(author, factor_at=NOW),
        made.number.slug,
    )


@dataclass
class Scene:
    """One case at one clinic, with everybody who could want something of it."""

    now: datetime

    def __post_init__(self) -> None:
        self.clinic_id, self.holder, self.chair, self.author, self.number = _begun()
        self.case = self.entry = self.order = self.shot = 0

    def staff(self, position: Position, name: str = "Юдина Раиса Фёдоровна") -> Actor:
        return replace(make_physician(self.clinic_id, self.now, position, name), factor_at=self.now)

    def foreign(self, position: Position) -> Actor:
        return replace(make_physician(make_clinic(), self.now, position), factor_at=self.now)

    def person(self, name: str) -> Actor:
        match name:
            case "author" | "chair" | "holder":
                return getattr(self, name)
            case "registrar":
                return self.staff(Position.REGISTRAR)
            case "physician":
                return self.staff(Position.PHYSICIAN)
            case "second":
                return self.staff(Position.CHAIR)
            case "green":
                return make_physician(self.clinic_id, self.now, own_specialties=())
            case "f_registrar" | "f_physician" | "f_chair":
                return self.foreign(Position(name.replace("f_", "")))
            case "unplaced":
                return replace(self.staff(Position.CHAIR), position=None)
            case "operator":
                return make_operator(self.now)
            case "admin":
                return make_admin(self.now)
            case "stranger":
                return make_holder(self.now)
            case _:
                return SYSTEM

    def open(self) -> None:
        self.case = examining.open_case(self.chair, self.number, now=self.now)

    def confirm(self) -> None:
        self.open()
        examining.confirm_identity(self.chair, self.case, now=self.now)

    def begin(self) -> None:
        """Let the author enter, order and record something."""
        self.confirm()
        examining.enter_result(self.author, self.case, "bp", "120/80", TODAY, now=self.now)
        examining.order_further(self.author, self.case, "ЭхоКГ", now=self.now)
        vaccinating.record(self.author, self.case, Typed("hbv", "refusal", TODAY), now=self.now)
        with reading() as db:
            (standing,) = examinations.standing(db, self.case)
            self.entry = standing.id
            self.order = db.exec(select(FurtherStudy.id)).one()
            self.shot = db.exec(select(VaccinationRecord.id)).one()

    def attach(self, actor: Actor) -> str:
        return attaching.attach(
            actor, self.case, AttachmentKind.OTHER, good.jpeg(), "а.jpg", now=self.now
        )

    def with_paper(self) -> None:
        self.confirm()
        self.ref = self.attach(self.author)
        with reading() as db:
            self.paper = db.exec(select(Attachment.id)).one()

    def fill(self) -> None:
        self.confirm()
        shown = examining.view(self.author, self.case, now=self.now)
        for each in good_results(shown.programme, self.now.date()):
            examining.enter_result(
                self.author, self.case, each.code, each.value, TODAY, now=self.now
            )

    def conclude(self, fitness: Fitness, words: Words = ILL) -> None:
        self.fill()
        self.sign(self.chair, fitness, words)

    def sign(self, actor: Actor, fitness: Fitness = Fitness.FIT, words: Words = ILL) -> None:
        with reading() as db:
            found = db.get(Examination, self.case)
            assert found is not None
        examining.conclude_and_sign(
            actor, self.case, fitness, words, seen=found.version, now=self.now
        )

    def contest(self) -> None:
        self.appealable()
        appealing.file(self.holder, self.number, "Вылечился", now=self.now)

    def appealable(self) -> None:
        self.conclude(Fitness.UNFIT)
        self.third = self.staff(Position.CHAIR, "Новиков Олег Ильич")

    def second_commission(self) -> None:
        self.contest()
        appealing.take(self.third, self.number, now=self.now)
        examining.confirm_identity(self.third, self.case, now=self.now)


@dataclass(frozen=True)
class Act:
    """What has happened before, what is done, and whether it leaves a trace in the case."""

    before: Callable[[Scene], None]
    do: Callable[[Scene, Actor], object]
    reads: bool = False


def _correct(scene: Scene, actor: Actor) -> None:
    examining.correct_result(
        actor,
        scene.case,
        scene.entry,
        "130/85",
        TODAY,
        reason=CorrectionReason.REPEATED,
        now=scene.now,
    )


def _put_details(scene: Scene, actor: Actor) -> None:
    examining.put_details(
        actor,
        scene.case,
        scene.entry,
        performer="Кабинет № 3",
        device="",
        number="",
        from_certificate=False,
        now=scene.now,
    )


def _tomorrow(scene: Scene) -> None:
    scene.conclude(Fitness.TEMPORARILY_UNFIT, replace(ILL, until="01.02.2027"))


ACTS: dict[str, Act] = {
    "day": Act(Scene.confirm, lambda s, a: examining.day(a, now=s.now), reads=True),
    "view": Act(Scene.begin, lambda s, a: examining.view(a, s.case, now=s.now), reads=True),
    "open_case": Act(lambda _: None, lambda s, a: examining.open_case(a, s.number, now=s.now)),
    "confirm_identity": Act(
        Scene.open, lambda s, a: examining.confirm_identity(a, s.case, now=s.now)
    ),
    "enter": Act(
        Scene.confirm,
        lambda s, a: examining.enter_result(a, s.case, "bp", "120/80", TODAY, now=s.now),
    ),
    "correct": Act(Scene.begin, _correct),
    "put_details": Act(Scene.begin, _put_details),
    "take_over": Act(
        Scene.confirm, lambda s, a: examining.take_over(a, s.case, "syphilis", now=s.now)
    ),
    "order_further": Act(
        Scene.confirm, lambda s, a: examining.order_further(a, s.case, "УЗИ", now=s.now)
    ),
    "cancel_further": Act(
        Scene.begin, lambda s, a: examining.cancel_further(a, s.case, s.order, now=s.now)
    ),
    "card": Act(Scene.begin, lambda s, a: vaccinating.card(a, s.case, now=s.now), reads=True),
    "vaccinate": Act(
        Scene.confirm,
        lambda s, a: vaccinating.record(a, s.case, Typed("hbv", "refusal", TODAY), now=s.now),
    ),
    "take_shot_back": Act(
        Scene.begin, lambda s, a: vaccinating.withdraw(a, s.case, s.shot, now=s.now)
    ),
    "attach": Act(Scene.confirm, lambda s, a: s.attach(a)),
    "detach": Act(Scene.with_paper, lambda s, a: attaching.remove(a, s.case, s.paper, now=s.now)),
    "folder": Act(
        Scene.with_paper, lambda s, a: attaching.folder(a, s.case, now=s.now), reads=True
    ),
    "paper": Act(Scene.with_paper, lambda s, a: attaching.file(a, s.ref, now=s.now), reads=True),
    "check_conclusion": Act(
        Scene.fill,
        lambda s, a: examining.check_conclusion(a, s.case, Fitness.FIT, now=s.now),
        reads=True,
    ),
    "sign": Act(Scene.fill, lambda s, a: s.sign(a)),
    "withdraw": Act(
        lambda s: s.conclude(Fitness.FIT),
        lambda s, a: examining.withdraw_conclusion(a, s.case, now=s.now),
    ),
    "reopen": Act(_tomorrow, lambda s, a: examining.reopen(a, s.case, now=s.now)),
    "mine": Act(Scene.begin, lambda s, a: appealing.mine(a, s.number, now=s.now), reads=True),
    "appeal": Act(
        Scene.appealable, lambda s, a: appealing.file(a, s.number, "Вылечился", now=s.now)
    ),
    "waiting": Act(Scene.contest, lambda s, a: appealing.waiting(a, now=s.now), reads=True),
    "take_appeal": Act(Scene.contest, lambda s, a: appealing.take(a, s.number, now=s.now)),
    "decide_appeal": Act(Scene.second_commission, lambda s, a: s.sign(a)),
    "staff": Act(lambda _: None, lambda _, a: staffing.staff(a), reads=True),
    "set_specialties": Act(
        lambda _: None,
        lambda s, a: staffing.set_specialties(a, s.author.user_id, ["dentist"], now=s.now),
    ),
}
WRITES = [
    (act, name)
    for act, marks in rights().items()
    for name, mark in marks.items()
    if mark == "+" and not ACTS[act].reads
]
READS = [act for act in ACTS if ACTS[act].reads]


def everything() -> list[dict[str, object]]:
    with reading() as db:
        return [
            row.model_dump()
            for table in TABLES
            for row in db.exec(select(table).order_by(col(getattr(table, "id")))).all()  # noqa: B009
        ]


def test_table_names_every_act_once():
    assert set(rights()) == set(ACTS)
    assert {mark for marks in rights().values() for mark in marks.values()} == {"+", *REFUSALS}


@pytest.mark.parametrize(("act", "name"), WRITES, ids=lambda each: each)
def test_who_may_does_it(act: str, name: str, now: datetime):
    scene = Scene(now)
    ACTS[act].before(scene)
    actor = scene.person(name)
    before = everything()
    ACTS[act].do(scene, actor)
    assert everything() != before


@pytest.mark.parametrize("act", READS)
def test_who_may_look_changes_nothing_by_it(act: str, now: datetime):
    scene = Scene(now)
    ACTS[act].before(scene)
    people = [scene.person(name) for name, mark in rights()[act].items() if mark == "+"]
    before = everything()
    for actor in people:
        ACTS[act].do(scene, actor)
    assert everything() == before


@pytest.mark.parametrize("act", ACTS)
def test_whoever_may_not_is_refused_and_moves_nothing(act: str, now: datetime):
    scene = Scene(now)
    ACTS[act].before(scene)
    refused = {name: mark for name, mark in rights()[act].items() if mark != "+"}
    people = {name: scene.person(name) for name in refused}
    before = everything()
    said: dict[str, str] = {}
    for name, actor in people.items():
        try:
            ACTS[act].do(scene, actor)
        except tuple(REFUSALS.values()) as error:
            said[name] = next(mark for mark, kind in REFUSALS.items() if type(error) is kind)
    assert said == refused
    assert everything() == before
