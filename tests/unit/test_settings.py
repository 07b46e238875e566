"""What the environment may say, and what stops the start."""

from __future__ import annotations

import pytest

from emk_app.settings import BadSetting, read

PRODUCTION = {
    "EMK_ENV": "production",
    "EMK_ORIGIN": "https://emk.example.ru",
    "EMK_DATA": "/var/lib/emk",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMK_ENV", "prod"),
        ("EMK_PORT", "eighty"),
        ("EMK_PORT", "0"),
        ("EMK_PORT", "70000"),
        ("EMK_ORIGIN", "*"),
        ("EMK_ORIGIN", "emk.example.ru"),
        ("EMK_ORIGIN", "https://emk.example.ru/path"),
        ("EMK_ORIGIN", "https://user@emk.example.ru"),
        ("EMK_ORIGIN", "ftp://emk.example.ru"),
        ("EMK_ORIGIN", "https://emk.example.ru:port"),
        ("EMK_ORIGIN", "https://[::1"),
        ("EMK_TRUSTED_PROXY_HOPS", "-1"),
    ],
)
def test_unusable_value_stops_the_start_and_names_its_variable(name: str, value: str):
    with pytest.raises(BadSetting, match=name):
        read({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMK_ORIGIN", ""),
        ("EMK_ORIGIN", "http://emk.example.ru"),
        ("EMK_DATA", ""),
        ("EMK_TEST_CLOCK", "/tmp/clock"),
        ("CODESPACES", "true"),
        ("CODESPACE_NAME", "x"),
    ],
)
def test_production_refuses_what_only_a_demo_may_have(name: str, value: str):
    with pytest.raises(BadSetting, match=name):
        read(PRODUCTION | {name: value})


def test_production_serves_no_demo_and_sets_secure_cookies():
    made = read(PRODUCTION)
    assert made.is_production
    assert not made.is_demo
    assert made.is_secure


def test_nothing_said_is_a_demo_on_the_loopback():
    made = read({})
    assert made.is_demo
    assert made.host == "127.0.0.1"
    assert made.origin == "http://localhost:8000"
    assert made.database_url.startswith("sqlite:///")


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("https://EMK.Example.ru:443/", "https://emk.example.ru"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://медкнижка.рф", "https://xn--80ahcfjlckm.xn--p1ai"),
        ("https://emk.example.ru:8443", "https://emk.example.ru:8443"),
    ],
)
def test_origin_is_kept_as_browsers_write_it(said: str, written: str):
    assert read({"EMK_ORIGIN": said}).origin == written
