"""The administrator's page of alarms about sweeps."""

from __future__ import annotations

from typing import Final

import reflex as rx

from emk_app.components import badges, buttons, cards, tables
from emk_app.pages import frames
from emk_app.pages.menus import ADMIN_MENU
from emk_app.pages.table import Page
from emk_app.presenting.alerts import AlertRow
from emk_app.states.alerts import AlertsState
from emk_app.states.session import PersonState

PLACE: Final = "/admin/alerts"


def alerts() -> rx.Component:
    """Return the list of alarms."""
    return frames.signed_in(
        tables.data_table(
            ["Что", "Кто", "Сколько", "Замечено", "Последний раз", "Состояние"],
            AlertsState.rows,
            _cells,
            caption="Тревоги",
            loading=~AlertsState.is_loaded,
            empty=cards.empty_state(
                "Тревог нет",
                "Здесь появятся массовые просмотры, переборы, отказы и ночные выгрузки.",
                icon_name="check",
            ),
            key=lambda row: row.id.to(str),
        ),
        title="Тревоги",
        lead="Что в журнале действий похоже на перебор чужих данных.",
        menu=ADMIN_MENU,
        current=PLACE,
    )


def _cells(row: rx.Var[AlertRow]) -> list[rx.Component | rx.Var]:
    return [
        rx.el.b(row.what),
        row.who,
        row.count,
        row.raised,
        row.last,
        rx.cond(
            row.is_open,
            buttons.secondary_button(
                rx.fragment("Проверено", rx.el.span(": ", row.what, class_name="e-hidden")),
                on_click=AlertsState.acknowledge(row.id),
            ),
            badges.badge("проверено", "success"),
        ),
    ]


PAGES: Final = (Page(PLACE, "Тревоги", alerts, (PersonState.load, AlertsState.follow)),)
