"""Every screen, looked at wide and narrow, light and dark."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Visit
from tests.e2e.screens import look


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
