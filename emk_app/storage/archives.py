"""One sealed file of many: a tar under a passphrase, written and read in a stream (D55).

``EMKARCH1 | salt (16)`` and then the sealed stream of ``crypto.sealing``, whose key comes from the
passphrase by scrypt. The last member, ``manifest.json``, names every other with size and SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, cast

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from emk_app.crypto.errors import SealBroken
from emk_app.crypto.sealing import KEY_LENGTH, seal_stream, unseal_stream

MAGIC: Final = b"EMKARCH1"
MANIFEST: Final = "manifest.json"
SHORTEST_PASSPHRASE: Final = 20
"""Characters: it is all that stands between a thief of the file and its content."""
MOST: Final = 2**44
"""Bytes of the longest archive, 16 TiB: far below where counters of chunks would repeat."""
_SALT: Final = 16
_PIECE: Final = 1024 * 1024
_BLOCK: Final = 512


class BadArchive(Exception):
    """The file is not what was written: another passphrase, cut, changed, or not ours at all."""


class BadPassphrase(ValueError):
    """The passphrase can't protect anything."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file to be put into the archive, under a relative name."""

    name: str
    path: Path
    may_go: bool = False
    """Whether it may be deleted before its turn comes; then it is left out."""


def read_passphrase(path: Path) -> bytes:
    """Return the first line of a file; raise ``BadPassphrase`` if it is short."""
    lines = path.read_text(encoding="utf-8").splitlines()
    text = lines[0].strip() if lines else ""
    if len(text) < SHORTEST_PASSPHRASE:
        raise BadPassphrase(f"{path} must hold {SHORTEST_PASSPHRASE} characters or more")
    return text.encode()


def write(path: Path, passphrase: bytes, members: Iterable[Member], about: dict[str, Any]) -> int:
    """Write a new archive for its owner alone; return its bytes.

    It appears whole or not at all. ``about`` goes into the manifest. Raises ``FileExistsError``.
    """
    if path.exists():
        raise FileExistsError(path)
    salt = os.urandom(_SALT)
    draft = path.with_name(f".{path.name}.unfinished")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(MAGIC + salt)
            pieces = _tar(members, about)
            for piece in seal_stream(_key(passphrase, salt), pieces, _place(salt), most=MOST):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        # Unlike a renaming it never takes the place of what came there meanwhile.
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return size


def unpack(path: Path, passphrase: bytes, folder: Path) -> dict[str, Any]:
    """Unpack into an empty folder and return the manifest.

    Raises ``BadArchive`` unless every byte is as it was written; then the folder holds rubbish.
    """
    found: dict[str, list[Any]] = {}
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise BadArchive("not an archive of this service")
            salt = file.read(_SALT)
            pieces = iter(lambda: file.read(_PIECE), b"")
            opened = unseal_stream(_key(passphrase, salt), pieces, _place(salt), most=MOST)
            source = _Readable(opened)
            with tarfile.open(mode="r|", fileobj=cast(Any, source)) as tar:
                for member in tar:
                    found[member.name] = _unpack_one(tar, member, folder)
            source.drain()
        manifest = json.loads((folder / MANIFEST).read_bytes())
        del found[MANIFEST]
    except (SealBroken, tarfile.TarError, KeyError, ValueError, FileNotFoundError) as error:
        if isinstance(error, FileNotFoundError) and not path.exists():
            raise
        raise BadArchive("another passphrase, or cut or changed") from error
    if found != manifest["files"]:
        raise BadArchive("its files are not those that its manifest names")
    return manifest


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> list[Any]:
    name = PurePosixPath(member.name)
    if not member.isreg() or name.is_absolute() or ".." in name.parts:
        raise BadArchive("a member is not a plain file below the folder")
    target = folder / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None
    digest = hashlib.sha256()
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := source.read(_PIECE):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return [member.size, digest.hexdigest()]


def _tar(members: Iterable[Member], about: dict[str, Any]) -> Iterator[bytes]:
    files: dict[str, list[Any]] = {}
    for member in members:
        try:
            file = member.path.open("rb")
        except FileNotFoundError:
            if member.may_go:
                continue
            raise
        with file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.sha256()
            yield _head(member.name, size)
            left = size
            while left and (piece := file.read(min(_PIECE, left))):
                left -= len(piece)
                digest.update(piece)
                yield piece
            if left:
                raise OSError(f"{member.name} grew shorter while it was read")
            yield bytes(-size % _BLOCK)
        files[member.name] = [size, digest.hexdigest()]
    manifest = json.dumps({**about, "files": files}).encode()
    yield _head(MANIFEST, len(manifest)) + manifest + bytes(-len(manifest) % _BLOCK)
    yield bytes(2 * _BLOCK)


def _head(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.PAX_FORMAT)


class _Readable:
    """What ``tarfile`` reads from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._left) < size and (piece := next(self._pieces, None)) is not None:
            self._left += piece
        taken = bytes(self._left[:size])
        del self._left[:size]
        return taken

    def drain(self) -> None:
        """Read to the end, where it shows whether anything was cut off."""
        for _ in self._pieces:
            pass


def _key(passphrase: bytes, salt: bytes) -> bytes:
    if len(salt) != _SALT:
        raise SealBroken("cut")
    # 128 MiB, a third of a second: paid once a backup, and at every guess.
    return Scrypt(salt=salt, length=KEY_LENGTH, n=2**17, r=8, p=1).derive(passphrase)


def _place(salt: bytes) -> str:
    return f"archives|content|{salt.hex()}"
