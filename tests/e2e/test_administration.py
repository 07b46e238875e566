"""The screens of administration in a browser, wide and on a telephone."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from emk_app import clock
from tests.e2e.conftest import Visit
from tests.e2e.screens import look
from tests.running import ADMIN, OTHER_ADMIN, Server


def test_administrator_invites_somebody_and_the_fullest_screens_fit(visit: Visit):
    page = visit("/admin/people", person=ADMIN)
    page.get_by_role("heading", name="Люди и роли").wait_for()
    page.get_by_text(re.compile("^Найдено")).wait_for()
    look(page, "people")
    page.get_by_role("link", name="Пригласить сотрудника").click()
    page.get_by_label("Рабочая почта").fill("novikova@example.ru")
    page.get_by_label("Фамилия, имя, отчество").fill("Новикова Ольга Ильинична")
    page.get_by_label("Роль").select_option("clinic")
    page.get_by_label("Должность").select_option("physician")
    page.get_by_label("Почему").fill("Приём на работу")
    page.get_by_role("button", name="Передать коллеге").click()
    # What belongs to the role is asked for beside its field, and what was typed stays.
    page.get_by_text("Отметьте хотя бы одну специальность.").wait_for()
    look(page, "invite")
    expect(page.get_by_label("Рабочая почта")).to_have_value("novikova@example.ru")
    page.get_by_label("Роль").select_option("operator")
    # What goes away moves the button, which must not be pressed meanwhile.
    page.get_by_label("Должность").wait_for(state="detached")
    page.get_by_role("button", name="Передать коллеге").click()
    page.get_by_text("Подтвердить должен другой администратор.").wait_for()
    for path, heading, name in (
        ("/admin/audit", "Цепочка записей", "audit"),
        ("/admin/reference", "Сообщения людям", "reference"),
        ("/admin/answers", "Готовые ответы", "answers"),
    ):
        page.goto(path)
        page.get_by_role("heading", name=heading).first.wait_for()
        page.locator(".e-skeleton").first.wait_for(state="detached")
        look(page, name)


def test_lists_are_folded_sought_and_amended_with_the_keyboard(visit: Visit):
    page = visit("/admin/reference", person=ADMIN, width=390)
    group = page.locator("summary").filter(has_text=re.compile("^Общественное питание"))
    cook = page.get_by_text("Повар, пекарь, кондитер")
    expect(group).to_contain_text("профессии")
    expect(cook).to_be_hidden()
    search = page.get_by_role("searchbox", name="Найти в справочниках")
    search.press_sequentially("кондит")
    page.get_by_role("status").get_by_text("Нашлась: 1\u00a0профессия.").wait_for()
    expect(cook).to_be_visible()
    expect(page.get_by_role("heading", name="Исследования")).to_have_count(0)
    page.get_by_role("button", name="Изменить: Повар, пекарь, кондитер").press("Enter")
    # The form stands above, so it is gone to, and left back to where it was called from.
    expect(page.get_by_role("heading", name="Изменить профессию")).to_be_focused()
    page.get_by_role("button", name="Отмена").press("Enter")
    expect(page.get_by_role("button", name="Изменить: Повар")).to_be_focused()
    search.fill("кондитор")
    page.get_by_text("Ничего не нашлось").wait_for()
    look(page, "reference-nothing")
    page.get_by_role("button", name="Показать всё").press("Enter")
    expect(search).to_be_focused()
    expect(search).to_have_value("")
    expect(cook).to_be_hidden()
    group.press("Enter")
    expect(cook).to_be_visible()
    look(page, "reference-open")


def test_what_two_administrators_amend_is_told_by_the_guide(server: Server, visit: Visit):
    begins = clock.day_of(server.now()) + timedelta(days=1)
    page = visit("/admin/reference", person=ADMIN)
    page.get_by_role("button", name="Добавить профессию").click()
    page.get_by_label("Название").fill("Чайный мастер")
    page.get_by_label("Группа").fill("Чайное дело")
    page.get_by_label("Пункт приказа").select_option("23")
    page.get_by_label("С какого дня").fill(f"{begins:%d.%m.%Y}")
    page.get_by_label("Почему").fill("Новая профессия в реестре")
    page.get_by_role("button", name="Передать коллеге").click()
    page.get_by_text("Передано второму администратору").wait_for()
    guide = visit("/guide")
    who = guide.locator("#who")
    expect(who.get_by_text("Повар, пекарь, кондитер")).to_be_visible()
    colleague = visit("/admin/reference", person=OTHER_ADMIN)
    colleague.get_by_role("button", name="Решить: «Чайный мастер»").click()
    colleague.get_by_role("button", name="Подтвердить").click()
    colleague.get_by_text("Подтверждено.").wait_for()
    guide.reload()
    guide.get_by_role("link", name="Что подготовить").wait_for()
    expect(who.get_by_text("Чайный мастер")).to_have_count(0)
    server.move_clock(timedelta(days=1))
    guide.reload()
    # Nothing has been amended in the page as built; what is amended comes with the state.
    group = who.locator("div").filter(has=guide.get_by_role("heading", name="Чайное дело"))
    expect(group.last).to_contain_text("Чайный мастер")
    expect(who.get_by_text("Повар, пекарь, кондитер")).to_be_visible()
    look(guide, "guide-amended")
    guide.get_by_label("Слово или вопрос").fill("чайный")
    guide.get_by_label("Слово или вопрос").press("Enter")
    guide.get_by_role("status").get_by_text("Нашёлся 1\u00a0ответ.").wait_for()
