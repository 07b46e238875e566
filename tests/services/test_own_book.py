"""A book read at one go says what its parts say each by itself."""

from __future__ import annotations

from datetime import datetime

import pytest

from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import books
from emk_app.domain.actors import Actor, Role
from emk_app.domain.books import BookStatus
from emk_app.domain.errors import NotPermitted
from emk_app.services import issuing, renewing, verifying, versioning
from emk_app.services.own_book import OwnBook, own_book
from tests import factories
from tests.factories import make_ending_book, spoil_versions
from tests.scenes import kept

make_holder = kept(factories.make_holder)

pytestmark = pytest.mark.usefixtures("world")


def as_its_parts_say(holder: Actor, book_id: int, now: datetime) -> OwnBook:
    found = own_book(holder, now=now)
    assert found is not None
    assert found.card == issuing.card(holder, now=now)
    assert found.outlook == renewing.outlook(holder, now=now)
    assert found.versions == versioning.versions(holder, book_id)
    return found


def test_book_is_the_holders_own(now: datetime):
    holder = make_holder(now)
    make_ending_book(holder, now, 10)
    for role in Role:
        if role is not Role.HOLDER:
            with pytest.raises(NotPermitted):
                own_book(Actor(holder.user_id, role), now=now)
    assert own_book(make_holder(now), now=now) is None


def test_newest_version_is_the_current_one(now: datetime):
    holder = make_holder(now)
    book_id = make_ending_book(holder, now, 10)
    before = as_its_parts_say(holder, book_id, now)
    renewing.renew(holder, book_id, now=now)
    found = as_its_parts_say(holder, book_id, now)
    assert found.card.version == before.card.version + 1
    assert [view.is_current for view in found.versions] == [True] + [False] * len(before.versions)
    assert found.outlook != before.outlook


def test_version_that_is_not_genuine_says_nothing(now: datetime):
    holder = make_holder(now)
    book_id = make_ending_book(holder, now, 10)
    spoil_versions(book_id, signature=b"{}")
    found = as_its_parts_say(holder, book_id, now)
    assert found.card.content is None
    assert not any(view.is_genuine for view in found.versions)


def test_suspended_book_says_so(now: datetime):
    holder = make_holder(now)
    book_id = make_ending_book(holder, now, 10)
    with unit_of_work() as db:
        books.get(db, book_id).status = BookStatus.SUSPENDED
    assert as_its_parts_say(holder, book_id, now).card.status is BookStatus.SUSPENDED


def test_each_version_is_checked_once(now: datetime, monkeypatch: pytest.MonkeyPatch):
    holder = make_holder(now)
    book_id = make_ending_book(holder, now, 10)
    renewing.renew(holder, book_id, now=now)
    check, seen = verifying._witness, list[int]()

    def counted(*args: object, version: int, **given: object):
        seen.append(version)
        return check(*args, version=version, **given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(verifying, "_witness", counted)
    found = own_book(holder, now=now)
    assert found is not None
    assert seen == [view.number for view in found.versions]
