"""Registers of clinics by plain HTTP: the file in, the report about it out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of
from emk_app.api.scans import HEADERS, drain
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, NotFound
from emk_app.edge.policy import roles
from emk_app.services import registering
from emk_app.threads import in_thread

_PIECE: Final = 1024 * 1024


async def receive(request: Request) -> Response:
    """Take a file in as the bare body, piece by piece; ``name`` in the query is what it is called.

    The guard bounds it. What breaks off is not kept.
    """
    actor = await actor_of(request)
    try:
        await in_thread(registering.permit_upload, actor)
    except DomainError:
        # A browser that is still sending hears the answer only once it has sent all.
        await drain(request)
        raise
    upload, file = await in_thread(registering.files().create)
    try:
        with file:
            async for piece in request.stream():
                await in_thread(file.write, piece)
    except BaseException:
        registering.files().delete(upload)
        raise
    name = request.query_params.get("name", "")
    import_id = await in_thread(registering.accept, actor, upload, name, now=clock.now())
    return JSONResponse({"id": import_id}, 201)


async def give_report(request: Request) -> Response:
    """Give the rows that could not be used, as a table to be saved."""
    actor = await actor_of(request)
    import_id = _identity(str(request.path_params["import_id"]))
    file = await in_thread(registering.report, actor, import_id)
    disposition = f'attachment; filename="register-{import_id}.csv"'
    return StreamingResponse(
        _pieces(file),
        media_type="text/csv; charset=utf-8",
        headers=HEADERS | {"content-disposition": disposition},
    )


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await in_thread(file.read, _PIECE):
            yield piece


def _identity(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise NotFound
    return int(text)


ENDPOINTS: Final = (
    Endpoint("/api/registers", "POST", receive, roles(Role.ADMIN)),
    Endpoint("/api/registers/{import_id}/report", "GET", give_report, roles(Role.ADMIN)),
)
