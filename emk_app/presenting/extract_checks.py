"""What is said of a PDF that somebody has brought to be checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emk_app.crypto.signing import KeyStatus
from emk_app.presenting import formats, verdicts
from emk_app.presenting.verdicts import NEW_LINK, NO_ADMISSION
from emk_app.services.extracts import Found

ASK_AGAIN: Final = "Попросите владельца прислать файл выписки ещё раз или показать QR-код."
OURS: Final = "Файл наш и цел: в нём не изменён ни один байт."

NO_FILE: Final[Mapping[str, Any]] = {
    "tone": "neutral",
    "word": "Файл не выбран",
    "sentence": "Выберите файл выписки в формате PDF, не больше 5 МБ.",
}
TOO_LARGE: Final[Mapping[str, Any]] = {
    "tone": "neutral",
    "word": "Файл слишком большой",
    "sentence": "Выписка занимает не больше 5 МБ. Этот файл не проверен.",
    "advice": (ASK_AGAIN,),
}
TOO_MANY: Final[Mapping[str, Any]] = {
    "tone": "neutral",
    "word": "Слишком много проверок",
    "sentence": "С вашего адреса проверили слишком много файлов подряд.",
    "advice": ("Подождите минуту и отправьте файл снова.",),
}

_NOT_PDF: Final = (
    "neutral",
    "Это не PDF",
    "Файл другого вида или не дошёл целиком, проверить его нельзя.",
)
_UNSIGNED: Final = (
    "danger",
    "Подписи нет",
    "В файле нет электронной подписи. Наша выписка подписана внутри файла, а снимок или "
    "перепечатка ничего не доказывают.",
)
_ADDED: Final = (
    "danger",
    "Изменён после подписи",
    "Подписали мы, но потом в файл что-то добавили. Тому, что в нём видно, верить нельзя.",
)
_BROKEN: Final = (
    "danger",
    "Повреждён или подделан",
    "Файл назван нашей выпиской, но подпись с ним не сходится: он не такой, каким его подписали.",
)
_WITHDRAWN: Final = (
    "danger",
    "Ключ отозван",
    "Ключу, которым подписан файл, больше нельзя верить. Владелец может скачать выписку заново.",
)
_FOREIGN: Final = (
    "danger",
    "Подписан не нами",
    "В файле чужая подпись или испорченная. Это не выписка ЭМК Онлайн.",
)


def words(found: Found) -> dict[str, Any]:
    """Return what the page says, as ``components.verdict`` takes it."""
    file = found.file
    checked = {
        "checked_at": f"{formats.clock_time(found.checked_at)} "
        f"{formats.moment(found.checked_at).split()[0]} по Москве"
    }
    if not file.is_genuine or file.extract is None:
        tone, word, sentence = _fault(found)
        return checked | {
            "tone": tone,
            "word": word,
            "sentence": sentence,
            "advice": (ASK_AGAIN, NO_ADMISSION),
        }
    if found.look is None:
        return checked | {
            "tone": "waiting",
            "word": "Книжка не найдена",
            "sentence": f"{OURS} Но кода с него больше нет.",
            "advice": (NEW_LINK, NO_ADMISSION),
        }
    said = verdicts.page_words(found.look)
    if found.look.is_valid and not found.is_present:
        return said | {
            "tone": "waiting",
            "word": "Выписка устарела",
            "until": "",
            "sentence": f"{OURS} Но он о версии {file.extract.version}, а сейчас у книжки версия "
            f"{found.look.version}. Ниже сказано, что верно сегодня.",
            "advice": ("Попросите владельца скачать выписку заново.",),
        }
    return said | {"sentence": f"{OURS} {said['sentence']}"}


def _fault(found: Found) -> tuple[str, str, str]:
    file = found.file
    if not file.is_pdf:
        return _NOT_PDF
    if not file.is_signed:
        return _UNSIGNED
    if file.signature.key_status is KeyStatus.COMPROMISED:
        return _WITHDRAWN
    if file.has_later_changes and file.intact and file.signature.key_listed:
        return _ADDED
    if file.signature.key_listed or (file.claims_to_be_ours and not file.intact):
        return _BROKEN
    return _FOREIGN
