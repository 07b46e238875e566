"""Alarms about sweeps, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain.actors import Role
from emk_app.domain.alerts import Alarm
from emk_app.presenting.formats import counted, moment
from emk_app.presenting.texts import ROLES
from emk_app.services.alerting import AlertView

ALARMS: Final = {
    Alarm.MASS_VIEWING: "Много чужих данных за час",
    Alarm.DENIALS: "Много отказов подряд",
    Alarm.SEARCH_SWEEP: "Перебор книжек по номерам",
    Alarm.OFF_HOURS_EXPORT: "Выгрузка в нерабочее время",
}
_PEOPLE: Final = frozenset({Alarm.MASS_VIEWING, Alarm.SEARCH_SWEEP})


@dataclass(frozen=True)
class AlertRow:
    """One alarm in the list."""

    id: int
    what: str
    who: str
    count: str
    raised: str
    last: str
    is_open: bool


def row(view: AlertView) -> AlertRow:
    """Return one alarm as shown."""
    if view.actor_id:
        role = ROLES[Role(view.role)]
        who = f"{role[0].upper()}{role[1:]}, учётная запись № {view.actor_id}"
    else:
        who = "Без учётной записи"
    words = ("человек", "человека", "человек") if view.alarm in _PEOPLE else ("раз", "раза", "раз")
    return AlertRow(
        id=view.id,
        what=ALARMS[view.alarm],
        who=who,
        count=counted(view.count, *words),
        raised=moment(view.raised_at),
        last=moment(view.last_at),
        is_open=view.is_open,
    )
