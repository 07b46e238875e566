"""The page that checks a signed code without a network: static files under one address.

The files are written by hand and kept by a service worker whose scope is this page alone; a change
of any of them changes the worker, and so what browsers keep.
"""

from __future__ import annotations

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
from emk_app.edge.policy import ANYONE

PAGE: Final = "/check/offline"
FOLDER: Final = Path(__file__).parents[1] / "offline"
KINDS: Final = {
    "page.html": "text/html; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "verify.js": "text/javascript; charset=utf-8",
    "worker.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "manifest.webmanifest": "application/manifest+json",
}
_KEPT: Final = ("page.js", "verify.js", "page.css", "icon.svg", "manifest.webmanifest")
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
        {"src": "/apple-touch-icon.png", "sizes": "180x180", "type": "image/png"},
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
    etag = trustlist.etag_of(body)
    headers = {"cache-control": "no-cache", "etag": etag}
    if name == "page.html":
        headers["content-security-policy"] = _POLICY
    elif name == "worker.js":
        # The script lies below the page that it serves.
        headers["service-worker-allowed"] = PAGE
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers | {"content-type": KINDS[name]})


@cache
def files() -> dict[str, bytes]:
    """Return the files as they are served."""
    made = {name: (FOLDER / name).read_bytes() for name in KINDS if (FOLDER / name).exists()}
    made["manifest.webmanifest"] = json.dumps(_MANIFEST, ensure_ascii=False).encode()
    purpose: bytes = ObjectIdentifier(LIST_PURPOSE.dotted_string).dump()
    made["verify.js"] = made["verify.js"].replace(b"__LIST_PURPOSE__", purpose.hex().encode())
    version = hashlib.sha256(b"".join(made[name] for name in sorted(made))).hexdigest()[:16]
    kept = json.dumps([PAGE, *(f"{PAGE}/{name}" for name in _KEPT)])
    made["worker.js"] = (
        made["worker.js"]
        .replace(b"__VERSION__", version.encode())
        .replace(b"__FILES__", kept.encode())
    )
    return made


ENDPOINTS = (
    Endpoint(PAGE, "GET", page, ANYONE),
    Endpoint(PAGE + "/{name}", "GET", part, ANYONE),
)
