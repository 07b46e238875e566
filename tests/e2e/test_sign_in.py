"""The way in and out, in a browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.people import (
    LOGIN,
    code_sent_to,
    fill_registration,
    give_code,
    give_password,
    read_secret,
    register,
    sign_in,
)
from tests.e2e.screens import look, shown
from tests.running import HOLDER, OPERATOR, PASSWORD, Server


@pytest.fixture(autouse=True)
def open_doors(server: Server) -> None:
    """Tests come from one address; the tries of one must not shut the door for the next."""
    server.forget_tries()


def problem_of(page: Page, label: str) -> str:
    """Return what is said beside a field, as a screen reader finds it."""
    field = page.get_by_label(label, exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    described = field.get_attribute("aria-describedby") or ""
    texts = [page.locator(f"[id='{each}']") for each in described.split()]
    return " ".join(each.inner_text() for each in texts if each.is_visible())


def test_holder_registers_by_phone_and_enrols_from_the_picture(server: Server, visit: Visit):
    page = visit("/register", width=390)
    page.get_by_label(LOGIN).fill("8 (916) 555-01")
    page.get_by_label("Пароль", exact=True).fill("короткий")
    page.get_by_label("Пароль ещё раз", exact=True).fill("другой")
    page.get_by_role("button", name="Получить код").click()
    assert re.search("цифр|номер", problem_of(page, LOGIN))
    assert "12" in problem_of(page, "Пароль")
    assert page.get_by_label(LOGIN).input_value() == "8 (916) 555-01"
    look(page, "register-mistakes")

    fill_registration(page, "8 (916) 555-01-02")
    server.keep_private("+79165550102", "9165550102")
    page.get_by_role("button", name="Получить код").click()
    code = page.get_by_label("Код из сообщения")
    code.wait_for()
    right = code_sent_to(server, "+79165550102")
    code.fill(f"{(int(right) + 1) % 1_000_000:06}")
    page.get_by_role("button", name="Подтвердить").click()
    page.get_by_text("Код не подошёл").wait_for()
    look(page, "register-code")
    code.fill(right)
    page.get_by_role("button", name="Подтвердить").click()

    page.wait_for_url("**/login")
    secret = read_secret(page)
    server.keep_private(secret)
    look(page, "login-enrolment")
    give_code(page, server.code_for(secret))
    expect(page).to_have_url(re.compile("/cabinet$"))


def test_login_may_be_an_address_or_an_inn_with_a_phone(server: Server, visit: Visit):
    register(visit(), server, "vetrova@example.ru")
    page = visit("/register")
    page.get_by_label(LOGIN).fill("500100732259")
    page.get_by_label(LOGIN).blur()
    page.get_by_label("Телефон или почта для сообщений").wait_for()
    look(page, "register-inn")
    register(page, server, "500100732259", contact="vetrov@example.ru")


def test_taken_login_looks_like_any_other(server: Server, visit: Visit):
    page = visit("/register")
    fill_registration(page, HOLDER.login)
    page.get_by_role("button", name="Получить код").click()
    page.get_by_label("Код из сообщения").wait_for()
    assert not re.search(r"\d{6}", server.letter_to(HOLDER.login, "пытался"))


def test_wrong_login_and_wrong_password_get_one_answer(server: Server, visit: Visit):
    page = visit("/login")
    said = []
    for login, password in ((HOLDER.login, "не тот пароль 1"), ("+79160000000", PASSWORD)):
        give_password(page, login, password)
        notice = page.get_by_role("alert").filter(has_text="парол")
        notice.wait_for()
        said.append(notice.inner_text())
        assert page.get_by_label(LOGIN).input_value() == login
        look(page, "login-refused")
        page.reload()
    assert said[0] == said[1]


def test_a_code_opens_the_door_once(server: Server, visit: Visit):
    first, second = visit("/login"), visit("/login")
    code = server.code_for(OPERATOR.secret)
    for page in (first, second):
        give_password(page, OPERATOR.login)
        page.get_by_label("Код из приложения").wait_for()
    look(second, "login-code")
    give_code(first, code)
    second.get_by_label("Код из приложения").fill(code)
    second.get_by_role("button", name="Подтвердить").click()
    second.get_by_text("Код не подошёл").wait_for()


def test_too_many_tries_say_when_to_come_again(server: Server, visit: Visit):
    page = visit("/login")
    give_password(page, "+79160000009", "не тот пароль 1")
    for _ in range(8):
        page.get_by_role("button", name="Войти", exact=True).click()
        page.wait_for_timeout(0)
    page.get_by_text(re.compile("через|попыт", re.I)).first.wait_for()
    look(page, "login-too-many")


def test_leaving_in_one_tab_ends_the_other_at_once(server: Server, visit: Visit):
    page = visit()
    sign_in(page, server, HOLDER.login, HOLDER.secret)
    other = page.context.new_page()
    other.goto("/cabinet")
    other.get_by_role("button", name="Выйти").wait_for()
    leave = page.get_by_role("button", name="Выйти")
    welcome = other.get_by_role("heading", name=re.compile("Вход|Сеанс завершён"))
    shown("left in another tab", leave.click, welcome)


def test_session_nobody_uses_ends_by_itself(server: Server, visit: Visit):
    page = visit("/cabinet", person=HOLDER)
    page.get_by_role("button", name="Выйти").wait_for()
    server.move_clock(timedelta(minutes=31))
    page.reload()
    page.wait_for_url(re.compile("/ended|/login"))
    look(page, "ended-idle")


def test_recovery_code_opens_the_door_when_the_telephone_is_lost(server: Server, visit: Visit):
    page = visit("/cabinet/security", person=HOLDER)
    page.get_by_text("это вы").wait_for()
    look(page, "security")
    page.get_by_role("button", name="Создать новые коды").click()
    codes = page.locator("#recovery-codes code")
    expect(codes).to_have_count(10)
    code = codes.first.inner_text()
    server.keep_private(*codes.all_inner_texts())
    look(page, "security-codes")

    other = visit("/login", width=390)
    give_password(other, HOLDER.login)
    other.get_by_text("Другой способ", exact=True).click()
    other.get_by_role("button", name="Резервный код").click()
    other.get_by_label("Резервный код").fill(code.lower())
    look(other, "login-recovery")
    other.get_by_role("button", name="Войти по резервному коду").click()
    expect(other).to_have_url(re.compile("/cabinet$"))

    page.get_by_role("button", name="Коды сохранены").click()
    page.get_by_text(re.compile(r"осталось 9\sкодов")).wait_for()
    page.get_by_role("button", name="Завершить все, кроме этого").click()
    end = page.get_by_role("button", name="Завершить остальные")
    ended = other.get_by_role("heading", name=re.compile("Вход|Сеанс завершён"))
    shown("ended from another device", end.click, ended)


def test_forgotten_password_is_replaced_by_a_link_and_the_second_factor(
    server: Server, visit: Visit
):
    secret = register(visit(), server, "sosnina@example.ru")
    server.move_clock(timedelta(minutes=1))
    asks = visit("/login").get_by_role("link", name="Забыли пароль?")
    expect(asks).to_have_attribute("href", "/recover")
    page = visit("/recover", width=390)
    page.get_by_text("Мы отправим ссылку").wait_for()
    page.get_by_label(LOGIN).fill("sosnina@example.ru")
    page.get_by_role("button", name="Отправить ссылку").click()
    page.get_by_role("heading", name="Проверьте сообщения").wait_for()
    look(page, "recover-sent")

    letter = server.letter_to("sosnina@example.ru", "/recover/new#")
    [link] = re.findall(r"http\S+/recover/new#[\w-]{43}", letter)
    token = link.partition("#")[2]
    server.keep_private(token)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers}"))
    page.goto(link)
    page.get_by_label("Новый пароль", exact=True).fill("вечерний поезд 17")
    expect(page).to_have_url(re.compile(r"/recover/new$"))
    assert page.evaluate("location.hash") == ""
    page.get_by_label("Новый пароль ещё раз").fill("вечерний поезд 17")
    look(page, "recover-new-filled")
    page.get_by_role("button", name="Продолжить").click()
    page.get_by_text("Новый пароль начнёт действовать").wait_for()
    server.clock_step()
    give_code(page, server.code_for(secret))
    expect(page).to_have_url(re.compile("/cabinet$"))
    assert token not in "".join(asked)
