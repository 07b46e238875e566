"""The employer's list as files to be saved."""

from __future__ import annotations

import urllib.parse
from typing import Final

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of
from emk_app.api.scans import HEADERS
from emk_app.domain.actors import Role
from emk_app.edge.policy import roles
from emk_app.presenting import staff_files
from emk_app.services import employing
from emk_app.threads import in_thread

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def give_csv(request: Request) -> Response:
    """Give the list as CSV, sent as it is read."""
    pieces = await in_thread(employing.export, await actor_of(request), now=clock.now())
    return StreamingResponse(
        iterate_in_threadpool(staff_files.csv_pieces(pieces)),
        media_type="text/csv; charset=utf-8",
        headers=_headers("csv"),
    )


async def give_xlsx(request: Request) -> Response:
    """Give the list as a workbook."""
    pieces = await in_thread(employing.export, await actor_of(request), now=clock.now())
    made = await in_thread(staff_files.xlsx, pieces)
    return Response(made, media_type=XLSX, headers=_headers("xlsx"))


def _headers(ending: str) -> dict[str, str]:
    shown = urllib.parse.quote(f"Сотрудники.{ending}", safe="")
    name = f"attachment; filename=\"staff.{ending}\"; filename*=UTF-8''{shown}"
    return HEADERS | {"content-disposition": name}


ENDPOINTS: Final = (
    Endpoint("/api/employer/staff.csv", "GET", give_csv, roles(Role.EMPLOYER)),
    Endpoint("/api/employer/staff.xlsx", "GET", give_xlsx, roles(Role.EMPLOYER)),
)
