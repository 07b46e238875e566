"""The plate a QR code stands on: white in every theme, or cameras do not read it."""

from __future__ import annotations

from typing import Literal

import reflex as rx

from emk_app.components.dialogs import close_button, words_id
from emk_app.components.markup import Text, fixed_id, given, when


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
        rx.el.img(src=src, alt=alt),
        when(given(caption), rx.el.figcaption(caption)),
        when(given(code), rx.el.code(code)),
        class_name="e-qr",
        custom_attrs={"data-size": size},
    )


def full_screen_qr(id: Text, src: Text, *, alt: Text, caption: Text) -> rx.Component:
    """Fill the screen with a code, for a scanner held far off; a ``dialog_button`` opens it.

    While it is open the screen stays awake, and the browser's «back» closes it (``emk.js``).
    """
    heading = fixed_id(words_id(id, "title"))
    return rx.el.dialog(
        rx.el.img(src=src, alt=alt),
        rx.el.div(
            rx.el.h2(caption, id=heading),
            rx.el.p("Если код не читается, прибавьте яркость экрана."),
            close_button("Закрыть", kind="primary", first=True),
        ),
        id=fixed_id(id),
        class_name="e-full",
        custom_attrs={"aria-labelledby": heading, "data-full": ""},
    )
