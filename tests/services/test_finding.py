"""A holder's search through the own record: everything that it says, and nobody else's."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.db import vault
from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import examinations
from emk_app.db.tables.applications import Application
from emk_app.db.tables.examinations import Attachment
from emk_app.domain.actors import Actor
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.clearance import Fitness
from emk_app.domain.documents import MediaType
from emk_app.domain.errors import NotPermitted
from emk_app.presenting import finding as words
from emk_app.presenting.finding import FoundRow
from emk_app.services import finding
from emk_app.services.attaching import NAME
from tests.factories import make_book, make_holder, make_operator, spoil_versions
from tests.services.test_versions import vaccinate

pytestmark = pytest.mark.usefixtures("world")


def found(holder: Actor, text: str) -> list[FoundRow]:
    return words.rows_of(finding.own_record(holder), text)[0]


def told(row: FoundRow) -> str:
    return "".join(piece.text for piece in [*row.title, *row.text])


def marked(row: FoundRow) -> list[str]:
    return [piece.text for piece in [*row.title, *row.text] if piece.is_hit]


def add_paper(holder: Actor, now: datetime, name: str) -> None:
    with unit_of_work() as db:
        application = db.exec(
            select(Application).where(col(Application.holder_id) == holder.user_id)
        ).one()
        examination = examinations.of_application(db, application.id)
        assert examination is not None
        db.add(
            Attachment(
                ref="a" * 32,
                examination_id=examination.id,
                kind=AttachmentKind.LAB_REPORT,
                media_type=MediaType.PDF,
                size=1,
                pages=1,
                sha256="0" * 64,
                blob="x",
                preview_blob="y",
                name_sealed=vault.vault_for(db, holder.user_id).seal(name, *NAME, "a" * 32),
                clinic_id=examination.clinic_id,
                added_by=holder.user_id,
                added_at=now,
            )
        )


def test_each_part_of_the_record_is_found_and_leads_to_its_place(now: datetime):
    holder = make_holder(now)
    make_book(holder, now, fitness=Fitness.FIT_WITH_RESTRICTIONS)
    add_paper(holder, now, "Анализ крови, лаборатория «Гамма».pdf")
    vaccinate(holder, now, series="Ж-77")
    for asked, said, href in (
        ("терапевту", "Врач-терапевт", "#study-doc_therapist"),
        ("ночных смены", "без ночных смен", "#book"),
        ("поликлиники", "Городская поликлиника", "#book"),
        ("седов", "Седов Виктор Ильич", "#book"),
        ("ж-77", "серия Ж-77", "#vaccinations"),
        ("корь прививка", "Прививка: корь", "#vaccinations"),
        ("повара", "Повар", "#book"),
        ("гамма", "лаборатория «Гамма»", "/cabinet/applications/"),
        ("27 марта", "27.03.1990", "#book"),
        ("оформлена", "Версия 1: Книжка оформлена", "#versions"),
    ):
        rows = [row for row in found(holder, asked) if row.href.startswith(href)]
        assert rows and said.casefold() in told(rows[0]).casefold(), asked
        assert marked(rows[0]), asked


def test_what_only_an_earlier_version_says_is_found_there(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)
    for number in range(3):
        vaccinate(holder, now + timedelta(minutes=number), series=f"B{number}")
    rows = found(holder, "терапевт")
    assert rows[0].where == "В текущей версии и\u00a0ещё в\u00a03\u00a0прежних"
    assert found(holder, "версия 2")[0].where == "Только в\u00a0прежней версии 2"


def test_nothing_is_found_by_wrong_words_and_no_words_are_a_hint(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)
    record = finding.own_record(holder)
    assert words.rows_of(record, "хирургия позвоночника") == ([], words.NOTHING)
    assert words.rows_of(record, " ?! ") == ([], words.NO_WORDS)
    assert words.rows_of(record, "<script>") == ([], words.NOTHING)


def test_many_results_are_cut_and_counted(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)
    record = finding.own_record(holder)
    rows, said = words.rows_of(record, "2026")
    assert 1 < len(rows) <= words.SHOWN
    assert said.startswith(("Нашлось", "Нашлись", "Нашлась"))


def test_version_that_is_not_genuine_says_nothing(now: datetime):
    holder = make_holder(now)
    spoil_versions(make_book(holder, now), version_hash="0" * 64)
    assert finding.own_record(holder).versions == ()


def test_record_is_one_s_own_and_a_holder_s(now: datetime):
    make_book(make_holder(now), now)
    empty = finding.own_record(make_holder(now))
    assert (empty.versions, empty.papers) == ((), ())
    with pytest.raises(NotPermitted):
        finding.own_record(make_operator(now))


def test_record_stays_out_of_logs(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)
    record = finding.own_record(holder)
    for each in (record, *record.versions):
        assert "Иванова" not in repr(each)
