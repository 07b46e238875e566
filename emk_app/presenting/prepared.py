"""Prepared answers in words: the administrator's list, what is filled in for a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emk_app.domain.prepared import Place
from emk_app.presenting.applications import STATUSES
from emk_app.presenting.formats import moment
from emk_app.presenting.support import shown_number
from emk_app.services.preparing import AnswerView, Offered
from emk_app.services.supporting import TicketView

PLACES: Final = (
    "Место для сведений пишут в фигурных скобках: {обращение} — номер обращения, {заявка} — номер "
    "заявки, {статус} — где она сейчас. Ответ с местом для заявки предлагают только там, где "
    "обращение о заявке."
)
SAVED: Final = "Ответ сохранён. Поддержка уже видит его в списке."
SAVED_RETIRED: Final = "Ответ сохранён. Поддержке он не предлагается, пока вы его не вернёте."
RETIRED: Final = "Ответ больше не предлагается."
BROUGHT_BACK: Final = "Ответ снова предлагается."


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A line of the administrator's list."""

    id: int = 0
    title: str = ""
    text: str = ""
    state: str = ""
    tone: str = "neutral"
    changed: str = ""
    is_retired: bool = False


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """The answer in the form; 0 is a new one."""

    id: int = 0
    version: int = 0
    title: str = ""
    text: str = ""
    is_retired: bool = False
    heading: str = "Новый готовый ответ"


def row(view: AnswerView) -> AnswerRow:
    """Return the line of an answer."""
    is_retired = view.retired_at is not None
    return AnswerRow(
        view.id,
        view.title,
        view.text,
        "Не предлагается" if is_retired else "Предлагается",
        "neutral" if is_retired else "success",
        f"{moment(view.changed_at)}, {view.by}" if view.by else "из поставки",
        is_retired,
    )


def opened(view: AnswerView) -> OpenAnswer:
    """Return an answer for the form."""
    return OpenAnswer(
        view.id,
        view.version,
        view.title,
        view.text,
        view.retired_at is not None,
        "Изменить готовый ответ",
    )


def facts(ticket: TicketView) -> dict[Place, str]:
    """Return what can be said of a ticket in an answer."""
    known = {Place.TICKET: f"№\u00a0{shown_number(ticket.number)}"}
    if ticket.application is not None and ticket.application_status is not None:
        known[Place.APPLICATION] = ticket.application.shown
        known[Place.STATUS] = f"«{STATUSES[ticket.application_status].text}»"
    return known


def options(found: Sequence[Offered]) -> list[list[str]]:
    """Return what a desk chooses from."""
    return [[str(each.id), each.title] for each in found]
