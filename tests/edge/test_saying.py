"""What is said to a page is the framework's own JSON, however it was written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import pytest
from reflex.istate.data import HeaderData, RouterData
from reflex.state import StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import json_dumps

from emk_app.edge import saying
from emk_app.emk_app import app
from emk_app.presenting.books import LinkRow, LookRow
from emk_app.states.book import BookState


class Tone(StrEnum):
    GOOD = "good"


@dataclass(frozen=True)
class Small:
    said: str = 'Книжка «действует»\n\u2028\x1f\\"'
    count: int = 3
    is_new: bool = True
    at: str | None = None


@dataclass(frozen=True)
class Large:
    rows: list[Small] = field(default_factory=lambda: [Small(), Small(count=-1)])
    pairs: tuple[tuple[str, int], ...] = (("a", 1), ("b", 2))
    named: dict[str, Small] = field(default_factory=lambda: {"one": Small()})


@dataclass(frozen=True)
class Odd:
    tone: Tone = Tone.GOOD
    on: date = date(2026, 7, 1)


@dataclass(frozen=True)
class Hidden:
    _inside: str = "x"


VALUES = [
    None,
    "ёж 🦔",
    -5,
    2**70,
    1.5,
    True,
    [],
    [[1, "a"], []],
    {"a": {"b": [Small()]}},
    (1, "two"),
    Small(),
    Large(),
    [Odd()],
    {"on": date(2026, 7, 1), "at": datetime(2026, 7, 1, 9, 30, tzinfo=UTC)},
    Tone.GOOD,
    {Tone.GOOD: 1},
    Hidden(),
    {1: "a"},
    {"few"},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_page_is_told_what_the_framework_would_tell(value: Any):
    update = StateUpdate(delta={"state": {"var_rx_state_": value}})
    said = saying.event("event", update)
    assert json.loads(said) == json.loads(json_dumps(["event", update]))


def test_same_rows_are_written_once_and_rows_that_can_change_each_time():
    rows = (LookRow(1, "23.11.2026 21:30", "для кафе", "Chrome", "Действует", "success"),)
    first = saying.event("event", StateUpdate(delta={"a": {"rows": rows, "count": 1}}))
    again = saying.event("event", StateUpdate(delta={"a": {"rows": rows, "count": 1}}))
    assert again == first
    for other in ({"rows": rows, "count": 2}, {"rows": rows, "count": True}, {"rows": rows}):
        said = saying.event("event", StateUpdate(delta={"a": other}))
        assert json.loads(said) == json.loads(
            json_dumps(["event", StateUpdate(delta={"a": other})])
        )
    listed: list[Any] = [Small()]
    pairs = {"a": {"rows": listed}}
    assert "ёж" not in saying.event("event", StateUpdate(delta=pairs))
    listed.append("ёж")
    assert "ёж" in saying.event("event", StateUpdate(delta=pairs))


def test_events_go_with_what_has_changed():
    update = StateUpdate(
        delta={"state": {"a": 1}}, events=[Event(name="_redirect", payload={"path": "/"})]
    )
    assert json.loads(saying.event("event", update)) == json.loads(json_dumps(["event", update]))
    assert saying.event("new_token", "abc") == '["new_token","abc"]'


def test_what_stands_for_the_cookie_is_never_told():
    headers = HeaderData.from_router_data({"headers": {"cookie": "signed_in.abc", "origin": "x"}})
    router = RouterData.from_router_data({"headers": {"cookie": "signed_in.abc"}})
    assert not saying.is_plain_row(HeaderData)
    for value in (headers, [headers], {"a": headers}, router):
        said = saying.event("event", StateUpdate(delta={"state": {"router": value}}))
        assert "signed_in" not in said


def test_rows_of_the_screens_are_written_at_once():
    assert saying.is_plain_row(LinkRow) and saying.is_plain_row(LookRow)
    assert not saying.is_plain_row(Odd) and not saying.is_plain_row(Hidden)


def test_defaults_of_all_screens_are_told_alike():
    assert app and BookState
    for state in RegistrationContext.get().base_states.values():
        made = state(init_substates=False, _reflex_internal_init=True)
        update = StateUpdate(
            delta={state.get_full_name(): {name: made.get_value(name) for name in state.base_vars}}
        )
        assert json.loads(saying.event("event", update)) == json.loads(
            json_dumps(["event", update])
        )
