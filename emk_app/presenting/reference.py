"""Occupations, studies and the words of messages, as they are listed and as they are amended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Final

from emk_app.domain import examinations, occupations
from emk_app.domain.amending import (
    BOUNDS,
    MOST_NUMBERS,
    ONCE,
    AmendmentKind,
    Template,
)
from emk_app.domain.errors import Invalid, Required
from emk_app.domain.examinations import (
    AmendedStudy,
    Bounds,
    ListedStudy,
    NumberPart,
    Numbers,
    ProgrammeItem,
    standing_as,
)
from emk_app.domain.notices import KINDS, News
from emk_app.domain.occupations import OCCUPATIONS, POINTS, Occupation
from emk_app.domain.orders import OrderAnswer
from emk_app.presenting import notices
from emk_app.presenting.examinations import norm_text
from emk_app.presenting.formats import counted, day, moment
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
KINDS_SAID: Final = {
    AmendmentKind.OCCUPATION: "Профессия",
    AmendmentKind.TEMPLATE: "Сообщение",
    AmendmentKind.STUDY: "Исследование",
}
EVERYBODYS: Final = "Общие для всех"
PERIODS: Final = (6, 12, 24, 36, 60)
"""Months that can be chosen between two studies, beside those that stand."""
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
    "period": "Выберите, как часто это проводят.",
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
    said: str = ""
    """The words themselves."""


@dataclass(frozen=True)
class OpenTemplate:
    """The words of one message, with places for facts in braces."""

    news: str = ""
    title: str = ""
    text: str = ""
    sms: str = ""
    places: str = ""


@dataclass(frozen=True)
class StudyRow:
    """One study as it is today, and what is agreed for later."""

    key: str = ""
    name: str = ""
    whose: str = ""
    period: str = ""
    norm: str = ""
    later: str = ""
    shelf: str = ""
    """Whose it is, in full."""


@dataclass(frozen=True)
class PartRow:
    """One number of the study in the form; empty where it has fewer."""

    name: str = ""
    low: str = ""
    high: str = ""
    norm_low: str = ""
    norm_high: str = ""
    rare_low: str = ""
    rare_high: str = ""


NO_PARTS: Final = [PartRow()] * MOST_NUMBERS


@dataclass(frozen=True)
class OpenStudy:
    """The study in the form."""

    key: str = ""
    name: str = ""
    whose: str = ""
    period: str = ""
    periods: list[list[str]] = ()  # type: ignore[assignment]
    parts: list[PartRow] = ()  # type: ignore[assignment]
    """``MOST_NUMBERS`` of them, the last ones without a name."""


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
    was: str = ""
    """How it is today, where that is not there to be seen beside it."""


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


def study_rows(views: tuple[AmendmentView, ...], today: date) -> list[StudyRow]:
    """Return every study, those of everybody first."""
    return [_study(each, views, today) for each in examinations.listed_studies(today)]


def opened_study(listed: ListedStudy) -> OpenStudy:
    """Return a study to be amended."""
    form = listed.study.form
    parts = [] if not isinstance(form, Numbers) else [_part(form, each) for each in form.parts]
    months = listed.study.period_months
    periods = sorted({*PERIODS, months or PERIODS[0]})
    return OpenStudy(
        listed.key,
        listed.study.name,
        _whose(listed.point),
        str(months or ONCE),
        [
            *([[ONCE, _period(None)]] if listed.may_be_once else []),
            *([str(each), _period(each)] for each in periods),
        ],
        [*parts, *NO_PARTS][:MOST_NUMBERS],
    )


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
        _worded(held),
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
        KINDS_SAID[view.kind],
        _said(view),
        day(view.valid_from),
        view.reason,
        f"{view.by} (вы)" if view.is_own else view.by,
        moment(view.at),
        label.text,
        label.tone,
        is_open,
        view.is_own,
        _was(view, today),
    )


def _said(view: AmendmentView) -> str:
    if view.occupation is not None:
        said = f"«{view.occupation.name}», {view.occupation.group}, п. {view.occupation.point}"
        return f"закрыть {said}" if view.occupation.is_closed else said
    if view.study is not None:
        listed = examinations.listed_study(view.code, view.valid_from)
        if listed is None:
            return view.code
        said = _studied(listed.study, view.study.period_months, view.study.bounds)
        return f"{_named(listed)}: {said}"
    assert view.template is not None
    return f"«{view.template.title}». {_worded(view.template)}"


def _worded(words: Template) -> str:
    return f"{words.text} СМС: {words.sms}"


def _was(view: AmendmentView, today: date) -> str:
    """Say how a study that is amended stands: a number is judged by the one before."""
    listed = examinations.listed_study(view.code, today) if view.study is not None else None
    return "" if listed is None else _studied(listed.study, *standing_as(listed.study))


def _study(listed: ListedStudy, views: tuple[AmendmentView, ...], today: date) -> StudyRow:
    study = listed.study
    later = [
        each
        for each in views
        if each.study is not None
        and each.code == listed.key
        and each.answer is OrderAnswer.CONFIRMED
        and each.valid_from > today
    ]
    parts = study.form.parts if isinstance(study.form, Numbers) else ()
    return StudyRow(
        listed.key,
        study.name,
        _whose(listed.point),
        _period(study.period_months),
        " ".join(part for part in (norm_text(parts), study.unit) if part) if parts else "",
        "; ".join(
            f"с {day(each.valid_from)}: {_studied(study, *_amended(each.study))}"
            for each in reversed(later)
            if each.study
        ),
        f"Пункт {listed.point}. {POINTS[listed.point].short_name}" if listed.point else EVERYBODYS,
    )


def _amended(study: AmendedStudy) -> tuple[int | None, tuple[Bounds, ...]]:
    return study.period_months, study.bounds


def _named(listed: ListedStudy) -> str:
    return f"{listed.study.name}, {_whose(listed.point)}"


def _whose(point: str) -> str:
    return f"п. {point}" if point else "всем"


def _period(months: int | None) -> str:
    if months is None:
        return "один раз, при приёме на работу"
    if months == 12:
        return "раз в год"
    if months % 12 == 0:
        return f"раз в {counted(months // 12, 'год', 'года', 'лет')}"
    return f"раз в {counted(months, 'месяц', 'месяца', 'месяцев')}"


def _studied(study: ProgrammeItem, months: int | None, bounds: tuple[Bounds, ...]) -> str:
    """Say all that can be amended: «раз в год; глюкоза от 1 до 50, норма 3,3–6,0»."""
    parts = study.form.parts if isinstance(study.form, Numbers) else ()
    if len(parts) != len(bounds):
        return _period(months)
    numbers = (_bounded(part, each) for part, each in zip(parts, bounds, strict=True))
    return "; ".join((_period(months), *numbers))


def _bounded(part: NumberPart, bounds: Bounds) -> str:
    said = [f"{part.name} от {_shown(bounds.low)} до {_shown(bounds.high)}"]
    for word, low, high in (
        ("норма", bounds.norm_low, bounds.norm_high),
        ("без вопроса", bounds.rare_low, bounds.rare_high),
    ):
        if low is not None and high is not None:
            said.append(f"{word} {_shown(low)}–{_shown(high)}")
        elif low is not None:
            said.append(f"{word} от {_shown(low)}")
        elif high is not None:
            said.append(f"{word} до {_shown(high)}")
    return ", ".join(said)


def _part(form: Numbers, part: NumberPart) -> PartRow:
    name, unit = part.name[:1].upper() + part.name[1:], form.unit_of(part)
    return PartRow(
        f"{name}, {unit}" if unit else name,
        *(_shown(getattr(part, bound)) for bound in BOUNDS),
    )


def _shown(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}".replace(".", ",")
