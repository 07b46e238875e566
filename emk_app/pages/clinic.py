"""The clinic's desk: the day's list, and the page on which an examination is made."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, forms
from emk_app.components.badges import badge
from emk_app.components.dialogs import confirm_dialog
from emk_app.components.forms import Choice
from emk_app.components.icons import icon
from emk_app.components.links import link, plain_link
from emk_app.components.markup import fixed_id
from emk_app.components.tables import Column, data_table
from emk_app.domain.clearance import Fitness
from emk_app.domain.examinations import ItemKind
from emk_app.pages import frames
from emk_app.pages.menus import CLINIC_MENU
from emk_app.pages.table import Page
from emk_app.presenting.examinations import FITNESS, FITNESS_TEXTS, GROUPS
from emk_app.states.clinic import DayState, ExaminationState
from emk_app.states.session import PersonState

OPEN_CASE: Final = "open-case"
CONFIRM_IDENTITY: Final = "confirm-identity"
REOPEN: Final = "reopen"
DEFAULT_DATE: Final = "default-date"


def day() -> rx.Component:
    """Return the clinic's day."""
    return frames.signed_in(
        forms.search_box(
            "Найти по номеру заявки",
            "number",
            on_submit=DayState.find,
            placeholder="ЭМК-2026-000123-8",
        ),
        rx.cond(
            DayState.problem != "",
            cards.notice(rx.el.p(DayState.problem), tone="danger", live=True),
        ),
        rx.cond(
            DayState.found_number != "",
            cards.notice(
                rx.el.p(DayState.found_text),
                rx.cond(
                    DayState.may_open,
                    buttons.actions(_open_button(DayState.found_slug, "Открыть осмотр")),
                ),
                title=DayState.found_number,
            ),
        ),
        rx.cond(
            DayState.is_loaded,
            rx.fragment(
                data_table(
                    [
                        "Пациент",
                        "Номер",
                        "Профессия",
                        "Подана",
                        "Осмотр",
                        Column("Действие", hidden=True),
                    ],
                    DayState.rows,
                    _day_cells,
                    caption="Заявки, владельцы которых выбрали вашу организацию",
                    key=lambda row: row.slug,
                    empty=cards.empty_state(
                        "Пока никто не записан",
                        "Заявки тех, кто выберет вашу организацию, появятся здесь сами.",
                        icon_name="calendar",
                    ),
                ),
                rx.cond(DayState.rest != "", rx.el.p(DayState.rest, class_name="e-hint")),
            ),
            cards.loading("Загружаем список…", lines=6),
        ),
        confirm_dialog(
            OPEN_CASE,
            "Открыть осмотр?",
            rx.el.div(
                rx.el.p(rx.el.b(DayState.chosen_name), " ", DayState.chosen),
                rx.el.p(
                    "Открывайте, когда пациент пришёл. После этого владелец не сможет отозвать "
                    "заявку и сменить медорганизацию.",
                    class_name="mt-2",
                ),
            ),
            confirm="Открыть осмотр",
            on_confirm=DayState.open_case,
            danger=False,
        ),
        title="Осмотры",
        lead="Сначала те, кто подал заявку раньше. Список обновляется сам.",
        menu=CLINIC_MENU,
        current="/clinic",
        wide=True,
    )


def examination() -> rx.Component:
    """Return the page of one examination."""
    head = ExaminationState.head
    return frames.signed_in(
        rx.cond(
            ExaminationState.is_missing,
            cards.empty_state(
                "Такого осмотра нет",
                "Проверьте номер или откройте осмотр из списка.",
                buttons.button_link("К списку", "/clinic", kind="secondary"),
                icon_name="search",
            ),
            rx.cond(head.number != "", _examination(), cards.loading("Открываем осмотр…", lines=8)),
        ),
        title=rx.cond(head.name != "", head.name, "Осмотр"),
        menu=CLINIC_MENU,
        current="/clinic",
        back=("К списку", "/clinic"),
        wide=True,
    )


def _day_cells(row: Any) -> list[Any]:
    return [
        rx.el.span(
            rx.el.b(row.name, class_name="block"), rx.el.span(row.born, class_name="e-muted")
        ),
        rx.el.span(row.number, class_name="e-number whitespace-nowrap"),
        row.occupation,
        row.submitted,
        rx.el.span(badge(row.stage, row.stage_tone), class_name="lg:whitespace-nowrap"),
        rx.cond(
            row.href != "",
            link(
                rx.fragment(row.action, rx.el.span(f": {row.name}", class_name="e-hidden")),
                row.href,
                "btn btn-outline",
            ),
            rx.cond(row.may_open, _open_button(row.slug, row.action, row.name)),
        ),
    ]


def _open_button(slug: Any, text: Any, whose: Any = "") -> rx.Component:
    return rx.el.button(
        rx.el.span(text),
        rx.el.span(f" {whose}", class_name="e-hidden"),
        type="button",
        on_click=DayState.choose(slug),
        class_name="btn btn-outline",
        custom_attrs={"data-dialog-open": OPEN_CASE, "aria-haspopup": "dialog"},
    )


def _examination() -> rx.Component:
    head = ExaminationState.head
    return rx.fragment(
        rx.cond(head.notice != "", cards.notice(rx.el.p(head.notice), tone=head.notice_tone)),
        rx.cond(head.may_confirm, _identity_check()),
        rx.cond(head.is_signed, _signed()),
        _person(),
        rx.cond(ExaminationState.progress.text != "", _progress()),
        rx.cond(head.shows_results, _results()),
        rx.cond(head.may_sign, _conclusion()),
    )


def _person() -> rx.Component:
    head = ExaminationState.head
    facts = (
        cards.summary_list(
            cards.summary_row("Дата рождения", head.born),
            cards.summary_row("Пол", head.sex),
            cards.summary_row("СНИЛС", head.snils),
            cards.summary_row("Профессия", head.occupation),
            cards.summary_row("Работы по приказу 29н", head.work),
        ),
        cards.summary_list(
            cards.summary_row("Вид осмотра", head.kind),
            cards.summary_row("Заявка", head.number),
            cards.summary_row("Осмотр открыт", head.opened),
            rx.cond(head.identity != "", cards.summary_row("Личность сверена", head.identity)),
        ),
    )
    return cards.section(
        "Пациент",
        rx.el.div(*facts, class_name="grid gap-x-12 lg:grid-cols-2"),
        actions=badge(head.stage, head.stage_tone),
    )


def _identity_check() -> rx.Component:
    head = ExaminationState.head
    return cards.card(
        rx.el.p(
            "Сверьте лицо, имя и дату рождения с паспортом, который показал пациент. До этого "
            "результаты внести нельзя.",
            class_name="mb-4",
        ),
        rx.el.p(rx.el.b(head.name), ", ", head.born, class_name="mb-4 text-xl"),
        buttons.primary_button(
            "Паспорт показан, личность совпадает", ExaminationState.confirm_identity, icon="check"
        ),
        title="Сначала сверьте личность",
        tone="waiting",
    )


def _progress() -> rx.Component:
    shown = ExaminationState.progress
    return rx.el.div(
        rx.el.p(rx.el.b(shown.text), role="status"),
        rx.el.progress(
            value=shown.done,
            max=shown.required,
            class_name="e-progress mt-2",
            custom_attrs={"aria-label": "Сколько результатов внесено"},
        ),
    )


_LISTS: Final = (
    (ItemKind.MEASUREMENT, ExaminationState.measurements),
    (ItemKind.PHYSICIAN, ExaminationState.physicians),
    (ItemKind.LAB, ExaminationState.labs),
    (ItemKind.INSTRUMENTAL, ExaminationState.instrumental),
    (ItemKind.ATTESTATION, ExaminationState.attestation),
)


def _results() -> rx.Component:
    return rx.el.div(
        rx.cond(
            ExaminationState.head.may_enter,
            rx.el.div(
                forms.date_field(
                    "Дата исследований",
                    DEFAULT_DATE,
                    default_value=ExaminationState.default_date,
                    error=ExaminationState.default_date_error,
                    hint="Подставляется в новые результаты. У каждого её можно поправить.",
                    on_blur=ExaminationState.set_default_date,
                ),
                rx.el.p(
                    _key("Enter"),
                    " ведёт к следующему результату, ",
                    _key("Tab"),
                    " — ещё и к его дате. Каждый результат сохраняется сам, как только вы "
                    "уходите из поля.",
                    class_name="e-hint mt-3",
                ),
                class_name="mb-6",
            ),
        ),
        *(
            rx.cond(
                lines.length() > 0,
                cards.section(
                    GROUPS[kind],
                    rx.el.div(rx.foreach(lines, _line)),
                    id=f"group-{kind}",
                ),
            )
            for kind, lines in _LISTS
        ),
        class_name="grid gap-8",
        custom_attrs={"data-enter-next": ""},
    )


def _key(name: str) -> rx.Component:
    """Return the name of a key as it stands on the keyboard."""
    return rx.el.kbd(name, custom_attrs={"translate": "no"}, class_name="font-semibold")


def _line(row: Any) -> rx.Component:
    """Return one study: what it is, its control, its day, and how it stands."""
    return rx.el.div(
        rx.el.div(
            rx.cond(
                row.may_edit & (row.form != "radios"),
                rx.el.label(row.name, html_for=f"field-{row.code}", class_name="font-semibold"),
                rx.el.span(row.name, id=fixed_id(f"name-{row.code}"), class_name="font-semibold"),
            ),
            rx.cond(~row.is_required, rx.el.small(" (необязательно)", class_name="e-muted")),
            rx.el.p(
                row.hint,
                rx.cond((row.hint != "") & (row.norm != ""), ". ", ""),
                row.norm,
                id=fixed_id(f"hint-{row.code}"),
                class_name="e-hint",
            ),
        ),
        rx.cond(row.may_edit, _control(row), rx.el.p(rx.cond(row.words, row.words, "нет"))),
        rx.cond(
            row.form == "date",
            rx.el.span(class_name="max-lg:hidden"),
            rx.cond(row.may_edit, _made_on(row), rx.el.p(rx.cond(row.entry_id, row.made_on, ""))),
        ),
        rx.el.div(
            rx.cond(row.mark != "", badge(row.mark, row.mark_tone)),
            rx.cond(row.by != "", rx.el.p(row.by, class_name="e-hint")),
            rx.cond(row.until != "", rx.el.p(row.until, class_name="e-hint")),
            rx.cond(
                ExaminationState.held == row.code,
                rx.el.p("Сохранится, когда вы перейдёте дальше.", class_name="e-hint"),
            ),
            custom_attrs={"aria-live": "polite"},
        ),
        key=row.code,
        class_name=(
            "grid grid-cols-1 gap-x-6 gap-y-2 border-b border-[var(--line)] py-4 last:border-0 "
            "lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)_9rem_minmax(0,3fr)]"
        ),
    )


def _control(row: Any) -> rx.Component:
    return rx.el.div(
        rx.match(
            row.form,
            ("numbers", _numbers(row)),
            ("date", _date(row)),
            ("select", _select(row)),
            _radios(row),
        ),
        rx.cond(
            row.error != "",
            rx.el.p(
                icon("alert"),
                rx.el.span(rx.el.span("Ошибка: ", class_name="e-hidden"), row.error),
                id=fixed_id(f"error-{row.code}"),
                role="alert",
                class_name="e-error mt-1",
            ),
        ),
        class_name="min-w-0",
    )


def _numbers(row: Any) -> rx.Component:
    # A new entry gives the control a new key: it then shows what was saved, in its usual form.
    return rx.el.div(
        rx.el.input(
            default_value=row.value,
            on_blur=lambda text: ExaminationState.enter(row.code, text),
            id=fixed_id(f"field-{row.code}"),
            key=f"{row.code}-{row.entry_id}",
            name=row.code,
            auto_complete="off",
            input_mode="text",
            custom_attrs=_described(row),
        ),
        rx.cond(row.unit != "", rx.el.span(row.unit, class_name="e-affix")),
        class_name="input e-width-medium",
    )


def _date(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.input(
            default_value=row.value,
            on_blur=lambda text: ExaminationState.enter(row.code, text),
            id=fixed_id(f"field-{row.code}"),
            key=f"{row.code}-{row.entry_id}",
            name=row.code,
            auto_complete="off",
            input_mode="numeric",
            max_length=10,
            custom_attrs=_described(row) | {"data-mask": "00.00.0000"},
            class_name="input",
        ),
        class_name="e-width-short",
    )


def _select(row: Any) -> rx.Component:
    return rx.el.select(
        rx.el.option("Выберите", value=""),
        rx.foreach(row.options, lambda option: rx.el.option(option[1], value=option[0])),
        default_value=row.value,
        on_change=lambda option: ExaminationState.hold(row.code, option),
        on_blur=ExaminationState.settle(row.code),
        id=fixed_id(f"field-{row.code}"),
        key=f"{row.code}-{row.entry_id}",
        name=row.code,
        custom_attrs=_described(row),
        class_name="input e-select e-width-medium",
    )


def _radios(row: Any) -> rx.Component:
    return rx.el.div(
        rx.foreach(
            row.options,
            lambda option: rx.el.label(
                rx.el.input(
                    type="radio",
                    name=row.code,
                    value=option[0],
                    checked=row.value == option[0],
                    on_change=ExaminationState.enter(row.code, option[0]),
                    class_name="radio mt-0.5",
                ),
                rx.el.span(option[1]),
                class_name="flex min-h-11 cursor-pointer items-center gap-3",
                key=option[0],
            ),
        ),
        id=fixed_id(f"field-{row.code}"),
        role="radiogroup",
        tab_index=-1,
        custom_attrs=_described(row) | {"aria-labelledby": f"name-{row.code}"},
        class_name="flex flex-wrap gap-x-6 gap-y-1",
    )


def _made_on(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.input(
            default_value=row.made_on,
            on_blur=lambda text: ExaminationState.enter_date(row.code, text),
            id=fixed_id(f"date-{row.code}"),
            name=f"date-{row.code}",
            auto_complete="off",
            input_mode="numeric",
            max_length=10,
            custom_attrs={
                "data-mask": "00.00.0000",
                "data-enter-skip": "",
                "aria-label": f"Дата: {row.name}",
                "aria-invalid": rx.cond(row.date_error != "", "true", "false"),
                "aria-describedby": f"date-error-{row.code}",
            },
            class_name="input",
        ),
        rx.el.p(row.date_error, id=fixed_id(f"date-error-{row.code}"), class_name="e-error mt-1"),
        class_name="e-width-short",
    )


def _described(row: Any) -> dict[str, Any]:
    return {
        "aria-invalid": rx.cond(row.error != "", "true", "false"),
        "aria-describedby": f"error-{row.code} hint-{row.code}",
    }


def _missing_link(row: Any) -> rx.Component:
    return rx.cond(
        row.is_missing,
        rx.el.li(plain_link(row.name, f"#field-{row.code}"), key=row.code),
    )


def _conclusion() -> rx.Component:
    return cards.section(
        "Заключение",
        rx.cond(
            ExaminationState.progress.is_complete,
            _conclusion_form(),
            cards.notice(
                rx.el.p("Осталось внести:"),
                rx.el.ul(
                    *(rx.foreach(lines, _missing_link) for _, lines in _LISTS),
                    class_name="mt-2 list-disc gap-x-10 pl-6 md:columns-2 lg:columns-3",
                ),
                title="Заключение можно подписать, когда внесены все обязательные результаты",
                tone="waiting",
            ),
        ),
    )


def _conclusion_form() -> rx.Component:
    errors = ExaminationState.errors
    fitness = ExaminationState.fitness
    return forms.form(
        rx.el.div(
            forms.error_summary(ExaminationState.summary),
            forms.radio_cards(
                "Вывод комиссии",
                "fitness",
                [Choice(each.value, FITNESS[each].text, FITNESS_TEXTS[each]) for each in Fitness],
                value=fitness,
                on_change=ExaminationState.choose_fitness,
                error=errors["fitness"],
                columns=2,
            ),
            rx.cond(
                fitness == Fitness.FIT_WITH_RESTRICTIONS.value,
                forms.textarea_field(
                    "Ограничения",
                    "restrictions",
                    hint="Условия, на которых пациенту можно работать.",
                    error=errors["restrictions"],
                    rows=2,
                ),
            ),
            rx.cond(
                fitness == Fitness.TEMPORARILY_UNFIT.value,
                forms.date_field(
                    "Противопоказания действуют до",
                    "until",
                    hint="Последний день, включительно. Например, 15.02.2027",
                    error=errors["until"],
                ),
            ),
            forms.textarea_field(
                "Примечание",
                "note",
                required=False,
                hint="Например, номер протокола комиссии.",
                error=errors["note"],
                rows=2,
            ),
            class_name=rx.cond(ExaminationState.is_confirming, "hidden", "e-form"),
        ),
        rx.cond(
            ExaminationState.is_confirming,
            _confirmation(),
            buttons.actions(
                buttons.primary_button(
                    "Проверить и подписать", type="submit", busy=ExaminationState.busy
                )
            ),
        ),
        on_submit=ExaminationState.conclude,
    )


def _confirmation() -> rx.Component:
    draft = ExaminationState.draft
    return cards.card(
        cards.summary_list(
            cards.summary_row("Пациент", ExaminationState.head.name),
            *_conclusion_rows(draft),
        ),
        rx.el.p(
            "Подписанное заключение изменить нельзя. Под ним будет стоять ваше имя.",
            class_name="my-4",
        ),
        rx.cond(
            ExaminationState.needs_code,
            rx.el.div(
                forms.code_field(
                    "Код из приложения",
                    "code",
                    hint="Шесть цифр. Подпись подтверждается свежим кодом.",
                    error=ExaminationState.errors["code"],
                    auto_focus=True,
                ),
                class_name="mb-4",
            ),
        ),
        buttons.actions(
            buttons.primary_button(
                "Подписать заключение",
                type="submit",
                busy=ExaminationState.busy,
                busy_text="Подписываем…",
                icon="shield",
            ),
            buttons.secondary_button("Вернуться и поправить", ExaminationState.change_mind),
        ),
        title="Проверьте и подпишите",
        tone="waiting",
    )


def _conclusion_rows(shown: Any) -> list[rx.Component]:
    return [
        cards.summary_row(
            "Вывод комиссии",
            rx.el.div(badge(shown.fitness, shown.tone), rx.el.p(shown.text, class_name="mt-1")),
        ),
        rx.cond(shown.restrictions != "", cards.summary_row("Ограничения", shown.restrictions)),
        rx.cond(shown.until != "", cards.summary_row("Противопоказания действуют", shown.until)),
        rx.cond(shown.note != "", cards.summary_row("Примечание", shown.note)),
    ]


def _signed() -> rx.Component:
    shown = ExaminationState.signature
    return rx.cond(
        shown.fitness != "",
        cards.section(
            "Заключение",
            cards.summary_list(
                *_conclusion_rows(shown),
                cards.summary_row("Подписал председатель комиссии", shown.person),
                cards.summary_row("Подписано", shown.at),
            ),
            rx.cond(ExaminationState.head.may_reopen, _reopening()),
        ),
        cards.notice(
            rx.el.p("Заключение подписано. Его видят врачи и председатель комиссии."),
            rx.cond(ExaminationState.head.may_reopen, _reopening()),
            tone="success",
        ),
    )


def _reopening() -> rx.Component:
    return rx.el.div(
        rx.el.button(
            rx.el.span("Продолжить осмотр"),
            type="button",
            class_name="btn btn-outline",
            custom_attrs={"data-dialog-open": REOPEN, "aria-haspopup": "dialog"},
        ),
        confirm_dialog(
            REOPEN,
            "Продолжить осмотр?",
            "Пациент пришёл снова. Подписанное заключение сохранится, результаты можно будет "
            "обновить, а комиссия даст новое заключение.",
            confirm="Продолжить осмотр",
            on_confirm=ExaminationState.reopen,
            danger=False,
        ),
        class_name="mt-4",
    )


PAGES: Final = (
    Page("/clinic", "Осмотры", day, (PersonState.load, DayState.open, DayState.follow)),
    Page(
        "/clinic/exams/[examination_arg]",
        "Осмотр",
        examination,
        (PersonState.load, ExaminationState.open, ExaminationState.follow),
    ),
)
