"""The journal of acts as a file to be saved."""

from __future__ import annotations

from typing import Final

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of
from emk_app.api.scans import HEADERS
from emk_app.domain.actors import Role
from emk_app.domain.inspecting import Sought
from emk_app.edge.policy import roles
from emk_app.presenting import inspecting as words
from emk_app.services import inspecting
from emk_app.threads import in_thread


async def give(request: Request) -> Response:
    """Give what the query seeks, sent as it is read."""
    asked = request.query_params
    sought = Sought(**{name: asked.get(name, "")[:60] for name in Sought.__slots__})
    actor = await actor_of(request)
    pieces = await in_thread(inspecting.export, actor, sought, now=clock.now())
    return StreamingResponse(
        iterate_in_threadpool(words.csv_pieces(pieces)),
        media_type="text/csv; charset=utf-8",
        headers=HEADERS | {"content-disposition": 'attachment; filename="audit.csv"'},
    )


ENDPOINTS: Final = (Endpoint(words.CSV, "GET", give, roles(Role.ADMIN)),)
