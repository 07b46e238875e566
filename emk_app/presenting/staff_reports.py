"""The report on the staff in words, tables and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from emk_app.domain.employing import Light
from emk_app.domain.gaps import COUNTED, FEWEST, Gap
from emk_app.domain.staff_reports import Tally, folded
from emk_app.presenting import charts
from emk_app.presenting.charts import ColumnMark, ShareMark
from emk_app.presenting.employing import LIGHTS, CountRow
from emk_app.presenting.formats import NBSP, counted, day, moment, plural
from emk_app.services.gap_counting import GapReport
from emk_app.services.staff_reports import Report

LINES_SHOWN: Final = 50
BARS_SHOWN: Final = 12
UNNAMED_GROUP: Final = "Работа не указана"
UNNAMED_DEPARTMENT: Final = "Без подразделения"
TONES: Final = {light: label.tone for light, label in LIGHTS.items()}
LEGEND: Final = [
    (TONES[Light.GREEN], "в порядке"),
    (TONES[Light.YELLOW], "срок истекает, или нужна новая ссылка"),
    (TONES[Light.RED], "нет допуска"),
    (TONES[Light.GREY], "книжка не открыта"),
]
GAP_HEADS: Final = [each.name for each in COUNTED]
HIDDEN: Final = "не показано"
GAPS_ABOUT: Final = (
    "Скольким сотрудникам не хватает прививки по национальному календарю. Считаем раз в месяц и "
    "только тех, кто сам разрешил; выбор подразделения и группы выше на эту часть не влияет. "
    f"Числа округлены до {FEWEST} в случайную сторону, а там, где меньше {FEWEST} человек без "
    "прививки или с ней, стоит прочерк: по сводке нельзя узнать, кто именно не привит."
)
GAPS_NOTHING: Final = (
    f"Она появится, когда учесть свои прививки разрешат хотя бы {2 * FEWEST} человек. Сотрудник "
    "разрешает это сам, в личном кабинете, в разделе «Работодатели»."
)
_MONTHS: Final = (
    *("январь", "февраль", "март", "апрель", "май", "июнь"),
    *("июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"),
)


@dataclass(frozen=True)
class LineRow:
    """One group or department in the table."""

    name: str
    people: str
    in_date: str
    soon: str
    red: str
    grey: str


@dataclass(frozen=True)
class DueRow:
    """One month in the table."""

    month: str
    people: str


@dataclass(frozen=True)
class Shares:
    """One table with its chart."""

    lines: list[LineRow] = field(default_factory=list)
    marks: list[ShareMark] = field(default_factory=list)
    height: str = "0"
    told: str = ""


@dataclass(frozen=True)
class GapRow:
    """One group in the table of vaccinations, with a cell for each of ``GAP_HEADS``."""

    name: str
    cells: list[str]


@dataclass(frozen=True)
class ReportPage:
    """The whole report as the screen shows it."""

    counts: list[CountRow] = field(default_factory=list)
    groups: Shares = field(default_factory=Shares)
    departments: Shares = field(default_factory=Shares)
    due: list[DueRow] = field(default_factory=list)
    columns: list[ColumnMark] = field(default_factory=list)
    due_told: str = ""
    counted: str = ""
    gaps: list[GapRow] = field(default_factory=list)
    gaps_counted: str = ""
    is_empty: bool = False


def page(report: Report) -> ReportPage:
    """Return the report as it is shown."""
    return ReportPage(
        counts=_counts(report.total),
        groups=_shares(report.groups, UNNAMED_GROUP),
        departments=_shares(report.departments, UNNAMED_DEPARTMENT),
        due=[
            DueRow(month_name(month), _number(people))
            for month, people in zip(report.months, report.due, strict=True)
            if people
        ],
        columns=charts.columns(
            [
                (_MONTHS[month.month - 1][:3], people)
                for month, people in zip(report.months, report.due, strict=True)
            ]
        ),
        due_told=_due_told(report.months, report.due),
        counted=_counted(report),
        gaps=_gaps(report.gaps),
        gaps_counted=f"Посчитано {day(report.gaps.counted_on)}." if report.gaps else "",
        is_empty=not report.total.people,
    )


def month_name(first: date) -> str:
    """Write a month: «ноябрь 2026»."""
    return f"{_MONTHS[first.month - 1]}{NBSP}{first.year}"


def _counts(total: Tally) -> list[CountRow]:
    share = f"{total.share}{NBSP}% списка"
    return [
        CountRow("Всего в списке", _number(total.people), "neutral"),
        CountRow("Допущены сегодня", _number(total.in_date), "success", share),
        *(
            CountRow(LIGHTS[light].text, _number(total.lights[light]), TONES[light])
            for light in (Light.YELLOW, Light.RED, Light.GREY)
        ),
    ]


def _shares(tallies: Mapping[str, Tally], unnamed: str) -> Shares:
    kept, rest = folded(tallies, LINES_SHOWN)
    named = {name or unnamed: tally for name, tally in kept.items()}
    lines = [_line(name, tally) for name, tally in named.items()]
    if rest:
        others = Tally()
        for each in rest:
            for light, people in each.lights.items():
                others.lights[light] += people
        lines.append(_line(f"Остальные ({len(rest)})", others))
    drawn = dict(list(named.items())[:BARS_SHOWN])
    height, marks = charts.shares(
        {
            name: (
                f"{tally.share}{NBSP}%",
                {TONES[light]: tally.lights[light] for light in Light},
            )
            for name, tally in drawn.items()
        }
    )
    told = "; ".join(f"{name}: {tally.share}{NBSP}%" for name, tally in drawn.items())
    return Shares(lines, marks, height, f"Допущены сегодня. {told}.")


def _line(name: str, tally: Tally) -> LineRow:
    return LineRow(
        name=name,
        people=_number(tally.people),
        in_date=f"{_number(tally.in_date)} ({tally.share}{NBSP}%)",
        soon=_number(tally.lights[Light.YELLOW]),
        red=_number(tally.lights[Light.RED]),
        grey=_number(tally.lights[Light.GREY]),
    )


def _gaps(report: GapReport | None) -> list[GapRow]:
    if report is None:
        return []
    groups = sorted({name for told in report.infections.values() for name in told.groups})
    shown = [report.infections.get(each.code) for each in COUNTED]
    return [
        GapRow("Все группы", [_gap(told.total if told else None) for told in shown]),
        *(
            GapRow(name, [_gap(told.groups.get(name) if told else None) for told in shown])
            for name in groups
        ),
    ]


def _gap(gap: Gap | None) -> str:
    return f"{_number(gap.lacking)} из {_number(gap.people)}" if gap else HIDDEN


def _due_told(months: Sequence[date], due: Sequence[int]) -> str:
    total = sum(due)
    if not total:
        return "За эти месяцы ни один срок не закончится."
    most = max(due)
    people = counted(total, "человека", "человек", "человек")
    peak = month_name(months[due.index(most)])
    return f"Срок закончится у {people}, больше всего за {peak}: {_number(most)}."


def _counted(report: Report) -> str:
    said = f"Посчитано {moment(report.counted_at)} по последним проверкам книжек."
    if not report.waiting:
        return said
    books = counted(report.waiting, "книжка", "книжки", "книжек")
    verb = plural(report.waiting, "изменилась", "изменились", "изменились")
    again = plural(report.waiting, "будет проверена", "будут проверены", "будут проверены")
    return f"{said} Ещё {books} {verb} с тех пор и {again} заново."


def _number(number: int) -> str:
    return f"{number:,}".replace(",", NBSP)
