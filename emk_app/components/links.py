"""Links: inside the application, to another site, and to what the server answers itself."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A
from reflex_components_core.react_router import link as router_link

from emk_app.components.icons import icon
from emk_app.components.markup import Child, Text, words


def link(text: Child, href: Text, class_name: Text = "e-link", **props: Any) -> rx.Component:
    """Go to another screen without loading the page anew."""
    return router_link(text, to=href, class_name=class_name, **props)


def plain_link(text: Child, href: Text, class_name: Text = "e-link", **props: Any) -> rx.Component:
    """Let the browser follow the address: a download, an api route, a place on this page."""
    # ``rx.el.a`` is the router's own link: it would look for a screen of this address.
    return A.create(text, href=href, class_name=class_name, **props)


def external_link(text: Child, href: Text, class_name: Text = "") -> rx.Component:
    """Open somebody else's site in a new tab, and say so."""
    return A.create(
        text,
        rx.el.span(" (откроется в новой вкладке)", class_name="e-hidden"),
        icon("external", "inline align-[-0.15em] ml-1 !w-[0.9em] !h-[0.9em]"),
        href=href,
        target="_blank",
        rel="noopener noreferrer",
        class_name=words("e-link", class_name),
    )
