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
from collections.abc import Collection, Mapping
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
            if (said := _delta(data.delta)) is not None:
                return f'["{name}",{{"delta":{said}}}]'
        except (TypeError, ValueError, ArithmeticError, RecursionError):
            # Numbers that no machine has, half characters.
            pass
    return json_dumps([name, data], COMPACT)


_last: tuple[Mapping[str, Any], str] = ({}, "{}")
"""What was written last, and of what: one commit is told to many screens in the same words."""


def _delta(delta: Mapping[str, Any]) -> str | None:
    """Return ``delta`` as JSON, or None where it is not plain."""
    global _last
    before, said = _last
    if _is_same(delta, before):
        return said
    if not _is_plain(delta):
        return None
    said = _encode(delta).decode()
    _last = delta, said
    return said


def _is_same(delta: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether both say the very same of the same states, and nothing that can have changed since.

    A list may have; a tuple is of frozen rows, and the same one as before is still what it was.
    """
    if delta.keys() != before.keys():
        return False
    for state, told in delta.items():
        known = before[state]
        if told.keys() != known.keys():
            return False
        for name, value in told.items():
            kind = type(value)
            if value is not known[name]:
                if kind not in _SCALARS or type(known[name]) is not kind or value != known[name]:
                    return False
            elif kind not in _SCALARS and kind is not tuple:
                return False
    return True


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
