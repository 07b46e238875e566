"""A crowd at the last seats: ``python -m benchmarks.booking``.

Two hundred people book the last twenty places of one morning at once, in one process and in four.
Prints one JSON object a run, on the database of the environment. What is counted is who got a
place and whether any place went to two; the times tell how long the slowest waited.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

PEOPLE = 200
PLACES = 20
HOURS = {
    "name": "Кабинет 12",
    **{f"day_{n}": "08:00–12:00" for n in range(7)},
    "slot_minutes": "60",
    "capacity": str(PLACES // 4),
    "horizon_days": "2",
    "works_on_holidays": "on",
}

Person = tuple[int, str]
"""Identity and number of the application."""


def prepare(people: int, now: datetime) -> tuple[list[Person], list[str]]:
    """Make a clinic with twenty places tomorrow and people who may book there; return both."""
    from emk_app.crypto import passwords
    from emk_app.db.engine import unit_of_work
    from emk_app.db.repositories import applications
    from emk_app.db.tables.applications import Application
    from emk_app.domain.actors import Actor, Position, Role
    from emk_app.domain.applications import ApplicationStatus, ExaminationTrack, PapersTrack
    from emk_app.domain.contacts import Login
    from emk_app.services import accounts, booking, scheduling
    from tests.factories import make_clinic, make_physician

    clinic_id = make_clinic()
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    scheduling.add(registrar, HOURS, now=now)
    hashed = passwords.hash_password("лесная тропа 42")
    crowd: list[Person] = []
    with unit_of_work() as db:
        for n in range(people):
            login = Login.parse(f"crowd{n}@example.ru")
            user = accounts.make_user(db, Role.HOLDER, login, hashed, contact=login.value, now=now)
            number = applications.next_number(db, now.year)
            db.add(
                Application(
                    holder_id=user.id,
                    tracking_number=number.slug,
                    status=ApplicationStatus.RECEIVED,
                    papers=PapersTrack.WAITING,
                    examination=ExaminationTrack.WAITING,
                    clinic_id=clinic_id,
                    created_at=now,
                    changed_at=now,
                    submitted_at=now,
                )
            )
            crowd.append((user.id, number.slug))
    first_id, first = crowd[0]
    shown = booking.booking(Actor(first_id, Role.HOLDER), first, now=now)
    tomorrow = [
        each.starts_at.isoformat()
        for each in shown.slots
        if each.starts_at.date() > now.astimezone(each.starts_at.tzinfo).date()
    ]
    return crowd, tomorrow[:4]


def rush(crowd: list[Person], times: list[str], workers: int, now: datetime) -> dict[str, Any]:
    """Let all of them book at once from so many processes; return what became of them."""
    # The clock of the wall: every process waits for the same moment.
    begins = time.time() + 3 + 2 * workers
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.booking", "worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(workers)
    ]
    for n, child in enumerate(children):
        assert child.stdin is not None
        wishes = [
            [user_id, number, times[position % len(times)]]
            for position, (user_id, number) in enumerate(crowd)
            if position % workers == n
        ]
        child.stdin.write(json.dumps({"at": begins, "now": now.isoformat(), "wishes": wishes}))
        child.stdin.close()
    told: list[list[Any]] = []
    for child in children:
        assert child.stdout is not None
        told += json.loads(child.stdout.read())
        child.wait()
    outcomes = Counter(each[0] for each in told)
    return {
        "workers": workers,
        "outcomes": dict(outcomes),
        "told the next times": sum(1 for each in told if each[0] == "SlotTaken" and each[2]),
        "slowest, s": round(max(each[1] for each in told), 2),
    }


def worker() -> int:
    """Book for the people named on the standard input, each in a thread of their own."""
    from emk_app.db import engine
    from emk_app.db.engine import Busy
    from emk_app.domain.actors import Actor, Role
    from emk_app.domain.visits import SlotTaken
    from emk_app.services import booking

    # As a server that has started: one pool of connections for all.
    with engine.reading() as db:
        db.connection()
    asked = json.load(sys.stdin)
    now = datetime.fromisoformat(asked["now"])
    told: list[list[Any]] = []

    def book(user_id: int, number: str, wanted: str) -> None:
        actor, starts_at = Actor(user_id, Role.HOLDER), datetime.fromisoformat(wanted)
        time.sleep(max(asked["at"] - time.time(), 0))
        since = time.perf_counter()
        nearest = 0
        outcome = ""
        while not outcome:
            try:
                booking.book(actor, number, starts_at, key="crowd", now=now)
                outcome = "booked"
            except SlotTaken as error:
                outcome, nearest = "SlotTaken", len(error.nearest)
            except Busy:
                # On a slow machine a turn takes longer than is waited for; people ask again.
                continue
            except Exception as error:
                outcome = f"{type(error).__name__}: {error}"[:200]
        told.append([outcome, time.perf_counter() - since, nearest])

    threads = [threading.Thread(target=book, args=each) for each in asked["wishes"]]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    json.dump(told, sys.stdout)
    return 0


def seats() -> tuple[int, int]:
    """Return how many places are taken, and how many visits are ahead."""
    from sqlmodel import select

    from emk_app.db.engine import reading
    from emk_app.db.tables.visits import Seat, Visit
    from emk_app.domain.visits import VisitStatus

    with reading() as db:
        places = db.exec(select(Seat.room_id, Seat.starts_at, Seat.number)).all()
        ahead = db.exec(select(Visit.id).where(Visit.status == VisitStatus.BOOKED)).all()
    assert len(places) == len(set(places))
    return len(places), len(ahead)


def main() -> int:
    """Run the crowd once for each number of processes, each on new places."""
    if sys.argv[1:] == ["worker"]:
        return worker()
    workers = int(sys.argv[1]) if sys.argv[1:] else 1
    os.environ |= {"EMK_ENV": "test", "EMK_DATA": tempfile.mkdtemp(prefix="emk-booking-")}
    if url := os.environ.get("EMK_TEST_DATABASE_URL"):
        os.environ["EMK_DATABASE_URL"] = url

    from emk_app import clock
    from emk_app.db import migrations
    from emk_app.settings import settings

    settings().data.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrations.upgrade()
    now = clock.now() + timedelta()
    crowd, times = prepare(PEOPLE, now)
    found = rush(crowd, times, workers, now)
    places, ahead = seats()
    print(json.dumps(found | {"places taken": places, "visits": ahead}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
