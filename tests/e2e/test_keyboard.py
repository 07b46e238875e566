"""The holder's whole part without a pointer: Tab, Enter, Space, arrows, and what is typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from emk_app.domain.documents import ScanKind
from tests.e2e.applying import RIGHT, clinic_of, field, file_field, paper
from tests.e2e.conftest import Visit
from tests.e2e.keys import choose, pick, press, send_file, tab_to, write
from tests.e2e.people import LOGIN, code_sent_to, read_secret
from tests.e2e.screens import shown
from tests.running import PASSWORD, Server

PHONE = "+79165550177"


@pytest.mark.slow
def test_holder_needs_no_pointer(server: Server, visit: Visit, tmp_path: Path):
    RIGHT.keep_private(server)
    server.keep_private(PHONE)
    page = visit("/")

    # The first Tab offers to skip what every page begins with.
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Перейти к содержанию")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    press(page, page.get_by_role("link", name="Оформить книжку").first)
    page.wait_for_url("**/register")

    write(page, page.get_by_label(LOGIN), PHONE)
    write(page, page.get_by_label("Пароль", exact=True), PASSWORD)
    write(page, page.get_by_label("Пароль ещё раз", exact=True), PASSWORD)
    page.keyboard.press("Enter")
    code = page.get_by_label("Код из сообщения")
    code.wait_for()
    write(page, code, code_sent_to(server, PHONE))
    page.keyboard.press("Enter")
    page.wait_for_url("**/login")
    secret = read_secret(page)
    server.keep_private(secret)
    write(page, page.get_by_label("Код из приложения"), server.code_for(secret))
    page.keyboard.press("Enter")
    page.wait_for_url("**/cabinet")

    press(page, page.get_by_role("link", name="Оформить книжку").first)
    page.wait_for_url("**/apply/details")
    for label, text in RIGHT.texts.items():
        write(page, field(page, label), text)
        if label == "Дата рождения":
            pick(page, page.get_by_role("radio", name=RIGHT.sex))
    choose(page, field(page, "Профессия"), RIGHT.occupation)
    pick(page, page.get_by_role("radio", name=RIGHT.kind))
    press(page, page.get_by_role("button", name="Далее: документы"))

    page.wait_for_url("**/apply/papers")
    # The step is drawn once it is loaded; a key pressed before belongs to what is gone.
    page.wait_for_load_state("networkidle")
    for label, kind in (("Паспорт", ScanKind.PASSPORT), ("Полис ОМС", ScanKind.POLICY)):
        control = file_field(page, label).locator("input[type=file]:not([capture])")
        send_file(page, control, paper(tmp_path, kind))
        file_field(page, label).get_by_role("button", name="Посмотреть").wait_for()
    press(page, page.get_by_role("button", name="Далее: медорганизация"))

    page.wait_for_url("**/apply/clinic")
    name, okpo = clinic_of(server, 1)
    write(page, page.get_by_label("Название или код ОКПО"), okpo)
    press(page, page.get_by_role("button", name=f"Выбрать {name}"))
    page.get_by_text("Вы выбрали").wait_for()
    press(page, page.get_by_role("button", name="Далее: проверка"))

    page.wait_for_url("**/apply/review")
    pick(page, page.get_by_role("checkbox", name=re.compile("согласен")))
    press(page, page.get_by_role("button", name="Отправить заявку"))
    page.get_by_text("Заявка отправлена").first.wait_for()
    press(page, page.get_by_role("link", name="Следить за заявкой"))
    page.get_by_text("Получено").first.wait_for()

    # A window opens on its own question, Esc leaves it, the focus goes back to where it was.
    withdraw = page.get_by_role("button", name="Отозвать заявку").first
    press(page, withdraw)
    dialog = page.get_by_role("dialog").filter(has_text="Отозвать заявку?")
    dialog.wait_for()
    assert dialog.evaluate("node => node.contains(document.activeElement)")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    expect(withdraw).to_be_focused()

    # The rest of the way belongs to others; the book is there in the end.
    holder = server.rows("SELECT max(id) FROM users")[0][0]
    book = (
        "from emk_app import clock\n"
        "from emk_app.domain.actors import Actor, Role\n"
        "from tests import factories\n"
        f"factories.make_book(Actor({holder}, Role.HOLDER), clock.now(), received=False)\n"
    )
    server.python(book)
    page.goto("/cabinet/book")
    press(page, page.get_by_role("button", name="Подтвердить получение"))
    page.get_by_text("Получение подтверждено").wait_for()
    press(page, page.get_by_role("button", name="Сгенерировать ссылку"))
    dialog = page.get_by_role("dialog").filter(has_text="Новая ссылка")
    dialog.wait_for()
    write(page, dialog.get_by_label(re.compile("^Для кого")), "Пекарня")
    press(page, dialog.get_by_role("button", name="Сделать ссылку"))
    page.get_by_role("heading", name="Пекарня").wait_for()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, page.get_by_role("button", name="Скопировать ссылку"))
    page.get_by_text("Ссылка скопирована").first.wait_for()
    url = page.evaluate("navigator.clipboard.readText()")
    assert url.startswith(f"{server.origin}/v/")
    press(page, page.get_by_role("button", name="Закрыть доступ"))
    dialog = page.get_by_role("dialog").filter(has_text="Закрыть доступ по ссылке?")
    press(page, dialog.get_by_role("button", name="Закрыть доступ"))
    page.get_by_text("Доступ по ссылке закрыт").wait_for()
    tab_to(page, page.get_by_role("button", name="Выйти"))
    leave = lambda: page.keyboard.press("Enter")  # noqa: E731
    shown("left by the keyboard", leave, page.get_by_role("heading", name="Вход"))
