"""The consent in words: how it stands, what taking it back would do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from emk_app.domain.applications import TrackingNumber
from emk_app.domain.consent import CURRENT, TEXTS, ConsentChannel
from emk_app.presenting import consents as rows
from emk_app.services.consenting import ConsentRecord, ConsentView, Consequences

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NUMBER = TrackingNumber(2026, 123)
NOTHING = Consequences(False, (), (), 0, 0, False)
GIVEN = ConsentRecord(CURRENT.version, ConsentChannel.SCREEN, NOW, None, NUMBER)
VIEW = ConsentView((GIVEN,), True, False, NOTHING)


def test_standing_consent_says_when_it_was_given_and_may_be_taken_back():
    card = rows.card(VIEW)
    assert "23.11.2026 12:00" in card.text
    assert (card.may_give, card.may_withdraw) == (False, True)


def test_consent_to_an_older_text_stands_and_the_new_one_may_be_given():
    old = replace(GIVEN, version=next(iter(TEXTS)))
    card = rows.card(ConsentView((old,), True, True, NOTHING))
    assert (card.may_give, card.may_withdraw) == (True, True)


def test_withdrawn_consent_may_be_given_again():
    gone = replace(GIVEN, withdrawn_at=NOW)
    card = rows.card(ConsentView((gone,), False, False, NOTHING))
    assert (card.may_give, card.may_withdraw) == (True, False)
    assert "отозвали" in card.text


def test_holder_who_never_applied_is_told_when_it_will_be_asked():
    card = rows.card(ConsentView((), False, False, NOTHING))
    assert (card.may_give, card.may_withdraw) == (False, False)


@pytest.mark.parametrize("channel", ConsentChannel)
def test_record_says_how_it_was_given_and_with_what(channel: ConsentChannel):
    [row] = rows.record_rows(replace(VIEW, records=(replace(GIVEN, channel=channel),)))
    assert row.channel == rows.CHANNELS[channel]
    assert row.href == "/cabinet/applications/" + NUMBER.slug
    [row] = rows.record_rows(replace(VIEW, records=(replace(GIVEN, number=None),)))
    assert (row.number, row.href) == ("", "")


def test_consequences_name_every_application_and_agree_in_number():
    one = rows.consequences(replace(NOTHING, closed=(NUMBER,), begun=(NUMBER,), links=1))
    assert one[0] == f"Сразу закроется заявка {NUMBER.shown}. Вернуть её будет нельзя."
    two = TrackingNumber(2026, 124)
    many = " ".join(rows.consequences(Consequences(True, (NUMBER, two), (), 2, 1, True)))
    assert f"закроются заявки {NUMBER.shown}, {two.shown}" in many
    assert "2\u00a0ссылки на книжку перестанут" in many
    assert "Черновик" in many


def test_what_stays_is_always_told():
    assert rows.consequences(NOTHING) == [rows.ERASED, rows.STAYS, rows.AGAIN]
