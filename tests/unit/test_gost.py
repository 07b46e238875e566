"""GOST R 34.10-2012 and 34.11-2012 against OpenSSL's engine and against changed bytes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography import x509
from gostcrypto import gostsignature

from emk_app.crypto import der, gost
from emk_app.crypto.der import NotDer
from tests.files.signers import gost_key, oid

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "gost" / "engine.json").read_text(encoding="utf-8")
)
LENGTHS = (0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 1000, 1024)
SETS = sorted(gost.PARAMETER_SETS)
QUICK = "1.2.643.2.2.35.1"


def certificate(parameter_set: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(
        base64.b64decode(VECTORS["people"][parameter_set]["certificate"])
    )


def key_info(parameter_set: str) -> bytes:
    body = der.element(certificate(parameter_set).tbs_certificate_bytes)
    return body.children()[6].whole


def with_point(parameter_set: str, x: int, y: int) -> bytes:
    size = gost.PARAMETER_SETS[parameter_set][0] // 8
    point = x.to_bytes(size, "little") + y.to_bytes(size, "little")
    algorithm = der.element(key_info(parameter_set)).children()[0].whole
    wrapped = der.write(der.BIT_STRING, b"\0", der.write(der.OCTET_STRING, point))
    return der.write(der.SEQUENCE, algorithm, wrapped)


def test_engine_and_library_know_the_same_twelve_sets():
    assert set(VECTORS["people"]) == set(SETS)
    assert len(SETS) == 12


@pytest.mark.parametrize("parameter_set", SETS)
def test_changed_payload_is_refused(parameter_set: str):
    own = gost_key(parameter_set)
    key = gost.read_key(own.public_key_info())
    assert not gost.is_signed(key, own.sign(b"payload"), b"payloae")


def test_changed_signature_is_refused():
    own = gost_key(QUICK)
    key = gost.read_key(own.public_key_info())
    made = own.sign(b"payload")
    assert gost.is_signed(key, made, b"payload")
    assert not gost.is_signed(key, made, b"payloae")
    assert not gost.is_signed(key, made[32:] + made[:32], b"payload")
    for place in (0, 31, 32, 63):
        changed = made[:place] + bytes((made[place] ^ 1,)) + made[place + 1 :]
        assert not gost.is_signed(key, changed, b"payload")


@pytest.mark.parametrize("bits", ["256", "512"])
def test_digests_are_those_of_the_engine(bits: str):
    for length, expected in zip(LENGTHS, VECTORS["digests"][bits], strict=True):
        payload = bytes(n % 251 for n in range(length))
        assert gost.streebog(int(bits), payload).hex() == expected


def test_certificate_of_the_engine_is_signed_by_its_authority():
    body = der.element(base64.b64decode(VECTORS["ca"])).children()[0]
    authority = gost.read_key(body.children()[6].whole)
    issued = certificate(QUICK)
    assert gost.is_signed(authority, issued.signature, issued.tbs_certificate_bytes)
    assert not gost.is_signed(authority, issued.signature, issued.tbs_certificate_bytes + b"\0")


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
def test_signature_of_another_length_is_refused(length: int):
    assert not gost.is_signed(gost.read_key(key_info(QUICK)), bytes(length), b"payload")


def test_zeros_and_numbers_beyond_the_order_are_refused():
    key = gost.read_key(key_info(QUICK))
    for signature in (bytes(64), b"\xff" * 64, b"\0" * 31 + b"\1" + bytes(32)):
        assert not gost.is_signed(key, signature, b"payload")


@pytest.mark.parametrize("parameter_set", SETS)
def test_point_beside_the_curve_is_no_key(parameter_set: str):
    key = gost.read_key(key_info(parameter_set))
    gost.read_key(with_point(parameter_set, key.x, key.y))
    p = gostsignature.CURVES_R_1323565_1_024_2019[gost.PARAMETER_SETS[parameter_set][1]]["p"]
    for x, y in ((key.x + 1, key.y), (0, 0), (0, key.y), (key.x, 0), (1, 1), (p, key.y)):
        with pytest.raises(NotDer):
            gost.read_key(with_point(parameter_set, x, y))


def test_coordinate_of_zero_is_no_key_though_it_lies_on_the_curve():
    tried = 0
    for parameter_set in SETS:
        curve = gostsignature.CURVES_R_1323565_1_024_2019[gost.PARAMETER_SETS[parameter_set][1]]
        root = square_root(curve["b"], curve["p"])
        if root is not None:
            tried += 1
            with pytest.raises(NotDer):
                gost.read_key(with_point(parameter_set, 0, root))
    assert tried


def square_root(value: int, p: int) -> int | None:
    if p % 4 != 3:
        return None
    root = pow(value, (p + 1) // 4, p)
    return root if root * root % p == value % p else None


def test_key_of_another_kind_or_form_is_no_key():
    info = key_info(QUICK)
    algorithm, bits = der.element(info).children()
    kind, parameters = algorithm.children()

    def made(
        *, named: bytes = parameters.whole, of: bytes = kind.whole, point: bytes = b""
    ) -> bytes:
        return der.write(der.SEQUENCE, der.write(der.SEQUENCE, of, named), point or bits.whole)

    assert gost.read_key(made()) == gost.read_key(info)
    wrong = [
        b"",
        info[:-1],
        info + b"\0",
        b"\x30\x80" + info[2:] + b"\0\0",
        made(of=oid(gost.KEY_512)),
        made(of=oid("1.2.643.2.2.19")),
        made(named=der.write(der.SEQUENCE, oid("1.2.643.2.2.35.0"))),
        made(named=der.write(der.SEQUENCE, oid("1.2.643.7.1.2.1.2.1"))),
        made(named=der.write(der.SEQUENCE)),
        made(named=b"\x05\x00"),
        made(point=der.write(der.BIT_STRING, b"\1", bits.content[1:])),
        made(point=der.write(der.BIT_STRING, b"\0", der.write(der.OCTET_STRING, bytes(63)))),
        made(point=der.write(der.BIT_STRING, b"")),
        made(point=der.write(der.OCTET_STRING, bits.content)),
    ]
    for raw in wrong:
        with pytest.raises(NotDer):
            gost.read_key(raw)
