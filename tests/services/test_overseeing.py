"""The service's health is the administrator's alone."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlmodel import select

from emk_app.db.engine import unit_of_work
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import NotPermitted
from emk_app.domain.notices import News, Notice
from emk_app.services import auditing, jobs, notifying, overseeing
from tests.factories import unguarded

pytestmark = pytest.mark.usefixtures("world")

ADMIN = Actor(1, Role.ADMIN)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_nobody_else_sees_the_health(role: Role, now: datetime):
    with pytest.raises(NotPermitted):
        overseeing.health(Actor(1, role), now=now)


def test_waiting_work_is_counted_and_a_broken_chain_is_named(now: datetime):
    with unit_of_work() as db:
        jobs.enqueue(db, "count", 1, occasion="once", now=now)
        notifying.send(
            db, "+79125550102", Notice(News.FACTOR_ENROLLED), dedupe="occasion:1", now=now
        )
        auditing.record(db, ADMIN, "view", "user:1", now=now)
    seen = overseeing.health(ADMIN, now=now)
    assert (seen.jobs_waiting, seen.jobs_failed) == (1, 0)
    assert (seen.letters_waiting, seen.letters_dead) == (1, 0)
    assert (seen.conclusions_waiting, seen.conclusions_dead, seen.received_apart) == (0, 0, 0)
    assert seen.broken_entry is None
    with unit_of_work() as db, unguarded(db, "audit_entries"):
        first = db.exec(select(AuditEntry).order_by(AuditEntry.id)).first()  # pyright: ignore
        assert first is not None
        first.target = "user:2"
        db.add(first)
        db.flush()
    assert overseeing.health(ADMIN, now=now).broken_entry == first.id
