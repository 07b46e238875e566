"""What a screen does when the ground under it gives way."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import reflex as rx
import sqlalchemy as sa
from reflex_base.constants.state import FIELD_MARKER
from sqlmodel import col

from emk_app import clock
from emk_app.db.engine import Busy, unit_of_work
from emk_app.db.tables.people import User
from emk_app.domain.actors import Role
from emk_app.edge import gate
from emk_app.presenting import texts
from emk_app.services import resetting
from emk_app.states.recover import RecoverState
from emk_app.states.review import QueueState
from emk_app.states.session import MessageState
from tests.factories import make_clinic, make_holder, make_operator, make_received
from tests.running import ROOT
from tests.states.conftest import Screens

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def test_fault_that_befalls_its_own_message_ends_there(
    screens: Screens, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """With the database away, the words about it do not pass the gate either."""
    screen = await screens.stranger()
    again = asyncio.Event()
    faults = 0

    def fail(_name: str) -> None:
        nonlocal faults
        faults += 1
        if faults > 2:
            again.set()
        raise ValueError("112-233-445 95")

    monkeypatch.setattr(gate, "_declared", fail)
    await screen.send(MessageState.alert("да"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(again.wait(), 0.5)
    assert faults == 2
    assert len(caplog.records) == 2
    assert "112-233-445 95" not in caplog.text


@pytest.mark.parametrize("change", [{"disabled_at": LONG_AGO}, {"role": Role.HOLDER}])
async def test_open_screen_shows_nothing_more_to_whom_it_is_no_longer_for(
    screens: Screens, change: dict[str, Any]
):
    now = clock.now()
    operator = make_operator(now)
    screen = await screens.signed_in(operator.user_id)
    await screen.follow(QueueState.follow, "/review")
    await screen.until(QueueState, lambda state: state.is_loaded)
    with unit_of_work() as db:
        db.exec(sa.update(User).where(col(User.id) == operator.user_id).values(**change))
    shown = len(screen.shown)
    make_received(make_holder(now), now, clinic_id=make_clinic())
    await screen.until(MessageState, lambda state: bool(state.assertive or screen.gone_to))
    assert screen.gone_to == (gate.ENDED_PAGE if "disabled_at" in change else None)
    assert (await screen.state(QueueState)).rows == []
    assert not any("queue_state" in str(delta) for delta in screen.shown[shown:])


@pytest.mark.parametrize("fault", [Busy, ValueError])
async def test_button_does_not_turn_for_ever_after_a_fault(
    screens: Screens, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
):
    def fail(*_args: object, **_kwargs: object) -> None:
        raise fault

    monkeypatch.setattr(resetting, "ask", fail)
    screen = await screens.stranger()
    await screen.send(RecoverState.ask({"login": "anna@example.ru"}), "/recover")
    assert [type(each) for each in screen.errors] == [fault]
    is_turning = _said(screen.shown, RecoverState, "busy")
    assert is_turning[0] and not is_turning[-1]
    if fault is Busy:
        assert _said(screen.shown, MessageState, "assertive") == [texts.OUT_OF_ORDER]


def test_every_handler_that_sets_busy_takes_it_back():
    """``ends_busy`` stands wherever a handler turns a button."""
    for file in (ROOT / "emk_app" / "states").glob("*.py"):
        for handler in re.findall(
            r"(?:    @[^\n]+\n)+    (?:async )?def (?:(?!\n    (?:@|(?:async )?def)).)*",
            file.read_text(encoding="utf-8"),
            re.DOTALL,
        ):
            sets = re.search(r"self\.busy\b[^=\n]*= [^\n]*True", handler)
            assert bool(sets) == ("@ends_busy" in handler), handler[:200]


def _said(shown: list[Any], kind: type[rx.State], var: str) -> list[Any]:
    """Return the values of a var in the order in which the screen got them."""
    name, field = kind.get_full_name(), f"{var}{FIELD_MARKER}"
    return [each[name][field] for each in shown if field in each.get(name, {})]
