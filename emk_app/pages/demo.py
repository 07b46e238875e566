"""Pages of the demo alone."""

from __future__ import annotations

import reflex as rx

from emk_app.components import badges, cards, tables
from emk_app.pages import frames
from emk_app.pages.table import Page
from emk_app.states.demo import LetterRow, OutboxState


def outbox() -> rx.Component:
    """Return what would have gone to phones and mailboxes."""
    return frames.open_to_all(
        tables.data_table(
            [
                tables.Column("Когда"),
                tables.Column("Куда"),
                tables.Column("Текст"),
                tables.Column("Отправлено"),
            ],
            OutboxState.letters,
            _cells,
            caption="Исходящие сообщения",
            empty=cards.empty_state(
                "Сообщений пока нет",
                "Здесь появятся СМС и письма, как только кто-нибудь зарегистрируется.",
            ),
            loading=~OutboxState.is_loaded,
        ),
        title="Исходящие сообщения",
        lead="Только в демонстрации: в жизни они уходят на телефоны и почту.",
    )


def _cells(letter: rx.Var[LetterRow]) -> list[rx.Component | rx.Var]:
    return [
        letter.at,
        rx.fragment(letter.channel, ": ", letter.recipient),
        letter.text,
        badges.badge(
            rx.cond(letter.is_sent, "ушло", "ждёт"),
            rx.cond(letter.is_sent, "success", "waiting"),
        ),
    ]


PAGES = (
    Page("/demo/outbox", "Исходящие сообщения", outbox, (OutboxState.follow,), demo_only=True),
)
