"""Signing in by way of the provider of identities, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from emk_app.domain.federation import Outcome
from emk_app.presenting.formats import moment

UNLINKED: Final = "Внешний вход отвязан. Входите по паролю."

_SAID: Final[Mapping[Outcome, tuple[str, str]]] = {
    Outcome.UNKNOWN: (
        "Учётной записи с вашим СНИЛС пока нет. Зарегистрируйтесь: после одобрения заявки вход "
        "через «{name}» найдёт её сам, а привязать его раньше можно в разделе «Безопасность».",
        "info",
    ),
    Outcome.UNPROVED: (
        "Учётная запись найдена, но вход по коду в ней ещё не подключён. Войдите один раз по "
        "паролю и подключите его.",
        "info",
    ),
    Outcome.UNTRUSTED: (
        "«{name}» не подтверждает вашу личность или не сообщает СНИЛС. Подтвердите учётную запись "
        "там или войдите по паролю.",
        "danger",
    ),
    Outcome.DECLINED: ("Вход через «{name}» отменён. Попробуйте ещё раз.", "info"),
    Outcome.STALE: (
        "Ответ «{name}» устарел или пришёл в другой браузер. Начните вход ещё раз.",
        "danger",
    ),
    Outcome.UNAVAILABLE: (
        "«{name}» сейчас не отвечает. Войдите по паролю или попробуйте через несколько минут.",
        "danger",
    ),
    Outcome.LINKED: ("Вход через «{name}» привязан.", "success"),
    Outcome.TAKEN: (
        "Эта учётная запись «{name}» уже ведёт к другому владельцу или другой вход уже привязан. "
        "Если это ошибка, напишите в поддержку.",
        "danger",
    ),
    Outcome.ANOTHER: (
        "СНИЛС в «{name}» не совпадает с СНИЛС в вашей книжке, поэтому вход не привязан.",
        "danger",
    ),
}


def outcome(said: str, name: str) -> tuple[str, str]:
    """Return what came of the way to the provider, and its tone; nothing for other words."""
    try:
        text, tone = _SAID[Outcome(said)]
    except (ValueError, KeyError):
        return "", "info"
    return (text.format(name=name), tone) if name else ("", "info")


def since(at: datetime | None) -> str:
    """Say since when the account is linked."""
    return f"привязан {moment(at)}" if at else ""
