"""News: drafts, the moment of publishing, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from emk_app.clock import MOSCOW
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain import news as rules
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import Invalid, NotAChoice, NotFound, NotPermitted, Required, TooLong
from emk_app.domain.news import EditedMeanwhile, MomentPassed, NotAMoment, Typed
from emk_app.presenting import news
from emk_app.presenting.texts import sentence
from emk_app.services import publishing
from tests.factories import make_admin

pytestmark = pytest.mark.usefixtures("world")

TYPED = Typed("Запись на осмотр", "Теперь запись\r\nвидна.\n\n\n\nИ её можно перенести.", "now", "")


@pytest.fixture
def admin(now: datetime) -> Actor:
    return make_admin(now)


def later(now: datetime, hours: int) -> str:
    return f"{(now + timedelta(hours=hours)).astimezone(MOSCOW):%d.%m.%Y %H:%M}"


def test_item_is_out_from_its_moment_on_and_a_draft_never(admin: Actor, now: datetime):
    publishing.write(admin, TYPED, now=now)
    publishing.write(admin, replace(TYPED, title="Черновик", release="draft"), now=now)
    publishing.write(
        admin, replace(TYPED, title="Завтра", release="later", at=later(now, 24)), now=now
    )
    [only] = publishing.feed(now=now)
    assert (only.slug, only.published_at) == ("zapis-na-osmotr", now)
    assert only.text == "Теперь запись\nвидна.\n\nИ её можно перенести."
    for slug in ("chernovik", "zavtra", "nothing", "'; --"):
        with pytest.raises(NotFound):
            publishing.read(slug, now=now)
    tomorrow = now + timedelta(hours=25)
    assert publishing.read("zavtra", now=tomorrow).title == "Завтра"
    assert [each.slug for each in publishing.feed(now=tomorrow)] == ["zavtra", "zapis-na-osmotr"]
    states = [news.row(each, now).state for each in publishing.desk(admin)]
    assert states == ["Черновик", "Выйдет позже", "Опубликована"]


def test_same_title_gets_an_address_of_its_own(admin: Actor, now: datetime):
    for _ in range(3):
        publishing.write(admin, TYPED, now=now)
    assert {each.slug for each in publishing.desk(admin)} == {
        "zapis-na-osmotr",
        "zapis-na-osmotr-2",
        "zapis-na-osmotr-3",
    }


def test_older_items_stand_on_further_pages(admin: Actor, now: datetime):
    for n in range(publishing.PER_PAGE + 1):
        publishing.write(admin, replace(TYPED, title=f"№ {n}"), now=now + timedelta(minutes=n))
    at = now + timedelta(hours=1)
    first, has_more = publishing.page(1, now=at)
    second, has_yet_more = publishing.page(2, now=at)
    assert (len(first), has_more, has_yet_more) == (publishing.PER_PAGE, True, False)
    assert [each.title for each in second] == ["№ 0"]
    assert publishing.page(3, now=at) == ([], False)


def test_changed_item_keeps_its_address_and_its_moment(admin: Actor, now: datetime):
    item_id = publishing.write(admin, TYPED, now=now)
    at = now + timedelta(hours=1)
    publishing.rewrite(admin, item_id, 1, replace(TYPED, title="Другое"), now=at)
    [item] = publishing.feed(now=at)
    assert (item.title, item.slug) == ("Другое", "zapis-na-osmotr")
    assert (item.published_at, item.changed_at, item.version) == (now, at, 2)
    with pytest.raises(EditedMeanwhile) as told:
        publishing.rewrite(admin, item_id, 1, TYPED, now=at)
    assert "успел изменить" in sentence(told.value)
    publishing.rewrite(admin, item_id, 2, replace(TYPED, release="draft"), now=at)
    assert publishing.feed(now=at) == []
    publishing.remove(admin, item_id, now=at)
    assert publishing.desk(admin) == []
    for act in (
        lambda: publishing.remove(admin, item_id, now=at),
        lambda: publishing.rewrite(admin, item_id, 3, TYPED, now=at),
    ):
        with pytest.raises(NotFound):
            act()
    with reading() as db:
        entries = db.exec(select(AuditEntry).where(AuditEntry.target == f"news:{item_id}")).all()
    assert [each.action for each in entries] == [
        "write_news",
        "rewrite_news",
        "rewrite_news",
        "remove_news",
    ]


@pytest.mark.parametrize(
    ("changes", "field", "kind"),
    [
        ({"title": " \u200b"}, "title", Required),
        ({"title": "я" * 161}, "title", TooLong),
        ({"text": "\n\n"}, "text", Required),
        ({"text": "я" * 8001}, "text", TooLong),
        ({"text": "я" * 100_000}, "text", TooLong),
        ({"release": "all"}, "release", NotAChoice),
        ({"release": "later"}, "at", Required),
        ({"release": "later", "at": "завтра"}, "at", NotAMoment),
        ({"release": "later", "at": "31.02.2030 10:00"}, "at", NotAMoment),
        ({"release": "later", "at": "01.01.9999 10:00"}, "at", NotAMoment),
        ({"release": "later", "at": "01.01.2020 10:00"}, "at", MomentPassed),
    ],
)
def test_what_can_not_be_published_is_said_by_its_field(
    changes: dict[str, str], field: str, kind: type, admin: Actor, now: datetime
):
    with pytest.raises(Invalid) as refused:
        publishing.write(admin, replace(TYPED, **changes), now=now)
    assert {name: type(error) for name, error in refused.value.fields.items()} == {field: kind}
    assert news.sentences(refused.value)[field]
    assert publishing.desk(admin) == []


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_only_administrators_write(role: Role, admin: Actor, now: datetime):
    item_id = publishing.write(admin, TYPED, now=now)
    other = Actor(7, role)
    acts: list[Callable[[], object]] = [
        lambda: publishing.desk(other),
        lambda: publishing.write(other, TYPED, now=now),
        lambda: publishing.rewrite(other, item_id, 1, TYPED, now=now),
        lambda: publishing.remove(other, item_id, now=now),
    ]
    for act in acts:
        with pytest.raises(NotPermitted):
            act()
    assert len(publishing.feed(now=now)) == 1


def test_addresses_are_latin_short_and_never_empty():
    assert rules.slug_of("Съешь ещё этих мягких булок!") == "sesh-eshche-etikh-myagkikh-bulok"
    assert rules.slug_of("«…»") == "novost"
    assert len(rules.slug_of("щ" * 160)) <= rules.SLUG_LIMIT


def test_moscow_time_is_meant(now: datetime):
    assert rules.read_moment("5.12.2026, 18:05", MOSCOW).isoformat() == "2026-12-05T18:05:00+03:00"
