"""Containers of private keys: each kind of failure has its own name, none costs much."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from emk_app.crypto import containers, der
from emk_app.crypto.chains import Roots
from emk_app.domain.esignature import CONTAINER_LIMIT, PASSWORD_LIMIT, Algorithm, Outcome
from emk_app.storage import pfx
from tests.files.signers import (
    DAY,
    NAME,
    NOW,
    SNILS,
    TEXT,
    Person,
    authority,
    certify,
    integer,
    oid,
)

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "gost" / "engine.json").read_text(encoding="utf-8")
)
PASSWORD = "Пароль 1"
ROOT = authority(ec.generate_private_key(ec.SECP256R1()))
ROOTS = Roots((ROOT.x509,))
PERSON = certify(ec.generate_private_key(ec.SECP256R1()), issuer=ROOT)
RSA_PERSON = certify(rsa.generate_private_key(65537, 2048), issuer=ROOT)

pytestmark = pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER")


def packed(person: Person = PERSON, password: str = PASSWORD, *chain: Person) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        None,
        person.key,
        person.x509,
        [each.x509 for each in chain] or None,
        BestAvailableEncryption(password.encode()),
    )


PACKED = packed()


@pytest.fixture(scope="module")
def openssl(tmp_path_factory: pytest.TempPathFactory):
    """Return what makes a container the way OpenSSL does, with these options."""
    folder = tmp_path_factory.mktemp("pfx")
    (folder / "cert.pem").write_bytes(PERSON.x509.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        PERSON.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )

    def make(*options: str) -> bytes:
        subprocess.run(
            [
                *("openssl", "pkcs12", "-export", "-in", "cert.pem", "-out", "made.pfx"),
                *("-passout", f"pass:{PASSWORD}"),
                *options,
            ],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        return (folder / "made.pfx").read_bytes()

    return make


def refused(container: bytes, password: str = PASSWORD, at: datetime = NOW) -> Outcome | None:
    return containers.sign(container, password, TEXT, at).refusal


def through_the_child(
    container: bytes, password: str = PASSWORD, at: datetime = NOW
) -> pfx.ContainerSignature:
    return pfx.sign(container, password, TEXT, name=NAME, snils=SNILS, roots=ROOTS, at=at)


@pytest.mark.parametrize("password", ["", "Пароль", "пароль 1", "Пароль 1 ", "x" * 129])
def test_wrong_password_is_called_so(password: str):
    assert refused(PACKED, password) is Outcome.WRONG_PASSWORD


@pytest.mark.parametrize("kind", ["aes", "gost", "gost_mac"])
def test_gost_container_is_never_blamed_on_the_password(kind: str):
    container = base64.b64decode(VECTORS["containers"][kind])
    assert refused(container, VECTORS["password"]) is Outcome.CONTAINER_GOST
    said = through_the_child(container, VECTORS["password"]).check
    assert said.outcome is Outcome.CONTAINER_GOST


@pytest.mark.parametrize("kind", ["gost", "gost_mac"])
def test_gost_container_shows_without_a_password(kind: str):
    container = base64.b64decode(VECTORS["containers"][kind])
    assert containers.refusal(container) is Outcome.CONTAINER_GOST


def test_cryptopro_encryption_is_a_gost_container():
    algorithm = der.write(
        der.SEQUENCE,
        oid("1.2.840.113549.1.12.1.80"),
        der.write(der.SEQUENCE, der.write(der.OCTET_STRING, bytes(16)), integer(2000)),
    )
    assert containers.refusal(container_of(key_bag(algorithm))) is Outcome.CONTAINER_GOST


def test_container_without_key_says_so(openssl):
    assert refused(openssl("-nokeys")) is Outcome.CONTAINER_NO_KEY


def test_container_without_certificate_says_so(openssl):
    assert refused(openssl("-inkey", "key.pem", "-nocerts")) is Outcome.CONTAINER_NO_CERTIFICATE


def test_container_of_several_keys_says_so(openssl):
    algorithm = pbes2(2048)
    assert (
        containers.refusal(container_of(key_bag(algorithm), key_bag(algorithm)))
        is Outcome.CONTAINER_SEVERAL_KEYS
    )


@pytest.mark.parametrize(
    ("dates", "outcome"),
    [
        ((NOW - 20 * DAY, NOW - DAY), Outcome.EXPIRED),
        ((NOW + DAY, NOW + 20 * DAY), Outcome.NOT_YET_VALID),
    ],
)
def test_certificate_out_of_dates_signs_nothing(dates, outcome: Outcome):
    person = certify(PERSON.key, issuer=ROOT, dates=dates)
    signed = through_the_child(packed(person))
    assert signed.check.outcome is outcome
    assert (signed.check.valid_from, signed.check.valid_until) == dates
    assert (signed.certificate, signed.signature) == (b"", b"")


def test_unprotected_container_is_not_opened(openssl):
    assert refused(openssl("-inkey", "key.pem", "-nomac")) is Outcome.CONTAINER_UNSUPPORTED


@pytest.mark.parametrize("make", [ed25519.Ed25519PrivateKey.generate, lambda: DSA])
def test_key_of_another_kind_is_not_used(make):
    key = make()
    subject = x509.Name([])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .sign(PERSON.key, RSA_PERSON.x509.signature_hash_algorithm)
    )
    container = pkcs12.serialize_key_and_certificates(
        None, key, certificate, None, BestAvailableEncryption(PASSWORD.encode())
    )
    assert refused(container) is Outcome.CONTAINER_UNSUPPORTED


DSA = dsa.generate_private_key(1024)


def test_weak_key_is_not_used():
    weak = certify(rsa.generate_private_key(65537, 1024), issuer=ROOT)
    assert refused(packed(weak)) is Outcome.ALGORITHM_OUTDATED


# Costs, read before anything is derived.


def pbes2(iterations: int, salt: int = 8, prf: str = "1.2.840.113549.2.9") -> bytes:
    derivation = der.write(
        der.SEQUENCE,
        oid("1.2.840.113549.1.5.12"),
        der.write(
            der.SEQUENCE,
            der.write(der.OCTET_STRING, bytes(salt)),
            integer(iterations),
            der.write(der.SEQUENCE, oid(prf), b"\5\0"),
        ),
    )
    cipher = der.write(
        der.SEQUENCE, oid("2.16.840.1.101.3.4.1.42"), der.write(der.OCTET_STRING, bytes(16))
    )
    return der.write(
        der.SEQUENCE, oid("1.2.840.113549.1.5.13"), der.write(der.SEQUENCE, derivation, cipher)
    )


def scrypt() -> bytes:
    derivation = der.write(
        der.SEQUENCE,
        oid("1.3.6.1.4.1.11591.4.11"),
        der.write(
            der.SEQUENCE,
            der.write(der.OCTET_STRING, bytes(8)),
            integer(1 << 30),
            integer(8),
            integer(1),
        ),
    )
    cipher = der.write(
        der.SEQUENCE, oid("2.16.840.1.101.3.4.1.42"), der.write(der.OCTET_STRING, bytes(16))
    )
    return der.write(
        der.SEQUENCE, oid("1.2.840.113549.1.5.13"), der.write(der.SEQUENCE, derivation, cipher)
    )


def rc4() -> bytes:
    parameters = der.write(der.SEQUENCE, der.write(der.OCTET_STRING, bytes(8)), integer(1))
    return der.write(der.SEQUENCE, oid("1.2.840.113549.1.12.1.1"), parameters)


def key_bag(algorithm: bytes) -> bytes:
    shrouded = der.write(der.SEQUENCE, algorithm, der.write(der.OCTET_STRING, bytes(32)))
    return bag("1.2.840.113549.1.12.10.1.2", shrouded)


def bag(kind: str, value: bytes) -> bytes:
    return der.write(der.SEQUENCE, oid(kind), der.write(0xA0, value))


def safe(*bags: bytes) -> bytes:
    content = der.write(der.OCTET_STRING, der.write(der.SEQUENCE, *bags))
    return der.write(der.SEQUENCE, oid("1.2.840.113549.1.7.1"), der.write(0xA0, content))


def container_of(*bags: bytes, mac_iterations: int = 1, safes: int = 1, salt: int = 8) -> bytes:
    safes_content = der.write(der.SEQUENCE, *[safe(*bags)] * safes)
    mac = der.write(
        der.SEQUENCE,
        der.write(
            der.SEQUENCE,
            der.write(der.SEQUENCE, oid("2.16.840.1.101.3.4.2.1"), b"\5\0"),
            der.write(der.OCTET_STRING, bytes(32)),
        ),
        der.write(der.OCTET_STRING, bytes(salt)),
        integer(mac_iterations),
    )
    wrapped = der.write(
        der.SEQUENCE,
        oid("1.2.840.113549.1.7.1"),
        der.write(0xA0, der.write(der.OCTET_STRING, safes_content)),
    )
    return der.write(der.SEQUENCE, integer(3), wrapped, mac)


def test_container_made_by_hand_is_one():
    assert containers.refusal(container_of(key_bag(pbes2(2048)))) is None


@pytest.mark.parametrize(
    "container",
    [
        container_of(mac_iterations=2_000_001),
        container_of(mac_iterations=1 << 62),
        container_of(mac_iterations=1 << 4000),
        container_of(key_bag(pbes2(2_000_001))),
        container_of(key_bag(pbes2(1_500_000)), mac_iterations=600_000),
        container_of(key_bag(pbes2(1_000_001, prf="1.2.840.113549.2.7"))),
        container_of(key_bag(pbes2(1, salt=2000))),
        container_of(salt=2000),
        container_of(safes=9),
        container_of(*[bag("1.2.840.113549.1.12.10.1.3", der.write(0x30))] * 33),
    ],
)
def test_costly_container_is_refused_before_anything_is_derived(container: bytes):
    assert containers.refusal(container) is Outcome.CONTAINER_TOO_COSTLY


def test_child_refuses_costs_and_broken_bytes_by_their_names():
    costly = container_of(mac_iterations=1 << 62)
    assert through_the_child(costly).check.outcome is Outcome.CONTAINER_TOO_COSTLY
    deep = b"\x30\x80" * 5000
    assert through_the_child(deep).check.outcome is Outcome.CONTAINER_NOT_READABLE


def test_costs_of_openssl_add_up(openssl):
    assert refused(openssl("-inkey", "key.pem", "-iter", "700000")) is Outcome.CONTAINER_TOO_COSTLY


@pytest.mark.parametrize(
    "bags",
    [
        [key_bag(scrypt())],
        [key_bag(pbes2(1, prf="1.2.3.4"))],
        [key_bag(rc4())],
        [bag("1.2.840.113549.1.12.10.1.6", der.write(der.SEQUENCE))],
    ],
)
def test_unknown_protection_is_not_tried(bags: list[bytes]):
    assert containers.refusal(container_of(*bags)) is Outcome.CONTAINER_UNSUPPORTED


@pytest.mark.parametrize("iterations", [0, -1, -(1 << 40)])
def test_counts_below_one_are_refused(iterations: int):
    size = max(1, iterations.bit_length() // 8 + 1)
    number = der.write(der.INTEGER, iterations.to_bytes(size, "big", signed=True))
    made = container_of(mac_iterations=7).removesuffix(integer(7))
    whole = der.element(made + integer(7))
    version, content, mac = whole.children()
    digest, salt, _ = mac.children()
    broken = der.write(
        der.SEQUENCE,
        version.whole,
        content.whole,
        der.write(der.SEQUENCE, digest.whole, salt.whole, number),
    )
    assert containers.refusal(broken) is Outcome.CONTAINER_NOT_READABLE


# Broken bytes.


@pytest.mark.parametrize(
    ("container", "outcome"),
    [
        (b"", Outcome.FILE_EMPTY),
        (bytes(CONTAINER_LIMIT + 1), Outcome.CONTAINER_TOO_LARGE),
        (b"0", Outcome.CONTAINER_NOT_READABLE),
        (b"\x30\x80" * 5000, Outcome.CONTAINER_NOT_READABLE),
        (b"\x30\x84\xff\xff\xff\xff", Outcome.CONTAINER_NOT_READABLE),
        (PERSON.certificate, Outcome.CONTAINER_NOT_READABLE),
        (PACKED[:-1], Outcome.CONTAINER_NOT_READABLE),
        (PACKED + b"\0", Outcome.CONTAINER_NOT_READABLE),
        (b"-----BEGIN CERTIFICATE-----", Outcome.CONTAINER_NOT_READABLE),
    ],
)
def test_broken_container_is_not_read(container: bytes, outcome: Outcome):
    assert refused(container) is outcome


@settings(max_examples=60)
@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
def test_changed_byte_opens_nothing_or_changes_nothing(place: int, change: int):
    changed = bytearray(PACKED)
    changed[place] ^= change
    if containers.refusal(bytes(changed)) is Outcome.CONTAINER_TOO_COSTLY:
        return
    signed = containers.sign(bytes(changed), PASSWORD, TEXT, NOW)
    assert signed.refusal is not None or signed.certificate == PERSON.certificate


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(raw: bytes):
    assert containers.refusal(b"\x30" + raw) is not None


# What opens.


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-legacy"],
        ["-descert"],
        ["-nomaciter"],
        ["-macalg", "sha1"],
        ["-macalg", "sha512"],
        ["-keypbe", "NONE"],
        ["-keypbe", "NONE", "-certpbe", "NONE"],
    ],
)
def test_containers_of_openssl_open(openssl, options: list[str]):
    signed = containers.sign(openssl("-inkey", "key.pem", *options), PASSWORD, TEXT, NOW)
    assert signed.refusal is None
    assert signed.certificate == PERSON.certificate


def test_container_with_length_left_open_is_read():
    assert PACKED[:2] == b"\x30\x82"
    assert refused(b"\x30\x80" + PACKED[4:] + b"\0\0") is None


@pytest.mark.parametrize("size", [2048, 3072])
def test_rsa_container_signs_in_the_child(size: int):
    person = certify(rsa.generate_private_key(65537, size), issuer=ROOT)
    signed = through_the_child(packed(person, PASSWORD, ROOT))
    assert signed.check.is_valid
    assert signed.check.algorithm is Algorithm.RSA
    assert signed.check.claimed_at == NOW
    assert signed.certificate == person.certificate


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_ecdsa_container_signs_in_the_child(curve: ec.EllipticCurve):
    person = certify(ec.generate_private_key(curve), issuer=ROOT)
    signed = through_the_child(packed(person))
    assert signed.check.is_valid
    assert signed.check.algorithm is Algorithm.ECDSA


def test_authority_below_the_root_goes_along():
    middle = authority(ec.generate_private_key(ec.SECP256R1()), ROOT, "Средний центр")
    person = certify(PERSON.key, issuer=middle)
    assert through_the_child(packed(person, PASSWORD, middle)).check.is_valid
    assert through_the_child(packed(person)).check.outcome is Outcome.UNKNOWN_ISSUER


def test_signature_of_the_child_satisfies_openssl(tmp_path: Path):
    signed = through_the_child(packed(RSA_PERSON))
    (tmp_path / "sig").write_bytes(signed.signature)
    (tmp_path / "text").write_bytes(TEXT)
    (tmp_path / "root").write_bytes(ROOT.x509.public_bytes(Encoding.PEM))
    ended = subprocess.run(
        (
            "openssl cms -verify -cades -binary -inform DER -in sig -content text -CAfile root "
            f"-purpose any -out out -attime {int(NOW.timestamp())}"
        ).split(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "out").read_bytes() == TEXT


def test_nothing_is_asked_of_the_child_for_sizes_beyond_the_limits():
    for container, password, text, outcome in (
        (b"", PASSWORD, TEXT, Outcome.FILE_EMPTY),
        (bytes(CONTAINER_LIMIT + 1), PASSWORD, TEXT, Outcome.CONTAINER_TOO_LARGE),
        (PACKED, "x" * (PASSWORD_LIMIT + 1), TEXT, Outcome.WRONG_PASSWORD),
        (PACKED, PASSWORD, bytes(50 * 1024 + 1), Outcome.TEXT_TOO_LARGE),
    ):
        signed = pfx.sign(container, password, text, name=NAME, snils=SNILS, roots=ROOTS, at=NOW)
        assert signed.check.outcome is outcome


def test_password_that_is_no_text_is_wrong():
    assert through_the_child(PACKED, "\ud800").check.outcome is Outcome.WRONG_PASSWORD


def said(answer: bytes) -> str:
    """Return the program of a child that has been taken over; VALID is the last outcome."""
    return f"import os; os.write(1, {answer!r})"


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        ("import os; os._exit(3)", Outcome.CONTAINER_NOT_READABLE),
        (said(b"EMK2"), Outcome.CONTAINER_NOT_READABLE),
        (said(b"EMK2" + bytes([250]) + bytes(8)), Outcome.CONTAINER_NOT_READABLE),
        (said(b"EMK2" + bytes([len(Outcome)]) + bytes(8)), Outcome.CONTAINER_NOT_READABLE),
        (said(b"EMK2" + bytes(9)), Outcome.CONTAINER_NOT_READABLE),
        (f"while True:\n    {said(bytes(1000))}", Outcome.CONTAINER_NOT_READABLE),
        ("import time; time.sleep(60)", Outcome.CONTAINER_TOO_COSTLY),
        ("import os, time; os.close(1); time.sleep(60)", Outcome.CONTAINER_TOO_COSTLY),
    ],
)
def test_child_is_not_believed(monkeypatch: pytest.MonkeyPatch, program: str, outcome: Outcome):
    monkeypatch.setattr(pfx, "PROGRAM", program)
    monkeypatch.setattr(pfx, "WALL_SECONDS", 2.0)
    assert through_the_child(PACKED).check.outcome is outcome


def test_busy_child_asks_to_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pfx, "WAIT_SECONDS", 0.01)
    with pfx._turn:
        said = through_the_child(PACKED).check
    assert said.outcome is Outcome.CONTAINER_CHECK_UNAVAILABLE
