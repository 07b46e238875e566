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

from benchmarks import plots, servers

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
    is_met: bool | None
    """Nothing where there is no target."""


def requests(data: Path, codes: Path) -> list[Line]:
    """Measure the whole check beside the bare one, in turns."""
    with servers.ours(data) as our, servers.peer("bare_app", data) as bare:
        for each in (our, bare):
            _load(each, 1.0, codes)
        rounds = [(_load(our, SECONDS, codes), _load(bare, SECONDS, codes)) for _ in range(ROUNDS)]
        rate, bare_rate = (median(each[at]["rate"] for each in rounds) for at in (0, 1))
        ratio = median(mine["rate"] / peers["rate"] for mine, peers in rounds)
        cost, bare_cost = (median(each[at]["cost"] for each in rounds) for at in (0, 1))
        # Half of what ours can do in that minute; the peer at the same rate says how still it was.
        halves: list[tuple[float, ...]] = []
        for _ in range(ROUNDS):
            half_rate = _load(our, 2.0, codes)["rate"] / 2
            halves.append(
                tuple(_load(each, SECONDS, codes, half_rate)["p99"] for each in (our, bare))
            )
        half, bare_half = (median(each[at] for each in halves) for at in (0, 1))
    return [
        Line(
            "GET /api/verify, requests/s",
            f"{rate:.0f}",
            f"{bare_rate:.0f} bare ASGI",
            ratio,
            ">= 0.75",
            ratio >= 0.75,
        ),
        Line(
            "the same, processor's µs a request",
            f"{cost:.0f}",
            f"{bare_cost:.0f}",
            cost / bare_cost,
            "",
            None,
        ),
        Line(
            "the same, p99 ms at half load",
            f"{half:.1f}",
            f"{bare_half:.1f} bare ASGI",
            half / 15,
            "<= 15 ms",
            half <= 15,
        ),
    ]


def pages(data: Path, codes: Path) -> list[Line]:
    """Measure the verdict in a slow browser beside a page by hand, in turns."""
    from benchmarks.browser import readable

    code = json.loads(codes.read_text(encoding="ascii"))[0]
    with servers.ours(data) as our, servers.peer("plain_app", data) as peer:
        ours, plain = readable([f"http://localhost:{each.port}/v/{code}" for each in (our, peer)])
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


def screens(_data: Path, _codes: Path) -> list[Line]:
    """Measure what a slow telephone waits for beside a sign-in form by hand, in turns."""
    found = _child("benchmarks.screens")
    peer = found.pop("sign-in by hand")
    lines: list[Line] = []
    for name, took in found.items():
        first = took["first"] / peer["first"]
        is_public = name == "sign-in"
        lines += [
            Line(
                f"{name}, slow 4G and 4x CPU, first content, ms",
                f"{took['first']:.0f}",
                f"{peer['first']:.0f} form by hand",
                first,
                "<= 1.1" if is_public else "",
                first <= 1.1 if is_public else None,
            ),
            Line(
                "  its content shown / usable, ms",
                f"{took['shown']:.0f} / {took['usable']:.0f}",
                f"{peer['usable']:.0f}",
                took["usable"] / peer["usable"],
                "",
                None,
            ),
            Line(
                "  KB; requests",
                f"{took['kilobytes']:.0f}; {took['requests']:.0f}",
                f"{peer['kilobytes']:.0f}; {peer['requests']:.0f}",
                took["kilobytes"] / 155,
                "<= 155 KB",
                took["kilobytes"] <= 155,
            ),
        ]
    return lines


def live(_data: Path, _codes: Path) -> list[Line]:
    """Measure screens that follow commits, events, and the memory of a session."""
    from benchmarks.live import COMMITS

    found = _child("benchmarks.live")
    lines: list[Line] = []
    for clients, both in found["watching"].items():
        ours, peer = both["ours"], both["peer"]
        ratio = ours["p99"] / peer["p99"]
        lines.append(
            Line(
                f"{clients} watch, {ours['expected']} commits, p50 / p99 ms; lost {ours['lost']}",
                f"{ours['p50']:.1f} / {ours['p99']:.1f}",
                f"{peer['p50']:.1f} / {peer['p99']:.1f} SSE",
                ratio,
                "<= 2 (p99), none lost",
                ratio <= 2 and ours["lost"] == 0,
            )
        )
        cost = ours["cost"] / peer["cost"]
        lines.append(
            Line(
                "  processor's ms a commit",
                f"{ours['cost']:.1f}",
                f"{peer['cost']:.1f} SSE",
                cost,
                "",
                None,
            )
        )
    ours, peer = found["at once"]["ours"], found["at once"]["peer"]
    ratio = ours["p99"] / peer["p99"]
    lines.append(
        Line(
            f"one commit to {ours['expected'] // COMMITS}, p50 / p99 ms; lost {ours['lost']}",
            f"{ours['p50']:.0f} / {ours['p99']:.0f}",
            f"{peer['p50']:.0f} / {peer['p99']:.0f} SSE",
            ratio,
            "<= 5 (p99), none lost",
            ratio <= 5 and ours["lost"] == 0,
        )
    )
    most = found["watching"][max(found["watching"], key=int)]
    ours, peer = most["ours"]["memory"], most["peer"]["memory"]
    rates = [each["ours"]["rate"] / each["peer"]["rate"] for each in found["acting"]]
    at = {
        (side, what): median(each[side][what] for each in found["acting"])
        for side in ("ours", "peer")
        for what in ("rate", "p99")
    }
    plots.draw(
        servers.ROOT / "docs" / "live.svg",
        "From a commit to the screens that watch, ms",
        "clients that watch, fifty commits a second",
        {
            f"{name}, {what}": [
                (int(clients), both[side][what]) for clients, both in found["watching"].items()
            ]
            for side, name in (("ours", "ours"), ("peer", "bare SSE"))
            for what in ("p50", "p99")
        },
    )
    return [
        *lines,
        Line(
            "memory of a live session, KB",
            f"{ours:.0f}",
            f"{peer:.0f} SSE",
            ours / peer,
            "<= 250 KB",
            ours <= 250,
        ),
        Line(
            "simple events/s, 50 clients",
            f"{at['ours', 'rate']:.0f}",
            f"{at['peer', 'rate']:.0f} bare socket.io",
            median(rates),
            ">= 0.55",
            median(rates) >= 0.55,
        ),
        Line(
            "the same, p99 ms",
            f"{at['ours', 'p99']:.1f}",
            f"{at['peer', 'p99']:.1f}",
            at["ours", "p99"] / at["peer", "p99"],
            "<= 15 ms",
            at["ours", "p99"] <= 15,
        ),
    ]


def pair(_data: Path, _codes: Path) -> list[Line]:
    """Measure screens that follow another process, and what Redis keeps of each, beside SSE."""
    found = _child("benchmarks.pair", within=(".ci/postgres",))
    ratio = median(each["ours"]["p99"] / each["peer"]["p99"] for each in found["rounds"])
    at = {
        (side, what): median(each[side][what] for each in found["rounds"])
        for side in ("ours", "peer")
        for what in ("p50", "p99")
    }
    lost = sum(each["ours"]["lost"] for each in found["rounds"])
    return [
        Line(
            f"{found['watchers']} watch another process, p50 / p99 ms; lost {lost}",
            f"{at['ours', 'p50']:.1f} / {at['ours', 'p99']:.1f}",
            f"{at['peer', 'p50']:.1f} / {at['peer', 'p99']:.1f} SSE",
            ratio,
            "<= 3 (p99), none lost",
            ratio <= 3 and lost == 0,
        ),
        Line(
            "kept of a session in Redis, KB",
            f"{found['kept']:.0f}",
            "",
            found["kept"] / 64,
            "<= 64 KB",
            found["kept"] <= 64,
        ),
    ]


def start(_data: Path, _codes: Path) -> list[Line]:
    """Measure from a clean clone to the first page, and the second start."""
    found = _child("benchmarks.start")
    return [
        Line(name, f"{took:.1f}", "", took / within, f"<= {within} s", took <= within)
        for name, took, within in (
            ("clean clone to the first page, s", found["first"], 60),
            ("second start, s", found["second"], 5),
        )
    ]


def growth(_data: Path, _codes: Path) -> list[Line]:
    """Measure the hottest readings as books grow a thousandfold; the peer is the smallest shelf."""
    found = _child("benchmarks.growth")
    few, many = found[min(found, key=int)], found[max(found, key=int)]
    plots.draw(
        servers.ROOT / "docs" / "growth.svg",
        "Readings as books grow, SQLite, median ms of the processor",
        "books",
        {
            name: [(int(size), took[name]["processor"]) for size, took in found.items()]
            for name in few
        },
    )
    lines: list[Line] = []
    for name in few:
        ratio = many[name]["clock"] / few[name]["clock"]
        lines.append(
            Line(
                f"{name}, {int(max(found, key=int)):,} books, ms",
                f"{many[name]['clock']:.2f}",
                f"{few[name]['clock']:.2f} with {int(min(found, key=int)):,}",
                ratio,
                "<= 1.5",
                ratio <= 1.5,
            )
        )
    return lines


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


def reports(_data: Path, _codes: Path) -> list[Line]:
    """Measure the report on a large staff on both databases beside the bare aggregate."""
    lines: list[Line] = []
    for database, within in (("SQLite", ()), ("PostgreSQL", (".ci/postgres",))):
        found = _child("benchmarks.reports", within=within)
        ours, bare = found["report"], found["bare"]
        lines.append(
            Line(
                f"report on {found['staff']:,} of a staff, {database}, p50 / most ms",
                f"{ours['p50']:.0f} / {ours['most']:.0f}",
                f"{bare['p50']:.0f} bare GROUP BY",
                ours["p50"] / bare["p50"],
                "<= 2000 ms",
                ours["most"] <= 2000,
            )
        )
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


def _load(server: servers.Served, seconds: float, codes: Path, rate: float = 0) -> dict[str, float]:
    busy = server.busy()
    command = [sys.executable, "-m", "benchmarks.load", str(server.port), str(CONNECTIONS)]
    command += [str(seconds), str(codes), str(rate)]
    done = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout)
    return found | {"cost": 1e6 * (server.busy() - busy) / (found["rate"] * seconds)}


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
    return "" if line.is_met is None else "met" if line.is_met else "NOT MET"


def main(chosen: list[str]) -> int:
    """Run what was named, or everything; a missed target is no error, it is a number to read."""
    every = {
        "requests": requests,
        "pages": pages,
        "screens": screens,
        "extract": extract,
        "live": live,
        "pair": pair,
        "start": start,
        "growth": growth,
        "register": register,
        "reports": reports,
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
