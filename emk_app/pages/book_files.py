"""«Скачать данные»: the part of the book's page where its versions leave as files."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components import buttons, cards, links
from emk_app.components.tables import Column, data_table
from emk_app.states.book import BookState


def section() -> rx.Component:
    """Offer the present version in each form, and the earlier ones under a line."""
    card: Any = BookState.card
    return cards.section(
        "Скачать данные",
        rx.el.div(
            cards.card(
                rx.el.p(
                    "Всё, что сказано в книжке, слово в слово, с подписью и сертификатами. "
                    "Докажет подлинность и без этого сайта: подпись проверит любая программа."
                ),
                buttons.actions(
                    buttons.download_link("Скачать запись", _address(card.version, "signed"))
                ),
                title="Запись с подписью (JSON)",
                level=3,
            ),
            cards.card(
                rx.el.p(
                    "Те же сведения для информационных систем: страховой компании, клиники, "
                    "отдела охраны труда. Внутри есть и подписанная запись."
                ),
                buttons.actions(
                    buttons.download_link("Скачать для систем", _address(card.version, "fhir"))
                ),
                title="Для медицинских систем (HL7 FHIR)",
                level=3,
            ),
            class_name="grid items-stretch gap-4 md:grid-cols-2",
        ),
        rx.el.p(
            "В файлах видны анализы и личные данные. Работодателю достаточно ссылки или QR-кода.",
            class_name="e-muted",
        ),
        cards.details(
            "Все версии",
            data_table(
                ["Версия", "Что произошло", "Подписана", Column("Файлы", hidden=True)],
                BookState.versions,
                lambda row: [
                    row.number,
                    row.title,
                    row.at,
                    rx.el.span(
                        _file_link("Запись", row.number, "signed"),
                        _file_link("Для систем", row.number, "fhir"),
                        class_name="flex flex-wrap gap-x-6 gap-y-2",
                    ),
                ],
                caption="Файлы всех версий, новые сверху",
                key=lambda row: row.number,
            ),
        ),
        id="files",
    )


def _file_link(text: str, version: Any, name: str) -> rx.Component:
    return links.plain_link(
        rx.fragment(text, rx.el.span(", версия ", version, class_name="e-hidden")),
        _address(version, name),
        custom_attrs={"download": True},
    )


def _address(version: Any, name: str) -> Any:
    card: Any = BookState.card
    return "/api/book/" + card.id.to(str) + "/versions/" + version + f"/{name}.json"
