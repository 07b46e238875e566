"""Where somebody with a link or a code begins to check it."""

from __future__ import annotations

import reflex as rx

from emk_app.components import buttons, cards, forms
from emk_app.pages import frames
from emk_app.pages.table import Page


def check() -> rx.Component:
    """Return the page that leads to a verdict; it works without any script."""
    return frames.open_to_all(
        rx.el.form(
            forms.text_field(
                "Ссылка или код",
                "code",
                hint="Вставьте ссылку, которую прислал работник, или 26 знаков кода из неё.",
                width="long",
                auto_complete="off",
                max_length=1000,
            ),
            buttons.actions(buttons.primary_button("Проверить", type="submit", icon="search")),
            action="/check/open",
            method="get",
            on_submit=None,
            class_name="e-form max-w-2xl",
        ),
        cards.section(
            "С телефона проще",
            rx.el.p(
                "Наведите обычную камеру телефона на QR-код в руках работника и откройте ссылку. "
                "Страница скажет, действует ли книжка и до какого числа. Сверьте имя на странице "
                "с паспортом: код можно передать, а паспорт — нет.",
                class_name="max-w-3xl",
            ),
        ),
        title="Проверить книжку",
        current="/check",
    )


PAGES = (Page("/check", "Проверить книжку", check),)
