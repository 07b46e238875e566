"""Operators and clinics at their desks: who comes second is told."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.e2e import desks
from tests.e2e.conftest import Visit
from tests.e2e.keys import tab_to
from tests.e2e.screens import look, shown
from tests.running import (
    CHAIR,
    HOLDER,
    OPERATOR,
    OTHER_CHAIR,
    OTHER_HOLDER,
    OTHER_OPERATOR,
    PHYSICIAN,
    REGISTRAR,
    Person,
    Server,
)

RECEIVED = """
from emk_app import clock
from emk_app.domain.actors import Actor, Role
from tests import factories
holder = {holder}
made = factories.make_received(holder, clock.now(), clinic_id={clinic})
print(made.number.shown)
"""


def received(server: Server, person: Person | str = HOLDER) -> str:
    """Hand an application in for somebody, or for a newcomer of this login; return its number.

    Whoever has one under way already is refused a second one by the automatic checks.
    """
    if isinstance(person, str):
        holder = f"factories.make_holder(clock.now(), {person!r})"
        server.keep_private(person)
    else:
        holder = f"Actor({server.id_of(person)}, Role.HOLDER)"
    code = RECEIVED.format(holder=holder, clinic=server.clinic_of(CHAIR))
    server.keep_private("Иванова", "Ильинка", "112-233-445 95")
    number = server.python(code).splitlines()[-1]
    server.settle()
    return number


def slug(number: str) -> str:
    return number.replace("ЭМК", "EMK")


def test_of_two_operators_one_takes_and_the_other_is_told(server: Server, visit: Visit):
    number = received(server)
    pages = [visit(f"/review/{slug(number)}", person=who) for who in (OPERATOR, OTHER_OPERATOR)]
    buttons = [page.get_by_role("button", name="Взять в работу") for page in pages]
    for button in buttons:
        button.wait_for()
    # In one moment, from two browsers, by the clock that both share: one press is on the other's
    # screen sooner than a second one could be made by hand.
    at = (time.time() + 0.5) * 1000
    for page in pages:
        page.evaluate(
            "(at) => { const button = [...document.querySelectorAll('button')]"
            ".find((each) => each.textContent.includes('Взять в работу'));"
            " setTimeout(() => button.click(), at - Date.now()); }",
            at,
        )
    both = [OPERATOR.name, OTHER_OPERATOR.name]
    taken_by = server.until(
        "SELECT reviewer_id FROM applications WHERE tracking_number = ? AND papers = 'taken'",
        slug(number),
    )[0][0]
    winner = [server.id_of(OPERATOR), server.id_of(OTHER_OPERATOR)].index(taken_by)
    pages[winner].get_by_role("button", name="Одобрить документы").first.wait_for()
    loser = pages[1 - winner]
    loser.get_by_text(re.compile(both[winner].split()[0])).first.wait_for()
    expect(loser.get_by_role("button", name="Одобрить документы")).to_have_count(0)
    look(loser, "review-taken-by-another")
    said = server.rows(
        "SELECT count(*) FROM status_changes JOIN applications a ON a.id = application_id"
        " WHERE a.tracking_number = ? AND event = 'papers_taken'",
        slug(number),
    )
    assert said == [(1,)]


def test_decision_of_one_tab_is_told_in_the_other(server: Server, visit: Visit):
    number = received(server, OTHER_HOLDER)
    first = visit(f"/review/{slug(number)}", person=OPERATOR)
    desks.take(first)
    second = first.context.new_page()
    second.goto(f"/review/{slug(number)}")
    reject = second.get_by_role("button", name="Отклонить").first
    reject.click()
    dialog = second.get_by_role("dialog").filter(has_text="Отклонить заявку")
    dialog.get_by_role("button", name="Отклонить заявку").click()
    dialog.get_by_text(re.compile("Выберите|причин", re.I)).first.wait_for()
    look(second, "review-reject")
    approved = second.get_by_text("одобрены").first
    shown("approved in another tab", lambda: desks.approve(first), approved)
    expect(second.get_by_role("button", name="Отклонить")).to_have_count(0)
    rows = server.rows(
        "SELECT count(*) FROM status_changes s JOIN applications a ON a.id = application_id"
        " WHERE a.tracking_number = ? AND event IN ('papers_approved', 'rejected')",
        slug(number),
    )
    assert rows == [(1,)]


def test_each_at_the_clinic_sees_what_is_theirs(server: Server, visit: Visit):
    number = received(server, "patient@example.ru")
    registrar = visit("/clinic", person=REGISTRAR)
    physician = visit("/clinic", person=PHYSICIAN, width=390)
    stranger = visit("/clinic", person=OTHER_CHAIR)
    stranger.get_by_text("Пока никто не записан").wait_for()
    stranger.get_by_label("Найти по номеру заявки").fill(number)
    stranger.get_by_label("Найти по номеру заявки").press("Enter")
    stranger.get_by_text("в вашей организации нет").wait_for()
    look(stranger, "clinic-not-found")
    physician.get_by_text(number).first.wait_for()
    expect(physician.get_by_role("button", name=re.compile("^Открыть"))).to_have_count(0)
    row = registrar.get_by_role("row").filter(has_text=number)
    row.get_by_role("button", name=re.compile("^Открыть")).click()
    dialog = registrar.get_by_role("dialog").filter(has_text="Открыть осмотр?")
    look(registrar, "clinic-open-case")
    dialog.get_by_role("button", name="Открыть осмотр").click()
    registrar.wait_for_url("**/clinic/exams/*")
    desks.confirm_identity(registrar)
    expect(registrar.get_by_text("Врачи-специалисты")).to_have_count(0)
    look(registrar, "clinic-registrar")
    path = registrar.url.removeprefix(server.origin)
    for person, page in ((OTHER_CHAIR, stranger), (HOLDER, visit(person=HOLDER))):
        page.goto(path)
        missing = re.compile("Такого осмотра нет|Нет доступа")
        page.get_by_text(missing).first.wait_for()
        assert "Иванова" not in page.content(), person
    physician.goto(path)
    pressure = physician.get_by_label(re.compile("^Артериальное давление"))
    pressure.fill("12080")
    pressure.press("Enter")
    physician.locator("#error-bp").wait_for()
    assert pressure.input_value() == "12080"
    look(physician, "clinic-wrong-entry")
    pressure.fill("120/80")
    pressure.press("Enter")
    physician.get_by_text(re.compile("Внесено 1 из")).wait_for()
    expect(physician.get_by_text("Проверить и подписать")).to_have_count(0)


@pytest.mark.parametrize("path", ["/cabinet", "/review", "/clinic", "/admin"])
@pytest.mark.parametrize("person", [HOLDER, OPERATOR, CHAIR], ids=lambda who: who.role.value)
def test_page_of_another_role_says_so(server: Server, visit: Visit, path: str, person: Person):
    from emk_app.states.session import HOME

    page = visit(path, person=person)
    if HOME[person.role] == path:
        page.get_by_text(person.name).first.wait_for()
    else:
        page.get_by_role("heading", name="Нет доступа").wait_for()


def test_operator_decides_case_after_case_from_the_keyboard(server: Server, visit: Visit):
    """No mouse: take the next, read its papers, ask, refuse, approve; a colleague undoes it."""
    numbers = [received(server, f"newcomer{n}@example.ru") for n in (1, 2, 3)]
    page = visit("/review", person=OPERATOR)
    keys = page.keyboard
    page.get_by_role("row").filter(has_text=numbers[-1]).wait_for()
    look(page, "review-queue")
    page.get_by_label("Найти по номеру").focus()
    keys.type("С")
    keys.press("Escape")
    page.get_by_label("Найти по номеру").fill("")
    page.get_by_role("heading", level=1).focus()
    keys.press("Shift+Slash")
    keys_dialog = page.get_by_role("dialog", name="Горячие клавиши")
    keys_dialog.wait_for()
    keys.press("KeyC")
    assert page.url.endswith("/review")
    keys.press("Escape")
    keys.press("KeyC")
    page.wait_for_url("**/review/EMK-*")
    first = page.get_by_role("heading", level=1)
    expect(first).to_have_text(re.compile("ЭМК"))
    number = first.inner_text()

    shown_page = page.locator("[data-viewer] img[data-shown]")
    expect(shown_page).to_have_attribute("alt", "Паспорт, страница 1")
    expect(shown_page).to_have_attribute("style", re.compile("width"))
    whole = shown_page.get_attribute("style") or ""
    keys.press("Equal")
    expect(shown_page).not_to_have_attribute("style", whole)
    keys.press("KeyR")
    expect(shown_page).to_have_attribute("style", re.compile(r"rotate\(90deg\)"))
    keys.press("Digit0")
    keys.press("ArrowRight")
    expect(shown_page).to_have_attribute("alt", "Полис ОМС, страница 1")
    keys.press("Digit1")
    expect(shown_page).to_have_attribute("alt", "Паспорт, страница 1")
    jump = page.get_by_role("button", name=re.compile("сверить: Полис ОМС"))
    tab_to(page, jump)
    keys.press("Enter")
    expect(shown_page).to_have_attribute("alt", "Полис ОМС, страница 1")
    look(page, "review-case")

    keys.press("KeyE")
    dialog = page.get_by_role("dialog", name="Запросить уточнение")
    tab_to(page, dialog.get_by_label("СНИЛС", exact=True).first)
    keys.press("Space")
    why = dialog.get_by_label("Что не так: СНИЛС").first
    tab_to(page, why)
    look(page, "review-ask")
    keys.type("жну")
    tab_to(page, dialog.get_by_role("button", name="Отправить вопрос"))
    keys.press("Enter")
    page.get_by_text(f"{number}: вопрос отправлен.").wait_for()

    second = page.get_by_role("heading", level=1)
    expect(second).to_have_text(re.compile("ЭМК"))
    second_number = second.inner_text()
    page.get_by_role("button", name="Отклонить").wait_for()
    keys.press("KeyY")
    dialog = page.get_by_role("dialog", name="Отклонить заявку")
    ground = dialog.get_by_label("Причина")
    expect(ground).to_be_focused()
    for _ in range(2):
        keys.press("ArrowDown")
    dialog.get_by_text("приложены документы другого человека").wait_for()
    keys.press("Tab")
    keys.type("Полис соседа.")
    expect(dialog.locator("[data-mirror=note]")).to_have_text("Полис соседа.")
    look(page, "review-reject-preview")
    keys.press("Tab")
    keys.press("Enter")
    page.get_by_text(f"{second_number}: заявка отклонена.").wait_for()

    third = page.get_by_role("heading", level=1)
    expect(third).to_have_text(re.compile("ЭМК"))
    third_number = third.inner_text()
    assert len({number, second_number, third_number}) == 3
    page.get_by_role("button", name="Одобрить документы").first.wait_for()
    keys.press("KeyJ")
    confirm = page.get_by_role("dialog").filter(has_text="Одобрить документы?")
    expect(confirm.get_by_role("button", name="Одобрить документы")).to_be_focused()
    keys.press("Enter")
    page.get_by_text(f"{third_number}: документы одобрены.").wait_for()

    page.goto(f"/review/{slug(third_number)}")
    undo = page.get_by_role("button", name="Отменить решение")
    undo.wait_for()
    tab_to(page, undo)
    keys.press("Enter")
    keys.type("Паспорт другого человека.")
    keys.press("Tab")
    keys.press("Enter")
    page.get_by_text("Ответить должен другой оператор.").wait_for()
    look(page, "review-reversal-asked")
    colleague = visit("/review", person=OTHER_OPERATOR)
    colleague.get_by_role("button", name=re.compile("Отмена решений")).click()
    colleague.get_by_role("link", name=third_number).click()
    colleague.get_by_role("button", name="Отменить решение").first.click()
    dialog = colleague.get_by_role("dialog").filter(has_text="Отменить решение?")
    look(colleague, "review-reversal-confirm")
    free = page.get_by_role("button", name="Взять в работу")
    shown(
        "decision undone",
        lambda: dialog.get_by_role("button", name="Отменить решение").click(),
        free,
    )
    states = server.rows(
        "SELECT papers FROM applications WHERE tracking_number IN (?, ?, ?) ORDER BY papers",
        *map(slug, (number, second_number, third_number)),
    )
    assert states == [("rejected",), ("returned",), ("waiting",)]
