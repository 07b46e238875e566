"""What a screen does when the ground under it gives way."""

from __future__ import annotations

import asyncio

import pytest

from emk_app.edge import gate
from emk_app.states.session import MessageState
from tests.states.conftest import Screens


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
