"""Sensitive acts want a second factor of the last five minutes (D13): each is tried without."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import pytest
from reflex_base.event import Event

from emk_app import clock
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.errors import FreshFactorNeeded
from emk_app.services import accounts
from emk_app.states.clinic import ExaminationState
from tests import factories
from tests.access import EVERYBODY, by_call
from tests.api.test_scans import cookie_of
from tests.edge.test_routes import ask
from tests.foreign import Somebody, make_somebody
from tests.states.conftest import Screens
from tests.states.test_foreign import NAMED, PATHS, arguments, stored

JSON: Final = {"content-type": "application/json"}
SENSITIVE: Final = [call for call, row in by_call().items() if row.is_fresh]
STALE: Final = timedelta(minutes=6)
FORMS: Final[dict[str, dict[str, Any]]] = {
    "clinic.ExaminationState.conclude": {"fitness": "fit"},
    "contacts.ContactsState.remove": {"removed": "email"},
    "records.RecordsState.hand_over": {
        "receiver": "СК «Надежда»",
        "purpose": "insurance",
        "handover_scope": "verdict",
        "days": "1",
        "consent": "on",
    },
}
"""What a form has to say to come as far as the factor."""
BODIES: Final = {
    "POST /api/passkeys/add": {
        "id": "x",
        "rawId": "x",
        "type": "public-key",
        "response": {"clientDataJSON": "x", "attestationObject": "x", "transports": []},
    }
}
SECOND_PRESS: Final = {
    "clinic.ExaminationState.conclude",
    "clinic.ExaminationState.withdraw_conclusion",
}
"""What acts on the case that the screen has shown before."""


def acting(role: Role, somebody: Somebody, now: datetime) -> Actor:
    """Return who may do everything that the role may."""
    match role:
        case Role.CLINIC:
            assert somebody.physician.clinic_id is not None
            return factories.make_physician(somebody.physician.clinic_id, now, Position.CHAIR)
        case Role.OPERATOR:
            return factories.make_operator(now)
        case Role.ADMIN:
            return factories.make_admin(now)
        case Role.SUPPORT:
            return make_supporter(now)
        case _:
            return somebody.actor(role)


def make_supporter(now: datetime) -> Actor:
    """Return one of support."""
    user_id = accounts.create_user(
        Role.SUPPORT, "desk@example.ru", factories.PASSWORD, totp_secret=factories.SECRET, now=now
    )
    return Actor(user_id, Role.SUPPORT)


@contextmanager
def refusals(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Count how often a fresh factor is missed."""
    missed: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(
            FreshFactorNeeded, "__init__", lambda *_: missed.append("missed"), raising=False
        )
        yield missed


async def called(screens: Screens, who: Actor, call: str, names: Any, factor_at: datetime) -> None:
    """Call a handler in a new tab, or a route, in a session that gave the factor then."""
    if "/" in call:
        method, path = call.split(" ")
        cookie = cookie_of(who, factor_at)["cookie"].removeprefix("emk_sid=")
        body = msgspec.json.encode(BODIES[call]) if call in BODIES else None
        await asyncio.to_thread(
            ask, method, path.format_map(names), cookie, given=JSON, content=body
        )
        return
    screen = await screens.signed_in(who.user_id, factor_at=factor_at)
    name = NAMED[call]
    payload = arguments(name, names)
    if "form" in payload:
        payload["form"] |= FORMS.get(call, {})
    route = PATHS.get(call.split(".")[1], "/cabinet")
    query = {"number_arg": names["number"], "examination_arg": names["examination_id"]}
    event = Event(name=name, payload=payload)
    if call in SECOND_PRESS:
        await screen.send(event, route, **query)
        async with screen.changing(ExaminationState) as state:
            state.is_confirming = True
    await screen.send(event, route, ref_arg=names["ref"], **query)


@pytest.mark.parametrize("role", sorted(EVERYBODY))
async def test_sensitive_act_is_refused_without_a_fresh_factor_and_changes_nothing(
    screens: Screens, role: Role, monkeypatch: pytest.MonkeyPatch
):
    now = clock.now()
    somebody = make_somebody(now)
    who = acting(role, somebody, now)
    # The screen asks by itself before; the service has to refuse all the same.
    monkeypatch.setattr("emk_app.states.session.is_fresh", lambda _: True)
    calls = [call for call in SENSITIVE if role in by_call()[call].roles]
    before = stored()
    silent: list[str] = []
    for call in calls:
        with refusals(monkeypatch) as missed:
            await called(screens, who, call, somebody.names, now - STALE)
        if not missed:
            silent.append(call)
        after = stored()
        changed = {each for each in before if before[each] != after[each]}
        assert not changed, (call, changed)
    assert silent == []
    for call in calls:
        with refusals(monkeypatch) as missed:
            await called(screens, who, call, somebody.names, clock.now())
        assert not missed, call
