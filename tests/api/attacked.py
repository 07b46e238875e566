"""The world that the API is attacked in, made on the server's data by its services."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from emk_app import clock
from emk_app.crypto.messages import ServiceKey
from emk_app.db.engine import reading
from emk_app.db.repositories import books
from emk_app.domain.books import BookNumber
from emk_app.domain.disclosures import HANDOVER_CONSENT, HandoverScope, Purpose
from emk_app.domain.employer_keys import KEYS_AT_ONCE, KeyScope
from emk_app.domain.intake import Field
from emk_app.exchange import cda, fhir
from emk_app.services import employer_keys, employing, handing_over, issuing, sharing
from emk_app.services.employing import Said
from tests import factories
from tests.api.test_scans import cookie_of
from tests.statements import made, partner

HANDOVERS: Final = 6
"""Of each kind; each is fetched once."""
STAFF: Final = 6
"""On the first employer's list; each is taken off once."""
EMPLOYERS: Final = 3
"""With so many keys that arrays are checked and not only refused for being too many."""


def settle() -> dict[str, Any]:
    """Make books in several states, their links and handovers, employers with keys, a partner.

    Return what names them.
    """
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
    owners = [replace(factories.make_employer(now), factor_at=now) for _ in range(EMPLOYERS)]
    keys = [
        employer_keys.make(owner, f"Учёт {serial}", list(KeyScope), 90, now=now)
        for owner in owners
        for serial in range(KEYS_AT_ONCE)
    ]
    staff: list[int] = []
    for _ in range(STAFF):
        member = factories.make_holder(now)
        link = sharing.make(member, factories.make_book(member, now), now=now)
        staff.append(employing.add_by_link(owners[0], link.url, Said("Иванова М."), now=now))
    with reading() as db:
        number = BookNumber.parse(books.get(db, book_id).number).digits
    key: ServiceKey = partner(now)
    said = made()
    return {
        "codes": [link.url[-26:] for link in links],
        "handovers": handovers,
        "cookie": cookie_of(holder, now)["cookie"].partition("=")[2],
        "book": book_id,
        "number": number,
        "snils": factories.FORM[Field.SNILS],
        "staff": staff,
        "employer_keys": keys,
        "key": key.pem.decode(),
        "conclusion": cda.write(said).decode(),
        "bundle": fhir.write(replace(said, application="SPB-2026-78")).decode(),
    }
