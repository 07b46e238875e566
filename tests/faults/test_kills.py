"""The server dies at any moment: what it has acknowledged is there, and nothing is half made."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from reflex_base.registry import RegistrationContext

import emk_app.emk_app  # noqa: F401  registers the handlers
from emk_app.db.leases import LEASE
from tests.e2e.screens import MEASURED
from tests.e2e.wire import LOAD, Wire
from tests.files import good
from tests.running import CHAIR, OPERATOR, Server

ROUNDS = int(os.environ.get("EMK_TEST_KILLS", "3"))
SEED = int(os.environ.get("EMK_TEST_SEED", "29"))
"""docs/testing.md says how to have it killed a hundred times."""
HOLDERS = 4
"""How many hand in at once, and how many cases are signed at once."""
OTHERS = 2
"""How many papers are approved, books renewed and links closed at once."""
BACKSTAGE = "tests.faults.backstage"


def handler(ending: str) -> str:
    """Return the full name of a handler, as a browser sends it."""
    (found,) = [name for name in RegistrationContext.get().event_handlers if name.endswith(ending)]
    return found


SUBMIT = handler("apply____apply_state.submit")
CONCLUDE = handler("clinic____examination_state.conclude")
APPROVE = handler("review____review_state.approve")
RENEW = handler("book____book_state.renew")
CLOSE = handler("book____book_state.close_link")
FORM = {"form": {"fitness": "fit", "note": "Протокол № 1"}}


def value_of(wire: Wire, state: str, var: str) -> object:
    """Return the newest value of a var that the wire was sent."""
    for update in reversed(wire.updates):
        for name, values in update.get("delta", {}).items():
            if name.endswith(state) and f"{var}_rx_state_" in values:
                return values[f"{var}_rx_state_"]
    return None


class Applicant:
    """A browser that stands before the button «Отправить заявку»."""

    def __init__(self, server: Server, user_id: int, number: str) -> None:
        self.number = number
        self.cookie = server.cookie_for(user_id)
        self.wire = Wire(server, self.cookie)
        self.load()

    def load(self) -> None:
        self.wire.updates.clear()
        self.wire.call(LOAD, path="/cabinet/apply/review")
        self.wire.wait(lambda: value_of(self.wire, "____apply_state", "slug") == self.number)

    def act(self) -> None:
        self.wire.call(SUBMIT, path="/cabinet/apply/review")

    @property
    def is_told(self) -> bool:
        """Whether the browser was told that the application has been handed in."""
        return bool(value_of(self.wire, "____apply_state", "sent_number"))


class Signer:
    """A browser in which a conclusion was checked and only the signature is left."""

    def __init__(self, server: Server, examination_id: int) -> None:
        self.examination_id = examination_id
        self.path = f"/clinic/exams/{examination_id}"
        self.query = {"examination_arg": str(examination_id)}
        self.wire = Wire(server, server.cookie_of(CHAIR))
        self.wire.call(LOAD, path=self.path, query=self.query)
        self.wire.wait(lambda: bool(self._head.get("number")))
        self.act()
        self.wire.wait(
            lambda: value_of(self.wire, "____examination_state", "is_confirming") is True
        )

    def act(self) -> None:
        self.wire.call(CONCLUDE, FORM, path=self.path, query=self.query)

    @property
    def is_told(self) -> bool:
        """Whether the browser was told that the conclusion is signed."""
        return self._head.get("is_signed") is True

    @property
    def _head(self) -> dict[str, object]:
        head = value_of(self.wire, "____examination_state", "head")
        return head if isinstance(head, dict) else {}


class Decider:
    """A browser of an operator who has taken papers and stands before «Одобрить»."""

    def __init__(self, server: Server, number: str) -> None:
        self.number = number
        self.path, self.query = f"/review/{number}", {"number_arg": number}
        self.wire = Wire(server, server.cookie_of(OPERATOR))
        self.wire.call(LOAD, path=self.path, query=self.query)
        self.wire.wait(lambda: value_of(self.wire, "____review_state", "is_loaded") is True)

    def act(self) -> None:
        self.wire.call(APPROVE, path=self.path, query=self.query)

    @property
    def is_told(self) -> bool:
        """Whether the browser was sent on, or told that there is nothing left."""
        return bool(self.wire.pages) or bool(value_of(self.wire, "____message_state", "polite"))


class Owner:
    """A browser of a holder on the page of the book."""

    path = "/cabinet/book"

    def __init__(self, server: Server, user_id: int, book_id: int) -> None:
        self.book_id = book_id
        self.wire = Wire(server, server.cookie_for(user_id))
        self.wire.call(LOAD, path=self.path)
        self.wire.wait(lambda: f'"id":{book_id}' in self._card)

    @property
    def is_told(self) -> bool:
        """Whether the browser was told that it was done."""
        return bool(value_of(self.wire, "____message_state", "polite"))

    @property
    def _card(self) -> str:
        return json.dumps(value_of(self.wire, "____book_state", "card"), separators=(",", ":"))


class Renewer(Owner):
    """Stands before «Продлить»."""

    def act(self) -> None:
        self.wire.call(RENEW, path=self.path)


class Closer(Owner):
    """Stands before «Закрыть доступ»."""

    def __init__(self, server: Server, user_id: int, book_id: int, link_id: int) -> None:
        self.link_id = link_id
        super().__init__(server, user_id, book_id)

    def act(self) -> None:
        self.wire.call(CLOSE, {"link_id": self.link_id}, path=self.path)


Browser = Applicant | Signer | Decider | Renewer | Closer


def upload(server: Server, cookie: str, number: str) -> int:
    """Send a scan in the place of the one before; return the status, 0 where none came."""
    try:
        return httpx.post(
            f"{server.origin}/api/scans/{number}/policy",
            cookies={"emk_sid": cookie},
            headers={"origin": server.origin},
            files={"scan": ("полис.jpg", good.jpeg(), "image/jpeg")},
            timeout=20,
        ).status_code
    except httpx.TransportError:
        return 0


@pytest.mark.slow
def test_killed_server_has_lost_nothing_it_acknowledged_and_made_nothing_by_halves(server: Server):
    chance = random.Random(SEED)
    clinic, operator, chair = (
        server.clinic_of(CHAIR),
        server.id_of(OPERATOR),
        server.id_of(CHAIR),
    )
    people = server.ask(f"{BACKSTAGE}:settle_people", 2 * HOLDERS + OTHERS)
    applicants, patients, others = (
        people[:HOLDERS],
        people[HOLDERS : 2 * HOLDERS],
        people[2 * HOLDERS :],
    )
    told: Counter[str] = Counter()
    slowest = 0.0
    for turn in range(ROUNDS):
        numbers = server.ask(f"{BACKSTAGE}:drafts", applicants, clinic)
        examinations = server.ask(f"{BACKSTAGE}:cases_to_sign", patients, clinic, operator, chair)
        papers = server.ask(f"{BACKSTAGE}:papers_to_decide", others, clinic, operator)
        ending = server.ask(f"{BACKSTAGE}:ending_books", OTHERS)
        links = server.ask(f"{BACKSTAGE}:links_to_close", OTHERS)
        # Of the books that are made up here the road to them is not.
        server.settle()
        known = set(server.ask(f"{BACKSTAGE}:what_is_wrong"))
        browsers: list[Browser] = [
            *(Applicant(server, *each) for each in zip(applicants, numbers, strict=True)),
            *(Signer(server, each) for each in examinations),
            *(Decider(server, each) for each in papers),
            *(Renewer(server, *each) for each in ending),
            *(Closer(server, *each) for each in links),
        ]
        chance.shuffle(browsers)
        uploader = server.cookie_for(applicants[0])
        with ThreadPoolExecutor() as threads:
            sent: Future[int] = threads.submit(upload, server, uploader, numbers[0])
            for browser in browsers:
                browser.act()
            # It dies after none, one, two … were told, and at any moment of what goes on then.
            waited_for = [each for each in browsers if isinstance(each, Signer) or turn % 2]
            count = chance.randrange(len(waited_for))
            kill_after(server, waited_for, count, chance.uniform(0, 0.05))
            is_kept = sent.result() == 201
        acknowledged = [each for each in browsers if each.is_told]
        for browser in browsers:
            browser.wire.close()
        # What the dead server had begun to do and to send is held under its lease until that ends.
        server.move_clock(LEASE)
        since = time.monotonic()
        server.start()
        slowest = max(slowest, time.monotonic() - since)
        server.settle()
        wrong = set(server.ask(f"{BACKSTAGE}:what_is_wrong")) - known
        assert not wrong, f"turn {turn}"
        done = server.ask(f"{BACKSTAGE}:what_is_done")
        for each in acknowledged:
            told[type(each).__name__] += 1
            assert is_done(each, done), f"turn {turn}: {type(each).__name__} was told"
        if is_kept:
            told["upload"] += 1
            assert server.ask(f"{BACKSTAGE}:was_kept", numbers[0]), f"turn {turn}: the scan"
    assert set(told) >= {"Applicant", "Signer"}
    assert "holds" in server.command("audit", "verify")
    MEASURED.append(f"killed {ROUNDS} times: told {dict(told)}; ready again in {slowest:.1f} s")


def is_done(browser: Browser, done: dict[str, list[Any]]) -> bool:
    """Whether what the browser was told has been done."""
    match browser:
        case Applicant():
            return browser.number in done["submitted"]
        case Signer():
            return browser.examination_id in done["signed"]
        case Decider():
            return browser.number in done["decided"]
        case Renewer():
            return browser.book_id in done["renewed"]
        case Closer():
            return browser.link_id in done["closed"]


def kill_after(server: Server, browsers: Sequence[Browser], told: int, pause: float) -> None:
    """Kill the server once so many browsers were told."""
    end = time.monotonic() + 20
    while sum(each.is_told for each in browsers) < told and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(pause)
    server.kill()


def test_many_tabs_hand_in_at_once_and_one_application_comes_of_it(server: Server):
    (user_id,) = server.ask(f"{BACKSTAGE}:settle_people", 1)
    clinic = server.clinic_of(CHAIR)
    known = set(server.ask(f"{BACKSTAGE}:what_is_wrong"))
    for _ in range(3):
        (number,) = server.ask(f"{BACKSTAGE}:drafts", [user_id], clinic)
        tabs = [Applicant(server, user_id, number) for _ in range(6)]
        threads = [threading.Thread(target=tab.act) for tab in tabs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for tab in tabs:
            tab.wire.wait(
                lambda tab=tab: (
                    tab.is_told or value_of(tab.wire, "____apply_state", "is_gone") is True
                )
            )
            tab.wire.close()
        server.settle()
        assert number in server.ask(f"{BACKSTAGE}:submitted")
        assert set(server.ask(f"{BACKSTAGE}:what_is_wrong")) <= known
