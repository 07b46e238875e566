"""The report on the staff, in a tab that follows the list."""

from __future__ import annotations

from typing import Any

import pytest

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.services import employing
from emk_app.services.employing import Said
from emk_app.states import staff_report
from emk_app.states.staff_report import REPORT, StaffReportState
from tests.states.conftest import Screen, Screens
from tests.states.test_employer import NONSENSE, made_employer, made_owner


async def report_tab(screens: Screens, user_id: int) -> Screen:
    screen = await screens.signed_in(user_id)
    await screen.follow(StaffReportState.follow, REPORT)
    await screen.until(StaffReportState, lambda state: state.is_loaded)
    return screen


async def test_without_an_organisation_there_is_nothing_to_count(screens: Screens):
    tab = await report_tab(screens, made_employer())
    state = await tab.state(StaffReportState)
    assert (state.organisation, tab.errors) == ("", [])
    await tab.send(StaffReportState.choose_group("Медицина"), REPORT)
    assert tab.errors == []


async def test_report_follows_the_list_and_is_narrowed(
    screens: Screens, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(staff_report, "PAUSE", 0.0)
    owner = made_owner()
    tab = await report_tab(screens, owner.user_id)
    assert (await tab.state(StaffReportState)).report.is_empty
    for name, department in (("a", "Кухня"), ("b", "Зал")):
        said = Said("Анна", "", department, "cook")
        employing.invite(owner, f"{name}@example.ru", said, now=clock.now())
    state = await tab.until(
        StaffReportState, lambda state: len(state.report.departments.lines) == 2
    )
    assert state.departments == [["Зал", "Зал"], ["Кухня", "Кухня"]]
    await tab.send(StaffReportState.choose_department("Зал"), REPORT)
    state = await tab.state(StaffReportState)
    assert [line.name for line in state.report.departments.lines] == ["Зал"]
    await tab.send(StaffReportState.choose_department(""), REPORT)
    await tab.send(StaffReportState.choose_group("Медицина"), REPORT)
    assert (await tab.state(StaffReportState)).report.is_empty


@pytest.mark.parametrize("sent", NONSENSE)
async def test_what_no_page_sends_changes_nothing(sent: Any, screens: Screens):
    tab = await report_tab(screens, made_owner().user_id)
    name = StaffReportState.get_full_name()
    await tab.forge(f"{name}.choose_department", REPORT, department=sent)
    await tab.forge(f"{name}.choose_group", REPORT, group=sent)
    assert tab.errors == []


async def test_holder_gets_no_report(screens: Screens):
    from emk_app.services import accounts
    from tests.factories import PASSWORD, SECRET

    user_id = accounts.create_user(
        Role.HOLDER, "h@example.ru", PASSWORD, totp_secret=SECRET, now=clock.now()
    )
    tab = await screens.signed_in(user_id)
    await tab.send(StaffReportState.choose_group("Медицина"), REPORT)
    assert not (await tab.state(StaffReportState)).is_loaded
