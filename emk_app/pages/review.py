"""The operators' desk: the queue, and an application with its papers beside its fields."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, forms, tables
from emk_app.components.badges import badge, track
from emk_app.components.buttons import Shortcut
from emk_app.components.dialogs import (
    close_button,
    confirm_dialog,
    dialog,
    dialog_button,
    words_id,
)
from emk_app.components.links import link, plain_link
from emk_app.components.markup import fixed_id
from emk_app.components.tables import data_table
from emk_app.components.timeline import timeline, timeline_entry
from emk_app.components.viewer import show_button, viewer
from emk_app.pages import esignature, frames
from emk_app.pages.menus import OPERATOR_MENU
from emk_app.pages.table import Page
from emk_app.presenting import reviews as rows
from emk_app.states.review import QueueState, ReviewState
from emk_app.states.session import PersonState

REJECT: Final = "reject"
ASK: Final = "ask"
APPROVE: Final = "approve"
RELEASE: Final = "release"
REVERSE: Final = "reverse"
CONFIRM_REVERSAL: Final = "confirm-reversal"
DECLINE_REVERSAL: Final = "decline-reversal"
KEYS: Final = "keys"

TAKE_KEY: Final = Shortcut("KeyD", "В")
NEXT_KEY: Final = Shortcut("KeyC", "С")
APPROVE_KEY: Final = Shortcut("KeyJ", "О")
ASK_KEY: Final = Shortcut("KeyE", "У")
REJECT_KEY: Final = Shortcut("KeyY", "Н")
HELP_KEY: Final = Shortcut("?", "?")


def queue() -> rx.Component:
    """Return the queue."""
    state = QueueState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.fragment(
                rx.el.div(
                    _search(),
                    buttons.actions(
                        buttons.primary_button(
                            "Взять следующую",
                            state.take_next,
                            icon="arrow-right",
                            shortcut=NEXT_KEY,
                        ),
                        dialog_button("Клавиши", KEYS, kind="quiet", shortcut=HELP_KEY),
                    ),
                    class_name="flex flex-wrap items-end justify-between gap-4",
                ),
                rx.el.div(
                    rx.foreach(state.parts, _part),
                    role="group",
                    class_name="e-tabs",
                    custom_attrs={"aria-label": "Что показать"},
                ),
                data_table(
                    ["Номер", "Профессия", "Подана", "Срок", "Автопроверка", "У кого"],
                    state.rows,
                    _queue_cells,
                    caption="Заявки, документы которых ждут проверки, сначала самые давние",
                    key=lambda row: row.href,
                    empty=cards.empty_state(state.empty_title, state.empty_text, icon_name="check"),
                ),
                rx.cond(
                    state.pages > 1,
                    tables.pager(
                        state.page,
                        state.pages,
                        on_page=lambda page: state.turn(page),
                        label="Страницы очереди",
                    ),
                ),
            ),
            cards.loading("Загружаем очередь…", lines=6),
        ),
        _keys_dialog(),
        title="Проверка документов",
        lead="Сначала самые давние. Список обновляется сам.",
        menu=OPERATOR_MENU,
        current="/review",
        wide=True,
    )


def case() -> rx.Component:
    """Return the page of one application."""
    shown = ReviewState.case
    return frames.signed_in(
        rx.cond(
            ReviewState.is_missing,
            cards.empty_state(
                "Такой заявки нет",
                "Владелец мог её отозвать, или в номере опечатка.",
                buttons.button_link("К очереди", "/review", kind="secondary"),
                icon_name="search",
            ),
            rx.cond(shown.number != "", _case(), cards.loading("Открываем заявку…", lines=8)),
        ),
        _keys_dialog(),
        title=rx.cond(shown.number != "", shown.number, "Заявка"),
        menu=OPERATOR_MENU,
        current="/review",
        back=("К очереди", "/review"),
        wide=True,
    )


def _search() -> rx.Component:
    return forms.form(
        rx.el.div(
            forms.text_field(
                "Найти по номеру или его части", "search", type="search", max_length=40
            ),
            buttons.secondary_button("Найти", type="submit", icon="search"),
            class_name="e-search",
        ),
        on_submit=QueueState.find,
        reset_on_submit=False,
        class_name="min-w-0 flex-1 basis-96 max-w-2xl",
        role="search",
    )


def _part(row: Any) -> rx.Component:
    return rx.el.button(
        rx.el.span(row.label),
        rx.el.span(row.count, class_name="e-count", custom_attrs={"data-tone": row.tone}),
        type="button",
        on_click=QueueState.choose_part(row.part),
        key=row.part,
        class_name="e-tab",
        custom_attrs={"aria-pressed": rx.cond(row.is_current, "true", "false")},
    )


def _queue_cells(row: Any) -> list[Any]:
    return [
        link(row.number, row.href, "e-link e-number whitespace-nowrap"),
        row.occupation,
        row.submitted,
        rx.cond(
            row.due_tone == "neutral",
            rx.el.span(row.due),
            badge(row.due, row.due_tone),
        ),
        badge(row.checks, row.checks_tone),
        badge(row.holder, row.holder_tone),
    ]


def _case() -> rx.Component:
    shown = ReviewState.case
    return rx.fragment(
        rx.cond(
            shown.notice != "",
            cards.notice(rx.el.p(shown.notice), tone=shown.notice_tone),
        ),
        _wish(),
        rx.el.div(
            rx.el.div(_papers(), class_name="e-beside-stays"),
            rx.el.div(
                _answers(),
                _checks(),
                _signature(),
                _facts(),
                _history(),
                class_name="grid min-w-0 gap-8",
            ),
            class_name="e-beside",
        ),
        _acts(),
        rx.cond(shown.may_decide, _dialogs()),
        rx.cond(shown.may_ask_reversal, _reverse_dialog()),
        rx.cond(ReviewState.reversal.may_answer, _answer_dialogs()),
    )


def _wish() -> rx.Component:
    wish = ReviewState.reversal
    return rx.cond(
        wish.title != "",
        cards.notice(
            rx.el.p(wish.by),
            rx.el.p(wish.reason, class_name="my-2"),
            rx.cond(
                wish.may_answer,
                buttons.actions(
                    dialog_button("Отменить решение", CONFIRM_REVERSAL, kind="primary"),
                    dialog_button("Оставить в силе", DECLINE_REVERSAL),
                ),
                rx.el.p("Ответить должен другой оператор."),
            ),
            title=wish.title,
            tone="waiting",
        ),
    )


def _history() -> rx.Component:
    return cards.section(
        "История",
        timeline(
            rx.foreach(
                ReviewState.history,
                lambda event: timeline_entry(
                    event.title,
                    event.at,
                    text=event.text,
                    by=event.by,
                    tone=event.tone,
                    key=event.key,
                ),
            )
        ),
    )


def _acts() -> rx.Component:
    """Set what can be done at the lower edge of the window, always within reach."""
    shown = ReviewState.case
    return rx.el.div(
        rx.cond(
            shown.may_take,
            buttons.primary_button(
                "Взять в работу", ReviewState.take, icon="person", shortcut=TAKE_KEY
            ),
        ),
        rx.cond(
            shown.may_decide,
            rx.fragment(
                dialog_button(
                    "Одобрить документы",
                    APPROVE,
                    kind="primary",
                    icon="check",
                    shortcut=APPROVE_KEY,
                ),
                dialog_button("Запросить уточнение", ASK, icon="edit", shortcut=ASK_KEY),
                dialog_button("Отклонить", REJECT, icon="cross", shortcut=REJECT_KEY),
                dialog_button("Вернуть в очередь", RELEASE, kind="quiet"),
            ),
        ),
        rx.cond(shown.may_ask_reversal, dialog_button("Отменить решение", REVERSE, icon="refresh")),
        rx.cond(
            ~shown.may_decide,
            buttons.secondary_button(
                "Взять следующую", ReviewState.take_next, icon="arrow-right", shortcut=NEXT_KEY
            ),
        ),
        dialog_button("Клавиши", KEYS, kind="quiet", shortcut=HELP_KEY),
        role="group",
        class_name="e-acts",
        custom_attrs={"aria-label": "Решение"},
    )


def _papers() -> rx.Component:
    return cards.section(
        "Сканы",
        rx.cond(
            ReviewState.papers.length() > 0,
            rx.fragment(
                viewer(ReviewState.papers),
                rx.el.ul(rx.foreach(ReviewState.papers, _paper_note), class_name="mt-3 grid gap-1"),
            ),
            rx.el.p("Сканов нет.", class_name="e-muted"),
        ),
    )


def _paper_note(paper: Any) -> rx.Component:
    return rx.el.li(
        rx.el.b(paper.label),
        ": ",
        plain_link(paper.details, paper.file_url, custom_attrs={"download": True}),
        rx.cond(
            paper.warning != "", rx.el.span(" ", badge("качество", "waiting"), " ", paper.warning)
        ),
        key=paper.ref,
        class_name="e-hint",
    )


def _wide_dialog(name: Any, title: Any, *children: Any) -> rx.Component:
    """Return a window as wide as the screen allows: for long lists."""
    heading = fixed_id(words_id(name, "title"))
    return rx.el.dialog(
        rx.el.div(rx.el.h2(title, id=heading), *children, class_name="e-dialog-body"),
        id=fixed_id(name),
        class_name="e-dialog !w-full !max-w-[min(96vw,72rem)]",
        custom_attrs={"aria-labelledby": heading},
    )


def _answers() -> rx.Component:
    return cards.section(
        "Заявка",
        rx.cond(
            ReviewState.answers.length() > 0,
            cards.summary_list(rx.foreach(ReviewState.answers, _answer)),
            rx.el.p("Владелец сейчас исправляет заявку.", class_name="e-muted"),
        ),
    )


def _answer(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.dt(row.label),
        rx.el.dd(row.value, class_name="e-copyable"),
        rx.cond(row.paper != "", rx.el.dd(show_button(row.paper, row.paper_label, row.label))),
        key=row.name,
    )


def _checks() -> rx.Component:
    return cards.section(
        "Автоматическая проверка",
        rx.cond(
            ReviewState.checks.length() > 0,
            rx.el.ul(
                rx.foreach(
                    ReviewState.checks,
                    lambda check: rx.el.li(
                        rx.el.div(
                            rx.el.span(check.title, class_name="font-semibold"),
                            badge(check.word, check.tone),
                            class_name="flex flex-wrap items-center justify-between gap-2",
                        ),
                        rx.cond(check.text != "", rx.el.p(check.text, class_name="e-hint")),
                        rx.cond(
                            check.sides.length() > 0,
                            rx.el.dl(
                                rx.foreach(check.sides, _side),
                                class_name="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1",
                            ),
                        ),
                        rx.cond(
                            check.paper != "",
                            show_button(check.paper, check.paper_label, check.title),
                        ),
                        class_name="border-b border-[var(--line)] py-3 last:border-0",
                    ),
                )
            ),
            rx.el.p("Проверка ещё идёт.", class_name="e-muted"),
        ),
    )


def _signature() -> rx.Component:
    shown = ReviewState.signature
    return rx.cond(
        shown.word != "",
        cards.section("Электронная подпись", esignature.signature(shown)),
    )


def _side(side: Any) -> rx.Component:
    return rx.fragment(
        rx.el.dt(side[0], class_name="e-muted"),
        rx.el.dd(side[1], class_name="min-w-0 font-mono [overflow-wrap:anywhere]"),
    )


def _facts() -> rx.Component:
    shown = ReviewState.case
    return cards.section(
        "Ход заявки",
        rx.el.div(
            track("Статус", shown.tone, shown.status),
            track("Документы", shown.papers_tone, shown.papers),
            track("Осмотр", shown.examination_tone, shown.examination),
            class_name="mb-4",
        ),
        cards.summary_list(
            cards.summary_row("Подана", shown.submitted),
            cards.summary_row("В работе", shown.waits),
            rx.cond(
                shown.due != "",
                cards.summary_row(
                    "Проверить документы",
                    rx.cond(
                        shown.due_tone == "neutral",
                        rx.el.span(shown.due),
                        badge(shown.due, shown.due_tone),
                    ),
                ),
            ),
            cards.summary_row("Медорганизация", shown.clinic),
            rx.cond(shown.asked != "", cards.summary_row("Исправить", shown.asked)),
            rx.cond(
                shown.note != "",
                cards.summary_row(
                    shown.note_title, rx.el.span(shown.note, class_name="whitespace-pre-line")
                ),
            ),
        ),
    )


def _dialogs() -> rx.Component:
    errors = ReviewState.errors
    return rx.fragment(
        confirm_dialog(
            APPROVE,
            "Одобрить документы?",
            "Вы сверили сканы с заявкой, и всё сходится. Если осмотр уже пройден, книжка "
            "оформится сразу.",
            confirm="Одобрить документы",
            on_confirm=ReviewState.approve,
            busy=ReviewState.busy,
            danger=False,
        ),
        confirm_dialog(
            RELEASE,
            "Вернуть заявку в очередь?",
            "Её сможет взять любой оператор.",
            confirm="Вернуть в очередь",
            on_confirm=ReviewState.release,
            danger=False,
        ),
        dialog(
            REJECT,
            "Отклонить заявку",
            forms.form(
                forms.select_field(
                    "Причина",
                    "ground",
                    [(code, name) for code, name in rows.GROUND_OPTIONS],
                    # Not held to the state: an answer on its way would undo the next key.
                    default_value="",
                    on_change=ReviewState.choose_ground,
                    placeholder="Выберите причину",
                    error=errors["ground"],
                ),
                forms.textarea_field(
                    "Пояснение для владельца",
                    "note",
                    hint="Напишите, что именно не так.",
                    error=errors["note"],
                    rows=3,
                    required=False,
                ),
                _preview(
                    rx.el.span(ReviewState.ground_text),
                    " ",
                    rx.el.span(custom_attrs={"data-mirror": "note"}),
                ),
                buttons.actions(
                    buttons.danger_button("Отклонить заявку", type="submit", busy=ReviewState.busy),
                    close_button(kind="secondary"),
                ),
                on_submit=ReviewState.reject,
            ),
        ),
        _wide_dialog(
            ASK,
            "Запросить уточнение",
            forms.form(
                forms.error_summary(ReviewState.summary),
                _ticks("Что исправить в заявке", rows.QUESTIONS, rows.FIELD_REASONS),
                _ticks("Какие документы прислать заново", rows.PAPER_QUESTIONS, rows.PAPER_REASONS),
                forms.textarea_field(
                    "Вопрос владельцу",
                    "question",
                    hint="Своими словами: что не так и что сделать. Можно не писать, если готовых "
                    "вопросов хватает.",
                    error=errors["question"],
                    rows=3,
                    required=False,
                ),
                buttons.actions(
                    buttons.primary_button(
                        "Отправить вопрос", type="submit", busy=ReviewState.busy
                    ),
                    close_button(kind="secondary"),
                ),
                on_submit=ReviewState.ask,
            ),
        ),
    )


def _preview(*parts: Any) -> rx.Component:
    return rx.el.div(
        rx.el.b("Владелец прочитает"),
        rx.el.p(*parts),
        class_name="e-quote",
        custom_attrs={"aria-live": "polite"},
    )


def _ticks(
    legend: str, questions: tuple[rows.Question, ...], reasons: list[tuple[str, str]]
) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="e-legend"),
        rx.el.div(
            *(_tick(each, reasons) for each in questions),
            class_name="grid gap-x-8 sm:grid-cols-2 lg:grid-cols-3",
        ),
    )


def _tick(question: rows.Question, reasons: list[tuple[str, str]]) -> rx.Component:
    """Offer one thing to ask about; what is wrong with it is asked once it is ticked."""
    return rx.el.div(
        forms.checkbox_field(question.label, f"ask_{question.name}"),
        rx.el.div(
            rx.el.select(
                rx.el.option("Напишу ниже", value=""),
                *(rx.el.option(name, value=code) for code, name in reasons),
                name=f"why_{question.name}",
                default_value=reasons[0][0],
                class_name="input e-select",
                custom_attrs={"aria-label": f"Что не так: {question.label}"},
            ),
            class_name="e-why",
        ),
    )


def _reverse_dialog() -> rx.Component:
    return dialog(
        REVERSE,
        "Отменить решение",
        rx.el.p(
            "Решение отменится, только если согласится другой оператор. Тогда документы вернутся в "
            "очередь, а владелец узнает, что решение пересматривают."
        ),
        forms.form(
            forms.textarea_field(
                "Почему",
                "reason",
                hint="Прочитает только коллега.",
                error=ReviewState.errors["reason"],
                rows=3,
            ),
            buttons.actions(
                buttons.danger_button("Попросить об отмене", type="submit"),
                close_button(kind="secondary"),
            ),
            on_submit=ReviewState.ask_reversal,
        ),
    )


def _answer_dialogs() -> rx.Component:
    return rx.fragment(
        confirm_dialog(
            CONFIRM_REVERSAL,
            "Отменить решение?",
            "Документы вернутся в очередь, и решать по ним будут заново. Владелец узнает об этом.",
            confirm="Отменить решение",
            on_confirm=ReviewState.confirm_reversal,
            cancel="Закрыть",
        ),
        confirm_dialog(
            DECLINE_REVERSAL,
            "Оставить решение в силе?",
            "Коллега увидит ваш ответ в истории. Владелец о просьбе не узнает.",
            confirm="Оставить в силе",
            on_confirm=ReviewState.decline_reversal,
            danger=False,
        ),
    )


def _keys_dialog() -> rx.Component:
    return dialog(
        KEYS,
        "Горячие клавиши",
        rx.el.dl(
            *(
                rx.el.div(
                    rx.el.dt(rx.el.kbd(key, class_name="e-kbd")),
                    rx.el.dd(what),
                )
                for key, what in rows.SHORTCUTS
            ),
            class_name="e-keys",
        ),
        rx.el.p(
            "Клавиши молчат, пока вы печатаете или открыто окно. Решение всегда нужно подтвердить.",
            class_name="e-hint",
        ),
        rx.el.label(
            rx.el.input(
                type="checkbox",
                default_checked=True,
                class_name="checkbox",
                custom_attrs={"data-keys-switch": ""},
            ),
            rx.el.span("Включить горячие клавиши на этом компьютере"),
            class_name="e-check",
        ),
        actions=(close_button("Закрыть", kind="secondary"),),
    )


PAGES: Final = (
    Page(
        "/review",
        "Проверка документов",
        queue,
        (PersonState.load, QueueState.open, QueueState.follow),
    ),
    Page(
        "/review/[number_arg]",
        "Заявка на проверке",
        case,
        (PersonState.load, ReviewState.open, ReviewState.follow),
    ),
)
