"""Questions to support come with their screenshot by plain HTTP, past the service (D42)."""

from __future__ import annotations

from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of, refusal
from emk_app.api.scans import BROKEN, InMemory, as_file, as_picture, drain, page_of
from emk_app.domain.errors import DomainError, Invalid, InvalidValue
from emk_app.domain.support import PEOPLE, STAFF, TEXT_LIMIT
from emk_app.edge.policy import roles
from emk_app.presenting import support as words
from emk_app.presenting import texts
from emk_app.services import supporting
from emk_app.services.supporting import Typed
from emk_app.threads import in_thread

FILE: Final = "screenshot"
_WORDS: Final = 200


async def begin(request: Request) -> Response:
    """Take a new question."""
    actor = await actor_of(request)
    return await _received(
        request,
        "",
        lambda said, content, name: supporting.begin(
            actor, Typed(**said), content, name, now=clock.now()
        ),
    )


async def write(request: Request) -> Response:
    """Take what is added to a ticket."""
    actor = await actor_of(request)
    number = str(request.path_params["ticket"])
    return await _received(
        request,
        number,
        lambda said, content, name: supporting.write(
            actor, number, said["text"], said["form_key"], content, name, now=clock.now()
        ),
    )


async def give(request: Request) -> Response:
    """Give a screenshot as a file to be saved, never opened in the page's own origin."""
    actor = await actor_of(request)
    ref = str(request.path_params["screenshot"])
    found = await in_thread(supporting.file, actor, ref, now=clock.now())
    return as_file(found.content, found.name, found.media_type)


async def show(request: Request) -> Response:
    """Show one page as a picture made from pixels."""
    actor = await actor_of(request)
    ref = str(request.path_params["screenshot"])
    page = page_of(request.query_params.get("page", "1"))
    picture = await in_thread(supporting.preview, actor, ref, page=page, now=clock.now())
    return as_picture(picture)


async def _received(request: Request, number: str, take: Any) -> Response:
    actor = await actor_of(request)
    try:
        await in_thread(supporting.permit_sending, actor, number, now=clock.now())
    except DomainError:
        # A browser that is still sending hears the answer only once it has sent all.
        await drain(request)
        raise
    try:
        said, content, name = await _sent(request)
    except (MultiPartException, ClientDisconnect, KeyError):
        return refusal(400, "broken_upload", BROKEN)
    try:
        made = await in_thread(take, said, content, name)
    except Invalid as error:
        # The code tells the screen beside which control the sentence belongs.
        field, sentence = next(iter(words.sentences(error).items()))
        return refusal(422, field, sentence)
    except InvalidValue as error:
        return refusal(422, FILE, texts.sentence(error))
    return JSONResponse({"ticket": made or number}, 201)


async def _sent(request: Request) -> tuple[dict[str, str], bytes, str]:
    parser = InMemory(request.headers, request.stream(), max_files=1, max_fields=8)
    form = await parser.parse()
    try:
        sent: Any = form.get(FILE)
        said = {name: _text(form.get(name), name) for name in Typed.__dataclass_fields__}
        if not isinstance(sent, UploadFile):
            return said, b"", ""
        return said, await sent.read(), sent.filename or ""
    finally:
        await form.close()


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        return ""
    return value[: 2 * TEXT_LIMIT + 1 if name == "text" else _WORDS]


_SENDERS: Final = roles(*PEOPLE)
_VIEWERS: Final = roles(*PEOPLE, *STAFF)

ENDPOINTS: Final = (
    Endpoint("/api/support", "POST", begin, _SENDERS),
    Endpoint("/api/support/{ticket}", "POST", write, _SENDERS),
    Endpoint("/api/support/files/{screenshot}/file", "GET", give, _VIEWERS),
    Endpoint("/api/support/files/{screenshot}/preview", "GET", show, _VIEWERS),
)
