"""Signing in by way of a provider of identities that speaks the protocol, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import provider as local
from tests.e2e.conftest import Visit
from tests.e2e.people import give_code
from tests.e2e.screens import look
from tests.factories import SECRET
from tests.provider import Provider
from tests.running import Server

LOGIN, SNILS = "+79165550199", "112-233-445 95"
BUTTON = "Войти через «ЕСИА»"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with local.serving() as served:
        served.is_asking = True
        served.claims = {"sub": "subject-of-anna", "snils": SNILS, "trusted": True}
        yield served


@pytest.fixture(scope="module")
def server(
    prepared: Path, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Start a server that knows the provider; its log must be clean."""
    folder = tmp_path_factory.mktemp("server")
    secret = folder / "secret"
    secret.write_text(local.SECRET)
    started = Server(folder, prepared)
    started.more |= {
        "EMK_OIDC_ISSUER": provider.issuer,
        "EMK_OIDC_CLIENT": local.CLIENT,
        "EMK_OIDC_SECRET_FILE": str(secret),
    }
    started.keep_private(LOGIN, SNILS, local.SECRET, "subject-of-anna")
    started.start()
    provider.now = lambda: started.now().timestamp()
    yield started
    started.check_alive()
    started.close()
    started.check_log()


@pytest.fixture(autouse=True)
def open_doors(server: Server, provider: Provider) -> None:
    server.forget_tries()
    provider.is_away = False


def arrive(page: Page, way: str) -> None:
    """Go to the provider by the button and say there what is wanted."""
    page.get_by_role("link", name=BUTTON).click()
    page.get_by_role("link", name=way).click()
    page.wait_for_url("**/login*")


def test_provider_that_is_away_leaves_the_password(visit: Visit, provider: Provider):
    # Before anything of it is known, and when it goes while the person is on its page.
    provider.is_away = True
    page = visit("/login")
    page.get_by_role("link", name=BUTTON).click()
    page.wait_for_url("**/login?provider=unavailable")
    away = page.get_by_text("«ЕСИА» сейчас не отвечает. Войдите по паролю")
    away.wait_for()
    look(page, "login-provider-away")
    provider.is_away = False
    page.get_by_role("link", name=BUTTON).click()
    provider.is_away = True
    page.get_by_role("link", name="Разрешить").click()
    page.wait_for_url("**/login?provider=unavailable")
    away.wait_for()
    expect(page.get_by_label("Пароль", exact=True)).to_be_visible()


def test_person_who_refuses_is_told_and_may_try_again(visit: Visit):
    page = visit("/login")
    arrive(page, "Отказаться")
    page.get_by_text("Вход через «ЕСИА» отменён.").wait_for()
    look(page, "login-provider-refused")
    arrive(page, "Разрешить")
    page.get_by_text("Учётной записи с вашим СНИЛС пока нет.").wait_for()
    look(page, "login-provider-unknown")


def test_known_person_gives_the_second_factor_and_is_in(server: Server, visit: Visit):
    server.ask("tests.provider:known", LOGIN)
    page = visit("/login")
    arrive(page, "Разрешить")
    page.get_by_label("Код", exact=False).first.wait_for()
    look(page, "login-provider-code")
    # Whoever holds the identity alone is not in.
    inside = page.context.new_page()
    inside.goto("/cabinet")
    inside.wait_for_url("**/login*")
    inside.close()
    give_code(page, server.code_for(SECRET))
    expect(page).to_have_url(re.compile("/cabinet$"))
    page.goto("/cabinet/security")
    page.get_by_text("Вход через «ЕСИА» привязан").wait_for()
    look(page, "security-provider")


def test_answer_does_not_serve_twice_nor_another_browser(visit: Visit):
    page = visit("/login")
    page.get_by_role("link", name=BUTTON).click()
    address = page.get_by_role("link", name="Отказаться").get_attribute("href") or ""
    here = page.url.partition("/authorize")[0] + address
    other = visit("/login")
    other.goto(here)
    other.get_by_text("Ответ «ЕСИА» устарел или пришёл в другой браузер.").wait_for()
    page.goto(here)
    page.get_by_text("Вход через «ЕСИА» отменён.").wait_for()
    page.goto(here)
    page.get_by_text("Ответ «ЕСИА» устарел").wait_for()
