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
from typing import Any, Final, cast

from emk_app import bundling

LONGEST: Final = 64 * 1024
"""Characters of one frame (D03): forms are short, files go another way."""
NAMESPACE: Final = "/_event"
LONGEST_WAY: Final = 1500
"""Milliseconds within which the pages of a process that is told to stop have gone."""
EVENT: Final = "event"

# Packet types of Engine.IO 4 and, after a "4", of socket.io 5: connect, disconnect, event.
_CLOSE_PING_PONG: Final = frozenset({"1", "2", "3"})
_MESSAGE: Final = re.compile(rf"4([012]){NAMESPACE},(.*)", re.DOTALL)


def send_away() -> str:
    """Return the frame at which a page connects anew, within a moment of its own choice by lot.

    Thousands that come at one moment would keep the process they come to from answering anybody.
    """
    return f'42{NAMESPACE},["{bundling.MOVE}",{random.randrange(LONGEST_WAY)}]'


def is_ours(frame: object) -> bool:
    """Whether a page of ours may send this frame; never raises."""
    if not isinstance(frame, str) or len(frame) > LONGEST:
        return False
    if frame in _CLOSE_PING_PONG:
        return True
    message = _MESSAGE.fullmatch(frame)
    if message is None:
        return False
    kind, text = message.groups()
    if not text:
        return kind != "2"
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    match kind, said:
        case "0", {}:
            boot = cast("Mapping[str, Any]", said).get(EVENT)
            return boot is None or _is_event(boot)
        case "2", ["event", event]:
            return _is_event(event)
        case "2", ["client_error", {}]:
            return True
        case _:
            return False


def _is_event(event: Any) -> bool:
    """Whether the parts have the types on which the framework relies without looking."""
    match event:
        case {"name": str()}:
            fields = cast("Mapping[str, Any]", event)
        case _:
            return False
    place = fields.get("router_data", {})
    if not isinstance(place, Mapping) or not isinstance(fields.get("payload", {}), Mapping):
        return False
    known = cast("Mapping[str, Any]", place)
    query = known.get("query", {})
    return (
        isinstance(known.get("pathname", ""), str)
        and isinstance(known.get("asPath", ""), str)
        and isinstance(query, Mapping)
        and all(isinstance(value, str) for value in cast("Mapping[str, Any]", query).values())
    )
