"""What every process does beside answering: jobs and letters, woken by commits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from emk_app import clock, figures, incidents, metrics
from emk_app.db import bus, changes, migrations
from emk_app.domain import examinations, occupations
from emk_app.domain.notices import Channel
from emk_app.keys import keystore
from emk_app.presenting import notices, registers
from emk_app.readiness import leaving, parting, pulses
from emk_app.services import (
    accounts,
    alerting,
    amending,
    auditing,
    booking,
    checking,
    delivering,
    enlisting,
    entrusting,
    erasing,
    exchanging,
    forewarning,
    importing,
    jobs,
    lapsing,
    own_data,
    receiving,
    registering,
    reissuing,
    reminding,
    resetting,
    retaining,
    reviewing,
    rewrapping,
    scans,
    stopping,
    throttling,
    upkeep,
)
from emk_app.services.gap_counting import JOB as COUNT_GAPS
from emk_app.services.gap_counting import run as count_gaps
from emk_app.settings import settings
from emk_app.threads import in_thread

log = logging.getLogger("emk.working")

WORKS: Final[dict[str, jobs.Work]] = {
    importing.LICENCES: importing.end_licences,
    checking.JOB: checking.run,
    lapsing.JOB: lapsing.run,
    booking.JOB: booking.run,
    reminding.JOB: reminding.run,
    forewarning.JOB: forewarning.run,
    reissuing.JOB: lambda _, _now: reissuing.run(clock=clock.now),
    stopping.JOB: stopping.run,
    entrusting.JOB: entrusting.run,
    erasing.JOB: erasing.run,
    alerting.JOB: alerting.run,
    own_data.SWEEP: own_data.sweep,
    retaining.JOB: retaining.run,
    upkeep.JOB: upkeep.look,
    scans.SWEEP: lambda _, now: scans.sweep(now=now),
    registering.SWEEP: lambda _, now: registering.sweep(now=now),
    enlisting.APPLY: enlisting.apply,
    enlisting.SWEEP: lambda _, now: enlisting.sweep(now=now),
    receiving.MATCH: receiving.match_waiting,
    receiving.SWEEP: lambda _, now: receiving.sweep(now=now),
    resetting.SEND: resetting.send,
    auditing.ANCHOR: lambda _, now: _anchor(now),
}
SLOW: Final[dict[str, jobs.Work]] = {
    COUNT_GAPS: count_gaps,
    registering.CHECK: lambda import_id, _: registering.look_through(
        import_id, clock=clock.now, header=registers.REPORT_HEADER, words=registers.bad_lines
    ),
    registering.APPLY: lambda import_id, _: registering.put_in(import_id, clock=clock.now),
    auditing.ANCHOR_BY_POST: lambda _, now: _anchor_by_post(now),
    own_data.JOB: own_data.make,
    rewrapping.JOB: rewrapping.run,
}
"""What takes a minute and more, or waits for another machine."""
PERIODS: Final = {
    COUNT_GAPS: timedelta(days=1),
    upkeep.JOB: timedelta(minutes=5),
    lapsing.JOB: timedelta(hours=1),
    booking.JOB: timedelta(minutes=10),
    reminding.JOB: timedelta(hours=1),
    forewarning.JOB: timedelta(hours=1),
    stopping.JOB: timedelta(minutes=10),
    entrusting.JOB: timedelta(minutes=10),
    erasing.JOB: timedelta(hours=1),
    alerting.JOB: timedelta(minutes=5),
    own_data.SWEEP: timedelta(minutes=30),
    retaining.JOB: timedelta(days=1),
    scans.SWEEP: timedelta(days=1),
    importing.LICENCES: timedelta(hours=1),
    registering.SWEEP: timedelta(hours=6),
    enlisting.SWEEP: timedelta(hours=6),
    receiving.SWEEP: timedelta(hours=1),
    auditing.ANCHOR: timedelta(days=1),
    auditing.ANCHOR_BY_POST: timedelta(hours=1),
}
"""Jobs that return by themselves, each done by one process."""
ROUND: Final = 5.0
"""Seconds after which a round is made though nobody called: retries fall due, leases run out."""
LONGEST_STOP: Final = 7.0
"""Seconds that running requests, events and rounds are waited for; the server kills after ten."""
GLANCE: Final = 0.05
"""Seconds between two looks at what still runs."""
AMENDED: Final = 60.0
"""Seconds after which amendments are read though nobody told of one."""
SWEEP: Final = 60
"""Rounds between two sweeps of what has expired."""


def amend() -> None:
    """Go by the amendments that were agreed to."""
    found = amending.in_force()
    occupations.amend(found.occupations)
    examinations.amend(found.studies)
    notices.amend(found.templates)


@contextlib.asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Refuse a foreign schema, open the keys, then work until the process is told to stop."""
    await in_thread(migrations.check_revision)
    await in_thread(keystore)
    await in_thread(amend)
    # What takes seconds has rounds of its own: other jobs do not wait for it.
    rounds = [
        ("jobs", jobs.TOPIC, _work),
        ("readings", jobs.TOPIC, _read),
        ("imports", jobs.TOPIC, _import),
        ("exchange", exchanging.TOPIC, _exchange),
        *((f"letters_{each}", "outbox", _deliver(each)) for each in Channel),
    ]
    leaving.clear()
    parting.clear()
    tasks = {each[0]: asyncio.create_task(_rounds(*each)) for each in rounds}
    hearing = asyncio.create_task(bus.listen())
    amended = asyncio.create_task(_follow_amendments())
    # The server takes this word for the order to go at once; it goes by the other, a little later.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _begin_to_stop)
    try:
        with metrics.served():
            yield
    finally:
        leaving.set()
        changes.publish([changes.STOPPING])
        await _finish(tasks)
        hearing.cancel()
        amended.cancel()
        await asyncio.wait([hearing, amended])
        pulses.clear()


async def _follow_amendments() -> None:
    """Go by each amendment as soon as it is agreed to, and a minute later where nobody told."""
    watch = changes.subscribe([amending.TOPIC])
    try:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.wait(), AMENDED)
            try:
                await in_thread(amend)
            except Exception as error:
                incidents.note(log, "the amendments", error)
    finally:
        changes.unsubscribe(watch)


def _begin_to_stop() -> None:
    """Turn the readiness red and take no more; go when what runs has been done."""
    if not leaving.is_set():
        leaving.set()
        changes.publish([changes.STOPPING])
        log.warning("told to stop")
        _last_tasks.append(asyncio.create_task(_leave()))


_last_tasks: list[asyncio.Task[None]] = []


async def _leave() -> None:
    await asyncio.sleep(settings().drain)
    # A screen goes by itself, having said what it had to say: what a closed socket has not yet
    # read is lost.
    parting.set()
    changes.publish([changes.PARTING])
    for _ in range(int(LONGEST_STOP / GLANCE)):
        if not (
            figures.running_events()
            or figures.running_requests()
            or figures.open_sockets()
            or pulses.any_busy()
        ):
            break
        await asyncio.sleep(GLANCE)
    os.kill(os.getpid(), signal.SIGINT)


async def _finish(tasks: dict[str, asyncio.Task[None]]) -> None:
    """Let rounds that are being made come to their end, and no others begin."""
    for name, task in tasks.items():
        if not pulses.is_busy(name):
            task.cancel()
    _, late = await asyncio.wait(tasks.values(), timeout=LONGEST_STOP)
    for task in late:
        # Its leases run out, and somebody else takes it up.
        task.cancel()


async def _rounds(name: str, topic: str, work: Callable[[int], bool | None]) -> None:
    """Work whenever ``topic`` is announced, and now and then unasked; at once again if work says
    that there is more.
    """
    watch = changes.subscribe([topic])
    try:
        count = 0
        while not leaving.is_set():
            pulses.begin(name)
            has_more = await in_thread(work, count)
            pulses.end(name)
            figures.ROUNDS.labels(name).inc()
            count += 1
            if not has_more and not leaving.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(watch.wait(), ROUND)
    finally:
        changes.unsubscribe(watch)


def once(*, now: datetime) -> int:
    """Do all that is due, the returning jobs included; return how many jobs were tried."""
    _plan(now)
    amend()
    return jobs.run_due(WORKS | checking.READINGS | SLOW, now=now)


def _anchor(now: datetime) -> None:
    path = settings().audit_anchor
    if path is not None:
        auditing.anchor(path, now=now)


def _anchor_by_post(now: datetime) -> None:
    url = settings().anchor_url
    if url is not None:
        auditing.anchor_by_post(url, settings().anchor_token, now=now)


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
    parts: list[Callable[[datetime], object]] = [
        lambda now: jobs.run_due(WORKS, now=now, stops=leaving.is_set)
    ]
    if count % SWEEP == 0:
        parts.insert(0, _plan)
        parts.append(lambda now: jobs.sweep(now=now))
        parts.append(lambda now: accounts.sweep(now=now))
        parts.append(lambda now: resetting.sweep(now=now))
        parts.append(lambda now: throttling.sweep(now=now))
        parts.append(lambda now: reviewing.release_forgotten(now=now))
    _do(parts)


def _read(count: int) -> None:
    """Read the scans that wait for it."""
    parts: list[Callable[[datetime], object]] = [
        lambda now: jobs.run_due(checking.READINGS, now=now, stops=leaving.is_set)
    ]
    if count % SWEEP == 0:
        parts.append(lambda now: checking.go_on_without(now=now))
    _do(parts)


def _import(_count: int) -> None:
    """Look registers through and put them in; do what else is slow."""
    _do([lambda now: jobs.run_due(SLOW, now=now, stops=leaving.is_set)])


def _do(parts: Iterable[Callable[[datetime], object]]) -> None:
    """Do each; a part that fails does not stop the others, nor the rounds to come."""
    for part in parts:
        try:
            part(clock.now())
        except Exception as error:
            incidents.note(log, "a round of work", error)
