"""What a scan finds, refusals first."""

from __future__ import annotations

import asyncio
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from emk_app import clock
from emk_app.crypto import tokens
from emk_app.crypto.signing import DetachedSignature
from emk_app.db import changes, vault
from emk_app.db.engine import Busy, is_embedded, reading, unit_of_work
from emk_app.db.repositories import books
from emk_app.db.tables.books import BookVersion, Look, MedicalBook, ShareLink
from emk_app.domain.actors import Actor
from emk_app.domain.books import BookStatus, Verdict
from emk_app.domain.errors import NotFound
from emk_app.domain.notices import News
from emk_app.domain.sharing import ShareScope
from emk_app.services import issuing, notifying, sharing, verifying
from emk_app.services.verifying import LookResult
from tests import factories
from tests.factories import make_officer, spoil_versions
from tests.scenes import kept

make_holder = kept(factories.make_holder)
make_book = kept(factories.make_book)

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)


def share(holder: Actor, book_id: int, now: datetime, **more: Any) -> str:
    """Return the code of a new link."""
    return sharing.make(holder, book_id, now=now, **more).url.rpartition("/")[2]


def look(code: str, now: datetime) -> LookResult:
    return verifying.look(code, "Chrome, Windows", now=now)


def change_version(book_id: int, **values: Any) -> None:
    spoil_versions(book_id, **values)


def stored(book_id: int) -> BookVersion:
    with reading() as db:
        return db.exec(select(BookVersion).where(BookVersion.book_id == book_id)).one()


def taken() -> list[Look]:
    with reading() as db:
        return list(db.exec(select(Look).order_by(col(Look.id))).all())


def assert_shows_nothing(result: LookResult, verdict: Verdict, now: datetime) -> None:
    """A link that is over tells of itself alone."""
    assert result == LookResult(verdict, (verdict,), now)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "A" * 26,
        "a" * 25,
        "A" * 27,
        "AAAAAAAAAAAAAAAAAAAAAAAAA1",
        "\u017f" * 26,
        "' OR 1=1 --",
        "A" * 100_000,
    ],
)
def test_what_is_no_code_and_what_nobody_made_are_one(code: str, now: datetime):
    with pytest.raises(NotFound):
        look(code, now)
    assert taken() == []


def test_closed_link_says_so_and_nothing_else(now: datetime):
    holder = make_holder(now)
    link = sharing.make(holder, make_book(holder, now), now=now)
    code = link.url[-26:]
    assert look(code, now).is_valid
    sharing.revoke(holder, link.id, now=now)
    assert_shows_nothing(look(code, now), Verdict.LINK_REVOKED, now)


def test_link_is_over_at_its_very_end(now: datetime):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now, days=1)
    assert look(code, now + DAY - timedelta(seconds=1)).is_valid
    end = now + DAY
    assert_shows_nothing(look(code, end), Verdict.LINK_EXPIRED, end)


def test_looks_run_out(now: datetime):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now, looks=1)
    assert look(code, now).is_valid
    assert_shows_nothing(look(code, now), Verdict.LINK_EXHAUSTED, now)


def test_of_two_that_race_for_the_last_look_one_gets_it(now: datetime):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now, looks=1)
    both_read = threading.Barrier(2)
    results: list[LookResult] = []

    def race() -> None:
        sight = verifying.see(code, "Chrome", now=now)
        both_read.wait()
        results.extend(verifying.record([sight]))

    racers = [threading.Thread(target=race) for _ in range(2)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(result.verdict for result in results) == [Verdict.LINK_EXHAUSTED, Verdict.VALID]
    loser = next(result for result in results if not result.is_valid)
    assert_shows_nothing(loser, Verdict.LINK_EXHAUSTED, now)


def test_many_looks_written_at_once_are_each_counted(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    codes = [share(holder, book_id, now), share(holder, book_id, now, looks=5)]
    sights = [verifying.see(code, "Chrome", now=now) for code in codes for _ in range(7)]
    results = verifying.record(sights)
    assert [result.verdict for result in results] == [Verdict.VALID] * 12 + [
        Verdict.LINK_EXHAUSTED
    ] * 2
    assert sorted(link.looks for link in sharing.links(holder, now=now)) == [5, 7]
    assert len(taken()) == 14


@pytest.mark.parametrize("quickly", [False, True])
@pytest.mark.parametrize("looks", [None, 5])
def test_link_closed_between_reading_and_writing_shows_nothing(
    now: datetime, looks: int | None, quickly: bool
):
    holder = make_holder(now)
    link = sharing.make(holder, make_book(holder, now), looks=looks, now=now)
    # The holder has been told already, so that the look is one of thousands.
    look(link.url[-26:], now)
    sight = verifying.see(link.url[-26:], "Chrome", now=now)
    sharing.revoke(holder, link.id, now=now)
    (result,) = verifying.record([sight], quickly=quickly and is_embedded())
    assert_shows_nothing(result, Verdict.LINK_REVOKED, now)


@pytest.mark.parametrize("looks", [None, 5])
async def test_looks_written_quickly_are_counted_and_told_of_once_they_stand(
    now: datetime, looks: int | None
):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now, looks=looks)
    look(code, now)
    seen: list[int] = []
    watch = changes.subscribe(
        [verifying.topic_of(holder.user_id)], lambda: seen.append(len(taken()))
    )
    sights = [verifying.see(code, "Chrome", now=now) for _ in range(3)]
    results = verifying.record(sights, quickly=is_embedded())
    await asyncio.sleep(0.01)
    changes.unsubscribe(watch)
    assert all(result.is_valid for result in results)
    assert seen == [4]
    [link] = sharing.links(holder, now=now)
    assert link.looks == 4


async def test_look_that_can_not_be_written_leaves_nothing_and_nobody_waiting(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now)
    look(code, now)
    sight = verifying.see(code, "Chrome", now=now)
    told: list[bool] = []
    watch = changes.subscribe([verifying.topic_of(holder.user_id)], lambda: told.append(True))

    def fail(*given: Any) -> None:
        write_looks(*given)
        raise RuntimeError

    write_looks = books.write_looks
    with monkeypatch.context() as patched:
        patched.setattr(books, "write_looks", fail)
        with pytest.raises(RuntimeError):
            verifying.record([sight], quickly=is_embedded())
    await asyncio.sleep(0.01)
    assert (len(taken()), told) == (1, [])
    assert verifying.record([sight], quickly=is_embedded())[0].is_valid
    await asyncio.sleep(0.01)
    changes.unsubscribe(watch)
    assert (len(taken()), told) == (2, [True])


@pytest.mark.parametrize("looks", [None, 5])
def test_look_does_not_wait_for_another_writer_where_it_is_to_be_quick(
    now: datetime, looks: int | None
):
    if not is_embedded():
        return
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now, looks=looks)
    look(code, now)
    sight = verifying.see(code, "Chrome", now=now)
    with unit_of_work(), pytest.raises(Busy):
        verifying.record([sight], quickly=True)
    assert len(taken()) == 1


def test_book_not_received_is_not_in_force(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    code = share(holder, book_id, now)
    with unit_of_work() as db:
        db.execute(sa.update(MedicalBook).values(status=BookStatus.FORMED))
    assert look(code, now).verdict is Verdict.NOT_RECEIVED


def test_revoked_book_says_so(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    code = share(holder, book_id, now)
    issuing.revoke(make_officer(now), book_id, "Недействительная справка", now=now)
    assert look(code, now).verdict is Verdict.REVOKED


def test_suspended_book_says_so_until_it_is_put_back(now: datetime):
    holder, officer = make_holder(now), make_officer(now)
    book_id = make_book(holder, now)
    code = share(holder, book_id, now)
    issuing.suspend(officer, book_id, "Проверяем заключение", now=now)
    assert look(code, now).verdict is Verdict.SUSPENDED
    issuing.resume(officer, book_id, now=now)
    assert look(code, now).is_valid


def test_link_to_an_older_version_names_the_newer(now: datetime):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now)
    make_book(holder, now)
    result = look(code, now)
    assert (result.verdict, result.version, result.superseded_by) == (Verdict.SUPERSEDED, 1, 2)

    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now, days=365)
    last_day = clock.day_of(now).replace(year=clock.day_of(now).year + 1)
    with unit_of_work() as db:
        db.execute(sa.update(ShareLink).values(expires_at=now + 400 * DAY))
    assert look(code, now + 365 * DAY).is_valid
    late = look(code, now + 366 * DAY)
    assert late.verdict is Verdict.ITEMS_OVERDUE
    assert late.items_overdue_since == last_day + DAY


@pytest.mark.parametrize("column", ["canonical_sealed", "signature"])
def test_one_changed_byte_is_not_genuine(column: str, now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    code = share(holder, book_id, now)
    whole: bytes = getattr(stored(book_id), column)
    for at in {0, 1, 2, 20, len(whole) // 2, len(whole) - 1}:
        spoilt = bytearray(whole)
        spoilt[at] ^= 1
        change_version(book_id, **{column: bytes(spoilt)})
        assert_shows_nothing(look(code, now), Verdict.NOT_GENUINE, now)
    change_version(book_id, **{column: whole})
    assert look(code, now).is_valid


@pytest.mark.parametrize(
    "values",
    [
        {"canonical_sealed": b""},
        {"signature": b""},
        {"signature": b"{}"},
        {"version_hash": "0" * 64},
        {"signed_at": datetime(2001, 1, 1, tzinfo=UTC)},
    ],
)
def test_version_with_anything_of_another_is_not_genuine(values: dict[str, Any], now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    code = share(holder, book_id, now)
    change_version(book_id, **values)
    assert_shows_nothing(look(code, now), Verdict.NOT_GENUINE, now)


def test_another_persons_version_is_not_genuine(now: datetime):
    holder, other = make_holder(now), make_holder(now)
    book_id, foreign_id = make_book(holder, now), make_book(other, now)
    code = share(holder, book_id, now)
    foreign = stored(foreign_id)
    change_version(
        book_id,
        canonical_sealed=foreign.canonical_sealed,
        signature=foreign.signature,
        version_hash=foreign.version_hash,
    )
    assert_shows_nothing(look(code, now), Verdict.NOT_GENUINE, now)


def test_foreign_document_sealed_for_this_place_is_not_genuine(now: datetime):
    """Whoever holds the keys of sealing still can't give one person another's book."""
    holder, other = make_holder(now), make_holder(now)
    book_id, foreign_id = make_book(holder, now), make_book(other, now)
    code = share(holder, book_id, now)
    foreign = stored(foreign_id)
    with reading() as db:
        raw = books.open_canonical(
            vault.vault_for(db, other.user_id), foreign_id, 1, foreign.canonical_sealed
        )
        resealed = books.seal_canonical(vault.vault_for(db, holder.user_id), book_id, 1, raw)
    change_version(
        book_id,
        canonical_sealed=resealed,
        signature=foreign.signature,
        version_hash=foreign.version_hash,
    )
    assert_shows_nothing(look(code, now), Verdict.NOT_GENUINE, now)


def test_signature_of_another_document_is_not_genuine(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    code = share(holder, book_id, now)
    signature = DetachedSignature.unpack(stored(book_id).signature)
    forged = DetachedSignature(
        signature.algorithm,
        signature.key_id,
        signature.digest,
        signature.value[:-1] + bytes([signature.value[-1] ^ 1]),
        signature.certificates,
    )
    change_version(book_id, signature=forged.pack())
    assert_shows_nothing(look(code, now), Verdict.NOT_GENUINE, now)


def test_lost_key_is_a_fact_and_no_crash(now: datetime):
    from emk_app.db.tables.people import User

    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now)
    with unit_of_work() as db:
        db.execute(
            sa.update(User).where(col(User.id) == holder.user_id).values(key_sealed=b"\1" * 62)
        )
    assert_shows_nothing(look(code, now), Verdict.NOT_GENUINE, now)


@pytest.mark.parametrize(
    ("scope", "name", "year", "group"),
    [
        (ShareScope.WITH_OCCUPATION, "Иванова М. С.", 1990, "Общественное питание"),
        (ShareScope.VERDICT_ONLY, "Иванова М. С.", 1990, None),
        (ShareScope.ANONYMOUS, None, None, None),
    ],
)
def test_scope_decides_what_is_told(
    scope: ShareScope, name: str | None, year: int | None, group: str | None, now: datetime
):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now, scope=scope)
    result = look(code, now)
    assert result.is_valid
    assert (result.name, result.birth_year, result.occupation_group) == (name, year, group)
    assert result.version_hash == stored(1).version_hash


def test_code_is_read_in_any_case(now: datetime):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now)
    assert look(code.lower(), now).is_valid


async def test_each_look_is_written_down_and_its_holder_is_told(now: datetime):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now)
    watch = changes.subscribe([verifying.topic_of(holder.user_id)])
    look(code, now)
    async with asyncio.timeout(5):
        await watch.wait()
    changes.unsubscribe(watch)
    (written,) = taken()
    assert (written.verdict, written.viewer, written.at) == ("valid", "Chrome, Windows", now)


def told(holder: Actor) -> list[datetime | None]:
    notices = [each.notice for each in notifying.page_of(holder, 1).notices]
    return [each.at for each in notices if each and each.news is News.BOOK_LOOKED_AT]


def test_holder_is_told_of_looks_once_an_hour_for_each_link(now: datetime):
    holder = make_holder(now)
    book_id = make_book(holder, now)
    code, other = share(holder, book_id, now), share(holder, book_id, now)
    for minutes in (0, 1, 59):
        look(code, now + timedelta(minutes=minutes))
    assert told(holder) == [now]
    look(other, now + timedelta(minutes=5))
    look(code, now + timedelta(minutes=60))
    assert told(holder) == [now + timedelta(minutes=60), now + timedelta(minutes=5), now]
    assert len(taken()) == 5


def test_looks_written_at_once_are_told_once(now: datetime):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now)
    sights = [verifying.see(code, "Chrome", now=now) for _ in range(3)]
    verifying.record(sights)
    verifying.record([sights[0]])
    assert told(holder) == [now]


def test_database_knows_no_code_and_no_address(now: datetime):
    holder = make_holder(now)
    code = share(holder, make_book(holder, now), now)
    look(code, now)
    with reading() as db:
        rows = [*db.exec(select(ShareLink)).all(), *db.exec(select(Look)).all()]
    everything = "".join(repr(row.model_dump()) for row in rows)
    assert code not in everything
    assert tokens.share_digest(code) in everything
    assert not re.search(r"\d+\.\d+\.\d+\.\d+", everything)
