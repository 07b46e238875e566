"""The report on a large staff beside the bare aggregate: ``python -m benchmarks.reports``.

Prints one JSON object. Runs on the database of the environment.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median

STAFF = int(os.environ.get("EMK_BENCH_STAFF", "100000"))
ROUNDS = 15
DEPARTMENTS = 40


def main() -> int:
    """Fill one organisation's list and time its report."""
    data = tempfile.mkdtemp(prefix="emk-reports-")
    os.environ |= {"EMK_ENV": "test", "EMK_DATA": data}
    if url := os.environ.get("EMK_TEST_DATABASE_URL"):
        os.environ["EMK_DATABASE_URL"] = url

    import sqlalchemy as sa

    from emk_app import clock
    from emk_app.db import migrations
    from emk_app.db.engine import reading
    from emk_app.presenting import staff_reports as words
    from emk_app.services import staff_reports

    migrations.upgrade()
    now = clock.now()
    owner = fill()

    def report() -> None:
        words.page(staff_reports.report(owner, now=now))

    def bare() -> None:
        with reading() as db:
            db.connection().execute(
                sa.text(
                    "SELECT department, occupation, verdict, count(*) FROM staff_entries "
                    "WHERE organisation_id = :id GROUP BY department, occupation, verdict"
                ),
                {"id": owner.organisation_id},
            ).all()

    report()
    bare()
    took: dict[str, list[float]] = {"report": [], "bare": []}
    for _ in range(ROUNDS):
        took["report"].append(_milliseconds(report))
        took["bare"].append(_milliseconds(bare))
    found = {name: {"p50": median(each), "most": max(each)} for name, each in took.items()}
    print(json.dumps({"staff": STAFF} | found))
    return 0


def fill():
    """Return the owner of an organisation with everybody in it."""
    from emk_app import clock
    from emk_app.db.engine import reading, unit_of_work
    from emk_app.db.repositories import employers
    from emk_app.db.tables.employers import StaffEntry
    from emk_app.domain.actors import Actor, Role
    from emk_app.domain.books import Verdict
    from emk_app.domain.employing import AccessState, AddedBy
    from emk_app.domain.occupations import OCCUPATIONS
    from emk_app.services import accounts, employing

    now, chance, codes = clock.now(), random.Random(39), ["", *OCCUPATIONS]
    user_id = accounts.create_user(
        Role.EMPLOYER, "hr@example.ru", "кадры кадры 2026", totp_secret="A" * 32, now=now
    )
    actor = Actor(user_id, Role.EMPLOYER)
    employing.found(actor, "Сеть", "7707083893", "1027700132195", "hr@example.ru", now=now)
    with reading() as db:
        owner = employers.acting(db, actor)
    assert owner.organisation_id is not None
    today = clock.day_of(now)
    verdicts = [*[Verdict.VALID] * 8, Verdict.TERM_PASSED, Verdict.SUPERSEDED]
    rows = [
        {
            "ref": f"{number:032x}",
            "organisation_id": owner.organisation_id,
            # As long as sealed words are: the rows are to be as wide as in life.
            "said_sealed": bytes(220),
            "name_sealed": bytes(160),
            "department": f"Отдел {chance.randrange(DEPARTMENTS)}",
            "occupation": chance.choice(codes),
            "occupation_group": "Общественное питание",
            "added_by": AddedBy.NUMBER,
            "state": AccessState.GRANTED if number % 20 else AccessState.ENDED,
            "asked_at": now,
            "until": now + timedelta(days=200),
            "is_stale": False,
            "is_counted": False,
            "verdict": chance.choice(verdicts),
            "ends_on": today + timedelta(days=chance.randrange(-60, 1200)),
            "checked_at": now,
        }
        for number in range(STAFF)
    ]
    with unit_of_work() as db:
        db.connection().execute(StaffEntry.__table__.insert(), rows)  # pyright: ignore
    return owner


def _milliseconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    sys.exit(main())
