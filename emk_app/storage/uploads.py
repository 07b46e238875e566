"""Files of a register while they are looked through, and the reports about them.

They name organisations, not persons, and stand in clear in a private folder. Where several machines
serve, the folder is shared like that of the blobs.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Container
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

_NAME: Final = re.compile(r"[0-9a-f]{32}")
_REPORT: Final = ".report"


class UploadFiles:
    """A folder of uploads, each under a random name of 32 hex digits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self) -> tuple[str, BinaryIO]:
        """Return a new name, and its file to be written."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = secrets.token_hex(16)
        return name, _private(self._path(name))

    def open(self, name: str) -> BinaryIO:
        """Open what was written; raise ``FileNotFoundError``."""
        return self._path(name).open("rb")

    def open_report(self, name: str) -> BinaryIO:
        """Open the report about a file; raise ``FileNotFoundError``."""
        return self._path(name, _REPORT).open("rb")

    def write_report(self, name: str) -> BinaryIO:
        """Begin the report about a file anew."""
        path = self._path(name, _REPORT)
        path.unlink(missing_ok=True)
        return _private(path)

    def delete(self, name: str) -> None:
        """Remove a file; its report stays."""
        self._path(name).unlink(missing_ok=True)

    def sweep(self, files: Container[str], reports: Container[str], older_than: datetime) -> int:
        """Remove what is ``older_than`` and not among the named; return how many."""
        removed = 0
        for path in self._folder.glob("*"):
            known = reports if path.suffix == _REPORT else files
            if not _NAME.fullmatch(path.stem) or path.stem in known:
                continue
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than.timestamp():
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, name: str, suffix: str = "") -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("not a name that was given here")
        return self._folder / f"{name}{suffix}"


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
