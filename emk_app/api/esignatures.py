"""The holder's electronic signature by plain HTTP: text out, files in, what is kept out again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from emk_app import clock
from emk_app.api.routing import Endpoint, actor_of, refusal
from emk_app.api.scans import BROKEN, HEADERS, InMemory, drain
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError, NotFound
from emk_app.domain.esignature import ESignatureRefused
from emk_app.edge.policy import roles
from emk_app.presenting import esignatures as words
from emk_app.presenting.esignatures import CERTIFICATE, CONTAINER, PASSWORD, SIGNATURE
from emk_app.services import esigning
from emk_app.services.esigning import ESignatureFile, ESignatureView, Part
from emk_app.threads import in_thread

_TYPES: Final = {
    Part.TEXT: "application/json",
    Part.SIGNATURE: "application/pkcs7-signature",
    Part.CERTIFICATE: "application/pkix-cert",
}

Sent = dict[str, bytes]
Take = Callable[[Actor, str, Sent], Awaitable[ESignatureView]]


async def give_text(request: Request) -> Response:
    """Give the text to be signed, to be saved byte for byte."""
    actor = await actor_of(request)
    found = await in_thread(esigning.text, actor, _number(request), now=clock.now())
    return _file(found, Part.TEXT)


async def receive_files(request: Request) -> Response:
    """Take a detached signature in and, where it carries none, its certificate."""

    async def take(actor: Actor, number: str, sent: Sent) -> ESignatureView:
        return await in_thread(
            esigning.accept,
            actor,
            number,
            sent[SIGNATURE],
            sent.get(CERTIFICATE) or None,
            now=clock.now(),
        )

    return await _received(request, SIGNATURE, take)


async def receive_container(request: Request) -> Response:
    """Sign with the key of a .pfx file, of which nothing is kept."""

    async def take(actor: Actor, number: str, sent: Sent) -> ESignatureView:
        return await in_thread(
            esigning.sign_with_container,
            actor,
            number,
            sent[CONTAINER],
            sent.get(PASSWORD, b"").decode(),
            now=clock.now(),
        )

    return await _received(request, CONTAINER, take)


async def give_kept(request: Request) -> Response:
    """Give a part of the kept signature, to be saved."""
    actor = await actor_of(request)
    try:
        part = Part(request.path_params["part"])
    except ValueError:
        raise NotFound from None
    found = await in_thread(esigning.kept_part, actor, _number(request), part, now=clock.now())
    return _file(found, part)


async def _received(request: Request, needed: str, take: Take) -> Response:
    actor, number = await actor_of(request), _number(request)
    try:
        await in_thread(esigning.permit_signing, actor, number, now=clock.now())
    except DomainError:
        # A browser that is still sending hears the answer only once it has sent all.
        await drain(request)
        raise
    try:
        sent = await _sent(request, needed)
    except (MultiPartException, ClientDisconnect, KeyError, UnicodeError):
        return refusal(400, "broken_upload", BROKEN)
    try:
        view = await take(actor, number, sent)
    except ESignatureRefused as refused:
        # The code tells the screen beside which control the sentence belongs.
        return refusal(422, refused.check.outcome.value, words.sentence(refused.check))
    return JSONResponse({"outcome": view.check.outcome.value}, 201)


async def _sent(request: Request, needed: str) -> Sent:
    parser = InMemory(request.headers, request.stream(), max_files=2, max_fields=4)
    form = await parser.parse()
    try:
        sent: Sent = {}
        for name, value in form.multi_items():
            given: Any = value
            sent[name] = await given.read() if isinstance(given, UploadFile) else given.encode()
        if needed not in sent:
            raise MultiPartException(f"no part called {needed}")
        return sent
    finally:
        await form.close()


def _number(request: Request) -> str:
    return str(request.path_params["number"])


def _file(found: ESignatureFile, part: Part) -> Response:
    # The name is made of a tracking number: Latin letters, digits and dashes.
    disposition = f'attachment; filename="{found.name}"'
    headers = HEADERS | {"content-disposition": disposition}
    return Response(found.content, media_type=_TYPES[part], headers=headers)


ENDPOINTS: Final = (
    Endpoint("/api/esignatures/{number}/text", "GET", give_text, roles(Role.HOLDER)),
    Endpoint("/api/esignatures/{number}/files", "POST", receive_files, roles(Role.HOLDER)),
    Endpoint("/api/esignatures/{number}/container", "POST", receive_container, roles(Role.HOLDER)),
    Endpoint(
        "/api/esignatures/{number}/kept/{part}", "GET", give_kept, roles(Role.HOLDER, Role.OPERATOR)
    ),
)
