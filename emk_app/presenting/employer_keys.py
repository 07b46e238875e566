"""Keys of employers' systems in words, for the owner's page and for machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain.employer_keys import LIFETIMES_DAYS, KeyScope, KeyState
from emk_app.presenting.formats import counted, day, moment
from emk_app.presenting.texts import Label
from emk_app.services.bulk_checking import Outcome
from emk_app.services.employer_keys import KeyView

TOO_MANY: Final = "Слишком много запросов. Повторите позже: срок указан в retry-after."
OUTCOMES: Final = {
    Outcome.FOUND: "",
    Outcome.NOT_FOUND: "Такой книжки нет.",
    Outcome.INVALID: "Ссылка, номер или СНИЛС записаны с ошибкой.",
    Outcome.TOO_MANY: "Слишком много проверок. Повторите позже.",
}
SCOPES: Final = {
    KeyScope.STAFF_READ: ("Читать список", "Список сотрудников с допуском и сроками, выгрузка."),
    KeyScope.STAFF_WRITE: ("Менять список", "Добавлять сотрудников и убирать их из списка."),
    KeyScope.BOOKS_CHECK: ("Проверять книжки", "Проверять книжки до приёма, не добавляя в список."),
}
SCOPE_FIELDS: Final = {
    KeyScope.STAFF_READ: "scope_read",
    KeyScope.STAFF_WRITE: "scope_write",
    KeyScope.BOOKS_CHECK: "scope_check",
}
"""Names of the controls in the form."""
LIFETIMES: Final = [(str(each), counted(each, "день", "дня", "дней")) for each in LIFETIMES_DAYS]
DEFAULT_LIFETIME: Final = "90"
_STATES: Final = {
    KeyState.LIVE: Label("действует", "success"),
    KeyState.ENDED: Label("срок истёк"),
    KeyState.REVOKED: Label("отозван"),
}


@dataclass(frozen=True)
class KeyRow:
    """One key in the table."""

    id: int
    name: str
    hint: str
    scopes: str
    state: str
    tone: str
    created: str
    until: str
    used: str
    is_live: bool


def key_row(view: KeyView) -> KeyRow:
    """Return one line of the table."""
    label = _STATES[view.state]
    return KeyRow(
        id=view.id,
        name=view.name,
        hint=f"…{view.hint}",
        scopes=", ".join(SCOPES[scope][0].lower() for scope in view.scopes),
        state=label.text,
        tone=label.tone,
        created=day(view.created_at.date()),
        until=moment(view.revoked_at or view.expires_at),
        used=moment(view.used_at) if view.used_at else "ещё не использовали",
        is_live=view.state is KeyState.LIVE,
    )
