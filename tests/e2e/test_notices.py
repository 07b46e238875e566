"""What the holder is told, on the screen and elsewhere as wished; and the end of consent."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e import desks
from tests.e2e.conftest import Visit
from tests.e2e.screens import look, shown
from tests.e2e.test_desks import received, slug
from tests.running import HOLDER, OPERATOR, Server


def test_holder_is_told_as_wished_and_takes_the_consent_back(server: Server, visit: Visit):
    number = received(server)
    holder = visit("/cabinet/notices/settings", person=HOLDER)
    wish = holder.get_by_role("row").filter(has_text="Заявка").get_by_role("checkbox").first
    expect(wish).to_be_checked()
    # The server decides what is shown.
    wish.click()
    expect(wish).not_to_be_checked()
    server.until("SELECT 1 FROM notice_choices")
    look(holder, "notices-settings")
    holder.goto("/cabinet/notices")
    holder.get_by_text(number).first.wait_for()
    holder.get_by_role("button", name="Отметить все прочитанными").click()
    expect(holder.locator("[data-unread=true]")).to_have_count(0)

    operator = visit(f"/review/{slug(number)}", person=OPERATOR)
    desks.take(operator)
    # Not what has left: at night a message waits for the morning.
    letters = "SELECT count(*) FROM outbox WHERE user_id = ?"
    before = server.rows(letters, server.id_of(HOLDER))
    news = holder.locator("[data-unread=true]").first
    shown("question on the list of notices", lambda: _ask(operator), news)
    expect(news).to_contain_text(number)
    look(holder, "notices")
    assert server.rows(letters, server.id_of(HOLDER)) == before, "what was switched off is sent"

    news.get_by_role("link").click()
    holder.get_by_role("heading", name=number).first.wait_for()
    holder.goto("/cabinet/applications")
    holder.get_by_role("link", name=number).wait_for()
    look(holder, "applications")

    holder.goto("/cabinet/consent")
    holder.get_by_role("button", name="Отозвать согласие").first.click()
    dialog = holder.get_by_role("dialog").filter(has_text="Отозвать согласие?")
    expect(dialog).to_contain_text("заявк")
    look(holder, "consent-withdrawal")
    dialog.get_by_role("button", name="Отозвать согласие").click()
    holder.get_by_text(re.compile("отозвано", re.I)).first.wait_for()
    server.until(
        "SELECT 1 FROM applications WHERE tracking_number = ? AND status = 'withdrawn'",
        slug(number),
    )
    operator.reload()
    expect(operator.get_by_role("button", name="Одобрить документы")).to_have_count(0)


def _ask(operator: Page) -> None:
    desks.ask(operator, "Дата рождения", "Проверьте дату рождения.")
