"""What can be called from outside is what ``docs/access.md`` says, and asks what it says."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from reflex_base.registry import RegistrationContext

from emk_app.domain.actors import Role
from emk_app.edge.gate import FRAMEWORK, SHUT
from emk_app.edge.policy import Access, access_of
from emk_app.emk_app import ENDPOINTS
from tests.access import by_call

TABLE = by_call()
HANDLERS = {
    f"{fn.__module__.removeprefix('emk_app.states.')}.{fn.__qualname__}": fn
    for name, registered in RegistrationContext.get().event_handlers.items()
    if name not in FRAMEWORK and name.rsplit(".", 1)[-1] not in SHUT
    for fn in [registered.handler.fn]
}
ROUTES = {f"{endpoint.method} {endpoint.path}": endpoint for endpoint in ENDPOINTS}
SERVICES = sorted(Path("emk_app/services").glob("[a-z]*.py"))
ACCOUNT = {"accounts", "factors", "passkeys", "reaching", "securing"}
"""Services that every role uses for its own account, whose number only the actor gives."""
ASKING = {"permit", "permit_position", "permit_post", "permit_fresh"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def declared(call: str) -> Access:
    return (
        ROUTES[call].access if call in ROUTES else access_of(HANDLERS[call]) or Access(frozenset())
    )


def test_table_names_every_handler_and_route_and_no_other():
    there_are = HANDLERS.keys() | ROUTES.keys()
    assert there_are - TABLE.keys() == set(), "say in docs/access.md who may call these"
    assert TABLE.keys() - there_are == set(), "docs/access.md names what is no longer there"


def test_calls_declare_what_the_table_says():
    said = {
        call: (access.is_open, {role for role in Role if access.admits(role)} - {Role.SYSTEM})
        for call in HANDLERS.keys() | ROUTES.keys()
        for access in [declared(call)]
    }
    assert said == {call: (row.is_open, set(row.roles)) for call, row in TABLE.items()}


def test_nobody_signs_in_as_the_system():
    assert not [
        call for call in TABLE if not TABLE[call].is_open and declared(call).admits(Role.SYSTEM)
    ]


@cache
def functions(path: str) -> dict[str, Function]:
    """Return the functions of a module, and of its classes as ``Class.method``."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    found: dict[str, Function] = {}
    for node in tree.body:
        if isinstance(node, Function):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{x.name}": x for x in node.body if isinstance(x, Function)}
    return found


@cache
def modules(path: str) -> dict[str, str]:
    """Return the services that a module imports: the name there, and the file."""
    return {
        alias.asname or alias.name: f"emk_app/services/{alias.name}.py"
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "emk_app.services"
        for alias in node.names
    }


@cache
def mentions(path: str, name: str) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """Return which of ``permit...`` a function names, and what functions of ours it may call."""
    function = functions(path).get(name)
    if function is None:
        return frozenset(), ()
    nodes = list(ast.walk(function))
    variables = {
        each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    asked: set[str] = set()
    called: list[tuple[str, str]] = []
    for node in nodes:
        if isinstance(node, ast.Name) and node.id not in variables:
            asked |= {node.id} & ASKING
            called.append((path, node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "self":
                called.append((path, f"{name.rpartition('.')[0]}.{node.attr}"))
            elif node.value.id in modules(path):
                called.append((modules(path)[node.value.id], node.attr))
    return frozenset(asked), tuple(called)


def asks(path: str, name: str) -> set[str]:
    """Return which of ``permit...`` a function asks, by itself or by what it calls."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(path, name)]
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            asked, called = mentions(*place)
            found |= asked
            waiting.extend(called)
    return found


def test_fresh_factor_is_asked_for_where_the_table_says():
    """Asking for the code beforehand is manners; a service is what refuses without one."""
    asked = {
        call
        for call in HANDLERS
        for module, name in [call.split(".", 1)]
        if "permit_fresh" in asks(f"emk_app/states/{module}.py", name)
    }
    for call, endpoint in ROUTES.items():
        path = endpoint.answer.__module__.replace(".", "/") + ".py"
        if "permit_fresh" in asks(path, getattr(endpoint.answer, "__name__", "")):
            asked.add(call)
    assert asked == {call for call, row in TABLE.items() if row.is_fresh}


def test_every_use_case_asks_what_its_actor_may():
    """The gate is the first lock, not the only one: a service is closed by itself."""
    silent = set[str]()
    for path in SERVICES:
        for name, function in functions(path.as_posix()).items():
            taken = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
            is_use_case = name[0] != "_" and taken[:1] == ["actor"]
            is_own = path.stem in ACCOUNT and "user_id" not in taken
            if is_use_case and not is_own and not asks(path.as_posix(), name):
                silent.add(f"{path.stem}.{name}")
    # They note a look that was permitted where it was had, and what the gate has refused.
    assert silent == {"auditing.look", "auditing.denied"}
