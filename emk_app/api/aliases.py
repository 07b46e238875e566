"""Other names of the same pages, as the guide and people write them (domain.md 8, no. 28)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from emk_app.api.routing import Answer, Endpoint
from emk_app.edge.policy import ANYONE

_APPLICATIONS: Final = "/cabinet/applications"
_BOOK: Final = "/cabinet/book"

ALIASES: Final = {
    "/cabinet/services": _APPLICATIONS,
    "/cabinet/services/applications": _APPLICATIONS,
    "/мои-заявки": _APPLICATIONS,
    "/мои-услуги": _APPLICATIONS,
    "/cabinet/documents": _BOOK,
    "/cabinet/documents/book": _BOOK,
    "/cabinet/emk": _BOOK,
    "/documents": _BOOK,
    "/emk": _BOOK,
    "/elmk": _BOOK,
    "/документы": _BOOK,
    "/мои-документы": _BOOK,
    "/электронная-медкнижка": _BOOK,
    "/медкнижка": _BOOK,
    "/cabinet/clinic": "/cabinet/apply/clinic",
    "/согласие": "/cabinet/consent",
}
"""The name, and the page it means; who may see that page it asks itself."""


def _leading_to(page: str) -> Answer:
    async def lead(_request: Request) -> Response:
        return RedirectResponse(page, 308)

    return lead


ENDPOINTS: Final = tuple(
    Endpoint(name, "GET", _leading_to(page), ANYONE) for name, page in ALIASES.items()
)
