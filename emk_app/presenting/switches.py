"""What can be switched off, and what people are told while it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from emk_app.domain.errors import Invalid, Required
from emk_app.domain.switches import Feature
from emk_app.presenting.formats import moment
from emk_app.presenting.texts import FEATURES_OFF, field_sentences
from emk_app.services.switching import SwitchView

NAMES: Final = {
    Feature.REGISTRATION: "Регистрация",
    Feature.SMS_FACTOR: "Коды по СМС",
    Feature.NUMBER_CHECK: "Проверка книжки по номеру",
    Feature.APPEALS: "Возражения на заключения",
}
EFFECTS: Final = {
    Feature.REGISTRATION: (
        "Новые люди не смогут зарегистрироваться. Кто получил код, регистрацию закончит."
    ),
    Feature.SMS_FACTOR: (
        "Коды для входа перестанут уходить. Кто подтверждает вход только СМС, войдёт лишь по "
        "резервному коду."
    ),
    Feature.NUMBER_CHECK: (
        "Ни на странице проверки, ни в кабинете работодателя книжку по номеру и СНИЛС не найдут. "
        "Проверка по ссылке и QR-коду останется."
    ),
    Feature.APPEALS: "Владельцы не смогут подать возражение. Поданные останутся в работе.",
}
PLACES: Final = {
    Feature.REGISTRATION: "/register",
    Feature.SMS_FACTOR: "/login",
    Feature.NUMBER_CHECK: "/check",
    Feature.APPEALS: "/cabinet/applications/",
}
"""Where people are told of it before they try."""
SWITCHED_OFF: Final = "Отключено. Люди увидят это сразу."
SWITCHED_ON: Final = "Включено."
UNSAID: Final = "Напишите, почему: это прочтут другие администраторы."


@dataclass(frozen=True)
class SwitchRow:
    """One feature."""

    code: str = ""
    name: str = ""
    effect: str = ""
    state: str = ""
    tone: str = "neutral"
    since: str = ""
    reason: str = ""
    is_on: bool = True


def row(view: SwitchView) -> SwitchRow:
    """Return one feature as a row."""
    since = f"{moment(view.since)}, {view.by}" if view.since else "не отключали"
    return SwitchRow(
        view.feature.value,
        NAMES[view.feature],
        EFFECTS[view.feature],
        "включено" if view.is_on else "отключено",
        "success" if view.is_on else "danger",
        since,
        view.reason,
        view.is_on,
    )


def announced(feature: Feature, since: datetime) -> dict[str, str]:
    """Return what the strip on the pages concerned says; another ``key`` each time."""
    return {
        "key": f"off-{feature}-{since:%Y%m%d%H%M%S}",
        "head": f"{NAMES[feature]}: временно отключено.",
        "text": FEATURES_OFF[feature],
        "on": PLACES[feature],
    }


def sentences(error: Invalid) -> dict[str, str]:
    """Return a sentence for each control that was filled in wrong."""
    said = field_sentences(error)
    return {
        name: UNSAID if isinstance(error.fields[name], Required) else text
        for name, text in said.items()
    }
