"""The ways to prove oneself, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain.factors import Way
from emk_app.services.factors import Offer

NAMES: Final = {
    Way.PASSKEY: "Ключ доступа",
    Way.APP: "Код из приложения",
    Way.SMS: "Код по СМС",
    Way.RECOVERY: "Резервный код",
}
HINTS: Final = {
    Way.PASSKEY: "Отпечаток, лицо или ПИН-код на телефоне, компьютере или токене.",
    Way.APP: "«Яндекс Ключ», Google Authenticator или любое похожее приложение.",
    Way.SMS: "На номер {phone}.",
    Way.RECOVERY: "Из списка, который вы сохранили.",
}


@dataclass(frozen=True)
class WayRow:
    """One way that may be chosen instead."""

    key: str
    name: str
    hint: str


def other_ways(offer: Offer, chosen: Way) -> list[WayRow]:
    """Return what may be chosen instead of this one."""
    return [
        WayRow(way.value, NAMES[way], HINTS[way].format(phone=offer.phone))
        for way in offer.ways
        if way is not chosen
    ]


def sent_to(phone: str) -> str:
    """Say that a code is on its way."""
    return f"Отправили код на номер {phone}. Он действует пять минут."


def code_label(offer: Offer) -> str:
    """Name the code that a sensitive act asks for."""
    from_where = [
        word for way, word in ((Way.APP, "из приложения"), (Way.SMS, "из СМС")) if way in offer.ways
    ]
    return f"Код {' или '.join(from_where)}" if from_where else NAMES[Way.RECOVERY]
