"""The Russian catalogue: labels of enums, sentences for errors, words that logic chooses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emk_app import clock
from emk_app.domain import (
    amending,
    appeals,
    attachments,
    disclosures,
    employing,
    enlisting,
    errors,
    examinations,
    exchange,
    identities,
    orders,
    schedules,
    specialties,
    staff,
    support,
    visits,
)
from emk_app.domain.accounts import (
    ContactTaken,
    DoorstepExpired,
    LastContact,
    NothingToReplace,
    ResetLinkOver,
    WrongCode,
    WrongContactCode,
    WrongCredentials,
)
from emk_app.domain.actors import Position, Role
from emk_app.domain.applications import CaseAlreadyOpen, PapersTaken
from emk_app.domain.books import BookNotShareable, Verdict
from emk_app.domain.clinics import ClinicNotAvailable, LicenceStatus
from emk_app.domain.consent import ConsentNeeded
from emk_app.domain.corrections import NotAsked
from emk_app.domain.disclosures import GrantState, HandoverState
from emk_app.domain.employer_keys import (
    KeyEnded,
    KeyRefused,
    KeyRevoked,
    ScopeMissing,
    TooManyKeys,
)
from emk_app.domain.erasure import NothingToCancel
from emk_app.domain.errors import DomainError, Invalid, InvalidValue
from emk_app.domain.factors import (
    MOST_PASSKEYS,
    ChallengeGone,
    LastFactor,
    PasskeyCopied,
    PasskeyKnown,
    PasskeyRefused,
    PasskeyUnknown,
    SmsNotOffered,
    TooManyPasskeys,
)
from emk_app.domain.federation import AlreadyLinked, IdentityUntrusted, ProviderUnavailable
from emk_app.domain.imports import FileEmpty, ImportUnderWay, ReportGone
from emk_app.domain.news import EditedMeanwhile
from emk_app.domain.notices import LetterEnded, NoContact, NotOptional
from emk_app.domain.prepared import SameTitleOffered, TooManyAnswers
from emk_app.domain.register import NotARegister
from emk_app.domain.renewals import Hindrance, NotRenewable
from emk_app.domain.reversals import NotReversible, Replaced, SameEyes
from emk_app.domain.sharing import TooManyLinks
from emk_app.domain.switches import Feature, FeatureOff
from emk_app.domain.upkeep import JobEnded
from emk_app.presenting.field_texts import word
from emk_app.presenting.formats import counted, day, hour, moment, short_person
from emk_app.storage.errors import ESignatureCheckUnavailable, ScanCheckUnavailable


@dataclass(frozen=True, slots=True)
class Label:
    """A word for a value, and the tone of its badge: neutral, info, waiting, success, danger."""

    text: str
    tone: str = "neutral"


ROLES: Final = {
    Role.HOLDER: "владелец книжки",
    Role.CLINIC: "сотрудник медорганизации",
    Role.OPERATOR: "оператор",
    Role.EMPLOYER: "работодатель",
    Role.SUPPORT: "поддержка",
    Role.ADMIN: "администратор",
    Role.SYSTEM: "сервис",
}

POSITIONS: Final = {
    Position.REGISTRAR: "регистратор",
    Position.PHYSICIAN: "врач",
    Position.CHAIR: "председатель комиссии",
}

CONTACT_CONFIRMED: Final = "Учётная запись создана. Осталось подключить вход по коду."
CODE_SENT_AGAIN: Final = "Новый код отправлен. Прежний больше не подходит."
OUT_OF_ORDER: Final = (
    "Сервис временно недоступен, действие не выполнено. Введённое осталось на экране: "
    "повторите через минуту."
)
UNEXPECTED: Final = (
    "Что-то пошло не так, и действие не выполнено. Попробуйте ещё раз. "
    "Если повторится, сообщите поддержке номер ошибки {incident}."
)


ACCESS_OVER: Final = {
    GrantState.WAITING: "Сначала введите код владельца.",
    GrantState.CLAIMED: "Сначала сверьте имя и откройте книжку.",
    GrantState.OPEN: "Книжка уже открыта.",
    GrantState.ENDED: "Доступ к книжке закрыт.",
    GrantState.LAPSED: "Книжку не открыли за десять минут. Попросите у владельца новый код.",
    GrantState.EXPIRED: "Время доступа истекло. Если нужно ещё, попросите у владельца новый код.",
}
"""Why a physician can't read a record now."""


def _handover_over(error: disclosures.HandoverOver) -> str:
    match error.state:
        case HandoverState.FETCHED if error.fetched_at:
            return f"Сведения по этой ссылке уже получены {moment(error.fetched_at)}."
        case HandoverState.REVOKED:
            return "Владелец книжки закрыл эту ссылку."
        case _:
            return "Срок этой ссылки прошёл. Попросите у владельца книжки новую."


def _who_and_when(error: Any) -> str:
    """Name who did it and when, as far as the error knows."""
    if error.by and error.at:
        return f"{error.by}, {moment(error.at)}"
    return error.by or (moment(error.at) if error.at else "")


def _beaten(error: Any) -> str:
    facts = _who_and_when(error)
    said = f": {facts}" if facts else ""
    return f"Пока вы смотрели, запись изменилась{said}. Показаны свежие данные."


def _taken(error: Any) -> str:
    who = f": {short_person(error.by)}" if error.by else ""
    at = f" в {hour(error.at)}" if error.at else ""
    taken = f"Эту заявку уже взяли в работу{at}{who}".removesuffix(".")
    return f"{taken}. Возьмите следующую."


def _ticket_taken(error: Any) -> str:
    who = f": {short_person(error.by)}" if error.by else ""
    return f"На это обращение уже отвечает коллега{who}.".replace("..", ".")


def _signed(error: Any) -> str:
    facts = _who_and_when(error)
    said = f" ({facts})" if facts else ""
    return f"Заключение уже подписано{said}. Изменить результаты больше нельзя."


def _incomplete(error: Any) -> str:
    missing = counted(len(error.codes), "исследования", "исследований", "исследований")
    return f"Нет действующих результатов {missing}. Внесите их, и заключение можно будет подписать."


def _foreign_specialty(code: str) -> str:
    known = specialties.SPECIALTIES.get(code)
    whose = f" ({known.short_name})" if known else ""
    return (
        f"Это исследование вносит врач другой специальности{whose}. Специальности врачам "
        "назначает председатель комиссии."
    )


def _later(error: Any) -> str:
    minutes = math.ceil((error.until - clock.now()).total_seconds() / 60)
    if minutes <= 1:
        return "Слишком много попыток. Повторите через минуту."
    return (
        f"Слишком много попыток. Повторите через {counted(minutes, 'минуту', 'минуты', 'минут')}."
    )


def _clinic_not_available(error: Any) -> str:
    if error.licence is not LicenceStatus.ACTIVE:
        return "У этой медорганизации нет действующей лицензии. Выберите другую."
    return "Эта медорганизация не проводит осмотры по вашей профессии. Выберите другую."


def _slot_taken(error: Any) -> str:
    said = "Это время уже занято или закрыто для записи."
    if not error.nearest:
        return f"{said} Свободного времени сейчас нет, оно появится здесь само."
    nearest = ", ".join(f"{each:%d.%m в %H:%M}" for each in error.nearest[:3])
    return f"{said} Ближайшее свободное: {nearest}."


def _affected(error: Any) -> str:
    n = len(error.visits)
    return (
        f"Изменение заденет {counted(n, 'запись', 'записи', 'записей')}. Решите, что с ними делать."
    )


NOT_SHAREABLE: Final = {
    Verdict.NOT_RECEIVED: "Сначала подтвердите получение книжки.",
    Verdict.TERM_PASSED: "Срок книжки истёк, показывать её нельзя. Продлите книжку.",
    Verdict.SUSPENDED: "Действие книжки приостановлено. Ссылку можно сделать, когда оно вернётся.",
    Verdict.REVOKED: "Книжка аннулирована, показывать её нельзя. Подайте заявку на новую.",
    Verdict.NOT_GENUINE: "Подпись книжки не подтвердилась. Обратитесь в поддержку.",
    Verdict.SUPERSEDED: "Ссылка ведёт на прежнюю версию книжки. Сделайте новую.",
    Verdict.LINK_REVOKED: "Доступ по этой ссылке закрыт. Сделайте новую.",
    Verdict.LINK_EXPIRED: "Срок этой ссылки прошёл. Сделайте новую.",
    Verdict.LINK_EXHAUSTED: "Просмотры по этой ссылке закончились. Сделайте новую.",
}
"""Why the holder can't be given a link or a code, and what to do."""

NOT_RENEWABLE: Final = {
    Hindrance.NOT_GENUINE: (
        "Подпись книжки не подтвердилась, продлить её нельзя. Напишите в поддержку."
    ),
    Hindrance.REVOKED: "Аннулированную книжку не продлевают. Подайте новую заявку.",
    Hindrance.SUSPENDED: "Пока действие книжки приостановлено, продлить её нельзя.",
    Hindrance.NOT_RECEIVED: "Сначала подтвердите получение книжки.",
    Hindrance.NO_CONSENT: "Дайте согласие на обработку данных, и книжку можно будет продлить.",
    Hindrance.STUDIES: "Не все исследования в порядке. Пройдите осмотр, и книжку можно продлить.",
    Hindrance.TOO_EARLY: "До конца срока больше 30 дней, продлевать ещё рано.",
}
"""Why a book is not renewed, and what to do."""


FEATURES_OFF: Final = {
    Feature.REGISTRATION: (
        "Зарегистрироваться сейчас нельзя. Попробуйте позже; когда откроем, напишем в новостях."
    ),
    Feature.SMS_FACTOR: (
        "Коды по СМС сейчас не отправляем. Подтвердите вход другим способом: приложением, ключом "
        "доступа или резервным кодом."
    ),
    Feature.NUMBER_CHECK: (
        "Проверить книжку по номеру сейчас нельзя. Попросите у работника ссылку или QR-код."
    ),
    Feature.APPEALS: (
        "Подать возражение на этом сайте сейчас нельзя. Срок не ждёт: подайте его на бумаге в "
        "медорганизацию."
    ),
}
"""What is said in place of a feature that is switched off."""


STAFF_COLUMNS: Final = {
    column: "СНИЛС" if column is enlisting.Column.SNILS else headings[0].capitalize()
    for column, headings in enlisting.HEADINGS.items()
}
"""What the columns of a file of staff are called in its sample."""


def columns_named(columns: Sequence[enlisting.Column]) -> str:
    """Name columns of a file of staff: «Сотрудник», «Номер книжки» и «СНИЛС»."""
    named = [f"«{STAFF_COLUMNS[each]}»" for each in columns]
    return " и ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]


ERRORS: Final[dict[type[DomainError], Callable[[Any], str]]] = {
    DomainError: lambda _: (
        "Это действие сейчас невозможно. Обновите страницу и попробуйте ещё раз."
    ),
    errors.NotSignedIn: lambda _: "Вы вышли из системы. Войдите снова.",
    errors.NotPermitted: lambda _: "На это действие нет прав. Войдите под другой учётной записью.",
    errors.FreshFactorNeeded: lambda _: "Подтвердите действие свежим кодом или ключом доступа.",
    errors.NotFound: lambda _: "Запись не найдена. Проверьте номер или вернитесь к списку.",
    errors.WrongMediaType: lambda _: (
        "Тело запроса должно быть в JSON, с заголовком Content-Type: application/json."
    ),
    errors.Malformed: lambda error: f"Запрос не соответствует описанию API: {error}.",
    KeyRefused: lambda _: "Ключ не подошёл. Передайте действующий ключ в заголовке authorization.",
    KeyEnded: lambda _: "Срок ключа истёк. Сделайте новый в кабинете работодателя.",
    KeyRevoked: lambda _: "Ключ отозван. Сделайте новый в кабинете работодателя.",
    ScopeMissing: lambda e: f"У ключа нет права {e.scope}. Нужен ключ с этим правом.",
    TooManyKeys: lambda e: (
        f"Действует уже {counted(e.limit, 'ключ', 'ключа', 'ключей')}, больше нельзя. Отзовите "
        "ненужный."
    ),
    NotARegister: lambda _: (
        "Это не реестр медорганизаций. Нужен CSV или JSON с полями oid, nameFull и regionId."
    ),
    ImportUnderWay: lambda _: (
        "Другой файл ещё проверяется или загружается. Дождитесь конца или прекратите ту загрузку."
    ),
    FileEmpty: lambda _: "Файл пустой. Выберите другой.",
    NothingToCancel: lambda _: "Отменять нечего: просьбы об удалении данных нет.",
    ReportGone: lambda _: "Отчёта больше нет: он хранится 30 дней. Загрузите файл ещё раз.",
    errors.Conflict: lambda _: "Данные успели измениться. Обновите страницу.",
    errors.ChangedMeanwhile: _beaten,
    PapersTaken: _taken,
    SameEyes: lambda _: (
        "Отменить решение просили вы, поэтому ответить должен другой оператор. Передайте коллеге "
        "номер заявки."
    ),
    NotReversible: lambda _: (
        "Отменить это решение уже нельзя: книжка оформлена или заявка завершена иначе. Показаны "
        "свежие данные."
    ),
    Replaced: lambda _: (
        "Владелец уже начал новую заявку, поэтому отказ по прежней остаётся в силе. Рассмотрите "
        "новую."
    ),
    identities.ChangePending: lambda _: (
        "Вы уже просили изменить данные. Дождитесь ответа или отзовите прежнюю просьбу."
    ),
    identities.NothingChanges: lambda _: (
        "В книжке уже записано именно так. Исправьте то, что должно измениться."
    ),
    identities.ChangeDecided: lambda _: (
        "По этой просьбе уже решено, или владелец её отозвал. Показаны свежие данные."
    ),
    identities.IdentityFixed: lambda _: (
        "Изменить данные можно только в действующей книжке с подтверждённой подписью."
    ),
    orders.SameHand: lambda _: (
        "Это решение начали вы, подтвердить его должен другой оператор. Передайте коллеге номер "
        "книжки."
    ),
    orders.NotOrderable: lambda _: (
        "В нынешнем состоянии книжки это сделать нельзя. Показаны свежие данные."
    ),
    orders.CommissionsMatter: lambda _: (
        "Книжку приостановило заключение медицинской комиссии. Снять это может только следующее "
        "заключение."
    ),
    orders.OrderPending: lambda _: (
        "Об этой книжке уже есть решение, которое ждёт второго оператора. Сначала ответьте на него."
    ),
    orders.NothingOrdered: lambda _: (
        "Отвечать уже не на что: коллега ответил раньше или срок прошёл. Показаны свежие данные."
    ),
    staff.OwnAccount: lambda _: "Это ваша учётная запись. О ней решают два других администратора.",
    staff.SameAdministrator: lambda _: (
        "Это попросили вы, подтвердить должен другой администратор. Передайте ему ссылку на "
        "страницу."
    ),
    staff.StaffOrderPending: lambda _: (
        "Об этой учётной записи уже есть просьба, которая ждёт второго администратора. Сначала "
        "ответьте на неё."
    ),
    staff.NothingAsked: lambda _: (
        "Отвечать уже не на что: коллега ответил раньше или срок прошёл. Показаны свежие данные."
    ),
    staff.NotAskable: lambda _: (
        "Для этой учётной записи это уже так или сделать этого нельзя. Показаны свежие данные."
    ),
    staff.TooFewAdministrators: lambda _: (
        "Останется меньше двух администраторов, и подтверждать решения будет некому. Сначала "
        "пригласите ещё одного."
    ),
    JobEnded: lambda _: (
        "Это задание уже не ждёт решения: коллега вернул его в очередь или снял. Показаны свежие "
        "данные."
    ),
    SameTitleOffered: lambda _: (
        "Другой готовый ответ теперь называется так же. Сначала переименуйте один из них."
    ),
    TooManyAnswers: lambda e: (
        f"Готовых ответов уже {e.limit}: из такого списка трудно выбрать. Сначала уберите лишний."
    ),
    amending.NothingAmended: lambda _: "Так уже есть. Измените то, что должно стать другим.",
    amending.AmendmentPending: lambda _: (
        "Об этом уже есть изменение, которое ждёт второго администратора. Сначала ответьте на него."
    ),
    amending.AmendmentAnswered: lambda _: (
        "Отвечать уже не на что: коллега ответил раньше или назначенный день настал. Показаны "
        "свежие данные."
    ),
    amending.SameEditor: lambda _: (
        "Это изменение написали вы, подтвердить его должен другой администратор."
    ),
    FeatureOff: lambda e: FEATURES_OFF[e.feature],
    errors.TransitionNotAllowed: lambda _: (
        "В нынешнем статусе это сделать нельзя. Показаны свежие данные."
    ),
    CaseAlreadyOpen: lambda _: (
        "Медорганизация уже начала осмотр, поэтому изменить это может только поддержка."
    ),
    examinations.IdentityNotChecked: lambda _: (
        "Сначала сверьте личность пациента с документом и подтвердите это."
    ),
    examinations.ExaminationSigned: _signed,
    examinations.CaseClosed: lambda _: (
        "Заявка завершена, поэтому осмотр по ней больше не ведётся. Показаны свежие данные."
    ),
    examinations.BeingCorrected: lambda _: (
        "Владелец исправляет данные, от которых зависит программа осмотра. Дождитесь исправленной "
        "заявки: она появится здесь сама."
    ),
    examinations.ProgrammeChanged: lambda _: (
        "После исправления данных программа осмотра стала другой, и заключение ей не "
        "соответствует. Отклоните заявку: владелец подаст новую и дополнит осмотр."
    ),
    examinations.SignerUnnamed: lambda _: (
        "В вашей учётной записи не указано имя, а в заключении оно обязательно. Попросите "
        "администратора его добавить."
    ),
    examinations.Incomplete: _incomplete,
    attachments.TooManyAttachments: lambda e: (
        f"К осмотру приложено {counted(e.limit, 'документ', 'документа', 'документов')}, больше "
        "нельзя. Удалите лишний или объедините страницы в один PDF."
    ),
    attachments.AttachmentSigned: lambda _: (
        "С этим документом уже подписано заключение, удалить его нельзя."
    ),
    examinations.FurtherStudyDone: lambda _: (
        "Результат этого исследования уже внесён, поэтому отменить назначение нельзя."
    ),
    specialties.ForeignSpecialty: lambda e: _foreign_specialty(e.specialty),
    appeals.NothingToContest: lambda _: (
        "Сейчас нет заключения, которое можно обжаловать. Показаны свежие данные."
    ),
    appeals.AppealTooLate: lambda e: (
        f"Возражение принималось до {day(e.last_day)}. Подайте новую заявку: осмотр пройдёт заново."
    ),
    appeals.AlreadyAppealed: lambda _: (
        "Возражение по этой заявке уже подано. Второй раз подать его нельзя, но можно подать "
        "новую заявку."
    ),
    appeals.AppealPending: lambda _: (
        "Владелец подал возражение, и теперь решает вторая комиссия. Её председатель откроет "
        "осмотр сам."
    ),
    appeals.NoSecondCommission: lambda _: (
        "В этой медорганизации нет другого председателя комиссии. Выберите другую."
    ),
    appeals.SameSigner: lambda _: (
        "Вы подписали заключение, которое обжалуют. Решить должен другой председатель комиссии."
    ),
    NotAsked: lambda _: (
        "Заявка отправлена, и это поле оператор исправить не просил. Если в нём ошибка, "
        "напишите в поддержку."
    ),
    ESignatureCheckUnavailable: lambda _: (
        "Сейчас проверить подпись не получилось. Попробуйте через несколько минут."
    ),
    ScanCheckUnavailable: lambda _: (
        "Сейчас файлы проверить нельзя. Подождите минуту и выберите файл снова."
    ),
    NotOptional: lambda _: "Сообщения о безопасности отключить нельзя: они защищают ваш доступ.",
    NoContact: lambda _: "Этот способ станет доступен, когда вы подтвердите такой контакт.",
    exchange.NotAPartner: lambda _: (
        "Подпись запроса не подтверждена. Проверьте ключ и состав подписи."
    ),
    EditedMeanwhile: lambda _: (
        "Эту новость успел изменить кто-то другой. Скопируйте свой текст и откройте её снова."
    ),
    exchange.Replayed: lambda _: (
        "Запрос с этой подписью уже принят или устарел. Подпишите его заново."
    ),
    exchange.ForeignOrganisation: lambda _: (
        "Отправитель не зарегистрирован для этой медорганизации. Зарегистрируйте её OID."
    ),
    exchange.DocumentDiffers: lambda _: (
        "Под этим ключом или номером уже принят другой документ. Отправьте новую версию."
    ),
    exchange.UnknownFormat: lambda _: (
        "Принимаются application/xml (СЭМД 230) и application/fhir+json."
    ),
    exchange.DocumentTooLarge: lambda _: "Документ больше, чем можно принять: 512 КиБ.",
    exchange.DocumentUnsafe: lambda error: (
        f"В документе есть то, чего в нём не бывает: {error.rule}."
    ),
    exchange.DocumentRefused: lambda error: (
        f"Документ не прошёл проверку по правилу {error.rule}. Исправьте и отправьте снова."
    ),
    exchange.ShipmentEnded: lambda _: "По этому документу уже решено. Показаны свежие данные.",
    LetterEnded: lambda _: "Сообщение уже ушло или снято с отправки. Показаны свежие данные.",
    visits.NoVisitNeeded: lambda _: "По этой заявке записываться на осмотр больше не нужно.",
    visits.ClinicNotChosen: lambda _: "Сначала выберите медорганизацию на странице заявки.",
    visits.AlreadyBooked: lambda _: (
        "По этой заявке запись уже есть. Её можно перенести на другое время."
    ),
    visits.NotBooked: lambda _: "Запись уже прошла или отменена. Показаны свежие данные.",
    visits.NotYetMissed: lambda _: "Время приёма ещё не наступило. Отметьте неявку после него.",
    visits.TooLateToChange: lambda _: (
        "До осмотра меньше двух часов. Перенести или отменить его может медорганизация: "
        "позвоните в регистратуру."
    ),
    visits.SlotTaken: _slot_taken,
    visits.VisitsAffected: _affected,
    schedules.TooManyRooms: lambda e: (
        f"Кабинетов уже {e.limit}, больше добавить нельзя. Закройте ненужный."
    ),
    schedules.TooManyExceptions: lambda e: (
        f"Особых дней уже {e.limit}, больше добавить нельзя. Уберите прошедшие."
    ),
    errors.Invalid: lambda _: "Проверьте отмеченные поля.",
    errors.TooManyAttempts: _later,
    WrongCredentials: lambda _: (
        "Логин или пароль не подходят. Проверьте раскладку и попробуйте ещё раз."
    ),
    WrongCode: lambda _: (
        "Код не подошёл. Дождитесь следующего кода и введите его: каждый код действует один раз."
    ),
    PasskeyRefused: lambda _: (
        "Ключ доступа не подтвердил вход. Попробуйте ещё раз или выберите другой способ."
    ),
    PasskeyCopied: lambda _: (
        "Ключ отклонён: похоже, он скопирован. Войдите другим способом, удалите этот ключ и "
        "добавьте новый."
    ),
    PasskeyUnknown: lambda _: (
        "Этот ключ доступа не подключён к вашей учётной записи. Выберите другой ключ или способ."
    ),
    PasskeyKnown: lambda _: "Этот ключ доступа уже добавлен.",
    TooManyPasskeys: lambda _: (
        f"Ключей доступа уже {MOST_PASSKEYS}. Удалите лишний и добавьте новый."
    ),
    ChallengeGone: lambda _: "Запрос к ключу устарел. Попробуйте ещё раз.",
    LastFactor: lambda _: (
        "Это последний способ подтвердить вход. Сначала подключите другой: приложение с кодами "
        "или ключ доступа."
    ),
    SmsNotOffered: lambda _: (
        "Код по СМС отправить нельзя: нет подтверждённого телефона или такой вход отключён."
    ),
    AlreadyLinked: lambda _: "Внешний вход уже привязан. Чтобы сменить его, сначала отвяжите.",
    IdentityUntrusted: lambda _: (
        "Внешняя система не подтверждает вашу личность или не сообщает СНИЛС. Войдите по паролю."
    ),
    ProviderUnavailable: lambda _: (
        "Внешняя система сейчас не отвечает. Войдите по паролю или попробуйте через несколько "
        "минут."
    ),
    NothingToReplace: lambda _: "Замена приложения уже закончена или не начата. Начните её заново.",
    LastContact: lambda _: (
        "Это единственный контакт, по которому с вами можно связаться и войти. Сначала добавьте "
        "другой."
    ),
    ContactTaken: lambda _: (
        "С этим телефоном или почтой входят в другую учётную запись. Укажите другой контакт."
    ),
    ResetLinkOver: lambda _: (
        "Ссылка уже не действует: её открывали раньше, или прошло больше 15 минут. Запросите новую."
    ),
    ClinicNotAvailable: _clinic_not_available,
    BookNotShareable: lambda e: NOT_SHAREABLE[e.verdict],
    NotRenewable: lambda e: NOT_RENEWABLE[e.hindrance],
    ConsentNeeded: lambda _: (
        "Вы отозвали согласие на обработку данных. Дайте его снова на странице «Согласие», и "
        "книжку можно будет показать."
    ),
    disclosures.CodeRefused: lambda _: (
        "Код не подошёл: в нём ошибка, его уже ввели или прошло десять минут. Попросите новый."
    ),
    disclosures.AccessOver: lambda e: ACCESS_OVER[e.state],
    disclosures.ClinicNotServing: lambda _: (
        "У вашей медорганизации нет действующей лицензии в реестре, поэтому чужие книжки "
        "открыть нельзя. Обратитесь к администратору."
    ),
    disclosures.TooManyGrants: lambda e: (
        f"Книжка уже открыта {counted(e.limit, 'врачу', 'врачам', 'врачам')}. Закройте доступ, "
        "который больше не нужен."
    ),
    disclosures.HandoverOver: _handover_over,
    disclosures.TooManyHandovers: lambda e: (
        f"Сведений ждут уже {counted(e.limit, 'получатель', 'получателя', 'получателей')}. "
        "Закройте ссылки, что больше не нужны."
    ),
    employing.OrganisationKnown: lambda _: (
        "Организация с этим ИНН или ОГРН уже есть. Попросите её владельца пригласить вас: он "
        "сделает это на странице «Доступ к кабинету», указав вашу почту. Если владельца больше "
        "нет, напишите в поддержку."
    ),
    employing.HasOrganisation: lambda _: "У вас уже есть организация. Обновите страницу.",
    employing.LastOwner: lambda _: (
        "Это единственный владелец кабинета. Сначала сделайте владельцем кого-нибудь ещё."
    ),
    employing.MemberInvited: lambda _: (
        "Этот адрес уже приглашён или принадлежит участнику кабинета. Проверьте список."
    ),
    employing.MembersFull: lambda e: (
        f"В кабинете может быть {counted(e.limit, 'участник', 'участника', 'участников')} вместе с "
        "приглашёнными. Уберите тех, кто больше не нужен."
    ),
    employing.AccessEnded: lambda _: (
        "Сотрудник закрыл вам доступ. Попросите у него новую ссылку или отправьте запрос."
    ),
    employing.AskedAlready: lambda _: (
        "Этого человека вы уже спросили. Дождитесь ответа; после отказа спросить снова можно "
        "через 30 дней."
    ),
    employing.StaffFull: lambda e: (
        f"В списке уже {counted(e.limit, 'сотрудник', 'сотрудника', 'сотрудников')}, больше нельзя."
    ),
    enlisting.NotATable: lambda _: (
        "Таблицу прочитать не получилось. Сохраните её как XLSX или CSV и загрузите снова."
    ),
    enlisting.NoColumns: lambda e: (
        f"В файле нет {'столбца' if len(e.missing) == 1 else 'столбцов'} "
        f"{columns_named(e.missing)}. Назовите столбцы в первой строке так же, как в образце."
    ),
    enlisting.NoRows: lambda _: "В таблице нет ни одной строки. Заполните её и загрузите снова.",
    enlisting.TooManyRows: lambda e: (
        f"В одном файле может быть {counted(e.limit, 'строка', 'строки', 'строк')}. Разделите его."
    ),
    enlisting.DayFull: lambda e: (
        f"Сегодня можно проверить ещё {counted(e.left, 'строку', 'строки', 'строк')}. Остальное "
        "загрузите завтра."
    ),
    enlisting.UploadUnderWay: lambda _: (
        "Прежний файл ещё ждёт решения или проверяется. Закончите с ним и загрузите этот."
    ),
    enlisting.NothingToAdd: lambda _: (
        "В каждой строке есть ошибка. Исправьте файл и загрузите его снова."
    ),
    support.TicketTaken: _ticket_taken,
    support.TicketOver: lambda _: (
        "Обращение закрыто больше 30 дней назад. Напишите новое и назовите в нём прежний номер."
    ),
    support.RatedAlready: lambda _: "Вы уже оценили ответ, спасибо.",
    support.TooManyFiles: lambda e: (
        f"К обращению приложено {counted(e.limit, 'снимок', 'снимка', 'снимков')}, больше нельзя. "
        "Отправьте сообщение без снимка."
    ),
    support.GlassPending: lambda _: (
        "Запрос на просмотр данных уже есть. Дождитесь ответа или отзовите его."
    ),
    support.NoGlass: lambda _: (
        "Запроса уже нет, или время просмотра истекло. Показаны свежие данные."
    ),
    support.SameHands: lambda _: (
        "Разрешить просмотр должен владелец или другой сотрудник поддержки, не тот, кто просил."
    ),
    TooManyLinks: lambda e: f"Открытых ссылок уже {e.limit}. Закройте те, что больше не нужны.",
    WrongContactCode: lambda _: (
        "Код не подошёл. Проверьте последнее сообщение: код действует пять минут, и попыток пять. "
        "Если времени прошло больше, запросите новый код."
    ),
    DoorstepExpired: lambda _: "Прошло больше 15 минут. Начните вход сначала.",
}
"""A sentence for every error that is not one field's; kin without a sentence take the parent's."""


def sentence(error: Exception) -> str:
    """Return what to tell the person about a domain error."""
    if isinstance(error, InvalidValue):
        return word(error)
    for kind in type(error).__mro__:
        if kind in ERRORS:
            return ERRORS[kind](error)
    raise TypeError(f"{type(error).__name__} is not a domain error")


def field_sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each field of a refused form."""
    return {name: word(problem) for name, problem in error.fields.items()}


def summary(error: Invalid, labels: Mapping[str, str]) -> list[list[str]]:
    """Return name and sentence of each refused field, so that each is understood by itself."""
    return [
        [
            name,
            f"Заполните поле «{labels[name]}»."
            if isinstance(problem, errors.Required) and name in labels
            else word(problem),
        ]
        for name, problem in error.fields.items()
    ]
