"""The world that the API is attacked in, made on the server's data by its services."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from emk_app import clock
from emk_app.crypto.messages import ServiceKey
from emk_app.domain.disclosures import HANDOVER_CONSENT, HandoverScope, Purpose
from emk_app.exchange import cda, fhir
from emk_app.services import handing_over, issuing, sharing
from tests import factories
from tests.api.test_scans import cookie_of
from tests.statements import made, partner

HANDOVERS: Final = 6
"""Of each kind; each is fetched once."""


def settle() -> dict[str, Any]:
    """Make books in several states with their links and handovers, and a partner; name them."""
    now = clock.now()
    holder = replace(factories.make_holder(now), factor_at=now)
    book_id = factories.make_book(holder, now)
    suspended = factories.make_holder(now)
    suspended_book = factories.make_book(suspended, now)
    links = [sharing.make(holder, book_id, now=now) for _ in range(2)]
    links.append(sharing.make(suspended, suspended_book, now=now))
    sharing.revoke(holder, links[1].id, now=now)
    issuing.suspend(factories.make_officer(now), suspended_book, "Проверяем", now=now)
    handovers: list[str] = []
    for _ in range(HANDOVERS):
        for scope in HandoverScope:
            view = handing_over.make(
                holder, "СК", Purpose.CLAIM, scope, 1, consent_version=HANDOVER_CONSENT, now=now
            )
            handovers.append(view.url.rpartition("/")[2])
    key: ServiceKey = partner(now)
    said = made()
    return {
        "codes": [link.url[-26:] for link in links],
        "handovers": handovers,
        "cookie": cookie_of(holder, now)["cookie"].partition("=")[2],
        "book": book_id,
        "key": key.pem.decode(),
        "conclusion": cda.write(said).decode(),
        "bundle": fhir.write(replace(said, application="SPB-2026-78")).decode(),
    }
