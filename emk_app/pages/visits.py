"""«Запись на осмотр»: when to come, what to bring, and the referral to print."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, dialogs, forms, links
from emk_app.components.badges import badge
from emk_app.components.markup import given, some, when
from emk_app.components.qr import qr_plate
from emk_app.pages import frames
from emk_app.pages.menus import HOLDER_MENU
from emk_app.pages.table import Page
from emk_app.presenting.visits import VISITS
from emk_app.states.apply import ENTRY
from emk_app.states.session import PersonState
from emk_app.states.visits import VisitsState

CANCEL: Final = "cancel-visit"


def visits() -> rx.Component:
    """Return the page of one application's visit."""
    state, visit = VisitsState, VisitsState.visit
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(
                state.is_missing,
                _nothing(),
                rx.el.div(
                    when(visit.has_visit & (visit.is_ahead | ~visit.may_book), _visit()),
                    when(
                        visit.may_book & (~visit.is_ahead | state.is_moving),
                        rx.cond(visit.clinic != "", _chooser(), _no_clinic()),
                    ),
                    when(
                        ~visit.may_book & ~visit.has_visit,
                        cards.empty_state(
                            "Записываться не нужно",
                            "По этой заявке осмотр пройден или она завершена.",
                            buttons.button_link("К заявке", visit.application_href),
                            icon_name="calendar",
                        ),
                    ),
                    when(visit.may_book & some(state.bring), _bring()),
                    when(some(state.others), _others()),
                    class_name="e-body",
                ),
            ),
            cards.loading("Загружаем расписание…", lines=6),
        ),
        title="Запись на осмотр",
        lead=when(
            state.is_loaded & ~state.is_missing,
            rx.fragment(
                "Заявка ",
                links.link(visit.number, visit.application_href, "e-link whitespace-nowrap"),
                when(given(visit.occupation), rx.fragment(" · ", visit.occupation)),
            ),
        ),
        menu=HOLDER_MENU,
        current=VISITS,
    )


def referral() -> rx.Component:
    """Return the sheet to take along."""
    state, visit = VisitsState, VisitsState.visit
    sheet = rx.el.div(
        cards.card(
            rx.el.div(
                cards.summary_list(
                    cards.summary_row("Номер заявки", rx.el.b(visit.number, class_name="e-number")),
                    cards.summary_row("Пациент", visit.person),
                    cards.summary_row("Дата рождения", visit.born),
                    cards.summary_row("Профессия", visit.occupation),
                    cards.summary_row("Медорганизация", visit.clinic),
                    cards.summary_row("Адрес", visit.address),
                    cards.summary_row("Телефон", visit.phone),
                    when(
                        visit.is_ahead,
                        rx.fragment(
                            cards.summary_row(
                                "Время приёма",
                                rx.el.b(
                                    visit.day,
                                    ", ",
                                    visit.time,
                                    when(given(visit.zone), rx.fragment(" (", visit.zone, ")")),
                                ),
                            ),
                            cards.summary_row("Кабинет", visit.room),
                        ),
                    ),
                ),
                qr_plate(
                    visit.code,
                    alt="QR-код с номером заявки",
                    caption="Покажите в регистратуре",
                    code=visit.number,
                ),
                class_name="grid gap-6 md:grid-cols-[1fr_auto] items-start",
            ),
            title="Направление на медицинский осмотр",
        ),
        when(
            some(state.studies),
            cards.card(
                rx.el.ol(
                    rx.foreach(state.studies, lambda name: rx.el.li(name, key=name)),
                    class_name="list-decimal pl-8 sm:columns-2 gap-12 [&>li]:pl-1",
                ),
                rx.el.p(
                    "Предварительный список. Окончательный определит врачебная комиссия.",
                    class_name="e-muted mt-3",
                ),
                title="Программа осмотра",
            ),
        ),
        _bring(),
        class_name="e-body",
    )
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(state.is_missing, _nothing(), sheet),
            cards.loading("Готовим направление…", lines=6),
        ),
        title="Направление",
        menu=HOLDER_MENU,
        current=VISITS,
        back=("К записи", f"{VISITS}/" + visit.slug),
        actions=when(state.is_loaded & ~state.is_missing, buttons.print_button()),
    )


def _visit() -> rx.Component:
    visit = VisitsState.visit
    return cards.card(
        cards.stats(
            cards.stat("День", visit.day),
            cards.stat("Время", visit.time, hint=visit.zone),
        ),
        cards.summary_list(
            cards.summary_row("Медорганизация", visit.clinic),
            cards.summary_row("Адрес", visit.address),
            when(given(visit.room), cards.summary_row("Кабинет", visit.room)),
            when(given(visit.takes), cards.summary_row("Приём займёт", visit.takes)),
            cards.summary_row("Телефон", visit.phone),
        ),
        when(
            visit.is_ahead,
            rx.fragment(
                rx.el.p(
                    rx.cond(
                        visit.may_change,
                        "Перенести или отменить можно до " + visit.until + ". Напомним за сутки.",
                        "До осмотра меньше двух часов. Если не успеваете, позвоните в "
                        "регистратуру.",
                    ),
                    class_name="e-muted",
                ),
                buttons.actions(
                    buttons.button_link("Направление", visit.referral, icon="print"),
                    buttons.download_link("В календарь", visit.file, filename="osmotr.ics"),
                    when(
                        visit.may_change & ~VisitsState.is_moving,
                        buttons.secondary_button(
                            "Перенести", VisitsState.begin_move, icon="calendar"
                        ),
                    ),
                    when(
                        visit.may_change,
                        dialogs.dialog_button("Отменить запись", CANCEL, kind="quiet"),
                    ),
                ),
                dialogs.confirm_dialog(
                    CANCEL,
                    "Отменить запись?",
                    rx.el.p(
                        "Время ",
                        rx.el.b(visit.day, ", ", visit.time),
                        " достанется другим. Записаться снова можно будет на любое свободное.",
                    ),
                    confirm="Отменить запись",
                    cancel="Оставить",
                    on_confirm=VisitsState.cancel,
                ),
            ),
            when(
                visit.status == "Запись отменена",
                buttons.actions(
                    buttons.download_link("Убрать из календаря", visit.file, filename="osmotr.ics")
                ),
            ),
        ),
        title="Ваша запись",
        actions=badge(visit.status, visit.tone),
        tone=visit.tone,
    )


def _chooser() -> rx.Component:
    state, visit = VisitsState, VisitsState.visit
    return cards.card(
        when(
            visit.has_visit & ~visit.is_ahead,
            cards.notice(
                rx.el.p(
                    visit.status,
                    ": ",
                    visit.day,
                    ", ",
                    visit.time,
                    ". Выберите другое время.",
                ),
                tone=visit.tone,
            ),
        ),
        rx.el.p(
            rx.el.b(visit.clinic),
            ", ",
            visit.address,
            when(given(visit.zone), rx.fragment(". Время местное, ", visit.zone)),
            ".",
        ),
        when(given(visit.act_by), rx.el.p(visit.act_by, class_name="e-muted")),
        rx.cond(
            state.has_times,
            rx.fragment(
                when(
                    given(state.nearest),
                    rx.el.div(
                        rx.el.p("Ближайшее свободное: ", rx.el.b(state.nearest), "."),
                        buttons.secondary_button("Выбрать его", state.choose_nearest),
                        class_name="flex flex-wrap items-center gap-x-4 gap-y-2",
                    ),
                    cards.notice(
                        rx.el.p(
                            "Свободного времени пока нет. Как только кто-нибудь отменит запись, "
                            "оно появится здесь само. Можно выбрать и другую медорганизацию."
                        ),
                        tone="waiting",
                    ),
                ),
                rx.el.div(
                    forms.radio_cards_of(
                        "День",
                        "visit-day",
                        rx.foreach(state.days, _day),
                        columns="fit",
                    ),
                    rx.el.div(
                        buttons.quiet_button(
                            "Раньше", state.earlier, icon="arrow-left", disabled=~state.has_earlier
                        ),
                        buttons.quiet_button(
                            "Позже", state.later, icon="arrow-right", disabled=~state.has_later
                        ),
                        class_name="flex justify-between gap-3 mt-2",
                    ),
                ),
                forms.radio_cards_of(
                    "Время",
                    "visit-time",
                    rx.foreach(state.times, _time),
                    columns="tight",
                ),
                when(
                    given(state.problem),
                    cards.notice(rx.el.p(state.problem), tone="danger", live=True),
                ),
                buttons.actions(
                    buttons.primary_button(
                        rx.cond(visit.is_ahead, "Перенести на это время", "Записаться"),
                        state.book,
                        busy=state.busy,
                        busy_text="Записываем…",
                    ),
                    when(state.is_moving, buttons.quiet_button("Не переносить", state.change_mind)),
                ),
            ),
            cards.notice(
                rx.el.p(
                    "Медорганизация ещё не открыла запись через сервис. Позвоните ей: ",
                    rx.el.b(visit.phone),
                    ". Придя на осмотр, назовите номер заявки. Можно выбрать и другую "
                    "медорганизацию.",
                ),
                title="Времени для записи нет",
            ),
        ),
        rx.el.p(links.link("Другая медорганизация", visit.clinic_href)),
        title=rx.cond(visit.is_ahead, "Другое время", "Выберите время"),
    )


def _day(each: Any) -> rx.Component:
    return forms.radio_card(
        "visit-day",
        each.value,
        each.title,
        each.text,
        chosen=each.value == VisitsState.chosen_day,
        on_change=VisitsState.choose_day,
        key=each.value,
    )


def _time(each: Any) -> rx.Component:
    return forms.radio_card(
        "visit-time",
        each.value,
        each.title,
        each.text,
        chosen=each.value == VisitsState.chosen_time,
        on_change=VisitsState.choose_time,
        disabled=each.is_full,
        key=each.value,
    )


def _bring() -> rx.Component:
    return cards.card(
        cards.prose(
            rx.el.ul(
                rx.foreach(
                    VisitsState.bring,
                    lambda row: rx.el.li(
                        rx.el.b(row.what),
                        when(given(row.why), rx.el.span(". ", row.why, ".", class_name="e-muted")),
                        key=row.what,
                    ),
                )
            )
        ),
        title="Что взять с собой",
    )


def _others() -> rx.Component:
    return cards.card(
        rx.foreach(
            VisitsState.others,
            lambda pair: rx.el.p(links.link(pair[0], pair[1]), key=pair[1]),
        ),
        title="Другие заявки",
    )


def _no_clinic() -> rx.Component:
    return cards.empty_state(
        "Медорганизация не выбрана",
        "Выберите её, и здесь появится свободное время.",
        buttons.button_link("Выбрать медорганизацию", VisitsState.visit.clinic_href),
        icon_name="clinic",
    )


def _nothing() -> rx.Component:
    return cards.empty_state(
        "Записывать пока некого",
        "Запись откроется, когда вы отправите заявку и выберете в ней медорганизацию.",
        buttons.button_link("К оформлению", ENTRY),
        icon_name="calendar",
    )


_LOAD: Final = (PersonState.load, VisitsState.follow)
PAGES: Final = (
    Page(VISITS, "Запись на осмотр", visits, _LOAD),
    Page(VISITS + "/[number_arg]", "Запись на осмотр", visits, _LOAD),
    Page(VISITS + "/[number_arg]/referral", "Направление", referral, _LOAD),
)
