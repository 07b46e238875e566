"""Documents to another system by signed HTTPS requests; the contract is docs/exchange.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx

from emk_app.crypto.messages import Message, NotSigned, ServiceKey, read_receipt, signed_headers
from emk_app.outbound.answers import asked_pause, body_of
from emk_app.outbound.transports import Refused, Unavailable

PATIENCE: Final = 15.0
"""Seconds to wait for each part of an answer."""
WHOLE: Final = 60.0
"""Seconds after which an answer that drips is given up; less than a lease."""

_NOT_THE_DOCUMENTS_FAULT: Final = frozenset({401, 403, 404, 405})
"""The other side does not know us, or we don't know its address: all would fare so."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document on its way out."""

    body: bytes = field(repr=False)
    media_type: str
    key: str
    """The receiving side may see it twice; this tells it so."""
    uid: str
    digest: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side confirms, and its words with its signature."""

    number: str
    raw: bytes


class ExchangeGateway:
    """Hands documents to one receiving end."""

    def __init__(
        self,
        url: str,
        key: ServiceKey,
        receipt_keys: dict[str, bytes],
        *,
        address: str = "",
        patience: float = PATIENCE,
        verify: Any = True,
    ) -> None:
        """``address`` is where to connect, if that is not the ``url`` under which it answers."""
        self._url = url
        self._address = address or url
        self._key = key
        self._receipt_keys = receipt_keys
        self._patience = patience
        self._verify = verify

    def send(self, document: Document, at: datetime) -> Receipt:
        """Return the receipt once the other side has the document; raise ``NotSent`` otherwise."""
        message = Message(
            "POST", self._url, document.body, content_type=document.media_type, key=document.key
        )
        headers = signed_headers(self._key, message, at)
        if self._address != self._url:
            headers["host"] = httpx.URL(self._url).netloc.decode()
        try:
            with (
                httpx.Client(
                    timeout=self._patience,
                    follow_redirects=False,
                    verify=self._verify,
                    trust_env=self._address == self._url,
                ) as client,
                client.stream(
                    "POST", self._address, content=document.body, headers=headers
                ) as answer,
            ):
                body = body_of(answer, WHOLE) if answer.is_success else b""
        except httpx.HTTPError:
            # It may have been accepted: the next try carries the same key.
            raise Unavailable("unreachable") from None
        if not answer.is_success:
            raise _refusal(answer, at)
        return self._receipt(body, document)

    def _receipt(self, body: bytes, document: Document) -> Receipt:
        """Return the receipt if it is signed by whom we believe and is for this very document."""
        try:
            said = read_receipt(body, self._receipt_keys)
        except NotSigned:
            raise Unavailable("receipt") from None
        expected = {"document": document.uid, "digest": document.digest, "key": document.key}
        if any(said.get(name) != value for name, value in expected.items()):
            raise Unavailable("receipt")
        number = said.get("number", "")
        if not 1 <= len(number) <= 40:
            raise Unavailable("receipt")
        return Receipt(number, body)


def _refusal(answer: httpx.Response, at: datetime) -> Refused | Unavailable:
    code = answer.status_code
    if code in _NOT_THE_DOCUMENTS_FAULT:
        return Unavailable("unauthorized")
    if code in (408, 425, 429) or code >= 500:
        return Unavailable("busy", asked_pause(answer, at))
    if 400 <= code < 500:
        return Refused("refused")
    return Unavailable("unclear")
