"""Every page of the site."""

from __future__ import annotations

from typing import Final

from emk_app.pages import demo, errors, sign_in, start
from emk_app.pages.table import Page

PAGES: Final[tuple[Page, ...]] = (
    *start.PAGES,
    *sign_in.PAGES,
    *errors.PAGES,
    *demo.PAGES,
)
