"""«Выписка»: the part of the book's page where it leaves as a signed PDF, or as a printed sheet."""

from __future__ import annotations

import reflex as rx

from emk_app.components import buttons, cards
from emk_app.states.book_extract import BookExtractState


def section() -> rx.Component:
    """Offer the extract, and the page itself on paper."""
    return cards.section(
        "Выписка",
        rx.el.p(
            "Две страницы с QR-кодом и электронной подписью внутри файла: для печати, отдела "
            "кадров и проверяющих. В ней видны результаты осмотров. Код с выписки появится среди "
            "ваших ссылок, его можно закрыть.",
            class_name="e-prose",
        ),
        buttons.actions(
            buttons.secondary_button(
                "Скачать выписку PDF",
                BookExtractState.download,
                icon="download",
                busy=BookExtractState.busy,
            ),
            buttons.print_button("Распечатать сведения на одном листе", kind="quiet"),
        ),
        id="extract",
    )
