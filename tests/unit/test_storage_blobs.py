from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.crypto.errors import SealBroken
from emk_app.crypto.sealing import new_data_key
from emk_app.storage.blobs import MAX_CONTENT, BadBlobName, BlobMissing, Blobs, BlobStore

CONTENT = b"passport of Ivanov " * 10_000
NAME = "0123456789abcdef" * 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def store(folder: Path) -> Blobs:
    return BlobStore(folder)


@pytest.fixture
def key() -> bytes:
    return new_data_key()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def aged(path: Path, age: timedelta, now: datetime) -> None:
    moment = (now - age).timestamp()
    os.utime(path, (moment, moment))


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../" + NAME,
        NAME[:-1],
        NAME + "0",
        NAME + "\n",
        NAME.upper(),
        "/etc/passwd",
        "..%2f" + NAME,
        NAME[:2] + "/" + NAME[3:],
        "\0" + NAME[1:],
        "\N{ARABIC-INDIC DIGIT ZERO}" * 32,
    ],
)
def test_no_other_name_is_taken(store: Blobs, key: bytes, name: str) -> None:
    with pytest.raises(BadBlobName):
        store.open(name, key)
    with pytest.raises(BadBlobName):
        store.delete(name)


@given(st.text(max_size=40).filter(lambda text: len(text) != 32))
def test_text_of_another_length_is_never_a_path(text: str) -> None:
    with pytest.raises(BadBlobName):
        BlobStore(Path("/nonexistent")).delete(text)


def test_unknown_name_is_missing(store: Blobs, key: bytes) -> None:
    with pytest.raises(BlobMissing):
        store.open(NAME, key)


def test_another_key_does_not_open(store: Blobs, key: bytes) -> None:
    name = store.put(CONTENT, key)
    with pytest.raises(SealBroken):
        store.open(name, new_data_key())


def test_file_under_anothers_name_does_not_open(store: Blobs, folder: Path, key: bytes) -> None:
    first, second = store.put(CONTENT, key), store.put(b"other", key)
    paths = {path.name: path for path in files(folder)}
    paths[first].replace(paths[second])
    with pytest.raises(SealBroken):
        store.open(second, key)


@pytest.mark.parametrize("place", [0, 1, 5, 20, 70_000, -1])
def test_changed_byte_is_noticed(store: Blobs, folder: Path, key: bytes, place: int) -> None:
    name = store.put(CONTENT, key)
    path = files(folder)[0]
    sealed = bytearray(path.read_bytes())
    sealed[place] ^= 1
    path.write_bytes(sealed)
    with pytest.raises(SealBroken):
        store.open(name, key)


def test_cut_file_is_noticed(store: Blobs, folder: Path, key: bytes) -> None:
    name = store.put(CONTENT, key)
    path = files(folder)[0]
    sealed = path.read_bytes()
    for length in (0, 1, 18, 64 * 1024, len(sealed) - 1):
        path.write_bytes(sealed[:length])
        with pytest.raises(SealBroken):
            store.open(name, key)


def test_too_long_a_file_is_refused(store: Blobs, folder: Path, key: bytes) -> None:
    with pytest.raises(ValueError):
        store.put(bytes(MAX_CONTENT + 1), key)
    assert not folder.exists()


def test_failed_put_leaves_nothing(store: Blobs, folder: Path) -> None:
    with pytest.raises(ValueError):
        store.put(CONTENT, b"no key at all")
    assert files(folder) == []


@pytest.mark.parametrize("content", [b"", b"a", CONTENT, bytes(MAX_CONTENT)])
def test_what_was_put_is_what_opens(store: Blobs, key: bytes, content: bytes) -> None:
    assert store.open(store.put(content, key), key) == content


def test_nothing_on_disk_is_readable(store: Blobs, folder: Path, key: bytes) -> None:
    store.put(CONTENT, key)
    (path,) = files(folder)
    assert b"Ivanov" not in path.read_bytes()


def test_equal_contents_cannot_be_told(store: Blobs, folder: Path, key: bytes) -> None:
    assert store.put(CONTENT, key) != store.put(CONTENT, key)
    first, second = (path.read_bytes() for path in files(folder))
    assert first[18:] != second[18:]


def test_only_the_owner_may_read(store: Blobs, folder: Path, key: bytes) -> None:
    previous = os.umask(0)
    try:
        name = store.put(CONTENT, key)
    finally:
        os.umask(previous)
    path = folder / name[:2] / name[2:4] / name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for level in (path.parent, path.parent.parent, folder):
        assert stat.S_IMODE(level.stat().st_mode) == 0o700


def test_deleted_file_is_missing_and_may_be_deleted_again(store: Blobs, key: bytes) -> None:
    name = store.put(CONTENT, key)
    store.delete(name)
    store.delete(name)
    with pytest.raises(BlobMissing):
        store.open(name, key)


def test_sweep_removes_old_orphans_only(store: Blobs, folder: Path, key: bytes) -> None:
    now = datetime.now(UTC)
    known, orphan, fresh = (store.put(CONTENT, key) for _ in range(3))
    for path in files(folder):
        if path.name in (known, orphan):
            aged(path, timedelta(days=2), now)
    assert store.sweep({known}, now - timedelta(days=1)) == 1
    assert store.open(known, key) == store.open(fresh, key) == CONTENT
    with pytest.raises(BlobMissing):
        store.open(orphan, key)


def test_sweep_removes_what_a_crash_left_unfinished(store: Blobs, folder: Path, key: bytes) -> None:
    now = datetime.now(UTC)
    name = store.put(CONTENT, key)
    (path,) = files(folder)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(b"half")
    aged(unfinished, timedelta(days=2), now)
    assert store.sweep({name}, now - timedelta(days=1)) == 1
    assert files(folder) == [path]


def test_sweep_leaves_strange_files_alone(store: Blobs, folder: Path, key: bytes) -> None:
    now = datetime.now(UTC)
    store.put(CONTENT, key)
    (path,) = files(folder)
    strange = path.with_name("readme.txt")
    loose = folder / "loose.txt"
    strange.touch()
    loose.touch()
    aged(strange, timedelta(days=2), now)
    aged(loose, timedelta(days=2), now)
    assert store.sweep((), now - timedelta(days=1)) == 0
    assert strange.exists() and loose.exists()


def test_sweep_of_an_empty_store_finds_nothing(store: Blobs) -> None:
    assert store.sweep((), datetime.now(UTC)) == 0


def test_sweep_needs_an_aware_moment(store: Blobs) -> None:
    with pytest.raises(ValueError):
        store.sweep((), datetime(2026, 11, 23))  # noqa: DTZ001
