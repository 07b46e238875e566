"""The description of the API (OpenAPI 3.1), made of what the routes declare themselves."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from emk_app.api.describing import (
    JSON,
    Body,
    Described,
    Parameter,
    Problem,
    Reply,
    Schema,
    Security,
    Tag,
)
from emk_app.api.routing import Endpoint
from emk_app.api.trust import described as described_as
from emk_app.api.trust import shared
from emk_app.edge.policy import ANYONE

PATH: Final = "/api/v1/openapi.json"
VERSION: Final = "1.0.0"
"""Of the description: the first number is that of the paths (docs/api.md)."""
REFS: Final = "#/components/schemas/{model}"

TAGS: Final = {
    Tag.VERIFY: "Whether a book may be worked on, by the code that its holder shows.",
    Tag.TRUST: "Keys and statuses for checking codes and files without asking about each.",
    Tag.HANDOVER: "What a holder hands over, fetched once (docs/handover.md).",
    Tag.EXCHANGE: "Signed conclusions between medical systems (docs/exchange.md).",
    Tag.EMPLOYER: "The staff of an employer, for systems of personnel.",
    Tag.EXPORT: "A holder's own book, signed, as files (docs/formats.md).",
    Tag.ABOUT: "The API itself.",
}
SCHEMES: Final[Mapping[Security, Mapping[str, Any]]] = {
    Security.KEY: {
        "type": "http",
        "scheme": "bearer",
        "description": "A key that the owner of an employer's account has made; it has scopes.",
    },
    Security.SIGNATURE: {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "HTTP Message Signatures (RFC 9421), described in docs/exchange.md.",
    },
    Security.SESSION: {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-emk_sid",
        "description": "The session of a person who has signed in with a second factor.",
    },
}
ALWAYS: Final[Mapping[int, tuple[str, ...]]] = {
    400: ("unknown_host",),
    429: ("too_many_requests",),
    431: ("headers_too_large",),
    500: ("unexpected",),
    503: ("out_of_order",),
}
"""Errors of any route."""
WITH_BODY: Final[Mapping[int, tuple[str, ...]]] = {413: ("body_too_large",)}
FROM_PAGES: Final[Mapping[int, tuple[str, ...]]] = {403: ("foreign_origin",)}
"""Of what changes something: a browser says from which site it asks."""
MEANINGS: Final = {
    400: "The request can't be understood",
    401: "The caller has not proved who they are",
    403: "The caller may not do this",
    404: "There is no such thing, or not for the caller",
    409: "It contradicts what is known",
    410: "It was there, and is over",
    413: "The body is too large",
    415: "The body is of a kind that is not read here",
    422: "The body is read, and breaks a rule",
    429: "Too many requests; `Retry-After` says how many seconds to wait",
    431: "The headers are too large",
    500: "A fault of the service",
    503: "The service is out of order; `Retry-After` says how many seconds to wait",
}
WAIT: Final[Mapping[str, Any]] = {
    "Retry-After": {
        "description": "Seconds to wait.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}

Mode = Literal["validation", "serialization"]
Names = Mapping[tuple[type[BaseModel], Mode], Schema]


def document(endpoints: Iterable[Endpoint], origin: str = "") -> dict[str, Any]:
    """Return the description of those of ``endpoints`` that have one."""
    told = [(each, each.described) for each in endpoints if each.described is not None]
    names, schemas = _models(described for _, described in told)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for endpoint, described in told:
        place = endpoint.path.replace(":path}", "}")
        paths[place][endpoint.method.lower()] = _operation(endpoint, described, names)
    used = {described.tag for _, described in told}
    secured = {described.security for _, described in told}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ЭМК Онлайн",
            "version": VERSION,
            "summary": "Electronic medical books: verify, exchange, hand over, export.",
            "description": "How versions, errors, limits and keys work is told in docs/api.md.",
        },
        **({"servers": [{"url": origin}]} if origin else {}),
        "tags": [{"name": tag, "description": text} for tag, text in TAGS.items() if tag in used],
        "paths": dict(paths),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                name: dict(scheme) for name, scheme in SCHEMES.items() if name in secured
            },
        },
    }


def written(endpoints: Iterable[Endpoint]) -> str:
    """Return the description as it is kept in docs/openapi.json."""
    return json.dumps(document(endpoints), ensure_ascii=False, indent=1) + "\n"


def served(endpoints: Sequence[Endpoint]) -> Endpoint:
    """Return the route that gives the description of ``endpoints``, and of itself."""

    async def give(request: Request) -> Response:
        return shared(request, content(), JSON, seconds=300)

    own = Endpoint(
        PATH,
        "GET",
        give,
        ANYONE,
        described=described_as(
            "This description",
            Reply("OpenAPI 3.1.", {"type": "object", "required": ["openapi", "paths"]}),
            Tag.ABOUT,
        ),
    )

    @cache
    def content() -> bytes:
        return json.dumps(document([*endpoints, own]), ensure_ascii=False).encode()

    return own


def _models(
    all_described: Iterable[Described],
) -> tuple[Names, dict[str, Any]]:
    asked: dict[tuple[type[BaseModel], Mode], None] = {(Problem, "serialization"): None}
    for each in all_described:
        for reply in each.replies.values():
            for body in (reply.body, *reply.others.values()):
                for kind in _kinds(body):
                    asked[kind, "serialization"] = None
        for sent in each.sent.values():
            for kind in _kinds(sent.body):
                asked[kind, "validation"] = None
    names, made = models_json_schema(list(asked), ref_template=REFS)
    return cast("Names", names), made.get("$defs", {})


def _kinds(body: Body | None) -> tuple[type[BaseModel], ...]:
    if isinstance(body, type):
        return (body,)
    return body if isinstance(body, tuple) else ()


def _schema(body: Body, mode: Mode, names: Names) -> Schema:
    kinds = _kinds(body)
    if not kinds:
        return body  # pyright: ignore[reportReturnType] - what is no model is a schema
    found = [names[kind, mode] for kind in kinds]
    return found[0] if len(found) == 1 else {"oneOf": found}


def _operation(
    endpoint: Endpoint,
    described: Described,
    names: Names,
) -> dict[str, Any]:
    parameters = [_parameter(each) for each in described.parameters]
    if described.query is not None:
        parameters += _query(described.query)
    said: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "tags": [described.tag.value],
        "summary": described.summary,
    }
    if described.text:
        said["description"] = described.text
    if described.is_deprecated:
        said["deprecated"] = True
    if parameters:
        said["parameters"] = parameters
    if described.sent:
        said["requestBody"] = {
            "required": True,
            "content": {
                kind: _media(_schema(sent.body, "validation", names), sent.example)
                for kind, sent in described.sent.items()
            },
        }
    responses = {str(status): _reply(reply, names) for status, reply in described.replies.items()}
    for status, codes in sorted(_refusals(endpoint, described).items()):
        responses[str(status)] = _refusal(status, codes, names[Problem, "serialization"])
    said["responses"] = responses
    if described.security is not Security.NONE:
        said["security"] = [{described.security.value: []}]
    return said


def _refusals(endpoint: Endpoint, described: Described) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    general = [described.refusals, ALWAYS]
    if endpoint.method not in ("GET", "HEAD"):
        general += [FROM_PAGES, WITH_BODY]
    for each in general:
        for status, codes in each.items():
            found[status] = tuple(dict.fromkeys((*found.get(status, ()), *codes)))
    return found


def _refusal(status: int, codes: tuple[str, ...], problem: Schema) -> dict[str, Any]:
    schema = {"allOf": [problem, {"properties": {"code": {"enum": list(codes)}}}]}
    said: dict[str, Any] = {
        "description": f"{MEANINGS[status]}: {', '.join(f'`{code}`' for code in codes)}.",
        "content": {JSON: {"schema": schema}},
    }
    if status in (429, 503):
        said["headers"] = dict(WAIT)
    return said


def _reply(reply: Reply, names: Names) -> dict[str, Any]:
    said: dict[str, Any] = {"description": reply.text}
    if reply.headers:
        said["headers"] = {
            name: {"required": True, "schema": dict(schema)}
            for name, schema in reply.headers.items()
        }
    bodies = {reply.media_type: reply.body} if reply.body is not None else {}
    content = {
        kind: _media(
            _schema(body, "serialization", names),
            reply.example if kind == reply.media_type else None,
        )
        for kind, body in (bodies | dict(reply.others)).items()
    }
    if content:
        said["content"] = content
    return said


def _media(schema: Schema, example: Any) -> dict[str, Any]:
    return {"schema": dict(schema)} | ({"example": example} if example is not None else {})


def _parameter(parameter: Parameter) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.text,
        "required": parameter.is_required,
        "schema": dict(parameter.schema),
    }
    return said | ({"example": parameter.example} if parameter.example is not None else {})


def _query(kind: type[BaseModel]) -> list[dict[str, Any]]:
    made = kind.model_json_schema(ref_template=REFS)
    required = made.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "description": schema.pop("description", schema.get("title", name)),
            "required": name in required,
            "schema": _inlined(schema, made.get("$defs", {})),
        }
        for name, schema in made.get("properties", {}).items()
    ]


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Return the schema with what it refers to in its place: parameters share nothing."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
        return {name: _inlined(value, definitions) for name, value in schema.items()}
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    return schema


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"[a-zA-Z0-9]+", endpoint.path.replace(":path}", "}"))
    return "_".join([endpoint.method.lower(), *words])
