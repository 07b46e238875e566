"""What we are made of, by the locks, and what is known against it.

    supply.py sbom > sbom.json          the list of parts, CycloneDX 1.6
    supply.py audit [--but ID]... PATH  what advisories in OSV format say: a folder, a zip, a file

Reads the locks and the advisories, and nothing else: neither what is installed nor the network.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT: Final = Path(__file__).resolve().parents[1]
PRODUCT: Final = "emk-online"
RUNTIME: Final = "requirements.lock"
OPTIONAL: Final = "requirements-ocr.lock"
TOOLS: Final = ("requirements-dev.lock", "requirements-setup.lock")
PAGES: Final = "reflex.lock/package-lock.json"
JUDGES: Final = "tests/judges/package-lock.json"
NAMESPACE: Final = uuid.UUID("6f0e6c5e-6f6b-5c55-9f0e-0a9d6a3b5f31")


@dataclass(frozen=True)
class Part:
    """One locked package."""

    ecosystem: str
    """As OSV names it: ``PyPI`` or ``npm``."""
    name: str
    version: str
    hashes: tuple[str, ...] = ()
    """Hexadecimal: SHA-256 of each file of PyPI, SHA-512 of npm's one."""
    licence: str = ""
    is_tool: bool = False
    """Needed to build the pages, and in them only as far as the build takes it in."""
    is_direct: bool = field(default=False, compare=False)
    """We ask for it ourselves."""
    needs: tuple[str, ...] = field(default=(), compare=False)
    """Keys of other parts."""

    @property
    def key(self) -> str:
        """Return the name that no other part has."""
        return str(self.url)

    @property
    def url(self) -> PackageURL:
        """Return the package URL."""
        scope, _, name = self.name.rpartition("/")
        return PackageURL(self.ecosystem.lower(), scope or None, name, self.version)


def python_parts(text: str) -> list[Part]:
    """Return the packages of a lock of uv; who needs whom stands there as ``via``."""
    found: list[Part] = []
    wanted_by: dict[str, list[str]] = {}
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        pin = re.match(r"([a-z0-9.-]+)(?:\[[^]]*])?==([^\s;]+)", block)
        if pin is None:
            raise ValueError(f"not a pin: {block.splitlines()[0]}")
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
        part = Part("PyPI", canonicalize_name(pin[1]), pin[2], hashes)
        found.append(part)
        for name in re.findall(r"^ +#(?: via)? +([a-z0-9.-]+)", block, re.MULTILINE):
            wanted_by.setdefault(name, []).append(part.key)
    direct = wanted_by.get(PRODUCT, ())
    return [
        replace(part, is_direct=part.key in direct, needs=tuple(wanted_by.get(part.name, ())))
        for part in found
    ]


def npm_parts(lock: Mapping[str, Any]) -> list[Part]:
    """Return the packages of a lock of npm."""
    places: dict[str, Any] = {place: said for place, said in lock["packages"].items() if place}
    root = lock["packages"][""]
    asked = {**root.get("dependencies", {}), **root.get("devDependencies", {})}
    parts = {place: _npm_part(place, said) for place, said in places.items()}
    found: dict[str, Part] = {}
    for place, said in places.items():
        wanted = {**said.get("dependencies", {}), **said.get("optionalDependencies", {})}
        needs = {parts[at].key for name in wanted if (at := _resolved(place, name, places))}
        # The same version may lie at several places, and a place decides what it finds.
        before = found.get(parts[place].key, parts[place])
        part = replace(
            before,
            is_direct=before.is_direct or place.removeprefix("node_modules/") in asked,
            needs=tuple(sorted({*before.needs, *needs})),
            is_tool=before.is_tool and parts[place].is_tool,
        )
        found[part.key] = part
    return list(found.values())


def _npm_part(place: str, said: Mapping[str, Any]) -> Part:
    name = said.get("name", place.rpartition("node_modules/")[2])
    digest = _hexadecimal(said["integrity"])
    is_tool = bool(said.get("dev") or said.get("devOptional"))
    return Part("npm", name, said["version"], (digest,), said.get("license", ""), is_tool)


def _hexadecimal(integrity: str) -> str:
    kind, _, digest = integrity.partition("-")
    if kind != "sha512":
        raise ValueError(f"not SHA-512: {integrity}")
    return base64.b64decode(digest, validate=True).hex()


def _resolved(place: str, name: str, places: Mapping[str, Any]) -> str | None:
    """Return where npm finds ``name`` for the package at ``place``: beside it, or further up."""
    while True:
        near = f"{place}/node_modules/{name}" if place else f"node_modules/{name}"
        if near in places:
            return near
        if not place:
            return None
        place = place.rpartition("/node_modules/")[0] if "/node_modules/" in place else ""


def product() -> dict[str, Part]:
    """Return what the product is made of, by key; what only its developers use is not in it."""
    runtime = python_parts(_text(RUNTIME))
    extra = python_parts(_text(OPTIONAL))
    pages = npm_parts(json.loads(_text(PAGES)))
    return {each.key: each for each in (*extra, *runtime, *pages)}


def everything() -> set[Part]:
    """Return every locked package, those of developers too."""
    python = (RUNTIME, OPTIONAL, *TOOLS)
    found = {each for name in python for each in python_parts(_text(name))}
    return found | {each for name in (PAGES, JUDGES) for each in npm_parts(json.loads(_text(name)))}


def bill() -> str:
    """Return the list of parts: the same bytes for the same locks."""
    parts = product()
    optional = {each.key for each in python_parts(_text(OPTIONAL))}
    optional -= {each.key for each in python_parts(_text(RUNTIME))}
    root = Component(name=PRODUCT, type=ComponentType.APPLICATION, bom_ref=PRODUCT)
    components = {key: _component(part, key in optional) for key, part in parts.items()}
    bom = Bom(components=components.values())
    bom.metadata.component = root
    needs = [
        Dependency(components[key].bom_ref, [_on(components, each) for each in part.needs])
        for key, part in parts.items()
    ]
    tops = [_on(components, key) for key, part in parts.items() if part.is_direct]
    bom.dependencies.update([Dependency(root.bom_ref, tops), *needs])
    bom.serial_number = uuid.uuid5(NAMESPACE, "\n".join(sorted(parts)))
    said = json.loads(JsonV1Dot6(bom).output_as_string())
    # The time of making says nothing that the locks do not, and differs each time.
    said["metadata"].pop("timestamp", None)
    return json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _on(components: Mapping[str, Component], key: str) -> Dependency:
    return Dependency(components[key].bom_ref)


def _component(part: Part, is_optional: bool) -> Component:
    scope, _, name = part.name.rpartition("/")
    kind = HashAlgorithm.SHA_256 if part.ecosystem == "PyPI" else HashAlgorithm.SHA_512
    home = "https://pypi.org/project/" if part.ecosystem == "PyPI" else "https://npmjs.com/package/"
    source = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"{home}{part.name}"),
        # Each file of the version has its own; one of them is what is installed.
        hashes=[HashType(alg=kind, content=each) for each in part.hashes],
    )
    return Component(
        name=name,
        group=scope or None,
        version=part.version,
        type=ComponentType.LIBRARY,
        bom_ref=part.key,
        purl=part.url,
        scope=ComponentScope.EXCLUDED
        if part.is_tool
        else ComponentScope.OPTIONAL
        if is_optional
        else ComponentScope.REQUIRED,
        licenses=[LicenseExpression(part.licence)] if part.licence else [],
        external_references=[source],
    )


def advisories(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the advisories of a folder, of a zip, or of one file."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            texts = [archive.read(each) for each in archive.namelist() if each.endswith(".json")]
    else:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        texts = [each.read_bytes() for each in files]
    for text in texts:
        said = json.loads(text)
        yield from said if isinstance(said, list) else [said]


def known_against(parts: Iterable[Part], known: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each part that an advisory names."""
    by_name: dict[tuple[str, str], set[Part]] = {}
    for part in parts:
        by_name.setdefault((part.ecosystem, part.name), set()).add(part)
    found: set[str] = set()
    for advisory in known:
        if advisory.get("withdrawn"):
            continue
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            name = package.get("name", "")
            if package.get("ecosystem") == "PyPI":
                name = canonicalize_name(name)
            for part in by_name.get((package.get("ecosystem", ""), name), ()):
                if _is_hit(part, affected):
                    names = " ".join([advisory["id"], *advisory.get("aliases", ())])
                    summary = advisory.get("summary", "")
                    found.add(f"{part.name} {part.version}: {names}: {summary}")
    return sorted(found)


def _is_hit(part: Part, affected: Mapping[str, Any]) -> bool:
    if part.version in affected.get("versions", ()):
        return True
    order = _python_order if part.ecosystem == "PyPI" else _npm_order
    ranges = [each for each in affected.get("ranges", ()) if each.get("type") != "GIT"]
    if not ranges and not affected.get("versions"):
        # Named without a version: every one.
        return True
    return any(_is_within(part.version, each["events"], order) for each in ranges)


def _is_within(version: str, events: Iterable[Mapping[str, str]], order: Any) -> bool:
    """Apply OSV's evaluation: events in order of versions, the last that counts decides."""
    at = order(version)
    steps = [(kind, order(said)) for each in events for kind, said in each.items()]
    is_hit = False
    for kind, said in sorted(steps, key=lambda step: (step[1], step[0] == "introduced")):
        if kind == "introduced" and said <= at:
            is_hit = True
        elif (kind == "fixed" and said <= at) or (kind == "last_affected" and said < at):
            is_hit = False
    return is_hit


def _python_order(said: str) -> Version:
    try:
        return Version(said)
    except InvalidVersion:
        return Version("0")


def _npm_order(said: str) -> tuple[Any, ...]:
    """Order as semver.org 11 does: a version before which something stands comes before it."""
    numbers, _, before = said.partition("+")[0].partition("-")
    release = tuple(int(each) if each.isdigit() else 0 for each in numbers.split("."))
    release += (0,) * (3 - len(release))
    # Numbers stand before words, and fewer fields before more.
    fields = tuple((0, int(e), "") if e.isdigit() else (1, 0, e) for e in before.split("."))
    return (*release, 0 if before else 1, fields if before else ())


def audit(paths: Iterable[Path], but: Iterable[str]) -> int:
    """Say what is known against our parts; return the exit status."""
    known = [each for path in paths for each in advisories(path)]
    if not known:
        print("no advisories there", file=sys.stderr)
        return 2
    accepted = set(but)
    counted = [each for each in known if not accepted & {each["id"], *each.get("aliases", ())}]
    found = known_against(everything(), counted)
    newest = max((each.get("modified", "") for each in known), default="")
    for line in found:
        print(line)
    print(f"{len(known)} advisories up to {newest[:10]}, {len(found)} hit", file=sys.stderr)
    return 1 if found else 0


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the commands; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sbom")
    checking = commands.add_parser("audit")
    checking.add_argument("paths", nargs="+", type=Path)
    checking.add_argument("--but", action="append", default=[], metavar="ID")
    given = parser.parse_args(argv)
    if given.command == "sbom":
        sys.stdout.write(bill())
        return 0
    return audit(given.paths, given.but)


if __name__ == "__main__":
    sys.exit(main())
