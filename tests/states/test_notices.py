"""The bell, the list, the choice of channels, and the administrator's page, each for its own."""

from __future__ import annotations

from datetime import datetime

import pytest

from emk_app import clock
from emk_app.db.engine import unit_of_work
from emk_app.db.tables.people import User
from emk_app.domain.actors import Actor, Role
from emk_app.domain.notices import Channel, News, Notice
from emk_app.outbound.transports import Letter, Refused
from emk_app.presenting import notices
from emk_app.services import accounts, delivering, notifying
from emk_app.states.demo import OutboxState
from emk_app.states.notices import BellState, NoticesState, WishesState
from emk_app.states.outbox import StuckState
from emk_app.states.session import MessageState
from tests.factories import PASSWORD, SECRET, make_holder
from tests.states.conftest import Screen, Screens

PHONE = "+79125550102"


def tell(holder: Actor, news: News = News.BOOK_FORMED, dedupe: str = "once") -> None:
    with unit_of_work() as db:
        user = db.get(User, holder.user_id)
        assert user is not None
        notifying.tell(db, user, Notice(news), dedupe=dedupe, now=clock.now())


async def message(screen: Screen) -> tuple[str, str]:
    said = await screen.state(MessageState)
    return said.polite, said.assertive


async def test_bell_rings_on_every_screen_of_its_holder_and_on_no_other(screens: Screens):
    holder, stranger = make_holder(clock.now(), PHONE), make_holder(clock.now())
    mine, theirs = (
        await screens.signed_in(holder.user_id),
        await screens.signed_in(stranger.user_id),
    )
    for screen in (mine, theirs):
        await screen.follow(BellState.follow, "/cabinet")
    tell(holder)
    await mine.until(BellState, lambda state: state.unread == 1)
    assert (await theirs.state(BellState)).unread == 0


async def test_list_grows_live_and_reading_empties_the_bell(screens: Screens):
    holder = make_holder(clock.now(), PHONE)
    screen, other = [await screens.signed_in(holder.user_id) for _ in range(2)]
    await screen.follow(NoticesState.follow, "/cabinet/notices")
    await other.follow(BellState.follow, "/cabinet")
    await screen.until(NoticesState, lambda state: state.is_loaded)
    tell(holder)
    tell(holder, News.BOOK_ENDS, "second")
    state = await screen.until(NoticesState, lambda state: len(state.rows) == 2)
    await other.until(BellState, lambda state: state.unread == 2)
    await screen.send(NoticesState.read(state.rows[0].id), "/cabinet/notices")
    await other.until(BellState, lambda state: state.unread == 1)
    await screen.send(NoticesState.filter(True), "/cabinet/notices")
    state = await screen.state(NoticesState)
    assert [row.title for row in state.rows] == ["Медкнижка готова"]
    await screen.send(NoticesState.read_all, "/cabinet/notices")
    await other.until(BellState, lambda state: state.unread == 0)
    assert (await screen.state(NoticesState)).rows == []
    assert (await message(screen))[0].startswith("Все уведомления")


async def test_somebody_elses_notice_is_not_found(screens: Screens):
    holder, stranger = make_holder(clock.now(), PHONE), make_holder(clock.now())
    tell(holder)
    theirs = notifying.page_of(holder, 1).notices[0]
    screen = await screens.signed_in(stranger.user_id)
    name = f"{NoticesState.get_full_name()}.read"
    for forged in (theirs.id, 0, -1, 2**70, "1", None, True, [1], 1.5):
        await screen.forge(name, "/cabinet/notices", notice_id=forged)
    assert screen.errors == []
    assert (await message(screen))[1].startswith("Запись не найдена")
    assert notifying.unread(holder) == 1


async def test_page_that_is_none_is_the_nearest(screens: Screens):
    holder = make_holder(clock.now(), PHONE)
    tell(holder)
    screen = await screens.signed_in(holder.user_id)
    for forged in (0, -1, 10**9, "x", None, {}):
        await screen.forge(f"{NoticesState.get_full_name()}.turn", "/cabinet/notices", page=forged)
        state = await screen.state(NoticesState)
        assert (state.page, len(state.rows)) == (1, 1)
    assert screen.errors == []


async def test_choice_is_kept_at_once_and_said(screens: Screens):
    holder = make_holder(clock.now(), PHONE)
    screen = await screens.signed_in(holder.user_id)
    await screen.send(WishesState.load, "/cabinet/notices/settings")
    state = await screen.state(WishesState)
    assert (state.sms, state.email) == ("+7 *** ***-01-02", "")
    assert PHONE not in repr(screen.shown)
    await screen.send(WishesState.choose("application", "sms", False), "/cabinet/notices/settings")
    row = next(row for row in (await screen.state(WishesState)).rows if row.kind == "application")
    assert not row.sms
    assert "больше не приходит по СМС" in (await message(screen))[0]


@pytest.mark.parametrize(
    ("kind", "channel", "said"),
    [
        ("security", "sms", "отключить нельзя"),
        ("results", "email", "подтвердите"),
        ("nonsense", "sms", ""),
        ("results", "pigeon", ""),
        (None, 7, ""),
        (["results"], {}, ""),
    ],
)
async def test_choice_that_can_not_be_made_changes_nothing(
    kind: object, channel: object, said: str, screens: Screens
):
    holder = make_holder(clock.now(), PHONE)
    screen = await screens.signed_in(holder.user_id)
    before = notifying.wishes(holder)
    name = f"{WishesState.get_full_name()}.choose"
    await screen.forge(name, "/cabinet", kind=kind, channel=channel, is_on=False)
    assert screen.errors == []
    assert said in (await message(screen))[1]
    assert notifying.wishes(holder) == before


class Refusing:
    def send(self, letter: Letter, at: datetime) -> None:
        raise Refused("refused")


async def test_administrator_tries_again_and_lays_aside(screens: Screens):
    holder = make_holder(clock.now(), "anna@example.ru")
    tell(holder)
    delivering.deliver_due(Channel.EMAIL, Refusing(), notices.message, clock=clock.now)
    admin = accounts.create_user(
        Role.ADMIN, "admin@example.ru", PASSWORD, totp_secret=SECRET, now=clock.now()
    )
    screen = await screens.signed_in(admin)
    await screen.follow(StuckState.follow, "/admin/outbox")
    state = await screen.until(StuckState, lambda state: len(state.rows) == 1)
    row = state.rows[0]
    assert (row.recipient, row.state) == ("a***@example.ru", "не доставлено")
    await screen.send(StuckState.retry(row.id), "/admin/outbox")
    await screen.until(StuckState, lambda state: state.rows == [])
    await screen.send(StuckState.drop(row.id), "/admin/outbox")
    assert (await message(screen))[0].startswith("Сообщение снято")
    await screen.send(StuckState.retry(row.id), "/admin/outbox")
    assert (await message(screen))[1].startswith("Сообщение уже ушло")
    for forged in (0, -1, 2**70, "1", None, True):
        await screen.forge(f"{StuckState.get_full_name()}.drop", "/admin", letter_id=forged)
    assert screen.errors == []
    assert "anna@" not in repr(screen.shown)


async def test_demo_shows_letters_of_one_channel_or_stage(screens: Screens):
    tell(make_holder(clock.now(), PHONE))
    tell(make_holder(clock.now(), "anna@example.ru"))
    screen = await screens.stranger()
    await screen.follow(OutboxState.follow, "/demo/outbox")
    await screen.until(OutboxState, lambda state: len(state.letters) == 2)
    await screen.send(OutboxState.choose_channel("email"), "/demo/outbox")
    assert [row.channel for row in (await screen.state(OutboxState)).letters] == ["Почта"]
    await screen.send(OutboxState.choose_stage("dead"), "/demo/outbox")
    assert (await screen.state(OutboxState)).letters == []
    for forged in ("", "x", None, ["sms"]):
        await screen.forge(f"{OutboxState.get_full_name()}.choose_stage", "/demo", stage=forged)
    assert screen.errors == []
    assert len((await screen.state(OutboxState)).letters) == 1
