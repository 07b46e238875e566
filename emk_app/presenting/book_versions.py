"""Versions of a book, what they say otherwise, and its next term, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from emk_app.domain.books import BookLine, BookVaccination, Cause, Standing
from emk_app.domain.clearance import Fitness, ItemState
from emk_app.domain.differences import Difference, Fact, Part
from emk_app.domain.examinations import ExaminationKind
from emk_app.domain.renewals import Hindrance
from emk_app.domain.vaccinations import Dose, RecordKind
from emk_app.presenting.applications import KINDS as EXAMINATION_KINDS
from emk_app.presenting.examinations import FITNESS
from emk_app.presenting.formats import counted, day, days_left, moment, short_hash
from emk_app.presenting.texts import NOT_RENEWABLE
from emk_app.presenting.vaccinations import DOSES
from emk_app.presenting.vaccinations import KINDS as RECORDS
from emk_app.services.issuing import BookCard
from emk_app.services.renewing import NextStep, Outlook, Way
from emk_app.services.versioning import Comparison, VersionView

CAUSES: Final = {
    Cause.FORMED: "Книжка оформлена",
    Cause.EXAMINATION: "Новый осмотр",
    Cause.CORRECTION: "Исправлено заключение",
    Cause.VACCINATION: "Запись о прививке",
    Cause.IDENTITY: "Изменены личные данные",
    Cause.RENEWAL: "Продлён срок",
    Cause.SUSPENSION: "Приостановлена",
    Cause.RESUMPTION: "Снова действует",
    Cause.REVOCATION: "Аннулирована",
    Cause.REISSUE: "Подписана новым ключом",
}
STANDINGS: Final = {
    Standing.IN_FORCE: "действует",
    Standing.SUSPENDED: "приостановлена",
    Standing.REVOKED: "аннулирована",
}
PARTS: Final = {
    Part.STANDING: "Состояние",
    Part.NAME: "Имя",
    Part.BORN_ON: "Дата рождения",
    Part.OCCUPATION: "Профессия",
    Part.WORK: "Вид работ",
    Part.VALID_UNTIL: "Действует по",
    Part.ISSUED_ON: "Выдана",
    Part.FITNESS: "Заключение",
    Part.RESTRICTIONS: "Ограничения",
    Part.NOTE: "Примечание",
    Part.KIND: "Осмотр",
    Part.CONCLUDED_ON: "Заключение от",
    Part.CLINIC: "Медорганизация",
    Part.CHAIR: "Председатель комиссии",
    Part.STUDY: "Исследование",
    Part.VACCINATION: "Прививка",
}
ABSENT: Final = "не было"
REMOVED: Final = "больше нет"
NOTHING: Final = "Содержание этих версий одинаковое, отличаются только номер и подпись."


@dataclass(frozen=True)
class VersionRow:
    """One version in the list."""

    number: str
    title: str
    at: str
    hash_short: str
    until: str
    mark: str
    tone: str


@dataclass(frozen=True)
class DifferenceRow:
    """One difference between two versions."""

    name: str
    was: str
    became: str
    mark: str
    tone: str


@dataclass(frozen=True)
class WantRow:
    """One study that has to be made anew."""

    code: str
    name: str
    until: str
    word: str
    tone: str


@dataclass(frozen=True)
class TermRow:
    """What can be done about the term: renew it, or the step that comes first."""

    may_renew: bool = False
    tone: str = "neutral"
    title: str = ""
    text: str = ""
    question: str = ""
    new_until: str = ""
    href: str = ""
    action: str = ""
    may_reapply: bool = False
    wants: bool = False
    """Whether the studies that are missing belong under the text."""


def version_rows(versions: tuple[VersionView, ...]) -> list[VersionRow]:
    """Return the versions for the list, in the order given."""
    return [
        VersionRow(
            number=str(each.number),
            title=_title(each),
            at=moment(each.signed_at),
            hash_short=short_hash(each.version_hash),
            until=day(each.valid_until) if each.valid_until else "",
            mark=(
                "подпись не подтверждена"
                if not each.is_genuine
                else "нынешняя"
                if each.is_current
                else "прежняя"
            ),
            tone=("danger" if not each.is_genuine else "success" if each.is_current else "neutral"),
        )
        for each in versions
    ]


def version_choices(versions: tuple[VersionView, ...]) -> list[list[str]]:
    """Return the genuine versions as choices of a list."""
    return [
        [
            str(each.number),
            f"Версия {each.number}: {_title(each).lower()}, {moment(each.signed_at)}",
        ]
        for each in versions
        if each.is_genuine
    ]


def comparison_title(found: Comparison) -> str:
    """Say which versions are compared."""
    return f"Что изменилось с версии {found.old.number} до версии {found.new.number}"


def difference_rows(found: Comparison) -> list[DifferenceRow]:
    """Return every difference as a row of «было» and «стало»."""
    return [_difference(each) for each in found.differences]


def term_row(outlook: Outlook, card: BookCard) -> TermRow:
    """Return what the page says about the next term."""
    found, today = outlook.prospect, card.today
    is_over = card.valid_until < today
    way = _way(outlook.way)
    match found.hindrance:
        case None:
            return TermRow(
                may_renew=True,
                tone="danger" if is_over else "waiting",
                title="Книжку можно продлить",
                text=(
                    f"Все исследования в порядке. Новый срок: по {day(found.new_until)}. Выйдет "
                    "новая версия, и ссылки нужно будет сделать заново."
                ),
                question=f"Продлить книжку по {day(found.new_until)}?",
                new_until=day(found.new_until),
            )
        case Hindrance.TOO_EARLY:
            return TermRow(
                text=(
                    f"Продлить можно будет с {day(found.opens_on)}: за 30 дней до конца срока. "
                    "Напомним об этом сами."
                )
            )
        case Hindrance.STUDIES:
            n = counted(len(found.wanting), "исследование", "исследования", "исследований")
            last_month = today >= found.opens_on
            return TermRow(
                tone="danger" if is_over else "waiting",
                title="Чтобы продлить, обновите осмотр" if last_month else "Пора обновить осмотр",
                text=f"Нужно пройти заново {n}. {way[0]}",
                href=way[1],
                action=way[2],
                may_reapply=outlook.way.step is NextStep.REAPPLY,
                wants=bool(found.wanting),
            )
        case Hindrance.NO_CONSENT:
            return TermRow(
                tone="waiting",
                title="Нет согласия на обработку данных",
                text="Дайте его снова, и книжку можно будет продлить.",
                href="/cabinet/consent",
                action="Открыть согласие",
            )
        case Hindrance.REVOKED:
            return TermRow(
                text=f"Аннулированную книжку не продлевают. {way[0]}",
                href=way[1],
                action=way[2],
                may_reapply=outlook.way.step is NextStep.REAPPLY,
            )
        case _:
            return TermRow(text=NOT_RENEWABLE[found.hindrance])


def want_rows(outlook: Outlook, card: BookCard) -> list[WantRow]:
    """Return the studies to be made anew, those that are over first."""
    names = {line.code: line.name for line in card.content.lines} if card.content else {}
    wanting = sorted(outlook.prospect.wanting, key=lambda each: each.days_left or -(10**6))
    return [_want(each, names.get(each.code, each.code), card.today) for each in wanting]


def _want(state: ItemState, name: str, today: date) -> WantRow:
    until = state.valid_until
    is_over = state.days_left is None or state.days_left < 0
    return WantRow(
        code=state.code,
        name=name,
        until=f"{'по' if not is_over else 'было по'} {day(until)}" if until else "",
        word=days_left(until, today) if until else "не пройдено",
        tone="danger" if is_over else "waiting",
    )


def _way(way: Way) -> tuple[str, str, str]:
    """Return what to say of the next step, where it leads, and the words of its button."""
    match way.step:
        case NextStep.VISIT:
            return (
                "Заявка уже подана: запишитесь на осмотр.",
                f"/cabinet/visits/{way.number.slug if way.number else ''}",
                "Записаться на осмотр",
            )
        case NextStep.APPLICATION:
            return (
                "Осмотр по новой заявке уже идёт.",
                f"/cabinet/applications/{way.number.slug if way.number else ''}",
                "Открыть заявку",
            )
        case NextStep.DRAFT:
            return ("Заявка на новый осмотр уже начата.", "/cabinet/apply", "Продолжить заявку")
        case NextStep.REAPPLY:
            return (
                "Подайте заявку на основе прежней: данные и документы переносить не придётся. "
                "Затем запишитесь на осмотр.",
                "",
                "Подать заявку на основе прежней",
            )
        case NextStep.APPLY:
            return ("Подайте новую заявку.", "/cabinet/apply", "Подать заявку")


def _title(version: VersionView) -> str:
    if version.cause is not None:
        return CAUSES[version.cause]
    return CAUSES[Cause.FORMED if version.number == 1 else Cause.EXAMINATION]


def _difference(found: Difference) -> DifferenceRow:
    either = found.became if found.became is not None else found.was
    name = PARTS[found.part]
    if isinstance(either, BookLine | BookVaccination):
        name = f"{name}: {either.name}"
    added, removed = found.was is None, found.became is None
    return DifferenceRow(
        name=name,
        was=ABSENT if found.was is None else _words(found.was),
        became=REMOVED if found.became is None else _words(found.became),
        mark="добавлено" if added else "убрано" if removed else "изменено",
        tone="success" if added else "danger" if removed else "info",
    )


def _words(fact: Fact) -> str:
    match fact:
        case Standing():
            return STANDINGS[fact]
        case Fitness():
            return FITNESS[fact].text
        case ExaminationKind():
            return EXAMINATION_KINDS[fact].text
        case BookLine():
            until = f", действует по {day(fact.valid_until)}" if fact.valid_until else ""
            value = f"{fact.value} {fact.unit}".strip()
            return f"{value}, сделано {day(fact.performed_on)}{until}"
        case BookVaccination():
            return _shot(fact)
        case date():
            return day(fact)
        case str():
            return fact


def _shot(fact: BookVaccination) -> str:
    kind = RECORDS[RecordKind(fact.kind)]
    dose = f", {DOSES[Dose(fact.dose)]} доза" if fact.dose and fact.dose != Dose.RV else ""
    dose = f", {DOSES[Dose.RV]}" if fact.dose == Dose.RV else dose
    vaccine = f", {fact.vaccine}" if fact.vaccine else ""
    series = f", серия {fact.series}" if fact.series else ""
    until = f", до {day(fact.until)}" if fact.until else ""
    return f"{kind}{dose} {day(fact.on)}{vaccine}{series}{until}"
