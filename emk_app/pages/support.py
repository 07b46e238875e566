"""Support: self-help first, then tickets, then the hotline; the desk where they are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, forms, links, tables
from emk_app.components.chat import chat
from emk_app.components.layout import STATUS_ROUTE
from emk_app.components.markup import given, some, when
from emk_app.domain.support import SIZE_LIMIT
from emk_app.pages import frames
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import (
    CLINIC_MENU,
    EMPLOYER_MENU,
    HELP,
    HOLDER_MENU,
    OPERATOR_MENU,
    SUPPORT_MENU,
    Menu,
)
from emk_app.pages.table import Page
from emk_app.presenting import support as rows
from emk_app.presenting.formats import file_size
from emk_app.states.session import PersonState
from emk_app.states.support import ANSWER, WRITE, DeskState, HelpState, SupportState

TITLE: Final = "Поддержка"
SCREENSHOT: Final = "screenshot"
CLOSE: Final = "close-ticket"
DECLINE: Final = "decline-glass"
SETTLE: Final = "settle-ticket"
HAND: Final = "hand-ticket"
ASK: Final = "ask-glass"
AGREE: Final = "agree-glass"
GIVE: Final = "give-ticket"


def self_help() -> rx.Component:
    """Return what most often helps, each under one line."""
    return cards.section(
        "Сначала попробуйте сами",
        rx.el.div(
            *(
                cards.details(
                    each.title,
                    rx.el.ol(
                        *(rx.el.li(step) for step in each.steps),
                        class_name="list-decimal space-y-1 pl-5",
                    ),
                    *(
                        [rx.el.p(links.plain_link(*each.link), class_name="mt-3")]
                        if each.link
                        else []
                    ),
                )
                for each in rows.SELF_HELP
            ),
            class_name="grid gap-2",
        ),
    )


def help_page() -> rx.Component:
    """Return self-help for everybody, and the ways to reach support."""
    state = HelpState
    return frames.open_to_all(
        self_help(),
        cards.section(
            "Не помогло",
            rx.cond(
                given(state.write_href),
                buttons.actions(buttons.button_link("Написать в поддержку", state.write_href)),
                rx.el.div(
                    rx.el.p(
                        "Войдите, чтобы написать обращение и следить за ответом: номер заявки и "
                        "номер ошибки подставятся сами."
                    ),
                    buttons.actions(buttons.button_link("Войти", "/login")),
                    rx.el.p(
                        "Войти не получается? Напишите на ",
                        links.plain_link(rows.mail_address(), rows.mail_href()),
                        ". Ответим в течение рабочего дня.",
                    ),
                    _phone_line(),
                    class_name="grid gap-3",
                ),
            ),
        ),
        title="Помощь",
        lead="Что сделать, если что-то не открывается, не входит или не подписывается.",
        current=HELP,
    )


def _asking(menu: Menu, route: str) -> Callable[[], rx.Component]:
    """Return the page on which a role asks."""

    def page() -> rx.Component:
        state = SupportState
        return frames.signed_in(
            rx.cond(
                state.is_loaded,
                rx.cond(given(state.opened), _thread(), rx.el.div(*_home(), class_name="e-body")),
                cards.loading(),
            ),
            title=TITLE,
            lead="Ответим в течение рабочего дня. Ответы появляются здесь сами.",
            menu=menu,
            current=route,
        )

    return page


def _home() -> list[rx.Component]:
    state = SupportState
    return [
        when(
            some(state.tickets),
            cards.section(
                "Ваши обращения", rx.el.ul(rx.foreach(state.tickets, _line), class_name="e-notices")
            ),
        ),
        self_help(),
        _form(),
        _hotline(),
    ]


def _line(row: Any) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.button(
                row.subject,
                rx.el.span(", обращение №\u00a0", row.shown),
                type="button",
                on_click=SupportState.open(row.number),
                class_name="e-link",
            ),
            badges.badge(row.status, row.tone),
            when(given(row.unread), badges.badge(row.unread, "success")),
            rx.el.span(row.changed, class_name="e-by"),
            class_name="e-notices-title",
        ),
        when(given(row.due), rx.el.p("Ответим: ", row.due.lower())),
        key=row.number,
        custom_attrs={"data-unread": rx.cond(given(row.unread), "true", "false")},
    )


def _form() -> rx.Component:
    state = SupportState
    return cards.section(
        "Напишите нам",
        rx.el.div(
            forms.send_form(
                _hidden("form_key", state.form_key),
                _told(
                    "subject",
                    forms.select_field(
                        "О чём",
                        "subject",
                        rows.SUBJECT_OPTIONS,
                        default_value=state.subject,
                        placeholder="Выберите",
                    ),
                ),
                when(
                    some(state.numbers),
                    _told(
                        "number",
                        forms.select_field(
                            "Номер заявки",
                            "number",
                            state.numbers,
                            default_value=state.number,
                            placeholder="Не о заявке",
                            required=False,
                        ),
                    ),
                ),
                _told(
                    "incident",
                    forms.text_field(
                        "Номер ошибки",
                        "incident",
                        default_value=state.incident,
                        hint="Его показывает страница с ошибкой, например 404.",
                        width="medium",
                        required=False,
                    ),
                ),
                _told(
                    "text",
                    forms.textarea_field(
                        "Что случилось",
                        "text",
                        rows=6,
                        hint="Что вы делали и что увидели. " + rows.NO_TEXT_SEEN,
                    ),
                ),
                _screenshot(),
                send_url="/api/support",
                send="Отправить",
                sending="Отправляем…",
            ),
            class_name="max-w-2xl",
        ),
        id="write",
    )


def _screenshot() -> rx.Component:
    return forms.picked_file(
        "Снимок экрана",
        SCREENSHOT,
        accept="image/png,image/jpeg,application/pdf",
        limit_bytes=SIZE_LIMIT,
        limit_text=f"PNG, JPEG или PDF, не больше {file_size(SIZE_LIMIT)}",
        required=False,
        codes=(SCREENSHOT,),
    )


def _hotline() -> rx.Component:
    code: Any = SupportState.code
    return cards.section(
        "Позвоните",
        cards.card(
            _phone_line(),
            rx.el.p("Назовите сотруднику этот код: по нему он найдёт ваши обращения и заявки."),
            rx.el.p(
                rx.el.strong(code.digits, class_name="e-number text-2xl"),
                class_name="my-2",
            ),
            rx.el.p(
                "Код действует до ",
                code.until,
                " и меняется. Сам по себе он ничего о вас не говорит и не открывает вход.",
                class_name="e-muted",
            ),
        ),
    )


def _phone_line() -> rx.Component:
    shown, href = rows.hotline()
    if not shown:
        return rx.fragment()
    return rx.el.p(
        "Справочный центр: ",
        links.plain_link(shown, href, "e-link whitespace-nowrap"),
        ", в рабочие дни с 9 до 18 часов по Москве.",
    )


def _thread() -> rx.Component:
    state = SupportState
    ticket: Any = state.ticket
    thread: Any = state.thread
    return rx.el.div(
        buttons.actions(buttons.quiet_button("Все обращения", state.leave, icon="arrow-left")),
        cards.section(
            rx.fragment(ticket.subject, ", №\u00a0", ticket.shown),
            _facts(ticket),
            _holders_glass(),
            chat(state.lines),
            when(
                given(thread.rating),
                rx.el.p("Ваша оценка: ", thread.rating, class_name="e-muted"),
            ),
            when(thread.may_rate, _rating()),
            rx.cond(
                thread.may_write,
                _reply(),
                rx.el.p(
                    "Обращение закрыто давно. Если вопрос остался, напишите новое.",
                    class_name="e-muted",
                ),
            ),
            when(~thread.is_closed, _close_dialog()),
            actions=badges.badge(ticket.status, ticket.tone),
        ),
        class_name="e-body",
    )


def _facts(ticket: Any) -> rx.Component:
    return cards.summary_list(
        when(given(ticket.person), cards.summary_row("Кто спрашивает", ticket.person)),
        when(
            given(ticket.application),
            cards.summary_row(
                "Заявка", rx.fragment(ticket.application, ", ", ticket.application_status.lower())
            ),
        ),
        when(given(ticket.incident), cards.summary_row("Номер ошибки", ticket.incident)),
        cards.summary_row("Написано", ticket.created),
        when(given(ticket.due), cards.summary_row("Ответить", ticket.due)),
    )


def _holders_glass() -> rx.Component:
    glass: Any = SupportState.glass
    return when(
        given(glass.state),
        cards.notice(
            rx.el.p(glass.text),
            rx.el.p("Зачем: «", glass.reason, "»"),
            buttons.actions(
                when(
                    glass.may_agree,
                    buttons.primary_button("Разрешить на 15 минут", SupportState.agree),
                ),
                buttons.secondary_button(
                    rx.cond(glass.may_agree, "Отказать", "Закрыть доступ"), SupportState.decline
                ),
            ),
            title=rx.cond(
                glass.state == "open", "Поддержка видит ваши данные", "Поддержка просит доступ"
            ),
            tone="waiting",
            live=True,
        ),
    )


def _reply() -> rx.Component:
    state = SupportState
    closed: Any = state.thread.is_closed
    return rx.el.div(
        forms.send_form(
            _hidden("form_key", state.form_key),
            _told(
                "text",
                forms.textarea_field(
                    rx.cond(closed, "Открыть снова: что осталось нерешённым", "Ваше сообщение"),
                    "text",
                    rows=4,
                    hint=rows.NO_TEXT_SEEN,
                ),
            ),
            _screenshot(),
            send_url="/api/support/" + state.opened.to(str),
            send="Отправить",
            sending="Отправляем…",
        ),
        class_name="max-w-2xl",
        key=state.opened,
    )


def _close_dialog() -> rx.Component:
    return rx.el.div(
        dialogs.dialog_button("Вопрос решён, закрыть", CLOSE, kind="quiet", icon="check"),
        dialogs.dialog(
            CLOSE,
            "Закрыть обращение?",
            forms.form(
                *_stars(required=False),
                buttons.actions(
                    buttons.primary_button("Закрыть обращение", type="submit"),
                    dialogs.close_button(),
                ),
                on_submit=SupportState.close,
            ),
        ),
    )


def _rating() -> rx.Component:
    return cards.card(
        forms.form(
            *_stars(required=True),
            buttons.actions(buttons.secondary_button("Оценить", type="submit")),
            on_submit=SupportState.rate,
        ),
        title="Как мы помогли?",
        level=3,
    )


def _stars(*, required: bool) -> list[rx.Component]:
    state = SupportState
    return [
        forms.select_field(
            "Оценка",
            "rating",
            rows.STARS,
            default_value="",
            placeholder="Выберите" if required else "Без оценки",
            error=state.errors["rating"],
            required=required,
        ),
        forms.textarea_field(
            "Что улучшить", "comment", rows=3, error=state.errors["comment"], required=False
        ),
    ]


def _answering(menu: Menu, route: str, *, support: bool) -> Callable[[], rx.Component]:
    """Return the page of a desk."""

    def page() -> rx.Component:
        state = DeskState
        return frames.signed_in(
            rx.cond(
                state.is_loaded,
                rx.cond(
                    given(state.opened),
                    _desk_thread(support=support),
                    rx.el.div(
                        rx.el.div(
                            _finder(),
                            *([_caller()] if support else []),
                            class_name="grid gap-4 lg:grid-cols-2",
                        ),
                        _queue(),
                        _late(support=support),
                        class_name="e-body",
                    ),
                ),
                cards.loading("Загружаем очередь…", lines=6),
            ),
            title="Обращения",
            lead="Сначала те, на которые пора ответить. Список обновляется сам.",
            menu=menu,
            current=route,
            wide=True,
        )

    return page


def _finder() -> rx.Component:
    return forms.form(
        rx.el.div(
            forms.text_field(
                "Найти по номеру обращения",
                "query",
                type="search",
                max_length=40,
                error=DeskState.errors["query"],
            ),
            buttons.secondary_button("Найти", type="submit", icon="search"),
            class_name="e-search",
        ),
        on_submit=DeskState.find,
        reset_on_submit=False,
        role="search",
    )


def _caller() -> rx.Component:
    state = DeskState
    caller: Any = state.caller
    return rx.el.div(
        forms.form(
            rx.el.div(
                forms.text_field(
                    "Код звонящего",
                    "code",
                    max_length=40,
                    hint="Восемь цифр с его страницы поддержки.",
                    error=state.errors["code"],
                ),
                buttons.secondary_button("Найти", type="submit", icon="search"),
                class_name="e-search",
            ),
            on_submit=state.find_caller,
            reset_on_submit=False,
            role="search",
        ),
        when(
            given(caller.person),
            cards.card(
                cards.summary_list(
                    rx.foreach(
                        caller.applications, lambda row: cards.summary_row(row.term, row.value)
                    )
                ),
                rx.el.ul(rx.foreach(state.caller_tickets, _caller_ticket)),
                title=caller.person,
                level=3,
            ),
        ),
        class_name="grid gap-3",
    )


def _caller_ticket(row: Any) -> rx.Component:
    return rx.el.li(
        _opener(row), " ", row.subject, ", ", row.status.lower(), key=row.number, class_name="py-1"
    )


def _opener(row: Any) -> rx.Component:
    return rx.el.button(
        row.shown,
        type="button",
        on_click=DeskState.open(row.number),
        class_name="e-link e-number whitespace-nowrap",
        custom_attrs={"aria-label": "Открыть обращение " + row.shown.to(str)},
    )


def _queue() -> rx.Component:
    state = DeskState
    return cards.section(
        "Очередь",
        rx.el.div(
            rx.foreach(state.parts, _part),
            role="group",
            class_name="e-tabs",
            custom_attrs={"aria-label": "Что показать"},
        ),
        tables.data_table(
            ["Номер", "О чём", "Кто", "Срок", "Состояние", "У кого"],
            state.rows,
            lambda row: [
                _opener(row),
                row.subject,
                row.person,
                rx.cond(row.is_overdue, badges.badge(row.due, "danger"), rx.el.span(row.due)),
                badges.badge(row.status, row.tone),
                row.who,
            ],
            caption="Обращения",
            key=lambda row: row.number,
            empty=cards.empty_state(
                "Здесь пусто", "Новое обращение появится само.", icon_name="check"
            ),
        ),
        when(
            state.pages > 1,
            tables.pager(state.page, state.pages, on_page=state.turn, label="Страницы очереди"),
        ),
    )


def _part(row: Any) -> rx.Component:
    return rx.el.button(
        rx.el.span(row.text),
        rx.el.span(row.count, class_name="e-count"),
        type="button",
        on_click=DeskState.choose_part(row.key),
        key=row.key,
        class_name="e-tab",
        custom_attrs={"aria-pressed": rx.cond(row.is_chosen, "true", "false")},
    )


def _late(*, support: bool) -> rx.Component:
    state = DeskState
    title = "Заявки на проверке дольше 10 рабочих дней" if support else "Заявки от поддержки"

    def cells(row: Any) -> list[Any]:
        act = (
            rx.cond(
                given(row.handed),
                rx.el.span(row.handed),
                buttons.secondary_button(
                    rx.fragment(
                        "Передать оператору",
                        rx.el.span(": ", row.number, class_name="e-hidden"),
                    ),
                    state.hand_late(row.slug),
                ),
            )
            if support
            else rx.el.span(row.handed)
        )
        shown = (
            rx.el.span(row.number, class_name="e-number whitespace-nowrap")
            if support
            else links.link(row.number, row.href, "e-link e-number whitespace-nowrap")
        )
        return [shown, row.status, row.sent, badges.badge(row.days, "danger"), row.who, act]

    return cards.section(
        title,
        tables.data_table(
            ["Заявка", "Статус", "Подана", "Ждёт", "У кого", "Передано"],
            state.late,
            cells,
            caption=title,
            key=lambda row: row.slug,
            empty=cards.empty_state("Таких заявок нет", icon_name="check"),
        ),
    )


def _desk_thread(*, support: bool) -> rx.Component:
    state = DeskState
    ticket: Any = state.ticket
    thread: Any = state.thread
    return rx.el.div(
        buttons.actions(buttons.quiet_button("К очереди", state.leave, icon="arrow-left")),
        cards.section(
            rx.fragment(ticket.subject, ", №\u00a0", ticket.shown),
            _facts(ticket),
            when(given(thread.taken), rx.el.p(thread.taken, class_name="e-muted")),
            when(
                given(thread.rating),
                rx.el.p("Оценка: ", thread.rating, ". ", thread.comment),
            ),
            *([_desk_glass()] if support else []),
            chat(state.lines),
            rx.el.div(
                buttons.actions(
                    when(thread.may_take, buttons.primary_button("Взять", state.take)),
                    when(
                        thread.may_hand,
                        rx.fragment(
                            dialogs.dialog_button("Отдать коллеге", GIVE, kind="secondary"),
                            dialogs.dialog_button(
                                "Передать оператору" if support else "Вернуть в поддержку",
                                HAND,
                                kind="secondary",
                            ),
                        ),
                    ),
                    when(
                        thread.may_settle,
                        dialogs.dialog_button("Закрыть", SETTLE, kind="quiet", icon="check"),
                    ),
                ),
            ),
            when(thread.may_answer, _answer()),
            when(~thread.is_closed, _note()),
            actions=badges.badge(ticket.status, ticket.tone),
        ),
        when(thread.may_hand, rx.fragment(_give_dialog(), _hand_dialog(support=support))),
        when(
            thread.may_settle,
            dialogs.confirm_dialog(
                SETTLE,
                "Закрыть обращение?",
                "Человек сможет оценить ответ и открыть обращение снова.",
                confirm="Закрыть",
                on_confirm=state.settle,
                danger=False,
            ),
        ),
        class_name="e-body",
    )


def _answer() -> rx.Component:
    state = DeskState
    return rx.el.div(
        when(
            some(state.prepared),
            forms.select_field(
                "Готовый ответ",
                "prepared",
                state.prepared,
                value="",
                placeholder="Подставить в сообщение",
                on_change=state.use_prepared,
                required=False,
            ),
        ),
        rx.el.div(
            forms.form(
                _hidden("form_key", state.form_key),
                forms.textarea_field(
                    "Ответ",
                    "text",
                    rows=6,
                    default_value=state.draft,
                    on_blur=state.keep_draft,
                    error=state.errors["text"],
                ),
                buttons.actions(buttons.primary_button("Ответить", type="submit")),
                on_submit=state.answer,
                reset_on_submit=False,
            ),
            key=state.form_key,
        ),
        class_name="grid max-w-2xl gap-3",
    )


def _note() -> rx.Component:
    state = DeskState
    return cards.details(
        "Заметка для коллег",
        rx.el.div(
            forms.form(
                forms.textarea_field(
                    "Заметка",
                    "note",
                    rows=3,
                    error=state.errors["note"],
                    hint="Человек её здесь не видит, но получит в копии своих данных.",
                ),
                buttons.actions(buttons.secondary_button("Сохранить", type="submit")),
                on_submit=state.note,
                reset_on_submit=False,
            ),
            key=state.form_key,
            class_name="max-w-2xl",
        ),
    )


def _give_dialog() -> rx.Component:
    return dialogs.dialog(
        GIVE,
        "Кому отдать обращение",
        forms.form(
            forms.select_field(
                "Сотрудник", "colleague", DeskState.colleagues, default_value="0", placeholder=""
            ),
            buttons.actions(
                buttons.button(
                    "Отдать",
                    type="submit",
                    kind="primary",
                    custom_attrs={"data-dialog-close": ""},
                ),
                dialogs.close_button(),
            ),
            on_submit=DeskState.give,
        ),
    )


def _hand_dialog(*, support: bool) -> rx.Component:
    state = DeskState
    return dialogs.dialog(
        HAND,
        "Передать обращение оператору" if support else "Вернуть обращение в поддержку",
        forms.form(
            forms.textarea_field(
                "Что нужно сделать", "handing", rows=3, error=state.errors["handing"]
            ),
            buttons.actions(
                buttons.primary_button("Передать", type="submit"), dialogs.close_button()
            ),
            on_submit=state.hand,
            reset_on_submit=False,
        ),
    )


def _desk_glass() -> rx.Component:
    state = DeskState
    glass: Any = state.glass
    thread: Any = state.thread
    opened = when(
        some(state.seen),
        cards.card(
            cards.summary_list(
                rx.foreach(state.seen, lambda row: cards.summary_row(row.term, row.value))
            ),
            title="Данные владельца",
            level=3,
        ),
    )
    asked = cards.notice(
        rx.el.p(glass.text),
        rx.el.p("Зачем: «", glass.reason, "»"),
        buttons.actions(
            when(
                glass.is_mine & (glass.state == "open"),
                buttons.primary_button("Показать данные", state.see, icon="eye"),
            ),
            when(
                glass.may_agree,
                dialogs.dialog_button("Разрешить коллеге", AGREE, kind="primary"),
            ),
            buttons.quiet_button(
                rx.cond(glass.is_mine, "Больше не нужно", "Отказать"), state.decline_glass
            ),
        ),
        title="Просмотр данных владельца",
        tone="waiting",
    )
    return rx.fragment(
        when(given(glass.state), asked),
        opened,
        when(
            thread.may_ask,
            rx.fragment(
                dialogs.dialog_button("Посмотреть больше", ASK, kind="quiet", icon="eye"),
                dialogs.dialog(
                    ASK,
                    "Посмотреть данные владельца",
                    forms.form(
                        rx.el.p(
                            "На 15 минут откроются имя, год рождения, часть контактов, состояние "
                            "заявок и книжки. Нужно согласие владельца или другого сотрудника. "
                            "Владелец узнает об этом сразу."
                        ),
                        forms.textarea_field(
                            "Зачем", "reason", rows=3, error=state.errors["reason"]
                        ),
                        _factor(),
                        buttons.actions(
                            buttons.primary_button("Попросить", type="submit"),
                            dialogs.close_button(),
                        ),
                        on_submit=state.ask_glass,
                        reset_on_submit=False,
                    ),
                ),
            ),
        ),
        when(
            glass.may_agree,
            dialogs.dialog(
                AGREE,
                "Разрешить коллеге посмотреть данные?",
                forms.form(
                    rx.el.p("Зачем: «", glass.reason, "»"),
                    _factor(),
                    buttons.actions(
                        buttons.primary_button("Разрешить на 15 минут", type="submit"),
                        dialogs.close_button(),
                    ),
                    on_submit=state.agree_glass,
                    reset_on_submit=False,
                ),
            ),
        ),
    )


def _factor() -> rx.Component:
    return when(DeskState.needs_code, fresh_factor("factor", error=DeskState.errors["factor"]))


def _told(name: str, control: rx.Component) -> rx.Component:
    """Return a control with the place beside it for what the server refuses."""
    return rx.el.div(control, forms.refusal(name, (name,)), class_name="grid gap-1")


def _hidden(name: str, value: rx.Var[Any]) -> rx.Component:
    return rx.el.input(type="hidden", name=name, value=value, read_only=True)


def error_links(incident: str) -> rx.Component:
    """Return where to go from a page that says why there is no page."""
    return rx.el.p(
        "Не помогло? ",
        links.link("Напишите в поддержку", f"{HELP}?error={incident}"),
        " или ",
        links.plain_link("посмотрите, всё ли работает", STATUS_ROUTE),
        ".",
        class_name="e-muted mt-6",
    )


_MENUS: Final = dict(zip(WRITE.values(), (HOLDER_MENU, CLINIC_MENU, EMPLOYER_MENU), strict=True))
_DESKS: Final = tuple(zip(ANSWER.values(), (SUPPORT_MENU, OPERATOR_MENU), strict=True))

PAGES = (
    Page(HELP, "Помощь", help_page, (HelpState.load,)),
    *(
        Page(route, TITLE, _asking(menu, route), (PersonState.load, SupportState.follow))
        for route, menu in _MENUS.items()
    ),
    *(
        Page(
            route,
            "Обращения",
            _answering(menu, route, support=menu is SUPPORT_MENU),
            (PersonState.load, DeskState.follow),
        )
        for route, menu in _DESKS
    ),
)
