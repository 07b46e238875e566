"""The plate a QR code stands on: white in every theme, or cameras do not read it."""

from __future__ import annotations

from typing import Literal

import reflex as rx

from emk_app.components.markup import Text, given, when


def qr_plate(
    src: Text,
    *,
    alt: Text,
    caption: Text = "",
    code: Text = "",
    size: Literal["small", "medium", "large"] = "medium",
) -> rx.Component:
    """Show a code from ``src`` (an address or a data URL), with the same in letters under it."""
    return rx.el.figure(
        rx.el.img(src=src, alt=alt, width="240", height="240"),
        when(given(caption), rx.el.figcaption(caption)),
        when(given(code), rx.el.code(code)),
        class_name="e-qr",
        custom_attrs={"data-size": size},
    )
