"""The employer's page of files: a list of staff is brought, checked, and added."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, forms, links, tables
from emk_app.components.markup import given, some, when
from emk_app.domain.enlisting import ROW_LIMIT, SIZE_LIMIT
from emk_app.pages import frames
from emk_app.pages.menus import EMPLOYER_MENU, STAFF_UPLOADS
from emk_app.pages.table import Page
from emk_app.presenting import enlisting as rows
from emk_app.presenting.formats import counted, file_size
from emk_app.states.employer import EMPLOYER
from emk_app.states.session import PersonState
from emk_app.states.staff_uploads import StaffUploadsState

TITLE: Final = "Загрузить список"
ADD: Final = "add-upload"
DROP: Final = "drop-upload"


def staff_uploads() -> rx.Component:
    """Return the page: the file under way, a file to bring, those before."""
    state = StaffUploadsState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(
                state.may_upload,
                rx.el.div(
                    when(state.current.id > 0, _current()),
                    when(~(state.current.is_checked | state.current.is_applying), _bring()),
                    when(some(state.history), cards.section("Прежние файлы", _history())),
                    class_name="e-body",
                ),
                cards.empty_state(
                    "Загружать список вам нельзя",
                    "Это делает владелец кабинета организации или кадровик.",
                    icon_name="lock",
                ),
            ),
            cards.loading(),
        ),
        title=TITLE,
        lead="Сотни книжек за один раз. Сначала покажем, что прочитали, и ничего не изменим.",
        menu=EMPLOYER_MENU,
        current=STAFF_UPLOADS,
    )


def _bring() -> rx.Component:
    return cards.card(
        forms.file_field(
            "Таблица сотрудников",
            "staff",
            upload_url="/api/employer/uploads",
            limit_bytes=SIZE_LIMIT,
            limit_text=f"XLSX или CSV, до {counted(ROW_LIMIT, 'строки', 'строк', 'строк')}, "
            f"не больше {file_size(SIZE_LIMIT)}",
            accept=".xlsx,.csv,.txt,.tsv",
            hint=rows.column_names(),
            bare=True,
        ),
        buttons.actions(buttons.download_link("Скачать образец", "/api/employer/sample.xlsx")),
        title="Новый файл",
    )


def _current() -> rx.Component:
    current = StaffUploadsState.current
    return cards.card(
        rx.el.div(
            rx.el.p(rx.el.b(current.name), class_name="break-all"),
            rx.el.p(current.about, class_name="e-muted"),
        ),
        when(current.is_checked, _checked()),
        when(
            current.is_applying,
            rx.el.div(
                rx.el.p(current.progress, role="status"),
                rx.el.progress(
                    value=current.done,
                    max=current.good,
                    class_name="e-progress",
                    custom_attrs={"aria-label": "Проверка книжек"},
                ),
                rx.el.p(
                    "Страницу можно закрыть: проверка не прервётся, итог останется здесь.",
                    class_name="e-muted",
                ),
                class_name="grid gap-3",
            ),
        ),
        when(current.is_done, _done()),
        when(
            current.is_checked | current.is_applying,
            buttons.actions(
                when(
                    current.is_checked & (current.good > 0),
                    dialogs.dialog_button("Проверить и добавить", ADD, kind="primary"),
                ),
                dialogs.dialog_button(
                    rx.cond(current.is_checked, "Не добавлять", "Прекратить"), DROP, kind="quiet"
                ),
            ),
        ),
        when(current.has_failed & ~current.is_applying, _bad()),
        when(current.is_checked & some(StaffUploadsState.good), _good()),
        dialogs.confirm_dialog(
            ADD,
            "Проверить и добавить?",
            rx.el.p(
                "Проверим ",
                rx.el.b(current.good_text),
                ". Кого добавим по номеру и СНИЛС, тот сразу узнает об этом и сможет закрыть "
                "доступ.",
            ),
            confirm="Проверить и добавить",
            on_confirm=StaffUploadsState.confirm(current.id),
            danger=False,
        ),
        dialogs.confirm_dialog(
            DROP,
            "Убрать этот файл?",
            "Файл будет удалён с сервера. Кто уже добавлен, останется в списке сотрудников.",
            confirm="Убрать файл",
            on_confirm=StaffUploadsState.drop(current.id),
        ),
    )


def _checked() -> rx.Component:
    current = StaffUploadsState.current
    return rx.el.div(
        cards.stats(
            cards.stat("Строк в файле", current.rows),
            cards.stat("Можно проверить", current.good.to(str), tone="success"),
            cards.stat(
                "С ошибками",
                current.bad.to(str),
                tone=rx.cond(current.bad > 0, "danger", "success"),
            ),
        ),
        when(given(current.remark), cards.notice(current.remark)),
        class_name="grid gap-4",
    )


def _done() -> rx.Component:
    current, state = StaffUploadsState.current, StaffUploadsState
    return rx.el.div(
        rx.el.p("Проверка закончена.", role="status"),
        cards.stats(
            cards.stat("Добавлено", current.added, tone="success"),
            cards.stat("Уже были, обновлены", current.known),
            cards.stat(
                "Не добавлено",
                current.failed,
                tone=rx.cond(current.has_failed, "danger", "success"),
            ),
        ),
        buttons.actions(
            buttons.button_link("Открыть список сотрудников", EMPLOYER),
            buttons.download_link("Скачать итог таблицей", state.xlsx),
            buttons.download_link("Скачать итог CSV", state.csv),
        ),
        class_name="grid gap-4",
    )


def _bad() -> rx.Component:
    current = StaffUploadsState.current
    return rx.el.div(
        cards.notice(
            "Остальным строкам они не мешают. Исправьте их в файле и загрузите его ещё раз: "
            "повторно никто не добавится.",
            title="Эти строки не подошли",
            tone="waiting",
        ),
        _lines(StaffUploadsState.bad, "Что не так", "Строки с ошибками"),
        when(given(current.more), rx.el.p(current.more, class_name="e-muted")),
        class_name="grid gap-4 mt-6",
    )


def _good() -> rx.Component:
    return rx.el.div(
        rx.el.p("Так прочитаны первые строки:"),
        _lines(StaffUploadsState.good, "Что ещё записано", "Первые строки файла"),
        class_name="grid gap-4 mt-6",
    )


def _lines(shown: Any, what: str, caption: str) -> rx.Component:
    return tables.data_table(
        [tables.Column("Строка", numeric=True), "Сотрудник", "Книжка", what],
        shown,
        lambda row: [row.line, row.label, row.book, row.what],
        caption=caption,
        key=lambda row: row.line,
    )


def _history() -> rx.Component:
    return tables.data_table(
        ["Когда", "Файл", "Состояние", "Итог"],
        StaffUploadsState.history,
        _past,
        caption="Прежние файлы",
        key=lambda row: row.id.to(str),
    )


def _past(row: Any) -> list[rx.Component | rx.Var]:
    return [
        row.when,
        rx.el.span(row.name, class_name="break-all"),
        badges.badge(row.state, row.tone),
        rx.el.div(
            rx.el.span(row.counts),
            when(
                given(row.xlsx),
                links.plain_link("Скачать", row.xlsx, custom_attrs={"download": True}),
            ),
            class_name="grid",
        ),
    ]


PAGES = (Page(STAFF_UPLOADS, TITLE, staff_uploads, (PersonState.load, StaffUploadsState.follow)),)
