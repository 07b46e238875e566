"""What operators and clinics do at their desks."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from playwright.sync_api import Page, expect

from emk_app.domain.examinations import ExaminationKind, Numbers, programme
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.domain.people import Sex, age_on, parse_date
from tests.e2e.applying import Applicant
from tests.e2e.keys import HERE, tab_to

TYPED: Final = {
    "bp": "120/80",
    "vision": "1,0/0,9",
    "anthropometry": "172/68,5/80",
    "cholesterol": "4,8",
    "glucose": "5,1",
    "iop": "16/17",
}
"""What is typed for each study that is a number."""


def studies(applicant: Applicant, today: date) -> int:
    """Return how many studies the applicant needs."""
    work = next(each for each in OCCUPATIONS.values() if each.name == applicant.occupation)
    sex = Sex.FEMALE if applicant.sex == "Женский" else Sex.MALE
    age = age_on(parse_date(applicant.birth), today)
    made = programme(work.point, age, sex, ExaminationKind.PRE_PLACEMENT, today)
    assert all(each.code in TYPED for each in made if isinstance(each.form, Numbers))
    return len(made)


def open_in_queue(page: Page, number: str) -> None:
    """Open an application from the operators' queue."""
    page.get_by_role("link", name=number).click()
    page.get_by_role("heading", name=number).wait_for()


def to_queue(page: Page) -> None:
    """Go back to the queue, where what was last decided leads if nothing is left."""
    page.goto("/review")
    page.get_by_role("button", name="Взять следующую").wait_for()


def take(page: Page) -> None:
    """Take the papers for oneself."""
    page.get_by_role("button", name="Взять в работу").click()
    page.get_by_role("button", name="Одобрить документы").first.wait_for()


def ask(page: Page, what: str, question: str) -> None:
    """Ask the holder to correct something."""
    page.get_by_role("button", name="Запросить уточнение").click()
    dialog = page.get_by_role("dialog").filter(has_text="Запросить уточнение")
    dialog.get_by_label(what, exact=True).check()
    dialog.get_by_label("Вопрос владельцу").fill(question)
    dialog.get_by_role("button", name="Отправить вопрос").click()


def approve(page: Page) -> None:
    """Approve the papers."""
    page.get_by_role("button", name="Одобрить документы").first.click()
    dialog = page.get_by_role("dialog").filter(has_text="Одобрить документы?")
    dialog.get_by_role("button", name="Одобрить документы").click()


def open_case(page: Page, name: str) -> None:
    """Open the examination of somebody who has come."""
    page.get_by_role("button", name=re.compile(f"^Открыть.*{name}")).click()
    dialog = page.get_by_role("dialog").filter(has_text="Открыть осмотр?")
    dialog.get_by_role("button", name="Открыть осмотр").click()
    page.wait_for_url("**/clinic/exams/*")


def confirm_identity(page: Page) -> None:
    """Note that the passport was shown."""
    page.get_by_role("button", name=re.compile("^Паспорт показан")).click()
    page.get_by_text("Личность подтверждена").wait_for()


def enter_results(page: Page, total: int, today: str) -> None:
    """Enter every result from the keyboard: Enter leads from one to the next."""
    tab_to(page, page.get_by_label("Дата исследований"))
    page.keyboard.press("Enter")
    seen: list[str] = []
    for _ in range(total):
        at = page.evaluate(HERE)
        assert at["name"] and at["name"] not in seen, f"{at} after {seen}"
        seen.append(at["name"])
        if at["type"] == "radio":
            page.keyboard.press("Space")
        elif at["tag"] == "select":
            page.keyboard.press("ArrowDown")
        else:
            page.keyboard.type(TYPED.get(at["name"], today))
        page.keyboard.press("Enter")
    page.get_by_text(f"Внесено {total} из {total}").wait_for()


def conclude(page: Page) -> None:
    """Conclude that the person is fit, read it over, and sign; from the keyboard."""
    fit = page.get_by_role("radio", name=re.compile("Противопоказаний нет"))
    tab_to(page, fit)
    page.keyboard.press("Space")
    expect(fit).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Проверить и подписать"))
    page.keyboard.press("Enter")
    sign = page.get_by_role("button", name="Подписать заключение")
    tab_to(page, sign)


def sign(page: Page) -> None:
    """Press the button that signs."""
    page.get_by_role("button", name="Подписать заключение").press("Enter")
