"""Which frames of the socket reach the framework."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.edge.frames import LONGEST, read

EVENT = {
    "name": "reflex___state____state.hydrate",
    "payload": {"form": {"login": "я"}},
    "router_data": {"pathname": "/login", "asPath": "/login?a=1", "query": {"a": "1"}},
}


def said(*arguments: object) -> str:
    return "42/_event," + json.dumps(arguments)


def connected(auth: object) -> str:
    return "40/_event," + json.dumps(auth)


@pytest.mark.parametrize(
    "frame",
    [
        "2",
        "3",
        "1",
        "40/_event,",
        "41/_event,",
        connected({}),
        connected({"event": EVENT, "state_schema": "a1"}),
        said("event", EVENT),
        said("event", {"name": "a.b"}),
        said("client_error", {"message": "x"}),
    ],
)
def test_what_a_page_says_passes(frame: str):
    assert read(frame) is not None


@pytest.mark.parametrize(
    "frame",
    [
        "",
        None,
        b"2",
        "0",
        "4",
        "9",
        "6",
        "42",
        "42/_event",
        "42/_event,",
        "42/_event,{",
        "42/_event,[]",
        "42/_event,1[]",
        "43/_event,1[]",
        "44/_event,{}",
        '452-/_event,["event",{"_placeholder":true,"num":0}]',
        "40",
        "40/,",
        "40/admin,",
        '42["event",{"name":"a.b"}]',
        said("event"),
        said("event", EVENT, EVENT),
        said("event", None),
        said("event", "{}"),
        said("event", [EVENT]),
        said("ping", {}),
        said("on_event", EVENT),
        said("disconnect"),
        said("disconnect", {}),
        said("client_error", "x"),
        said("connect", {"QUERY_STRING": "token=victim", "asgi.scope": {"client": ["10.0.0.1"]}}),
        said("event", EVENT | {"name": 1}),
        said("event", EVENT | {"payload": []}),
        said("event", EVENT | {"router_data": 5}),
        said("event", EVENT | {"router_data": {"pathname": {"a": 1}}}),
        said("event", EVENT | {"router_data": {"asPath": None}}),
        said("event", EVENT | {"router_data": {"query": "x"}}),
        said("event", EVENT | {"router_data": {"query": {"a": [1]}}}),
        connected([]),
        connected({"event": "x"}),
        connected({"event": EVENT | {"router_data": {"query": []}}}),
        '42/_event,["event",' + '{"name":' * 5000 + "1" + "}" * 5000 + "]",
        said("event", EVENT | {"payload": {"text": "x" * LONGEST}}),
    ],
)
def test_anything_else_does_not(frame: object):
    assert read(frame) is None


@given(st.text())
def test_no_text_breaks_the_reader(text: str):
    assert read("42/_event," + text + "{") is None
