"""The clinic's desk in words: the day, the programme line by line, the conclusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from emk_app.clock import day_of
from emk_app.domain.actors import Position
from emk_app.domain.applications import ApplicationStatus, ExaminationTrack
from emk_app.domain.clearance import Conclusion, Fitness, valid_until
from emk_app.domain.errors import Invalid, Required
from emk_app.domain.examinations import (
    ORDER,
    Choices,
    CorrectionReason,
    Details,
    ItemKind,
    NumberPart,
    Numbers,
    PassedOn,
    ProgrammeItem,
    Source,
)
from emk_app.domain.occupations import Occupation
from emk_app.domain.specialties import SPECIALTIES
from emk_app.presenting.applications import KINDS, SEXES
from emk_app.presenting.formats import NBSP, counted, day, moment, short_person
from emk_app.presenting.texts import POSITIONS, Label, field_sentences
from emk_app.services.appealing import Waiting
from emk_app.services.cases import Patient
from emk_app.services.examining import (
    Day,
    DayLine,
    EntryView,
    ExaminationView,
    Signature,
)
from emk_app.services.staffing import Member

GROUPS: Final = {
    ItemKind.MEASUREMENT: "Измерения и осмотр",
    ItemKind.PHYSICIAN: "Врачи-специалисты",
    ItemKind.LAB: "Лабораторные исследования",
    ItemKind.INSTRUMENTAL: "Инструментальные исследования",
    ItemKind.ATTESTATION: "Гигиеническая подготовка",
    ItemKind.FURTHER: "Дополнительные исследования",
}
"""The programme's groups, in the order of the page."""

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

FITNESS: Final = {
    Fitness.FIT: Label("Противопоказаний нет", "success"),
    Fitness.FIT_WITH_RESTRICTIONS: Label("Допуск с ограничениями", "success"),
    Fitness.TEMPORARILY_UNFIT: Label("Временные противопоказания", "waiting"),
    Fitness.UNFIT: Label("Постоянные противопоказания", "danger"),
}

FITNESS_TEXTS: Final = {
    Fitness.FIT: "Медицинские противопоказания к работе не выявлены.",
    Fitness.FIT_WITH_RESTRICTIONS: "Работать можно на условиях, которые вы укажете ниже.",
    Fitness.TEMPORARILY_UNFIT: "До указанной даты работать нельзя, потом осмотр продолжится.",
    Fitness.UNFIT: "Работать нельзя. Заявка завершится отказом, заключение можно обжаловать.",
}
"""What choosing an outcome means."""

CONCLUSIONS: Final = FITNESS_TEXTS | {
    Fitness.FIT_WITH_RESTRICTIONS: "Работать можно с ограничениями.",
    Fitness.TEMPORARILY_UNFIT: "Выявлены временные медицинские противопоказания к работе.",
    Fitness.UNFIT: "Выявлены постоянные медицинские противопоказания к работе.",
}
"""What a conclusion says."""

REASONS: Final = {
    CorrectionReason.TYPO: "опечатка",
    CorrectionReason.REPEATED: "исследование повторено",
    CorrectionReason.REFINED: "результат уточнён",
    CorrectionReason.MIXED_UP: "результат другого пациента",
}
"""Why an entry is put in the place of another."""

FURTHER_ORDERED: Final = "Исследование назначено. Владелец получит сообщение."
FURTHER_CANCELLED: Final = "Назначение отменено."
WITHDRAWN: Final = "Осмотр открыт для исправления. Подписанное заключение сохранено."
IDENTITY_CONFIRMED: Final = "Личность подтверждена. Можно вносить результаты."
SIGNED: Final = "Заключение подписано."
SPECIALTIES_SAVED: Final = "Сохранено: {name}."
REOPENED: Final = "Осмотр продолжается. Сверьте личность пациента ещё раз."
UNREADABLE_NAME: Final = "Имя исправляется"
UNKNOWN_NUMBER: Final = (
    "Заявки с этим номером в вашей организации нет. Проверьте номер или попросите владельца "
    "выбрать вас в личном кабинете."
)
UNOPENED: Final = "Осмотр по этой заявке ещё не открыт."
UNOPENED_FOR_PHYSICIAN: Final = (
    "Осмотр по этой заявке ещё не открыт. Его открывает регистратор или председатель комиссии."
)


UNSAID: Final = {
    "contraindications": "Отметьте противопоказание или назовите его.",
    "fitness": "Выберите вывод комиссии.",
    "restrictions": "Отметьте ограничение или напишите своё.",
    "until": "Укажите последний день, когда противопоказания действуют.",
}
"""What to say where the conclusion is empty and must not be."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """One line of the clinic's day."""

    number: str
    slug: str
    name: str
    born: str
    occupation: str
    submitted: str
    stage: str
    stage_tone: str
    href: str
    """Empty until the case is opened."""
    action: str
    may_open: bool


@dataclass(frozen=True, slots=True)
class AppealRow:
    """An appeal that waits for a commission of the clinic."""

    number: str
    slug: str
    name: str
    filed: str
    fitness: str
    reason: str
    may_take: bool


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One of the clinic's staff; ``specialties`` are code, name, and whether they are theirs."""

    id: int
    name: str
    position: str
    is_physician: bool
    specialties: list[tuple[str, str, bool]]
    codes: list[str]


@dataclass(frozen=True, slots=True)
class ExaminationRow:
    """The head of an examination."""

    number: str = ""
    name: str = ""
    born: str = ""
    sex: str = ""
    snils: str = ""
    occupation: str = ""
    work: str = ""
    kind: str = ""
    opened: str = ""
    identity: str = ""
    stage: str = ""
    stage_tone: str = "neutral"
    notice: str = ""
    notice_tone: str = "info"
    is_identity_checked: bool = False
    is_signed: bool = False
    shows_results: bool = False
    may_confirm: bool = False
    may_enter: bool = False
    may_sign: bool = False
    may_reopen: bool = False
    may_withdraw: bool = False
    may_order: bool = False
    has_certificate: bool = False
    contest: str = ""
    """Why the holder contests the conclusion before this one."""
    contested: str = ""
    """When they did."""
    is_physician: bool = False
    """Only some of the studies are theirs to enter."""
    has_own: bool = True


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """How far the entries are."""

    done: int = 0
    required: int = 0
    text: str = ""
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One study on the page of results: what it asks, and what stands.

    ``is_pending`` waits for the reason of a correction, ``is_doubted`` for a rare number to be
    confirmed; ``offer`` is what may be taken over instead of making the study anew.
    """

    code: str
    name: str
    form: str
    """``numbers``, ``radios``, ``select`` or ``date``."""
    hint: str
    """How it is typed; empty where nothing can be."""
    norm: str
    unit: str
    options: list[list[str]]
    value: str
    """As it stands in the control."""
    words: str
    """As people read it, with the unit."""
    made_on: str
    until: str
    mark: str
    mark_tone: str
    by: str
    entry_id: int
    may_edit: bool
    is_missing: bool
    is_required: bool
    error: str
    date_error: str
    specialty: str = ""
    is_own: bool = True
    is_pending: bool = False
    is_doubted: bool = False
    is_fresh: bool = False
    """The author's own of a few minutes ago: a slip is put right without a question."""
    offer: str = ""
    source: str = ""
    has_details: bool = False
    details: str = ""
    performer: str = ""
    device: str = ""
    number: str = ""
    is_certificate: bool = False
    details_error: str = ""
    is_attestation: bool = False
    programme: str = ""
    """What an attestation is passed for, and how often."""
    further_id: int = 0
    """The order that may be taken back."""


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A conclusion, signed or about to be."""

    fitness: str = ""
    tone: str = "neutral"
    text: str = ""
    restrictions: str = ""
    contraindications: str = ""
    until: str = ""
    note: str = ""
    person: str = ""
    at: str = ""


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each control of the conclusion that is not in order."""
    said = field_sentences(error)
    return said | {
        name: UNSAID[name] for name, why in error.fields.items() if isinstance(why, Required)
    }


def day_rows(shown: Day) -> list[DayRow]:
    """Return the lines of the clinic's day."""
    return [_day_row(line, may_open=shown.may_open) for line in shown.lines]


def appeal_rows(waiting: Sequence[Waiting]) -> list[AppealRow]:
    """Return the appeals that wait, oldest first."""
    return [
        AppealRow(
            number=each.number.shown,
            slug=each.number.slug,
            name=_name(each.patient),
            filed=day(day_of(each.filed_at)),
            fitness=FITNESS[each.fitness].text,
            reason=each.reason,
            may_take=each.may_take,
        )
        for each in waiting
    ]


def member_rows(staff: Sequence[Member]) -> list[MemberRow]:
    """Return the clinic's staff."""
    return [
        MemberRow(
            id=each.id,
            name=each.name or "Имя не указано",
            position=POSITIONS[each.position],
            is_physician=each.position is Position.PHYSICIAN,
            specialties=[
                (code, known.short_name, code in each.specialties)
                for code, known in SPECIALTIES.items()
            ],
            codes=[code for code in SPECIALTIES if code in each.specialties],
        )
        for each in staff
    ]


def rest_of(shown: Day) -> str:
    """Say that there are more than the lines shown; empty when there are not."""
    if shown.total <= len(shown.lines):
        return ""
    return f"Показаны первые {len(shown.lines)} из {shown.total}. Остальные найдите по номеру."


def examination_row(shown: ExaminationView) -> ExaminationRow:
    """Return the head of an examination."""
    patient = shown.patient
    stage = _stage(shown)
    notice = _notice(shown)
    checked = ""
    if shown.identity_checked_at is not None:
        who = shown.identity_checked_by or "сотрудник"
        checked = f"{who}, {moment(shown.identity_checked_at)}"
    return ExaminationRow(
        number=shown.number.shown,
        name=_name(patient),
        born=_born(patient, shown.age),
        sex=SEXES[patient.sex] if patient.sex else "",
        snils=str(patient.snils) if patient.snils else "",
        occupation=patient.occupation.name if patient.occupation else "",
        work=patient.occupation.work_point.short_name if patient.occupation else "",
        kind=KINDS[patient.kind].text if patient.kind else "",
        opened=moment(shown.opened_at),
        identity=checked,
        stage=stage.text,
        stage_tone=stage.tone,
        notice=notice.text,
        notice_tone=notice.tone,
        is_identity_checked=shown.identity_checked_at is not None,
        is_signed=shown.is_signed,
        shows_results=bool(shown.entries) or shown.may_enter,
        may_confirm=shown.may_receive and shown.identity_checked_at is None,
        may_enter=shown.may_enter,
        may_sign=shown.may_sign,
        may_reopen=shown.may_reopen,
        may_withdraw=shown.may_withdraw,
        may_order=shown.may_enter,
        has_certificate=shown.has_certificate,
        contest=shown.contest.reason if shown.contest else "",
        contested=day(day_of(shown.contest.filed_at)) if shown.contest else "",
        is_physician=shown.may_enter and len(shown.own) < len(shown.programme),
        has_own=bool(shown.own) or not shown.may_enter,
    )


def progress_row(shown: ExaminationView) -> ProgressRow:
    """Say how many of the required studies have a result."""
    done = shown.required - len(shown.missing)
    studies = counted(shown.required, "исследования", "исследований", "исследований")
    return ProgressRow(
        done=done,
        required=shown.required,
        text=f"Внесено {done} из {studies}" if shown.required and not shown.is_signed else "",
        is_complete=bool(shown.required) and not shown.missing,
    )


def result_rows(
    shown: ExaminationView,
    kind: ItemKind,
    *,
    errors: Mapping[str, str],
    date_errors: Mapping[str, str],
    dates: Mapping[str, str],
    default_date: str,
    doubted: Mapping[str, str] = NOTHING,
    pending: Mapping[str, str] = NOTHING,
    details_errors: Mapping[str, str] = NOTHING,
    only_own: bool = False,
) -> list[ResultRow]:
    """Return the lines of one group.

    ``dates`` are those typed for studies that have no result yet, ``default_date`` stands for the
    rest; errors are by code. ``doubted`` and ``pending`` are what was typed and is not saved yet.
    """
    return [
        _result_row(
            study,
            shown,
            error=errors.get(study.code, ""),
            date_error=date_errors.get(study.code, ""),
            date=dates.get(study.code, default_date),
            doubted=doubted.get(study.code),
            pending=pending.get(study.code),
            details_error=details_errors.get(study.code, ""),
        )
        for study in shown.programme
        if study.kind is kind and (not only_own or study.code in shown.own)
    ]


def earlier_rows(shown: ExaminationView) -> list[SignatureRow]:
    """Return the conclusions that were signed before, newest first."""
    return [signature_row(each) for each in reversed(shown.earlier)]


def signature_row(signature: Signature | None) -> SignatureRow:
    """Return the signed conclusion; an empty row for none."""
    if signature is None:
        return SignatureRow()
    return conclusion_row(signature.conclusion, person=signature.person, at=moment(signature.at))


def conclusion_row(conclusion: Conclusion, *, person: str = "", at: str = "") -> SignatureRow:
    """Return a conclusion in words."""
    label = FITNESS[conclusion.fitness]
    return SignatureRow(
        fitness=label.text,
        tone=label.tone,
        text=CONCLUSIONS[conclusion.fitness],
        restrictions=conclusion.restrictions,
        contraindications=conclusion.contraindications,
        until=f"до {day(conclusion.until)} включительно" if conclusion.until else "",
        note=conclusion.note,
        person=person,
        at=at,
    )


def norm_text(parts: Sequence[NumberPart]) -> str:
    """Say what is normal: «Норма 90–139/60–89», «Норма от 0,8»; empty where nothing is."""
    bounds = [_norm(part) for part in parts]
    if not any(bounds):
        return ""
    shown = bounds[0] if len(set(bounds)) == 1 else "/".join(bounds)
    return f"Норма {shown}"


def _norm(part: NumberPart) -> str:
    low, high = (
        "" if bound is None else f"{bound:f}".replace(".", ",")
        for bound in (part.norm_low, part.norm_high)
    )
    if low and high:
        return f"{low}–{high}"
    return f"от {low}" if low else f"до {high}" if high else ""


def _name(patient: Patient) -> str:
    return str(patient.name) if patient.name else UNREADABLE_NAME


def _born(patient: Patient, age: int | None) -> str:
    if patient.born_on is None:
        return ""
    if age is None:
        return day(patient.born_on)
    return f"{day(patient.born_on)}, {counted(age, 'год', 'года', 'лет')}"


def _day_row(line: DayLine, *, may_open: bool) -> DayRow:
    stage = _day_stage(line)
    if line.examination_id is None:
        action = "Открыть" if may_open else ""
    else:
        action = "Посмотреть" if line.fitness else "Продолжить"
    return DayRow(
        number=line.number.shown,
        slug=line.number.slug,
        name=_name(line.patient),
        born=_born(line.patient, None),
        occupation=line.patient.occupation.name if line.patient.occupation else "",
        submitted=day(day_of(line.submitted_at)),
        stage=stage.text,
        stage_tone=stage.tone,
        href=f"/clinic/exams/{line.examination_id}" if line.examination_id else "",
        action=action,
        may_open=may_open and line.examination_id is None,
    )


def _day_stage(line: DayLine) -> Label:
    match line.examination:
        case ExaminationTrack.WAITING:
            return Label("ждёт приёма", "info")
        case ExaminationTrack.OPEN if not line.is_identity_checked:
            return Label("сверьте личность", "waiting")
        case ExaminationTrack.OPEN:
            return Label("осмотр идёт", "waiting")
        case ExaminationTrack.CONCLUDED if line.fitness is Fitness.TEMPORARILY_UNFIT:
            return Label("временные противопоказания", "waiting")
        case ExaminationTrack.CONCLUDED:
            return Label("заключение подписано", "success")


def _stage(shown: ExaminationView) -> Label:
    if shown.is_signed:
        return Label("заключение подписано", "success")
    if shown.is_closed:
        return Label("заявка завершена", "neutral")
    if shown.identity_checked_at is None:
        return Label("сверьте личность", "waiting")
    return Label("осмотр идёт", "waiting")


def _notice(shown: ExaminationView) -> Label:
    if shown.is_signed:
        return Label("")
    if shown.is_closed:
        return Label("Заявка завершена, осмотр по ней больше не ведётся.", "waiting")
    if not shown.programme:
        return Label(
            "Владелец исправляет данные, от которых зависит программа осмотра. Результаты можно "
            "будет вносить, когда он отправит заявку снова.",
            "waiting",
        )
    if not shown.is_settled:
        return Label(
            "Владелец исправляет данные, от которых зависит программа осмотра. Подписать "
            "заключение можно будет, когда он отправит заявку снова.",
            "waiting",
        )
    if shown.may_enter and not shown.own:
        return Label(
            "Вам ещё не назначена специальность, поэтому вносить результаты нельзя. Её назначает "
            "председатель комиссии на странице «Сотрудники».",
            "waiting",
        )
    if shown.is_order_over:
        return Label(
            f"Приказ № 29н действовал до {day(ORDER.last or ORDER.first)}. Программа составлена по "
            "последней редакции: сверьте её с новым перечнем.",
            "waiting",
        )
    if shown.status is ApplicationStatus.CLARIFICATION_REQUESTED:
        return Label("Владелец исправляет документы. Осмотру это не мешает.", "info")
    if shown.identity_checked_at is None and not shown.may_receive:
        return Label("Личность сверяет регистратор. После этого можно вносить результаты.", "info")
    return Label("")


def _result_row(
    study: ProgrammeItem,
    shown: ExaminationView,
    *,
    error: str,
    date_error: str,
    date: str,
    doubted: str | None,
    pending: str | None,
    details_error: str,
) -> ResultRow:
    entry = shown.entries.get(study.code)
    form, options = _control(study)
    mark = _mark(study, entry)
    ends = valid_until(study, entry.result) if entry else None
    is_own = study.code in shown.own
    may_edit = shown.may_enter and is_own and (entry is None or entry.may_correct)
    specialty = SPECIALTIES.get(study.specialty)
    details = entry.details if entry else Details()
    unsaved = pending if pending is not None else doubted
    return ResultRow(
        code=study.code,
        name=study.name,
        form=form,
        hint=study.hint if may_edit else "",
        norm=norm_text(study.form.parts) if isinstance(study.form, Numbers) else "",
        unit=study.unit,
        options=options,
        value=unsaved if unsaved is not None else _typed(study, entry) if entry else "",
        words=f"{study.words(entry.result.value)} {study.unit}".strip() if entry else "",
        made_on=day(entry.result.performed_on) if entry else date,
        until=_until(study, ends, is_signed=shown.is_signed),
        mark=mark.text,
        mark_tone=mark.tone,
        by=_by(entry) if entry else "",
        entry_id=entry.id if entry else 0,
        may_edit=may_edit,
        is_missing=study.code in shown.missing,
        is_required=study.required,
        error=error,
        date_error=date_error,
        specialty=specialty.short_name if specialty else "",
        is_own=is_own,
        is_pending=pending is not None,
        is_doubted=doubted is not None,
        is_fresh=bool(entry and entry.is_fresh),
        offer=_offer(study, shown) if may_edit and entry is None else "",
        source=_source(entry) if entry else "",
        has_details=(
            may_edit
            and entry is not None
            and entry.source is not Source.BOOK
            and study.kind in _WITH_DETAILS
        ),
        details=_details(details) if entry and not entry.source else "",
        performer=details.performer,
        device=details.device,
        number=details.number,
        is_certificate=bool(entry and entry.source is Source.CERTIFICATE),
        details_error=details_error,
        is_attestation=study.kind is ItemKind.ATTESTATION,
        programme=_programme(study, shown.patient.occupation),
        further_id=shown.further.get(study.code, 0) if may_edit else 0,
    )


def _offer(study: ProgrammeItem, shown: ExaminationView) -> str:
    offer = shown.offers.get(study.code)
    if offer is None:
        return ""
    found = f"{study.words(offer.result.value)} {study.unit}".strip()
    ends = f", действует до {day(offer.valid_until)}" if offer.valid_until else ""
    made = f"{found} от {day(offer.result.performed_on)}{ends}"
    if offer.source is Source.EXCHANGE:
        return f"В заключении «{offer.origin}»: {made}"
    return f"В книжке № {offer.origin}: {made}"


def _source(entry: EntryView) -> str:
    match entry.source:
        case Source.BOOK:
            return f"из медкнижки № {entry.details.number}"
        case Source.CERTIFICATE:
            return "по справке владельца"
        case Source.EXCHANGE:
            return f"из заключения «{entry.details.performer}»"
        case None:
            return ""


def _until(study: ProgrammeItem, ends: date | None, *, is_signed: bool) -> str:
    if ends is None:
        return ""
    if study.kind is ItemKind.ATTESTATION:
        return f"следующая — не позже {day(ends)}"
    return f"действует до {day(ends)}" if is_signed else ""


def _programme(study: ProgrammeItem, work: Occupation | None) -> str:
    """Say by which programme the attestation is passed and how often (order 229 of 2000)."""
    if study.kind is not ItemKind.ATTESTATION or work is None or study.period_months is None:
        return ""
    years = study.period_months // 12
    often = "каждый год" if years == 1 else f"раз в {counted(years, 'год', 'года', 'лет')}"
    return f"Программа: «{work.work_point.name}». Аттестацию проходят {often}."


def _details(details: Details) -> str:
    number = f"№ {details.number}" if details.number else ""
    return ", ".join(part for part in (details.performer, details.device, number) if part)


_WITH_DETAILS: Final = frozenset(
    {ItemKind.LAB, ItemKind.INSTRUMENTAL, ItemKind.FURTHER, ItemKind.ATTESTATION}
)
_FEW: Final = 2
"""Up to so many answers are shown at once; more are chosen from a list."""


def _control(study: ProgrammeItem) -> tuple[str, list[list[str]]]:
    match study.form:
        case Numbers():
            return "numbers", []
        case PassedOn():
            return "date", []
        case Choices(options):
            form = "radios" if len(options) <= _FEW else "select"
            return form, [[option.code, option.name] for option in options]


def _typed(study: ProgrammeItem, entry: EntryView) -> str:
    if isinstance(study.form, Choices):
        return entry.result.value
    return study.words(entry.result.value)


def _mark(study: ProgrammeItem, entry: EntryView | None) -> Label:
    if entry is None:
        return Label("", "neutral")
    if not entry.result.deviation:
        return Label("внесено", "success")
    return Label("вне нормы" if isinstance(study.form, Numbers) else "отклонение", "danger")


def _by(entry: EntryView) -> str:
    why = f" ({REASONS[entry.reason]})" if entry.reason else ""
    correction = f"исправление{why}, " if entry.is_correction else ""
    who = f"{short_person(entry.person)}, " if entry.person else ""
    return f"{correction}{who}{moment(entry.entered_at).replace(' ', NBSP)}"
