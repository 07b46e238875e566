"""Scans come and go by plain HTTP, each time past the service that knows who may (D42)."""

from __future__ import annotations

import urllib.parse
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of, refusal
from emk_app.domain.actors import Role
from emk_app.domain.documents import MediaType, ScanKind
from emk_app.domain.errors import DomainError, NotFound
from emk_app.edge.policy import roles
from emk_app.services import scans
from emk_app.threads import in_thread

FIELD: Final = "scan"
BROKEN: Final = "Файл не дошёл целиком. Проверьте связь и выберите его ещё раз."
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
}


class InMemory(MultiPartParser):
    """Keeps a file in memory: the guard bounds it, and no plaintext goes to a temporary file."""

    spool_max_size = 8 * 1024 * 1024


async def receive(request: Request) -> Response:
    """Take a scan in, in the place of the one before."""
    actor = await actor_of(request)
    number = str(request.path_params["number"])
    kind = _kind(str(request.path_params["kind"]))
    try:
        await in_thread(scans.permit_upload, actor, number, kind, now=clock.now())
    except DomainError:
        # A browser that is still sending hears the answer only once it has sent all.
        await drain(request)
        raise
    try:
        content, name = await file_of(request)
    except (MultiPartException, ClientDisconnect, KeyError):
        return refusal(400, "broken_upload", BROKEN)
    view = await in_thread(scans.accept, actor, number, kind, content, name, now=clock.now())
    return JSONResponse({"ref": view.ref, "name": view.name, "pages": view.pages}, 201)


async def give(request: Request) -> Response:
    """Give the scan as a file to be saved, never opened in the page's own origin."""
    actor = await actor_of(request)
    ref = str(request.path_params["ref"])
    found = await in_thread(scans.file, actor, ref, now=clock.now())
    return as_file(found.content, found.name, found.media_type)


async def show(request: Request) -> Response:
    """Show one page as a picture made from pixels."""
    actor = await actor_of(request)
    ref = str(request.path_params["ref"])
    page = page_of(request.query_params.get("page", "1"))
    picture = await in_thread(scans.preview, actor, ref, page=page, now=clock.now())
    return as_picture(picture)


def as_file(content: bytes, name: str, media_type: MediaType) -> Response:
    """Answer with a file to be saved."""
    disposition = disposition_of("attachment", name, media_type)
    return Response(
        content,
        media_type=media_type.value,
        headers=HEADERS | {"content-disposition": disposition},
    )


def as_picture(picture: bytes) -> Response:
    """Answer with a JPEG to be looked at."""
    return Response(
        picture,
        media_type=MediaType.JPEG.value,
        headers=HEADERS | {"content-disposition": "inline"},
    )


def disposition_of(how: str, name: str, media_type: MediaType) -> str:
    """Return a Content-Disposition with the name for old and new browsers (RFC 6266)."""
    plain = "scan.pdf" if media_type is MediaType.PDF else "scan.jpg"
    quoted = urllib.parse.quote(name, safe="")
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quoted}"


async def file_of(request: Request, field: str = FIELD) -> tuple[bytes, str]:
    """Return the one file of a form, sent as ``field``, and its name.

    Raises ``MultiPartException``, ``ClientDisconnect`` or ``KeyError`` where there is none.
    """
    parser = InMemory(request.headers, request.stream(), max_files=1, max_fields=4)
    form = await parser.parse()
    try:
        sent: Any = form[field]
        if not isinstance(sent, UploadFile):
            raise MultiPartException("the field is not a file")
        return await sent.read(), sent.filename or ""
    finally:
        await form.close()


async def drain(request: Request) -> None:
    """Read what is still coming and keep nothing of it."""
    try:
        async for _ in request.stream():
            pass
    except ClientDisconnect:
        return


def _kind(text: str) -> ScanKind:
    try:
        return ScanKind(text)
    except ValueError:
        raise NotFound from None


def page_of(text: str) -> int:
    """Read the number of a page; raise ``NotFound``."""
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise NotFound
    return int(text)


_VIEWERS: Final = roles(Role.HOLDER, Role.OPERATOR, Role.CLINIC)

ENDPOINTS: Final = (
    Endpoint("/api/scans/{number}/{kind}", "POST", receive, roles(Role.HOLDER)),
    Endpoint("/api/scans/{ref}/file", "GET", give, _VIEWERS),
    Endpoint("/api/scans/{ref}/preview", "GET", show, _VIEWERS),
)
