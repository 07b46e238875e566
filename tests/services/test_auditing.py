"""The audit chain: whoever changes, removes, swaps or adds a record is found out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from emk_app import cli, working
from emk_app.db.engine import reading, unit_of_work
from emk_app.domain.actors import SYSTEM
from emk_app.outbound import anchors
from emk_app.services import auditing, jobs
from emk_app.settings import settings
from tests.factories import emptying, unguarded

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def chain(now: datetime) -> list[int]:
    """Record five acts; return the identities of the entries."""
    for number in range(5):
        with unit_of_work() as db:
            moment = now + timedelta(seconds=number)
            auditing.record(db, SYSTEM, "view", f"application:{number}", now=moment)
    with reading() as db:
        return list(
            db.connection().execute(sa.text("SELECT id FROM audit_entries ORDER BY id")).scalars()
        )


def run(statement: str, **values: object) -> None:
    with unit_of_work() as db, unguarded(db, "audit_entries"):
        db.connection().execute(sa.text(statement), values)


def verify(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    status = cli.main(["audit", "verify", *more])
    return status, capsys.readouterr().out.strip()


def test_untouched_chain_holds(chain: list[int], capsys: pytest.CaptureFixture[str]):
    assert verify(capsys) == (0, "the audit chain holds, 0 anchors compared")


@pytest.mark.parametrize(
    "change",
    [
        "action = 'sign'",
        "target = 'application:9'",
        "role = 'admin'",
        "actor_id = 7",
        "subject_id = 7",
        "session_id = 7",
        "fields = 'name'",
        "previous = 'x'",
        "digest = 'x'",
    ],
)
def test_changed_entry_is_named(chain: list[int], change: str, capsys: pytest.CaptureFixture[str]):
    run(f"UPDATE audit_entries SET {change} WHERE id = :id", id=chain[2])
    assert verify(capsys) == (1, f"broken at entry {chain[2]}")


def test_entry_after_a_removed_one_is_named(chain: list[int], capsys: pytest.CaptureFixture[str]):
    run("DELETE FROM audit_entries WHERE id = :id", id=chain[2])
    assert verify(capsys) == (1, f"broken at entry {chain[3]}")


def test_removed_beginning_is_found(chain: list[int], capsys: pytest.CaptureFixture[str]):
    run("DELETE FROM audit_entries WHERE id = :id", id=chain[0])
    assert verify(capsys) == (1, f"broken at entry {chain[1]}")


def test_swapped_entries_are_found(chain: list[int], capsys: pytest.CaptureFixture[str]):
    for old, new in ((chain[1], 1000), (chain[2], chain[1]), (1000, chain[2])):
        run("UPDATE audit_entries SET id = :new WHERE id = :old", old=old, new=new)
    assert verify(capsys) == (1, f"broken at entry {chain[1]}")


def test_added_entry_is_found(chain: list[int], now: datetime, capsys: pytest.CaptureFixture[str]):
    with reading() as db:
        last = auditing.head(db)
    assert last is not None
    run(
        "INSERT INTO audit_entries (id, at, role, action, target, fields, previous, digest)"
        " VALUES (:id, :at, 'admin', 'view', 'x', '', :previous, :digest)",
        id=last.id + 1,
        at=now,
        previous=last.digest,
        digest="0" * 64,
    )
    assert verify(capsys) == (1, f"broken at entry {last.id + 1}")


def test_end_that_was_cut_off_shows_by_the_anchor(
    chain: list[int], now: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "anchors"
    auditing.anchor(file, now=now)
    assert file.stat().st_mode & 0o777 == 0o600
    with unit_of_work() as db:
        auditing.record(db, SYSTEM, "view", "application:6", now=now)
    auditing.anchor(file, now=now)
    given = ("--anchors", str(file))
    assert verify(capsys, *given) == (0, "the audit chain holds, 2 anchors compared")
    newest = json.loads(file.read_text(encoding="ascii").splitlines()[-1])["id"]
    run("DELETE FROM audit_entries WHERE id = :id", id=newest)
    assert verify(capsys) == (0, "the audit chain holds, 0 anchors compared")
    lost = f"entry {newest} was anchored and is not there as it was"
    assert verify(capsys, *given) == (1, lost)
    # What grows in the place of the end that was cut off is not it.
    with unit_of_work() as db:
        auditing.record(db, SYSTEM, "view", "application:7", now=now)
    run("UPDATE audit_entries SET id = :id WHERE target = 'application:7'", id=newest)
    assert verify(capsys, *given) == (1, lost)


def test_line_that_is_no_anchor_is_named(
    chain: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "anchors").write_text("{}\n", encoding="ascii")
    assert cli.main(["audit", "verify", "--anchors", str(tmp_path / "anchors")]) == 1
    assert "line 1 is not an anchor" in capsys.readouterr().err


def test_empty_chain_has_no_head_to_anchor(tmp_path: Path, now: datetime):
    auditing.anchor(tmp_path / "anchors", now=now)
    assert not (tmp_path / "anchors").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET action = 'sign' WHERE id = :id",
        "DELETE FROM audit_entries WHERE id = :id",
        "TRUNCATE audit_entries CASCADE",
    ],
)
def test_database_itself_refuses_to_change_or_remove_an_entry(chain: list[int], statement: str):
    with pytest.raises(DatabaseError, match="only added"), unit_of_work() as db:
        db.connection().execute(sa.text(emptying(statement)), {"id": chain[2]})
    with reading() as db:
        assert auditing.first_broken(db) is None


class Keeper(BaseHTTPRequestHandler):
    """A machine that keeps heads; answers with the statuses it is told, then 204."""

    statuses: list[int] = []
    kept: list[tuple[str, str, str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
        status = self.statuses.pop(0) if self.statuses else 204
        if status == 204:
            self.kept.append((body, self.headers["Authorization"], self.headers["Idempotency-Key"]))
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Keeper]]:
    """Start a keeper of heads and name it in the settings."""
    Keeper.statuses, Keeper.kept = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    named = replace(
        settings(), anchor_url=f"http://127.0.0.1:{server.server_port}/heads", anchor_token="word"
    )
    monkeypatch.setattr(working, "settings", lambda: named)
    yield Keeper
    server.shutdown()
    server.server_close()


def test_head_is_sent_until_it_is_kept_and_then_compared(
    chain: list[int],
    keeper: type[Keeper],
    now: datetime,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    keeper.statuses = [503, 302]
    jobs.plan(auditing.ANCHOR_BY_POST, timedelta(hours=1), now=now)
    for minutes in range(4):
        jobs.run_due(working.SLOW, now=now + timedelta(minutes=minutes))
    [(body, word, key)] = keeper.kept
    with reading() as db:
        newest = auditing.head(db)
    assert newest is not None
    assert (word, key) == ("Bearer word", newest.digest)
    (tmp_path / "kept").write_text(body + "\n", encoding="ascii")
    given = ("--anchors", str(tmp_path / "kept"))
    assert verify(capsys, *given) == (0, "the audit chain holds, 1 anchors compared")
    run("DELETE FROM audit_entries WHERE id = :id", id=newest.id)
    assert verify(capsys, *given)[0] == 1


def test_nobody_there_is_said_so():
    with pytest.raises(anchors.NotKept, match="unreachable"):
        anchors.post("http://127.0.0.1:9/", "", "{}", "x")
