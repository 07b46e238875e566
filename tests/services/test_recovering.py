"""A backup is proven by what is made of it: every row, the audit chain, and that seals open."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from emk_app import cli
from emk_app.db import copies
from emk_app.db.engine import connect, engine, unit_of_work
from emk_app.domain.actors import SYSTEM
from emk_app.services import erasing, recovering
from emk_app.services.scans import blobs
from emk_app.settings import settings
from emk_app.storage import archives
from tests.factories import make_clinic, make_holder, make_received, unguarded
from tests.nursery import nursery

pytestmark = pytest.mark.usefixtures("world")

WORDS = "correct horse battery staple"
KEY_WORDS = "another horse, another battery"


@pytest.fixture
def folder(tmp_path: Path, now: datetime) -> Path:
    """Let somebody have handed in, and have the passphrases in files."""
    shutil.rmtree(settings().data / "blobs", ignore_errors=True)
    blobs.cache_clear()
    make_received(make_holder(now), now, clinic_id=make_clinic())
    (tmp_path / "words").write_text(WORDS, encoding="utf-8")
    (tmp_path / "key-words").write_text(KEY_WORDS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def other_place(folder: Path) -> Iterator[dict[str, str]]:
    """Return the environment of an installation that is empty."""
    data = folder / "other"
    environment = os.environ | {
        "EMK_DATA": str(data),
        "EMK_DATABASE_URL": f"sqlite:///{data / 'emk.db'}",
    }
    if engine().dialect.name == "sqlite":
        yield environment
        return
    url, name = settings().database_url, "emk_other_place"
    copies.drop_beside(url, name)
    yield environment | {"EMK_DATABASE_URL": copies.make_beside(url, name)}
    copies.drop_beside(url, name)


def arguments(folder: Path, command: str, *more: str, with_keys: bool = True) -> list[str]:
    said = [command, str(folder / "backup"), "--passphrase-file", str(folder / "words"), *more]
    if with_keys:
        said += ["--with-keys", str(folder / "keys")]
        said += ["--keys-passphrase-file", str(folder / "key-words")]
    return said


def there(environment: dict[str, str], said: list[str]) -> tuple[int, str]:
    read, write = os.pipe()
    with open(read, encoding="utf-8") as told:
        process = nursery().module("emk_app.cli", *said, environment=environment, output=write)
        os.close(write)
        printed = told.read()
    return process.wait(), printed


def rows(url: str) -> dict[str, int]:
    made = connect(url)
    try:
        with made.connect() as connection:
            return copies.counts(connection)
    finally:
        made.dispose()


def test_restored_place_is_as_it_was_and_every_session_in_it_has_ended(
    folder: Path, other_place: dict[str, str]
):
    before = rows(settings().database_url)
    assert cli.main(arguments(folder, "backup")) == 0
    status, said = there(other_place, arguments(folder, "restore"))
    assert status == 0, said
    assert "as it was" in said
    assert "opened what is sealed of 0 people" not in said
    assert " and 0 files" not in said
    after = rows(other_place["EMK_DATABASE_URL"])
    assert after == before | {"audit_entries": before["audit_entries"] + 1}
    made = connect(other_place["EMK_DATABASE_URL"])
    with made.connect() as connection:
        open_sessions = sa.text("SELECT count(*) FROM sessions WHERE revoked_at IS NULL")
        assert connection.execute(open_sessions).scalar() == 0
    made.dispose()
    keys = Path(other_place["EMK_DATA"]) / "keys"
    assert keys.stat().st_mode & 0o777 == 0o700
    status, said = there(other_place, arguments(folder, "restore"))
    assert (status, "NotEmpty" in said) == (1, True)


def test_who_was_forgotten_after_the_backup_is_not_brought_back(
    folder: Path, other_place: dict[str, str], now: datetime, monkeypatch: pytest.MonkeyPatch
):
    listed = folder / "erased.jsonl"
    monkeypatch.setattr(erasing, "settings", lambda: replace(settings(), erased_list=listed))
    make_received(make_holder(now, "gone@example.ru"), now)
    stays, gone = people(settings().database_url)
    assert cli.main(arguments(folder, "backup")) == 0
    erasing.erase(SYSTEM, "gone@example.ru", now=now)
    data = Path(other_place["EMK_DATA"])
    data.mkdir(mode=0o700)
    shutil.copy(listed, data / "erased.jsonl")
    status, said = there(other_place, arguments(folder, "restore"))
    assert status == 0, said
    [kept, destroyed] = people(other_place["EMK_DATABASE_URL"])
    assert kept == stays
    assert (destroyed["uid"], destroyed["logins"], destroyed["scans"]) == (gone["uid"], 0, 0)
    assert destroyed["disabled"] and destroyed["key"] != gone["key"]
    # The files went as well, and only theirs.
    assert files(data) == files(settings().data)
    assert there(other_place, ["erase", "replay"]) == (0, "forgotten anew: 0\n")
    status, said = there(other_place, ["audit", "verify"])
    assert status == 0, said


def people(url: str) -> list[dict[str, Any]]:
    """Return what there is of each holder, the first one first."""
    made = connect(url)
    with made.connect() as connection:
        found = connection.execute(
            sa.text(
                "SELECT uid, key_sealed AS key, disabled_at IS NOT NULL AS disabled,"
                " (SELECT count(*) FROM logins WHERE logins.user_id = users.id) AS logins,"
                " (SELECT count(*) FROM scans JOIN applications ON"
                "  applications.id = scans.application_id"
                "  WHERE applications.holder_id = users.id) AS scans"
                " FROM users WHERE role = 'holder' ORDER BY id"
            )
        )
        rows = [dict(row) for row in found.mappings()]
    made.dispose()
    return rows


def files(data: Path) -> set[str]:
    return {path.name for path in (data / "blobs").rglob("*") if path.is_file()}


def test_proof_leaves_nothing_behind_and_finds_what_is_wrong(
    folder: Path, capfd: pytest.CaptureFixture[str]
):
    assert cli.main(arguments(folder, "backup", with_keys=False)) == 0
    before = rows(settings().database_url)
    proof = arguments(folder, "restore", "--verify", with_keys=False)
    assert cli.main(proof) == 0
    assert "as it was" in capfd.readouterr().out
    assert rows(settings().database_url) == before
    (folder / "backup").unlink()
    with unit_of_work() as db, unguarded(db, "audit_entries"):
        db.connection().execute(sa.text("UPDATE audit_entries SET action = 'x' WHERE id = 2"))
    assert cli.main(arguments(folder, "backup", with_keys=False)) == 0
    assert cli.main(proof) == 1
    assert "the audit chain breaks at entry 2" in capfd.readouterr().err


def test_nothing_is_in_clear_in_a_backup_and_keys_are_not_in_it(folder: Path):
    assert cli.main(arguments(folder, "backup", with_keys=False)) == 0
    content = (folder / "backup").read_bytes()
    for clear in (b"SQLite format", b"PGDMP", b"audit_entries", b"manifest.json", b"BEGIN PRIV"):
        assert clear not in content
    assert not (folder / "keys").exists()
    assert not list(settings().data.glob(".backup-*"))


@pytest.mark.parametrize("words", [WORDS, "short"])
def test_keys_want_a_long_passphrase_of_their_own(
    folder: Path, words: str, capsys: pytest.CaptureFixture[str]
):
    (folder / "key-words").write_text(words, encoding="utf-8")
    assert cli.main(arguments(folder, "backup")) == 1
    assert "BadPassphrase" in capsys.readouterr().err
    assert not (folder / "backup").exists()


def test_place_in_use_is_never_filled(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(arguments(folder, "backup", with_keys=False)) == 0
    before = rows(settings().database_url)
    assert cli.main(arguments(folder, "restore", with_keys=False)) == 1
    assert "NotEmpty" in capsys.readouterr().err
    assert rows(settings().database_url) == before


def test_changed_backup_fills_nothing(folder: Path, now: datetime):
    assert cli.main(arguments(folder, "backup", with_keys=False)) == 0
    content = bytearray((folder / "backup").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "backup").write_bytes(content)
    where = replace(settings(), data=folder / "other", database_url=f"sqlite:///{folder / 'x.db'}")
    where.data.mkdir()
    recovering.copy_keys(settings(), where.data)
    source = recovering.Sealed(folder / "backup", WORDS.encode())
    with pytest.raises(archives.BadArchive):
        recovering.restore(where, source, None, now=now)
    assert [each.name for each in where.data.iterdir()] == ["keys"]
    assert not (folder / "x.db").exists()


def test_missing_program_of_postgresql_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(copies.NoTool, match=r"pg_dump.*install"):
        copies._run("pg_dump", sa.make_url("postgresql+psycopg://emk@localhost/emk"))
