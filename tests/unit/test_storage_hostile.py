"""The corpus of hostile files: each refused with a type, or made harmless; nothing left behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from emk_app.domain.documents import MediaType
from emk_app.domain.errors import DomainError
from emk_app.storage.inspection import CHILDREN, Inspected, inspect
from tests.files.good import scanned_pdf
from tests.files.hostile import HOSTILE, MARK, Hostile

Outcome = Inspected | DomainError


def outcome(hostile: Hostile) -> Outcome:
    try:
        return inspect(hostile.make(), hostile.kind)
    except DomainError as refusal:
        return refusal


def entries(folder: Path) -> set[str]:
    return set(os.listdir(folder))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder that is both the current one and the one for temporary files."""
    empty = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(empty)
        patch.setenv("TMPDIR", str(empty))
        patch.setattr(tempfile, "tempdir", None)
        yield empty


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> Mapping[str, Outcome]:
    """What becomes of every file, as many at once as there may be children."""
    with ThreadPoolExecutor(CHILDREN) as pool:
        return dict(zip((each.name for each in HOSTILE), pool.map(outcome, HOSTILE), strict=True))


def commands_of_children(part: str) -> list[str]:
    """The command lines of this process's children that contain ``part``."""
    found: list[str] = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if f"\nPPid:\t{os.getpid()}\n" in status.read_text():
                found.append(status.with_name("cmdline").read_text())
    return [command for command in found if part in command]


def everything_said(inspected: Inspected) -> bytes:
    """All bytes of what is kept, the packed ones unpacked too."""
    said = inspected.content + inspected.preview
    if inspected.media_type is MediaType.PDF:
        with pikepdf.open(BytesIO(inspected.content)) as pdf:
            for each in pdf.objects:
                said += each.unparse(resolved=True)
                if isinstance(each, pikepdf.Stream):
                    said += each.read_raw_bytes()
                    if "/Filter" not in each or each.Filter == pikepdf.Name.FlateDecode:
                        said += each.read_bytes()
    return said


def test_corpus_is_large_and_its_names_differ() -> None:
    assert len({hostile.name for hostile in HOSTILE}) == len(HOSTILE) >= 60


@pytest.mark.slow
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_hostile_file_is_refused_or_made_harmless(
    hostile: Hostile, outcomes: Mapping[str, Outcome]
) -> None:
    came = outcomes[hostile.name]
    if isinstance(came, DomainError):
        assert type(came) in hostile.refused
    else:
        assert hostile.may_pass or not hostile.refused
        assert MARK not in everything_said(came)


def test_nothing_is_left_on_disk(outcomes: Mapping[str, Outcome], folder: Path) -> None:
    assert outcomes
    assert entries(folder) == set()


def test_no_child_is_left(outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes
    assert commands_of_children("emk_app.storage.sandbox") == []


def test_a_good_file_is_still_accepted(outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes
    assert inspect(scanned_pdf(), HOSTILE[0].kind).pages == 1


def test_mark_of_the_corpus_would_be_found() -> None:
    """The search for the mark is worth something: it finds it in the files as they came."""
    marked = [each for each in HOSTILE if not each.refused and MARK in each.make()]
    assert len(marked) >= 15
