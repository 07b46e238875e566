"""The administrator's page of the news."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, forms, links, tables
from emk_app.components.markup import given
from emk_app.pages import frames
from emk_app.pages.menus import ADMIN_MENU, NEWS
from emk_app.pages.table import Page
from emk_app.presenting.news import RELEASES
from emk_app.states.news_desk import MaintenanceState, NewsDeskState
from emk_app.states.session import PersonState

TITLE: Final = "Новости"


def news_desk() -> rx.Component:
    """Return the page: the form of one item, and all of them."""
    state = NewsDeskState
    return frames.signed_in(
        rx.cond(
            state.is_open,
            _form(),
            buttons.actions(buttons.primary_button("Написать новость", state.begin, icon="edit")),
        ),
        cards.section(
            "Все новости",
            tables.data_table(
                ["Заголовок", "Состояние", "Когда", tables.Column("Действия", hidden=True)],
                state.rows,
                _row,
                caption="Новости сервиса",
                loading=~state.is_loaded,
                key=lambda row: row.id.to(str),
                empty=cards.empty_state(
                    "Новостей ещё нет", "Напишите первую: сначала её можно оставить черновиком."
                ),
            ),
        ),
        cards.section("Плановые работы", _windows()),
        title=TITLE,
        lead="Опубликованное читают все, без входа. Время указывают по Москве.",
        menu=ADMIN_MENU,
        current=NEWS,
    )


def _form() -> rx.Component:
    state = NewsDeskState
    item: Any = state.item
    card = cards.card(
        forms.form(
            forms.text_field(
                "Заголовок", "title", default_value=item.title, error=state.errors["title"]
            ),
            forms.textarea_field(
                "Текст",
                "text",
                default_value=item.text,
                error=state.errors["text"],
                rows=10,
                hint="Абзацы разделяйте пустой строкой. Строки, начатые с «- », станут "
                "списком, а адреса с https — ссылками.",
            ),
            forms.select_field(
                "Когда опубликовать",
                "release",
                [(release.value, text) for release, text in RELEASES.items()],
                default_value=item.release,
                placeholder="",
                error=state.errors["release"],
            ),
            forms.text_field(
                "Дата и время",
                "at",
                default_value=item.at,
                error=state.errors["at"],
                hint="Только для назначенного времени, например 05.12.2026 18:00.",
                mask="00.00.0000 00:00",
                width="medium",
                required=False,
            ),
            buttons.actions(
                buttons.primary_button("Сохранить", type="submit"),
                buttons.quiet_button("Отмена", state.leave),
            ),
            on_submit=state.save,
        ),
        title=item.heading,
    )
    return cards.called_up(card, state.form_key.to(str))


def _windows() -> rx.Component:
    state = MaintenanceState
    return rx.el.div(
        tables.data_table(
            ["Когда", "Состояние", "Что делаем", tables.Column("Действия", hidden=True)],
            state.rows,
            _window,
            caption="Объявленные работы",
            loading=~state.is_loaded,
            key=lambda row: row.id.to(str),
            empty=cards.empty_state("Работ не объявлено"),
        ),
        cards.card(
            rx.el.div(
                forms.form(
                    *(
                        forms.text_field(
                            label,
                            name,
                            error=state.errors[name],
                            hint="По Москве, например 05.12.2026 18:00.",
                            mask="00.00.0000 00:00",
                            width="medium",
                        )
                        for label, name in (("Начало", "starts"), ("Конец", "ends"))
                    ),
                    forms.textarea_field(
                        "Что будет недоступно", "about", error=state.errors["about"], rows=3
                    ),
                    buttons.actions(buttons.primary_button("Объявить", type="submit")),
                    on_submit=state.announce,
                ),
                key=state.form_key.to(str),
            ),
            title="Объявить работы",
            level=3,
        ),
        class_name="grid gap-4",
    )


def _window(row: Any) -> list[Any]:
    name = "cancel-window-" + row.id.to(str)
    return [
        row.when,
        badges.badge(row.state, row.tone),
        rx.el.span(row.text, class_name="[overflow-wrap:anywhere]"),
        rx.el.div(
            dialogs.dialog_button("Снять", name, kind="quiet"),
            dialogs.confirm_dialog(
                name,
                "Снять объявление о работах?",
                rx.el.p("Объявление «", row.when, "» исчезнет для всех."),
                confirm="Снять",
                on_confirm=MaintenanceState.cancel(row.id),
            ),
        ),
    ]


def _row(row: Any) -> list[Any]:
    state = NewsDeskState
    name = "remove-news-" + row.id.to(str)
    return [
        rx.el.span(
            rx.cond(given(row.href), links.plain_link(row.title, row.href), rx.el.b(row.title)),
            class_name="[overflow-wrap:anywhere]",
        ),
        badges.badge(row.state, row.tone),
        row.when,
        rx.el.div(
            buttons.actions(
                buttons.secondary_button("Изменить", state.edit(row.id), icon="edit"),
                dialogs.dialog_button("Удалить", name, kind="quiet"),
            ),
            dialogs.confirm_dialog(
                name,
                "Удалить новость?",
                rx.el.p("«", row.title, "» исчезнет для всех, вернуть её нельзя."),
                confirm="Удалить",
                on_confirm=state.remove(row.id),
            ),
        ),
    ]


PAGES = (
    Page(NEWS, TITLE, news_desk, (PersonState.load, NewsDeskState.follow, MaintenanceState.follow)),
)
