"""Passkeys in a browser that has a key of its own, made of software."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.people import give_password
from tests.e2e.screens import look
from tests.running import HOLDER, Server


class Key:
    """What the browser has for a finger: ``agrees`` says whether it is the right one."""

    def __init__(self, page: Page) -> None:
        self._protocol = page.context.new_cdp_session(page)
        self._protocol.send("WebAuthn.enable")
        made = self._protocol.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        self._named: dict[str, Any] = {"authenticatorId": made["authenticatorId"]}

    def agrees(self, *, is_right: bool) -> None:
        self._protocol.send("WebAuthn.setUserVerified", self._named | {"isUserVerified": is_right})


def test_key_is_added_confirms_an_act_and_opens_the_door(server: Server, visit: Visit):
    server.forget_tries()
    page = visit("/cabinet/security", person=HOLDER)
    key = Key(page)
    page.get_by_label("Название нового ключа").fill("Телефон на кухне")
    page.get_by_role("button", name="Добавить ключ").click()
    page.get_by_role("button", name="Создать ключ").click()
    expect(page.get_by_role("row", name="Телефон на кухне")).to_be_visible()
    look(page, "security-passkey")

    server.move_clock(timedelta(minutes=6))
    page.reload()
    codes = page.locator("form", has=page.get_by_role("button", name="Создать новые коды"))
    codes.get_by_role("button", name="Подтвердить ключом доступа").click()
    expect(page.locator("#recovery-codes code")).to_have_count(10)
    server.keep_private(*page.locator("#recovery-codes code").all_inner_texts())

    page.get_by_role("button", name="Выйти").click()
    page.goto("/login")
    give_password(page, HOLDER.login)
    enter = page.get_by_role("button", name="Войти ключом доступа")
    enter.wait_for()
    look(page, "login-passkey")
    key.agrees(is_right=False)
    enter.click()
    page.get_by_text("Ключ не подтверждён").wait_for()
    page.get_by_text("Другой способ", exact=True).click()
    look(page, "login-other-ways")
    key.agrees(is_right=True)
    enter.click()
    expect(page).to_have_url(re.compile("/cabinet$"))
