"""Every screen, looked at wide and narrow, light and dark."""

from __future__ import annotations

from typing import Final

import pytest

from tests.e2e.conftest import Visit
from tests.e2e.people import LOGIN
from tests.e2e.screens import Watched, look

CONNECTED: Final = """new Promise((done) => {
  const ask = () => (window.emkHeard?.on ? done() : setTimeout(ask, 20));
  ask();
})"""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "start"),
        ("/guide", "guide"),
        ("/check", "check"),
        ("/news", "news"),
        ("/status", "status"),
        ("/login", "login"),
        ("/register", "register"),
        ("/employer/register", "employer-register"),
        ("/recover", "recover"),
        ("/recover/new", "recover-new"),
        ("/recover/lost", "recover-lost"),
        ("/ended", "ended"),
        ("/forbidden", "forbidden"),
        ("/nowhere", "not-found"),
        ("/demo/outbox", "outbox"),
        ("/demo/kit", "kit"),
    ],
)
def test_open_page_is_russian_fits_and_is_accessible(path: str, name: str, visit: Visit):
    page = visit(path)
    page.locator("h1").first.wait_for()
    look(page, name)


def test_failure_would_tell_what_the_page_did_and_not_what_was_typed(visit: Visit):
    page = visit()
    watched = Watched(page)
    page.goto("/login")
    field = page.get_by_label(LOGIN)
    field.fill("somebody@example.ru")
    page.evaluate(CONNECTED)
    page.get_by_role("link", name="Зарегистрироваться").click()
    page.wait_for_url("/register")
    page.locator("h1").first.wait_for()
    # What follows a loss of the connection: the page closes its socket and connects anew.
    with page.expect_websocket():
        page.evaluate("window.dispatchEvent(new Event('emk-connect'))")
    page.evaluate(CONNECTED)
    with page.expect_console_message(lambda said: said.text == "away"):
        page.evaluate("console.warn('away')")
    told = watched.tell()
    for part in (
        "at http",
        "/login",
        "/register",
        "socket opens",
        "socket closed",
        "sends ",
        "away",
    ):
        assert part in told
    assert "somebody" not in told
    assert len(told.splitlines()) <= 40
