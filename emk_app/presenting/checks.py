"""What the check page says beside its fields, and of a book found by its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emk_app.presenting import verdicts
from emk_app.services.verifying import LookResult

NO_CODE: Final = "Вставьте ссылку или код."
NOT_A_CODE: Final = (
    "Это не ссылка на книжку. В ссылке после /v/ стоят 26 латинских букв и цифр: проверьте, что "
    "она скопирована целиком."
)
FOREIGN: Final = (
    "Эта ссылка ведёт на другой сайт, {host}. Книжки ЭМК Онлайн открываются только на {own}. "
    "Не вводите на чужом сайте свои данные."
)
NO_PICTURE: Final = "Выберите картинку."
LARGE_PICTURE: Final = "Картинка больше 5 МБ. Сделайте снимок экрана или уменьшите фотографию."
BROKEN_PICTURE: Final = "Это не JPEG, PNG, WebP или GIF, или файл повреждён. Выберите другой."
NO_QR: Final = (
    "QR-код на картинке не найден. Снимите его прямо, без бликов, чтобы он занимал большую часть "
    "кадра."
)
OTHER_QR: Final = "На картинке QR-код, но не медицинской книжки ЭМК Онлайн."
BUSY: Final = "Сейчас проверяют много картинок. Подождите немного и отправьте её ещё раз."
TOO_MANY: Final = "С вашего адреса пришло слишком много проверок. Подождите минуту и повторите."
NOT_FOUND: Final[Mapping[str, Any]] = {
    "tone": "neutral",
    "word": "Книжка не найдена",
    "sentence": "Книжки с таким номером у владельца с таким СНИЛС нет.",
    "advice": (
        "Сверьте обе строки с документами: номер книжки и СНИЛС.",
        "Если всё верно, попросите у владельца QR-код или ссылку.",
        verdicts.NO_ADMISSION,
    ),
}


def found_words(result: LookResult) -> dict[str, Any]:
    """Return what is said of a book found by its number."""
    words = verdicts.page_words(result)
    return words | {
        "level": 2,
        "compare": "Имя показано не полностью. Сверьте его с паспортом.",
    }
