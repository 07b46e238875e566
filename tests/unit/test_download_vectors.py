"""The golden vectors of saved versions: every form on the way, and each outcome at its clock."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from emk_app.crypto import downloads
from emk_app.crypto.canonical import canonical, sha256
from emk_app.crypto.downloads import Download
from emk_app.crypto.signing import sign_document
from emk_app.domain.books import document, read
from emk_app.exchange import book_fhir
from emk_app.services import offline
from emk_app.services.offline import Outcome
from tests.unit.test_crypto_vectors import VECTORS, signer, trust_list

SAVED: dict[str, Any] = json.loads((VECTORS / "downloads.json").read_text())
TRUST_LISTS = {name: trust_list(listed) for name, listed in SAVED["trust_lists"].items()}


def moment(name: str) -> datetime:
    return datetime.fromisoformat(SAVED[name])


def made() -> Download:
    raw = SAVED["canonical"].encode()
    return Download(
        document=raw,
        signature=sign_document(signer("book"), raw),
        signed_at=moment("signed_at"),
        exported_at=moment("exported_at"),
        current_version=3,
        status="active",
    )


def test_version_has_its_bytes_hash_signature_and_file() -> None:
    content = read(SAVED["document"])
    raw = canonical(document(content))
    assert raw == SAVED["canonical"].encode()
    assert sha256(raw).hex() == SAVED["sha256"]
    assert made().signature.value.hex() == SAVED["signature"]
    assert downloads.write(made(), signer("book")) == SAVED["file"].encode()
    assert downloads.read(SAVED["file"].encode())[0] == made()


def test_version_has_its_fhir_document() -> None:
    content, raw = read(SAVED["document"]), SAVED["canonical"].encode()
    written = book_fhir.write(content, raw, made().signature, made().signed_at)
    assert written == (VECTORS / "exchange" / "book.json").read_bytes()


@pytest.mark.parametrize("case", SAVED["cases"], ids=lambda case: case["name"])
def test_saved_version_gets_its_outcome_at_its_clock(case: dict[str, Any]) -> None:
    now = datetime.fromisoformat(case["now"])
    genuine = SAVED["file"]
    tail = genuine[len(genuine) - case["tail"] :]
    file = genuine[: case["head"]] + case["middle"] + tail
    found = offline.verify(file.encode(), TRUST_LISTS[case["trust"]], now=now)
    assert (found.outcome, list(found.reasons)) == (case["outcome"], case["reasons"])


def test_every_outcome_has_a_case() -> None:
    # The list of statuses speaks of codes, and there is none here.
    assert {case["outcome"] for case in SAVED["cases"]} == set(Outcome) - {Outcome.OVER}
    names = [case["name"] for case in SAVED["cases"]]
    assert len(set(names)) == len(names)
