"""The journal of acts as administrators read it: codes, numbers, names of fields, no values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from emk_app.clock import MOSCOW
from emk_app.domain.actors import Role
from emk_app.domain.errors import Invalid
from emk_app.domain.inspecting import Sought
from emk_app.presenting.formats import counted
from emk_app.presenting.staff_files import BOM, harmless
from emk_app.presenting.texts import ROLES, field_sentences
from emk_app.presenting.watching import WHAT
from emk_app.services.inspecting import Chain, Entry

CSV: Final = "/api/audit.csv"
RESULTS: Final = [("done", "Сделано"), ("refused", "Отказано")]
NOBODY: Final = "без входа"
HEADS: Final = (
    *("Запись", "Время (МСК)", "Кто", "Роль", "Сеанс", "Чьи данные"),
    *("Действие", "Объект", "Поля", "Итог"),
)
OWN_WORDS: Final = {
    "sign_in": "Вход",
    "sign_out": "Выход",
    "renew_factor": "Подтверждение свежим кодом",
    "register": "Регистрация",
    "create_user": "Создана учётная запись",
    "denied": "Отказ: не хватает прав",
    "view": "Просмотр",
    "look": "Просмотр",
    "bar": "Доступ закрыт",
    "unbar": "Доступ возвращён",
    "end_sessions": "Закончены сеансы",
    "take_factors": "Сняты факторы входа",
    "change_role": "Изменены права",
    "find_person": "Поиск учётной записи",
    "ask_invite": "Просьба пригласить сотрудника",
    "ask_change": "Просьба изменить права",
    "ask_block": "Просьба закрыть доступ",
    "ask_unblock": "Просьба вернуть доступ",
    "ask_take_factors": "Просьба снять факторы входа",
    "order_confirmed": "Решение подтверждено",
    "order_declined": "Решение отклонено",
    "order_taken_back": "Решение отозвано",
    "order_lapsed": "Решение не подтверждено в срок",
    "export_audit": "Выгружен журнал",
    "retry_job": "Задание запущено снова",
    "drop_job": "Задание снято",
    "retry_letter": "Сообщение отправлено снова",
    "drop_letter": "Сообщение снято",
    "announce_maintenance": "Объявлены работы",
    "cancel_maintenance": "Объявление о работах снято",
    "begin_reset": "Начата замена пароля",
    "send_reset": "Отправлена ссылка для пароля",
    "reset_password": "Пароль заменён",
    "amend_occupation": "Написано изменение профессии",
    "amend_template": "Написано изменение сообщения",
    "amend_study": "Написано изменение исследования",
    "amendment_confirmed": "Изменение справочника подтверждено",
    "amendment_declined": "Изменение справочника отклонено",
    "amendment_taken_back": "Изменение справочника отозвано",
    "write_answer": "Добавлен готовый ответ",
    "rewrite_answer": "Изменён готовый ответ",
    "retire_answer": "Убран готовый ответ",
    "bring_answer_back": "Возвращён готовый ответ",
    "switch_off": "Отключена возможность",
    "switch_on": "Включена возможность",
    "backup": "Резервная копия",
    "restore": "Восстановление из копии",
}


@dataclass(frozen=True)
class EntryRow:
    """One act."""

    id: int
    at: str
    who: str
    who_href: str
    role: str
    whose: str
    whose_href: str
    action: str
    words: str
    target: str
    fields: str
    result: str
    tone: str


def rows(entries: Iterable[Entry]) -> list[EntryRow]:
    """Return acts as rows."""
    return [_row(each) for each in entries]


def csv_href(sought: Sought) -> str:
    """Return where what is sought is taken away as a file."""
    said = {name: getattr(sought, name) for name in Sought.__slots__ if getattr(sought, name)}
    return f"{CSV}?{urlencode(said)}" if said else CSV


def csv_pieces(pieces: Iterable[tuple[Entry, ...]]) -> Iterator[bytes]:
    """Write the journal with semicolons, as Russian spreadsheets expect; piece by piece."""
    yield (BOM + _written([HEADS])).encode()
    for entries in pieces:
        yield _written([[harmless(each) for each in _line(entry)] for entry in entries]).encode()


def chain_text(chain: Chain) -> tuple[str, str]:
    """Say whether the chain holds, and in which tone."""
    count = counted(chain.entries, "запись", "записи", "записей")
    if chain.broken is None:
        return f"Цепочка цела: проверено {count}.", "success"
    return (
        f"Цепочка нарушена начиная с записи {chain.broken}. Остановите изменения и сверьте журнал "
        "с резервной копией.",
        "danger",
    )


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each control that was filled in wrong."""
    return field_sentences(error)


def _row(entry: Entry) -> EntryRow:
    who, whose = _number(entry.actor_id), _number(entry.subject_id)
    return EntryRow(
        entry.id,
        entry.at.astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M:%S"),
        who or _role(entry.role),
        f"/admin/people/{entry.actor_id}" if who else "",
        _role(entry.role),
        whose,
        f"/admin/people/{entry.subject_id}" if whose else "",
        entry.action,
        OWN_WORDS.get(entry.action) or WHAT.get(entry.action, ""),
        entry.target,
        entry.fields.replace(",", ", "),
        "отказано" if entry.is_refused else "сделано",
        "danger" if entry.is_refused else "success",
    )


def _line(entry: Entry) -> list[str]:
    return [
        str(entry.id),
        entry.at.astimezone(MOSCOW).strftime("%d.%m.%Y %H:%M:%S"),
        str(entry.actor_id or ""),
        _role(entry.role),
        str(entry.session_id or ""),
        str(entry.subject_id or ""),
        entry.action,
        entry.target,
        entry.fields,
        "отказано" if entry.is_refused else "сделано",
    ]


def _number(user_id: int | None) -> str:
    return f"№ {user_id}" if user_id else ""


def _role(role: str) -> str:
    return ROLES[Role(role)] if role in set(Role) else NOBODY


def _written(lines: Iterable[Iterable[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=";", lineterminator="\r\n").writerows(lines)
    return file.getvalue()
