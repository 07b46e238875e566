from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emk_app.domain.errors import NotAChoice
from emk_app.domain.sharing import (
    DEFAULT_LIFETIME_DAYS,
    LIFETIMES_DAYS,
    LOOKS,
    SHOWN,
    LinkState,
    SharedField,
    ShareLink,
    ShareScope,
    alive,
    allowed_looks,
    expiry,
    link_state,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LINK = ShareLink(ShareScope.VERDICT_ONLY, expires_at=NOW + timedelta(seconds=1), looks_allowed=5)


def test_revoked_link_is_revoked_whatever_else_it_is() -> None:
    link = replace(LINK, revoked_at=NOW, expires_at=NOW, looks_taken=5)
    assert link_state(link, NOW) is LinkState.LINK_REVOKED


def test_link_is_over_at_the_very_moment_it_expires() -> None:
    assert link_state(LINK, NOW) is LinkState.ALIVE
    assert link_state(LINK, LINK.expires_at) is LinkState.LINK_EXPIRED


def test_last_look_is_given_and_the_next_is_not() -> None:
    assert alive(replace(LINK, looks_taken=4), NOW)
    assert link_state(replace(LINK, looks_taken=5), NOW) is LinkState.LINK_EXHAUSTED


def test_link_without_a_number_of_looks_is_never_exhausted() -> None:
    assert alive(replace(LINK, looks_allowed=None, looks_taken=10**6), NOW)


@pytest.mark.parametrize("days", [0, -1, 2, 366, 10**9])
def test_lifetime_not_offered_is_refused(days: int) -> None:
    with pytest.raises(NotAChoice):
        expiry(NOW, days)


@pytest.mark.parametrize("looks", [0, -1, 2, 10**9])
def test_number_of_looks_not_offered_is_refused(looks: int) -> None:
    with pytest.raises(NotAChoice):
        allowed_looks(looks)


def test_link_lives_ninety_days_unless_the_holder_chooses_otherwise() -> None:
    assert expiry(NOW) - NOW == timedelta(days=90)
    assert DEFAULT_LIFETIME_DAYS in LIFETIMES_DAYS
    assert [allowed_looks(looks) for looks in LOOKS] == list(LOOKS)


def test_scopes_tell_what_they_say_and_the_anonymous_one_nothing() -> None:
    assert dict(SHOWN) == {
        ShareScope.ANONYMOUS: set(),
        ShareScope.VERDICT_ONLY: {SharedField.NAME, SharedField.BIRTH_YEAR},
        ShareScope.WITH_OCCUPATION: set(SharedField),
    }
