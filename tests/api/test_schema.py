"""The running server is attacked by what its own description says and by what it does not say.

Schemathesis makes the cases; they are the same at every run. The test fails where there are fewer
than ``LEAST``: less would prove less.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import HealthCheck, Phase, settings
from requests.auth import AuthBase
from schemathesis import checks
from schemathesis.specs.openapi import checks as more_checks

from emk_app.api.openapi import document
from emk_app.crypto.messages import Message, ServiceKey, signed_headers
from emk_app.domain.employer_keys import KEYS_AT_ONCE
from emk_app.emk_app import ENDPOINTS
from tests.running import Server

LEAST: Final = 2_000
PER_OPERATION: Final = 130
OF_ONE_ANSWER: Final = 40
"""Cases of an operation that is asked for nothing in particular: its answer is always the same."""
TO_SIGN: Final = "to be signed"
CHECKS: Final = [
    checks.not_a_server_error,
    more_checks.status_code_conformance,
    more_checks.content_type_conformance,
    more_checks.response_headers_conformance,
    more_checks.response_schema_conformance,
    more_checks.ignored_auth,
    more_checks.unsupported_method,
    more_checks.allow_header_conformance,
    more_checks.missing_required_header,
]

LINKS: Final = tuple(f"{name:A<26}" for name in ("ALIVE", "CLOSED", "SUSPENDED"))
HANDOVERS: Final = tuple(f"{'HANDOVER' + sign:B<26}" for sign in "CDEFGHIJKLMNOPQR")
"""What stands in the cases for codes that the running server's world has."""
BROUGHT: Final = "a-receipt-of-before"
BOOK: Final = 7_070_707
ENTRIES: Final = tuple(range(8_080_800, 8_080_806))
"""What stands for members of the staff; each can be taken off once."""
NUMBER: Final = "the-number-of-a-book"
SNILS: Final = "the-snils-of-its-holder"
WORDS: Final = {"label": "Иванова М.", "tab": "17", "department": "Кухня", "occupation": "cook"}
WAYS: Final = ({"link": LINKS[0]}, {"number": NUMBER, "snils": SNILS})
STAFF: Final = {
    "/api/v1/employer/staff": [WORDS | way for way in WAYS],
    "/api/v1/employer/checks": [{"items": [*WAYS]}, {"items": [{"link": each} for each in LINKS]}],
}
BODIES: Final[dict[str, Any]] = {
    "application/xml": "CONCLUSION",
    "application/fhir+json": {"resourceType": "Bundle", "type": "document", "entry": []},
}


def description() -> dict[str, Any]:
    """Return what is described, with what there is named beside what there may be."""
    said = document(ENDPOINTS)
    said["components"]["securitySchemes"]["session"]["name"] = "emk_sid"
    for model in said["components"]["schemas"].values():
        # Others ignore what they do not know; here nothing may be told that is not described.
        if "anyOf" not in model:
            # A choice is as closed as what it may be.
            model.setdefault("additionalProperties", False)
    for path, operations in said["paths"].items():
        codes = HANDOVERS["v1" in path :: 2] if "handover" in path else LINKS
        there = {"code": codes, "book_id": [BOOK], "version": [1], "key": [BROUGHT]}
        there["entry_id"] = list(ENTRIES)
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if found := there.get(parameter["name"]):
                    parameter["schema"] = {"anyOf": [{"enum": list(found)}, parameter["schema"]]}
    for path, bodies in STAFF.items():
        asked = said["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        asked["schema"] = {"anyOf": [{"enum": bodies}, asked["schema"]]}
    content = said["paths"]["/api/exchange/v1/documents"]["post"]["requestBody"]["content"]
    for kind, body in BODIES.items():
        content[kind]["schema"] = {"anyOf": [{"enum": [body]}, content[kind]["schema"]]}
    return said


attacked = schemathesis.openapi.from_dict(description())
answered: Final[Counter[tuple[str, int]]] = Counter()
"""How often which route answered with which status."""
turns: Final = itertools.count()
"""Which of the employers' keys is shown next: one key may not ask as often as we do."""
addresses: Final = (f"10.{i // 62500}.{i // 250 % 250}.{i % 250 + 1}" for i in itertools.count())


class Signing(AuthBase):
    """Signs what asks for it, once all of it is known; nothing else has a valid signature."""

    def __init__(self, key: ServiceKey) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        given = request.headers
        if given.get("Signature") != TO_SIGN:
            return request
        body = request.body or b""
        assert isinstance(body, bytes | str)
        message = Message(
            request.method or "",
            request.url or "",
            body.encode() if isinstance(body, str) else body,
            content_type=_text(given.get("Content-Type", "")),
            key=_text(given.get("Idempotency-Key", "")),
        )
        made = signed_headers(self._key, message, datetime.now(UTC))
        for name, value in made.items():
            # What a case leaves out stays out.
            if name == "signature" or name in given:
                given[name] = value
        return request


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@pytest.fixture(scope="module")
def server(prepared: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server that believes one proxy where requests come from; its log must be clean."""
    started = Server(tmp_path_factory.mktemp("server"), prepared)
    started.more["EMK_TRUSTED_PROXY_HOPS"] = "1"
    started.start()
    yield started
    started.check_alive()
    started.close()
    started.check_log()


@pytest.fixture(scope="module")
def world(server: Server) -> dict[str, Any]:
    return server.ask("tests.api.attacked:settle")


@pytest.fixture(scope="module")
def session(server: Server, world: dict[str, Any]) -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        key = load_pem_private_key(world["key"].encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        made.auth = Signing(ServiceKey(key))
        given = {
            "Signature": TO_SIGN,
            "Content-Type": "application/xml",
            "Idempotency-Key": BROUGHT,
            "Content-Digest": "",
            "Signature-Input": "",
        }
        address = f"{server.origin}/api/exchange/v1/documents"
        assert made.post(address, world["conclusion"].encode(), headers=given).status_code == 201
        yield made


def attack_on(method: str, path: str, operation: dict[str, Any]) -> Callable[..., None]:
    """Return the test of one operation: the cases of several would share one name of a test."""
    is_choosing = "{" in path or "requestBody" in operation or operation.get("security")

    @attacked.include(method=method, path=path).parametrize()
    @settings(
        max_examples=PER_OPERATION if is_choosing else OF_ONE_ANSWER,
        derandomize=True,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def attack(
        case: schemathesis.Case, server: Server, session: requests.Session, world: dict[str, Any]
    ):
        put_in_place(case, world)
        given = {"X-Forwarded-For": next(addresses), "Signature": TO_SIGN}
        if {"key": []} in case.operation.definition.raw.get("security", ()):
            keys = world["employer_keys"]
            if "checks" not in case.operation.path:
                # The staff is that of the first organisation.
                keys = keys[:KEYS_AT_ONCE]
            given["Authorization"] = f"Bearer {keys[next(turns) % len(keys)]}"
        answer = case.call_and_validate(
            base_url=server.origin,
            session=session,
            headers=given,
            cookies={"emk_sid": world["cookie"]},
            checks=CHECKS,
        )
        answered[case.operation.label, answer.status_code] += 1

    return attack


for _path, _operations in description()["paths"].items():
    for _method, _operation in _operations.items():
        _name = re.sub(r"\W+", "_", f"{_method}{_path}").strip("_")
        globals()[f"test_{_name}_answers_as_described"] = attack_on(
            _method.upper(), _path, _operation
        )


def put_in_place(case: schemathesis.Case, world: dict[str, Any]) -> None:
    """Name what the world has, where a case asks for it."""
    parts = case.path_parameters
    there = dict(zip(LINKS, world["codes"], strict=True))
    there |= dict(zip(HANDOVERS, world["handovers"], strict=False))
    if (code := str(parts.get("code"))) in there:
        parts["code"] = there[code]
    if str(parts.get("book_id")) == str(BOOK):
        parts["book_id"] = world["book"]
    members = dict(zip(map(str, ENTRIES), world["staff"], strict=True))
    if (member := str(parts.get("entry_id"))) in members:
        parts["entry_id"] = members[member]
    if isinstance(case.body, dict | list):
        case.body = replaced(case.body, there | {NUMBER: world["number"], SNILS: world["snils"]})
    if case.body == BODIES["application/xml"]:
        case.body = world["conclusion"]
    elif case.body == BODIES["application/fhir+json"]:
        case.body = json.loads(world["bundle"])


def replaced(said: Any, there: dict[str, Any]) -> Any:
    """Return what is sent with what the world has in the place of what stands for it."""
    match said:
        case dict():
            return {name: replaced(each, there) for name, each in said.items()}
        case list():
            return [replaced(each, there) for each in said]
        case str():
            return there.get(said, said)
        case _:
            return said


def test_there_were_enough_cases_and_each_route_answered_in_earnest():
    assert sum(answered.values()) >= LEAST
    succeeded = {label for label, status in answered if status < 300}
    described = {
        f"{method.upper()} {path}"
        for path, operations in document(ENDPOINTS)["paths"].items()
        for method in operations
    }
    assert described == succeeded
