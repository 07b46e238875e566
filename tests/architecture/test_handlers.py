"""The shape of everything that can be called from outside, checked."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from reflex_base.registry import RegistrationContext

from emk_app.edge.gate import FRAMEWORK, SHUT
from emk_app.edge.policy import Access, access_of
from emk_app.emk_app import ENDPOINTS
from emk_app.pages import site_map

CODE = sorted(Path("emk_app").rglob("*.py"))
STATES = sorted(Path("emk_app/states").glob("*.py"))
ALLOW = {"allow", "allow_anyone", "allow_signed_in"}
FORBIDDEN = {
    r"\brx\.toast\b": "needs eval, which our policy forbids: use states.session.say",
    r"\brx\.call_script\b|\brx\.call_function\b": "needs eval, which our policy forbids",
    r"\brx\.set_clipboard\b": "needs eval: use components.buttons.copy_button",
    r"\brx\.upload\b|\brx\.upload_files\b": "files go to our own authorised route",
    r"\bSharedState\b": "anybody who guesses its token is in (security.md 1.10)",
    r"\brx\.session\b|\brx\.Model\b": "services own the database",
    r"\brx\.Cookie\b|\brx\.LocalStorage\b|\brx\.SessionStorage\b": "browsers write what they like",
    r"\brx\.theme\b|\brx\.radix\b": "no Radix Themes (design.md 9)",
    r"\bdatetime\.now\(|\bdate\.today\(|\btime\.time\(": "the clock is read in clock.py alone",
}
EXEMPT = {("emk_app/clock.py", r"\bdatetime\.now\(|\bdate\.today\(|\btime\.time\(")}


def methods() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in STATES:
        for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bases = (
                {ast.unparse(base) for base in cls.bases} if isinstance(cls, ast.ClassDef) else ()
            )
            if not isinstance(cls, ast.ClassDef) or not any("State" in base for base in bases):
                continue
            for each in cls.body:
                if isinstance(
                    each, ast.FunctionDef | ast.AsyncFunctionDef
                ) and not each.name.startswith("_"):
                    yield f"{cls.name}.{each.name}", each


def decorators(method: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [ast.unparse(decorator).split("(")[0] for decorator in method.decorator_list]


METHODS = [pytest.param(name, method, id=name) for name, method in methods()]


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_public_method_of_a_state_is_declared(
    name: str, method: ast.FunctionDef | ast.AsyncFunctionDef
):
    """A public method without ``@rx.event`` is still callable by any browser."""
    said = decorators(method)
    assert said, f"{name} has no decorator"
    if said[0] == "rx.var":
        return
    assert said[0] == "rx.event", f"{name}: @rx.event stands first"
    assert set(said[1:]) & ALLOW, f"{name} does not say who may call it"


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_handler_for_somebody_asks_who_acts(
    name: str, method: ast.FunctionDef | ast.AsyncFunctionDef
):
    """The gate checks the role; only the service, given an actor, checks whose the thing is.

    A handler that touches no service (it only turns a page of its own state) needs no actor.
    """
    said = decorators(method)
    body = ast.unparse(method)
    if "rx.event" not in said or "allow_anyone" in said or "in_thread" not in body:
        return
    assert "actor_of(self)" in body or re.search(r"self\._\w+\(", body), name


def test_every_registered_handler_declares_its_callers():
    handlers = RegistrationContext.get().event_handlers
    ours = {
        name: registered
        for name, registered in handlers.items()
        if name not in FRAMEWORK and name.rsplit(".", 1)[-1] not in SHUT
    }
    assert len(ours) > 10
    for name, registered in ours.items():
        assert isinstance(access_of(registered.handler.fn), Access), name


def test_every_route_declares_its_callers_and_stands_once():
    assert all(isinstance(endpoint.access, Access) for endpoint in ENDPOINTS)
    places = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_forbidden_call_stands_nowhere(pattern: str):
    found = [
        f"{path}:{number}"
        for path in CODE
        if (path.as_posix(), pattern) not in EXEMPT
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line.split("#")[0]) and '"""' not in line
    ]
    assert found == [], FORBIDDEN[pattern]


def test_state_vars_hold_no_tables_and_no_secrets():
    """What a state holds is what a browser gets (D23)."""
    names = {
        path.stem for path in Path("emk_app/db/tables").glob("*.py") if path.stem != "__init__"
    }
    for path in STATES:
        imported = {
            node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module
        }
        assert not {f"emk_app.db.tables.{name}" for name in names} & imported, path


def test_commits_are_made_by_the_unit_of_work_alone():
    found = [
        path.as_posix()
        for path in CODE
        if path.name != "engine.py" and re.search(r"\.commit\(\)", path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_pages_begin_so_that_a_connection_may_come_back():
    # What begins otherwise loses what was chosen each time the connection is lost (0045).
    careless = set[str]()
    for page in site_map.PAGES:
        for opening in page.on_load:
            handler = getattr(opening, "handler", opening)
            source = inspect.getsource(handler.fn)
            if re.search(r"\bself\.reset\(|\bhush\(self\)", source):
                careless.add(handler.fn.__qualname__)
    assert not careless
