"""Personal values on their way into and out of the database (D40, D41).

Every person has a data key of their own, wrapped by the master key; every value is sealed for one
place (table, column, row), so that it opens nowhere else.
"""

from __future__ import annotations

import json
from typing import Any, Final

from sqlmodel import Session

from emk_app.crypto import sealing
from emk_app.db.tables.people import User
from emk_app.keys import keystore

WRAPPED_LENGTH: Final = sealing.OVERHEAD + sealing.KEY_LENGTH
"""Bytes of a wrapped data key."""


class Vault:
    """Seals and opens the values of one person."""

    def __init__(self, data_key: bytes) -> None:
        self._key = data_key

    @property
    def key(self) -> bytes:
        """The person's data key, for files."""
        return self._key

    def seal(self, text: str, table: str, column: str, *row: object) -> bytes:
        """Seal ``text`` for one place."""
        return sealing.seal(self._key, text.encode(), sealing.place(table, column, *row))

    def open(self, blob: bytes, table: str, column: str, *row: object) -> str:
        """Return the text sealed for this place; raise ``SealBroken`` otherwise."""
        return sealing.unseal(self._key, blob, sealing.place(table, column, *row)).decode()

    def seal_json(self, value: Any, table: str, column: str, *row: object) -> bytes:
        """Seal a value that JSON can say."""
        return self.seal(json.dumps(value, ensure_ascii=False), table, column, *row)

    def open_json(self, blob: bytes, table: str, column: str, *row: object) -> Any:
        """Return the value sealed for this place."""
        return json.loads(self.open(blob, table, column, *row))


def new_key(uid: str) -> tuple[Vault, bytes]:
    """Make the data key of the person called ``uid``; return its vault and the wrapped key."""
    data_key = sealing.new_data_key()
    return Vault(data_key), keystore().keyring.wrap(data_key, _key_place(uid))


def vault_of(user: User) -> Vault:
    """Return the vault of ``user``."""
    return vault_from(user.uid, user.key_sealed)


def vault_from(uid: str, key_sealed: bytes) -> Vault:
    """Return the vault of the person called ``uid``, whose wrapped key this is."""
    return Vault(keystore().keyring.unwrap(key_sealed, _key_place(uid)))


def vault_for(db: Session, user_id: int) -> Vault:
    """Return the vault of the person with this identity."""
    user = db.get(User, user_id)
    if user is None:
        raise LookupError(f"no user {user_id}")
    return vault_of(user)


def service_seal(text: str, table: str, column: str, *row: object) -> bytes:
    """Seal a value that belongs to nobody yet, under a key of its own that stands before it."""
    where = sealing.place(table, column, *row)
    data_key = sealing.new_data_key()
    wrapped = keystore().keyring.wrap(data_key, where)
    return wrapped + sealing.seal(data_key, text.encode(), where)


def service_open(blob: bytes, table: str, column: str, *row: object) -> str:
    """Return what ``service_seal`` sealed."""
    where = sealing.place(table, column, *row)
    data_key = keystore().keyring.unwrap(blob[:WRAPPED_LENGTH], where)
    return sealing.unseal(data_key, blob[WRAPPED_LENGTH:], where).decode()


def blind(column: str, value: str) -> str:
    """Return the blind index of an already normalised value."""
    return sealing.blind_index(keystore().index_key, column, value)


def _key_place(uid: str) -> str:
    return sealing.place("users", "key", uid)
