"""The desk at the clinic's door on the page of the day, and the page of the schedule."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, dialogs, forms
from emk_app.components.badges import badge
from emk_app.components.links import link
from emk_app.components.markup import given, some, when
from emk_app.components.tables import Column, data_table
from emk_app.domain.visits import Fate
from emk_app.pages import frames
from emk_app.pages.menus import CLINIC_MENU, SCHEDULE
from emk_app.pages.table import Page
from emk_app.presenting.visits import WEEKDAY_NAMES
from emk_app.states.reception import ReceptionState, ScheduleState
from emk_app.states.session import PersonState

OPEN_VISIT: Final = "open-visit"
CLOSE_ROOM: Final = "close-room"


def day_visits() -> rx.Component:
    """Return the visits of the day, and the form for those who came without booking."""
    state = ReceptionState
    return cards.section(
        "Записаны на приём",
        rx.cond(
            state.is_loaded,
            rx.fragment(
                _days(),
                data_table(
                    [
                        "Время",
                        "Пациент",
                        "Номер",
                        "Кабинет",
                        "Явка",
                        Column("Действия", hidden=True),
                    ],
                    state.rows,
                    _cells,
                    caption="Записанные на приём",
                    key=lambda row: row.uid,
                    empty=cards.empty_state(
                        "На этот день никто не записан",
                        "Записи появятся здесь сами. Часы приёма задаёт расписание.",
                        icon_name="calendar",
                    ),
                ),
                when(state.may_receive & state.is_today, _walk_in()),
            ),
            cards.loading("Загружаем записи…", lines=4),
        ),
        dialogs.confirm_dialog(
            OPEN_VISIT,
            "Открыть осмотр?",
            rx.el.div(
                rx.el.p(rx.el.b(state.chosen_name), " ", state.chosen),
                rx.el.p(
                    "После этого владелец не сможет отозвать заявку и сменить медорганизацию.",
                    class_name="mt-2",
                ),
            ),
            confirm="Открыть осмотр",
            on_confirm=ReceptionState.open_case,
            danger=False,
        ),
        actions=when(state.is_loaded, buttons.print_button("Распечатать день", kind="quiet")),
    )


def schedule() -> rx.Component:
    """Return the page on which the clinic makes its schedule."""
    state = ScheduleState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(
                state.is_closed_to,
                cards.empty_state(
                    "Расписание ведут регистратор и председатель",
                    "Попросите их, если нужно изменить часы приёма.",
                    buttons.button_link("К осмотрам", "/clinic", kind="secondary"),
                    icon_name="lock",
                ),
                rx.el.div(
                    when(given(state.question), _question()),
                    when(state.editing == 0, _form("Новый кабинет")),
                    rx.foreach(state.rooms, _room),
                    when(
                        ~some(state.rooms) & (state.editing < 0),
                        cards.empty_state(
                            "Кабинетов пока нет",
                            "Добавьте кабинет или комиссию, и владельцы заявок смогут записаться.",
                            buttons.primary_button("Добавить кабинет", state.begin, icon="plus"),
                            icon_name="calendar",
                        ),
                    ),
                    when(
                        some(state.rooms) & (state.editing < 0),
                        buttons.actions(
                            buttons.secondary_button("Добавить кабинет", state.begin, icon="plus")
                        ),
                    ),
                    dialogs.confirm_dialog(
                        CLOSE_ROOM,
                        "Закрыть кабинет?",
                        rx.el.p(
                            rx.el.b(state.closing_name),
                            " исчезнет из расписания. Если в нём есть записи, вы решите, что с "
                            "ними делать.",
                        ),
                        confirm="Закрыть кабинет",
                        on_confirm=ScheduleState.close_room,
                    ),
                    class_name="e-body",
                ),
            ),
            cards.loading("Загружаем расписание…", lines=6),
        ),
        title="Расписание",
        lead="По этим часам владельцы заявок записываются на осмотр. Время местное.",
        menu=CLINIC_MENU,
        current=SCHEDULE,
    )


def _days() -> rx.Component:
    state = ReceptionState
    return rx.el.div(
        rx.el.p(rx.el.b(state.title), role="status", class_name="grow"),
        buttons.quiet_button("Раньше", state.turn(-1), icon="arrow-left"),
        when(~state.is_today, buttons.quiet_button("Сегодня", state.show_today)),
        buttons.quiet_button("Позже", state.turn(1), icon="arrow-right"),
        rx.el.form(
            forms.date_field("Другой день", "day", hint="", error=state.day_problem, required=True),
            buttons.button("Показать", type="submit", kind="secondary"),
            on_submit=state.show_day,
            no_validate=True,
            class_name="flex items-end gap-2 e-screen",
        ),
        class_name="flex flex-wrap items-end gap-x-2 gap-y-3 mb-4",
    )


def _cells(row: Any) -> list[Any]:
    state = ReceptionState
    return [
        rx.el.b(row.time),
        rx.el.span(
            rx.el.b(row.name, class_name="block"),
            rx.el.span(row.born, " · ", row.occupation, class_name="e-muted"),
        ),
        rx.el.span(row.number, class_name="e-number whitespace-nowrap"),
        row.room,
        badge(row.status, row.tone),
        rx.el.div(
            when(row.may_arrive, _act("Пришёл", row, state.arrive(row.uid))),
            when(row.may_miss, _act("Не пришёл", row, state.miss(row.uid), "btn btn-ghost")),
            when(
                row.may_open,
                rx.el.button(
                    rx.el.span("Открыть осмотр"),
                    rx.el.span(f": {row.name}", class_name="e-hidden"),
                    type="button",
                    on_click=state.choose(row.slug),
                    class_name="btn btn-outline",
                    custom_attrs={"data-dialog-open": OPEN_VISIT, "aria-haspopup": "dialog"},
                ),
            ),
            when(
                row.href != "",
                link(
                    rx.fragment("К осмотру", rx.el.span(f": {row.name}", class_name="e-hidden")),
                    row.href,
                    "btn btn-outline",
                ),
            ),
            class_name="flex flex-wrap gap-x-2 gap-y-3",
        ),
    ]


def _act(text: str, row: Any, handler: Any, look: str = "btn btn-outline") -> rx.Component:
    return rx.el.button(
        rx.el.span(text),
        rx.el.span(f": {row.name}", class_name="e-hidden"),
        type="button",
        on_click=handler,
        class_name=look,
    )


def _walk_in() -> rx.Component:
    state = ReceptionState
    return rx.el.div(
        cards.card(
            forms.form(
                forms.text_field(
                    "Номер заявки",
                    "walk_in",
                    default_value=state.number,
                    hint="Его называет пациент; он же в QR-коде направления.",
                    error=state.number_problem,
                    width="medium",
                ),
                when(
                    state.needs_birth,
                    forms.date_field(
                        "Дата рождения по паспорту", "born_on", error=state.birth_problem
                    ),
                ),
                buttons.actions(
                    buttons.secondary_button("Отметить приход", type="submit", icon="check")
                ),
                on_submit=state.walk_in,
                key=state.revision.to(str),
            ),
            title="Пришёл без записи или не в свой день",
            level=3,
        ),
        class_name="mt-6 e-screen",
    )


def _room(room: Any) -> rx.Component:
    state = ScheduleState
    return rx.cond(
        state.editing == room.id,
        _form("Кабинет"),
        cards.card(
            rx.el.ul(
                rx.foreach(room.week, lambda line: rx.el.li(line)),
                class_name="grid gap-x-8 gap-y-1 sm:grid-cols-2",
            ),
            rx.el.p(room.rules, class_name="e-muted"),
            when(
                some(room.exceptions),
                rx.el.div(
                    rx.el.h3("Особые дни", class_name="font-semibold"),
                    rx.el.ul(
                        rx.foreach(
                            room.exceptions,
                            lambda each: rx.el.li(
                                rx.el.span(each[1], ": ", each[2]),
                                buttons.quiet_button(
                                    rx.fragment(
                                        "Как обычно",
                                        rx.el.span(" ", each[1], class_name="e-hidden"),
                                    ),
                                    state.usual_day(room.id, each[0]),
                                ),
                                class_name="flex flex-wrap items-center gap-x-4",
                            ),
                        )
                    ),
                ),
            ),
            rx.cond(
                state.day_room == room.id,
                forms.form(
                    forms.field_row(
                        forms.date_field(
                            "День",
                            "day",
                            hint="Например, 31.12.2026",
                            error=state.day_errors["day"],
                        ),
                        forms.text_field(
                            "Часы приёма",
                            "hours",
                            hint="Например, 09:00–14:00. Пусто — выходной.",
                            error=state.day_errors["hours"],
                            required=False,
                        ),
                    ),
                    buttons.actions(
                        buttons.primary_button("Сохранить день", type="submit"),
                        buttons.quiet_button("Отмена", state.leave),
                    ),
                    on_submit=state.save_day,
                ),
                buttons.actions(
                    buttons.secondary_button("Изменить", state.edit(room.id), icon="edit"),
                    buttons.secondary_button(
                        "Особый день", state.begin_day(room.id), icon="calendar"
                    ),
                    rx.el.button(
                        rx.el.span("Закрыть кабинет"),
                        type="button",
                        on_click=state.ask_close(room.id),
                        class_name="btn btn-ghost",
                        custom_attrs={"data-dialog-open": CLOSE_ROOM, "aria-haspopup": "dialog"},
                    ),
                ),
            ),
            title=room.name,
            actions=rx.el.span(room.ahead, class_name="e-muted"),
        ),
    )


def _form(title: str) -> rx.Component:
    state = ScheduleState
    weekdays = [
        forms.text_field(
            name.capitalize(),
            f"day_{n}",
            default_value=state.fields[f"day_{n}"],
            error=state.errors[f"day_{n}"],
            required=True,
        )
        for n, name in enumerate(WEEKDAY_NAMES)
    ]
    return cards.card(
        forms.error_summary(state.summary),
        forms.form(
            forms.text_field(
                "Название",
                "name",
                default_value=state.fields["name"],
                error=state.errors["name"],
                hint="Его увидит пациент: «Кабинет 12» или «Врачебная комиссия № 1».",
                max_length=80,
            ),
            forms.fieldset(
                "Часы приёма",
                forms.field_row(*weekdays),
                hint="Например, 09:00–17:00 или 09:00–12:00, 14:00–18:00. Пусто — выходной.",
            ),
            forms.text_field(
                "Перерывы",
                "breaks",
                default_value=state.fields["breaks"],
                error=state.errors["breaks"],
                hint="Одинаковы во все дни. Например, 13:00–14:00.",
                required=False,
            ),
            forms.field_row(
                forms.text_field(
                    "Приём, минут",
                    "slot_minutes",
                    default_value=state.fields["slot_minutes"],
                    error=state.errors["slot_minutes"],
                    input_mode="numeric",
                ),
                forms.text_field(
                    "Человек на одно время",
                    "capacity",
                    default_value=state.fields["capacity"],
                    error=state.errors["capacity"],
                    input_mode="numeric",
                ),
                forms.text_field(
                    "Запись вперёд, дней",
                    "horizon_days",
                    default_value=state.fields["horizon_days"],
                    error=state.errors["horizon_days"],
                    input_mode="numeric",
                ),
                columns=3,
            ),
            forms.checkbox_field(
                "Принимаем в праздничные дни",
                "works_on_holidays",
                default_checked=state.works_on_holidays,
            ),
            buttons.actions(
                buttons.primary_button("Сохранить", type="submit"),
                buttons.quiet_button("Отмена", state.leave),
            ),
            on_submit=state.save,
            key=state.revision.to(str),
        ),
        title=title,
    )


def _question() -> rx.Component:
    state = ScheduleState
    return cards.card(
        cards.notice(rx.el.p(state.question), tone="danger", live=True),
        data_table(
            ["Время", "Пациент", "Номер"],
            state.affected,
            lambda row: [row.when, row.name, rx.el.span(row.number, class_name="e-number")],
            caption="Записи, которых коснётся изменение",
            key=lambda row: row.number + row.when,
        ),
        rx.el.p(
            "Всем придёт сообщение. Кому свободного времени не хватит, запись отменится.",
            class_name="e-muted",
        ),
        buttons.actions(
            buttons.primary_button("Перенести на ближайшее время", state.decide(Fate.MOVE.value)),
            buttons.danger_button("Отменить записи", state.decide(Fate.CANCEL.value)),
            buttons.quiet_button("Не менять расписание", state.change_mind),
        ),
        title="Что делать с записями?",
        tone="danger",
    )


PAGES: Final = (Page(SCHEDULE, "Расписание", schedule, (PersonState.load, ScheduleState.follow)),)
