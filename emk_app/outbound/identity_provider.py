"""A provider of identities, spoken to as OpenID Connect Core 1.0 says: code flow with PKCE."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken, UserInfo
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from emk_app.domain.federation import ProviderUnavailable

PATIENCE: Final = 5.0
"""Seconds for each part of an answer: a person waits."""
LARGEST: Final = 256 * 1024
"""Bytes of an answer."""
KNOWN_FOR: Final = 3600.0
"""Seconds for which the provider's description and keys are kept."""
KEYS_AGAIN: Final = 60.0
"""Seconds after which a signature by an unknown key makes us ask for the keys anew."""
ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""Signatures that are believed; never ``none``, never one by a shared secret."""
LEEWAY: Final = 60
"""Seconds by which clocks may differ."""


@dataclass(frozen=True, slots=True)
class Client:
    """How the provider knows us."""

    issuer: str
    id: str
    secret: str = field(repr=False)
    scope: str
    back: str
    """Where the browser comes back; registered with the provider."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What ties an answer to its question."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


def new_secrets() -> Secrets:
    """Return a fresh nonce and code verifier (RFC 7636)."""
    return Secrets(generate_token(43), generate_token(64))


class IdentityProvider:
    """One provider; keeps its description and keys for an hour."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._description: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def address(self, state: str, secrets: Secrets) -> str:
        """Return where to send the browser; raise ``ProviderUnavailable``."""
        asked = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.back,
            "scope": self._client.scope,
            "state": state,
            "nonce": secrets.nonce,
            "code_challenge": create_s256_code_challenge(secrets.verifier),
            "code_challenge_method": "S256",
        }
        return add_params_to_uri(self._endpoint("authorization_endpoint"), [*asked.items()])

    def claims(self, code: str, secrets: Secrets, now: datetime) -> Mapping[str, Any]:
        """Return what the provider says of whoever brought the code.

        Raises ``ProviderUnavailable`` for everything that does not fit, a code used twice included.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.back,
            "code_verifier": secrets.verifier,
        }
        given = self._ask(
            "POST",
            self._endpoint("token_endpoint"),
            data=form,
            auth=(self._client.id, self._client.secret),
        )
        told = self._id_token(given, secrets, now)
        access = given.get("access_token")
        if "userinfo_endpoint" not in self._described() or not isinstance(access, str):
            return told
        more = self._ask(
            "GET",
            self._endpoint("userinfo_endpoint"),
            headers={"authorization": f"Bearer {access}"},
        )
        # OpenID Connect Core 1.0, section 5.3.2: otherwise it may be about somebody else.
        if UserInfo(more).get("sub") != told["sub"]:
            raise ProviderUnavailable("userinfo")
        return {**more, **told}

    def _id_token(
        self, given: Mapping[str, Any], secrets: Secrets, now: datetime
    ) -> Mapping[str, Any]:
        raw = given.get("id_token")
        if not isinstance(raw, str):
            raise ProviderUnavailable("no id_token")
        token = self._verified(raw)
        claims = CodeIDToken(
            token.claims,
            token.header,
            {
                "iss": {"essential": True, "value": self._client.issuer},
                "sub": {"essential": True},
                "exp": {"essential": True},
                "iat": {"essential": True},
            },
            {
                "client_id": self._client.id,
                "nonce": secrets.nonce,
                "access_token": given.get("access_token"),
            },
        )
        try:
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        except Exception as error:
            raise ProviderUnavailable(f"id_token: {type(error).__name__}") from None
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if self._client.id not in audience or claims.get("nonce") != secrets.nonce:
            raise ProviderUnavailable("id_token: not for us")
        return dict(claims)

    def _verified(self, raw: str) -> jwt.Token:
        for fresh in (False, True):
            keys = self._key_set(fresh=fresh)
            try:
                return jwt.decode(raw, keys, algorithms=list(ALGORITHMS))
            except (JoseError, ValueError) as error:
                # A key we have not seen may be the provider's newest.
                if fresh:
                    raise ProviderUnavailable(f"id_token: {type(error).__name__}") from None
        raise AssertionError

    def _key_set(self, *, fresh: bool) -> KeySet:
        with self._lock:
            age = time.monotonic() - self._keys[0] if self._keys else KNOWN_FOR
            if self._keys and age < (KEYS_AGAIN if fresh else KNOWN_FOR):
                return self._keys[1]
        said = self._ask("GET", self._endpoint("jwks_uri"))
        try:
            keys = KeySet.import_key_set(dict(said))  # pyright: ignore[reportArgumentType]
        except (JoseError, ValueError, KeyError, TypeError):
            raise ProviderUnavailable("keys") from None
        with self._lock:
            self._keys = (time.monotonic(), keys)
        return keys

    def _described(self) -> Mapping[str, Any]:
        with self._lock:
            known = self._description
        if known and time.monotonic() - known[0] < KNOWN_FOR:
            return known[1]
        said = self._ask(
            "GET", self._client.issuer.rstrip("/") + "/.well-known/openid-configuration"
        )
        # OpenID Connect Discovery 1.0, section 4.3.
        if said.get("issuer") != self._client.issuer:
            raise ProviderUnavailable("issuer")
        with self._lock:
            self._description = (time.monotonic(), said)
        return said

    def _endpoint(self, name: str) -> str:
        address = self._described().get(name)
        own = urlsplit(self._client.issuer)
        if not isinstance(address, str) or urlsplit(address).scheme != own.scheme:
            raise ProviderUnavailable(name)
        return address

    def _ask(self, method: str, url: str, **how: Any) -> Mapping[str, Any]:
        try:
            with (
                httpx.Client(timeout=PATIENCE, follow_redirects=False) as client,
                client.stream(method, url, **how) as answer,
            ):
                body = b""
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise ProviderUnavailable("too much")
            said = httpx.Response(200, content=body).json() if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            raise ProviderUnavailable("unreachable") from None
        if not isinstance(said, dict):
            raise ProviderUnavailable(f"answered {answer.status_code}")
        return said
