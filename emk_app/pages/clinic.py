"""The clinic's desk: the day's list, and the page on which an examination is made."""

from __future__ import annotations

from collections.abc import Mapping
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
from emk_app.domain.attachments import SIZE_LIMIT
from emk_app.domain.clearance import CONTRAINDICATION_GROUPS, RESTRICTIONS, Fitness
from emk_app.domain.examinations import ItemKind
from emk_app.domain.vaccinations import RecordKind
from emk_app.pages import frames
from emk_app.pages.attachments import paper
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import CLINIC_MENU
from emk_app.pages.reception import day_visits
from emk_app.pages.table import Page
from emk_app.presenting.attachments import KINDS as PAPER_KINDS
from emk_app.presenting.attachments import LIMIT_TEXT
from emk_app.presenting.examinations import FITNESS, FITNESS_TEXTS, GROUPS, REASONS
from emk_app.presenting.vaccinations import DOSES, infections
from emk_app.presenting.vaccinations import KINDS as VACCINE_KINDS
from emk_app.states.clinic import DayState, ExaminationState, StaffState
from emk_app.states.reception import ReceptionState
from emk_app.states.session import PersonState

OPEN_CASE: Final = "open-case"
CONFIRM_IDENTITY: Final = "confirm-identity"
REOPEN: Final = "reopen"
REMOVE_PAPER: Final = "remove-paper"
WITHDRAW: Final = "withdraw-conclusion"
DEFAULT_DATE: Final = "default-date"


def day() -> rx.Component:
    """Return the clinic's day."""
    return frames.signed_in(
        day_visits(),
        cards.section(
            "Все заявки",
            rx.el.p("Сначала те, кто подал раньше.", class_name="e-hint mb-4"),
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
            rx.cond(DayState.appeals.length() > 0, _appeals()),
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
        lead="Списки обновляются сами.",
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


def staff() -> rx.Component:
    """Return the clinic's staff."""
    return frames.signed_in(
        rx.cond(
            StaffState.is_loaded,
            rx.cond(
                StaffState.is_closed,
                cards.empty_state(
                    "Страница для председателя комиссии",
                    "Специальности врачам назначает председатель.",
                    buttons.button_link("К осмотрам", "/clinic", kind="secondary"),
                ),
                rx.el.div(
                    rx.foreach(StaffState.rows, lambda row: rx.el.div(_member(row), key=row.id)),
                    class_name="e-body",
                ),
            ),
            cards.loading("Загружаем список…", lines=4),
        ),
        title="Сотрудники",
        lead="Врач вносит результаты только по своим специальностям, председатель — любые.",
        menu=CLINIC_MENU,
        current="/clinic/staff",
    )


def _member(row: Any) -> rx.Component:
    return cards.card(
        rx.cond(
            row.is_physician,
            rx.el.fieldset(
                rx.el.legend(f"Специальности: {row.name}", class_name="e-hidden"),
                rx.cond(
                    row.codes.length() == 0,
                    cards.notice(
                        rx.el.p("Без специальности врач не может вносить результаты."),
                        tone="waiting",
                    ),
                ),
                rx.el.div(
                    rx.foreach(
                        row.specialties,
                        lambda pair: rx.el.label(
                            rx.el.input(
                                type="checkbox",
                                checked=pair[2],
                                on_change=lambda given: StaffState.set_specialty(
                                    row.id, pair[0], given
                                ),
                                class_name="checkbox",
                            ),
                            rx.el.span(pair[1]),
                            class_name="e-check",
                            key=pair[0],
                        ),
                    ),
                    class_name="grid gap-x-8 sm:grid-cols-2",
                ),
            ),
        ),
        title=row.name,
        actions=badge(row.position, "neutral"),
    )


def _appeals() -> rx.Component:
    return cards.section(
        "Возражения",
        rx.el.div(
            rx.foreach(
                DayState.appeals,
                lambda row: cards.card(
                    rx.el.p(row.reason),
                    rx.el.p(
                        row.number,
                        ", подано ",
                        row.filed,
                        ". Заключение: ",
                        row.fitness,
                        class_name="e-muted",
                    ),
                    rx.cond(
                        row.may_take,
                        buttons.actions(
                            buttons.secondary_button("Рассмотреть", DayState.take_appeal(row.slug))
                        ),
                        rx.el.p(
                            "Вы подписали это заключение. Рассмотрит другой председатель.",
                            class_name="e-hint",
                        ),
                    ),
                    title=row.name,
                    tone="waiting",
                    level=3,
                ),
            ),
            class_name="e-body",
        ),
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
        rx.cond(head.contest != "", _contest()),
        rx.cond(head.is_signed, _signed()),
        _person(),
        rx.cond(ExaminationState.progress.text != "", _progress()),
        rx.cond(head.shows_results, _results()),
        rx.cond(head.shows_results, _vaccinations()),
        rx.cond(
            ExaminationState.may_attach | (ExaminationState.papers.length() > 0), _attachments()
        ),
        rx.cond(head.may_order, _further()),
        rx.cond(head.may_sign, _conclusion()),
        rx.cond(ExaminationState.earlier.length() > 0, _earlier()),
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
    (ItemKind.FURTHER, ExaminationState.further),
)


def _results() -> rx.Component:
    return rx.el.div(
        rx.cond(
            ExaminationState.head.may_enter,
            rx.el.div(
                rx.cond(
                    ExaminationState.head.is_physician,
                    forms.checkbox_field(
                        "Показывать только исследования моей специальности",
                        "only-own",
                        checked=ExaminationState.only_own,
                        on_change=ExaminationState.show_own,
                    ),
                ),
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
                    *([_laboratory()] if kind is ItemKind.LAB else []),
                    rx.el.div(rx.foreach(lines, _line)),
                    id=f"group-{kind}",
                ),
            )
            for kind, lines in _LISTS
        ),
        class_name="grid gap-8",
        custom_attrs={"data-enter-next": ""},
    )


def _laboratory() -> rx.Component:
    """Ask once for what all the analyses of a batch share."""
    return rx.cond(
        ExaminationState.head.may_enter,
        forms.field_row(
            forms.text_field(
                "Лаборатория",
                "performer",
                default_value=ExaminationState.performer,
                on_blur=ExaminationState.set_performer,
                required=False,
                hint="Подставляется в новые анализы.",
                custom_attrs={"data-enter-skip": ""},
            ),
            forms.text_field(
                "Прибор",
                "device",
                default_value=ExaminationState.device,
                on_blur=ExaminationState.set_device,
                required=False,
                hint="Подставляется в новые анализы.",
                custom_attrs={"data-enter-skip": ""},
            ),
        ),
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
            rx.cond(
                ~row.is_own & (row.specialty != ""),
                rx.el.p("Вносит: ", row.specialty, class_name="e-hint"),
            ),
            rx.el.p(
                row.programme,
                rx.cond((row.programme != "") & (row.hint != ""), " ", ""),
                row.hint,
                rx.cond((row.hint != "") & (row.norm != ""), ". ", ""),
                row.norm,
                id=fixed_id(f"hint-{row.code}"),
                class_name="e-hint",
            ),
        ),
        rx.cond(row.may_edit, _control(row), rx.el.p(rx.cond(row.words, row.words, "—"))),
        rx.cond(
            row.form == "date",
            rx.el.span(class_name="max-lg:hidden"),
            rx.cond(row.may_edit, _made_on(row), rx.el.p(rx.cond(row.entry_id, row.made_on, ""))),
        ),
        rx.el.div(
            rx.cond(row.mark != "", badge(row.mark, row.mark_tone)),
            rx.cond(row.source != "", rx.el.p(row.source, class_name="e-hint")),
            rx.cond(row.by != "", rx.el.p(row.by, class_name="e-hint")),
            rx.cond(row.details != "", rx.el.p(row.details, class_name="e-hint")),
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
        rx.cond(row.offer != "", _offer(row)),
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
        rx.cond(
            row.is_doubted,
            buttons.secondary_button(
                "Всё верно, сохранить",
                ExaminationState.confirm_rare(row.code),
                class_name="mt-2",
            ),
        ),
        rx.cond(row.is_pending, _reason(row)),
        rx.cond(row.has_details, _details(row)),
        rx.cond(
            row.further_id != 0,
            buttons.quiet_button("Отменить назначение", ExaminationState.cancel_further(row.code)),
        ),
        class_name="min-w-0",
    )


def _offer(row: Any) -> rx.Component:
    """Offer what the holder's book says, in the place of a study made anew."""
    return rx.el.div(
        rx.el.p(row.offer, class_name="e-hint"),
        rx.el.button(
            rx.el.span("Принять"),
            rx.el.span(f": {row.name}", class_name="e-hidden"),
            type="button",
            on_click=ExaminationState.take_over(row.code),
            class_name="btn btn-outline mt-1",
        ),
        rx.el.span(" или проведите заново", class_name="e-hint ml-2"),
        class_name="mt-2",
    )


def _reason(row: Any) -> rx.Component:
    """Ask why a result that others may have read is to be put right."""
    return rx.el.div(
        rx.el.label(
            "Почему исправляете?", html_for=f"reason-{row.code}", class_name="font-semibold"
        ),
        rx.el.select(
            rx.el.option("Выберите причину", value=""),
            *[rx.el.option(text, value=reason.value) for reason, text in REASONS.items()],
            rx.el.option("оставить прежний результат", value="keep"),
            on_change=lambda reason: ExaminationState.explain(row.code, reason),
            id=fixed_id(f"reason-{row.code}"),
            custom_attrs={"data-enter-skip": ""},
            class_name="input e-select e-width-medium",
        ),
        class_name="mt-2",
    )


def _details(row: Any) -> rx.Component:
    """Ask, folded away, who made an analysis, on what device, under which number."""
    return rx.el.details(
        rx.el.summary(
            rx.cond(row.is_attestation, "Кем аттестован", "Кем и на чём выполнено"),
            class_name="e-hint cursor-pointer py-2",
        ),
        rx.cond(
            row.is_attestation,
            rx.el.div(
                _detail(row, "performer", "Центр гигиены и эпидемиологии", row.performer),
                _detail(row, "number", "Номер записи", row.number),
                class_name="grid gap-3 sm:grid-cols-2",
            ),
            rx.el.div(
                _detail(row, "performer", "Лаборатория", row.performer),
                _detail(row, "device", "Прибор", row.device),
                _detail(row, "number", "Номер", row.number),
                class_name="grid gap-3 sm:grid-cols-3",
            ),
        ),
        rx.cond(
            ExaminationState.head.has_certificate & ~row.is_attestation,
            rx.el.label(
                rx.el.input(
                    type="checkbox",
                    checked=row.is_certificate,
                    on_change=lambda given: ExaminationState.certify(row.code, given),
                    class_name="checkbox",
                    custom_attrs={"data-enter-skip": ""},
                ),
                rx.el.span("Результат из справки, которую принёс владелец"),
                class_name="e-check mt-2",
            ),
        ),
        rx.el.p(row.details_error, role="status", class_name="e-error mt-1"),
        open=row.is_attestation & (row.performer == ""),
        class_name="mt-1",
    )


def _detail(row: Any, name: str, label: str, value: Any) -> rx.Component:
    return rx.el.label(
        rx.el.span(label, class_name="e-hint"),
        rx.el.input(
            default_value=value,
            on_blur=lambda text: ExaminationState.detail(row.code, name, text),
            key=f"{name}-{row.entry_id}",
            name=f"{name}-{row.code}",
            auto_complete="off",
            max_length=120,
            custom_attrs={"data-enter-skip": ""},
            class_name="input",
        ),
        class_name="block min-w-0",
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
                _boxes("Ограничения", "restriction", RESTRICTIONS),
            ),
            rx.cond(
                fitness == Fitness.FIT_WITH_RESTRICTIONS.value,
                forms.textarea_field(
                    "Другие ограничения",
                    "restrictions",
                    hint="Если в списке нужного нет.",
                    error=errors["restrictions"],
                    required=False,
                    rows=2,
                ),
            ),
            rx.cond(
                (fitness == Fitness.TEMPORARILY_UNFIT.value) | (fitness == Fitness.UNFIT.value),
                rx.fragment(
                    _boxes("Противопоказания", "contraindication", CONTRAINDICATION_GROUPS),
                    forms.textarea_field(
                        "Подробнее",
                        "contraindications",
                        hint="Это прочтёт владелец в личном кабинете, и никто больше.",
                        error=errors["contraindications"],
                        required=False,
                        rows=2,
                    ),
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


def _boxes(legend: str, name: str, catalogue: Mapping[str, str]) -> rx.Component:
    """Offer the words of a catalogue, several at once."""
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="e-legend"),
        rx.el.div(
            *(
                rx.el.label(
                    rx.el.input(type="checkbox", name=f"{name}-{code}", class_name="checkbox"),
                    rx.el.span(text),
                    class_name="e-check",
                )
                for code, text in catalogue.items()
            ),
            class_name="grid gap-x-8 md:grid-cols-2",
        ),
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
                fresh_factor(
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
        rx.cond(
            shown.contraindications != "",
            cards.summary_row("Противопоказания", shown.contraindications),
        ),
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
                rx.cond(
                    ExaminationState.exchange != "",
                    cards.summary_row(
                        "Обмен", rx.el.span(ExaminationState.exchange, role="status")
                    ),
                ),
            ),
            rx.cond(ExaminationState.head.may_reopen, _reopening()),
            rx.cond(ExaminationState.head.may_withdraw, _withdrawal()),
        ),
        cards.notice(
            rx.el.p("Заключение подписано. Его видят врачи и председатель комиссии."),
            rx.cond(ExaminationState.head.may_reopen, _reopening()),
            tone="success",
        ),
    )


def _withdrawal() -> rx.Component:
    return rx.el.details(
        rx.el.summary("Нашли ошибку в результатах?", class_name="cursor-pointer py-3"),
        forms.form(
            rx.el.p(
                "Осмотр откроется для исправления. Подписанное заключение сохранится, книжка "
                "действует, пока комиссия не подпишет новое: оно заменит прежнее."
            ),
            fresh_factor(
                "code",
                hint="Шесть цифр. Если вы вводили код меньше пяти минут назад, оставьте пустым.",
                error=ExaminationState.errors["code"],
            ),
            buttons.actions(buttons.button("Исправить заключение", type="submit", kind="danger")),
            on_submit=ExaminationState.withdraw_conclusion,
        ),
        id=WITHDRAW,
        class_name="mt-4",
    )


def _earlier() -> rx.Component:
    """Show the conclusions that were signed before."""
    return cards.section(
        "Прежние заключения",
        rx.foreach(
            ExaminationState.earlier,
            lambda shown: rx.el.div(
                cards.summary_list(
                    *_conclusion_rows(shown),
                    cards.summary_row("Подписал председатель комиссии", shown.person),
                    cards.summary_row("Подписано", shown.at),
                ),
                key=shown.at,
            ),
        ),
    )


def _contest() -> rx.Component:
    head = ExaminationState.head
    return cards.notice(
        rx.el.p(head.contest),
        title=f"Владелец не согласен с прежним заключением, {head.contested}",
        tone="waiting",
    )


def _further() -> rx.Component:
    return cards.section(
        "Назначить дополнительное исследование",
        forms.form(
            forms.text_field(
                "Что исследовать",
                "further",
                hint="Заключение подождёт его результата, срок заявки остановится, владелец "
                "получит сообщение.",
                error=ExaminationState.further_error,
                key=f"further-{ExaminationState.further_serial}",
            ),
            buttons.actions(
                buttons.button("Назначить", type="submit", kind="secondary", icon="plus")
            ),
            on_submit=ExaminationState.order_further,
        ),
    )


def _vaccinations() -> rx.Component:
    state = ExaminationState
    return cards.section(
        "Прививки",
        rx.el.p(
            "По национальному календарю. Прививки не мешают заключению, но владелец увидит, "
            "чего не хватает.",
            class_name="e-hint mb-2",
        ),
        rx.el.div(rx.foreach(state.standings, _standing)),
        rx.cond(
            state.records.length() > 0,
            rx.el.ul(rx.foreach(state.records, _record), class_name="mt-4 grid gap-2"),
        ),
        rx.cond(state.may_vaccinate, _vaccine_form()),
    )


def _standing(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.b(row.name),
            rx.cond(row.next != "", rx.el.p(row.next, class_name="e-hint")),
        ),
        badge(row.text, row.tone),
        class_name="e-track",
        key=row.code,
    )


def _record(row: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(rx.el.b(row.name), ": ", row.text, " "),
        rx.el.span(row.by, class_name="e-hint"),
        rx.cond(
            row.may_withdraw,
            rx.el.button(
                rx.el.span("Убрать"),
                rx.el.span(f" запись: {row.name}, {row.text}", class_name="e-hidden"),
                type="button",
                on_click=ExaminationState.withdraw_record(row.id),
                class_name="btn btn-ghost",
            ),
        ),
        key=row.id,
        class_name="flex flex-wrap items-center gap-x-3",
    )


def _vaccine_form() -> rx.Component:
    errors, kind = ExaminationState.vaccine_errors, ExaminationState.vaccine_kind
    return rx.el.details(
        rx.el.summary("Добавить запись о прививке", class_name="cursor-pointer py-3"),
        forms.form(
            forms.field_row(
                forms.select_field("Инфекция", "vaccine_code", infections(), error=errors["code"]),
                forms.select_field(
                    "Что записать",
                    "vaccine_kind",
                    [(each.value, text) for each, text in VACCINE_KINDS.items()],
                    value=kind,
                    on_change=ExaminationState.choose_vaccine_kind,
                    placeholder="",
                    error=errors["kind"],
                ),
                forms.date_field("Дата", "vaccine_on", error=errors["on"]),
                columns=3,
            ),
            rx.cond(
                kind == RecordKind.DONE.value,
                forms.field_row(
                    forms.select_field(
                        "Доза",
                        "vaccine_dose",
                        [(each.value, text) for each, text in DOSES.items()],
                        error=errors["dose"],
                    ),
                    forms.text_field("Вакцина", "vaccine_vaccine", error=errors["vaccine"]),
                    forms.text_field("Серия", "vaccine_series", error=errors["series"]),
                    columns=3,
                ),
            ),
            rx.cond(
                kind == RecordKind.EXEMPTION.value,
                forms.date_field(
                    "Медотвод действует до",
                    "vaccine_until",
                    hint="Последний день, включительно.",
                    error=errors["until"],
                ),
            ),
            buttons.actions(
                buttons.button("Записать прививку", type="submit", kind="secondary", icon="plus")
            ),
            on_submit=ExaminationState.vaccinate,
            key=f"vaccine-{ExaminationState.vaccine_serial}",
        ),
    )


def _attachments() -> rx.Component:
    state = ExaminationState
    return cards.section(
        "Документы осмотра",
        rx.el.p(
            "Их видят ваша комиссия и владелец книжки, и никто больше.", class_name="e-hint mb-2"
        ),
        rx.el.ul(
            rx.foreach(
                state.papers, lambda row: paper(row, remove=rx.cond(row.may_remove, _bin(row)))
            ),
            class_name="grid gap-4",
        ),
        rx.cond(
            state.may_attach,
            rx.el.div(
                forms.select_field(
                    "Что приложить",
                    "attachment_kind",
                    [(kind.value, text) for kind, text in PAPER_KINDS.items()],
                    value=state.attachment_kind,
                    on_change=state.choose_attachment_kind,
                    placeholder="",
                ),
                forms.file_field(
                    "Файл",
                    "attachment",
                    upload_url="/api/attachments/"
                    + state.case_id.to(str)
                    + "/"
                    + state.attachment_kind,
                    limit_bytes=SIZE_LIMIT,
                    limit_text=LIMIT_TEXT,
                    hint="До подписания заключения файл можно удалить.",
                    camera=True,
                    required=False,
                ),
                class_name="e-form mt-6",
            ),
        ),
        confirm_dialog(
            REMOVE_PAPER,
            "Удалить документ?",
            state.chosen_paper_name,
            confirm="Удалить",
            on_confirm=state.remove_paper,
        ),
    )


def _bin(row: Any) -> rx.Component:
    return rx.el.button(
        rx.el.span("Удалить"),
        rx.el.span(f": {row.name}", class_name="e-hidden"),
        type="button",
        on_click=ExaminationState.choose_paper(row.id),
        class_name="btn btn-ghost",
        custom_attrs={"data-dialog-open": REMOVE_PAPER, "aria-haspopup": "dialog"},
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
    Page("/clinic/staff", "Сотрудники", staff, (PersonState.load, StaffState.follow)),
    Page(
        "/clinic",
        "Осмотры",
        day,
        (PersonState.load, DayState.open, DayState.follow, ReceptionState.follow),
    ),
    Page(
        "/clinic/exams/[examination_arg]",
        "Осмотр",
        examination,
        (PersonState.load, ExaminationState.open, ExaminationState.follow),
    ),
)
