"""«Мои заявки»: what is shown of them, in what order, on which page."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.applications import FINAL, ApplicationStatus, TrackingNumber
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.presenting import listings
from emk_app.presenting.listings import PAGE_LENGTH, Group, Order
from emk_app.services.applying import CaseView
from tests.unit.test_presenting_applications import CASE, CLINIC, NOW

A = ApplicationStatus


def made(serial: int, status: A = A.UNDER_REVIEW, **more: object) -> CaseView:
    at = NOW + timedelta(days=serial)
    values = {"id": serial, "number": TrackingNumber(2026, serial), "submitted_at": at} | more
    return replace(CASE, status=status, **values)  # pyright: ignore[reportArgumentType]


EVERY = [made(n, status) for n, status in enumerate((each for each in A if each is not A.DRAFT), 1)]


def ids(
    cases: list[CaseView],
    group: Group = Group.ALL,
    query: str = "",
    order: Order = Order.NEWEST,
) -> list[int]:
    return [case.id for case in listings.listing(cases, group, query, order, 1).cases]


@pytest.mark.parametrize("status", [status for status in A if status is not A.DRAFT])
def test_every_status_is_in_its_groups(status: A):
    shown = {group for group in Group if ids([made(1, status)], group)}
    wanted = {Group.ALL, Group.ENDED if status in FINAL else Group.OPEN}
    assert shown == wanted | ({Group.ASKED} if status is A.CLARIFICATION_REQUESTED else set())


@pytest.mark.parametrize(
    "query",
    ["ЭМК-2026-000007", "эмк–2026–000007", "emk-2026-000007", "2026000007", "000007", "  000007 "],
)
def test_application_is_found_by_its_number_however_it_is_written(query: str):
    assert ids([made(n) for n in range(1, 10)], query=query) == [7]


def test_application_is_found_by_clinic_occupation_and_status_together():
    cook = made(1, clinic=CLINIC, occupation=OCCUPATIONS["cook"])
    other = made(2, A.REJECTED)
    assert ids([cook, other], query="ПОЛИКЛИНИКА повар") == [1]
    assert ids([cook, other], query="отклонено") == [2]
    assert ids([cook, other], query="поликлиника отклонено") == []
    assert ids([made(3, A.EXPIRED)], query="истек") == [3]


def test_order_is_by_the_moment_or_by_the_nearest_term_with_the_ended_last():
    soon = made(1, act_by=date(2026, 12, 1))
    later = made(2, promised_by=date(2026, 12, 10), act_by=None)
    ended = made(3, A.REJECTED, promised_by=date(2026, 1, 1))
    cases = [ended, later, soon]
    assert ids(cases) == [3, 2, 1]
    assert ids(cases, order=Order.OLDEST) == [1, 2, 3]
    assert ids(cases, order=Order.DUE) == [1, 2, 3]


@given(st.integers(0, 45), st.integers(-3, 99))
def test_pages_hold_everything_once_and_none_is_beyond_the_last(count: int, asked: int):
    cases = [made(n) for n in range(1, count + 1)]
    first = listings.listing(cases, Group.ALL, "", Order.OLDEST, 1)
    seen = [
        case.id
        for page in range(1, first.pages + 1)
        for case in listings.listing(cases, Group.ALL, "", Order.OLDEST, page).cases
    ]
    assert seen == list(range(1, count + 1))
    one = listings.listing(cases, Group.ALL, "", Order.OLDEST, asked)
    assert 1 <= one.page <= one.pages
    assert len(one.cases) <= PAGE_LENGTH
    assert bool(one.cases) is bool(cases)


def test_groups_say_how_many_are_in_them():
    words = dict(listings.group_options(EVERY))
    assert words == {
        "all": "Все: 8",
        "open": "В работе: 4",
        "asked": "Требуют ответа: 1",
        "ended": "Завершённые: 4",
    }
