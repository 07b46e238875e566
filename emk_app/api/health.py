"""Is it alive, and is it ready: without details for strangers (D04)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emk_app.api.routing import Endpoint
from emk_app.edge.policy import ANYONE
from emk_app.readiness import Readiness

_readiness = Readiness()


async def healthz(_request: Request) -> Response:
    """Answer while the process lives."""
    return JSONResponse({"status": "alive"})


async def readyz(_request: Request) -> Response:
    """Answer whether work can be done; what is in the way is told to the log alone."""
    failing = await _readiness.failing()
    return JSONResponse({"status": "not_ready" if failing else "ready"}, 503 if failing else 200)


ENDPOINTS = (
    Endpoint("/healthz", "GET", healthz, ANYONE),
    Endpoint("/readyz", "GET", readyz, ANYONE),
)
