"""Where the private key of a signer lies: a file of our folder, a PKCS#12 container, a module.

A module speaks PKCS#11; it is opened once a process and needs the extra ``hsm``. Whatever can't be
put to use is refused by ``KeyRefused`` in words that say what to do.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from emk_app.crypto.errors import KeyRefused
from emk_app.crypto.signing import (
    FileSigner,
    KeyUse,
    Signer,
    key_id,
    leads_to_root,
    low_signature,
    p256_key,
    verify_bytes,
)
from emk_app.crypto.trustlist import may_sign_lists

_PROOF: Final = b"emk key check"


@dataclass(frozen=True, slots=True)
class Backends:
    """What opens keys that do not lie in our folder; each secret is a file for the owner alone."""

    passphrase: Path | None = None
    """Of the PKCS#12 containers."""
    module: Path | None = None
    """The library of the PKCS#11 module."""
    token: str = ""
    """Label of the module's token."""
    pin: Path | None = None


NO_BACKENDS: Final = Backends()


def read_secret(path: Path | None, what: str) -> bytes:
    """Return the secret of a file, without its last line's end."""
    if path is None:
        raise KeyRefused(f"the file with the {what} is not set")
    try:
        status = path.stat()
        if status.st_mode & 0o077 or status.st_uid not in (0, os.geteuid()):
            raise KeyRefused(f"{path}: open to others: chmod go= the file with the {what}")
        secret = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise KeyRefused(f"{path}: the file with the {what}: {error.strerror}") from error
    if not secret:
        raise KeyRefused(f"{path}: the file with the {what} is empty")
    return secret


def open_pem(path: Path, certificates: tuple[x509.Certificate, ...]) -> Signer:
    """Return the signer of a plain key file of our folder."""
    return _in_memory(load_pem_private_key(path.read_bytes(), password=None), certificates, path)


def read_pkcs12(path: Path, backends: Backends) -> tuple[Any, tuple[x509.Certificate, ...]]:
    """Return the key of a container and its certificates, the signer's first, without a root."""
    secret = read_secret(backends.passphrase, "passphrase (EMK_PKCS12_PASSPHRASE_FILE)")
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(path.read_bytes(), secret)
    except OSError as error:
        raise KeyRefused(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise KeyRefused(f"{path}: not PKCS#12, or the passphrase is of another one") from error
    if key is None or certificate is None:
        raise KeyRefused(f"{path}: has no key with its certificate")
    return key, ordered((certificate, *others))


def open_pkcs12(path: Path, backends: Backends) -> Signer:
    """Return the signer of a container; the key stays in memory, loaded once."""
    key, certificates = read_pkcs12(path, backends)
    return _in_memory(key, certificates, path)


def ordered(certificates: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...]:
    """Return the first certificate and those above it from the nearest up, without a root."""
    chain = [certificates[0]]
    left = [each for each in certificates[1:] if each.subject != each.issuer]
    while above := next((each for each in left if each.subject == chain[-1].issuer), None):
        chain.append(above)
        left.remove(above)
    return tuple(chain)


class ModuleSigner:
    """A signer whose key never leaves the module."""

    def __init__(self, key: Any, certificates: tuple[x509.Certificate, ...], lock: Any) -> None:
        import pkcs11

        self._key = key
        self._mechanism = pkcs11.Mechanism.ECDSA
        self._lock = lock
        self.certificate: Final = certificates[0]
        self.chain: Final = certificates[1:]
        self.key_id: Final = key_id(self.certificate)

    def sign(self, payload: bytes) -> bytes:
        """Return the ES256 signature: r and s, 32 bytes each, s in the lower half."""
        digest = hashlib.sha256(payload).digest()
        with self._lock:
            raw: bytes = self._key.sign(digest, mechanism=self._mechanism)
        return low_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def open_pkcs11(label: str, certificates: tuple[x509.Certificate, ...], backends: Backends) -> Any:
    """Return the signer of the key with this label in the module's token."""
    if backends.module is None or not backends.token:
        raise KeyRefused("the key lies in a module: set EMK_PKCS11_MODULE and EMK_PKCS11_TOKEN")
    try:
        import pkcs11
    except ImportError as error:
        raise KeyRefused("a module needs the extra hsm: pip install emk-online[hsm]") from error
    pin = read_secret(backends.pin, "PIN (EMK_PKCS11_PIN_FILE)").decode()
    try:
        session, lock = _session(os.getpid(), str(backends.module), backends.token, pin)
        with lock:
            key = session.get_key(
                object_class=pkcs11.ObjectClass.PRIVATE_KEY,
                key_type=pkcs11.KeyType.EC,
                label=label,
            )
    except pkcs11.PKCS11Error as error:
        what = f"{type(error).__name__} {error}".strip()
        raise KeyRefused(f"{backends.module}: key {label!r}: {what}") from error
    except (OSError, RuntimeError) as error:
        raise KeyRefused(f"{backends.module}: can't be loaded: {error}") from error
    return ModuleSigner(key, certificates, lock)


@lru_cache(maxsize=4)
def _session(_process: int, module: str, token: str, pin: str) -> tuple[Any, Any]:
    """Open the module once a process: it takes a millisecond and more, and there are few sessions.

    One signs at a time: sessions are not for several threads.
    """
    import pkcs11

    if not Path(module).is_file():
        raise OSError("no such file")
    found = pkcs11.lib(module).get_token(token_label=token)
    return found.open(user_pin=pin), threading.Lock()


def require_usable(signer: Signer, use: KeyUse, roots: tuple[x509.Certificate, ...]) -> None:
    """Refuse a signer whose certificate is not for this use or of another key."""
    certificate = signer.certificate
    name = _name(certificate, use)
    try:
        public = p256_key(certificate)
    except ValueError as error:
        raise KeyRefused(f"{name}: not a P-256 key: documents are signed by ES256") from error
    if (use is KeyUse.LIST) is not may_sign_lists(certificate):
        raise KeyRefused(f"{name}: the certificate is for another use")
    if not leads_to_root((certificate, *signer.chain), roots):
        raise KeyRefused(
            f"{name}: the certificate may not sign documents or does not lead to a known root"
        )
    if not verify_bytes(public, signer.sign(_PROOF), _PROOF):
        raise KeyRefused(f"{name}: the certificate is of another key")


def require_in_dates(chain: tuple[x509.Certificate, ...], use: KeyUse, now: datetime) -> None:
    """Refuse a signer by its certificates, its own first: out of its dates nobody believes it."""
    for each in chain:
        if now > each.not_valid_after_utc:
            raise KeyRefused(
                f"{_name(chain[0], use)}: a certificate expired on"
                f" {each.not_valid_after_utc:%Y-%m-%d}"
            )
        if now < each.not_valid_before_utc:
            raise KeyRefused(
                f"{_name(chain[0], use)}: a certificate begins on"
                f" {each.not_valid_before_utc:%Y-%m-%d %H:%M}"
            )


def _name(certificate: x509.Certificate, use: KeyUse) -> str:
    return f"{use} signer {key_id(certificate).hex()}"


def _in_memory(key: Any, certificates: tuple[x509.Certificate, ...], path: Path) -> Signer:
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyRefused(f"{path}: not a P-256 key: documents are signed by ES256")
    try:
        return FileSigner(key, certificates[0], certificates[1:])
    except ValueError as error:
        raise KeyRefused(f"{path}: {error}") from error
