"""What is asked of the holder, what is promised to them, what they agree to."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain import corrections, deadlines
from emk_app.domain.calendars import is_working_day
from emk_app.domain.consent import CURRENT, ConsentOutdated, check_version
from emk_app.domain.corrections import Asked
from emk_app.domain.deadlines import LATE_DAYS, Wait
from emk_app.domain.documents import ScanKind
from emk_app.domain.intake import Field

MONDAY = date(2026, 11, 23)
DAYS = st.integers(min_value=0, max_value=40).map(lambda n: MONDAY + timedelta(days=n))


def test_agreement_to_another_text_is_none():
    for version in ("", "2020-01", CURRENT.version + " "):
        with pytest.raises(ConsentOutdated):
            check_version(version)
    assert check_version(CURRENT.version) == CURRENT.version


def test_consent_names_the_law_and_how_to_end_it():
    text = " ".join(part for _, part in CURRENT.sections)
    for needed in ("152-ФЗ", "отозвать", "сведения о здоровье", "действует"):
        assert needed in text


def test_unknown_names_are_not_asked_for():
    assert corrections.read(None) == corrections.read("") == Asked()
    assert not corrections.read("password,scan_secret,,scan_")


def test_snils_is_a_field_and_a_scan():
    asked = corrections.read("snils,scan_snils")
    assert asked == Asked(frozenset({Field.SNILS}), frozenset({ScanKind.SNILS}))


@given(st.frozensets(st.sampled_from(Field)), st.frozensets(st.sampled_from(ScanKind)))
def test_what_is_asked_survives_being_written(fields: frozenset[Field], scans: frozenset[ScanKind]):
    asked = Asked(fields, scans)
    assert corrections.read(corrections.write(asked)) == asked
    assert bool(asked) == bool(fields or scans)


def test_all_that_can_be_asked_fits_its_column():
    everything = Asked(frozenset(Field), frozenset(ScanKind))
    assert len(corrections.write(everything)) <= 2000


def test_promise_counts_working_days():
    assert deadlines.promised_by(MONDAY, (), MONDAY) == date(2026, 12, 2)
    assert deadlines.promised_by(date(2026, 12, 30), (), MONDAY) > date(2027, 1, 11)


def test_eleventh_day_is_late_and_the_tenth_is_not():
    tenth = date(2026, 12, 7)
    assert deadlines.spent(MONDAY, (), tenth) == LATE_DAYS
    assert not deadlines.is_late(MONDAY, (), tenth)
    assert deadlines.is_late(MONDAY, (), tenth + timedelta(days=1))


@given(asked_on=DAYS, length=st.integers(min_value=0, max_value=30))
def test_days_of_the_holder_are_not_ours(asked_on: date, length: int):
    answered_on = asked_on + timedelta(days=length)
    today = answered_on + timedelta(days=7)
    wait = (Wait(asked_on, answered_on),)
    plain = deadlines.spent(MONDAY, (), today)
    assert deadlines.spent(MONDAY, wait, today) == plain - deadlines.waited(wait, today)
    assert deadlines.promised_by(MONDAY, wait, today) >= deadlines.promised_by(MONDAY, (), today)
    assert is_working_day(deadlines.promised_by(MONDAY, wait, today))


def test_open_question_moves_the_promise_day_by_day():
    wait = (Wait(MONDAY, None),)
    promised = [deadlines.promised_by(MONDAY, wait, MONDAY + timedelta(days=n)) for n in range(5)]
    assert promised == sorted(promised)
    assert len(set(promised)) == 5
    assert deadlines.spent(MONDAY, wait, MONDAY + timedelta(days=30)) == 0
