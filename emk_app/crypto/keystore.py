"""The key folder of one installation: made at first start, readable by its owner alone.

``sealing/`` holds the master keys and the key of blind indexes, ``mac/`` those of sessions and of
the audit chain, ``signing/`` the signers and their register, ``authority/`` the embedded CA, whose
private keys are needed only for a new signer and may be carried off to a safe.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from emk_app.crypto import certificates
from emk_app.crypto.errors import KeyFolderBroken, KeyFolderUnsafe
from emk_app.crypto.sealing import KEY_LENGTH, Keyring, new_data_key
from emk_app.crypto.signing import (
    FileSigner,
    KeyStatus,
    KeyUse,
    Signer,
    TrustedKey,
    TrustList,
    key_id,
)

_MASTER: Final = "sealing/master.json"
_INDEX: Final = "sealing/index.key"
_SESSION: Final = "mac/session.key"
_AUDIT: Final = "mac/audit.key"
_REGISTER: Final = "signing/keys.json"
_ROOT: Final = "authority/root"
_ISSUING: Final = "authority/issuing"
_SIGNERS: Final = {KeyUse.BOOK: certificates.BOOK_NAME, KeyUse.QR: certificates.QR_NAME}


@dataclass(frozen=True)
class Keystore:
    """Every key of the installation, loaded once and kept."""

    keyring: Keyring
    index_key: bytes = field(repr=False)
    session_key: bytes = field(repr=False)
    audit_key: bytes = field(repr=False)
    book_signer: Signer
    qr_signer: Signer
    trust_list: TrustList
    root: x509.Certificate

    @classmethod
    def open_or_create(cls, folder: Path, now: datetime) -> Keystore:
        """Load the folder's keys, making them first if it is absent or empty.

        Of several processes that start at once, one makes the keys and all load the same.
        """
        if _is_vacant(folder):
            try:
                return cls.create(folder, now)
            except KeyFolderBroken:
                # Another process was faster, or the folder is bad: opening it tells which.
                pass
        return cls.open(folder)

    @classmethod
    def create(cls, folder: Path, now: datetime) -> Keystore:
        """Make new keys; raises ``KeyFolderBroken`` if there is anything in the folder.

        The folder appears whole or not at all: it is written beside its place and renamed.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for name, content in _new_files(now).items():
                _write(draft / name, content)
            for place in (*draft.iterdir(), draft):
                _flush(place)
            draft.rename(folder)
            _flush(folder.parent)
        except OSError as error:
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise KeyFolderBroken(folder, "exists already") from error
            raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Keystore:
        """Load the keys of a folder.

        Raises ``KeyFolderBroken`` if it is missing or incomplete, and ``KeyFolderUnsafe`` if
        anybody but the owner may enter it or read a file.
        """
        try:
            _refuse_shared(folder)
            return cls._load(folder)
        except KeyFolderBroken:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeyFolderBroken(folder, f"{type(error).__name__}: {error}") from error

    @classmethod
    def _load(cls, folder: Path) -> Keystore:
        master = json.loads((folder / _MASTER).read_bytes())
        root = x509.load_pem_x509_certificate((folder / f"{_ROOT}.crt").read_bytes())
        register: list[dict[str, str]] = json.loads((folder / _REGISTER).read_bytes())["keys"]
        entries = [_Entry.read(folder / "signing", line) for line in register]
        return cls(
            keyring=Keyring(
                {int(kid): _key(key) for kid, key in master["keys"].items()}, master["current"]
            ),
            index_key=_key((folder / _INDEX).read_text()),
            session_key=_key((folder / _SESSION).read_text()),
            audit_key=_key((folder / _AUDIT).read_text()),
            book_signer=_current_signer(folder, entries, KeyUse.BOOK),
            qr_signer=_current_signer(folder, entries, KeyUse.QR),
            trust_list=TrustList(tuple(entry.trusted for entry in entries), (root,)),
            root=root,
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the register of signers; the private key may be gone."""

    trusted: TrustedKey
    chain: tuple[x509.Certificate, ...]
    key_file: Path

    @classmethod
    def read(cls, folder: Path, line: dict[str, str]) -> _Entry:
        name = bytes.fromhex(line["kid"]).hex()
        certificate, *chain = x509.load_pem_x509_certificates((folder / f"{name}.crt").read_bytes())
        if key_id(certificate).hex() != name:
            raise KeyFolderBroken(folder / f"{name}.crt", "not the certificate of its name")
        return cls(
            TrustedKey(
                certificate=certificate,
                use=KeyUse(line["use"]),
                status=KeyStatus(line["status"]),
                not_before=datetime.fromisoformat(line["not_before"]),
                not_after=datetime.fromisoformat(line["not_after"]),
            ),
            tuple(chain),
            folder / f"{name}.key",
        )


def _current_signer(folder: Path, entries: list[_Entry], use: KeyUse) -> Signer:
    active = [
        entry
        for entry in entries
        if entry.trusted.use is use and entry.trusted.status is KeyStatus.ACTIVE
    ]
    if not active:
        raise KeyFolderBroken(folder / _REGISTER, f"no active signer of {use}")
    newest = max(active, key=lambda entry: entry.trusted.not_before)
    private_key = load_pem_private_key(newest.key_file.read_bytes(), password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        raise KeyFolderBroken(newest.key_file, "not an elliptic-curve key")
    return FileSigner(private_key, newest.trusted.certificate, newest.chain)


def _new_files(now: datetime) -> dict[str, bytes]:
    root_key, issuing_key = certificates.new_key(), certificates.new_key()
    root = certificates.root_certificate(root_key, now)
    issuing = certificates.issuing_certificate(issuing_key.public_key(), root, root_key, now)
    files = {
        _MASTER: _json({"current": 1, "keys": {"1": new_data_key().hex()}}),
        _INDEX: new_data_key().hex().encode(),
        _SESSION: new_data_key().hex().encode(),
        _AUDIT: new_data_key().hex().encode(),
        f"{_ROOT}.crt": root.public_bytes(Encoding.PEM),
        f"{_ROOT}.key": _pem(root_key),
        f"{_ISSUING}.crt": issuing.public_bytes(Encoding.PEM),
        f"{_ISSUING}.key": _pem(issuing_key),
    }
    register: list[dict[str, str]] = []
    for use, name in _SIGNERS.items():
        key = certificates.new_key()
        certificate = certificates.signer_certificate(
            name, key.public_key(), issuing, issuing_key, now
        )
        kid = key_id(certificate).hex()
        files[f"signing/{kid}.crt"] = b"".join(
            one.public_bytes(Encoding.PEM) for one in (certificate, issuing)
        )
        files[f"signing/{kid}.key"] = _pem(key)
        register.append(
            {
                "kid": kid,
                "use": use,
                "status": KeyStatus.ACTIVE,
                "not_before": certificate.not_valid_before_utc.isoformat(),
                "not_after": certificate.not_valid_after_utc.isoformat(),
            }
        )
    files[_REGISTER] = _json({"keys": register})
    return files


def _is_vacant(folder: Path) -> bool:
    try:
        return not any(folder.iterdir())
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _refuse_shared(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        status = path.stat()
        if status.st_mode & 0o077 or status.st_uid not in (0, os.geteuid()):
            raise KeyFolderUnsafe(path, "open to others: chmod -R go= the key folder")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != KEY_LENGTH:
        raise ValueError("a key is not 32 bytes")
    return key


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()
