"""The administrator's first screen."""

from __future__ import annotations

import reflex as rx

from emk_app.components import buttons, cards
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


PAGES = (Page("/admin", "Состояние сервиса", admin, (PersonState.load, AdminState.load)),)
