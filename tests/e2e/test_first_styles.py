"""A page is read before the sheet of all pages has come, and looks the same once it has."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from emk_app.edge.headers import BUILD
from tests.e2e.conftest import Visit
from tests.e2e.screens import PATIENCE
from tests.running import CHAIR, HOLDER, OPERATOR, Person

SEEN = """() => [...document.body.querySelectorAll("*")].map((each) => {
    const box = each.getBoundingClientRect(), style = getComputedStyle(each);
    return [
        each.tagName, each.className?.baseVal ?? each.className,
        ...[box.x, box.y, box.width, box.height].map(Math.round),
        style.color, style.backgroundColor, style.borderTopColor, style.fontSize, style.fontWeight,
        style.display, style.visibility,
    ].join(" ");
})"""
IS_APPLIED = """() => {
    const sheet = document.querySelector("head link[rel=stylesheet]");
    return sheet.media === "all" && sheet.sheet?.cssRules.length > 0;
}"""

IS_REVEALED = """() => !document.querySelector("template[id^='B:'], div[id^='S:']")"""
"""What the page was sent behind its content is in its place: the next frame puts it there."""


def until(page: Page, holds: str) -> None:
    """Ask the page until it says yes; its policy lets nothing in it ask by itself."""
    patience = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(holds):
        assert time.monotonic() < patience, holds
        page.wait_for_timeout(20)


class Held:
    """What a page asks for at some addresses, kept waiting."""

    def __init__(self, page: Page, pattern: str) -> None:
        self.routes: list[Route] = []
        self._is_open = False
        page.route(pattern, self._take)

    def let_go(self) -> None:
        self._is_open = True
        for route in self.routes:
            route.continue_()

    def _take(self, route: Route) -> None:
        if self._is_open:
            route.continue_()
        else:
            self.routes.append(route)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    ("path", "person"),
    [
        ("/", None),
        ("/login", None),
        ("/register", None),
        ("/recover", None),
        ("/guide", None),
        ("/cabinet", HOLDER),
        ("/cabinet/book", HOLDER),
        ("/cabinet/security", HOLDER),
        ("/review", OPERATOR),
        ("/clinic", CHAIR),
    ],
)
def test_page_is_whole_without_the_sheet(
    visit: Visit, path: str, person: Person | None, width: int
):
    page = visit(person=person, width=width, reduced_motion="reduce")
    sheets, scripts = Held(page, "**/assets/*.css"), Held(page, "**/assets/*.js")
    page.goto(path, wait_until="commit")
    until(page, "performance.getEntriesByName('first-contentful-paint').length")
    until(page, "document.readyState !== 'loading'")
    until(page, IS_REVEALED)
    assert sheets.routes
    assert not page.evaluate(IS_APPLIED)
    before = page.evaluate(SEEN)
    assert any("e-frame" in line for line in before)
    sheets.let_go()
    until(page, IS_APPLIED)
    assert page.evaluate(SEEN) == before
    # What the page does by itself finds all as it was made: a difference would be told.
    scripts.let_go()
    page.wait_for_load_state("networkidle")
    page.get_by_role("heading", level=1).first.wait_for()
    assert page.evaluate(IS_APPLIED)
    assert page.locator("head style[data-first]").count() == 1


def test_page_without_scripts_has_the_sheet(visit: Visit):
    page = visit("/login", javascript=False)
    assert page.locator("head noscript link[rel=stylesheet]").count() == 1
    rules = "document.styleSheets.length"
    tools = page.context.new_cdp_session(page)
    tools.send("Runtime.enable")
    found = tools.send("Runtime.evaluate", {"expression": rules, "returnByValue": True})
    assert found["result"]["value"] >= 2


@pytest.mark.parametrize("comes_after_script", [True, False])
def test_sheet_that_fails_is_asked_for_again(visit: Visit, comes_after_script: bool):
    page = visit(width=390)
    asked: list[str] = []
    scripts = Held(page, "**/emk.js")

    def lose(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) <= 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/assets/*.css", lose)
    if comes_after_script:
        scripts.let_go()
    page.goto("/login", wait_until="commit")
    if not comes_after_script:
        # It finds a sheet that has failed already.
        until(page, "document.readyState !== 'loading'")
        while not asked:
            page.wait_for_timeout(20)
        scripts.let_go()
    until(page, IS_APPLIED)
    assert len(set(asked)) == 1
    assert len(asked) == 3


def test_what_is_pressed_is_what_stands_beside_it():
    pressed = [*BUILD.rglob("*.gz")]
    assert BUILD / "emk.js.gz" in pressed
    assert BUILD / "login.html.gz" in pressed
    for copy in pressed:
        assert gzip.decompress(copy.read_bytes()) == copy.with_suffix("").read_bytes(), copy
        assert copy.with_suffix(".br").exists()
    # Our own scripts are sent without what only people read.
    for script in Path("assets").glob("*.js"):
        assert (BUILD / script.name).stat().st_size < script.stat().st_size
