"""The holder's own data: the copy and the wish to be forgotten, in words."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from emk_app.domain.erasure import KEEPINGS
from emk_app.presenting.erasures import KEPT_NAMES
from emk_app.presenting.formats import file_size, moment
from emk_app.services.erasing import Wish
from emk_app.services.own_data import Copy
from emk_app.settings import settings


@dataclass(frozen=True)
class CopyCard:
    """How the copy stands."""

    is_there: bool = False
    is_ready: bool = False
    text: str = ""
    href: str = ""


def copy_card(copy: Copy | None) -> CopyCard:
    """Return how the copy stands."""
    if copy is None:
        return CopyCard()
    if not copy.ref or copy.expires_at is None:
        return CopyCard(is_there=True, text=f"Копия готовится, начали {moment(copy.asked_at)}.")
    return CopyCard(
        is_there=True,
        is_ready=True,
        text=f"Копия готова: {file_size(copy.size)}. Скачать можно до {moment(copy.expires_at)}.",
        href=f"/api/data/{copy.ref}.zip",
    )


def wish_text(wish: Wish | None) -> str:
    """Say when the wish is carried out; empty where none waits."""
    if wish is None:
        return ""
    return f"Вы попросили удалить данные {moment(wish.asked_at)}. Удалим {moment(wish.due_at)}."


def kept_lines() -> list[str]:
    """Say what outlives the wish, how long and by what law."""
    said: list[str] = []
    for what, keeping in KEEPINGS.items():
        term = f"{keeping.years} лет" if keeping.years and keeping.years > 4 else "3 года"
        if keeping.years is None:
            term = "пока работает сервис"
        said.append(f"{KEPT_NAMES[what]}: {term} ({keeping.source}).")
    return said


def correction_href() -> str:
    """Return a letter to the support that asks for a correction (RFC 6068)."""
    words = urlencode(
        {
            "subject": "Исправить мои данные",
            "body": "Что записано неверно: \n\nКак должно быть: \n\nКакой документ это "
            "подтверждает (сам документ не прикладывайте): \n",
        },
        quote_via=quote,
    )
    return f"mailto:{settings().support_mail.addr_spec}?{words}"
