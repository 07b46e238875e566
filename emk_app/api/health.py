"""Is it alive, and is it ready: without details for strangers (D04)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emk_app.api.routing import Endpoint
from emk_app.db.engine import is_ready
from emk_app.edge.policy import ANYONE
from emk_app.threads import in_thread


async def healthz(_request: Request) -> Response:
    """Answer while the process lives."""
    return JSONResponse({"status": "alive"})


async def readyz(_request: Request) -> Response:
    """Answer whether work can be done."""
    ready = await in_thread(is_ready)
    return JSONResponse({"status": "ready" if ready else "not_ready"}, 200 if ready else 503)


ENDPOINTS = (
    Endpoint("/healthz", "GET", healthz, ANYONE),
    Endpoint("/readyz", "GET", readyz, ANYONE),
)
