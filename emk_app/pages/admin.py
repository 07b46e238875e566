"""The administrator's first screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx

from emk_app.components import buttons, cards
from emk_app.components.badges import badge
from emk_app.components.tables import Column, data_table
from emk_app.pages import frames
from emk_app.pages.menus import ADMIN_MENU
from emk_app.pages.table import Page
from emk_app.states.admin import AdminState
from emk_app.states.session import PersonState


def admin() -> rx.Component:
    """Return the page of the service's health."""
    return frames.signed_in(
        rx.cond(
            AdminState.is_loaded,
            rx.fragment(
                cards.section(
                    "Задания",
                    cards.stats(
                        cards.stat("Ждут выполнения", AdminState.jobs_waiting),
                        cards.stat(
                            "Не выполнены",
                            AdminState.jobs_failed,
                            tone=rx.cond(AdminState.jobs_failed > 0, "danger", "success"),
                        ),
                    ),
                ),
                cards.section(
                    "Сообщения",
                    cards.stats(
                        cards.stat("Ждут отправки", AdminState.letters_waiting),
                        cards.stat(
                            "Не доставлены",
                            AdminState.letters_dead,
                            tone=rx.cond(AdminState.letters_dead > 0, "danger", "success"),
                        ),
                    ),
                ),
                cards.section(
                    "Обмен с системой ОМС",
                    cards.stats(
                        cards.stat("Передаются", AdminState.conclusions_waiting),
                        cards.stat(
                            "Не переданы",
                            AdminState.conclusions_dead,
                            tone=rx.cond(AdminState.conclusions_dead > 0, "danger", "success"),
                        ),
                        cards.stat(
                            "Пришли и ждут решения",
                            AdminState.received_apart,
                            tone=rx.cond(AdminState.received_apart > 0, "waiting", "success"),
                        ),
                    ),
                    rx.cond(
                        AdminState.stuck.length() > 0,
                        _exchange_table(
                            "Заключения, которые не ушли",
                            AdminState.stuck,
                            lambda row: buttons.secondary_button(
                                "Отправить снова", AdminState.retry_conclusion(row.id)
                            ),
                        ),
                    ),
                    rx.cond(
                        AdminState.received.length() > 0,
                        _exchange_table(
                            "Заключения из других систем",
                            AdminState.received,
                            lambda row: buttons.secondary_button(
                                "Сверить снова", AdminState.compare_received(row.id)
                            ),
                        ),
                    ),
                ),
                cards.section(
                    "Журнал действий",
                    rx.cond(
                        AdminState.broken_entry == 0,
                        cards.notice("Цепочка записей цела.", tone="success"),
                        cards.notice(
                            "Цепочка нарушена начиная с записи ",
                            AdminState.broken_entry,
                            ". Остановите изменения и сверьте журнал с резервной копией.",
                            tone="danger",
                        ),
                    ),
                ),
                buttons.actions(
                    buttons.secondary_button(
                        "Проверить снова", on_click=AdminState.load, icon="refresh"
                    )
                ),
            ),
            cards.loading(),
        ),
        title="Состояние сервиса",
        menu=ADMIN_MENU,
        current="/admin",
    )


def _exchange_table(caption: str, rows: Any, acts: Callable[[Any], rx.Component]) -> rx.Component:
    return data_table(
        ["Документ", "Состояние", "Создан", "Дальше", Column("Действия", hidden=True)],
        rows,
        lambda row: [
            rx.el.span(row.what, class_name="[overflow-wrap:anywhere]"),
            badge(row.why, row.tone),
            row.at,
            row.tries,
            acts(row),
        ],
        key=lambda row: row.id,
        caption=caption,
    )


PAGES = (Page("/admin", "Состояние сервиса", admin, (PersonState.load, AdminState.load)),)
