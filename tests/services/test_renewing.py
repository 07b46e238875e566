"""«Продлить»: refusals first, then the new term, its version, and who comes second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books
from emk_app.db.tables.books import MedicalBook
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Role
from emk_app.domain.books import Cause, Verdict
from emk_app.domain.clearance import SOON_DAYS
from emk_app.domain.errors import NotFound, NotPermitted
from emk_app.domain.renewals import Hindrance, NotRenewable
from emk_app.services import applying, consenting, issuing, renewing, sharing, verifying, versioning
from emk_app.services.renewing import NextStep
from tests import factories
from tests.factories import make_ending_book, make_officer, make_received, spoil_versions
from tests.scenes import kept
from tests.services.test_reviewing import at_once
from tests.services.test_versions import contents

make_holder = kept(factories.make_holder)
make_book = kept(factories.make_book)

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)


def aged(holder: Actor, now: datetime, days_left: int) -> tuple[int, datetime]:
    """Return a book whose term ends in so many days, and that moment."""
    return make_ending_book(holder, now, days_left), now


def hindrance(holder: Actor, moment: datetime) -> Hindrance | None:
    outlook = renewing.outlook(holder, now=moment)
    assert outlook is not None
    return outlook.prospect.hindrance


def refused(holder: Actor, book_id: int, moment: datetime) -> Hindrance:
    with pytest.raises(NotRenewable) as error:
        renewing.renew(holder, book_id, now=moment)
    assert hindrance(holder, moment) is error.value.hindrance
    return error.value.hindrance


def test_renewal_is_the_holders_own(now: datetime):
    holder = make_holder(now)
    book_id, moment = aged(holder, now, 10)
    for role in Role:
        if role is not Role.HOLDER:
            with pytest.raises(NotPermitted):
                renewing.renew(Actor(holder.user_id, role), book_id, now=moment)
            with pytest.raises(NotPermitted):
                renewing.outlook(Actor(holder.user_id, role), now=moment)
    with pytest.raises(NotFound):
        renewing.renew(make_holder(now), book_id, now=moment)
    assert renewing.outlook(make_holder(now), now=moment) is None


@pytest.mark.parametrize(
    ("days_left", "expected"),
    [
        (SOON_DAYS + 1, Hindrance.TOO_EARLY),
        (SOON_DAYS, None),
        (1, None),
        (0, None),
        (-1, None),
        (-300, None),
    ],
)
def test_renewal_opens_with_the_last_month(
    days_left: int, expected: Hindrance | None, now: datetime
):
    holder = make_holder(now)
    _, moment = aged(holder, now, days_left)
    assert hindrance(holder, moment) is expected


def test_new_term_is_signed_at_once_and_old_links_say_so(now: datetime):
    holder = make_holder(now)
    book_id, moment = aged(holder, now, 10)
    before = contents(holder, book_id)[-1]
    code = sharing.make(holder, book_id, now=moment).url.rpartition("/")[2]
    until = renewing.renew(holder, book_id, now=moment)
    after = contents(holder, book_id)[-1]
    assert (after.cause, after.issued_on, after.valid_until) == (
        Cause.RENEWAL,
        moment.date(),
        until,
    )
    assert until == date(moment.year + 5, moment.month, moment.day)
    assert (
        replace(
            after,
            cause=before.cause,
            made_on=before.made_on,
            version=before.version,
            salt=before.salt,
            previous_hash=before.previous_hash,
            issued_on=before.issued_on,
            valid_until=before.valid_until,
        )
        == before
    )
    card = issuing.card(holder, now=moment)
    assert card is not None
    assert card.judgement.is_valid
    look = verifying.look(code, "Chrome", now=moment)
    assert (look.verdict, look.superseded_by) == (Verdict.SUPERSEDED, after.version)
    with reading() as db:
        book = books.get(db, book_id)
        entry = db.exec(
            select(AuditEntry.fields, AuditEntry.target).where(AuditEntry.action == "renew_book")
        ).one()
    assert (book.issued_on, book.valid_until) == (after.issued_on, after.valid_until)
    assert tuple(entry) == ("renewal", f"book:{book_id}:{after.version}")


def test_second_press_renews_nothing_more(now: datetime):
    holder = make_holder(now)
    book_id, moment = aged(holder, now, 10)
    renewing.renew(holder, book_id, now=moment)
    assert refused(holder, book_id, moment) is Hindrance.TOO_EARLY


def test_of_presses_at_once_one_renews(now: datetime):
    holder = make_holder(now)
    book_id, moment = aged(holder, now, 10)
    count = len(versioning.versions(holder, book_id))
    found = at_once(*[lambda: renewing.renew(holder, book_id, now=moment)] * 4)
    assert sum(isinstance(each, date) for each in found) == 1
    assert all(isinstance(each, date | NotRenewable) for each in found)
    assert len(versioning.versions(holder, book_id)) == count + 1


def test_expired_book_is_refused_everywhere_until_it_is_renewed(now: datetime):
    holder = make_holder(now)
    book_id, moment = aged(holder, now, -1)
    with pytest.raises(sharing.BookNotShareable) as error:
        sharing.make(holder, book_id, now=moment)
    assert error.value.verdict is Verdict.TERM_PASSED
    renewing.renew(holder, book_id, now=moment)
    code = sharing.make(holder, book_id, now=moment).url.rpartition("/")[2]
    assert verifying.look(code, "Chrome", now=moment).is_valid


def _suspend(holder: Actor, book_id: int, moment: datetime) -> None:
    issuing.suspend(make_officer(moment), book_id, "Проверяем", now=moment)


def _revoke(holder: Actor, book_id: int, moment: datetime) -> None:
    issuing.revoke(make_officer(moment), book_id, "Ошибка", now=moment)


def _spoil(_holder: Actor, book_id: int, _moment: datetime) -> None:
    spoil_versions(book_id, signature=b"{}")


def _withdraw(holder: Actor, _book_id: int, moment: datetime) -> None:
    fresh = replace(holder, session_id=1, factor_at=moment)
    consenting.withdraw(fresh, now=moment)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_suspend, Hindrance.SUSPENDED),
        (_revoke, Hindrance.REVOKED),
        (_spoil, Hindrance.NOT_GENUINE),
        (_withdraw, Hindrance.NO_CONSENT),
    ],
)
def test_book_that_is_not_in_order_is_not_renewed(
    spoil: Callable[[Actor, int, datetime], None], expected: Hindrance, now: datetime
):
    holder = make_holder(now)
    book_id, moment = aged(holder, now, 10)
    spoil(holder, book_id, moment)
    assert refused(holder, book_id, moment) is expected


def test_book_nobody_has_received_is_not_renewed(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now, received=False)
    with unit_of_work() as db:
        db.execute(sa.update(MedicalBook).values(valid_until=now.date()))
    assert refused(holder, book_id, now) is Hindrance.NOT_RECEIVED


@pytest.mark.parametrize("late", [0, 340, 366])
def test_studies_that_end_within_the_month_are_named_instead(late: int, now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    moment = now + timedelta(days=late)
    outlook = renewing.outlook(holder, now=moment)
    assert outlook is not None
    if late == 0:
        assert outlook.prospect.wanting == ()
        return
    assert refused(holder, book_id, moment) is Hindrance.STUDIES
    assert {each.code for each in outlook.prospect.wanting} > {"hygiene"}
    assert all((each.days_left or 0) < 30 for each in outlook.prospect.wanting)


def test_next_step_is_what_is_under_way(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)

    def step() -> NextStep:
        outlook = renewing.outlook(holder, now=now)
        assert outlook is not None
        return outlook.way.step

    assert step() is NextStep.REAPPLY
    outlook = renewing.outlook(holder, now=now)
    assert outlook is not None
    assert outlook.way.ground is not None
    applying.reapply(holder, outlook.way.ground, now=now)
    assert step() is NextStep.DRAFT


def test_next_step_after_handing_in_is_the_visit(now: datetime):
    holder = make_holder(now)
    make_book(holder, now)
    number = make_received(holder, now).number
    outlook = renewing.outlook(holder, now=now)
    assert outlook is not None
    assert (outlook.way.step, outlook.way.number) == (NextStep.VISIT, number)


def test_comparison_tells_what_changed_and_nothing_else(now: datetime):
    holder = make_holder(now)
    book_id, moment = aged(holder, now, 10)
    renewing.renew(holder, book_id, now=moment)
    newest = versioning.versions(holder, book_id)[0].number
    found = versioning.compare(holder, book_id, newest, newest - 1)
    assert (found.old.number, found.new.number) == (newest - 1, newest)
    assert [each.part.value for each in found.differences] == ["valid_until", "issued_on"]


def test_versions_of_another_do_not_exist(now: datetime):
    holder, stranger = make_holder(now), make_holder(now)
    book_id = make_book(holder, now)
    for act in (
        lambda: versioning.versions(stranger, book_id),
        lambda: versioning.compare(stranger, book_id, 1, 1),
        lambda: versioning.compare(holder, book_id, 1, 2),
        lambda: versioning.compare(holder, book_id, -1, 10**12),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(NotPermitted):
        versioning.versions(make_officer(now), book_id)
    spoil_versions(book_id, signature=b"{}")
    with pytest.raises(sharing.BookNotShareable):
        versioning.compare(holder, book_id, 1, 1)
    assert not versioning.versions(holder, book_id)[0].is_genuine
