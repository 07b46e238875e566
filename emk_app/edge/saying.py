"""What is said to a page, as JSON: quickly where it is made of plain rows.

The framework's encoder asks of each row anew how it is to be written. Rows of ours are frozen
dataclasses of text, numbers and their like, which ``msgspec`` writes at once and alike. Everything
else, and above all what the framework writes otherwise than it is kept (the headers of a
handshake), goes its way.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Collection
from functools import cache
from typing import Any, Final, Union, get_args, get_origin

import msgspec
from reflex.state import StateUpdate
from reflex_base.utils.format import json_dumps
from reflex_base.utils.serializers import get_serializer

COMPACT: Final = (",", ":")
# Not floats: a number without end is written otherwise.
_SCALARS: Final = frozenset({str, int, bool, type(None)})

_NESTED: Final = frozenset({dict, list, tuple})

_encode: Final = msgspec.json.Encoder().encode


def event(name: str, data: Any) -> str:
    """Return an event and what it carries, as JSON."""
    if type(data) is StateUpdate and not data.events:
        try:
            if _is_plain(data.delta):
                return f'["{name}",{{"delta":{_encode(data.delta).decode()}}}]'
        except (TypeError, ValueError, ArithmeticError, RecursionError):
            # Numbers that no machine has, half characters.
            pass
    return json_dumps([name, data], COMPACT)


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return all(type(key) is str for key in value) and _are_plain(value.values())
    if kind is list or kind is tuple:
        return _are_plain(value)
    return kind in _SCALARS or is_plain_row(kind)


def _are_plain(values: Collection[Any]) -> bool:
    # The many rows of a list are of one kind.
    kinds = set(map(type, values))
    if kinds.isdisjoint(_NESTED):
        return all(kind in _SCALARS or is_plain_row(kind) for kind in kinds)
    return all(map(_is_plain, values))


@cache
def is_plain_row(kind: Any) -> bool:
    """Whether rows of this type are written field by field, and hold nothing but plain things."""
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)) or get_serializer(kind):
        return False
    try:
        hints = typing.get_type_hints(kind)
    except NameError:
        return False
    return all(
        not field.name.startswith("_") and _is_plain_hint(hints[field.name])
        for field in dataclasses.fields(kind)
    )


def _is_plain_hint(hint: Any) -> bool:
    if hint in _SCALARS:
        return True
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType, list):
        return bool(inner) and all(map(_is_plain_hint, inner))
    if origin is tuple:
        return bool(inner) and all(each is ... or _is_plain_hint(each) for each in inner)
    if origin is dict:
        return bool(inner) and inner[0] is str and _is_plain_hint(inner[1])
    return is_plain_row(hint)
