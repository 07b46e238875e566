"""Make the golden vectors of this folder: ``PYTHONPATH=. python tests/vectors/make.py``.

Tokens, signatures and sealed values are put together here from the texts of the standards, byte by
byte, and not by the code they judge; only the certificates come from the project's own authority.
Every key is derived from a label and every signature is deterministic (RFC 6979), so a second run
writes the same files.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from emk_app.crypto import certificates

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
START = datetime(2026, 1, 1, 10, tzinfo=UTC)
ISSUED = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
EXPIRES = datetime(2027, 11, 23, 12, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ES256 = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
SHARE = "MFRGGZDFMZTWQ2LKNNWG23TPOA"


def derived(label: str, length: int = 32) -> bytes:
    return hashlib.sha256(f"emk test vector|{label}".encode()).digest()[:length]


def private_key(label: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(derived(label), "big") % ORDER, ec.SECP256R1())


def serial(label: str) -> int:
    return int.from_bytes(derived(f"serial {label}", 16), "big")


class Authority:
    """A root, an issuing CA and the signers below it, the same on every run."""

    def __init__(self) -> None:
        root_key, issuing_key = private_key("root"), private_key("issuing")
        self.root = certificates.root_certificate(root_key, START, serial("root"))
        self.issuing = certificates.issuing_certificate(
            issuing_key.public_key(), self.root, root_key, START, serial("issuing")
        )
        self.signers = {
            label: certificates.signer_certificate(
                name,
                private_key(label).public_key(),
                self.issuing,
                issuing_key,
                START,
                serial(label),
            )
            for label, name in {
                "qr A": certificates.QR_NAME,
                "qr B": certificates.QR_NAME,
                "qr stranger": certificates.QR_NAME,
                "book": certificates.BOOK_NAME,
            }.items()
        }

    def kid(self, label: str) -> bytes:
        return hashlib.sha256(der(self.signers[label])).digest()[:8]


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def b32(raw: bytes) -> str:
    return base64.b32encode(raw).rstrip(b"=").decode()


def jwk(certificate: x509.Certificate) -> dict[str, str]:
    public_key = certificate.public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    numbers = public_key.public_numbers()

    def coordinate(value: int) -> str:
        return base64.urlsafe_b64encode(value.to_bytes(32, "big")).rstrip(b"=").decode()

    return {"kty": "EC", "crv": "P-256", "x": coordinate(numbers.x), "y": coordinate(numbers.y)}


def listed(
    authority: Authority,
    label: str,
    use: str,
    status: str = "active",
    until: datetime | None = None,
) -> dict[str, Any]:
    certificate = authority.signers[label]
    return {
        "kid": authority.kid(label).hex(),
        "use": use,
        "status": status,
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": (until or certificate.not_valid_after_utc).isoformat(),
        "certificate": b64(der(certificate)),
        "jwk": jwk(certificate),
    }


def trust_lists(authority: Authority) -> dict[str, Any]:
    book = listed(authority, "book", "book")
    b = listed(authority, "qr B", "qr")
    lists = {
        "main": [listed(authority, "qr A", "qr"), b, book],
        "A retired before": [listed(authority, "qr A", "qr", "retired", ISSUED - SECOND), b, book],
        "A retired after": [listed(authority, "qr A", "qr", "retired", ISSUED), b, book],
        "A compromised": [listed(authority, "qr A", "qr", "compromised"), b, book],
        "empty": [],
    }
    return {
        name: {"roots": [b64(der(authority.root))], "keys": keys} for name, keys in lists.items()
    }


def claims(anonymous: bool = False) -> dict[str, Any]:
    return {
        "expires_at": EXPIRES.isoformat(),
        "issued_at": ISSUED.isoformat(),
        "share_id": hashlib.sha256(SHARE.encode()).digest()[:10].hex(),
        "book_number": "7707000000123",
        "version": 3,
        "document_hash": derived("document").hex(),
        "shown_name": None if anonymous else "Иванова М. С.",
        "birth_year": None if anonymous else 1990,
        "categories": [23, 25],
        "verdict": 1,
    }


def claim_map(said: dict[str, Any]) -> dict[Any, Any]:
    return {
        4: int(datetime.fromisoformat(said["expires_at"]).timestamp()),
        6: int(datetime.fromisoformat(said["issued_at"]).timestamp()),
        7: bytes.fromhex(said["share_id"]),
        -70001: [
            said["book_number"],
            said["version"],
            bytes.fromhex(said["document_hash"]),
            said["shown_name"],
            said["birth_year"],
            said["categories"],
            said["verdict"],
        ],
    }


def dumps(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


def structure(protected: bytes, payload: bytes) -> bytes:
    return dumps(["Signature1", protected, b"", payload])


def sign(label: str, protected: bytes, payload: bytes) -> bytes:
    r, s = decode_dss_signature(private_key(label).sign(structure(protected, payload), ES256))
    return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def cose(protected: bytes, payload: bytes, signature: bytes, unprotected: object = None) -> bytes:
    return dumps(cbor2.CBORTag(18, [protected, unprotected or {}, payload, signature]))


def code_rows(text: str) -> list[str]:
    """Return the rows of a code, quiet zone included, level M; «#» is dark."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    return ["".join("#" if dark else "." for dark in row) for row in code.get_matrix()]


def genuine_token(name: str, authority: Authority, label: str, anonymous: bool) -> dict[str, Any]:
    said = claims(anonymous)
    protected = dumps({1: -7, 4: authority.kid(label)})
    payload = dumps(claim_map(said))
    signature = sign(label, protected, payload)
    token = cose(protected, payload, signature)
    return {
        "name": name,
        "signer": label,
        "share": SHARE,
        "claims": said,
        "protected": protected.hex(),
        "payload": payload.hex(),
        "sig_structure": structure(protected, payload).hex(),
        "signature": signature.hex(),
        "token_bytes": token.hex(),
        "token": b32(token),
        "url": f"https://emk.example.ru/v/{SHARE}#{b32(token)}",
        "code": code_rows(f"https://emk.example.ru/v/{SHARE}#{b32(token)}"),
    }


def case(
    name: str, token: str, outcome: str, now: datetime = NOW, trust: str = "main"
) -> dict[str, str]:
    return {
        "name": name,
        "token": token,
        "trust": trust,
        "now": now.isoformat(),
        "outcome": outcome,
    }


def cases(authority: Authority) -> Iterator[dict[str, str]]:
    kid = authority.kid("qr A")
    protected = dumps({1: -7, 4: kid})
    payload = dumps(claim_map(claims()))
    signature = sign("qr A", protected, payload)
    raw = cose(protected, payload, signature)
    good = b32(raw)

    yield case("genuine", good, "genuine")
    yield case("at iat", good, "genuine", ISSUED)
    yield case("five minutes before iat", good, "genuine", ISSUED - timedelta(minutes=5))
    yield case("over five minutes before iat", good, "expired", ISSUED - timedelta(seconds=301))
    yield case("one second before exp", good, "genuine", EXPIRES - SECOND)
    yield case("at exp", good, "expired", EXPIRES)
    yield case("after exp", good, "expired", EXPIRES + SECOND)

    yield case("key not in list", good, "unknown_key", trust="empty")
    yield case("key compromised", good, "key_withdrawn", trust="A compromised")
    yield case("key retired before iat", good, "key_withdrawn", trust="A retired before")
    yield case("key retired at iat", good, "genuine", trust="A retired after")

    def signed(label: str, protected: bytes, payload: bytes) -> str:
        return b32(cose(protected, payload, sign(label, protected, payload)))

    stranger = dumps({1: -7, 4: authority.kid("qr stranger")})
    yield case("kid of a stranger", signed("qr stranger", stranger, payload), "unknown_key")
    book = dumps({1: -7, 4: authority.kid("book")})
    yield case("key of another purpose", signed("book", book, payload), "unknown_key")
    b = dumps({1: -7, 4: authority.kid("qr B")})
    yield case("other listed key", signed("qr B", b, payload), "genuine")
    survivor = signed("qr B", b, payload)
    yield case("other key is compromised", survivor, "genuine", trust="A compromised")
    yield case("kid of A, signature of B", signed("qr B", protected, payload), "not_genuine")
    yield case("kid of B, signature of A", b32(cose(b, payload, signature)), "not_genuine")

    broken = signature[:-1] + bytes((signature[-1] ^ 1,))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    twin = signature[:32] + (ORDER - s).to_bytes(32, "big")
    zero = bytes(64)
    other = dumps(claim_map(claims() | {"verdict": 2}))
    over_payload = private_key("qr A").sign(payload, ES256)
    r2, s2 = decode_dss_signature(over_payload)
    plain = r2.to_bytes(32, "big") + min(s2, ORDER - s2).to_bytes(32, "big")
    yield case("broken signature", b32(cose(protected, payload, broken)), "not_genuine")
    yield case("twin signature", b32(cose(protected, payload, twin)), "not_genuine")
    yield case("zero signature", b32(cose(protected, payload, zero)), "not_genuine")
    yield case(
        "r is the order",
        b32(cose(protected, payload, ORDER.to_bytes(32, "big") + signature[32:])),
        "not_genuine",
    )
    yield case("other payload", b32(cose(protected, other, signature)), "not_genuine")
    yield case("payload signed bare", b32(cose(protected, payload, plain)), "not_genuine")
    yield case(
        "DER signature", b32(cose(protected, payload, encode_dss_signature(r, s))), "malformed"
    )
    yield case("no signature", b32(cose(protected, payload, b"")), "malformed")

    yield case(
        "kid unprotected",
        b32(cose(dumps({1: -7}), payload, sign("qr A", dumps({1: -7}), payload), {4: kid})),
        "malformed",
    )
    yield case("two kids", b32(cose(protected, payload, signature, {4: kid})), "malformed")
    yield case(
        "foreign unprotected", b32(cose(protected, payload, signature, {99: 1})), "malformed"
    )
    for name, header in {
        "no alg": {4: kid},
        "alg EdDSA": {1: -8, 4: kid},
        "alg ES384": {1: -35, 4: kid},
        "alg HS256": {1: 5, 4: kid},
        "alg as text": {1: "ES256", 4: kid},
        "short kid": {1: -7, 4: kid[:7]},
        "long kid": {1: -7, 4: kid + b"\0"},
        "kid as text": {1: -7, 4: "AAAAAAAA"},
        "crit in header": {1: -7, 2: [4], 4: kid},
    }.items():
        yield case(name, signed("qr A", dumps(header), payload), "malformed")
    unsorted = bytes.fromhex("a20448") + kid + bytes.fromhex("0126")
    yield case("header unsorted", signed("qr A", unsorted, payload), "malformed")
    yield case("empty header", signed("qr A", b"", payload), "malformed")

    yield case("no tag", b32(raw[1:]), "malformed")
    yield case("tag 61 around", b32(b"\xd8\x3d" + raw), "malformed")
    yield case("double tag", b32(b"\xd2" + raw), "malformed")
    yield case("tag of COSE_Mac0", b32(b"\xd1" + raw[1:]), "malformed")
    yield case("long tag head", b32(b"\xd8\x12" + raw[1:]), "malformed")
    yield case("indefinite array", b32(b"\xd2\x9f" + raw[2:] + b"\xff"), "malformed")
    yield case("array of five", b32(b"\xd2\x85" + raw[2:] + b"\xf6"), "malformed")
    yield case("trailing byte", b32(raw + b"\0"), "malformed")
    yield case("two tokens", b32(raw + raw), "malformed")
    for cut in (1, 64, 66, len(raw) // 2, len(raw) - 1):
        yield case(f"cut by {cut} bytes", b32(raw[:-cut]), "malformed")

    said = claim_map(claims())
    body = said[-70001]
    for name, payload_like in {
        "exp as text": said | {4: "2027"},
        "exp as float": said | {4: float(said[4])},
        "exp negative": said | {4: -1},
        "exp beyond year 9999": said | {4: 253_402_300_800},
        "exp as tagged date": said | {4: cbor2.CBORTag(1, said[4])},
        "exp as bignum": said | {4: 2**70},
        "no exp": {key: value for key, value in said.items() if key != 4},
        "no cti": {key: value for key, value in said.items() if key != 7},
        "short cti": said | {7: said[7][:9]},
        "cti as text": said | {7: "AAAAAAAAAA"},
        "claim too many": said | {1: "issuer"},
        "text key": said | {"exp": said[4]},
        "no book": {key: value for key, value in said.items() if key != -70001},
        "book as map": said | {-70001: dict(enumerate(body))},
        "book too short": said | {-70001: body[:6]},
        "book too long": said | {-70001: [*body, 0]},
        "number as integer": said | {-70001: [7707, *body[1:]]},
        "number empty": said | {-70001: ["", *body[1:]]},
        "number of 41 characters": said | {-70001: ["7" * 41, *body[1:]]},
        "version as bool": said | {-70001: [body[0], True, *body[2:]]},
        "hash of 31 bytes": said | {-70001: [*body[:2], body[2][:31], *body[3:]]},
        "name as bytes": said | {-70001: [*body[:3], b"name", *body[4:]]},
        "name undefined": said | {-70001: [*body[:3], cbor2.undefined, *body[4:]]},
        "year as float": said | {-70001: [*body[:4], 1990.0, *body[5:]]},
        "categories as integer": said | {-70001: [*body[:5], 23, body[6]]},
        "category as text": said | {-70001: [*body[:5], ["23"], body[6]]},
        "33 categories": said | {-70001: [*body[:5], list(range(33)), body[6]]},
        "nested categories": said | {-70001: [*body[:5], [[23]], body[6]]},
        "verdict null": said | {-70001: [*body[:6], None]},
        "verdict of two bytes": said | {-70001: [*body[:6], 256]},
        "claims as array": [said[4], said[6], said[7], body],
        "claims as integer": 7,
    }.items():
        yield case(name, signed("qr A", protected, dumps(payload_like)), "malformed")
    exp, iat = payload[1:7], payload[7:13]
    for name, bytes_like in {
        "claims unsorted": payload[:1] + iat + exp + payload[13:],
        "exp twice": b"\xa5" + exp + payload[1:],
        "indefinite claims": b"\xbf" + payload[1:] + b"\xff",
        "exp in eight bytes": b"\xa4\x04\x1b\0\0\0\0" + payload[3:],
        "verdict in two bytes": payload[:-1] + b"\x18\x01",
        "claims with a byte more": payload + b"\0",
        "claims cut": payload[:-1],
        "name not UTF-8": payload.replace("И".encode(), b"\xd0\xff"),
        "no claims": b"",
    }.items():
        yield case(name, signed("qr A", protected, bytes_like), "malformed")

    yield case("empty text", "", "malformed")
    yield case("lower case", good.lower(), "malformed")
    yield case("with padding", good + "=" * (-len(good) % 8), "malformed")
    yield case("prefix EMK1:", "EMK1:" + good, "malformed")
    yield case("prefix HC1:", "HC1:" + good, "malformed")
    yield case("with a fragment sign", "#" + good, "malformed")
    yield case("space inside", good[:100] + " " + good[100:], "malformed")
    yield case("line end", good + "\n", "malformed")
    yield case("digit 1 for I", good[:50] + "1" + good[51:], "malformed")
    yield case("digit 0 for O", good[:50] + "0" + good[51:], "malformed")
    yield case("Cyrillic А for A", good.replace("A", "А", 1), "malformed")
    yield case("full-width A", good.replace("A", "\uff21", 1), "malformed")
    yield case("one character less", good[:-1], "malformed")
    yield case("one character more", good + "A", "malformed")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    spare = alphabet[alphabet.index(good[-1]) + 1]
    yield case("spare bit set", good[:-1] + spare, "malformed")
    padded = dumps(claim_map(claims() | {"book_number": "7" * 900}))
    yield case("over 1024 bytes", signed("qr A", protected, padded), "malformed")
    yield case("a megabyte of A", "A" * 20_000, "malformed")


def token_vectors() -> dict[str, Any]:
    authority = Authority()
    return {
        "about": "Token EMK1. Test keys: never trust them. Times are ISO 8601, bytes are hex, "
        "certificates are base64 of DER.",
        "skew_seconds": 300,
        "private_keys": {
            label: derived(label).hex() for label in ("qr A", "qr B", "qr stranger", "book")
        },
        "issuing": b64(der(authority.issuing)),
        "trust_lists": trust_lists(authority),
        "genuine": [
            genuine_token("named", authority, "qr A", anonymous=False),
            genuine_token("anonymous", authority, "qr A", anonymous=True),
            genuine_token("named, key B", authority, "qr B", anonymous=False),
        ],
        "cases": list(cases(authority)),
    }


def document_vectors() -> dict[str, Any]:
    authority = Authority()
    document = {
        "number": "7707000000123",
        "version": 3,
        "salt": derived("salt", 16).hex(),
        "holder": {"name": "Ёлкина Мария Сергеевна", "birth_date": "1990-03-08"},
        "examinations": [{"code": "xray", "on": "2026-11-20", "note": None, "norm": True}],
        "€": '\u20ac\t"\\/\u007f',
    }
    # Written out by the rules of RFC 8785: keys by UTF-16, no spaces, shortest escapes.
    canonical = (
        '{"examinations":[{"code":"xray","norm":true,"note":null,"on":"2026-11-20"}],'
        '"holder":{"birth_date":"1990-03-08","name":"Ёлкина Мария Сергеевна"},'
        f'"number":"7707000000123","salt":"{derived("salt", 16).hex()}","version":3,'
        '"€":"€\\t\\"\\\\/\u007f"}'
    ).encode()
    r, s = decode_dss_signature(private_key("book").sign(canonical, ES256))
    signature = r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")
    return {
        "about": "A document, its canonical bytes and its detached signature.",
        "document": document,
        "canonical": canonical.decode(),
        "sha256": hashlib.sha256(canonical).hexdigest(),
        "signed_at": ISSUED.isoformat(),
        "signature": {
            "algorithm": "ES256",
            "certificates": [b64(der(authority.signers["book"])), b64(der(authority.issuing))],
            "digest": hashlib.sha256(canonical).hexdigest(),
            "key_id": authority.kid("book").hex(),
            "value": b64(signature),
        },
    }


def written(value: object) -> bytes:
    """Return JSON by the rules of RFC 8785, for ASCII keys and texts without control characters."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def book(**changed: Any) -> dict[str, Any]:
    """Return a version of a book with everything it can say."""
    return {
        "format": "emk-book/2",
        "cause": "vaccination",
        "made_on": "2026-11-23",
        "standing": "in_force",
        "number": "770100001226",
        "version": 3,
        "previous_hash": derived("version 2").hex(),
        "salt": derived("salt", 16).hex(),
        "holder": {
            "last_name": "Ёлкина",
            "first_name": "Мария",
            "patronymic": "Сергеевна",
            "born_on": "1990-03-08",
            "snils": "11223344595",
        },
        "occupation": {
            "code": "cook",
            "name": "Повар",
            "group": "Общественное питание",
            "point": "23",
            "work": "Работы на предприятиях пищевых производств «и общепита»",
        },
        "examination": {
            "kind": "pre_placement",
            "lines": [
                {
                    "code": code,
                    "name": name,
                    "value": value,
                    "unit": unit,
                    "deviation": deviation,
                    "performed_on": "2026-11-20",
                    "valid_until": until,
                }
                for code, name, value, unit, deviation, until in (
                    ("bp", "Артериальное давление", "120/80", "мм рт. ст.", False, "2027-11-19"),
                    ("doc_therapist", "Врач-терапевт", "годен", "", False, "2027-11-19"),
                    ("glucose", "Глюкоза < 6,0 & натощак", "6,4", "ммоль/л", True, "2027-11-19"),
                    ("hygiene", "Гигиеническая подготовка", "20.11.2026", "", False, "2028-11-19"),
                    ("xray", "Флюорография", "норма", "", False, ""),
                )
            ],
        },
        "conclusion": {
            "fitness": "fit_with_restrictions",
            "restrictions": "без ночных смен",
            "until": "",
            "note": "очки для работы",
            "concluded_on": "2026-11-21",
            "clinic_name": "ГБУЗ «Городская поликлиника № 5»",
            "clinic_oid": "1.2.643.5.1.13.13.12.2.77.5",
            "clinic_okpo": "00032537",
            "chair_name": "Седов Виктор Ильич",
        },
        "issued_on": "2026-11-21",
        "valid_until": "2031-11-20",
        "vaccinations": [
            {
                "code": "measles",
                "name": "Корь",
                "kind": kind,
                "on": on,
                "dose": dose,
                "vaccine": vaccine,
                "series": series,
                "until": until,
            }
            for kind, on, dose, vaccine, series, until in (
                ("done", "2026-11-22", "V1", "ЖКВ", "АБВ-100", ""),
                ("had_disease", "1995-05-01", "", "", "", ""),
                ("medical_exemption", "2026-10-01", "", "", "", "2026-12-31"),
            )
        ],
    } | changed


def detached(
    authority: Authority, label: str, content: bytes, *, twin: bool = False
) -> dict[str, Any]:
    r, s = decode_dss_signature(private_key(label).sign(content, ES256))
    low = min(s, ORDER - s)
    value = encode_dss_signature(r, ORDER - low if twin else low)
    pems = [
        each.public_bytes(Encoding.PEM).decode()
        for each in (authority.signers[label], authority.issuing)
    ]
    digest = hashlib.sha256(content).hexdigest()
    return {"algorithm": "ES256", "certificates": pems, "sha256": digest, "value": b64(value)}


def saved(
    authority: Authority,
    document: bytes,
    *,
    by: str = "book",
    sealed_by: str = "book",
    twin: bool = False,
    **changed: Any,
) -> dict[str, Any]:
    body = {
        "format": "emk-download/1",
        "document": document.decode(),
        "signature": detached(authority, by, document, twin=twin),
        "signed_at": "2026-11-23T12:00:00Z",
        "exported_at": "2026-11-24T08:30:00Z",
        "current_version": 3,
        "status": "active",
    } | changed
    return body | {"seal": detached(authority, sealed_by, written(body))}


def in_common(one: str, other: str) -> int:
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in pairs)


def saved_cases(authority: Authority) -> Iterator[dict[str, Any]]:
    document = written(book())
    good = written(saved(authority, document))
    text = good.decode()

    def case(
        name: str,
        file: bytes | str,
        outcome: str,
        now: datetime = NOW,
        trust: str = "main",
        reasons: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        said = file if isinstance(file, str) else file.decode()
        head = in_common(text, said)
        room = min(len(text), len(said)) - head
        ends = (text[head:][::-1][:room], said[head:][::-1][:room])
        tail = in_common(*ends)
        return {
            "name": name,
            "head": head,
            "middle": said[head : len(said) - tail],
            "tail": tail,
            "trust": trust,
            "now": now.isoformat(),
            "outcome": outcome,
            "reasons": list(reasons),
        }

    def day(text: str) -> datetime:
        return datetime.fromisoformat(f"{text}T12:00:00+03:00")

    yield case("genuine", good, "genuine")
    yield case("last day of the studies", good, "genuine", day("2027-11-19"))
    overdue = ("items_overdue",)
    yield case("day after", good, "not_in_force", day("2027-11-20"), reasons=overdue)
    over = ("term_passed", "items_overdue")
    yield case("term is over too", good, "not_in_force", day("2031-11-21"), reasons=over)
    lasting = book()
    for line in lasting["examination"]["lines"]:
        line["valid_until"] = ""
    without_ends = written(saved(authority, written(lasting)))
    yield case("last day of the term", without_ends, "genuine", day("2031-11-20"))
    passed = ("term_passed",)
    yield case("term is over", without_ends, "expired", day("2031-11-21"), reasons=passed)
    first = {
        key: value
        for key, value in book(format="emk-book/1").items()
        if key not in ("cause", "made_on", "standing", "vaccinations")
    }
    yield case("first format", written(saved(authority, written(first))), "genuine")

    yield case("key not in list", good, "unknown_key", trust="empty")
    yield case("key compromised", good, "key_withdrawn", trust="book compromised")
    yield case("key retired before", good, "key_withdrawn", trust="book retired before")
    later = written(saved(authority, document, exported_at="2026-11-23T12:00:00Z"))
    yield case("key retired at that second", later, "genuine", trust="book retired after")
    yield case("key of codes", written(saved(authority, document, by="qr A")), "unknown_key")
    sealed = written(saved(authority, document, sealed_by="qr A"))
    yield case("seal by the key of codes", sealed, "unknown_key")

    for name, status, reason in (
        ("suspended at the download", "suspended", "suspended"),
        ("revoked at the download", "revoked", "revoked"),
        ("not received yet", "formed", "not_received"),
    ):
        file = written(saved(authority, document, status=status))
        yield case(name, file, "not_in_force", reasons=(reason,))
    replaced = written(saved(authority, document, current_version=4))
    yield case("replaced", replaced, "not_in_force", reasons=("superseded",))
    standing = written(saved(authority, written(book(standing="suspended"))))
    yield case("says that it is suspended", standing, "not_in_force", reasons=("suspended",))

    for name, old, new in (
        ("another name", "Ёлкина", "Белкина"),
        ("another letter", "Флюорография", "Флюорографии"),
        ("another moment of signing", "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"),
        ("another moment of the download", "2026-11-24T08:30:00Z", "2026-11-25T08:30:00Z"),
        ("another status", '"status":"active"', '"status":"formed"'),
        ("another version", '"current_version":3', '"current_version":2'),
        ("another hash", hashlib.sha256(document).hexdigest(), derived("hash").hex()),
    ):
        assert old in text, name
        yield case(name, text.replace(old, new), "not_genuine")
    yield case("twin signature", written(saved(authority, document, twin=True)), "not_genuine")
    other = json.loads(good) | {"seal": json.loads(replaced)["seal"]}
    yield case("seal of another file", written(other), "not_genuine")

    unsigned = json.loads(good)
    del unsigned["seal"]
    yield case("no seal", written(unsigned), "malformed")
    yield case("another format", text.replace("emk-download/1", "emk-download/2"), "malformed")
    yield case("a member more", text.replace('{"current', '{"a":1,"current', 1), "malformed")
    yield case("a member twice", "{" + text[1:22] + text[1:], "malformed")
    yield case("a line break at the end", text + "\n", "malformed")
    yield case("a space inside", text.replace('":', '": ', 1), "malformed")
    yield case("keys in another order", json.dumps(json.loads(good)), "malformed")
    yield case("half of it", text[: len(text) // 2], "malformed")
    foreign = written(saved(authority, written(book(format="emk-book/9"))))
    yield case("a document of another format", foreign, "malformed")
    raw = written(saved(authority, document, current_version="3"))
    yield case("a version as text", raw, "malformed")


def saved_trust_lists(authority: Authority) -> dict[str, Any]:
    b = listed(authority, "qr B", "qr")
    lists = {
        "main": [listed(authority, "qr A", "qr"), b, listed(authority, "book", "book")],
        "book retired before": [
            listed(authority, "book", "book", "retired", ISSUED - SECOND),
            listed(authority, "qr A", "qr"),
        ],
        "book retired after": [listed(authority, "book", "book", "retired", ISSUED)],
        "book compromised": [listed(authority, "book", "book", "compromised")],
        "empty": [],
    }
    return {
        name: {"roots": [b64(der(authority.root))], "keys": keys} for name, keys in lists.items()
    }


def saved_vectors() -> dict[str, Any]:
    authority = Authority()
    document = written(book())
    r, s = decode_dss_signature(private_key("book").sign(document, ES256))
    raw = r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")
    return {
        "about": "Saved versions, emk-download/1 (docs/formats.md). The file of a case is the "
        "genuine one with its first `head` and last `tail` characters around `middle`.",
        "trust_lists": saved_trust_lists(authority),
        "document": book(),
        "canonical": document.decode(),
        "sha256": hashlib.sha256(document).hexdigest(),
        "signature": raw.hex(),
        "signed_at": "2026-11-23T12:00:00+00:00",
        "exported_at": "2026-11-24T08:30:00+00:00",
        "file": written(saved(authority, document)).decode(),
        "cases": list(saved_cases(authority)),
    }


# Extracts: a PDF of one revision, written by hand, all of it ASCII.

SIGNATURE_ROOM = 6000
"""Hex digits kept for the signature, zeros behind its end."""


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    width = (size.bit_length() + 7) // 8
    return bytes((tag, 128 | width)) + size.to_bytes(width, "big") + content


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    coded = b""
    for number in (40 * first + second, *rest):
        digits = [number & 127]
        while number := number >> 7:
            digits.append(number & 127 | 128)
        coded += bytes(reversed(digits))
    return tlv(6, coded)


def cms(authority: Authority, label: str, content: bytes, *, twin: bool = False) -> bytes:
    """Return the detached CMS signature of RFC 5652 with what PAdES B-B adds (ESS, RFC 5035)."""
    certificate = authority.signers[label]
    sha256 = tlv(0x30, oid("2.16.840.1.101.3.4.2.1"), tlv(5))
    data = oid("1.2.840.113549.1.7.1")
    hash_of_certificate = tlv(4, hashlib.sha256(der(certificate)).digest())
    attributes = sorted(
        (
            tlv(0x30, oid("1.2.840.113549.1.9.3"), tlv(0x31, data)),
            tlv(
                0x30,
                oid("1.2.840.113549.1.9.4"),
                tlv(0x31, tlv(4, hashlib.sha256(content).digest())),
            ),
            # The hash is SHA-256 where no algorithm is named.
            tlv(
                0x30,
                oid("1.2.840.113549.1.9.16.2.47"),
                tlv(0x31, tlv(0x30, tlv(0x30, tlv(0x30, hash_of_certificate)))),
            ),
        )
    )
    r, s = decode_dss_signature(private_key(label).sign(tlv(0x31, *attributes), ES256))
    low = min(s, ORDER - s)
    number = certificate.serial_number
    who = tlv(
        0x30,
        certificate.issuer.public_bytes(),
        tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big")),
    )
    signer = tlv(
        0x30,
        tlv(2, b"\1"),
        who,
        sha256,
        tlv(0xA0, *attributes),
        tlv(0x30, oid("1.2.840.10045.4.3.2")),
        tlv(4, encode_dss_signature(r, ORDER - low if twin else low)),
    )
    signed_data = tlv(
        0x30,
        tlv(2, b"\1"),
        tlv(0x31, sha256),
        tlv(0x30, data),
        tlv(0xA0, der(certificate), der(authority.issuing)),
        tlv(0x31, signer),
    )
    return tlv(0x30, oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed_data))


def extract_token(authority: Authority, **changed: Any) -> str:
    said = claims() | {"book_number": "770100001226", "verdict": 0} | changed
    protected = dumps({1: -7, 4: authority.kid("qr A")})
    payload = dumps(claim_map(said))
    return b32(cose(protected, payload, sign("qr A", protected, payload)))


def unsigned_pdf(signature: str = "") -> tuple[str, list[int]]:
    """Return the file up to its end, and where its objects begin."""
    page = "BT /F1 24 Tf 72 720 Td (EMK: an extract of the test vectors) Tj ET"
    certified = " /Perms << /DocMDP 7 0 R >>" if signature else ""
    fields = " /AcroForm << /Fields [6 0 R] /SigFlags 3 >>" if signature else ""
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R{fields}{certified} >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> /Annots [6 0 R] >>",
        f"<< /Length {len(page)} >>\nstream\n{page}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Annot /Subtype /Widget /FT /Sig /T (EMK) /F 132 /Rect [0 0 0 0] /P 3 0 R"
        f"{' /V 7 0 R' if signature else ''} >>",
        *([signature] if signature else []),
    ]
    text, places = "%PDF-1.7\n", []
    for number, said in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{said}\nendobj\n"
    return text, places


def ended(text: str, places: list[int]) -> str:
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    return (
        f"{text}xref\n0 {len(places) + 1}\n0000000000 65535 f \n{rows}trailer\n"
        f"<< /Size {len(places) + 1} /Root 1 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    )


def extract_pdf(
    authority: Authority,
    *,
    by: str = "book",
    twin: bool = False,
    permission: int = 1,
    number: str = "770100001226",
    version: int = 3,
    token: str = "",
) -> str:
    words = (
        f"EMKEXTRACT1 {number} {version} {derived('document').hex()} {SHARE} "
        f"{token or extract_token(authority)}"
    )
    gap, ranges = "0" * SIGNATURE_ROOM, "[0 0000000000 0000000000 0000000000]"
    text = ended(
        *unsigned_pdf(
            f"<<\n/Type /Sig\n/Filter /Adobe.PPKLite\n/SubFilter /ETSI.CAdES.detached\n"
            f"/Contents <{gap}>\n/ByteRange {ranges}\n/M (D:{ISSUED:%Y%m%d%H%M%S}Z)\n"
            f"/ContactInfo ({words})\n/Reference [<<\n/Type /SigRef\n"
            "/TransformMethod /DocMDP\n/TransformParams <<\n/Type /TransformParams\n/V /1.2\n"
            f"/P {permission}\n>>\n>>]\n>>"
        )
    )
    opens = text.index(f"<{gap}>")
    closes = opens + len(gap) + 2
    text = text.replace(ranges, f"[0 {opens:010d} {closes:010d} {len(text) - closes:010d}]")
    signature = cms(authority, by, (text[:opens] + text[closes:]).encode(), twin=twin).hex().upper()
    return f"{text[:opens]}<{signature.ljust(len(gap), '0')}>{text[closes:]}"


def extract_cases(authority: Authority) -> Iterator[dict[str, Any]]:
    good = extract_pdf(authority)

    def case(
        name: str,
        file: str,
        outcome: str,
        now: datetime = NOW,
        trust: str = "main",
        reasons: tuple[str, ...] = (),
        status: int | None = None,
    ) -> dict[str, Any]:
        head = in_common(good, file)
        room = min(len(good), len(file)) - head
        tail = in_common(good[head:][::-1][:room], file[head:][::-1][:room])
        return {
            "name": name,
            "head": head,
            "middle": file[head : len(file) - tail],
            "tail": tail,
            "trust": trust,
            "status": status,
            "now": now.isoformat(),
            "outcome": outcome,
            "reasons": list(reasons),
        }

    yield case("genuine", good, "genuine")
    yield case("one second before the code's exp", good, "genuine", EXPIRES - SECOND)
    yield case("at the code's exp", good, "expired", EXPIRES)
    yield case("not marked in the list of statuses", good, "genuine", status=0)
    for status, name in enumerate(("revoked", "suspended", "superseded"), 1):
        yield case(f"{name} in the list of statuses", good, "over", status=status)
    overdue = extract_pdf(authority, token=extract_token(authority, verdict=1))
    yield case("studies overdue", overdue, "not_in_force", reasons=("items_overdue",))

    yield case("key not in list", good, "unknown_key", trust="empty")
    yield case("key compromised", good, "key_withdrawn", trust="book compromised")
    yield case("key retired before", good, "key_withdrawn", trust="book retired before")
    yield case("key retired at that second", good, "genuine", trust="book retired after")
    yield case("key of codes", extract_pdf(authority, by="qr A"), "unknown_key")

    for name, old, new in (
        ("another word on the page", "an extract", "no extract"),
        ("another size of the page", "595 842", "595 843"),
        ("another number", "EMKEXTRACT1 7701", "EMKEXTRACT1 7702"),
        ("another version", "1226 3 ", "1226 4 "),
        ("another moment", f"{ISSUED:%Y%m%d%H%M%S}Z", f"{ISSUED + SECOND:%Y%m%d%H%M%S}Z"),
        ("changes allowed afterwards", "/P 1\n", "/P 2\n"),
        ("a line break more", "%%EOF\n", "%%EOF\n\n"),
        ("no line break at the end", "%%EOF\n", "%%EOF"),
        ("a digit behind the signature", "0>\n/ByteRange", "1>\n/ByteRange"),
    ):
        assert good.count(old) == 1, name
        yield case(name, good.replace(old, new), "not_genuine")
    opens = good.index("/Contents <") + len("/Contents <")
    small = good[:opens] + good[opens : opens + 400].lower() + good[opens + 400 :]
    yield case("signature in small letters", small, "not_genuine")
    yield case("something added behind the end", good + ended(*unsigned_pdf()), "not_genuine")
    yield case("cut in the middle", good[: len(good) // 2], "malformed")
    yield case("signed, and open to changes", extract_pdf(authority, permission=2), "not_genuine")
    yield case("twin signature", extract_pdf(authority, twin=True), "not_genuine")
    other = extract_pdf(authority, token=extract_token(authority, version=2))
    yield case("code of another version", other, "not_genuine")
    yield case(
        "another number, signed", extract_pdf(authority, number="770200001226"), "not_genuine"
    )
    yield case("not signed", ended(*unsigned_pdf()), "malformed")
    yield case("only the first line", "%PDF-1.7\n", "malformed")


def extract_vectors() -> dict[str, Any]:
    authority = Authority()
    lists = saved_trust_lists(authority)
    lists["book retired after"]["keys"].append(listed(authority, "qr A", "qr"))
    return {
        "about": "Extracts in PDF (docs/formats.md). The file of a case is the genuine one with "
        "its first `head` and last `tail` characters around `middle`; `status` is what the list of "
        "statuses says of the code, null where there is no list. All files are ASCII.",
        "trust_lists": lists,
        "number": "770100001226",
        "version": 3,
        "version_hash": derived("document").hex(),
        "share": SHARE,
        "token": extract_token(authority),
        "signed_at": ISSUED.isoformat(),
        "file": extract_pdf(authority),
        "sha256": hashlib.sha256(extract_pdf(authority).encode()).hexdigest(),
        "cases": list(extract_cases(authority)),
    }


def sealed_file() -> bytes:
    key, place = derived("data key"), "holders|name|42"
    file_head = bytes((2, 7)) + derived("file salt", 16)
    file_key = HKDF(hashes.SHA256(), 32, file_head[2:], b"emk file").derive(key)
    content = derived("file") * 4096 + b"the end"
    chunks = [content[at : at + 65536] for at in range(0, len(content), 65536)]
    return file_head + b"".join(
        AESGCM(file_key).encrypt(
            number.to_bytes(11, "big") + bytes((number == len(chunks) - 1,)),
            chunk,
            file_head + place.encode(),
        )
        for number, chunk in enumerate(chunks)
    )


def sealing_vectors() -> dict[str, Any]:
    key, place, nonce = derived("data key"), "holders|name|42", derived("nonce", 12)
    text = "Ёлкина Мария Сергеевна"
    head = bytes((1, 7))
    blob = head + nonce + AESGCM(key).encrypt(nonce, text.encode(), head + place.encode())
    sealed = sealed_file()
    column_key = HKDF(hashes.SHA256(), 32, None, b"emk blind index|snils").derive(key)
    return {
        "about": "Sealed values and look-up marks.",
        "key": key.hex(),
        "place": place,
        "kid": 7,
        "column": {"plaintext": text, "blob": blob.hex()},
        "file": {
            "about": "32 bytes repeated 4096 times and 'the end', sealed in three chunks",
            "repeated": derived("file").hex(),
            "head": sealed[:18].hex(),
            "sealed_sha256": hashlib.sha256(sealed).hexdigest(),
            "last_chunk": sealed[-(len(b"the end") + 16) :].hex(),
        },
        "blind_index": {
            "column": "snils",
            "value": "11223344595",
            "mark": hmac.digest(column_key, b"11223344595", "sha256").hex(),
        },
        "share": {
            "share": SHARE,
            "digest": hashlib.sha256(SHARE.encode()).hexdigest(),
            "share_id": hashlib.sha256(SHARE.encode()).digest()[:10].hex(),
        },
    }


def build() -> dict[str, str]:
    """Return the text of every file by its name."""
    vectors = {
        "tokens.json": token_vectors(),
        "documents.json": document_vectors(),
        "downloads.json": saved_vectors(),
        "extracts.json": extract_vectors(),
        "sealing.json": sealing_vectors(),
    }
    return {
        name: json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        for name, content in vectors.items()
    }


if __name__ == "__main__":
    for name, text in build().items():
        (Path(__file__).parent / name).write_text(text, encoding="utf-8")
