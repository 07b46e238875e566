"""A connection that comes back begins nothing anew: what was chosen and half typed stays."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit, give_cookie
from tests.e2e.wire import LOAD, ROOT, Wire, event, is_loaded
from tests.running import ADMIN, OPERATOR, Server

STAFFED = """
from emk_app import clock
from emk_app.services import employing
from emk_app.services.employing import Said
from tests import factories
now = clock.now()
owner = factories.make_employer(now)
for serial, department in enumerate(("Кухня", "Кухня", "Зал")):
    said = Said(f"Сотрудник {serial}", "", department, "")
    employing.invite(owner, f"nobody{serial}@example.ru", said, now=now)
print(owner.user_id)
"""
REVIEW = f"{ROOT}.emk_app___states___review____review_state"
FILTERED = re.compile(r"department=")
# The script has a new connection, and the page's first events have been answered on it.
AGAIN = """() => new Promise((resolve) => {
  const was = window.emkHeard.since;
  const look = () =>
    window.emkHeard.on && window.emkHeard.since > was ? setTimeout(resolve, 500)
                                                      : setTimeout(look, 20);
  dispatchEvent(new Event("emk-connect"));
  look();
})"""


def connect_anew(page: Page) -> None:
    """Lose the connection, and have another."""
    page.evaluate(AGAIN)


def test_filter_of_staff_and_a_half_filled_form_outlive_the_connection(
    server: Server, visit: Visit
):
    owner = int(server.python(STAFFED).splitlines()[-1])
    page = visit()
    give_cookie(page.context, server, server.cookie_for(owner))
    page.goto("/employer")
    page.get_by_text("Найдено 3 сотрудника.").wait_for()
    page.get_by_label("Подразделение").last.select_option("Кухня")
    page.get_by_text("Найдено 2 сотрудника.").wait_for()
    page.get_by_text("Добавить сотрудника").click()
    page.get_by_text("Пригласить", exact=True).click()
    page.get_by_label("Как записать в списке").fill("Недописанн")
    for _ in range(2):
        connect_anew(page)
        expect(page.get_by_text("Найдено 2 сотрудника.")).to_be_visible()
        expect(page.get_by_label("Подразделение").last).to_have_value("Кухня")
        expect(page.get_by_role("link", name="Печать")).to_have_attribute("href", FILTERED)
        expect(page.get_by_label("Как записать в списке")).to_have_value("Недописанн")

    # Whoever goes away and comes back begins anew, and so does who loads the page.
    page.get_by_role("link", name="Доступ к кабинету").first.click()
    page.get_by_text("это вы").wait_for()
    connect_anew(page)
    page.go_back()
    page.get_by_text("Найдено 3 сотрудника.").wait_for()
    page.get_by_label("Подразделение").last.select_option("Кухня")
    page.get_by_text("Найдено 2 сотрудника.").wait_for()
    page.reload()
    page.get_by_text("Найдено 3 сотрудника.").wait_for()


def test_what_only_might_leave_the_page_leaves_it_connected(visit: Visit):
    page = visit("/admin/news", person=ADMIN)
    page.get_by_text("Новостей ещё нет").wait_for()
    since = page.evaluate("window.emkHeard.since")
    # As a link to a letter or a telephone does, and a download in some browsers.
    page.evaluate("dispatchEvent(new Event('beforeunload'))")
    page.wait_for_timeout(300)
    assert page.evaluate("[window.emkHeard.on, window.emkHeard.since]") == [True, since]


def test_a_news_that_is_being_written_outlives_the_connection(server: Server, visit: Visit):
    page = visit("/admin/news", person=ADMIN)
    page.get_by_role("button", name="Написать новость").click()
    page.get_by_label("Заголовок").fill("О праздни")
    connect_anew(page)
    expect(page.get_by_label("Заголовок")).to_have_value("О праздни")
    page.get_by_label("Заголовок").fill("О праздниках")
    page.get_by_label("Текст").fill("Работаем без выходных.")
    page.get_by_role("button", name="Сохранить").click()
    page.get_by_role("row", name="О праздниках").wait_for()


def test_page_that_comes_back_before_its_socket_is_missed_is_the_same(server: Server):
    """As a telephone does that goes from one network to another: the old socket says nothing."""
    cookie, place = server.cookie_of(OPERATOR), "/review/x"
    with Wire(server, cookie, boot=event(LOAD, {"hashes": []}, place)) as left:
        left.wait(lambda: is_loaded(left))
        left.call(f"{REVIEW}.choose_ground", {"code": "other"}, place)
        assert left.state()[REVIEW]["ground_rx_state_"] == "other"
        with Wire(server, cookie, tab=left.tab, boot=event(LOAD, path=place)) as back:
            back.wait(lambda: is_loaded(back))
            assert back.state()[REVIEW]["ground_rx_state_"] == "other"
            assert not any("new_token" in frame for frame in back.frames)
            # Where somebody hears it after all, they do not come back by themselves.
            left.wait_closed()
            assert left.frames[-1] == "41/_event,"
            back.call(f"{REVIEW}.choose_ground", {"code": ""}, place)
            assert back.state()[REVIEW]["ground_rx_state_"] == ""
        # A copied tab is loaded, and another one.
        with (
            Wire(server, cookie, tab=left.tab, boot=event(LOAD, path=place)) as back,
            Wire(server, cookie, tab=left.tab, boot=event(LOAD, {"hashes": []}, place)) as copy,
        ):
            copy.wait(lambda: any("new_token" in frame for frame in copy.frames))
            assert back.state()[REVIEW]["ground_rx_state_"] == ""
