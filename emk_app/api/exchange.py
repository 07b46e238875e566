"""Where other systems bring conclusions and ask for receipts; each request is signed."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emk_app import clock
from emk_app.api.describing import (
    FHIR,
    Answer,
    Described,
    FhirDocument,
    Parameter,
    Reply,
    Security,
    Sent,
    Tag,
)
from emk_app.api.routing import Endpoint, address_of, refusal
from emk_app.api.scans import drain
from emk_app.crypto.messages import Message, NotSigned, read_claim
from emk_app.domain.errors import Conflict, DomainError, NotFound
from emk_app.domain.exchange import (
    IDEMPOTENCY_KEY,
    DocumentRefused,
    DocumentTooLarge,
    ForeignOrganisation,
    NotAPartner,
    Replayed,
    UnknownFormat,
)
from emk_app.edge.allowance import Allowance
from emk_app.edge.policy import ANYONE
from emk_app.presenting import exchange as words
from emk_app.presenting import texts
from emk_app.services import receiving
from emk_app.services.exchanging import PATH, origin_of
from emk_app.services.receiving import Sender
from emk_app.threads import in_thread

log = logging.getLogger("emk.exchange")

AT_ONCE: Final = 120
A_SECOND: Final = 10.0
allowance = Allowance(AT_ONCE, A_SECOND)
"""What one address may ask: a signature is checked before anything is read."""

STATUSES: Final[tuple[tuple[type[DomainError], int, str], ...]] = (
    (Replayed, 401, "replayed"),
    (NotAPartner, 401, "not_a_partner"),
    (ForeignOrganisation, 403, "foreign_organisation"),
    (NotFound, 404, "not_found"),
    (Conflict, 409, "document_differs"),
    (DocumentTooLarge, 413, "body_too_large"),
    (UnknownFormat, 415, "unknown_format"),
    (DocumentRefused, 422, "document_refused"),
)


async def bring(request: Request) -> Response:
    """Take a document in; the answer is its signed receipt."""
    if not allowance.take(address_of(request), time.monotonic()):
        await drain(request)
        return _too_many()
    body = await request.body()
    try:
        sender = await _sender(request, body)
        outcome = await in_thread(
            receiving.receive,
            sender,
            request.headers.get("content-type", ""),
            request.headers.get("idempotency-key", ""),
            body,
            now=clock.now(),
        )
    except DomainError as error:
        return _worded(error)
    return _receipt(outcome.receipt, 201 if outcome.is_new else 200)


async def find(request: Request) -> Response:
    """Give the receipt again, to whoever has brought the document."""
    if not allowance.take(address_of(request), time.monotonic()):
        return _too_many()
    try:
        sender = await _sender(request, b"")
        found = await in_thread(receiving.receipt, sender, str(request.path_params["key"]))
    except DomainError as error:
        return _worded(error)
    return _receipt(found, 200)


async def _sender(request: Request, body: bytes) -> Sender:
    given = request.headers
    message = Message(
        request.method,
        origin_of(request.url.path),
        body,
        content_type=given.get("content-type", ""),
        key=given.get("idempotency-key", ""),
    )
    try:
        claim = read_claim(given.get("signature-input", ""), given.get("signature", ""))
    except NotSigned:
        raise NotAPartner("no signature") from None
    return await in_thread(
        receiving.authenticate, message, given.get("content-digest", ""), claim, now=clock.now()
    )


def _receipt(raw: bytes, status: int) -> Response:
    return Response(raw, status, {"cache-control": "no-store"}, media_type="application/json")


def _worded(error: DomainError) -> JSONResponse:
    status, code = next(
        (status, code) for kind, status, code in STATUSES if isinstance(error, kind)
    )
    # The rule is a word of ours: it helps the other side and quotes nobody.
    rule = error.rule if isinstance(error, DocumentRefused) else ""
    log.warning("a document was not taken: %s %s", code, rule)
    return _refused(status, code, texts.sentence(error))


def _too_many() -> JSONResponse:
    answer = _refused(429, "too_many_attempts", words.TOO_MANY)
    answer.headers["retry-after"] = "10"
    return answer


def _refused(status: int, code: str, sentence: str) -> JSONResponse:
    answer = refusal(status, code, sentence)
    answer.headers["cache-control"] = "no-store"
    return answer


class ReceiptFacts(Answer):
    """What is receipted."""

    number: str
    document: str = Field(description="`<root>^<extension>`.")
    digest: str = Field(description="SHA-256 of the body, hex.", pattern="^[0-9a-f]{64}$")
    key: str = Field(description="The idempotency key.")
    received_at: datetime


class Receipt(Answer):
    """A signed receipt, in canonical JSON; it never tells whether the person is known."""

    key: str = Field(description="The key that signed it.", pattern="^[0-9a-f]{16}$")
    receipt: ReceiptFacts
    signature: str = Field(description="ES256 over the canonical form of `receipt`, base64.")


def _header(name: str, text: str, **schema: Any) -> Parameter:
    return Parameter(name, text, {"type": "string"} | schema, place="header")


_KEY: Final = f"^{IDEMPOTENCY_KEY.pattern}$"
_SIGNATURE_INPUT: Final = _header(
    "Signature-Input", "What is signed, when and by whom (docs/exchange.md)."
)
_UNSIGNED: Final = {401: ("not_a_partner", "replayed"), 429: ("too_many_attempts",)}
_UNSTORED: Final = {"Cache-Control": {"const": "no-store"}}
_BROUGHT: Final = Described(
    Tag.EXCHANGE,
    "Bring a conclusion",
    {
        201: Reply("Taken.", Receipt, headers=_UNSTORED),
        200: Reply("Taken before: the same receipt again.", Receipt, headers=_UNSTORED),
    },
    _UNSIGNED
    | {
        403: ("foreign_organisation",),
        409: ("document_differs",),
        413: ("body_too_large",),
        415: ("unknown_format",),
        422: ("document_refused",),
    },
    text="Each request is signed; which rules a document has to follow is in docs/exchange.md.",
    security=Security.SIGNATURE,
    parameters=(
        _header("Idempotency-Key", "One for each document.", pattern=_KEY),
        _header("Content-Digest", "SHA-256 of the body (RFC 9530).", pattern="^sha-256=:.+:$"),
        _SIGNATURE_INPUT,
    ),
    sent={"application/xml": Sent({"type": "string"}), FHIR: Sent(FhirDocument)},
)
_FOUND: Final = Described(
    Tag.EXCHANGE,
    "Ask for a receipt again",
    {200: Reply("The receipt.", Receipt, headers=_UNSTORED)},
    _UNSIGNED | {404: ("not_found",)},
    security=Security.SIGNATURE,
    parameters=(
        Parameter("key", "The idempotency key.", {"type": "string", "pattern": _KEY}),
        _SIGNATURE_INPUT,
    ),
)

ENDPOINTS: Final = (
    Endpoint(PATH, "POST", bring, ANYONE, described=_BROUGHT),
    Endpoint("/api/exchange/v1/receipts/{key}", "GET", find, ANYONE, described=_FOUND),
)
