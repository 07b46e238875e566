"""The description of the API says what the routes do."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field
from starlette.requests import Request

from emk_app import clock
from emk_app.api.describing import Model, read_json, read_query
from emk_app.api.openapi import written
from emk_app.api.routing import Endpoint, routes, worded
from emk_app.api.verdict import EXAMPLE, VerdictSaid
from emk_app.domain.actors import Role
from emk_app.domain.books import Verdict
from emk_app.domain.errors import Malformed, WrongMediaType
from emk_app.edge.guard import MACHINES
from emk_app.edge.policy import Undeclared, roles
from emk_app.emk_app import ENDPOINTS
from emk_app.presenting import verdicts
from emk_app.services.verifying import LookResult
from tests.edge.test_routes import ask, enveloped

KEPT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
DESCRIBED = [each for each in ENDPOINTS if each.described is not None]


def test_kept_description_is_what_the_routes_say():
    """``python -m emk_app.cli openapi > docs/openapi.json`` brings it up to date."""
    assert KEPT.read_text(encoding="utf-8") == written(ENDPOINTS)


def test_every_route_for_other_systems_is_described():
    told = {each.path for each in DESCRIBED}
    assert {each.path for each in ENDPOINTS if each.path.startswith(MACHINES)} <= told


def test_every_part_of_a_path_is_described():
    for each in DESCRIBED:
        assert each.described is not None
        named = {part.name for part in each.described.parameters if part.place == "path"}
        assert named == {part[1:-1] for part in each.path.split("/") if part.startswith("{")}


@pytest.mark.parametrize("verdict", Verdict)
def test_model_of_a_verdict_is_what_is_answered(verdict: Verdict):
    said = verdicts.answer(LookResult(verdict, (), clock.now()))
    assert VerdictSaid.model_validate_json(json.dumps(said)).verdict is verdict
    assert set(said) == set(EXAMPLE)
    VerdictSaid.model_validate_json(json.dumps(EXAMPLE))


@pytest.mark.usefixtures("world")
def test_description_is_served():
    answer = ask("GET", "/api/v1/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == json.loads(KEPT.read_text(encoding="utf-8"))
    again = ask("GET", "/api/v1/openapi.json", given={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_wrong_method_is_told_which_are_right(method: str):
    for path, right in (("verify", "GET, HEAD"), ("handover", "POST")):
        answer = ask(method, f"/api/v1/{path}/{'A' * 26}")
        assert (answer.status_code, answer.headers["allow"]) == (405, right)
        assert enveloped(answer)


class Asked(Model):
    number: str = Field(min_length=2)
    count: int = 1


def request(body: bytes = b"", kind: str = "", query: bytes = b"") -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    headers = [(b"content-type", kind.encode())]
    scope = {"type": "http", "method": "POST", "headers": headers, "query_string": query}
    return Request(scope, receive)  # pyright: ignore[reportArgumentType]


def read(body: bytes, kind: str = "application/json") -> Asked:
    return asyncio.run(read_json(request(body, kind), Asked))


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_is_read(kind: str):
    assert read(b'{"number": "12", "count": 3}', kind) == Asked(number="12", count=3)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/jsonp", "application/json; charset=cp1251", "json"]
)
def test_what_is_not_announced_as_json_is_not_read(kind: str):
    with pytest.raises(WrongMediaType) as caught:
        read(b'{"number": "12"}', kind)
    assert worded(caught.value).status_code == 415


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", ("body", "json_invalid")),
        (b"{", ("body", "json_invalid")),
        (b"\xff", ("body", "json_invalid")),
        (b"[" * 5000, ("body", "json_invalid")),
        (b"[]", ("body", "model_type")),
        (b"{}", ("number", "missing")),
        (b'{"number": 12}', ("number", "string_type")),
        (b'{"number": "1"}', ("number", "string_too_short")),
        (b'{"number": "12", "count": "3"}', ("count", "int_type")),
        (b'{"number": "12", "count": true}', ("count", "int_type")),
        (b'{"number": "12", "more": 1}', ("more", "extra_forbidden")),
    ],
)
def test_body_that_breaks_the_description_is_refused_by_place_and_kind(
    body: bytes, fault: tuple[str, str]
):
    with pytest.raises(Malformed) as caught:
        read(body)
    assert caught.value.faults == (fault,)
    answer = worded(caught.value)
    said = json.loads(bytes(answer.body))
    assert (answer.status_code, said["code"]) == (422, "malformed")
    assert ": ".join(fault) in said["message"]


def test_query_is_read():
    assert read_query(request(query=b"number=12&count=3"), Asked) == Asked(number="12", count=3)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        (b"", ("number", "missing")),
        (b"number=12&number=13", ("number", "given_twice")),
        (b"number=12&count=x", ("count", "int_parsing")),
        (b"number=12&more=1", ("more", "extra_forbidden")),
    ],
)
def test_query_that_breaks_the_description_is_refused(query: bytes, fault: tuple[str, str]):
    with pytest.raises(Malformed) as caught:
        read_query(request(query=query), Asked)
    assert caught.value.faults == (fault,)


def test_route_for_machines_cannot_be_for_a_role():
    """No cookie is read there, so nobody would ever have one."""

    async def answer(_request: Request) -> Any:
        raise AssertionError

    with pytest.raises(Undeclared):
        routes([Endpoint("/api/v1/x", "GET", answer, roles(Role.HOLDER))])
