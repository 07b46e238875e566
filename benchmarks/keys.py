"""From the last key of a query to its clinics on the screen, on a line of 40 ms there and back.

Chromium slows HTTP down but not what goes over an open socket, so the line is a proxy of ours that
hands every byte on 20 ms later, in either direction.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks import servers

ONE_WAY = 0.020
WORDS = ("поликлиника", "казань", "больница", "центр", "здоровье", "екатеринбург", "медицинский")
ROUNDS = 3
LOGIN, PASSWORD = "keys@example.ru", "лесная тропа 42"

# From the letter to the frame after the one in which the first clinic is the expected one.
SHOWN = """name => new Promise(resolve => {
    const first = () => document.querySelector('[data-arrows] li')?.textContent || '';
    let pressed = 0;
    addEventListener('input', event => { pressed = event.timeStamp; }, true);
    const look = () => {
        if (!pressed || !first().includes(name)) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - pressed)));
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, {subtree: true, childList: true, characterData: true});
    window.isWatching = true;
})"""
BARE = """async () => {
    const began = performance.now();
    await (await fetch('/healthz', {cache: 'no-store'})).text();
    return performance.now() - began;
}"""


def measure(data: Path) -> tuple[list[float], list[float]]:
    """Return milliseconds from key to clinics, and of a bare request on the same line, in turns.

    ``data`` holds a register already.
    """
    front = servers.free_port()
    os.environ["EMK_ORIGIN"] = f"http://localhost:{front}"
    cookie = _signed_in()
    queries = _queries()
    took: list[float] = []
    bare: list[float] = []
    with (
        servers.ours(data) as behind,
        _slow_line(front, behind.port),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("EMK_CHROMIUM") or None, args=["--no-sandbox"]
        )
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([cookie | {"url": os.environ["EMK_ORIGIN"]}])  # pyright: ignore
        page = context.new_page()
        page.goto(f"{os.environ['EMK_ORIGIN']}/cabinet/apply/clinic")
        page.locator("[data-arrows] li").first.wait_for()
        for _ in range(ROUNDS):
            for before, key, names in queries:
                took.append(_press(page, before, key, names))
                bare.append(page.evaluate(BARE))
        browser.close()
    return took, bare


def _press(page: Page, before: str, key: str, names: tuple[str, str]) -> float:
    search = page.locator("input[type=search]")
    search.fill(before)
    page.locator("[data-arrows] li").first.filter(has_text=names[0]).wait_for()
    search.focus()
    page.keyboard.press("End")
    page.evaluate(f"void (window.shown = ({SHOWN})({names[1]!r}))")
    page.keyboard.insert_text(key)
    return page.evaluate("window.shown")


def _queries() -> list[tuple[str, str, tuple[str, str]]]:
    """Return beginnings of words and the key that follows, where the first clinic then changes."""
    from emk_app.services import directory

    found = {
        text: directory.search(text).clinics
        for word in WORDS
        for text in (word[:length] for length in range(1, len(word) + 1))
    }
    return [
        (text[:-1], text[-1], (found[text[:-1]][0].short_name, clinics[0].short_name))
        for text, clinics in found.items()
        if len(text) > 1
        and clinics
        and found[text[:-1]]
        and clinics[0].short_name != found[text[:-1]][0].short_name
    ]


def _signed_in() -> dict[str, Any]:
    """Make a holder with a draft and a session; return its cookie."""
    from emk_app import clock
    from emk_app.db.engine import unit_of_work
    from emk_app.db.tables.people import UserSession
    from emk_app.domain.actors import Actor, Role
    from emk_app.edge.cookies import cookie_name
    from emk_app.services import accounts, applying

    now, cookie = clock.now(), secrets.token_urlsafe(32)
    holder = accounts.create_user(
        Role.HOLDER, LOGIN, PASSWORD, totp_secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", now=now
    )
    applying.draft(Actor(holder, Role.HOLDER), now=now)
    with unit_of_work() as db:
        db.add(
            UserSession(
                ref=accounts.ref_of(cookie),
                user_id=holder,
                factor_at=now,
                device="benchmark",
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(hours=12),
            )
        )
    return {"name": cookie_name(), "value": cookie}


@contextmanager
def _slow_line(front: int, behind: int) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def hand_on(piece: bytes) -> None:
            if not writer.is_closing():
                writer.write(piece)

        try:
            while piece := await reader.read(65536):
                loop.call_later(ONE_WAY, hand_on, piece)
        except ConnectionError:
            pass
        loop.call_later(ONE_WAY * 2, writer.close)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", behind)
        await asyncio.gather(carry(reader, outer), carry(inner, writer))

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(meet, "localhost", front)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
