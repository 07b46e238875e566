"""What happened and when, the newest first."""

from __future__ import annotations

import reflex as rx

from emk_app.components.icons import tone_icon
from emk_app.components.markup import Child, Flag, Text, either, given, keyed, when


def timeline(*entries: Child) -> rx.Component:
    """List events in the order they are given."""
    return rx.el.ol(*entries, class_name="e-timeline")


def timeline_entry(
    title: Child,
    at: Text,
    *,
    text: Text = "",
    by: Text = "",
    tone: Text = "neutral",
    current: Flag = False,
    key: Text = "",
) -> rx.Component:
    """One event: what, when («27.03.2026, 14:05»), who, and what it means for the person."""
    return rx.el.li(
        rx.el.span(
            tone_icon(tone),
            class_name="e-event-dot",
            custom_attrs={"aria-hidden": "true", "data-tone": tone},
        ),
        rx.el.b(title),
        rx.el.p(
            rx.el.span(at),
            when(given(by), rx.el.span(" · ", by)),
            class_name="e-by",
        ),
        when(given(text), rx.el.p(text, class_name="mt-1")),
        class_name="e-event",
        custom_attrs={
            "data-tone": tone,
            "aria-current": either(current, "true", rx.Var("undefined")),
        },
        **keyed(key),
    )
