"""What the script of a page says over the socket; no other frame reaches the framework.

socket.io lets a browser call any ``on_…`` method of the namespace by its name, ``on_connect`` with
headers, address and state token of its own making included, and writes a traceback into the log
for each malformed frame (D44). So frames are read here first, and whoever sends another kind of
frame is hung up on.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final, NamedTuple, cast

import msgspec

from emk_app import bundling

LONGEST: Final = 64 * 1024
"""Characters of one frame (D03): forms are short, files go another way."""
NAMESPACE: Final = "/_event"
LONGEST_WAY: Final = 1500
"""Milliseconds within which the pages of a process that is told to stop have gone."""
EVENT: Final = "event"
WORD: Final = "emk.word"
"""Key of an ASGI message under which what its frame says is handed on, read once."""


class Kind(Enum):
    """What a page does by a frame."""

    CLOSE = auto()
    PING = auto()
    PONG = auto()
    CONNECT = auto()
    DISCONNECT = auto()
    EVENT = auto()
    ERROR = auto()
    """It tells of a failure of its own; its words are not read."""


class Word(NamedTuple):
    """A frame that was understood."""

    kind: Kind
    said: Any = None


# Packet types of Engine.IO 4 and, after a "4", of socket.io 5.
_BARE: Final = {"1": Word(Kind.CLOSE), "2": Word(Kind.PING), "3": Word(Kind.PONG)}
_KINDS: Final = {"0": Kind.CONNECT, "1": Kind.DISCONNECT}
_MESSAGE: Final = re.compile(rf"4([012]){NAMESPACE},(.*)", re.DOTALL)


def send_away() -> str:
    """Return the frame at which a page connects anew, within a moment of its own choice by lot.

    Thousands that come at one moment would keep the process they come to from answering anybody.
    """
    return f'42{NAMESPACE},["{bundling.MOVE}",{random.randrange(LONGEST_WAY)}]'


def read(frame: object) -> Word | None:
    """Return what a frame says, where a page of ours may send it; never raises."""
    if not isinstance(frame, str) or len(frame) > LONGEST:
        return None
    if (bare := _BARE.get(frame)) is not None:
        return bare
    message = _MESSAGE.fullmatch(frame)
    if message is None:
        return None
    kind, text = message.groups()
    if not text:
        return None if kind == "2" else Word(_KINDS[kind])
    said = _json(text)
    match kind, said:
        case "0", {}:
            boot = cast("Mapping[str, Any]", said).get(EVENT)
            return Word(Kind.CONNECT, said) if boot is None or _is_event(boot) else None
        case "2", ["event", event]:
            return Word(Kind.EVENT, event) if _is_event(event) else None
        case "2", ["client_error", {}]:
            return Word(Kind.ERROR)
        case _:
            return None


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        # It does not know all that a browser may write: half a character, a number without end.
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None


def _is_event(event: Any) -> bool:
    """Whether the parts have the types on which the framework relies without looking."""
    if type(event) is not dict:
        return False
    fields = cast("dict[str, Any]", event)
    place, payload = fields.get("router_data", _NOTHING), fields.get("payload", _NOTHING)
    if type(fields.get("name")) is not str or type(place) is not dict or type(payload) is not dict:
        return False
    known = cast("dict[str, Any]", place)
    query = known.get("query", _NOTHING)
    return (
        type(known.get("pathname", "")) is str
        and type(known.get("asPath", "")) is str
        and type(query) is dict
        and all(type(value) is str for value in cast("dict[str, Any]", query).values())
    )


_NOTHING: Final[dict[str, Any]] = {}
