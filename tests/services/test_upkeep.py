"""The state of the service: what is tried, what is counted, what is told."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from emk_app import clock
from emk_app.clock import MOSCOW
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.tables.journal import Job
from emk_app.db.tables.upkeep import ComponentDay
from emk_app.domain.gateways import Security, SmtpServer
from emk_app.domain.upkeep import KEPT, Component, Standing, by_day
from emk_app.presenting import upkeep as words
from emk_app.services import upkeep
from emk_app.services.upkeep import Day, Line
from emk_app.settings import Environment, settings

pytestmark = pytest.mark.usefixtures("world")

STEP = timedelta(minutes=5)
NOON = datetime(2026, 11, 26, 9, tzinfo=UTC)


def look(now: datetime, **standings: Standing) -> None:
    """Note how some parts do; those not named work."""
    checks = {each: standings.get(each.value, Standing.UP) for each in Component}
    upkeep.look(0, now, {each: lambda _, s=said: s for each, said in checks.items()})


def line(component: Component, now: datetime) -> Line:
    return next(each for each in upkeep.board(now=now).lines if each.component is component)


def test_real_parts_of_this_service_work(now: datetime):
    upkeep.look(0, now)
    found = {each.component: each.standing for each in upkeep.board(now=now).lines}
    assert found == dict.fromkeys(Component, Standing.UP)


def test_time_between_two_checks_is_counted_by_days(now: datetime):
    midnight = datetime(2026, 11, 26, tzinfo=MOSCOW)
    look(midnight - timedelta(minutes=2))
    look(midnight + timedelta(minutes=3), email=Standing.DEGRADED)
    look(midnight + timedelta(minutes=8))
    look(midnight + timedelta(minutes=8))
    days = line(Component.EMAIL, midnight + STEP).days
    assert days == (
        Day(midnight.date() - timedelta(days=1), 120, 0, 0),
        Day(midnight.date(), 180, 300, 0),
    )


def test_trouble_is_an_incident_from_the_check_that_found_it_to_the_one_that_did_not():
    look(NOON)
    look(NOON + STEP, sms=Standing.DEGRADED)
    look(NOON + 2 * STEP, sms=Standing.DOWN)
    board = upkeep.board(now=NOON + 2 * STEP)
    said = words.said(board, clock.day_of(NOON))
    assert (said.headline, said.tone) == ("Часть сервиса не работает", "danger")
    assert said.incidents == (("СМС: перерыв в работе", "с 26.11.2026 12:05, ещё не закончилось"),)
    look(NOON + 3 * STEP)
    [incident] = upkeep.board(now=NOON + 3 * STEP).incidents
    assert (incident.worst, incident.began_at, incident.ended_at) == (
        Standing.DOWN,
        NOON + STEP,
        NOON + 3 * STEP,
    )
    said = words.said(upkeep.board(now=NOON + 3 * STEP), clock.day_of(NOON))
    assert said.headline == "Всё работает"
    assert said.incidents == (("СМС: перерыв в работе", "26.11.2026 12:05 — 12:15"),)
    sms = said.parts[list(Component).index(Component.SMS)]
    assert (sms.state, sms.share) == ("Работает", "доступно 66,66\u00a0% времени")
    assert sms.days[-1] == ("danger", "26.11.2026: не работало 5\u00a0минут")
    assert sms.days[0] == ("neutral", "29.08.2026: нет данных")


def test_where_nobody_checked_the_site_was_away_and_of_the_rest_nothing_is_known():
    look(NOON)
    stale = words.said(upkeep.board(now=NOON + timedelta(hours=1)), clock.day_of(NOON))
    assert stale.headline == "Нет свежих данных"
    assert {part.state for part in stale.parts} == {"Нет свежих данных"}
    back = NOON + timedelta(hours=2)
    look(back)
    assert [(each.component, each.ended_at) for each in upkeep.board(now=back).incidents] == [
        (Component.SITE, back)
    ]
    assert sum(each.down for each in line(Component.SITE, back).days) == 7200
    assert line(Component.DATABASE, back).days == ()


def test_before_the_first_check_nothing_is_claimed(now: datetime):
    said = words.said(upkeep.board(now=now), clock.day_of(now))
    assert said.headline == "Проверок ещё не было"
    assert {part.share for part in said.parts} == {""}


def test_history_ends_after_ninety_days():
    look(NOON)
    look(NOON + STEP, exchange=Standing.DOWN)
    look(NOON + 2 * STEP)
    later = NOON + KEPT + timedelta(days=1)
    look(later)
    assert [each.component for each in upkeep.board(now=later).incidents] == [Component.SITE]
    with reading() as db:
        assert min(db.exec(select(ComponentDay.day)).all()) > clock.day_of(later - KEPT)


def test_part_whose_check_fails_does_not_work_and_tells_no_details(now: datetime):
    def broken(_: datetime) -> Standing:
        raise RuntimeError("password=secret at 10.0.0.5")

    upkeep.look(0, now, {Component.DATABASE: broken})
    board = upkeep.board(now=now)
    assert line(Component.DATABASE, now).standing is Standing.DOWN
    assert "10.0.0.5" not in repr(words.said(board, clock.day_of(now)))


def test_server_of_mail_that_does_not_answer_is_found_out(
    monkeypatch: pytest.MonkeyPatch, now: datetime
):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        given = replace(settings(), smtp=SmtpServer("127.0.0.1", port, Security.NONE))
        monkeypatch.setattr(upkeep, "settings", lambda: given)
        check = {Component.EMAIL: upkeep.CHECKS[Component.EMAIL]}
        upkeep.look(0, now, check)
        assert line(Component.EMAIL, now).standing is Standing.UP
    upkeep.look(0, now + STEP, check)
    assert line(Component.EMAIL, now + STEP).standing is Standing.DOWN


@pytest.mark.parametrize(
    ("age", "standing"),
    [(10, Standing.UP), (30, Standing.DEGRADED), (300, Standing.DOWN)],
)
def test_work_that_waits_too_long_is_trouble_of_the_queue(
    age: int, standing: Standing, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(upkeep, "_awake_since", lambda: now - timedelta(days=1))
    at = now - timedelta(minutes=age)
    with unit_of_work() as db:
        db.add(Job(kind="x", key="x", target_id=0, created_at=at, due_at=at))
    upkeep.look(0, now)
    assert line(Component.MESSAGES, now).standing is standing


def test_what_fell_due_while_nobody_was_there_is_given_time(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(upkeep, "_awake_since", lambda: now)
    at = now - timedelta(days=1)
    with unit_of_work() as db:
        db.add(Job(kind="x", key="x", target_id=0, created_at=at, due_at=at))
    for minutes, standing in ((5, Standing.UP), (20, Standing.DEGRADED), (121, Standing.DOWN)):
        upkeep.look(0, now + timedelta(minutes=minutes))
        assert line(Component.MESSAGES, now + timedelta(minutes=minutes)).standing is standing


def test_gateways_that_are_not_there_are_not_counted(
    monkeypatch: pytest.MonkeyPatch, now: datetime
):
    bare = replace(
        settings(),
        environment=Environment.PRODUCTION,
        smtp=None,
        sms_url=None,
        exchange_url=None,
        exchanges_with_itself=False,
    )
    monkeypatch.setattr(upkeep, "settings", lambda: bare)
    for at in (now, now + STEP):
        upkeep.look(0, at)
    for component in (Component.EMAIL, Component.SMS, Component.EXCHANGE):
        found = line(component, now + STEP)
        assert (found.standing, found.days) == (Standing.OFF, ())
    assert words.said(upkeep.board(now=now), clock.day_of(now)).headline == "Всё работает"


def test_days_are_those_of_moscow():
    since = datetime(2026, 11, 25, 20, 59, tzinfo=UTC)
    days = list(by_day(since, since + timedelta(days=1, minutes=2), MOSCOW))
    assert [(str(day), seconds) for day, seconds in days] == [
        ("2026-11-25", 60),
        ("2026-11-26", 86400),
        ("2026-11-27", 60),
    ]
