"""The holder's book as a tab meets it: real events, honest and forged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from emk_app import clock
from emk_app.domain.actors import Actor
from emk_app.domain.sharing import LinkState
from emk_app.presenting.books import SENDING
from emk_app.services import issuing, sharing, verifying
from emk_app.states.book import BookState
from emk_app.states.session import MessageState
from tests.factories import make_book, make_holder, make_operator, spoil_versions
from tests.services.test_renewing import aged
from tests.states.conftest import Screen, Screens

BOOK = "reflex___state____state.emk_app___states___book____book_state"
PAGE = "/cabinet/book"
FORM = {"label": "для кафе", "scope": "with_occupation", "days": "7", "looks": "5"}
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]}, "\ud800")


async def open_book(screens: Screens, holder: Actor) -> Screen:
    screen = await screens.signed_in(holder.user_id)
    await screen.follow(BookState.follow, PAGE)
    await screen.follow(BookState.follow_looks, PAGE)
    await screen.until(BookState, lambda state: state.is_loaded)
    return screen


def links(holder: Actor) -> tuple[sharing.LinkView, ...]:
    return sharing.links(holder, now=clock.now())


async def test_holder_without_a_book_is_told_where_it_will_be(screens: Screens):
    screen = await open_book(screens, make_holder(clock.now()))
    assert not (await screen.state(BookState)).has_book


async def test_receipt_comes_before_sharing(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now(), received=False)
    screen = await open_book(screens, holder)
    state = await screen.state(BookState)
    assert state.card.awaits_receipt
    assert not state.card.may_share
    await screen.send(BookState.make_link(FORM), PAGE)
    assert links(holder) == ()
    await screen.send(BookState.receive, PAGE)
    state = await screen.state(BookState)
    assert not state.card.awaits_receipt
    assert state.card.may_share


async def test_link_is_made_shown_and_closed(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    screen = await open_book(screens, holder)
    await screen.send(BookState.make_link(FORM), PAGE)
    row = (await screen.state(BookState)).links[0]
    assert (row.label, row.is_open, row.looks) == ("для кафе", True, "0\u00a0просмотров из 5")
    await screen.send(BookState.close_link(row.id), PAGE)
    assert links(holder)[0].state is LinkState.LINK_REVOKED
    assert not (await screen.state(BookState)).links[0].is_open


async def test_link_goes_whole_into_a_letter_or_a_messenger(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    screen = await open_book(screens, holder)
    await screen.send(BookState.make_link(FORM), PAGE)
    state = await screen.state(BookState)
    row = state.links[0]
    # Which half of the code it is matters: what is signed goes to nobody's server.
    assert "#" not in row.url
    assert state.as_of
    for name, before in SENDING.items():
        parts = urlsplit(before + row.quoted)
        assert parts.scheme == ("mailto" if name == "Почта" else "https")
        said = parse_qs(parts.query)
        assert [value for (value,) in said.values() if value.endswith(row.url)], name
        assert not parts.fragment


async def test_look_appears_by_itself(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    screen = await open_book(screens, holder)
    await screen.send(BookState.make_link(FORM), PAGE)
    code = links(holder)[0].url.rpartition("/")[2]
    verifying.look(code, "Firefox, Android", now=clock.now())
    state = await screen.until(BookState, lambda state: len(state.looks) == 1)
    assert (state.looks[0].viewer, state.looks[0].verdict) == ("Firefox, Android", "Действует")
    verifying.look(code, "Chrome, Windows", now=clock.now())
    state = await screen.until(BookState, lambda state: len(state.looks) == 2)
    assert state.open_links[0].looks == "2\u00a0просмотра из 5"


async def test_revoked_book_turns_red_by_itself(screens: Screens):
    holder = make_holder(clock.now())
    book_id = make_book(holder, clock.now())
    screen = await open_book(screens, holder)
    operator = make_operator(clock.now())
    acting = Actor(operator.user_id, operator.role, factor_at=clock.now())
    issuing.revoke(acting, book_id, "Подложная справка", now=clock.now())
    state = await screen.until(BookState, lambda state: state.card.status == "Аннулирована")
    assert state.card.reason == "Подложная справка"
    assert not state.card.may_share


async def test_every_fact_of_the_signature_is_shown(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    screen = await open_book(screens, holder)
    await screen.send(BookState.check_signature, PAGE)
    state = await screen.state(BookState)
    assert state.facts_word == "Подпись действительная"
    assert len(state.facts) == 13
    assert all(fact.advice == "" for fact in state.facts)
    assert {fact.word for fact in state.facts} == {"да"}


async def test_wrong_term_is_told_beside_its_field(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    screen = await open_book(screens, holder)
    await screen.send(BookState.make_link(FORM | {"days": "8", "looks": "3"}), PAGE)
    errors = (await screen.state(BookState)).errors
    assert errors["days"]
    assert errors["looks"]
    assert links(holder) == ()


async def test_nobody_closes_another_ones_link(screens: Screens):
    owner, other = make_holder(clock.now()), make_holder(clock.now())
    make_book(owner, clock.now())
    make_book(other, clock.now())
    mine = await open_book(screens, owner)
    await mine.send(BookState.make_link(FORM), PAGE)
    theirs = await open_book(screens, other)
    await theirs.send(BookState.close_link(links(owner)[0].id), PAGE)
    assert links(owner)[0].state is LinkState.ALIVE
    assert (await theirs.state(MessageState)).assertive
    assert (await theirs.state(BookState)).links == ()


async def test_failing_fact_says_what_to_do(screens: Screens):
    holder = make_holder(clock.now())
    book_id = make_book(holder, clock.now())
    screen = await open_book(screens, holder)
    spoil_versions(book_id, version_hash="0" * 64)
    await screen.send(BookState.check_signature, PAGE)
    state = await screen.state(BookState)
    assert (state.facts_word, state.facts_tone) == ("Подпись недействительна", "danger")
    failing = {fact.name for fact in state.facts if fact.word == "нет"}
    assert "Отпечаток совпадает" in failing
    assert all(fact.advice for fact in state.facts if fact.word == "нет")


async def test_book_is_renewed_and_its_versions_compared(screens: Screens):
    holder = make_holder(clock.now())
    aged(holder, clock.now(), 10)
    screen = await open_book(screens, holder)
    state = await screen.state(BookState)
    assert state.term.may_renew
    assert state.term.new_until in state.term.question
    await screen.send(BookState.renew, PAGE)
    state = await screen.state(BookState)
    assert (await screen.state(MessageState)).polite.startswith("Книжка продлена")
    assert (state.term.may_renew, state.card.until) == (False, state.versions[0].until)
    assert [row.title for row in state.versions] == [
        "Продлён срок",
        "Новый осмотр",
        "Книжка оформлена",
    ]
    form = {"one": state.old_version, "other": state.new_version}
    await screen.send(BookState.compare(form), PAGE)
    state = await screen.state(BookState)
    assert [row.name for row in state.compared] == ["Действует по", "Выдана"]
    assert state.compared_title == "Что изменилось с версии 2 до версии 3"
    await screen.send(BookState.renew, PAGE)
    assert "рано" in (await screen.state(MessageState)).assertive


async def test_what_is_missing_is_named_with_the_way_to_it(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now() - timedelta(days=370))
    screen = await open_book(screens, holder)
    state = await screen.state(BookState)
    assert state.term.title == "Пора обновить осмотр"
    assert state.term.may_reapply
    assert {row.tone for row in state.wanting} == {"danger"}
    await screen.send(BookState.begin_again, PAGE)
    assert screen.gone_to == "/cabinet/apply"
    await screen.send(BookState.begin_again, PAGE)
    assert screen.errors == []


@pytest.mark.parametrize(
    "handler",
    [
        "receive",
        "make_link",
        "close_link",
        "check_signature",
        "renew",
        "begin_again",
        "compare",
    ],
)
async def test_strangers_and_staff_are_turned_away(screens: Screens, handler: str):
    payload = {
        "make_link": {"form": FORM},
        "close_link": {"link_id": 1},
        "compare": {"form": {"one": "1", "other": "1"}},
    }.get(handler, {})
    stranger = await screens.stranger()
    await stranger.forge(f"{BOOK}.{handler}", PAGE, **payload)
    assert stranger.gone_to == "/login"
    operator = await screens.signed_in(make_operator(clock.now()).user_id)
    await operator.forge(f"{BOOK}.{handler}", PAGE, **payload)
    assert operator.gone_to == "/forbidden"


async def test_nonsense_changes_nothing_and_breaks_nothing(screens: Screens):
    holder = make_holder(clock.now())
    make_book(holder, clock.now())
    screen = await open_book(screens, holder)
    for nonsense in NONSENSE:
        await screen.forge(f"{BOOK}.close_link", PAGE, link_id=nonsense)
        await screen.forge(f"{BOOK}.make_link", PAGE, form=nonsense)
        await screen.forge(
            f"{BOOK}.make_link", PAGE, form={"label": nonsense, "days": nonsense, "looks": nonsense}
        )
        await screen.forge(f"{BOOK}.compare", PAGE, form={"one": nonsense, "other": nonsense})
        await screen.forge(f"{BOOK}.compare", PAGE, form=nonsense)
    assert screen.errors == []
    assert links(holder) == ()
