"""Support in words: self-help, tickets for the person and for the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from emk_app.clock import day_of
from emk_app.domain.actors import Actor, Role
from emk_app.domain.contacts import Phone
from emk_app.domain.errors import Invalid
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.domain.support import (
    STAFF,
    UNANSWERED,
    Answer,
    Desk,
    Part,
    Said,
    Subject,
    TicketStatus,
)
from emk_app.presenting import texts
from emk_app.presenting.applications import BOOK_STATUSES, STATUSES
from emk_app.presenting.formats import counted, day, file_size, hour, moment
from emk_app.presenting.reviews import asked_labels
from emk_app.presenting.texts import ROLES, Label
from emk_app.services.answering import Board, Caller, Colleague, LateView
from emk_app.services.opening import Opened
from emk_app.services.supporting import Code, FileView, GlassView, LineView, Thread, TicketView
from emk_app.settings import settings

SUBJECTS: Final = {
    Subject.SIGN_IN: "Вход и пароль",
    Subject.APPLICATION: "Заявка",
    Subject.VISIT: "Осмотр и запись на него",
    Subject.BOOK: "Книжка, ссылки и QR-код",
    Subject.SIGNATURE: "Электронная подпись",
    Subject.ERROR: "Ошибка на странице",
    Subject.DATA: "Мои данные и кто их смотрел",
    Subject.OTHER: "Другое",
}
SUBJECT_OPTIONS: Final = [(subject.value, text) for subject, text in SUBJECTS.items()]
TICKET_STATUSES: Final = {
    TicketStatus.NEW: Label("Ждёт ответа", "info"),
    TicketStatus.WAITING: Label("Ждёт ответа", "info"),
    TicketStatus.ANSWERED: Label("Есть ответ", "success"),
    TicketStatus.CLOSED: Label("Закрыто"),
}
"""For the person who asks."""
DESK_STATUSES: Final = {
    TicketStatus.NEW: Label("Новое", "info"),
    TicketStatus.WAITING: Label("Написали ещё", "waiting"),
    TicketStatus.ANSWERED: Label("Отвечено", "success"),
    TicketStatus.CLOSED: Label("Закрыто"),
}
PARTS: Final = {
    Part.DUE: "Ждут ответа",
    Part.MINE: "Мои",
    Part.ANSWERED: "Отвечено",
    Part.CLOSED: "Закрытые",
}
STARS: Final = [
    ("5", "5 — очень помогли"),
    ("4", "4 — помогли"),
    ("3", "3 — помогли отчасти"),
    ("2", "2 — почти не помогли"),
    ("1", "1 — не помогли"),
]
_EVENTS: Final = {
    Said.HANDED: "Обращение передано оператору: он занимается заявками",
    Said.RETURNED: "Оператор вернул обращение в поддержку",
    Said.CLOSED: "Обращение закрыто",
    Said.REOPENED: "Обращение открыто снова",
}
NO_TEXT_SEEN: Final = "Не пишите диагнозы, результаты анализов и пароли: для ответа они не нужны."


@dataclass(frozen=True, slots=True)
class Advice:
    """One matter of the self-help: a heading, what to do in turn, where to go."""

    title: str
    steps: tuple[str, ...]
    link: tuple[str, str] | None = None


SELF_HELP: Final = (
    Advice(
        "Страница не открывается или пишет «Нет связи»",
        (
            "Проверьте, открываются ли другие сайты. Если нет, дело в подключении к интернету.",
            "Обновите страницу. Введённое сохраняется и не пропадёт.",
            "Отключите VPN и откройте сайт через другую сеть, например через мобильный интернет.",
        ),
        ("Посмотреть, всё ли работает у нас", "/status"),
    ),
    Advice(
        "Страница выглядит странно или кнопки не нажимаются",
        (
            "Обновите браузер до последней версии: подойдут Chrome, Firefox, Safari и их родня.",
            "Очистите кэш этого сайта и откройте страницу снова.",
            "Отключите расширения, которые меняют страницы, или откройте сайт в окне инкогнито.",
        ),
    ),
    Advice(
        "Не получается войти: пароль или код не подходит",
        (
            "Проверьте раскладку клавиатуры и Caps Lock.",
            "Дождитесь нового кода: каждый код действует один раз и полминуты. Время на телефоне "
            "должно идти точно.",
            "Если пароль забыт, сбросьте его: ссылка придёт на ваш телефон или почту.",
            "Если телефона с кодами нет, войдите по резервному коду.",
        ),
        ("Сбросить пароль", "/recover"),
    ),
    Advice(
        "Плагин подписи не находит сертификат",
        (
            "Установите последнюю версию плагина для подписи, например «КриптоПро CSP».",
            "Проверьте, что носитель вставлен, а срок сертификата не истёк.",
            "Подпись можно и приложить файлом: выберите «Файл подписи» в заявке. Без своей подписи "
            "заявку тоже примут.",
        ),
    ),
    Advice(
        "Ошибка 403: «Нет доступа»",
        (
            "Страница открыта другой роли. Войдите под той учётной записью, которой она нужна.",
            "Проверьте, не ведутся ли работы на сервисе.",
            "Если доступ у вас был и пропал, напишите нам.",
        ),
        ("Техническое обслуживание", "/status"),
    ),
    Advice(
        "Ошибка 404: «Такой страницы нет»",
        (
            "Проверьте адрес: в ссылке могла потеряться буква.",
            "Откройте нужное из меню: адрес страницы мог измениться.",
            "Если ссылка ведёт на книжку, её могли закрыть. Попросите у владельца новую.",
        ),
        ("Техническое обслуживание", "/status"),
    ),
)
"""The guide's troubleshooting, in the order in which it is tried."""


@dataclass(frozen=True)
class TicketRow:
    """A ticket in a list."""

    number: str = ""
    shown: str = ""
    subject: str = ""
    status: str = ""
    tone: str = "neutral"
    person: str = ""
    application: str = ""
    application_status: str = ""
    incident: str = ""
    created: str = ""
    changed: str = ""
    due: str = ""
    is_overdue: bool = False
    unread: str = ""
    """How many answers are new, in words; empty for none."""
    who: str = ""
    """Who answers it: nobody, I, a colleague."""


@dataclass(frozen=True)
class FileRow:
    """A screenshot in a ticket."""

    ref: str
    name: str
    details: str
    file_url: str
    preview_url: str


@dataclass(frozen=True)
class LineRow:
    """One line of a ticket."""

    id: int
    who: str
    at: str
    text: str
    side: str
    """``own``, ``other``, ``note`` or ``event``."""
    files: list[FileRow]


@dataclass(frozen=True)
class GlassRow:
    """A wish to see more, or that more is seen."""

    state: str = ""
    """``asked``, ``open``, or nothing."""
    reason: str = ""
    text: str = ""
    is_mine: bool = False
    may_agree: bool = False


@dataclass(frozen=True)
class ThreadRow:
    """What a ticket allows on its screen."""

    is_closed: bool = False
    may_write: bool = False
    may_take: bool = False
    may_answer: bool = False
    may_settle: bool = False
    may_hand: bool = False
    may_ask: bool = False
    """To ask for leave to see more."""
    taken: str = ""
    rating: str = ""
    comment: str = ""
    may_rate: bool = False


@dataclass(frozen=True)
class PartRow:
    """A part of the queue."""

    key: str
    text: str
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class LateRow:
    """A late application."""

    number: str
    slug: str
    status: str
    sent: str
    days: str
    who: str
    handed: str
    href: str


@dataclass(frozen=True)
class PairRow:
    """A fact with its name."""

    term: str
    value: str


@dataclass(frozen=True)
class CallerRow:
    """Somebody on the telephone."""

    person: str = ""
    applications: list[PairRow] = ()  # type: ignore[assignment]


@dataclass(frozen=True)
class CodeRow:
    """The code to read out."""

    digits: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address has filled in already."""

    subject: str = ""
    number: str = ""
    incident: str = ""


def subject_for(incident: str, number: str) -> str:
    """Return the subject that fits what is known already."""
    if incident:
        return Subject.ERROR.value
    return Subject.APPLICATION.value if number else ""


def shown_number(number: str) -> str:
    """Write a ticket's number or a code in two halves, to be read out."""
    return f"{number[:4]}-{number[4:]}"


def hotline() -> tuple[str, str]:
    """Return the number to call, for people and for telephones; empty where there is none."""
    phone = settings().support_phone
    return (str(Phone(phone)), f"tel:{phone}") if phone else ("", "")


def mail_href() -> str:
    """Return a letter to the support, for those who can't sign in."""
    return f"mailto:{settings().support_mail.addr_spec}"


def mail_address() -> str:
    """Return where a letter goes."""
    return settings().support_mail.addr_spec


def code_row(code: Code) -> CodeRow:
    """Return the code to read out."""
    return CodeRow(shown_number(code.digits), hour(code.expires_at))


def ticket_row(view: TicketView, actor: Actor, now: datetime) -> TicketRow:
    """Return a line of a list, on the person's screen or at the desk."""
    is_desk = actor.role in STAFF
    label = (DESK_STATUSES if is_desk else TICKET_STATUSES)[view.status]
    today = day_of(now)
    due, is_overdue = _due(view, today) if view.status in UNANSWERED else ("", False)
    application = view.application.shown if view.application else ""
    status = STATUSES[view.application_status].text if view.application_status else ""
    return TicketRow(
        number=view.number,
        shown=shown_number(view.number),
        subject=SUBJECTS[view.subject],
        status=label.text,
        tone="danger" if is_desk and is_overdue else label.tone,
        person=_person(view) if is_desk else "",
        application=application,
        application_status=status,
        incident=view.incident,
        created=moment(view.created_at),
        changed=moment(view.changed_at),
        due=due,
        is_overdue=is_overdue,
        unread=counted(view.unread, "новый ответ", "новых ответа", "новых ответов")
        if view.unread and not is_desk
        else "",
        who=_who(view, actor) if is_desk else "",
    )


def accepted(view: TicketView) -> str:
    """Say that a question has arrived and by when it is answered."""
    due = f" Ответим до {day(view.due_on)} включительно." if view.due_on else ""
    return f"Обращение №\u00a0{shown_number(view.number)} принято.{due}"


def line_rows(thread: Thread, actor: Actor) -> list[LineRow]:
    """Return the lines of a ticket as its reader sees them."""
    return [_line(line, actor) for line in thread.lines]


def thread_row(thread: Thread, actor: Actor) -> ThreadRow:
    """Return what may be done with a ticket."""
    view = thread.ticket
    is_closed = view.status is TicketStatus.CLOSED
    rating = f"{view.rating} из 5" if view.rating else ""
    if actor.role not in STAFF:
        return ThreadRow(
            is_closed=is_closed,
            may_write=thread.may_reopen,
            rating=rating,
            comment=thread.comment,
            may_rate=is_closed and not view.rating,
        )
    is_mine = view.taken_by == actor.user_id
    is_free = view.taken_by is None
    here = view.desk is (Desk.SUPPORT if actor.role is Role.SUPPORT else Desk.OPERATOR)
    acts = here and not is_closed and (is_mine or is_free)
    taken = "Ответите вы" if is_mine else "" if is_free else f"Отвечает: {thread.taken_by}"
    if not here:
        taken = "Передано оператору"
    return ThreadRow(
        is_closed=is_closed,
        may_take=here and not is_closed and is_free,
        may_answer=acts,
        may_settle=acts and view.status is TicketStatus.ANSWERED,
        may_hand=acts,
        may_ask=acts
        and is_mine
        and actor.role is Role.SUPPORT
        and view.role is Role.HOLDER
        and thread.glass is None,
        taken=taken,
        rating=rating,
        comment=thread.comment,
    )


def glass_row(glass: GlassView | None, actor: Actor) -> GlassRow:
    """Return a wish to see more as its reader sees it."""
    if glass is None or actor.role is Role.OPERATOR:
        return GlassRow()
    is_mine = glass.asked_by == actor.user_id
    is_open = glass.answer is Answer.CONFIRMED
    until = hour(glass.expires_at)
    if is_open:
        text = f"Данные открыты до {until}."
    elif actor.role is Role.HOLDER:
        text = (
            "Сотрудник поддержки просит на 15 минут показать ему ваше имя, год рождения, "
            "часть контактов, состояние заявок и книжки. Результатов осмотра и сканов он не увидит."
        )
    elif is_mine:
        text = f"Ждём согласия владельца или коллеги до {until}."
    else:
        text = f"Коллега просит показать ему данные владельца. Ответить можно до {until}."
    return GlassRow(
        state="open" if is_open else "asked",
        reason=glass.reason,
        text=text,
        is_mine=is_mine,
        may_agree=not is_open and not is_mine,
    )


def part_rows(board: Board, chosen: Part) -> list[PartRow]:
    """Return the parts of the queue with their numbers."""
    return [
        PartRow(part.value, text, board.counts[part], part is chosen)
        for part, text in PARTS.items()
    ]


def late_row(view: LateView, actor: Actor) -> LateRow:
    """Return a late application; only operators can open it."""
    is_operator = actor.role is Role.OPERATOR
    return LateRow(
        number=view.number.shown,
        slug=view.number.slug,
        status=STATUSES[view.status].text,
        sent=moment(view.submitted_at) if view.submitted_at else "",
        days=counted(view.days, "рабочий день", "рабочих дня", "рабочих дней"),
        who="у оператора" if view.is_taken else "никем не взята",
        handed=f"Передана оператору {moment(view.handed_at)}" if view.handed_at else "",
        href=f"/review/{view.number.slug}" if is_operator else "",
    )


def colleague_options(colleagues: Sequence[Colleague], actor: Actor) -> list[list[str]]:
    """Return whom a ticket can be given to."""
    others = [[str(each.id), each.name] for each in colleagues if each.id != actor.user_id]
    return [["0", "Вернуть в очередь"], *others]


def caller_row(caller: Caller) -> CallerRow:
    """Return who is on the telephone, masked."""
    role = ROLES[caller.role]
    return CallerRow(
        f"{caller.person}, {role}" if caller.person else role,
        [
            PairRow(
                number.shown,
                STATUSES[status].text + (f", подана {moment(at)}" if at else ""),
            )
            for number, status, at in caller.applications
        ],
    )


def opened_rows(opened: Opened) -> list[PairRow]:
    """Return what is seen for a quarter of an hour."""
    return [
        PairRow("Имя", opened.name or "не указано"),
        _born(opened.born),
        PairRow("Контакты", ", ".join(opened.contacts) or "не подтверждены"),
        *(
            PairRow(
                f"Заявка {each.number.shown}",
                ". ".join(
                    part
                    for part in (
                        STATUSES[each.status].text,
                        f"Подана {moment(each.submitted_at)}" if each.submitted_at else "",
                        f"Документы до {day(each.due_on)}" if each.due_on else "",
                        OCCUPATIONS[each.occupation].name if each.occupation in OCCUPATIONS else "",
                        each.clinic,
                        f"Просят исправить: {', '.join(asked_labels(each.asked))}"
                        if each.asked
                        else "",
                    )
                    if part
                ),
            )
            for each in opened.applications
        ),
        *(
            PairRow(
                f"Книжка № {each.number.shown}",
                f"{BOOK_STATUSES[each.status].text}, до {day(each.valid_until)}",
            )
            for each in opened.books
        ),
    ]


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each refused field."""
    return texts.field_sentences(error)


def _born(born: date | int | None) -> PairRow:
    if isinstance(born, date):
        return PairRow("Дата рождения", day(born))
    return PairRow("Год рождения", str(born) if born else "не указан")


def _due(view: TicketView, today: date) -> tuple[str, bool]:
    if view.due_on is None:
        return "", False
    if today > view.due_on:
        return f"Просрочено: до {day(view.due_on)}", True
    if today == view.due_on:
        return "До конца дня", False
    return f"До {day(view.due_on)}", False


def _person(view: TicketView) -> str:
    role = ROLES[view.role]
    return f"{view.person}, {role}" if view.person else role


def _who(view: TicketView, actor: Actor) -> str:
    if view.taken_by is None:
        return "Свободно"
    return "У вас" if view.taken_by == actor.user_id else "У коллеги"


def _line(line: LineView, actor: Actor) -> LineRow:
    is_own = line.is_persons is (actor.role not in STAFF)
    side = "own" if is_own else "other"
    if line.said is Said.NOTE:
        side = "note"
    elif line.said is not Said.TEXT:
        side = "event"
    who = ROLES[line.by]
    who = who[0].upper() + who[1:]
    if line.is_persons and actor.role not in STAFF:
        who = "Вы"
    if line.said is Said.NOTE:
        who += ", заметка для коллег"
    return LineRow(
        id=line.id,
        who=who,
        at=moment(line.at),
        text=line.text or _EVENTS.get(line.said, ""),
        side=side,
        files=[_file(each) for each in line.files],
    )


def _file(view: FileView) -> FileRow:
    base = f"/api/support/files/{view.ref}"
    return FileRow(view.ref, view.name, file_size(view.size), f"{base}/file", f"{base}/preview")
