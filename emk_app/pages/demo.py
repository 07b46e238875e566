"""Pages of the demo alone."""

from __future__ import annotations

import reflex as rx

from emk_app.components import badges, cards, forms, tables
from emk_app.domain.notices import Channel
from emk_app.pages import frames
from emk_app.pages.table import Page
from emk_app.presenting.notices import CHANNELS, STATES
from emk_app.services.delivering import LetterState
from emk_app.states.demo import LetterRow, OutboxState


def outbox() -> rx.Component:
    """Return what would have gone to phones and mailboxes."""
    return frames.open_to_all(
        rx.el.div(
            forms.select_field(
                "Канал",
                "channel",
                [(each.value, CHANNELS[each]) for each in Channel],
                value=OutboxState.channel,
                on_change=OutboxState.choose_channel,
                placeholder="Все",
            ),
            forms.select_field(
                "Состояние",
                "stage",
                [(each.value, STATES[each].text) for each in LetterState],
                value=OutboxState.stage,
                on_change=OutboxState.choose_stage,
                placeholder="Все",
            ),
            class_name="grid gap-4 md:grid-cols-2",
        ),
        tables.data_table(
            [
                tables.Column("Когда"),
                tables.Column("Куда"),
                tables.Column("Текст"),
                tables.Column("Состояние"),
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
        badges.badge(letter.state, letter.tone),
    ]


PAGES = (
    Page("/demo/outbox", "Исходящие сообщения", outbox, (OutboxState.follow,), demo_only=True),
)
