"""The master key is replaced while everything goes on: all of it opens at any moment (D40)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from emk_app import cli, working
from emk_app.crypto.errors import KeyRefused, SealBroken
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications, employers
from emk_app.db.tables.applications import Application
from emk_app.db.tables.employers import Organisation, StaffEntry
from emk_app.db.tables.journal import OutboxMessage
from emk_app.db.tables.people import User
from emk_app.domain.actors import SYSTEM, Actor, Role
from emk_app.domain.errors import NotPermitted
from emk_app.keys import key_folder, keystore, reread
from emk_app.services import auditing, delivering, employing, jobs, rewrapping, sharing
from emk_app.services.employing import Said
from tests.factories import make_book, make_employer, make_holder, make_received

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture(autouse=True)
def folder(world: None) -> Iterator[Path]:
    """Lend the process's own folder of keys, and put it back."""
    keystore()
    place, kept = key_folder(), key_folder().with_name("keys-kept")
    shutil.copytree(place, kept)
    yield place
    shutil.rmtree(place)
    kept.rename(place)
    reread()


def opens(db: Session) -> int:
    """Open what is sealed of everybody; return how much it was."""
    opened = 0
    for application in db.exec(select(Application)):
        assert applications.form_of(db, application)
        opened += 1
    for user in db.exec(select(User)):
        assert vault.vault_of(user).key
        opened += 1
    for letter in db.exec(select(OutboxMessage)):
        assert delivering._recipient(letter)  # pyright: ignore[reportPrivateUsage]
        opened += 1
    for organisation in db.exec(select(Organisation)):
        assert employers.open_about(organisation)
        opened += 1
    for entry in db.exec(select(StaffEntry)):
        assert employers.open_said(entry)
        assert employers.open_name(entry)
        opened += 1
    return opened


def work(now: datetime) -> None:
    jobs.run_due({rewrapping.JOB: working.SLOW[rewrapping.JOB]}, now=now)


def test_everything_opens_before_meanwhile_and_after(now: datetime):
    for _ in range(3):
        make_received(make_holder(now), now)
    holder = make_holder(now)
    link = sharing.make(holder, make_book(holder, now), now=now)
    employing.add_by_link(make_employer(now), link.url, Said("Иванова М."), now=now)
    with reading() as db:
        before = opens(db)
    old = keystore().keyring.current
    assert set(rewrapping.left()) == {old}
    kid = rewrapping.rotate(SYSTEM, now=now)
    assert keystore().keyring.current == kid == old + 1
    make_holder(now)
    assert rewrapping.left()[kid] >= 1
    with reading() as db:
        assert opens(db) > before
    with pytest.raises(KeyRefused, match="still under"):
        rewrapping.drop(SYSTEM, old, now=now)
    with pytest.raises(KeyRefused, match="not done"):
        rewrapping.rotate(SYSTEM, now=now)
    work(now)
    assert set(rewrapping.left()) == {kid}
    rewrapping.drop(SYSTEM, old, now=now)
    assert keystore().keyring.kids == (kid,)
    with reading() as db:
        assert opens(db) > before
        assert auditing.first_broken(db) is None
    with pytest.raises(KeyRefused, match="still under"):
        rewrapping.drop(SYSTEM, kid, now=now)


def test_killed_in_the_middle_it_goes_on_where_it_was(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(5):
        make_holder(now)
    old = keystore().keyring.current
    kid = rewrapping.rotate(SYSTEM, now=now)
    with monkeypatch.context() as killed:
        killed.setattr(rewrapping, "BATCH", 2)
        done = iter([None])
        real = rewrapping._rewrap  # pyright: ignore[reportPrivateUsage]

        def once(*given: object) -> None:
            next(done)
            real(*given)  # pyright: ignore[reportArgumentType]

        killed.setattr(rewrapping, "_rewrap", once)
        work(now)
    assert rewrapping.left() == {old: 3, kid: 2}
    with reading() as db:
        assert opens(db) >= 5
    work(now + timedelta(minutes=5))
    assert set(rewrapping.left()) == {kid}


def test_other_processes_learn_of_the_new_key_by_themselves(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    holder = make_holder(now)
    # This process plays one that is not told: it reads anew because the register looks changed.
    monkeypatch.setattr(rewrapping, "reread", lambda: None)
    kid = rewrapping.rotate(SYSTEM, now=now)
    work(now)
    with unit_of_work() as db:
        user = db.get_one(User, holder.user_id)
        assert user.key_sealed[1] == kid
        assert vault.vault_of(user).key


def test_dropped_key_opens_nothing_any_more(now: datetime):
    holder = make_holder(now)
    with reading() as db:
        before = db.get_one(User, holder.user_id).key_sealed
    old = keystore().keyring.current
    rewrapping.rotate(SYSTEM, now=now)
    work(now)
    rewrapping.drop(SYSTEM, old, now=now)
    with reading() as db, pytest.raises(SealBroken):
        vault.vault_from(db.get_one(User, holder.user_id).uid, before)


def test_only_the_system_rotates(now: datetime):
    for act in (
        lambda: rewrapping.rotate(Actor(1, Role.ADMIN), now=now),
        lambda: rewrapping.drop(Actor(1, Role.ADMIN), 1, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_command_line_rotates_counts_and_drops(now: datetime, capsys: pytest.CaptureFixture[str]):
    make_holder(now)
    old = keystore().keyring.current
    assert cli.main(["keys", "rotate"]) == 0
    assert cli.main(["keys", "drop", str(old)]) == 1
    assert "still under" in capsys.readouterr().err
    working.once(now=now + timedelta(days=3650))
    assert cli.main(["keys", "masters"]) == 0
    assert f"master {old}  -  0 values" in capsys.readouterr().out
    assert cli.main(["keys", "drop", str(old)]) == 0
    assert cli.main(["keys", "drop", "99"]) == 1
