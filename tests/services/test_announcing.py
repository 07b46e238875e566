"""Hours of work on the service: announced, told till they end, refused in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import Invalid, NotFound, NotPermitted, Required, TooLong
from emk_app.domain.news import MomentPassed, NotAfterStart, NotAMoment
from emk_app.presenting import news
from emk_app.services import announcing
from tests.factories import make_admin

pytestmark = pytest.mark.usefixtures("world")

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
HOURS = ("26.11.2026 23:00", "27.11.2026 01:30", "Вход и проверка книжек.")


@pytest.fixture
def admin() -> Actor:
    return make_admin(NOW)


def test_work_is_told_before_and_during_it_and_then_no_more(admin: Actor):
    announcing.announce(admin, *HOURS, now=NOW)
    for hours, state in ((0, "Предстоят"), (10, "Предстоят"), (11, "Идут сейчас")):
        at = NOW + timedelta(hours=hours)
        [row] = [news.window(each, at) for each in announcing.ahead(now=at)]
        assert (row.state, row.text) == (state, HOURS[2])
        assert row.when == "26.11.2026 23:00 — 27.11.2026 01:30 по Москве"
    assert announcing.ahead(now=NOW + timedelta(hours=13, minutes=30)) == []


def test_announcement_is_taken_back_once_and_audited(admin: Actor):
    window_id = announcing.announce(admin, *HOURS, now=NOW)
    announcing.cancel(admin, window_id, now=NOW)
    assert announcing.ahead(now=NOW) == []
    with pytest.raises(NotFound):
        announcing.cancel(admin, window_id, now=NOW)
    with reading() as db:
        found = db.exec(select(AuditEntry.action).where(AuditEntry.actor_id == admin.user_id))
        assert list(found) == ["announce_maintenance", "cancel_maintenance"]


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        (("", "", ""), {"starts": Required, "ends": Required, "about": Required}),
        (("ночью", HOURS[1], "x"), {"starts": NotAMoment}),
        ((HOURS[0], "26.11.2026 11:00", "x"), {"ends": MomentPassed}),
        ((HOURS[1], HOURS[0], "x"), {"ends": NotAfterStart}),
        ((*HOURS[:2], "я" * 601), {"about": TooLong}),
    ],
)
def test_what_can_not_be_announced_is_said_by_its_field(
    typed: tuple[str, str, str], fields: dict[str, type], admin: Actor
):
    with pytest.raises(Invalid) as refused:
        announcing.announce(admin, *typed, now=NOW)
    assert {name: type(why) for name, why in refused.value.fields.items()} == fields
    assert all(news.sentences(refused.value).values())
    assert announcing.ahead(now=NOW) == []


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_only_administrators_announce(role: Role, admin: Actor):
    window_id = announcing.announce(admin, *HOURS, now=NOW)
    with pytest.raises(NotPermitted):
        announcing.announce(Actor(7, role), *HOURS, now=NOW)
    with pytest.raises(NotPermitted):
        announcing.cancel(Actor(7, role), window_id, now=NOW)
    assert len(announcing.ahead(now=NOW)) == 1


def test_screens_tell_of_work_three_days_before_and_until_it_ends(admin: Actor):
    announcing.announce(admin, *HOURS, now=NOW - timedelta(days=9))
    starts_at = datetime(2026, 11, 26, 20, tzinfo=UTC)
    told = [
        (starts_at - timedelta(days=3, seconds=1), 0),
        (starts_at - timedelta(days=3), 1),
        (starts_at + timedelta(hours=2, minutes=29), 1),
        (starts_at + timedelta(hours=2, minutes=30), 0),
    ]
    assert [(at, len(announcing.near(now=at))) for at, _ in told] == told


def test_what_screens_tell_is_read_once_until_it_changes(
    admin: Actor, monkeypatch: pytest.MonkeyPatch
):
    assert announcing.near(now=NOW) == []
    announcing.announce(admin, *HOURS, now=NOW)
    assert len(announcing.near(now=NOW)) == 1
    monkeypatch.setattr(announcing, "ahead", lambda *, now: [])  # pyright: ignore
    assert len(announcing.near(now=NOW + timedelta(seconds=14))) == 1
    # A word of the change may have been lost: it is not trusted for ever.
    assert announcing.near(now=NOW + timedelta(seconds=15)) == []
