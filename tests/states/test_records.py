"""A record shown to a physician, in two tabs at once: what each sees, and what is left after."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from emk_app import clock
from emk_app.domain.actors import Actor, Position
from emk_app.presenting.books import CardRow
from emk_app.presenting.disclosures import RecordRow
from emk_app.services import showing
from emk_app.states.records import ClinicRecordsState, RecordsState
from tests.factories import make_book, make_clinic, make_holder, make_physician
from tests.states.conftest import Screen, Screens

HOLDERS = "/cabinet/book/access"
READERS = "/clinic/records"
OFFER = {"scope": "whole", "minutes": "15"}
HANDOVER = {
    "receiver": "СК «Надежда»",
    "purpose": "insurance",
    "handover_scope": "fhir",
    "days": "1",
    "consent": "on",
}
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]})


def holder_with_book() -> Actor:
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    return holder


async def holders_tab(screens: Screens, holder: Actor, **more: Any) -> Screen:
    screen = await screens.signed_in(holder.user_id, **more)
    await screen.follow(RecordsState.follow, HOLDERS)
    await screen.until(RecordsState, lambda state: state.is_loaded)
    return screen


async def readers_tab(
    screens: Screens, position: Position = Position.PHYSICIAN, **more: Any
) -> Screen:
    physician = make_physician(make_clinic(), clock.now(), position)
    screen = await screens.signed_in(physician.user_id, **more)
    await screen.follow(ClinicRecordsState.follow, READERS)
    await screen.until(ClinicRecordsState, lambda state: state.is_loaded)
    return screen


async def opened(screens: Screens, holder: Actor) -> tuple[Screen, Screen]:
    mine, theirs = await holders_tab(screens, holder), await readers_tab(screens)
    await mine.send(RecordsState.offer(OFFER), HOLDERS)
    code = (await mine.state(RecordsState)).code
    await theirs.follow(ClinicRecordsState.enter({"record_code": code}), READERS)
    state = await theirs.until(ClinicRecordsState, lambda state: state.record.id > 0)
    assert (state.record.name, state.record.is_open) == ("Иванова Мария Сергеевна", False)
    assert state.card == CardRow()
    await theirs.send(ClinicRecordsState.confirm, READERS)
    assert (await theirs.state(ClinicRecordsState)).card.conclusion
    return mine, theirs


def nothing_of_it(state: ClinicRecordsState) -> bool:
    return (state.record, state.card) == (RecordRow(), CardRow()) and not (
        state.part or state.items or state.shots or state.papers
    )


async def test_holder_sees_who_reads_what_and_ends_it(screens: Screens):
    mine, theirs = await opened(screens, holder_with_book())
    state = await mine.until(
        RecordsState, lambda state: bool(state.live_grants and state.live_grants[0].reads)
    )
    row = state.live_grants[0]
    assert (row.who, row.is_open, state.code) == ("Петров Пётр Петрович", True, "")
    await theirs.send(ClinicRecordsState.show("studies"), READERS)
    assert (await theirs.state(ClinicRecordsState)).items
    state = await mine.until(RecordsState, lambda state: len(state.live_grants[0].reads) == 2)
    assert state.live_grants[0].reads[0].what == "Исследования"
    await mine.send(RecordsState.end(row.id), HOLDERS)
    closed = await theirs.until(ClinicRecordsState, nothing_of_it)
    assert closed.ended
    assert closed.records == []
    assert (await mine.state(RecordsState)).live_grants == []


async def test_record_leaves_a_tab_whose_page_is_elsewhere(screens: Screens):
    holder = holder_with_book()
    _, theirs = await opened(screens, holder)
    # The page's own loop ends with the page; the one that was started by the code goes on.
    theirs._followed[0].cancel()
    grant = showing.shown(holder, now=clock.now())[0]
    showing.end(holder, grant.id, now=clock.now())
    await theirs.until(ClinicRecordsState, nothing_of_it)


async def test_end_of_the_time_closes_the_screen(screens: Screens, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("emk_app.states.live.TICK", 0.05)
    _, theirs = await opened(screens, holder_with_book())
    later = clock.now() + timedelta(minutes=15)
    monkeypatch.setattr("emk_app.states.records.clock.now", lambda: later)
    await theirs.until(ClinicRecordsState, nothing_of_it)


async def test_physician_puts_it_away(screens: Screens):
    mine, theirs = await opened(screens, holder_with_book())
    await theirs.send(ClinicRecordsState.put_away, READERS)
    assert nothing_of_it(await theirs.state(ClinicRecordsState))
    state = await mine.until(RecordsState, lambda state: not state.live_grants)
    assert state.grants[0].state == "закрыта врачом"


async def test_wrong_code_is_told_beside_its_field(screens: Screens):
    theirs = await readers_tab(screens)
    for typed in ("", "12", "0000 0000"):
        await theirs.send(ClinicRecordsState.enter({"record_code": typed}), READERS)
        state = await theirs.state(ClinicRecordsState)
        assert state.problem
        assert (state.typed, nothing_of_it(state)) == (typed, True)


async def test_registrar_is_told_who_reads(screens: Screens):
    theirs = await readers_tab(screens, Position.REGISTRAR)
    assert (await theirs.state(ClinicRecordsState)).is_closed_to


async def test_stale_factor_asks_for_a_code_on_both_sides(screens: Screens):
    stale = clock.now() - timedelta(minutes=6)
    mine = await holders_tab(screens, holder_with_book(), factor_at=stale)
    await mine.send(RecordsState.offer(OFFER), HOLDERS)
    state = await mine.state(RecordsState)
    assert (state.needs_code, state.code, bool(state.errors["code"])) == (True, "", True)
    await mine.send(RecordsState.hand_over(HANDOVER), HOLDERS)
    state = await mine.state(RecordsState)
    assert (state.handover_needs_code, state.handovers) == (True, [])
    theirs = await readers_tab(screens, factor_at=stale)
    await theirs.send(ClinicRecordsState.enter({"record_code": "0000 0000"}), READERS)
    assert (await theirs.state(ClinicRecordsState)).code_problem


async def test_foreign_and_forged_grants_open_nothing(screens: Screens):
    holder = holder_with_book()
    mine, theirs = await opened(screens, holder)
    grant_id = showing.shown(holder, now=clock.now())[0].id
    thief = await readers_tab(screens)
    for forged in (grant_id, *NONSENSE):
        await thief.send(ClinicRecordsState.resume(0), READERS)
        await thief.forge(name_of("resume"), READERS, grant_id=forged)
        await thief.forge(name_of("show"), READERS, part=forged)
        await thief.send(ClinicRecordsState.confirm, READERS)
        assert nothing_of_it(await thief.state(ClinicRecordsState))
    assert (await theirs.state(ClinicRecordsState)).record.is_open
    other = await holders_tab(screens, holder_with_book())
    await other.send(RecordsState.end(grant_id), HOLDERS)
    assert (await mine.state(RecordsState)).live_grants


async def test_link_for_another_system_is_made_and_closed(screens: Screens):
    mine = await holders_tab(screens, holder_with_book())
    await mine.send(RecordsState.hand_over(HANDOVER | {"receiver": "", "consent": ""}), HOLDERS)
    errors = (await mine.state(RecordsState)).errors
    assert errors["receiver"]
    assert errors["consent"]
    await mine.send(RecordsState.hand_over(HANDOVER), HOLDERS)
    (row,) = (await mine.state(RecordsState)).handovers
    assert (row.receiver, row.is_waiting) == ("СК «Надежда»", True)
    assert "/handover/" in row.url
    await mine.send(RecordsState.close_handover(row.id), HOLDERS)
    (row,) = (await mine.state(RecordsState)).handovers
    assert (row.is_waiting, row.url) == (False, "")


def name_of(handler: str) -> str:
    state = "reflex___state____state.emk_app___states___records____clinic_records_state"
    return f"{state}.{handler}"


async def test_page_on_which_no_time_runs_out_asks_nothing(
    screens: Screens, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("emk_app.states.live.TICK", 0.01)
    asked: list[Actor] = []
    shown = showing.shown

    def noted(actor: Actor, **more: Any) -> Any:
        asked.append(actor)
        return shown(actor, **more)

    monkeypatch.setattr(showing, "shown", noted)
    holder = holder_with_book()
    mine = await holders_tab(screens, holder)
    await asyncio.sleep(0.1)
    assert len(asked) == 1
    # With a code out, time does run.
    await mine.send(RecordsState.offer(OFFER), HOLDERS)
    asked.clear()
    await asyncio.sleep(0.1)
    assert asked
