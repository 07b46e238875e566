"""What verifiers of any origin read: the keys, the statuses of codes, our root."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request
from starlette.responses import Response

from emk_app import clock
from emk_app.api.describing import FILE, Answer, Described, Parameter, Reply, Schema, Tag
from emk_app.api.routing import Endpoint
from emk_app.crypto import trustlist
from emk_app.crypto.keystore import Keystore
from emk_app.crypto.signing import KeyUse
from emk_app.edge.policy import ANYONE
from emk_app.keys import keystore, signer
from emk_app.services import statuses
from emk_app.threads import in_thread

KEYS: Final = "/.well-known/emk/keys.json"
JWKS: Final = "/.well-known/jwks.json"
ROOT: Final = "/.well-known/emk/root.cer"


async def keys(request: Request) -> Response:
    """Answer the signed list of keys."""
    return shared(request, await in_thread(_keys), "application/json", seconds=300)


async def jwks(request: Request) -> Response:
    """Answer the keys that are believed, for readers of any JWK set; not signed."""
    said = trustlist.jwk_set(keystore().trust_list, with_compromised=False)
    body = json.dumps({"keys": said["keys"]}, separators=(",", ":")).encode()
    return shared(request, body, "application/jwk-set+json", seconds=300)


async def status(request: Request) -> Response:
    """Answer the signed list of codes that are over."""
    body = await in_thread(statuses.published, now=clock.now())
    return shared(request, body, "application/statuslist+jwt", seconds=60)


async def root(request: Request) -> Response:
    """Answer the root that verifiers pin, DER."""
    body = keystore().root.public_bytes(Encoding.DER)
    return shared(request, body, "application/pkix-cert", seconds=86400)


def shared(request: Request, body: bytes, kind: str, *, seconds: int) -> Response:
    """Answer anybody, from whatever page; the same bytes are not sent twice."""
    etag = trustlist.etag_of(body)
    headers = {
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "ETag",
        "cross-origin-resource-policy": "cross-origin",
        "cache-control": f"public, max-age={seconds}",
        "etag": etag,
    }
    known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
    if known & {etag, f"W/{etag}", "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


def _keys() -> bytes:
    return _published(keystore(), int(clock.now().timestamp() // 3600))


@lru_cache(maxsize=2)
def _published(store: Keystore, _hour: int) -> bytes:
    """Sign the list once an hour, and at once after a change of the register."""
    return trustlist.publish(signer(KeyUse.LIST), store.trust_list, store.version, clock.now())


class SignedList(Answer):
    """A flattened JSON Web Signature (RFC 7515); docs/keys.md says what is in it."""

    payload: str
    protected: str
    signature: str


class KeySet(Answer):
    """A JWK set (RFC 7517)."""

    keys: list[dict[str, Any]]


SHARED_HEADERS: Final[dict[str, Schema]] = {
    "ETag": {"type": "string"},
    "Cache-Control": {"type": "string", "pattern": "^public, max-age="},
}
KNOWN: Final = Parameter(
    "If-None-Match",
    "The `ETag` that is known; 304 says that nothing has changed.",
    {"type": "string"},
    place="header",
    is_required=False,
)


def described(summary: str, reply: Reply, tag: Tag = Tag.TRUST) -> Described:
    """Return what is told of an answer that is alike for everybody, and may be kept."""
    unchanged = Reply("Nothing has changed.", headers=SHARED_HEADERS)
    return Described(tag, summary, {200: reply, 304: unchanged}, parameters=(KNOWN,))


ENDPOINTS = (
    Endpoint(
        KEYS,
        "GET",
        keys,
        ANYONE,
        described=described(
            "The signed list of keys",
            Reply("Changes once an hour at least.", SignedList, headers=SHARED_HEADERS),
        ),
    ),
    Endpoint(
        JWKS,
        "GET",
        jwks,
        ANYONE,
        described=described(
            "The keys that are believed, as a JWK set",
            Reply("Not signed.", KeySet, "application/jwk-set+json", headers=SHARED_HEADERS),
        ),
    ),
    Endpoint(
        statuses.PATH,
        "GET",
        status,
        ANYONE,
        described=described(
            "The signed list of codes that are over before their time",
            Reply(
                "A Token Status List.",
                {"type": "string"},
                "application/statuslist+jwt",
                headers=SHARED_HEADERS,
            ),
        ),
    ),
    Endpoint(
        ROOT,
        "GET",
        root,
        ANYONE,
        described=described(
            "The root certificate that verifiers pin",
            Reply("DER.", FILE, "application/pkix-cert", headers=SHARED_HEADERS),
        ),
    ),
)
