"""The one sequence of bytes that stands for a document (RFC 8785)."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, NoReturn, cast
from unicodedata import is_normalized

import rfc8785

from emk_app.crypto.errors import NotCanonical

MAX_INTEGER: Final = 2**53 - 1
"""Beyond it, readers in other languages see another number."""
_MAX_DEPTH: Final = 32


def canonical(document: object) -> bytes:
    """Return the canonical JSON of a document.

    Raises ``NotCanonical`` for what two programs could write in two ways: floats, text that is not
    NFC, integers beyond ``MAX_INTEGER``, keys that are not text, and every foreign type.
    """
    _check(document, "$", 0)
    return rfc8785.dumps(cast(Any, document))


def parse(raw: bytes) -> object:
    """Return the document of canonical bytes; raises ``NotCanonical`` for any others."""
    try:
        document: object = json.loads(raw.decode(), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotCanonical("$", "not JSON") from error
    # Whatever was lost on the way (a second equal key, a space, an escape) shows here.
    if canonical(document) != raw:
        raise NotCanonical("$", "not in canonical form")
    return document


def sha256(raw: bytes) -> bytes:
    """Return the 32 bytes that name a version of a document."""
    return hashlib.sha256(raw).digest()


def _check(value: object, path: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise NotCanonical(path, "too deep")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonical(path, "integer too large")
    elif isinstance(value, (list, tuple)):
        for number, member in enumerate(cast("list[object]", value)):
            _check(member, f"{path}[{number}]", depth + 1)
    elif isinstance(value, dict):
        for key, member in cast("dict[object, object]", value).items():
            if not isinstance(key, str):
                raise NotCanonical(path, "a key is not text")
            _check_text(key, path)
            _check(member, f"{path}.{key}", depth + 1)
    else:
        raise NotCanonical(path, f"{type(value).__name__} has no canonical form")


def _check_text(text: str, path: str) -> None:
    if not is_normalized("NFC", text):
        raise NotCanonical(path, "text is not NFC")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical(path, "text is not Unicode") from error


def _refuse(text: str) -> NoReturn:
    raise NotCanonical("$", f"{text[:20]} is not an integer")
