"""SMS by an HTTP gateway; the contract is docs/sms-gateway.md."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final, cast

import httpx

from emk_app.outbound.answers import asked_pause, body_of
from emk_app.outbound.transports import Letter, NotSent, Postponed, Refused, Unavailable

PATIENCE: Final = 10.0
"""Seconds to wait for each part of an answer."""

_NOT_THE_LETTERS_FAULT: Final = frozenset({401, 403, 404, 405})
"""The gateway does not know us, or we don't know its address: every letter would fare so."""


class SmsGateway:
    """Hands messages to one gateway."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        sender: str = "",
        patience: float = PATIENCE,
        verify: Any = True,
    ) -> None:
        self._url = url
        self._sender = sender
        self._client = httpx.Client(
            timeout=patience,
            follow_redirects=False,
            verify=verify,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )

    def send(self, letter: Letter, at: datetime) -> None:
        """Return once the gateway has accepted the message; raise what became of it otherwise."""
        said = {"id": letter.dedupe, "to": letter.recipient, "text": letter.text}
        if self._sender:
            said["sender"] = self._sender
        headers = {"Idempotency-Key": letter.dedupe}
        try:
            with self._client.stream("POST", self._url, json=said, headers=headers) as answer:
                body = body_of(answer) if answer.is_success else b""
        except httpx.TimeoutException:
            # It may have been accepted: the next try carries the same key.
            raise Unavailable("unreachable") from None
        except httpx.HTTPError:
            raise Unavailable("unreachable") from None
        if not answer.is_success:
            raise _refusal(answer, at)
        if not _is_accepted(body):
            raise Unavailable("unclear")


def _is_accepted(body: bytes) -> bool:
    """Whether the gateway says under which name it has the message; a sign-in page does not."""
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and isinstance(cast("dict[str, Any]", said).get("id"), str | int)


def _refusal(answer: httpx.Response, at: datetime) -> NotSent:
    code = answer.status_code
    if code in _NOT_THE_LETTERS_FAULT:
        return Unavailable("unauthorized")
    if code in (408, 425):
        return Postponed("busy")
    if code == 429:
        return Unavailable("busy", asked_pause(answer, at))
    if 400 <= code < 500:
        return Refused("refused")
    if code == 503:
        return Unavailable("busy", asked_pause(answer, at))
    return Unavailable("unclear" if code < 400 else "busy")
