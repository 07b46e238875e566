"""Every page of the site."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from emk_app.components.layout import SECURITY_ROUTE
from emk_app.pages import (
    admin,
    alerts,
    apply,
    book,
    book_desk,
    bulletins,
    check,
    clinic,
    consent,
    dashboard,
    demo,
    employer,
    errors,
    guide,
    identities,
    inspecting,
    kit,
    members,
    news_desk,
    notices,
    outbox,
    own_data,
    people,
    prepared,
    reception,
    records,
    recover,
    reference,
    register,
    review,
    security,
    sign_in,
    staff_uploads,
    start,
    support,
    switches,
    tending,
    verdict,
    visits,
    watching,
)
from emk_app.pages.employer_keys import PAGES as EMPLOYER_KEYS
from emk_app.pages.staff_report import PAGES as STAFF_REPORT
from emk_app.pages.table import Page
from emk_app.states.notices import BellState


def _with_bell(page: Page) -> Page:
    """Let the bell of the holder's frame ring on each of the holder's pages."""
    # What guards an account is a page of every role; the bell rings for holders alone.
    if not page.route.startswith("/cabinet") or page.route == SECURITY_ROUTE:
        return page
    return replace(page, on_load=(*page.on_load, BellState.follow))


_OWN: Final = (
    *start.PAGES,
    *guide.PAGES,
    *bulletins.PAGES,
    *check.PAGES,
    *verdict.PAGES,
    *sign_in.PAGES,
    *recover.PAGES,
    *security.PAGES,
    *dashboard.PAGES,
    *consent.PAGES,
    *watching.PAGES,
    *own_data.PAGES,
    *visits.PAGES,
    *book.PAGES,
    *apply.PAGES,
    *notices.PAGES,
    *support.PAGES,
    *review.PAGES,
    *identities.PAGES,
    *book_desk.PAGES,
    *clinic.PAGES,
    *reception.PAGES,
    *STAFF_REPORT,
    *EMPLOYER_KEYS,
    *records.PAGES,
    *employer.PAGES,
    *staff_uploads.PAGES,
    *members.PAGES,
    *admin.PAGES,
    *people.PAGES,
    *alerts.PAGES,
    *register.PAGES,
    *outbox.PAGES,
    *tending.PAGES,
    *inspecting.PAGES,
    *switches.PAGES,
    *reference.PAGES,
    *prepared.PAGES,
    *news_desk.PAGES,
    *errors.PAGES,
    *demo.PAGES,
    *kit.PAGES,
)

PAGES: Final[tuple[Page, ...]] = tuple(_with_bell(page) for page in _OWN)
