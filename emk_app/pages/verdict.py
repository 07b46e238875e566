"""The page an employer reads after a scan; ``api.verdict`` serves it with the slot filled."""

from __future__ import annotations

import reflex as rx

from emk_app.components import layout
from emk_app.components.verdict import verdict_shell
from emk_app.pages.table import Page


def verdict() -> rx.Component:
    """Return the frame around the verdict; it has no state, so that no script is needed."""
    return layout.verdict_frame(verdict_shell())


PAGES = (Page("/v", "Проверка медицинской книжки", verdict),)
