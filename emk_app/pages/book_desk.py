"""The operators' desk of books: search, state without medical data, orders and their answers."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, forms
from emk_app.components.badges import badge
from emk_app.components.dialogs import close_button, dialog, dialog_button
from emk_app.components.links import link
from emk_app.components.markup import given, some, when
from emk_app.components.tables import data_table
from emk_app.components.timeline import timeline, timeline_entry
from emk_app.domain.orders import OrderKind
from emk_app.pages import frames
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import OPERATOR_MENU
from emk_app.pages.table import Page
from emk_app.presenting import orders as rows
from emk_app.states.book_desk import BOOKS, BookDeskState, BooksState
from emk_app.states.session import PersonState

SUSPEND: Final = "suspend-book"
RESUME: Final = "resume-book"
REVOKE: Final = "revoke-book"
CONFIRM: Final = "confirm-order"
DECLINE: Final = "decline-order"


def search() -> rx.Component:
    """Return the search of a book, and what waits for a second operator."""
    state = BooksState
    return frames.signed_in(
        forms.form(
            rx.el.div(
                forms.text_field(
                    "Номер книжки",
                    "number",
                    hint="12 цифр, например 77-01-000123-26",
                    error=state.error,
                    input_mode="numeric",
                    max_length=20,
                ),
                buttons.secondary_button("Найти", type="submit", icon="search"),
                class_name="grid max-w-md gap-3",
            ),
            on_submit=state.find,
            reset_on_submit=False,
            role="search",
        ),
        cards.section(
            "Ждут второго оператора",
            rx.cond(
                state.is_loaded,
                data_table(
                    ["Книжка", "Что сделать", "Причина", "Кто начал", "Когда", "Подтвердить до"],
                    state.waiting,
                    lambda row: [
                        link(row.number, row.href, "e-link e-number whitespace-nowrap"),
                        badge(row.what, row.tone),
                        row.ground,
                        row.by,
                        row.at,
                        row.until,
                    ],
                    caption="Решения о книжках, которые ждут подтверждения, сначала давние",
                    key=lambda row: row.href,
                    empty=cards.empty_state(
                        "Никто не ждёт",
                        "Здесь появится книжка, о которой решил один оператор.",
                        icon_name="check",
                    ),
                ),
                cards.loading(),
            ),
        ),
        title="Медицинские книжки",
        lead="Приостановить, вернуть или аннулировать книжку могут только два оператора вместе.",
        menu=OPERATOR_MENU,
        current=BOOKS,
    )


def desk() -> rx.Component:
    """Return the page of one book."""
    state = BookDeskState
    book: Any = state.book
    return frames.signed_in(
        rx.cond(
            state.is_missing,
            cards.empty_state(
                "Такой книжки нет",
                "Проверьте номер.",
                buttons.button_link("К поиску", BOOKS, kind="secondary"),
                icon_name="search",
            ),
            rx.cond(state.is_loaded, _desk(), cards.loading("Открываем книжку…")),
        ),
        title=rx.cond(book.number != "", book.number, "Книжка"),
        menu=OPERATOR_MENU,
        current=BOOKS,
        back=("К поиску", BOOKS),
    )


def _desk() -> rx.Component:
    book: Any = BookDeskState.book
    return rx.el.div(
        _standing(),
        cards.card(
            when(given(book.note), cards.notice(book.note, tone="waiting")),
            cards.summary_list(
                cards.summary_row("Номер", book.number),
                cards.summary_row("Владелец", book.holder, empty="сведения не подтверждены"),
                cards.summary_row("Дата рождения", book.born),
                cards.summary_row("Срок", book.term),
                cards.summary_row("Версия", book.version),
            ),
            buttons.actions(
                when(
                    book.may_suspend,
                    dialog_button("Приостановить", SUSPEND, kind="danger", icon="lock"),
                ),
                when(
                    book.may_resume,
                    dialog_button("Вернуть в действие", RESUME, kind="primary", icon="check"),
                ),
                when(
                    book.may_revoke,
                    dialog_button("Аннулировать", REVOKE, icon="cross"),
                ),
            ),
            title="Состояние",
            actions=badge(book.status, book.tone),
            tone=book.tone,
        ),
        cards.section(
            "История решений",
            rx.cond(
                some(BookDeskState.history),
                timeline(
                    rx.foreach(
                        BookDeskState.history,
                        lambda each: timeline_entry(
                            each.title,
                            each.at,
                            text=each.text,
                            by=each.by,
                            tone=each.tone,
                            key=each.key,
                        ),
                    )
                ),
                rx.el.p("Решений об этой книжке не было.", class_name="e-muted"),
            ),
        ),
        when(
            book.may_suspend,
            _order_dialog(
                SUSPEND,
                OrderKind.SUSPEND,
                "Приостановить книжку?",
                "Она перестанет действовать сразу. Если за 72 часа другой оператор этого не "
                "подтвердит, она снова заработает. Владелец узнает причину.",
                "Приостановить",
                BookDeskState.suspend,
            ),
        ),
        when(
            book.may_resume,
            _order_dialog(
                RESUME,
                OrderKind.RESUME,
                "Вернуть книжку в действие?",
                "Она заработает, когда согласится другой оператор.",
                "Передать коллеге",
                BookDeskState.resume,
            ),
        ),
        when(
            book.may_revoke,
            _order_dialog(
                REVOKE,
                OrderKind.REVOKE,
                "Аннулировать книжку?",
                "Это навсегда: аннулированную книжку вернуть нельзя. Она перестанет действовать, "
                "когда согласится другой оператор. Если ждать нельзя, сначала приостановите её.",
                "Передать коллеге",
                BookDeskState.revoke,
            ),
        ),
        class_name="e-body",
    )


def _standing() -> rx.Component:
    standing: Any = BookDeskState.standing
    return when(
        given(standing.title),
        rx.fragment(
            cards.notice(
                rx.el.p(standing.text),
                rx.el.p(standing.reason, class_name="my-2"),
                when(~standing.may_confirm, rx.el.p("Подтвердить должен другой оператор.")),
                buttons.actions(
                    when(
                        standing.may_confirm,
                        dialog_button(standing.confirm, CONFIRM, kind="primary"),
                    ),
                    dialog_button(standing.decline, DECLINE),
                ),
                title=standing.title,
                tone="waiting",
            ),
            _answer_dialog(
                CONFIRM,
                "Подтвердить решение коллеги?",
                "Вы проверили причину и согласны с ней. Владелец увидит изменение сразу.",
                standing.confirm,
                BookDeskState.confirm,
                danger=True,
            ),
            _answer_dialog(
                DECLINE,
                "Не подтверждать?",
                "Решение не исполнят. Если книжка уже приостановлена, она снова заработает.",
                standing.decline,
                BookDeskState.decline,
                danger=False,
            ),
        ),
    )


def _order_dialog(
    name: str, kind: OrderKind, title: str, text: str, act: str, on_submit: Any
) -> rx.Component:
    errors = BookDeskState.errors
    return dialog(
        name,
        title,
        rx.el.p(text),
        forms.form(
            forms.select_field(
                "Причина",
                "ground",
                rows.GROUNDS[kind],
                default_value="",
                placeholder="Выберите причину",
                error=errors["ground"],
            ),
            forms.textarea_field(
                "Пояснение",
                "note",
                hint="Его прочтёт владелец. Без медицинских сведений.",
                error=errors["note"],
                rows=3,
                required=False,
                max_length=500,
            ),
            _code(),
            buttons.actions(
                buttons.danger_button(act, type="submit")
                if kind is not OrderKind.RESUME
                else buttons.primary_button(act, type="submit"),
                close_button(kind="secondary"),
            ),
            on_submit=on_submit,
            reset_on_submit=False,
        ),
    )


def _answer_dialog(
    name: str, title: str, text: str, act: Any, on_submit: Any, *, danger: bool
) -> rx.Component:
    make = buttons.danger_button if danger else buttons.primary_button
    return dialog(
        name,
        title,
        rx.el.p(text),
        forms.form(
            _code(),
            buttons.actions(make(act, type="submit"), close_button(kind="secondary")),
            on_submit=on_submit,
            reset_on_submit=False,
        ),
    )


def _code() -> rx.Component:
    return when(
        BookDeskState.needs_code,
        fresh_factor(
            "code",
            hint="Шесть цифр. Решение подтверждается свежим кодом.",
            error=BookDeskState.errors["code"],
        ),
    )


PAGES = (
    Page(BOOKS, "Медицинские книжки", search, (PersonState.load, BooksState.follow)),
    Page(
        f"{BOOKS}/[number_arg]",
        "Книжка",
        desk,
        (PersonState.load, BookDeskState.follow),
    ),
)
