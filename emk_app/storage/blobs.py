"""Private files: encrypted, under random names, outside any folder that is served (D42)."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Container
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from emk_app.crypto.sealing import MAX_STREAM, place, seal_stream, unseal_stream

MAX_CONTENT: Final = MAX_STREAM
"""Bytes of the longest file, before it is sealed."""

_NAME: Final = re.compile(r"[0-9a-f]{32}")
_PIECE: Final = 1024 * 1024
_UNFINISHED: Final = ".unfinished"


class BlobMissing(Exception):
    """No file of this name: deleted, or the store is not the one that was written to."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class BadBlobName(ValueError):
    """Not a name that ``put`` gave."""


class Blobs(Protocol):
    """A store of sealed files; a folder now, a bucket later."""

    def put(self, content: bytes, key: bytes) -> str:
        """Seal and keep ``content`` for good, and return its name: 32 hex digits, random."""
        ...

    def open(self, name: str, key: bytes) -> bytes:
        """Return what was put; raise ``BlobMissing``, or ``SealBroken`` for a changed file."""
        ...

    def delete(self, name: str) -> None:
        """Remove the file; it is no error if it is gone already."""
        ...

    def sweep(self, known: Container[str], older_than: datetime) -> int:
        """Remove the files that no row knows, and return how many.

        A file is written before the row that names it is committed, so only those ``older_than``
        any transaction still open are orphans.
        """
        ...


class BlobStore:
    """Blobs in a folder of this machine, two levels of folders by the first digits of the name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes, key: bytes) -> str:
        """Seal and keep ``content``; when the name returns, the file has survived a power cut.

        Raises ``ValueError`` above ``MAX_CONTENT``.
        """
        if len(content) > MAX_CONTENT:
            raise ValueError("the file is too long to keep")
        name = secrets.token_hex(16)
        path = self._path(name)
        self._make_folders(path.parent)
        unfinished = path.with_name(name + _UNFINISHED)
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for piece in seal_stream(key, (content,), _place(name)):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        _sync(path.parent)
        return name

    def open(self, name: str, key: bytes) -> bytes:
        """Return what was put; not a byte of it unless the whole file is as it was sealed."""
        try:
            with self._path(name).open("rb") as file:
                pieces = iter(lambda: file.read(_PIECE), b"")
                return b"".join(unseal_stream(key, pieces, _place(name)))
        except FileNotFoundError:
            raise BlobMissing(name) from None

    def delete(self, name: str) -> None:
        """Remove the file; it is no error if it is gone already."""
        path = self._path(name)
        with suppress(FileNotFoundError):
            path.unlink()
            _sync(path.parent)

    def sweep(self, known: Container[str], older_than: datetime) -> int:
        """Remove the files that no row knows, unfinished ones included, and return how many."""
        if older_than.tzinfo is None:
            raise ValueError("older_than must be aware")
        removed = 0
        for path in self._folder.glob("??/??/*"):
            name = path.name.removesuffix(_UNFINISHED)
            if not _NAME.fullmatch(name) or (path.name == name and name in known):
                continue
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than.timestamp():
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise BadBlobName("not a blob's name")
        return self._folder / name[:2] / name[2:4] / name

    def _make_folders(self, folder: Path) -> None:
        """Make the two levels and make them durable, each in the folder above."""
        for level in (self._folder, folder.parent, folder):
            try:
                level.mkdir(mode=0o700, parents=level == self._folder)
            except FileExistsError:
                continue
            _sync(level.parent)


def _place(name: str) -> str:
    """Bind the sealed bytes to the name: a file put under another's name does not open."""
    return place("blobs", "content", name)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
