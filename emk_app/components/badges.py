"""Statuses: a colour, an icon and always a word."""

from __future__ import annotations

import reflex as rx

from emk_app.components.icons import tone_icon
from emk_app.components.markup import Child, Text


def badge(text: Text, tone: Text = "neutral") -> rx.Component:
    """Name a status."""
    return rx.el.span(tone_icon(tone), text, class_name="e-badge", custom_attrs={"data-tone": tone})


def track(label: Child, tone: Text, text: Text) -> rx.Component:
    """One of the things that go on side by side, and how far it is."""
    return rx.el.div(rx.el.b(label), badge(text, tone), class_name="e-track")
