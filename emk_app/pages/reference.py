"""Occupations, studies and the words of messages: amended from a day on, by two administrators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, forms, tables
from emk_app.components.markup import given, some, when
from emk_app.domain.amending import MOST_NUMBERS, NAME_LIMIT, TEXT_LIMIT, TITLE_LIMIT, bound_name
from emk_app.domain.staff import REASON_LIMIT
from emk_app.pages import frames
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import ADMIN_MENU
from emk_app.pages.table import Page
from emk_app.presenting.reference import (
    POINT_OPTIONS,
    AmendmentRow,
    OccupationRow,
    StudyRow,
    TemplateRow,
)
from emk_app.states.reference import ReferenceState
from emk_app.states.session import PersonState

PLACE: Final = "/admin/reference"
AMENDMENT_COLUMNS: Final = ("Что", "С какого дня", "Кто и почему", "Состояние")


def reference() -> rx.Component:
    """Return what is listed, what waits, and the form of an amendment."""
    state = ReferenceState
    return frames.signed_in(
        rx.match(
            state.form,
            ("occupation", _occupation_form()),
            ("study", _study_form()),
            ("template", _template_form()),
            ("answer", _answer_form()),
            rx.fragment(),
        ),
        when(
            state.is_loaded,
            rx.el.div(_search(), _lists(), class_name="e-body", custom_attrs={"data-arrows": ""}),
            cards.loading(lines=4),
        ),
        title="Справочники",
        lead="Изменение действует с назначенного дня, не раньше завтрашнего. Прошлое не меняется.",
        menu=ADMIN_MENU,
        current=PLACE,
    )


def _search() -> rx.Component:
    state = ReferenceState
    return rx.el.div(
        rx.el.div(
            forms.search_box(
                "Найти в справочниках",
                "reference",
                default_value=state.query,
                on_change=state.seek.debounce(250),
                hint="Например, «повар», «пункт 23», «раз в год» или слова из сообщения.",
            ),
            key=state.revision.to(str),
        ),
        rx.el.p(state.summary, role="status", class_name="e-muted"),
        class_name="grid gap-2",
    )


def _lists() -> rx.Component:
    state = ReferenceState
    sought = given(state.query)
    return rx.fragment(
        when(
            ~given(state.summary),
            cards.empty_state(
                "Ничего не нашлось",
                "Проверьте, нет ли опечатки, уберите слово или введите только его начало. Ищем по "
                "названиям, группам, пунктам приказа, срокам, нормам, текстам сообщений и "
                "прошлым изменениям.",
                buttons.secondary_button("Показать всё", state.show_all),
                icon_name="search",
            ),
        ),
        when(
            some(state.waiting) | some(state.past) | ~sought,
            cards.section(
                "Изменения",
                when(
                    some(state.waiting),
                    tables.data_table(
                        [*AMENDMENT_COLUMNS, tables.Column("Действия", hidden=True)],
                        state.waiting,
                        lambda row: [
                            *_amendment(row),
                            buttons.secondary_button(
                                "Решить",
                                ReferenceState.begin_answer(row.id),
                                aria_label="Решить: " + row.said,
                            ),
                        ],
                        caption="Изменения, которые ждут второго администратора",
                        key=lambda row: row.id.to(str),
                    ),
                    rx.el.p("Решения никто не ждёт.", class_name="e-muted"),
                ),
                _shelves(state.past, AMENDMENT_COLUMNS, _amendment, lambda row: row.id.to(str)),
            ),
        ),
        when(
            some(state.occupations) | ~sought,
            cards.section(
                "Профессии",
                buttons.actions(
                    buttons.secondary_button(
                        "Добавить профессию", ReferenceState.begin_occupation(""), icon="plus"
                    )
                ),
                _shelves(
                    state.occupations,
                    ["Профессия", "Пункт", "Состояние", tables.Column("Действия", hidden=True)],
                    _occupation,
                    lambda row: row.code,
                ),
            ),
        ),
        when(
            some(state.studies) | ~sought,
            cards.section(
                "Исследования",
                _shelves(
                    state.studies,
                    [
                        "Исследование",
                        "Как часто",
                        "Норма",
                        tables.Column("Действия", hidden=True),
                    ],
                    _study,
                    lambda row: row.key,
                ),
            ),
        ),
        when(
            some(state.templates) | ~sought,
            cards.section(
                "Сообщения людям",
                _shelves(
                    state.templates,
                    ["Заголовок", "Дальше", tables.Column("Действия", hidden=True)],
                    _template,
                    lambda row: row.news,
                ),
            ),
        ),
    )


def _shelves(
    shelves: Any,
    columns: Sequence[tables.Column | str],
    cells: Callable[[Any], list[Any]],
    key: Callable[[Any], Any],
) -> rx.Component:
    """Fold a list by its groups; what is found stands open, whatever was folded before."""
    state = ReferenceState

    def shelf(row: Any) -> rx.Component:
        return rx.el.div(
            cards.details(
                rx.el.span(
                    row.title,
                    rx.el.span(", ", row.count, class_name="e-muted font-normal"),
                ),
                tables.data_table(columns, row.rows, cells, caption=row.title, key=key),
                opened=given(state.query),
            ),
            # Each search folds anew; between two of them everybody's own folding stays.
            key=row.title + state.query,
        )

    return rx.el.div(rx.foreach(shelves, shelf), class_name="grid gap-1")


def _occupation_form() -> rx.Component:
    state = ReferenceState
    row: Any = state.occupation
    errors = state.errors
    is_new = row.code == ""
    return _form(
        rx.cond(is_new, "Новая профессия", "Изменить профессию"),
        state.write_occupation,
        forms.text_field(
            "Название",
            "name",
            default_value=row.name,
            error=errors["name"],
            max_length=NAME_LIMIT,
        ),
        forms.text_field(
            "Группа",
            "group",
            default_value=row.group,
            error=errors["group"],
            hint="Её показывает открытая проверка книжки.",
            max_length=NAME_LIMIT,
        ),
        rx.cond(
            is_new,
            forms.select_field(
                "Пункт приказа № 29н",
                "point",
                POINT_OPTIONS,
                default_value="",
                placeholder="Выберите пункт",
                error=errors["point"],
                hint="Пункт потом не меняется: для другого нужна другая профессия.",
            ),
            forms.select_field(
                "Состояние",
                "closed",
                [("open", "В списке"), ("closed", "Закрыта: больше не выбирают")],
                default_value=rx.cond(row.is_closed, "closed", "open"),
                placeholder="",
                hint="У тех, кто уже выбрал профессию, она останется.",
                width="long",
            ),
        ),
        action="Передать коллеге",
    )


def _study_form() -> rx.Component:
    state = ReferenceState
    row: Any = state.study
    return _form(
        rx.fragment("Изменить исследование: ", row.name, ", ", row.whose),
        state.write_study,
        cards.notice(
            "Начатые осмотры идут по прежним числам. Границы входят в промежуток: «до 139» "
            "значит, что 139 ещё норма.",
            tone="info",
        ),
        forms.select_field(
            "Как часто",
            "period",
            row.periods,
            default_value=row.period,
            placeholder="",
            error=state.errors["period"],
            hint="Столько же действует результат.",
            width="long",
        ),
        *(_numbers(row.parts[number], number) for number in range(MOST_NUMBERS)),
        action="Передать коллеге",
    )


def _numbers(part: Any, number: int) -> rx.Component:
    """Return the bounds of one number of the study."""

    def bound(label: str, name: str, value: Any, *, required: bool = False) -> rx.Component:
        control = bound_name(name, number)
        return forms.text_field(
            label,
            control,
            default_value=value,
            error=ReferenceState.errors[control],
            input_mode="decimal",
            max_length=12,
            width="medium",
            required=required,
        )

    return when(
        given(part.name),
        forms.fieldset(
            part.name,
            rx.el.div(
                bound("Возможно от", "low", part.low, required=True),
                bound("Возможно до", "high", part.high, required=True),
                bound("Норма от", "norm_low", part.norm_low),
                bound("Норма до", "norm_high", part.norm_high),
                bound("Переспросить, если ниже", "rare_low", part.rare_low),
                bound("Переспросить, если выше", "rare_high", part.rare_high),
                class_name="grid gap-3 sm:grid-cols-2",
            ),
        ),
    )


def _template_form() -> rx.Component:
    state = ReferenceState
    row: Any = state.template
    errors = state.errors
    return _form(
        "Изменить сообщение",
        state.write_template,
        cards.notice("Места для сведений: ", row.places, ".", tone="info"),
        forms.text_field(
            "Заголовок",
            "title",
            default_value=row.title,
            error=errors["title"],
            max_length=TITLE_LIMIT,
        ),
        forms.textarea_field(
            "Текст на экране и в письме",
            "text",
            default_value=row.text,
            error=errors["text"],
            rows=5,
            max_length=TEXT_LIMIT,
        ),
        forms.textarea_field(
            "СМС",
            "sms",
            default_value=row.sms,
            error=errors["sms"],
            hint="Без медицинских сведений. Если сообщение несёт ссылку, она добавится в конец.",
            rows=3,
            max_length=TEXT_LIMIT,
        ),
        action="Передать коллеге",
    )


def _answer_form() -> rx.Component:
    state = ReferenceState
    row: Any = state.answering
    card = cards.card(
        cards.summary_list(
            cards.summary_row("Что", row.what),
            when(given(row.was), cards.summary_row("Сейчас", row.was)),
            cards.summary_row("Как будет", row.said),
            cards.summary_row("С какого дня", row.since),
            cards.summary_row("Почему", row.reason),
            cards.summary_row("Кто предложил", row.by),
        ),
        forms.form(
            _code(),
            buttons.actions(
                when(~row.is_own, buttons.primary_button("Подтвердить", type="submit")),
                buttons.secondary_button(
                    rx.cond(row.is_own, "Отозвать", "Отклонить"), state.decline
                ),
                buttons.quiet_button("Позже", state.leave),
            ),
            on_submit=state.confirm,
            reset_on_submit=False,
        ),
        title=rx.cond(row.is_own, "Ваше изменение", "Подтвердить изменение?"),
    )
    return cards.called_up(card, state.form_key.to(str))


def _form(title: Any, handler: Any, *fields: Any, action: str) -> rx.Component:
    state = ReferenceState
    card = cards.card(
        forms.form(
            *fields,
            forms.text_field(
                "С какого дня",
                "valid_from",
                error=state.errors["valid_from"],
                hint="Не раньше завтрашнего, например 01.12.2026.",
                mask="00.00.0000",
                width="medium",
            ),
            forms.textarea_field(
                "Почему",
                "reason",
                error=state.errors["reason"],
                hint="Например, приказ и его дата. Прочтёт второй администратор.",
                rows=2,
                max_length=REASON_LIMIT,
            ),
            _code(),
            buttons.actions(
                buttons.primary_button(action, type="submit"),
                buttons.quiet_button("Отмена", state.leave),
            ),
            on_submit=handler,
            reset_on_submit=False,
        ),
        title=title,
    )
    return cards.called_up(card, state.form_key.to(str))


def _code() -> rx.Component:
    state = ReferenceState
    return when(
        state.needs_code,
        fresh_factor(
            "code",
            hint="Шесть цифр. Решение подтверждается свежим кодом.",
            error=state.errors["code"],
        ),
    )


def _amendment(row: rx.Var[AmendmentRow]) -> list[Any]:
    return [
        rx.el.div(
            rx.el.p(row.what, class_name="e-muted"),
            rx.el.p(row.said, class_name="[overflow-wrap:anywhere]"),
        ),
        row.since,
        rx.el.div(
            rx.el.p(row.by),
            rx.el.p(row.reason, class_name="e-muted [overflow-wrap:anywhere]"),
        ),
        badges.badge(row.state, row.tone),
    ]


def _occupation(row: rx.Var[OccupationRow]) -> list[Any]:
    return [
        rx.el.div(
            rx.el.p(row.name), when(given(row.later), rx.el.p(row.later, class_name="e-muted"))
        ),
        row.point,
        badges.badge(row.state, row.tone),
        buttons.quiet_button(
            "Изменить",
            ReferenceState.begin_occupation(row.code),
            aria_label="Изменить: " + row.name,
        ),
    ]


def _study(row: rx.Var[StudyRow]) -> list[Any]:
    return [
        rx.el.div(
            rx.el.p(row.name), when(given(row.later), rx.el.p(row.later, class_name="e-muted"))
        ),
        row.period,
        row.norm,
        buttons.quiet_button(
            "Изменить",
            ReferenceState.begin_study(row.key),
            aria_label="Изменить: " + row.name + ", " + row.whose,
        ),
    ]


def _template(row: rx.Var[TemplateRow]) -> list[Any]:
    return [
        rx.el.div(
            rx.el.p(row.title),
            when(given(row.said), rx.el.p(row.said, class_name="e-muted [overflow-wrap:anywhere]")),
        ),
        row.later,
        buttons.quiet_button(
            "Изменить",
            ReferenceState.begin_template(row.news),
            aria_label="Изменить: " + row.title,
        ),
    ]


PAGES: Final = (Page(PLACE, "Справочники", reference, (PersonState.load, ReferenceState.follow)),)
