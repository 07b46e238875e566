"""The check without a network: the script judges as the server does, the page works offline."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from emk_app.crypto import cose, qr, statuslist, trustlist
from emk_app.crypto.keystore import Keystore
from emk_app.crypto.signing import KeyStatus, TrustList
from emk_app.settings import settings
from tests.conftest import make_new
from tests.scenes import Scenes
from tests.unit.test_crypto_cose import CLAIMS

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/tokens.json").read_text())


@pytest.fixture(scope="module")
def site(migrated: Scenes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serve the page; return its origin and its data folder."""
    data = tmp_path_factory.mktemp("offline") / "data"
    data.mkdir(mode=0o700)
    make_new(migrated)
    shutil.copyfile(settings().data / "emk.db", data / "emk.db")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    origin = f"http://localhost:{port}"
    ours = {"EMK_DATA": str(data), "EMK_ORIGIN": origin, "EMK_ENV": "test"}
    environment = {k: v for k, v in os.environ.items() if k != "EMK_TEST_CLOCK"} | ours
    script = (
        "from granian import Granian;"
        # A connection that a browser keeps must not keep the server.
        f"Granian('tests.e2e.bare:site', port={port}, interface='asginl',"
        "workers_kill_timeout=5).serve()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(origin + "/.well-known/emk/keys.json", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the server has gone down"
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.1)
        yield origin, data
    finally:
        process.terminate()
        process.wait()


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def as_jwk(key: dict[str, str]) -> dict[str, Any]:
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(base64.b64decode(key["certificate"]))
    numbers: Any = certificate.public_key().public_numbers()  # type: ignore[union-attr]

    def url64(number: int) -> str:
        return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()

    return {
        "kid": key["kid"],
        "purpose": key["use"],
        "status": key["status"],
        "nbf": seconds(key["not_before"]),
        "exp": seconds(key["not_after"]),
        "x": url64(numbers.x),
        "y": url64(numbers.y),
    }


def test_script_judges_every_vector_and_list_as_the_server_does(
    site: tuple[str, Path], chromium: Browser
):
    origin, data = site
    store = Keystore.open(data / "keys")
    now = datetime.now(UTC)
    lists = {
        name: [as_jwk(key) for key in said["keys"]] for name, said in VECTORS["trust_lists"].items()
    }
    cases = [[each["token"], each["trust"], seconds(each["now"])] for each in VECTORS["cases"]]

    def published(signer: Any = store.list_signer, version: int = 5, at: datetime = now) -> str:
        return trustlist.publish(signer, store.trust_list, version, at).decode()

    stranger = Keystore.create(data.parent / "others", now)
    changed = published().replace('"payload":"e', '"payload":"f', 1)
    tries = [
        published(),
        published(version=6, at=now - timedelta(hours=5)),
        published(version=4),
        published(at=now - timedelta(hours=2)),
        published(at=now + timedelta(hours=2)),
        published(store.qr_signer),
        published(store.book_signer),
        published(stranger.list_signer),
        changed,
        "{}",
        "[1",
    ]
    known = {"version": 5, "issued": int(now.timestamp()) // 3600 * 3600}
    root = list(store.root.public_bytes(trustlist.Encoding.DER))
    marked = {statuslist.place_of(b"abc"): 1, statuslist.place_of(b"abd"): 3}
    statuses = statuslist.publish(store.list_signer, "x", statuslist.pack(marked), now).decode()
    page = chromium.new_page()
    page.goto(origin + "/check/offline")
    found = page.evaluate(
        """async ([cases, lists, tries, known, root, statuses]) => {
            const emk = await import("/check/offline/verify.js");
            const now = Date.now() / 1000;
            const outcomes = [];
            for (const [text, name, at] of cases)
                outcomes.push((await emk.checkToken(text, lists[name], at)).outcome);
            const der = new Uint8Array(root);
            const read = [];
            for (const text of tries)
                read.push(await emk.readList(text, der, now, known).then(
                    (list) => `${list.version} ${list.keys.length}`, (error) => error.problem));
            const marks = await emk.readStatuses(statuses, der, now);
            const said = ["abc", "abd", "abe"].map((id) => emk.statusOf(
                {shareId: new TextEncoder().encode(id)}, marks));
            return [outcomes, read, said];
        }""",
        [cases, lists, tries, known, root, statuses],
    )
    page.close()
    expected = [(each["name"], each["outcome"]) for each in VECTORS["cases"]]
    assert list(zip([each["name"] for each in VECTORS["cases"]], found[0], strict=True)) == expected
    assert found[1][:5] == ["5 3", "6 3", "older", "older", "from_future"]
    assert found[1][5:8] == ["not_genuine"] * 3
    assert found[1][8] in ("not_genuine", "malformed")
    assert found[1][9:] == ["malformed"] * 2
    assert found[2] == ["revoked", "superseded", "valid"]


def test_opened_once_the_page_checks_without_a_network(site: tuple[str, Path], chromium: Browser):
    origin, data = site
    store = Keystore.open(data / "keys")
    now = datetime.now(UTC).replace(microsecond=0)
    good = replace(CLAIMS, issued_at=now, expires_at=now + timedelta(days=30), verdict=0)

    def code(claims: cose.Claims) -> str:
        share = "MFRGGZDFMZTWQ2LKNNWG23TPOA"
        return f"{origin}/v/{share}#{cose.issue_token(store.qr_signer, claims)}"

    link = code(good)
    forged = link[:-20] + ("A" if link[-20] != "A" else "B") + link[-19:]
    old = code(
        replace(
            good,
            issued_at=store.qr_signer.certificate.not_valid_before_utc,
            expires_at=now - timedelta(minutes=1),
        )
    )
    with closing(chromium.new_context(viewport={"width": 390, "height": 844})) as context:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda said: faults.append(said.text) if "Content Security" in said.text else None,
        )
        page.goto(origin + "/check/offline")
        expect(page.locator("#ready")).to_be_visible()
        expect(page.locator("#list")).to_contain_text("Список ключей от")
        # Whoever also signs out here keeps the page and the root it saw first.
        left = page.evaluate("fetch('/session/leave', {method: 'POST'}).then((said) => said.url)")
        assert left.endswith("/login")
        context.set_offline(True)
        page.reload()
        expect(page.locator("#network")).to_contain_text("Интернета нет")
        expect(page.locator("#list")).to_contain_text("Список ключей от")
        field, title = page.get_by_label("Ссылка из QR-кода"), page.locator("#title")
        button = page.get_by_role("button", name="Проверить")
        button.click()
        expect(page.locator("#error")).to_have_text("Вставьте ссылку или код.")
        for text, said in (
            (link, "Подпись верна"),
            (forged, "Подделка"),
            (old, "Срок кода не идёт"),
            (link.partition("#")[0], "Это не код ЭМК Онлайн, или он повреждён"),
        ):
            field.fill(text)
            button.click()
            expect(title).to_have_text(said)
        field.fill(link.lower())
        button.click()
        expect(title).to_have_text("Подпись верна")
        expect(page.locator("#text")).to_contain_text("без интернета узнать нельзя")
        expect(page.locator("#text")).to_contain_text("Статус на ")
        expect(page.locator("#facts")).to_contain_text("Иванова М. С.")
        if folder := os.environ.get("EMK_SHOTS"):
            page.screenshot(path=f"{folder}/offline-390.png", full_page=True)
        context.set_offline(False)
        assert faults == []


CAMERA = """
navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 800, height: 600});
    const context = canvas.getContext("2d");
    const bytes = Uint8Array.from(atob(window.shown), (sign) => sign.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
    setInterval(() => {
        context.fillStyle = "#777";
        context.fillRect(0, 0, 800, 600);
        context.drawImage(picture, 150, 50, 500, 500);
    }, 40);
    return canvas.captureStream(25);
};
"""


def test_camera_and_picture_are_read_without_a_network_by_our_own_reader(
    site: tuple[str, Path], chromium: Browser
):
    """The browser of the tests has no reader of its own, as iPhones and Firefox have none."""
    origin, data = site
    now = datetime.now(UTC).replace(microsecond=0)
    said = replace(CLAIMS, issued_at=now, expires_at=now + timedelta(days=30), verdict=0)
    token = cose.issue_token(Keystore.open(data / "keys").qr_signer, said)
    code = qr.qr_png(qr.share_url(origin, "MFRGGZDFMZTWQ2LKNNWG23TPOA", token))
    with closing(chromium.new_context(viewport={"width": 390, "height": 844})) as context:
        shown = json.dumps(base64.b64encode(code).decode())
        context.add_init_script(f"window.shown = {shown};{CAMERA}")
        page = context.new_page()
        page.goto(origin + "/check/offline")
        assert page.evaluate("'BarcodeDetector' in window") is False
        # What is said to be kept is the reader too.
        expect(page.locator("#ready")).to_be_visible()
        context.set_offline(True)
        page.reload()
        page.get_by_role("button", name="Сканировать камерой").click()
        expect(page.locator("#title")).to_have_text("Подпись верна")
        expect(page.locator("[data-scan-said]")).to_have_text("Код прочитан.")
        expect(page.locator("video")).to_be_hidden()
        picture = page.get_by_label("Выбрать снимок")
        files: dict[str, Any] = {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"}
        picture.set_input_files(files)  # type: ignore[arg-type]
        expect(page.locator("#title")).to_have_text("Снимок не прочитан")
        blank = io.BytesIO()
        Image.new("L", (300, 300), 255).save(blank, "PNG")
        picture.set_input_files(files | {"buffer": blank.getvalue()})  # type: ignore[arg-type]
        expect(page.locator("#title")).to_have_text("На снимке нет кода")
        picture.set_input_files(files | {"buffer": code})  # type: ignore[arg-type]
        expect(page.locator("#title")).to_have_text("Подпись верна")
        expect(page.locator("#facts")).to_contain_text("Иванова М. С.")


def test_compromised_key_is_told_by_the_kept_list(site: tuple[str, Path], chromium: Browser):
    """What the list withdraws the page refuses, also when an older list comes afterwards."""
    origin, data = site
    store = Keystore.open(data / "keys")
    now = datetime.now(UTC).replace(microsecond=0)
    token = cose.issue_token(
        store.qr_signer, replace(CLAIMS, issued_at=now, expires_at=now + timedelta(days=30))
    )
    keys = tuple(
        replace(key, status=KeyStatus.COMPROMISED) if key.key_id == store.qr_signer.key_id else key
        for key in store.trust_list.keys
    )
    newer = trustlist.publish(
        store.list_signer, TrustList(keys, (store.root,)), store.version + 1, now
    ).decode()
    with closing(chromium.new_context(service_workers="block")) as context:
        page = context.new_page()
        context.route("**/keys.json", lambda route: route.fulfill(body=newer))
        page.goto(origin + "/check/offline")
        expect(page.locator("#list")).to_contain_text("Список ключей от")
        context.unroute("**/keys.json")
        page.reload()
        expect(page.locator("#list")).to_contain_text("старее того, что уже есть")
        page.get_by_label("Ссылка из QR-кода").fill(token)
        page.get_by_role("button", name="Проверить").click()
        expect(page.locator("#title")).to_have_text("Ключ подписи отозван")
