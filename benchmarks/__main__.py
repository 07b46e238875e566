"""Run the measurements and print one table: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import servers

BOOKS = 300
ROUNDS = 5
SECONDS = 4.0
CONNECTIONS = 64


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    work: str
    ours: str
    peer: str
    ratio: float
    target: str
    is_met: bool


def requests(data: Path, codes: Path) -> list[Line]:
    """Measure the whole check beside the bare one, in turns."""
    with servers.ours(data) as our_port, servers.peer("bare_app", data) as bare_port:
        for port in (our_port, bare_port):
            _load(port, CONNECTIONS, 1.0, codes)
        rounds = [
            (
                _load(our_port, CONNECTIONS, SECONDS, codes),
                _load(bare_port, CONNECTIONS, SECONDS, codes),
            )
            for _ in range(ROUNDS)
        ]
        ours = median(our["rate"] for our, _ in rounds)
        bare = median(peer["rate"] for _, peer in rounds)
        ratio = median(our["rate"] / peer["rate"] for our, peer in rounds)
        half = _half_load(our_port, ours / 2, codes)
    return [
        Line(
            "GET /api/verify, requests/s",
            f"{ours:.0f}",
            f"{bare:.0f} bare ASGI",
            ratio,
            ">= 0.75",
            ratio >= 0.75,
        ),
        Line(
            "the same, p99 ms at half load",
            f"{half:.1f}",
            "",
            half / 15,
            "<= 15 ms",
            half <= 15,
        ),
    ]


def pages(data: Path, codes: Path) -> list[Line]:
    """Measure the verdict in a slow browser beside a page by hand, in turns."""
    from benchmarks.browser import readable

    code = json.loads(codes.read_text(encoding="ascii"))[0]
    with servers.ours(data) as our_port, servers.peer("plain_app", data) as plain_port:
        ours, plain = readable(
            [f"http://localhost:{port}/v/{code}" for port in (our_port, plain_port)]
        )
    ratio = median(our / peer for our, peer in zip(ours, plain, strict=True))
    return [
        Line(
            "verdict readable, slow 4G and 4x CPU, ms",
            f"{median(ours):.0f}",
            f"{median(plain):.0f} Starlette + Jinja",
            ratio,
            "<= 1.10",
            ratio <= 1.10,
        )
    ]


def register(_data: Path, _codes: Path) -> list[Line]:
    """Measure the search of clinics on both databases beside a scan of the same table."""
    lines: list[Line] = []
    for database, within in (("SQLite", ()), ("PostgreSQL", (".ci/postgres",))):
        found = _child("benchmarks.register", within=within)
        lines += [
            Line(
                f"clinics, {kind}, {database}, p50 / p99 ms",
                f"{took['p50']:.1f} / {took['p99']:.1f}",
                f"{took['scan']:.0f} LIKE scan",
                took["p99"] / took["scan"],
                "<= 20 ms",
                took["p99"] <= 20,
            )
            for kind, took in found["kinds"].items()
        ]
    return lines


def keys(data: Path, _codes: Path) -> list[Line]:
    """Measure from the last key of a query to its clinics, beside a bare request, in turns."""
    from benchmarks import keys as measured
    from benchmarks.register import CLINICS
    from emk_app.demo import register as made_up

    made_up.load(CLINICS)
    took, bare = measured.measure(data)
    return [
        Line(
            "last key to clinics on the screen, 40 ms there and back, median ms",
            f"{median(took):.0f}",
            f"{median(bare):.0f} bare request",
            median(took) / median(bare),
            "<= 120 ms",
            median(took) <= 120,
        )
    ]


def extract(_data: Path, _codes: Path) -> list[Line]:
    """Measure the version and its extract beside pyHanko's bare signature of the same file."""
    took = _child("benchmarks.extract")
    sheet, bare = took["sheet"]["clock"], took["bare"]["clock"]
    ours = took["version"]["clock"] + sheet + took["signature"]["clock"]
    return [
        Line(
            "version signed, sheet set and signed, ms",
            f"{ours:.1f}",
            f"{peer:.1f} {name}",
            ours / peer,
            "<= 1.5",
            ours <= 1.5 * peer,
        )
        for name, peer in (
            ("pyHanko's bare signature", bare),
            ("typst and bare pyHanko", sheet + bare),
        )
    ]


def _child(module: str, *arguments: str, within: tuple[str, ...] = ()) -> Any:
    """Run a measurement with data of its own; return the JSON of its last line."""
    environment = {name: value for name, value in os.environ.items() if name != "EMK_DATA"}
    done = subprocess.run(
        [*within, sys.executable, "-m", module, *arguments],
        cwd=servers.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _load(port: int, connections: int, seconds: float, codes: Path, rate: float = 0) -> dict:
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(connections)]
    command += [str(seconds), str(codes), str(rate)]
    done = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def _half_load(port: int, rate: float, codes: Path) -> float:
    return median(_load(port, CONNECTIONS, SECONDS, codes, rate)["p99"] for _ in range(3))


def _print(lines: list[Line]) -> None:
    head = ("", "ours", "peer", "ratio", "target", "")
    rows = [
        (each.work, each.ours, each.peer, f"{each.ratio:.2f}", each.target, _met(each))
        for each in lines
    ]
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for row in (head, *rows):
        print(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        )


def _met(line: Line) -> str:
    return "met" if line.is_met else "NOT MET"


def main(chosen: list[str]) -> int:
    """Run what was named, or everything; a missed target is no error, it is a number to read."""
    every = {
        "requests": requests,
        "pages": pages,
        "extract": extract,
        "register": register,
        "keys": keys,
    }
    if not set(chosen) <= set(every):
        print(f"usage: python -m benchmarks [{'|'.join(every)}]", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="emk-bench-") as folder:
        data = Path(folder) / "data"
        os.environ |= {"EMK_ENV": "test", "EMK_DATA": str(data)}
        from benchmarks import shelf

        codes = Path(folder) / "codes.json"
        codes.write_text(json.dumps(shelf.fill(BOOKS)), encoding="ascii")
        lines = [
            line
            for name, measure in every.items()
            if not chosen or name in chosen
            for line in measure(data, codes)
        ]
    _print(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
