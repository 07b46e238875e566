"""What another system fetches once: for people, for machines, and for previews of messengers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emk_app import clock
from emk_app.api import records
from emk_app.domain.disclosures import HANDOVER_CONSENT, HandoverScope, Purpose
from emk_app.edge.allowance import Allowance
from emk_app.services import handing_over
from tests.edge.test_routes import ask
from tests.factories import make_book, make_holder

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture(autouse=True)
def own_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "allowance", Allowance(20, 0.2))


def offered(scope: HandoverScope) -> str:
    now = clock.now()
    holder = replace(make_holder(now), factor_at=now)
    make_book(holder, now)
    view = handing_over.make(
        holder, "СК", Purpose.CLAIM, scope, 1, consent_version=HANDOVER_CONSENT, now=now
    )
    return view.url.rpartition("/")[2]


def test_page_of_a_link_tells_nothing_of_the_book_and_burns_nothing():
    code = offered(HandoverScope.EXTRACT)
    for method in ("GET", "HEAD", "GET"):
        answer = ask(method, f"/handover/{code}")
        assert answer.status_code == 200
    assert "Получить файл" in answer.text
    assert "Иванова" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "script" not in answer.headers["content-security-policy"]
    assert ask("GET", f"/api/handover/{code}").status_code == 405
    taken = ask("POST", f"/handover/{code}")
    assert taken.status_code == 200
    assert taken.headers["content-disposition"].startswith('attachment; filename="emk-')
    again = ask("GET", f"/handover/{code}")
    assert again.status_code == 410
    assert "уже получены" in again.text


def test_machine_gets_it_once_and_is_told_so_in_the_envelope():
    code = offered(HandoverScope.FHIR)
    answer = ask("POST", f"/api/handover/{code}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")
    assert answer.json()["resourceType"] == "Bundle"
    assert answer.headers["cache-control"] == "no-store"
    again = ask("POST", f"/api/handover/{code}")
    assert (again.status_code, again.json()["code"]) == (410, "handover_fetched")
    assert set(again.json()) == {"code", "message", "id"}


def test_verdict_says_no_more_than_a_scan_and_the_number():
    said = ask("POST", f"/api/handover/{offered(HandoverScope.VERDICT)}").json()
    assert (said["format"], said["verdict"], said["name"]) == (
        "emk-verdict/1",
        "valid",
        "Иванова М. С.",
    )
    assert not {"lines", "vaccinations", "snils", "conclusion"} & set(said)


@pytest.mark.parametrize("code", ["A" * 26, "x", "%00", "A" * 4000])
def test_unknown_codes_are_all_alike(code: str):
    page = ask("GET", f"/handover/{code}")
    assert (page.status_code, "по этой ссылке ничего нет" in page.text.lower()) == (404, True)
    answer = ask("POST", f"/api/handover/{code}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_flood_is_held_back():
    statuses = {ask("POST", "/api/handover/x").status_code for _ in range(25)}
    assert statuses == {404, 429}
    answer = ask("POST", "/api/handover/x")
    assert (answer.json()["code"], answer.headers["retry-after"]) == ("too_many_attempts", "60")
    assert ask("GET", "/handover/x").status_code == 429


def test_foreign_site_fetches_nothing_through_a_browser():
    code = offered(HandoverScope.VERDICT)
    for path in (f"/handover/{code}", f"/api/handover/{code}"):
        answer = ask("POST", path, given={"origin": "https://evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert ask("GET", f"/handover/{code}").status_code == 200
