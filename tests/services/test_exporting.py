"""A holder's own versions as files: what leaves, to whom, and not a byte can be changed."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from fhir.resources.R4B.bundle import Bundle
from sqlmodel import col, select

from emk_app import clock
from emk_app.crypto import downloads
from emk_app.crypto.downloads import NotADownload
from emk_app.crypto.signing import TrustList
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.books import BookNotShareable, Verdict, read
from emk_app.domain.clearance import Fitness
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.keys import keystore
from emk_app.services import exporting
from emk_app.services.exporting import ExportFormat
from tests.factories import make_book, make_holder, make_operator, spoil_versions
from tests.services.test_versions import vaccinate

pytestmark = pytest.mark.usefixtures("world")

CHANGES = 200


def exported(now: datetime, form: ExportFormat = ExportFormat.JSON) -> bytes:
    holder = make_holder(now)
    book_id = make_book(holder, now, fitness=Fitness.FIT_WITH_RESTRICTIONS)
    vaccinate(holder, now)
    return exporting.export(holder, book_id, 2, form, now=now).content


def is_refused(raw: bytes, trust: TrustList) -> bool:
    try:
        return not downloads.check(raw, trust)[1].is_valid
    except NotADownload:
        return True


def test_download_says_what_was_signed_and_every_fact_speaks_for_it(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    vaccinate(holder, now)
    trust = keystore().trust_list
    for version in (1, 2):
        raw = exporting.export(holder, book_id, version, ExportFormat.JSON, now=now).content
        download, check = downloads.check(raw, trust)
        assert check.is_valid
        assert read(json.loads(download.document)).version == version
        assert (download.current_version, download.status) == (2, "active")
        assert download.exported_at >= now
    assert not downloads.check(raw, TrustList((), trust.roots))[1].document.is_valid


def test_each_download_is_written_down(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    for form in ExportFormat:
        exporting.export(holder, book_id, 1, form, now=now)
    with reading() as db:
        entries = db.exec(select(AuditEntry).where(col(AuditEntry.action) == "export_book")).all()
        told = [(each.target, each.fields, each.subject_id) for each in entries]
    assert told == [(f"book:{book_id}:1", form.value, holder.user_id) for form in ExportFormat]


@pytest.mark.parametrize("form", list(ExportFormat))
def test_others_get_nothing(form: ExportFormat, now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    with pytest.raises(NotFound):
        exporting.export(make_holder(now), book_id, 1, form, now=now)
    with pytest.raises(NotFound):
        exporting.export(holder, book_id, 2, form, now=now)
    with pytest.raises(NotPermitted):
        exporting.export(make_operator(now), book_id, 1, form, now=now)


@pytest.mark.parametrize("form", list(ExportFormat))
def test_version_that_is_not_genuine_is_not_handed_on(form: ExportFormat, now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    spoil_versions(book_id, version_hash="0" * 64)
    with pytest.raises(BookNotShareable) as refused:
        exporting.export(holder, book_id, 1, form, now=now)
    assert refused.value.verdict is Verdict.NOT_GENUINE


def test_200_changes_of_one_byte_are_200_refusals(now: datetime):
    raw, trust = exported(now), keystore().trust_list
    assert not is_refused(raw, trust)
    dice = random.Random(20261126)
    for _ in range(CHANGES):
        place = dice.randrange(len(raw))
        other = raw[place] ^ dice.randrange(1, 256)
        changed = raw[:place] + bytes((other,)) + raw[place + 1 :]
        assert is_refused(changed, trust), f"byte {place} became {other}"


ALTERED: dict[str, Callable[[bytes], bytes]] = {
    "a byte more": lambda raw: raw + b"\n",
    "a byte before": lambda raw: b" " + raw,
    "a byte less": lambda raw: raw[:-1],
    "a fact more": lambda raw: raw.replace(b'"status":"active"', b'"more":1,"status":"active"'),
    "a float": lambda raw: raw.replace(b'"current_version":2', b'"current_version":2.0'),
    "a truth": lambda raw: raw.replace(b'"current_version":2', b'"current_version":true'),
    "no status": lambda raw: raw.replace(b'"status":"active"', b'"status":null'),
    "a key twice": lambda raw: raw.replace(b'{"current', b'{"format":"emk-download/1","current', 1),
    "deep": lambda _: b"[" * 100_000,
    "long": lambda _: b'"' + b"x" * downloads.MAX_LENGTH + b'"',
    "empty": lambda _: b"{}",
    "no text": lambda _: b"\xff",
    "nothing": lambda _: b"null",
}


def test_file_in_any_other_form_is_refused(now: datetime):
    raw, trust = exported(now), keystore().trust_list
    for name, change in ALTERED.items():
        assert change(raw) != raw, name
        assert is_refused(change(raw), trust), name


def test_seal_of_one_file_does_not_fit_another():
    now = clock.now()
    holder = make_holder(now)
    book_id = make_book(holder, now)
    first = json.loads(exporting.export(holder, book_id, 1, ExportFormat.JSON, now=now).content)
    later = now + timedelta(hours=1)
    second = json.loads(exporting.export(holder, book_id, 1, ExportFormat.JSON, now=later).content)
    mixed = first | {"seal": second["seal"]}
    raw = json.dumps(mixed, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    _, check = downloads.check(raw, keystore().trust_list)
    assert check.document.is_valid and not check.seal.intact
    assert not check.is_valid


def openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)


def test_openssl_checks_signature_and_chain_and_refuses_a_changed_byte(
    now: datetime, tmp_path: Path
):
    found = json.loads(exported(now))
    document, signature = tmp_path / "book.json", tmp_path / "book.sig"
    document.write_bytes(found["document"].encode())
    signature.write_bytes(base64.b64decode(found["signature"]["value"]))
    signer, *above = found["signature"]["certificates"]
    for name, text in (("signer.pem", signer), ("above.pem", "".join(above))):
        (tmp_path / name).write_text(text)
    (tmp_path / "root.pem").write_bytes(keystore().root.public_bytes(Encoding.PEM))
    key = openssl("x509", "-in", str(tmp_path / "signer.pem"), "-pubkey", "-noout")
    (tmp_path / "key.pem").write_text(key.stdout)
    said = ("dgst", "-sha256", "-verify", str(tmp_path / "key.pem"), "-signature", str(signature))
    assert openssl(*said, str(document)).stdout == "Verified OK\n"
    chain = openssl(
        *("verify", "-x509_strict", "-CAfile", str(tmp_path / "root.pem")),
        *("-untrusted", str(tmp_path / "above.pem"), str(tmp_path / "signer.pem")),
    )
    assert chain.returncode == 0, chain.stderr
    document.write_bytes(document.read_bytes().replace(b"book/2", b"book/3"))
    assert openssl(*said, str(document)).returncode != 0
    unknown = openssl("verify", "-no-CApath", "-no-CAstore", str(tmp_path / "signer.pem"))
    assert unknown.returncode != 0


def test_a_second_implementation_reads_the_bundle(now: datetime):
    raw = exported(now, ExportFormat.FHIR)
    bundle: Any = Bundle.model_validate_json(raw)
    kinds = [each.resource.get_resource_type() for each in bundle.entry]
    assert bundle.type == "document" and kinds[0] == "Composition"
    for kind in ("Patient", "Organization", "Practitioner", "PractitionerRole", "Provenance"):
        assert kinds.count(kind) == 1
    assert kinds.count("Immunization") == 1 and kinds.count("Flag") == 1
    assert kinds.count("Observation") > 10
    addresses = {each.fullUrl for each in bundle.entry}
    assert len(addresses) == len(bundle.entry)
    composition = bundle.entry[0].resource
    told = {entry.reference for section in composition.section for entry in section.entry}
    assert told < addresses and composition.custodian.reference in addresses
    assert composition.relatesTo[0].code == "replaces"
    titles = [section.title for section in composition.section]
    assert titles[-1] == "Подписанная запись" and "Прививки" in titles
    assert "без ночных смен" in raw.decode()


def test_bundle_carries_the_signed_bytes_and_their_signature(now: datetime, tmp_path: Path):
    bundle = json.loads(exported(now, ExportFormat.FHIR))
    made = {each["resource"]["resourceType"]: each["resource"] for each in bundle["entry"]}
    signed = base64.b64decode(made["DocumentReference"]["content"][0]["attachment"]["data"])
    content = read(json.loads(signed))
    assert bundle["identifier"]["value"] == f"{content.number.digits}-{content.version}"
    signature = base64.b64decode(made["Provenance"]["signature"][0]["data"])
    key: Any = keystore().book_signer.certificate.public_key()
    key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
