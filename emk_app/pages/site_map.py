"""Every page of the site."""

from __future__ import annotations

from typing import Final

from emk_app.pages import apply, check, dashboard, demo, errors, guide, kit, sign_in, start, verdict
from emk_app.pages.table import Page

PAGES: Final[tuple[Page, ...]] = (
    *start.PAGES,
    *guide.PAGES,
    *check.PAGES,
    *verdict.PAGES,
    *sign_in.PAGES,
    *dashboard.PAGES,
    *apply.PAGES,
    *errors.PAGES,
    *demo.PAGES,
    *kit.PAGES,
)
