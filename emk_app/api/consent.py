"""The consent as a PDF, to be signed on paper."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of
from emk_app.domain.actors import Role
from emk_app.edge.policy import ANYONE, roles
from emk_app.presenting import consent_form
from emk_app.services import consenting
from emk_app.threads import in_thread

FILE_NAME: Final = "soglasie"


async def blank(_request: Request) -> Response:
    """Give the empty form to anybody."""
    return _pdf(await in_thread(consent_form.blank))


async def filled(request: Request) -> Response:
    """Give the form with what the holder has typed so far."""
    actor = await actor_of(request)
    form = await in_thread(consenting.form_data, actor, now=clock.now())
    answer = _pdf(await in_thread(consent_form.filled, form))
    answer.headers["cache-control"] = "no-store"
    return answer


def _pdf(content: bytes) -> Response:
    answer = Response(content, media_type="application/pdf")
    answer.headers["content-disposition"] = f'attachment; filename="{FILE_NAME}.pdf"'
    return answer


ENDPOINTS: Final = (
    Endpoint("/api/consent/blank.pdf", "GET", blank, ANYONE),
    Endpoint("/api/consent/form.pdf", "GET", filled, roles(Role.HOLDER)),
)
