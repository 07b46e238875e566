"""Headers on every answer (D02)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from emk_app.settings import settings

BUILD: Final = Path(".web/build/client")

FALLBACKS: Final = ("404.html", "__spa-fallback.html")
ELSEWHERE: Final = "*"
"""Stands for every address that has no page of its own in the build."""

_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.S)

ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=(), payment=()"),
)
HSTS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
NO_STORE: Final = (b"cache-control", b"no-store")
FOREVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")
ASSETS: Final = "/assets/"
SCAN_WORKER: Final = "/emk-scan-worker.js"
SCAN_POLICY: Final = (
    b"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'"
)
"""Of the worker that reads QR codes: WebAssembly runs in it and on no page (decision 0020)."""
UNFRAMED: Final = b"frame-ancestors 'none'"
"""Of what is no page, and no part of one; ``x-frame-options`` alone is of the past."""
KEPT: Final = (200, 206, 304)
"""Answers that a browser may keep; never a refusal or an error."""


def script_hashes(pages: Iterable[bytes]) -> set[str]:
    """Return the CSP sources of the inline scripts in ``pages``."""
    return {
        "'sha256-" + base64.b64encode(hashlib.sha256(script).digest()).decode() + "'"
        for page in pages
        for script in _INLINE.findall(page)
    }


@cache
def built_pages() -> Mapping[str, Path]:
    """Return the files of the build's pages by their addresses without a slash at the end."""
    return {address_of(f"/{path.relative_to(BUILD)}"): path for path in BUILD.rglob("*.html")}


@cache
def page_policy(address: str) -> bytes:
    """Return the CSP of a built page; of the one that is sent for every other address, ELSEWHERE.

    It lets run our scripts and the page's own inline ones, by hash. All of the build's together
    would not fit into the 4 KB that a proxy keeps for the headers of an answer.
    """
    pages = built_pages()
    sent = {path for path in pages.values() if path.name in FALLBACKS}
    if address != ELSEWHERE:
        sent.add(pages[address])
    hashes = script_hashes(path.read_bytes() for path in sent)
    return policy(script=" ".join(["'self'", *sorted(hashes)]))


def address_of(path: str) -> str:
    """Return the address of the page that a path leads to, whichever way it is written."""
    return path.removesuffix(".html").removesuffix("/index").rstrip("/")


def policy(*, script: str) -> bytes:
    """Return a CSP whose scripts come from ``script`` alone; never eval, never inline."""
    sockets = settings().origin.replace("http", "ws", 1)
    return (
        f"default-src 'none'; script-src {script}; "
        # Inline styles are the framework's; they can't run anything.
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        f"connect-src 'self' {sockets}; manifest-src 'self'; object-src 'none'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ).encode()


def headers_for(
    path: str, status: int, content_type: bytes, given: set[bytes]
) -> tuple[tuple[bytes, bytes], ...]:
    """Return what to add to an answer for ``path`` that already has the headers ``given``."""
    if content_type.startswith(b"text/html"):
        address = address_of(path)
        place = address if address in built_pages() else ELSEWHERE
    else:
        place = path if path == SCAN_WORKER else path[: len(ASSETS)]
    return _added(place, status, content_type, frozenset(given))


@lru_cache(maxsize=512)
def _added(
    path: str, status: int, content_type: bytes, given: frozenset[bytes]
) -> tuple[tuple[bytes, bytes], ...]:
    added = [pair for pair in ALWAYS if pair[0] not in given]
    if settings().is_secure:
        added.append(HSTS)
    is_page = content_type.startswith(b"text/html")
    if path == SCAN_WORKER:
        added.append((b"content-security-policy", SCAN_POLICY))
    elif b"content-security-policy" not in given and (is_page or path != ASSETS):
        added.append((b"content-security-policy", page_policy(path) if is_page else UNFRAMED))
    if b"cache-control" not in given:
        if status not in KEPT or is_page or content_type.startswith(b"application/json"):
            added.append(NO_STORE)
        elif path == ASSETS:
            added.append(FOREVER)
    return tuple(added)
