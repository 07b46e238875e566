"""The head of the audit chain, told to a machine that keeps it for us (docs/operations.md)."""

from __future__ import annotations

from typing import Final

import httpx

PATIENCE: Final = 5.0
"""Seconds to wait for each part of an answer."""


class NotKept(Exception):
    """The other side has not said that it keeps the head; the message is a word of ours."""


def post(url: str, token: str, line: str, digest: str, *, patience: float = PATIENCE) -> None:
    """Return once the other side has taken ``line``, else raise ``NotKept``.

    The same head may come twice: ``digest`` names it.
    """
    headers = {"Content-Type": "application/json", "Idempotency-Key": digest}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        with httpx.stream(
            "POST",
            url,
            content=line.encode("ascii"),
            headers=headers,
            timeout=patience,
            follow_redirects=False,
        ) as answer:
            status = answer.status_code
    except httpx.HTTPError:
        raise NotKept("unreachable") from None
    if not 200 <= status < 300:
        raise NotKept(f"status {status}")
