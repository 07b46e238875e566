"""A file of staff in words: what it holds, what is wrong with which line, what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emk_app import clock
from emk_app.domain.enlisting import GOOD, Checked, Column, Outcome, UploadState
from emk_app.domain.occupations import listed_on
from emk_app.presenting.employing import StaffRow, staff_row
from emk_app.presenting.field_texts import word
from emk_app.presenting.formats import counted, moment
from emk_app.presenting.texts import STAFF_COLUMNS, Label, columns_named
from emk_app.services.enlisting import LineView, UploadView

STATES: Final = {
    UploadState.CHECKED: Label("Ждёт решения", "waiting"),
    UploadState.APPLYING: Label("Проверяется", "info"),
    UploadState.DONE: Label("Готово", "success"),
    UploadState.DROPPED: Label("Прекращён", "neutral"),
}
OUTCOMES: Final = {
    Outcome.ADDED: Label("Добавлен в список", "success"),
    Outcome.KNOWN: Label("Уже был в списке, запись обновлена", "success"),
    Outcome.NOT_FOUND: Label(
        "Книжки с таким номером у владельца с таким СНИЛС нет. Сверьте обе колонки с документами.",
        "danger",
    ),
    Outcome.NOT_A_LINK: Label("Это не ссылка на книжку. Попросите прислать её ещё раз.", "danger"),
    Outcome.LINK_OVER: Label("Ссылка закрыта или её срок прошёл. Попросите новую.", "danger"),
    Outcome.CLOSED: Label(
        "Сотрудник закрыл вам доступ. Попросите новую ссылку или отправьте запрос.", "danger"
    ),
    Outcome.TOO_OFTEN: Label(
        "По этой книжке было много неверных попыток. Проверьте её через 15 минут.", "waiting"
    ),
    Outcome.FULL: Label("Список сотрудников полон.", "danger"),
    Outcome.OFF: Label(
        "Проверить по номеру сейчас нельзя. Попросите у сотрудника ссылку.", "waiting"
    ),
}
NOT_LOOKED: Final = "Не проверялась"
FIELDS: Final = {
    "label": "Сотрудник",
    "number": "Номер книжки",
    "snils": "СНИЛС",
    "link": "Ссылка",
    "tab": "Табельный номер",
    "department": "Подразделение",
}
SAMPLE_HEADS: Final = tuple(STAFF_COLUMNS.values())
RESULT_HEADS: Final = (
    *("Строка", "Сотрудник", "Табельный номер", "Подразделение", "Номер книжки", "Итог"),
    *("Имя в книжке", "Допуск", "Действует по", "Осталось дней"),
)
LINES_SHOWN: Final = 20


@dataclass(frozen=True)
class OpenUpload:
    """The newest file; without an identity there is none."""

    id: int = 0
    name: str = ""
    about: str = ""
    is_checked: bool = False
    is_applying: bool = False
    is_done: bool = False
    good: int = 0
    good_text: str = ""
    bad: int = 0
    rows: str = ""
    done: int = 0
    progress: str = ""
    added: str = ""
    known: str = ""
    failed: str = ""
    has_failed: bool = False
    more: str = ""
    """How many lines with something wrong are not on the screen; empty where all are."""
    remark: str = ""
    """Which occupations are not known; empty where all are."""


@dataclass(frozen=True)
class LineRow:
    """One line on the screen."""

    line: str
    label: str
    book: str
    what: str
    """What is wrong with it, or what it will be added with."""


@dataclass(frozen=True)
class PastUpload:
    """A line of the history."""

    id: int
    when: str
    name: str
    state: str
    tone: str
    counts: str
    csv: str
    xlsx: str


def open_upload(view: UploadView, lines: Sequence[LineView]) -> OpenUpload:
    """Return a file with the numbers of its lines."""
    good = view.rows - view.bad
    failed = view.bad + sum(
        count for outcome, count in view.counts.items() if outcome not in GOOD
    )  # fmt: skip
    told = view.bad if view.state is UploadState.CHECKED else failed
    hidden = told - LINES_SHOWN
    return OpenUpload(
        id=view.id,
        name=view.name,
        about=f"{counted(view.rows, 'строка', 'строки', 'строк')}, {moment(view.created_at)}",
        is_checked=view.state is UploadState.CHECKED,
        is_applying=view.state is UploadState.APPLYING,
        is_done=view.state is UploadState.DONE,
        good=good,
        good_text=counted(good, "строку", "строки", "строк"),
        bad=view.bad,
        rows=str(view.rows),
        done=view.done,
        progress=f"Проверено {view.done} из {good}",
        added=str(view.counts.get(Outcome.ADDED, 0)),
        known=str(view.counts.get(Outcome.KNOWN, 0)),
        failed=str(failed),
        has_failed=told > 0,
        more=f"Показаны первые {LINES_SHOWN}. Ещё строк: {hidden}." if hidden > 0 else "",
        remark=_unknown(lines),
    )


def bad_rows(lines: Sequence[LineView]) -> list[LineRow]:
    """Return the first lines with which something is wrong, by what is known so far."""
    wrong = [line for line in lines if line.checked.problems or line.outcome not in {*GOOD, None}]
    return [_row(line.checked, said(line)) for line in wrong[:LINES_SHOWN]]


def good_rows(lines: Sequence[LineView]) -> list[LineRow]:
    """Return the first lines that can be looked up, as they were understood."""
    fit = [line.checked for line in lines if not line.checked.problems]
    return [_row(each, _understood(each)) for each in fit[:5]]


def past_upload(view: UploadView) -> PastUpload:
    """Return a file as a line of the history."""
    state = STATES[view.state]
    failed = view.rows - sum(view.counts.get(each, 0) for each in GOOD)
    is_done = view.state is UploadState.DONE
    return PastUpload(
        id=view.id,
        when=moment(view.ended_at or view.created_at),
        name=view.name,
        state=state.text,
        tone=state.tone,
        counts=(
            f"добавлено {view.counts.get(Outcome.ADDED, 0)}, "
            f"обновлено {view.counts.get(Outcome.KNOWN, 0)}, не добавлено {failed}"
            if is_done
            else ""
        ),
        csv=result_href(view.id, "csv") if is_done else "",
        xlsx=result_href(view.id, "xlsx") if is_done else "",
    )


def result_href(upload_id: int, ending: str) -> str:
    """Return where the result of a file is saved from."""
    return f"/api/employer/uploads/{upload_id}/result.{ending}"


def result_line(line: LineView) -> list[object]:
    """Return a line of the result in the order of ``RESULT_HEADS``."""
    row, view = line.checked.row, line.staff
    shown = staff_row(view) if view is not None else StaffRow()
    return [
        *(row.line, row.label, row.tab, row.department, row.number, said(line)),
        *(shown.name, shown.state),
        view.ends_on if view is not None and view.ends_on else "",
        view.days_left if view is not None and view.days_left is not None else "",
    ]


def said(line: LineView) -> str:
    """Say what is wrong with a line, or what became of it."""
    problems = line.checked.problems
    if problems:
        return " ".join(f"{FIELDS.get(name, name)}: {word(why)}" for name, why in problems.items())
    return OUTCOMES[line.outcome].text if line.outcome else NOT_LOOKED


def column_names() -> str:
    """Name the columns of the sample in one sentence."""
    needed = [Column.LABEL, Column.NUMBER, Column.SNILS]
    further = [Column.TAB, Column.DEPARTMENT, Column.OCCUPATION]
    return (
        f"Нужны столбцы {columns_named(needed)}. Вместо номера и СНИЛС подойдёт "
        f"{columns_named([Column.LINK])}. Если есть, пригодятся {columns_named(further)}."
    )


def _row(checked: Checked, what: str) -> LineRow:
    row = checked.row
    book = "по ссылке" if row.link else row.number
    return LineRow(str(row.line), row.label or "без имени", book, what)


def _understood(checked: Checked) -> str:
    row = checked.row
    known = listed_on(checked.occupation, clock.today())
    parts = (f"таб. № {row.tab}" if row.tab else "", row.department, known.name if known else "")
    return ", ".join(part for part in parts if part)


def _unknown(lines: Sequence[LineView]) -> str:
    names = dict.fromkeys(
        line.checked.row.occupation
        for line in lines
        if line.checked.row.occupation and not line.checked.occupation
    )
    if not names:
        return ""
    first = ", ".join(f"«{name[:60]}»" for name in list(names)[:5])
    more = " и другие" if len(names) > 5 else ""
    return (
        f"Такой работы нет в перечне: {first}{more}. Эти люди попадут в список без неё; "
        "указать её можно потом."
    )
