"""How our HTTP routes are declared, and the gate they stand behind (D20)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from emk_app import clock, incidents
from emk_app.api.describing import Described
from emk_app.domain.actors import Actor
from emk_app.domain.errors import (
    Conflict,
    DomainError,
    FreshFactorNeeded,
    Malformed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    TooManyAttempts,
    WrongMediaType,
)
from emk_app.edge.cookies import Caller, Standing
from emk_app.edge.guard import ADDRESS, CALLER, MACHINES, SOON
from emk_app.edge.policy import Access, Undeclared
from emk_app.outages import is_outage
from emk_app.presenting import texts
from emk_app.presenting.refusals import REFUSALS
from emk_app.services import accounts, auditing
from emk_app.threads import in_thread

log = logging.getLogger("emk.api")

Answer = Callable[[Request], Awaitable[Response]]

STATUSES: tuple[tuple[type[DomainError], int, str], ...] = (
    (NotSignedIn, 401, "not_signed_in"),
    (FreshFactorNeeded, 403, "fresh_factor_needed"),
    (NotPermitted, 403, "not_permitted"),
    (NotFound, 404, "not_found"),
    (Conflict, 409, "conflict"),
    (TooManyAttempts, 429, "too_many_attempts"),
    (WrongMediaType, 415, "unsupported_media_type"),
    (Malformed, 422, "malformed"),
    (DomainError, 422, "refused"),
)


class Quick:
    """An answer on the bare protocol, for an open route that is hot; it words its own errors."""

    def __init__(self, answer: ASGIApp) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await self._answer(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route: where, what, and who may call it."""

    path: str
    method: str
    answer: Answer | Quick
    access: Access
    described: Described | None = None
    """What other systems are told of it; None for what is for our own pages."""


def caller_of(request: Request) -> Caller:
    """Return who the guard found at the door."""
    return request.scope[CALLER]


def address_of(request: Request) -> str:
    """Return the client's address."""
    return request.scope[ADDRESS]


async def actor_of(request: Request) -> Actor:
    """Return who acts; raise ``NotSignedIn``."""
    caller = caller_of(request)
    if caller.standing is not Standing.SIGNED_IN:
        raise NotSignedIn
    return await in_thread(accounts.actor_of, caller.ref, now=clock.now())


def refusal(status: int, code: str, message: str, incident: str = "") -> JSONResponse:
    """Return the fixed error envelope."""
    body = {"code": code, "message": message, "id": incident or secrets.token_hex(4)}
    return JSONResponse(body, status_code=status)


def routes(endpoints: Sequence[Endpoint]) -> list[Route]:
    """Return the routes behind their gates; raise ``Undeclared`` for one without access."""
    undeclared = [
        each.path
        for each in endpoints
        if not isinstance(each.access, Access)
        # Nobody stands before a quick answer, and no cookie is read where machines speak: such a
        # route can't be for some only.
        or (_is_unattended(each) and not each.access.is_open)
    ]
    if undeclared:
        raise Undeclared(undeclared)
    return [Route(each.path, _gated(each), methods=[each.method]) for each in endpoints]


def _is_unattended(endpoint: Endpoint) -> bool:
    return isinstance(endpoint.answer, Quick) or endpoint.path.startswith(MACHINES)


def _gated(endpoint: Endpoint) -> Answer | Quick:
    if isinstance(endpoint.answer, Quick):
        return endpoint.answer
    inner = endpoint.answer

    async def answer(request: Request) -> Response:
        try:
            if not endpoint.access.is_open:
                actor = await actor_of(request)
                if not endpoint.access.admits(actor.role):
                    log.info("refused %s for %s", endpoint.path, actor.role)
                    await in_thread(auditing.denied, actor, endpoint.path, now=clock.now())
                    raise NotPermitted(f"{actor.role} at {endpoint.path}")
            return await inner(request)
        except DomainError as error:
            return worded(error)
        except ClientDisconnect:
            # The guard cuts a body that goes on past what it announced, or the client has gone.
            return refusal(413, "body_too_large", REFUSALS["body_too_large"])
        except Exception as error:
            if is_outage(error):
                # The guard says so, to a person with a page.
                raise
            return unexpected(error, endpoint.path)

    return answer


def unexpected(error: Exception, path: str) -> JSONResponse:
    """Log a fault under an incident number and return what the caller is told of it."""
    incident = incidents.note(log, path, error)
    if is_outage(error):
        answer = refusal(503, "out_of_order", REFUSALS["out_of_order"], incident)
        answer.headers["retry-after"] = str(SOON)
        return answer
    return refusal(500, "unexpected", texts.UNEXPECTED.format(incident=incident), incident)


def worded(error: DomainError) -> JSONResponse:
    """Return a domain error in the envelope."""
    status, code = next(
        (status, code) for kind, status, code in STATUSES if isinstance(error, kind)
    )
    return refusal(status, code, texts.sentence(error))
