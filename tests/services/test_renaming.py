"""Change of identity data: asked with a paper, checked by an operator; the term stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from emk_app.db import vault
from emk_app.db.engine import reading
from emk_app.db.repositories import books
from emk_app.db.tables.identities import IdentityChange
from emk_app.db.tables.people import User
from emk_app.domain.actors import Actor, Role
from emk_app.domain.books import Cause, Verdict
from emk_app.domain.consent import ConsentNeeded
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    InvalidValue,
    NotFound,
    NotPermitted,
)
from emk_app.domain.identities import (
    ChangeDecided,
    ChangePending,
    ChangeStatus,
    IdentityFixed,
    NothingChanges,
)
from emk_app.domain.notices import News
from emk_app.services import consenting, issuing, reminding, renaming, scans, sharing, verifying
from emk_app.services.renaming import Typed
from tests.factories import make_book, make_holder, make_officer, spoil_versions
from tests.files import good
from tests.scenes import kept
from tests.services.test_reminding import told
from tests.services.test_renewing import aged
from tests.services.test_reviewing import at_once
from tests.services.test_versions import contents

pytestmark = pytest.mark.usefixtures("world")

NEW = Typed("Петрова", "Мария", "Сергеевна", "27.03.1990", "marriage")
PAPER = good.jpeg()


@pytest.fixture
@kept
def holder(now: datetime) -> Actor:
    return make_holder(now)


@pytest.fixture
@kept
def book_id(holder: Actor, now: datetime) -> int:
    return make_book(holder, now)


@pytest.fixture
@kept
def operator(now: datetime) -> Actor:
    return make_officer(now)


def ask(holder: Actor, now: datetime, **typed: str) -> str:
    return renaming.ask(holder, replace(NEW, **typed), PAPER, "свидетельство.jpg", now=now)


def rows() -> list[IdentityChange]:
    with reading() as db:
        return list(db.exec(select(IdentityChange).order_by(col(IdentityChange.id))).all())


def test_only_holders_ask_and_only_operators_decide(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    ref = ask(holder, now)
    for act in (
        lambda: ask(operator, now),
        lambda: renaming.mine(operator),
        lambda: renaming.permit_asking(operator, now=now),
        lambda: renaming.withdraw(operator, ref, now=now),
        lambda: renaming.waiting(holder),
        lambda: renaming.case(holder, ref, now=now),
        lambda: renaming.approve(replace(holder, factor_at=now), ref, now=now),
        lambda: renaming.reject(holder, ref, "other", "Нет", now=now),
        lambda: renaming.file(replace(operator, role=Role.CLINIC), ref, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_name_is_changed_and_the_term_is_not(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    code = sharing.make(holder, book_id, now=now).url.rpartition("/")[2]
    ref = ask(holder, now)
    seen = renaming.case(operator, ref, now=now)
    assert (str(seen.change.was.name), str(seen.change.wanted.name)) == (
        "Иванова Мария Сергеевна",
        "Петрова Мария Сергеевна",
    )
    assert seen.current == seen.change.was
    assert renaming.preview(operator, ref, now=now).startswith(b"\xff\xd8")
    number = renaming.approve(operator, ref, now=now + timedelta(minutes=1))
    before, after = contents(holder, book_id)
    assert (after.version, after.cause) == (number, Cause.IDENTITY)
    assert after.holder.last == "Петрова"
    assert (after.snils, after.valid_until, after.issued_on, after.lines) == (
        before.snils,
        before.valid_until,
        before.issued_on,
        before.lines,
    )
    look = verifying.look(code, "Chrome", now=now)
    assert (look.verdict, look.superseded_by) == (Verdict.SUPERSEDED, number)
    with reading() as db:
        user = db.get(User, holder.user_id)
        assert user is not None
        assert user.name_sealed is not None
        name = vault.vault_of(user).open(user.name_sealed, "users", "name", user.uid)
    assert name == "Петрова Мария Сергеевна"
    assert told(holder, News.IDENTITY_CHANGED) == [(News.IDENTITY_CHANGED, None)]
    with pytest.raises(ChangeDecided):
        renaming.approve(operator, ref, now=now)
    with pytest.raises(ChangeDecided):
        renaming.withdraw(holder, ref, now=now)


def test_birth_date_is_corrected_and_the_term_stays(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    ref = ask(holder, now, last="Иванова", born_on="28.03.1990", basis="correction")
    renaming.approve(operator, ref, now=now)
    before, after = contents(holder, book_id)
    assert (after.born_on, after.valid_until) == (date(1990, 3, 28), before.valid_until)


def test_examination_under_the_old_name_does_not_bring_it_back(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    renaming.approve(operator, ask(holder, now), now=now)
    make_book(holder, now)
    assert contents(holder, book_id)[-1].holder.last == "Петрова"


def test_name_given_back_later_is_the_one_that_counts(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    renaming.approve(operator, ask(holder, now), now=now)
    renaming.approve(operator, ask(holder, now, last="Иванова", basis="divorce"), now=now)
    make_book(holder, now)
    assert contents(holder, book_id)[-1].holder.last == "Иванова"


def test_reminders_go_on(holder: Actor, operator: Actor, now: datetime):
    aged(holder, now, 8)
    renaming.approve(operator, ask(holder, now), now=now)
    for day in range(9):
        reminding.run(0, now + timedelta(days=day))
    assert len(told(holder, News.BOOK_ENDS)) == 3


@pytest.mark.parametrize(
    "typed",
    [
        {"last": ""},
        {"first": "M4ria"},
        {"patronymic": "x" * 500},
        {"born_on": "31.02.1990"},
        {"born_on": "01.01.2999"},
        {"basis": ""},
        {"basis": "because"},
    ],
)
def test_what_is_typed_wrong_is_named(
    typed: dict[str, str], holder: Actor, book_id: int, now: datetime
):
    with pytest.raises(Invalid) as error:
        ask(holder, now, **typed)
    assert error.value.fields.keys() == typed.keys()
    assert rows() == []


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"x" * (5 * 1024 * 1024 + 1)])
def test_paper_that_is_none_is_refused(content: bytes, holder: Actor, book_id: int, now: datetime):
    with pytest.raises(InvalidValue):
        renaming.ask(holder, NEW, content, "x.jpg", now=now)
    assert rows() == []


def test_wish_that_can_not_be_is_refused(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    with pytest.raises(IdentityFixed):
        ask(make_holder(now), now)
    with pytest.raises(NothingChanges):
        ask(holder, now, last="Иванова")
    ask(holder, now)
    with pytest.raises(ChangePending):
        ask(holder, now, last="Сидорова")
    with pytest.raises(ChangePending):
        renaming.permit_asking(holder, now=now)
    assert not renaming.mine(holder).may_ask


def test_without_consent_nothing_is_asked(holder: Actor, book_id: int, now: datetime):
    consenting.withdraw(replace(holder, session_id=1, factor_at=now), now=now)
    with pytest.raises(ConsentNeeded):
        ask(holder, now)


def _revoke(book_id: int, now: datetime) -> None:
    issuing.revoke(make_officer(now), book_id, "Ошибка", now=now)


def _spoil(book_id: int, _now: datetime) -> None:
    spoil_versions(book_id, signature=b"{}")


@pytest.mark.parametrize("stop", [_revoke, _spoil])
def test_book_out_of_force_is_not_changed(
    stop: Callable[[int, datetime], None],
    holder: Actor,
    book_id: int,
    operator: Actor,
    now: datetime,
):
    ref = ask(holder, now)
    stop(book_id, now)
    with pytest.raises(IdentityFixed):
        renaming.approve(operator, ref, now=now)
    assert rows()[0].status is ChangeStatus.ASKED
    renaming.reject(operator, ref, "proves_nothing", "", now=now)
    with pytest.raises(IdentityFixed):
        ask(holder, now)


def test_approval_needs_a_fresh_second_factor(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    ref = ask(holder, now)
    with pytest.raises(FreshFactorNeeded):
        renaming.approve(replace(operator, factor_at=None), ref, now=now)


def test_refusal_says_why_and_a_new_wish_may_follow(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    ref = ask(holder, now)
    for ground, note in (("", ""), ("because", ""), ("other", " ")):
        with pytest.raises(Invalid):
            renaming.reject(operator, ref, ground, note, now=now)
    renaming.reject(operator, ref, "unreadable", "Обрезан край.", now=now)
    (change,) = renaming.mine(holder).changes
    assert change.status is ChangeStatus.REJECTED
    assert change.reason.endswith("Обрезан край.")
    assert told(holder, News.IDENTITY_REFUSED)
    assert len(contents(holder, book_id)) == 1
    ask(holder, now)
    assert len(renaming.waiting(operator)) == 1


def test_wish_taken_back_leaves_no_paper(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    ref = ask(holder, now)
    assert scans.sweep(now=now + timedelta(days=2)) == 0
    with pytest.raises(NotFound):
        renaming.withdraw(make_holder(now), ref, now=now)
    renaming.withdraw(holder, ref, now=now)
    for act in (
        lambda: renaming.file(holder, ref, now=now),
        lambda: renaming.case(operator, ref, now=now),
        lambda: renaming.peek(operator, ref),
    ):
        with pytest.raises(NotFound):
            act()
    assert renaming.waiting(operator) == ()
    assert renaming.mine(holder).may_ask


def test_paper_is_for_its_holder_and_operators(
    holder: Actor, book_id: int, operator: Actor, now: datetime
):
    ref = ask(holder, now)
    found = renaming.file(holder, ref, now=now)
    assert found.name == "свидетельство.jpg"
    for page in (0, 2, -1):
        with pytest.raises(NotFound):
            renaming.preview(holder, ref, page=page, now=now)
    with pytest.raises(NotFound):
        renaming.file(make_holder(now), ref, now=now)
    with pytest.raises(NotFound):
        renaming.file(holder, "0" * 32, now=now)


def test_of_decisions_at_once_one_counts(holder: Actor, book_id: int, now: datetime):
    ref = ask(holder, now)
    officers = [make_officer(now) for _ in range(3)]
    found = at_once(
        *(lambda each=each: renaming.approve(each, ref, now=now) for each in officers),
        lambda: renaming.reject(make_officer(now), ref, "differs", "", now=now),
    )
    assert sum(isinstance(each, ChangeDecided) for each in found) == 3
    with reading() as db:
        assert len(books.versions(db, book_id)) <= 2


def test_of_wishes_at_once_one_is_kept(holder: Actor, book_id: int, now: datetime):
    found = at_once(*[lambda: ask(holder, now)] * 3)
    assert sum(isinstance(each, ChangePending) for each in found) == 2
    assert len(rows()) == 1
