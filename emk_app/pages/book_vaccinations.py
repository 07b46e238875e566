"""The vaccinations on the book's page."""

from __future__ import annotations

import reflex as rx

from emk_app.components import cards
from emk_app.components.tables import data_table
from emk_app.states.book import BookState


def section() -> rx.Component:
    """List what the current version says of vaccinations."""
    return cards.section(
        "Прививки",
        data_table(
            ["Инфекция", "Запись", "Дата", "Вакцина", "Медотвод по"],
            BookState.shots,
            lambda row: [row.name, row.kind, row.on, row.vaccine, row.until],
            caption="Прививки, которые вошли в книжку, новые сверху",
            empty=cards.empty_state(
                "Прививок в книжке пока нет",
                "Покажите сертификат о прививках в медорганизации: его внесут в книжку.",
            ),
            key=lambda row: row.key,
        ),
        id="vaccinations",
    )
