"""The administrator's page of the register of clinics."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, forms, links, tables
from emk_app.components.markup import given, some, some_or, when
from emk_app.domain.imports import SIZE_LIMIT
from emk_app.pages import frames
from emk_app.pages.menus import ADMIN_MENU, REGISTER
from emk_app.pages.table import Page
from emk_app.presenting.formats import file_size
from emk_app.presenting.registers import ImportRow, RegisterRow, every_region
from emk_app.states.register import ImportsState, RegisterState
from emk_app.states.session import PersonState

TITLE = "Реестр медорганизаций"
DROP = "drop-import"
APPLY = "apply-import"


def register() -> rx.Component:
    """Return the page: a file to bring, the history, the clinics."""
    return frames.signed_in(
        cards.section(
            "Загрузка",
            rx.cond(
                ImportsState.is_loaded,
                rx.cond(ImportsState.current.id > 0, _current(), _bring()),
                cards.loading(),
            ),
        ),
        cards.section("Прежние загрузки", _history()),
        cards.section("Медорганизации", _clinics()),
        title=TITLE,
        lead="Файл сначала проверяется и ничего не меняет. "
        "Загрузить его или нет, вы решите, когда увидите, что изменится.",
        menu=ADMIN_MENU,
        current=REGISTER,
    )


def _bring() -> rx.Component:
    return cards.card(
        forms.file_field(
            "Файл реестра",
            "register",
            upload_url="/api/registers",
            limit_bytes=SIZE_LIMIT,
            limit_text=f"CSV или JSON, не больше {file_size(SIZE_LIMIT)}",
            accept=".csv,.json,.txt,.tsv",
            hint="С названиями полей федерального реестра. Обязательны oid, nameFull и regionId. "
            "Организации узнаются по OID, повторная загрузка того же файла ничего не изменит.",
            bare=True,
        ),
    )


def _current() -> rx.Component:
    current = ImportsState.current
    return cards.card(
        rx.el.div(
            rx.el.p(rx.el.b(current.name), class_name="e-number break-all"),
            rx.el.p(current.about, class_name="e-muted"),
        ),
        when(current.is_checking, _working("Проверяем файл", current.progress)),
        when(
            current.is_applying,
            rx.el.div(
                _working("Загружаем в реестр", current.progress),
                rx.el.progress(
                    value=current.seen,
                    max=current.rows,
                    class_name="e-progress",
                    custom_attrs={"aria-label": "Загрузка в реестр"},
                ),
                class_name="grid gap-3",
            ),
        ),
        when(current.is_checked, _checked()),
        buttons.actions(
            when(
                current.is_checked & ~given(current.idle),
                dialogs.dialog_button("Загрузить в реестр", APPLY, kind="primary"),
            ),
            dialogs.dialog_button(
                rx.cond(current.is_checked, "Не загружать", "Прекратить"), DROP, kind="quiet"
            ),
        ),
        when(current.is_checked & current.has_bad, _bad_rows()),
        dialogs.confirm_dialog(
            APPLY,
            "Загрузить файл в реестр?",
            rx.el.p(
                "Будет добавлено ",
                rx.el.b(current.added),
                ", изменено ",
                rx.el.b(current.changed),
                ", исключено ",
                rx.el.b(current.removed),
                ". Владельцы увидят новый реестр сразу.",
            ),
            confirm="Загрузить",
            on_confirm=ImportsState.confirm(current.id),
            danger=False,
        ),
        dialogs.confirm_dialog(
            DROP,
            "Прекратить эту загрузку?",
            "Файл будет удалён с сервера. Если часть строк уже загружена, она останется в реестре.",
            confirm="Прекратить",
            on_confirm=ImportsState.drop(current.id),
        ),
    )


def _working(text: str, progress: Any) -> rx.Component:
    return rx.el.p(
        rx.el.span(class_name="e-spinner", custom_attrs={"aria-hidden": "true"}),
        rx.el.span(text, ". ", rx.el.span(progress, class_name="e-muted")),
        role="status",
        class_name="flex gap-2 items-center",
    )


def _checked() -> rx.Component:
    current = ImportsState.current
    return rx.el.div(
        cards.stats(
            cards.stat("Добавится", current.added),
            cards.stat("Изменится", current.changed),
            cards.stat(
                "Будет исключено",
                current.removed,
                tone=rx.cond(current.removed == "0", "neutral", "waiting"),
            ),
            cards.stat("Без изменений", current.unchanged),
            cards.stat(
                "Строк с ошибками",
                current.bad,
                tone=rx.cond(current.has_bad, "danger", "success"),
            ),
        ),
        when(given(current.idle), cards.notice(current.idle, live=True)),
        class_name="grid gap-4",
    )


def _bad_rows() -> rx.Component:
    current = ImportsState.current
    return rx.el.div(
        cards.notice(
            "Эти строки не загрузятся, остальным они не мешают. "
            "Исправьте файл и загрузите его ещё раз: повторится только исправленное.",
            title="Не все строки подходят",
            tone="waiting",
        ),
        buttons.actions(buttons.download_link("Скачать весь отчёт", ImportsState.report_href)),
        tables.data_table(
            [tables.Column("Строка", numeric=True), "OID", "Поле", "Что не так"],
            ImportsState.bad,
            lambda line: [line[0], rx.el.span(line[1], class_name="break-all"), line[2], line[3]],
            caption="Строки с ошибками",
        ),
        when(given(current.bad_more), rx.el.p(current.bad_more, class_name="e-muted")),
        class_name="grid gap-4 mt-6",
    )


def _history() -> rx.Component:
    return tables.data_table(
        ["Когда", "Файл", "Кто", "Состояние", "Итог"],
        ImportsState.history,
        _past,
        caption="Прежние загрузки реестра",
        loading=~ImportsState.is_loaded,
        key=lambda row: row.id.to(str),
        empty=cards.empty_state("Загрузок ещё не было", "Здесь останется каждая, с итогом."),
    )


def _past(row: rx.Var[ImportRow]) -> list[rx.Component | rx.Var]:
    return [
        row.when,
        rx.el.div(
            rx.el.span(row.name, class_name="break-all"),
            when(given(row.size), rx.el.span(row.size, class_name="e-muted")),
            class_name="grid",
        ),
        row.who,
        badges.badge(row.state, row.tone),
        rx.el.div(
            rx.foreach(row.counts, lambda text: rx.el.span(text)),
            when(
                given(row.report_href),
                links.plain_link(
                    "Отчёт об ошибках", row.report_href, custom_attrs={"download": True}
                ),
            ),
            class_name="grid",
        ),
    ]


def _clinics() -> rx.Component:
    state = RegisterState
    return rx.el.div(
        cards.card(
            rx.el.div(
                forms.search_box(
                    "Название, код ОКПО или OID",
                    "clinic",
                    default_value=state.query,
                    on_change=state.type_query,
                ),
                forms.select_field(
                    "Регион",
                    "region",
                    some_or(state.regions, every_region()),
                    default_value=state.region,
                    on_change=state.choose_region,
                    placeholder="Все регионы",
                ),
                forms.checkbox_field(
                    rx.fragment("Лицензия действует", state.licence_count),
                    "in_force",
                    default_checked=state.in_force,
                    on_change=state.only_in_force,
                ),
                class_name="e-form",
            ),
        ),
        rx.el.div(
            when(given(state.corrected), rx.el.p(state.corrected)),
            rx.el.p(state.found, class_name="e-muted"),
            role="status",
        ),
        tables.data_table(
            ["Медорганизация", "Регион", "Лицензия", "Передача сведений", "Пункты 29н"],
            state.rows,
            _clinic,
            caption="Медорганизации реестра",
            loading=~state.is_loaded,
            key=lambda row: row.id.to(str),
            empty=rx.cond(
                state.is_empty,
                cards.empty_state(
                    "Реестр пуст", "Загрузите файл, и медорганизации появятся здесь и в поиске."
                ),
                cards.empty_state(
                    "Ничего не нашлось",
                    "Проверьте название или снимите условия.",
                    icon_name="search",
                ),
            ),
        ),
        when(
            state.has_more & some(state.rows),
            buttons.actions(buttons.secondary_button("Показать ещё", state.show_more)),
        ),
        class_name="grid gap-4",
    )


def _clinic(row: rx.Var[RegisterRow]) -> list[rx.Component | rx.Var]:
    return [
        rx.el.div(
            rx.el.b(row.name),
            rx.el.span(row.oid, class_name="e-muted break-all"),
            when(row.is_demo, rx.el.span("Учебная запись", class_name="e-muted")),
            class_name="grid",
        ),
        rx.el.div(
            rx.el.span(row.place), rx.el.span(row.kind, class_name="e-muted"), class_name="grid"
        ),
        badges.badge(row.licence, row.licence_tone),
        badges.badge(row.connection, row.connection_tone),
        row.points,
    ]


PAGES = (
    Page(
        REGISTER,
        TITLE,
        register,
        (PersonState.load, ImportsState.follow, RegisterState.follow),
    ),
)
