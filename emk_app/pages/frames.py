"""The frames of signed-in and open pages, bound to the states every page shares."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components import layout
from emk_app.pages.menus import HOLDER_MENU, NOTICES, Menu
from emk_app.settings import settings
from emk_app.states.notices import BellState
from emk_app.states.session import MessageState, PersonState


def signed_in(*children: Any, title: Any, menu: Menu, current: str, **more: Any) -> rx.Component:
    """Return a page of somebody who is signed in; ``more`` goes to the frame."""
    bell = layout.bell(BellState.unread, NOTICES) if menu is HOLDER_MENU else None
    return layout.page_frame(
        *children,
        title=title,
        menu=menu,
        current=current,
        person=PersonState.name,
        polite=MessageState.polite,
        assertive=MessageState.assertive,
        demo=settings().is_demo,
        bell=bell,
        **more,
    )


def open_to_all(*children: Any, title: str, current: str = "", **more: Any) -> rx.Component:
    """Return a page for visitors."""
    return layout.public_frame(
        *children,
        title=title,
        current=current,
        polite=MessageState.polite,
        assertive=MessageState.assertive,
        demo=settings().is_demo,
        **more,
    )


def narrow(*children: Any, title: str, **more: Any) -> rx.Component:
    """Return a page with one short form."""
    return layout.narrow_frame(
        *children,
        title=title,
        polite=MessageState.polite,
        assertive=MessageState.assertive,
        demo=settings().is_demo,
        **more,
    )
