"""The holder's visit as a file for calendars, and the number to show at the desk as a picture."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of
from emk_app.crypto.qr import qr_svg
from emk_app.domain.actors import Role
from emk_app.edge.policy import roles
from emk_app.presenting import calendar_files
from emk_app.services import booking
from emk_app.threads import in_thread

FILE_NAME: Final = "osmotr.ics"


async def calendar_file(request: Request) -> Response:
    """Give the visit as a calendar file."""
    actor = await actor_of(request)
    uid = request.path_params["uid"][:64]
    visit = await in_thread(booking.visit, actor, uid, now=clock.now())
    answer = Response(
        await in_thread(calendar_files.visit_file, visit), media_type=calendar_files.MEDIA_TYPE
    )
    answer.headers["cache-control"] = "no-store"
    answer.headers["content-disposition"] = f'attachment; filename="{FILE_NAME}"'
    return answer


async def number_code(request: Request) -> Response:
    """Give the number of the holder's own application as a code that the desk scans."""
    actor = await actor_of(request)
    number = request.path_params["number"][:64]
    shown = await in_thread(booking.booking, actor, number, now=clock.now())
    drawing = await in_thread(qr_svg, shown.number.slug)
    answer = Response(drawing.encode(), media_type="image/svg+xml")
    answer.headers["cache-control"] = "no-store"
    # A drawing opened by itself is a document: it may run nothing.
    answer.headers["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return answer


ENDPOINTS: Final = (
    Endpoint("/api/visits/{uid}/visit.ics", "GET", calendar_file, roles(Role.HOLDER)),
    Endpoint("/api/visits/{number}/number.svg", "GET", number_code, roles(Role.HOLDER)),
)
