"""The extract goes out to its holder, and comes back from whoever wants it checked."""

from __future__ import annotations

import asyncio
import urllib.parse
from typing import Final

from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of, address_of
from emk_app.api.scans import HEADERS, drain, file_of
from emk_app.api.verdict import answer_page
from emk_app.crypto import pades
from emk_app.domain.actors import Role
from emk_app.domain.errors import NotFound
from emk_app.edge.allowance import Allowance
from emk_app.edge.policy import ANYONE, roles
from emk_app.presenting import extract_checks
from emk_app.presenting.devices import device_name
from emk_app.presenting.extracts import file_names
from emk_app.services import extracts
from emk_app.threads import in_thread

FILES_AT_ONCE: Final = 20
FILES_A_SECOND: Final = 0.2
"""What one address may have checked; a file takes some milliseconds."""

allowance: Final = Allowance(FILES_AT_ONCE, FILES_A_SECOND)


async def give(request: Request) -> Response:
    """Give the extract of the present version to its holder."""
    actor = await actor_of(request)
    text = request.path_params["book_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise NotFound
    made = await in_thread(extracts.file, actor, int(text), now=clock.now())
    names = file_names(made.number.shown, made.version)
    shown = urllib.parse.quote(names["shown"], safe="")
    disposition = f"attachment; filename=\"{names['plain']}\"; filename*=UTF-8''{shown}"
    return Response(
        made.content,
        media_type="application/pdf",
        headers=HEADERS | {"content-disposition": disposition},
    )


async def check(request: Request) -> Response:
    """Say what a file is and how the book stands now; the file is kept nowhere."""
    if not allowance.take(address_of(request), asyncio.get_running_loop().time()):
        await drain(request)
        return answer_page(request, 429, extract_checks.TOO_MANY, {"retry-after": "60"})
    try:
        content, _ = await file_of(request)
    except (MultiPartException, ClientDisconnect, KeyError):
        return answer_page(request, 400, extract_checks.NO_FILE)
    if not content:
        return answer_page(request, 400, extract_checks.NO_FILE)
    if len(content) > pades.MAX_FILE:
        return answer_page(request, 413, extract_checks.TOO_LARGE)
    viewer = device_name(request.headers.get("user-agent", ""))
    found = await in_thread(extracts.check, content, viewer, now=clock.now())
    return answer_page(request, 200, extract_checks.words(found))


ENDPOINTS: Final = (
    Endpoint("/api/book/{book_id}/extract.pdf", "GET", give, roles(Role.HOLDER)),
    Endpoint("/check/pdf", "POST", check, ANYONE),
)
