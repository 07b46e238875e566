"""The addresses that verifiers of any origin read."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

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
    for name in ("", *offline.KINDS):
        if name == "page.html":
            continue
        answer = ask("GET", f"/check/offline/{name}".rstrip("/"))
        assert answer.status_code == 200, name
        assert not re.search(rb"__[A-Z]+(_[A-Z]+)*__", answer.content), name
    reader = ask("GET", "/check/offline/emk-scan-worker.js")
    assert "'wasm-unsafe-eval'" in reader.headers["content-security-policy"]
    wasm = ask("GET", "/check/offline/zxing/reader.wasm")
    assert wasm.headers["content-type"] == "application/wasm"
    assert wasm.content == (offline.ASSETS / "zxing/reader.wasm").read_bytes()
    assert int(wasm.headers["content-length"]) < len(wasm.content) / 2
    plain = ask("GET", "/check/offline/page.js", given={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != ask("GET", "/check/offline/page.js").headers["etag"]
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


def test_manifest_has_a_picture_for_every_launcher():
    said = ask("GET", "/check/offline/manifest.webmanifest").json()
    found: set[tuple[str, str]] = set()
    for icon in said["icons"]:
        answer = ask("GET", icon["src"])
        assert answer.headers["content-type"] == icon["type"]
        if icon["type"] == "image/png":
            width, height = Image.open(io.BytesIO(answer.content)).size
            assert f"{width}x{height}" == icon["sizes"]
        found.add((icon["sizes"], icon.get("purpose", "any")))
    assert found >= {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}


@pytest.mark.parametrize(
    "name", ["page.html", "x", "..settings.py", "zxing/", "zxing/x", "/etc/passwd"]
)
def test_no_other_file_is_served(name: str):
    assert ask("GET", f"/check/offline/{name}").status_code == 404
