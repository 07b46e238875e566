"""One book, from registration to a look at the gate and the end of its term: nothing is faked."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from emk_app import clock
from emk_app.presenting.formats import day
from tests.e2e import desks
from tests.e2e.applying import (
    MISTAKEN,
    RIGHT,
    choose_clinic,
    field,
    fill_details,
    hand_in,
    next_step,
    problem_of,
    show_papers,
    tick,
)
from tests.e2e.conftest import Visit
from tests.e2e.people import decode, register
from tests.e2e.screens import look, shown
from tests.running import CHAIR, OPERATOR, Server

PHONE = "+79165550199"
SURNAME = RIGHT.last


def remember(page: Page) -> None:
    """Leave a mark that a reload would wipe out."""
    page.evaluate("window.emkSamePage = true")


def is_same(page: Page) -> None:
    """Fail if the page was loaded anew since ``remember``."""
    assert page.evaluate("window.emkSamePage === true"), "the page was reloaded"


def has_pictures(page: Page) -> None:
    """Wait until the scans on the page can be seen."""
    for picture in page.get_by_role("img", name=re.compile("^Скан")).all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("node => node.naturalWidth") > 300


@pytest.mark.slow
def test_one_book_from_registration_to_the_end_of_its_term(
    server: Server, visit: Visit, tmp_path: Path
):
    MISTAKEN.keep_private(server)
    RIGHT.keep_private(server)
    operator = visit("/review", person=OPERATOR)
    operator.get_by_text("Очередь пуста").wait_for()
    look(operator, "review-empty")
    chair = visit("/clinic", person=CHAIR)
    chair.get_by_text("Пока никто не записан").wait_for()
    look(chair, "clinic-empty")

    # The holder registers, makes mistakes, is told, and is interrupted.
    holder = visit(width=390)
    register(holder, server, PHONE)
    holder.get_by_role("link", name="Оформить книжку").first.click()
    holder.wait_for_url("**/apply/details")
    field(holder, "Фамилия").wait_for()
    fill_details(holder, MISTAKEN)
    next_step(holder, "документы")
    holder.get_by_text("Проверьте, что заполнено").wait_for()
    assert problem_of(holder, "СНИЛС")
    fill_details(holder, RIGHT)
    next_step(holder, "документы")
    holder.wait_for_url("**/apply/papers")
    show_papers(holder, tmp_path)
    state = holder.context.storage_state()
    holder.context.close()
    server.kill()
    server.start()

    holder = visit("/cabinet", state=state, width=390)
    holder.get_by_role("link", name="Продолжить").click()
    holder.wait_for_url("**/apply/papers")
    next_step(holder, "медорганизация")
    holder.wait_for_url("**/apply/clinic")
    choose_clinic(holder, server)
    next_step(holder, "проверка")
    holder.wait_for_url("**/apply/review")
    tick(holder.get_by_role("checkbox", name=re.compile("согласен")))

    # Both desks have been open all the while, through the restart of the server too.
    operator.get_by_text("Очередь пуста").wait_for()
    remember(operator)
    remember(chair)
    number = hand_in(holder)
    operator.get_by_role("link", name=number).wait_for()
    chair.get_by_text(number).first.wait_for()
    is_same(operator)
    is_same(chair)
    look(operator, "review-queue")
    look(chair, "clinic-day")

    holder.goto("/cabinet")
    holder.get_by_text("Получено").first.wait_for()
    look(holder, "cabinet-received")
    remember(holder)

    # The operator looks at the papers, asks; the holder corrects under the same number.
    desks.open_in_queue(operator, number)
    has_pictures(operator)
    look(operator, "review-case")
    shown("taken", lambda: desks.take(operator), holder.get_by_text("проверяет оператор"))
    look(operator, "review-taken")
    question = "В полисе другая улица. Проверьте адрес."
    shown(
        "asked",
        lambda: desks.ask(operator, "Адрес регистрации", question),
        holder.get_by_text("Требуется уточнение").first,
        holder.get_by_text(question).first,
    )
    # What is asked leaves the desk; the operator comes back to see the answer come in.
    desks.to_queue(operator)
    operator.get_by_role("button", name=re.compile("Ждут владельца")).click()
    desks.open_in_queue(operator, number)
    look(operator, "review-asked")
    look(holder, "cabinet-asked")
    is_same(holder)
    holder.get_by_role("link", name="Исправить").click()
    address = field(holder, "Адрес регистрации")
    address.wait_for()
    look(holder, "case-asked")
    address.fill("г. Москва, ул. Варварка, д. 6, кв. 1")
    server.keep_private("Варварка")
    send = holder.get_by_role("button", name="Отправить исправления")
    shown("corrected", send.click, operator.get_by_text("Исправления отправлены").first)
    expect(holder.get_by_role("heading", name=re.compile(number))).to_be_visible()
    holder.goto("/cabinet")
    holder.get_by_text("На проверке").first.wait_for()
    remember(holder)
    desks.take(operator)
    operator.get_by_text("Варварка").first.wait_for()
    shown("approved", lambda: desks.approve(operator), holder.get_by_text("проверены").first)
    look(operator, "review-approved")

    # The clinic receives, enters everything from the keyboard, concludes, signs.
    shown(
        "case opened",
        lambda: desks.open_case(chair, SURNAME),
        holder.get_by_text("идёт", exact=True).first,
    )
    look(chair, "clinic-identity")
    desks.confirm_identity(chair)
    total = desks.studies(RIGHT, clock.day_of(server.now()))
    look(chair, "clinic-entries-empty")
    desks.enter_results(chair, total, day(clock.day_of(server.now())))
    look(chair, "clinic-entries-full")
    desks.conclude(chair)
    look(chair, "clinic-conclusion")
    shown("signed", lambda: desks.sign(chair), holder.get_by_text("Одобрено").first)
    chair.get_by_text("Заключение подписано").first.wait_for()
    look(chair, "clinic-signed")
    is_same(holder)
    look(holder, "cabinet-approved")

    # The holder receives the book and shows it.
    holder.get_by_role("link", name="Получить книжку").click()
    holder.wait_for_url("**/cabinet/book")
    holder.get_by_role("button", name="Подтвердить получение").wait_for()
    look(holder, "book-formed")
    holder.get_by_role("button", name="Подтвердить получение").click()
    holder.get_by_text("Получение подтверждено").wait_for()
    holder.get_by_role("button", name="Проверить подпись").click()
    holder.get_by_text("Отпечаток целиком", exact=True).wait_for()
    look(holder, "book-received")
    holder.get_by_label("Слово, врач, вакцина, серия или дата").fill("терапевту")
    holder.get_by_role("button", name="Найти", exact=True).click()
    expect(holder.locator("mark", has_text="терапевт").first).to_be_visible()
    look(holder, "book-found")
    saved = saved_file(holder, "Скачать запись")
    assert json.loads(saved.read_bytes())["format"] == "emk-download/1"
    trust_list = tmp_path / "keys.json"
    trust_list.write_bytes(httpx.get(f"{server.origin}/.well-known/emk/keys.json").content)
    told = server.command("verify", str(saved), "--trust-list", str(trust_list))
    assert told.startswith("Подлинно")
    bundle = json.loads(saved_file(holder, "Скачать для систем").read_bytes())
    assert bundle["entry"][0]["resource"]["resourceType"] == "Composition"
    url = make_link(holder, "Кафе на Мира")
    look(holder, "book-link")
    remember(holder)
    with holder.expect_download() as download:
        holder.get_by_role("link", name="Скачать QR‑код").first.click()
    assert download.value.suggested_filename == "emk-qr.png"
    picture = holder.get_by_role("img", name=re.compile("QR-код книжки")).first
    scanned = decode(picture)
    assert scanned.startswith(f"{url}#")

    # The employer has a phone without scripts and no account.
    gate = visit(width=390, javascript=False)
    counted = holder.locator("dd").filter(has_text=re.compile("^1.просмотр$"))
    shown("looked at", lambda: gate.goto(url), counted)
    is_same(holder)
    expect(gate.get_by_text("Действует", exact=True)).to_be_visible()
    verdict = gate.locator("main").inner_text()
    assert f"{RIGHT.last} {RIGHT.first[0]}" in verdict
    for private in (RIGHT.snils, RIGHT.policy, RIGHT.birth, RIGHT.address, RIGHT.patronymic):
        assert private not in verdict
    gate.screenshot(path="screenshots/verdict-valid-390.png", full_page=True)
    live = visit(scanned, width=390)
    live.get_by_text("Действует", exact=True).wait_for()
    expect(live.get_by_text("Подпись QR-кода проверена в этом браузере")).to_be_visible()
    look(live, "verdict-valid")

    # The extract on paper goes out, and comes back to be checked.
    with holder.expect_download() as download:
        holder.get_by_role("button", name="Скачать выписку PDF").click()
    assert download.value.suggested_filename.endswith(".pdf")
    extract = tmp_path / "extract.pdf"
    download.value.save_as(extract)
    assert extract.read_bytes().startswith(b"%PDF-")
    holder.get_by_role("heading", name="Выписка на бумаге").wait_for()
    look(holder, "book-extract")
    gate.goto("/check")
    gate.get_by_label("Выписка в формате PDF").set_input_files(extract)
    gate.get_by_role("button", name="Проверить файл").click()
    gate.get_by_text("Файл наш и цел").wait_for()
    expect(gate.get_by_role("heading", name="Действует")).to_be_visible()

    # The holder closes the link; another one outlives the book.
    lasting = make_link(holder, "Столовая")
    card = holder.locator("article, section, div.e-card").filter(has_text="Кафе на Мира").last
    card.get_by_role("button", name="Закрыть доступ").click()
    dialog = holder.get_by_role("dialog").filter(has_text="Закрыть доступ по ссылке?")
    look(holder, "book-close-link")
    dialog.get_by_role("button", name="Закрыть доступ").click()
    holder.get_by_text("Доступ по ссылке закрыт").wait_for()
    # The page that is open at the gate turns by itself.
    expect(live.get_by_role("heading", name="Ссылка закрыта")).to_be_visible()
    expect(live.get_by_text("Состояние изменилось")).to_be_visible()
    expect(live.get_by_text(RIGHT.last)).to_have_count(0)
    gate.goto(url)
    expect(gate.get_by_text("Ссылка закрыта").first).to_be_visible()
    expect(gate.get_by_text(RIGHT.last)).to_have_count(0)
    live.goto(url)
    look(live, "verdict-closed")
    holder.goto("/cabinet/book/access")
    holder.get_by_text("Кто смотрел").first.wait_for()
    holder.get_by_text("Кафе на Мира").first.wait_for()
    look(holder, "book-access")

    # Time passes: first the link's, then the studies', then the book's own.
    gate.goto(lasting)
    expect(gate.get_by_text("Действует", exact=True)).to_be_visible()
    server.move_clock(timedelta(days=91))
    gate.reload()
    expect(gate.get_by_text("Срок ссылки прошёл").first).to_be_visible()
    live.goto(lasting)
    look(live, "verdict-link-expired")
    assert server.rows_changed("UPDATE share_links SET expires_at = '2099-01-01 00:00:00'") == 3
    gate.reload()
    expect(gate.get_by_text("Действует", exact=True)).to_be_visible()
    server.move_clock(timedelta(days=300))
    gate.reload()
    expect(gate.get_by_text("Осмотр просрочен").first).to_be_visible()
    live.goto(lasting)
    look(live, "verdict-overdue")
    server.move_clock(timedelta(days=5 * 366))
    gate.reload()
    expect(gate.get_by_text("Срок истёк").first).to_be_visible()
    live.goto(lasting)
    look(live, "verdict-expired")

    # No new process starts on a signer whose certificate has ended, so the clock goes back for it.
    server.move_clock(-timedelta(days=5 * 366))
    assert "holds" in server.command("audit", "verify")


def saved_file(page: Page, name: str) -> Path:
    """Save a file by its link; return where it is."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name, exact=True).click()
    assert download.value.suggested_filename.endswith(".json")
    return download.value.path()


def make_link(page: Page, label: str) -> str:
    """Make a link for somebody; return it."""
    page.get_by_role("button", name="Сгенерировать ссылку").click()
    dialog = page.get_by_role("dialog").filter(has_text="Новая ссылка")
    dialog.get_by_label(re.compile("^Для кого")).fill(label)
    dialog.get_by_role("button", name="Сделать ссылку").click()
    page.get_by_text("Ссылка готова").wait_for()
    heading = page.get_by_role("heading", name=label)
    heading.wait_for()
    return page.locator("code").filter(has_text="/v/").first.inner_text()
