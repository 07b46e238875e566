"""The list of our parts says what the locks say; what is known against one is found."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cyclonedx
import jsonschema_rs
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(cyclonedx.__path__[0]) / "schema" / "_res"
KNOWN = ROOT / ".ci" / "advisories"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("supply", ROOT / ".ci" / "supply.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["supply"] = module
    spec.loader.exec_module(module)
    return module


TOOL = loaded()


@dataclass
class Done:
    returncode: int
    stdout: str


def supply(*given: str | Path) -> Done:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = TOOL.main([str(each) for each in given])
    return Done(code, said.getvalue())


def pins(lock: str) -> set[tuple[str, str]]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*])?==([^ ;]+)", text, re.MULTILINE))


def frontend() -> dict[str, Any]:
    said = json.loads((ROOT / "reflex.lock" / "package-lock.json").read_bytes())
    return {place: each for place, each in said["packages"].items() if place}


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    made, again = supply("sbom"), supply("sbom")
    assert made.returncode == 0
    assert made.stdout == again.stdout
    return json.loads(made.stdout)


def schema(name: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_bytes())


def test_list_of_parts_is_sound(bill: dict[str, Any]):
    base = "http://cyclonedx.org/schema/"
    parts = [
        (f"{base}{name}.SNAPSHOT.schema.json", schema(name))
        for name in ("spdx", "jsf-0.82", "cryptography-defs")
    ]
    judge = jsonschema_rs.validator_for(schema("bom-1.6"), registry=jsonschema_rs.Registry(parts))
    assert [error.message for error in judge.iter_errors(bill)] == []


def test_list_of_parts_says_what_the_locks_say(bill: dict[str, Any]):
    python, npm = set(), set()
    for each in bill["components"]:
        name = "/".join(filter(None, (each.get("group"), each["name"])))
        kind = npm if each["purl"].startswith("pkg:npm/") else python
        kind.add((name, each["version"]))
        assert each["externalReferences"][0]["hashes"], name
    assert python == pins("requirements.lock") | pins("requirements-ocr.lock")
    assert npm == {
        (place.rpartition("node_modules/")[2], each["version"])
        for place, each in frontend().items()
    }
    assert len(bill["components"]) == len(python) + len(npm)


def test_list_of_parts_says_what_needs_what(bill: dict[str, Any]):
    needs = {each["ref"]: set(each.get("dependsOn", ())) for each in bill["dependencies"]}
    names = {ref.partition("@")[0] for ref in needs["emk-online"]}
    assert {"pkg:pypi/reflex", "pkg:pypi/cryptography", "pkg:npm/react"} <= names
    reflex = next(ref for ref in needs if ref.startswith("pkg:pypi/reflex@"))
    assert any(ref.startswith("pkg:pypi/reflex-base@") for ref in needs[reflex])
    # Nothing stands in it that nobody asked for.
    reached, waiting = set(), ["emk-online"]
    while waiting:
        ref = waiting.pop()
        if ref not in reached:
            reached.add(ref)
            waiting.extend(needs[ref])
    assert needs.keys() - reached == set()


def advisory(name: str, ecosystem: str = "PyPI", **affected: Any) -> dict[str, Any]:
    package = {"ecosystem": ecosystem, "name": name}
    return {"id": "EMK-1", "affected": [{"package": package, **affected}]}


def between(*events: dict[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    return {"ranges": [{"type": kind, "events": list(events)}]}


def version_of(name: str) -> str:
    return dict(pins("requirements.lock"))[name]


REACT = frontend()["node_modules/react"]["version"]
REFLEX = version_of("reflex")
START = {"introduced": "0"}


@pytest.mark.parametrize(
    "said",
    [
        advisory("reflex", **between(START)),
        advisory("Reflex", **between(START, {"fixed": "9999"})),
        advisory("reflex", **between(START, {"last_affected": REFLEX})),
        advisory("reflex", **between({"introduced": REFLEX}, {"fixed": "9999"})),
        # Events need not stand in order.
        advisory("reflex", **between({"fixed": "0.0.2"}, {"introduced": "0.0.3"}, START)),
        advisory("reflex", versions=[REFLEX]),
        advisory("reflex"),
        advisory("react", "npm", **between(START, {"fixed": "9999.0.0"}, kind="SEMVER")),
        # What only developers have is looked at as well.
        advisory("pytest", **between(START)),
        advisory("@auth0/cose", "npm", **between(START, kind="SEMVER")),
    ],
)
def test_part_that_an_advisory_names_is_named(tmp_path: Path, said: dict[str, Any]):
    (tmp_path / "one.json").write_text(json.dumps(said), encoding="utf-8")
    found = supply("audit", tmp_path)
    assert found.returncode == 1
    assert found.stdout.startswith(said["affected"][0]["package"]["name"].lower() + " ")
    assert "EMK-1" in found.stdout


@pytest.mark.parametrize(
    "said",
    [
        advisory("reflex", **between(START, {"fixed": REFLEX})),
        advisory("reflex", **between(START, {"last_affected": "0.8.14"})),
        advisory("reflex", **between({"introduced": "9999"})),
        advisory("reflex", **between(START, {"fixed": "0.9"}, {"introduced": "9999"})),
        advisory("reflex", versions=["0.8.14"]),
        advisory("reflex", **between(START, kind="GIT"), versions=["0.8.14"]),
        advisory("reflex", "npm", **between(START, kind="SEMVER")),
        advisory("reflex-like", **between(START)),
        {**advisory("reflex", **between(START)), "withdrawn": "2026-01-01T00:00:00Z"},
        advisory("react", "npm", **between(START, {"fixed": f"{REACT}-rc.1"}, kind="SEMVER")),
    ],
)
def test_part_that_no_advisory_means_is_not_named(tmp_path: Path, said: dict[str, Any]):
    (tmp_path / "one.json").write_text(json.dumps([said]), encoding="utf-8")
    found = supply("audit", tmp_path)
    assert (found.returncode, found.stdout) == (0, "")


def test_advisory_is_read_from_a_zip_and_can_be_accepted(tmp_path: Path):
    said = {**advisory("reflex", **between(START)), "aliases": ["CVE-1"]}
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("EMK-1.json", json.dumps(said))
    assert supply("audit", path).returncode == 1
    assert supply("audit", "--but", "CVE-1", path).returncode == 0


def test_no_advisories_are_no_clean_bill(tmp_path: Path):
    assert supply("audit", tmp_path).returncode == 2


def test_nothing_that_we_know_of_is_against_our_parts():
    found = supply("audit", KNOWN)
    assert (found.returncode, found.stdout) == (0, "")
