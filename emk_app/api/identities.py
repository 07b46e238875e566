"""Wishes to change identity data come with their paper by plain HTTP, past the service (D42)."""

from __future__ import annotations

from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of, refusal
from emk_app.api.scans import BROKEN, InMemory, as_file, as_picture, drain, page_of
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, Invalid, InvalidValue
from emk_app.edge.policy import roles
from emk_app.presenting import identities as words
from emk_app.presenting import texts
from emk_app.presenting.identities import PAPER
from emk_app.services import renaming
from emk_app.services.renaming import Typed
from emk_app.threads import in_thread

_WORDS: Final = 200


async def receive(request: Request) -> Response:
    """Take a wish with its paper."""
    actor = await actor_of(request)
    try:
        await in_thread(renaming.permit_asking, actor, now=clock.now())
    except DomainError:
        # A browser that is still sending hears the answer only once it has sent all.
        await drain(request)
        raise
    try:
        typed, content, name = await _sent(request)
    except (MultiPartException, ClientDisconnect, KeyError):
        return refusal(400, "broken_upload", BROKEN)
    try:
        ref = await in_thread(renaming.ask, actor, typed, content, name, now=clock.now())
    except Invalid as error:
        # The code tells the screen beside which control the sentence belongs.
        field, sentence = next(iter(words.sentences(error).items()))
        return refusal(422, field, sentence)
    except InvalidValue as error:
        return refusal(422, PAPER, texts.sentence(error))
    return JSONResponse({"ref": ref}, 201)


async def give(request: Request) -> Response:
    """Give the paper as a file to be saved, never opened in the page's own origin."""
    actor = await actor_of(request)
    ref = str(request.path_params["ref"])
    found = await in_thread(renaming.file, actor, ref, now=clock.now())
    return as_file(found.content, found.name, found.media_type)


async def show(request: Request) -> Response:
    """Show one page as a picture made from pixels."""
    actor = await actor_of(request)
    ref = str(request.path_params["ref"])
    page = page_of(request.query_params.get("page", "1"))
    picture = await in_thread(renaming.preview, actor, ref, page=page, now=clock.now())
    return as_picture(picture)


async def _sent(request: Request) -> tuple[Typed, bytes, str]:
    parser = InMemory(request.headers, request.stream(), max_files=1, max_fields=8)
    form = await parser.parse()
    try:
        paper: Any = form[PAPER]
        if not isinstance(paper, UploadFile):
            raise MultiPartException("the field is not a file")
        said = {name: _text(form.get(name)) for name in Typed.__dataclass_fields__}
        return Typed(**said), await paper.read(), paper.filename or ""
    finally:
        await form.close()


def _text(value: Any) -> str:
    return value[:_WORDS] if isinstance(value, str) else ""


_VIEWERS: Final = roles(Role.HOLDER, Role.OPERATOR)

ENDPOINTS: Final = (
    Endpoint("/api/identities", "POST", receive, roles(Role.HOLDER)),
    Endpoint("/api/identities/{ref}/file", "GET", give, _VIEWERS),
    Endpoint("/api/identities/{ref}/preview", "GET", show, _VIEWERS),
)
