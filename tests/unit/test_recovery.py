"""Recovery codes as they are shown and as people type them."""

from __future__ import annotations

import secrets

import pytest

from emk_app.domain import recovery


def test_set_has_ten_different_codes_that_look_like_codes():
    codes = recovery.make(secrets.choice)
    assert len(set(codes)) == recovery.COUNT
    assert all(recovery.looks_like(code) and len(code) == 11 for code in codes)
    assert len(recovery.SIGNS) == 32


@pytest.mark.parametrize("typed", ["ABEKM-HPCTX", "abekmhpctx", " abekm hpctx ", "АВЕКМ-НРСТХ"])
def test_code_is_read_however_it_is_typed(typed: str):
    assert recovery.looks_like(typed)
    assert recovery.normal(typed) == "ABEKMHPCTX"


@pytest.mark.parametrize(
    "typed", ["", "123456", "ABEKM-HPCT", "ABEKM-HPCT0", "ABEKM-HPCTXX", "жук"]
)
def test_anything_else_is_no_recovery_code(typed: str):
    assert not recovery.looks_like(typed)
