"""The session cookie and the reference that stands for it behind the door.

Behind the guard nobody sees a cookie: the guard takes it away and puts a sealed reference in its
place, under the same header name, since that is the one header the framework never echoes to the
browser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from emk_app.crypto import tokens
from emk_app.domain.accounts import BROWSER_KEPT
from emk_app.keys import keystore
from emk_app.settings import settings

TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class Standing(StrEnum):
    """How somebody stands before the door."""

    STRANGER = "stranger"
    """A well-formed cookie without a session: may see open pages and sign in."""
    SIGNED_IN = "signed_in"
    ENDED = "ended"
    """A cookie whose session is over: gets nothing but the way out."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the door, as the guard found it at the handshake or request."""

    standing: Standing
    ref: str
    """Hash of the cookie; names the session, or the doorstep of a stranger."""


def cookie_name() -> str:
    """Return the cookie's name; over https the browser enforces the ``__Host-`` rules."""
    return "__Host-emk_sid" if settings().is_secure else "emk_sid"


def read_cookie(header: str) -> str | None:
    """Return the well-formed cookie value in a Cookie header, or None.

    Other sites' cookies on the same host may break the form of the header; ours is read past them.
    """
    return _read(header, cookie_name())


def _read(header: str, wanted: str) -> str | None:
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == wanted and TOKEN.fullmatch(value):
            return value
    return None


def set_cookie(value: str) -> str:
    """Return the Set-Cookie header that gives the browser its cookie for this visit."""
    return f"{cookie_name()}={value}; {_attributes()}"


def browser_name() -> str:
    """Return the name of the cookie by which a browser is known again (D19)."""
    return "__Host-emk_browser" if settings().is_secure else "emk_browser"


def read_browser(header: str) -> str:
    """Return the well-formed value by which the browser is known, or nothing."""
    return _read(header, browser_name()) or ""


def keep_browser(value: str) -> str:
    """Return the Set-Cookie header that lets the browser be known again."""
    kept = int(BROWSER_KEPT.total_seconds())
    return f"{browser_name()}={value}; Max-Age={kept}; {_attributes()}"


def pack(caller: Caller) -> str:
    """Return the reference that travels behind the door in the cookie's place."""
    said = f"{caller.standing}.{caller.ref}"
    return f"{said}.{_seal(said)}"


def unpack(reference: str) -> Caller | None:
    """Return who the reference names, or None for anything the guard did not write."""
    return _unpack(reference, keystore().session_key)


@lru_cache(maxsize=4096)
def _unpack(reference: str, _key: bytes) -> Caller | None:
    # Asked twice for each event of a socket, with the same answer while the key is the same.
    said, _, seal = reference.rpartition(".")
    if not said or not tokens.same(seal, _seal(said)):
        return None
    standing, _, ref = said.partition(".")
    return Caller(Standing(standing), ref)


def _seal(said: str) -> str:
    return tokens.keyed_digest(keystore().session_key, said, "caller")


def _attributes() -> str:
    return "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if settings().is_secure else "")
