"""From a page that says 404 to an answer, with a screenshot, in two browsers at once."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.screens import look, shown
from tests.running import HOLDER, SUPPORT


def picture() -> bytes:
    file = io.BytesIO()
    made = Image.new("RGB", (900, 600), (250, 250, 250))
    made.paste((200, 40, 40), (80, 80, 400, 200))
    made.save(file, "PNG")
    return file.getvalue()


def test_question_with_a_screenshot_is_answered_and_rated(visit: Visit):
    stranger = visit("/help")
    stranger.get_by_text("Ошибка 404").click()
    look(stranger, "help")

    desk = visit("/support", person=SUPPORT)
    desk.get_by_text("Здесь пусто").wait_for()

    holder = visit("/nowhere", person=HOLDER)
    holder.get_by_role("link", name="Напишите в поддержку").click()
    holder.wait_for_url("**/cabinet/support?error=404")
    incident = holder.get_by_label("Номер ошибки")
    expect(incident).to_have_value("404")
    holder.get_by_role("button", name="Отправить").click()
    refused = holder.get_by_role("alert").filter(has_text="Заполните")
    refused.first.wait_for()
    look(holder, "support")
    holder.get_by_label("Что случилось").fill("Ссылка из письма не открывается.")
    holder.get_by_label("Снимок экрана").set_input_files(
        {"name": "снимок.png", "mimeType": "image/png", "buffer": picture()}
    )
    row = desk.get_by_role("row").filter(has_text="Ошибка на странице")
    shown(
        "question at the desk",
        lambda: holder.get_by_role("button", name="Отправить").click(),
        row,
    )
    holder.get_by_text("принято").wait_for()
    look(desk, "support-desk")

    row.get_by_role("button").click()
    desk.get_by_text("Снимок экрана: снимок.jpg").click()
    expect(desk.get_by_role("img", name="Снимок экрана")).to_be_visible()
    desk.get_by_label("Готовый ответ").select_option(label="Исправлено")
    answer = desk.get_by_label("Ответ", exact=True)
    expect(answer).to_have_value(
        "Здравствуйте! Мы исправили ошибку. Пожалуйста, обновите "
        "страницу и проверьте. Если всё получилось, закройте обращение; если нет, напишите сюда "
        "же."
    )
    answered = holder.get_by_role("log").get_by_text("Мы исправили ошибку")
    shown(
        "answer on the holder's screen",
        lambda: desk.get_by_role("button", name="Ответить").click(),
        answered,
    )
    look(desk, "support-desk-ticket")
    look(holder, "support-ticket")

    holder.get_by_role("button", name="Вопрос решён, закрыть").click()
    dialog = holder.get_by_role("dialog")
    dialog.get_by_label("Оценка").select_option("5")
    shown(
        "rating at the desk",
        lambda: dialog.get_by_role("button", name="Закрыть обращение").click(),
        desk.get_by_text("Оценка: 5 из 5"),
    )
