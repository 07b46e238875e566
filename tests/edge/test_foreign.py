"""What is another's looks, at every route, as if it did not exist."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
import pytest

from emk_app import clock
from emk_app.api.routing import Endpoint
from emk_app.domain.actors import Actor
from emk_app.emk_app import ENDPOINTS
from tests.access import Whose, by_call
from tests.api.test_scans import cookie_of
from tests.edge.test_routes import ask
from tests.foreign import NOBODYS, make_others, make_somebody

pytestmark = pytest.mark.usefixtures("world")

TABLE = by_call()
OWN = [
    (endpoint, role)
    for endpoint in ENDPOINTS
    for row in [TABLE[f"{endpoint.method} {endpoint.path}"]]
    if not row.is_open and "{" in endpoint.path
    for role, whose in row.roles.items()
    if whose is Whose.OWN
]
UNMADE = {
    "/api/esignatures/{number}/kept/{part}",
    "/api/book/{book_id}/extract.pdf",
    "/api/data/{ref}.zip",
    # The ticket is the holder's, and clinics and employers have theirs.
    "/api/support/files/{screenshot}/file",
    "/api/support/files/{screenshot}/preview",
}
"""What its owner has first to bring, or to ask for, and has not."""


def filled(endpoint: Endpoint, names: dict[str, str]) -> str:
    """Return the address of the thing; a reference is of that kind which the route is about."""
    kinds = {
        "/api/scans/": "scan",
        "/api/attachments/": "attachment",
        "/api/records/": "attachment",
    }
    kind = next((kind for start, kind in kinds.items() if endpoint.path.startswith(start)), "ref")
    own = names | {"ref": names[kind]}
    if endpoint.path.startswith("/api/attachments/{examination_id}"):
        own["kind"] = "lab_report"
    return re.sub(r"{(\w+)}", lambda found: own[found[1]], endpoint.path)


@dataclass
class Said:
    status: int
    code: str
    message: str

    @classmethod
    def of(cls, answer: httpx.Response) -> Said:
        body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        return cls(answer.status_code, body.get("code", ""), body.get("message", ""))


def cookie(actor: Actor) -> str:
    return cookie_of(actor, clock.now())["cookie"].removeprefix("emk_sid=")


def test_foreign_thing_and_missing_thing_are_one_at_every_route():
    now = clock.now()
    somebody, others = make_somebody(now), make_others(now)
    cookies = {who: cookie(who) for each in others.values() for who in each}
    owners = {role: cookie(somebody.actor(role)) for role in others}
    for endpoint, role in OWN:
        foreign, missing = filled(endpoint, dict(somebody.names)), filled(endpoint, dict(NOBODYS))
        for other in others[role]:
            at_foreign = Said.of(ask(endpoint.method, foreign, cookies[other]))
            at_missing = Said.of(ask(endpoint.method, missing, cookies[other]))
            assert at_foreign == at_missing, (endpoint.path, other)
            assert at_foreign.status in (403, 404, 422), (endpoint.path, other)
        if endpoint.method == "GET" and endpoint.path not in UNMADE:
            # The thing is there, and its owner sees it: it was not missing for everybody.
            at_own = Said.of(ask("GET", foreign, owners[role]))
            assert at_own.status in (200, 409), (endpoint.path, role)
