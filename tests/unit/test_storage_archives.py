"""The sealed file of a backup: all of it as it was written, or nothing."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from emk_app.crypto.sealing import CHUNK, seal_stream
from emk_app.storage import archives
from emk_app.storage.archives import BadArchive, BadPassphrase, Member

WORDS = b"correct horse battery staple"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses need not cost anything here."""
    monkeypatch.setattr(archives, "_key", lambda passphrase, salt: (passphrase + salt)[:32])


def made(folder: Path) -> Path:
    (folder / "one").write_bytes(b"one" * 100_000)
    (folder / "two").write_bytes(b"")
    members = [Member("a/one", folder / "one"), Member("two", folder / "two")]
    archives.write(folder / "archive", WORDS, members, {"format": 1})
    return folder / "archive"


def test_what_was_put_in_comes_out(tmp_path: Path):
    target = tmp_path / "out"
    target.mkdir()
    manifest = archives.unpack(made(tmp_path), WORDS, target)
    assert manifest["format"] == 1
    assert (target / "a/one").read_bytes() == b"one" * 100_000
    assert (target / "two").read_bytes() == b""
    assert (target / "a/one").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "archive").stat().st_mode & 0o777 == 0o600


def test_archive_never_takes_the_place_of_another_file(tmp_path: Path):
    path = made(tmp_path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        archives.write(path, WORDS, [], {})
    assert path.read_bytes() == before


def test_failed_writing_leaves_nothing(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        archives.write(tmp_path / "archive", WORDS, [Member("x", tmp_path / "none")], {})
    assert list(tmp_path.iterdir()) == []


def test_file_that_may_go_and_has_gone_is_left_out(tmp_path: Path):
    gone = Member("blobs/x", tmp_path / "none", may_go=True)
    archives.write(tmp_path / "archive", WORDS, [gone], {})
    (tmp_path / "out").mkdir()
    assert archives.unpack(tmp_path / "archive", WORDS, tmp_path / "out")["files"] == {}


def _cut(content: bytes) -> bytes:
    return content[:-1]


def _cut_at_a_chunk(content: bytes) -> bytes:
    return content[: 24 + 18 + 2 * (CHUNK + 16)]


def _swapped(content: bytes) -> bytes:
    start, size = 24 + 18, CHUNK + 16
    one, two = content[start : start + size], content[start + size : start + 2 * size]
    return content[:start] + two + one + content[start + 2 * size :]


@pytest.mark.parametrize(
    "ruin",
    [
        _cut,
        _cut_at_a_chunk,
        _swapped,
        lambda content: content[:30],
        lambda content: b"",
        lambda content: content + b"\0",
        lambda content: content[:12] + bytes((content[12] ^ 1,)) + content[13:],
        lambda content: content[:5000] + bytes((content[5000] ^ 1,)) + content[5001:],
        lambda content: content[:-20] + bytes((content[-20] ^ 1,)) + content[-19:],
    ],
)
def test_changed_archive_does_not_open(tmp_path: Path, ruin):
    path = made(tmp_path)
    path.write_bytes(ruin(path.read_bytes()))
    (tmp_path / "out").mkdir()
    with pytest.raises(BadArchive):
        archives.unpack(path, WORDS, tmp_path / "out")


def test_another_passphrase_does_not_open(tmp_path: Path):
    (tmp_path / "out").mkdir()
    with pytest.raises(BadArchive):
        archives.unpack(made(tmp_path), b"x" + WORDS[1:], tmp_path / "out")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x"])
def test_no_member_leaves_the_folder(tmp_path: Path, name: str):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as file:
        file.addfile(tarfile.TarInfo(name))
    salt = bytes(16)
    sealed = b"".join(seal_stream((WORDS + salt)[:32], [tar.getvalue()], archives._place(salt)))
    (tmp_path / "archive").write_bytes(archives.MAGIC + salt + sealed)
    (tmp_path / "out").mkdir()
    with pytest.raises(BadArchive, match="below the folder"):
        archives.unpack(tmp_path / "archive", WORDS, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("text", ["", "\n", "short words", " " * 30])
def test_short_passphrase_is_refused(tmp_path: Path, text: str):
    (tmp_path / "words").write_text(text, encoding="utf-8")
    with pytest.raises(BadPassphrase):
        archives.read_passphrase(tmp_path / "words")
