"""Changing the keys that sign, while the service runs (docs/keys.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509

from emk_app.crypto import backends, register
from emk_app.crypto.errors import KeyRefused
from emk_app.crypto.keystore import issue_signer, open_signer
from emk_app.crypto.register import Entry, Register
from emk_app.crypto.signing import KeyStatus, KeyUse
from emk_app.db import changes
from emk_app.db.engine import unit_of_work
from emk_app.domain.actors import Actor, Role, permit
from emk_app.keys import key_folder, keystore
from emk_app.services import auditing, jobs, reissuing
from emk_app.settings import settings

TOPIC = "keys"


@dataclass(frozen=True, slots=True)
class KeyView:
    """One key of the register."""

    name: str
    use: KeyUse
    status: KeyStatus
    signs: bool
    """Whether it is this key's turn."""
    store: str
    not_before: datetime
    not_after: datetime


def keys(actor: Actor) -> tuple[KeyView, ...]:
    """Return every key of the register; an administrator may look and change nothing."""
    permit(actor, Role.SYSTEM, Role.ADMIN)
    keystore()
    found = Register.load(key_folder())
    return tuple(
        KeyView(
            each.name,
            each.trusted.use,
            each.trusted.status,
            found.turns.get(each.trusted.use) == each.name,
            each.store,
            each.trusted.not_before,
            each.trusted.not_after,
        )
        for each in found.entries
    )


def add(actor: Actor, use: KeyUse, *, now: datetime) -> str:
    """Make a key by the embedded authority; it is published at once and signs nothing yet.

    Returns its name. Raises ``KeyRefused``, as all of these do.
    """
    entry, secret = issue_signer(_folder(), use, now)
    return _add(actor, entry, "key", secret, None, now)


def add_container(
    actor: Actor, use: KeyUse, container: Path, *, root: Path | None, now: datetime
) -> str:
    """Take a key over from a PKCS#12 container, which is copied into the folder of keys.

    ``root`` is the certificate above it, unless it is known already.
    """
    _, certificates = backends.read_pkcs12(container, settings().key_backends)
    entry = register.entry_of(certificates, use, "pkcs12")
    return _add(actor, entry, "p12", container.read_bytes(), root, now)


def add_in_module(
    actor: Actor,
    use: KeyUse,
    label: str,
    certificates: Path,
    *,
    root: Path | None,
    now: datetime,
) -> str:
    """Take a key that lies in the PKCS#11 module, with the file of its certificates."""
    chain = backends.ordered(read_certificates(certificates))
    entry = register.entry_of(chain, use, "pkcs11", label)
    return _add(actor, entry, "", None, root, now)


def activate(actor: Actor, name: str, *, now: datetime) -> None:
    """Let the key sign from now on, in every running process. It has to be usable."""

    def act(found: Register) -> Register:
        entry = found.entry(name)
        _require_usable(entry, found.roots, now)
        return found.activated(name, now)

    _change(actor, "activate", name, act, now)


def retire(actor: Actor, name: str, *, now: datetime) -> None:
    """Take the key out of use; what it has signed until now goes on being believed."""
    _change(actor, "retire", name, lambda found: found.retired(name, now), now)


def compromise(actor: Actor, name: str, *, now: datetime) -> None:
    """Withdraw the key with everything it ever signed; books are signed anew by a job."""
    _change(actor, "compromise", name, lambda found: found.compromised(name, now), now)


def read_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a file, PEM or one in DER."""
    try:
        raw = path.read_bytes()
        if raw.lstrip().startswith(b"-----"):
            return tuple(x509.load_pem_x509_certificates(raw))
        return (x509.load_der_x509_certificate(raw),)
    except OSError as error:
        raise KeyRefused(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise KeyRefused(f"{path}: not a certificate") from error


def _add(
    actor: Actor, entry: Entry, suffix: str, secret: bytes | None, root: Path | None, now: datetime
) -> str:
    def act(found: Register) -> Register:
        roots = found.roots
        if root is not None:
            known = (keystore().root, *roots)
            roots = (*roots, *(each for each in read_certificates(root) if each not in known))
        added = replace(found.added(entry, now), roots=roots)
        # Before it is in the register nobody looks at its files.
        register.write_key(_folder(), entry, suffix, secret)
        try:
            _require_usable(entry, roots, now)
        except KeyRefused:
            register.remove_key(_folder(), entry)
            raise
        if roots != found.roots:
            register.write_roots(_folder(), roots)
        return added

    _change(actor, "add", entry.name, act, now)
    return entry.name


def _require_usable(entry: Entry, others: tuple[x509.Certificate, ...], now: datetime) -> None:
    own = keystore().root
    use = entry.trusted.use
    roots = (own,) if use is KeyUse.LIST else (own, *others)
    signer = open_signer(_folder(), entry, settings().key_backends)
    backends.require_in_dates(entry.certificates, use, now)
    backends.require_usable(signer, use, roots)


def _change(
    actor: Actor, verb: str, name: str, act: Callable[[Register], Register], now: datetime
) -> None:
    permit(actor, Role.SYSTEM)
    folder = _folder()
    with register.locked(folder), unit_of_work() as db:
        changed = act(Register.load(folder))
        entry = changed.entry(name)
        auditing.record(
            db, actor, f"{verb}_key", f"key:{entry.name}", fields=entry.trusted.use.value, now=now
        )
        if entry.trusted.status is KeyStatus.COMPROMISED and entry.trusted.use is KeyUse.BOOK:
            jobs.enqueue(db, reissuing.JOB, 0, occasion=entry.name, now=now)
        changes.announce(db, TOPIC)
        # Last: if it fails, nothing is said to have happened.
        changed.save(folder)


def _folder() -> Path:
    keystore()
    return key_folder()
