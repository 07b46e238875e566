"""The holder's own pictures of the code."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of
from emk_app.domain.actors import Role
from emk_app.domain.errors import NotFound
from emk_app.edge.policy import roles
from emk_app.services import sharing
from emk_app.services.sharing import QrCode
from emk_app.threads import in_thread

FILE_NAME: Final = "emk-qr"


async def png(request: Request) -> Response:
    """Give the code as a picture for screens; ``?show`` shows it instead of saving it."""
    code = await _code(request)
    return _picture(request, await in_thread(lambda: code.png), "image/png", "png")


async def svg(request: Request) -> Response:
    """Give the code as a drawing for paper."""
    code = await _code(request)
    drawing = await in_thread(lambda: code.svg)
    return _picture(request, drawing.encode(), "image/svg+xml", "svg")


async def _code(request: Request) -> QrCode:
    actor = await actor_of(request)
    text = request.path_params["link_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise NotFound
    return await in_thread(sharing.code, actor, int(text), now=clock.now())


def _picture(request: Request, content: bytes, media_type: str, ending: str) -> Response:
    answer = Response(content, media_type=media_type)
    answer.headers["cache-control"] = "no-store"
    # A drawing opened by itself is a document: it may run nothing.
    answer.headers["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    way = "inline" if "show" in request.query_params else "attachment"
    answer.headers["content-disposition"] = f'{way}; filename="{FILE_NAME}.{ending}"'
    return answer


ENDPOINTS: Final = (
    Endpoint("/api/book/links/{link_id}/qr.png", "GET", png, roles(Role.HOLDER)),
    Endpoint("/api/book/links/{link_id}/qr.svg", "GET", svg, roles(Role.HOLDER)),
)
