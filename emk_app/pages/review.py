"""The operators' desk: the queue, and an application with its papers beside its fields."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, forms
from emk_app.components.badges import badge, track
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


def queue() -> rx.Component:
    """Return the queue."""
    figures = QueueState.figures
    return frames.signed_in(
        rx.cond(
            QueueState.is_loaded,
            rx.fragment(
                cards.stats(
                    cards.stat("В очереди", figures.total),
                    cards.stat("Свободны", figures.free),
                    cards.stat("У вас", figures.mine),
                    cards.stat("Сверх срока", figures.late, tone=figures.late_tone),
                ),
                data_table(
                    [
                        "Номер",
                        "Профессия",
                        "Подана",
                        "В работе",
                        "Автопроверка",
                        "У кого",
                    ],
                    QueueState.rows,
                    _queue_cells,
                    caption="Заявки, документы которых ждут проверки, сначала самые давние",
                    key=lambda row: row.href,
                    empty=cards.empty_state(
                        "Очередь пуста", "Новые заявки появятся здесь сами.", icon_name="check"
                    ),
                ),
                rx.cond(figures.rest != "", rx.el.p(figures.rest, class_name="e-hint")),
            ),
            cards.loading("Загружаем очередь…", lines=6),
        ),
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
        title=rx.cond(shown.number != "", shown.number, "Заявка"),
        menu=OPERATOR_MENU,
        current="/review",
        back=("К очереди", "/review"),
        wide=True,
    )


def _queue_cells(row: Any) -> list[Any]:
    return [
        link(row.number, row.href, "e-link e-number whitespace-nowrap"),
        row.occupation,
        row.submitted,
        rx.cond(
            row.waits_tone == "danger",
            badge(row.waits, row.waits_tone),
            rx.el.span(row.waits),
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
        _acts(),
        rx.el.div(
            rx.el.div(_papers(), class_name="min-w-0"),
            rx.el.div(
                _answers(), _checks(), _signature(), class_name="grid min-w-0 content-start gap-8"
            ),
            class_name="grid gap-8 lg:grid-cols-2",
        ),
        rx.el.div(
            rx.el.div(_facts(), class_name="min-w-0"),
            rx.el.div(_history(), class_name="min-w-0"),
            class_name="grid gap-8 lg:grid-cols-2",
        ),
        rx.cond(shown.may_decide, _dialogs()),
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
    shown = ReviewState.case
    return rx.fragment(
        rx.cond(
            shown.may_take,
            buttons.actions(
                buttons.primary_button("Взять в работу", ReviewState.take, icon="person")
            ),
        ),
        rx.cond(
            shown.may_decide,
            buttons.actions(
                dialog_button("Одобрить документы", APPROVE, kind="primary", icon="check"),
                dialog_button("Запросить уточнение", ASK, icon="edit"),
                dialog_button("Отклонить", REJECT, icon="cross"),
                dialog_button("Вернуть в очередь", RELEASE, kind="quiet"),
            ),
        ),
    )


def _papers() -> rx.Component:
    return cards.section(
        "Сканы",
        rx.cond(
            ReviewState.papers.length() > 0,
            rx.el.div(rx.foreach(ReviewState.papers, _paper), class_name="grid gap-6"),
            rx.el.p("Сканов нет.", class_name="e-muted"),
        ),
    )


def _paper(paper: Any) -> rx.Component:
    return rx.el.figure(
        rx.el.figcaption(
            rx.el.b(paper.label),
            rx.el.span(paper.details, class_name="e-muted"),
            class_name="flex flex-wrap items-baseline gap-x-3",
        ),
        rx.cond(
            paper.warning != "",
            rx.el.p(badge("качество", "waiting"), " ", paper.warning, class_name="e-hint mt-1"),
        ),
        rx.el.button(
            rx.el.img(
                src=paper.preview_url,
                alt=f"Скан: {paper.label}. Увеличить",
                class_name="block max-h-[32rem] w-full object-contain",
            ),
            type="button",
            class_name=(
                "mt-2 block w-full cursor-zoom-in overflow-hidden rounded-lg border "
                "border-[var(--line)] bg-[var(--neutral-tint)]"
            ),
            custom_attrs={"data-dialog-open": paper.dialog, "aria-haspopup": "dialog"},
        ),
        _wide_dialog(
            paper.dialog,
            paper.label,
            buttons.actions(
                close_button("Закрыть", kind="secondary"),
                plain_link(
                    "Скачать файл целиком",
                    paper.file_url,
                    "btn btn-ghost",
                    custom_attrs={"download": True},
                ),
            ),
            rx.el.div(
                rx.foreach(
                    paper.pages,
                    lambda address, position: rx.el.img(
                        src=address,
                        alt=f"{paper.label}, страница {position + 1}",
                        loading="lazy",
                        class_name="mb-4 block w-full",
                    ),
                ),
                class_name="bg-[var(--neutral-tint)]",
            ),
        ),
        key=paper.ref,
        class_name="min-w-0",
    )


def _wide_dialog(name: Any, title: Any, *children: Any) -> rx.Component:
    """Return a window as wide as the screen allows: for pictures, and for long lists."""
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
            cards.summary_list(
                rx.foreach(ReviewState.answers, lambda row: cards.summary_row(row.label, row.value))
            ),
            rx.el.p("Владелец сейчас исправляет заявку.", class_name="e-muted"),
        ),
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
            cards.summary_row("Медорганизация", shown.clinic),
            rx.cond(shown.asked != "", cards.summary_row("Исправить", shown.asked)),
            rx.cond(shown.note != "", cards.summary_row(shown.note_title, shown.note)),
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
                    value=ReviewState.ground,
                    on_change=ReviewState.choose_ground,
                    placeholder="Выберите причину",
                    error=errors["ground"],
                ),
                forms.textarea_field(
                    "Пояснение для владельца",
                    "note",
                    hint="Он прочитает причину и это пояснение. Напишите, что именно не так.",
                    error=errors["note"],
                    rows=3,
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
                _ticks("Что исправить в заявке", rows.QUESTIONS),
                _ticks("Какие документы прислать заново", rows.PAPER_QUESTIONS),
                forms.textarea_field(
                    "Вопрос владельцу",
                    "question",
                    hint="Коротко и понятно: что не так и что сделать.",
                    error=errors["question"],
                    rows=3,
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


def _ticks(legend: str, questions: tuple[rows.Question, ...]) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="e-legend"),
        rx.el.div(
            *(forms.checkbox_field(each.label, f"ask_{each.name}") for each in questions),
            class_name="grid gap-x-8 sm:grid-cols-2 lg:grid-cols-3",
        ),
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
