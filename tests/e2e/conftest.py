"""The stage of the stories: the built site, a real server a module, a real browser a package."""

from __future__ import annotations

import os
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.screens import MEASURED, PATIENCE, SCREENSHOTS, Watched, last_of
from tests.running import Person, Server

ARGUMENTS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
CANDIDATES: Final = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
WIDTHS: Final = {1280: 900, 390: 844}

Visit = Callable[..., Page]

FAILED: Final = pytest.StashKey[bool]()
STAGE: Final = pytest.StashKey[tuple[Server, list[Watched]]]()

expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Tell the fixtures, as they end, whether the test has failed; tell beside it what happened."""
    report = yield
    if report.failed and STAGE in item.stash:
        server, opened = item.stash[STAGE]
        for number, watched in enumerate(opened, 1):
            report.sections.append((f"page {number}", watched.tell()))
        report.sections.append(("log of the server", last_of(server.log().splitlines(), 25)))
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how long it took until one person's screen showed what another one did."""
    if MEASURED:
        terminalreporter.section("live screens")
        for line in MEASURED:
            terminalreporter.line(line)


@pytest.fixture(scope="module")
def server(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server; at the end its log must be clean."""
    started = Server(tmp_path_factory.mktemp("server"), prepared)
    started.start()
    yield started
    started.check_alive()
    started.close()
    started.check_log()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Start the browser; it ends with the package, since its loop would stop asynchronous tests."""
    shutil.rmtree(SCREENSHOTS / "failed", ignore_errors=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=list(ARGUMENTS), timeout=60_000
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(server: Server, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Return a way to open browsers of different people; what goes wrong in them fails the test."""
    opened: list[Watched] = []
    request.node.stash[STAGE] = (server, opened)
    started = server.starts

    def open_browser(
        path: str | None = None,
        *,
        person: Person | None = None,
        width: int = 1280,
        javascript: bool = True,
        state: Any = None,
        **more: Any,
    ) -> Page:
        context = chromium.new_context(
            locale="ru-RU",
            timezone_id="Europe/Moscow",
            viewport={"width": width, "height": WIDTHS[width]},
            base_url=server.origin,
            java_script_enabled=javascript,
            storage_state=state,
            accept_downloads=True,
            has_touch=width < 500,
            **more,
        )
        context.set_default_timeout(PATIENCE)
        if person is not None:
            give_cookie(context, server, server.cookie_of(person))
        page = context.new_page()
        opened.append(Watched(page))
        if path is not None:
            page.goto(path)
        return page

    yield open_browser
    failed = request.node.stash.get(FAILED, False)
    problems: list[str] = []
    for number, watched in enumerate(opened, 1):
        if failed:
            name = "".join(sign if sign.isalnum() else "-" for sign in request.node.name)
            watched.keep(SCREENSHOTS / "failed", f"{name[:80]}-{number}")
        was_down = server.starts != started
        problems += [line for line in watched.problems if not (was_down and "net::ERR_" in line)]
        watched.page.context.close()
    server.check_alive()
    if failed:
        (SCREENSHOTS / "failed").mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / "failed" / "server.log").write_text(server.log(), encoding="utf-8")
    else:
        assert not problems, "\n".join(problems)


def give_cookie(context: BrowserContext, server: Server, cookie: str) -> None:
    """Put a session's cookie into a browser."""
    context.add_cookies(
        [
            {
                "name": "emk_sid",
                "value": cookie,
                "domain": urllib.parse.urlsplit(server.origin).hostname or "",
                "path": "/",
                "httpOnly": True,
                "sameSite": "Lax",
            }
        ]
    )


def find_chromium() -> str:
    """Return the path of the browser: EMK_CHROMIUM, or the first that is installed."""
    named = os.environ.get("EMK_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CANDIDATES)), None)
    assert found, "no Chromium: set EMK_CHROMIUM, or run `make browser`"
    return found
