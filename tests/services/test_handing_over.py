"""Links by which another system fetches once: refusals first."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Role
from emk_app.domain.books import Verdict
from emk_app.domain.consent import ConsentNeeded, ConsentOutdated
from emk_app.domain.disclosures import (
    HANDOVER_CONSENT,
    HANDOVERS_AT_ONCE,
    HandoverOver,
    HandoverScope,
    HandoverState,
    Network,
    Purpose,
    TooManyHandovers,
)
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
    TooLong,
)
from emk_app.services import consenting, handing_over, issuing, sharing
from emk_app.services.handing_over import HandoverView
from tests.factories import make_book, make_holder, make_officer

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)


def holder_with_book(now: datetime) -> Actor:
    holder = replace(make_holder(now), session_id=1, factor_at=now)
    make_book(holder, now)
    return holder


def offered(
    holder: Actor,
    now: datetime,
    scope: HandoverScope = HandoverScope.EXTRACT,
    receiver: str = "СК «Надежда»",
    days: int = 1,
    consent: str = HANDOVER_CONSENT,
) -> HandoverView:
    return handing_over.make(
        holder, receiver, Purpose.INSURANCE, scope, days, consent_version=consent, now=now
    )


def code_of(view: HandoverView) -> str:
    return view.url.rpartition("/")[2]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HOLDER])
def test_only_a_holder_hands_over(role: Role, now: datetime):
    actor = Actor(1, role, factor_at=now)
    for act in (
        lambda: offered(actor, now),
        lambda: handing_over.shown(actor, now=now),
        lambda: handing_over.revoke(actor, 1, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        ({"receiver": " "}, "receiver", Required),
        ({"receiver": "я" * 121}, "receiver", TooLong),
        ({"days": 2}, "days", NotAChoice),
        ({"consent": ""}, "consent", Required),
        ({"consent": "2020"}, "consent", ConsentOutdated),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(given, field, problem, now: datetime):
    with pytest.raises(Invalid) as refused:
        offered(holder_with_book(now), now, **given)
    assert isinstance(refused.value.fields[field], problem)


def test_fresh_factor_book_and_consent_are_needed(now: datetime):
    holder = holder_with_book(now)
    with pytest.raises(FreshFactorNeeded):
        offered(holder, now + timedelta(minutes=6))
    with pytest.raises(NotFound):
        offered(replace(make_holder(now), factor_at=now), now)
    waiting = offered(holder, now)
    consenting.withdraw(holder, now=now)
    with pytest.raises(ConsentNeeded):
        offered(holder, now)
    with pytest.raises(HandoverOver) as over:
        handing_over.fetch(code_of(waiting), Network.IPV4, now=now)
    assert over.value.state is HandoverState.REVOKED


@pytest.mark.parametrize("code", ["", "x", "A" * 26, "\u017f" * 26, "A" * 5000])
def test_unknown_codes_are_as_none(code: str, now: datetime):
    with pytest.raises(NotFound):
        handing_over.peek(code, now=now)
    with pytest.raises(NotFound):
        handing_over.fetch(code, Network.IPV4, now=now)


def test_code_of_a_verdict_link_fetches_nothing(now: datetime):
    holder = make_holder(now)
    link = sharing.make(holder, make_book(holder, now), now=now)
    with pytest.raises(NotFound):
        handing_over.fetch(link.url[-26:], Network.IPV4, now=now)


def test_looking_burns_nothing_and_fetching_burns_it(now: datetime):
    holder = holder_with_book(now)
    view = offered(holder, now)
    for _ in range(3):
        assert handing_over.peek(code_of(view), now=now) is HandoverScope.EXTRACT
    later = now + timedelta(hours=1)
    package = handing_over.fetch(code_of(view), Network.IPV6, now=later)
    assert package.document is not None
    assert b"\xd0" in package.document or b"emk" in package.document
    for act in (handing_over.peek, lambda c, now: handing_over.fetch(c, Network.IPV4, now=now)):
        with pytest.raises(HandoverOver) as over:
            act(code_of(view), now=later + DAY)
        assert (over.value.state, over.value.fetched_at) == (HandoverState.FETCHED, later)
    (seen,) = handing_over.shown(holder, now=later)
    assert (seen.state, seen.fetched_at, seen.network) == (
        HandoverState.FETCHED,
        later,
        Network.IPV6,
    )
    assert (seen.receiver, seen.version, seen.url) == ("СК «Надежда»", 1, "")
    with reading() as db:
        entry = db.exec(select(AuditEntry).where(AuditEntry.action == "fetch_handover")).one()
    assert (entry.role, entry.subject_id, entry.fields) == ("nobody", holder.user_id, "extract")


def test_bundle_and_verdict_are_what_was_agreed_to(now: datetime):
    holder = holder_with_book(now)
    bundle = handing_over.fetch(
        code_of(offered(holder, now, HandoverScope.FHIR)), Network.IPV4, now=now
    )
    assert json.loads(bundle.document or b"")["resourceType"] == "Bundle"
    told = handing_over.fetch(
        code_of(offered(holder, now, HandoverScope.VERDICT)), Network.IPV4, now=now
    )
    assert told.document is None
    assert told.verdict is not None
    assert (told.verdict.verdict, told.verdict.name) == (Verdict.VALID, "Иванова М. С.")


def test_of_two_at_once_one_gets_it(now: datetime):
    code = code_of(offered(holder_with_book(now), now))

    def tried(_: int) -> bool:
        try:
            handing_over.fetch(code, Network.IPV4, now=now)
        except HandoverOver:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(tried, range(4))) == 1


def test_it_ends_with_its_term_and_by_its_holder(now: datetime):
    holder = holder_with_book(now)
    old, closed = offered(holder, now), offered(holder, now)
    with pytest.raises(HandoverOver) as over:
        handing_over.fetch(code_of(old), Network.IPV4, now=now + DAY)
    assert over.value.state is HandoverState.EXPIRED
    with pytest.raises(NotFound):
        handing_over.revoke(make_holder(now), closed.id, now=now)
    handing_over.revoke(holder, closed.id, now=now)
    handing_over.revoke(holder, closed.id, now=now)
    with pytest.raises(HandoverOver) as over:
        handing_over.fetch(code_of(closed), Network.IPV4, now=now)
    assert over.value.state is HandoverState.REVOKED
    taken = offered(holder, now)
    handing_over.fetch(code_of(taken), Network.IPV4, now=now)
    with pytest.raises(HandoverOver):
        handing_over.revoke(holder, taken.id, now=now)


def test_suspended_book_is_handed_over_with_its_verdict(now: datetime):
    holder = replace(make_holder(now), factor_at=now)
    book_id = make_book(holder, now)
    view = offered(holder, now, HandoverScope.VERDICT)
    issuing.suspend(make_officer(now), book_id, "Проверяем", now=now)
    told = handing_over.fetch(code_of(view), Network.IPV4, now=now)
    assert told.verdict is not None
    assert told.verdict.verdict is Verdict.SUSPENDED


def test_waiting_links_have_a_limit(now: datetime):
    holder = holder_with_book(now)
    made = [offered(holder, now) for _ in range(HANDOVERS_AT_ONCE)]
    with pytest.raises(TooManyHandovers):
        offered(holder, now)
    handing_over.revoke(holder, made[0].id, now=now)
    assert offered(holder, now).state is HandoverState.WAITING
