"""Versions of the holder's own book as files to be saved."""

from __future__ import annotations

import urllib.parse
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from emk_app import clock
from emk_app.api.describing import (
    FHIR,
    JSON,
    Body,
    Described,
    FhirDocument,
    Parameter,
    Reply,
    SavedVersion,
    Security,
    Tag,
)
from emk_app.api.routing import Endpoint, actor_of
from emk_app.api.scans import HEADERS
from emk_app.domain.actors import Role
from emk_app.domain.errors import NotFound
from emk_app.edge.policy import roles
from emk_app.services import exporting
from emk_app.services.exporting import MEDIA_TYPES, Export, ExportFormat
from emk_app.threads import in_thread

NAMES: Final = {ExportFormat.JSON: ".json", ExportFormat.FHIR: "-fhir.json"}


async def give_json(request: Request) -> Response:
    """Give the signed version with its signature and certificates."""
    return await _give(request, ExportFormat.JSON)


async def give_fhir(request: Request) -> Response:
    """Give the version as a FHIR document."""
    return await _give(request, ExportFormat.FHIR)


async def _give(request: Request, form: ExportFormat) -> Response:
    actor = await actor_of(request)
    book_id, version = (_number(request.path_params[name]) for name in ("book_id", "version"))
    made = await in_thread(exporting.export, actor, book_id, version, form, now=clock.now())
    return Response(
        made.content,
        media_type=MEDIA_TYPES[form],
        headers=HEADERS | {"content-disposition": _disposition(made)},
    )


def _disposition(made: Export) -> str:
    """Return the name for old and new browsers (RFC 6266)."""
    ending = NAMES[made.form]
    plain = f"emk-{made.number.digits}-v{made.version}{ending}"
    shown = f"ЭМК {made.number}, версия {made.version}{ending}"
    return (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{urllib.parse.quote(shown, safe='')}"
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise NotFound
    return int(text)


def _described(summary: str, body: Body, media_type: str) -> Described:
    return Described(
        Tag.EXPORT,
        summary,
        {
            200: Reply(
                "The file.",
                body,
                media_type,
                headers={
                    "Cache-Control": {"const": "no-store"},
                    "Content-Disposition": {"type": "string", "pattern": "^attachment; "},
                },
            )
        },
        {
            401: ("not_signed_in",),
            403: ("not_permitted",),
            404: ("not_found",),
            409: ("conflict",),
        },
        security=Security.SESSION,
        parameters=(
            Parameter("book_id", "The book, as its page names it.", _COUNT, 1),
            Parameter("version", "Which version of it.", _COUNT, 1),
        ),
    )


_COUNT: Final = {"type": "integer", "minimum": 1, "maximum": 999_999_999_999}

ENDPOINTS: Final = (
    Endpoint(
        "/api/book/{book_id}/versions/{version}/signed.json",
        "GET",
        give_json,
        roles(Role.HOLDER),
        described=_described("A signed version of one's own book", SavedVersion, JSON),
    ),
    Endpoint(
        "/api/book/{book_id}/versions/{version}/fhir.json",
        "GET",
        give_fhir,
        roles(Role.HOLDER),
        described=_described("A version as a FHIR document", FhirDocument, FHIR),
    ),
)
