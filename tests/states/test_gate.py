"""The gate before every handler: who is let through, and what the others get, which is nothing."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext
from sqlmodel import col, select

from emk_app import clock
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.people import User, UserSession
from emk_app.domain.actors import Position, Role
from emk_app.edge import cookies, gate
from emk_app.edge.cookies import Caller, Standing
from emk_app.edge.gate import BOOT, FRAMEWORK
from emk_app.edge.policy import Undeclared, access_of
from emk_app.emk_app import app
from emk_app.services import accounts
from emk_app.states.apply import ClinicSearchState
from emk_app.states.dashboard import DashboardState
from emk_app.states.review import QueueState
from emk_app.states.session import PersonState
from tests.access import by_call
from tests.factories import PASSWORD, SECRET, make_clinic, make_holder, make_received
from tests.states.conftest import Screen, Screens

HANDLERS = RegistrationContext.get().event_handlers
ROLES = [role for role in Role if role is not Role.SYSTEM]
HYDRATE = "reflex___state____state.hydrate"


TABLE = by_call()


def admitted(name: str, role: Role | None) -> bool:
    """Whether ``docs/access.md`` lets the role call the handler; it names none of the framework."""
    fn = HANDLERS[name].handler.fn
    row = TABLE.get(f"{fn.__module__.removeprefix('emk_app.states.')}.{fn.__qualname__}")
    return row is not None and (row.is_open or role in row.roles)


def arguments_of(name: str) -> dict[str, Any]:
    """Return arguments of the right types, as a forger who knows the handler would send."""
    values: dict[str, Any] = {"int": 1, "bool": True, "dict[str, Any]": {"code": "1"}}
    parameters = inspect.signature(HANDLERS[name].handler.fn).parameters.items()
    return {key: values.get(str(each.annotation), "1") for key, each in parameters if key != "self"}


def make_user(role: Role) -> int:
    staff: dict[str, Any] = {}
    if role is Role.CLINIC:
        staff = {"clinic_id": make_clinic(), "position": Position.CHAIR}
    return accounts.create_user(
        role,
        f"{role}@example.ru",
        PASSWORD,
        totp_secret=SECRET,
        name="Кедров Лев Львович",
        now=clock.now(),
        **staff,
    )


def change_session(user_id: int, **values: Any) -> None:
    with unit_of_work() as db:
        db.exec(sa.update(UserSession).where(col(UserSession.user_id) == user_id).values(**values))


def seen_at(user_id: int) -> datetime:
    with reading() as db:
        query = select(UserSession.last_seen_at).where(UserSession.user_id == user_id)
        return db.exec(query).one()


async def refused(screen: Screen, name: str) -> str | None:
    """Send an event that must not pass; return where the tab was sent instead."""
    shown, sent = len(screen.shown), len(screen.sent)
    await screen.forge(name, "/nowhere", **arguments_of(name))
    assert screen.errors == []
    assert screen.shown[shown:] == [], name
    return screen.gone_to if len(screen.sent) > sent else None


@pytest.mark.parametrize("role", [None, *ROLES])
async def test_handler_is_closed_to_everybody_it_does_not_name(
    screens: Screens, role: Role | None, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO", "emk.gate")
    screen = await (screens.signed_in(make_user(role)) if role else screens.stranger())
    closed = [name for name in HANDLERS if name not in FRAMEWORK and not admitted(name, role)]
    assert len(closed) > 20
    for name in closed:
        declared = access_of(HANDLERS[name].handler.fn) is not None
        gone_to = await refused(screen, name)
        assert gone_to == (("/forbidden" if role else "/login") if declared else None), name
        if declared:
            assert caplog.messages[-1] == f"refused {name} for {role or 'nobody'}"


async def test_session_that_has_ended_opens_nothing_at_all(screens: Screens):
    user_id = make_user(Role.HOLDER)
    screen = await screens.signed_in(user_id)
    await screen.send(PersonState.load, "/cabinet")
    assert (await screen.state(PersonState)).name
    change_session(user_id, revoked_at=clock.now())
    for name in [*HANDLERS, HYDRATE]:
        assert await refused(screen, name) == "/ended", name


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "signed_in",
        "signed_in." + "a" * 64,
        "signed_in." + "a" * 64 + "." + "b" * 64,
        "stranger.." + "0" * 64,
        "admin." + "a" * 64 + ".",
    ],
)
async def test_reference_the_guard_never_wrote_opens_nothing(screens: Screens, reference: str):
    screen = await screens.intruder(reference)
    for name in (HYDRATE, BOOT, f"{PersonState.get_full_name()}.load"):
        assert await refused(screen, name) == "/ended", name


async def test_sealed_reference_to_a_session_that_never_was_opens_nothing(screens: Screens):
    screen = await screens.intruder(cookies.pack(Caller(Standing.SIGNED_IN, "a" * 64)))
    assert await refused(screen, HYDRATE) == "/ended"


@pytest.mark.parametrize(
    "change",
    [{"disabled_at": datetime(2026, 1, 1, tzinfo=UTC)}, {"role": Role.HOLDER}],
    ids=["disabled", "another role"],
)
async def test_change_of_a_person_counts_from_the_next_event(
    screens: Screens, change: dict[str, Any]
):
    user_id = make_user(Role.OPERATOR)
    screen = await screens.signed_in(user_id)
    await screen.send(QueueState.open, "/review")
    assert screen.gone_to is None
    with unit_of_work() as db:
        db.exec(sa.update(User).where(col(User.id) == user_id).values(**change))
    gone_to = await refused(screen, f"{QueueState.get_full_name()}.open")
    assert gone_to == ("/ended" if "disabled_at" in change else "/forbidden")


@pytest.mark.parametrize("role", [Role.HOLDER, Role.OPERATOR])
async def test_session_nobody_used_for_too_long_is_over(screens: Screens, role: Role):
    idle = timedelta(minutes=30 if role is Role.HOLDER else 15)
    user_id = make_user(role)
    screen = await screens.signed_in(user_id)
    change_session(user_id, last_seen_at=clock.now() - idle + timedelta(minutes=1))
    await screen.send(PersonState.load, "/cabinet")
    assert screen.gone_to is None
    change_session(user_id, last_seen_at=clock.now() - idle)
    assert await refused(screen, f"{PersonState.get_full_name()}.load") == "/ended"


async def test_session_of_twelve_hours_is_over_though_it_is_used(screens: Screens):
    user_id = make_user(Role.HOLDER)
    screen = await screens.signed_in(user_id)
    change_session(user_id, expires_at=clock.now())
    assert await refused(screen, f"{PersonState.get_full_name()}.load") == "/ended"


async def test_only_what_a_person_does_keeps_the_session_alive(screens: Screens):
    """A screen that follows changes must not keep a door open that nobody stands in (D12)."""
    user_id = make_user(Role.HOLDER)
    screen = await screens.signed_in(user_id)
    long_ago = clock.now() - timedelta(minutes=20)
    change_session(user_id, last_seen_at=long_ago)
    await screen.send(PersonState.load, "/cabinet")
    await screen.forge(HYDRATE, "/cabinet")
    await screen.follow(Event(name=BOOT, payload={}), "/cabinet")
    await screen.until(DashboardState, lambda state: state.is_loaded)
    assert seen_at(user_id) == long_ago
    await screen.send(ClinicSearchState.begin, "/cabinet/apply/clinic")
    assert seen_at(user_id) > long_ago


async def test_what_a_page_loads_passes_the_gate_like_everything_else(screens: Screens):
    """The address of the page is the browser's word: it opens nothing."""
    now = clock.now()
    make_received(make_holder(now), now, clinic_id=make_clinic())
    for screen, place in (
        (await screens.stranger(), "/login"),
        (await screens.signed_in(make_user(Role.HOLDER)), "/forbidden"),
    ):
        await screen.forge(BOOT, "/review")
        assert screen.gone_to == place
        state = await screen.state(QueueState)
        assert state.rows == []
        assert not state.is_loaded


def test_handler_that_does_not_say_who_may_call_it_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
):
    named = next(name for name in HANDLERS if name.endswith("queue_state.open"))
    monkeypatch.delattr(HANDLERS[named].handler.fn, "__emk_access__")
    with pytest.raises(Undeclared, match="queue_state"):
        gate.install(app)
