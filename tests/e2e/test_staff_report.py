"""The report and the keys of an employer, looked at; and a key that works over the wire."""

from __future__ import annotations

import httpx
import pypdfium2
from playwright.sync_api import expect

from tests.e2e.conftest import Visit, give_cookie
from tests.e2e.screens import SCREENSHOTS, check_width, look
from tests.running import Server

MADE = """
from datetime import timedelta
from emk_app import clock
from emk_app.services import employing, sharing
from emk_app.services.employing import Said
from tests import factories
now = clock.now()
owner = factories.make_employer(now)
for name, department, occupation, left in (
    ("А", "Кухня", "cook", 400),
    ("Б", "Кухня", "waiter", 20),
    ("В", "Лечебное отделение", "nurse", 90),
):
    holder = factories.make_holder(now)
    book_id = factories.make_ending_book(holder, now, left)
    link = sharing.make(holder, book_id, now=now)
    employing.add_by_link(owner, link.url, Said(name, "", department, occupation), now=now)
employing.invite(owner, "nobody@example.ru", Said("Г", "", "", ""), now=now)
print(owner.user_id)
"""

STAFFED = """
import json, random
from benchmarks import reports
from emk_app import clock
from emk_app.db.engine import unit_of_work
from emk_app.db.tables.employers import StaffGaps
from emk_app.domain.gaps import COUNTED, Gap, told
from emk_app.services import gap_counting
reports.STAFF, reports.DEPARTMENTS = 264, 16
owner = reports.fill()
chance = random.Random(8)
people = {
    "Общественное питание": 96, "Торговля": 41, "Дошкольные и школьные организации": 38,
    "Лечебно-профилактические организации": 14, "Гостиницы и бассейны": 7, "Парикмахерские": 3,
}
told_of = {}
for place, infection in enumerate(COUNTED):
    share = (0.5, 0.25, 0.12, 0.02)[place % 4]
    gaps = {name: Gap(count, round(count * share)) for name, count in people.items()}
    told_of[infection.code] = told(gaps, chance.random)
with unit_of_work() as db:
    db.add(
        StaffGaps(
            organisation_id=owner.organisation_id,
            counted_on=clock.today(),
            told=json.dumps(gap_counting._written(told_of)),
        )
    )
print(owner.user_id)
"""


def test_gaps_of_groups_are_read_wide_narrow_and_on_paper(server: Server, visit: Visit):
    owner = int(server.python(STAFFED).splitlines()[-1])
    page = visit()
    give_cookie(page.context, server, server.cookie_for(owner))
    page.goto("/employer/report")
    gaps = page.get_by_role("table", name="Сколько человек без прививки")
    gaps.wait_for()
    expect(gaps.get_by_role("row", name="Все группы")).to_contain_text(" из ")
    # Three people are no group that anything is told of.
    expect(gaps.get_by_role("row", name="Парикмахерские")).not_to_contain_text(" из ")
    look(page, "employer-gaps")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})
    check_width(page, "the printed report")
    page.screenshot(path=SCREENSHOTS / "employer-gaps-print.png", full_page=True)
    sheets = pypdfium2.PdfDocument(page.pdf(format="A4"))
    assert len(sheets) <= 8
    sheets[len(sheets) - 1].render(scale=1).to_pil().save(SCREENSHOTS / "employer-gaps-last.png")


def test_owner_reads_the_report_and_gives_a_program_a_key(server: Server, visit: Visit):
    server.keep_private("Иванова", "Ильинка", "112-233-445 95")
    owner = int(server.python(MADE).splitlines()[-1])
    page = visit()
    give_cookie(page.context, server, server.cookie_for(owner))
    page.goto("/employer/report")
    chart = page.get_by_role("img", name="Сколько сроков закончится по месяцам")
    chart.wait_for()
    expect(page.get_by_role("row", name="Кухня")).to_contain_text("2 (100\u00a0%)")
    look(page, "employer-report")
    page.emulate_media(media="print")
    expect(page.get_by_label("Подразделение")).to_be_hidden()
    expect(chart).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_label("Подразделение").select_option("Кухня")
    expect(page.get_by_role("row", name="Лечебное отделение")).to_have_count(0)

    page.goto("/employer/api")
    page.get_by_label("Для какой программы").fill("Кадровый учёт")
    page.get_by_label("Читать список").check()
    page.get_by_role("button", name="Сделать ключ").click()
    key = page.locator("code", has_text="emk_hr_")
    key.wait_for()
    server.keep_private(token := key.inner_text())
    look(page, "employer-keys")
    given = {"authorization": f"Bearer {token}"}
    address = f"{server.origin}/api/v1/employer/staff"
    found = httpx.get(address, headers=given).json()
    assert {each["light"] for each in found["items"]} == {"green", "yellow", "grey"}
    page.get_by_role("button", name="Отозвать", exact=True).click()
    page.get_by_role("button", name="Отозвать ключ").click()
    page.get_by_text("отозван", exact=True).wait_for()
    assert httpx.get(address, headers=given).json()["code"] == "key_revoked"
