"""GOST in a child of its own: what it says is what the mechanism itself would have said."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from emk_app.crypto import cades
from emk_app.crypto.chains import Roots
from emk_app.domain.esignature import SIGNATURE_LIMIT, ESignatureCheck, Outcome
from emk_app.storage import signatures
from emk_app.storage.errors import ESignatureCheckUnavailable
from tests.files.signers import (
    NAME,
    NOW,
    SNILS,
    TEXT,
    Person,
    authority,
    certify,
    gost_key,
    signature,
)

ROOT = authority(gost_key("1.2.643.7.1.2.1.1.1"))
PERSON = certify(gost_key("1.2.643.7.1.2.1.1.1"), issuer=ROOT)
ECDSA_ROOT = authority(ec.generate_private_key(ec.SECP256R1()))
ECDSA_PERSON = certify(ec.generate_private_key(ec.SECP256R1()), issuer=ECDSA_ROOT)
RSA_ROOT = authority(rsa.generate_private_key(65537, 2048), name="Ещё один центр")
ROOTS = Roots((ROOT.x509, ECDSA_ROOT.x509, RSA_ROOT.x509))


def checked(
    made: bytes, certificate: bytes | None = None, text: bytes = TEXT, roots: Roots = ROOTS
) -> ESignatureCheck:
    """Check in the child; the mechanism itself must say the same."""
    given = {"name": NAME, "snils": SNILS, "roots": roots, "at": NOW}
    found = signatures.check(text, made, certificate, **given)
    assert found == cades.check(text, made, certificate, **given)
    return found


@pytest.mark.parametrize(
    ("parameter_set", "issuer"),
    [
        ("1.2.643.2.2.35.1", ECDSA_ROOT),
        ("1.2.643.7.1.2.1.1.2", RSA_ROOT),
        ("1.2.643.7.1.2.1.2.3", ROOT),
    ],
)
def test_keys_of_every_kind_are_proven_in_the_child(parameter_set: str, issuer: Person):
    person = certify(gost_key(parameter_set), issuer=issuer)
    assert cades.needs_gost(signature(person), None)
    assert checked(signature(person)).is_valid


def test_child_tells_every_fact():
    pem = PERSON.x509.public_bytes(Encoding.PEM)
    assert checked(signature(PERSON), pem).is_valid
    assert checked(signature(PERSON), roots=Roots()).outcome is Outcome.UNKNOWN_ISSUER
    assert checked(signature(PERSON), text=b"other").outcome is Outcome.TEXT_DIFFERS
    other = certify(gost_key("1.2.643.7.1.2.1.1.1"), issuer=ROOT)
    assert checked(signature(PERSON), other.certificate).outcome is Outcome.OTHER_CERTIFICATE
    impostor = Person(other.key, PERSON.certificate)
    assert checked(signature(impostor)).outcome is Outcome.SIGNATURE_FALSE


def test_gost_is_known_by_whoever_has_to_be_proven_by_it():
    below = certify(ec.generate_private_key(ec.SECP256R1()), issuer=ROOT)
    assert cades.needs_gost(signature(below), None)
    assert not cades.needs_gost(signature(ECDSA_PERSON), None)
    assert cades.needs_gost(signature(ECDSA_PERSON), PERSON.x509.public_bytes(Encoding.PEM))
    for broken in (b"", b"x" * 100, b"-----BEGIN CMS-----\nx\n-----END CMS-----"):
        assert not cades.needs_gost(broken, None)


def test_what_needs_no_child_gets_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signatures, "PROGRAM", "raise SystemExit(3)")
    assert checked(signature(ECDSA_PERSON)).is_valid
    assert checked(b"").outcome is Outcome.FILE_EMPTY
    large = signature(PERSON) + bytes(SIGNATURE_LIMIT)
    assert checked(large).outcome is Outcome.SIGNATURE_TOO_LARGE


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(3)",
        "import os; os.write(1, b'no facts')",
        """import os; os.write(1, b'{"chain": "believed"}')""",
        "import os\nwhile True: os.write(1, bytes(1000))",
        "import time; time.sleep(60)",
    ],
)
def test_child_that_gives_no_answer_leaves_the_question_open(
    program: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(signatures, "PROGRAM", program)
    monkeypatch.setattr(signatures, "WALL_SECONDS", 2.0)
    with pytest.raises(ESignatureCheckUnavailable):
        checked(signature(PERSON))


def test_busy_child_asks_to_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signatures, "WAIT_SECONDS", 0.01)
    with signatures._turn, pytest.raises(ESignatureCheckUnavailable):
        checked(signature(PERSON))
