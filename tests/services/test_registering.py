"""Imports of the register by the administrator: looked through, confirmed, put in, given up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from emk_app import cli
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories.clinics import Put
from emk_app.db.tables.clinics import RegisterImport
from emk_app.db.tables.journal import AuditEntry, Job
from emk_app.domain import imports
from emk_app.domain.actors import SYSTEM, Actor, Role
from emk_app.domain.errors import ChangedMeanwhile, NotFound, NotPermitted, TransitionNotAllowed
from emk_app.domain.imports import OPEN, FileEmpty, ImportState, ImportUnderWay, ReportGone
from emk_app.presenting import registers
from emk_app.services import auditing, directory, importing, jobs, registering
from emk_app.services.importing import Report
from emk_app.services.registering import ImportView
from emk_app.settings import settings
from emk_app.working import SLOW
from tests.factories import make_admin, make_holder
from tests.services.test_importing import OID, rows, table

pytestmark = pytest.mark.usefixtures("world")

OTHERS = sorted(set(Role) - {Role.ADMIN})


@pytest.fixture
def admin(now: datetime) -> Iterator[Actor]:
    yield make_admin(now)
    for path in folder().glob("*"):
        path.unlink()


def folder() -> Path:
    return settings().data / "register"


def upload(content: str | bytes) -> str:
    name, file = registering.files().create()
    with file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return name


def bring(admin: Actor, content: str | bytes, now: datetime, name: str = "реестр.csv") -> int:
    return registering.accept(admin, upload(content), name, now=now)


def work(now: datetime) -> None:
    jobs.run_due(SLOW, now=now)


def newest(admin: Actor) -> ImportView:
    return registering.history(admin)[0]


def kept() -> set[str]:
    return {path.suffix for path in folder().glob("*")}


def actions() -> list[str]:
    with reading() as db:
        wanted = col(AuditEntry.action).like("%register")
        return list(db.exec(select(AuditEntry.action).where(wanted).order_by(col(AuditEntry.id))))


def test_file_changes_nothing_until_it_is_confirmed(admin: Actor, now: datetime):
    import_id = bring(admin, table([*rows(1, 2), "плохая"]), now)
    assert newest(admin).state is ImportState.CHECKING
    work(now)
    seen = newest(admin)
    assert (seen.state, seen.report) == (ImportState.CHECKED, Report(3, Put(added=2), 1))
    assert directory.search().total == 0

    registering.confirm(admin, import_id, now=now)
    assert newest(admin).state is ImportState.APPLYING
    work(now)
    done = newest(admin)
    assert (done.state, done.report) == (ImportState.DONE, Report(3, Put(added=2), 1))
    assert (done.brought_by, done.confirmed_by) == ("Кедров Лев Львович",) * 2
    assert (done.name, done.seen) == ("реестр.csv", 3)
    assert directory.search("ревда").total == 2
    assert actions() == ["upload_register", "confirm_register", "import_register"]
    with reading() as db:
        assert auditing.first_broken(db) is None


def test_file_goes_once_it_is_in_and_the_report_stays(admin: Actor, now: datetime):
    import_id = bring(admin, table([*rows(1), "плохая", rows(2)[0].replace("66;П", "99;П")]), now)
    assert {path.stat().st_mode & 0o777 for path in folder().iterdir()} == {0o600}
    assert folder().stat().st_mode & 0o777 == 0o700
    work(now)
    lines = registering.bad_lines(admin, import_id)
    assert [(line[0], line[2]) for line in lines] == [("3", ""), ("4", "regionId")]
    assert registering.bad_lines(admin, import_id, limit=1) == lines[:1]
    registering.confirm(admin, import_id, now=now)
    work(now)
    assert kept() == {".report"}
    with registering.report(admin, import_id) as file:
        assert file.read().decode("utf-8-sig").splitlines()[0] == ";".join(registers.REPORT_HEADER)


def test_what_is_no_register_is_refused_and_leaves_room_for_the_next(admin: Actor, now: datetime):
    import_id = bring(admin, b"%PDF-1.7", now)
    work(now)
    assert newest(admin).state is ImportState.REFUSED
    with pytest.raises(TransitionNotAllowed):
        registering.confirm(admin, import_id, now=now)
    assert "" not in kept()
    bring(admin, table(rows(1)), now)


def test_second_file_waits_for_the_first(admin: Actor, now: datetime):
    first = bring(admin, table(rows(1)), now)
    with pytest.raises(ImportUnderWay):
        registering.permit_upload(admin)
    with pytest.raises(ImportUnderWay):
        bring(admin, table(rows(2)), now)
    assert len(list(folder().iterdir())) == 1
    registering.drop(admin, first, now=now)
    assert kept() == set()
    registering.permit_upload(admin)
    bring(admin, table(rows(2)), now)


def test_of_files_brought_at_once_one_is_taken(admin: Actor, now: datetime):
    def once(number: int) -> bool:
        try:
            bring(admin, table(rows(number)), now)
        except ImportUnderWay:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(once, range(6))) == [False] * 5 + [True]
    assert len(list(folder().iterdir())) == 1


def test_confirmed_twice_at_once_it_is_put_in_once(admin: Actor, now: datetime):
    import_id = bring(admin, table(rows(1)), now)
    work(now)

    def once(_: int) -> bool:
        try:
            registering.confirm(admin, import_id, now=now)
        except (TransitionNotAllowed, ChangedMeanwhile):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(once, range(4))) == [False] * 3 + [True]
    with reading() as db:
        query = select(sa.func.count()).select_from(Job).where(Job.kind == registering.APPLY)
        assert db.exec(query).one() == 1


def test_empty_file_is_refused_and_not_kept(admin: Actor, now: datetime):
    with pytest.raises(FileEmpty):
        bring(admin, b"", now)
    assert kept() == set()
    assert registering.history(admin) == []


def test_unchecked_or_finished_import_is_not_confirmed(admin: Actor, now: datetime):
    import_id = bring(admin, table(rows(1)), now)
    with pytest.raises(TransitionNotAllowed):
        registering.confirm(admin, import_id, now=now)
    registering.drop(admin, import_id, now=now)
    for act in (registering.confirm, registering.drop):
        with pytest.raises(TransitionNotAllowed):
            act(admin, import_id, now=now)
        with pytest.raises(NotFound):
            act(admin, import_id + 1, now=now)
    work(now)
    assert newest(admin).state is ImportState.DROPPED


def test_import_given_up_in_the_middle_stops_after_its_batch(
    admin: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(importing, "BATCH", 1)
    import_id = bring(admin, table(rows(1, 2, 3)), now)
    work(now)
    registering.confirm(admin, import_id, now=now)
    # Between two batches, as somebody at another screen would.
    original = importing.import_file

    def interrupted(*args: object, **kwargs: object) -> Report:
        tell = kwargs["on_progress"]

        def told(seen: int) -> None:
            if seen == 2:
                registering.drop(admin, import_id, now=now)
            tell(seen)  # pyright: ignore[reportCallIssue]

        return original(*args, **kwargs | {"on_progress": told})  # pyright: ignore

    monkeypatch.setattr(importing, "import_file", interrupted)
    registering.put_in(import_id, clock=lambda: now)
    assert newest(admin).state is ImportState.DROPPED
    assert directory.search("ревда 3").total == 0
    assert directory.search("ревда 2").total == 1


def test_job_that_is_done_again_says_the_same(admin: Actor, now: datetime):
    import_id = bring(admin, table([*rows(1), "плохая"]), now)
    for _ in range(2):
        SLOW[registering.CHECK](import_id, now)
    assert newest(admin).report == Report(2, Put(added=1), 1)
    registering.confirm(admin, import_id, now=now)
    for _ in range(2):
        SLOW[registering.APPLY](import_id, now)
    assert newest(admin).report == Report(2, Put(added=1), 1)


def test_work_cut_off_by_a_crash_begins_anew_with_a_report_of_its_own(admin: Actor, now: datetime):
    import_id = bring(admin, table([*rows(1), "плохая"]), now)
    with reading() as db:
        row = db.get(RegisterImport, import_id)
    assert row is not None
    with registering.files().write_report(row.upload) as half:
        half.write(b"half of a lin")
    work(now)
    assert [line[0] for line in registering.bad_lines(admin, import_id)] == ["3"]


def test_lease_grows_while_the_work_goes_on(admin: Actor, now: datetime):
    import_id = bring(admin, table(rows(1)), now)
    later = now + timedelta(minutes=1)
    leases: list[datetime | None] = []

    def held() -> datetime:
        with reading() as db:
            leases.append(db.exec(select(Job.leased_until).where(Job.target_id == import_id)).one())
        return later

    def check(target: int, _now: datetime) -> None:
        registering.look_through(
            target, clock=held, header=registers.REPORT_HEADER, words=registers.bad_lines
        )
        held()

    jobs.run_due({registering.CHECK: check}, now=now)
    assert leases[0] == now + jobs.LEASE
    assert leases[-1] == later + jobs.LEASE


def test_forgotten_import_makes_room_and_old_reports_go(admin: Actor, now: datetime):
    import_id = bring(admin, table([*rows(1), "плохая"]), now)
    work(now)
    registering.sweep(now=now + imports.WAITS - timedelta(minutes=1))
    assert newest(admin).state is ImportState.CHECKED
    registering.sweep(now=now + imports.WAITS)
    assert newest(admin).state is ImportState.DROPPED
    assert kept() == {".report"}
    old = (now - timedelta(days=40)).timestamp()
    for path in folder().iterdir():
        os.utime(path, (old, old))
    registering.sweep(now=now + timedelta(days=2))
    assert kept() == {".report"}
    registering.sweep(now=now + imports.REPORT_KEPT)
    assert kept() == set()
    assert registering.bad_lines(admin, import_id) == []
    with pytest.raises(ReportGone):
        registering.report(admin, import_id)


def test_file_left_by_a_dead_process_is_removed(admin: Actor, now: datetime):
    open_one = bring(admin, table(rows(1)), now)
    upload(b"half")
    old = (now - timedelta(days=3)).timestamp()
    for path in folder().iterdir():
        os.utime(path, (old, old))
    registering.sweep(now=now)
    with reading() as db:
        row = db.get(RegisterImport, open_one)
    assert row is not None
    assert [path.name for path in folder().iterdir()] == [row.upload]


@pytest.mark.parametrize("role", OTHERS)
def test_nobody_but_the_administrator_imports(role: Role, admin: Actor, now: datetime):
    import_id = bring(admin, table(rows(1)), now)
    work(now)
    other = Actor(make_holder(now).user_id, role)
    with pytest.raises(NotPermitted):
        registering.permit_upload(other)
    with pytest.raises(NotPermitted):
        registering.confirm(other, import_id, now=now)
    with pytest.raises(NotPermitted):
        registering.history(other)
    with pytest.raises(NotPermitted):
        registering.report(other, import_id)
    with pytest.raises(NotPermitted):
        registering.bad_lines(other, import_id)
    if role is not Role.SYSTEM:
        with pytest.raises(NotPermitted):
            registering.drop(other, import_id, now=now)
        with pytest.raises(NotPermitted):
            registering.note(other, "x", Report(0, Put(), 0), now=now)
    with pytest.raises(NotPermitted):
        bring(other, table(rows(1)), now)
    assert newest(admin).state is ImportState.CHECKED
    assert len(list(folder().iterdir())) == 2


def test_import_by_command_stands_in_the_history(
    admin: Actor, now: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "register.csv"
    file.write_text(table(rows(1)))
    assert cli.main(["clinics", "import", str(file), "--dry-run"]) == 0
    assert registering.history(admin) == []
    assert cli.main(["clinics", "import", str(file)]) == 0
    seen = newest(admin)
    assert (seen.name, seen.brought_by, seen.confirmed_by) == ("register.csv", "", "")
    assert (seen.state, seen.report.put) == (ImportState.DONE, Put(added=1))
    with pytest.raises(ReportGone):
        registering.report(admin, seen.id)
    with pytest.raises(NotFound):
        registering.report(admin, seen.id + 1)


def test_history_begins_with_what_is_open_and_stays_short(admin: Actor, now: datetime):
    first = bring(admin, table(rows(1)), now)
    for number in range(registering.SHOWN + 5):
        registering.note(SYSTEM, f"{number}.csv", Report(0, Put(), 0), now=now)
    shown = registering.history(admin)
    assert len(shown) == registering.SHOWN
    assert shown[0].id == first
    assert shown[1].name == f"{registering.SHOWN + 4}.csv"


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        ("C:\\Users\\я\\реестр.csv", "реестр.csv"),
        ("../../etc/passwd", "passwd"),
        ("", "register"),
        ("a\x00\u202eb.csv", "ab.csv"),
        ("я" * 300, "я" * 120),
    ],
)
def test_name_of_a_file_is_only_shown(called: str, shown: str, admin: Actor, now: datetime):
    bring(admin, table(rows(1)), now, called)
    assert newest(admin).name == shown


def test_formula_in_a_report_is_only_text(admin: Actor, now: datetime):
    hostile = rows(1)[0].replace(OID.format(1), "=cmd|' /c calc'!A1")
    import_id = bring(admin, table([hostile]), now)
    work(now)
    [line] = registering.bad_lines(admin, import_id)
    assert line[1] == "'=cmd|' /c calc'!A1"


def test_every_open_state_can_be_left_and_no_closed_one():
    for state in ImportState:
        leads = {target for current, target in imports.STEPS if current is state}
        assert bool(leads) == (state in OPEN)


def test_clinic_is_found_by_its_oid(admin: Actor, now: datetime):
    import_id = bring(admin, table(rows(1, 2)), now)
    work(now)
    registering.confirm(admin, import_id, now=now)
    work(now)
    assert [each.oid for each in directory.search(OID.format(2)).clinics] == [OID.format(2)]
    assert directory.search(OID.format(3)).total == 0
    assert directory.search(OID.format(2), region="77").total == 0
    with unit_of_work() as db:
        db.exec(sa.text("UPDATE clinics SET deleted_on = '2026-01-01'"))  # pyright: ignore
    assert directory.search(OID.format(2)).total == 0
