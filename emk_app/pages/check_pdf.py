"""The part of the check page that takes a file of an extract; it works without any script."""

from __future__ import annotations

import reflex as rx

from emk_app.components import buttons, cards
from emk_app.components.check import PICK


def section() -> rx.Component:
    """Return the form that sends the file and leads to what was found."""
    return cards.section(
        "Файл выписки",
        rx.el.form(
            rx.el.label(
                rx.el.span("Выписка в формате PDF, не больше 5 МБ", class_name="e-label"),
                html_for="field-scan",
            ),
            rx.html(
                f'{PICK[0]}<input id="field-scan" type="file" name="scan" title="" required '
                f'accept="application/pdf,.pdf">{PICK[1]}'
            ),
            rx.el.p(
                "Скажем, наша ли выписка, не изменён ли файл и действует ли книжка сегодня. "
                "Файл нигде не сохраняется.",
                class_name="e-muted",
            ),
            buttons.actions(
                buttons.secondary_button("Проверить файл", type="submit", icon="search")
            ),
            action="/check/pdf",
            method="post",
            enc_type="multipart/form-data",
            on_submit=None,
            class_name="e-form max-w-2xl",
        ),
    )
