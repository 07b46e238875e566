"""What guards an account, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from emk_app.domain import recovery
from emk_app.presenting.formats import counted, moment, plural
from emk_app.services.securing import Guards, OwnSession

FEW: Final = 3
"""So few recovery codes left that new ones should be made."""


@dataclass(frozen=True)
class FactorRow:
    """One way to prove who one is, and how lately it served."""

    key: str
    name: str
    text: str
    status: str
    tone: str


@dataclass(frozen=True)
class KeyRow:
    """One key."""

    id: int
    name: str
    added: str
    used: str


@dataclass(frozen=True)
class SessionRow:
    """One live session."""

    id: int
    device: str
    began: str
    seen: str
    is_here: bool


def factor_rows(guards: Guards) -> list[FactorRow]:
    """Return the factors as rows, the password first."""
    changed = guards.password_set_at
    password = f"изменён {moment(changed)}" if changed else "не менялся с регистрации"
    return [
        FactorRow("password", "Пароль", password, "есть", "success"),
        _keys(guards),
        _app(guards),
        *([_sms(guards)] if guards.phone else []),
        _codes(guards),
    ]


def key_rows(guards: Guards) -> list[KeyRow]:
    """Return the keys as rows, the eldest first."""
    return [
        KeyRow(
            key.id,
            key.name,
            moment(key.added_at),
            moment(key.used_at) if key.used_at else "ещё не применялся",
        )
        for key in guards.keys
    ]


def session_rows(guards: Guards) -> list[SessionRow]:
    """Return the sessions as rows, this one first."""
    return [_session(each) for each in guards.sessions]


def ended(count: int) -> str:
    """Say how many other sessions were ended."""
    if count == 0:
        return "Других сеансов не было."
    return f"Завершено: {counted(count, 'сеанс', 'сеанса', 'сеансов')}."


def _session(each: OwnSession) -> SessionRow:
    return SessionRow(
        each.id, each.device, moment(each.began_at), moment(each.seen_at), each.is_here
    )


def _keys(guards: Guards) -> FactorRow:
    name = "Ключи доступа"
    if not guards.keys:
        text = "самая надёжная защита: код не выманить и не подсмотреть"
        return FactorRow("passkeys", name, text, "нет", "neutral")
    used = max((key.used_at for key in guards.keys if key.used_at), default=None)
    text = f"последний раз {moment(used)}" if used else "ещё не применялись"
    count = counted(len(guards.keys), "ключ", "ключа", "ключей")
    return FactorRow("passkeys", name, f"{count}, {text}", "есть", "success")


def _app(guards: Guards) -> FactorRow:
    name = "Приложение с кодами"
    if not guards.proofs.app:
        return FactorRow("totp", name, "не подключено", "нет", "neutral")
    return FactorRow("totp", name, _used(guards), "включено", "success")


def _sms(guards: Guards) -> FactorRow:
    is_on = guards.proofs.offers_sms
    status, tone = ("включены", "info") if is_on else ("отключены", "neutral")
    return FactorRow("sms", "Коды по СМС", f"на номер {guards.phone}", status, tone)


def _used(guards: Guards) -> str:
    if guards.totp_used_at is None:
        return "ещё не применялось" if guards.totp_since is None else _since(guards.totp_since)
    return f"последний код принят {moment(guards.totp_used_at)}"


def _since(at: datetime) -> str:
    return f"подключено {moment(at)}"


def _codes(guards: Guards) -> FactorRow:
    name = "Резервные коды"
    if guards.codes_made_at is None:
        text = "если потеряется телефон, войти будет нечем"
        return FactorRow("recovery", name, text, "нет", "waiting")
    left = counted(guards.codes_left, "код", "кода", "кодов")
    remain = plural(guards.codes_left, "остался", "осталось", "осталось")
    text = f"созданы {moment(guards.codes_made_at)}, {remain} {left} из {recovery.COUNT}"
    few = guards.codes_left <= FEW
    return FactorRow(
        "recovery", name, text, "мало" if few else "есть", "waiting" if few else "success"
    )
