"""The holder's form, in a browser."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from emk_app.domain.documents import ScanKind
from tests.e2e.applying import (
    MISTAKEN,
    RIGHT,
    choose_clinic,
    choose_file,
    clinic_of,
    field,
    file_field,
    fill_details,
    fill_in,
    hand_in,
    is_right,
    next_step,
    paper,
    problem_of,
    show_papers,
    tick,
)
from tests.e2e.conftest import Visit, give_cookie
from tests.e2e.screens import PATIENCE, look
from tests.files import good
from tests.running import HOLDER, OTHER_HOLDER, Server


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()


@pytest.fixture(autouse=True)
def no_drafts(server: Server) -> None:
    """Every test begins with an empty form."""
    server.python(
        "from emk_app import clock\n"
        "from emk_app.domain.actors import Actor, Role\n"
        "from emk_app.services import applying\n"
        f"for user_id in ({server.id_of(HOLDER)}, {server.id_of(OTHER_HOLDER)}):\n"
        "    actor = Actor(user_id, Role.HOLDER)\n"
        "    draft = applying.standing_draft(actor, now=clock.now())\n"
        "    if draft: applying.withdraw(actor, draft.id, now=clock.now())\n"
    )


def test_mistakes_are_told_beside_the_fields_and_nothing_typed_is_lost(
    server: Server, visit: Visit
):
    MISTAKEN.keep_private(server)
    page = visit("/cabinet", person=HOLDER, width=390)
    page.get_by_text("Оформите электронную медкнижку").wait_for()
    look(page, "cabinet-empty")
    page.get_by_role("link", name="Оформить книжку").click()
    page.wait_for_url("**/apply/details")
    field(page, "Фамилия").wait_for()
    look(page, "apply-details-empty")
    fill_details(page, MISTAKEN)
    assert "латин" in problem_of(page, "Фамилия").lower()
    assert "феврал" in problem_of(page, "Дата рождения")
    assert "контрольн" in problem_of(page, "СНИЛС").lower()
    assert problem_of(page, "Номер полиса ОМС")
    assert "цифр" in problem_of(page, "Мобильный телефон")
    assert "6 цифр" in problem_of(page, "Почтовый индекс")
    for label, text in MISTAKEN.texts.items():
        assert field(page, label).input_value() == text
    next_step(page, "документы")
    summary = page.get_by_role("alert").filter(has_text="Проверьте, что заполнено")
    summary.wait_for()
    expect(summary).to_be_focused()
    look(page, "apply-details-mistakes")
    summary.get_by_role("link").first.click()
    expect(field(page, "Фамилия")).to_be_focused()

    fill_details(page, RIGHT)
    for label in RIGHT.texts:
        is_right(page, label)
    next_step(page, "документы")
    page.wait_for_url("**/apply/papers")


def test_representative_shows_what_only_they_need_and_removes_a_file_when_sure(
    visit: Visit, folder: Path
):
    page = visit("/cabinet/apply/details", person=HOLDER, width=390)
    field(page, "Фамилия").wait_for()
    fill_details(page, replace(RIGHT, birth="01.02.2010", issued="15.02.2024"))
    assert "представитель" in page.get_by_text("Владельцу нет 18 лет").inner_text()
    tick(page.get_by_role("radio", name="Я представитель"))
    tick(page.get_by_role("radio", name="Родитель", exact=True))
    for label in ("Фамилия представителя", "Имя представителя"):
        field(page, label).fill("Иван")
        field(page, label).blur()
    field(page, "Статус").select_option(label="Студент")
    look(page, "apply-details-represented")
    next_step(page, "документы")
    page.wait_for_url("**/apply/papers")
    show_papers(page, folder)
    for label in ("Студенческий билет", "Свидетельство о рождении"):
        expect(file_field(page, label).get_by_text("Сфотографировать")).to_be_visible()
        choose_file(page, label, paper(folder, ScanKind.PASSPORT))
        file_field(page, label).get_by_role("button", name="Посмотреть").wait_for()
    look(page, "apply-papers-represented")
    birth = file_field(page, "Свидетельство о рождении")
    birth.get_by_role("button", name="Посмотреть").click()
    picture = page.get_by_role("img", name="Страница 1")
    expect(picture).to_be_visible()
    page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
    look(page, "apply-papers-preview")
    page.get_by_role("button", name="Закрыть").click()
    birth.get_by_role("button", name="Удалить").click()
    page.get_by_role("button", name="Отмена").click()
    expect(birth.get_by_role("button", name="Удалить")).to_be_focused()
    birth.get_by_role("button", name="Удалить").click()
    page.get_by_role("dialog").get_by_role("button", name="Удалить").click()
    chooser = birth.get_by_role("button", name=re.compile("Выберите файл$"))
    expect(chooser).to_be_focused()
    next_step(page, "медорганизация")
    summary = page.get_by_role("alert").filter(has_text="Проверьте, что заполнено")
    summary.get_by_role("link").click()
    expect(chooser).to_be_focused()
    choose_file(page, "Свидетельство о рождении", paper(folder, ScanKind.PASSPORT))
    birth.get_by_role("button", name="Посмотреть").wait_for()
    next_step(page, "медорганизация")
    page.wait_for_url("**/apply/clinic")


def test_draft_survives_the_browser_and_the_server(server: Server, visit: Visit, folder: Path):
    page = visit("/cabinet/apply", person=HOLDER)
    field(page, "Фамилия").wait_for()
    fill_details(page)
    next_step(page, "документы")
    page.wait_for_url("**/apply/papers")
    show_papers(page, folder)
    state = page.context.storage_state()
    page.context.close()

    server.kill()
    server.start()
    again = visit("/cabinet", state=state, width=390)
    again.get_by_text("Черновик").first.wait_for()
    look(again, "cabinet-draft")
    again.get_by_role("link", name="Продолжить").click()
    again.wait_for_url("**/apply/papers")
    for label in ("Паспорт", "Полис ОМС"):
        file_field(again, label).get_by_role("button", name="Посмотреть").wait_for()
    look(again, "apply-papers-full")
    again.goto("/cabinet/apply/details")
    for label, text in RIGHT.texts.items():
        expect(field(again, label)).to_have_value(text)
    expect(again.get_by_role("radio", name=RIGHT.sex)).to_be_checked()
    expect(again.get_by_role("radio", name=RIGHT.kind)).to_be_checked()
    look(again, "apply-details-full")


def until_loaded(page: Page, heard: list[str]) -> None:
    """Wait until the page has begun on another connection."""
    end = time.monotonic() + PATIENCE / 1000
    while not any('"is_hydrated_rx_state_":true' in each for each in heard):
        assert time.monotonic() < end, "the page has not connected again"
        page.wait_for_timeout(20)


def test_form_on_the_screen_goes_on_after_a_restart_of_the_server(server: Server, visit: Visit):
    page = visit("/cabinet/apply/details", person=HOLDER)
    control = field(page, "Фамилия")
    control.fill("Берёзкина")
    control.blur()
    page.get_by_text(re.compile("Сохранено")).first.wait_for()
    page.evaluate("window.emkSamePage = true")
    heard: list[str] = []
    page.on("websocket", lambda wire: wire.on("framereceived", lambda it: heard.append(str(it))))
    server.kill()
    page.get_by_text("Нет связи с сервером").wait_for()
    page.get_by_text(re.compile(r"Данные на \d\d:\d\d\.")).wait_for()
    look(page, "apply-no-connection")
    server.start()
    # The page connects again by itself, after a pause of its own, and shows what is saved.
    until_loaded(page, heard)
    page.get_by_text("Нет связи с сервером").wait_for(state="hidden")
    expect(control).to_have_value("Берёзкина")
    ((saved,),) = server.rows("SELECT version FROM applications WHERE status = 'draft'")
    for label, text in (("Имя", "Алёна"), ("Отчество", "Игоревна")):
        field(page, label).fill(text)
        field(page, label).blur()
    assert page.evaluate("window.emkSamePage")
    # A server that says nothing, though it has not hung up: forty seconds of it are too many.
    heard.clear()
    banner = page.get_by_text("Нет связи с сервером")
    with server.stopped():
        page.evaluate("window.emkHeard.at = Date.now() - 30_000")
        page.wait_for_timeout(300)
        expect(banner).to_be_hidden()
        page.evaluate("window.emkHeard.at = Date.now() - 41_000")
        banner.wait_for()
        page.get_by_text(re.compile(r"Данные на \d\d:\d\d\.")).wait_for()
        # It stays while the page, which has hung up, asks anew.
        page.wait_for_timeout(1500)
        expect(banner).to_be_visible()
    until_loaded(page, heard)
    banner.wait_for(state="hidden")
    assert page.evaluate("window.emkSamePage")
    mine = server.id_of(HOLDER)
    query = "SELECT 1 FROM applications WHERE holder_id = ? AND status = 'draft' AND version >= ?"
    server.until(query, mine, saved + 2)
    page.reload()
    for label, text in (("Фамилия", "Берёзкина"), ("Имя", "Алёна"), ("Отчество", "Игоревна")):
        expect(field(page, label)).to_have_value(text)


def test_screen_that_has_slept_says_since_when_it_dates_until_it_is_fresh(
    server: Server, visit: Visit
):
    page = visit()
    page.clock.install()
    heard: list[str] = []
    page.on("websocket", lambda wire: wire.on("framereceived", lambda it: heard.append(str(it))))
    give_cookie(page.context, server, server.cookie_of(HOLDER))
    page.goto("/cabinet")
    banner = page.get_by_text("Нет связи с сервером")
    page.get_by_role("heading", level=1).wait_for()
    end = time.monotonic() + PATIENCE / 1000
    while not any('"is_hydrated_rx_state_":true' in each for each in heard):
        assert time.monotonic() < end, "the page has not connected"
        page.wait_for_timeout(20)
    heard.clear()
    with server.stopped():
        last = page.evaluate(
            "new Date(window.emkHeard.at).toLocaleTimeString('ru', "
            "{timeZone: 'Europe/Moscow', hour: '2-digit', minute: '2-digit'})"
        )
        # A lid that is shut for half a minute is no matter.
        page.clock.fast_forward(30_000)
        page.wait_for_timeout(300)
        expect(banner).to_be_hidden()
        page.clock.fast_forward(3 * 3600_000)
        banner.wait_for()
        assert last in page.locator("[data-link-since]").inner_text()
        look(page, "cabinet-slept")
        expect(banner).to_be_visible()
    until_loaded(page, heard)
    banner.wait_for(state="hidden")
    assert page.evaluate("Date.now() - window.emkHeard.at") < 40_000


def test_file_that_is_no_scan_is_refused_in_russian(server: Server, visit: Visit, tmp_path: Path):
    page = visit("/cabinet/apply", person=HOLDER)
    field(page, "Фамилия").wait_for()
    fill_details(page)
    next_step(page, "документы")
    page.wait_for_url("**/apply/papers")
    passport = file_field(page, "Паспорт")
    passport.wait_for()
    look(page, "apply-papers-empty")
    fake = tmp_path / "паспорт.jpg"
    fake.write_bytes(b"GIF89a" + b"\0" * 2000)
    choose_file(page, "Паспорт", fake)
    refusal = passport.get_by_role("alert")
    refusal.wait_for()
    assert "JPEG" in refusal.inner_text()
    look(page, "apply-papers-refused")
    large = tmp_path / "большой.jpg"
    large.write_bytes(good.jpeg() + b"\0" * (2 * 1024 * 1024))
    choose_file(page, "Паспорт", large)
    expect(refusal).to_contain_text("2 МБ")
    next_step(page, "медорганизация")
    page.get_by_text("Проверьте, что заполнено").wait_for()
    assert page.url.endswith("/apply/papers")


def test_clinic_is_found_by_name_code_and_filters(server: Server, visit: Visit):
    page = visit("/cabinet/apply/details", person=HOLDER)
    field(page, "Фамилия").wait_for()
    fill_details(page)
    page.goto("/cabinet/apply/clinic")
    found = page.get_by_role("status").filter(has_text=re.compile("Наш|найд", re.I))
    found.first.wait_for()
    look(page, "apply-clinic")
    name, okpo = clinic_of(server, 1)
    page.get_by_label("Регион").select_option("77")
    page.get_by_label("Тип").select_option("polyclinic")
    cards = page.locator("main li").filter(has_text="ОКПО")
    expect(cards.first).to_contain_text("Москва")
    tick(page.get_by_label(re.compile("Электронный полис")))
    expect(cards.filter(has_not_text="Электронный полис")).to_have_count(0)
    for card in cards.all():
        assert "Поликлиника" in card.inner_text()
    page.get_by_label(re.compile("Электронный полис")).click()
    page.get_by_label("Тип").select_option("")
    page.get_by_label("Название или код ОКПО").fill("такой больницы нет")
    page.get_by_text("Ничего не нашлось").last.wait_for()
    look(page, "apply-clinic-nothing")
    page.get_by_role("button", name="Снять все условия").click()
    cards.first.wait_for()
    page.get_by_label("Название или код ОКПО").fill(okpo)
    expect(cards).to_have_count(1)
    expect(cards.first).to_contain_text(name)
    choose_clinic(page, server)
    look(page, "apply-clinic-chosen")


def test_application_sent_twice_from_two_tabs_is_one(server: Server, visit: Visit, folder: Path):
    page = visit(person=OTHER_HOLDER)
    fill_in(page, server, folder)
    other = page.context.new_page()
    other.goto("/cabinet/apply/review")
    second = other.get_by_role("button", name="Отправить заявку")
    second.wait_for()
    expect(other.get_by_role("checkbox", name=re.compile("согласен"))).to_be_checked()
    look(other, "apply-review")
    page.get_by_role("button", name="Отправить заявку").click(no_wait_after=True)
    second.click(no_wait_after=True)
    for tab in (page, other):
        tab.get_by_text(re.compile("Заявка отправлена|больше нет")).first.wait_for()
    mine = server.id_of(OTHER_HOLDER)
    rows = server.rows(
        "SELECT id, status FROM applications WHERE holder_id = ? AND submitted_at NOT NULL", mine
    )
    assert len(rows) == 1
    sent = server.rows(
        "SELECT count(*) FROM status_changes WHERE application_id = ? AND event = 'submitted'",
        rows[0][0],
    )
    assert sent == [(1,)]


def test_application_without_consent_says_what_is_missing(
    server: Server, visit: Visit, folder: Path
):
    page = visit(person=HOLDER)
    fill_in(page, server, folder)
    page.get_by_role("checkbox", name=re.compile("согласен")).click()
    expect(page.get_by_role("checkbox", name=re.compile("согласен"))).not_to_be_checked()
    page.get_by_role("button", name="Отправить заявку").click()
    page.get_by_text("Заявка ещё не готова").wait_for()
    look(page, "apply-review-not-ready")
    tick(page.get_by_role("checkbox", name=re.compile("согласен")))
    number = hand_in(page)
    look(page, "apply-sent")
    page.get_by_role("link", name="Следить за заявкой").click()
    page.get_by_role("heading", name=f"Заявка {number}").wait_for()
    page.get_by_text("Получено").first.wait_for()
    look(page, "case-received")
    page.goto("/cabinet/applications")
    page.get_by_role("link", name=number).wait_for()
    look(page, "applications")
