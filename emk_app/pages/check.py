"""Where somebody with a link or a code begins to check it."""

from __future__ import annotations

import reflex as rx

from emk_app.components import buttons, cards, links
from emk_app.components.check import check_forms_html
from emk_app.pages import check_pdf, frames
from emk_app.pages.table import Page


def check() -> rx.Component:
    """Return the page that leads to a verdict; it works without any script."""
    return frames.open_to_all(
        camera(),
        rx.html(check_forms_html()),
        check_pdf.section(),
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
                links.plain_link("проверку без интернета", "/check/offline"),
                " один раз, пока сеть есть: потом она проверит подпись кода и без неё.",
                class_name="max-w-3xl",
            ),
        ),
        title="Проверить книжку",
        current="/check",
    )


def camera(*, into: str = "") -> rx.Component:
    """Return the place of the camera; ``emk-scan.js`` fills it, hidden where there is no camera.

    What is read opens the verdict, or goes into the field whose id is ``into``.
    """
    section = cards.section(
        "Камерой",
        rx.el.video(
            hidden=True,
            muted=True,
            plays_inline=True,
            class_name="e-scan-video",
            custom_attrs={"data-scan-video": "", "aria-label": "Изображение с камеры"},
        ),
        rx.el.p(
            "Изображение с камеры остаётся на этом устройстве.",
            role="status",
            class_name="e-scan-said",
            custom_attrs={"data-scan-said": ""},
        ),
        buttons.actions(
            _act("Сканировать камерой", "start", buttons.CLASSES["primary"]),
            _act("Другая камера", "turn", buttons.CLASSES["secondary"], hidden=True),
            _act("Фонарик", "torch", buttons.CLASSES["secondary"], hidden=True),
            _act("Остановить", "stop", buttons.CLASSES["quiet"], hidden=True),
        ),
    )
    return rx.el.div(section, class_name="e-scan", custom_attrs={"data-scan": into})


def _act(text: str, name: str, class_name: str, *, hidden: bool = False) -> rx.Component:
    return rx.el.button(
        text,
        type="button",
        hidden=hidden,
        class_name=class_name,
        custom_attrs={f"data-scan-{name}": ""},
    )


PAGES = (Page("/check", "Проверить книжку", check),)
