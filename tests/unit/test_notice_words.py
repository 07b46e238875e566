"""What may leave when, and in which words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.applications import TrackingNumber
from emk_app.domain.notices import (
    CODES,
    KINDS,
    LONGEST_PAUSE,
    OBLIGATORY,
    WITH_LINKS,
    Channel,
    News,
    Notice,
    NoticeKind,
    is_quiet,
    is_wanted,
    leaves_at,
    pause_after,
)
from emk_app.presenting import notices
from emk_app.presenting.notices import KIND_HINTS, KIND_NAMES, LONGEST_SMS, WORDS

MOSCOW = ZoneInfo("Europe/Moscow")
NUMBER = "EMK-2026-000001-5"
TICKET = "12345678"
OF_TICKETS = {News.SUPPORT_ANSWERED, News.SUPPORT_ASKS, News.SUPPORT_OPENED}


def whole(news: News) -> Notice:
    """Return a notice with every fact that any of them may have, each as long as it gets."""
    return Notice(
        news,
        number=TICKET if news in OF_TICKETS else NUMBER,
        code="314159",
        on=date(2026, 12, 23),
        at=datetime(2026, 12, 23, 6, 30, tzinfo=UTC),
        source="Яндекс Браузер, адрес 203.0.*.*",
    )


def test_every_news_has_a_kind_and_words():
    assert set(KINDS) == set(WORDS) == set(News)
    assert set(KIND_NAMES) == set(KIND_HINTS) == set(NoticeKind)


@pytest.mark.parametrize("news", News)
def test_notice_is_told_in_russian_and_leads_somewhere(news: News):
    said = notices.wording(whole(news))
    for text in (said.title, said.text, said.sms, said.action):
        assert re.search("[а-яё]", text)
        assert "!" not in text and "{" not in text and "None" not in text
        assert not re.search(r"[A-Za-z]{3,}", text.replace("QR", ""))
    assert said.text.endswith(".") and said.sms.endswith(".")
    assert said.path.startswith("/")


@pytest.mark.parametrize("news", News)
def test_sms_has_three_parts_at_most(news: News):
    assert len(notices.message(whole(news), Channel.SMS).text) <= LONGEST_SMS


@pytest.mark.parametrize("news", sorted(set(News) - {*CODES, *WITH_LINKS}))
def test_code_stands_in_no_other_notice(news: News):
    for channel in Channel:
        assert "314159" not in notices.message(whole(news), channel).text


@pytest.mark.parametrize("news", News)
def test_facts_survive_being_kept(news: News):
    assert Notice.read(whole(news).pack()) == whole(news)
    assert Notice.read(Notice(news).pack()) == Notice(news)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "Готово", '{"news": "x"}', '{"news": "book_ends", "on": "x"}']
)
def test_what_is_no_notice_is_not_read_as_one(text: str):
    with pytest.raises(ValueError):
        Notice.read(text)


def test_code_is_not_in_what_a_log_would_show():
    assert "314159" not in repr(whole(News.CONTACT_CODE))


def test_letter_leads_to_the_site_and_says_what_it_is_not():
    text = notices.message(whole(News.CLARIFICATION_ASKED), Channel.EMAIL).text
    assert f"http://localhost:8000/cabinet/applications/{NUMBER}" in text
    assert TrackingNumber.parse(NUMBER).shown in text
    assert "не Госуслуги" in text


@pytest.mark.parametrize("channel", Channel)
def test_security_can_not_be_switched_off_and_looks_are_off_at_first(channel: Channel):
    off = {(kind, channel): False for kind in NoticeKind}
    assert [kind for kind in NoticeKind if is_wanted(kind, channel, off)] == list(OBLIGATORY)
    silent = [kind for kind in NoticeKind if not is_wanted(kind, channel, {})]
    assert silent == [NoticeKind.LOOKS]


MOMENTS = st.integers(0, 4 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=MOSCOW) + timedelta(minutes=minutes)
)


@given(MOMENTS, st.sampled_from(News))
def test_what_can_wait_leaves_by_day_and_within_ten_hours(local: datetime, news: News):
    leaves = leaves_at(Notice(news), Channel.SMS, local)
    assert local <= leaves <= local + timedelta(hours=10)
    if Notice(news).is_urgent:
        assert leaves == local
    else:
        assert not is_quiet(leaves)
    assert leaves_at(Notice(news), Channel.EMAIL, local) == local


@pytest.mark.parametrize(
    ("at", "quiet"), [("07:59", True), ("08:00", False), ("21:59", False), ("22:00", True)]
)
def test_quiet_hours_are_from_22_to_8(at: str, quiet: bool):
    hour, minute = map(int, at.split(":"))
    assert is_quiet(datetime(2026, 11, 23, hour, minute, tzinfo=MOSCOW)) is quiet


@given(st.integers(1, 1000), st.floats(0, 1))
def test_pauses_grow_and_stay_bounded(attempts: int, jitter: float):
    pause = pause_after(attempts, jitter)
    assert timedelta(seconds=7) < pause <= LONGEST_PAUSE * 1.25
    assert pause <= pause_after(attempts + 1, jitter)
