"""What a person chose or half did stays when a connection comes back, and goes with the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from reflex_base.event import Event

from emk_app import clock
from emk_app.domain.actors import Actor
from emk_app.edge.gate import BOOT, LOADING
from emk_app.services import employing
from emk_app.services.employing import Said
from emk_app.states.employer import EMPLOYER, EmployerState
from emk_app.states.session import PersonState, arrive, renew
from emk_app.states.sign_in import RegisterState, SignInState
from emk_app.states.staff_report import StaffReportState
from emk_app.states.support import SupportState
from tests.factories import make_employer, make_holder
from tests.states.conftest import Screen, Screens

LOADED: Final = Event(name=BOOT, payload={"hashes": ["of a page that was just loaded"]})
BACK: Final = Event(name=BOOT)
FOLLOWED: Final = Event(name=LOADING)
REPORT: Final = "/employer/report"
REGISTER: Final = "/register"


def add(owner: Actor, serial: int, department: str) -> None:
    said = Said(f"Сотрудник {serial}", "", department, "")
    employing.invite(owner, f"nobody{serial}@example.ru", said, now=clock.now())


def found(count: int) -> Callable[[EmployerState], bool]:
    return lambda state: len(state.staff) == count


async def with_kitchen(screens: Screens) -> tuple[Actor, Screen]:
    """Return a tab that shows the kitchen's staff alone."""
    owner = make_employer(clock.now())
    add(owner, 1, "Кухня")
    add(owner, 2, "Зал")
    tab = await screens.signed_in(owner.user_id)
    await tab.follow(LOADED, EMPLOYER)
    await tab.until(EmployerState, found(2))
    await tab.send(EmployerState.choose_department("Кухня"), EMPLOYER)
    await tab.send(EmployerState.choose_way("invitation"), EMPLOYER)
    await tab.until(EmployerState, found(1))
    return owner, tab


async def test_choice_outlives_the_connection_and_the_list_goes_on(screens: Screens):
    owner, tab = await with_kitchen(screens)
    for serial in (3, 4):
        await tab.follow(BACK, EMPLOYER)
        add(owner, serial, "Кухня")
        state = await tab.until(EmployerState, found(serial - 1))
        assert (state.department, state.way) == ("Кухня", "invitation")
    assert state.files_query
    assert tab.errors == []


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (LOADED, EMPLOYER),
        (FOLLOWED, EMPLOYER),
        (FOLLOWED, f"{EMPLOYER}?a=1"),
        (BACK, f"{EMPLOYER}?a=1"),
    ],
    ids=["loaded anew", "by a link to itself", "by a link with a query", "elsewhere meanwhile"],
)
async def test_page_that_is_opened_begins_anew(screens: Screens, event: Event, path: str):
    _, tab = await with_kitchen(screens)
    await tab.follow(event, path)
    state = await tab.until(EmployerState, found(2))
    assert (state.department, state.way, state.files_query) == ("", "link", "")


async def test_page_that_was_left_and_found_again_begins_anew(screens: Screens):
    owner, tab = await with_kitchen(screens)
    await tab.follow(FOLLOWED, REPORT)
    await tab.until(StaffReportState, lambda state: state.is_loaded)
    # The connection is lost there, and the page left meanwhile.
    await tab.follow(BACK, EMPLOYER)
    state = await tab.until(EmployerState, found(2))
    assert state.department == ""
    # What the page then says of itself takes nothing away of what was chosen since.
    await tab.send(EmployerState.choose_department("Зал"), EMPLOYER)
    await tab.follow(FOLLOWED, EMPLOYER)
    add(owner, 3, "Зал")
    state = await tab.until(EmployerState, found(2))
    assert state.department == "Зал"
    # The next link counts again.
    await tab.follow(FOLLOWED, EMPLOYER)
    await tab.until(EmployerState, found(3))


async def test_choice_made_before_the_page_is_begun_is_kept(screens: Screens):
    owner = make_employer(clock.now())
    add(owner, 1, "Кухня")
    add(owner, 2, "Зал")
    # Nothing is known of the tab any more: what it chose comes with its connection.
    tab = await screens.signed_in(owner.user_id)
    await tab.send(EmployerState.choose_department("Кухня"), EMPLOYER)
    await tab.follow(BACK, EMPLOYER)
    add(owner, 3, "Кухня")
    state = await tab.until(EmployerState, found(2))
    assert state.department == "Кухня"


async def test_choice_made_before_a_page_that_is_opened_again_is_begun_is_kept(screens: Screens):
    owner, tab = await with_kitchen(screens)
    await tab.follow(FOLLOWED, REPORT)
    await tab.until(StaffReportState, lambda state: state.is_loaded)
    # The page shows what it knows before the server begins it, and somebody is quick.
    await tab.send(EmployerState.choose_department("Зал"), EMPLOYER)
    await tab.follow(EmployerState.follow, EMPLOYER)
    add(owner, 3, "Зал")
    state = await tab.until(EmployerState, found(2))
    assert (state.department, state.way) == ("Зал", "invitation")


async def test_another_person_begins_with_nothing(screens: Screens):
    await with_kitchen(screens)
    other = make_employer(clock.now())
    add(other, 3, "Кухня")
    add(other, 4, "Зал")
    tab = await screens.signed_in(other.user_id)
    await tab.follow(BACK, EMPLOYER)
    state = await tab.until(EmployerState, found(2))
    assert state.department == ""


async def test_step_of_registration_outlives_the_connection(screens: Screens):
    tab = await screens.stranger()
    await tab.send(LOADED, REGISTER)
    async with tab.changing(RegisterState) as state:
        state.step, state.problem = "contact", "Код не подошёл."
    await tab.send(BACK, REGISTER)
    state = await tab.state(RegisterState)
    assert (state.step, state.problem) == ("contact", "Код не подошёл.")
    await tab.send(LOADED, REGISTER)
    state = await tab.state(RegisterState)
    assert (state.step, state.problem) == ("form", "")


async def test_way_of_signing_in_outlives_the_connection(screens: Screens):
    tab = await screens.stranger()
    await tab.send(LOADED, "/login")
    async with tab.changing(SignInState) as state:
        state.step, state.way, state.is_sent = "code", "sms", True
    await tab.send(BACK, "/login")
    state = await tab.state(SignInState)
    assert (state.step, state.way, state.is_sent) == ("code", "sms", True)
    await tab.send(LOADED, "/login")
    assert (await tab.state(SignInState)).step == "password"


async def test_ticket_that_was_left_does_not_open_again(screens: Screens):
    tab = await screens.signed_in(make_holder(clock.now()).user_id)
    path = "/cabinet/support?ticket=1"
    await tab.follow(LOADED, path)
    await tab.until(SupportState, lambda state: state.is_loaded)
    async with tab.changing(SupportState) as state:
        key = state.form_key
    await tab.follow(BACK, path)
    await tab.until(PersonState, lambda state: state.role == "holder")
    assert key and (await tab.state(SupportState)).form_key == key


async def test_states_begin_one_by_one(screens: Screens):
    tab = await screens.stranger()

    async def begun(kind: Any, begin: Any = renew) -> bool:
        async with tab.changing(kind) as state:
            return await begin(state)

    assert [await begun(SignInState), await begun(SignInState)] == [True, False]
    assert [await begun(PersonState, arrive), await begun(PersonState)] == [True, False]
    await tab.leave()
    async with tab.changing(PersonState) as state:
        state.name = "Анна"
    assert await begun(PersonState, arrive)
    assert (await tab.state(PersonState)).name == "Анна"
    await tab.leave()
    assert await begun(PersonState)
    assert (await tab.state(PersonState)).name == ""
