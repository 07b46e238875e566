"""Applications in words: labels of every status, and flat rows for the holder's screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

from emk_app import clock
from emk_app.domain import papers
from emk_app.domain.actors import Role
from emk_app.domain.applications import (
    FINAL,
    REQUIRED_SCANS,
    ApplicationStatus,
    ExaminationTrack,
    Milestone,
    PapersTrack,
    TrackingNumber,
)
from emk_app.domain.books import BookStatus
from emk_app.domain.checks import Check, CheckOutcome, Finding, Reason
from emk_app.domain.clearance import Fitness
from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.contacts import Phone
from emk_app.domain.corrections import SCAN_PREFIX, Asked, scan_control
from emk_app.domain.deadlines import LATE_DAYS, LONGEST_DAYS, SHORTEST_DAYS
from emk_app.domain.documents import LIMITS, MediaType, ScanKind
from emk_app.domain.errors import InvalidValue, Required
from emk_app.domain.esignature import ESignatureCheck
from emk_app.domain.examinations import ExaminationKind
from emk_app.domain.intake import Applicant, AppliedBy, Field, HolderCategory, is_asked
from emk_app.domain.numbers import Snils
from emk_app.domain.occupations import listed_on
from emk_app.domain.passports import IdentityKind, Passport
from emk_app.domain.people import Sex, parse_date
from emk_app.domain.policies import Enp, PolicyKind
from emk_app.domain.representation import Basis
from emk_app.domain.values import read_digits
from emk_app.presenting import esignatures
from emk_app.presenting.field_texts import word, word_warning
from emk_app.presenting.formats import (
    NBSP,
    counted,
    day,
    days_left,
    file_size,
    moment,
    plural,
)
from emk_app.presenting.texts import Label
from emk_app.services.applying import (
    CLINIC,
    CONSENT,
    BookSummary,
    CaseDetails,
    CaseView,
    DraftView,
    HistoryLine,
    Submitted,
    WizardStep,
)
from emk_app.services.directory import ClinicView
from emk_app.services.esigning import CONTROL as ESIGNATURE
from emk_app.services.scans import ScanView

T = TypeVar("T", bound=StrEnum)

STATUSES: Final = {
    ApplicationStatus.DRAFT: Label("Черновик"),
    ApplicationStatus.SUBMITTED: Label("Отправлено", "info"),
    ApplicationStatus.RECEIVED: Label("Получено", "info"),
    ApplicationStatus.UNDER_REVIEW: Label("На проверке", "waiting"),
    ApplicationStatus.CLARIFICATION_REQUESTED: Label("Требуется уточнение", "danger"),
    ApplicationStatus.APPROVED: Label("Одобрено", "success"),
    ApplicationStatus.REJECTED: Label("Отклонено", "danger"),
    ApplicationStatus.WITHDRAWN: Label("Отозвано"),
    ApplicationStatus.EXPIRED: Label("Срок истёк"),
}

PAPERS: Final = {
    PapersTrack.WAITING: Label("ждут проверки", "info"),
    PapersTrack.TAKEN: Label("проверяет оператор", "waiting"),
    PapersTrack.RETURNED: Label("нужно исправить", "danger"),
    PapersTrack.APPROVED: Label("проверены", "success"),
    PapersTrack.REJECTED: Label("отклонены", "danger"),
}

EXAMINATIONS: Final = {
    ExaminationTrack.WAITING: Label("ждёт вас в медорганизации", "info"),
    ExaminationTrack.OPEN: Label("идёт", "waiting"),
    ExaminationTrack.CONCLUDED: Label("заключение подписано", "success"),
}

CONCLUSIONS: Final = {
    Fitness.FIT: Label("допущены к работе", "success"),
    Fitness.FIT_WITH_RESTRICTIONS: Label("допущены с ограничениями", "success"),
    Fitness.TEMPORARILY_UNFIT: Label("временно не допущены", "waiting"),
    Fitness.UNFIT: Label("есть противопоказания", "danger"),
}

KINDS: Final = {
    ExaminationKind.PRE_PLACEMENT: Label("Предварительный, перед приёмом на работу"),
    ExaminationKind.PERIODIC: Label("Периодический, для тех, кто уже работает"),
}

SCAN_KINDS: Final = {
    ScanKind.PASSPORT: "Паспорт",
    ScanKind.POLICY: "Полис ОМС",
    ScanKind.SNILS: "СНИЛС",
    ScanKind.CONSENT: "Согласие на обработку данных",
    ScanKind.WORK_CERTIFICATE: "Справка с места работы",
    ScanKind.DIPLOMA: "Диплом или сертификат",
    ScanKind.STATUS_CERTIFICATE: "Студенческий, пенсионный или об инвалидности",
    ScanKind.POWER_OF_ATTORNEY: "Доверенность",
    ScanKind.REPRESENTED_STATUS: "Документ о праве представлять",
    ScanKind.EXAM_CERTIFICATE: "Справка о пройденном осмотре",
    ScanKind.CLARIFICATION: "Дополнение по просьбе оператора",
}

FIELDS: Final = {
    Field.APPLIED_BY: "Кто подаёт заявку",
    Field.REPRESENTATIVE_LAST: "Фамилия представителя",
    Field.REPRESENTATIVE_FIRST: "Имя представителя",
    Field.REPRESENTATIVE_PATRONYMIC: "Отчество представителя",
    Field.REPRESENTATIVE_BASIS: "На каком основании",
    Field.ATTORNEY_NUMBER: "Номер доверенности",
    Field.ATTORNEY_NOTARY: "Кем удостоверена",
    Field.ATTORNEY_ISSUED_ON: "Дата доверенности",
    Field.ATTORNEY_UNTIL: "Действует до",
    Field.LAST_NAME: "Фамилия",
    Field.FIRST_NAME: "Имя",
    Field.PATRONYMIC: "Отчество",
    Field.BIRTH_DATE: "Дата рождения",
    Field.SEX: "Пол",
    Field.IDENTITY_KIND: "Документ, удостоверяющий личность",
    Field.PASSPORT_SERIES: "Серия паспорта",
    Field.PASSPORT_NUMBER: "Номер паспорта",
    Field.PASSPORT_ISSUED_ON: "Дата выдачи паспорта",
    Field.PASSPORT_UNIT: "Код подразделения",
    Field.IDENTITY_NUMBER: "Серия и номер документа",
    Field.SNILS: "СНИЛС",
    Field.POLICY_KIND: "Вид полиса ОМС",
    Field.POLICY_SERIES: "Серия полиса",
    Field.POLICY_NUMBER: "Номер полиса ОМС",
    Field.PHONE: "Мобильный телефон",
    Field.POSTAL_INDEX: "Почтовый индекс",
    Field.ADDRESS: "Адрес регистрации",
    Field.CATEGORY: "Статус",
    Field.OCCUPATION: "Профессия",
    Field.KIND: "Вид осмотра",
    Field.EXAM_CERTIFICATE_ON: "Дата пройденного осмотра",
}

SEXES: Final = {Sex.FEMALE: "Женский", Sex.MALE: "Мужской"}

APPLICANTS: Final = {
    AppliedBy.HOLDER: "Владелец книжки",
    AppliedBy.REPRESENTATIVE: "Представитель",
}

BASES: Final = {
    Basis.PARENT: "Родитель",
    Basis.GUARDIAN: "Опекун или попечитель",
    Basis.ATTORNEY: "По нотариальной доверенности",
}

CATEGORIES: Final = {
    HolderCategory.NONE: "Ничего из этого",
    HolderCategory.STUDENT: "Студент",
    HolderCategory.PENSIONER: "Пенсионер",
    HolderCategory.DISABLED: "Есть инвалидность",
}

_CATEGORY_PAPERS: Final = {
    HolderCategory.STUDENT: "Студенческий билет",
    HolderCategory.PENSIONER: "Пенсионное удостоверение",
    HolderCategory.DISABLED: "Справка об инвалидности",
}
_BASIS_PAPERS: Final = {
    Basis.PARENT: "Свидетельство о рождении",
    Basis.GUARDIAN: "Документ об опеке или попечительстве",
}

IDENTITY_KINDS: Final = {
    IdentityKind.PASSPORT: "Паспорт гражданина РФ",
    IdentityKind.TEMPORARY: "Временное удостоверение личности",
    IdentityKind.MILITARY: "Военный билет или удостоверение военнослужащего",
    IdentityKind.FOREIGN_PASSPORT: "Паспорт иностранного гражданина",
    IdentityKind.RESIDENCE_PERMIT: "Вид на жительство",
    IdentityKind.TEMPORARY_RESIDENCE: "Разрешение на временное проживание",
    IdentityKind.REFUGEE: "Удостоверение беженца",
    IdentityKind.ASYLUM: "Свидетельство о временном убежище",
}

POLICY_KINDS: Final = {
    PolicyKind.UNIFIED: Label("Единый, 16 цифр"),
    PolicyKind.OLD: Label("Старого образца, серия и номер"),
    PolicyKind.TEMPORARY: Label("Временное свидетельство, 9 цифр"),
}

CLINIC_KINDS: Final = {
    ClinicKind.POLYCLINIC: "Поликлиника",
    ClinicKind.HOSPITAL: "Больница",
    ClinicKind.CENTRE: "Медицинский центр",
}

LICENCES: Final = {
    LicenceStatus.ACTIVE: Label("Лицензия действует", "success"),
    LicenceStatus.SUSPENDED: Label("Лицензия приостановлена", "danger"),
    LicenceStatus.ENDED: Label("Лицензия прекращена", "danger"),
    LicenceStatus.UNKNOWN: Label("Нет сведений о лицензии", "waiting"),
}

STEPS: Final = {
    WizardStep.DETAILS: "Данные",
    WizardStep.PAPERS: "Документы",
    WizardStep.CLINIC: "Медорганизация",
    WizardStep.REVIEW: "Проверка и отправка",
}

CHECKS: Final = {
    Check.SNILS: "Контрольное число СНИЛС",
    Check.POLICY_NUMBER: "Номер полиса ОМС",
    Check.POLICY_BIRTH: "Дата рождения по полису",
    Check.POLICY_SEX: "Пол по полису",
    Check.PASSPORT_TERM: "Паспорт вовремя заменён",
    Check.PASSPORT_SCAN: "Скан паспорта",
    Check.POLICY_SCAN: "Скан полиса",
    Check.PASSPORT_NAME: "Имя в паспорте и в заявке",
    Check.PASSPORT_NUMBER: "Серия и номер паспорта",
    Check.PASSPORT_BIRTH: "Дата рождения в паспорте",
    Check.PASSPORT_SEX: "Пол в паспорте",
    Check.PASSPORT_ISSUE: "Дата выдачи и код подразделения",
    Check.POLICY_ON_SCAN: "Номер на скане полиса",
    Check.NO_DUPLICATE: "Нет второй такой заявки",
    Check.SIGNATURE: "Электронная подпись",
    Check.ONE_ACCOUNT: "Нет заявки в другом кабинете",
}

OUTCOMES: Final = {
    CheckOutcome.PENDING: Label("проверяется…", "info"),
    CheckOutcome.PASSED: Label("проверено", "success"),
    CheckOutcome.FAILED: Label("не сходится", "danger"),
    CheckOutcome.UNKNOWN: Label("посмотрит оператор", "neutral"),
}

REASONS: Final = {
    Reason.OTHER_DOCUMENT: "У этого вида полиса нет шестнадцатизначного номера.",
    Reason.UNREADABLE: "Из номера полиса дата рождения не читается.",
    Reason.DIFFERS: "В номере полиса {encoded}, в заявке {stated}.",
    Reason.ABSENT: "Скана нет.",
    Reason.SMALL: "Снимок маленький: мелкие буквы могут не прочитаться.",
    Reason.GRAY: "Скан похож на чёрно-белый.",
    Reason.OTHER_PAPER: "Этот документ машина не читает: его сверит оператор.",
    Reason.OUTLIVED: (
        "Этот паспорт выдан {issued_on}, а в {age} лет его меняют. Если новый уже есть, оператор "
        "попросит его данные. Само по себе это не причина отказа."
    ),
    Reason.DIFFERS_ON_SCAN: (
        "На скане: {read}. В заявке: {stated}. Проверьте, тот ли документ приложен; если это "
        "опечатка, оператор попросит её исправить."
    ),
    Reason.NEARLY: "На скане читается почти так же, сверит оператор.",
    Reason.NO_READER: "Сверит оператор.",
    Reason.NOT_READ: ("Прочитать скан не удалось. Ничего делать не нужно: его посмотрит оператор."),
    Reason.BEFORE_ZONES: (
        "В паспортах, выданных до июля 2011 года, нет строки для машин: сверит оператор."
    ),
    Reason.SEVERAL: "На скане больше одного паспорта: разберётся оператор.",
    Reason.BY_EYE: "Сверит человек.",
    Reason.ALREADY_APPLIED: "Уже рассматривается: {numbers}.",
    Reason.SIGNATURE: "Что найдено, сказано в сведениях о подписи.",
    Reason.EARLIER_TEXT: esignatures.EARLIER_TEXT,
    Reason.APPLIED_FOR_OTHER_WORK: "Для другой работы уже рассматривается: {numbers}.",
    Reason.OTHER_ACCOUNT: "С тем же СНИЛС в другом кабинете: {numbers}.",
}

EVENTS: Final[Mapping[str, Label]] = {
    ApplicationStatus.DRAFT: Label("Черновик начат"),
    ApplicationStatus.SUBMITTED: Label("Заявка отправлена", "info"),
    ApplicationStatus.RECEIVED: Label("Заявка получена, автоматическая проверка закончена", "info"),
    ApplicationStatus.UNDER_REVIEW: Label("Проверка началась", "waiting"),
    ApplicationStatus.CLARIFICATION_REQUESTED: Label("Оператор просит уточнить", "danger"),
    ApplicationStatus.APPROVED: Label("Заявка одобрена, книжка оформлена", "success"),
    ApplicationStatus.REJECTED: Label("Заявка отклонена", "danger"),
    ApplicationStatus.WITHDRAWN: Label("Заявка отозвана"),
    ApplicationStatus.EXPIRED: Label("Срок заявки истёк"),
    Milestone.CORRECTED: Label("Исправления отправлены", "info"),
    Milestone.CLINIC_CHANGED: Label("Выбрана другая медорганизация", "info"),
    Milestone.PAPERS_TAKEN: Label("Оператор взял документы на проверку", "waiting"),
    Milestone.PAPERS_RELEASED: Label("Документы вернулись в очередь на проверку"),
    Milestone.PAPERS_APPROVED: Label("Документы проверены", "success"),
    Milestone.DECISION_UNDONE: Label("Решение пересматривается: документы проверят снова", "info"),
    Milestone.EXAMINATION_OPENED: Label("Медорганизация начала осмотр", "waiting"),
    Milestone.EXAMINATION_CONCLUDED: Label("Заключение по осмотру подписано", "success"),
    Milestone.EXAMINATION_REOPENED: Label("Осмотр продолжается", "waiting"),
    Milestone.CONSENT_WITHDRAWN: Label("Согласие на обработку данных отозвано"),
    Milestone.FURTHER_ORDERED: Label("Назначено дополнительное исследование", "waiting"),
    Milestone.FURTHER_DONE: Label("Дополнительные исследования завершены", "info"),
    Milestone.CONCLUSION_WITHDRAWN: Label("Комиссия исправляет заключение", "waiting"),
    Milestone.APPEAL_FILED: Label("Подано возражение на заключение", "info"),
    Milestone.APPEAL_TAKEN: Label("Возражение рассматривает вторая комиссия", "waiting"),
    Milestone.APPEAL_DECIDED: Label("Вторая комиссия дала заключение", "info"),
    Milestone.VISIT_BOOKED: Label("Запись на осмотр", "info"),
    Milestone.VISIT_MOVED: Label("Осмотр перенесён", "info"),
    Milestone.VISIT_CANCELLED: Label("Запись на осмотр отменена"),
    Milestone.VISIT_BEGUN: Label("Владелец пришёл на осмотр", "success"),
    Milestone.VISIT_MISSED: Label("Осмотр пропущен", "waiting"),
}
"""Titles of the history, as the holder reads it."""

BY: Final = {
    Role.HOLDER: "вы",
    Role.CLINIC: "медорганизация",
    Role.OPERATOR: "оператор",
    Role.EMPLOYER: "работодатель",
    Role.SUPPORT: "поддержка",
    Role.ADMIN: "администратор",
    Role.SYSTEM: "автоматически",
}

BOOK_STATUSES: Final = {
    BookStatus.FORMED: Label("Ждёт подтверждения", "waiting"),
    BookStatus.ACTIVE: Label("Действует", "success"),
    BookStatus.SUSPENDED: Label("Приостановлена", "danger"),
    BookStatus.REVOKED: Label("Аннулирована", "danger"),
}

CONTROLS: Final[Mapping[str, str]] = {
    **FIELDS,
    **{scan_control(kind): SCAN_KINDS[kind] for kind in ScanKind},
    CLINIC: "Медорганизация",
    CONSENT: "Согласие",
    ESIGNATURE: "Электронная подпись",
}
"""Every control of the form in its order, by name."""

NO_TERM: Final = "срок не указан: год со дня выдачи"
_PASSPORTS: Final = frozenset({"", IdentityKind.PASSPORT.value})
_BY_CHOICE: Final = frozenset({ScanKind.EXAM_CERTIFICATE})
"""Papers that stand among the others even where a date typed beside them calls for them."""

PROMISE: Final = f"Срок оформления: от {SHORTEST_DAYS} до {LONGEST_DAYS} рабочих дней."
TAKE_PAPERS: Final = "Возьмите с собой паспорт, СНИЛС и полис ОМС."
LATE: Final = (
    f"Проверка идёт дольше {LATE_DAYS} рабочих дней. Напишите в поддержку: там узнают, почему, и "
    "ускорят. Номер заявки в письме уже указан."
)


@dataclass(frozen=True, slots=True)
class ScanRow:
    """A paper in its field; ``name`` is empty where there is no scan."""

    kind: str
    label: str
    name: str = ""
    details: str = ""
    preview_url: str = ""
    pages: list[str] = field(default_factory=list[str])
    """The picture of each page."""
    file_url: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class ClinicRow:
    """A clinic in the list of the search, or the chosen one."""

    id: int = 0
    name: str = ""
    full_name: str = ""
    kind: str = ""
    region: str = ""
    address: str = ""
    phone: str = ""
    hours: str = ""
    okpo: str = ""
    licence: str = ""
    licence_tone: str = "neutral"
    connection: str = ""
    connection_tone: str = "neutral"
    has_electronic_policy: bool = False
    has_oms: bool = False
    obstacle: str = ""
    """Why it can't be chosen; empty when it can."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One answer of the form on the page of review or of a case."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """What keeps an application from being handed in, and where it is put right.

    ``href`` is empty for what stands on the last step itself.
    """

    name: str
    label: str
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class CaseRow:
    """An application that was handed in."""

    id: int = 0
    number: str = ""
    slug: str = ""
    href: str = ""
    status: str = ""
    tone: str = "neutral"
    papers: str = ""
    papers_tone: str = "neutral"
    examination: str = ""
    examination_tone: str = "neutral"
    has_tracks: bool = False
    occupation: str = ""
    kind: str = ""
    clinic: str = ""
    submitted: str = ""
    promise: str = ""
    """By when, while it is under way."""
    left: str = ""
    """How much of the promise is left, or that its clock stands still."""
    act_by: str = ""
    """Until when the holder must act, where something ends otherwise."""
    next: str = ""
    """What happens now, or what to do."""
    note: str = ""
    needs_correction: bool = False
    is_open: bool = False
    """Nothing is decided yet."""
    is_approved: bool = False
    is_late: bool = False
    support_href: str = ""
    """Where the support is asked with the number filled in, if the application is late."""
    may_withdraw: bool = False
    may_change_clinic: bool = False
    visits_href: str = ""
    """Where the visit is booked."""
    may_reapply: bool = False
    is_erased: bool = False
    """What it said was destroyed when the consent was taken back."""


@dataclass(frozen=True, slots=True)
class DraftRow:
    """The draft on the dashboard."""

    number: str = ""
    saved: str = ""
    step: str = ""
    href: str = ""
    kept: str = ""
    """How long it is kept."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the history."""

    key: str
    title: str
    at: str
    by: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a track: done at a moment, awaited of somebody now, or still ahead."""

    title: str = ""
    at: str = ""
    by: str = ""
    """Of whom it is awaited; empty unless it is."""
    tone: str = "neutral"
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One automatic check."""

    title: str
    word: str
    tone: str
    text: str
    sides: list[list[str]] = field(default_factory=list[list[str]])
    """What stands against what: name and value; for the operator."""
    paper: str = ""
    """The control of the paper on which the check rests."""


@dataclass(frozen=True, slots=True)
class BookRow:
    """The card of the book."""

    number: str = ""
    status: str = ""
    tone: str = "neutral"
    term: str = ""
    """What ``until`` is."""
    until: str = ""
    left: str = ""
    awaits_receipt: bool = False
    is_spent: bool = False
    """It will not be valid again: a new one is needed."""


def clinic_row(clinic: ClinicView | None, point: str | None = None) -> ClinicRow:
    """Return a clinic for somebody who works by ``point`` of order 29н."""
    if clinic is None:
        return ClinicRow()
    licence = LICENCES[clinic.licence_status]
    if clinic.licence_status is LicenceStatus.UNKNOWN:
        obstacle = "Выбрать нельзя: в реестре нет сведений о лицензии."
    elif clinic.licence_status is not LicenceStatus.ACTIVE:
        obstacle = "Выбрать нельзя: лицензия не действует."
    elif not clinic.is_connected:
        obstacle = "Выбрать нельзя: организация не сможет передать результаты осмотра."
    elif point is not None and point not in clinic.points:
        obstacle = "Выбрать нельзя: для вашей профессии осмотр здесь не проводят."
    else:
        obstacle = ""
    return ClinicRow(
        id=clinic.id,
        name=clinic.short_name,
        full_name=clinic.name,
        kind=CLINIC_KINDS[clinic.kind],
        region=clinic.region_name,
        address=clinic.address,
        phone=clinic.phone,
        hours=clinic.hours,
        okpo=clinic.okpo,
        licence=licence.text,
        licence_tone=licence.tone,
        connection="Подключена к сервису" if clinic.is_connected else "Не подключена к сервису",
        connection_tone="success" if clinic.is_connected else "neutral",
        has_electronic_policy=clinic.has_electronic_policy,
        has_oms=clinic.has_oms_contract,
        obstacle=obstacle,
    )


def paper_name(kind: ScanKind, fields: Mapping[str, str]) -> str:
    """Return what the paper is called for somebody whose form says this."""
    match kind:
        case ScanKind.PASSPORT if fields.get(Field.IDENTITY_KIND, "") not in _PASSPORTS:
            return FIELDS[Field.IDENTITY_KIND]
        case ScanKind.STATUS_CERTIFICATE:
            return _named_by(_CATEGORY_PAPERS, fields.get(Field.CATEGORY, ""), SCAN_KINDS[kind])
        case ScanKind.REPRESENTED_STATUS:
            basis = fields.get(Field.REPRESENTATIVE_BASIS, "")
            return _named_by(_BASIS_PAPERS, basis, SCAN_KINDS[kind])
        case _:
            return SCAN_KINDS[kind]


def scan_row(
    kind: ScanKind, scan: ScanView | None = None, fields: Mapping[str, str] = MappingProxyType({})
) -> ScanRow:
    """Return the field of a paper, with its scan if there is one."""
    label = paper_name(kind, fields)
    if scan is None:
        return ScanRow(kind, label)
    pages = counted(scan.pages, "страница", "страницы", "страниц")
    media = "PDF" if scan.media_type is MediaType.PDF else "JPEG"
    details = f"{media}, {pages}" if scan.media_type is MediaType.PDF else media
    return ScanRow(
        kind=kind,
        label=label,
        name=scan.name,
        details=f"{details}, {file_size(scan.size)}",
        preview_url=f"/api/scans/{scan.ref}/preview",
        pages=[f"/api/scans/{scan.ref}/preview?page={page + 1}" for page in range(scan.pages)],
        file_url=f"/api/scans/{scan.ref}/file",
        warning=_scan_warning(scan),
    )


def scan_rows(
    scans: tuple[ScanView, ...], fields: Mapping[str, str] = MappingProxyType({})
) -> dict[str, ScanRow]:
    """Return every kind's row, by the name of its control."""
    by_kind = {scan.kind: scan for scan in scans}
    return {scan_control(kind): scan_row(kind, by_kind.get(kind), fields) for kind in ScanKind}


def needs(draft: DraftView | None) -> dict[str, bool]:
    """Return which papers' controls stand among those that must be there."""
    needed = set(draft.papers.required if draft else REQUIRED_SCANS) - _BY_CHOICE
    return {scan_control(kind): kind in needed for kind in ScanKind}


def offers(draft: DraftView | None) -> dict[str, bool]:
    """Return which papers' controls stand among those that may be added."""
    offered = set(draft.papers.offered if draft else ()) | _BY_CHOICE
    return {scan_control(kind): kind in offered for kind in ScanKind}


def limit_text(kind: ScanKind) -> str:
    """Say what a file of this kind may be."""
    return f"PDF или JPEG, не больше {file_size(LIMITS[kind])}"


def sentences(problems: Mapping[str, InvalidValue]) -> dict[str, str]:
    """Return a sentence for each control that is not in order."""
    return {name: _sentence(name, problem) for name, problem in problems.items()}


def summary_lines(said: Mapping[str, str]) -> list[list[str]]:
    """Return what is wrong as lines to click: the control, and its name with the sentence."""
    return [[name, _named(CONTROLS[name], said[name])] for name in CONTROLS if name in said]


def problem_rows(problems: Mapping[str, InvalidValue]) -> list[ProblemRow]:
    """Return what keeps an application from being handed in, in the form's order."""
    found = sentences(problems)
    return [
        ProblemRow(name, CONTROLS[name], found[name], _href_from_review(step_of(name)))
        for name in CONTROLS
        if name in found
    ]


def step_of(name: str) -> WizardStep:
    """Return the step of the form on which a control stands."""
    if name.startswith(SCAN_PREFIX) or name == Field.EXAM_CERTIFICATE_ON:
        return WizardStep.PAPERS
    outside = {
        CLINIC: WizardStep.CLINIC,
        CONSENT: WizardStep.REVIEW,
        ESIGNATURE: WizardStep.REVIEW,
    }
    return outside.get(name, WizardStep.DETAILS)


def step_href(step: WizardStep) -> str:
    """Return the address of a step of the form."""
    return f"/cabinet/apply/{step}"


def step_states(draft: DraftView | None, current: WizardStep) -> dict[str, str]:
    """Return for each step whether it is done, current, upcoming or has errors."""
    states = {step.value: "upcoming" for step in WizardStep}
    if draft is not None:
        wrong = {step_of(name) for name in draft.problems}
        lacking = {step_of(name) for name in draft.lacking} | {WizardStep.REVIEW}
        for step in WizardStep:
            if step in wrong:
                states[step] = "error"
            elif step not in lacking:
                states[step] = "done"
    states[current] = "current"
    return states


def typed(draft: DraftView) -> dict[str, str]:
    """Return what stands in the controls: numbers as usually written, the rest as typed."""
    return {field.value: usual(field, draft.fields.get(field, "")) for field in Field}


def identity_text(said: Applicant) -> str:
    """Say by what paper somebody is identified: its kind and everything written in it."""
    match said.identity:
        case None:
            return "не указан"
        case Passport() as passport:
            issued = f"выдан {day(passport.issued_on)}, код подразделения {passport.unit}"
            return f"Паспорт гражданина РФ {passport}, {issued}"
        case paper:
            return f"{IDENTITY_KINDS[paper.kind]} {paper}"


def representative_text(said: Applicant) -> str:
    """Say who applied for the holder, by what right and, of a paper, until when."""
    if said.representative is None:
        return ""
    found = said.representative
    named = f"{found.name}, {BASES[found.basis].lower()}"
    if found.attorney is None:
        return named
    paper = found.attorney
    return (
        f"{named} {paper} от {day(paper.issued_on)}, действует до {day(paper.valid_until)}. "
        f"Удостоверена: {paper.notary}"
    )


def answers(draft: DraftView) -> list[FieldRow]:
    """Return everything the form says, in its order, for the last look before handing in."""
    return [
        FieldRow(field.value, label, shown(field, draft.fields.get(field, "")))
        for field, label in FIELDS.items()
        if is_asked(field, draft.fields)
        and (field is not Field.EXAM_CERTIFICATE_ON or draft.fields.get(field))
    ]


def paper_rows(scans: tuple[ScanView, ...], fields: Mapping[str, str]) -> list[ScanRow]:
    """Return the papers that these answers call for, and those that were added."""
    by_kind = {scan.kind: scan for scan in scans}
    required = papers.papers(fields).required
    return [
        scan_row(kind, by_kind.get(kind), fields)
        for kind in ScanKind
        if kind in by_kind or kind in required
    ]


def usual(field: Field, text: str) -> str:
    """Return a number or date as it is usually written; what does not read stays as typed."""
    try:
        match field:
            case Field.SNILS:
                return str(Snils.parse(text))
            case Field.PHONE:
                return str(Phone.parse_mobile(text))
            case (
                Field.BIRTH_DATE
                | Field.PASSPORT_ISSUED_ON
                | Field.ATTORNEY_ISSUED_ON
                | Field.ATTORNEY_UNTIL
                | Field.EXAM_CERTIFICATE_ON
            ):
                return day(parse_date(text))
            case Field.PASSPORT_UNIT:
                unit = read_digits(text, 6)
                return f"{unit[:3]}-{unit[3:]}"
            case _:
                return text
    except InvalidValue:
        return text


def shown(field: Field, text: str) -> str:
    """Return an answer as people read it; what is no offered choice stays as typed."""
    match field:
        case Field.SEX if text in Sex._value2member_map_:
            return SEXES[Sex(text)]
        case Field.POLICY_KIND:
            known = text in PolicyKind._value2member_map_
            return POLICY_KINDS[PolicyKind(text) if known else PolicyKind.UNIFIED].text
        case Field.APPLIED_BY:
            return _named_by(APPLICANTS, text or AppliedBy.HOLDER, text)
        case Field.REPRESENTATIVE_BASIS:
            return _named_by(BASES, text, text)
        case Field.ATTORNEY_UNTIL if not text.strip():
            return NO_TERM
        case Field.IDENTITY_KIND:
            return _named_by(IDENTITY_KINDS, text or IdentityKind.PASSPORT, text)
        case Field.CATEGORY:
            return _named_by(CATEGORIES, text or HolderCategory.NONE, text)
        case Field.KIND if text in ExaminationKind._value2member_map_:
            return KINDS[ExaminationKind(text)].text
        case Field.OCCUPATION:
            chosen = listed_on(text, clock.today())
            return chosen.name if chosen else text
        case Field.POLICY_NUMBER:
            return _in_fours(text)
        case _:
            return usual(field, text)


def warnings_of(draft: DraftView) -> list[str]:
    """Say what does not fit together in a form, for the one who fills it in."""
    return [word_warning(warning) for warning in draft.warnings]


def saved(draft: DraftView) -> str:
    """Say when the draft was saved."""
    return f"Сохранено {moment(draft.saved_at)}"


def submitted_text(done: Submitted) -> str:
    """Say what follows the handing in."""
    return (
        f"{PROMISE} Мы обещаем решение до {day(done.promised_by)}. Каждое изменение вы увидите "
        "в кабинете, о главных сообщим на ваш телефон или почту."
    )


def case_row(case: CaseView) -> CaseRow:
    """Return an application for a card or a line of the list."""
    status = STATUSES[case.status]
    papers = PAPERS[case.papers]
    if case.status is ApplicationStatus.SUBMITTED:
        papers = Label("проверяются автоматически", "info")
    examination = EXAMINATIONS[case.examination]
    if case.fitness is not None and case.examination is ExaminationTrack.CONCLUDED:
        examination = CONCLUSIONS[case.fitness]
    is_open = case.decided_at is None and case.status not in _ENDED
    return CaseRow(
        id=case.id,
        number=case.number.shown,
        slug=case.number.slug,
        href=case_href(case.number),
        status=status.text,
        tone=status.tone,
        papers=papers.text,
        papers_tone=papers.tone,
        examination=examination.text,
        examination_tone=examination.tone,
        has_tracks=is_open or case.status is ApplicationStatus.APPROVED,
        occupation=case.occupation.name if case.occupation else "",
        kind=KINDS[case.kind].text if case.kind else "",
        clinic=case.clinic.short_name if case.clinic else "",
        submitted=moment(case.submitted_at),
        promise=f"до {day(case.promised_by)}" if is_open else "",
        left=_left(case) if is_open else "",
        act_by=_act_by(case),
        next=next_text(case),
        note=case.note,
        needs_correction=case.status is ApplicationStatus.CLARIFICATION_REQUESTED,
        is_open=is_open,
        is_approved=case.status is ApplicationStatus.APPROVED,
        is_late=case.is_late,
        support_href=f"/help?number={case.number.slug}" if case.is_late else "",
        may_withdraw=case.may_withdraw,
        may_change_clinic=case.may_change_clinic,
        visits_href=f"/cabinet/visits/{case.number.slug}",
        may_reapply=case.may_reapply,
        is_erased=case.is_erased,
    )


def draft_row(draft: DraftView | None) -> DraftRow:
    """Return the draft for its card; an empty row for none."""
    if draft is None:
        return DraftRow()
    return DraftRow(
        draft.number.shown,
        saved(draft),
        f"Шаг {list(STEPS).index(draft.step) + 1} из {len(STEPS)}: {STEPS[draft.step].lower()}",
        step_href(draft.step),
        f"Хранится до {day(draft.kept_until)}" if draft.kept_until else "",
    )


def current(cases: Sequence[CaseRow]) -> list[CaseRow]:
    """Return what the dashboard shows: all that is under way or, if nothing is, a refusal."""
    under_way = [case for case in cases if case.is_open]
    if under_way:
        return under_way
    return [case for case in cases[:1] if case.may_reapply]


def news(before: Sequence[CaseRow], after: Sequence[CaseRow]) -> str:
    """Say what has changed in the statuses, for those who don't see the colours change."""
    known = {case.id: case for case in before}
    changed = [
        f"Заявка {case.number}: {case.status.lower()}."
        for case in after
        if case.id in known and known[case.id].status != case.status
    ]
    return " ".join(changed)


def next_text(case: CaseView) -> str:
    """Say what happens next, and what is the holder's to do."""
    match case.status:
        case ApplicationStatus.SUBMITTED:
            return "Сервис проверяет заявку, это займёт несколько секунд."
        case ApplicationStatus.CLARIFICATION_REQUESTED:
            return (
                "Исправьте то, о чём просит оператор, и отправьте заявку снова. Номер останется "
                "прежним, а срок, пока вы исправляете, не идёт."
            )
        case ApplicationStatus.APPROVED:
            return "Книжка оформлена. Она в разделе «Мои документы»."
        case ApplicationStatus.REJECTED:
            return (
                "Можно подать новую заявку на основе этой: данные и документы переносить заново "
                "не придётся."
            )
        case ApplicationStatus.WITHDRAWN if case.is_erased:
            return (
                "Вы отозвали согласие на обработку данных, поэтому заявка закрыта, а то, что в ней "
                "было, уничтожено."
            )
        case ApplicationStatus.WITHDRAWN:
            return "Вы отозвали заявку, проверка остановлена. Новую можно подать на основе этой."
        case ApplicationStatus.EXPIRED:
            return "Заявка закрыта, потому что срок осмотра или ответа прошёл. Подайте новую."
        case ApplicationStatus.DRAFT:
            return "Заявка не отправлена."
        case ApplicationStatus.RECEIVED | ApplicationStatus.UNDER_REVIEW:
            return f"{_papers_next(case.papers)} {_examination_next(case)}".strip()


def event_row(line: HistoryLine, position: int) -> EventRow:
    """Return one event of the history; an unknown one still shows when it was."""
    label = EVENTS.get(line.event, Label("Заявка изменена"))
    return EventRow(str(position), label.text, moment(line.at), BY[line.by], line.note, label.tone)


def event_rows(history: tuple[HistoryLine, ...]) -> list[EventRow]:
    """Return the history, newest first."""
    return [event_row(line, n) for n, line in reversed(list(enumerate(history)))]


def papers_steps(details: CaseDetails) -> list[StepRow]:
    """Return how far the papers are, in order, and who acts on them next."""
    case, at = details.case, _moments(details)
    is_ended = case.status in FINAL
    steps = [
        _step("Отправлены", moment(case.submitted_at)),
        _step(
            "Автоматическая проверка",
            at.get(ApplicationStatus.RECEIVED, ""),
            "" if is_ended else "сервис, несколько секунд",
        ),
    ]
    match case.papers:
        case PapersTrack.RETURNED if not is_ended:
            since = at.get(ApplicationStatus.CLARIFICATION_REQUESTED, "")
            steps.append(_step("Нужно исправить", "", f"вы, оператор спросил {since}"))
        case PapersTrack.APPROVED:
            steps.append(_step("Проверены оператором", at.get(Milestone.PAPERS_APPROVED, "")))
        case PapersTrack.REJECTED:
            steps.append(_step("Отклонены оператором", at.get(ApplicationStatus.REJECTED, "")))
        case _ if not is_ended:
            taken = at.get(Milestone.PAPERS_TAKEN, "")
            who = f"оператор, взял {taken}" if case.papers is PapersTrack.TAKEN else "оператор"
            steps.append(_step("Проверка оператором", "", who))
        case _:
            pass
    return _only_first_awaited(steps)


def examination_steps(details: CaseDetails) -> list[StepRow]:
    """Return how far the examination is, in order, and who acts on it next."""
    case, at = details.case, _moments(details)
    is_ended = case.status in FINAL
    opened = at.get(Milestone.EXAMINATION_OPENED, "")
    concluded = case.examination is ExaminationTrack.CONCLUDED
    steps: list[StepRow] = []
    if case.clinic is not None:
        chosen = at.get(Milestone.CLINIC_CHANGED, moment(case.submitted_at))
        steps.append(_step(f"Выбрана организация «{case.clinic.short_name}»", chosen))
    if opened or not is_ended:
        steps.append(_step("Приём и начало осмотра", opened, "вы и медорганизация"))
    if concluded or not is_ended:
        signed = at.get(Milestone.EXAMINATION_CONCLUDED, "") if concluded else ""
        awaited = "" if concluded else "медорганизация"
        steps.append(_step("Результаты и заключение комиссии", signed, awaited))
    return _only_first_awaited(steps)


def book_step(details: CaseDetails) -> StepRow:
    """Return the end of both tracks: the book."""
    at = _moments(details)
    if details.case.status in FINAL:
        formed = at.get(ApplicationStatus.APPROVED, "")
        if formed:
            return StepRow("Книжка оформлена", formed, "", "success", is_current=False)
        label = STATUSES[details.case.status]
        ended = at.get(details.case.status, "")
        return StepRow(label.text, ended, "", label.tone, is_current=False)
    return StepRow("Книжка", "когда оба пути пройдены", "", "neutral", is_current=False)


def check_row(finding: Finding) -> CheckRow:
    """Return one automatic check with what it found."""
    outcome = OUTCOMES[finding.outcome]
    return CheckRow(CHECKS[finding.check], outcome.text, outcome.tone, evidence_text(finding))


def evidence_text(finding: Finding) -> str:
    """Say on what a check rests; empty where there is nothing to add."""
    if finding.reason is None:
        pages = finding.facts.get("pages")
        if pages is None or not pages.isdecimal():
            return ""
        return counted(int(pages), "страница", "страницы", "страниц") + ", цвет и размер в порядке."
    if finding.reason is Reason.SIGNATURE:
        return esignatures.sentence(ESignatureCheck.from_facts(finding.facts))
    nothing = dict.fromkeys(("encoded", "stated", "read", "numbers", "issued_on", "age"), "")
    return REASONS[finding.reason].format(**nothing | facts_of(finding))


def facts_of(finding: Finding) -> dict[str, str]:
    """Word all facts of a finding."""
    return {name: fact(finding.check, name, text) for name, text in finding.facts.items()}


def fact(check: Check, name: str, text: str) -> str:
    """Word one fact of a finding."""
    if name == "issued_on":
        return day(date.fromisoformat(text))
    if name not in ("stated", "read", "encoded", "numbers"):
        return text
    match check:
        case Check.PASSPORT_NUMBER:
            return f"{text[:2]}{NBSP}{text[2:4]}{NBSP}{text[5:]}"
        case Check.PASSPORT_ISSUE:
            issued_on, _, unit = text.partition(" ")
            return f"{day(date.fromisoformat(issued_on))}, код {unit}"
        case Check.PASSPORT_BIRTH:
            return day(date.fromisoformat(text))
        case Check.PASSPORT_SEX:
            return SEXES[Sex(text)].lower()
        case Check.POLICY_ON_SCAN:
            return NBSP.join(text[start : start + 4] for start in range(0, len(text), 4))
        case Check.NO_DUPLICATE | Check.ONE_ACCOUNT if name == "numbers":
            numbers = (TrackingNumber.parse(number.strip()) for number in text.split(","))
            return ", ".join(number.shown for number in numbers)
        case Check.POLICY_SEX:
            return f"пол {SEXES[Sex(text)].lower()}"
        case Check.POLICY_BIRTH:
            return f"дата рождения {day(date.fromisoformat(text))}"
        case _:
            return text


def book_row(book: BookSummary | None, today: date) -> BookRow:
    """Return the card of the book; an empty row for none."""
    if book is None:
        return BookRow()
    stands = book.status in (BookStatus.ACTIVE, BookStatus.FORMED)
    is_over = book.valid_until < today
    if stands and is_over:
        status, term = Label("Срок истёк", "danger"), "Действовала до"
    elif not stands:
        status, term = BOOK_STATUSES[book.status], "Срок в книжке"
    elif book.items_valid_until < today:
        status, term = Label("Нужен новый осмотр", "danger"), "Срок книжки"
    else:
        status, term = BOOK_STATUSES[book.status], "Действует до"
    return BookRow(
        number=book.number.shown,
        status=status.text,
        tone=status.tone,
        term=term,
        until=day(book.valid_until),
        left=days_left(book.valid_until, today) if stands else "",
        awaits_receipt=not book.is_received and book.status is BookStatus.FORMED,
        is_spent=is_over or book.status is BookStatus.REVOKED,
    )


def asked_names(asked: Asked) -> list[str]:
    """Return the names of the controls that the holder is to correct, in the form's order."""
    return [field.value for field in Field if field in asked.fields] + [
        scan_control(kind) for kind in ScanKind if kind in asked.scans
    ]


def answer_rows(details: CaseDetails) -> list[FieldRow]:
    """Return everything the form said, in its order; what was left empty is left out."""
    rows = [
        FieldRow(field.value, label, shown(field, details.fields.get(field, "")))
        for field, label in FIELDS.items()
        if field in details.fields and is_asked(field, details.fields)
    ]
    return [row for row in rows if row.value]


def work_text(fields: Mapping[str, str]) -> str:
    """Say what the chosen occupation means for the examination; empty before it is chosen."""
    chosen = listed_on(fields.get(Field.OCCUPATION, ""), clock.today())
    if chosen is None:
        return ""
    point = chosen.work_point
    return (
        f"Осмотр по п.{NBSP}{point.point} приказа Минздрава №{NBSP}29н: "
        f"{point.short_name[:1].lower()}{point.short_name[1:]}."
    )


def found_text(total: int, *, is_known: bool = True) -> str:
    """Say how many clinics a search has found; empty for none, of which the screen tells more."""
    if not total:
        return ""
    if not is_known:
        return f"Нашлось больше {total} организаций. Допишите название или выберите регион"
    found = plural(total, "Нашлась", "Нашлись", "Нашлось")
    return f"{found} {counted(total, 'организация', 'организации', 'организаций')}"


def case_href(number: TrackingNumber) -> str:
    """Return the address of an application's page."""
    return f"/cabinet/applications/{number.slug}"


_ENDED: Final = frozenset(
    {
        ApplicationStatus.APPROVED,
        ApplicationStatus.REJECTED,
        ApplicationStatus.WITHDRAWN,
        ApplicationStatus.EXPIRED,
    }
)


def _sentence(name: str, problem: InvalidValue) -> str:
    """Say what is wrong; what is missing is named after what it is."""
    if isinstance(problem, Required):
        if name.startswith(SCAN_PREFIX):
            return "Приложите скан этого документа."
        if name == CLINIC:
            return "Выберите медорганизацию, в которой пройдёте осмотр."
        if name in (Field.SEX, Field.KIND, Field.OCCUPATION):
            return "Выберите один из вариантов."
    return word(problem)


def _in_fours(text: str) -> str:
    """Return a unified policy number in groups of four, easier to compare with the card."""
    try:
        return str(Enp.parse(text))
    except InvalidValue:
        return text


def _href_from_review(step: WizardStep) -> str:
    return "" if step is WizardStep.REVIEW else step_href(step)


def _named(label: str, sentence: str) -> str:
    """Put the field's name before a sentence that does not begin with it."""
    if sentence.startswith(label):
        return sentence
    # An abbreviation keeps its capitals.
    is_word = not sentence[1:2].isupper()
    return f"{label}: {sentence[0].lower() + sentence[1:] if is_word else sentence}"


def _moments(details: CaseDetails) -> dict[str, str]:
    """Return when each kind of event happened last."""
    return {line.event: moment(line.at) for line in details.history}


def _step(title: str, at: str, awaited: str = "") -> StepRow:
    if at or not awaited:
        return StepRow(title, at, "", "success")
    return StepRow(title, "", awaited, "waiting", is_current=True)


def _only_first_awaited(steps: list[StepRow]) -> list[StepRow]:
    """Leave one step awaited: what comes after it is still ahead."""
    first = next((n for n, step in enumerate(steps) if step.is_current), len(steps))
    return [
        replace(step, tone="neutral", by="", at="дальше", is_current=False)
        if step.is_current and n > first
        else step
        for n, step in enumerate(steps)
    ]


def _left(case: CaseView) -> str:
    """Say how the promise's clock stands, in working days."""
    words = ("рабочий день", "рабочих дня", "рабочих дней")
    if case.status is ApplicationStatus.CLARIFICATION_REQUESTED:
        left = max(case.days_left, 0)
        return f"срок не идёт, пока ждём вас; после ответа останется {counted(left, *words)}"
    if case.days_left > 0:
        stays = plural(case.days_left, "остался", "осталось", "осталось")
        return f"{stays} {counted(case.days_left, *words)}"
    if case.days_left == 0:
        return "сегодня последний рабочий день"
    gone = counted(-case.days_left, *words)
    return f"срок прошёл {gone} назад"


def _act_by(case: CaseView) -> str:
    """Say until when something is awaited of the holder; empty where nothing is."""
    if case.act_by is None:
        return ""
    if case.status is ApplicationStatus.CLARIFICATION_REQUESTED:
        return f"Исправьте не позже {day(case.act_by)}, иначе заявка закроется."
    return f"Пройдите осмотр не позже {day(case.act_by)}, иначе заявка закроется."


def _papers_next(papers: PapersTrack) -> str:
    match papers:
        case PapersTrack.WAITING | PapersTrack.TAKEN:
            return f"Документы оператор проверит за 1–2{NBSP}рабочих дня."
        case PapersTrack.APPROVED:
            return "Документы проверены."
        case PapersTrack.RETURNED | PapersTrack.REJECTED:
            return ""


def _examination_next(case: CaseView) -> str:
    match case.examination:
        case ExaminationTrack.WAITING:
            return f"Осмотр можно пройти уже сейчас, проверки он не ждёт. {TAKE_PAPERS}"
        case ExaminationTrack.OPEN:
            return "Осмотр идёт: результаты внесёт медорганизация."
        case ExaminationTrack.CONCLUDED if case.fitness is Fitness.TEMPORARILY_UNFIT:
            return (
                "Комиссия пока не допустила вас к работе. Когда пройдёте то, что она назначила, "
                "осмотр продолжится по этой же заявке."
            )
        case ExaminationTrack.CONCLUDED:
            return "Осмотр пройден, заключение подписано."


def _scan_warning(scan: ScanView) -> str:
    if not scan.is_legible:
        return "Снимок небольшой. Проверьте, что мелкие буквы читаются, или замените его."
    if not scan.is_colour:
        return "Скан похож на чёрно-белый, а нужен цветной. Если есть возможность, замените его."
    return ""


def _named_by(words: Mapping[T, str], chosen: str, otherwise: str) -> str:
    """Return the word for what was chosen; ``otherwise`` for what nobody offers."""
    return next((word for each, word in words.items() if each == chosen), otherwise)
