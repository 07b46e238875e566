"""What keeps the service going: jobs that were given up, and the keys."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, forms, tables
from emk_app.components.links import link
from emk_app.components.markup import given, when
from emk_app.domain.staff import REASON_LIMIT
from emk_app.pages import frames
from emk_app.pages.menus import ADMIN_MENU
from emk_app.pages.table import Page
from emk_app.presenting.tending import COMMANDS, JobRow, KeyRow, KindRow
from emk_app.states.session import PersonState
from emk_app.states.tending import JobsState, KeysState

JOBS: Final = "/admin/jobs"
KEYS: Final = "/admin/keys"


def jobs() -> rx.Component:
    """Return the jobs that were given up, and how each kind does."""
    state = JobsState
    return frames.signed_in(
        when(state.dropping.id > 0, _dropping()),
        cards.section(
            "Не выполнены",
            tables.data_table(
                ["Когда", "Задание", "Почему", "Состояние", tables.Column("Действия", hidden=True)],
                state.failed,
                _failed,
                caption="Задания, от которых сервис отступился",
                loading=~state.is_loaded,
                key=lambda row: row.id.to(str),
                empty=cards.empty_state(
                    "Всё выполняется",
                    "Здесь появится задание, которое не удалось восемь раз подряд.",
                    icon_name="check",
                ),
            ),
        ),
        cards.section(
            "Виды заданий",
            tables.data_table(
                [
                    "Задание",
                    tables.Column("Ждут", numeric=True),
                    tables.Column("Не выполнены", numeric=True),
                    "Последнее выполнено",
                ],
                state.kinds,
                _kind,
                caption="Задания за последние 30 дней по видам",
                loading=~state.is_loaded,
                key=lambda row: row.kind,
            ),
        ),
        rx.el.p(
            "Письма и СМС, которые не ушли, — на странице ",
            link("«Сообщения»", "/admin/outbox"),
            ", заключения для системы ОМС — на странице ",
            link("«Состояние»", "/admin"),
            ".",
        ),
        title="Задания",
        lead="Причина — вид ошибки; по номеру сбоя подробности найдёте в журнале сервера.",
        menu=ADMIN_MENU,
        current=JOBS,
    )


def keys() -> rx.Component:
    """Return the keys and the commands that change them."""
    state = KeysState
    return frames.signed_in(
        cards.section(
            "Ключи подписи",
            tables.data_table(
                ["Назначение", "Состояние", "Срок", "Где лежит", "Имя"],
                state.rows,
                _key,
                caption="Ключи подписи, сначала те, что подписывают",
                loading=~state.is_loaded,
                key=lambda row: row.name,
            ),
        ),
        cards.section(
            "Мастер-ключи шифрования",
            when(state.is_loaded, rx.el.p(state.masters)),
        ),
        cards.card(
            rx.el.p("Менять ключи можно только на сервере, командами:", class_name="mb-3"),
            rx.el.dl(
                *(
                    rx.el.div(
                        rx.el.dt(what),
                        rx.el.dd(rx.el.code(command, class_name="[overflow-wrap:anywhere]")),
                    )
                    for what, command in COMMANDS
                ),
                class_name="e-list",
            ),
            title="Как сменить ключ",
        ),
        title="Ключи",
        lead="Закрытых ключей здесь нет: страница только показывает сроки.",
        menu=ADMIN_MENU,
        current=KEYS,
    )


def _dropping() -> rx.Component:
    state = JobsState
    card = cards.card(
        forms.form(
            rx.el.p(
                "Задание «",
                state.dropping.kind,
                "» больше не будет выполняться. То, ради чего оно было, останется несделанным.",
            ),
            forms.textarea_field(
                "Почему снимаем",
                "why",
                hint="Без сведений о людях: запись увидят все администраторы.",
                error=state.error,
                rows=2,
                max_length=min(REASON_LIMIT, 200),
            ),
            buttons.actions(
                buttons.danger_button("Снять задание", type="submit"),
                buttons.quiet_button("Отмена", state.keep),
            ),
            on_submit=state.drop,
            reset_on_submit=False,
        ),
        title="Снять задание?",
    )
    return cards.called_up(card, state.dropping.id.to(str))


def _failed(row: rx.Var[JobRow]) -> list[Any]:
    return [
        row.at,
        rx.fragment(row.kind, when(given(row.target), rx.fragment(" ", row.target))),
        rx.fragment(
            rx.el.p(rx.el.code(row.why), class_name="[overflow-wrap:anywhere]"),
            rx.el.p(row.tries, class_name="e-muted"),
        ),
        badges.badge(row.state, row.tone),
        buttons.actions(
            buttons.secondary_button(
                "Выполнить снова", on_click=JobsState.retry(row.id), icon="refresh"
            ),
            when(~row.is_dropped, buttons.quiet_button("Снять", JobsState.begin_drop(row.id))),
        ),
    ]


def _kind(row: rx.Var[KindRow]) -> list[Any]:
    return [
        row.kind,
        row.waiting,
        badges.badge(row.failed, row.tone),
        row.done,
    ]


def _key(row: rx.Var[KeyRow]) -> list[Any]:
    return [
        rx.fragment(
            rx.el.p(row.use),
            when(given(row.turn), rx.el.p(row.turn, class_name="e-muted")),
        ),
        badges.badge(row.status, row.tone),
        rx.fragment(
            rx.el.p(row.term),
            when(given(row.warning), badges.badge(row.warning, row.warning_tone)),
        ),
        row.store,
        rx.el.code(row.name, class_name="[overflow-wrap:anywhere]"),
    ]


PAGES: Final = (
    Page(JOBS, "Задания", jobs, (PersonState.load, JobsState.follow)),
    Page(KEYS, "Ключи", keys, (PersonState.load, KeysState.load)),
)
