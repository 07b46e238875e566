"""The QR reader that browsers get: one version, the policy it runs under."""

from __future__ import annotations

import hashlib
from pathlib import Path

from emk_app.edge import headers

FOLDER = Path("assets/zxing")


def test_reader_and_its_wasm_are_one_version():
    wasm = (FOLDER / "reader.wasm").read_bytes()
    script = (FOLDER / "reader.js").read_text(encoding="utf-8")
    assert hashlib.sha256(wasm).hexdigest() in script
    assert "MIT" in (FOLDER / "LICENSE.txt").read_text(encoding="utf-8")


def test_wasm_runs_in_the_worker_alone():
    policies = {
        path: dict(headers.headers_for(path, 200, kind, set())).get(b"content-security-policy", b"")
        for path, kind in (
            (headers.SCAN_WORKER, b"text/javascript"),
            ("/emk-scan.js", b"text/javascript"),
            ("/check", b"text/html"),
        )
    }
    allowed = [path for path, policy in policies.items() if b"wasm-unsafe-eval" in policy]
    assert allowed == [headers.SCAN_WORKER]
    assert b"'unsafe-eval'" not in policies[headers.SCAN_WORKER]
