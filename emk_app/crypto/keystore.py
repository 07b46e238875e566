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
from emk_app.crypto.backends import (
    NO_BACKENDS,
    Backends,
    open_pem,
    open_pkcs11,
    open_pkcs12,
    require_usable,
)
from emk_app.crypto.errors import KeyFolderBroken, KeyFolderUnsafe, KeyRefused
from emk_app.crypto.register import (
    FILE,
    Entry,
    Register,
    entry_of,
    locked,
    replace_file,
    write_key,
)
from emk_app.crypto.sealing import KEY_LENGTH, Keyring, new_data_key
from emk_app.crypto.signing import KeyUse, Signer, TrustList

_MASTER: Final = "sealing/master.json"
_INDEX: Final = "sealing/index.key"
_SESSION: Final = "mac/session.key"
_AUDIT: Final = "mac/audit.key"
_ROOT: Final = "authority/root"
_ISSUING: Final = "authority/issuing"
_SIGNERS: Final = {
    KeyUse.BOOK: certificates.BOOK_NAME,
    KeyUse.QR: certificates.QR_NAME,
    KeyUse.LIST: certificates.LIST_NAME,
}


@dataclass(frozen=True)
class Keystore:
    """Every key of the installation, loaded once and kept."""

    keyring: Keyring
    index_key: bytes = field(repr=False)
    session_key: bytes = field(repr=False)
    audit_key: bytes = field(repr=False)
    book_signer: Signer
    qr_signer: Signer
    list_signer: Signer
    trust_list: TrustList
    root: x509.Certificate
    version: int
    """Of the register; grows with each change."""

    @classmethod
    def open_or_create(
        cls, folder: Path, now: datetime, backends: Backends = NO_BACKENDS
    ) -> Keystore:
        """Load the folder's keys, making them first if it is absent or empty.

        Of several processes that start at once, one makes the keys and all load the same.
        """
        if _is_vacant(folder):
            try:
                return cls.create(folder, now)
            except KeyFolderBroken:
                # Another process was faster, or the folder is bad: opening it tells which.
                pass
        return cls.open(folder, backends, now)

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
    def open(
        cls, folder: Path, backends: Backends = NO_BACKENDS, now: datetime | None = None
    ) -> Keystore:
        """Load the keys of a folder.

        Raises ``KeyFolderBroken`` if it is missing or incomplete, ``KeyFolderUnsafe`` if anybody
        but the owner may enter it or read a file, and ``KeyFolderBroken`` too for a signer that
        can't be used: of another key or for another use. One out of its dates opens all the same:
        most of what keys are needed for signs nothing (``keys.signer`` asks before it does).
        """
        try:
            _refuse_shared(folder)
            if now is not None:
                _complete(folder, now)
            return cls._load(folder, backends)
        except KeyFolderBroken:
            raise
        except KeyRefused as error:
            raise KeyFolderBroken(folder / FILE, str(error)) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeyFolderBroken(folder, f"{type(error).__name__}: {error}") from error

    @classmethod
    def _load(cls, folder: Path, backends: Backends) -> Keystore:
        master = json.loads((folder / _MASTER).read_bytes())
        root = x509.load_pem_x509_certificate((folder / f"{_ROOT}.crt").read_bytes())
        register = Register.load(folder)
        roots = (root, *register.roots)

        def signer(use: KeyUse) -> Signer:
            # Whoever reads the list has pinned our own root alone.
            allowed = (root,) if use is KeyUse.LIST else roots
            return _signer(folder, register, use, backends, allowed)

        return cls(
            keyring=Keyring(
                {int(kid): _key(key) for kid, key in master["keys"].items()}, master["current"]
            ),
            index_key=_key((folder / _INDEX).read_text()),
            session_key=_key((folder / _SESSION).read_text()),
            audit_key=_key((folder / _AUDIT).read_text()),
            book_signer=signer(KeyUse.BOOK),
            qr_signer=signer(KeyUse.QR),
            list_signer=signer(KeyUse.LIST),
            trust_list=TrustList(tuple(each.trusted for each in register.entries), roots),
            root=root,
            version=register.version,
        )

    def signer(self, use: KeyUse) -> Signer:
        """Return the key whose turn it is for a use."""
        return {
            KeyUse.BOOK: self.book_signer,
            KeyUse.QR: self.qr_signer,
            KeyUse.LIST: self.list_signer,
        }[use]


def _signer(
    folder: Path,
    register: Register,
    use: KeyUse,
    backends: Backends,
    roots: tuple[x509.Certificate, ...],
) -> Signer:
    """Open the key whose turn it is, and see that it can be used."""
    entry = register.current(use)
    signer = open_signer(folder, entry, backends)
    require_usable(signer, use, roots)
    return signer


def open_signer(folder: Path, entry: Entry, backends: Backends) -> Signer:
    """Open the key of an entry of the register."""
    place = folder / "signing" / entry.name
    if entry.store == "pkcs11":
        return open_pkcs11(entry.label, entry.certificates, backends)
    if entry.store == "pkcs12":
        signer = open_pkcs12(place.with_suffix(".p12"), backends)
        if signer.certificate != entry.trusted.certificate:
            raise KeyRefused(f"{place}.p12: has the key of another certificate")
        return signer
    return open_pem(place.with_suffix(".key"), entry.certificates)


def add_master(folder: Path) -> int:
    """Put a new master key on the ring, by which is sealed from now on; return its number.

    Part of what ``register.locked`` guards, as ``drop_master`` is.
    """
    master = json.loads((folder / _MASTER).read_bytes())
    kid = max(map(int, master["keys"])) + 1
    if kid > 255:
        raise KeyRefused("a ring has no room for a 256th key")
    master["keys"][str(kid)] = new_data_key().hex()
    _save_master(folder, master | {"current": kid})
    return kid


def drop_master(folder: Path, kid: int) -> None:
    """Take a master key off the ring; what is still under it never opens again."""
    master = json.loads((folder / _MASTER).read_bytes())
    if kid == master["current"] or str(kid) not in master["keys"]:
        raise KeyRefused(f"key {kid} seals, or is not on the ring")
    del master["keys"][str(kid)]
    _save_master(folder, master)


def _save_master(folder: Path, master: dict[str, Any]) -> None:
    replace_file(folder / _MASTER, _json(master))
    # Every process reads its keys anew when the register looks changed.
    os.utime(folder / FILE)


def issue_signer(folder: Path, use: KeyUse, now: datetime) -> tuple[Entry, bytes]:
    """Make a key and its certificate by the embedded authority; return its entry and the key.

    Raises ``KeyRefused`` where the authority's private key has been carried off.
    """
    try:
        issuing = x509.load_pem_x509_certificate((folder / f"{_ISSUING}.crt").read_bytes())
        issuing_key = load_pem_private_key((folder / f"{_ISSUING}.key").read_bytes(), None)
    except FileNotFoundError as error:
        raise KeyRefused(
            f"{error.filename}: the authority's key is not here: bring it for the while"
        ) from error
    if not isinstance(issuing_key, ec.EllipticCurvePrivateKey):
        raise KeyRefused(f"{_ISSUING}.key: not an elliptic-curve key")
    key, certificate = _issued(use, issuing, issuing_key, now)
    return entry_of((certificate, issuing), use), _pem(key)


def _issued(
    use: KeyUse, issuing: x509.Certificate, issuing_key: ec.EllipticCurvePrivateKey, now: datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = certificates.new_key()
    purpose = certificates.LIST_PURPOSE if use is KeyUse.LIST else None
    return key, certificates.signer_certificate(
        _SIGNERS[use], key.public_key(), issuing, issuing_key, now, purpose=purpose
    )


def _complete(folder: Path, now: datetime) -> None:
    """Give a folder of before the published list the key that signs it."""
    if _has_list_signer(folder):
        return
    with locked(folder):
        if _has_list_signer(folder):
            return
        entry, secret = issue_signer(folder, KeyUse.LIST, now)
        write_key(folder, entry, "key", secret)
        Register.load(folder).added(entry, now).save(folder)


def _has_list_signer(folder: Path) -> bool:
    return any(
        line["use"] == KeyUse.LIST for line in json.loads((folder / FILE).read_bytes())["keys"]
    )


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
    entries: list[Entry] = []
    for use in _SIGNERS:
        key, certificate = _issued(use, issuing, issuing_key, now)
        entry = entry_of((certificate, issuing), use)
        files[f"signing/{entry.name}.crt"] = b"".join(
            one.public_bytes(Encoding.PEM) for one in entry.certificates
        )
        files[f"signing/{entry.name}.key"] = _pem(key)
        entries.append(entry)
    turns = {entry.trusted.use: entry.name for entry in entries}
    files[FILE] = Register(int(now.timestamp()), tuple(entries), turns).dump()
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
