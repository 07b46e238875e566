"""Where somebody with a link or a code begins to check it."""

from __future__ import annotations

import reflex as rx

from emk_app.components import cards
from emk_app.components.check import check_forms_html
from emk_app.pages import frames
from emk_app.pages.table import Page


def check() -> rx.Component:
    """Return the page that leads to a verdict; it works without any script."""
    return frames.open_to_all(
        rx.html(check_forms_html()),
        cards.section(
            "С телефона проще",
            rx.el.p(
                "Наведите обычную камеру телефона на QR-код в руках работника и откройте ссылку. "
                "Страница скажет, действует ли книжка и до какого числа. Сверьте имя на странице "
                "с паспортом: код можно передать, а паспорт — нет.",
                class_name="max-w-3xl",
            ),
        ),
        cards.section(
            "Без интернета",
            rx.el.p(
                "Откройте ",
                # A page of its own, outside the framework: it is loaded whole.
                rx.el.a("проверку без интернета", href="/check/offline", class_name="link"),
                " один раз, пока сеть есть: потом она проверит подпись кода и без неё.",
                class_name="max-w-3xl",
            ),
        ),
        title="Проверить книжку",
        current="/check",
    )


PAGES = (Page("/check", "Проверить книжку", check),)
