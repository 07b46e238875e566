"""The copy of everything: whole, opened, the person's alone, for a day (D54)."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from emk_app import working
from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.repositories import belongings
from emk_app.db.tables.notices import StoredNotice
from emk_app.db.tables.rights import DataExport
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import FreshFactorNeeded, NotFound, NotPermitted
from emk_app.domain.intake import Field
from emk_app.services import jobs, own_data, reviewing, sharing
from emk_app.settings import settings
from tests.factories import (
    SECRET,
    make_book,
    make_holder,
    make_operator,
    make_received,
)

pytestmark = pytest.mark.usefixtures("world")


def fresh(holder: Actor, now: datetime) -> Actor:
    return replace(holder, session_id=1, factor_at=now)


def fetched(holder: Actor, now: datetime) -> zipfile.ZipFile:
    own_data.ask(fresh(holder, now), now=now)
    jobs.run_due({own_data.JOB: working.SLOW[own_data.JOB]}, now=now)
    copy = own_data.standing(holder, now=now)
    assert copy is not None
    made = own_data.open_copy(fresh(holder, now), copy.ref, now=now)
    content = b"".join(made.pieces)
    assert len(content) == made.size == copy.size
    return zipfile.ZipFile(io.BytesIO(content))


def data_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    return json.loads(archive.read("data.json"))


def test_copy_holds_every_record_opened_and_every_file(now: datetime):
    holder = make_holder(now, "anna@example.ru")
    book_id = make_book(holder, now)
    sharing.make(holder, book_id, label="Кафе", now=now)
    with reading() as db:
        number = belongings.of(db, holder.user_id, vault.vault_for(db, holder.user_id))
    archive = fetched(holder, now)
    said = data_of(archive)
    assert said["format"] == own_data.FORMAT
    tables = said["tables"]
    assert tables.keys() >= number.keys() - {"data_exports"}
    assert json.loads(tables["applications"][0]["form"])[Field.LAST_NAME] == "Иванова"
    assert json.loads(tables["book_versions"][0]["canonical"])
    assert tables["logins"][0]["value"] == "anna@example.ru"
    assert tables["share_links"][0]["label"] == "Кафе"
    assert tables["examination_entries"][0]["value"]
    names = archive.namelist()
    assert sum(name.startswith("files/scans/") for name in names) == 2
    assert any(name.startswith("books/") and name.endswith("-v1.json") for name in names)
    assert archive.testzip() is None
    assert {line["by"] for line in said["journal"]} >= {"self", "system"}


def test_each_sealed_value_opens(now: datetime):
    """A place that ``belongings.PLACES`` does not know would be a value that is left out."""
    holder = make_holder(now, "anna@example.ru")
    book_id = make_book(holder, now)
    sharing.make(holder, book_id, label="Кафе", now=now)
    with reading() as db:
        own = vault.vault_for(db, holder.user_id)
        said = belongings.of(db, holder.user_id, own)
        for name, rows in said.items():
            table = SQLModel.metadata.tables[name]
            for column in table.columns:
                if not column.name.endswith("_sealed") or column.name in belongings.SECRETS:
                    continue
                if (name, column.name) in belongings.FILES:
                    continue
                stored = db.execute(
                    select(column).where(column.is_not(None), table.c.id.in_(_ids(rows)))
                ).all()
                opened = [row for row in rows if row[column.name.removesuffix("_sealed")]]
                assert len(opened) == len(stored), (name, column.name)


def _ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


def test_secrets_and_other_people_are_not_in_it(now: datetime):
    holder = make_holder(now)
    draft = make_received(holder, now)
    operator = make_operator(now, "Орлова Анна Петровна")
    reviewing.case(operator, draft.number.slug, now=now)
    other = make_holder(now, "boris@example.ru")
    make_received(other, now)
    text = fetched(holder, now).read("data.json").decode()
    for secret in (SECRET, "argon2", "Орлова", "boris@example.ru", "password_hash"):
        assert secret not in text
    for row in data_of(fetched(other, now))["tables"]["applications"]:
        assert row["holder_id"] == other.user_id
        assert "reviewer_id" not in row


def test_copy_is_one_at_a_time_for_a_day_and_sealed(now: datetime):
    holder = make_holder(now)
    with pytest.raises(FreshFactorNeeded):
        own_data.ask(holder, now=now)
    assert own_data.standing(holder, now=now) is None
    for _ in range(2):
        own_data.ask(fresh(holder, now), now=now)
    copy = own_data.standing(holder, now=now)
    assert copy is not None and copy.ref == ""
    archive = fetched(holder, now)
    assert "data.json" in archive.namelist()
    own_data.ask(fresh(holder, now), now=now)
    with reading() as db:
        [row] = db.exec(select(DataExport)).all()
        told = db.exec(select(StoredNotice.dedupe)).all()
    assert told.count(f"copy-ready:{row.id}") == 1
    kept = settings().data / "exports" / row.ref
    assert kept.stat().st_mode & 0o777 == 0o600
    assert b"PK\x03\x04" not in kept.read_bytes()[:64]
    assert own_data.standing(holder, now=now + own_data.KEPT) is None
    with pytest.raises(NotFound):
        later = now + own_data.KEPT
        own_data.open_copy(fresh(holder, later), row.ref, now=later)
    own_data.sweep(0, now + own_data.KEPT)
    assert not kept.exists()
    own_data.ask(fresh(holder, later), now=later)
    with reading() as db:
        assert len(db.exec(select(DataExport)).all()) == 2


def test_copy_is_its_persons_alone(now: datetime):
    holder, other = make_holder(now), make_holder(now)
    fetched(holder, now)
    copy = own_data.standing(holder, now=now)
    assert copy is not None
    with pytest.raises(FreshFactorNeeded):
        own_data.open_copy(holder, copy.ref, now=now)
    for ref in (copy.ref, "0" * 32):
        with pytest.raises(NotFound):
            own_data.open_copy(fresh(other, now), ref, now=now)
    for role in (Role.ADMIN, Role.OPERATOR, Role.CLINIC):
        with pytest.raises(NotPermitted):
            own_data.open_copy(Actor(1, role, factor_at=now), copy.ref, now=now)


def test_dropped_copy_is_gone_at_once_and_its_job_makes_none(now: datetime):
    holder = make_holder(now)
    own_data.drop(holder, now=now)
    own_data.ask(fresh(holder, now), now=now)
    own_data.drop(holder, now=now)
    jobs.run_due({own_data.JOB: own_data.make}, now=now)
    assert own_data.standing(holder, now=now) is None
    fetched(holder, now)
    own_data.drop(holder, now=now)
    with reading() as db:
        refs = set(db.exec(select(DataExport.ref)).all())
    assert not refs & {path.name for path in (settings().data / "exports").iterdir()}


def test_interrupted_making_is_done_again(now: datetime, monkeypatch: pytest.MonkeyPatch):
    holder = make_holder(now)
    own_data.ask(fresh(holder, now), now=now)
    with monkeypatch.context() as broken:
        broken.setattr(own_data.notifying, "tell", lambda *_, **__: 1 / 0)
        jobs.run_due({own_data.JOB: own_data.make}, now=now)
    copy = own_data.standing(holder, now=now)
    assert copy is not None and copy.ref == ""
    jobs.run_due({own_data.JOB: own_data.make}, now=now + timedelta(minutes=1))
    copy = own_data.standing(holder, now=now + timedelta(minutes=1))
    assert copy is not None and copy.ref
