"""The administrator's page of letters that have not left."""

from __future__ import annotations

from typing import Final

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, tables
from emk_app.pages import frames
from emk_app.pages.menus import ADMIN_MENU
from emk_app.pages.table import Page
from emk_app.presenting.notices import StuckRow
from emk_app.states.outbox import StuckState
from emk_app.states.session import PersonState

PLACE: Final = "/admin/outbox"


def outbox() -> rx.Component:
    """Return the list of letters that were given up or wait for another try."""
    return frames.signed_in(
        tables.data_table(
            [
                "Создано",
                "Куда",
                "О чём",
                "Состояние",
                "Причина",
                tables.Column("Действия", hidden=True),
            ],
            StuckState.rows,
            _cells,
            caption="Сообщения, которые не ушли",
            loading=~StuckState.is_loaded,
            key=lambda row: row.id.to(str),
            empty=cards.empty_state(
                "Всё доставлено",
                "Здесь появятся сообщения, которые не принял шлюз СМС или почты.",
                icon_name="check",
            ),
        ),
        title="Недоставленные сообщения",
        lead="Получатели показаны не полностью, тексты не показаны.",
        menu=ADMIN_MENU,
        current=PLACE,
    )


def _cells(row: rx.Var[StuckRow]) -> list[rx.Component | rx.Var]:
    dialog = rx.Var.create("drop-letter-").to(str) + row.id.to(str)
    return [
        row.at,
        rx.fragment(row.channel, ": ", row.recipient),
        row.kind,
        badges.badge(row.state, row.tone),
        rx.fragment(row.failure, ", ", row.tries),
        rx.fragment(
            buttons.actions(
                buttons.secondary_button(
                    "Отправить снова", on_click=StuckState.retry(row.id), icon="refresh"
                ),
                dialogs.dialog_button("Снять", dialog, kind="danger"),
            ),
            dialogs.confirm_dialog(
                dialog,
                "Снять сообщение с отправки?",
                "Получатель его не увидит. Если у него есть кабинет, уведомление там останется.",
                confirm="Снять с отправки",
                on_confirm=StuckState.drop(row.id),
            ),
        ),
    ]


PAGES = (Page(PLACE, "Недоставленные сообщения", outbox, (PersonState.load, StuckState.follow)),)
