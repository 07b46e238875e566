"""A provider of identities over real HTTP: discovery, keys, token, userinfo; strict as they are."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from emk_app import clock
from emk_app import settings as environment
from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.repositories import applications
from emk_app.domain.actors import Actor
from emk_app.services import federating
from emk_app.settings import ProviderSettings
from tests.factories import make_book, make_holder, put

CLIENT, SECRET = "emk", "a secret of thirty-two signs or so"


@dataclass
class Provider:
    """What it says of whoever signs in, and how it may go wrong."""

    issuer: str
    claims: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    spoil: Callable[[dict[str, Any]], dict[str, Any]] = lambda said: said
    """Changes the ID token's claims before they are signed."""
    sign: Callable[[dict[str, Any]], str] | None = None
    """Signs in another way."""
    codes: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    userinfo: dict[str, Any] | None = None
    now: Callable[[], float] = time.time
    is_asking: bool = False
    """Whether it asks the person on a page of its own; otherwise it lets everybody in at once."""
    is_away: bool = False
    """Whether it answers nothing but that it is out of order."""

    def authorize(self, address: str) -> dict[str, str]:
        """Let the person in at ``address``; return what the browser brings back."""
        parts = urlsplit(address)
        said = parse_qs(parts.query)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        assert said["client_id"] == [CLIENT] and said["response_type"] == ["code"]
        assert said["code_challenge_method"] == ["S256"] and "openid" in said["scope"][0].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = said
        return {"code": code, "state": said["state"][0], "iss": self.issuer}

    def token(self, form: dict[str, list[str]]) -> dict[str, Any] | None:
        """Exchange a code, once, for whoever holds the verifier."""
        said = self.codes.pop(form.get("code", [""])[0], None)
        if said is None or form["redirect_uri"] != said["redirect_uri"]:
            return None
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != said["code_challenge"][0]:
            return None
        now = int(self.now())
        claims = self.spoil(
            {
                "iss": self.issuer,
                "aud": CLIENT,
                "iat": now,
                "exp": now + 60,
                "nonce": said["nonce"][0],
                **self.claims,
            }
        )
        sign = self.sign or (
            lambda told: jwt.encode({"alg": "ES256", "kid": self.key.kid}, told, self.key)
        )
        return {"access_token": "given", "token_type": "Bearer", "id_token": sign(claims)}

    def answer(self, method: str, path: str, given: Any, body: bytes) -> tuple[int, Any]:
        """Answer one request."""
        self.asked.append(path)
        if self.is_away:
            return 503, {"error": "temporarily_unavailable"}
        if path == "/.well-known/openid-configuration":
            names = ("authorization", "token", "userinfo")
            ways = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in names}
            ways["authorization_endpoint"] = f"{self.issuer}/authorize"
            return 200, {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", **ways}
        if path == "/keys":
            return 200, KeySet([self.key]).as_dict(private=False)
        if path == "/token" and method == "POST":
            known = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            if given.get("authorization") != f"Basic {known}":
                return 401, {"error": "invalid_client"}
            said = self.token(parse_qs(body.decode()))
            return (200, said) if said else (400, {"error": "invalid_grant"})
        if path == "/userinfo" and given.get("authorization") == "Bearer given":
            return 200, self.claims if self.userinfo is None else self.userinfo
        return 404, {"error": "not_found"}


@contextmanager
def signing_in(folder: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> Iterator[Provider]:
    """Serve a provider by which people sign in here, at a clock that stands at ``now``."""
    with serving() as served:
        served.claims = {"sub": "subject-of-anna", "snils": "112-233-445 95", "trusted": True}
        served.now = now.timestamp
        secret = folder / "secret"
        secret.write_text(SECRET + "\n")
        given = ProviderSettings(served.issuer, CLIENT, secret, "ЕСИА", "openid snils")
        told = replace(environment.settings(), identity_provider=given)
        monkeypatch.setattr(federating, "settings", lambda: told)
        federating.provider.cache_clear()
        yield served
        federating.provider.cache_clear()


def make_known(now: datetime, login: str = "") -> Actor:
    """Return a holder whose papers with the provider's СНИЛС were found right."""
    made = make_holder(now, login)
    make_book(made, now)
    with reading() as db:
        (application,) = applications.of_holder(db, made.user_id)
    put(application.id, snils_blind=vault.blind("applications-snils", "11223344595"))
    return made


def known(login: str) -> int:
    """Make a holder whom the provider's СНИЛС finds, on a server's data; return the account."""
    return make_known(clock.now(), login).user_id


@contextmanager
def serving() -> Iterator[Provider]:
    """Serve a provider on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            if path == "/authorize" and provider.is_asking:
                self._ask(query)
            elif path in ("/authorize", "/allow"):
                self._send_back(query, provider.authorize(f"{provider.issuer}/authorize?{query}"))
            elif path == "/refuse":
                state = parse_qs(query)["state"][0]
                self._send_back(query, {"error": "access_denied", "state": state})
            else:
                self._say(*provider.answer("GET", path, self.headers, b""))

        def _ask(self, query: str) -> None:
            ways = "".join(
                f'<p><a href="/{way}?{escape(query)}">{word}</a></p>'
                for way, word in (("allow", "Разрешить"), ("refuse", "Отказаться"))
            )
            page = f'<!doctype html><html lang="ru"><title>Вход</title><h1>Вход</h1>{ways}'.encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def _send_back(self, query: str, said: dict[str, str]) -> None:
            back = parse_qs(query)["redirect_uri"][0]
            self.send_response(302)
            self.send_header("location", f"{back}?{urlencode(said)}")
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._say(*provider.answer("POST", self.path, self.headers, body))

        def _say(self, status: int, said: Any) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
