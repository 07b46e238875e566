"""Canonical JSON: one document, one sequence of bytes."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.crypto.canonical import MAX_INTEGER, canonical, parse, sha256
from emk_app.crypto.errors import NotCanonical

text = st.text(st.characters(exclude_categories=["Cs"])).map(lambda t: normalize("NFC", t))
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | text,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"term": 1.5}, "$.term"),
        ({"term": 1.0}, "$.term"),
        ({"term": float("nan")}, "$.term"),
        ([0, [1, {"a": -0.0}]], "$[1][1].a"),
        ({"name": "е\u0308лка"}, "$.name"),
        ({"и\u0306од": 1}, "$"),
        ({"n": MAX_INTEGER + 1}, "$.n"),
        ({"n": -MAX_INTEGER - 1}, "$.n"),
        ({"name": "\ud800"}, "$.name"),
        ({1: "one"}, "$"),
        ({None: 1}, "$"),
        ({"on": date(2026, 11, 23)}, "$.on"),
        ({"cost": Decimal("1.5")}, "$.cost"),
        ({"raw": b"bytes"}, "$.raw"),
        ({"set": {1, 2}}, "$.set"),
        (object(), "$"),
    ],
)
def test_what_has_two_forms_is_refused_by_its_path(document: Any, path: str) -> None:
    with pytest.raises(NotCanonical) as refusal:
        canonical(document)
    assert refusal.value.path == path


def test_endless_nesting_is_refused() -> None:
    document: list[Any] = []
    for _ in range(50):
        document = [document]
    with pytest.raises(NotCanonical):
        canonical(document)
    loop: dict[str, Any] = {}
    loop["self"] = loop
    with pytest.raises(NotCanonical):
        canonical(loop)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        b"\xff",
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":-0}',
        b'{"a":01}',
        b'"\\u0041"',
        b'"\\/"',
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',
        '"е\u0308"'.encode(),
        b"9007199254740992",
        b"[" * 100_000,
        b"9" * 5000,
    ],
)
def test_bytes_in_another_form_are_refused(raw: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse(raw)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused_or_come_back_the_same(raw: bytes) -> None:
    try:
        document = parse(raw)
    except NotCanonical:
        return
    assert canonical(document) == raw


@given(documents)
def test_document_comes_back_from_its_bytes(document: Any) -> None:
    raw = canonical(document)
    assert parse(raw) == document
    assert json.loads(raw) == document


def test_order_of_writing_does_not_matter() -> None:
    assert (
        canonical({"b": 1, "a": (1, 2)}) == canonical({"a": [1, 2], "b": 1}) == b'{"a":[1,2],"b":1}'
    )


def test_keys_are_ordered_by_utf_16_as_the_rfc_wants() -> None:
    # RFC 8785, 3.2.3: the emoji, beyond the BMP, comes before U+FF21.
    assert canonical({"\uff21": 1, "😀": 2, "ö": 3, "1": 4}) == (
        '{"1":4,"ö":3,"😀":2,"\uff21":1}'.encode()
    )


def test_hash_is_sha_256_of_the_bytes() -> None:
    assert sha256(b"abc").hex() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
