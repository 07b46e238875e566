"""Links, their codes, and the list of looks, refusals first."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
import zxingcpp
from PIL import Image

from emk_app import clock
from emk_app.crypto import cose, tokens
from emk_app.crypto.cose import TokenOutcome
from emk_app.db.engine import reading
from emk_app.db.repositories import books
from emk_app.domain.actors import Actor, Role
from emk_app.domain.books import BookNotShareable, Verdict
from emk_app.domain.errors import Invalid, NotAChoice, NotFound, NotPermitted, TooLong
from emk_app.domain.sharing import LINKS_AT_ONCE, LinkState, ShareScope, TooManyLinks
from emk_app.keys import keystore
from emk_app.services import issuing, sharing, verifying
from tests import factories
from tests.factories import make_officer
from tests.scenes import kept

make_holder = kept(factories.make_holder)
make_book = kept(factories.make_book)

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HOLDER])
def test_only_a_holder_has_links(role: Role, now: datetime):
    link = sharing.make((holder := make_holder(now)), make_book(holder, now), now=now)
    actor = Actor(holder.user_id, role)
    for act in (
        lambda: sharing.make(actor, 1, now=now),
        lambda: sharing.links(actor, now=now),
        lambda: sharing.revoke(actor, link.id, now=now),
        lambda: sharing.looks(actor),
        lambda: sharing.code(actor, link.id, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_foreign_and_missing_books_and_links_are_one(now: datetime):
    holder, stranger = make_holder(now), make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, now=now)
    verifying.look(link.url[-26:], "Chrome", now=now)
    for wanted in (book_id, 10**9):
        with pytest.raises(NotFound):
            sharing.make(stranger, wanted, now=now)
    for wanted in (link.id, 10**9):
        with pytest.raises(NotFound):
            sharing.revoke(stranger, wanted, now=now)
        with pytest.raises(NotFound):
            sharing.code(stranger, wanted, now=now)
    assert sharing.links(stranger, now=now) == ()
    assert sharing.looks(stranger) == ()
    assert verifying.look(link.url[-26:], "Chrome", now=now).is_valid


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        ({"label": "я" * 81}, "label", TooLong),
        ({"days": 2}, "days", NotAChoice),
        ({"days": -1}, "days", NotAChoice),
        ({"looks": 0}, "looks", NotAChoice),
        ({"looks": 10**9}, "looks", NotAChoice),
    ],
)
def test_what_is_not_offered_is_refused_beside_its_field(given, field, problem, now: datetime):
    holder = make_holder(now)
    with pytest.raises(Invalid) as refused:
        sharing.make(holder, make_book(holder, now), now=now, **given)
    assert isinstance(refused.value.fields[field], problem)


def test_book_that_is_not_in_force_is_not_shown(now: datetime):
    holder, officer = make_holder(now), make_officer(now)
    book_id = make_book(holder, now, received=False)

    def hindrance(at: datetime) -> Verdict:
        with pytest.raises(BookNotShareable) as refused:
            sharing.make(holder, book_id, now=at)
        return refused.value.verdict

    assert hindrance(now) is Verdict.NOT_RECEIVED
    issuing.receive(holder, book_id, now=now)
    assert hindrance(now + 366 * 6 * DAY) is Verdict.TERM_PASSED
    issuing.suspend(officer, book_id, "Проверяем", now=now)
    assert hindrance(now) is Verdict.SUSPENDED
    issuing.revoke(officer, book_id, "Ошибка", now=now)
    assert hindrance(now) is Verdict.REVOKED


def test_open_links_have_a_limit(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    made = [sharing.make(holder, book_id, now=now) for _ in range(LINKS_AT_ONCE)]
    with pytest.raises(TooManyLinks):
        sharing.make(holder, book_id, now=now)
    sharing.revoke(holder, made[0].id, now=now)
    assert sharing.make(holder, book_id, now=now).state is LinkState.ALIVE


def test_link_lives_ninety_days_unless_told_otherwise(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, label="  для кафе на Мира ", now=now)
    assert link.url.startswith("http://localhost:8000/v/")
    assert (link.label, link.expires_at) == ("для кафе на Мира", now + 90 * DAY)
    assert (link.scope, link.max_looks) == (ShareScope.WITH_OCCUPATION, None)


def test_list_shows_each_link_as_it_now_is(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    closed = sharing.make(holder, book_id, now=now)
    once = sharing.make(holder, book_id, looks=1, now=now)
    short = sharing.make(holder, book_id, days=1, now=now)
    long = sharing.make(holder, book_id, days=365, now=now)
    sharing.revoke(holder, closed.id, now=now)
    verifying.look(once.url[-26:], "Chrome", now=now)
    make_book(holder, now + DAY)
    states = {link.id: link.state for link in sharing.links(holder, now=now + DAY)}
    assert states == {
        closed.id: LinkState.LINK_REVOKED,
        once.id: LinkState.LINK_EXHAUSTED,
        short.id: LinkState.LINK_EXPIRED,
        long.id: LinkState.ALIVE,
    }
    assert all(link.is_superseded for link in sharing.links(holder, now=now + DAY))


def test_closing_twice_is_once(now: datetime):
    holder = make_holder(now)
    link = sharing.make(holder, make_book(holder, now), now=now)
    sharing.revoke(holder, link.id, now=now)
    sharing.revoke(holder, link.id, now=now + DAY)
    with reading() as db:
        assert books.own_link(db, holder, link.id).revoked_at == now


def test_holder_sees_who_looked_newest_first(now: datetime):
    holder = make_holder(now)
    link = sharing.make(holder, make_book(holder, now), label="Кафе", now=now)
    verifying.look(link.url[-26:], "Chrome, Windows", now=now)
    sharing.revoke(holder, link.id, now=now)
    verifying.look(link.url[-26:], "Safari, iPhone", now=now + DAY)
    seen = [(each.viewer, each.verdict, each.label) for each in sharing.looks(holder)]
    assert seen == [
        ("Safari, iPhone", Verdict.LINK_REVOKED, "Кафе"),
        ("Chrome, Windows", Verdict.VALID, "Кафе"),
    ]


def read_picture(png: bytes) -> str:
    """Read a QR picture as a telephone would."""
    picture = Image.open(io.BytesIO(png)).convert("L")
    # The squares of a code happen to look like lines of another kind.
    (found,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.barcode_formats_from_str("QRCode"))
    return found.text


@pytest.mark.parametrize(
    ("scope", "name", "year", "categories"),
    [
        (ShareScope.WITH_OCCUPATION, "Иванова М. С.", 1990, (23,)),
        (ShareScope.VERDICT_ONLY, "Иванова М. С.", 1990, ()),
        (ShareScope.ANONYMOUS, None, None, ()),
    ],
)
def test_code_carries_the_link_and_the_signed_token(scope, name, year, categories):
    now = clock.now()  # a token is no older than the key that signs it
    holder = make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, scope=scope, now=now)
    code = sharing.code(holder, link.id, now=now)
    address, _, token = read_picture(code.png).partition("#")
    assert address == link.url
    check = cose.check_token(token, keystore().trust_list, now)
    assert check.outcome is TokenOutcome.GENUINE
    assert check.claims is not None
    assert check.claims.share_id == tokens.share_id(link.url[-26:])
    assert (check.claims.shown_name, check.claims.birth_year) == (name, year)
    assert check.claims.categories == categories
    assert check.claims.version == 1
    card = issuing.card(holder, now=now)
    assert card is not None
    assert check.claims.document_hash.hex() == card.version_hash


def test_same_link_always_has_the_same_code():
    now = clock.now()
    holder = make_holder(now)
    link = sharing.make(holder, make_book(holder, now), now=now)
    first = sharing.code(holder, link.id, now=now)
    later = sharing.code(holder, link.id, now=now + DAY)
    assert first == later
    assert first.svg.startswith("<svg")


def test_code_does_not_outlive_the_link():
    now = clock.now()
    holder = make_holder(now)
    link = sharing.make(holder, make_book(holder, now), days=1, now=now)
    token = sharing.code(holder, link.id, now=now).url.partition("#")[2]
    trust = keystore().trust_list
    assert cose.check_token(token, trust, now + DAY).outcome is TokenOutcome.EXPIRED


def test_code_of_a_dead_or_old_link_is_not_given(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    closed = sharing.make(holder, book_id, now=now)
    old = sharing.make(holder, book_id, now=now)
    sharing.revoke(holder, closed.id, now=now)
    make_book(holder, now + DAY)
    for link, verdict in ((closed, Verdict.LINK_REVOKED), (old, Verdict.SUPERSEDED)):
        with pytest.raises(BookNotShareable) as refused:
            sharing.code(holder, link.id, now=now + DAY)
        assert refused.value.verdict is verdict
