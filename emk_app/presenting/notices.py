"""The words of every notice: on the screen, in an SMS, in a letter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from emk_app import clock
from emk_app.domain import deadlines
from emk_app.domain.amending import Facts, Template, filled
from emk_app.domain.applications import TrackingNumber
from emk_app.domain.notices import (
    CODES,
    OBLIGATORY,
    WITH_LINKS,
    Channel,
    Message,
    News,
    Notice,
    NoticeKind,
)
from emk_app.presenting.formats import counted, day, moment
from emk_app.presenting.texts import Label
from emk_app.services.delivering import LetterState, Stuck
from emk_app.services.notifying import Told, Wishes
from emk_app.settings import settings

SEGMENT: Final = 67
"""Russian letters in one part of a long SMS; 70 where it is the only one."""
LONGEST_SMS: Final = 3 * SEGMENT

CHANNELS: Final = {Channel.SMS: "СМС", Channel.EMAIL: "Почта"}

KIND_NAMES: Final = {
    NoticeKind.SECURITY: "Безопасность",
    NoticeKind.APPLICATION: "Заявка и книжка",
    NoticeKind.APPOINTMENTS: "Запись на осмотр",
    NoticeKind.RESULTS: "Результаты осмотра",
    NoticeKind.LOOKS: "Просмотры книжки",
    NoticeKind.TERMS: "Сроки",
    NoticeKind.SUPPORT: "Ответы поддержки",
}
KIND_HINTS: Final = {
    NoticeKind.SECURITY: "Коды, вход, смена пароля. Отключить нельзя.",
    NoticeKind.APPLICATION: "Вопрос оператора, решение, готовая книжка.",
    NoticeKind.APPOINTMENTS: "Время приёма, перенос, напоминание.",
    NoticeKind.RESULTS: "Новые исследования и заключение.",
    NoticeKind.LOOKS: "Кто-то открыл книжку по вашей ссылке.",
    NoticeKind.TERMS: "Что скоро истечёт и что успеть сделать.",
    NoticeKind.SUPPORT: "Вам ответили на обращение.",
}

SERVICE: Final = "ЭМК Онлайн"
BOOK: Final = "/cabinet/book"
SECURITY: Final = "/cabinet/security"
TICKET: Final = "/help"
RECOVER: Final = "/recover"
RESET: Final = "/recover/new"
"""What follows «#» never reaches a server, neither ours nor any other (D18)."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A notice in words: a heading and a sentence for the screen, a line for a telephone."""

    title: str
    text: str
    sms: str
    path: str = "/cabinet"
    """Where the notice leads."""
    action: str = "Открыть кабинет"


@dataclass(frozen=True)
class NoticeRow:
    """One notice on the screen."""

    id: int
    title: str
    text: str
    at: str
    href: str
    action: str
    is_unread: bool


@dataclass(frozen=True)
class WishRow:
    """One kind of notices and what is chosen for it."""

    kind: str
    name: str
    hint: str
    is_fixed: bool
    """Nobody can switch it off."""
    sms: bool
    email: bool


UNREADABLE: Final = Wording(
    "Уведомление",
    "Его текст прочесть не удалось. Напишите в поддержку и назовите время уведомления.",
    "",
)


def notice_row(told: Told) -> NoticeRow:
    """Return a notice as a row of the list."""
    said = wording(told.notice, clock.day_of(told.at)) if told.notice else UNREADABLE
    return NoticeRow(
        told.id, said.title, said.text, moment(told.at), said.path, said.action, told.is_unread
    )


def wish_rows(wishes: Wishes) -> list[WishRow]:
    """Return a row for each kind, the one that can't be switched off last."""
    kinds = sorted(NoticeKind, key=lambda kind: kind in OBLIGATORY)
    return [
        WishRow(
            kind.value,
            KIND_NAMES[kind],
            KIND_HINTS[kind],
            kind in OBLIGATORY,
            wishes.wanted[kind, Channel.SMS],
            wishes.wanted[kind, Channel.EMAIL],
        )
        for kind in kinds
    ]


def chosen(kind: NoticeKind, channel: Channel, *, is_on: bool) -> str:
    """Say what a choice means from now on."""
    way = "по СМС" if channel is Channel.SMS else "на почту"
    if is_on:
        return f"Теперь «{KIND_NAMES[kind]}» приходит и {way}."
    return f"«{KIND_NAMES[kind]}» больше не приходит {way}. На экране всё останется."


STATES: Final = {
    LetterState.WAITING: Label("ждёт", "waiting"),
    LetterState.SENT: Label("ушло", "success"),
    LetterState.DEAD: Label("не доставлено", "danger"),
    LetterState.DROPPED: Label("снято", "neutral"),
}
FAILURES: Final = {
    "": "—",
    "unreadable": "не читается этой версией",
    "fatal": "прерывало работу сервиса",
    "fault": "сбой сервиса",
    "stale": "устарело",
    "refused": "получатель не принимает",
    "busy": "шлюз просит подождать",
    "unreachable": "шлюз недоступен",
    "unauthorized": "шлюз не узнаёт нас",
    "unclear": "ответ шлюза непонятен",
}
"""Why a letter has not left, in the administrator's words."""
OLD_LETTER: Final = "Сообщение прежней версии прочесть нельзя."


@dataclass(frozen=True)
class StuckRow:
    """A letter that has not left, as the administrator sees it."""

    id: int
    at: str
    channel: str
    recipient: str
    kind: str
    state: str
    tone: str
    failure: str
    tries: str


def letter_state(state: LetterState, created_at: datetime, due_at: datetime) -> tuple[str, str]:
    """Return the word for how far a letter has come, and its tone."""
    if state is LetterState.WAITING and due_at > created_at:
        return f"ждёт до {moment(due_at)}", STATES[state].tone
    return STATES[state].text, STATES[state].tone


def stuck_row(letter: Stuck) -> StuckRow:
    """Return a letter that has not left as a row."""
    return StuckRow(
        letter.id,
        moment(letter.created_at),
        CHANNELS[letter.channel],
        letter.recipient or "не читается",
        KIND_NAMES[letter.kind] if letter.kind else "—",
        *letter_state(letter.state, letter.created_at, letter.due_at),
        FAILURES.get(letter.failure, letter.failure),
        counted(letter.attempts, "попытка", "попытки", "попыток"),
    )


_templates: Mapping[News, tuple[tuple[date, Template], ...]] = {}
SAMPLE: Final[dict[str, Any]] = {
    "number": "EMK-2026-000001-5",
    "code": "314159",
    "on": date(2026, 11, 7),
    "at": datetime(2026, 12, 23, 6, 30, tzinfo=UTC),
    "source": "Яндекс Браузер, Windows, адрес 203.0.*.*",
}
"""Facts as long as they get, none of which stands within another."""


def amend(templates: Mapping[News, tuple[tuple[date, Template], ...]]) -> None:
    """Go by these words from now on, in this process; by message, oldest first."""
    global _templates
    _templates = templates


def wording(notice: Notice, on: date | None = None) -> Wording:
    """Return the words of a notice as they stood on a day, today's unless told."""
    said = WORDS[notice.news](notice)
    held = _template_on(notice.news, on or clock.today())
    if held is None:
        return said
    facts = _facts(notice)
    title, text, sms = (filled(each, facts) for each in (held.title, held.text, held.sms))
    return replace(said, title=title, text=text, sms=sms)


def facts_of(news: News) -> Facts:
    """Return what a message of this kind carries, by what the shipped words make of it."""
    notice = Notice(news, **SAMPLE)
    said = WORDS[news](notice)
    whole = f"{said.title} {said.text} {said.sms}"
    sample = {name: fact for name, fact in _facts(notice).items() if fact in whole}
    return Facts(sample, frozenset(sample) & {"code"})


def template_of(news: News, on: date) -> Template:
    """Return the words of a day with the places of their facts."""
    held = _template_on(news, on)
    if held is not None:
        return held
    notice = Notice(news, **SAMPLE)
    said, facts = WORDS[news](notice), facts_of(news).sample
    title, text, sms = said.title, said.text, said.sms
    for name, fact in facts.items():
        title, text, sms = (each.replace(fact, f"{{{name}}}") for each in (title, text, sms))
    return Template(title, text, sms)


def sms_limit(news: News) -> int:
    """Return how long an SMS of this kind may be, the link it carries left out."""
    notice = replace(Notice(news, **SAMPLE), code="x" * 43)
    return LONGEST_SMS - (len(f" {_link(notice)}") if news in WITH_LINKS else 0)


def _template_on(news: News, on: date) -> Template | None:
    begun = [each for since, each in _templates.get(news, ()) if since <= on]
    return begun[-1] if begun else None


def _facts(notice: Notice) -> dict[str, str]:
    return {
        "number": _number(notice) if notice.number else "",
        "code": notice.code,
        "on": _on(notice),
        "at": _at(notice),
        "source": notice.source,
    }


def _link(notice: Notice) -> str:
    return f"{settings().origin}{RESET}#{notice.code}"


def message(notice: Notice, channel: Channel) -> Message:
    """Return what leaves by the channel: short for a telephone, whole for a mailbox."""
    said = wording(notice)
    link = _link(notice)
    is_reset = notice.news in WITH_LINKS
    if channel is Channel.SMS:
        return Message(said.title, f"{said.sms} {link}" if is_reset else said.sms)
    lines = [said.text]
    if is_reset:
        lines.append(f"{said.action}: {link}")
    elif notice.news not in CODES:
        lines.append(f"{said.action}: {settings().origin}{said.path}")
    lines.append(
        f"Это письмо отправил сервис «{SERVICE}», отвечать на него не нужно. "
        "Сервис самостоятельный, это не Госуслуги."
    )
    return Message(said.title, "\n\n".join(lines))


def _staff_ends(notice: Notice) -> str:
    """Say how many terms end today, within a week and within a month."""
    when = ("сегодня последний день", "в ближайшие 7 дней", "в ближайшие 30 дней")
    told = [
        f"{words}: {counted(count, 'сотрудник', 'сотрудника', 'сотрудников')}"
        for words, count in zip(when, notice.counts, strict=False)
        if count
    ]
    return (
        f"Заканчивается срок книжек. {'; '.join(told).capitalize()}. Кто это, видно в списке. "
        "Отказаться от этих писем можно на странице «Доступ к кабинету»."
    )


def _number(notice: Notice) -> str:
    return TrackingNumber.parse(notice.number).shown


def _on(notice: Notice) -> str:
    return day(notice.on) if notice.on else ""


def _at(notice: Notice) -> str:
    return moment(notice.at) if notice.at else ""


def _of_application(
    title: str, text: str, sms: str, action: str = "Открыть заявку"
) -> Callable[[Notice], Wording]:
    """Word what concerns one application; «{number}», «{on}» and «{at}» are filled in."""

    def words(notice: Notice) -> Wording:
        facts = {"number": _number(notice), "on": _on(notice), "at": _at(notice)}
        return Wording(
            title,
            text.format(**facts),
            sms.format(**facts),
            f"/cabinet/applications/{notice.number}",
            action,
        )

    return words


def _of_visit(
    title: str, text: str, sms: str, action: str = "Открыть запись"
) -> Callable[[Notice], Wording]:
    """Word what concerns a visit; it leads to the page of booking."""
    worded = _of_application(title, text, sms, action)
    return lambda notice: replace(worded(notice), path=f"/cabinet/visits/{notice.number}")


def _of_book(
    title: str, text: str, sms: str, path: str = BOOK, action: str = "Открыть книжку"
) -> Callable[[Notice], Wording]:
    """Word what concerns the book; «{on}» and «{at}» are filled in."""

    def words(notice: Notice) -> Wording:
        facts = {"on": _on(notice), "at": _at(notice)}
        return Wording(title, text.format(**facts), sms.format(**facts), path, action)

    return words


def _of_ticket(title: str, text: str, sms: str) -> Callable[[Notice], Wording]:
    """Word what concerns a ticket; who is not a holder is led on to their own page."""

    def words(notice: Notice) -> Wording:
        # In two halves, as it is read out.
        facts = {"number": f"{notice.number[:4]}-{notice.number[4:]}", "at": _at(notice)}
        return Wording(
            title,
            text.format(**facts),
            sms.format(**facts),
            f"{TICKET}?ticket={notice.number}",
            "Открыть обращение",
        )

    return words


def _of_account(title: str, text: str) -> Callable[[Notice], Wording]:
    """Word what was done to the account; it says what to do if it was somebody else."""
    said = f"{text} Если это были не вы, завершите чужие сеансы и напишите в поддержку."
    short = f"{SERVICE}: {text[0].lower()}{text[1:]} Не вы? Завершите чужие сеансы."
    return lambda _: Wording(title, said, short, SECURITY, "Открыть безопасность")


def _code(notice: Notice) -> Wording:
    text = f"Код для регистрации в {SERVICE}: {notice.code}. Никому его не сообщайте."
    return Wording("Код для регистрации", text, text, "/register", "Продолжить")


def _new_contact_code(notice: Notice) -> Wording:
    text = f"Код для нового контакта в {SERVICE}: {notice.code}. Никому его не сообщайте."
    return Wording("Код для нового контакта", text, text, SECURITY, "Ввести код")


def _new_browser(notice: Notice) -> Wording:
    text = (
        f"В вашу учётную запись вошли с нового устройства: {notice.source}, {_at(notice)} (МСК). "
        "Если это были не вы, завершите этот сеанс и смените пароль."
    )
    short = f"{SERVICE}: вход с нового устройства, {_at(notice)}. Не вы? Завершите сеанс."
    return Wording("Вход с нового устройства", text, short, SECURITY, "Посмотреть сеансы")


def _entry_code(notice: Notice) -> Wording:
    text = f"Код подтверждения {SERVICE}: {notice.code}. Никому его не сообщайте."
    return Wording("Код подтверждения", text, text, "/login", "Продолжить")


WORDS: Final[dict[News, Callable[[Notice], Wording]]] = {
    News.CONTACT_CODE: _code,
    News.REGISTRATION_TRIED: lambda _: Wording(
        "Попытка регистрации",
        f"Кто-то пытался зарегистрироваться в {SERVICE} с вашим логином. Если это вы, войдите или "
        "восстановите доступ.",
        f"Кто-то пытался зарегистрироваться в {SERVICE} с вашим логином. Если это вы, войдите или "
        "восстановите доступ.",
        RECOVER,
        "Восстановить доступ",
    ),
    News.RESET_ASKED: lambda _: Wording(
        "Новый пароль",
        f"Кто-то попросил новый пароль для входа в {SERVICE}. Если это вы, откройте ссылку в "
        "течение 15 минут, она действует один раз. Если не вы, ничего не делайте: прежний пароль "
        "действует, а без второго подтверждения входа его не сменить.",
        f"{SERVICE}: ссылка для нового пароля, действует 15 минут. Никому её не показывайте.",
        RECOVER,
        "Задать новый пароль",
    ),
    News.INVITED: lambda _: Wording(
        "Приглашение к работе",
        f"Для вас создана рабочая учётная запись в {SERVICE}. Откройте ссылку в течение трёх дней: "
        "вы зададите пароль и подключите второе подтверждение входа. Ссылка действует один раз. "
        "Если вы не ждали приглашения, ничего не делайте.",
        f"{SERVICE}: приглашение к работе, ссылка действует три дня. Никому её не показывайте.",
        RECOVER,
        "Задать пароль и войти",
    ),
    News.ROLE_CHANGED: _of_account(
        "Права изменены", "Администраторы изменили ваши рабочие права, сеансы завершены."
    ),
    News.PASSWORD_RESET: _of_account(
        "Пароль восстановлен", "Пароль заменён через восстановление доступа, сеансы завершены."
    ),
    News.NEW_CONTACT_CODE: _new_contact_code,
    News.CONTACT_CHANGED: _of_account(
        "Контакт изменён", "Телефон или почта для входа и уведомлений изменены."
    ),
    News.CONTACT_REMOVED: _of_account(
        "Контакт удалён", "Телефон или почта удалены: уведомления туда больше не приходят."
    ),
    News.NEW_BROWSER: _new_browser,
    News.FACTOR_ENROLLED: lambda _: Wording(
        "Вход по коду подключён",
        f"В {SERVICE} подключён вход по коду из приложения. Если это были не вы, напишите в "
        "поддержку.",
        f"В {SERVICE} подключён вход по коду из приложения.",
    ),
    News.FACTOR_REPLACED: _of_account(
        "Приложение с кодами заменено", "Приложение с кодами для входа заменено на новое."
    ),
    News.FACTOR_REMOVED: _of_account(
        "Приложение с кодами отключено", "Вход по коду из приложения отключён."
    ),
    News.FACTOR_CODE: _entry_code,
    News.SMS_ENROLLED: _of_account(
        "Коды по СМС подключены", "Вход теперь можно подтвердить кодом из СМС на ваш номер."
    ),
    News.SMS_REMOVED: _of_account(
        "Коды по СМС отключены", "Вход больше не подтверждается кодом из СМС."
    ),
    News.PASSKEY_ADDED: _of_account(
        "Добавлен ключ доступа", "К вашей учётной записи добавлен ключ доступа."
    ),
    News.PASSKEY_REMOVED: _of_account(
        "Ключ доступа удалён", "Ключ доступа удалён, вход им больше не подтвердить."
    ),
    News.PASSKEY_COPIED: _of_account(
        "Ключ доступа под сомнением",
        "Мы отклонили вход: похоже, ваш ключ доступа скопирован. Удалите его и добавьте новый.",
    ),
    News.PROVIDER_LINKED: _of_account(
        "Привязан внешний вход",
        "К вашей учётной записи привязан вход через внешнюю систему. Код второго шага нужен "
        "по-прежнему.",
    ),
    News.PROVIDER_UNLINKED: _of_account(
        "Внешний вход отвязан", "Вход через внешнюю систему больше не ведёт в вашу учётную запись."
    ),
    News.FACTORS_TAKEN: _of_account(
        "Доступ восстанавливается",
        "После сверки паспорта пароль и способы подтверждения отменены. Войдите заново по ссылке.",
    ),
    News.PASSWORD_CHANGED: _of_account(
        "Пароль изменён", "Пароль изменён, остальные сеансы завершены."
    ),
    News.RECOVERY_CODES_MADE: _of_account(
        "Созданы резервные коды", "Созданы новые резервные коды, прежние больше не действуют."
    ),
    News.RECOVERY_CODE_USED: _of_account(
        "Использован резервный код", "Вход подтверждён резервным кодом, второй раз он не подойдёт."
    ),
    News.APPLICATION_SUBMITTED: _of_application(
        "Заявка отправлена",
        f"Заявка {{number}} отправлена. Срок оформления: от {deadlines.SHORTEST_DAYS} до "
        f"{deadlines.LONGEST_DAYS} рабочих дней.",
        f"Заявка {{number}} отправлена. Срок: от {deadlines.SHORTEST_DAYS} до "
        f"{deadlines.LONGEST_DAYS} рабочих дней. Следите за ней в {SERVICE}.",
    ),
    News.CLARIFICATION_ASKED: _of_application(
        "Нужно уточнение",
        "По заявке {number} оператор просит уточнение. Ответьте на вопрос, и проверка продолжится.",
        "По заявке {number} нужно уточнение. Вопрос в личном кабинете.",
        "Ответить на вопрос",
    ),
    News.APPLICATION_REJECTED: _of_application(
        "Заявка отклонена",
        "Заявка {number} отклонена. Причина и что делать дальше — на её странице.",
        "По заявке {number} принято решение. Оно в личном кабинете.",
        "Узнать причину",
    ),
    News.DECISION_UNDONE: _of_application(
        "Решение пересмотрено",
        "Мы пересмотрели решение по заявке {number} и вернули её на проверку. Вам ничего делать "
        "не нужно.",
        "Заявка {number} возвращена на проверку. Подробности в личном кабинете.",
    ),
    News.APPLICATION_WITHDRAWN: _of_application(
        "Заявка отозвана",
        "Вы отозвали заявку {number}. Новую можно подать на её основе.",
        "Заявка {number} отозвана.",
    ),
    News.DRAFT_EXPIRED: lambda notice: Wording(
        "Черновик удалён",
        f"Черновик заявки {_number(notice)} удалён: его не меняли больше 30 дней.",
        f"Черновик заявки {_number(notice)} удалён: его не меняли больше 30 дней.",
    ),
    News.VISIT_MISSED: _of_application(
        "Заявка закрыта",
        "Заявка {number} закрыта: осмотр не начат за 60 дней. Новую можно подать на основе этой.",
        "Заявка {number} закрыта: осмотр не начат за 60 дней. Новую можно подать на основе этой.",
    ),
    News.ANSWER_MISSED: _of_application(
        "Заявка закрыта",
        "Заявка {number} закрыта: исправления не пришли за 60 дней. Новую можно подать на основе "
        "этой.",
        "Заявка {number} закрыта: исправления не пришли за 60 дней. Новую можно подать на основе "
        "этой.",
    ),
    News.CONSENT_WITHDRAWN: lambda _: Wording(
        "Согласие отозвано",
        "Вы отозвали согласие на обработку персональных данных. Если это были не вы, напишите в "
        "поддержку.",
        f"Согласие на обработку данных в {SERVICE} отозвано. Подробности в личном кабинете.",
    ),
    News.ERASURE_ASKED: lambda notice: Wording(
        "Данные будут удалены",
        f"Вы попросили удалить ваши данные. Это произойдёт {_on(notice)}, до этого дня просьбу "
        "можно отменить. Если это были не вы, отмените её и смените пароль.",
        f"{SERVICE}: данные будут удалены {_on(notice)}. Это не вы? Отмените в личном кабинете.",
        "/cabinet/data",
        "Отменить удаление",
    ),
    News.ERASURE_CANCELLED: lambda _: Wording(
        "Удаление отменено",
        "Вы отменили просьбу удалить данные. Всё осталось как было.",
        f"{SERVICE}: просьба удалить данные отменена.",
        "/cabinet/data",
        "Открыть мои данные",
    ),
    News.ERASED: lambda _: Wording(
        "Данные удалены",
        "По вашей просьбе ваши данные удалены. Медицинские документы, которые клиника обязана "
        "хранить по закону, остались у неё и больше никому не показываются.",
        f"{SERVICE}: ваши данные удалены. Войти больше нельзя.",
        "/",
        "Открыть сайт",
    ),
    News.ALARM: lambda _: Wording(
        "Тревога в журнале действий",
        "В журнале действий замечен перебор чужих данных, отказы подряд или ночная выгрузка. "
        "Откройте список тревог и проверьте.",
        f"{SERVICE}: тревога в журнале действий. Проверьте список тревог.",
        "/admin/alerts",
        "Открыть тревоги",
    ),
    News.DATA_READY: lambda _: Wording(
        "Копия данных готова",
        "Копию всех ваших данных можно скачать в течение суток. Если вы её не заказывали, "
        "смените пароль и завершите чужие сеансы.",
        f"{SERVICE}: копия ваших данных готова. Не заказывали? Смените пароль.",
        "/cabinet/data",
        "Скачать",
    ),
    News.BOOK_FORMED: _of_book(
        "Медкнижка готова",
        "Медкнижка готова. Подтвердите получение, и её можно будет показывать.",
        "Медкнижка готова. Подтвердите получение в личном кабинете.",
        action="Подтвердить получение",
    ),
    News.BOOK_RENEWED: _of_book(
        "Новая версия медкнижки",
        "Вышла новая версия медкнижки. Прежние ссылки и QR-коды устарели, сделайте новые.",
        "Вышла новая версия медкнижки. Прежние ссылки и QR-коды устарели, сделайте новые.",
    ),
    News.TERM_RENEWED: _of_book(
        "Медкнижка продлена",
        "Медкнижка продлена, она действует по {on}. Ссылки и QR-коды прежней версии теперь "
        "называют её заменённой: сделайте новые.",
        "Медкнижка продлена по {on}. Ссылки нужно сделать заново.",
    ),
    News.IDENTITY_CHANGED: _of_book(
        "Личные данные изменены",
        "В медкнижке теперь новые личные данные. Срок прежний. Ссылки и QR-коды прежней версии "
        "называют её заменённой: сделайте новые.",
        "Личные данные в медкнижке изменены. Ссылки нужно сделать заново.",
    ),
    News.IDENTITY_REFUSED: _of_book(
        "Личные данные не изменены",
        "Изменить личные данные в медкнижке не получилось. Причина и что делать — на странице "
        "изменения.",
        "Изменить данные в медкнижке не получилось. Причина — в личном кабинете.",
        path="/cabinet/book/changes",
        action="Узнать причину",
    ),
    News.BOOK_SUSPENDED: _of_book(
        "Действие медкнижки приостановлено",
        "Действие медкнижки приостановлено. Причина и что делать дальше — на её странице.",
        "Действие медкнижки приостановлено. Причина — в личном кабинете.",
        action="Узнать причину",
    ),
    News.BOOK_RESUMED: _of_book(
        "Медкнижка снова действует",
        "Медкнижка снова действует, её можно показывать.",
        "Медкнижка снова действует.",
    ),
    News.BOOK_REVOKED: _of_book(
        "Медкнижка аннулирована",
        "Медкнижка аннулирована. Причина и что делать дальше — на её странице.",
        "Медкнижка аннулирована. Причина — в личном кабинете.",
        action="Узнать причину",
    ),
    News.VISIT_BOOKED: _of_visit(
        "Вы записаны на осмотр",
        "Вы записаны на осмотр {at} (МСК) по заявке {number}. Что взять с собой — на странице "
        "записи.",
        "Вы записаны на осмотр {at} (МСК). Подробности в личном кабинете.",
    ),
    News.VISIT_MOVED: _of_visit(
        "Осмотр перенесён",
        "Осмотр по заявке {number} перенесён на {at} (МСК).",
        "Осмотр перенесён на {at} (МСК). Подробности в личном кабинете.",
    ),
    News.VISIT_CANCELLED: _of_visit(
        "Запись отменена",
        "Запись на осмотр {at} (МСК) по заявке {number} отменена. Выберите другое время.",
        "Запись на осмотр {at} (МСК) отменена. Выберите другое время в личном кабинете.",
        "Выбрать время",
    ),
    News.VISIT_SOON: _of_visit(
        "Скоро осмотр",
        "Напоминаем: осмотр по заявке {number} — {at} (МСК). Что взять с собой — на странице "
        "записи.",
        "Напоминаем: осмотр {at} (МСК). Что взять с собой — в личном кабинете.",
    ),
    News.STUDIES_ORDERED: _of_application(
        "Нужны дополнительные исследования",
        "По заявке {number} назначены дополнительные исследования. Список — на её странице.",
        "По заявке {number} есть новое от медорганизации. Подробности в личном кабинете.",
    ),
    News.CONCLUSION_SIGNED: _of_application(
        "Заключение подписано",
        "По заявке {number} подписано медицинское заключение.",
        "По заявке {number} подписано медицинское заключение. Оно в личном кабинете.",
    ),
    News.CONCLUSION_RECEIVED: lambda _: Wording(
        "Пришло заключение из другой медорганизации",
        "Заключение другой медорганизации добавлено к вашим данным. Его результаты — на странице "
        "заявки, врач может учесть их на осмотре.",
        f"В {SERVICE} пришло заключение другой медорганизации. Оно в личном кабинете.",
        "/cabinet/applications",
        "Открыть заявки",
    ),
    News.APPEAL_FILED: _of_application(
        "Возражение принято",
        "Возражение по заявке {number} принято. Вторая комиссия пригласит вас на осмотр.",
        "Возражение по заявке {number} принято. Ответ придёт в личный кабинет.",
    ),
    News.APPEAL_TAKEN: _of_application(
        "Вас приглашает вторая комиссия",
        "По заявке {number} вас приглашает вторая комиссия. Адрес и телефон — на странице заявки.",
        "По заявке {number} вас приглашает вторая комиссия. Адрес в личном кабинете.",
    ),
    News.BOOK_LOOKED_AT: _of_book(
        "Вашу книжку смотрели",
        "Вашу книжку открыли по ссылке {at}. Если вы этого не ждали, закройте ссылку.",
        "Вашу медкнижку открыли по ссылке. Подробности в личном кабинете.",
        f"{BOOK}/access",
        "Кто смотрел",
    ),
    News.RECORD_OPENED: _of_book(
        "Врач открыл вашу книжку",
        "По вашему коду врач открыл книжку {at}. Кто и что читал, видно на странице доступа; там "
        "же доступ можно закрыть.",
        "Врач открыл вашу медкнижку по коду. Подробности в личном кабинете.",
        f"{BOOK}/access",
        "Кто смотрел",
    ),
    News.RECORD_HANDED_OVER: _of_book(
        "Сведения из книжки переданы",
        "По вашей ссылке сведения из книжки получены {at}. Ссылка больше не действует.",
        "Сведения из медкнижки получены по вашей ссылке. Подробности в личном кабинете.",
        f"{BOOK}/access",
        "Кому переданы",
    ),
    News.EMPLOYER_ASKED: _of_book(
        "Работодатель просит доступ",
        "Работодатель хочет видеть, действует ли ваша книжка. Разрешить или отказать можно на "
        "странице доступа. О здоровье он не узнает ничего.",
        "Работодатель просит показать, действует ли ваша медкнижка. Ответьте в личном кабинете.",
        f"{BOOK}/access",
        "Ответить",
    ),
    News.EMPLOYER_ADDED: _of_book(
        "Работодатель следит за сроком книжки",
        "Работодатель добавил вас в список сотрудников {at}. Он видит, действует ли книжка и до "
        "какого числа. Закрыть доступ можно на странице доступа.",
        "Работодатель добавил вашу медкнижку в список сотрудников. Подробности в личном кабинете.",
        f"{BOOK}/access",
        "Кто видит книжку",
    ),
    News.MEMBER_INVITED: lambda _: Wording(
        "Приглашение в кабинет организации",
        f"Вас приглашают в кабинет организации в {SERVICE}. Зарегистрируйтесь как работодатель с "
        "этим адресом почты или войдите с ним, и приглашение будет на первой странице. Оно "
        "действует 14 дней. Если вы его не ждали, ничего не делайте.",
        f"{SERVICE}: вас приглашают в кабинет организации. Войдите с этой почтой.",
        "/employer/register",
        "Принять приглашение",
    ),
    News.STAFF_ENDS: lambda notice: Wording(
        "Сроки книжек сотрудников",
        _staff_ends(notice),
        f"{SERVICE}: у сотрудников заканчивается срок книжек. Подробности в кабинете.",
        "/employer",
        "Открыть список",
    ),
    News.SUPPORT_ANSWERED: _of_ticket(
        "Поддержка ответила",
        "На ваше обращение № {number} ответили. Если ответ не помог, напишите ещё.",
        "Поддержка ответила на обращение № {number}. Ответ в личном кабинете.",
    ),
    News.SUPPORT_ASKS: _of_ticket(
        "Поддержка просит показать больше",
        "Чтобы разобраться с обращением № {number}, сотрудник поддержки просит показать ему на "
        "15 минут ваше имя, год рождения, часть контактов и состояние заявок. Результатов "
        "осмотра он не увидит. Разрешить может и его коллега; отказать вы можете в обращении.",
        "Поддержка просит показать ваши данные по обращению № {number}. Подробности в кабинете.",
    ),
    News.SUPPORT_OPENED: _of_ticket(
        "Поддержка видит ваши данные",
        "С {at} сотрудник поддержки 15 минут видит ваше имя, год рождения, часть контактов и "
        "состояние заявок, чтобы помочь с обращением № {number}. Закрыть доступ раньше можно в "
        "обращении.",
        "Поддержка на 15 минут открыла ваши данные по обращению № {number}. Подробности в "
        "кабинете.",
    ),
    News.DRAFT_ENDS: lambda notice: Wording(
        "Черновик скоро удалится",
        f"Черновик заявки {_number(notice)} хранится до {_on(notice)}. Отправьте его или откройте "
        "и сохраните, чтобы продлить хранение.",
        f"Черновик заявки {_number(notice)} хранится до {_on(notice)}. Отправьте его или откройте "
        "и сохраните, чтобы продлить хранение.",
        "/cabinet/apply",
        "Продолжить заполнение",
    ),
    News.VISIT_DUE: _of_application(
        "Пройдите осмотр",
        "Заявка {number} ждёт осмотра. Пройдите его не позже {on}, иначе она закроется.",
        f"Заявка {{number}} ждёт осмотра. Пройдите его не позже {{on}}, иначе она закроется. "
        f"Подробности в {SERVICE}.",
    ),
    News.ANSWER_DUE: _of_application(
        "Ждём ваших исправлений",
        "По заявке {number} ждут ваших исправлений. Отправьте их не позже {on}, иначе она "
        "закроется.",
        "По заявке {number} ждут ваших исправлений. Отправьте их не позже {on}, иначе она "
        "закроется.",
        "Ответить на вопрос",
    ),
    News.ITEM_ENDS: _of_book(
        "Пора обновить осмотр",
        "В медкнижке есть запись, срок которой кончается {on}. Запишитесь на осмотр заранее.",
        "В медкнижке есть запись, срок которой кончается {on}. Подробности в личном кабинете.",
    ),
    News.BOOK_ENDS: _of_book(
        "Срок медкнижки кончается",
        "Срок медкнижки кончается {on}. Продлите её заранее, чтобы не прерывать работу.",
        "Срок медкнижки кончается {on}. Продлить её можно в личном кабинете.",
    ),
}
