"""What is another's looks, to every handler, as if it did not exist; and stays as it was."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext
from sqlmodel import SQLModel, select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Role
from emk_app.pages.site_map import PAGES
from emk_app.states.session import MessageState
from tests.access import EVERYBODY, Whose, by_call
from tests.foreign import NOBODYS, make_others, make_somebody
from tests.states.conftest import Screen, Screens

HANDLERS = RegistrationContext.get().event_handlers
NAMED = {
    f"{fn.__module__.removeprefix('emk_app.states.')}.{fn.__qualname__}": name
    for name, registered in HANDLERS.items()
    for fn in [registered.handler.fn]
}
SEEN = {
    Role.HOLDER: (
        "dashboard.CaseState.open",
        "visits.VisitsState.follow",
        "notices.NoticesState.read",
        "identities.IdentityState.withdraw",
        "book.BookState.close_link",
        "records.RecordsState.close_handover",
        "records.RecordsState.end",
        "employer.EmployersState.end",
        "support.SupportState.open",
    ),
    Role.EMPLOYER: ("employer.EmployerState.remove",),
    Role.CLINIC: (
        "clinic.DayState.find",
        "clinic.ExaminationState.follow",
        "clinic.ExaminationState.vaccinate",
    ),
}
ROOT = "reflex___state____state"
TOUCHED = {
    *("sessions", "throttles", "audit_entries"),
    *("tracking_sequences", "book_sequences", "clinic_counts"),
}
"""Tables in which being there, trying, and every new thing leave marks."""
WORDED = {
    "ref": "1" * 32,
    "ticket": "10000000",
    "clinic_id": "1",
    "code": "bp",
    "part": "studies",
    "kind": "passport",
}


def paths() -> dict[str, str]:
    """Return the page with an argument of each state, or any page of it."""
    found: dict[str, str] = {}
    for page in sorted(PAGES, key=lambda page: "[" in page.route):
        for event in page.on_load:
            handler = getattr(event, "handler", event)
            found[handler.fn.__qualname__.split(".")[0]] = page.route
    return found


PATHS = paths()
FOLLOWING = {"clinic.ExaminationState.follow", "visits.VisitsState.follow"}
OWN = [
    (role, call)
    for call, row in by_call().items()
    if "/" not in call
    and not row.is_open
    # One's own account has no other number than the session's, of which test_security tells.
    and len(row.roles) < len(EVERYBODY)
    # In the background, what a page shows of a thing; the rest of it is shown no thing.
    and (call in FOLLOWING or not HANDLERS[NAMED[call]].handler.is_background)
    for role, whose in row.roles.items()
    if whose is Whose.OWN
]


def arguments(name: str, things: Mapping[str, str]) -> dict[str, Any]:
    """Return arguments that name the things; a form names all of them."""
    given: dict[str, Any] = {}
    for key, each in inspect.signature(HANDLERS[name].handler.fn).parameters.items():
        if key == "self":
            continue
        said = {**WORDED, **things}.get("number" if key == "slug" else key, "1")
        match str(each.annotation):
            case "int":
                given[key] = int(said) if said.isdigit() else 1
            case "bool":
                given[key] = True
            case "dict[str, Any]":
                given[key] = {**things, "query": things["number"], "slug": things["number"]}
            case _:
                given[key] = said
    return given


def stored() -> dict[str, set[str]]:
    """Return every row of every table but those where trying leaves marks."""
    with reading() as db:
        read = db.connection().execute
        return {
            table.name: {repr(tuple(row)) for row in read(sa.select(table))}
            for table in SQLModel.metadata.sorted_tables
            if table.name not in TOUCHED
        }


def told_of(holder: Actor) -> int:
    """Return how many entries of the audit are about the holder: nobody saw anything of theirs."""
    with reading() as db:
        return len(db.exec(select(AuditEntry).where(AuditEntry.subject_id == holder.user_id)).all())


async def tried(
    screens: Screens,
    who: Actor,
    call: str,
    things: Mapping[str, str],
    instead: Mapping[str, str] = NOBODYS,
) -> str:
    """Call the handler in a new tab, on its page of the thing; return all that came of it."""
    name = NAMED[call]
    route = PATHS.get(call.split(".")[1], "/cabinet")
    query = {
        "number_arg": things["number"],
        "examination_arg": things["examination_id"],
        "ref_arg": things["ref"],
    }
    screen = await screens.signed_in(who.user_id)
    event = Event(name=name, payload=arguments(name, things))
    if HANDLERS[name].handler.is_background:
        await followed(screen, event, route, query)
    else:
        await screen.send(event, route, **query)
    shown: dict[str, dict[str, Any]] = {}
    for update in screen.shown:
        for state, said in update.items():
            shown.setdefault(state, {}).update(said)
    # What the tab says of its own address is what it was given; an error is compared below.
    for state in (ROOT, *([MessageState.get_full_name()] if screen.errors else [])):
        shown.pop(state, None)
    came = json.dumps(
        [shown, screen.gone_to, [repr(error) for error in screen.errors]],
        ensure_ascii=False,
        default=repr,
        sort_keys=True,
    )
    for thing in [each for each in things.values() if len(each) > len("999999")]:
        came = came.replace(thing, "…")
    # A screen may keep the number it was given, which its next event sends back.
    numbers = [value for value in event.payload.values() if type(value) is int]
    if things is NOBODYS and numbers:
        echoed = next(v for v in arguments(name, instead).values() if type(v) is int)
        came = came.replace(f'": {numbers[0]}', f'": {echoed}')
    return came


async def followed(screen: Screen, event: Event, route: str, query: dict[str, str]) -> None:
    await screen.follow(event, route, **query)
    state = HANDLERS[event.name].handler.state_full_name
    for kind in _states():
        if kind.get_full_name() == state and hasattr(kind, "is_loaded"):
            await screen.until(kind, lambda found: found.is_loaded)


def _states() -> list[Any]:
    from reflex.state import State

    waiting, found = [State], []
    while waiting:
        found.append(waiting.pop())
        waiting.extend(found[-1].get_substates())
    return found


@pytest.mark.parametrize("role", [Role.HOLDER, Role.CLINIC, Role.EMPLOYER])
async def test_foreign_thing_and_missing_thing_are_one_to_every_handler(
    screens: Screens, role: Role
):
    now = clock.now()
    somebody = make_somebody(now)
    before, known = stored(), told_of(somebody.holder)
    others = make_others(now)
    for call in [call for whom, call in OWN if whom is role]:
        for other in others[role]:
            foreign = await tried(screens, other, call, somebody.names)
            missing = await tried(screens, other, call, NOBODYS, somebody.names)
            assert foreign == missing, (call, other)
    # Others change what is theirs; what was there before them stands as it stood.
    after = stored()
    assert {name: rows - after[name] for name, rows in before.items() if rows - after[name]} == {}
    assert told_of(somebody.holder) == known
    for call in SEEN[role]:
        # The things are there: to their owner they are not as if they were missing.
        who = somebody.actor(role)
        own = await tried(screens, who, call, somebody.names)
        assert own != await tried(screens, who, call, NOBODYS, somebody.names), call
