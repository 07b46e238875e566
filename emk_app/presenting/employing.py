"""The employer's list, and what the holder reads of employers, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from emk_app import clock
from emk_app.domain.actors import Post, Role
from emk_app.domain.books import Verdict
from emk_app.domain.employing import AccessState, AddedBy, Light
from emk_app.domain.occupations import listed_on
from emk_app.domain.sharing import ShareScope
from emk_app.presenting.books import SCOPES
from emk_app.presenting.formats import counted, day, moment, plural
from emk_app.presenting.texts import Label
from emk_app.presenting.verdicts import VERDICTS
from emk_app.services.admitting import TERMS_DAYS, EmployerView
from emk_app.services.employing import OrganisationView, Roster, StaffView

LIGHTS: Final = {
    Light.GREEN: Label("В порядке", "success"),
    Light.YELLOW: Label("Требуют внимания", "waiting"),
    Light.RED: Label("Нет допуска", "danger"),
    Light.GREY: Label("Книжка не открыта"),
}
LIGHT_OPTIONS: Final = [(light.value, label.text) for light, label in LIGHTS.items()]
WAYS: Final = {
    AddedBy.LINK: ("По ссылке или QR-коду", "Сотрудник прислал ссылку или показал код."),
    AddedBy.NUMBER: ("По номеру и СНИЛС", "Имя будет показано не полностью."),
    AddedBy.INVITATION: ("Пригласить", "Сотрудник сам разрешит доступ в личном кабинете."),
}
_HOW: Final = {
    AddedBy.LINK: "по ссылке",
    AddedBy.NUMBER: "по номеру и СНИЛС",
    AddedBy.INVITATION: "по приглашению",
}
POSTS: Final = {
    Post.OWNER: "владелец кабинета",
    Post.HR: "кадровик",
    Post.VIEWER: "наблюдатель",
}
GRANT_TERMS: Final = [(str(days), counted(days, "день", "дня", "дней")) for days in TERMS_DAYS]
DEFAULT_GRANT_TERM: Final = "90"
GRANT_SCOPES: Final = {
    scope: SCOPES[scope] for scope in (ShareScope.WITH_OCCUPATION, ShareScope.VERDICT_ONLY)
}
COUNTED: Final = "Учитывать мои прививки в общей сводке, без имени"
COUNTED_HINT: Final = (
    "Работодатель узнает только, скольким людям не хватает прививки, и только если их не меньше "
    "пяти. Кому именно, он не узнает, как и то, согласились ли вы."
)
COUNTED_SAID: Final = "Прививки войдут в сводку, когда её посчитают в следующий раз."
NOT_COUNTED_SAID: Final = "В следующей сводке ваших прививок не будет."
NOT_FOUND: Final = (
    "Книжки с таким номером у владельца с таким СНИЛС нет. Сверьте обе строки с документами."
)


@dataclass(frozen=True)
class OrganisationRow:
    """One's own organisation on its page."""

    name: str = ""
    about: str = ""
    may_edit: bool = False


@dataclass(frozen=True)
class StaffRow:
    """One line of the list."""

    id: int = 0
    label: str = ""
    tab: str = ""
    """With its word; ``tab_number`` is the number alone."""
    tab_number: str = ""
    department: str = ""
    occupation_code: str = ""
    occupation: str = ""
    name: str = ""
    group: str = ""
    state: str = ""
    tone: str = "neutral"
    until: str = ""
    left: str = ""
    how: str = ""
    checked: str = ""


@dataclass(frozen=True)
class CountRow:
    """How many stand under one light."""

    text: str
    number: str
    tone: str
    share: str = ""
    """Of all, in words; empty where that says nothing more."""


@dataclass(frozen=True)
class EmployerRow:
    """One employer on the holder's page."""

    id: int
    organisation: str
    how: str
    sees: str
    state: str
    tone: str
    when: str
    looked: str
    is_asking: bool
    is_granted: bool
    is_counted: bool


def organisation_row(view: OrganisationView | None) -> OrganisationRow:
    """Return the head of the page; empty where the person has no organisation."""
    if view is None:
        return OrganisationRow()
    about = f"ИНН {view.inn}, ОГРН {view.ogrn}. Вы — {POSTS[view.post]}."
    return OrganisationRow(view.name, about, view.post is not Post.VIEWER)


def staff_rows(roster: Roster) -> list[StaffRow]:
    """Return the lines of one page of the list."""
    return [staff_row(view) for view in roster.rows]


def staff_row(view: StaffView) -> StaffRow:
    """Return one line: the verdict in a word, the term, how long it is still."""
    listed = listed_on(view.said.occupation, clock.today())
    label = _state(view)
    return StaffRow(
        id=view.id,
        label=view.said.label,
        tab=f"таб. № {view.said.tab}" if view.said.tab else "",
        tab_number=view.said.tab,
        department=view.said.department,
        occupation_code=listed.code if listed else "",
        occupation=listed.name if listed else "",
        name=view.name,
        group=view.group,
        state=label.text,
        tone=label.tone,
        until=f"по {day(view.ends_on)}" if view.ends_on else "",
        left=_left(view),
        how=_how(view),
        checked=moment(view.checked_at) if view.checked_at else "",
    )


def count_rows(counts: Mapping[Light, int]) -> list[CountRow]:
    """Return the numbers over the list."""
    return [
        CountRow(label.text, str(counts.get(light, 0)), label.tone)
        for light, label in LIGHTS.items()
    ]


def found_text(found: int) -> str:
    """Say how many the filters leave."""
    people = counted(found, "сотрудник", "сотрудника", "сотрудников")
    return f"{plural(found, 'Найден', 'Найдено', 'Найдено')} {people}."


def employer_row(view: EmployerView) -> EmployerRow:
    """Return one employer as the holder reads it."""
    label = _HOLDERS_STATES[view.state]
    if view.state is AccessState.ENDED and view.ended_by is Role.HOLDER:
        label = Label("закрыт вами")
    return EmployerRow(
        id=view.id,
        organisation=view.organisation,
        how=_HOW[view.added_by],
        sees=_sees(view),
        state=label.text,
        tone=label.tone,
        when=_when(view),
        looked=moment(view.looked_at) if view.looked_at else "ещё не смотрели",
        is_asking=view.state is AccessState.INVITED,
        is_granted=view.state is AccessState.GRANTED,
        is_counted=view.is_counted,
    )


_HOLDERS_STATES: Final = {
    AccessState.INVITED: Label("просит доступ", "waiting"),
    AccessState.GRANTED: Label("открыт", "success"),
    AccessState.REFUSED: Label("вы отказали"),
    AccessState.ENDED: Label("завершён"),
}
_TONES: Final = {
    Light.GREEN: "success",
    Light.YELLOW: "waiting",
    Light.RED: "danger",
    Light.GREY: "neutral",
}


def _state(view: StaffView) -> Label:
    tone = _TONES[view.light]
    match view.state:
        case AccessState.INVITED:
            return Label("Ждёт ответа", tone)
        case AccessState.REFUSED:
            return Label("Отказ в доступе", tone)
        case AccessState.ENDED:
            return Label("Доступ завершён", tone)
        case AccessState.GRANTED:
            pass
    if view.verdict is None:
        return Label("Книжки нет", tone)
    if view.verdict is Verdict.VALID and view.light is Light.RED:
        return Label(VERDICTS[Verdict.TERM_PASSED].word, tone)
    if view.verdict is Verdict.VALID and view.light is Light.YELLOW:
        return Label("Скоро истечёт", tone)
    return Label(VERDICTS[view.verdict].word, tone)


def _left(view: StaffView) -> str:
    left = view.days_left
    if left is None or view.verdict not in (Verdict.VALID, Verdict.TERM_PASSED):
        return ""
    if left < 0:
        return f"просрочено на {counted(-left, 'день', 'дня', 'дней')}"
    if not left:
        return "сегодня последний день"
    days = counted(left, "день", "дня", "дней")
    return f"{plural(left, 'остался', 'осталось', 'осталось')} {days}"


def _how(view: StaffView) -> str:
    how = _HOW[view.added_by]
    if view.state is AccessState.GRANTED and view.until:
        return f"{how}, доступ до {moment(view.until)}"
    if view.state is AccessState.INVITED:
        return f"{how}: {view.contact}"
    return how


def _sees(view: EmployerView) -> str:
    if view.state is AccessState.INVITED:
        return ""
    if view.scope is None:
        return "Действует ли книжка и до какого числа; имя не полностью"
    return SCOPES[view.scope][0]


def _when(view: EmployerView) -> str:
    def told(at: datetime | None) -> str:
        return moment(at) if at else ""

    match view.state:
        case AccessState.INVITED:
            return f"спросил {told(view.asked_at)}"
        case AccessState.GRANTED:
            return f"до {told(view.until)}"
        case _:
            return told(view.ended_at or view.until or view.asked_at)
