"""The keystore of this process."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from emk_app import clock
from emk_app.crypto.backends import require_in_dates
from emk_app.crypto.errors import KeyFolderBroken
from emk_app.crypto.keystore import Keystore
from emk_app.crypto.messages import ServiceKey
from emk_app.crypto.register import FILE, Register
from emk_app.crypto.signing import KeyUse, Signer
from emk_app.settings import settings

log = logging.getLogger("emk.keys")


@dataclass(frozen=True, slots=True)
class _Opened:
    folder: Path
    register: str
    mark: tuple[int, int] | None
    store: Keystore


_opened: _Opened | None = None
_opening: Final = threading.Lock()


def key_folder() -> Path:
    """Return the folder of keys."""
    return settings().data / "keys"


def keystore() -> Keystore:
    """Return the keys, made at the first start in the data folder (verification.md 6).

    A register that was changed meanwhile is read at the next call, in every process; one that can't
    be used is noted, and the keys of before stay.
    """
    held = _opened
    if held is not None and _mark(held.register) == held.mark:
        return held.store
    return _open_again()


def reread() -> None:
    """Read the keys anew now, however little time has passed since they were changed."""
    _open_again()


def signer(use: KeyUse) -> Signer:
    """Return the key that signs for a use; raises ``KeyRefused`` where it is out of its dates."""
    found = keystore().signer(use)
    require_in_dates((found.certificate, *found.chain), use, clock.now())
    return found


def require_signers() -> None:
    """Raise ``KeyRefused`` where a signer is out of its dates; for who is about to serve."""
    if not (key_folder() / FILE).exists():
        return
    # By the certificates alone: no key is opened, so that a worker may be forked afterwards.
    register = Register.load(key_folder())
    for use in register.turns:
        require_in_dates(register.current(use).certificates, use, clock.now())


def _open_again() -> Keystore:
    global _opened
    with _opening:
        held = _opened
        if held is None:
            folder = key_folder()
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            store = Keystore.open_or_create(folder, clock.now(), settings().key_backends)
            register = str(folder / FILE)
            _opened = _Opened(folder, register, _mark(register), store)
            return store
        mark = _mark(held.register)
        if mark == held.mark or mark is None:
            return held.store
        store = held.store
        try:
            store = Keystore.open(held.folder, settings().key_backends, clock.now())
        except KeyFolderBroken as error:
            log.error("the keys of before stay, the register can't be used: %s", error)
        _opened = _Opened(held.folder, held.register, mark, store)
        return store


def _mark(register: str) -> tuple[int, int] | None:
    """Return what changes when the register is replaced."""
    try:
        status = os.stat(register)
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


@cache
def exchange_key() -> ServiceKey:
    """Return the key by which this service speaks to other systems, made at the first use."""
    keystore()
    return ServiceKey.open_or_create(key_folder() / "exchange" / "service.key")
