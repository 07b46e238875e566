"""What an event of a browser is turned into before the framework sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from reflex.istate.data import RouterData

from emk_app import attempts
from emk_app.edge.gate import BOOT, BURST, FRAMEWORK, QuietNamespace, payload_of, place_of
from emk_app.emk_app import app
from emk_app.settings import settings
from emk_app.states.review import QueueState
from emk_app.states.session import MessageState

ALERT = f"{MessageState.get_full_name()}.alert"
FOLLOW = f"{QueueState.get_full_name()}.follow"
PLACE = {"pathname": "/login", "asPath": "/login?next=x", "query": {"next": "x"}}


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        "/login",
        {"pathname": {}},
        {"pathname": "login"},
        {"pathname": "/login", "asPath": {}},
        {"pathname": "/login", "asPath": "http://["},
        {"pathname": "/login", "asPath": "@evil.example["},
        {"pathname": "/login", "asPath": "/login?self=1", "query": {"self": "1"}},
        {"pathname": "/login", "query": [1]},
        {"pathname": "/login", "query": {"number-arg": ["x"], "y": None}},
        {"pathname": "/\ud83d", "asPath": "/\ud83d"},
        {"pathname": "/" + "x" * 100_000},
    ],
)
def test_place_is_text_that_the_framework_can_read(said: Any):
    place = place_of(said)
    router = RouterData.from_router_data({**place, "headers": {"origin": settings().origin}})
    assert router.url == "" or router.url.netloc == "localhost:8000"
    json.dumps(place, ensure_ascii=False).encode()


def test_what_stands_behind_the_hash_is_not_kept():
    place = place_of(PLACE | {"asPath": "/recover/new?a=1#secret"})
    assert place["asPath"] == "/recover/new?a=1"


def test_place_of_a_page_is_kept_as_it_is():
    assert place_of(PLACE) == PLACE


def test_what_follows_a_topic_is_not_started_by_a_browser():
    assert payload_of(FOLLOW, {}) is None


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {},
        {"text": "a", "other": 1},
        {"self": 1},
        {"text": "\ud83d"},
        {"text": ["\udc00"]},
    ],
)
def test_arguments_that_a_handler_does_not_take_are_dropped(said: Any):
    assert payload_of(ALERT, said) is None


def test_arguments_of_a_handler_are_kept_as_they_are():
    assert payload_of(ALERT, {"text": "ёж 🦔"}) == {"text": "ёж 🦔"}


def test_framework_is_told_nothing_of_the_browsers_storage():
    assert payload_of(BOOT, {"vars": {"state.x": 1}, "hashes": ["a", 1]}) == {"hashes": ["a", "1"]}
    assert payload_of(BOOT, {"hashes": {"a": 1}}) == {}


def test_browser_does_not_say_that_its_page_is_loaded():
    assert all(
        payload_of(name, {"value": True}) is None
        for name in FRAMEWORK
        if name.endswith(".set_is_hydrated")
    )


def test_unknown_handler_is_dropped():
    assert payload_of("state.unknown", {}) is None


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"name": "no.such.handler", "payload": {}}, ""),
        ({"name": ALERT, "payload": {"text": "112-233-445 95", "role": "admin"}}, f" at {ALERT}"),
        ({"name": FOLLOW, "payload": {}}, f" at {FOLLOW}"),
        ("112-233-445 95", ""),
    ],
)
async def test_event_that_no_page_sends_is_noted_by_its_handler_alone(
    caplog: pytest.LogCaptureFixture, said: Any, place: str
):
    attempts.lines.forget()
    await QuietNamespace("/_event", app).on_event("x", said)
    [line] = caplog.messages
    assert line.startswith("attempt made_up_event by ") and line.endswith(place)
    assert "112" not in line.partition(" at ")[2] and "no.such" not in line


async def test_events_past_the_allowance_are_noted_once(caplog: pytest.LogCaptureFixture):
    attempts.lines.forget()
    namespace = QuietNamespace("/_event", app)
    for _ in range(BURST + 20):
        await namespace.on_event("x", {"name": "no.such.handler"})
    kinds = [line.split(" by ")[0] for line in caplog.messages]
    assert kinds == ["attempt made_up_event", "attempt too_many_events"]
