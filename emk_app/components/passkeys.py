"""A button that asks a key: the small script does it, and says below what went wrong."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components.buttons import Kind, button
from emk_app.components.icons import icon
from emk_app.components.markup import Text
from emk_app.domain.factors import Purpose


def passkey_button(
    text: str, purpose: Purpose, *, kind: Kind = "primary", name: Text = "", **props: Any
) -> rx.Component:
    """Ask a key; it opens the door, or the form it stands in goes on as if it were submitted.

    ``name`` is what a new key will be called.
    """
    attrs: dict[str, Any] = {"data-passkey": purpose.value}
    if isinstance(name, rx.Var) or name:
        attrs["data-passkey-name"] = name
    return rx.el.div(
        button(text, kind=kind, icon="lock", custom_attrs=attrs, **props),
        rx.el.p(
            icon("alert"),
            rx.el.span("", custom_attrs={"data-passkey-said": ""}),
            hidden=True,
            role="alert",
            class_name="e-error mt-2",
        ),
        custom_attrs={"data-passkey-box": ""},
    )
