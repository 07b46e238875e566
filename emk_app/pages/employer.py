"""The employer's list of staff, and the holder's part about employers."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, dialogs, forms, links
from emk_app.components.badges import badge
from emk_app.components.forms import Choice
from emk_app.components.icons import icon
from emk_app.components.markup import given, some_or, when
from emk_app.components.tables import Column, data_table, pager
from emk_app.domain.employing import DEPARTMENT_LIMIT, LABEL_LIMIT, NAME_LIMIT, TAB_LIMIT, AddedBy
from emk_app.domain.sharing import ShareScope
from emk_app.pages import check, frames
from emk_app.pages.menus import EMPLOYER_MENU
from emk_app.pages.table import Page
from emk_app.presenting import employing as rows
from emk_app.presenting.reference import SHIPPED
from emk_app.states.employer import EMPLOYER, EmployersState, EmployerState
from emk_app.states.members import OffersState
from emk_app.states.occupations import OccupationsState
from emk_app.states.session import PersonState

TITLE: Final = "Сотрудники"


def employer() -> rx.Component:
    """Return the page of the staff; who has no organisation yet begins one here."""
    state = EmployerState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(given(state.organisation.name), _staff(), _beginning()),
            cards.loading("Загружаем список…", lines=6),
        ),
        title=TITLE,
        lead="Кто допущен к работе сегодня и у кого скоро закончится срок. Книжки проверяются "
        "сами, список обновляется без перезагрузки.",
        menu=EMPLOYER_MENU,
        current=EMPLOYER,
        wide=True,
    )


def _offer(row: Any) -> rx.Component:
    return cards.card(
        rx.el.p("Вас зовут в кабинет этой организации: вы — ", row.post, ". До ", row.until, "."),
        buttons.actions(
            buttons.primary_button("Принять приглашение", OffersState.accept(row.id)),
            buttons.secondary_button("Отказаться", OffersState.decline(row.id)),
        ),
        title=row.organisation,
        tone="waiting",
    )


def _beginning() -> rx.Component:
    return rx.el.div(
        rx.foreach(OffersState.offers, _offer),
        _organisation(),
        class_name="e-body",
    )


def _organisation() -> rx.Component:
    state = EmployerState
    return cards.card(
        forms.form(
            forms.text_field(
                "Название организации",
                "name",
                hint="Так его увидят сотрудники, у которых вы попросите доступ.",
                error=state.errors["name"],
                max_length=NAME_LIMIT,
            ),
            forms.field_row(
                forms.text_field(
                    "ИНН",
                    "inn",
                    hint="10 цифр, у предпринимателя 12.",
                    error=state.errors["inn"],
                    input_mode="numeric",
                    max_length=30,
                ),
                forms.text_field(
                    "ОГРН или ОГРНИП",
                    "ogrn",
                    hint="13 цифр, у предпринимателя 15.",
                    error=state.errors["ogrn"],
                    input_mode="numeric",
                    max_length=30,
                ),
            ),
            forms.text_field(
                "Электронная почта отдела кадров",
                "contact",
                hint="По ней с организацией можно связаться.",
                error=state.errors["contact"],
                input_mode="email",
                max_length=254,
            ),
            buttons.actions(buttons.primary_button("Завести кабинет", type="submit")),
            on_submit=state.begin,
        ),
        rx.el.p(
            "Кабинет уже есть у организации? Попросите его владельца пригласить вас: приглашение "
            "появится на этой странице.",
            class_name="e-muted mt-6",
        ),
        title="Ваша организация",
    )


def _staff() -> rx.Component:
    state = EmployerState
    return rx.el.div(
        rx.el.p(rx.el.b(state.organisation.name), " ", state.organisation.about),
        cards.stats(
            rx.foreach(
                state.counts, lambda each: cards.stat(each.text, each.number, tone=each.tone)
            )
        ),
        when(state.organisation.may_edit, _adding()),
        when(state.editing.id > 0, _editing()),
        when(~state.is_empty, _filters()),
        data_table(
            [
                "Сотрудник",
                "Подразделение и работа",
                "Допуск",
                "Срок",
                "Доступ",
                Column("Действия", hidden=True),
            ],
            state.staff,
            _line,
            caption="Сотрудники",
            key=lambda row: row.id.to(str),
            empty=rx.cond(
                state.is_empty,
                cards.empty_state(
                    "В списке пока никого",
                    "Попросите у сотрудника ссылку на книжку или пригласите его: откройте "
                    "«Добавить сотрудника».",
                    icon_name="person",
                ),
                cards.empty_state(
                    "Никто не подходит", "Снимите условия или измените поиск.", icon_name="search"
                ),
            ),
        ),
        when(state.pages > 1, pager(state.page, state.pages, on_page=state.turn)),
        class_name="e-body",
    )


def _adding() -> rx.Component:
    state = EmployerState
    return cards.details(
        "Добавить сотрудника",
        rx.el.div(
            forms.radio_cards(
                "Как добавить",
                "way",
                [Choice(way.value, title, text) for way, (title, text) in rows.WAYS.items()],
                value=state.way,
                on_change=state.choose_way,
            ),
            when(state.way == AddedBy.LINK.value, check.camera(into="field-link")),
            forms.form(
                rx.match(
                    state.way,
                    (AddedBy.NUMBER.value, _number_fields()),
                    (AddedBy.INVITATION.value, _contact_field()),
                    _link_field(),
                ),
                *_said_fields(),
                buttons.actions(
                    buttons.primary_button(
                        rx.cond(
                            state.way == AddedBy.INVITATION.value, "Отправить запрос", "Добавить"
                        ),
                        type="submit",
                        icon="plus",
                    )
                ),
                on_submit=state.add,
                key=state.form_key.to(str),
            ),
            class_name="grid gap-6",
        ),
        opened=state.is_empty,
    )


def _link_field() -> rx.Component:
    return forms.text_field(
        "Ссылка или код",
        "link",
        hint="Вставьте ссылку, которую прислал сотрудник, или 26 знаков кода из неё. Доступ "
        "продлится столько же, сколько ссылка.",
        error=EmployerState.errors["link"],
        max_length=1000,
    )


def _number_fields() -> rx.Component:
    state = EmployerState
    return forms.field_row(
        forms.text_field(
            "Номер книжки",
            "number",
            hint="12 цифр, например 77-01-000123-26.",
            error=state.errors["number"],
            input_mode="numeric",
            max_length=30,
        ),
        forms.text_field(
            "СНИЛС",
            "snils",
            hint="11 цифр. Сотрудник узнает, что вы его добавили.",
            error=state.errors["snils"],
            input_mode="numeric",
            mask="000-000-000 00",
            max_length=30,
        ),
    )


def _contact_field() -> rx.Component:
    return forms.text_field(
        "Почта или телефон сотрудника",
        "invited",
        hint="С ними он входит в личный кабинет. Там он увидит ваш запрос и разрешит доступ на "
        "срок или откажет.",
        error=EmployerState.errors["invited"],
        max_length=254,
    )


def _said_fields(row: Any = None) -> list[rx.Component]:
    state = EmployerState

    def begun(name: str) -> dict[str, Any]:
        return {} if row is None else {"default_value": getattr(row, name)}

    return [
        forms.field_row(
            forms.text_field(
                "Как записать в списке",
                "label",
                hint="Например, Иванова М. С.",
                error=state.errors["label"],
                max_length=LABEL_LIMIT,
                **begun("label"),
            ),
            forms.text_field(
                "Табельный номер",
                "tab",
                hint="Если он есть.",
                error=state.errors["tab"],
                required=False,
                max_length=TAB_LIMIT,
                **begun("tab_number"),
            ),
        ),
        forms.field_row(
            forms.text_field(
                "Подразделение",
                "department",
                error=state.errors["department"],
                required=False,
                max_length=DEPARTMENT_LIMIT,
                **begun("department"),
            ),
            forms.select_field(
                "Работа на этом месте",
                "occupation",
                some_or(OccupationsState.groups, SHIPPED),
                grouped=True,
                error=state.errors["occupation"],
                required=False,
                placeholder="Не указана",
                **begun("occupation_code"),
            ),
        ),
    ]


def _editing() -> rx.Component:
    state = EmployerState
    return cards.card(
        forms.form(
            *_said_fields(state.editing),
            buttons.actions(
                buttons.primary_button("Сохранить", type="submit"),
                buttons.quiet_button("Не менять", state.edit(0)),
            ),
            on_submit=state.save,
            key=state.editing.id.to(str),
        ),
        title="Изменить запись",
    )


def _filters() -> rx.Component:
    state = EmployerState
    return rx.el.div(
        forms.search_box(
            "Имя в списке, табельный номер или контакт",
            "staff",
            default_value=state.query,
            on_change=state.type_query,
        ),
        forms.field_row(
            forms.select_field(
                "Состояние",
                "light_filter",
                rows.LIGHT_OPTIONS,
                value=state.light,
                on_change=state.choose_light,
                placeholder="Любое",
            ),
            forms.select_field(
                "Подразделение",
                "department_filter",
                state.departments,
                value=state.department,
                on_change=state.choose_department,
                placeholder="Все",
            ),
            forms.select_field(
                "Работа",
                "occupation_filter",
                state.occupations,
                value=state.occupation,
                on_change=state.choose_occupation,
                placeholder="Любая",
            ),
            columns=3,
        ),
        rx.el.p(state.found, role="status", class_name="e-muted"),
        buttons.save_links(
            buttons.save_link("PDF", _file("/api/employer/staff.pdf")),
            buttons.save_link("Таблица", _file("/api/employer/staff.xlsx")),
            buttons.save_link("CSV", _file("/api/employer/staff.csv")),
            more=[
                links.plain_link(
                    rx.fragment(icon("print"), rx.el.span("Печать")),
                    _file("/api/employer/print"),
                    buttons.CLASSES["secondary"],
                    target="_blank",
                )
            ],
        ),
        when(
            given(state.query),
            rx.el.p(
                "В печать и файлы попадут все, кто подходит под условия; слова поиска их не "
                "сокращают.",
                class_name="e-muted",
            ),
        ),
        class_name="e-form",
    )


def _file(address: str) -> rx.Var[str]:
    """Return the address of the list as it is filtered."""
    return rx.Var.create(address) + EmployerState.files_query


def _line(row: Any) -> list[rx.Component | rx.Var]:
    dialog = "remove-staff-" + row.id.to(str)
    return [
        rx.el.div(
            rx.el.b(row.label, class_name="break-words"),
            when(given(row.name), rx.el.span("в книжке ", row.name, class_name="e-muted")),
            when(given(row.tab), rx.el.span(row.tab, class_name="e-muted")),
            class_name="grid",
        ),
        rx.el.div(
            when(given(row.department), rx.el.span(row.department)),
            when(given(row.occupation), rx.el.span(row.occupation, class_name="e-muted")),
            when(given(row.group), rx.el.span("В книжке: ", row.group, class_name="e-muted")),
            class_name="grid",
        ),
        badge(row.state, row.tone),
        rx.el.div(
            when(given(row.until), rx.el.span(row.until)),
            when(given(row.left), rx.el.span(row.left, class_name="e-muted")),
            class_name="grid",
        ),
        rx.el.div(
            rx.el.span(row.how, class_name="break-words"),
            when(
                given(row.checked),
                rx.el.span("проверено ", row.checked, class_name="e-muted"),
            ),
            class_name="grid",
        ),
        when(
            EmployerState.organisation.may_edit,
            rx.el.div(
                buttons.quiet_button("Изменить", EmployerState.edit(row.id)),
                dialogs.dialog_button("Убрать", dialog, kind="quiet"),
                dialogs.confirm_dialog(
                    dialog,
                    "Убрать из списка?",
                    rx.el.p(
                        rx.el.b(row.label),
                        " исчезнет из списка, а вы перестанете видеть срок книжки. Чтобы вернуть, "
                        "понадобится новая ссылка или приглашение.",
                    ),
                    confirm="Убрать",
                    on_confirm=EmployerState.remove(row.id),
                ),
                class_name="flex flex-wrap gap-2",
            ),
        ),
    ]


def section() -> rx.Component:
    """Return the holder's part of the page of access: employers who ask, see and saw."""
    state = EmployersState
    return cards.section(
        "Работодатели",
        rx.el.p(
            "Работодатель видит, действует ли книжка, до какого числа и для какой работы. "
            "О вашем здоровье он не узнаёт ничего. Закрыть доступ можно в любую секунду. Если "
            "вы разрешите, прививки войдут в общую сводку: сколько людей без прививки, без имён "
            "и не меньше пяти человек в каждом числе.",
            class_name="e-prose",
        ),
        rx.cond(
            state.is_loaded,
            rx.fragment(
                rx.el.div(rx.foreach(state.asking, _request), class_name="grid gap-4"),
                data_table(
                    [
                        "Организация",
                        "Что видит",
                        "Срок",
                        "Последний просмотр",
                        "Состояние",
                        Column("Действие", hidden=True),
                    ],
                    state.others,
                    _employer,
                    caption="Работодатели, у которых есть или был доступ",
                    key=lambda row: row.id.to(str),
                    empty=cards.empty_state(
                        "Работодателям книжка не открыта",
                        "Если работодатель попросит доступ, запрос появится здесь.",
                        icon_name="person",
                    ),
                ),
            ),
            cards.loading("Загружаем работодателей…"),
        ),
        id="employers",
    )


def _request(row: Any) -> rx.Component:
    dialog = "grant-employer-" + row.id.to(str)
    return cards.card(
        rx.el.p("Организация просит показывать ей срок вашей книжки. ", row.when, "."),
        buttons.actions(
            dialogs.dialog_button("Разрешить", dialog, kind="primary"),
            buttons.secondary_button("Отказать", EmployersState.refuse(row.id)),
        ),
        dialogs.dialog(
            dialog,
            "Разрешить доступ?",
            forms.form(
                rx.el.input(type="hidden", name="entry", value=row.id.to(str)),
                rx.el.p(rx.el.b(row.organisation), class_name="break-words"),
                forms.radio_cards(
                    "Что показать вместе со сроком",
                    "employer_scope",
                    [
                        Choice(scope.value, title, text)
                        for scope, (title, text) in rows.GRANT_SCOPES.items()
                    ],
                    value=ShareScope.WITH_OCCUPATION.value,
                    held=False,
                ),
                forms.select_field(
                    "На сколько",
                    "employer_days",
                    rows.GRANT_TERMS,
                    default_value=rows.DEFAULT_GRANT_TERM,
                ),
                forms.checkbox_field(rows.COUNTED, "employer_counted", hint=rows.COUNTED_HINT),
                buttons.actions(
                    buttons.primary_button(
                        "Открыть доступ", type="submit", custom_attrs={"data-dialog-close": ""}
                    ),
                    dialogs.close_button("Отмена", kind="secondary"),
                ),
                on_submit=EmployersState.grant,
            ),
        ),
        title=row.organisation,
        actions=badge(row.state, row.tone),
        tone="waiting",
        level=3,
    )


def _employer(row: Any) -> list[rx.Component | rx.Var]:
    dialog = "end-employer-" + row.id.to(str)
    return [
        rx.el.div(
            rx.el.span(row.organisation, class_name="break-words"),
            rx.el.span(row.how, class_name="e-muted"),
            class_name="grid",
        ),
        row.sees,
        row.when,
        row.looked,
        badge(row.state, row.tone),
        when(
            row.is_granted,
            rx.fragment(
                rx.cond(
                    row.is_counted,
                    buttons.quiet_button(
                        "Не учитывать прививки", EmployersState.be_counted(row.id, False)
                    ),
                    buttons.quiet_button(
                        "Учитывать прививки", EmployersState.be_counted(row.id, True)
                    ),
                ),
                dialogs.dialog_button("Закрыть доступ", dialog, kind="quiet", icon="lock"),
                dialogs.confirm_dialog(
                    dialog,
                    "Закрыть доступ работодателю?",
                    rx.el.p(
                        rx.el.b(row.organisation),
                        " сразу перестанет видеть вашу книжку. Вернуть доступ сможете только вы: "
                        "новой ссылкой или ответом на запрос.",
                    ),
                    confirm="Закрыть доступ",
                    on_confirm=EmployersState.end(row.id),
                ),
            ),
        ),
    ]


PAGES = (
    Page(
        EMPLOYER,
        TITLE,
        employer,
        (PersonState.load, OccupationsState.load, OffersState.load, EmployerState.follow),
    ),
)
