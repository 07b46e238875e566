"""Passkeys by plain HTTP, as the page's script asks for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emk_app import clock
from emk_app.crypto import tokens
from emk_app.services import accounts
from tests.authenticator import Authenticator
from tests.edge.test_routes import ask
from tests.services.test_accounts import sign_in, signed_in, staff

pytestmark = pytest.mark.usefixtures("world")

LOGIN = "operator@example.ru"


def post(path: str, body: Any, cookie: str, kind: str = "application/json") -> Any:
    content = json.dumps(body).encode()
    given = {"content-type": kind}
    return ask("POST", f"/api/passkeys/{path}", cookie, given=given, content=content)


def trimmed(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what the script sends of an answer."""
    return {name: answer[name] for name in ("id", "rawId", "type", "response")}


def test_key_is_added_renews_and_opens_the_door():
    now = clock.now()
    staff(now)
    cookie = signed_in(now)
    key = Authenticator()
    made = trimmed(key.create(post("add/options", {}, cookie).json()))
    assert post("add", made | {"name": "Ноутбук"}, cookie).status_code == 200
    assert post("add", made, cookie).json()["code"] == "refused"
    answer = trimmed(key.get(post("renew/options", {}, cookie).json()))
    assert post("renew", answer, cookie).status_code == 200

    stranger = tokens.new_token()
    refused = post("enter/options", {}, stranger)
    assert (refused.status_code, "15 минут" in refused.json()["message"]) == (422, True)
    sign_in(LOGIN, now, accounts.ref_of(stranger))
    assert post("enrol/options", {}, stranger).status_code == 422
    answer = trimmed(key.get(post("enter/options", {}, stranger).json()))
    opened = post("enter", answer, stranger)
    assert opened.json() == {"next": "/review"}
    given = opened.headers["set-cookie"]
    assert "HttpOnly" in given and stranger not in given
    assert opened.headers["cache-control"] == "no-store"
    # Whoever is signed in stands at no door.
    assert post("enter/options", {}, cookie).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {"id": 1, "rawId": "A", "type": "public-key", "response": {}},
        {"id": "A", "rawId": "A", "type": "other", "response": {}},
        {"id": "A", "rawId": "A", "type": "public-key", "response": {}, "role": "admin"},
        {"id": "я" * 5000, "rawId": "A", "type": "public-key", "response": {}},
    ],
)
def test_what_the_script_never_sends_is_refused(body: Any):
    now = clock.now()
    staff(now)
    cookie = signed_in(now)
    for path in ("renew", "add"):
        assert post(path, body, cookie).status_code == 422
    assert post("enter", body, tokens.new_token()).status_code == 422


def test_what_is_not_announced_as_json_is_not_read():
    staff(clock.now())
    answer = post("add", {}, signed_in(clock.now()), kind="text/plain")
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
