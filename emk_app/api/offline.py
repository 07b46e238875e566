"""The page that checks a signed code without a network: static files under one address.

The files are written by hand and kept by a service worker whose scope is this page alone; a change
of any of them changes the worker, and so what browsers keep. The reader of QR codes is that of the
check page, served a second time here: a worker is looked after by the service worker of its own
address.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Final

from asn1crypto.core import ObjectIdentifier  # pyright: ignore[reportMissingTypeStubs]
from starlette.requests import Request
from starlette.responses import Response

from emk_app.api.routing import Endpoint
from emk_app.crypto import trustlist
from emk_app.crypto.certificates import LIST_PURPOSE
from emk_app.domain.errors import NotFound
from emk_app.edge.headers import SCAN_POLICY
from emk_app.edge.policy import ANYONE

PAGE: Final = "/check/offline"
FOLDER: Final = Path(__file__).parents[1] / "offline"
ASSETS: Final = Path(__file__).parents[2] / "assets"
KINDS: Final = {
    "page.html": "text/html; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "verify.js": "text/javascript; charset=utf-8",
    "worker.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "icon-192.png": "image/png",
    "icon-512.png": "image/png",
    "icon-maskable-512.png": "image/png",
    "emk-scan.js": "text/javascript; charset=utf-8",
    "emk-scan-worker.js": "text/javascript; charset=utf-8",
    "zxing/reader.js": "text/javascript; charset=utf-8",
    "zxing/reader.wasm": "application/wasm",
    "manifest.webmanifest": "application/manifest+json",
}
_KEPT: Final = (
    "page.js", "verify.js", "emk-scan.js", "page.css", "icon.svg", "manifest.webmanifest",
)  # fmt: skip
_READER: Final = ("emk-scan-worker.js", "zxing/reader.js", "zxing/reader.wasm")
"""Kept only where the browser can't read a code by itself: 400 KB on the way."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; media-src blob:; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_MANIFEST: Final = {
    "name": "Проверка медкнижки — ЭМК Онлайн",
    "short_name": "Проверка ЭМК",
    "lang": "ru",
    "start_url": PAGE,
    "scope": PAGE,
    "display": "standalone",
    "background_color": "#f6f8f8",
    "theme_color": "#0a4a50",
    "icons": [
        {"src": f"{PAGE}/icon.svg", "sizes": "any", "type": "image/svg+xml"},
        {"src": f"{PAGE}/icon-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": f"{PAGE}/icon-512.png", "sizes": "512x512", "type": "image/png"},
        {
            "src": f"{PAGE}/icon-maskable-512.png",
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ],
}


async def page(request: Request) -> Response:
    """Answer the page."""
    return _answer(request, "page.html")


async def part(request: Request) -> Response:
    """Answer one of its files."""
    name = request.path_params["name"]
    if name not in KINDS or name == "page.html":
        raise NotFound
    return _answer(request, name)


def _answer(request: Request, name: str) -> Response:
    body = files()[name]
    headers = {"cache-control": "no-cache", "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", "") and name in _packed():
        body = _packed()[name]
        headers["content-encoding"] = "gzip"
    headers["etag"] = etag = trustlist.etag_of(body)
    if name == "page.html":
        headers["content-security-policy"] = _POLICY
    elif name == "emk-scan-worker.js":
        headers["content-security-policy"] = SCAN_POLICY.decode()
    elif name == "worker.js":
        # The script lies below the page that it serves.
        headers["service-worker-allowed"] = PAGE
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers | {"content-type": KINDS[name]})


@cache
def _packed() -> dict[str, bytes]:
    return {
        name: gzip.compress(body, mtime=0)
        for name, body in files().items()
        if not name.endswith(".png")
    }


@cache
def files() -> dict[str, bytes]:
    """Return the files as they are served."""
    places = {name: (FOLDER if (FOLDER / name).exists() else ASSETS) / name for name in KINDS}
    made = {name: place.read_bytes() for name, place in places.items() if place.exists()}
    made["manifest.webmanifest"] = json.dumps(_MANIFEST, ensure_ascii=False).encode()
    purpose: bytes = ObjectIdentifier(LIST_PURPOSE.dotted_string).dump()
    made["verify.js"] = made["verify.js"].replace(b"__LIST_PURPOSE__", purpose.hex().encode())
    version = hashlib.sha256(b"".join(made[name] for name in sorted(made))).hexdigest()[:16]
    kept = json.dumps([PAGE, *(f"{PAGE}/{name}" for name in _KEPT)])
    reader = json.dumps([f"{PAGE}/{name}" for name in _READER])
    made["worker.js"] = (
        made["worker.js"]
        .replace(b"__VERSION__", version.encode())
        .replace(b"__FILES__", kept.encode())
        .replace(b"__READER__", reader.encode())
    )
    return made


ENDPOINTS = (
    Endpoint(PAGE, "GET", page, ANYONE),
    Endpoint(PAGE + "/{name:path}", "GET", part, ANYONE),
)
