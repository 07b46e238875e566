"""The employer's list on paper: a plain page to be printed, and a PDF."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from emk_app import clock
from emk_app.db.repositories.employers import StaffFilter
from emk_app.domain.occupations import listed_on
from emk_app.presenting.employing import LIGHTS, staff_row
from emk_app.presenting.formats import NBSP, counted, moment
from emk_app.services.employing import OrganisationView, StaffView
from emk_app.storage import typesetting

TITLE: Final = "Допуск сотрудников к работе"
LIMIT: Final = 2_000
"""Lines on paper, some sixty sheets; what is longer is for a spreadsheet."""
HEAD: Final = (
    *("№", "Сотрудник", "Таб. №", "Подразделение", "Работа"),
    *("Имя в книжке", "Допуск", "Действует по"),
)
_STYLE: Final = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:80rem;background:#fff;color:#0f1f20;font:.875rem/1.4
system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif}
h1{margin:0 0 .25rem;font-size:1.375rem;line-height:1.25}
p{margin:0 0 .25rem;color:#475b5d;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:1rem;align-items:center;margin:.75rem 0}
button{padding:.625rem 1.25rem;border:0;border-radius:.5rem;background:#0b5f66;color:#fff;
font:inherit;font-weight:600;cursor:pointer}
a{color:#0b5f66}
button:focus-visible,a:focus-visible{outline:3px solid #0b5f66;outline-offset:3px}
div{overflow-x:auto}
table{width:100%;margin-top:.75rem;border-collapse:collapse}
caption{text-align:left;color:#475b5d}
th,td{padding:.25rem .375rem;border-bottom:1px solid #b5c2c2;text-align:left;vertical-align:top}
th{white-space:nowrap}
thead{display:table-header-group}
tr{break-inside:avoid}
@page{margin:12mm}
@media print{nav{display:none}body{padding:0;max-width:none;font-size:8.5pt;color:#000}
p,caption{color:#333}div{overflow:visible}}
"""
POLICY: Final = (
    "default-src 'none'; img-src 'self'; script-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)


@dataclass(frozen=True, slots=True)
class Printed:
    """What stands on the sheet."""

    lines: tuple[str, ...]
    """Whose list it is, when it was made, and what of it was wanted."""
    rows: tuple[tuple[str, ...], ...]
    more: str
    """What was left out; empty where nothing was."""
    at: datetime


def printed(
    organisation: OrganisationView,
    wanted: StaffFilter,
    pieces: Iterable[tuple[StaffView, ...]],
    now: datetime,
) -> Printed:
    """Return the words of the sheet, in the order of the list."""
    rows: list[tuple[str, ...]] = []
    found = 0
    for views in pieces:
        found += len(views)
        rows += [_line(place, view) for place, view in enumerate(views, len(rows) + 1)]
        rows = rows[:LIMIT]
    people = counted(found, "сотрудник", "сотрудника", "сотрудников")
    lines = (
        f"{organisation.name}, ИНН {organisation.inn}",
        f"По состоянию на {moment(now)} (Москва), {people}",
        _conditions(wanted),
    )
    more = ""
    if found > LIMIT:
        more = f"Показаны первые {LIMIT} из {found}. Весь список можно скачать таблицей."
    return Printed(tuple(line for line in lines if line), tuple(rows), more, now)


def page(said: Printed) -> str:
    """Return the page that a browser prints; it loads nothing but the script of its button."""
    head = "".join(f'<th scope="col">{text}</th>' for text in HEAD)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in said.rows
    )
    table = (
        f"<div><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        if said.rows
        else "<p>Под эти условия никто не подходит.</p>"
    )
    lines = "".join(f"<p>{escape(line)}</p>" for line in said.lines)
    more = f"<p>{escape(said.more)}</p>" if said.more else ""
    return (
        '<!doctype html><html lang="ru"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{TITLE} — ЭМК Онлайн</title>"
        '<link rel="icon" href="/favicon.svg"><script src="/emk.js" defer></script>'
        f"<style>{_STYLE}</style></head><body><main><h1>{TITLE}</h1>{lines}"
        '<nav aria-label="Действия"><button type="button" data-print>Печать</button>'
        '<a href="/employer">Вернуться к списку</a></nav>'
        f"{table}{more}</main></body></html>"
    )


def pdf(said: Printed) -> bytes:
    """Return the same as a PDF. Not for the event loop."""
    words = {
        "title": TITLE,
        "issuer": "ЭМК Онлайн",
        "lines": said.lines,
        "head": HEAD,
        "rows": said.rows,
        "more": said.more,
        "footer": f"{said.lines[0]}. {said.lines[1]}",
        "page_word": "Страница ",
    }
    return typesetting.staff_list(words, said.at)


def _line(place: int, view: StaffView) -> tuple[str, ...]:
    row = staff_row(view)
    until = row.until.removeprefix("по ")
    left = f"{until}, {row.left}" if until and row.left else until
    return (
        str(place), row.label, row.tab_number, row.department,
        row.occupation, row.name, row.state, left,
    )  # fmt: skip


def _conditions(wanted: StaffFilter) -> str:
    known = listed_on(wanted.occupation, clock.today())
    parts = [
        f"состояние «{LIGHTS[wanted.light].text}»" if wanted.light else "",
        f"подразделение «{wanted.department}»" if wanted.department else "",
        f"работа «{known.name if known else wanted.occupation}»" if wanted.occupation else "",
    ]
    told = ", ".join(part for part in parts if part)
    return f"Только:{NBSP}{told}" if told else ""
