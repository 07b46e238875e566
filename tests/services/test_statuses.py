"""The published statuses of codes: what is marked, and that nothing else ever is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from emk_app import clock
from emk_app.crypto import statuslist, tokens
from emk_app.crypto.statuslist import TokenStatus
from emk_app.crypto.trustlist import ListProblem, ListRefused
from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import books
from emk_app.domain.books import BookStatus
from emk_app.keys import keystore
from emk_app.services import sharing, statuses
from tests.factories import make_book, make_holder

pytestmark = pytest.mark.usefixtures("world")

LATER = timedelta(seconds=11)


@pytest.fixture
def now() -> datetime:
    """Return the real time, in which the process's key of lists is in its dates."""
    return clock.now()


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statuses, "_made", None)


def status(url: str, now: datetime) -> TokenStatus:
    read = statuslist.read(statuses.published(now=now), keystore().root, now=now)
    return read.status(tokens.share_id(url[-26:]))


def test_packing_is_that_of_the_draft():
    ones = dict(enumerate([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]))
    assert statuslist.pack(ones, 12).hex() == "c944f9"
    assert [statuslist.unpack(bytes.fromhex("c944f9"), place) for place in range(12)] == list(
        ones.values()
    )


def test_each_end_is_marked_and_nobody_else(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    kept = sharing.make(holder, book_id, now=now)
    closed = sharing.make(holder, book_id, now=now)
    assert status(closed.url, now) is TokenStatus.NOT_MARKED
    sharing.revoke(holder, closed.id, now=now)
    now += LATER
    assert status(closed.url, now) is TokenStatus.INVALID
    assert status(kept.url, now) is TokenStatus.NOT_MARKED
    for state, said in (
        (BookStatus.SUSPENDED, TokenStatus.SUSPENDED),
        (BookStatus.REVOKED, TokenStatus.INVALID),
        (BookStatus.ACTIVE, TokenStatus.NOT_MARKED),
    ):
        with unit_of_work() as db:
            books.move(db, books.get(db, book_id), status=state)
        now += LATER
        assert status(kept.url, now) is said
    with unit_of_work() as db:
        books.move(db, books.get(db, book_id), current_version=2)
    assert status(kept.url, now + LATER) is TokenStatus.SUPERSEDED
    assert status(closed.url, now + LATER) is TokenStatus.INVALID
    assert status(closed.url, closed.expires_at + LATER) is TokenStatus.NOT_MARKED


def test_list_is_signed_anew_only_for_a_change_or_in_time(now: datetime):
    holder = make_holder(now)
    link = sharing.make(holder, make_book(holder, now), now=now)
    first = statuses.published(now=now)
    assert statuses.published(now=now + LATER) == first
    sharing.revoke(holder, link.id, now=now)
    assert statuses.published(now=now + LATER + timedelta(seconds=9)) == first
    second = statuses.published(now=now + 2 * LATER)
    assert second != first
    assert statuses.published(now=now + 2 * LATER + statuslist.TTL) != second


def test_no_two_living_links_share_a_place(now: datetime, monkeypatch: pytest.MonkeyPatch):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    taken = sharing.make(holder, book_id, now=now).url[-26:]
    codes = [taken, taken, tokens.new_share()]
    monkeypatch.setattr(tokens, "new_share", lambda: codes.pop(0))
    assert sharing.make(holder, book_id, now=now).url[-26:] != taken
    assert codes == []


def test_changed_and_older_lists_are_refused(now: datetime):
    raw = statuses.published(now=now)
    root = keystore().root
    found = statuslist.read(raw, root, now=now)
    with pytest.raises(ListRefused) as refused:
        statuslist.read(raw, root, now=now, at_least=found.issued + LATER)
    assert refused.value.problem is ListProblem.OLDER
    with pytest.raises(ListRefused) as refused:
        statuslist.read(raw, root, now=now - timedelta(hours=1))
    assert refused.value.problem in (ListProblem.FROM_FUTURE, ListProblem.NOT_GENUINE)
    for at in range(0, len(raw), 211):
        changed = bytearray(raw)
        changed[at] ^= 1
        with pytest.raises(ListRefused):
            statuslist.read(bytes(changed), root, now=now)
