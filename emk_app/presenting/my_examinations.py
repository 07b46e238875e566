"""The examination in words, as its holder reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.clock import day_of
from emk_app.domain.appeals import AppealStatus
from emk_app.domain.clearance import Fitness
from emk_app.domain.examinations import ItemKind, Source
from emk_app.presenting.attachments import AttachmentRow, attachment_rows
from emk_app.presenting.examinations import FITNESS
from emk_app.presenting.formats import counted, day, moment
from emk_app.presenting.texts import Label
from emk_app.presenting.vaccinations import StandingRow, standing_rows
from emk_app.services.appealing import Confirmed, MyExamination, Pronounced

SAID: Final = {
    Fitness.FIT: "Медицинских противопоказаний к вашей работе нет.",
    Fitness.FIT_WITH_RESTRICTIONS: (
        "Работать можно с ограничениями. Покажите их работодателю: он обязан их учесть."
    ),
    Fitness.TEMPORARILY_UNFIT: (
        "Сейчас эта работа может навредить вам или другим. После указанной даты приходите в ту же "
        "медорганизацию: осмотр продолжится с того же места, новая заявка не нужна."
    ),
    Fitness.UNFIT: (
        "Комиссия нашла противопоказания к этой работе. Спросите лечащего врача, что можно "
        "сделать, или выберите другую профессию. Если вы не согласны, попросите вторую комиссию."
    ),
}
"""What a conclusion means, in the words of somebody who wishes well."""

APPEALS: Final = {
    AppealStatus.FILED: Label("ждёт второй комиссии", "waiting"),
    AppealStatus.TAKEN: Label("рассматривает вторая комиссия", "waiting"),
    AppealStatus.DECIDED: Label("решение принято", "success"),
}

FILED: Final = "Возражение подано. Вторая комиссия пригласит вас, когда возьмёт его в работу."
UNSAID: Final = {
    "reason": "Напишите, с чем вы не согласны.",
    "commission": "Выберите медорганизацию из списка.",
}


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study and what was found."""

    code: str
    name: str
    value: str
    made: str
    mark: str
    tone: str
    by: str = ""
    """Who has made it, where that was not the commission itself."""


@dataclass(frozen=True, slots=True)
class PronouncedRow:
    """One signed conclusion."""

    fitness: str
    tone: str
    text: str
    restrictions: str
    contraindications: str
    until: str
    note: str
    by: str
    key: str


@dataclass(frozen=True, slots=True)
class MyRow:
    """The examination in short, and the appeal."""

    is_open: bool = False
    identity: str = ""
    progress: str = ""
    done: int = 0
    required: int = 0
    further: str = ""
    """What has to be made beyond the programme."""
    may_appeal: bool = False
    appeal_until: str = ""
    appeal: str = ""
    appeal_tone: str = "neutral"
    appeal_reason: str = ""
    appeal_where: str = ""


def my_row(shown: MyExamination | None) -> MyRow:
    """Return the examination in short; an empty row until the clinic opens it."""
    if shown is None:
        return MyRow()
    studies = counted(shown.required, "исследования", "исследований", "исследований")
    awaited = [
        each.study.name
        for each in shown.studies
        if each.study.kind is ItemKind.FURTHER and each.result is None
    ]
    label = APPEALS[shown.appeal.status] if shown.appeal else Label("")
    return MyRow(
        is_open=True,
        identity="" if shown.is_identity_checked else "Покажите паспорт в регистратуре.",
        progress=f"Готово {shown.done} из {studies}" if not shown.is_signed else "",
        done=shown.done,
        required=shown.required,
        further="; ".join(awaited),
        may_appeal=shown.may_appeal,
        appeal_until=day(shown.appeal_until) if shown.appeal_until else "",
        appeal=label.text,
        appeal_tone=label.tone,
        appeal_reason=shown.appeal.reason if shown.appeal else "",
        appeal_where=(
            f"{shown.appeal.clinic_name}, подано {day(day_of(shown.appeal.filed_at))}"
            if shown.appeal
            else ""
        ),
    )


def study_rows(shown: MyExamination | None) -> list[StudyRow]:
    """Return the programme with what was found so far."""
    return [_study(each) for each in shown.studies] if shown else []


def pronounced_rows(shown: MyExamination | None) -> list[PronouncedRow]:
    """Return the conclusions, newest first."""
    return [_pronounced(each) for each in reversed(shown.conclusions)] if shown else []


def vaccination_rows(shown: MyExamination | None) -> list[StandingRow]:
    """Return how the holder stands towards each infection."""
    return standing_rows(shown.vaccinations) if shown else []


def paper_rows(shown: MyExamination | None) -> list[AttachmentRow]:
    """Return the papers of the examination."""
    return attachment_rows(shown.papers) if shown else []


def commission_options(shown: MyExamination | None) -> list[list[str]]:
    """Return whom to ask for a second commission: identity and words."""
    if shown is None:
        return []
    return [
        [
            str(each.clinic_id),
            f"{each.name}, {each.address}" + (" (та же медорганизация)" if each.is_first else ""),
        ]
        for each in shown.commissions
    ]


def _study(each: Confirmed) -> StudyRow:
    study, result = each.study, each.result
    if result is None:
        return StudyRow(study.code, study.name, "", "", "ещё не готово", "neutral")
    until = f", действует до {day(each.valid_until)}" if each.valid_until else ""
    whence = {
        Source.BOOK: ", из прежней книжки",
        Source.CERTIFICATE: ", по справке",
        Source.EXCHANGE: ", из другой медорганизации",
    }
    return StudyRow(
        study.code,
        study.name,
        f"{study.words(result.value)} {study.unit}".strip(),
        f"{day(result.performed_on)}{until}{whence[each.source] if each.source else ''}",
        "есть отклонение" if result.deviation else "готово",
        "waiting" if result.deviation else "success",
        _by(each),
    )


def _by(each: Confirmed) -> str:
    if each.source is Source.BOOK:
        return ""
    number = f"№ {each.details.number}" if each.details.number else ""
    return ", ".join(part for part in (each.details.performer, number) if part)


def _pronounced(each: Pronounced) -> PronouncedRow:
    conclusion = each.conclusion
    label = FITNESS[conclusion.fitness]
    at = moment(each.at)
    return PronouncedRow(
        fitness=label.text,
        tone=label.tone,
        text=SAID[conclusion.fitness],
        restrictions=conclusion.restrictions,
        contraindications=conclusion.contraindications,
        until=f"до {day(conclusion.until)} включительно" if conclusion.until else "",
        note=conclusion.note,
        by=", ".join(part for part in (each.chair_name, each.clinic_name, at) if part),
        key=each.at.isoformat(),
    )
