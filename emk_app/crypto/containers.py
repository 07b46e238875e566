"""PKCS#12 containers (.pfx): what opening one would cost, and one signature made with its key.

Everything here reads a stranger's file and handles a private key, so it runs in the confined child
of ``storage.pfx`` and nowhere else; there key and password end with the process.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from asn1crypto import pkcs12 as _pkcs12  # pyright: ignore[reportMissingTypeStubs]
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_private_key,
    pkcs12,
)

from emk_app.crypto import cades, chains
from emk_app.crypto.chains import UNREADABLE, Refused
from emk_app.domain.esignature import CONTAINER_LIMIT, PASSWORD_LIMIT, Outcome

MAX_ITERATIONS: Final = 2_000_000
"""Of everything that has to be derived from the password, together: three seconds or so."""
MAX_SAFES: Final = 8
MAX_BAGS: Final = 32
MAX_SALT: Final = 1024

asn1_pkcs12: Any = _pkcs12

_RUSSIAN: Final = "1.2.643."
_CRYPTOPRO_PBE: Final = "1.2.840.113549.1.12.1.80"
_DATA: Final = "1.2.840.113549.1.7.1"
_ENCRYPTED_DATA: Final = "1.2.840.113549.1.7.6"
_KEY_BAG: Final = "1.2.840.113549.1.12.10.1.1"
_SHROUDED_KEY_BAG: Final = "1.2.840.113549.1.12.10.1.2"
_OTHER_BAGS: Final = {
    "1.2.840.113549.1.12.10.1.3",  # certificate
    "1.2.840.113549.1.12.10.1.4",  # list of revocations
    "1.2.840.113549.1.12.10.1.5",  # secret
}
_PBES2: Final = "1.2.840.113549.1.5.13"
_PBKDF2: Final = "1.2.840.113549.1.5.12"
# Triple DES and RC2 with SHA-1: key and vector are derived apart, in up to three runs.
_OLD_PBES: Final = {f"1.2.840.113549.1.12.1.{number}" for number in (3, 4, 5, 6)}
_RUNS_OF_OLD_PBE: Final = 3
_MAC_DIGESTS: Final = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_PRF_DIGESTS: Final = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
_BLOCK: Final = {"sha1": 64, "sha224": 64, "sha256": 64, "sha384": 128, "sha512": 128}


@dataclass(frozen=True, slots=True)
class Signed:
    """What came of a container; without a refusal, a signature and the certificate it is by."""

    refusal: Outcome | None
    certificate: bytes = b""
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class _Mac:
    """How the key of the digest over the whole is derived, and which digest it is."""

    digest: str
    salt: bytes
    iterations: int
    value: bytes


@dataclass(frozen=True, slots=True)
class _Structure:
    """What can be seen of a container without its password."""

    content: bytes
    """What the password's digest is over."""
    mac: _Mac
    shrouded_keys: tuple[bytes, ...]
    keys: int


def refusal(container: bytes) -> Outcome | None:
    """Say why the container will not be opened, as far as that shows without deriving anything."""
    try:
        _examine(container)
    except Refused as refused:
        return refused.outcome
    return None


def sign(container: bytes, password: str, text: bytes, at: datetime) -> Signed:
    """Sign ``text`` with the one key of the container: CAdES-BES, detached, SHA-2.

    Never raises for bad input. Up to five seconds of processor time; only in a confined process.
    """
    try:
        structure = _examine(container)
        if len(password) > PASSWORD_LIMIT or not _is_password(structure, password):
            raise Refused(Outcome.WRONG_PASSWORD)
        key, certificate, others = _open(container, structure, password)
        raw = certificate.public_bytes(Encoding.DER)
        if not certificate.not_valid_before_utc <= at:
            return Signed(Outcome.NOT_YET_VALID, raw)
        if not at <= certificate.not_valid_after_utc:
            return Signed(Outcome.EXPIRED, raw)
        return Signed(None, raw, cades.sign(key, certificate, others, text, at))
    except Refused as refused:
        return Signed(refused.outcome)


def _examine(container: bytes) -> _Structure:
    if not container:
        raise Refused(Outcome.FILE_EMPTY)
    if len(container) > CONTAINER_LIMIT:
        raise Refused(Outcome.CONTAINER_TOO_LARGE)
    try:
        return _read(container)
    except Refused:
        raise
    except Exception:
        # The general parser reads lazily and answers broken input with errors of every kind.
        raise Refused(Outcome.CONTAINER_NOT_READABLE) from None


def _read(container: bytes) -> _Structure:
    # Not our strict walk: Firefox and macOS write containers with lengths left open.
    pfx = asn1_pkcs12.Pfx.load(container, strict=True)
    costs = _Costs()
    _require(pfx["version"].native == "v3")
    if pfx["auth_safe"]["content_type"].dotted != _DATA or pfx["mac_data"].native is None:
        # Signed with a key instead of a password, or not protected at all.
        raise Refused(Outcome.CONTAINER_UNSUPPORTED)
    content = pfx["auth_safe"]["content"].native
    mac = costs.of_mac(pfx["mac_data"])
    safes = list(asn1_pkcs12.AuthenticatedSafe.load(content, strict=True))
    if len(safes) > MAX_SAFES:
        raise Refused(Outcome.CONTAINER_TOO_COSTLY)
    shrouded: list[bytes] = []
    keys = 0
    for safe in safes:
        match safe["content_type"].dotted:
            case kind if kind == _ENCRYPTED_DATA:
                inner = safe["content"]["encrypted_content_info"]
                costs.of_encryption(inner["content_encryption_algorithm"])
            case kind if kind == _DATA:
                for bag in _bags(safe["content"].native):
                    keys += bag["bag_id"].dotted in (_KEY_BAG, _SHROUDED_KEY_BAG)
                    value = bag["bag_value"]
                    if bag["bag_id"].dotted == _KEY_BAG:
                        _refuse_russian(value["private_key_algorithm"]["algorithm"].dotted)
                    elif bag["bag_id"].dotted == _SHROUDED_KEY_BAG:
                        costs.of_encryption(value["encryption_algorithm"])
                        shrouded.append(value.untag().dump(force=True))
            case _:
                raise Refused(Outcome.CONTAINER_UNSUPPORTED)
    if keys > 1:
        raise Refused(Outcome.CONTAINER_SEVERAL_KEYS)
    return _Structure(
        content=content,
        mac=mac,
        shrouded_keys=tuple(shrouded),
        keys=keys,
    )


def _bags(content: bytes) -> list[Any]:
    bags = list(asn1_pkcs12.SafeContents.load(content, strict=True))
    if len(bags) > MAX_BAGS:
        raise Refused(Outcome.CONTAINER_TOO_COSTLY)
    for bag in bags:
        if bag["bag_id"].dotted not in {_KEY_BAG, _SHROUDED_KEY_BAG, *_OTHER_BAGS}:
            # Bags within bags, which nobody makes, would hide what they cost.
            raise Refused(Outcome.CONTAINER_UNSUPPORTED)
    return bags


class _Costs:
    """Adds up what opening would take; nothing is derived before all of it has been seen.

    What lies inside an encrypted safe shows only once that is open; real containers keep no keys
    there, and the processor time of the child is bounded besides.
    """

    def __init__(self) -> None:
        self._iterations = 0

    def of_mac(self, found: Any) -> _Mac:
        """Return what the password is to be checked by."""
        kind = found["mac"]["digest_algorithm"]["algorithm"].dotted
        _refuse_russian(kind)
        if kind not in _MAC_DIGESTS:
            raise Refused(Outcome.CONTAINER_UNSUPPORTED)
        salt, iterations = found["mac_salt"].native, found["iterations"].native
        self._add(salt, iterations)
        return _Mac(_MAC_DIGESTS[kind], salt, iterations, found["mac"]["digest"].native)

    def of_encryption(self, algorithm: Any) -> None:
        """Add what the password's way to this key takes."""
        kind = algorithm["algorithm"].dotted
        _refuse_russian(kind)
        parameters = algorithm["parameters"]
        if kind in _OLD_PBES:
            salt, iterations = parameters["salt"].native, parameters["iterations"].native
            self._add(salt, iterations, runs=_RUNS_OF_OLD_PBE)
            return
        if kind != _PBES2:
            raise Refused(Outcome.CONTAINER_UNSUPPORTED)
        _refuse_russian(parameters["encryption_scheme"]["algorithm"].dotted)
        derivation = parameters["key_derivation_func"]
        if derivation["algorithm"].dotted != _PBKDF2:
            # scrypt would take as much memory as the sender likes.
            raise Refused(Outcome.CONTAINER_UNSUPPORTED)
        inner = derivation["parameters"]
        prf = inner["prf"]["algorithm"].dotted
        _refuse_russian(prf)
        if prf not in _PRF_DIGESTS:
            raise Refused(Outcome.CONTAINER_UNSUPPORTED)
        # A key of 32 bytes takes two runs of SHA-1.
        runs = 2 if _PRF_DIGESTS[prf] in ("sha1", "sha224") else 1
        self._add(inner["salt"].native, inner["iteration_count"].native, runs=runs)

    def _add(self, salt: object, iterations: int, runs: int = 1) -> None:
        _require(isinstance(salt, bytes) and iterations > 0)
        if isinstance(salt, bytes) and len(salt) > MAX_SALT:
            raise Refused(Outcome.CONTAINER_TOO_COSTLY)
        self._iterations += runs * iterations
        if self._iterations > MAX_ITERATIONS:
            raise Refused(Outcome.CONTAINER_TOO_COSTLY)


def _refuse_russian(kind: str) -> None:
    if kind.startswith(_RUSSIAN) or kind == _CRYPTOPRO_PBE:
        raise Refused(Outcome.CONTAINER_GOST)


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError("not a container of the kind expected")


def _is_password(structure: _Structure, password: str) -> bool:
    """Say whether the digest of the whole is the password's."""
    secrets = [password.encode("utf-16-be", "replace") + b"\0\0"]
    if not password:
        # «No password» is written in two ways.
        secrets.append(b"")
    mac = structure.mac
    return any(
        hmac.compare_digest(
            hmac.new(_mac_key(mac, secret), structure.content, mac.digest).digest(), mac.value
        )
        for secret in secrets
    )


def _mac_key(mac: _Mac, secret: bytes) -> bytes:
    """Derive the key of the digest (RFC 7292, B.2, purpose 3): one block is always enough."""
    block = _BLOCK[mac.digest]
    found = b"\3" * block + _filled(mac.salt, block) + _filled(secret, block)
    for _ in range(mac.iterations):
        found = hashlib.new(mac.digest, found, usedforsecurity=False).digest()
    return found


def _filled(part: bytes, block: int) -> bytes:
    """Return ``part`` repeated to the next whole number of blocks."""
    length = -(-len(part) // block) * block
    return (part * (length // len(part) + 1))[:length] if part else b""


def _open(
    container: bytes, structure: _Structure, password: str
) -> tuple[cades.PrivateKey, x509.Certificate, list[x509.Certificate]]:
    """Return key, certificate and the rest of the certificates; the password is known to fit."""
    secret = password.encode(errors="replace")
    try:
        opened = pkcs12.load_pkcs12(container, secret)
    except UNREADABLE:
        raise Refused(_why_not_opened(structure, secret)) from None
    key = opened.key
    if key is None:
        raise Refused(Outcome.CONTAINER_NO_KEY)
    if opened.cert is None:
        raise Refused(Outcome.CONTAINER_NO_CERTIFICATE)
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise Refused(Outcome.CONTAINER_UNSUPPORTED)
    try:
        certificate = chains.load(opened.cert.certificate.public_bytes(Encoding.DER))
        public = chains.public_key(certificate)
    except UNREADABLE:
        raise Refused(Outcome.CERTIFICATE_NOT_READABLE) from None
    if public != key.public_key():
        raise Refused(Outcome.CONTAINER_NO_CERTIFICATE)
    others = [each.certificate for each in opened.additional_certs]
    return key, certificate, others[: cades.MAX_CERTIFICATES - 1]


def _why_not_opened(structure: _Structure, secret: bytes) -> Outcome:
    """Say why a container does not open with its own password: the library blames the password."""
    for key in structure.shrouded_keys:
        try:
            load_der_private_key(key, secret)
        except UnsupportedAlgorithm as error:
            return (
                Outcome.CONTAINER_GOST if _RUSSIAN in str(error) else Outcome.CONTAINER_UNSUPPORTED
            )
        except (ValueError, TypeError):
            return Outcome.CONTAINER_NOT_READABLE
    return Outcome.CONTAINER_NOT_READABLE
