"""The server dies at any moment: what it has acknowledged is there, and nothing is half made."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest
from reflex_base.registry import RegistrationContext

import emk_app.emk_app  # noqa: F401  registers the handlers
from emk_app.services import delivering, jobs
from tests.e2e.wire import LOAD, Wire
from tests.files import good
from tests.running import CHAIR, OPERATOR, Server

ROUNDS = 12
HOLDERS = 6
"""How many hand in at once, and how many cases are signed at once."""
BACKSTAGE = "tests.faults.backstage"
LONGEST_LEASE = max(jobs.LEASE, delivering.LEASE)


def handler(ending: str) -> str:
    """Return the full name of a handler, as a browser sends it."""
    (found,) = [name for name in RegistrationContext.get().event_handlers if name.endswith(ending)]
    return found


SUBMIT = handler("apply____apply_state.submit")
CONCLUDE = handler("clinic____examination_state.conclude")
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
        self.wire = Wire(server, server.cookie_for(user_id))
        self.wire.call(LOAD, path="/cabinet/apply/review")
        self.wire.wait(lambda: value_of(self.wire, "____apply_state", "slug") == number)

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
    chance = random.Random(29)
    clinic, operator, chair = (
        server.clinic_of(CHAIR),
        server.id_of(OPERATOR),
        server.id_of(CHAIR),
    )
    people = server.ask(f"{BACKSTAGE}:settle_people", 2 * HOLDERS)
    applicants, patients = people[:HOLDERS], people[HOLDERS:]
    told_submitted: set[str] = set()
    told_signed: set[int] = set()
    for turn in range(ROUNDS):
        numbers = server.ask(f"{BACKSTAGE}:drafts", applicants, clinic)
        examinations = server.ask(f"{BACKSTAGE}:cases_to_sign", patients, clinic, operator, chair)
        browsers: list[Applicant | Signer] = [
            *(
                Applicant(server, user_id, number)
                for user_id, number in zip(applicants, numbers, strict=True)
            ),
            *(Signer(server, each) for each in examinations),
        ]
        chance.shuffle(browsers)
        uploader = server.cookie_for(applicants[0])
        with ThreadPoolExecutor() as threads:
            sent: Future[int] = threads.submit(upload, server, uploader, numbers[0])
            for browser in browsers:
                browser.act()
            # Each turn dies a little later: after none, one, two … were told.
            waited_for = [each for each in browsers if isinstance(each, Signer) or turn % 2]
            kill_after(server, waited_for, turn // 2 % HOLDERS, chance.uniform(0, 0.05))
            sent.result()
        for browser in browsers:
            if isinstance(browser, Applicant) and browser.is_told:
                told_submitted.add(browser.number)
            elif isinstance(browser, Signer) and browser.is_told:
                told_signed.add(browser.examination_id)
            browser.wire.close()
        # What the dead server had begun to do and to send is held under its lease until that ends.
        server.move_clock(LONGEST_LEASE)
        server.start()
        server.settle()
        assert server.ask(f"{BACKSTAGE}:what_is_wrong") == [], f"turn {turn}"
        assert told_submitted <= set(server.ask(f"{BACKSTAGE}:submitted")), f"turn {turn}"
        assert told_signed <= set(server.ask(f"{BACKSTAGE}:signed")), f"turn {turn}"
    assert told_submitted
    assert told_signed
    assert "holds" in server.command("audit", "verify")


def kill_after(server: Server, browsers: list[Applicant | Signer], told: int, pause: float) -> None:
    """Kill the server once so many browsers were told."""
    end = time.monotonic() + 20
    while sum(each.is_told for each in browsers) < told and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(pause)
    server.kill()


def test_many_tabs_hand_in_at_once_and_one_application_comes_of_it(server: Server):
    (user_id,) = server.ask(f"{BACKSTAGE}:settle_people", 1)
    clinic = server.clinic_of(CHAIR)
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
        assert server.ask(f"{BACKSTAGE}:what_is_wrong") == []
