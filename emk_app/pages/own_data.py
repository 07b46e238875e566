"""«Мои данные»: what a person may do with them; and the administrator's acts of destruction."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, forms, links, tables
from emk_app.components.markup import given, when
from emk_app.domain.erasure import PHRASE, WAITING
from emk_app.pages import frames
from emk_app.pages.consent import CONSENT
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import ADMIN_MENU, HOLDER_MENU
from emk_app.pages.table import Page
from emk_app.pages.watching import LOOKS
from emk_app.presenting import own_data as words
from emk_app.presenting.erasures import ErasureRow
from emk_app.presenting.formats import days
from emk_app.states.own_data import ErasuresState, OwnDataState
from emk_app.states.session import PersonState

DATA: Final = "/cabinet/data"
ERASURES: Final = "/admin/erasures"


def own_data() -> rx.Component:
    """Return the page of the holder's own data."""
    shown = rx.el.div(_see(), _correct(), _copy(), _forget(), class_name="e-body")
    return frames.signed_in(
        rx.cond(OwnDataState.is_loaded, shown, cards.loading()),
        title="Мои данные",
        lead="Посмотреть, исправить, забрать с собой или удалить.",
        menu=HOLDER_MENU,
        current="/cabinet",
        back=("Главная", "/cabinet"),
    )


def erasures() -> rx.Component:
    """Return the list of those who were or are to be forgotten."""
    return frames.signed_in(
        tables.data_table(
            ["Кто", "Просьба", "Срок или выполнено", "Состояние", "Хранится по закону", "Акт"],
            ErasuresState.rows,
            _cells,
            caption="Удаление персональных данных",
            loading=~ErasuresState.is_loaded,
            empty=cards.empty_state(
                "Просьб об удалении не было",
                "Здесь появятся просьбы владельцев и акты об уничтожении данных.",
                icon_name="check",
            ),
            key=lambda row: row.id.to(str),
        ),
        title="Удаление данных",
        lead="Имён здесь нет: вместо них псевдонимы. Акты храните три года.",
        menu=ADMIN_MENU,
        current=ERASURES,
    )


def _see() -> rx.Component:
    return cards.card(
        rx.el.p(
            "Кто открывал и менял ваши данные, видно на странице ",
            links.link("«Кто смотрел»", LOOKS),
            ". Что вы разрешили и как это отозвать, написано на странице ",
            links.link("«Согласие на обработку данных»", CONSENT),
            ".",
        ),
        title="Кто ими пользуется",
    )


def _correct() -> rx.Component:
    return cards.card(
        rx.el.p(
            "Имя или дату рождения в книжке меняют по документу: ",
            links.link("подать обращение", "/cabinet/book/changes"),
            ". Ошибку в результатах осмотра исправляет клиника, которая их внесла. О любой другой "
            "ошибке напишите нам: исправим за семь рабочих дней.",
        ),
        buttons.actions(
            links.plain_link("Написать об ошибке", words.correction_href(), "btn btn-outline")
        ),
        title="Исправить",
    )


def _copy() -> rx.Component:
    state = OwnDataState
    card: Any = state.copy
    asked = forms.form(
        _code("fetch"),
        buttons.actions(buttons.secondary_button("Подготовить копию", type="submit")),
        on_submit=state.make_copy,
    )
    ready = rx.cond(
        state.needs_code,
        forms.form(
            _code("fetch"),
            buttons.actions(buttons.secondary_button("Подтвердить", type="submit")),
            on_submit=state.confirm,
        ),
        buttons.actions(buttons.download_link("Скачать архив", card.href)),
    )
    return cards.card(
        rx.el.p(
            "Архив со всем, что сервис о вас знает: учётная запись, заявки, осмотры, книжка с "
            "подписями, согласия, уведомления, просмотры и ваши файлы. Он хранится сутки."
        ),
        _problem(state.errors["fetch"]),
        rx.cond(
            card.is_there,
            rx.fragment(
                rx.el.p(card.text, role="status"),
                when(card.is_ready, ready),
                when(
                    card.is_ready,
                    rx.fragment(
                        buttons.actions(
                            dialogs.dialog_button("Удалить копию", "drop-copy", kind="quiet")
                        ),
                        dialogs.confirm_dialog(
                            "drop-copy",
                            "Удалить копию?",
                            "Скачать её больше не получится, но можно подготовить новую.",
                            confirm="Удалить копию",
                            on_confirm=state.drop_copy,
                        ),
                    ),
                ),
            ),
            asked,
        ),
        title="Забрать копию",
    )


def _forget() -> rx.Component:
    state = OwnDataState
    asked = rx.el.div(
        rx.el.p(
            f"Через {days(WAITING.days)} мы удалим учётную запись, заявки, сканы, ссылки и "
            "уведомления, книжка перестанет действовать. До этого просьбу можно отменить. После "
            "этого вернуть данные нельзя, поэтому сначала заберите копию."
        ),
        cards.details(
            "Что останется по закону",
            rx.el.ul(
                *[rx.el.li(line) for line in words.kept_lines()],
                class_name="list-disc pl-5 grid gap-2",
            ),
        ),
        _problem(state.errors["ask"]),
        forms.form(
            forms.text_field(
                f"Напишите: {PHRASE}",
                "phrase",
                error=state.errors["phrase"],
            ),
            _code("ask"),
            buttons.actions(buttons.danger_button("Удалить мои данные", type="submit")),
            on_submit=state.ask,
        ),
        class_name="grid gap-4",
    )
    waiting = rx.fragment(
        cards.notice(state.wish, tone="danger"),
        buttons.actions(buttons.primary_button("Отменить удаление", on_click=state.cancel)),
    )
    return cards.card(rx.cond(given(state.wish), waiting, asked), title="Удалить всё")


def _code(form: str) -> rx.Component:
    return when(
        OwnDataState.needs_code,
        fresh_factor(
            f"{form}_code",
            hint="Или резервный код: прошло больше пяти минут, подтвердите действие заново.",
        ),
    )


def _problem(text: Any) -> rx.Component:
    return when(given(text), cards.notice(text, tone="danger", live=True))


def _cells(row: rx.Var[ErasureRow]) -> list[rx.Component | rx.Var]:
    return [
        rx.el.span(row.subject, class_name="[overflow-wrap:anywhere]"),
        row.asked,
        row.due,
        badges.badge(row.state, row.tone),
        row.kept,
        rx.cond(
            given(row.pdf),
            buttons.actions(
                buttons.download_link("PDF", row.pdf), buttons.download_link("JSON", row.json)
            ),
            "—",
        ),
    ]


PAGES: Final = (
    Page(DATA, "Мои данные", own_data, (PersonState.load, OwnDataState.follow)),
    Page(ERASURES, "Удаление данных", erasures, (PersonState.load, ErasuresState.follow)),
)
