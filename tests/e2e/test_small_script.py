"""What assets/emk.js does for the components, on a page that has nothing else."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import reflex as rx
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from emk_app.components import buttons, dialogs, forms, layout, qr
from emk_app.components.check import check_forms_html
from tests.e2e.screens import PATIENCE
from tests.rendering import html

ORIGIN: Final = "http://localhost:9"
"""Never reached: every request is answered by the test itself."""
SCRIPT: Final = Path("assets/emk.js").read_text(encoding="utf-8")
STYLES: Final = Path("assets/emk.css").read_text(encoding="utf-8")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'"
)

Show = Callable[..., Page]


@pytest.fixture
def show(chromium: Browser) -> Iterator[Show]:
    """Return a way to open components with the script, its uploads answered by ``answer``."""
    context = chromium.new_context(
        locale="ru-RU", permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if "Policy" in line.text else None)

    def open_page(
        *parts: rx.Component,
        answer: Callable[[Route], Any] | None = None,
        announced: Sequence[dict[str, str]] = (),
    ) -> Page:
        body = "".join(map(html, parts))
        whole = (
            '<!doctype html><html lang="ru"><meta charset="utf-8"><title>Проба</title>'
            f'<style>{STYLES}</style><script src="/emk.js" defer></script>'
            f'<main><h1 tabindex="-1">Проба</h1>{body}</main>'
        )

        def serve(route: Route) -> None:
            match route.request.url.removeprefix(ORIGIN):
                case "/":
                    route.fulfill(
                        body=whole,
                        content_type="text/html",
                        headers={"content-security-policy": POLICY},
                    )
                case "/emk.js":
                    route.fulfill(body=SCRIPT, content_type="text/javascript")
                case "/announced":
                    route.fulfill(json=announced)
                case "/scans" if answer is not None:
                    answer(route)
                case _:
                    route.fulfill(status=404)

        page.route("**/*", serve)
        page.goto(f"{ORIGIN}/")
        return page

    yield open_page
    context.close()
    assert not problems


def scan(**said: Any) -> rx.Component:
    return forms.file_field(
        "Паспорт",
        "passport",
        upload_url="/scans",
        limit_bytes=1024,
        limit_text="PDF или JPEG до 1 КБ",
        fields={"kind": "passport"},
        **said,
    )


def pdf(size: int = 8, name: str = "паспорт.pdf", kind: str = "application/pdf") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": b"x" * size}


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (pdf(2000), "Файл слишком большой. PDF или JPEG до 1 КБ."),
        (pdf(0), "Файл пустой. Выберите другой."),
        (pdf(name="a.txt", kind="text/plain"), "Нужен PDF или JPEG."),
    ],
)
def test_file_that_cannot_be_right_is_not_sent(chosen: FilePayload, told: str, show: Show):
    sent: list[Route] = []
    page = show(scan(), answer=sent.append)
    page.set_input_files("[data-file]", chosen)
    expect(page.locator("#refusal-passport")).to_contain_text(told)
    assert not sent


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (
            422,
            {"code": "encrypted", "message": "Файл закрыт паролем.", "id": "7F3A"},
            "Файл закрыт паролем.",
        ),
        (401, None, "Вы вышли из системы."),
        (413, None, "Файл слишком большой."),
        (429, None, "Слишком много попыток."),
        (502, None, "Файл не принят."),
    ],
)
def test_refusal_of_the_server_stands_beside_the_field(
    status: int, body: dict[str, str] | None, told: str, show: Show
):
    said = json.dumps(body) if body else "<html>"
    page = show(scan(), answer=lambda route: route.fulfill(status=status, body=said))
    page.set_input_files("[data-file]", pdf())
    expect(page.locator("#refusal-passport")).to_contain_text(told)
    expect(page.locator("[data-file-progress]")).to_be_hidden()


def test_lost_connection_is_told_and_the_same_file_can_be_chosen_again(show: Show):
    answers = iter((lambda route: route.abort(), lambda route: route.fulfill(body="{}")))
    page = show(scan(), answer=lambda route: next(answers)(route))
    page.set_input_files("[data-file]", pdf())
    expect(page.locator("#refusal-passport")).to_contain_text("нет связи с сервером")
    page.set_input_files("[data-file]", pdf())
    expect(page.locator("#refusal-passport")).to_be_hidden()
    expect(page.locator("[data-file-status]")).to_have_text("«паспорт.pdf» загружен")


def test_file_is_sent_as_the_field_scan_with_what_goes_along(show: Show):
    bodies: list[bytes] = []

    def take(route: Route) -> None:
        bodies.append(route.request.post_data_buffer or b"")
        route.fulfill(body="{}")

    page = show(scan(), answer=take)
    page.set_input_files("[data-file]", pdf())
    expect(page.locator("[data-file-status]")).to_contain_text("загружен")
    assert b'name="kind"\r\n\r\npassport' in bodies[0]
    assert b'name="scan"; filename=' in bodies[0]


def test_sending_can_be_stopped(show: Show):
    held: list[Route] = []
    page = show(scan(), answer=held.append)
    page.set_input_files("[data-file]", pdf())
    expect(page.locator("[data-file-progress]")).to_be_visible()
    page.get_by_role("button", name="Отменить").click()
    expect(page.locator("[data-file-progress]")).to_be_hidden()
    expect(page.locator("[data-file]")).to_be_focused()


def test_copying_is_confirmed_to_eyes_and_ears(show: Show):
    page = show(buttons.copy_button("Скопировать ссылку", "https://emk.example/v/1"))
    page.get_by_role("button", name="Скопировать ссылку").click()
    expect(page.locator("#emk-said")).to_have_text("Скопировано")
    expect(page.locator("[data-state=done]")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == "https://emk.example/v/1"


def test_share_button_is_not_shown_where_there_is_nothing_to_share_with(show: Show):
    page = show(buttons.share_button("Поделиться", "https://emk.example/v/1"))
    expect(page.locator("[data-share]")).to_be_visible(
        visible=page.evaluate("Boolean(navigator.share)")
    )


def test_dialog_opens_by_key_on_the_way_back_and_returns_the_focus(show: Show):
    page = show(
        dialogs.dialog_button("Отозвать ссылку", "revoke"),
        dialogs.confirm_dialog(
            "revoke", "Отозвать?", "Вернуть нельзя.", confirm="Отозвать", on_confirm=rx.noop()
        ),
    )
    opener = page.get_by_role("button", name="Отозвать ссылку")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Отозвать?")).to_be_visible()
    expect(page.get_by_role("button", name="Отмена")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_password_is_shown_and_hidden(show: Show):
    page = show(forms.password_field())
    page.get_by_role("button", name="Показать пароль").click()
    expect(page.locator("#field-password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="Скрыть пароль").click()
    expect(page.locator("#field-password")).to_have_attribute("type", "password")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("27031990", "27.03.1990"), ("27.03.1990", "27.03.1990"), ("7.3.1990", "7.3.1990")],
)
def test_dots_of_a_date_come_by_themselves(typed: str, shown: str, show: Show):
    page = show(forms.date_field("Дата рождения", "born_on"))
    page.locator("#field-born_on").press_sequentially(typed)
    expect(page.locator("#field-born_on")).to_have_value(shown)


def test_mask_lets_the_digits_be_taken_back(show: Show):
    page = show(forms.snils_field())
    control = page.locator("#field-snils")
    control.press_sequentially("11223344595")
    expect(control).to_have_value("112-233-445 95")
    for _ in range(4):
        control.press("Backspace")
    expect(control).to_have_value("112-233-44")


def test_errors_take_the_focus_as_they_appear_and_lead_to_the_field(show: Show):
    page = show(forms.text_field("Фамилия", "surname"))
    errors = html(forms.error_summary([("surname", "Введите фамилию")]))
    page.evaluate(
        "errors => document.querySelector('h1').insertAdjacentHTML('afterend', errors)", errors
    )
    expect(page.locator("[data-error-summary]")).to_be_focused()
    page.get_by_role("link", name="Введите фамилию").click()
    expect(page.locator("#field-surname")).to_be_focused()


def test_busy_button_takes_no_second_press(show: Show):
    page = show(buttons.primary_button("Отправить", busy=True), buttons.primary_button("Дальше"))
    page.evaluate(
        "() => document.addEventListener('click', (event) =>"
        " (document.title += event.target.innerText), true)"
    )
    page.get_by_role("button", name="Отправить").dispatch_event("click")
    page.get_by_role("button", name="Дальше").dispatch_event("click")
    expect(page).to_have_title("ПробаДальше")


def test_enter_walks_through_a_sheet_of_results(show: Show):
    page = show(
        rx.el.div(
            forms.text_field("Гемоглобин", "first"),
            forms.text_field("Глюкоза", "second"),
            custom_attrs={"data-enter-next": ""},
        )
    )
    page.locator("#field-first").press("Enter")
    expect(page.locator("#field-second")).to_be_focused()


def test_enter_passes_over_dates_and_answers_and_leaves_the_last_field(show: Show):
    def answer(value: str) -> rx.Component:
        return rx.el.input(type="radio", name="lungs", value=value, id=f"field-{value}")

    page = show(
        rx.el.div(
            forms.text_field("Глюкоза", "first"),
            rx.el.input(id="field-day", custom_attrs={"data-enter-skip": "", "aria-label": "Дата"}),
            answer("norm"),
            answer("deviation"),
            forms.text_field("Холестерин", "last"),
            custom_attrs={"data-enter-next": ""},
        )
    )
    page.locator("#field-first").press("Enter")
    expect(page.locator("#field-norm")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#field-last")).to_be_focused()
    page.locator("#field-day").press("Enter")
    expect(page.locator("#field-norm")).to_be_focused()
    page.locator("#field-last").press("Enter")
    expect(page.locator("#field-last")).not_to_be_focused()


def test_new_screen_begins_at_its_heading(show: Show):
    page = show(rx.el.a("Дальше", href="#", id=rx.Var.create("gone")))
    page.locator("#gone").focus()
    page.evaluate("() => { document.getElementById('gone').remove(); document.title = 'Другая'; }")
    expect(page.locator("h1")).to_be_focused()


def test_update_notice_of_the_framework_is_put_into_russian(show: Show):
    page = show()
    page.evaluate(
        """() => {
          const banner = document.createElement('div');
          banner.id = 'reflex-new-version-banner';
          banner.append('A new version of this app is available.');
          banner.append(document.createElement('button'));
          document.body.append(banner);
        }"""
    )
    expect(page.locator("#reflex-new-version-banner")).to_contain_text("Вышло обновление сервиса.")
    expect(page.get_by_role("button", name="Обновить")).to_be_visible()


def test_telephone_menu_needs_no_script(chromium: Browser):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, java_script_enabled=False
    )
    page = context.new_page()
    frame = html(layout.page_frame(title="Обзор", menu=[("Мои заявки", "/cabinet")]))
    page.set_content(f"<!doctype html><meta charset=utf-8><style>{STYLES}</style>{frame}")
    entry = page.get_by_role("link", name="Мои заявки")
    expect(entry).to_be_hidden()
    page.get_by_role("button", name="Меню").click()
    expect(entry).to_be_visible()
    context.close()


AWAKE: Final = """
window.locks = [];
Object.defineProperty(navigator, "wakeLock", {value: {request: async (kind) => {
    const lock = {kind, released: false, release: async () => { lock.released = true; }};
    window.locks.push(lock);
    return lock;
}}});
"""


def wait_until(page: Page, said: str) -> None:
    """Wait for what the page says; its policy forbids the waiting that evaluates within it."""
    patience = time.monotonic() + 20
    while not page.evaluate(said):
        assert time.monotonic() < patience, said
        page.wait_for_timeout(50)


def test_code_over_the_whole_screen_is_awake_and_closes_by_back(show: Show):
    page = show(
        dialogs.dialog_button("На весь экран", "code"),
        qr.full_screen_qr("code", "", alt="QR-код", caption="Книжка"),
    )
    page.add_init_script(AWAKE)
    page.reload()
    page.set_viewport_size({"width": 390, "height": 844})
    opener, code = page.get_by_role("button", name="На весь экран"), page.get_by_role("dialog")
    steps = page.evaluate("history.length")

    def closed() -> None:
        expect(code).to_be_hidden()
        expect(opener).to_be_focused()
        wait_until(page, "locks.every((lock) => lock.released) && !history.state?.full")
        assert page.url == ORIGIN + "/"

    for leave in (
        page.go_back,
        lambda: page.keyboard.press("Escape"),
        lambda: code.get_by_role("button", name="Закрыть").click(),
    ):
        opener.click()
        expect(code).to_be_visible()
        expect(code).to_have_accessible_name("Книжка")
        wait_until(page, "locks.at(-1)?.kind === 'screen' && !locks.at(-1).released")
        leave()
        closed()
    assert page.evaluate("locks.length") == 3
    # However often it was shown, there is one step more and it is ahead.
    assert page.evaluate("history.length") == steps + 1
    # A code that is closed meanwhile goes with its window.
    opener.click()
    page.evaluate("document.querySelector('dialog').remove()")
    wait_until(page, "locks.every((lock) => lock.released) && !history.state?.full")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (320, 568), (1280, 900)])
def test_code_over_the_whole_screen_is_as_large_as_it_fits(show: Show, width: int, height: int):
    page = show(
        dialogs.dialog_button("На весь экран", "code"),
        qr.full_screen_qr("code", "", alt="QR-код", caption="Электронная медицинская книжка"),
    )
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("button", name="На весь экран").click()
    box, close = page.locator("dialog img").bounding_box(), page.get_by_role("button", name="Закр")
    assert box is not None
    # The picture fills its box as far as it stays a square.
    assert min(box["width"], box["height"]) > min(width, height) * 0.9
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert box["y"] >= 0 and box["y"] + box["height"] <= height
    expect(close).to_be_in_viewport(ratio=1)
    colour = "getComputedStyle(document.querySelector('dialog')).backgroundColor"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(colour) == "rgb(255, 255, 255)"


def test_button_of_a_file_speaks_russian_and_names_what_was_chosen(show: Show):
    page = show(rx.html(check_forms_html()))
    field = page.get_by_label("Картинка с QR-кодом")
    pick = page.locator(".e-pick")
    expect(pick.get_by_text("Файл не выбран")).to_be_visible()
    # The browser's own words, in whatever language, are under a button of ours and never seen.
    assert field.evaluate("input => getComputedStyle(input).opacity") == "0"
    assert field.get_attribute("title") == ""
    with page.expect_file_chooser():
        pick.get_by_text("Выбрать файл").click(force=True)
    # A field whose first window is still closing opens no second one.
    page = show(rx.html(check_forms_html()))
    field, pick = page.get_by_label("Картинка с QR-кодом"), page.locator(".e-pick")
    field.focus()
    with page.expect_file_chooser():
        page.keyboard.press("Space")
    outline = "node => getComputedStyle(node).outlineStyle"
    assert pick.locator(".btn").evaluate(outline) == "solid"
    field.set_input_files(FilePayload(name="код.png", mimeType="image/png", buffer=b"x"))
    expect(pick.get_by_text("код.png")).to_be_visible()
    expect(pick.get_by_text("Файл не выбран")).to_be_hidden()


def test_announced_work_is_told_until_it_is_put_away_by_the_keyboard(show: Show):
    told = [
        {"key": "1-ahead", "head": "Плановые работы: завтра.", "text": "Вход <b>закрыт</b>."},
        {"key": "2-ahead", "head": "Плановые работы: потом.", "text": "Проверка."},
    ]
    frame = layout.bulletin_frame(current="")
    page = show(frame, announced=told)
    strip = page.get_by_role("complementary", name="Плановые работы")
    expect(strip).to_contain_text("Вход <b>закрыт</b>.")
    strip.get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    expect(strip.get_by_role("button")).to_have_count(1)
    expect(strip.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(strip).to_be_hidden()
    page = show(frame, announced=[*told, {"key": "1-on", "head": "Идут работы.", "text": ""}])
    expect(page.locator("[data-announced]")).to_have_text(re.compile("^Идут работы"))


def saves() -> rx.Component:
    return buttons.save_links(
        buttons.save_link("PDF", "/scans"), buttons.save_link("CSV", "/scans?csv")
    )


def test_file_that_is_being_made_is_told_of_and_asked_for_once(show: Show):
    asked: list[Route] = []
    page = show(saves(), answer=asked.append)
    # Only the query differs; the page serves the address without it.
    first, second = (page.get_by_role("link", name=name) for name in ("PDF", "CSV"))
    first.click()
    status = page.get_by_role("status").first
    expect(status).to_have_text("Готовим файл…")
    expect(first).to_have_attribute("aria-busy", "true")
    expect(second).to_have_attribute("aria-disabled", "true")
    first.click()
    second.click(force=True)
    assert len(asked) == 1
    with page.expect_download() as download:
        asked[0].fulfill(
            body=b"%PDF-",
            content_type="application/pdf",
            headers={
                "content-disposition": "attachment; filename=staff.pdf; "
                "filename*=UTF-8''%D0%A1%D0%BF%D0%B8%D1%81%D0%BE%D0%BA.pdf"
            },
        )
    assert download.value.suggested_filename == "Список.pdf"
    assert download.value.path().read_bytes() == b"%PDF-"
    expect(status).to_have_text("Файл «Список.pdf» готов: он среди загрузок браузера.")
    for link in (first, second):
        expect(link).not_to_have_attribute("aria-busy", "true")
        expect(link).not_to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": 401, "json": {"message": "Войдите."}}, "Вы вышли из системы. Войдите снова"),
        ({"status": 429, "body": "<html>"}, "Подождите минуту"),
        ({"status": 403, "json": {"message": "Вас убрали из кабинета."}}, "Вас убрали"),
        ({"status": 502, "body": "<html>"}, "если не поможет, напишите в поддержку"),
        (None, "связь прервалась. Проверьте интернет"),
    ],
)
def test_file_that_did_not_come_says_what_next(
    answer: dict[str, Any] | None, told: str, show: Show
):
    page = show(saves(), answer=lambda route: route.fulfill(**answer) if answer else route.abort())
    link = page.get_by_role("link", name="PDF")
    link.click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(told)
    expect(page.get_by_role("status").first).to_be_empty()
    expect(link).not_to_have_attribute("aria-busy", "true")
    with page.expect_request("**/scans"):
        link.click()
