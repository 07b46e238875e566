"""Bringing a register of clinics in."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from emk_app import cli
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories.clinics import Put
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.journal import AuditEntry
from emk_app.demo import register
from emk_app.domain.actors import SYSTEM, Actor, Role
from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.errors import NotFound, NotPermitted, Required
from emk_app.domain.numbers import WrongCheckDigit
from emk_app.domain.register import ColumnsAmiss, NotAnOid, NotARegister, OidRepeated
from emk_app.services import auditing, directory, importing
from emk_app.services.importing import BadRow, Report

OID = "1.2.643.5.1.13.13.12.2.66.{}"
HEADER = "oid;nameFull;nameShort;inn;ogrn;okpo;regionId;organizationType;licenceStatus;points"
ROW = (
    "{oid};ГБУЗ «Поликлиника {n}», Ревда;Поликлиника {n};7707083893;1027700132195;00032537;66;"
    "Поликлиника;действует;23,25"
)

pytestmark = pytest.mark.usefixtures("world")


def rows(*numbers: int) -> list[str]:
    return [ROW.format(oid=OID.format(n), n=n) for n in numbers]


def bring(
    text: str | bytes, now: datetime, *, dry_run: bool = False, actor: Actor = SYSTEM
) -> tuple[Report, list[BadRow]]:
    bad: list[BadRow] = []
    content = text if isinstance(text, bytes) else text.encode()
    report = importing.import_file(
        actor, io.BytesIO(content), now=now, dry_run=dry_run, on_bad=bad.append
    )
    return report, bad


def table(lines: Iterable[str], header: str = HEADER) -> str:
    return "\n".join([header, *lines]) + "\n"


def clinic(number: int) -> Clinic:
    with reading() as db:
        return db.exec(select(Clinic).where(Clinic.oid == OID.format(number))).one()


def test_file_is_put_in_and_found_at_once(now: datetime):
    report, bad = bring(table(rows(1, 2)), now)
    assert (report.put, bad) == (Put(added=2), [])
    kept = clinic(1)
    assert (kept.kind, kept.region_code) == (ClinicKind.POLYCLINIC, "66")
    assert (kept.licence_status, kept.points) == (LicenceStatus.ACTIVE, "23,25")
    assert kept.imported_at == now
    assert [each.oid for each in directory.search("ревда 2").clinics] == [OID.format(2)]
    assert directory.search().counts.regions == {"66": 2}


def test_same_file_again_changes_nothing(now: datetime):
    bring(table(rows(1, 2)), now)
    with reading() as db:
        entries = db.exec(select(sa.func.count()).select_from(AuditEntry)).one()
    report, _ = bring(table(rows(1, 2)), now)
    assert report.put == Put(unchanged=2)
    with reading() as db:
        assert db.exec(select(sa.func.count()).select_from(AuditEntry)).one() == entries


def test_dry_run_says_the_same_and_changes_nothing(now: datetime):
    bring(table(rows(1, 2)), now)
    changed = table([*rows(1, 3), rows(2)[0].replace("23,25", "23")])
    said, _ = bring(changed, now, dry_run=True)
    assert said.put == Put(added=1, changed=1, unchanged=1)
    assert clinic(2).points == "23,25"
    done, _ = bring(changed, now)
    assert done == said
    assert clinic(2).points == "23"


def test_changed_name_is_found_by_the_new_one_alone(now: datetime):
    bring(table(rows(1)), now)
    bring(table([rows(1)[0].replace("Ревда", "Асбест")]), now)
    assert directory.search("ревда").total == 0
    assert directory.search("асбест").total == 1


def test_deletion_counts_from_its_day(now: datetime):
    header = HEADER + ";deleteDate"
    bring(table(rows(1, 2, 3)), now)
    gone, closing, stays = rows(1, 2, 3)
    report, _ = bring(
        table([gone + ";2026-11-23", closing + ";24.11.2026", stays + ";"], header), now
    )
    assert report.put == Put(removed=1, unchanged=2)
    assert {each.oid for each in directory.search("ревда").clinics} == {
        OID.format(2),
        OID.format(3),
    }
    with pytest.raises(NotFound):
        directory.get(clinic(1).id)
    again, _ = bring(table([gone + ";"], header), now)
    assert again.put == Put(changed=1)
    assert directory.search("ревда").total == 3


def test_bad_rows_are_told_by_line_and_the_good_ones_go(now: datetime):
    lines = [
        *rows(1),
        rows(2)[0].replace("7707083893", "7707083894"),
        rows(3)[0].replace(OID.format(3), "1.2.3"),
        rows(4)[0] + ";лишнее",
        *rows(5),
        rows(1)[0],
        rows(6)[0].replace("ГБУЗ «Поликлиника 6», Ревда", ""),
        '"незакрытая;кавычка',
    ]
    report, bad = bring(table(lines), now)
    assert report.put == Put(added=2)
    assert report.bad == len(bad) == 6
    told = [(row.line, {name: type(why) for name, why in row.problems.items()}) for row in bad]
    assert told == [
        (3, {"inn": WrongCheckDigit}),
        (4, {"oid": NotAnOid}),
        (5, {"": ColumnsAmiss}),
        (7, {"oid": OidRepeated}),
        (8, {"nameFull": Required}),
        (9, {"": ColumnsAmiss}),
    ]


def test_row_with_several_faults_tells_all_of_them(now: datetime):
    broken = rows(1)[0].replace("7707083893", "12").replace("00032537", "00032538")
    _, [bad] = bring(table([broken.replace(";66;", ";99;").replace("действует", "ну")]), now)
    assert set(bad.problems) == {"inn", "okpo", "regionId", "licenceStatus"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_any_usual_table_is_read(encoding: str, delimiter: str, now: datetime):
    header = HEADER.replace(";", delimiter).upper()
    cells = [f'"{cell}"' for cell in rows(1)[0].split(";")]
    text = f"{header}\r\n{delimiter.join(cells)}\r\n\r\n"
    report, bad = bring(text.encode(encoding), now)
    assert (report.put, bad) == (Put(added=1), [])
    assert clinic(1).name == "ГБУЗ «Поликлиника 1», Ревда"


def test_quoted_lines_and_quotes_stay_in_their_cell(now: datetime):
    quoted = rows(1)[0].replace(
        "ГБУЗ «Поликлиника 1», Ревда", '"ГБУЗ ""Поликлиника 1"";\nг. Ревда"'
    )
    _, bad = bring(table([quoted, "короткая;строка"]), now)
    assert clinic(1).name == 'ГБУЗ "Поликлиника 1"; г. Ревда'
    assert [row.line for row in bad] == [4]


def test_json_of_the_federal_service_is_read(now: datetime):
    row = dict(zip(HEADER.split(";"), rows(1)[0].split(";"), strict=True))
    row |= {"regionId": 66, "deleteDate": None, "id": 17, "isMain": True}
    for text in (
        json.dumps([row]),
        json.dumps({"result": "OK", "list": [row]}),
        json.dumps(row, ensure_ascii=False) + "\n",
    ):
        report, bad = bring(text, now)
        assert (report.rows, bad) == (1, [])
    assert clinic(1).federal_id == "17"


def test_file_without_our_columns_leaves_them_as_they_are(now: datetime):
    bring(table(rows(1)), now)
    federal = "oid,nameFull,regionId\n" + f'{OID.format(1)},"Поликлиника 1 г. Ревды",66\n'
    report, _ = bring(federal, now)
    assert report.put == Put(changed=1)
    kept = clinic(1)
    assert (kept.licence_status, kept.points) == (LicenceStatus.ACTIVE, "23,25")
    bring("oid,nameFull,regionId\n" + f"{OID.format(9)},Больница,66\n", now)
    fresh = clinic(9)
    assert (fresh.licence_status, fresh.is_connected) == (LicenceStatus.UNKNOWN, False)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02", b"name;city\n1;2\n", b"%PDF-1.7", b'"abc"', b"[1", b"{}{", b"12"],
)
def test_what_is_no_register_is_refused_whole(content: bytes, now: datetime):
    try:
        report, _ = bring(content, now)
    except NotARegister:
        return
    assert (report.put, report.bad) == (Put(), report.rows)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN, Role.SYSTEM}))
def test_only_the_administrator_imports(role: Role, now: datetime):
    with pytest.raises(NotPermitted):
        bring(table(rows(1)), now, actor=Actor(1, role))
    assert directory.search().total == 0


def test_licence_ends_after_its_last_day(now: datetime):
    header = HEADER + ";licenceEndDate"
    bring(table([rows(1)[0] + ";23.11.2026", rows(2)[0] + ";22.11.2026"], header), now)
    assert clinic(2).licence_status is LicenceStatus.ENDED
    importing.end_licences(0, now)
    assert clinic(1).licence_status is LicenceStatus.ACTIVE
    importing.end_licences(0, now.replace(day=24))
    assert clinic(1).licence_status is LicenceStatus.ENDED
    assert directory.search(in_force=True).total == directory.search("ревда", in_force=True).total
    assert directory.search(in_force=True).total == 0


def test_index_follows_a_clinic_however_it_is_changed(now: datetime):
    bring(table(rows(1, 2)), now)
    with unit_of_work() as db:
        db.exec(
            sa.update(Clinic)
            .where(col(Clinic.oid) == OID.format(1))
            .values(licence_status=LicenceStatus.SUSPENDED, search_name=" novoe imx ")
        )
    assert directory.search("новое имя").total == 1
    assert directory.search("новое", in_force=True).total == 0
    assert directory.search("ревда").total == 1
    with unit_of_work() as db:
        db.exec(sa.delete(Clinic).where(col(Clinic.oid) == OID.format(1)))
    assert directory.search("новое").total == 0


def test_import_is_written_down(now: datetime):
    bring(table(rows(1, 2)), now)
    with reading() as db:
        last = db.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first()
        assert auditing.first_broken(db) is None
    assert last is not None
    assert (last.action, last.fields) == ("import_register", "added 2, changed 0, removed 0")


def test_generated_register_comes_in_without_a_fault(
    now: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    made = tmp_path / "register.csv"
    assert cli.main(["clinics", "generate", "2500", str(made)]) == 0
    assert cli.main(["clinics", "import", str(made), "--dry-run"]) == 0
    assert directory.search().total == 0
    assert cli.main(["clinics", "import", str(made)]) == 0
    assert directory.search().total == 2500
    assert "added 2500" in capsys.readouterr().err
    report, _ = bring(made.read_bytes(), now)
    assert report.put == Put(unchanged=2500)
    first = next(register.entries(2500))
    with reading() as db:
        kept = db.exec(select(Clinic).where(Clinic.oid == first.oid)).one()
    assert {name: getattr(kept, name) for name in ("name", "okpo", "points", "is_demo")} == {
        name: getattr(first, name) for name in ("name", "okpo", "points", "is_demo")
    }


def test_command_reports_bad_rows_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "register.csv"
    file.write_text(table([*rows(1), rows(2)[0].replace("7707083893", "7707083894")]))
    assert cli.main(["clinics", "import", str(file)]) == 1
    said = capsys.readouterr()
    assert said.out.startswith(f"3;{OID.format(2)};inn;")
    assert "added 1" in said.err and "bad 1" in said.err
