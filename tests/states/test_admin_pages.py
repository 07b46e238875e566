"""Screens of administration as two administrators meet them."""

from __future__ import annotations

from typing import Any

import pytest

from emk_app import clock
from emk_app.db.engine import unit_of_work
from emk_app.db.tables.journal import Job
from emk_app.domain.actors import Actor
from emk_app.domain.switches import Feature
from emk_app.services import entrusting, switching
from emk_app.states.inspecting import AuditState
from emk_app.states.people import InviteState, PeopleState, PersonDeskState, StaffOrderState
from emk_app.states.session import MessageState
from emk_app.states.switches import SwitchesState
from emk_app.states.tending import JobsState, KeysState
from tests.factories import make_admin, make_operator
from tests.states.conftest import Screen, Screens

PEOPLE, PERSON = "/admin/people", "/admin/people/[user_arg]"
ORDER = "/admin/people/orders/[order_arg]"
INVITE: dict[str, Any] = {
    "login": "new@example.ru",
    "name": "Новикова Ольга",
    "role": "operator",
    "reason": "Приём",
    "code": "",
}


@pytest.fixture
def admin(world: None) -> Actor:
    return make_admin(clock.now())


async def tab_of(screens: Screens, actor: Actor) -> Screen:
    return await screens.signed_in(actor.user_id)


async def test_invitation_goes_from_one_administrator_to_the_other(screens: Screens, admin: Actor):
    first, second = await tab_of(screens, admin), await tab_of(screens, make_admin(clock.now()))
    await second.follow(PeopleState.follow, PEOPLE)
    await second.until(PeopleState, lambda state: state.is_loaded)
    await first.send(InviteState.load, f"{PEOPLE}/new")
    await first.send(InviteState.invite({**INVITE, "login": "x", "reason": ""}), f"{PEOPLE}/new")
    errors = (await first.state(InviteState)).errors
    assert errors["login"] and errors["reason"] and not errors["name"]
    await first.send(InviteState.invite(INVITE), f"{PEOPLE}/new")
    [waits] = (await second.until(PeopleState, lambda state: state.waiting != [])).waiting
    assert first.gone_to == waits.href
    number = waits.href.rsplit("/", 1)[1]
    for tab in (first, second):
        await tab.follow(StaffOrderState.follow, ORDER, order_arg=number)
        await tab.until(StaffOrderState, lambda state: state.is_loaded)
    await first.send(StaffOrderState.confirm({}), ORDER, order_arg=number)
    assert "другой администратор" in (await first.state(MessageState)).assertive
    await second.send(StaffOrderState.confirm({}), ORDER, order_arg=number)
    assert (await second.state(MessageState)).polite.startswith("Учётная запись создана")
    seen = await first.until(StaffOrderState, lambda state: state.person != "")
    assert not seen.order.is_open
    assert first.errors == second.errors == []


async def test_account_is_found_shut_and_opened_by_two(screens: Screens, admin: Actor):
    target = make_operator(clock.now()).user_id
    make_admin(clock.now())
    first, second = await tab_of(screens, admin), await tab_of(screens, make_admin(clock.now()))
    await first.send(PeopleState.find({"login": ""}), PEOPLE)
    assert (await first.state(PeopleState)).error.startswith("Введите")
    await first.send(PeopleState.find({"login": "nobody@example.ru"}), PEOPLE)
    assert "нет" in (await first.state(PeopleState)).error
    await first.send(PeopleState.find({"login": str(target)}), PEOPLE)
    assert first.gone_to == f"{PEOPLE}/{target}"
    for tab in (first, second):
        await tab.follow(PersonDeskState.follow, PERSON, user_arg=str(target))
        await tab.until(PersonDeskState, lambda state: state.is_loaded)
    await first.send(PersonDeskState.block({"block_reason": ""}), PERSON, user_arg=str(target))
    assert (await first.state(PersonDeskState)).errors["reason"]
    form = {"block_reason": "Взломали почту"}
    await first.send(PersonDeskState.block(form), PERSON, user_arg=str(target))
    seen = await second.until(PersonDeskState, lambda state: state.standing.id > 0)
    assert (seen.person.tone, seen.person.may_unblock) == ("danger", False)
    assert seen.standing.may_confirm and seen.standing.reason == "Взломали почту"
    [waits] = entrusting.waiting(admin)
    entrusting_form: dict[str, Any] = {}
    await second.send(StaffOrderState.decline(entrusting_form), ORDER, order_arg=str(waits.id))
    seen = await first.until(PersonDeskState, lambda state: state.standing.id == 0)
    assert seen.person.may_block and len(seen.history) == 1


async def test_rights_sessions_and_a_new_password_are_asked_for_on_the_page(
    screens: Screens, admin: Actor
):
    target = make_operator(clock.now()).user_id
    theirs = await screens.signed_in(target)
    tab = await tab_of(screens, admin)
    arg = {"user_arg": str(target)}
    await tab.follow(PersonDeskState.follow, PERSON, **arg)
    state = await tab.until(PersonDeskState, lambda state: state.is_loaded)
    assert (state.person.has_sessions, state.role) == (True, "operator")
    await tab.send(PersonDeskState.end_sessions({}), PERSON, **arg)
    assert (await tab.state(MessageState)).polite == "Закончено: 1\u00a0сеанс."
    assert not (await tab.state(PersonDeskState)).person.has_sessions
    await tab.send(PersonDeskState.start_reset({}), PERSON, **arg)
    assert "Ссылка" in (await tab.state(MessageState)).polite
    await tab.send(PersonDeskState.choose_role("clinic"), PERSON, **arg)
    await tab.send(PersonDeskState.choose_position("physician"), PERSON, **arg)
    form = {"role": "clinic", "clinic": "1", "position": "physician", "change_reason": "x"}
    await tab.send(PersonDeskState.change(form), PERSON, **arg)
    errors = (await tab.state(PersonDeskState)).errors
    assert errors["clinic"] and errors["specialties"]
    await tab.send(PersonDeskState.change({"role": "support", "change_reason": "x"}), PERSON, **arg)
    assert (await tab.state(PersonDeskState)).standing.wanted == "поддержка"
    assert tab.errors == theirs.errors == []


async def test_staff_are_filtered_and_unknown_pages_are_empty(screens: Screens, admin: Actor):
    make_operator(clock.now())
    tab = await tab_of(screens, admin)
    await tab.follow(PeopleState.follow, PEOPLE)
    assert len((await tab.until(PeopleState, lambda state: state.is_loaded)).rows) == 2
    await tab.send(PeopleState.choose_role("admin"), PEOPLE)
    assert [row.role for row in (await tab.state(PeopleState)).rows] == ["администратор"]
    await tab.send(PeopleState.choose_clinic({"clinic": "1.2.3"}), PEOPLE)
    assert (await tab.state(PeopleState)).clinic_error
    for arg in ("0", "99999", "x" * 300, "-1"):
        await tab.follow(PersonDeskState.follow, PERSON, user_arg=arg)
        await tab.until(PersonDeskState, lambda state: state.is_missing)
    await tab.follow(StaffOrderState.follow, ORDER, order_arg="77")
    await tab.until(StaffOrderState, lambda state: state.is_missing)
    assert tab.errors == []


async def test_job_that_was_given_up_is_laid_aside(screens: Screens, admin: Actor):
    now = clock.now()
    with unit_of_work() as db:
        db.add(
            Job(
                kind="erase", key="x", target_id=1, created_at=now, due_at=now, failed_at=now,
                attempts=8, failure="LookupError", incident="abcd1234",
            )
        )  # fmt: skip
    tab = await tab_of(screens, admin)
    await tab.follow(JobsState.follow, "/admin/jobs")
    [row] = (await tab.until(JobsState, lambda state: state.is_loaded)).failed
    assert (row.kind, row.why) == ("Удаление данных", "LookupError, сбой abcd1234")
    await tab.send(JobsState.begin_drop(row.id), "/admin/jobs")
    await tab.send(JobsState.drop({"why": ""}), "/admin/jobs")
    assert (await tab.state(JobsState)).error
    await tab.send(JobsState.drop({"why": "Не нужно"}), "/admin/jobs")
    state = await tab.state(JobsState)
    assert state.dropping.id == 0 and state.failed[0].is_dropped
    await tab.send(JobsState.retry(row.id), "/admin/jobs")
    assert (await tab.state(JobsState)).failed == []
    await tab.send(JobsState.retry(row.id), "/admin/jobs")
    assert (await tab.state(MessageState)).assertive
    await tab.send(KeysState.load, "/admin/keys")
    assert {each.turn for each in (await tab.state(KeysState)).rows} == {"подписывает"}
    assert tab.errors == []


async def test_journal_is_sought_read_back_and_its_chain_checked(screens: Screens, admin: Actor):
    tab = await tab_of(screens, admin)
    await tab.send(AuditState.load, "/admin/audit")
    state = await tab.state(AuditState)
    assert state.is_loaded and state.is_first and state.rows
    await tab.send(AuditState.seek({"since": "вчера"}), "/admin/audit")
    assert (await tab.state(AuditState)).errors["since"]
    form = {"who": str(admin.user_id), "action": "view"}
    await tab.send(AuditState.seek(form), "/admin/audit")
    state = await tab.state(AuditState)
    assert state.errors["since"] == ""
    assert state.csv == f"/api/audit.csv?who={admin.user_id}&action=view"
    await tab.send(AuditState.show_older, "/admin/audit")
    await tab.send(AuditState.show_newest, "/admin/audit")
    await tab.send(AuditState.verify, "/admin/audit")
    state = await tab.state(AuditState)
    assert (state.chain_tone, state.busy) == ("success", False)
    assert tab.errors == []


async def test_feature_is_switched_and_seen_live(screens: Screens, admin: Actor):
    tab, other = await tab_of(screens, admin), await tab_of(screens, make_admin(clock.now()))
    for each in (tab, other):
        await each.follow(SwitchesState.follow, "/admin/switches")
        await each.until(SwitchesState, lambda state: state.is_loaded)
    await tab.send(SwitchesState.begin("appeals"), "/admin/switches")
    await tab.send(SwitchesState.turn({"reason": ""}), "/admin/switches")
    assert (await tab.state(SwitchesState)).errors["reason"]
    await tab.send(SwitchesState.turn({"reason": "Авария"}), "/admin/switches")
    assert not switching.is_on(Feature.APPEALS, now=clock.now())
    seen = await other.until(SwitchesState, lambda state: any(not row.is_on for row in state.rows))
    assert [row.name for row in seen.rows if not row.is_on] == ["Возражения на заключения"]
    await other.send(SwitchesState.begin("appeals"), "/admin/switches")
    await other.send(SwitchesState.leave, "/admin/switches")
    assert (await other.state(SwitchesState)).turning.code == ""
    assert tab.errors == other.errors == []
