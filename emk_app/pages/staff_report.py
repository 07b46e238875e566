"""The report on an employer's staff: tables, charts, and a sheet to print."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, charts, forms, links
from emk_app.components.markup import given, when
from emk_app.components.tables import Column, data_table
from emk_app.pages import frames
from emk_app.pages.menus import EMPLOYER_MENU
from emk_app.pages.table import Page
from emk_app.presenting import staff_reports as rows
from emk_app.states.employer import EMPLOYER
from emk_app.states.session import PersonState
from emk_app.states.staff_report import REPORT, StaffReportState

TITLE: Final = "Сводка"


def staff_report() -> rx.Component:
    """Return the page of the report."""
    state = StaffReportState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(given(state.organisation), _report(), _nothing()),
            cards.loading("Считаем…", lines=6),
        ),
        title=TITLE,
        lead="Сколько сотрудников допущено и когда закончатся сроки: по группам работ и "
        "подразделениям.",
        menu=EMPLOYER_MENU,
        current=REPORT,
        wide=True,
    )


def _nothing() -> rx.Component:
    return cards.empty_state(
        "Организации пока нет",
        rx.el.span("Сначала заведите её на странице ", links.link("«Сотрудники»", EMPLOYER), "."),
        icon_name="person",
    )


def _report() -> rx.Component:
    state = StaffReportState
    report: Any = state.report
    parts = rx.el.div(
        cards.stats(
            rx.foreach(
                report.counts,
                lambda each: cards.stat(each.text, each.number, hint=each.share, tone=each.tone),
            )
        ),
        _due(report),
        _shares(
            report.groups,
            "groups",
            "По группам работ",
            "Группа",
            "Группа берётся из вашего списка, а где работа не указана, из книжки.",
        ),
        _shares(report.departments, "departments", "По подразделениям", "Подразделение"),
        _gaps(report),
        class_name="e-body",
    )
    return rx.el.div(
        rx.el.p(rx.el.b(state.organisation), class_name="break-words"),
        _filters(),
        rx.el.p(report.counted, role="status", class_name="e-muted"),
        rx.cond(
            report.is_empty,
            cards.empty_state(
                "Считать пока некого",
                rx.el.span(
                    "Добавьте людей на странице ", links.link("«Сотрудники»", EMPLOYER), "."
                ),
                icon_name="person",
            ),
            parts,
        ),
        class_name="e-body",
    )


def _filters() -> rx.Component:
    state = StaffReportState
    return rx.el.div(
        rx.el.div(
            forms.field_row(
                forms.select_field(
                    "Подразделение",
                    "report_department",
                    state.departments,
                    value=state.department,
                    on_change=state.choose_department,
                    placeholder="Все",
                ),
                forms.select_field(
                    "Группа работ",
                    "report_group",
                    state.groups,
                    value=state.group,
                    on_change=state.choose_group,
                    placeholder="Все",
                ),
            ),
            buttons.actions(buttons.print_button("Распечатать сводку")),
            class_name="e-form e-screen",
        ),
        rx.el.p(
            when(given(state.department), rx.el.span("Подразделение: ", state.department, ". ")),
            when(given(state.group), rx.el.span("Группа работ: ", state.group, ".")),
            class_name="e-print",
        ),
    )


def _due(report: Any) -> rx.Component:
    return cards.section(
        "Когда закончатся сроки",
        rx.el.p(
            "Последний день книжки или первого из исследований, у тех, кто допущен сегодня.",
            class_name="e-muted",
        ),
        charts.columns_chart(
            "due", "Сколько сроков закончится по месяцам", report.due_told, report.columns
        ),
        rx.el.p(report.due_told),
        data_table(
            ["Месяц", Column("Закончится сроков", numeric=True)],
            report.due,
            lambda row: [row.month, row.people],
            caption="Сколько сроков закончится по месяцам",
            figures=True,
            key=lambda row: row.month,
            empty=rx.fragment(),
        ),
    )


def _shares(shares: Any, id: str, title: str, head: str, hint: str = "") -> rx.Component:
    return cards.section(
        title,
        *([rx.el.p(hint, class_name="e-muted")] if hint else []),
        charts.legend(rows.LEGEND),
        charts.shares_chart(
            id, f"Доля допущенных. {title}", shares.told, shares.height, shares.marks
        ),
        data_table(
            [
                head,
                Column("Всего", numeric=True),
                Column("Допущены", numeric=True),
                Column("Требуют внимания", numeric=True),
                Column("Нет допуска", numeric=True),
                Column("Не открыта", numeric=True),
            ],
            shares.lines,
            lambda row: [
                rx.el.span(row.name, class_name="break-words"),
                row.people,
                row.in_date,
                row.soon,
                row.red,
                row.grey,
            ],
            caption=title,
            figures=True,
            key=lambda row: row.name,
        ),
    )


def _gaps(report: Any) -> rx.Component:
    return cards.section(
        "Прививки",
        rx.el.p(rows.GAPS_ABOUT, class_name="e-prose"),
        rx.el.p(report.gaps_counted, class_name="e-muted"),
        data_table(
            ["Группа по книжкам", *(Column(each, numeric=True) for each in rows.GAP_HEADS)],
            report.gaps,
            lambda row: [
                rx.el.span(row.name, class_name="break-words"),
                *(_gap(row.cells[at]) for at in range(len(rows.GAP_HEADS))),
            ],
            caption="Сколько человек без прививки, из скольких",
            figures=True,
            show_caption=True,
            key=lambda row: row.name,
            empty=cards.empty_state(
                "Сводки по прививкам пока нет", rows.GAPS_NOTHING, icon_name="person"
            ),
        ),
    )


def _gap(said: Any) -> rx.Component:
    """Return a number, or a dash that is read out as what it means."""
    dash = rx.fragment(
        rx.el.span("—", aria_hidden="true", class_name="e-muted"),
        rx.el.span(rows.HIDDEN, class_name="e-hidden"),
    )
    return rx.el.span(rx.cond(said == rows.HIDDEN, dash, said), class_name="whitespace-nowrap")


PAGES: Final = (Page(REPORT, TITLE, staff_report, (PersonState.load, StaffReportState.follow)),)
