"""News and the state of the service; ``api.bulletins`` serves them with the slot filled."""

from __future__ import annotations

import reflex as rx

from emk_app.components import layout
from emk_app.components.bulletins import bulletin_shell
from emk_app.pages.table import Page
from emk_app.settings import settings


def news() -> rx.Component:
    """Return the frame around the news; it has no state, so that no script is needed."""
    return layout.bulletin_frame(
        bulletin_shell(), current=layout.NEWS_ROUTE, demo=settings().is_demo
    )


def status() -> rx.Component:
    """Return the frame around the state of the service."""
    return layout.bulletin_frame(
        bulletin_shell(), current=layout.STATUS_ROUTE, demo=settings().is_demo
    )


PAGES = (
    Page(layout.NEWS_ROUTE, "Новости и обновления", news),
    Page(layout.STATUS_ROUTE, "Техническое обслуживание", status),
)
