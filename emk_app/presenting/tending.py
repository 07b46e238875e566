"""Jobs and keys in an administrator's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from emk_app.crypto.signing import KeyStatus, KeyUse
from emk_app.presenting.formats import counted, day, days, moment
from emk_app.presenting.texts import Label
from emk_app.services.rotating import KeyView
from emk_app.services.tending import FailedJob, Jobs, Kind

JOBS: Final = {
    "licences": "Окончание лицензий медорганизаций",
    "check_application": "Проверка заявки",
    "read_passport": "Распознавание паспорта",
    "read_policy": "Распознавание полиса",
    "lapse": "Окончание сроков книжек и черновиков",
    "visits": "Записи на осмотр",
    "remind_of_terms": "Напоминания о сроках",
    "reissue_withdrawn": "Переподписание книжек",
    "lapse_book_orders": "Неподтверждённые решения о книжках",
    "lapse_staff_orders": "Неподтверждённые решения о людях",
    "erase": "Удаление данных",
    "alerts": "Поиск тревог",
    "export_data": "Копия данных владельца",
    "sweep_exports": "Удаление старых копий данных",
    "retain": "Окончание сроков хранения",
    "upkeep": "Проверка частей сервиса",
    "sweep_scans": "Уборка файлов",
    "check_register": "Проверка файла реестра",
    "apply_register": "Загрузка реестра",
    "sweep_registers": "Уборка файлов реестра",
    "exchange_match": "Сверка пришедших заключений",
    "exchange_sweep": "Уборка пришедших заключений",
    "send_reset": "Отправка ссылки для пароля",
    "audit_anchor": "Закрепление журнала в файле",
    "audit_anchor_post": "Закрепление журнала на другой машине",
    "rewrap": "Смена мастер-ключа",
    "enlist": "Проверка списка работников",
    "sweep_staff_uploads": "Уборка списков работников",
    "warn_employers": "Предупреждения работодателям о сроках",
    "count_gaps": "Подсчёт нехватки прививок",
}
FATAL: Final = "прервало работу процесса"
RETRIED: Final = "Задание снова поставлено в очередь."
DROPPED: Final = "Задание снято."
UNSAID: Final = "Напишите, почему задание больше не нужно."

USES: Final = {
    KeyUse.BOOK: "Подпись книжек",
    KeyUse.QR: "Подпись кодов",
    KeyUse.LIST: "Подпись списка ключей",
}
STATUSES: Final = {
    KeyStatus.ACTIVE: Label("действует", "success"),
    KeyStatus.RETIRED: Label("выведен", "neutral"),
    KeyStatus.COMPROMISED: Label("отозван", "danger"),
}
STORES: Final = {
    "file": "файл",
    "pkcs12": "контейнер PKCS#12",
    "pkcs11": "модуль PKCS#11",
}
TURN: Final = timedelta(days=365)
"""After so long a signer is to be replaced (docs/keys.md)."""
SOON: Final = timedelta(days=90)
COMMANDS: Final = (
    ("Посмотреть ключи на сервере", "python -m emk_app.cli keys list"),
    ("Сделать новый ключ подписи книжек", "python -m emk_app.cli keys add book"),
    ("Через час начать подписывать им", "python -m emk_app.cli keys activate ИМЯ"),
    ("Вывести прежний ключ", "python -m emk_app.cli keys retire ИМЯ"),
    ("Отозвать украденный ключ", "python -m emk_app.cli keys compromise ИМЯ"),
    ("Сменить мастер-ключ", "python -m emk_app.cli keys rotate"),
)


@dataclass(frozen=True)
class JobRow:
    """A job that was given up."""

    id: int
    kind: str
    target: str
    why: str
    tries: str
    at: str
    state: str
    tone: str
    is_dropped: bool


@dataclass(frozen=True)
class KindRow:
    """How jobs of one kind do."""

    kind: str
    waiting: str
    failed: str
    tone: str
    done: str


@dataclass(frozen=True)
class KeyRow:
    """One key."""

    name: str
    use: str
    status: str
    tone: str
    turn: str
    store: str
    term: str
    warning: str
    warning_tone: str


def job_rows(found: Jobs) -> list[JobRow]:
    """Return the jobs that were given up."""
    return [_job(each) for each in found.failed]


def kind_rows(found: Jobs) -> list[KindRow]:
    """Return how each kind does."""
    return [_kind(each) for each in found.kinds]


def key_rows(keys: tuple[KeyView, ...], now: datetime) -> list[KeyRow]:
    """Return the keys: those that sign first, then by use and end."""
    ordered = sorted(keys, key=lambda key: (not key.signs, list(KeyUse).index(key.use)))
    return [_key(each, now) for each in ordered]


def name_of(kind: str) -> str:
    """Return what a job of this kind does."""
    return JOBS.get(kind, kind)


def _job(each: FailedJob) -> JobRow:
    failure = FATAL if each.failure == "fatal" else each.failure or "неизвестно"
    incident = f", сбой {each.incident}" if each.incident else ""
    is_dropped = each.dropped_at is not None
    state = Label("не выполнено", "danger")
    if each.dropped_at is not None:
        state = Label(f"снято {moment(each.dropped_at)}: {each.dropped_why}", "neutral")
    return JobRow(
        each.id,
        name_of(each.kind),
        f"№ {each.target_id}" if each.target_id else "",
        f"{failure}{incident}",
        counted(each.attempts, "попытка", "попытки", "попыток"),
        moment(each.failed_at),
        state.text,
        state.tone,
        is_dropped,
    )


def _kind(each: Kind) -> KindRow:
    waiting = str(each.waiting)
    if each.trying:
        waiting += f" (с ошибкой: {each.trying})"
    tone = "danger" if each.failed else "waiting" if each.trying else "success"
    done = moment(each.done_at) if each.done_at else ""
    return KindRow(name_of(each.kind), waiting, str(each.failed), tone, done)


def _key(each: KeyView, now: datetime) -> KeyRow:
    warning = Label("", "neutral")
    if each.signs and each.not_after <= now:
        warning = Label("Срок истёк: подписать ничего нельзя.", "danger")
    elif each.signs and each.not_after - now <= SOON:
        left = days((each.not_after - now).days)
        warning = Label(f"До конца срока {left}: замените сейчас.", "danger")
    elif each.signs and now - each.not_before >= TURN:
        warning = Label("Подписывает больше года: пора заменить.", "waiting")
    status = STATUSES[each.status]
    return KeyRow(
        each.name,
        USES[each.use],
        status.text,
        status.tone,
        "подписывает" if each.signs else "",
        STORES.get(each.store, each.store),
        f"{day(each.not_before.date())} – {day(each.not_after.date())}",
        warning.text,
        warning.tone,
    )


def masters(left: Mapping[int, int]) -> str:
    """Say how many values are under which master key; more than one is a change under way."""
    said = "; ".join(
        f"№ {kid}: {counted(count, 'значение', 'значения', 'значений')}"
        for kid, count in sorted(left.items())
    )
    return said or "под мастер-ключом ещё ничего нет"
