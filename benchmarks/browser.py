"""A cold, slow telephone: Chromium with a slow 4G network and a processor four times slower."""

from __future__ import annotations

import os
from typing import Any

from playwright.sync_api import Browser, sync_playwright

ROUNDS = 15
PHONE = {"width": 390, "height": 844}
# What the developer tools of Chromium call "Slow 4G".
NETWORK = {
    "offline": False,
    "latency": 562.5,
    "downloadThroughput": 1.6 * 1024 * 1024 / 8 * 0.9,
    "uploadThroughput": 750 * 1024 / 8 * 0.9,
}
SLOWER = 4

# The verdict can be read once it is painted: the first paint with any content, and if the word
# came into the page later than that, its own moment.
READABLE = """() => new Promise(resolve => {
    const look = () => {
        const paint = performance.getEntriesByName('first-contentful-paint')[0];
        const word = [...document.querySelectorAll('h1')].find(
            each => each.textContent.includes('Действует') && each.offsetHeight);
        const came = window.late ? performance.now() : 0;
        if (paint && word) resolve(Math.max(paint.startTime, came));
        else { window.late = Boolean(paint); requestAnimationFrame(look); }
    };
    look();
})"""


def readable(urls: list[str], rounds: int = ROUNDS) -> list[list[float]]:
    """Return, for each page, milliseconds from navigation to a readable verdict; pages in turns."""
    took: list[list[float]] = [[] for _ in urls]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("EMK_CHROMIUM") or None, args=["--no-sandbox"]
        )
        for at in range(rounds + 1):
            for times, url in zip(took, urls, strict=True):
                once = _once(browser, url)
                if at:  # the first round warms the servers
                    times.append(once)
        browser.close()
    return took


def _once(browser: Browser, url: str) -> float:
    context = browser.new_context(viewport=PHONE)  # pyright: ignore[reportArgumentType]
    page = context.new_page()
    tools: Any = context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Network.emulateNetworkConditions", NETWORK)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url, wait_until="commit")
    took: float = page.evaluate(READABLE)
    context.close()
    return took
