"""The page on which administrators switch features off and on."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, forms, tables
from emk_app.components.markup import given, when
from emk_app.domain.staff import REASON_LIMIT
from emk_app.pages import frames
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import ADMIN_MENU
from emk_app.pages.table import Page
from emk_app.presenting.switches import SwitchRow
from emk_app.states.session import PersonState
from emk_app.states.switches import SwitchesState

PLACE: Final = "/admin/switches"


def switches() -> rx.Component:
    """Return the list of features, and the form of the one that is being switched."""
    state = SwitchesState
    return frames.signed_in(
        when(given(state.turning.code), _form()),
        tables.data_table(
            [
                "Возможность",
                "Состояние",
                "С какого времени",
                tables.Column("Действия", hidden=True),
            ],
            state.rows,
            _cells,
            caption="Возможности сервиса",
            loading=~state.is_loaded,
            key=lambda row: row.code,
        ),
        title="Возможности",
        lead="Отключённое сразу перестаёт работать для всех. Люди видят это на своих страницах.",
        menu=ADMIN_MENU,
        current=PLACE,
    )


def _form() -> rx.Component:
    state = SwitchesState
    turning: Any = state.turning
    card = cards.card(
        when(turning.is_on, cards.notice(turning.effect, tone="waiting")),
        forms.form(
            forms.textarea_field(
                "Почему",
                "reason",
                hint="Прочтут другие администраторы. Без сведений о людях.",
                error=state.errors["reason"],
                rows=2,
                max_length=REASON_LIMIT,
            ),
            when(
                state.needs_code,
                fresh_factor(
                    "code",
                    hint="Шесть цифр. Решение подтверждается свежим кодом.",
                    error=state.errors["code"],
                ),
            ),
            buttons.actions(
                rx.cond(
                    turning.is_on,
                    buttons.danger_button("Отключить", type="submit"),
                    buttons.primary_button("Включить", type="submit"),
                ),
                buttons.quiet_button("Отмена", state.leave),
            ),
            on_submit=state.turn,
            reset_on_submit=False,
        ),
        title=turning.name,
    )
    return cards.called_up(card, turning.code)


def _cells(row: rx.Var[SwitchRow]) -> list[Any]:
    return [
        rx.el.b(row.name),
        badges.badge(row.state, row.tone),
        rx.fragment(
            rx.el.p(row.since),
            when(
                given(row.reason),
                rx.el.p(row.reason, class_name="e-muted [overflow-wrap:anywhere]"),
            ),
        ),
        buttons.secondary_button(
            rx.cond(row.is_on, "Отключить", "Включить"),
            SwitchesState.begin(row.code),
            aria_label=rx.cond(row.is_on, "Отключить: ", "Включить: ") + row.name,
        ),
    ]


PAGES: Final = (Page(PLACE, "Возможности", switches, (PersonState.load, SwitchesState.follow)),)
