"""What the environment may say, and what stops the start."""

from __future__ import annotations

import pytest

from emk_app.settings import BadSetting, read

PRODUCTION = {
    "EMK_ENV": "production",
    "EMK_ORIGIN": "https://emk.example.ru",
    "EMK_DATA": "/var/lib/emk",
    "EMK_SMTP_URL": "smtps://emk:secret@mail.example.ru",
    "EMK_MAIL_FROM": "ЭМК Онлайн <noreply@emk.example.ru>",
    "EMK_SUPPORT_MAIL": "support@emk.example.ru",
    "EMK_SMS_URL": "https://sms.example.ru/messages",
    "EMK_SMS_TOKEN": "token",
    "EMK_EXCHANGE_URL": "https://oms.example.ru/documents",
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
        ("EMK_REDIS_URL", "redis.example.ru:6379"),
        ("EMK_REDIS_URL", "redis://redis.example.ru:6379/0"),
        ("EMK_REDIS_URL", "rediss://redis.example.ru:port"),
        ("EMK_REDIS_URL", "http://localhost:6379"),
        ("EMK_SMTP_URL", "mail.example.ru"),
        ("EMK_SMTP_URL", "smtps://"),
        ("EMK_SMTP_URL", "smtps://mail.example.ru:port"),
        ("EMK_SMTP_URL", "smtps://user@mail.example.ru"),
        ("EMK_SMTP_URL", "smtp+plain://mail.example.ru"),
        ("EMK_SMTP_URL", "smtps://mail.example.ru/inbox"),
        ("EMK_MAIL_FROM", "ЭМК Онлайн"),
        ("EMK_MAIL_FROM", "noreply@localhost"),
        ("EMK_SUPPORT_MAIL", "support"),
        ("EMK_SMS_URL", "sms.example.ru"),
        ("EMK_SMS_URL", "http://sms.example.ru/messages"),
        ("EMK_SMS_URL", "https://user:word@sms.example.ru/"),
        ("EMK_SMS_TOKEN", "two words"),
        ("EMK_EXCHANGE_URL", "http://oms.example.ru/documents"),
        ("EMK_EXCHANGE_URL", "oms.example.ru"),
        ("EMK_EXCHANGE_FORMAT", "pdf"),
        ("EMK_SMS_SENDER", "ЭМК"),
        ("EMK_SMS_SENDER", "longer than eleven"),
        ("EMK_LEAST_FREE_MB", "-1"),
        ("EMK_AUDIT_ANCHOR", ".data/anchors"),
        ("EMK_LOG", "xml"),
        ("EMK_DRAIN_SECONDS", "61"),
        ("EMK_METRICS_PORT", "8000"),
        ("EMK_METRICS_PORT", "metrics"),
        ("EMK_METRICS_TOKEN", "two words"),
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
        ("EMK_SMTP_URL", ""),
        ("EMK_SMS_URL", ""),
        ("EMK_EXCHANGE_URL", ""),
        ("EMK_SMS_TOKEN", ""),
        ("EMK_MAIL_FROM", ""),
        ("EMK_SUPPORT_MAIL", ""),
        ("EMK_TEST_CLOCK", "/tmp/clock"),
        ("CODESPACES", "true"),
        ("EMK_REDIS_URL", "redis://localhost:6379/0"),
        ("EMK_REDIS_URL", "rediss://redis.example.ru:6379/0"),
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


def test_gateways_are_read_and_their_secrets_are_not_shown():
    made = read(PRODUCTION)
    assert made.smtp is not None and made.mail_from is not None
    assert (made.smtp.host, made.smtp.port, made.smtp.security) == ("mail.example.ru", 465, "tls")
    assert made.mail_from.addr_spec == "noreply@emk.example.ru"
    assert "secret" not in repr(made) and "token" not in repr(made).replace("sms_token", "")


def test_production_without_a_channel_says_so_plainly():
    made = read(PRODUCTION | {"EMK_SMTP_URL": "none", "EMK_SMS_URL": "none"})
    assert (made.smtp, made.sms_url) == (None, None)


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


def test_conclusions_go_to_ourselves_only_where_nothing_else_is_said_and_never_in_production():
    assert read({}).exchanges_with_itself
    assert not read({"EMK_EXCHANGE_URL": "none"}).exchanges_with_itself
    assert not read({"EMK_EXCHANGE_URL": "https://oms.example.ru/d"}).exchanges_with_itself
    assert not read(PRODUCTION | {"EMK_EXCHANGE_URL": "none"}).exchanges_with_itself


@pytest.mark.parametrize("token", ["", "x" * 31])
def test_figures_are_not_served_to_other_machines_without_a_token(token: str):
    with pytest.raises(BadSetting, match="EMK_METRICS_TOKEN"):
        read({"EMK_METRICS_HOST": "10.0.0.5", "EMK_METRICS_TOKEN": token})
