"""Letters leave once the change that caused them is committed."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from emk_app.db.engine import unit_of_work
from emk_app.db.tables.journal import OutboxMessage
from emk_app.domain.errors import NotFound
from emk_app.outbound.transports import JsonLines, Letter
from emk_app.services import delivering, notifying
from emk_app.settings import Environment, Settings, settings

pytestmark = pytest.mark.usefixtures("world")


class Gateway:
    """Takes letters, or refuses as long as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.taken: list[Letter] = []
        self.failures = failures

    def send(self, letter: Letter, at: datetime) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.taken.append(letter)


def in_production() -> Settings:
    return dataclasses.replace(settings(), environment=Environment.PRODUCTION)


def write(text: str, now: datetime, dedupe: str = "occasion:1") -> None:
    with unit_of_work() as db:
        notifying.send(db, "+79125550102", text, dedupe=dedupe, now=now)


def test_letter_of_a_rolled_back_change_never_leaves(now: datetime):
    with pytest.raises(RuntimeError), unit_of_work() as db:
        notifying.send(db, "+79125550102", "нет", dedupe="occasion:1", now=now)
        raise RuntimeError
    gateway = Gateway()
    assert delivering.deliver_due(gateway, now=now) == 0
    assert gateway.taken == []


def test_one_occasion_is_told_once(now: datetime):
    write("Готово", now)
    write("Готово", now)
    gateway = Gateway()
    delivering.deliver_due(gateway, now=now)
    delivering.deliver_due(gateway, now=now + timedelta(days=1))
    assert gateway.taken == [Letter("sms", "+79125550102", "Готово", "occasion:1")]


def test_refused_letter_is_tried_again_later(now: datetime):
    write("Готово", now)
    gateway = Gateway(failures=1)
    assert delivering.deliver_due(gateway, now=now) == 0
    assert delivering.deliver_due(gateway, now=now + timedelta(minutes=1)) == 1


def test_letter_is_given_up_after_ten_tries(now: datetime):
    write("Готово", now)
    gateway = Gateway(failures=100)
    for hour in range(30):
        delivering.deliver_due(gateway, now=now + timedelta(hours=hour))
    assert gateway.failures == 100 - delivering.TRIES


def test_without_a_gateway_letters_wait_however_long(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(delivering, "settings", in_production)
    write("Готово", now)
    for hour in range(2 * delivering.TRIES):
        moment = now + timedelta(hours=hour)
        assert delivering.deliver_due(delivering.transport(), now=moment) == 0
    assert delivering.deliver_due(Gateway(), now=now + timedelta(days=2)) == 1


def test_letter_that_can_not_be_opened_does_not_hold_up_the_next(now: datetime):
    write("Готово", now)
    with unit_of_work() as db:
        db.exec(sa.update(OutboxMessage).values(text_sealed=b"broken"))
    write("Второе", now, dedupe="occasion:2")
    gateway = Gateway()
    assert delivering.deliver_due(gateway, now=now) == 1
    assert [letter.text for letter in gateway.taken] == ["Второе"]


def test_demo_writes_letters_to_a_private_file(now: datetime):
    write("Готово", now)
    path = settings().data / "letters.jsonl"
    delivering.deliver_due(JsonLines(path), now=now)
    line = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    assert (line["channel"], line["to"], line["text"]) == ("sms", "+79125550102", "Готово")
    assert path.stat().st_mode & 0o077 == 0


def test_outbox_page_exists_in_the_demo_alone(now: datetime, monkeypatch: pytest.MonkeyPatch):
    write("Готово", now)
    assert [letter.text for letter in delivering.demo_letters()] == ["Готово"]
    monkeypatch.setattr(delivering, "settings", in_production)
    with pytest.raises(NotFound):
        delivering.demo_letters()
