"""The holder's copy of everything, and the administrator's acts of destruction."""

from __future__ import annotations

import json
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of
from emk_app.api.scans import HEADERS
from emk_app.domain.actors import Role
from emk_app.domain.errors import FreshFactorNeeded, NotFound
from emk_app.edge.policy import roles
from emk_app.presenting import erasures
from emk_app.services import erasing, own_data
from emk_app.threads import in_thread

PAGE: Final = "/cabinet/data"


async def give(request: Request) -> Response:
    """Give the archive; whoever needs a fresh code first is sent to the page that asks for it."""
    actor = await actor_of(request)
    try:
        made = await in_thread(
            own_data.open_copy, actor, request.path_params["ref"], now=clock.now()
        )
    except FreshFactorNeeded:
        return RedirectResponse(PAGE, 303)
    return StreamingResponse(
        made.pieces,
        media_type="application/zip",
        headers=HEADERS
        | {
            "content-length": str(made.size),
            "content-disposition": 'attachment; filename="emk-my-data.zip"',
        },
    )


async def act_pdf(request: Request) -> Response:
    """Give the act with the extract of the log, to be printed and signed."""
    facts = await _facts(request)
    content = await in_thread(erasures.pdf, facts)
    return _file(content, "application/pdf", f"akt-{facts['number']}.pdf")


async def act_json(request: Request) -> Response:
    """Give the same for machines."""
    facts = await _facts(request)
    said = json.dumps(erasures.act(facts), ensure_ascii=False, indent=1).encode()
    return _file(said, "application/json", f"akt-{facts['number']}.json")


async def _facts(request: Request):
    actor = await actor_of(request)
    text = request.path_params["erasure_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise NotFound
    return await in_thread(erasing.act, actor, int(text), now=clock.now())


def _file(content: bytes, media_type: str, name: str) -> Response:
    disposition = f'attachment; filename="{name}"'
    headers = HEADERS | {"content-disposition": disposition}
    return Response(content, media_type=media_type, headers=headers)


ENDPOINTS: Final = (
    Endpoint("/api/data/{ref}.zip", "GET", give, roles(Role.HOLDER)),
    Endpoint("/api/erasures/{erasure_id}/act.pdf", "GET", act_pdf, roles(Role.ADMIN)),
    Endpoint("/api/erasures/{erasure_id}/act.json", "GET", act_json, roles(Role.ADMIN)),
)
