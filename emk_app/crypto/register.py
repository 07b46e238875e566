"""The register of signers: which keys there are, whose turn it is, how far each is believed.

``signing/keys.json`` is replaced whole by a rename, so that a running process reads either the old
or the new one. ``version`` is the second of the last change, and always more than the one before.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from emk_app.crypto.errors import KeyFolderBroken, KeyRefused
from emk_app.crypto.signing import KeyStatus, KeyUse, TrustedKey, key_id

FILE: Final = "signing/keys.json"
_ROOTS: Final = "signing/roots.pem"
_LOCK: Final = "signing/.lock"


@dataclass(frozen=True, slots=True)
class Entry:
    """One signer; its private key may be gone."""

    trusted: TrustedKey
    chain: tuple[x509.Certificate, ...]
    store: str = "file"
    """``file``, ``pkcs12`` or ``pkcs11``."""
    label: str = ""
    """Of the key in a module."""

    @property
    def name(self) -> str:
        """The hex of the key's id: how its files are called."""
        return self.trusted.key_id.hex()

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The signer's own and those above it, without the root."""
        return (self.trusted.certificate, *self.chain)

    def line(self) -> dict[str, str]:
        """Return what the register keeps."""
        key = self.trusted
        line = {
            "kid": self.name,
            "use": key.use.value,
            "status": key.status.value,
            "not_before": key.not_before.isoformat(),
            "not_after": key.not_after.isoformat(),
        }
        if self.store != "file":
            line |= {"store": self.store, "label": self.label}
        return line


@dataclass(frozen=True)
class Register:
    """The signers of one installation, and the roots besides its own that they lead to."""

    version: int
    entries: tuple[Entry, ...]
    turns: dict[KeyUse, str]
    """Names of the keys that sign now."""
    roots: tuple[x509.Certificate, ...] = field(default=())

    @classmethod
    def load(cls, folder: Path) -> Register:
        """Read the register of a key folder."""
        said: dict[str, Any] = json.loads((folder / FILE).read_bytes())
        entries = tuple(_entry(folder / "signing", line) for line in said["keys"])
        turns = {KeyUse(use): name for use, name in said.get("current", {}).items()}
        for use in KeyUse:
            active = [
                each.trusted
                for each in entries
                if each.trusted.use is use and each.trusted.status is KeyStatus.ACTIVE
            ]
            if use not in turns and active:
                newest = max(active, key=lambda key: key.not_before)
                turns[use] = newest.key_id.hex()
        roots: tuple[x509.Certificate, ...] = ()
        if (folder / _ROOTS).exists():
            roots = tuple(x509.load_pem_x509_certificates((folder / _ROOTS).read_bytes()))
        return cls(int(said.get("version", 1)), entries, turns, roots)

    def dump(self) -> bytes:
        """Return the file."""
        return json.dumps(
            {
                "version": self.version,
                "current": {use.value: name for use, name in self.turns.items()},
                "keys": [each.line() for each in self.entries],
            },
            indent=1,
        ).encode()

    def save(self, folder: Path) -> None:
        """Put the register in the place of the one before; its keys have to be there already."""
        replace_file(folder / FILE, self.dump())

    def current(self, use: KeyUse) -> Entry:
        """Return whose turn it is; raise ``KeyRefused`` where nobody's."""
        found = next((each for each in self.entries if each.name == self.turns.get(use)), None)
        if found is None or found.trusted.status is not KeyStatus.ACTIVE:
            raise KeyRefused(f"no active signer of {use}: keys add {use}, then keys activate")
        return found

    def entry(self, name: str) -> Entry:
        """Return the key of that id, in hex."""
        found = next((each for each in self.entries if each.name == name.lower()), None)
        if found is None:
            raise KeyRefused(f"there is no key {name}")
        return found

    def added(self, entry: Entry, now: datetime) -> Register:
        """Return the register with one more key; it is published, and signs nothing yet."""
        if any(each.trusted.certificate == entry.trusted.certificate for each in self.entries):
            raise KeyRefused(f"key {entry.name} is there already")
        turns = self.turns
        if not any(each.trusted.use is entry.trusted.use for each in self.entries):
            turns = turns | {entry.trusted.use: entry.name}
        return self._next(now, entries=(*self.entries, entry), turns=turns)

    def activated(self, name: str, now: datetime) -> Register:
        """Return the register in which it is this key's turn; the one before may still verify."""
        entry = self.entry(name)
        if entry.trusted.status is not KeyStatus.ACTIVE:
            raise KeyRefused(f"key {entry.name} is {entry.trusted.status} and signs no more")
        return self._next(now, turns=self.turns | {entry.trusted.use: entry.name})

    def retired(self, name: str, now: datetime) -> Register:
        """Return the register in which the key has signed until now, and what it signed holds."""
        entry = self._out_of_turn(name)
        if entry.trusted.status is not KeyStatus.ACTIVE:
            raise KeyRefused(f"key {entry.name} is {entry.trusted.status} already")
        until = min(now, entry.trusted.not_after)
        return self._with(
            entry, replace(entry.trusted, status=KeyStatus.RETIRED, not_after=until), now
        )

    def compromised(self, name: str, now: datetime) -> Register:
        """Return the register in which nothing the key ever signed is believed. There is no way
        back.
        """
        entry = self._out_of_turn(name)
        if entry.trusted.status is KeyStatus.COMPROMISED:
            raise KeyRefused(f"key {entry.name} is compromised already")
        return self._with(entry, replace(entry.trusted, status=KeyStatus.COMPROMISED), now)

    def _out_of_turn(self, name: str) -> Entry:
        entry = self.entry(name)
        if self.turns.get(entry.trusted.use) == entry.name:
            raise KeyRefused(
                f"it is the turn of key {entry.name}: add and activate another one first"
            )
        return entry

    def _with(self, entry: Entry, trusted: TrustedKey, now: datetime) -> Register:
        changed = tuple(
            replace(each, trusted=trusted) if each is entry else each for each in self.entries
        )
        return self._next(now, entries=changed)

    def _next(self, now: datetime, **values: Any) -> Register:
        return replace(self, version=max(self.version + 1, int(now.timestamp())), **values)


@contextmanager
def locked(folder: Path) -> Generator[None, None, None]:
    """Keep other processes from changing the register meanwhile."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_key(folder: Path, entry: Entry, suffix: str, secret: bytes | None) -> None:
    """Put the certificates of a new key, and the key unless it lies elsewhere, into the folder."""
    place = folder / "signing"
    if secret is not None:
        replace_file(place / f"{entry.name}.{suffix}", secret)
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in entry.certificates)
    replace_file(place / f"{entry.name}.crt", pem)


def remove_key(folder: Path, entry: Entry) -> None:
    """Take the files of a key away that never came into the register."""
    for path in (folder / "signing").glob(f"{entry.name}.*"):
        path.unlink()


def write_roots(folder: Path, roots: tuple[x509.Certificate, ...]) -> None:
    """Put the roots besides our own into the folder."""
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in roots)
    replace_file(folder / _ROOTS, pem)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file for the owner alone, whole or not at all, surviving a power cut."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def entry_of(
    certificates: tuple[x509.Certificate, ...], use: KeyUse, store: str = "file", label: str = ""
) -> Entry:
    """Return the entry of a new key, believed in the dates of its certificate."""
    own = certificates[0]
    trusted = TrustedKey(
        own, use, KeyStatus.ACTIVE, own.not_valid_before_utc, own.not_valid_after_utc
    )
    return Entry(trusted, certificates[1:], store, label)


def _entry(folder: Path, line: dict[str, str]) -> Entry:
    name = bytes.fromhex(line["kid"]).hex()
    certificate, *chain = x509.load_pem_x509_certificates((folder / f"{name}.crt").read_bytes())
    if key_id(certificate).hex() != name:
        raise KeyFolderBroken(folder / f"{name}.crt", "not the certificate of its name")
    return Entry(
        TrustedKey(
            certificate=certificate,
            use=KeyUse(line["use"]),
            status=KeyStatus(line["status"]),
            not_before=_moment(line["not_before"]),
            not_after=_moment(line["not_after"]),
        ),
        tuple(chain),
        line.get("store", "file"),
        line.get("label", ""),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
