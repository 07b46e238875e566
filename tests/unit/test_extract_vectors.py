"""The golden vectors of extracts: a PDF by another writer, and each outcome at its clock."""

from __future__ import annotations

import hashlib
import json
import subprocess
from base64 import b64decode
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from emk_app.crypto import statuslist, tokens
from emk_app.crypto.pades import check_pdf
from emk_app.crypto.statuslist import StatusList
from emk_app.services import offline
from emk_app.services.offline import Kind, Outcome
from tests.unit.test_crypto_vectors import VECTORS, trust_list

EXTRACTS: dict[str, Any] = json.loads((VECTORS / "extracts.json").read_text())
TRUST_LISTS = {name: trust_list(listed) for name, listed in EXTRACTS["trust_lists"].items()}
GENUINE: str = EXTRACTS["file"]


def test_extract_says_what_it_is_of() -> None:
    raw = GENUINE.encode("ascii")
    assert hashlib.sha256(raw).hexdigest() == EXTRACTS["sha256"]
    found = check_pdf(raw, TRUST_LISTS["main"])
    assert found.is_genuine and found.extract is not None
    said = {name: getattr(found.extract, name) for name in ("number", "version", "version_hash")}
    assert said == {name: EXTRACTS[name] for name in said}
    assert (found.extract.share, found.extract.token) == (EXTRACTS["share"], EXTRACTS["token"])
    assert found.signed_at == datetime.fromisoformat(EXTRACTS["signed_at"])


@pytest.mark.parametrize("case", EXTRACTS["cases"], ids=lambda case: case["name"])
def test_extract_gets_its_outcome_at_its_clock(case: dict[str, Any]) -> None:
    now = datetime.fromisoformat(case["now"])
    file = GENUINE[: case["head"]] + case["middle"] + GENUINE[len(GENUINE) - case["tail"] :]
    statuses = None
    if case["status"] is not None:
        place = statuslist.place_of(tokens.share_id(EXTRACTS["share"]))
        packed = statuslist.pack({place: case["status"]})
        statuses = StatusList(now, now + timedelta(days=1), packed)
    raw, trust = file.encode("ascii"), TRUST_LISTS[case["trust"]]
    found = offline.verify(raw, trust, now=now, statuses=statuses)
    assert (found.outcome, list(found.reasons)) == (case["outcome"], case["reasons"])
    assert found.kind is Kind.EXTRACT
    # What is not proven to be ours says nothing.
    assert (found.claims is None) == (case["outcome"] not in READ)


READ = {Outcome.GENUINE, Outcome.EXPIRED, Outcome.NOT_IN_FORCE, Outcome.OVER}


def test_no_byte_of_it_may_be_another() -> None:
    raw, trust = GENUINE.encode("ascii"), TRUST_LISTS["main"]
    for at in range(0, len(raw), 7):
        changed = raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]
        assert not check_pdf(changed, trust).is_genuine, at


def test_other_readers_of_pdf_call_it_genuine_and_a_changed_one_not(tmp_path: Path) -> None:
    """At the vectors' own clock: their certificates are over one day."""
    (root,) = EXTRACTS["trust_lists"]["main"]["roots"]
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(b64decode(root))],
        allow_fetching=False,
        moment=datetime.fromisoformat(EXTRACTS["signed_at"]),
    )
    for raw, is_good in ((GENUINE, True), (GENUINE.replace("an extract", "no extract"), False)):
        file = tmp_path / "extract.pdf"
        file.write_text(raw)
        (found,) = PdfFileReader(BytesIO(raw.encode())).embedded_signatures
        assert validate_pdf_signature(found, context).bottom_line is is_good
        judged = subprocess.run(
            ["pdfsig", "-nocert", str(file)], capture_output=True, text=True, check=False
        ).stdout
        assert ("Signature is Valid." in judged) is is_good
        assert "Total document signed" in judged


def test_every_outcome_has_a_case() -> None:
    assert {case["outcome"] for case in EXTRACTS["cases"]} == set(Outcome)
    names = [case["name"] for case in EXTRACTS["cases"]]
    assert len(set(names)) == len(names)
