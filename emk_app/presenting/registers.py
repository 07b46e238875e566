"""The register of clinics in words: reports of imports, and what surrounds a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emk_app.domain.imports import ImportState
from emk_app.domain.regions import REGIONS
from emk_app.presenting.applications import CLINIC_KINDS, LICENCES
from emk_app.presenting.field_texts import word
from emk_app.presenting.formats import NBSP, counted, file_size, moment
from emk_app.presenting.texts import Label
from emk_app.services.directory import ClinicView, Counts, Found
from emk_app.services.importing import BadRow
from emk_app.services.registering import ImportView

REPORT_HEADER: Final = ("Строка", "OID", "Поле", "Что не так")

STATES: Final = {
    ImportState.CHECKING: Label("Проверяется", "info"),
    ImportState.CHECKED: Label("Ждёт решения", "waiting"),
    ImportState.APPLYING: Label("Загружается", "info"),
    ImportState.DONE: Label("Загружен", "success"),
    ImportState.REFUSED: Label("Не реестр", "danger"),
    ImportState.DROPPED: Label("Прекращён", "neutral"),
}
COMMAND_LINE: Final = "командой на сервере"

_IDLE: Final = {
    False: "В реестре уже всё так, как в файле: загружать нечего.",
    True: "Строки без ошибок ничего не меняют: загружать нечего.",
}

_RELAXED: Final = {
    "region": "Искать во всех регионах",
    "kind": "Искать среди всех типов",
    "with_electronic_policy": "Не требовать «Электронный полис»",
    "in_force": "Показать и без действующей лицензии",
    "point": "Искать для любой профессии",
}


def bad_lines(row: BadRow) -> list[tuple[str, str, str, str]]:
    """Return a line of the report for each field of a row that was left out."""
    # A spreadsheet would take a cell that begins so for a formula.
    oid = f"'{row.oid}" if row.oid.startswith(("=", "+", "-", "@")) else row.oid
    return [(str(row.line), oid, name, word(problem)) for name, problem in row.problems.items()]


@dataclass(frozen=True)
class OpenImport:
    """The import that is under way; without an identity there is none."""

    id: int = 0
    name: str = ""
    about: str = ""
    is_checking: bool = False
    is_checked: bool = False
    is_applying: bool = False
    progress: str = ""
    seen: int = 0
    rows: int = 0
    added: str = ""
    changed: str = ""
    removed: str = ""
    unchanged: str = ""
    bad: str = ""
    has_bad: bool = False
    idle: str = ""
    """Why there is nothing to put in; empty where there is."""
    bad_more: str = ""
    """How many lines of the report are not on the screen; empty where all are."""


@dataclass(frozen=True)
class ImportRow:
    """A line of the history."""

    id: int
    name: str
    size: str
    state: str
    tone: str
    when: str
    who: str
    counts: list[str]
    report_href: str
    """Empty where every row could be used."""


@dataclass(frozen=True)
class RegisterRow:
    """A clinic as the register has it."""

    id: int
    name: str
    oid: str
    place: str
    kind: str
    licence: str
    licence_tone: str
    connection: str
    connection_tone: str
    points: str
    is_demo: bool


def open_import(view: ImportView, shown: Sequence[Sequence[str]]) -> OpenImport:
    """Return the import that is under way, of whose report these lines are shown."""
    put = view.report.put
    is_applying = view.state is ImportState.APPLYING
    said = f"{_number(view.seen)} из {_number(view.report.rows)}" if is_applying else ""
    read = counted(view.seen, "строка", "строки", "строк")
    bad = view.report.bad
    hidden = bad - len({line[0] for line in shown})
    return OpenImport(
        id=view.id,
        name=view.name,
        about=f"{file_size(view.size)}, {moment(view.created_at)}, {view.brought_by}",
        is_checking=view.state is ImportState.CHECKING,
        is_checked=view.state is ImportState.CHECKED,
        is_applying=is_applying,
        progress=f"Обработано строк: {said}" if is_applying else f"Прочитано: {read}",
        seen=view.seen,
        rows=view.report.rows,
        added=_number(put.added),
        changed=_number(put.changed),
        removed=_number(put.removed),
        unchanged=_number(put.unchanged),
        bad=_number(bad),
        has_bad=bad > 0,
        idle="" if put.added or put.changed or put.removed else _IDLE[bad > 0],
        bad_more=f"Показаны первые. Ещё строк с ошибками: {_number(hidden)}." if hidden > 0 else "",
    )


def import_row(view: ImportView) -> ImportRow:
    """Return an import as a line of the history."""
    put, state = view.report.put, STATES[view.state]
    told = view.state in (ImportState.CHECKED, ImportState.APPLYING, ImportState.DONE)
    named = {
        "добавлено": put.added,
        "изменено": put.changed,
        "исключено": put.removed,
        "без изменений": put.unchanged,
        "с ошибками": view.report.bad,
    }
    counts = [f"{name} {_number(number)}" for name, number in named.items() if number]
    return ImportRow(
        id=view.id,
        name=view.name,
        size=file_size(view.size) if view.size else "",
        state=state.text,
        tone=state.tone,
        when=moment(view.ended_at or view.created_at),
        who=view.confirmed_by or view.brought_by or COMMAND_LINE,
        counts=(counts or ["строк нет"]) if told else [],
        report_href=report_href(view.id) if told and view.report.bad and view.size else "",
    )


def report_href(import_id: int) -> str:
    """Return where the report of an import is saved from."""
    return f"/api/registers/{import_id}/report"


def register_row(clinic: ClinicView) -> RegisterRow:
    """Return a clinic for the administrator."""
    licence = LICENCES[clinic.licence_status]
    return RegisterRow(
        id=clinic.id,
        name=clinic.short_name.replace("№ ", f"№{NBSP}"),
        oid=clinic.oid,
        place=clinic.region_name,
        kind=CLINIC_KINDS[clinic.kind],
        licence=licence.text,
        licence_tone=licence.tone,
        connection="Подключена" if clinic.is_connected else "Не подключена",
        connection_tone="success" if clinic.is_connected else "neutral",
        points=", ".join(sorted(clinic.points)) or "нет",
        is_demo=clinic.is_demo,
    )


def _number(number: int) -> str:
    return f"{number:,}".replace(",", NBSP)


def region_options(counts: Counts) -> list[list[str]]:
    """Return code and name of every region by name, with how many it would leave."""
    named = sorted(REGIONS.items(), key=lambda pair: pair[1])
    return [[code, _counted(name, counts.regions, code)] for code, name in named]


def every_region() -> list[list[str]]:
    """Return code and name of every region by name, with nothing counted."""
    return region_options(Counts())


def kind_options(counts: Counts) -> list[list[str]]:
    """Return the types of clinics, with how many each would leave."""
    return [
        [kind.value, _counted(name, counts.kinds, kind.value)]
        for kind, name in CLINIC_KINDS.items()
    ]


def flag_count(number: int | None) -> str:
    """Return the number that stands behind a condition; nothing where it was not counted."""
    return "" if number is None else f"{NBSP}· {number}"


def corrected_text(found: Found, query: str) -> str:
    """Say that another word was looked for than was typed."""
    if not (found.corrected and found.clinics):
        return ""
    return f"По запросу «{query}» ничего нет. Показано найденное по «{found.corrected}»."


def relaxations(totals: Mapping[str, int]) -> list[list[str]]:
    """Return the conditions that could be dropped, with a text for the button of each."""
    return [[name, f"{_RELAXED[name]}{NBSP}· {total}"] for name, total in totals.items()]


def _counted(name: str, counts: Mapping[str, int] | None, value: str) -> str:
    return name if counts is None else f"{name}{NBSP}· {counts.get(value, 0)}"
