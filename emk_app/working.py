"""What every process does beside answering: jobs and letters, woken by commits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from emk_app import clock, figures, incidents, metrics
from emk_app.db import changes, migrations
from emk_app.domain.notices import Channel
from emk_app.keys import keystore
from emk_app.presenting import notices, registers
from emk_app.readiness import pulses
from emk_app.services import (
    accounts,
    booking,
    checking,
    delivering,
    exchanging,
    importing,
    jobs,
    lapsing,
    receiving,
    registering,
    reminding,
    reviewing,
    scans,
    stopping,
    throttling,
)
from emk_app.threads import in_thread

log = logging.getLogger("emk.working")

WORKS: Final[dict[str, jobs.Work]] = {
    importing.LICENCES: importing.end_licences,
    checking.JOB: checking.run,
    lapsing.JOB: lapsing.run,
    booking.JOB: booking.run,
    reminding.JOB: reminding.run,
    stopping.JOB: stopping.run,
    scans.SWEEP: lambda _, now: scans.sweep(now=now),
    registering.SWEEP: lambda _, now: registering.sweep(now=now),
    receiving.MATCH: receiving.match_waiting,
    receiving.SWEEP: lambda _, now: receiving.sweep(now=now),
}
IMPORTS: Final[dict[str, jobs.Work]] = {
    registering.CHECK: lambda import_id, _: registering.look_through(
        import_id, clock=clock.now, header=registers.REPORT_HEADER, words=registers.bad_lines
    ),
    registering.APPLY: lambda import_id, _: registering.put_in(import_id, clock=clock.now),
}
"""A register takes a minute and more."""
PERIODS: Final = {
    lapsing.JOB: timedelta(hours=1),
    booking.JOB: timedelta(minutes=10),
    reminding.JOB: timedelta(hours=1),
    stopping.JOB: timedelta(minutes=10),
    scans.SWEEP: timedelta(days=1),
    importing.LICENCES: timedelta(hours=1),
    registering.SWEEP: timedelta(hours=6),
    receiving.SWEEP: timedelta(hours=1),
}
"""Jobs that return by themselves, each done by one process."""
ROUND: Final = 5.0
"""Seconds after which a round is made though nobody called: retries fall due, leases run out."""
SWEEP: Final = 60
"""Rounds between two sweeps of what has expired."""


@contextlib.asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Refuse a foreign schema, open the keys, then work until the process is told to stop."""
    await in_thread(migrations.check_revision)
    await in_thread(keystore)
    # What takes seconds has rounds of its own: other jobs do not wait for it.
    rounds = [
        _rounds("jobs", jobs.TOPIC, _work),
        _rounds("readings", jobs.TOPIC, _read),
        _rounds("imports", jobs.TOPIC, _import),
        _rounds("exchange", exchanging.TOPIC, _exchange),
        *(_rounds(f"letters_{each}", "outbox", _deliver(each)) for each in Channel),
    ]
    tasks = [asyncio.create_task(each) for each in rounds]
    try:
        with metrics.served():
            yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        pulses.clear()


async def _rounds(name: str, topic: str, work: Callable[[int], bool | None]) -> None:
    """Work whenever ``topic`` is announced, and now and then unasked; at once again if work says
    that there is more.
    """
    watch = changes.subscribe([topic])
    try:
        count = 0
        while True:
            pulses.begin(name)
            has_more = await in_thread(work, count)
            pulses.end(name)
            figures.ROUNDS.labels(name).inc()
            count += 1
            if not has_more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(watch.wait(), ROUND)
    finally:
        changes.unsubscribe(watch)


def once(*, now: datetime) -> int:
    """Do all that is due, the returning jobs included; return how many jobs were tried."""
    _plan(now)
    return jobs.run_due(WORKS | checking.READINGS | IMPORTS, now=now)


def _plan(now: datetime) -> None:
    for kind, period in PERIODS.items():
        jobs.plan(kind, period, now=now)


def _deliver(channel: Channel) -> Callable[[int], bool]:
    """Return the work of one channel; a gateway that is slow holds up neither jobs nor others."""
    gateway = delivering.gateway_of(channel)

    def deliver(_count: int) -> bool:
        try:
            sent = delivering.deliver_due(channel, gateway, notices.message, clock=clock.now)
        except Exception as error:
            incidents.note(log, "a round of letters", error)
            return False
        return sent == delivering.BATCH

    return deliver


def _exchange(_count: int) -> bool:
    """Take signed conclusions to the other system."""
    try:
        gateway = exchanging.gateway()
        tried = exchanging.deliver_due(gateway, clock=clock.now)
    except Exception as error:
        incidents.note(log, "a round of the exchange", error)
        return False
    return tried == exchanging.BATCH


def _work(count: int) -> None:
    """Make one round."""
    parts: list[Callable[[datetime], object]] = [lambda now: jobs.run_due(WORKS, now=now)]
    if count % SWEEP == 0:
        parts.insert(0, _plan)
        parts.append(lambda now: jobs.sweep(now=now))
        parts.append(lambda now: accounts.sweep(now=now))
        parts.append(lambda now: throttling.sweep(now=now))
        parts.append(lambda now: reviewing.release_forgotten(now=now))
    _do(parts)


def _read(count: int) -> None:
    """Read the scans that wait for it."""
    parts: list[Callable[[datetime], object]] = [
        lambda now: jobs.run_due(checking.READINGS, now=now)
    ]
    if count % SWEEP == 0:
        parts.append(lambda now: checking.go_on_without(now=now))
    _do(parts)


def _import(_count: int) -> None:
    """Look registers through and put them in."""
    _do([lambda now: jobs.run_due(IMPORTS, now=now)])


def _do(parts: Iterable[Callable[[datetime], object]]) -> None:
    """Do each; a part that fails does not stop the others, nor the rounds to come."""
    for part in parts:
        try:
            part(clock.now())
        except Exception as error:
            incidents.note(log, "a round of work", error)
