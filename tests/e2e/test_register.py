"""The register of clinics in a browser: brought by the administrator, searched by the holder."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.applying import RIGHT, clinic_of, field, fill_details
from tests.e2e.conftest import Visit
from tests.e2e.screens import look
from tests.running import ADMIN, HOLDER, Server
from tests.services.test_importing import OID, rows, table


def test_administrator_brings_a_register_and_sees_first_what_it_would_change(
    server: Server, visit: Visit
):
    page = visit("/admin/clinics", person=ADMIN)
    page.get_by_text("Загрузок ещё не было").wait_for()
    look(page, "register")
    wrong = [rows(number)[0].replace("7707083893", "7707083894") for number in range(10, 40)]
    chooser = page.locator("input[type=file]")
    content = table([*rows(1, 2), *wrong]).encode("cp1251")
    chooser.set_input_files({"name": "реестр.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_text("Не все строки подходят").wait_for()
    for label, number in (("Добавится", "2"), ("Будет исключено", "0"), ("Строк с ошибками", "30")):
        expect(page.locator("dl.e-stat").filter(has_text=label)).to_contain_text(number)
    page.get_by_text("Показаны первые. Ещё строк с ошибками: 10.").wait_for()
    look(page, "register-checked")
    with page.expect_download() as download:
        page.get_by_role("link", name="Скачать весь отчёт").click()
    report = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(report) == 31
    assert report[-1].startswith(f"33;{OID.format(39)};inn;")
    assert server.rows("SELECT count(*) FROM clinics WHERE oid LIKE ?", OID.format("_")) == [(0,)]

    page.get_by_role("button", name="Загрузить в реестр").click()
    page.get_by_role("dialog").get_by_role("button", name="Загрузить", exact=True).click()
    page.get_by_role("row").filter(has_text="добавлено 2").wait_for()
    expect(chooser).to_be_attached()
    page.get_by_label("Название, код ОКПО или OID").fill(OID.format(2))
    expect(page.get_by_role("row").filter(has_text="1.2.643")).to_have_count(1)
    look(page, "register-done")


def test_clinic_is_chosen_by_keys_and_the_search_is_there_on_the_way_back(
    server: Server, visit: Visit
):
    RIGHT.keep_private(server)
    page = visit("/cabinet/apply/details", person=HOLDER)
    field(page, "Фамилия").wait_for()
    fill_details(page)
    page.goto("/cabinet/apply/clinic")
    search = page.get_by_label("Название или код ОКПО")
    search.wait_for()
    name, okpo = clinic_of(server, 1)
    search.press_sequentially(okpo[:6])
    choices = page.get_by_role("button", name=re.compile("^Выбрать "))
    expect(page.get_by_role("button", name=f"Выбрать {name}")).to_be_visible()
    expect(choices.first).to_be_visible()
    found = page.get_by_text(re.compile("^Наш")).inner_text()
    page.keyboard.press("ArrowDown")
    expect(choices.first).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_text("Вы выбрали").wait_for()
    page.get_by_role("button", name="Далее: проверка").first.click()
    page.wait_for_url(re.compile("/apply/(review|details|papers)"))
    page.go_back()
    page.wait_for_url("**/apply/clinic")
    expect(search).to_have_value(okpo[:6])
    expect(page.get_by_text(found)).to_be_visible()
    page.get_by_text("Вы выбрали").wait_for()
