"""Work after a commit: once, again after a failure, never by two at a time."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import Job
from emk_app.services import jobs

pytestmark = pytest.mark.usefixtures("world")


def put(target: int, now: datetime, occasion: str = "once") -> None:
    with unit_of_work() as db:
        jobs.enqueue(db, "count", target, occasion=occasion, now=now)


def test_job_of_a_rolled_back_change_does_not_exist(now: datetime):
    with pytest.raises(RuntimeError), unit_of_work() as db:
        jobs.enqueue(db, "count", 1, occasion="once", now=now)
        raise RuntimeError
    assert jobs.waiting(now=now) == 0


def test_one_occasion_is_one_job(now: datetime):
    done: list[int] = []
    put(1, now)
    put(1, now)
    put(1, now, occasion="again")
    jobs.run_due({"count": lambda target, _: done.append(target)}, now=now)
    assert done == [1, 1]
    assert jobs.waiting(now=now) == 0


def test_unknown_kind_waits_for_a_process_that_knows_it(now: datetime):
    put(1, now)
    assert jobs.run_due({}, now=now) == 0
    assert jobs.waiting(now=now) == 1


def test_failed_job_is_tried_again_later_and_given_up_at_last(now: datetime):
    put(1, now)
    tries = 0

    def fail(_target: int, _now: datetime) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("out of order")

    assert jobs.run_due({"count": fail}, now=now) == 1
    assert jobs.run_due({"count": fail}, now=now + timedelta(seconds=1)) == 0
    moment = now
    for _ in range(20):
        moment += timedelta(hours=1)
        jobs.run_due({"count": fail}, now=moment)
    assert tries == jobs.TRIES
    with reading() as db:
        assert db.exec(select(Job)).one().failed_at is not None


def test_job_of_a_dead_worker_is_taken_when_its_lease_runs_out(now: datetime):
    put(1, now)
    done: list[int] = []
    with pytest.raises(SystemExit):
        # What a killed process leaves: taken, never finished, never put back.
        jobs.run_due({"count": _die}, now=now)
    works: dict[str, jobs.Work] = {"count": lambda target, _: done.append(target)}
    assert jobs.run_due(works, now=now + jobs.LEASE - timedelta(seconds=1)) == 0
    assert jobs.run_due(works, now=now + jobs.LEASE) == 1
    assert done == [1]


def test_job_that_takes_the_process_down_each_time_is_given_up(now: datetime):
    put(1, now)
    moment = now
    for _ in range(jobs.TRIES):
        with pytest.raises(SystemExit):
            jobs.run_due({"count": _die}, now=moment)
        moment += jobs.LEASE
    assert jobs.run_due({"count": _die}, now=moment) == 0
    with reading() as db:
        assert db.exec(select(Job)).one().failed_at == moment


def test_two_workers_never_do_the_same_job(now: datetime):
    done: list[int] = []
    for target in range(30):
        put(target, now)
    works: dict[str, jobs.Work] = {"count": lambda target, _: done.append(target)}
    workers = [
        threading.Thread(target=jobs.run_due, args=(works,), kwargs={"now": now}) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done) == list(range(30))


def _die(_target: int, _now: datetime) -> None:
    raise SystemExit


def test_work_of_a_clock_that_was_ahead_waits_for_nobody(now: datetime):
    """The clock goes forward by an hour and comes back: what it wrote meanwhile counts as now."""
    ahead = now + timedelta(hours=1)
    put(1, now)
    with pytest.raises(SystemExit):
        jobs.run_due({"count": _die}, now=ahead)
    put(2, ahead)
    put(3, ahead)

    def fail(_target: int, _now: datetime) -> None:
        raise RuntimeError("out of order")

    assert jobs.run_due({"count": fail}, now=ahead) == 2
    done: list[int] = []
    works: dict[str, jobs.Work] = {"count": lambda target, _: done.append(target)}
    assert jobs.run_due(works, now=now) == 3
    assert sorted(done) == [1, 2, 3]


def test_lease_of_a_machine_whose_clock_is_seconds_ahead_holds(now: datetime):
    put(1, now)
    with pytest.raises(SystemExit):
        jobs.run_due({"count": _die}, now=now + timedelta(seconds=30))
    assert jobs.run_due({"count": _die}, now=now) == 0
