"""The operators' desk in words: lines of the queue, one case, what may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from emk_app.domain.actors import Role
from emk_app.domain.applications import FINAL, ExaminationTrack, Milestone, PapersTrack
from emk_app.domain.checks import READ_FROM, Check, CheckOutcome, Finding, Reason
from emk_app.domain.corrections import SCAN_PREFIX, Asked, scan_control
from emk_app.domain.deadlines import LATE_DAYS, PAPERS_DAYS
from emk_app.domain.decisions import GROUNDS, prepared_for
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import Invalid, Required
from emk_app.domain.fieldpolicy import HolderField, Viewer, sees
from emk_app.domain.intake import IDENTITY, REPRESENTATIVE, Applicant, Field, HolderCategory
from emk_app.domain.queue import QueuePart
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
    EventRow,
    evidence_text,
    facts_of,
    identity_text,
    representative_text,
    scan_row,
)
from emk_app.presenting.formats import NBSP, counted, day, hour, moment, plural, short_person
from emk_app.presenting.texts import Label, field_sentences
from emk_app.services.reviewing import REVERSAL_ASKED as REVERSAL_ASKED_EVENT
from emk_app.services.reviewing import REVERSAL_DECLINED as REVERSAL_DECLINED_EVENT
from emk_app.services.reviewing import SHORTEST_SEARCH, Case, HistoryLine, Queue, QueueLine
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
APPROVED: Final = "Документы одобрены."
REJECTED: Final = "Заявка отклонена. Владелец увидит причину в личном кабинете."
ASKED: Final = "Вопрос отправлен. Заявка вернётся в очередь, когда владелец ответит."
REVERSAL_ASKED: Final = "Просьба записана. Решение отменится, если согласится другой оператор."
REVERSAL_CONFIRMED: Final = "Решение отменено. Заявка снова в очереди, владелец предупреждён."
REVERSAL_DECLINED: Final = "Решение оставлено в силе."
NEXT: Final = "Перед вами следующая заявка."
NOTHING_LEFT: Final = "Свободных заявок больше нет."
NOTHING_FREE: Final = "Свободных заявок нет: новые появятся здесь сами."

UNSAID: Final = {
    "ground": "Выберите причину.",
    "note": "Напишите, что именно не так: сама причина этого не объясняет.",
    "controls": "Отметьте, что нужно исправить.",
    "question": "Напишите вопрос или выберите готовый.",
    "reason": "Напишите, почему решение нужно отменить.",
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

FIELD_REASONS: Final = [(each.code, each.name) for each in prepared_for(paper=False)]
PAPER_REASONS: Final = [(each.code, each.name) for each in prepared_for(paper=True)]
"""Questions that stand ready, for a field and for a paper."""

PROOFS: Final = {
    "name": ScanKind.PASSPORT,
    "born_on": ScanKind.PASSPORT,
    "sex": ScanKind.PASSPORT,
    "identity": ScanKind.PASSPORT,
    "address": ScanKind.PASSPORT,
    "representative": ScanKind.POWER_OF_ATTORNEY,
    "category": ScanKind.STATUS_CERTIFICATE,
    "examined_on": ScanKind.EXAM_CERTIFICATE,
    "occupation": ScanKind.DIPLOMA,
}
"""Which paper proves an answer or a check; others are proved by the paper they are named after."""


def proof_of(name: str) -> str:
    """Return the kind of paper that proves what has this name; empty where none does."""
    if (named := PROOFS.get(name)) is not None:
        return named.value
    return next((kind for kind in ScanKind if name == kind or name.startswith(f"{kind}_")), "")


GROUND_OPTIONS: Final = [[ground.code, ground.name] for ground in GROUNDS.values()]
GROUNDS_WITH_NOTE: Final = [ground.code for ground in GROUNDS.values() if ground.needs_note]

PARTS: Final = {
    QueuePart.ALL: "Все",
    QueuePart.FREE: "Свободные",
    QueuePart.MINE: "У вас",
    QueuePart.OVERDUE: "Просроченные",
    QueuePart.ASKED: "Ждут владельца",
    QueuePart.REVERSALS: "Отмена решений",
}
EMPTY: Final = {
    QueuePart.ALL: ("Очередь пуста", "Новые заявки появятся здесь сами."),
    QueuePart.FREE: ("Свободных заявок нет", "Новые появятся здесь сами."),
    QueuePart.MINE: ("У вас ничего нет", "Возьмите следующую заявку из очереди."),
    QueuePart.OVERDUE: ("Просроченных нет", "Все документы проверяются в срок."),
    QueuePart.ASKED: ("Никто не отвечает на вопросы", "Заявки, по которым спросили, будут здесь."),
    QueuePart.REVERSALS: ("Просьб об отмене нет", "Здесь будут решения, в которых сомневаются."),
}

SHORTCUTS: Final = (
    ("О", "одобрить документы"),
    ("У", "запросить уточнение"),
    ("Н", "отклонить заявку"),
    ("В", "взять в работу эту заявку"),
    ("С", "взять следующую"),
    ("1–9", "показать документ с этим номером"),
    ("← →", "предыдущая и следующая страница"),
    ("+ −", "увеличить и уменьшить"),
    ("R", "повернуть (на той же клавише «К»)"),
    ("0", "показать страницу целиком"),
    ("?", "эта подсказка"),
)
"""Keys of the desk; each works in the Russian and in the Latin layout."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue."""

    number: str
    href: str
    occupation: str
    submitted: str
    due: str
    """What is left of the term for the papers."""
    due_tone: str
    checks: str
    checks_tone: str
    holder: str
    """Who has it, or what became of it."""
    holder_tone: str


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of the queue to choose, with how much is in it."""

    part: str
    label: str
    count: str
    tone: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ReversalRow:
    """A wish to undo the decision; empty where there is none."""

    title: str = ""
    by: str = ""
    reason: str = ""
    may_answer: bool = False


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An answer of the form, and the paper that proves it."""

    name: str
    label: str
    value: str
    paper: str
    """Public name of the scan; empty where nothing proves it."""
    paper_label: str


@dataclass(frozen=True, slots=True)
class ReviewCheckRow:
    """An automatic check with its evidence, and the paper to compare it with."""

    title: str
    word: str
    tone: str
    text: str
    sides: list[list[str]]
    """What is compared: a label and a value each."""
    paper: str
    paper_label: str


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
    due: str = ""
    due_tone: str = "neutral"
    may_take: bool = False
    may_decide: bool = False
    may_ask_reversal: bool = False


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A scan beside the fields it proves."""

    ref: str
    label: str
    details: str
    preview_url: str
    file_url: str
    warning: str
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


def part_rows(queue: Queue, current: QueuePart | None) -> list[PartRow]:
    """Return the parts of the queue; ``current`` is None while something is searched for."""
    tones = {QueuePart.OVERDUE: "danger", QueuePart.REVERSALS: "waiting"}
    rows: list[PartRow] = []
    for part, label in PARTS.items():
        count = getattr(queue.counts, part)
        tone = tones.get(part, "neutral") if count else "neutral"
        rows.append(PartRow(part, label, str(count), tone, part is current))
    return rows


def nothing_found(search: str) -> tuple[str, str]:
    """Say that no number is like this one."""
    if len(search) < SHORTEST_SEARCH:
        return "Слишком коротко", f"Введите хотя бы {SHORTEST_SEARCH} знака номера."
    return "Такой заявки нет", "Проверьте номер: он есть в письме владельцу и в его кабинете."


def named(question: Question) -> str:
    """Name a field or a paper for the holder."""
    return f"Скан «{question.label}»" if question in PAPER_QUESTIONS else question.label


def reversal_row(case: Case) -> ReversalRow:
    """Return the colleague's wish to undo the decision."""
    wish = case.reversal
    if wish is None:
        return ReversalRow()
    what = "одобрение документов" if wish.decision is PapersTrack.APPROVED else "отказ"
    return ReversalRow(
        title=f"Просят отменить {what}",
        by=f"{short_person(wish.by) or 'Другой оператор'}, {moment(wish.at)}",
        reason=wish.reason,
        may_answer=wish.may_answer,
    )


def due_label(due_on: date | None, days_left: int) -> Label:
    """Say how much of the term for the papers is left, in working days."""
    if due_on is None:
        return Label("")
    if days_left < 0:
        over = counted(-days_left, "рабочий день", "рабочих дня", "рабочих дней")
        return Label(f"просрочена на {over}", "danger")
    if days_left == 0:
        return Label("сегодня последний день", "waiting")
    left = counted(days_left, "рабочий день", "рабочих дня", "рабочих дней")
    return Label(f"{plural(days_left, 'остался', 'осталось', 'осталось')} {left}")


def due_text(due_on: date | None, days_left: int) -> str:
    """Say the same with the day itself."""
    text = due_label(due_on, days_left).text
    return f"{text}, срок {day(due_on)}" if due_on else ""


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
        due=due_text(case.due_on, case.days_left),
        due_tone=due_label(case.due_on, case.days_left).tone,
        may_take=case.may_take,
        may_decide=case.may_decide,
        may_ask_reversal=case.may_ask_reversal,
    )


def answer_rows(case: Case) -> list[AnswerRow]:
    """Return what the form says, a line for each thing a document proves."""
    if case.applicant is None:
        return []
    attached = {scan.kind.value: scan.ref for scan in case.scans}
    rows = [
        AnswerRow(name, label, value, *_paper(proof_of(name), attached))
        for name, label, value, field in _answers(case.applicant)
        if value and sees(Viewer.OPERATOR, field)
    ]
    if absent := ", ".join(SCAN_KINDS[kind] for kind in case.absent):
        rows.append(AnswerRow("absent", "Не хватает документов", absent, "", ""))
    return rows


def paper_rows(scans: tuple[ScanView, ...]) -> list[PaperRow]:
    """Return the scans with the pictures of all their pages."""
    return [_paper_row(scan) for scan in scans]


def check_rows(case: Case) -> list[ReviewCheckRow]:
    """Return the checks: what does not fit first, then what only a person can tell."""
    ordered = sorted(case.findings, key=lambda finding: _FIRST.index(finding.outcome))
    attached = {scan.kind.value: scan.ref for scan in case.scans}
    return [
        ReviewCheckRow(
            CHECKS[finding.check],
            OUTCOMES[finding.outcome].text,
            OUTCOMES[finding.outcome].tone,
            _evidence(finding),
            _sides(finding),
            *_paper(_paper_of(finding.check), attached),
        )
        for finding in ordered
    ]


def event_rows(history: tuple[HistoryLine, ...]) -> list[EventRow]:
    """Return the history, newest first, with the names of staff."""
    rows: list[EventRow] = []
    for position, line in reversed(list(enumerate(history))):
        label = _EVENTS.get(line.event, Label("Заявка изменена"))
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
_EVENTS: Final = {
    **EVENTS,
    Milestone.DECISION_UNDONE: Label("Решение отменено по согласию второго оператора", "waiting"),
    REVERSAL_ASKED_EVENT: Label("Оператор просит отменить решение", "waiting"),
    REVERSAL_DECLINED_EVENT: Label("Второй оператор оставил решение в силе"),
}
_NOTES: Final = {
    PapersTrack.WAITING: "Решение",
    PapersTrack.TAKEN: "Решение",
    PapersTrack.RETURNED: "Вопрос владельцу",
    PapersTrack.APPROVED: "Решение",
    PapersTrack.REJECTED: "Причина отказа",
}


def _queue_row(line: QueueLine) -> QueueRow:
    checks = checks_label(line.outcomes)
    holder = _holder(line)
    due = due_label(line.due_on, line.days_left)
    return QueueRow(
        number=line.number.shown,
        href=f"/review/{line.number.slug}",
        occupation=line.occupation.name if line.occupation else "",
        submitted=moment(line.submitted_at),
        due=due.text,
        due_tone=due.tone,
        checks=checks.text,
        checks_tone=checks.tone,
        holder=holder.text,
        holder_tone=holder.tone,
    )


def _holder(line: QueueLine) -> Label:
    if line.is_reversal_asked:
        return Label("просят отменить решение", "waiting")
    who = short_person(line.reviewer)
    match line.papers:
        case PapersTrack.TAKEN:
            since = f", с{NBSP}{hour(line.since)}" if line.since else ""
            if line.is_mine:
                return Label(f"у вас{since}", "success")
            return Label(f"{who or 'другой оператор'}{since}", "neutral")
        case PapersTrack.WAITING if line.status not in FINAL:
            return Label("свободна", "info")
        case PapersTrack.WAITING:
            return STATUSES[line.status]
        case papers:
            label = PAPERS[papers]
            return Label(f"{label.text}: {who}" if who else label.text, label.tone)


def _paper_of(check: Check) -> str:
    """Return the kind of paper a check was made on."""
    return PAPER_OF.get(check, "").removeprefix(SCAN_PREFIX) or proof_of(check.value)


def _paper(kind: str, attached: Mapping[str, str]) -> tuple[str, str]:
    """Return the public name and the label of the paper of this kind, if it is attached."""
    if kind not in attached:
        return "", ""
    return attached[kind], SCAN_KINDS[ScanKind(kind)]


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
    who = f": {short_person(case.reviewer)}" if case.reviewer else ""
    if case.may_decide:
        return Label("Документы у вас: сверьте сканы с заявкой и решите.", "info")
    match case.papers:
        case PapersTrack.APPROVED:
            return Label(_ended(f"Документы одобрены{who}"), "success")
        case PapersTrack.REJECTED:
            return Label(_ended(f"Заявка отклонена{who}"), "danger")
        case _ if case.status in FINAL:
            return Label("Заявка завершена, решать по ней больше нечего.", "neutral")
        case PapersTrack.RETURNED:
            return Label("Владелец исправляет заявку. Срок, пока он отвечает, не идёт.", "waiting")
        case PapersTrack.TAKEN:
            since = f", с{NBSP}{hour(case.since)}" if case.since else ""
            return Label(_ended(f"Документы проверяет другой оператор{who}{since}"), "waiting")
        case PapersTrack.WAITING:
            return Label("", "info")


def _answers(said: Applicant) -> tuple[tuple[str, str, str, HolderField], ...]:
    category = CATEGORIES[said.category] if said.category is not HolderCategory.NONE else ""
    return (
        ("representative", "Представитель", representative_text(said), HolderField.NAME),
        ("name", "Фамилия, имя, отчество", str(said.name), HolderField.NAME),
        ("born_on", FIELDS[Field.BIRTH_DATE], day(said.born_on), HolderField.BIRTH_DATE),
        ("sex", FIELDS[Field.SEX], SEXES[said.sex], HolderField.SEX),
        ("identity", FIELDS[Field.IDENTITY_KIND], identity_text(said), HolderField.IDENTITY),
        ("snils", FIELDS[Field.SNILS], str(said.snils), HolderField.SNILS),
        ("policy", "Полис ОМС", str(said.policy), HolderField.POLICY),
        ("phone", FIELDS[Field.PHONE], str(said.phone), HolderField.PHONE),
        ("address", FIELDS[Field.ADDRESS], str(said.address), HolderField.ADDRESS),
        ("occupation", FIELDS[Field.OCCUPATION], said.occupation.name, HolderField.OCCUPATION),
        ("kind", FIELDS[Field.KIND], KINDS[said.kind].text, HolderField.APPLICATION),
        ("category", FIELDS[Field.CATEGORY], category, HolderField.APPLICATION),
        (
            "examined_on",
            FIELDS[Field.EXAM_CERTIFICATE_ON],
            day(said.examined_on) if said.examined_on else "",
            HolderField.APPLICATION,
        ),
    )


def _ended(sentence: str) -> str:
    """End a sentence once, though its last word may be an initial."""
    return sentence.removesuffix(".") + "."


def _paper_row(scan: ScanView) -> PaperRow:
    row = scan_row(scan.kind, scan)
    return PaperRow(
        ref=scan.ref,
        label=row.label,
        details=row.details,
        preview_url=row.preview_url,
        file_url=row.file_url,
        warning=_SCAN_WARNINGS.get((scan.is_legible, scan.is_colour), ""),
        pages=[f"{row.preview_url}?page={page}" for page in range(1, scan.pages + 1)],
    )


_SCAN_WARNINGS: Final = {
    (False, True): "Снимок маленький. Если буквы не читаются, попросите переснять.",
    (False, False): "Снимок маленький и чёрно-белый. Если не читается, попросите переснять.",
    (True, False): "Похож на чёрно-белый.",
}


def _evidence(finding: Finding) -> str:
    if by_hand := _BY_HAND.get(finding.reason):
        return by_hand.format(**facts_of(finding))
    return "" if _sides(finding) else evidence_text(finding)


_BY_HAND: Final[Mapping[Reason | None, str]] = {
    Reason.BY_EYE: "Сверьте имя на скане паспорта с именем в заявке.",
    Reason.OTHER_DOCUMENT: "У этого вида полиса нет номера из 16 цифр: сверьте по скану.",
    Reason.OTHER_PAPER: "Это не паспорт гражданина РФ: сверьте по скану.",
    Reason.UNREADABLE: "Из номера полиса дата рождения не читается: сверьте по скану.",
    Reason.OUTLIVED: (
        "Выдан {issued_on}, а в {age} лет паспорт меняют, на что есть 90 дней. Сверьте со сканом "
        "и спросите, есть ли новый. Само по себе это не причина отказа."
    ),
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
    facts = facts_of(finding)
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
    Check.PASSPORT_TERM: scan_control(ScanKind.PASSPORT),
    Check.PASSPORT_SCAN: scan_control(ScanKind.PASSPORT),
    Check.POLICY_SCAN: scan_control(ScanKind.POLICY),
    **{check: scan_control(kind) for kind, checks in READ_FROM.items() for check in checks},
}
"""The paper that a check rests on, by the name of its control."""
