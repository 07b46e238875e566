"""Seeing more than a ticket shows: with a reason, by two, for a quarter of an hour, told (D25)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import Conflict, FreshFactorNeeded, Invalid, NotFound, NotPermitted
from emk_app.domain.notices import News
from emk_app.domain.support import ASK_LIFE, GLASS_LIFE, GlassPending, NoGlass, SameHands
from emk_app.presenting import support as words
from emk_app.services import answering, notifying, opening, supporting
from emk_app.services.supporting import Typed
from tests.factories import make_book, make_employer, make_holder, make_support

pytestmark = pytest.mark.usefixtures("world")

REASON = "Проверить, почему не приходят письма"


def ticket_of(person: Actor, support: Actor, now: datetime) -> str:
    number = supporting.begin(person, Typed("other", "Письма не приходят"), b"", "", now=now)
    answering.take(support, number, now=now)
    return number


def told(holder: Actor) -> list[News]:
    page = notifying.page_of(holder, 1)
    return [each.notice.news for each in page.notices if each.notice]


@pytest.mark.parametrize("role", [Role.CLINIC, Role.OPERATOR, Role.EMPLOYER, Role.ADMIN])
def test_others_neither_ask_nor_agree_nor_see(role: Role, now: datetime):
    actor = Actor(1, role, session_id=1, factor_at=now)
    for act in (
        lambda: opening.ask(actor, "1", REASON, now=now),
        lambda: opening.agree(actor, "1", now=now),
        lambda: opening.consent(actor, "1", now=now),
        lambda: opening.decline(actor, "1", now=now),
        lambda: opening.see(actor, "1", now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_holder_agrees_and_more_is_seen_for_a_quarter_of_an_hour(now: datetime):
    holder, support = make_holder(now, "maria@example.ru"), make_support(now)
    make_book(holder, now)
    number = ticket_of(holder, support, now)
    opening.ask(support, number, REASON, now=now)
    with pytest.raises(NoGlass):
        opening.see(support, number, now=now)
    found = supporting.thread(holder, number, now=now).glass
    assert found is not None and found.reason == REASON
    opening.consent(holder, number, now=now)
    seen = opening.see(support, number, now=now)
    assert seen.until == now + GLASS_LIFE
    assert seen.contacts == ("m***@example.ru",)
    assert seen.born == 1990 and len(seen.applications) == len(seen.books) == 1
    # Nothing that physicians have found, no СНИЛС, no passport.
    shown = " ".join(f"{row.term} {row.value}" for row in words.opened_rows(seen))
    for hidden in ("112-233-445", "11223344595", "терапевт", "Годен", "45 "):
        assert hidden not in shown
    with pytest.raises(NoGlass):
        opening.see(make_support(now), number, now=now)
    last = now + GLASS_LIFE - timedelta(seconds=1)
    assert opening.see(support, number, now=last).until == seen.until
    with pytest.raises(NoGlass):
        opening.see(support, number, now=now + GLASS_LIFE)
    assert {News.SUPPORT_ASKS, News.SUPPORT_OPENED} <= set(told(holder))
    with reading() as db:
        done = db.exec(
            select(AuditEntry.action).where(
                AuditEntry.subject_id == holder.user_id, col(AuditEntry.action).contains("glass")
            )
        ).all()
    assert sorted(done) == ["agree_glass", "ask_glass", "break_glass", "break_glass"]


def test_colleague_agrees_and_nobody_agrees_with_oneself(now: datetime):
    holder, support, colleague = make_holder(now), make_support(now), make_support(now)
    number = ticket_of(holder, support, now)
    opening.ask(support, number, REASON, now=now)
    with pytest.raises(SameHands):
        opening.agree(support, number, now=now)
    with pytest.raises(FreshFactorNeeded):
        opening.agree(replace(colleague, factor_at=None), number, now=now)
    opening.agree(colleague, number, now=now)
    assert opening.see(support, number, now=now).until == now + GLASS_LIFE
    with pytest.raises(NoGlass):
        opening.agree(colleague, number, now=now)


def test_asking_wants_a_fresh_factor_a_reason_and_one_s_own_ticket_of_a_holder(now: datetime):
    holder, support = make_holder(now), make_support(now)
    number = ticket_of(holder, support, now)
    with pytest.raises(FreshFactorNeeded):
        opening.ask(replace(support, factor_at=now - timedelta(minutes=6)), number, REASON, now=now)
    with pytest.raises(Invalid):
        opening.ask(support, number, "надо", now=now)
    with pytest.raises(Conflict):
        opening.ask(make_support(now), number, REASON, now=now)
    with pytest.raises(Conflict):
        opening.ask(support, ticket_of(make_employer(now), support, now), REASON, now=now)
    opening.ask(support, number, REASON, now=now)
    with pytest.raises(GlassPending):
        opening.ask(support, number, REASON, now=now)
    supporting.close(holder, number, "", "", now=now)
    later = now + ASK_LIFE
    with pytest.raises(Conflict):
        opening.ask(replace(support, factor_at=later), number, REASON, now=later)


def test_wish_that_waits_too_long_is_over(now: datetime):
    holder, support = make_holder(now), make_support(now)
    number = ticket_of(holder, support, now)
    opening.ask(support, number, REASON, now=now)
    with pytest.raises(NoGlass):
        opening.consent(holder, number, now=now + ASK_LIFE)
    later = now + ASK_LIFE
    opening.ask(replace(support, factor_at=later), number, REASON, now=later)


@pytest.mark.parametrize("agreed", [False, True])
def test_holder_refuses_and_ends_it(agreed: bool, now: datetime):
    holder, support = make_holder(now), make_support(now)
    number = ticket_of(holder, support, now)
    with pytest.raises(NoGlass):
        opening.decline(holder, number, now=now)
    opening.ask(support, number, REASON, now=now)
    if agreed:
        opening.consent(holder, number, now=now)
    with pytest.raises(NotFound):
        opening.decline(make_holder(now), number, now=now)
    opening.decline(holder, number, now=now)
    with pytest.raises(NoGlass):
        opening.see(support, number, now=now)


def test_another_holder_does_not_agree(now: datetime):
    support = make_support(now)
    number = ticket_of(make_holder(now), support, now)
    opening.ask(support, number, REASON, now=now)
    with pytest.raises(NotFound):
        opening.consent(make_holder(now), number, now=now)
