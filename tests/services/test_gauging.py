"""What those who run the service see of its queues."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from emk_app.db.engine import unit_of_work
from emk_app.services import gauging, jobs

pytestmark = pytest.mark.usefixtures("world")


def of_jobs(now: datetime) -> gauging.Queue:
    return next(each for each in gauging.queues(now=now) if each.name == "jobs")


def test_empty_queues_have_no_age(now: datetime):
    for queue in gauging.queues(now=now):
        assert (queue.waiting, queue.oldest_seconds, queue.dead) == (0, 0.0, 0)


def test_queue_tells_what_is_due_since_when_and_what_was_given_up(now: datetime):
    with unit_of_work() as db:
        jobs.enqueue(db, "count", 1, occasion="a", now=now)
        jobs.enqueue(db, "count", 2, occasion="b", now=now + timedelta(hours=1))
    later = now + timedelta(minutes=5)
    assert of_jobs(later) == gauging.Queue("jobs", 1, 300.0, 0)

    def fail(_target: int, _now: datetime) -> None:
        raise RuntimeError

    for hour in range(2, 24):
        jobs.run_due({"count": fail}, now=now + timedelta(hours=hour))
    assert of_jobs(now + timedelta(days=1)) == gauging.Queue("jobs", 0, 0.0, 2)
