"""The administrator's page of answers that support gives often."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, forms, tables
from emk_app.domain.prepared import TEXT_LIMIT, TITLE_LIMIT
from emk_app.pages import frames
from emk_app.pages.menus import ADMIN_MENU, ANSWERS
from emk_app.pages.table import Page
from emk_app.presenting import prepared
from emk_app.states.prepared import PreparedState
from emk_app.states.session import PersonState

TITLE: Final = "Готовые ответы"


def answers() -> rx.Component:
    """Return the page: the form of one answer, and all of them."""
    state = PreparedState
    return frames.signed_in(
        rx.cond(
            state.is_open,
            _form(),
            buttons.actions(buttons.primary_button("Добавить ответ", state.begin, icon="plus")),
        ),
        tables.data_table(
            ["Ответ", "Состояние", "Изменён", tables.Column("Действия", hidden=True)],
            state.rows,
            _row,
            caption="Готовые ответы, сначала те, что предлагаются",
            loading=~state.is_loaded,
            key=lambda row: row.id.to(str),
            empty=cards.empty_state(
                "Готовых ответов нет", "Добавьте первый: поддержка увидит его в обращении."
            ),
        ),
        title=TITLE,
        lead="Поддержка подставляет их в обращение, читает и правит перед отправкой.",
        menu=ADMIN_MENU,
        current=ANSWERS,
    )


def _form() -> rx.Component:
    state = PreparedState
    answer: Any = state.answer
    card = cards.card(
        forms.form(
            forms.text_field(
                "Название",
                "title",
                default_value=answer.title,
                error=state.errors["title"],
                hint="По нему ответ выбирают из списка.",
                max_length=TITLE_LIMIT,
            ),
            forms.textarea_field(
                "Текст",
                "text",
                default_value=answer.text,
                error=state.errors["text"],
                hint=prepared.PLACES,
                rows=8,
                max_length=TEXT_LIMIT,
            ),
            buttons.actions(
                buttons.primary_button("Сохранить", type="submit"),
                buttons.quiet_button("Отмена", state.leave),
            ),
            on_submit=state.save,
            reset_on_submit=False,
        ),
        title=answer.heading,
    )
    return cards.called_up(card, state.form_key.to(str))


def _row(row: Any) -> list[Any]:
    state = PreparedState
    name = "retire-answer-" + row.id.to(str)
    return [
        rx.el.div(
            rx.el.p(rx.el.b(row.title), class_name="[overflow-wrap:anywhere]"),
            rx.el.p(row.text, class_name="e-muted whitespace-pre-line [overflow-wrap:anywhere]"),
        ),
        badges.badge(row.state, row.tone),
        row.changed,
        rx.el.div(
            buttons.actions(
                buttons.secondary_button(
                    "Изменить",
                    state.edit(row.id),
                    icon="edit",
                    aria_label="Изменить: " + row.title,
                ),
                rx.cond(
                    row.is_retired,
                    buttons.quiet_button(
                        "Вернуть",
                        state.bring_back(row.id),
                        aria_label="Вернуть: " + row.title,
                    ),
                    dialogs.dialog_button(
                        rx.fragment("Убрать", rx.el.span(": ", row.title, class_name="e-hidden")),
                        name,
                        kind="quiet",
                    ),
                ),
            ),
            dialogs.confirm_dialog(
                name,
                "Больше не предлагать этот ответ?",
                rx.el.p(
                    "«",
                    row.title,
                    "» исчезнет из списка поддержки. Отправленное останется, ответ можно вернуть.",
                ),
                confirm="Убрать",
                on_confirm=state.retire(row.id),
                danger=False,
            ),
        ),
    ]


PAGES: Final = (Page(ANSWERS, TITLE, answers, (PersonState.load, PreparedState.follow)),)
