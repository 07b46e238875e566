"""The holder's dashboard, «Мои заявки» and the page of one application."""

from __future__ import annotations

from typing import Any, Final, cast

import reflex as rx

from emk_app.components import buttons, cards, dialogs, forms, links
from emk_app.components.badges import badge, track
from emk_app.components.markup import given, some, when
from emk_app.components.tables import data_table, pager
from emk_app.components.timeline import timeline, timeline_entry
from emk_app.domain.corrections import scan_control
from emk_app.domain.documents import ScanKind
from emk_app.domain.intake import Field
from emk_app.pages import esignature, frames
from emk_app.pages.apply import answer, clinic_facts, clinic_search, scan_field
from emk_app.pages.consent import CONSENT
from emk_app.pages.menus import HOLDER_MENU
from emk_app.pages.my_examination import my_examination
from emk_app.pages.table import Page
from emk_app.pages.watching import LOOKS
from emk_app.presenting import applications as rows
from emk_app.presenting.listings import ORDERS
from emk_app.states.applications import ApplicationsState
from emk_app.states.apply import ENTRY
from emk_app.states.dashboard import CaseState, DashboardState
from emk_app.states.my_examination import MyExaminationState
from emk_app.states.occupations import OccupationsState
from emk_app.states.session import PersonState

LIST: Final = "/cabinet/applications"


def dashboard() -> rx.Component:
    """Return the page on which a holder begins."""
    state = DashboardState
    nothing = ~state.has_draft & ~some(state.cases) & ~state.has_book
    return frames.signed_in(
        _aloud(state.news),
        rx.cond(
            state.is_loaded,
            rx.el.div(
                when(nothing, _welcome()),
                rx.foreach(state.current, _current_case),
                when(state.has_draft, _draft_card()),
                when(state.has_book, _book_card()),
                when(
                    ~nothing & ~state.has_draft & ~some(state.current) & ~state.has_book,
                    _begin_again(),
                ),
                rx.el.p(
                    when(
                        some(state.cases),
                        rx.fragment(links.link("Все мои заявки", LIST), " · "),
                    ),
                    links.link("Согласие на обработку данных", CONSENT),
                    " · ",
                    links.link("Кто смотрел", LOOKS),
                    " · ",
                    links.link("Мои данные", "/cabinet/data"),
                ),
                class_name="e-body",
            ),
            cards.loading(),
        ),
        title="Личный кабинет",
        menu=HOLDER_MENU,
        current="/cabinet",
    )


def applications() -> rx.Component:
    """Return the list of everything the holder has applied for."""
    state, found = DashboardState, ApplicationsState
    return frames.signed_in(
        _aloud(state.news),
        when(state.has_draft, _draft_card()),
        when(found.has_many, _conditions()),
        data_table(
            ["Номер", "Отправлена", "Профессия", "Статус", "Что дальше", "Срок"],
            found.cases,
            lambda row: [
                links.link(row["number"], row["href"], "e-link whitespace-nowrap"),
                row["submitted"],
                row["occupation"],
                badge(row["status"], row["tone"]),
                rx.el.span(row["next"], " ", row["act_by"]),
                rx.cond(
                    given(row["promise"]),
                    rx.el.span(row["promise"], rx.el.br(), row["left"]),
                    "—",
                ),
            ],
            caption="Мои заявки",
            loading=~found.is_loaded,
            empty=when(
                found.has_any,
                cards.empty_state(
                    "Таких заявок нет",
                    "Проверьте номер или снимите условия.",
                    buttons.secondary_button("Показать все", found.forget_conditions),
                    icon_name="search",
                ),
                cards.empty_state(
                    "Отправленных заявок пока нет",
                    "Заявка появится здесь, как только вы её отправите.",
                    buttons.button_link("Оформить книжку", ENTRY),
                ),
            ),
            key=lambda row: row["slug"],
        ),
        when(found.pages > 1, pager(found.page, found.pages, on_page=found.turn)),
        title="Мои заявки",
        menu=HOLDER_MENU,
        current=LIST,
        actions=when(
            some(state.cases) & ~state.has_draft,
            buttons.button_link("Новая заявка", ENTRY, kind="secondary", icon="plus"),
        ),
    )


def case() -> rx.Component:
    """Return the page of one application."""
    state = CaseState
    shown = rx.el.div(
        _status(),
        when(state.case.needs_correction, _correction()),
        _roads(),
        my_examination(),
        cards.card(
            timeline(rx.foreach(state.events, _event)),
            title="История",
        ),
        cards.card(
            when(
                state.has_clinic,
                clinic_facts(state.clinic),
                rx.el.p("Не выбрана", class_name="e-muted"),
            ),
            when(
                state.case.may_change_clinic,
                buttons.actions(
                    buttons.button_link(
                        "Запись на осмотр",
                        state.case.visits_href,
                        kind="secondary",
                        icon="calendar",
                    )
                ),
            ),
            title="Медорганизация",
            actions=when(
                state.case.may_change_clinic,
                links.link("Выбрать другую", state.case.href + "/clinic"),
            ),
        ),
        when(
            some(state.checks),
            cards.card(
                rx.el.div(rx.foreach(state.checks, _check)), title="Автоматическая проверка"
            ),
        ),
        when(
            state.signature.word != "",
            cards.card(esignature.signature(state.signature), title="Электронная подпись"),
        ),
        cards.card(
            cards.summary_list(
                rx.foreach(state.answers, lambda row: cards.summary_row(row["label"], row["value"]))
            ),
            title="Что в заявке",
        ),
        cards.card(
            cards.summary_list(rx.foreach(state.papers, _paper_row)),
            title="Документы",
        ),
        when(state.case.may_withdraw, _withdrawal()),
        when(
            state.case.is_open & ~state.case.may_withdraw,
            cards.card(
                rx.el.p(
                    "Медорганизация уже начала осмотр, поэтому отозвать заявку нельзя. Прекратить "
                    "обработку данных можно, ",
                    links.link("отозвав согласие", CONSENT),
                    ".",
                ),
                title="Передумали?",
            ),
        ),
        class_name="e-body",
    )
    return frames.signed_in(
        _aloud(state.news),
        rx.cond(
            state.is_loaded,
            rx.cond(state.is_missing, _missing(), shown),
            cards.loading(),
        ),
        title=rx.fragment("Заявка ", rx.el.span(state.case.number, class_name="whitespace-nowrap")),
        menu=HOLDER_MENU,
        current=LIST,
        back=("Мои заявки", LIST),
        actions=when(state.is_loaded & ~state.is_missing, buttons.print_button()),
    )


def other_clinic() -> rx.Component:
    """Return the page on which another clinic is chosen for an application handed in."""
    state = CaseState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(
                state.is_missing,
                _missing(),
                rx.cond(
                    state.case.may_change_clinic,
                    rx.el.div(
                        when(
                            state.has_clinic,
                            cards.card(clinic_facts(state.clinic), title="Сейчас выбрана"),
                        ),
                        clinic_search(state.choose_clinic, state.clinic_id),
                        class_name="e-body",
                    ),
                    cards.empty_state(
                        "Сменить медорганизацию уже нельзя",
                        "Осмотр начался или заявка завершена.",
                        buttons.button_link("К заявке", state.case.href),
                    ),
                ),
            ),
            cards.loading(),
        ),
        title="Другая медорганизация",
        lead="Прежняя организация вашу заявку больше не увидит.",
        menu=HOLDER_MENU,
        current=LIST,
        back=("К заявке", state.case.href),
    )


def _conditions() -> rx.Component:
    found = ApplicationsState
    return cards.card(
        rx.el.div(
            forms.search_box(
                "Номер, медорганизация или профессия",
                "application",
                default_value=found.query,
                on_change=found.seek.debounce(250),
            ),
            forms.field_row(
                forms.select_field(
                    "Показать",
                    "group",
                    found.groups,
                    default_value=found.group,
                    on_change=found.choose_group,
                    placeholder="",
                ),
                forms.select_field(
                    "Порядок",
                    "order",
                    [(order.value, name) for order, name in ORDERS.items()],
                    default_value=found.order,
                    on_change=found.choose_order,
                    placeholder="",
                ),
            ),
            class_name="e-form",
            key=found.revision,
        ),
        rx.el.p(found.found, role="status", class_name="e-muted"),
    )


def _welcome() -> rx.Component:
    return cards.card(
        cards.prose(
            rx.el.p("Заявка занимает около десяти минут. Понадобятся паспорт, СНИЛС и полис ОМС."),
            rx.el.ol(
                rx.el.li("Заполните данные и приложите сканы документов."),
                rx.el.li("Выберите медорганизацию и пройдите в ней осмотр: он очный."),
                rx.el.li(
                    "Получите книжку в кабинете: на это уходит от 3 до 7 рабочих дней. "
                    "Работодателю её можно показать QR-кодом."
                ),
            ),
        ),
        buttons.actions(buttons.button_link("Оформить книжку", ENTRY)),
        title="Оформите электронную медкнижку",
    )


def _begin_again() -> rx.Component:
    return cards.empty_state(
        "Сейчас ничего не оформляется",
        "Начните новую заявку, когда понадобится книжка.",
        buttons.button_link("Оформить книжку", ENTRY),
    )


def _draft_card() -> rx.Component:
    draft: Any = DashboardState.draft
    return cards.card(
        rx.el.p("Заявка ", rx.el.b(draft["number"], class_name="e-number"), " не отправлена."),
        rx.el.p(draft["step"], ". ", draft["saved"], ".", class_name="e-muted"),
        when(given(draft["kept"]), rx.el.p(draft["kept"], ".", class_name="e-muted")),
        buttons.actions(
            buttons.button_link("Продолжить", draft["href"], icon="arrow-right"),
            dialogs.dialog_button("Удалить", "discard", kind="quiet", icon="trash"),
        ),
        dialogs.confirm_dialog(
            "discard",
            "Удалить черновик?",
            "Всё, что вы заполнили и приложили, будет удалено без следа. Вернуть это нельзя.",
            confirm="Удалить черновик",
            on_confirm=DashboardState.discard,
        ),
        title="Черновик",
        actions=badge("Не отправлена"),
    )


def _book_card() -> rx.Component:
    state, book = DashboardState, cast("Any", DashboardState.book)
    return cards.card(
        cards.stats(
            cards.stat("Номер", book["number"]),
            cards.stat(book["term"], book["until"], hint=book["left"]),
        ),
        rx.cond(
            book["awaits_receipt"],
            rx.el.div(
                rx.el.p("Подтвердите получение, и книжкой можно будет пользоваться."),
                buttons.actions(buttons.button_link("Получить книжку", "/cabinet/book")),
                class_name="grid gap-3",
            ),
            buttons.actions(
                buttons.button_link("Открыть книжку", "/cabinet/book"),
                when(
                    book["is_spent"] & ~state.has_draft & ~some(state.current),
                    buttons.button_link("Оформить новую", ENTRY, kind="secondary", icon="plus"),
                ),
            ),
        ),
        title="Медицинская книжка",
        actions=badge(book["status"], book["tone"]),
        tone=book["tone"],
    )


def _current_case(row: Any) -> rx.Component:
    return cards.card(
        rx.el.p(row["occupation"], " · ", row["clinic"], class_name="e-muted"),
        when(row["has_tracks"], _tracks(row)),
        rx.el.p(row["next"]),
        when(given(row["note"]), _note(row)),
        when(
            given(row["promise"]),
            rx.el.p(
                "Обещаем решение ",
                rx.el.b(row["promise"]),
                when(given(row["left"]), rx.fragment(": ", row["left"])),
                ".",
                class_name="e-muted",
            ),
        ),
        when(given(row["act_by"]), rx.el.p(row["act_by"])),
        _late(row),
        buttons.actions(
            rx.cond(
                row["needs_correction"],
                buttons.button_link("Исправить", row["href"]),
                buttons.button_link("Открыть заявку", row["href"], kind="secondary"),
            ),
            when(
                row["may_change_clinic"],
                buttons.button_link(
                    "Запись на осмотр", row["visits_href"], kind="secondary", icon="calendar"
                ),
            ),
            when(
                row["may_reapply"] & ~DashboardState.has_draft,
                buttons.button_link("Новая заявка", ENTRY, kind="secondary", icon="plus"),
            ),
        ),
        title="Заявка " + row["number"],
        actions=badge(row["status"], row["tone"]),
        tone=row["tone"],
    )


def _tracks(row: Any) -> rx.Component:
    return rx.el.div(
        track("Документы", row["papers_tone"], row["papers"]),
        track("Осмотр", row["examination_tone"], row["examination"]),
        class_name="e-tracks",
    )


def _late(row: Any) -> rx.Component:
    return when(
        row["is_late"],
        cards.notice(
            rx.el.p(rows.LATE),
            rx.el.p(links.link("Написать в поддержку", row["support_href"])),
            tone="waiting",
        ),
    )


def _note(row: Any) -> rx.Component:
    title = rx.cond(row["needs_correction"], "Что просит оператор", "Причина")
    return cards.notice(rx.el.p(row["note"]), title=title, tone=row["tone"])


def _status() -> rx.Component:
    row: Any = CaseState.case
    return cards.card(
        when(row["has_tracks"], _tracks(row)),
        rx.el.p(row["next"]),
        when(given(row["note"]), _note(row)),
        cards.summary_list(
            cards.summary_row("Отправлена", row["submitted"]),
            when(
                given(row["promise"]),
                cards.summary_row("Обещанный срок", row["promise"] + ", " + row["left"]),
            ),
        ),
        when(given(row["act_by"]), rx.el.p(row["act_by"])),
        _late(row),
        when(
            row["is_approved"],
            buttons.actions(buttons.button_link("Открыть книжку", "/cabinet/book")),
        ),
        when(
            row["may_reapply"],
            buttons.actions(
                buttons.primary_button("Подать заново на основе этой", CaseState.reapply)
            ),
        ),
        title="Статус",
        actions=badge(row["status"], row["tone"]),
        tone=row["tone"],
    )


def _correction() -> rx.Component:
    state = CaseState
    fields = [when(state.asks[field.value], answer(field, state)) for field in Field]
    scans = [when(state.asks[scan_control(kind)], scan_field(kind, state)) for kind in ScanKind]
    return cards.card(
        forms.error_summary(state.summary),
        forms.form(
            *fields,
            *scans,
            forms.textarea_field(
                "Ответ оператору",
                "reply",
                rows=3,
                required=False,
                hint="Если нужно что-то пояснить.",
                max_length=500,
            ),
            buttons.actions(
                buttons.primary_button(
                    "Отправить исправления",
                    type="submit",
                    busy=state.busy,
                    busy_text="Отправляем…",
                )
            ),
            on_submit=state.correct,
        ),
        title="Исправьте и отправьте снова",
    )


def _withdrawal() -> rx.Component:
    return cards.card(
        rx.el.p("Отозвать заявку можно, пока медорганизация не начала осмотр."),
        buttons.actions(dialogs.dialog_button("Отозвать заявку", "withdraw", kind="secondary")),
        dialogs.confirm_dialog(
            "withdraw",
            "Отозвать заявку?",
            "Проверка остановится, и вернуть эту заявку будет нельзя. Новую можно подать на "
            "основе этой.",
            confirm="Отозвать заявку",
            on_confirm=CaseState.withdraw,
        ),
        title="Передумали?",
    )


def _roads() -> rx.Component:
    """Both tracks side by side, and the book in which they end."""
    state = CaseState

    def road(title: str, steps: Any) -> rx.Component:
        return rx.el.div(
            rx.el.h3(title, class_name="font-semibold mb-3"),
            timeline(rx.foreach(steps, _road_step)),
        )

    return cards.card(
        rx.el.div(
            road("Документы", state.papers_steps),
            road("Осмотр", state.examination_steps),
            class_name="grid gap-6 md:grid-cols-2 items-start",
        ),
        timeline(_road_step(state.book_step)),
        title="Ход заявки",
    )


def _road_step(step: Any) -> rx.Component:
    return timeline_entry(
        step["title"],
        rx.cond(given(step["by"]), "сейчас: " + step["by"].to(str), step["at"]),
        tone=step["tone"],
        current=step["is_current"],
    )


def _missing() -> rx.Component:
    return cards.empty_state(
        "Такой заявки у вас нет",
        "Проверьте номер или откройте заявку из списка.",
        buttons.button_link("Мои заявки", LIST),
        icon_name="search",
    )


def _aloud(news: Any) -> rx.Component:
    """Read aloud what those who see notice by its colour."""
    return rx.el.p(news, role="status", class_name="e-hidden")


def _event(event: Any, position: Any) -> rx.Component:
    return timeline_entry(
        event["title"],
        event["at"],
        text=event["text"],
        by=event["by"],
        tone=event["tone"],
        current=position == 0,
        key=event["key"],
    )


def _check(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.b(row["title"]),
            when(given(row["text"]), rx.el.p(row["text"], class_name="e-muted")),
        ),
        badge(row["word"], row["tone"]),
        class_name="e-track",
        key=row["title"],
    )


def _paper_row(row: Any) -> rx.Component:
    return cards.summary_row(
        row["label"],
        rx.cond(
            given(row["name"]),
            rx.el.span(
                links.plain_link(row["name"], row["preview_url"], target="_blank", rel="noopener"),
                rx.el.span(" ", row["details"], class_name="e-muted"),
            ),
            rx.el.span("Нет скана", class_name="e-muted"),
        ),
    )


PAGES: Final = (
    Page("/cabinet", "Личный кабинет", dashboard, (PersonState.load, DashboardState.follow)),
    Page(
        LIST,
        "Мои заявки",
        applications,
        (PersonState.load, DashboardState.follow, ApplicationsState.follow),
    ),
    Page(
        LIST + "/[number_arg]",
        "Заявка",
        case,
        (
            PersonState.load,
            OccupationsState.load,
            CaseState.open,
            CaseState.follow,
            MyExaminationState.follow,
        ),
    ),
    Page(
        LIST + "/[number_arg]/clinic",
        "Другая медорганизация",
        other_clinic,
        (PersonState.load, CaseState.open, CaseState.begin_search, CaseState.follow),
    ),
)
