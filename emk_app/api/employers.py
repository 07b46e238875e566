"""The employer's list as files to be saved."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from typing import Final

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of
from emk_app.api.scans import HEADERS, drain
from emk_app.db.repositories.employers import StaffFilter
from emk_app.domain.actors import Role
from emk_app.domain.employing import DEPARTMENT_LIMIT, Light
from emk_app.domain.errors import DomainError, NotPermitted
from emk_app.edge.policy import roles
from emk_app.presenting import staff_files, staff_sheets
from emk_app.presenting.staff_sheets import Printed
from emk_app.services import employing, enlisting
from emk_app.services.employing import StaffView
from emk_app.services.enlisting import LineView
from emk_app.threads import in_thread

_RESULT: Final = "/api/employer/uploads/{upload_id}/result"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def give_csv(request: Request) -> Response:
    """Give the list as CSV, sent as it is read."""
    pieces = await _pieces(request)
    return StreamingResponse(
        iterate_in_threadpool(staff_files.csv_pieces(pieces)),
        media_type="text/csv; charset=utf-8",
        headers=_headers("csv"),
    )


async def give_xlsx(request: Request) -> Response:
    """Give the list as a workbook."""
    made = await in_thread(staff_files.xlsx, await _pieces(request))
    return Response(made, media_type=XLSX, headers=_headers("xlsx"))


async def give_pdf(request: Request) -> Response:
    """Give the list as a PDF."""
    said = await _printed(request)
    made = await in_thread(staff_sheets.pdf, said)
    return Response(made, media_type="application/pdf", headers=_headers("pdf"))


async def show_print(request: Request) -> Response:
    """Show the whole list as a plain page to be printed."""
    page = await in_thread(staff_sheets.page, await _printed(request))
    headers = {"cache-control": "no-store", "content-security-policy": staff_sheets.POLICY}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


async def _pieces(request: Request) -> Iterator[tuple[StaffView, ...]]:
    actor = await actor_of(request)
    return await in_thread(employing.export, actor, _wanted(request), now=clock.now())


async def _printed(request: Request) -> Printed:
    pieces, now = await _pieces(request), clock.now()
    organisation = await in_thread(employing.organisation, await actor_of(request))
    if organisation is None:
        raise NotPermitted
    return await in_thread(staff_sheets.printed, organisation, _wanted(request), pieces, now)


def _wanted(request: Request) -> StaffFilter:
    """Return the filter in the query; what is none there is no filter."""
    asked = request.query_params
    light = asked.get("light", "")
    return StaffFilter(
        Light(light) if light in set(Light) else None,
        asked.get("department", "").replace("\0", "")[:DEPARTMENT_LIMIT],
        asked.get("occupation", "").replace("\0", "")[:40],
    )


async def receive(request: Request) -> Response:
    """Take a file of staff as the bare body; ``name`` in the query is what it is called.

    The guard bounds it; it is never written anywhere but sealed.
    """
    actor = await actor_of(request)
    try:
        await in_thread(enlisting.permit_upload, actor)
    except DomainError:
        # A browser that is still sending hears the answer only once it has sent all.
        await drain(request)
        raise
    content = await request.body()
    name = request.query_params.get("name", "")
    upload_id = await in_thread(enlisting.accept, actor, content, name, now=clock.now())
    return JSONResponse({"id": upload_id}, 201)


async def give_sample(request: Request) -> Response:
    """Give an empty table with the headings that are known."""
    await actor_of(request)
    made = await in_thread(staff_files.sample)
    return Response(made, media_type=XLSX, headers=_headers("xlsx", "Образец списка", "sample"))


async def give_result_csv(request: Request) -> Response:
    """Give what became of a file's lines as CSV."""
    made = await in_thread(staff_files.result_csv, await _result(request))
    headers = _headers("csv", "Итог проверки", "result")
    return Response(made, media_type="text/csv; charset=utf-8", headers=headers)


async def give_result_xlsx(request: Request) -> Response:
    """Give what became of a file's lines as a workbook."""
    made = await in_thread(staff_files.result_xlsx, await _result(request))
    return Response(made, media_type=XLSX, headers=_headers("xlsx", "Итог проверки", "result"))


async def _result(request: Request) -> list[LineView]:
    text = str(request.path_params["upload_id"])
    actor = await actor_of(request)
    upload_id = int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0
    return await in_thread(enlisting.result, actor, upload_id, now=clock.now())


def _headers(ending: str, shown: str = "Сотрудники", plain: str = "staff") -> dict[str, str]:
    quoted = urllib.parse.quote(f"{shown}.{ending}", safe="")
    name = f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{quoted}"
    return HEADERS | {"content-disposition": name}


ENDPOINTS: Final = (
    Endpoint("/api/employer/staff.csv", "GET", give_csv, roles(Role.EMPLOYER)),
    Endpoint("/api/employer/staff.xlsx", "GET", give_xlsx, roles(Role.EMPLOYER)),
    Endpoint("/api/employer/staff.pdf", "GET", give_pdf, roles(Role.EMPLOYER)),
    Endpoint("/api/employer/print", "GET", show_print, roles(Role.EMPLOYER)),
    Endpoint("/api/employer/uploads", "POST", receive, roles(Role.EMPLOYER)),
    Endpoint("/api/employer/sample.xlsx", "GET", give_sample, roles(Role.EMPLOYER)),
    Endpoint(f"{_RESULT}.csv", "GET", give_result_csv, roles(Role.EMPLOYER)),
    Endpoint(f"{_RESULT}.xlsx", "GET", give_result_xlsx, roles(Role.EMPLOYER)),
)
