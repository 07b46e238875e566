"""The log: one line a record, an incident's number beside it, nobody's data in it."""

from __future__ import annotations

import json
import logging
import sys
import urllib.parse

import pytest

from emk_app import incidents
from emk_app.logs import JsonLines, PlainLines, clean
from tests.running import PEOPLE

APPLICANT = (
    "Иванова Мария Петровна",
    "112-233-445 95",
    "11223344595",
    "+79161234501",
    "+7 (916) 123-45-01",
    "4509 123456",
    "7700 0080 6283 0001",
    "14.05.1990",
    "1990-05-14",
    "109012, г. Москва, ул. Ильинка, д. 4, кв. 12",
    "лесная тропа 42",
    "kedrov@example.ru",
    "0f" * 32,
    "Qk3xV0aZ9_lP-7yTnR2mWc5dEe8gHh1jJ4kLoPqRsTu",
)
VALUES = [
    *APPLICANT,
    *(value for one in PEOPLE for value in (one.login, one.secret, one.name) if len(value) > 3),
]


def record_of(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("other", logging.WARNING, "x.py", 1, message, arguments, None)


@pytest.mark.parametrize("formatter", [PlainLines(), JsonLines()], ids=["plain", "json"])
@pytest.mark.parametrize("value", VALUES)
def test_personal_value_never_reaches_the_log(value: str, formatter: logging.Formatter):
    for form in (value, json.dumps(value)[1:-1], urllib.parse.quote(value), repr(value.encode())):
        line = formatter.format(record_of("answer %s refused, state={'x': '%s'}", form, form))
        assert "refused" in line
        # What is left of a long value of several parts can't be put together again.
        words = [word for word in value.split() if len(word) > 3]
        for word in [value, *words]:
            assert word not in line
            assert json.dumps(word)[1:-1] not in line
            assert urllib.parse.quote(word) not in line


def test_what_we_say_ourselves_stays_whole():
    for said in (
        "incident 0a1b2c3d at job 15 of kind check_application, try 3: ValueError "
        "[/work/main/emk_app/services/checking.py:120 > sqlalchemy/engine/base.py:1967]",
        "refused reflex___state____state.emk_app___states___apply____apply_state.submit for holder",
        "not ready: database, schema",
        "Listening at: http://127.0.0.1:8000",
    ):
        assert clean(said) == said


def test_record_can_not_forge_another():
    for formatter in (PlainLines(), JsonLines()):
        line = formatter.format(record_of("a\r\nb\x85c\u2028d %s", "\x1b[31m\n[ERROR] emk: forged"))
        assert len(line.splitlines()) == 1


def test_error_of_others_is_told_by_kind_and_place():
    try:
        raise ValueError("Иванова 112-233-445 95")
    except ValueError:
        record = record_of("Task exception was never retrieved")
        record.exc_info = sys.exc_info()
    said = json.loads(JsonLines().format(record))
    assert said["error"].startswith("ValueError [")
    assert "Иванова" not in said["error"]
    assert "\n" not in PlainLines().format(record)


def test_broken_record_is_still_a_line():
    assert "can't be put together" in PlainLines().format(record_of("%d", "three"))


def test_number_on_the_screen_leads_to_one_line_of_the_log(caplog: pytest.LogCaptureFixture):
    incident = incidents.note(logging.getLogger("emk.test"), "a test", ValueError("нет"))
    (record,) = caplog.records
    said = json.loads(JsonLines().format(record))
    assert said["incident"] == incident
    assert said["level"] == "error"
    assert set(said) == {"at", "level", "logger", "message", "incident"}
