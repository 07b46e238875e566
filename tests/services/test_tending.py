"""Jobs that were given up: seen with the kind of fault, done again, laid aside with a reason."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from emk_app import working
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import AuditEntry, Job
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import Invalid, NotFound, NotPermitted, Required
from emk_app.domain.upkeep import JobEnded
from emk_app.presenting import tending as words
from emk_app.services import checking, jobs, overseeing, rotating, tending
from tests.factories import make_admin, make_operator

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def admin(now: datetime) -> Actor:
    return make_admin(now)


def fails(_target_id: int, _now: datetime) -> None:
    raise LookupError("Иванова Мария")


def given_up(now: datetime) -> tuple[int, datetime]:
    """Return a job that has failed until nobody tries it any more, and when that was."""
    with unit_of_work() as db:
        jobs.enqueue(db, "erase", 7, occasion="x", now=now)
    for _ in range(jobs.TRIES):
        now += timedelta(hours=1)
        jobs.run_due({"erase": fails}, now=now)
    with reading() as db:
        return db.exec(select(Job.id).where(Job.target_id == 7)).one(), now


def test_fault_is_told_by_its_kind_and_number_alone(admin: Actor, now: datetime):
    job_id, at = given_up(now)
    found = tending.overview(admin, now=at)
    [failed] = found.failed
    assert (failed.id, failed.failure, failed.attempts) == (job_id, "LookupError", jobs.TRIES)
    assert failed.incident
    [row] = words.job_rows(found)
    assert row.kind == "Удаление данных"
    assert "Иванова" not in repr(found) + repr(row)
    [kind] = [each for each in found.kinds if each.kind == "erase"]
    assert (kind.waiting, kind.trying, kind.failed, kind.done_at) == (0, 0, 1, None)


def test_job_that_failed_only_so_far_waits(admin: Actor, now: datetime):
    with unit_of_work() as db:
        jobs.enqueue(db, "erase", 7, occasion="x", now=now)
    jobs.run_due({"erase": fails}, now=now)
    found = tending.overview(admin, now=now)
    assert found.failed == ()
    assert [(each.waiting, each.trying) for each in found.kinds] == [(1, 1)]
    [row] = words.kind_rows(found)
    assert (row.waiting, row.tone) == ("1 (с ошибкой: 1)", "waiting")


def test_job_is_done_again(admin: Actor, now: datetime):
    job_id, at = given_up(now)
    done: list[int] = []
    assert jobs.run_due({"erase": lambda target, _: done.append(target)}, now=at) == 0
    tending.retry(admin, job_id, now=at)
    assert jobs.run_due({"erase": lambda target, _: done.append(target)}, now=at) == 1
    assert done == [7]
    assert overseeing.health(admin, now=at).jobs_failed == 0
    with pytest.raises(JobEnded):
        tending.retry(admin, job_id, now=at)


def test_job_is_laid_aside_with_a_reason_and_may_still_be_done(admin: Actor, now: datetime):
    job_id, at = given_up(now)
    with pytest.raises(Invalid) as refused:
        tending.drop(admin, job_id, "  ", now=at)
    assert isinstance(refused.value.fields["why"], Required)
    tending.drop(admin, job_id, "Сделано вручную", now=at)
    [failed] = tending.overview(admin, now=at).failed
    assert (failed.dropped_at, failed.dropped_why) == (at, "Сделано вручную")
    assert overseeing.health(admin, now=at).jobs_failed == 0
    with pytest.raises(JobEnded):
        tending.drop(admin, job_id, "Ещё раз", now=at)
    jobs.sweep(now=at + jobs.KEPT - timedelta(seconds=1))
    tending.retry(admin, job_id, now=at)
    assert tending.overview(admin, now=at).failed == ()
    with reading() as db:
        acts = db.exec(select(AuditEntry.action, AuditEntry.fields)).all()
    assert ("drop_job", "erase") in acts and ("retry_job", "erase") in acts
    assert not any("вручную" in fields for _, fields in acts)


def test_what_was_laid_aside_is_forgotten_in_time(admin: Actor, now: datetime):
    job_id, at = given_up(now)
    tending.drop(admin, job_id, "Не нужно", now=at)
    jobs.sweep(now=at + jobs.KEPT)
    assert tending.overview(admin, now=at).failed == ()


def test_others_see_and_do_nothing(now: datetime):
    operator = make_operator(now)
    job_id, at = given_up(now)
    with pytest.raises(NotPermitted):
        tending.overview(operator, now=at)
    with pytest.raises(NotPermitted):
        tending.retry(operator, job_id, now=at)
    with pytest.raises(NotPermitted):
        tending.drop(operator, job_id, "x", now=at)
    with pytest.raises(NotPermitted):
        rotating.keys(operator)
    with pytest.raises(NotFound):
        tending.retry(Actor(1, Role.ADMIN), job_id + 1, now=at)


def test_every_kind_of_job_has_a_name():
    there_are = working.WORKS.keys() | working.SLOW.keys() | checking.READINGS.keys()
    assert there_are - words.JOBS.keys() == set()
    assert words.JOBS.keys() - there_are == set()


def test_keys_are_shown_with_what_is_to_be_done_about_them(admin: Actor):
    keys = rotating.keys(admin)
    begun = max(key.not_before for key in keys)
    ends = min(key.not_after for key in keys)
    assert {row.warning for row in words.key_rows(keys, begun)} == {""}
    [row, *_] = words.key_rows(keys, begun + words.TURN)
    assert row.warning == "Подписывает больше года: пора заменить."
    [row, *_] = words.key_rows(keys, ends - timedelta(days=5, hours=1))
    assert row.warning == "До конца срока 5\u00a0дней: замените сейчас."
    [row, *_] = words.key_rows(keys, ends)
    assert "Срок истёк" in row.warning
