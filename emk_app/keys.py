"""The keystore of this process."""

from __future__ import annotations

from functools import cache

from emk_app import clock
from emk_app.crypto.keystore import Keystore
from emk_app.crypto.messages import ServiceKey
from emk_app.settings import settings


@cache
def keystore() -> Keystore:
    """Return the keys, made at the first start in the data folder (verification.md 6)."""
    folder = settings().data
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Keystore.open_or_create(folder / "keys", clock.now())


@cache
def exchange_key() -> ServiceKey:
    """Return the key by which this service speaks to other systems, made at the first use."""
    keystore()
    return ServiceKey.open_or_create(settings().data / "keys" / "exchange" / "service.key")
