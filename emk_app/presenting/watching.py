"""Who saw or changed the holder's records, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from emk_app.domain.actors import Role
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.corrections import scan_control
from emk_app.domain.disclosures import RecordPart
from emk_app.domain.documents import ScanKind
from emk_app.domain.watching import VIEWS, Span
from emk_app.presenting.applications import SCAN_KINDS
from emk_app.presenting.attachments import KINDS
from emk_app.presenting.disclosures import PARTS
from emk_app.presenting.formats import NBSP, counted, moment
from emk_app.presenting.texts import POSITIONS, ROLES, Label
from emk_app.presenting.verdicts import VERDICTS
from emk_app.services.watching import Watched, WatchedPage
from emk_app.settings import settings

SPANS: Final = {
    Span.WEEK: "За неделю",
    Span.MONTH: "За месяц",
    Span.YEAR: "За год",
    Span.EVER: "За всё время",
}
VIEW: Final = Label("просмотр", "info")
CHANGE: Final = Label("действие")

WHAT: Final[Mapping[str, str]] = {
    "claim_record": "Введён ваш код: показаны имя и год рождения",
    "open_record": "Открыт доступ к книжке",
    "end_record": "Закрыт доступ к книжке",
    "look_up": "Книжка проверена по номеру и СНИЛС: показаны допуск и часть имени",
    "fetch_handover": "Получены данные по ссылке, которую вы сделали",
    "export_book": "Выгружена книжка",
    "download_extract": "Скачана выписка",
    "view_book": "Открыты сведения о книжке: номер, срок, состояние",
    "view_identity": "Открыто ваше обращение об изменении имени или даты рождения",
    "approve_identity": "Изменение имени или даты рождения одобрено",
    "reject_identity": "В изменении имени или даты рождения отказано",
    "take": "Документы взяты на проверку",
    "release": "Проверка документов передана другому оператору",
    "approve": "Документы одобрены",
    "reject": "Заявка отклонена",
    "ask": "Вас попросили уточнить данные",
    "ask_reversal": "Предложено отменить решение по заявке",
    "confirm_reversal": "Решение по заявке отменено",
    "decline_reversal": "Решение по заявке оставлено в силе",
    "open_case": "Начат осмотр",
    "confirm_identity": "Сверены ваши документы",
    "enter_result": "Внесён результат",
    "correct_result": "Исправлен результат",
    "put_details": "Дополнены сведения об исследовании",
    "take_over": "Перенесён прежний результат",
    "order_further": "Назначено дополнительное исследование",
    "cancel_further": "Отменено дополнительное исследование",
    "attach": "Добавлен документ осмотра",
    "detach": "Убран документ осмотра",
    "vaccinate": "Записана прививка",
    "withdraw_vaccination": "Убрана запись о прививке",
    "sign": "Подписано заключение",
    "reopen_case": "Осмотр открыт снова",
    "withdraw_conclusion": "Заключение отозвано",
    "take_appeal": "Ваше обращение о повторной комиссии принято",
    "suspend_book": "Действие книжки приостановлено",
    "resume_book": "Действие книжки восстановлено",
    "revoke_book": "Книжка аннулирована",
    "order_suspend": "Предложено приостановить книжку",
    "order_resume": "Предложено восстановить книжку",
    "order_revoke": "Предложено аннулировать книжку",
    "order_confirmed": "Подтверждено решение о книжке",
    "order_declined": "Решение о книжке не подтверждено",
    "order_taken_back": "Предложение о книжке снято",
    "visit_booked": "Вы записаны на приём",
    "visit_moved": "Перенесён приём",
    "visit_cancelled": "Отменён приём",
    "visit_begun": "Отмечен ваш приход",
    "visit_missed": "Отмечено, что вы не пришли",
    "add_staff_by_link": "Вы внесены в список сотрудников по вашей ссылке",
    "add_staff_by_number": "Вы внесены в список сотрудников по номеру книжки и СНИЛС",
    "add_staff_by_invitation": "Вы внесены в список сотрудников с вашего согласия",
    "invite_staff": "Отправлена просьба показать книжку",
    "change_staff": "Изменена запись о вас в списке сотрудников",
    "remove_staff": "Вы убраны из списка сотрудников",
    "take_ticket": "Ваше обращение взято в работу",
    "give_ticket": "Ваше обращение отдано коллеге",
    "answer_ticket": "Вам ответили на обращение",
    "note_ticket": "К вашему обращению оставлена заметка",
    "hand_ticket": "Ваше обращение передано",
    "settle_ticket": "Ваше обращение закрыто",
    "hand_late": "Задержанная заявка передана оператору",
    "find_by_code": "По коду, который вы назвали, найдены обращения и заявки",
    "ask_glass": "Поддержка попросила показать ваши данные",
    "agree_glass": "Поддержке разрешено 15 минут видеть ваши данные",
    "decline_glass": "Просмотр ваших данных поддержкой закончен",
    "break_glass": "Открыты имя, год рождения, часть контактов, состояние заявок и книжки",
    "retry_letter": "Сообщение вам отправлено снова",
    "drop_letter": "Сообщение вам снято с отправки",
}
"""Acts of others by the audit's names; views of things are worded by the thing."""
OTHER: Final = "Другое действие с вашими данными"

_SEEN: Final = {
    "application": "Открыта заявка",
    "examination": "Открыт осмотр",
    "scan": "Открыт скан",
    "attachment": "Открыт документ осмотра",
    "identity": "Открыт документ об изменении данных",
    "ticket": "Открыто ваше обращение в поддержку",
}
_FIELDS: Final = {
    "form": "анкета",
    "checks": "результаты проверок",
    "history": "история",
    "results": "результаты осмотра",
    **{scan_control(kind): SCAN_KINDS[kind].lower() for kind in ScanKind},
    scan_control(ScanKind.SNILS): "СНИЛС",
    scan_control(ScanKind.POLICY): "полис ОМС",
    **{kind.value: KINDS[kind].lower() for kind in AttachmentKind},
    AttachmentKind.FUNCTIONAL.value: "запись прибора",
    **{part.value: PARTS[part].lower() for part in RecordPart},
    "esignature_certificate": "сертификат подписи",
    "esignature_signature": "электронная подпись",
}
_WHY: Final = {
    Role.OPERATOR: "Проверка заявки и книжки",
    Role.CLINIC: "Медицинский осмотр",
    Role.EMPLOYER: "Проверка допуска к работе",
    Role.SUPPORT: "Помощь по вашему обращению",
    Role.ADMIN: "Работа сервиса",
}
_WHY_BY_ACTION: Final = {
    "look": "Вы показали ссылку или код",
    "look_up": "Проверка допуска к работе",
    "fetch_handover": "Вы согласились передать данные",
    "claim_record": "Вы назвали код врачу",
    "open_record": "Вы назвали код врачу",
    "read_record": "Вы назвали код врачу",
    "end_record": "Вы назвали код врачу",
}


@dataclass(frozen=True)
class WatchedRow:
    """One line of the list."""

    id: str
    at: str
    who: str
    where: str
    """The clinic; empty for others."""
    what: str
    why: str
    kind: str
    tone: str


def row(watched: Watched) -> WatchedRow:
    """Return one line as shown."""
    kind = VIEW if watched.action in VIEWS or watched.action == "look" else CHANGE
    return WatchedRow(
        id=watched.id,
        at=moment(watched.at),
        who=_who(watched),
        where=watched.clinic,
        what=_what(watched),
        why=_why(watched),
        kind=kind.text,
        tone=kind.tone,
    )


def found_text(page: WatchedPage) -> str:
    """Say how many lines there are."""
    return counted(page.total, "запись", "записи", "записей")


def complaint_href() -> str:
    """Return a letter to the support that only has to be completed (RFC 6068)."""
    words = urlencode(
        {
            "subject": "Кто-то смотрел мои данные",
            "body": "Дата и время записи из списка «Кто смотрел»: \n\n"
            "Что в ней не так: \n\nПожалуйста, проверьте и ответьте.",
        },
        quote_via=quote,
    )
    return f"mailto:{settings().support_mail.addr_spec}?{words}"


def _who(watched: Watched) -> str:
    if watched.action == "look":
        return "Тот, кому вы показали ссылку"
    if watched.action == "fetch_handover":
        return "Получатель вашей ссылки"
    if watched.role is None:
        return "Проверяющий без учётной записи"
    if watched.position is not None:
        return _capital(POSITIONS[watched.position])
    return _capital(ROLES[watched.role])


def _what(watched: Watched) -> str:
    if watched.action == "look":
        seen = VERDICTS[watched.verdict].word if watched.verdict else ""
        return f"Открыта книжка по ссылке «{watched.link or 'без названия'}», ответ: {seen}"
    named = [
        _FIELDS[name]
        for name in (each.partition(":")[0] for each in watched.fields)
        if name in _FIELDS
    ]
    if watched.action == "read_record":
        said = "Прочитано в книжке"
    elif watched.action == "view":
        said = _SEEN.get(watched.target, OTHER)
    else:
        said = WHAT.get(watched.action, OTHER)
    if watched.number is not None:
        said = f"{said} №{NBSP}{watched.number.shown}"
    if named and watched.action in {"view", "read_record"}:
        said = f"{said}: {', '.join(named)}"
    return said


def _why(watched: Watched) -> str:
    if watched.action in _WHY_BY_ACTION:
        return _WHY_BY_ACTION[watched.action]
    return _WHY.get(watched.role, "") if watched.role else ""


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
