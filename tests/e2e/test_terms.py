"""A book is renewed in two clicks, says a new name, and stops under its holder's eyes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from playwright.sync_api import Page, expect
from pyhanko.pdf_utils.reader import PdfFileReader

from tests.e2e.conftest import Visit
from tests.files import good
from tests.running import HOLDER, OPERATOR, OTHER_OPERATOR, Server


def assert_prints_one_clean_sheet(page: Page) -> None:
    sheet = page.locator(".e-sheet > div")
    expect(page.get_by_role("heading", name="Версии книжки")).to_be_visible()
    expect(sheet).to_be_hidden()
    page.emulate_media(media="print")
    expect(sheet.get_by_text("Отпечаток", exact=True)).to_be_visible()
    expect(sheet.get_by_text("Врач-терапевт")).to_be_visible()
    expect(sheet.get_by_text("сведения на")).to_be_visible()
    for gone in ("Версии книжки", "Показать работодателю"):
        expect(page.get_by_role("heading", name=gone)).to_be_hidden()
    expect(page.get_by_role("navigation")).to_have_count(0)
    made = page.pdf(
        format="A4", margin={"top": "12mm", "right": "12mm", "bottom": "12mm", "left": "12mm"}
    )
    assert PdfFileReader(BytesIO(made)).root["/Pages"]["/Count"] == 1
    page.emulate_media(media="screen")


def test_term_name_and_suspension(server: Server, visit: Visit, tmp_path: Path):
    told = server.python(
        "from emk_app import clock\n"
        "from emk_app.db.engine import reading\n"
        "from emk_app.db.repositories import books\n"
        "from emk_app.domain.actors import Actor, Role\n"
        "from tests import factories\n"
        f"holder = Actor({server.id_of(HOLDER)}, Role.HOLDER)\n"
        "book_id = factories.make_ending_book(holder, clock.now(), 10)\n"
        "with reading() as db:\n"
        "    print(books.get(db, book_id).number)\n"
    )
    number = told.split()[-1]
    server.settle()
    holder = visit("/cabinet/book", person=HOLDER)
    assert_prints_one_clean_sheet(holder)
    holder.get_by_role("button", name="Продлить срок действия").click()
    holder.get_by_role("button", name="Продлить", exact=True).click()
    expect(holder.get_by_text("Продлить можно будет с")).to_be_visible()
    holder.get_by_role("button", name="Сравнить").click()
    expect(holder.get_by_text("Что изменилось с версии 2 до версии 3")).to_be_visible()

    holder.goto("/cabinet/book/changes")
    holder.get_by_label("Фамилия", exact=True).fill("Петрова")
    holder.get_by_label("Какой документ подтверждает изменение").select_option("marriage")
    paper = tmp_path / "paper.jpg"
    paper.write_bytes(good.jpeg())
    holder.locator("input[name=paper]").set_input_files(paper)
    holder.get_by_role("button", name="Отправить на проверку").click()
    expect(holder.get_by_text("Оператор сверит")).to_be_visible()
    operator = visit("/changes", person=OPERATOR)
    operator.get_by_role("table").get_by_role("link").click()
    operator.get_by_role("button", name="Изменить данные").click()
    operator.get_by_role("dialog").get_by_role("button", name="Изменить данные").click()
    expect(holder.get_by_text("Книжка говорит это с версии 4")).to_be_visible()

    holder.goto("/cabinet/book")
    operator.goto(f"/books/{number}")
    operator.get_by_role("button", name="Приостановить").click()
    operator.get_by_role("dialog").get_by_label("Причина").select_option("disavowed")
    operator.get_by_role("dialog").get_by_role("button", name="Приостановить").click()
    expect(operator.get_by_text("Приостановлена, нужно подтверждение")).to_be_visible()
    expect(holder.get_by_text("Приостановлена").first).to_be_visible()
    colleague = visit(f"/books/{number}", person=OTHER_OPERATOR)
    colleague.get_by_role("button", name="Снять приостановку").click()
    colleague.get_by_role("dialog").get_by_role("button", name="Снять приостановку").click()
    expect(holder.get_by_text("Снова действует").first).to_be_visible()
