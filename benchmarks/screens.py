"""What a cold, slow telephone waits for: sign-in, the holder's dashboard, the entry of results.

``python -m benchmarks.screens`` prints one JSON object. The made-up world of ``make seed`` is on
the screens. The peer is the sign-in form as a page by hand.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright
from sqlmodel import col, select

from benchmarks import live, servers
from benchmarks.browser import NETWORK, PHONE, SLOWER
from emk_app.crypto import tokens
from emk_app.db import migrations
from emk_app.db.engine import unit_of_work
from emk_app.db.tables.examinations import Examination
from emk_app.settings import settings

ROUNDS: Final = int(os.environ.get("EMK_BENCH_ROUNDS", "5"))
HYDRATED: Final = '"is_hydrated_rx_state_":true'
PATIENCE: Final = 60.0

# When a text is on the screen: not before the first paint.
SHOWN: Final = """wanted => new Promise(resolve => {
    const look = () => {
        const paint = performance.getEntriesByName('first-contentful-paint')[0];
        if (paint && document.body.innerText.includes(wanted)) {
            const came = window.late ? performance.now() : 0;
            resolve([paint.startTime, Math.max(paint.startTime, came)]);
        } else { window.late = Boolean(paint); requestAnimationFrame(look); }
    };
    look();
})"""


@dataclass(frozen=True)
class Screen:
    """A page, a text of its content, and whose it is."""

    name: str
    path: str
    wanted: str
    cookie: str = ""
    is_ours: bool = True


def _screens() -> list[Screen]:
    from emk_app.demo import people, world

    settings().data.mkdir(parents=True, exist_ok=True, mode=0o700)
    migrations.upgrade()
    world.build()
    clinics = world.demo_clinics()
    holder, chair = (world.settle(each, clinics) for each in (people.BOOK_HOLDER, people.CHAIR))
    with unit_of_work() as db:
        holders, chairs = live.sign_in(db, [holder.user_id, chair.user_id])
        examination = max(
            db.exec(select(Examination.id).where(col(Examination.signed_at).is_(None))).all()
        )
    return [
        Screen("sign-in by hand", "/form", "Войти", is_ours=False),
        Screen("sign-in", "/login", "Войти"),
        Screen("dashboard", "/cabinet", "Действует", holders),
        Screen("entry of results", f"/clinic/exams/{examination}", "Артериальное давление", chairs),
    ]


def measure() -> dict[str, dict[str, float]]:
    """Return the medians of each screen, in turns."""
    data = Path(os.environ["EMK_DATA"])
    screens = _screens()
    took: dict[str, list[dict[str, float]]] = {each.name: [] for each in screens}
    with (
        servers.ours(data) as our,
        servers.peer("plain_app", data) as peer,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("EMK_CHROMIUM") or None, args=["--no-sandbox"]
        )
        for at in range(ROUNDS + 1):
            for screen in screens:
                once = _once(browser, screen, (our if screen.is_ours else peer).port)
                if at:  # the first round warms the servers
                    took[screen.name].append(once)
        browser.close()
    return {
        name: {what: median(each[what] for each in rounds) for what in rounds[0]}
        for name, rounds in took.items()
    }


def _once(browser: Browser, screen: Screen, port: int) -> dict[str, float]:
    context = browser.new_context(viewport=PHONE)  # pyright: ignore[reportArgumentType]
    origin = f"http://localhost:{port}"
    cookie = screen.cookie or tokens.new_token()
    context.add_cookies([{"name": "emk_sid", "value": cookie, "url": origin}])
    page = context.new_page()
    tools: Any = context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Network.emulateNetworkConditions", NETWORK)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    began: list[float] = []
    sizes: list[float] = []
    hydrated: list[float] = []
    tools.on("Network.requestWillBeSent", lambda said: began.append(said["timestamp"]))
    tools.on("Network.loadingFinished", lambda said: sizes.append(said["encodedDataLength"]))

    def hear(said: Any) -> None:
        if HYDRATED in said["response"]["payloadData"]:
            hydrated.append(said["timestamp"])

    tools.on("Network.webSocketFrameReceived", hear)
    page.goto(origin + screen.path, wait_until="commit")
    first, shown = page.evaluate(SHOWN, screen.wanted)
    waited = 0.0
    while screen.is_ours and not hydrated:
        page.wait_for_timeout(50)
        waited += 0.05
        assert waited < PATIENCE, f"{screen.name} never came alive"
    usable = max(shown, 1000 * (hydrated[0] - began[0])) if screen.is_ours else shown
    page.wait_for_load_state("load")
    context.close()
    return {
        "first": first,
        "shown": shown,
        "usable": usable,
        "kilobytes": sum(sizes) / 1000,
        "requests": len(sizes),
    }


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="emk-bench-") as folder:
        os.environ |= {"EMK_ENV": "test", "EMK_DATA": str(Path(folder) / "data")}
        print(json.dumps(measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
