"""Backups and what is made of them: whole, sealed, and proven by opening what they hold (D55)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlmodel import Session, col, select

from emk_app.crypto.errors import SealBroken
from emk_app.db import copies, migrations, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.applications import Application, Scan
from emk_app.db.tables.people import Login, User, UserSession
from emk_app.domain.actors import SYSTEM
from emk_app.services import auditing, erasing, scans
from emk_app.settings import Settings
from emk_app.storage import archives
from emk_app.storage.blobs import BlobMissing

FORMAT: Final = 1
SAMPLE: Final = 200
"""People, and files, of which a check opens what is sealed."""
BLOBS: Final = "blobs"
ROOTS: Final = "trusted-roots"
KEYS: Final = "keys"


class Unusable(Exception):
    """What a backup holds does not fit this program, or does not open; the message says what."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An archive and the passphrase it is under."""

    path: Path
    passphrase: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """What a check has found to be as it was."""

    rows: int
    audit_entries: int
    people: int
    files: int


def back_up(where: Settings, target: Sealed, keys: Sealed | None, *, now: datetime) -> int:
    """Copy database and files into one archive, the keys into another; return its bytes.

    The service goes on meanwhile: what is committed later is not in it. Raises
    ``FileExistsError``, ``copies.NoTool`` and ``copies.ToolFailed``.
    """
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=where.data) as folder:
        copy = Path(folder) / copies.NAME
        # The database first: its rows name files that are there already, and files never change.
        seen = copies.snapshot(where.database_url, copy, _see)
        about = {
            "format": FORMAT,
            "made_at": now.isoformat(),
            "kind": make_url(where.database_url).get_backend_name(),
            **seen,
        }
        size = archives.write(target.path, target.passphrase, _members(where, copy), about)
    if keys is not None:
        files = _under(where.data / KEYS, KEYS)
        archives.write(keys.path, keys.passphrase, files, {"format": FORMAT})
    with unit_of_work() as db:
        auditing.record(db, SYSTEM, "backup", "service", now=now)
    return size


def restore(where: Settings, source: Sealed, keys: Sealed | None, *, now: datetime) -> Proof:
    """Fill an empty place from an archive, check it, end every session in it, and forget
    anew whom the list of the erased names.

    Nothing is put in place before the whole archive has proven to be as it was written. Raises
    ``copies.NotEmpty``, ``archives.BadArchive`` and ``Unusable``.
    """
    where.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_taken(where, with_keys=keys is not None)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=where.data) as name:
        folder = Path(name)
        manifest = archives.unpack(source.path, source.passphrase, folder)
        _refuse_foreign(where, manifest)
        if keys is not None:
            archives.unpack(keys.path, keys.passphrase, folder / "of-keys")
            (folder / "of-keys" / KEYS).rename(where.data / KEYS)
        for part in (BLOBS, ROOTS):
            if (folder / part).exists():
                (where.data / part).parent.mkdir(exist_ok=True)
                (folder / part).rename(where.data / part)
        copies.load(folder / copies.NAME, where.database_url)
    proof = check(manifest)
    with unit_of_work() as db:
        # Who was signed out since must not be signed in again.
        db.exec(
            sa.update(UserSession)
            .where(col(UserSession.revoked_at).is_(None))
            .values(revoked_at=now)
        )
        auditing.record(db, SYSTEM, "restore", "service", now=now)
    # Nor may whoever was forgotten since be known again.
    erasing.replay(SYSTEM, where.erased_list, now=now)
    return proof


def check(manifest: dict[str, Any]) -> Proof:
    """Compare this process's database and files with the manifest; raise ``Unusable``."""
    with reading() as db:
        found = _see(db.connection())
        for part in ("revision", "tables", "audit"):
            if found[part] != manifest[part]:
                raise Unusable(f"{part} differ from those of the backup")
        broken = auditing.first_broken(db)
        if broken is not None:
            raise Unusable(f"the audit chain breaks at entry {broken}")
        people = _open_people(db)
        files = _open_files(db)
    tables = manifest["tables"]
    return Proof(sum(tables.values()), tables["audit_entries"], people, files)


def _see(connection: sa.Connection) -> dict[str, Any]:
    revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    newest = connection.execute(
        sa.text("SELECT id, digest FROM audit_entries ORDER BY id DESC LIMIT 1")
    ).first()
    return {
        "revision": revision,
        "tables": copies.counts(connection),
        "audit": list(newest) if newest else None,
    }


def _open_people(db: Session) -> int:
    """Open what is sealed of a random sample of people."""
    rows = db.exec(
        select(User, Login).where(Login.user_id == User.id).order_by(sa.func.random()).limit(SAMPLE)
    ).all()
    for user, _login in rows:
        try:
            own = vault.vault_of(user)
            if user.name_sealed is not None:
                own.open(user.name_sealed, "users", "name", user.uid)
        except SealBroken:
            raise Unusable(f"what is sealed of user {user.id} does not open") from None
    return len(rows)


def _open_files(db: Session) -> int:
    rows = db.exec(
        select(Scan, Application.holder_id)
        .where(Scan.application_id == Application.id, col(Scan.removed_at).is_(None))
        .order_by(sa.func.random())
        .limit(SAMPLE)
    ).all()
    for scan, holder_id in rows:
        try:
            scans.blobs().open(scan.blob, vault.vault_for(db, holder_id).key)
        except (SealBroken, BlobMissing):
            raise Unusable(f"the file of scan {scan.id} does not open") from None
    return len(rows)


def _members(where: Settings, copy: Path) -> Iterator[archives.Member]:
    yield archives.Member(copies.NAME, copy)
    yield from _under(where.data / BLOBS, BLOBS)
    yield from _under(where.data / ROOTS, ROOTS)


def _under(folder: Path, name: str) -> Iterator[archives.Member]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith(".unfinished"):
            inside = path.relative_to(folder).as_posix()
            yield archives.Member(f"{name}/{inside}", path, may_go=name == BLOBS)


def _refuse_taken(where: Settings, *, with_keys: bool) -> None:
    taken = [name for name in (BLOBS, ROOTS) if (where.data / name).exists()]
    has_keys = (where.data / KEYS).exists()
    if with_keys and has_keys:
        taken.append(KEYS)
    if taken:
        raise copies.NotEmpty(", ".join(str(where.data / name) for name in taken))
    if not copies.is_vacant(where.database_url):
        raise copies.NotEmpty("the database")
    if not with_keys and not has_keys:
        raise Unusable(
            f"there are no keys: put them into {where.data / KEYS}, or name their archive"
        )


def _refuse_foreign(where: Settings, manifest: dict[str, Any]) -> None:
    if manifest.get("format") != FORMAT:
        raise Unusable("made by another version of this program")
    kind = make_url(where.database_url).get_backend_name()
    if manifest["kind"] != kind:
        raise Unusable(f"a backup of {manifest['kind']} does not fit {kind}")
    if manifest["revision"] != migrations.head():
        raise Unusable(
            f"its schema is {manifest['revision']}: restore it with that version of the program"
        )


def copy_keys(where: Settings, folder: Path) -> None:
    """Lend this installation's keys to a place where a backup is proven."""
    shutil.copytree(where.data / KEYS, folder / KEYS)
