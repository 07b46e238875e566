"""The two commands stand on files that must agree with each other and with the pinned Reflex."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from reflex_base.compiler.templates import vite_config_template
from reflex_base.config import BaseConfig
from reflex_base.constants.installer import PackageJson
from reflex_base.environment import EnvironmentVariables, environment

from emk_app import bundling, frontend

ROOT = frontend.ROOT
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-ocr.lock",
    "requirements-setup.lock",
)

RUNTIME = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
DEV = [Requirement(text) for text in PROJECT["project"]["optional-dependencies"]["dev"]]
OCR = [Requirement(text) for text in PROJECT["project"]["optional-dependencies"]["ocr"]]
SETUP = [Requirement(text) for text in PROJECT["dependency-groups"]["setup"]]


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*])?==([^ ;]+)", text, re.MULTILINE))


def unlocked(wanted: list[Requirement], name: str) -> list[str]:
    locked = pins(name)
    return [
        str(one)
        for one in wanted
        if not one.specifier.contains(locked.get(canonicalize_name(one.name), "0"))
    ]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))


def test_every_command_says_what_it_does():
    documented = set(re.findall(r"^([a-z0-9-]+):.*?## \S", MAKEFILE, re.MULTILINE))
    assert targets() - documented == set()
    assert documented == set(re.findall(r"^\.PHONY: ([a-z0-9-]+)$", MAKEFILE, re.MULTILINE))


def test_help_lists_every_command():
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.split()[1] for line in shown.stdout.splitlines()} == targets()


def test_readme_names_real_commands_only():
    named = set(re.findall(r"`make ([a-z0-9-]+)`", README))
    assert named <= targets()
    assert {"run", "test"} <= named


def test_readme_explains_every_variable():
    settings = (ROOT / "emk_app" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"(EMK_[A-Z_]+)"', settings))
    assert read == set(re.findall(r"^\| `(EMK_[A-Z_]+)`", README, re.MULTILINE))


def test_landing_runs_the_whole_suite():
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^test:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert re.search(r'"\$\(MAKE\) test-sqlite\b.*" "\$\(MAKE\) test-postgres\b.*"', recipe)


def test_of_what_runs_together_each_failure_fails_and_all_are_told():
    def run(*commands: str) -> tuple[int, str]:
        done = subprocess.run(
            [ROOT / ".ci" / "together", *commands], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    assert run("seq 2", "seq 10 15")[0] == 0
    for commands in (("seq 10 15; exit 3", "seq 2"), ("seq 2", "seq 10 15; exit 3")):
        code, told = run(*commands)
        assert code == 3
        assert {"1", "2", "10", "15"} <= set(told.splitlines())
        (failed,) = [commands.index(each) for each in commands if f"failed: {each}" in told]
        assert f"passed: {commands[1 - failed]}" in told.splitlines()[-2 + 1 - failed]
    assert "10" not in run("seq 2", "seq 10 15")[1].splitlines()


SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if path.is_file() and not path.suffix)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_is_sound(script: Path):
    assert script.stat().st_mode & 0o111
    assert re.search(r"^set -e?uo pipefail$", script.read_text(encoding="utf-8"), re.MULTILINE)
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_locks_are_in_step_with_the_project():
    assert unlocked(RUNTIME, "requirements.lock") == []
    assert unlocked(RUNTIME + DEV, "requirements-dev.lock") == []
    assert unlocked(RUNTIME + OCR, "requirements-ocr.lock") == []
    assert unlocked(SETUP, "requirements-setup.lock") == []


def test_developer_runs_the_versions_of_the_product():
    developer = pins("requirements-dev.lock")
    differing = {
        name: (version, developer.get(name))
        for name, version in pins("requirements.lock").items()
        if developer.get(name) != version
    }
    assert differing == {}
    assert pins("requirements-setup.lock").items() <= developer.items()


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(name: str):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_product_imports_declared_packages_only():
    declared = {canonicalize_name(one.name) for one in RUNTIME}
    extras = {
        "reader.py": {canonicalize_name(one.name) for one in OCR},
        "backends.py": {"python-pkcs11"},
    }
    owners = packages_distributions()
    undeclared = {
        (path.name, name)
        for path in (ROOT / "emk_app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in set(_imported(node)) - set(sys.stdlib_module_names) - {"emk_app"}
        # One place for each extra: the child that reads scans, the keys in a module.
        if not {canonicalize_name(owner) for owner in owners.get(name, [])}
        & (declared | extras.get(path.name, set()))
    }
    assert undeclared == set()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module.partition(".")[0]]
    return []


def test_names_we_set_are_still_names_of_reflex():
    known = {
        getattr(environment, name).name for name in vars(EnvironmentVariables) if name[0] != "_"
    }
    known |= {f"REFLEX_{name.upper()}" for name in BaseConfig.__dataclass_fields__}
    set_by_us = frontend.QUIET | frontend.BUILDING | frontend.SERVING | {frontend.UPLOADS: ""}
    assert set_by_us.keys() - known == set()


def test_names_we_set_still_mean_the_same(monkeypatch: pytest.MonkeyPatch):
    for name, value in (frontend.SERVING | frontend.BUILDING).items():
        monkeypatch.setenv(name, value)
    assert environment.REFLEX_SKIP_COMPILE.get()
    assert environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.get()
    assert environment.REFLEX_ENV_MODE.get() == "prod"
    assert environment.REFLEX_USE_NPM.get()


def folder_of(package: str) -> Path:
    found = find_spec(package)
    assert found is not None and found.origin is not None
    return Path(found.origin).parent


def test_reflex_still_reads_the_internal_names():
    folder = folder_of("reflex")
    for name, reader in (
        ("REFLEX_SKIP_COMPILE", "app.py"),
        ("REFLEX_MOUNT_FRONTEND_COMPILED_APP", "app.py"),
        ("REFLEX_USE_NPM", "utils/js_runtimes.py"),
    ):
        assert f"environment.{name}.get" in (folder / reader).read_text(encoding="utf-8")


def test_browser_talks_to_the_origin_of_the_page():
    folder = folder_of("reflex_base")
    stock = (folder / ".templates" / "web" / bundling.STATE_SCRIPT).read_text(encoding="utf-8")
    changed = bundling.own_socket(stock)
    assert "endpoint.port = window.location.port;" in changed
    assert 'endpoint.port = "";' not in changed
    assert f'socket.current.on("{bundling.MOVE}"' in changed
    assert bundling.CONNECTS_AGAIN in stock and bundling.CONNECTS_AGAIN not in changed
    assert bundling.LEAVES in stock and bundling.LEAVES not in changed
    assert bundling.own_socket(changed) == changed
    assert bundling.own_socket(changed.replace("again", "earlier")) == changed


def test_unknown_script_of_reflex_stops_the_build():
    with pytest.raises(bundling.ScriptChanged, match="frontend_hostname"):
        bundling.own_socket("export const getBackendURL = () => {};")


def test_browser_makes_no_code_of_text():
    folder = folder_of("reflex_base")
    stock = (folder / ".templates" / "web" / bundling.STATE_SCRIPT).read_text(encoding="utf-8")
    changed = bundling.own_socket(stock)
    assert re.search(r"\beval\b", stock) and not re.search(r"\beval\b", changed)
    assert changed.count("refused(") == len(bundling.EVALUATES.findall(stock))


def test_settings_of_vite_get_our_plugin_and_groups_once():
    stock = vite_config_template("/", False, False, False, False)
    changed = bundling.own_bundle(stock)
    assert "    emk(),\n" in changed and "...OUR_GROUPS,\n" in changed
    assert bundling.own_bundle(changed) == changed
    with pytest.raises(bundling.ScriptChanged, match="plugins"):
        bundling.own_bundle("export default {};")


def run_bundled(code: str) -> subprocess.CompletedProcess[str]:
    path = ROOT / "emk_app" / "bundled" / "vite.mjs"
    node = frontend.node_environment()
    return subprocess.run(
        ["node", "--input-type=module", "-e", f"import emk from '{path.as_uri()}';{code}"],
        env=os.environ | node,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "code", "refusal"),
    [
        ("app/a.jsx", 'jsx("path",{css:({ ["fill"] : "none" }),d:"M1"})', "use a class"),
        ("app_components/a.jsx", 'jsx("path", ({css:{ ["fill"] : "none" }}))', "use a class"),
        ("app/a.jsx", 'jsx("path",{fill:"none",className:"css:x"})', ""),
        ("utils/context.jsx", 'clientStorage = {"cookies": {"a": {}}}', "cookies"),
        ("utils/context.jsx", 'clientStorage = {"cookies": {}}', ""),
    ],
)
def test_what_the_bundle_no_longer_can_stops_the_build(name: str, code: str, refusal: str):
    ended = run_bundled(
        "emk().transform.call({ error(why) { throw new Error(why); } }, "
        f"{json.dumps(code)}, '/a/.web/{name}');"
    )
    assert bool(ended.returncode) == bool(refusal), ended.stderr
    assert refusal in ended.stderr


def test_package_that_stands_in_for_nothing_stops_the_build():
    bundled = "const own = emk(); const client = { environment: { name: 'client' }, error(why) "
    bundled += "{ throw new Error(why); } }; own.generateBundle.call(client);"
    ended = run_bundled(bundled)
    assert ended.returncode and "@emotion" in ended.stderr, ended.stderr


def frontend_lock() -> tuple[dict, dict]:
    return tuple(
        json.loads((ROOT / "reflex.lock" / name).read_bytes())
        for name in ("package.json", "package-lock.json")
    )


def test_frontend_lock_is_of_npm_alone():
    names = {path.name for path in (ROOT / "reflex.lock").iterdir()}
    assert names == {"package.json", "package-lock.json"}


def test_frontend_lock_is_kept_in_the_form_that_a_build_leaves():
    # Reflex's own form, which is here while a build runs, comes out different each time.
    for name, text in frontend._read_lock().items():
        assert (ROOT / "reflex.lock" / name).read_bytes() == text, f"{name}: run `make build`"


def test_form_of_the_frontend_lock_is_restored_though_nothing_is_built(tree: Path):
    (tree / "client").mkdir()
    (tree / "client" / "index.html").touch()
    (tree / ".build").mkdir()
    (tree / ".build" / "frontend.key").write_text(frontend.source_key(), encoding="ascii")
    (tree / "reflex.lock" / "package.json").write_text('{"first":1}', encoding="utf-8")
    assert frontend.build() is False
    assert (tree / "reflex.lock" / "package.json").read_bytes() == b'{\n  "first": 1\n}\n'


def test_frontend_lock_agrees_with_itself_and_with_reflex():
    package, locked = frontend_lock()
    for section in ("dependencies", "devDependencies"):
        assert locked["packages"][""][section] == package[section]
    wanted = PackageJson.DEPENDENCIES | PackageJson.DEV_DEPENDENCIES
    found = {name: locked["packages"][f"node_modules/{name}"]["version"] for name in wanted}
    assert found == {name: version.removeprefix("v") for name, version in wanted.items()}


def test_frontend_lock_has_what_rxconfig_pins():
    _, locked = frontend_lock()
    pinned = re.findall(r'"([@a-z/-]+)@([0-9.]+)"', (ROOT / "rxconfig.py").read_text("utf-8"))
    assert pinned
    for name, version in pinned:
        assert locked["packages"][f"node_modules/{name}"]["version"] == version


def test_frontend_packages_are_locked_by_strong_hashes_and_no_address():
    _, locked = frontend_lock()
    for name, package in locked["packages"].items():
        if name:
            kind, _, digest = package["integrity"].partition("-")
            assert kind == "sha512", name
            assert len(base64.b64decode(digest)) == 64, name
            assert "resolved" not in package, name


def test_npm_runs_no_scripts_of_packages():
    assert "ignore-scripts=true" in (ROOT / ".npmrc").read_text(encoding="utf-8").split()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "emk_app/pages/start.py",
        "assets/emk.js",
        "reflex.lock/package.json",
        "docs/a.md",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{\n  "first": 1\n}\n', encoding="utf-8")
    monkeypatch.setattr(frontend, "ROOT", tmp_path)
    monkeypatch.setattr(frontend, "BUILD", tmp_path / ".build")
    monkeypatch.setattr(frontend, "KEY", tmp_path / ".build" / "frontend.key")
    monkeypatch.setattr(frontend, "CLIENT", tmp_path / "client")
    monkeypatch.setattr(frontend, "LOCK", tmp_path / "reflex.lock")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["emk_app/pages/start.py", "assets/emk.js", "reflex.lock/package.json"]
)
def test_changed_source_asks_for_a_new_build(tree: Path, name: str):
    before = frontend.source_key()
    (tree / name).write_text("second", encoding="utf-8")
    assert frontend.source_key() != before


def test_moved_source_asks_for_a_new_build(tree: Path):
    before = frontend.source_key()
    (tree / "assets" / "emk.js").rename(tree / "assets" / "other.js")
    assert frontend.source_key() != before


def test_papers_ask_for_no_new_build(tree: Path):
    before = frontend.source_key()
    (tree / "docs" / "a.md").write_text("second", encoding="utf-8")
    assert frontend.source_key() == before


def test_fresh_frontend_is_not_built_again(tree: Path):
    (tree / "client").mkdir()
    (tree / "client" / "index.html").touch()
    (tree / ".build").mkdir()
    (tree / ".build" / "frontend.key").write_text(frontend.source_key(), encoding="ascii")
    assert frontend.build() is False


def test_build_without_lock_says_what_to_do(tree: Path):
    (tree / "reflex.lock" / "package.json").unlink()
    with pytest.raises(frontend.BuildFailed, match="make lock"):
        frontend.build()


def test_nothing_is_served_before_the_build(tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tree)
    with pytest.raises(frontend.NotBuilt, match="make build"):
        frontend.serve()
