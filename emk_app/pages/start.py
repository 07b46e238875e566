"""The first page: what the service is, and the way in."""

from __future__ import annotations

import reflex as rx

from emk_app.components import buttons, cards
from emk_app.pages import frames
from emk_app.pages.table import Page
from emk_app.presenting import guide

STEPS = (
    ("Подайте заявку", "Заполните форму и приложите сканы паспорта и полиса. Это минут десять."),
    (
        "Пройдите осмотр",
        "Выберите медорганизацию: осмотр проходят лично, за день или два. Каждый шаг виден "
        "в кабинете сразу.",
    ),
    (
        "Покажите QR-код",
        "Работодатель наведёт камеру и увидит, действует ли книжка. Диагнозов и анализов "
        "он не увидит.",
    ),
)


def start() -> rx.Component:
    """Return the first page."""
    return frames.open_to_all(
        rx.el.p(
            "Электронная медицинская книжка вместо бумажной: без очередей за бланком и печатями, "
            "с подписью, которую нельзя подделать.",
            class_name="max-w-2xl text-xl",
        ),
        buttons.actions(
            buttons.button_link("Оформить книжку", "/register", icon="arrow-right"),
            buttons.button_link("Войти", "/login", kind="secondary"),
        ),
        cards.section(
            "Как это происходит",
            rx.el.ol(
                *(
                    rx.el.li(
                        rx.el.span(
                            str(number),
                            class_name="text-2xl font-bold text-primary",
                            aria_hidden="true",
                        ),
                        rx.el.div(
                            rx.el.h3(title, class_name="text-lg font-semibold"),
                            rx.el.p(text, class_name="mt-1"),
                        ),
                        class_name="flex gap-4",
                    )
                    for number, (title, text) in enumerate(STEPS, 1)
                ),
                class_name="grid gap-6 md:grid-cols-3",
            ),
        ),
        cards.section(
            "Сроки",
            rx.el.p(
                f"{guide.promise()} {guide.term()}",
                class_name="max-w-3xl",
            ),
        ),
        cards.section(
            "Работодателю",
            rx.el.p(
                "Наведите камеру телефона на QR-код работника или откройте его ссылку. Регистрация "
                "не нужна. Сверьте имя на странице с паспортом.",
                class_name="max-w-3xl",
            ),
        ),
        title="Медкнижка, которую проверяют за секунду",
        current="/",
    )


PAGES = (Page("/", "Электронная медицинская книжка (ЭМК, ЭЛМК)", start),)
