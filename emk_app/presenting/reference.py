"""Occupations and the words of messages, as they are listed and as they are amended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from emk_app.domain import occupations
from emk_app.domain.amending import AmendmentKind
from emk_app.domain.errors import Invalid, Required
from emk_app.domain.notices import KINDS, News
from emk_app.domain.occupations import OCCUPATIONS, POINTS, Occupation
from emk_app.domain.orders import OrderAnswer
from emk_app.presenting import notices
from emk_app.presenting.formats import day, moment
from emk_app.presenting.texts import Label, field_sentences
from emk_app.services.amending import AmendmentView

WRITTEN: Final = "Передано второму администратору: до его согласия ничего не изменится."
CONFIRMED: Final = "Подтверждено. Изменение вступит в силу в назначенный день."
DECLINED: Final = "Изменение отклонено. Всё остаётся как есть."
POINT_OPTIONS: Final = [
    (each.point, f"п. {each.point}. {each.short_name}") for each in POINTS.values()
]
PLACES: Final = {
    "number": "номер заявки",
    "code": "код",
    "on": "дата",
    "at": "дата и время",
    "source": "устройство",
}
ANSWERS: Final = {
    OrderAnswer.CONFIRMED: Label("подтверждено", "success"),
    OrderAnswer.DECLINED: Label("отклонено"),
    OrderAnswer.TAKEN_BACK: Label("отозвано"),
    OrderAnswer.LAPSED: Label("не подтверждено в срок"),
}
UNSAID: Final = {
    "name": "Введите, как профессия называется в списке.",
    "group": "Введите группу, под которой профессия стоит в списке.",
    "point": "Выберите пункт приказа № 29н.",
    "valid_from": "Введите, с какого дня это действует.",
    "reason": "Напишите, почему: это прочтёт второй администратор.",
    "title": "Введите заголовок.",
    "text": "Введите текст.",
    "sms": "Введите текст СМС.",
}


@dataclass(frozen=True)
class GroupRow:
    """A group of the list of occupations, with codes and names."""

    name: str
    choices: list[tuple[str, str]]


@dataclass(frozen=True)
class OccupationRow:
    """One occupation as it is today, and what is agreed for later."""

    code: str = ""
    name: str = ""
    group: str = ""
    point: str = ""
    state: str = ""
    tone: str = "success"
    later: str = ""
    is_closed: bool = False


@dataclass(frozen=True)
class TemplateRow:
    """One message in the list."""

    news: str = ""
    kind: str = ""
    title: str = ""
    later: str = ""


@dataclass(frozen=True)
class OpenTemplate:
    """The words of one message, with places for facts in braces."""

    news: str = ""
    title: str = ""
    text: str = ""
    sms: str = ""
    places: str = ""


@dataclass(frozen=True)
class AmendmentRow:
    """One amendment."""

    id: int
    what: str
    said: str
    since: str
    reason: str
    by: str
    at: str
    state: str
    tone: str
    is_open: bool
    is_own: bool


def groups(listed: Iterable[Occupation]) -> list[GroupRow]:
    """Return the list to choose from."""
    return [
        GroupRow(group, [(each.code, each.name) for each in found])
        for group, found in groupby(listed, key=lambda each: each.group)
    ]


SHIPPED: Final = groups(OCCUPATIONS.values())


def occupation_rows(views: tuple[AmendmentView, ...], today: date) -> list[OccupationRow]:
    """Return every occupation there is or was."""
    offered = {each.code for each in occupations.offered(today)}
    codes = dict.fromkeys(
        [
            *OCCUPATIONS,
            *(
                each.code
                for each in reversed(views)
                if each.occupation and each.answer is OrderAnswer.CONFIRMED
            ),
        ]
    )
    return [_occupation(code, views, today, is_offered=code in offered) for code in codes]


def template_rows(views: tuple[AmendmentView, ...], today: date) -> list[TemplateRow]:
    """Return the words of every message."""
    return [_template(news, views, today) for news in News]


def opened(news: News, today: date) -> OpenTemplate:
    """Return the words of a message to be amended."""
    held, facts = notices.template_of(news, today), notices.facts_of(news)
    places = ", ".join(f"{{{name}}} — {PLACES[name]}" for name in facts.sample) or "нет"
    return OpenTemplate(news.value, held.title, held.text, held.sms, places)


def amendment_rows(views: tuple[AmendmentView, ...], today: date) -> list[AmendmentRow]:
    """Return amendments, those that wait first."""
    return [_amendment(each, today) for each in views]


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each control that was filled in wrong."""
    said = field_sentences(error)
    return {
        name: UNSAID.get(name, text) if isinstance(error.fields[name], Required) else text
        for name, text in said.items()
    }


def _occupation(
    code: str, views: tuple[AmendmentView, ...], today: date, *, is_offered: bool
) -> OccupationRow:
    later = [
        each
        for each in views
        if each.kind is AmendmentKind.OCCUPATION
        and each.code == code
        and each.answer is OrderAnswer.CONFIRMED
        and each.valid_from > today
    ]
    listed = occupations.listed_on(code, today)
    if listed is None and later and later[-1].occupation:
        first = later[-1].occupation
        listed = Occupation(code, first.name, first.point, first.group)
        state = Label("будет", "info")
    else:
        state = Label("в списке", "success") if is_offered else Label("закрыта", "neutral")
    assert listed is not None
    return OccupationRow(
        code,
        listed.name,
        listed.group,
        listed.point,
        state.text,
        state.tone,
        "; ".join(f"с {day(each.valid_from)}: {_said(each)}" for each in reversed(later)),
        not is_offered and state.text == "закрыта",
    )


def _template(news: News, views: tuple[AmendmentView, ...], today: date) -> TemplateRow:
    held = notices.template_of(news, today)
    later = [
        each
        for each in views
        if each.code == news.value
        and each.kind is AmendmentKind.TEMPLATE
        and each.answer is OrderAnswer.CONFIRMED
        and each.valid_from > today
    ]
    return TemplateRow(
        news.value,
        notices.KIND_NAMES[KINDS[news]],
        held.title,
        "; ".join(f"с {day(each.valid_from)} другой текст" for each in reversed(later)),
    )


def _amendment(view: AmendmentView, today: date) -> AmendmentRow:
    is_open = view.answer is None
    label = Label("ждёт второго администратора", "waiting")
    if view.answer is not None:
        label = ANSWERS[view.answer]
        if view.answered_by:
            label = Label(f"{label.text}: {view.answered_by}", label.tone)
    elif view.valid_from <= today:
        label = Label("день прошёл: отклоните и напишите заново", "danger")
    return AmendmentRow(
        view.id,
        "Профессия" if view.kind is AmendmentKind.OCCUPATION else "Сообщение",
        _said(view),
        day(view.valid_from),
        view.reason,
        f"{view.by} (вы)" if view.is_own else view.by,
        moment(view.at),
        label.text,
        label.tone,
        is_open,
        view.is_own,
    )


def _said(view: AmendmentView) -> str:
    if view.occupation is not None:
        said = f"«{view.occupation.name}», {view.occupation.group}, п. {view.occupation.point}"
        return f"закрыть {said}" if view.occupation.is_closed else said
    assert view.template is not None
    return f"«{view.template.title}». {view.template.text} СМС: {view.template.sms}"
