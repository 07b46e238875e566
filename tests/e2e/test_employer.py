"""The story of a personnel officer with 500 people: from the table to the printed list."""

from __future__ import annotations

import csv
import io
import re

import pypdfium2
from playwright.sync_api import expect

from emk_app.domain.books import BookNumber
from tests.e2e.conftest import Visit
from tests.e2e.people import register_employer
from tests.e2e.screens import SCREENSHOTS, check_axe, look
from tests.running import Server

STAFF = 500


def table(server: Server) -> str:
    """Return a table of all the staff, with a line that can't be read and one that is unknown."""
    year = server.now().year % 100
    lines = ["ФИО;№ книжки;СНИЛС;Таб. №;Отдел;Должность"]
    for serial in range(1, STAFF + 1):
        number, department = BookNumber(77, 1, serial, year).shown, ("Кухня", "Зал")[serial % 2]
        lines.append(f"Сотрудник {serial};{number};112-233-445 95;{serial};{department};повар")
    lines.append("Без номера;1;2;;;")
    lines.append(f"Неизвестная;{BookNumber(77, 1, 99_999, year).shown};112-233-445 95;;;")
    return "\r\n".join(lines)


def test_personnel_officer_brings_500_people_and_prints_the_list(server: Server, visit: Visit):
    server.ask("benchmarks.shelf:fill", STAFF)
    page = visit(width=1280)
    register_employer(page, server, "kadry@example.ru")
    page.get_by_label("Название организации").fill("Комбинат питания")
    page.get_by_label("ИНН", exact=True).fill("7707083893")
    page.get_by_label("ОГРН или ОГРНИП").fill("1027700132195")
    page.get_by_label("Электронная почта отдела кадров").fill("kadry@example.ru")
    page.get_by_role("button", name="Завести кабинет").click()
    page.get_by_text("В списке пока никого").wait_for()

    page.get_by_role("link", name="Доступ к кабинету").first.click()
    page.get_by_text("это вы").wait_for()
    look(page, "employer-members")
    page.get_by_role("link", name="Загрузить список").first.click()
    content = table(server).encode("cp1251")
    page.locator("input[type=file]").set_input_files(
        {"name": "Штат.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_text("Эти строки не подошли").wait_for()
    expect(page.locator("dl.e-stat").filter(has_text="Можно проверить")).to_contain_text("501")
    expect(page.get_by_role("row").filter(has_text="Без номера")).to_contain_text("502")
    look(page, "employer-upload")
    page.get_by_role("button", name="Проверить и добавить").click()
    page.get_by_role("dialog").get_by_role("button", name="Проверить и добавить").click()
    page.get_by_role("progressbar", name="Проверка книжек").wait_for()
    page.get_by_text("Проверка закончена.").wait_for(timeout=90_000)
    added = page.locator("dl.e-stat").filter(has_text=re.compile("^Добавлено"))
    expect(added).to_contain_text(str(STAFF))
    with page.expect_download() as download:
        page.get_by_role("link", name="Скачать итог CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    result = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert len(result) == STAFF + 3
    assert [line[7] for line in result].count("Действует") == STAFF
    look(page, "employer-uploaded")

    page.get_by_role("link", name="Открыть список сотрудников").click()
    page.get_by_role("combobox", name="Подразделение").select_option("Кухня")
    page.get_by_text("Найдено 250 сотрудников.").wait_for()
    look(page, "employer-list")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Печать").click()
    sheet = opened.value
    expect(sheet.locator("tbody tr")).to_have_count(STAFF // 2)
    expect(sheet.get_by_text("подразделение «Кухня»")).to_be_visible()
    sheet.emulate_media(media="print")
    expect(sheet.get_by_role("button", name="Печать")).to_be_hidden()
    check_axe(sheet, "employer-print")
    sheet.screenshot(path=SCREENSHOTS / "employer-print.png")
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    made = pypdfium2.PdfDocument(download.value.path())
    words = "".join(each.get_textpage().get_text_bounded() for each in made)
    assert "Сотрудник 500" in words
    assert "Сотрудник 499" not in words
