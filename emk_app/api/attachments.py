"""Papers of examinations come and go by plain HTTP, each time past the service (D42)."""

from __future__ import annotations

from typing import Final

from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of, refusal
from emk_app.api.scans import BROKEN, as_file, as_picture, drain, file_of, page_of
from emk_app.domain.actors import Role
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.errors import DomainError, NotFound
from emk_app.edge.policy import roles
from emk_app.services import attaching
from emk_app.threads import in_thread


async def receive(request: Request) -> Response:
    """Take a paper in."""
    actor = await actor_of(request)
    examination_id = _id(str(request.path_params["examination_id"]))
    kind = _kind(str(request.path_params["kind"]))
    try:
        await in_thread(attaching.permit_upload, actor, examination_id, now=clock.now())
    except DomainError:
        # A browser that is still sending hears the answer only once it has sent all.
        await drain(request)
        raise
    try:
        content, name = await file_of(request)
    except (MultiPartException, ClientDisconnect, KeyError):
        return refusal(400, "broken_upload", BROKEN)
    ref = await in_thread(
        attaching.attach, actor, examination_id, kind, content, name, now=clock.now()
    )
    return JSONResponse({"ref": ref}, 201)


async def give(request: Request) -> Response:
    """Give the paper as a file to be saved, never opened in the page's own origin."""
    actor = await actor_of(request)
    ref = str(request.path_params["ref"])
    found = await in_thread(attaching.file, actor, ref, now=clock.now())
    return as_file(found.content, found.name, found.media_type)


async def show(request: Request) -> Response:
    """Show one page as a picture made from pixels."""
    actor = await actor_of(request)
    ref = str(request.path_params["ref"])
    page = page_of(request.query_params.get("page", "1"))
    picture = await in_thread(attaching.preview, actor, ref, page=page, now=clock.now())
    return as_picture(picture)


def _kind(text: str) -> AttachmentKind:
    try:
        return AttachmentKind(text)
    except ValueError:
        raise NotFound from None


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound
    return int(text)


_VIEWERS: Final = roles(Role.HOLDER, Role.CLINIC)

ENDPOINTS: Final = (
    Endpoint("/api/attachments/{examination_id}/{kind}", "POST", receive, roles(Role.CLINIC)),
    Endpoint("/api/attachments/{ref}/file", "GET", give, _VIEWERS),
    Endpoint("/api/attachments/{ref}/preview", "GET", show, _VIEWERS),
)
