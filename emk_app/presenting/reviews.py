"""The operators' desk in words: lines of the queue, one case, what may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emk_app.domain.actors import Role
from emk_app.domain.applications import FINAL, ExaminationTrack, PapersTrack
from emk_app.domain.checks import READ_FROM, Check, CheckOutcome, Finding, Reason
from emk_app.domain.corrections import Asked, scan_control
from emk_app.domain.deadlines import LATE_DAYS, PAPERS_DAYS
from emk_app.domain.decisions import GROUNDS
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import Invalid, Required
from emk_app.domain.intake import IDENTITY, REPRESENTATIVE, Applicant, Field, HolderCategory
from emk_app.presenting.applications import (
    CATEGORIES,
    CHECKS,
    EVENTS,
    EXAMINATIONS,
    FIELDS,
    KINDS,
    SCAN_KINDS,
    SEXES,
    STATUSES,
    CheckRow,
    EventRow,
    FieldRow,
    evidence_text,
    fact,
    identity_text,
    representative_text,
    scan_row,
)
from emk_app.presenting.formats import NBSP, counted, day, moment
from emk_app.presenting.texts import Label, field_sentences
from emk_app.services.reviewing import Case, HistoryLine, Queue, QueueLine
from emk_app.services.scans import ScanView

PAPERS: Final = {
    PapersTrack.WAITING: Label("ждут оператора", "info"),
    PapersTrack.TAKEN: Label("у оператора", "waiting"),
    PapersTrack.RETURNED: Label("у владельца на исправлении", "neutral"),
    PapersTrack.APPROVED: Label("одобрены", "success"),
    PapersTrack.REJECTED: Label("отклонены", "danger"),
}

OUTCOMES: Final = {
    CheckOutcome.PENDING: Label("проверяется…", "info"),
    CheckOutcome.PASSED: Label("сходится", "success"),
    CheckOutcome.FAILED: Label("не сходится", "danger"),
    CheckOutcome.UNKNOWN: Label("сверьте сами", "waiting"),
}

BY: Final = {
    Role.HOLDER: "владелец",
    Role.CLINIC: "медорганизация",
    Role.OPERATOR: "оператор",
    Role.EMPLOYER: "работодатель",
    Role.SUPPORT: "поддержка",
    Role.ADMIN: "администратор",
    Role.SYSTEM: "автоматически",
}

TAKEN: Final = "Заявка у вас. Пока вы не решите или не вернёте её, коллеги её не изменят."
RELEASED: Final = "Заявка вернулась в очередь."
APPROVED: Final = "Решение записано."
REJECTED: Final = "Решение записано. Владелец увидит причину в личном кабинете."
ASKED: Final = "Вопрос отправлен. Заявка вернётся в очередь, когда владелец ответит."

UNSAID: Final = {
    "ground": "Выберите причину.",
    "note": "Напишите, что именно не так: сама причина этого не объясняет.",
    "controls": "Отметьте, что нужно исправить.",
    "question": "Напишите вопрос.",
}
"""What to say where a form of the desk is empty and must not be."""

_NAME: Final = (Field.LAST_NAME, Field.FIRST_NAME, Field.PATRONYMIC)
_IDENTITY: Final = tuple(field for field in Field if field in IDENTITY)
_POLICY: Final = (Field.POLICY_KIND, Field.POLICY_SERIES, Field.POLICY_NUMBER)
_ADDRESS: Final = (Field.POSTAL_INDEX, Field.ADDRESS)


@dataclass(frozen=True, slots=True)
class Question:
    """One thing an operator may ask to correct: a name for its control, and what it covers."""

    name: str
    label: str
    controls: tuple[str, ...]


_REPRESENTATIVE: Final = tuple(field for field in Field if field in REPRESENTATIVE)

QUESTIONS: Final = (
    Question("representative", "Представитель", _REPRESENTATIVE),
    Question("name", "Фамилия, имя, отчество", _NAME),
    Question("born_on", FIELDS[Field.BIRTH_DATE], (Field.BIRTH_DATE,)),
    Question("sex", FIELDS[Field.SEX], (Field.SEX,)),
    Question("identity", FIELDS[Field.IDENTITY_KIND], _IDENTITY),
    Question("snils", FIELDS[Field.SNILS], (Field.SNILS,)),
    Question("policy", "Полис ОМС", _POLICY),
    Question("phone", FIELDS[Field.PHONE], (Field.PHONE,)),
    Question("address", FIELDS[Field.ADDRESS], _ADDRESS),
    Question("occupation", FIELDS[Field.OCCUPATION], (Field.OCCUPATION,)),
    Question("kind", FIELDS[Field.KIND], (Field.KIND,)),
    Question("category", "Студент, пенсионер или инвалидность", (Field.CATEGORY,)),
    Question("examined_on", FIELDS[Field.EXAM_CERTIFICATE_ON], (Field.EXAM_CERTIFICATE_ON,)),
)
"""What of the form, as an operator thinks of it: a name is one thing though it is three fields."""

PAPER_QUESTIONS: Final = tuple(
    Question(scan_control(kind), SCAN_KINDS[kind], (scan_control(kind),)) for kind in ScanKind
)
"""Which papers to scan anew, or to add."""

GROUND_OPTIONS: Final = [[ground.code, ground.name] for ground in GROUNDS.values()]
GROUNDS_WITH_NOTE: Final = [ground.code for ground in GROUNDS.values() if ground.needs_note]


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue."""

    number: str
    href: str
    occupation: str
    submitted: str
    waits: str
    waits_tone: str
    checks: str
    checks_tone: str
    holder: str
    """Who has it."""
    holder_tone: str


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """What stands above the queue."""

    total: str = ""
    free: str = ""
    mine: str = ""
    late: str = ""
    late_tone: str = "neutral"
    rest: str = ""
    """What to say when not every line is shown."""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """The head of one case."""

    number: str = ""
    status: str = ""
    tone: str = "neutral"
    papers: str = ""
    papers_tone: str = "neutral"
    examination: str = ""
    examination_tone: str = "neutral"
    clinic: str = ""
    kind: str = ""
    submitted: str = ""
    waits: str = ""
    waits_tone: str = "neutral"
    notice: str = ""
    """Who has the papers, or how it ended."""
    notice_tone: str = "info"
    note: str = ""
    note_title: str = ""
    asked: str = ""
    may_take: bool = False
    may_decide: bool = False


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A scan beside the fields it proves."""

    ref: str
    label: str
    details: str
    preview_url: str
    file_url: str
    warning: str
    dialog: str
    """Identity of the window in which it is enlarged."""
    pages: list[str]
    """Addresses of the pictures of its pages."""


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each control of the desk's forms that is not in order."""
    said = field_sentences(error)
    return said | {
        name: UNSAID[name] for name, why in error.fields.items() if isinstance(why, Required)
    }


def queue_rows(queue: Queue) -> list[QueueRow]:
    """Return the lines of the queue."""
    return [_queue_row(line) for line in queue.lines]


def queue_figures(queue: Queue) -> QueueFigures:
    """Count what is in the queue."""
    late = sum(line.is_late or line.is_promise_broken for line in queue.lines)
    hidden = queue.total - len(queue.lines)
    return QueueFigures(
        total=str(queue.total),
        free=str(sum(line.papers is PapersTrack.WAITING for line in queue.lines) + hidden),
        mine=str(sum(line.is_mine for line in queue.lines)),
        late=str(late),
        late_tone="danger" if late else "neutral",
        rest=(
            f"Показаны первые {len(queue.lines)}. Остальные появятся, когда очередь дойдёт до них."
            if hidden
            else ""
        ),
    )


def review_row(case: Case) -> ReviewRow:
    """Return the head of one case."""
    status, papers, examination = (
        STATUSES[case.status],
        PAPERS[case.papers],
        _EXAMINATIONS[case.examination],
    )
    notice, notice_tone = _notice(case)
    return ReviewRow(
        number=case.number.shown,
        status=status.text,
        tone=status.tone,
        papers=papers.text,
        papers_tone=papers.tone,
        examination=examination.text,
        examination_tone=examination.tone,
        clinic=case.clinic,
        kind=KINDS[case.kind].text if case.kind else "",
        submitted=moment(case.submitted_at),
        waits=waiting(case.days_spent),
        waits_tone=_urgency(is_late=case.is_late, is_promise_broken=case.is_promise_broken),
        notice=notice,
        notice_tone=notice_tone,
        note=case.note,
        note_title="Причина отказа" if case.papers is PapersTrack.REJECTED else _NOTES[case.papers],
        asked=", ".join(asked_labels(case.asked)),
        may_take=case.may_take,
        may_decide=case.may_decide,
    )


def answer_rows(case: Case) -> list[FieldRow]:
    """Return what the form says, a line for each thing a document proves."""
    said = case.applicant
    if said is None:
        return []
    lines = [FieldRow(name, label, value) for name, label, value in _answers(said) if value]
    absent = ", ".join(SCAN_KINDS[kind] for kind in case.absent)
    return [*lines, FieldRow("absent", "Не хватает документов", absent)] if absent else lines


def paper_rows(scans: tuple[ScanView, ...]) -> list[PaperRow]:
    """Return the scans with the pictures of all their pages."""
    return [_paper_row(scan) for scan in scans]


def check_rows(findings: tuple[Finding, ...]) -> list[CheckRow]:
    """Return the checks: what does not fit first, then what only a person can tell."""
    ordered = sorted(findings, key=lambda finding: _FIRST.index(finding.outcome))
    return [
        CheckRow(
            CHECKS[finding.check],
            OUTCOMES[finding.outcome].text,
            OUTCOMES[finding.outcome].tone,
            _evidence(finding),
            _sides(finding),
            PAPER_OF.get(finding.check, ""),
        )
        for finding in ordered
    ]


def event_rows(history: tuple[HistoryLine, ...]) -> list[EventRow]:
    """Return the history, newest first, with the names of staff."""
    rows: list[EventRow] = []
    for position, line in reversed(list(enumerate(history))):
        label = EVENTS.get(line.event, Label("Заявка изменена"))
        by = f"{BY[line.by]}, {line.person}" if line.person else BY[line.by]
        rows.append(EventRow(str(position), label.text, moment(line.at), by, line.note, label.tone))
    return rows


def waiting(days_spent: int) -> str:
    """Say how many working days the application is in our hands."""
    if not days_spent:
        return "меньше рабочего дня"
    return counted(days_spent, "рабочий день", "рабочих дня", "рабочих дней")


def checks_label(outcomes: Mapping[CheckOutcome, int]) -> Label:
    """Sum the checks up in one badge: the worst that was found."""
    if not outcomes:
        return Label("ещё идут", "neutral")
    if outcomes.get(CheckOutcome.PENDING):
        return Label("ещё идут", "neutral")
    if failed := outcomes.get(CheckOutcome.FAILED, 0):
        return Label(f"не сходится: {failed}", "danger")
    if unknown := outcomes.get(CheckOutcome.UNKNOWN, 0):
        return Label(f"сверить: {unknown}", "waiting")
    return Label("всё сходится", "success")


def asked_labels(asked: Asked) -> list[str]:
    """Name what the holder was asked to correct."""
    names = {field.value for field in asked.fields} | {scan_control(each) for each in asked.scans}
    return [
        *(each.label for each in QUESTIONS if names & set(each.controls)),
        *(f"скан «{each.label}»" for each in PAPER_QUESTIONS if names & set(each.controls)),
    ]


_EXAMINATIONS: Final = {
    **EXAMINATIONS,
    ExaminationTrack.WAITING: Label("ждёт владельца", "info"),
}
_FIRST: Final = (
    CheckOutcome.FAILED,
    CheckOutcome.UNKNOWN,
    CheckOutcome.PENDING,
    CheckOutcome.PASSED,
)
_NOTES: Final = {
    PapersTrack.WAITING: "Решение",
    PapersTrack.TAKEN: "Решение",
    PapersTrack.RETURNED: "Вопрос владельцу",
    PapersTrack.APPROVED: "Решение",
    PapersTrack.REJECTED: "Причина отказа",
}


def _queue_row(line: QueueLine) -> QueueRow:
    checks = checks_label(line.outcomes)
    if line.is_mine:
        holder = Label("у вас", "success")
    elif line.papers is PapersTrack.TAKEN:
        holder = Label(line.reviewer or "другой оператор", "neutral")
    else:
        holder = Label("свободна", "info")
    return QueueRow(
        number=line.number.shown,
        href=f"/review/{line.number.slug}",
        occupation=line.occupation.name if line.occupation else "",
        submitted=moment(line.submitted_at),
        waits=waiting(line.days_spent),
        waits_tone=_urgency(is_late=line.is_late, is_promise_broken=line.is_promise_broken),
        checks=checks.text,
        checks_tone=checks.tone,
        holder=holder.text,
        holder_tone=holder.tone,
    )


def _urgency(*, is_late: bool, is_promise_broken: bool) -> str:
    return "danger" if is_late or is_promise_broken else "neutral"


def _notice(case: Case) -> tuple[str, str]:
    standing = _standing(case)
    if case.is_late:
        late = f"Заявка в работе дольше {LATE_DAYS} рабочих дней."
    elif case.is_promise_broken:
        late = f"Документы обещано проверить за {PAPERS_DAYS}{NBSP}рабочих дня."
    else:
        return standing.text, standing.tone
    return f"{standing.text} {late}".strip(), "danger"


def _standing(case: Case) -> Label:
    """Say whose turn it is, or how it ended."""
    who = f": {case.reviewer}" if case.reviewer else ""
    if case.may_decide:
        return Label("Документы у вас: сверьте сканы с заявкой и решите.", "info")
    match case.papers:
        case PapersTrack.APPROVED:
            return Label(f"Документы одобрены{who}.", "success")
        case PapersTrack.REJECTED:
            return Label(f"Заявка отклонена{who}.", "danger")
        case _ if case.status in FINAL:
            return Label("Заявка завершена, решать по ней больше нечего.", "neutral")
        case PapersTrack.RETURNED:
            return Label("Владелец исправляет заявку. Срок, пока он отвечает, не идёт.", "waiting")
        case PapersTrack.TAKEN:
            return Label(f"Документы проверяет другой оператор{who}.", "waiting")
        case PapersTrack.WAITING:
            return Label("", "info")


def _answers(said: Applicant) -> tuple[tuple[str, str, str], ...]:
    category = CATEGORIES[said.category] if said.category is not HolderCategory.NONE else ""
    return (
        ("representative", "Представитель", representative_text(said)),
        ("name", "Фамилия, имя, отчество", str(said.name)),
        ("born_on", FIELDS[Field.BIRTH_DATE], day(said.born_on)),
        ("sex", FIELDS[Field.SEX], SEXES[said.sex]),
        ("identity", FIELDS[Field.IDENTITY_KIND], identity_text(said)),
        ("snils", FIELDS[Field.SNILS], str(said.snils)),
        ("policy", "Полис ОМС", str(said.policy)),
        ("phone", FIELDS[Field.PHONE], str(said.phone)),
        ("address", FIELDS[Field.ADDRESS], str(said.address)),
        ("occupation", FIELDS[Field.OCCUPATION], said.occupation.name),
        ("kind", FIELDS[Field.KIND], KINDS[said.kind].text),
        ("category", FIELDS[Field.CATEGORY], category),
        (
            "examined_on",
            FIELDS[Field.EXAM_CERTIFICATE_ON],
            day(said.examined_on) if said.examined_on else "",
        ),
    )


def _paper_row(scan: ScanView) -> PaperRow:
    row = scan_row(scan.kind, scan)
    return PaperRow(
        ref=scan.ref,
        label=row.label,
        details=row.details,
        preview_url=row.preview_url,
        file_url=row.file_url,
        warning=_SCAN_WARNINGS.get((scan.is_legible, scan.is_colour), ""),
        dialog=f"scan-{scan.ref}",
        pages=[f"{row.preview_url}?page={page}" for page in range(1, scan.pages + 1)],
    )


_SCAN_WARNINGS: Final = {
    (False, True): "Снимок маленький. Если буквы не читаются, попросите переснять.",
    (False, False): "Снимок маленький и чёрно-белый. Если не читается, попросите переснять.",
    (True, False): "Похож на чёрно-белый.",
}


def _evidence(finding: Finding) -> str:
    return _BY_HAND.get(finding.reason) or ("" if _sides(finding) else evidence_text(finding))


_BY_HAND: Final[Mapping[Reason | None, str]] = {
    Reason.BY_EYE: "Сверьте имя на скане паспорта с именем в заявке.",
    Reason.OTHER_DOCUMENT: "У этого вида полиса нет номера из 16 цифр: сверьте по скану.",
    Reason.OTHER_PAPER: "Это не паспорт гражданина РФ: сверьте по скану.",
    Reason.UNREADABLE: "Из номера полиса дата рождения не читается: сверьте по скану.",
    Reason.NEARLY: "Похоже, но не буква в букву: ошибка в заявке или ошибка чтения.",
    Reason.NO_READER: "Сканы здесь не читаются машиной: сверьте сами.",
    Reason.NOT_READ: "Машина не разобрала скан: сверьте сами.",
    Reason.BEFORE_ZONES: "Паспорт старше июля 2011 года, машинной строки в нём нет: сверьте сами.",
    Reason.SEVERAL: "На скане больше одного паспорта: проверьте, чей из них нужен.",
}


def _sides(finding: Finding) -> list[list[str]]:
    """Return what the scan says beside what the form says, and how it was read; of what fits only
    what is to be known of the reading.
    """
    facts = {name: fact(finding.check, name, text) for name, text in finding.facts.items()}
    if "read" not in facts:
        return []
    differing = {
        "В заявке": facts["stated"],
        "На скане": facts["read"],
        "Сходство": f"{facts['likeness']}{NBSP}%" if "likeness" in facts else "",
        "Прочитано": facts.get("line", ""),
    }
    named = {} if finding.outcome is CheckOutcome.PASSED else differing
    named |= {"Откуда": _LAYER if facts.get("source") == "layer" else ""}
    return [[name, text] for name, text in named.items() if text]


_LAYER: Final = "из текста внутри PDF: посмотрите, что то же видно на странице"
PAPER_OF: Final[Mapping[Check, str]] = {
    Check.PASSPORT_SCAN: scan_control(ScanKind.PASSPORT),
    Check.POLICY_SCAN: scan_control(ScanKind.POLICY),
    **{check: scan_control(kind) for kind, checks in READ_FROM.items() for check in checks},
}
"""The paper that a check rests on, by the name of its control."""
