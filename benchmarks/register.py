"""The search of a large register, every kind of query: ``python -m benchmarks.register``.

Prints one JSON object. Runs on the database of the environment; beside the search it times the
scan that would be written without an index.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import tempfile
import time
from statistics import median
from typing import Any

CLINICS = int(os.environ.get("EMK_BENCH_CLINICS", "100000"))
ROUNDS = 100

QUERIES: dict[str, list[dict[str, Any]]] = {
    "nothing typed": [{}, {"point": "23"}],
    "one letter": [{"query": letter} for letter in "пгбкщъя1"],
    "word beginning": [{"query": word} for word in ("полик", "больн", "центр", "ново", "здор")],
    "two words": [
        {"query": words} for words in ("казань поликлиника", "больница 12", "город больн")
    ],
    "middle of a word": [{"query": part} for part in ("ликлин", "клинич", "озёрск", "диагн")],
    "ОКПО": [{"query": code} for code in ("0100", "01003", "11850374")],
    "full name": [
        {"query": "ГБУЗ «Городская клиническая больница № 12», Казань"},
        {"query": "Общество с ограниченной ответственностью «Медицинский центр „Биоград“»"},
        {"query": "Государственное бюджетное учреждение здравоохранения «Городская поликлиника"},
    ],
    "typo": [
        {"query": words} for words in ("поликлинка", "балница казань", "екатеренбург", "полекл")
    ],
    "all filters": [
        {
            "query": words,
            "region": region,
            "kind": "polyclinic",
            "with_electronic_policy": True,
            "in_force": True,
            "point": "23",
        }
        for words in ("", "полик", "город поликлиника")
        for region in ("77", None)
    ],
    "nothing found": [{"query": words} for words in ("зззз", "поликлиника йцукен", "щщ")],
}


def main() -> int:
    """Fill the register and time it."""
    data = tempfile.mkdtemp(prefix="emk-register-")
    os.environ |= {"EMK_ENV": "test", "EMK_DATA": data}
    if url := os.environ.get("EMK_TEST_DATABASE_URL"):
        os.environ["EMK_DATABASE_URL"] = url

    from emk_app.db import migrations
    from emk_app.demo import register
    from emk_app.domain.clinics import ClinicKind
    from emk_app.services import directory

    migrations.upgrade()
    began = time.perf_counter()
    register.load(CLINICS)
    filled = time.perf_counter() - began
    chance = random.Random(3)
    directory.search("прогрев")
    # As the server does (emk_app.frontend): what is loaded for good is not looked through again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    lines = {}
    for name, queries in QUERIES.items():
        took, worked, scanned = [], [], []
        rounds = queries * ROUNDS
        chance.shuffle(rounds)
        for query in rounds:
            asked = dict(query)
            if "kind" in asked:
                asked["kind"] = ClinicKind(asked["kind"])
            began, began_work = time.perf_counter(), time.process_time()
            directory.search(**asked)
            worked.append((time.process_time() - began_work) * 1000)
            took.append((time.perf_counter() - began) * 1000)
        for query in rounds[::10]:
            began = time.perf_counter()
            scan(query.get("query", ""))
            scanned.append((time.perf_counter() - began) * 1000)
        took.sort()
        worked.sort()
        lines[name] = {
            "p50": median(took),
            "p99": took[int(len(took) * 0.99)],
            # Of this process alone: a busy machine hurts it less. On SQLite that is all of it.
            "cpu_p50": median(worked),
            "cpu_p99": worked[int(len(worked) * 0.99)],
            "scan": median(scanned),
        }
    print(json.dumps({"filled": filled, "clinics": CLINICS, "kinds": lines}))
    return 0


def scan(query: str) -> None:
    """Find by LIKE over every row, ordered by name, and count, as without an index."""
    import sqlalchemy as sa

    from emk_app.db.engine import reading
    from emk_app.db.tables.clinics import Clinic
    from emk_app.domain.clinics import key_of, words_of

    table: Any = Clinic
    alike = [table.search_name.like(f"%{key_of(word)}%") for word in words_of(query)]
    with reading() as db:
        db.connection().execute(
            sa.select(table.__table__).where(*alike).order_by(table.short_name).limit(20)
        ).all()
        db.connection().execute(sa.select(sa.func.count()).where(*alike)).all()


if __name__ == "__main__":
    sys.exit(main())
