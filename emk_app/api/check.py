"""From whatever somebody pasted to the page of the verdict."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from emk_app.api.routing import Endpoint
from emk_app.crypto import tokens
from emk_app.edge.policy import ANYONE

UNKNOWN = "unknown"
"""Leads to the same page as any code that does not exist."""


async def open_verdict(request: Request) -> Response:
    """Lead to the verdict of the link or code; what is neither is told so there."""
    return RedirectResponse(f"/v/{share_in(request.query_params.get('code', ''))}", 303)


def share_in(text: str) -> str:
    """Return the code in a pasted link, or the pasted code itself, in its canonical form."""
    try:
        path = urlsplit(text.strip()[:1000]).path if "/" in text else text
    except ValueError:
        return UNKNOWN
    last = path.strip().rstrip("/").rpartition("/")[2]
    return tokens.parse_share(last) or UNKNOWN


ENDPOINTS = (Endpoint("/check/open", "GET", open_verdict, ANYONE),)
