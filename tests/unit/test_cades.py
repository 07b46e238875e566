"""CAdES-BES signatures: whatever was changed is refused, and each refusal has its own name."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st

from emk_app.crypto import cades, der, gost
from emk_app.crypto.chains import Roots
from emk_app.domain.esignature import (
    CERTIFICATE_LIMIT,
    SIGNATURE_LIMIT,
    TEXT_LIMIT,
    Algorithm,
    Chain,
    Dates,
    ESignatureCheck,
    Match,
    Outcome,
)
from emk_app.domain.numbers import Snils
from emk_app.domain.people import FullName
from tests.files.signers import (
    CONTENT_TYPE,
    DATA,
    DAY,
    MESSAGE_DIGEST,
    NAME,
    NOW,
    NULL,
    RSA_PSS,
    RSA_SHA256,
    SHA1,
    SHA256,
    SHA384,
    SHA512,
    SIGNED_DATA,
    SNILS,
    SNILS_OID,
    SUBJECT,
    TEXT,
    Person,
    algorithm,
    attribute,
    attributes_of,
    authority,
    certify,
    digest,
    gost_key,
    integer,
    message,
    named_v1,
    named_v2,
    oid,
    set_of,
    signature,
    signer_info,
)

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "gost" / "engine.json").read_text(encoding="utf-8")
)
ROOT = authority(ec.generate_private_key(ec.SECP256R1()))
ROOTS = Roots((ROOT.x509,))
PERSON = certify(ec.generate_private_key(ec.SECP256R1()), issuer=ROOT)
RSA_PERSON = certify(rsa.generate_private_key(65537, 2048), issuer=ROOT)
OTHER = certify(ec.generate_private_key(ec.SECP256R1()), issuer=ROOT)
SIGNATURE = signature(PERSON)


def checked(
    raw: bytes = SIGNATURE,
    certificate: bytes | None = None,
    *,
    text: bytes = TEXT,
    name: FullName = NAME,
    snils: Snils = SNILS,
    roots: Roots = ROOTS,
    at: datetime = NOW,
) -> ESignatureCheck:
    return cades.check(text, raw, certificate, name=name, snils=snils, roots=roots, at=at)


def outcome(*args: Any, **kwargs: Any) -> Outcome:
    return checked(*args, **kwargs).outcome


def sent_with(
    infos: Sequence[bytes] | None = None, certificates: Sequence[bytes] | None = None, **more: Any
) -> bytes:
    return message(
        [signer_info(PERSON)] if infos is None else infos,
        [PERSON.certificate] if certificates is None else certificates,
        **more,
    )


# Text and attributes.


@pytest.mark.parametrize("text", [b"", TEXT[:-1], TEXT + b"\n", TEXT.upper(), TEXT + b"\0"])
def test_other_text_is_refused(text: bytes):
    check = checked(text=text)
    assert check.outcome is Outcome.TEXT_DIFFERS
    # The signature itself is a true one, over something else.
    assert (check.intact, check.signature_valid, check.signing_certificate_bound) == (
        False,
        True,
        True,
    )


def test_digest_put_in_place_of_the_signed_one_is_refused():
    sent = attributes_of(PERSON, b"another text")
    info = signer_info(PERSON, sent=sent)
    check = checked(sent_with([info]), text=b"another text")
    assert check.intact
    assert check.outcome is Outcome.SIGNATURE_FALSE


def test_attribute_added_taken_away_or_reordered_is_refused():
    signed = attributes_of(PERSON)
    extra = attribute("1.2.840.113549.1.9.16.2.17", der.write(der.OCTET_STRING, b"1"))
    for sent in ([*signed, extra], [*signed[:2], signed[3]]):
        assert outcome(sent_with([signer_info(PERSON, signed, sent=sent)])) is (
            Outcome.SIGNATURE_FALSE
        )
    info = signer_info(PERSON)
    parts = der.element(info).children()
    turned = der.write(0xA0, *(each.whole for each in reversed(parts[3].children())))
    changed = der.write(
        der.SEQUENCE, *(turned if n == 3 else each.whole for n, each in enumerate(parts))
    )
    assert outcome(sent_with([changed])) is Outcome.SIGNATURE_FALSE


def test_attribute_sent_twice_is_not_read():
    for twice in (
        attribute(MESSAGE_DIGEST, der.write(der.OCTET_STRING, digest(SHA256, b"other"))),
        attribute(CONTENT_TYPE, oid(DATA)),
        named_v2(OTHER),
    ):
        raw = sent_with([signer_info(PERSON, [*attributes_of(PERSON), twice])])
        assert outcome(raw) is Outcome.SIGNATURE_NOT_READABLE


def test_attribute_of_two_values_is_not_read():
    hashed = [der.write(der.OCTET_STRING, digest(SHA256, each)) for each in (TEXT, b"other")]
    attributes = attributes_of(PERSON)
    attributes[1] = attribute(MESSAGE_DIGEST, *hashed)
    raw = sent_with([signer_info(PERSON, attributes)])
    assert outcome(raw) is Outcome.SIGNATURE_NOT_READABLE


@pytest.mark.parametrize("missing", [0, 1])
def test_attribute_that_must_be_there_is_missed(missing: int):
    attributes = attributes_of(PERSON)
    del attributes[missing]
    raw = sent_with([signer_info(PERSON, attributes)])
    assert outcome(raw) is Outcome.SIGNATURE_NOT_READABLE


def test_other_content_type_is_refused():
    for kinds in ((SIGNED_DATA, DATA), (DATA, SIGNED_DATA), (SIGNED_DATA, SIGNED_DATA)):
        attributes = attributes_of(PERSON, content_type=kinds[0])
        raw = sent_with([signer_info(PERSON, attributes)], content_type=kinds[1])
        assert outcome(raw) is Outcome.SIGNATURE_NOT_READABLE


def test_signature_over_the_bare_text_is_no_cades():
    parts = [each.whole for each in der.element(signer_info(PERSON)).children()]
    parts[5] = der.write(der.OCTET_STRING, PERSON.sign(TEXT))
    del parts[3]
    assert outcome(sent_with([der.write(der.SEQUENCE, *parts)])) is Outcome.NOT_BOUND


# The certificate and its binding.


def test_signature_that_names_no_certificate_is_not_bound():
    raw = sent_with([signer_info(PERSON, attributes_of(PERSON, named=[]))])
    check = checked(raw)
    assert check.outcome is Outcome.NOT_BOUND
    assert check.signature_valid


@pytest.mark.parametrize(
    "named",
    [
        [named_v2(OTHER)],
        [named_v1(OTHER)],
        [named_v2(PERSON), named_v1(OTHER)],
        [named_v2(OTHER), named_v1(PERSON)],
    ],
)
def test_signature_that_names_another_certificate_is_not_bound(named: list[bytes]):
    raw = sent_with([signer_info(PERSON, attributes_of(PERSON, named=named))])
    assert outcome(raw) is Outcome.NOT_BOUND


def test_digest_of_the_certificate_by_an_unknown_algorithm_is_not_bound():
    one = der.write(der.SEQUENCE, algorithm("1.2.3.4"), der.write(der.OCTET_STRING, bytes(32)))
    named = attribute(
        "1.2.840.113549.1.9.16.2.47",
        der.write(der.SEQUENCE, der.write(der.SEQUENCE, one)),
    )
    raw = sent_with([signer_info(PERSON, attributes_of(PERSON, named=[named]))])
    assert outcome(raw) is Outcome.NOT_BOUND


def test_certificate_swapped_for_another_key_of_the_same_number_is_refused():
    twin = certify(OTHER.key, issuer=ROOT, serial=PERSON.serial)
    check = checked(sent_with(certificates=[twin.certificate]))
    assert check.outcome is Outcome.SIGNATURE_FALSE
    assert not check.signing_certificate_bound


def test_certificate_swapped_for_another_of_the_same_key_is_not_bound():
    """The key is right, the name on the certificate is not the one that signed."""
    subject = ((NameOID.SURNAME, "Другая"), *SUBJECT[1:])
    twin = certify(PERSON.key, subject, ROOT, serial=PERSON.serial)
    check = checked(sent_with(certificates=[twin.certificate]))
    assert check.signature_valid
    assert check.outcome is Outcome.NOT_BOUND


def test_two_certificates_for_one_signer_are_not_read():
    twin = certify(OTHER.key, issuer=ROOT, serial=PERSON.serial)
    raw = sent_with(certificates=[PERSON.certificate, twin.certificate])
    assert outcome(raw) is Outcome.SIGNATURE_NOT_READABLE


def test_certificate_uploaded_beside_it_must_be_the_signers():
    assert outcome(SIGNATURE, OTHER.certificate) is Outcome.OTHER_CERTIFICATE
    bare = sent_with(certificates=[])
    assert outcome(bare, OTHER.certificate) is Outcome.OTHER_CERTIFICATE
    twin = certify(OTHER.key, issuer=ROOT, serial=PERSON.serial)
    assert outcome(SIGNATURE, twin.certificate) is Outcome.OTHER_CERTIFICATE
    assert outcome(bare, twin.certificate) is Outcome.SIGNATURE_FALSE


def test_signature_without_certificate_needs_one_beside_it():
    bare = sent_with(certificates=[])
    assert outcome(bare) is Outcome.CERTIFICATE_MISSING
    assert outcome(bare, PERSON.certificate) is Outcome.VALID
    assert outcome(sent_with(certificates=[OTHER.certificate])) is Outcome.CERTIFICATE_MISSING


def test_odd_certificate_of_somebody_else_harms_nothing():
    odd = der.write(der.SEQUENCE, der.write(der.SEQUENCE, integer(1)))
    assert outcome(sent_with(certificates=[PERSON.certificate, odd])) is Outcome.VALID
    assert outcome(sent_with(certificates=[odd])) is Outcome.CERTIFICATE_NOT_READABLE


# The message.


def test_two_signers_are_refused():
    raw = sent_with([signer_info(PERSON), signer_info(OTHER, attributes_of(OTHER))])
    assert outcome(raw) is Outcome.SEVERAL_SIGNERS


def test_certificates_alone_are_no_signature():
    assert outcome(sent_with([])) is Outcome.NO_SIGNER


@pytest.mark.parametrize("text", [TEXT, b"", b"another"])
def test_attached_content_is_refused(text: bytes):
    raw = sent_with(content=der.write(0xA0, der.write(der.OCTET_STRING, text)))
    assert outcome(raw) is Outcome.ATTACHED


def with_length_left_open(raw: bytes) -> bytes:
    found = der.element(raw)
    return bytes((found.tag, 0x80)) + found.content + b"\0\0"


def changed_inside(raw: bytes) -> bytes:
    outer = der.element(raw).children()
    inner = der.write(0xA0, with_length_left_open(outer[1].children()[0].whole))
    return der.write(der.SEQUENCE, outer[0].whole, inner)


@pytest.mark.parametrize(
    "raw",
    [
        b"0",
        b"\x30\x00",
        b"\x30\x80\0\0",
        SIGNATURE[:-1],
        SIGNATURE[:40],
        SIGNATURE + b"\0",
        SIGNATURE + SIGNATURE,
        SIGNATURE[1:],
        with_length_left_open(SIGNATURE),
        changed_inside(SIGNATURE),
        b"\x30\x83\0" + SIGNATURE[2:],
        b"\x30\x84\xff\xff\xff\xff" + SIGNATURE[4:],
        b"\x30\x84\x7f\xff\xff\xff",
        b"\x30\x88" + b"\xff" * 8 + SIGNATURE,
        b"\x3f\x81\x01\x00",
        PERSON.certificate,
        der.write(der.SEQUENCE, oid(SIGNED_DATA)),
        der.write(der.SEQUENCE, oid(SIGNED_DATA), der.write(0xA0)),
        der.write(der.SEQUENCE, oid(DATA), der.write(0xA0, der.write(der.OCTET_STRING, TEXT))),
        der.write(der.SEQUENCE, *[NULL] * 25_000),
        der.write(der.SEQUENCE, *[b"\x30\x00"] * 25_000),
        sent_with(certificates=[PERSON.certificate] * 11),
        b"text",
        b"\xd0\xcf\x11\xe0",
        TEXT,
        "подпись".encode(),
        bytes(1000),
    ],
    # Keys are new each time, and workers that share the tests must know them by the same names.
    ids=itertools.count(),
)
def test_what_is_not_the_one_der_message_is_not_read(raw: bytes):
    assert outcome(raw) is Outcome.SIGNATURE_NOT_READABLE


def test_depth_is_bounded():
    raw = b""
    for _ in range(3000):
        raw = der.write(der.SEQUENCE, raw)
    assert outcome(raw) is Outcome.SIGNATURE_NOT_READABLE
    assert outcome(b"\x30\x80" * 5000) is Outcome.SIGNATURE_NOT_READABLE
    wide_and_deep = b""
    for _ in range(100):
        wide_and_deep = der.write(der.SEQUENCE, wide_and_deep, NULL)
    with pytest.raises(der.NotDer):
        der.require_der(wide_and_deep)


def test_huge_counts_are_refused():
    infos = [signer_info(PERSON)] * 150
    assert outcome(sent_with(infos)) is Outcome.SEVERAL_SIGNERS
    raw = sent_with([signer_info(PERSON, [*attributes_of(PERSON), *[attribute("1.2.3")] * 4000])])
    assert outcome(raw) in (Outcome.SIGNATURE_NOT_READABLE, Outcome.VALID)
    number = der.write(der.INTEGER, b"\x7f" * 5000)
    sid = der.write(der.SEQUENCE, PERSON.issuer, number)
    assert outcome(sent_with([signer_info(PERSON, sid=sid)])) is Outcome.CERTIFICATE_MISSING


@pytest.mark.parametrize(
    ("raw", "certificate", "text", "expected"),
    [
        (b"", None, TEXT, Outcome.FILE_EMPTY),
        (SIGNATURE, b"", TEXT, Outcome.FILE_EMPTY),
        (bytes(SIGNATURE_LIMIT + 1), None, TEXT, Outcome.SIGNATURE_TOO_LARGE),
        (SIGNATURE, bytes(CERTIFICATE_LIMIT + 1), TEXT, Outcome.CERTIFICATE_TOO_LARGE),
        (SIGNATURE, None, bytes(TEXT_LIMIT + 1), Outcome.TEXT_TOO_LARGE),
    ],
)
def test_sizes_are_bounded(raw: bytes, certificate: bytes | None, text: bytes, expected: Outcome):
    assert outcome(raw, certificate, text=text) is expected


def test_longest_text_is_checked():
    text = bytes(TEXT_LIMIT)
    assert outcome(signature(PERSON, text), text=text) is Outcome.VALID


@pytest.mark.parametrize("format_", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_private_key_is_noticed(format_: PrivateFormat):
    pem = PERSON.key.private_bytes(Encoding.PEM, format_, NoEncryption())
    assert outcome(SIGNATURE, pem) is Outcome.PRIVATE_KEY_SENT
    assert outcome(pem) is Outcome.PRIVATE_KEY_SENT
    both = PERSON.x509.public_bytes(Encoding.PEM) + pem
    assert outcome(SIGNATURE, both) is Outcome.PRIVATE_KEY_SENT


# Broken bytes by the thousand.


@settings(max_examples=300)
@given(st.integers(0, len(SIGNATURE) - 1), st.integers(1, 255))
def test_changed_byte_never_makes_somebody_else_valid(place: int, change: int):
    changed = bytearray(SIGNATURE)
    changed[place] ^= change
    check = checked(bytes(changed))
    if check.is_valid:
        # Only what nobody signs may differ: versions and the list of digests.
        assert check == checked()


@settings(max_examples=100)
@given(st.integers(0, len(PERSON.certificate) - 1), st.integers(1, 255))
def test_changed_certificate_is_never_valid(place: int, change: int):
    changed = bytearray(PERSON.certificate)
    changed[place] ^= change
    assert outcome(SIGNATURE, bytes(changed)) is not Outcome.VALID
    assert outcome(sent_with(certificates=[bytes(changed)])) is not Outcome.VALID


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_any_bytes_get_an_answer(raw: bytes):
    for sent in (raw, b"\x30" + raw, der.write(der.SEQUENCE, raw)):
        assert not checked(sent).is_valid
        assert not checked(SIGNATURE, sent).is_valid
        assert not cades.describe(sent).is_valid


@settings(max_examples=100)
@given(st.data())
def test_element_put_in_place_of_any_other_gets_an_answer(drawn: st.DataObject):
    """Well-formed nonsense gets past the strict walk and must stop at the next door."""

    def rebuilt(found: der.Element) -> bytes:
        if drawn.draw(st.integers(0, 11)) == 0:
            return drawn.draw(st.sampled_from(NONSENSE))
        if found.tag & 0x20:
            return der.write(found.tag, *(rebuilt(each) for each in found.children()))
        return found.whole

    check = checked(rebuilt(der.element(SIGNATURE)))
    assert not check.is_valid or check == checked()


NONSENSE = [
    b"",
    NULL,
    integer(7),
    der.write(der.INTEGER),
    der.write(der.SEQUENCE),
    der.write(der.SET),
    der.write(der.OCTET_STRING),
    der.write(der.OBJECT_IDENTIFIER),
    der.write(der.OBJECT_IDENTIFIER, b"\x80"),
    der.write(0xA0),
    der.write(0xA0, NULL),
    der.write(0x17, b"99"),
    der.write(0x18, b"99999999999999Z"),
    der.write(der.BIT_STRING, b"\x09"),
    der.write(der.SEQUENCE, der.write(der.SEQUENCE, oid("1.2.3.4"))),
    oid(SIGNED_DATA),
]


# Algorithms.


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": SHA1}, Outcome.ALGORITHM_OUTDATED),
        ({"kind": "1.2.840.113549.2.5"}, Outcome.ALGORITHM_OUTDATED),
        ({"kind": "1.2.643.2.2.9"}, Outcome.ALGORITHM_OUTDATED),
        ({"kind": "1.2.3.4"}, Outcome.ALGORITHM_UNSUPPORTED),
        (
            {"signature_algorithm": algorithm("1.2.840.113549.1.1.5", NULL)},
            Outcome.ALGORITHM_OUTDATED,
        ),
        ({"signature_algorithm": algorithm("1.2.643.2.2.3")}, Outcome.ALGORITHM_OUTDATED),
        ({"signature_algorithm": algorithm("1.3.101.112")}, Outcome.ALGORITHM_UNSUPPORTED),
        (
            {"signature_algorithm": algorithm("1.2.840.10045.4.3.3")},
            Outcome.SIGNATURE_FALSE,
        ),
        ({"signature_algorithm": algorithm(RSA_SHA256, NULL)}, Outcome.SIGNATURE_FALSE),
        ({"signature_algorithm": algorithm(gost.SIGNATURE_256)}, Outcome.SIGNATURE_FALSE),
        ({"sign": lambda _: b""}, Outcome.SIGNATURE_FALSE),
        ({"sign": lambda _: bytes(64)}, Outcome.SIGNATURE_FALSE),
        ({"sign": OTHER.sign}, Outcome.SIGNATURE_FALSE),
    ],
)
def test_algorithm_that_proves_nothing_is_refused(changes: dict[str, Any], expected: Outcome):
    assert outcome(signature(PERSON, TEXT, **changes)) is expected


def test_digest_of_gost_does_not_go_with_another_key():
    info = signer_info(
        PERSON, attributes_of(PERSON, kind=gost.STREEBOG_256), kind=gost.STREEBOG_256
    )
    check = checked(sent_with([info]))
    assert check.intact
    assert check.outcome is Outcome.SIGNATURE_FALSE


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (rsa.generate_private_key(65537, 1024), Outcome.ALGORITHM_OUTDATED),
        (ec.generate_private_key(ec.SECP192R1()), Outcome.ALGORITHM_OUTDATED),
    ],
)
def test_weak_key_is_refused(key: Any, expected: Outcome):
    weak = certify(key, issuer=ROOT)
    assert outcome(signature(weak)) is expected
    assert cades.describe(weak.certificate).outcome is expected


def test_key_of_an_unknown_kind_is_refused():
    key = ed25519.Ed25519PrivateKey.generate()
    body = list(der.element(PERSON.certificate).children()[0].children())
    parts = [each.whole for each in body]
    parts[6] = key.public_key().public_bytes_raw()
    parts[6] = der.write(
        der.SEQUENCE, algorithm("1.3.101.112"), der.write(der.BIT_STRING, b"\0", parts[6])
    )
    made = der.write(
        der.SEQUENCE,
        der.write(der.SEQUENCE, *parts),
        parts[2],
        der.write(der.BIT_STRING, b"\0", bytes(70)),
    )
    assert cades.describe(made).outcome is Outcome.ALGORITHM_UNSUPPORTED


def test_outdated_gost_key_is_called_so():
    body = list(der.element(PERSON.certificate).children()[0].children())
    parts = [each.whole for each in body]
    parts[6] = der.write(
        der.SEQUENCE,
        algorithm("1.2.643.2.2.19", der.write(der.SEQUENCE, oid("1.2.643.2.2.35.1"))),
        der.write(der.BIT_STRING, b"\0", der.write(der.OCTET_STRING, bytes(64))),
    )
    made = der.write(
        der.SEQUENCE,
        der.write(der.SEQUENCE, *parts),
        parts[2],
        der.write(der.BIT_STRING, b"\0", bytes(64)),
    )
    assert cades.describe(made).outcome is Outcome.ALGORITHM_OUTDATED


# Who vouches, when, for what use.


def test_issuer_outside_the_list_is_told_from_a_false_signature():
    check = checked(roots=Roots())
    assert check.outcome is Outcome.UNKNOWN_ISSUER
    assert check.is_undecided
    assert check.is_genuine
    own = certify(PERSON.key)
    assert outcome(signature(own)) is Outcome.UNKNOWN_ISSUER


def test_authority_renewed_under_the_same_name_is_unknown_not_forged():
    renewed = authority(ec.generate_private_key(ec.SECP256R1()))
    assert outcome(roots=Roots((renewed.x509,))) is Outcome.UNKNOWN_ISSUER
    both = Roots((renewed.x509, ROOT.x509))
    assert outcome(roots=both) is Outcome.VALID


def test_certificate_that_only_claims_a_trusted_issuer_is_forged():
    impostor = Person(ec.generate_private_key(ec.SECP256R1()), ROOT.certificate)
    forged = certify(PERSON.key, issuer=impostor)
    check = checked(signature(forged))
    assert check.chain is Chain.FORGED
    assert check.outcome is Outcome.ISSUER_FORGED


def test_trusted_issuer_with_an_outdated_digest_is_not_called_a_forger():
    root = authority(RSA_PERSON.key)
    person = certify(PERSON.key, issuer=root)
    body, _, _ = (each.whole for each in der.element(person.certificate).children())
    parts = [each.whole for each in der.element(body).children()]
    parts[2] = algorithm("1.2.840.113549.1.1.5", NULL)
    body = der.write(der.SEQUENCE, *parts)
    value = root.key.sign(body, padding.PKCS1v15(), hashes.SHA1())
    old = der.write(der.SEQUENCE, body, parts[2], der.write(der.BIT_STRING, b"\0", value))
    check = checked(signature(replace(person, certificate=old)), roots=Roots((root.x509,)))
    assert check.outcome is Outcome.UNKNOWN_ISSUER


def test_way_up_leads_through_the_certificates_sent_along():
    middle = authority(ec.generate_private_key(ec.SECP384R1()), ROOT, "Средний")
    low = authority(rsa.generate_private_key(65537, 2048), middle, "Нижний")
    person = certify(PERSON.key, issuer=low)
    assert outcome(signature(person, TEXT, low, middle)) is Outcome.VALID
    assert outcome(signature(person, TEXT, low, middle, ROOT, OTHER)) is Outcome.VALID
    assert outcome(signature(person, TEXT, low)) is Outcome.UNKNOWN_ISSUER
    assert outcome(signature(person, TEXT, middle)) is Outcome.UNKNOWN_ISSUER
    # An authority below the root may be trusted by itself.
    assert outcome(signature(person, TEXT, low), roots=Roots((middle.x509,))) is Outcome.VALID


@pytest.mark.parametrize(
    "wrong",
    [
        {"ca": False},
        {"usage": "digital_signature"},
        {"extensions": [(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), NULL), True)]},
    ],
)
def test_who_may_not_issue_vouches_for_nobody(wrong: dict[str, Any]):
    middle = authority(ec.generate_private_key(ec.SECP256R1()), ROOT, "Средний", **wrong)
    person = certify(PERSON.key, issuer=middle)
    assert outcome(signature(person, TEXT, middle)) is Outcome.UNKNOWN_ISSUER
    assert outcome(signature(person), roots=Roots((middle.x509,))) is Outcome.UNKNOWN_ISSUER


def test_length_of_the_way_up_is_the_issuers_to_say():
    root = authority(ec.generate_private_key(ec.SECP256R1()), path_length=0)
    middle = authority(ec.generate_private_key(ec.SECP256R1()), root, "Средний")
    roots = Roots((root.x509,))
    assert outcome(signature(certify(PERSON.key, issuer=root)), roots=roots) is Outcome.VALID
    person = certify(PERSON.key, issuer=middle)
    assert outcome(signature(person, TEXT, middle), roots=roots) is Outcome.UNKNOWN_ISSUER


def test_way_up_has_an_end():
    people = [ROOT]
    for n in range(8):
        people.append(authority(PERSON.key, people[-1], f"Центр {n}"))
    person = certify(PERSON.key, issuer=people[-1])
    assert outcome(signature(person, TEXT, *people[1:])) is Outcome.UNKNOWN_ISSUER
    # Two that issue to each other, and one that issues to itself.
    first = authority(PERSON.key, name="Первый")
    second = authority(PERSON.key, first, "Второй", key_identifier=False)
    first = authority(PERSON.key, second, "Первый", key_identifier=False)
    person = certify(PERSON.key, issuer=first, key_identifier=False)
    assert outcome(signature(person, TEXT, first, second)) is Outcome.UNKNOWN_ISSUER


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW - 31 * DAY, Outcome.NOT_YET_VALID),
        (NOW - 30 * DAY, Outcome.VALID),
        (NOW + 335 * DAY, Outcome.VALID),
        (NOW + 336 * DAY, Outcome.EXPIRED),
    ],
)
def test_dates_are_judged_at_the_moment_given(at: datetime, expected: Outcome):
    assert outcome(at=at) is expected


def test_dates_of_the_issuer_count():
    root = authority(ec.generate_private_key(ec.SECP256R1()), dates=(NOW - 9 * DAY, NOW - DAY))
    check = checked(signature(certify(PERSON.key, issuer=root)), roots=Roots((root.x509,)))
    assert check.dates is Dates.ISSUER_OUT_OF_DATES
    assert check.outcome is Outcome.ISSUER_OUT_OF_DATES


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"usage": "digital_signature"}, Outcome.VALID),
        ({"usage": "content_commitment"}, Outcome.VALID),
        ({"usage": None}, Outcome.VALID),
        ({"usage": "key_encipherment"}, Outcome.NOT_FOR_SIGNING),
        ({"usage": "key_cert_sign"}, Outcome.NOT_FOR_SIGNING),
        ({"ca": True}, Outcome.NOT_FOR_SIGNING),
        (
            {"extensions": [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), True)]},
            Outcome.VALID,
        ),
        (
            {"extensions": [(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3"), NULL), True)]},
            Outcome.NOT_FOR_SIGNING,
        ),
        (
            {"extensions": [(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3"), NULL), False)]},
            Outcome.VALID,
        ),
    ],
)
def test_use_of_the_key_is_the_certificates_to_say(changes: dict[str, Any], expected: Outcome):
    assert outcome(signature(certify(PERSON.key, issuer=ROOT, **changes))) is expected


# Whom it names.


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (SUBJECT, Outcome.VALID),
        (((NameOID.SURNAME, "ЕЛКИНА"), *SUBJECT[1:]), Outcome.VALID),
        (((NameOID.SURNAME, "Другая"), *SUBJECT[1:]), Outcome.NAME_DIFFERS),
        ((SUBJECT[0], (NameOID.GIVEN_NAME, "Мария"), *SUBJECT[2:]), Outcome.NAME_DIFFERS),
        ((*SUBJECT[:3], (SNILS_OID, "00100199845")), Outcome.SNILS_DIFFERS),
        (SUBJECT[:3], Outcome.SNILS_ABSENT),
        (SUBJECT[1:], Outcome.NAME_ABSENT),
        (SUBJECT[2:3], Outcome.NAME_ABSENT),
        ((*SUBJECT, (NameOID.SURNAME, "Другая")), Outcome.NAME_ABSENT),
        ((*SUBJECT, (SNILS_OID, "00100199845")), Outcome.SNILS_ABSENT),
    ],
)
def test_subject_is_held_against_the_form(subject: Any, expected: Outcome):
    assert outcome(signature(certify(PERSON.key, subject, ROOT))) is expected


def test_facts_of_the_certificate_are_told():
    check = checked()
    assert check.subject is not None
    assert str(check.subject) == "Ёлкина Мария Сергеевна"
    assert (check.subject.snils, check.subject.inn) == (SNILS.digits, "500100732259")
    assert check.issuer == "Пробный центр"
    assert check.serial == f"{PERSON.serial:x}"
    assert check.fingerprint == digest(SHA256, PERSON.certificate).hex()
    assert (check.valid_from, check.valid_until) == (NOW - 30 * DAY, NOW + 335 * DAY)
    assert check.claimed_at is not None
    assert (check.name, check.snils) == (Match.MATCHES, Match.MATCHES)
    described = cades.describe(PERSON.certificate)
    assert described.subject == check.subject
    assert not described.is_valid


# What is right.


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        ec.generate_private_key(ec.BrainpoolP256R1()),
        rsa.generate_private_key(65537, 2048),
    ],
)
def test_true_signature_is_valid(key: Any):
    person = certify(key, issuer=ROOT)
    assert checked(signature(person)).is_valid
    assert checked(signature(person), person.certificate).is_valid
    made = cades.sign(key, person.x509, [ROOT.x509], TEXT, NOW)
    der.require_der(made)
    assert checked(made, person.certificate).is_valid


@pytest.mark.parametrize("kind", [SHA256, SHA384, SHA512])
@pytest.mark.parametrize("salt", [0, 32, 64, 190])
def test_pss_is_checked_as_it_declares_itself(kind: str, salt: int):
    hashing = {SHA256: hashes.SHA256(), SHA384: hashes.SHA384(), SHA512: hashes.SHA512()}[kind]

    def sign(payload: bytes) -> bytes:
        return RSA_PERSON.key.sign(payload, padding.PSS(padding.MGF1(hashing), salt), hashing)

    def sent(kind: str, mask: str, salt: int) -> bytes:
        parameters = der.write(
            der.SEQUENCE,
            der.write(0xA0, algorithm(kind, NULL)),
            der.write(0xA1, algorithm("1.2.840.113549.1.1.8", algorithm(mask, NULL))),
            der.write(0xA2, integer(salt)),
        )
        info = signer_info(
            RSA_PERSON,
            attributes_of(RSA_PERSON, kind=of),
            kind=of,
            sign=sign,
            signature_algorithm=algorithm(RSA_PSS, parameters),
        )
        return message([info], [RSA_PERSON.certificate], kind=of)

    if salt > 256 - 2 - hashing.digest_size:
        return
    of = kind
    assert outcome(sent(kind, kind, salt)) is Outcome.VALID
    assert outcome(sent(kind, kind, salt + 1)) is Outcome.SIGNATURE_FALSE
    other = SHA384 if kind != SHA384 else SHA256
    assert outcome(sent(other, kind, salt)) is Outcome.SIGNATURE_FALSE
    assert outcome(sent(kind, other, salt)) is Outcome.SIGNATURE_FALSE
    assert outcome(sent(kind, kind, 1 << 40)) is Outcome.SIGNATURE_FALSE


@pytest.mark.parametrize("parameters", [b"", NULL, der.write(der.SEQUENCE), integer(5)])
def test_pss_without_its_parameters_is_refused(parameters: bytes):
    raw = signature(RSA_PERSON, TEXT, signature_algorithm=algorithm(RSA_PSS, parameters))
    assert outcome(raw) in (Outcome.SIGNATURE_FALSE, Outcome.SIGNATURE_NOT_READABLE)


@pytest.mark.parametrize(
    "named",
    [
        [named_v2(PERSON)],
        [named_v2(PERSON, numbered=False)],
        [named_v2(PERSON, SHA384)],
        [named_v2(PERSON, SHA512)],
        [named_v1(PERSON)],
        [named_v1(PERSON), named_v2(PERSON)],
    ],
)
def test_certificate_may_be_named_in_each_way(named: list[bytes]):
    raw = sent_with([signer_info(PERSON, attributes_of(PERSON, named=named))])
    assert outcome(raw) is Outcome.VALID


def test_signer_may_be_named_by_the_identifier_of_the_key():
    extension = PERSON.x509.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    sid = der.write(0x80, extension.value.digest)
    assert outcome(sent_with([signer_info(PERSON, sid=sid)])) is Outcome.VALID
    other = der.write(0x80, bytes(20))
    assert outcome(sent_with([signer_info(PERSON, sid=other)])) is Outcome.CERTIFICATE_MISSING


def armoured(raw: bytes, label: str) -> bytes:
    lines = base64.encodebytes(raw).decode()
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n".encode()


def test_files_may_be_written_in_each_way():
    plain = base64.b64encode(SIGNATURE)
    for raw in (
        SIGNATURE,
        plain,
        b"\xef\xbb\xbf" + plain + b"\r\n",
        base64.encodebytes(SIGNATURE).replace(b"\n", b"\r\n"),
        armoured(SIGNATURE, "CMS"),
        armoured(SIGNATURE, "PKCS7"),
    ):
        assert outcome(raw) is Outcome.VALID
    for certificate in (
        base64.b64encode(PERSON.certificate),
        armoured(PERSON.certificate, "CERTIFICATE"),
    ):
        assert outcome(SIGNATURE, certificate) is Outcome.VALID


def test_armour_holds_one_thing_and_nothing_around_it():
    pem = armoured(SIGNATURE, "CMS")
    for raw in (
        pem + pem,
        b"x" + pem,
        pem + b"x",
        armoured(SIGNATURE, "CERTIFICATE"),
        pem.replace(b"END CMS", b"END PKCS7"),
        pem.replace(b"M", b"*", 3),
        armoured(SIGNATURE + b"\0", "CMS"),
        base64.b64encode(b"text"),
    ):
        assert outcome(raw) is Outcome.SIGNATURE_NOT_READABLE
    wrong = armoured(PERSON.certificate, "CERTIFICATE")
    for certificate in (wrong + wrong, armoured(PERSON.certificate, "CMS"), PERSON.certificate[1:]):
        assert outcome(SIGNATURE, certificate) is Outcome.CERTIFICATE_NOT_READABLE


@pytest.mark.parametrize("person", [PERSON, RSA_PERSON], ids=["ecdsa", "rsa"])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-cades", Outcome.VALID),
        ("-cades -md sha512", Outcome.VALID),
        ("-cades -nosmimecap -keyid", Outcome.VALID),
        ("-cades -nocerts", Outcome.CERTIFICATE_MISSING),
        ("-cades -nodetach", Outcome.ATTACHED),
        ("-cades -md sha1", Outcome.ALGORITHM_OUTDATED),
        ("", Outcome.NOT_BOUND),
        ("-noattr", Outcome.NOT_BOUND),
    ],
)
def test_signatures_of_openssl(tmp_path: Path, person: Person, options: str, expected: Outcome):
    assert outcome(openssl_signature(tmp_path, person, options)) is expected


@pytest.mark.parametrize("salt", ["digest", "max"])
def test_pss_of_openssl_is_valid(tmp_path: Path, salt: str):
    options = f"-cades -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:{salt}"
    assert outcome(openssl_signature(tmp_path, RSA_PERSON, options)) is Outcome.VALID


def openssl_signature(folder: Path, person: Person, options: str) -> bytes:
    (folder / "cert").write_bytes(person.x509.public_bytes(Encoding.PEM))
    (folder / "key").write_bytes(
        person.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (folder / "text").write_bytes(TEXT)
    command = "openssl cms -sign -binary -in text -signer cert -inkey key -outform DER -out sig "
    subprocess.run((command + options).split(), cwd=folder, check=True, capture_output=True)
    return (folder / "sig").read_bytes()


# GOST.


@pytest.fixture(scope="module")
def russian() -> tuple[Person, Person]:
    """Return an authority and a person, both of 256 bits."""
    root = authority(gost_key("1.2.643.2.2.35.1"))
    return root, certify(gost_key("1.2.643.7.1.2.1.1.1"), issuer=root)


@pytest.mark.parametrize("parameter_set", sorted(gost.PARAMETER_SETS))
def test_signature_of_our_own_making_is_valid_in_every_set(parameter_set: str):
    person = certify(gost_key(parameter_set), issuer=ROOT)
    check = checked(signature(person))
    assert check.is_valid
    bits = gost.PARAMETER_SETS[parameter_set][0]
    assert check.algorithm is (Algorithm.GOST_256 if bits == 256 else Algorithm.GOST_512)


@pytest.mark.parametrize("parameter_set", sorted(gost.PARAMETER_SETS))
def test_signature_of_the_engine_is_valid_in_every_set(parameter_set: str):
    sent = VECTORS["people"][parameter_set]
    root = x509.load_der_x509_certificate(base64.b64decode(VECTORS["root"]))
    raw, certificate = (base64.b64decode(sent[each]) for each in ("signature", "certificate"))
    at = datetime.fromisoformat(VECTORS["at"])
    text = VECTORS["text"].encode()
    assert checked(raw, certificate, text=text, roots=Roots((root,)), at=at).is_valid


def test_gost_chain_is_followed(russian: tuple[Person, Person]):
    root, person = russian
    roots = Roots((root.x509,))
    assert outcome(signature(person), roots=roots) is Outcome.VALID
    assert outcome(signature(person)) is Outcome.UNKNOWN_ISSUER
    impostor = Person(gost_key("1.2.643.2.2.35.1"), root.certificate)
    forged = certify(person.key, issuer=impostor)
    assert outcome(signature(forged), roots=roots) is Outcome.ISSUER_FORGED


def test_gost_key_may_be_named_where_the_signature_is(russian: tuple[Person, Person]):
    root, person = russian
    raw = signature(person, TEXT, signature_algorithm=algorithm(gost.KEY_256))
    assert outcome(raw, roots=Roots((root.x509,))) is Outcome.VALID


@pytest.mark.parametrize(
    "changes",
    [
        {"signature_algorithm": algorithm(gost.SIGNATURE_512)},
        {"signature_algorithm": algorithm("1.2.840.10045.4.3.2")},
        {"kind": SHA256},
        {"kind": gost.STREEBOG_512},
        {"sign": lambda _: bytes(64)},
        {"sign": lambda _: b"\1" * 63},
    ],
)
def test_gost_signature_that_does_not_fit_is_false(
    russian: tuple[Person, Person], changes: dict[str, Any]
):
    root, person = russian
    kind = changes.get("kind")
    info = signer_info(person, attributes_of(person, kind=kind), **changes)
    raw = message([info], [person.certificate])
    assert outcome(raw, roots=Roots((root.x509,))) is Outcome.SIGNATURE_FALSE


def test_gost_tampering_is_refused(russian: tuple[Person, Person]):
    root, person = russian
    roots = Roots((root.x509,))
    assert outcome(signature(person), text=b"other", roots=roots) is Outcome.TEXT_DIFFERS
    info = signer_info(person, sent=attributes_of(person, b"other"))
    raw = message([info], [person.certificate])
    assert outcome(raw, text=b"other", roots=roots) is Outcome.SIGNATURE_FALSE
    twin = certify(person.key, SUBJECT, root, serial=person.serial)
    raw = message([signer_info(person)], [twin.certificate])
    assert outcome(raw, roots=roots) is Outcome.NOT_BOUND


# The folder of the trusted.


def test_folder_of_the_trusted_is_read(tmp_path: Path):
    other = authority(ec.generate_private_key(ec.SECP256R1()), name="Второй центр")
    (tmp_path / "one.cer").write_bytes(ROOT.certificate)
    (tmp_path / "two.pem").write_bytes(
        ROOT.x509.public_bytes(Encoding.PEM) + other.x509.public_bytes(Encoding.PEM)
    )
    (tmp_path / "three.CRT").write_bytes(base64.b64encode(other.certificate))
    (tmp_path / "four.der").write_bytes(b"broken")
    (tmp_path / "README.txt").write_text("about")
    (tmp_path / "folder.cer").mkdir()
    roots = Roots.read(tmp_path)
    assert set(roots.certificates) == {ROOT.x509, other.x509}
    assert roots.unread == ("four.der",)
    assert outcome(roots=roots) is Outcome.VALID


def test_missing_folder_trusts_nobody(tmp_path: Path):
    assert Roots.read(tmp_path / "none") == Roots()


def test_certificate_trusted_by_itself_is_trusted():
    own = certify(PERSON.key)
    assert outcome(signature(own), roots=Roots((own.x509,))) is Outcome.VALID


def test_sets_are_signed_as_they_were_sent():
    """RFC 5652, 5.4: the tag of a SET stands for the tag in the message."""
    attributes = attributes_of(PERSON)
    assert set_of(*attributes)[0] == der.SET
    assert outcome(sent_with([signer_info(PERSON, attributes)])) is Outcome.VALID
