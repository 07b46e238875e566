"""The examination on the page of the holder's application."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components import buttons, cards, forms
from emk_app.components.badges import badge
from emk_app.components.markup import given, some, when
from emk_app.pages.attachments import paper
from emk_app.states.my_examination import MyExaminationState


def my_examination() -> rx.Component:
    """Return what is known of the examination so far; nothing before the clinic opens it."""
    state = MyExaminationState
    return rx.fragment(
        when(some(state.foreign), _foreign()),
        when(state.row.is_open, _made_here()),
    )


def _made_here() -> rx.Component:
    state = MyExaminationState
    return rx.fragment(
        when(some(state.conclusions), _conclusions()),
        when(state.row.may_appeal, _appeal_form()),
        when(given(state.row.appeal), _appeal()),
        _studies(),
        when(some(state.papers), _papers()),
        when(some(state.vaccinations), _vaccinations()),
    )


def _foreign() -> rx.Component:
    return cards.card(
        rx.el.p(
            "Их прислали другие медорганизации. Результаты, срок которых не вышел, врач может "
            "принять на осмотре вместо новых.",
            class_name="e-muted",
        ),
        rx.el.div(rx.foreach(MyExaminationState.foreign, _foreign_one), class_name="grid gap-8"),
        title="Заключения из других систем",
    )


def _foreign_one(row: Any) -> rx.Component:
    return rx.el.div(
        badge(row.fitness, row.tone),
        rx.el.p(rx.el.b(row.clinic), ", ", row.signed, class_name="my-2"),
        when(given(row.restrictions), rx.el.p("Ограничения: ", row.restrictions)),
        rx.el.details(
            rx.el.summary("Результаты", class_name="cursor-pointer py-3"),
            rx.foreach(
                row.lines,
                lambda line: rx.el.div(
                    rx.el.b(line.name),
                    rx.el.p(line.value, rx.el.span(" · ", line.made, class_name="e-muted")),
                    class_name="py-2",
                ),
            ),
        ),
        key=row.key,
    )


def _studies() -> rx.Component:
    state, row = MyExaminationState, MyExaminationState.row
    return cards.card(
        when(given(row.identity), rx.el.p(row.identity)),
        when(
            given(row.further),
            cards.notice(
                rx.el.p(row.further, "."),
                rx.el.p("Договоритесь с медорганизацией, когда прийти. Срок заявки пока стоит."),
                title="Назначено дополнительно",
                tone="waiting",
            ),
        ),
        when(
            given(row.progress),
            rx.el.div(
                rx.el.p(rx.el.b(row.progress), role="status"),
                rx.el.progress(
                    value=row.done,
                    max=row.required,
                    class_name="e-progress mt-2",
                    custom_attrs={"aria-label": "Сколько исследований готово"},
                ),
            ),
        ),
        rx.el.div(rx.foreach(state.studies, _study)),
        title="Осмотр",
    )


def _study(row: Any) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.b(row.name),
            when(
                given(row.value),
                rx.el.p(row.value, rx.el.span(" · ", row.made, class_name="e-muted")),
            ),
            when(given(row.by), rx.el.p(row.by, class_name="e-muted")),
        ),
        badge(row.mark, row.tone),
        class_name="e-track",
        key=row.code,
    )


def _vaccinations() -> rx.Component:
    return cards.card(
        rx.el.p(
            "По национальному календарю для вашей работы. Если вы прививались, покажите сертификат "
            "врачу на осмотре.",
            class_name="e-muted",
        ),
        rx.el.div(
            rx.foreach(
                MyExaminationState.vaccinations,
                lambda row: rx.el.div(
                    rx.el.div(
                        rx.el.b(row.name),
                        when(given(row.next), rx.el.p(row.next, class_name="e-muted")),
                    ),
                    badge(row.text, row.tone),
                    class_name="e-track",
                    key=row.code,
                ),
            )
        ),
        title="Прививки",
    )


def _papers() -> rx.Component:
    return cards.card(
        rx.el.p("Их видят вы и ваша медорганизация.", class_name="e-muted mb-4"),
        rx.el.ul(rx.foreach(MyExaminationState.papers, paper), class_name="grid gap-4"),
        title="Документы осмотра",
    )


def _conclusions() -> rx.Component:
    return cards.card(
        rx.el.div(rx.foreach(MyExaminationState.conclusions, _conclusion), class_name="grid gap-8"),
        when(
            given(MyExaminationState.exchange),
            rx.el.p(MyExaminationState.exchange, class_name="e-muted mt-4", role="status"),
        ),
        title="Заключение комиссии",
    )


def _conclusion(row: Any) -> rx.Component:
    return rx.el.div(
        badge(row.fitness, row.tone),
        rx.el.p(row.text, class_name="my-2"),
        cards.summary_list(
            when(given(row.restrictions), cards.summary_row("Ограничения", row.restrictions)),
            when(
                given(row.contraindications),
                cards.summary_row("Противопоказания", row.contraindications),
            ),
            when(given(row.until), cards.summary_row("Действуют", row.until)),
            when(given(row.note), cards.summary_row("Примечание", row.note)),
            cards.summary_row("Подписано", row.by),
        ),
        key=row.key,
    )


def _appeal_form() -> rx.Component:
    state, row = MyExaminationState, MyExaminationState.row
    return cards.card(
        rx.el.p(
            "Другой председатель комиссии рассмотрит результаты и примет вас ещё раз. Попросить об "
            "этом можно один раз, до ",
            rx.el.b(row.appeal_until),
            ".",
        ),
        when(
            ~some(state.commissions),
            cards.notice(
                rx.el.p(
                    "В вашем регионе сейчас нет другой комиссии. Напишите в поддержку: поможем её "
                    "найти."
                ),
                tone="waiting",
            ),
            _appeal_fields(),
        ),
        title="Не согласны с заключением?",
    )


def _appeal_fields() -> rx.Component:
    state = MyExaminationState
    return rx.el.div(
        forms.form(
            forms.select_field(
                "Кто рассмотрит",
                "commission",
                state.commissions,
                hint="Комиссия с другим председателем: в той же медорганизации или в другой.",
                error=state.commission_error,
            ),
            forms.textarea_field(
                "С чем вы не согласны",
                "reason",
                hint="Например, что изменилось с осмотра или какое обследование вы прошли.",
                error=state.appeal_error,
                rows=3,
                max_length=500,
            ),
            buttons.actions(
                buttons.button("Попросить вторую комиссию", type="submit", kind="secondary")
            ),
            on_submit=state.appeal,
        ),
        class_name="mt-4",
    )


def _appeal() -> rx.Component:
    row = MyExaminationState.row
    return cards.card(
        rx.el.p(row.appeal_reason),
        rx.el.p(row.appeal_where, class_name="e-muted"),
        title="Возражение",
        actions=badge(row.appeal, row.appeal_tone),
    )
