"""A holder and a physician, two browsers: the code, the reading, and the end of it, live."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.screens import look, shown
from tests.running import HOLDER, PHYSICIAN, Server


def test_record_is_opened_by_a_code_and_closed_under_the_physicians_eyes(
    server: Server, visit: Visit
):
    server.python(
        "from emk_app import clock\n"
        "from emk_app.domain.actors import Actor, Role\n"
        "from tests import factories\n"
        f"factories.make_book(Actor({server.id_of(HOLDER)}, Role.HOLDER), clock.now())\n"
    )
    server.keep_private("Иванова", "Ильинка", "112-233-445 95")
    holder = visit("/cabinet/book/access", person=HOLDER)
    holder.get_by_role("heading", name="Показать врачу").wait_for()
    look(holder, "records-empty")
    holder.get_by_role("button", name="Получить код").click()
    code = holder.get_by_text(re.compile(r"^\d{4} \d{4}$"))
    code.wait_for()
    look(holder, "records-code")
    said = code.inner_text()
    server.keep_private(said.replace(" ", ""))

    physician = visit("/clinic/records", person=PHYSICIAN)
    physician.get_by_label("Код владельца").fill("0000 0000")
    physician.get_by_role("button", name="Найти книжку").click()
    physician.get_by_text(re.compile("Код не подошёл")).wait_for()
    look(physician, "records-wrong-code")
    physician.get_by_label("Код владельца").fill(said)
    physician.get_by_role("button", name="Найти книжку").click()
    physician.get_by_text("Иванова Мария Сергеевна").wait_for()
    look(physician, "records-whose")
    expect(holder.get_by_text("врач сверяет имя").first).to_be_visible()
    physician.get_by_role("button", name="Имя совпало, открыть книжку").click()
    physician.get_by_text("Номер книжки").wait_for()
    physician.get_by_role("button", name="Исследования").click()
    physician.get_by_role("table", name="Исследования владельца").wait_for()
    look(physician, "records-studies")

    holder.get_by_text(re.compile("^Исследования, ")).first.wait_for()
    look(holder, "records-read")
    ended = physician.get_by_text("Доступ закончился")
    shown(
        "the record closed by its holder",
        lambda: holder.get_by_role("button", name="Закрыть доступ сейчас").click(),
        ended,
    )
    expect(physician.get_by_role("table")).to_have_count(0)
    expect(physician.get_by_text("Иванова")).to_have_count(0)
    look(physician, "records-ended")
