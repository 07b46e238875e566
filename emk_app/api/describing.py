"""What a route says of itself to other systems, and how what they send is read.

``openapi`` makes the description of the API of it; a route without is for our own pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from emk_app.domain.books import BookStatus
from emk_app.domain.errors import Malformed, WrongMediaType

JSON: Final = "application/json"

Schema = Mapping[str, Any]
Body = type[BaseModel] | tuple[type[BaseModel], ...] | Schema
"""A model, one of several, or a schema."""


class Model(BaseModel):
    """What is sent to us: nothing is coerced, and nothing is in it that is not declared."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Answer(BaseModel):
    """What we answer: members may be added within a version, so readers ignore unknown ones."""

    model_config = ConfigDict(strict=True, frozen=True)


class Problem(Answer):
    """What every error is told in."""

    code: str = Field(
        description="What it is, for programs; it never changes within a version.",
        examples=["not_found"],
    )
    message: str = Field(
        description="The same for people, in Russian; its wording may change.",
        examples=["По этой ссылке ничего нет."],
    )
    id: str = Field(
        description="The number under which the log knows it: quote it to the support.",
        pattern="^[0-9a-f]{8,}$",
        examples=["5f0c2a91"],
    )


class Proof(Answer):
    """A detached signature with what it is checked by."""

    algorithm: Literal["ES256"]
    sha256: str = Field(description="Of what is signed, hex.", pattern="^[0-9a-f]{64}$")
    value: str = Field(description="Base64 of the DER form.")
    certificates: list[str] = Field(description="PEM, the signer's first, without the root.")


class SavedVersion(Answer):
    """A signed version of a book (docs/formats.md)."""

    format: Literal["emk-download/1"]
    document: str = Field(description="The signed bytes, a canonical JSON.")
    signature: Proof
    signed_at: datetime
    exported_at: datetime
    current_version: int = Field(ge=1)
    status: BookStatus
    seal: Proof


class FhirDocument(BaseModel):
    """A FHIR R4 Bundle of type document (docs/formats.md)."""

    model_config = ConfigDict(extra="allow")

    resourceType: Literal["Bundle"]
    type: Literal["document"]
    entry: list[dict[str, Any]]


class Tag(StrEnum):
    """What a route belongs to."""

    VERIFY = "verify"
    TRUST = "trust"
    HANDOVER = "handover"
    EXCHANGE = "exchange"
    EMPLOYER = "employer"
    EXPORT = "export"
    ABOUT = "about"


class Security(StrEnum):
    """How the caller proves who they are."""

    NONE = "none"
    KEY = "key"
    """``Authorization: Bearer`` with a key of an employer."""
    SIGNATURE = "signature"
    """HTTP Message Signatures (docs/exchange.md)."""
    SESSION = "session"
    """The cookie of a person who has signed in."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of the path, or a header."""

    name: str
    text: str
    schema: Schema
    example: Any = None
    place: str = "path"
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """One way in which a call succeeds."""

    text: str
    body: Body | None = None
    media_type: str = JSON
    others: Mapping[str, Body] = field(default_factory=dict)
    """Bodies of further media types."""
    headers: Mapping[str, Schema] = field(default_factory=dict)
    """Headers that always come with it, as their schemas."""
    example: Any = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One kind of body that a call may have."""

    body: Body
    example: Any = None


@dataclass(frozen=True, slots=True)
class Described:
    """What other systems are told of a route; its description is made of this.

    Errors that any route may answer with (the guard's) are not repeated here.
    """

    tag: Tag
    summary: str
    replies: Mapping[int, Reply]
    refusals: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The codes of the errors with each status."""
    text: str = ""
    """In Markdown, where a line is not enough."""
    security: Security = Security.NONE
    parameters: tuple[Parameter, ...] = ()
    query: type[BaseModel] | None = None
    sent: Mapping[str, Sent] = field(default_factory=dict)
    """Bodies by media type; without one the call has none."""
    is_deprecated: bool = False


FHIR: Final = "application/fhir+json"
CODE: Final[Schema] = {"type": "string", "pattern": "^[0-9A-Za-z]{26}$"}
"""The last part of a link."""
FILE: Final[Schema] = {"type": "string", "contentMediaType": "application/octet-stream"}

M = TypeVar("M", bound=BaseModel)

MOST_FAULTS: Final = 5


async def read_json(request: Request, kind: type[M]) -> M:
    """Return the body as ``kind``; raise ``WrongMediaType`` or ``Malformed``."""
    if not is_json(request.headers.get("content-type", "")):
        raise WrongMediaType
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        raise _malformed(error) from None


def read_query(request: Request, kind: type[M]) -> M:
    """Return the query as ``kind``; raise ``Malformed``, also for a name given twice."""
    said = request.query_params.multi_items()
    given = dict(said)
    if len(given) != len(said):
        raise Malformed(tuple((name, "given_twice") for name in _twice(said))[:MOST_FAULTS])
    try:
        return kind.model_validate_strings(given)
    except ValidationError as error:
        raise _malformed(error) from None


def is_json(media_type: str) -> bool:
    """Whether a Content-Type announces JSON, which is UTF-8 (RFC 8259)."""
    name, _, more = media_type.partition(";")
    charset = more.strip().lower().replace('"', "")
    return name.strip().lower() == JSON and charset in ("", "charset=utf-8")


def _twice(said: list[tuple[str, str]]) -> list[str]:
    names = [name for name, _ in said]
    return sorted({name for name in names if names.count(name) > 1})


def _malformed(error: ValidationError) -> Malformed:
    # The place and the kind of a fault, never what was sent: it may be about a person.
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return Malformed(
        tuple((".".join(map(str, each["loc"])) or "body", each["type"]) for each in found)[
            :MOST_FAULTS
        ]
    )
