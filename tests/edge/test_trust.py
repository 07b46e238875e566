"""The addresses that verifiers of any origin read."""

from __future__ import annotations

import pytest

from emk_app import clock
from emk_app.api import offline, trust
from emk_app.crypto import trustlist
from emk_app.keys import keystore
from emk_app.services import statuses
from tests.edge.test_routes import ask

pytestmark = pytest.mark.usefixtures("world")


def test_list_of_keys_is_read_by_anybody_and_proven_by_the_root():
    answer = ask("GET", trust.KEYS)
    assert answer.status_code == 200
    found = trustlist.read(answer.content, keystore().root, now=clock.now())
    assert found.version == keystore().version
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", [trust.KEYS, trust.JWKS, trust.ROOT, statuses.PATH])
def test_what_has_not_changed_is_not_sent_again(path: str):
    first = ask("GET", path)
    again = ask("GET", path, given={"if-none-match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["access-control-allow-origin"] == "*"
    assert ask("GET", path, given={"if-none-match": '"x"'}).content == first.content


def test_general_readers_find_a_key_set():
    said = ask("GET", trust.JWKS).json()
    assert {key["purpose"] for key in said["keys"]} == {"book", "qr", "list"}
    assert all("d" not in key for key in said["keys"])


def test_other_answers_are_shared_with_nobody():
    assert "access-control-allow-origin" not in ask("GET", "/healthz").headers


def test_page_without_a_network_is_served_with_its_own_rules():
    page = ask("GET", "/check/offline")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert "unsafe" not in page.headers["content-security-policy"]
    worker = ask("GET", "/check/offline/worker.js")
    assert worker.headers["service-worker-allowed"] == "/check/offline"
    assert worker.headers["cache-control"] == "no-cache"
    for name in (*offline.KINDS, ""):
        text = ask("GET", f"/check/offline/{name}").text
        assert "__" not in text.replace("__proto__", ""), name
    again = ask("GET", "/check/offline", given={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304


def test_every_change_of_the_page_changes_the_worker(monkeypatch: pytest.MonkeyPatch):
    first = offline.files()["worker.js"]
    offline.files.cache_clear()
    monkeypatch.setitem(offline._MANIFEST, "name", "Другое имя")  # pyright: ignore[reportPrivateUsage]
    try:
        assert offline.files()["worker.js"] != first
    finally:
        monkeypatch.undo()
        offline.files.cache_clear()


@pytest.mark.parametrize("name", ["page.html", "x", "..settings.py"])
def test_no_other_file_is_served(name: str):
    assert ask("GET", f"/check/offline/{name}").status_code == 404
