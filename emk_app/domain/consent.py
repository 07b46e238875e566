"""The holder's consent to the processing of personal data, by version (152-ФЗ, art. 9).

A changed text is a new version: what somebody agreed to is found by the version they agreed to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain.errors import InvalidValue


class ConsentOutdated(InvalidValue):
    """The text has changed since the holder opened it: the new one must be read."""


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One version of the text: paragraphs under headings."""

    version: str
    title: str
    sections: tuple[tuple[str, str], ...]


CURRENT: Final = ConsentText(
    version="2026-11",
    title="Согласие на обработку персональных данных",
    sections=(
        (
            "Кому и на что я даю согласие",
            "Я свободно, своей волей и в своём интересе разрешаю оператору сервиса «ЭМК Онлайн» и "
            "выбранной мной медицинской организации обрабатывать мои персональные данные, в том "
            "числе сведения о здоровье, чтобы оформить и вести электронную медицинскую книжку.",
        ),
        (
            "Какие данные",
            "Фамилия, имя, отчество, дата рождения, пол, СНИЛС, полис ОМС, телефон, адрес "
            "регистрации, профессия, сканы документов, результаты медицинских осмотров, "
            "исследований и аттестации, заключение о допуске к работе.",
        ),
        (
            "Что с ними делают",
            "Собирают, записывают, систематизируют, хранят, уточняют, используют, передают "
            "выбранной медицинской организации, обезличивают, блокируют, удаляют и уничтожают, с "
            "использованием средств автоматизации и без них. Работодатель видит только то, что я "
            "сам покажу ему по ссылке или коду.",
        ),
        (
            "Срок и отзыв",
            "Согласие действует, пока ведётся книжка, и ещё столько, сколько закон велит хранить "
            "медицинские документы. Его можно отозвать в любой день письмом в поддержку: обработка "
            "прекратится, кроме той, которую требует закон, а незавершённая заявка будет закрыта.",
        ),
        (
            "Основание",
            "Федеральный закон от 27.07.2006 № 152-ФЗ «О персональных данных», статьи 9 и 10.",
        ),
    ),
)


def check_version(version: str) -> str:
    """Return the version agreed to; raise ``ConsentOutdated`` unless it is the present one."""
    if version != CURRENT.version:
        raise ConsentOutdated
    return version
