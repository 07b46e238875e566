"""Forgetting a person: the wish, the days to think, the destruction, the act (D53)."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from emk_app import clock, incidents
from emk_app.crypto.errors import SealBroken
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import consents, erasures
from emk_app.db.tables.people import User
from emk_app.db.tables.rights import Erasure
from emk_app.domain import erasure as rules
from emk_app.domain.actors import SYSTEM, Actor, Role, permit, permit_fresh
from emk_app.domain.contacts import Login as LoginName
from emk_app.domain.erasure import ErasureState, Ground, NothingToCancel
from emk_app.domain.errors import NotFound
from emk_app.domain.notices import News, Notice
from emk_app.domain.values import Problems
from emk_app.services import accounts, auditing, consenting, notifying, scans
from emk_app.settings import settings

log = logging.getLogger("emk.erasing")

JOB: Final = "erase"
TOPIC: Final = "erasures"
LISTED: Final = 200
FORMAT: Final = "emk-erasure/1"


@dataclass(frozen=True, slots=True)
class Wish:
    """The holder's own wish that waits."""

    asked_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ErasureView:
    """One wish as the administrator sees it: a pseudonym and dates."""

    id: int
    uid: str
    state: ErasureState
    ground: Ground
    asked_at: datetime
    due_at: datetime
    done_at: datetime | None
    kept_until: date | None
    has_act: bool


def wish(actor: Actor) -> Wish | None:
    """Return the actor's wish, if one waits."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        found = erasures.asked_of(db, actor.user_id)
    return Wish(found.asked_at, found.due_at) if found else None


def ask(actor: Actor, phrase: str, *, now: datetime) -> Wish:
    """Ask to be forgotten after the days to think; a second time returns the first wish.

    Raises ``FreshFactorNeeded``, and ``Invalid`` with ``phrase``.
    """
    permit(actor, Role.HOLDER)
    permit_fresh(actor, now)
    problems = Problems()
    problems.take("phrase", rules.read_phrase, phrase)
    problems.raise_any()
    with unit_of_work() as db:
        user = consents.hold(db, actor.user_id)
        found = erasures.asked_of(db, user.id)
        if found is None:
            found = Erasure(
                user_id=user.id,
                state=ErasureState.ASKED,
                ground=Ground.WISH,
                asked_at=now,
                due_at=rules.due_at(now),
            )
            db.add(found)
            db.flush()
            changes.announce(db, f"holder:{user.id}", TOPIC)
            auditing.record(
                db, actor, "ask_erasure", f"erasure:{found.id}", subject_id=user.id, now=now
            )
            notifying.tell(
                db,
                user,
                Notice(News.ERASURE_ASKED, on=clock.day_of(found.due_at)),
                dedupe=f"erasure-asked:{found.id}",
                now=now,
            )
    return Wish(found.asked_at, found.due_at)


def cancel(actor: Actor, *, now: datetime) -> None:
    """Take the wish back. Raises ``NothingToCancel``."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        user = consents.hold(db, actor.user_id)
        found = erasures.asked_of(db, user.id)
        if found is None:
            raise NothingToCancel
        found.state, found.cancelled_at = ErasureState.CANCELLED, now
        db.add(found)
        changes.announce(db, f"holder:{user.id}", TOPIC)
        auditing.record(
            db, actor, "cancel_erasure", f"erasure:{found.id}", subject_id=user.id, now=now
        )
        notifying.tell(
            db,
            user,
            Notice(News.ERASURE_CANCELLED),
            dedupe=f"erasure-cancelled:{found.id}",
            now=now,
        )


def run(_target_id: int, now: datetime) -> None:
    """Carry out the wishes whose days have passed, and destroy keys whose terms have."""
    with reading() as db:
        due = erasures.due(db, now)
        ended = erasures.with_ended_term(db, clock.day_of(now))
    for erasure_id in due:
        _attempt(erasure_id, now)
    for erasure_id in ended:
        _end_term(erasure_id, now)


def erase(actor: Actor, login: str, *, now: datetime) -> int:
    """Forget a holder at once, by the command line; return the number of the act.

    Raises ``NotFound`` for a login nobody has, or that is not a holder's.
    """
    permit(actor, Role.SYSTEM)
    name = LoginName.parse(login)
    with reading() as db:
        user = erasures.by_login(db, vault.blind(f"login-{name.kind}", name.value))
    if user is None or user.role is not Role.HOLDER:
        raise NotFound
    return _erase_at_once(user.id, Ground.ORDER, now)


def replay(actor: Actor, path: Path, *, now: datetime) -> int:
    """Forget anew whom the list names and a backup has brought back; return how many."""
    permit(actor, Role.SYSTEM)
    done = 0
    for uid in listed_in(path):
        with reading() as db:
            user = erasures.by_uid(db, uid)
            is_back = user is not None and not erasures.is_erased(db, user.id)
        if user is not None and is_back:
            _erase_at_once(user.id, Ground.REPLAY, now)
            done += 1
    return done


def listed_in(path: Path) -> list[str]:
    """Return the pseudonyms in the list of the erased; none where there is no such file."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="ascii").splitlines()
    return list(dict.fromkeys(str(json.loads(line)["uid"]) for line in lines if line.strip()))


def acts(actor: Actor, *, now: datetime) -> tuple[ErasureView, ...]:
    """Return the last wishes, newest first, for the administrator."""
    permit(actor, Role.ADMIN)
    auditing.look(actor, "service", fields="erasures", now=now)
    with reading() as db:
        rows = erasures.listed(db, LISTED)
    return tuple(
        ErasureView(
            row.id,
            uid,
            row.state,
            row.ground,
            row.asked_at,
            row.due_at,
            row.done_at,
            row.kept_until,
            row.act is not None,
        )
        for row, uid in rows
    )


def act(actor: Actor, erasure_id: int, *, now: datetime) -> Mapping[str, Any]:
    """Return the facts of the act and of the extract of the log; raises ``NotFound``."""
    permit(actor, Role.ADMIN)
    with unit_of_work() as db:
        row = db.get(Erasure, erasure_id)
        if row is None or row.act is None:
            raise NotFound
        auditing.record(db, actor, "view_act", f"erasure:{row.id}", now=now)
        return json.loads(row.act)


def _attempt(erasure_id: int, now: datetime) -> None:
    """Carry one wish out; what fails is noted and does not keep the others waiting."""
    try:
        with reading() as db:
            row = db.get_one(Erasure, erasure_id)
        _carry_out(row.user_id, erasure_id, now)
    except Exception as error:
        incidents.note(log, f"erasure {erasure_id}", error)


def _erase_at_once(user_id: int, ground: Ground, now: datetime) -> int:
    with unit_of_work() as db:
        user = consents.hold(db, user_id)
        row = erasures.asked_of(db, user.id) or Erasure(
            user_id=user.id, state=ErasureState.ASKED, ground=ground, asked_at=now, due_at=now
        )
        row.ground, row.due_at = ground, now
        db.add(row)
        db.flush()
        erasure_id = row.id
    _carry_out(user_id, erasure_id, now)
    return erasure_id


def _carry_out(user_id: int, erasure_id: int, now: datetime) -> None:
    # First all that ends with a consent ends as ever: clinics and operators hear of it.
    consenting.withdraw(Actor(user_id, Role.HOLDER), now=now)
    with unit_of_work() as db:
        user = consents.hold(db, user_id)
        row = db.get_one(Erasure, erasure_id, with_for_update=True)
        if row.state is not ErasureState.ASKED or row.due_at > now:
            return
        contacts = _contacts(user)
        applications, books = erasures.names_of(db, user.id)
        accounts.revoke_all(db, user.id, now)
        gone, newest = erasures.destroy(db, user, now=now)
        row.state, row.done_at = ErasureState.DONE, now
        row.kept_until = rules.kept_until([newest] if newest else [])
        row.key_destroyed_at = None if newest else now
        db.add(row)
        db.flush()
        changes.announce(db, f"holder:{user.id}", TOPIC, "queue")
        for contact in contacts:
            # No row of the outbox belongs to the person any more; this one goes when it has left.
            notifying.send(
                db,
                contact,
                Notice(News.ERASED),
                dedupe=f"erased:{row.id}:{secrets.token_hex(8)}",
                now=now,
            )
        auditing.record(
            db,
            SYSTEM,
            "erase",
            f"erasure:{row.id}",
            subject_id=user.id,
            fields=",".join(sorted(gone.rows)),
            now=now,
        )
        db.flush()
        head = auditing.head(db)
        row.act = json.dumps(
            {
                "format": FORMAT,
                "number": row.id,
                "ground": row.ground.value,
                "asked_at": row.asked_at.isoformat(),
                "done_at": now.isoformat(),
                "subject": {"uid": user.uid, "applications": applications, "books": books},
                "rows": dict(sorted(gone.rows.items())),
                "files": len(set(gone.blobs)),
                "key_destroyed": row.key_destroyed_at is not None,
                "kept_until": row.kept_until.isoformat() if row.kept_until else None,
                "audit": {"id": head.id, "digest": head.digest} if head else None,
            }
        )
        db.add(row)
        # Last, and before the commit: a name too many is destroyed again, one too few comes back.
        _append(settings().erased_list, user.uid, now)
    _delete_files(gone.blobs)


def _end_term(erasure_id: int, now: datetime) -> None:
    """Destroy the key of medical records that need not be kept any more."""
    with unit_of_work() as db:
        row = db.get_one(Erasure, erasure_id, with_for_update=True)
        if row.key_destroyed_at is not None:
            return
        user = consents.hold(db, row.user_id)
        erasures.forget_key(user)
        row.key_destroyed_at = now
        db.add(user)
        db.add(row)
        files = erasures.files_of(db, user.id)
        changes.announce(db, TOPIC)
        auditing.record(db, SYSTEM, "destroy_key", f"erasure:{row.id}", subject_id=user.id, now=now)
    _delete_files(files)


def _delete_files(names: Iterable[str]) -> None:
    scans.forget(dict.fromkeys(names))


def _contacts(user: User) -> list[str]:
    try:
        return list(notifying.contacts_of(user).values())
    except SealBroken:
        return []


def _append(path: Path, uid: str, now: datetime) -> None:
    line = json.dumps({"at": now.isoformat(), "uid": uid}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="ascii") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
