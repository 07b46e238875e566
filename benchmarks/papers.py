"""Checks that read the papers: ``python -m benchmarks.papers``.

Prints one JSON object: a page of ours beside the whole page by the bare library, in turns; from
handing in to all checks done without the extra; and how fast the same worker answers while it
reads and while it does not. Needs the extra ``ocr``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

PAGES = int(os.environ.get("EMK_BENCH_PAGES", "12"))
HANDED_IN = 8
BOOKS = 20
CONNECTIONS = 4
RATE = 40.0
"""Answers a second asked of the worker: a clinic's morning, far from its limit."""
SECONDS = 6.0


def pages() -> dict[str, float]:
    """Time a page by our reader and by the library as it comes, both with one thread."""
    from rapidocr import RapidOCR

    from emk_app.storage.reader import Want
    from emk_app.storage.recognition import Recogniser
    from tests.files.passports import specimens

    engine = "EngineConfig.onnxruntime."
    bare: Any = RapidOCR(
        params={
            f"{engine}intra_op_num_threads": 1,
            f"{engine}inter_op_num_threads": 1,
            "Global.log_level": "critical",
        }
    )
    ours = Recogniser(with_pictures=True)
    # PDFs are left out: the library takes pictures only.
    scans = [each for each in specimens(PAGES * 10 // 9 + 1) if each.content[:2] == b"\xff\xd8"]
    took: list[tuple[float, float]] = []
    for scan in scans[:PAGES]:
        began = time.perf_counter()
        ours.read(scan.content, scan.media_type, Want.ZONE)
        between = time.perf_counter()
        bare(scan.content)
        took.append((between - began, time.perf_counter() - between))
    ours.close()
    # The first of each loads its models.
    return {
        "page_seconds": median(mine for mine, _ in took[1:]),
        "slowest_page_seconds": max(mine for mine, _ in took[1:]),
        "bare_page_seconds": median(theirs for _, theirs in took[1:]),
        "ratio": median(mine / theirs for mine, theirs in took[1:]),
        "first_page_seconds": took[0][0],
    }


def submit_to_checked() -> dict[str, float]:
    """Time from handing in to the last check, as the worker does it, without the extra."""
    from emk_app import clock, working
    from emk_app.services import applying
    from tests.factories import make_draft, make_holder

    took: list[float] = []
    for _ in range(10):
        holder = make_holder(clock.now())
        draft = make_draft(holder, clock.now())
        began = time.perf_counter()
        applying.submit(holder, draft.id, now=clock.now())
        working.once(now=clock.now())
        took.append(time.perf_counter() - began)
    return {"median_seconds": median(took), "longest_seconds": max(took)}


def answers(data: Path, codes: Path) -> dict[str, float]:
    """Time answers of a worker while it reads the scans that were handed in, and after that."""
    from benchmarks import servers

    hand_in()
    load = [str(CONNECTIONS), str(SECONDS), str(codes), str(RATE)]

    def loaded(port: int) -> dict[str, float]:
        command = [sys.executable, "-m", "benchmarks.load", str(port), *load]
        done = subprocess.run(command, cwd=servers.ROOT, capture_output=True, check=True)
        return json.loads(done.stdout)

    os.environ["EMK_OCR"] = "on"
    with servers.ours(data) as served:
        port = served.port
        while left() == 2 * HANDED_IN:
            time.sleep(0.1)
        reading = loaded(port)
        was_reading = left() > 0
        while left():
            time.sleep(0.2)
        quiet = loaded(port)
    return {
        "reading_p50_ms": reading["p50"],
        "reading_p99_ms": reading["p99"],
        "quiet_p50_ms": quiet["p50"],
        "quiet_p99_ms": quiet["p99"],
        "added_p99_ms": reading["p99"] - quiet["p99"],
        "still_reading_at_the_end": float(was_reading),
    }


def hand_in() -> None:
    """Hand applications in and leave the reading of their scans to the server."""
    from emk_app import clock
    from emk_app.domain.documents import ScanKind
    from emk_app.services import applying, checking, jobs, scans
    from tests.factories import make_draft, make_holder
    from tests.files.passports import specimens

    for scan in specimens(HANDED_IN):
        now = clock.now()
        holder = make_holder(now)
        draft = make_draft(holder, now)
        for kind in (ScanKind.PASSPORT, ScanKind.POLICY):
            scans.accept(holder, draft.number.slug, kind, scan.content, "", now=now)
        applying.submit(holder, draft.id, now=now)
        jobs.run_due({checking.JOB: checking.run}, now=now)


def left() -> int:
    """Return how many scans are not read yet."""
    import sqlalchemy as sa
    from sqlmodel import col, select

    from emk_app.db.engine import reading
    from emk_app.db.tables.journal import Job
    from emk_app.services.checking import READINGS

    with reading() as db:
        return db.exec(
            select(sa.func.count())
            .select_from(Job)
            .where(col(Job.kind).in_(list(READINGS)), col(Job.done_at).is_(None))
        ).one()


def main() -> None:
    """Measure in a world of its own and print what was found."""
    with tempfile.TemporaryDirectory(prefix="emk-bench-") as folder:
        data = Path(folder) / "data"
        os.environ |= {"EMK_ENV": "test", "EMK_DATA": str(data), "EMK_OCR": "off"}
        from benchmarks import shelf

        codes = Path(folder) / "codes.json"
        codes.write_text(json.dumps(shelf.fill(BOOKS)), encoding="ascii")
        found = {
            "submit_to_checked": submit_to_checked(),
            "page": pages(),
            "answers": answers(data, codes),
        }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
