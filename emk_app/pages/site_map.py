"""Every page of the site."""

from __future__ import annotations

from typing import Final

from emk_app.pages import (
    admin,
    apply,
    book,
    check,
    clinic,
    consent,
    dashboard,
    demo,
    errors,
    guide,
    kit,
    review,
    sign_in,
    start,
    verdict,
)
from emk_app.pages.table import Page

PAGES: Final[tuple[Page, ...]] = (
    *start.PAGES,
    *guide.PAGES,
    *check.PAGES,
    *verdict.PAGES,
    *sign_in.PAGES,
    *dashboard.PAGES,
    *consent.PAGES,
    *book.PAGES,
    *apply.PAGES,
    *review.PAGES,
    *clinic.PAGES,
    *admin.PAGES,
    *errors.PAGES,
    *demo.PAGES,
    *kit.PAGES,
)
