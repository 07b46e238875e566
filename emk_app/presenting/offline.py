"""What a check without the server found, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from emk_app.crypto.signing import KeyStatus, SignatureCheck
from emk_app.crypto.statuslist import StatusList, TokenStatus
from emk_app.crypto.trustlist import ListProblem, PublishedList
from emk_app.domain.books import BookNumber, Verdict
from emk_app.domain.errors import InvalidValue
from emk_app.presenting.formats import day, moment, short_hash
from emk_app.presenting.verdicts import VERDICTS
from emk_app.services.offline import Kind, OfflineCheck, Outcome

KINDS: Final = {
    Kind.TOKEN: "код из QR",
    Kind.DOWNLOAD: "запись с подписью (JSON)",
    Kind.EXTRACT: "выписка PDF",
}
OUTCOMES: Final = {
    Outcome.MALFORMED: "Это не код, не запись и не выписка ЭМК Онлайн, или файл повреждён.",
    Outcome.UNKNOWN_KEY: "Подписано ключом, которого нет в списке доверенных.",
    Outcome.KEY_WITHDRAWN: "Ключ подписи отозван или в это время уже не действовал.",
    Outcome.NOT_GENUINE: "Подпись не сходится: содержимое изменено или подписал кто-то другой.",
    Outcome.EXPIRED: "Подпись верна, но срок не начался или прошёл.",
    Outcome.NOT_IN_FORCE: "Подпись верна, но работать по этой книжке нельзя.",
    Outcome.OVER: "Подпись верна, но по списку статусов код больше не действует.",
    Outcome.GENUINE: "Подлинно, срок не прошёл.",
}
CAN_T_READ: Final = 2
LIST_REFUSED: Final = 3
STATUSES_REFUSED: Final = 4
EXIT_STATUS: Final = {
    Outcome.GENUINE: 0,
    Outcome.MALFORMED: 10,
    Outcome.UNKNOWN_KEY: 11,
    Outcome.KEY_WITHDRAWN: 12,
    Outcome.NOT_GENUINE: 13,
    Outcome.EXPIRED: 14,
    Outcome.NOT_IN_FORCE: 15,
    Outcome.OVER: 16,
}
"""What a program is told; 2 stands for a file that can't be read, 3 and 4 for the lists."""
REFUSED_LISTS: Final = {
    ListProblem.MALFORMED: "Список ключей не читается: это не он, или файл повреждён.",
    ListProblem.NOT_GENUINE: "Список ключей подписан не тем, кому вы доверяете.",
    ListProblem.FROM_FUTURE: "Список ключей выпущен позже указанного времени.",
    ListProblem.OLDER: "Список ключей старше того, что уже был.",
    ListProblem.EXPIRED: "Срок списка ключей прошёл.",
}
REFUSED_STATUSES: Final = {
    ListProblem.MALFORMED: "Список статусов не читается: это не он, или файл повреждён.",
    ListProblem.NOT_GENUINE: "Список статусов подписан не тем, кому вы доверяете.",
    ListProblem.FROM_FUTURE: "Список статусов выпущен позже указанного времени.",
    ListProblem.OLDER: "Список статусов старше того, что уже был.",
    ListProblem.EXPIRED: "Срок списка статусов прошёл: скачайте новый, он действует сутки.",
}
SEVERAL_CODES: Final = "На снимке несколько кодов. Снимите один."
NOT_PINNED: Final = (
    "Корневой сертификат взят из самого списка: вы доверяете этому файлу. "
    "Чтобы проверить и список, назовите сертификат: --root."
)
UNKNOWN_REVOCATION: Final = (
    "Без связи нельзя узнать, не закрыта ли ссылка и не аннулирована ли книжка. "
    "Откройте код на сайте, чтобы проверить и это."
)
NO_CODE: Final = (
    "Список статусов говорит о кодах. В записи кода нет: отозвана ли книжка, по нему не узнать."
)
_SAID_OF: Final = {
    TokenStatus.NOT_MARKED: "код не закрыт, книжка не приостановлена и не аннулирована",
    TokenStatus.INVALID: "код закрыт или книжка аннулирована",
    TokenStatus.SUSPENDED: "книжка приостановлена",
    TokenStatus.SUPERSEDED: "книжка заменена новой версией",
}
_STATUSES: Final = {
    KeyStatus.ACTIVE: "действует",
    KeyStatus.RETIRED: "заменён новым, прежние подписи верны",
    KeyStatus.COMPROMISED: "отозван",
    None: "в списке нет",
}


def lines(check: OfflineCheck, statuses: StatusList | None = None) -> list[str]:
    """Return everything found: the outcome first, each fact on a line of its own.

    ``statuses`` is the list that was asked, if any.
    """
    return [
        OUTCOMES[check.outcome],
        *[f"  {VERDICTS[reason].word}" for reason in check.reasons],
        f"Проверено: {moment(check.checked_at)} по Москве",
        f"Что это: {KINDS[check.kind]}",
        *_signatures(check),
        *_said(check),
        *_status(check, statuses),
    ]


def list_lines(published: PublishedList, *, is_pinned: bool, now: datetime) -> list[str]:
    """Return what there is to know of the list the check stands on."""
    said = [f"Список ключей: версия {published.version} от {_moment(published.issued)}"]
    if published.is_stale(now):
        said.append("Список ключей устарел: скачайте новый, часть ключей могла быть отозвана.")
    if not is_pinned:
        said.append(NOT_PINNED)
    return said


def _status(check: OfflineCheck, statuses: StatusList | None) -> Iterator[str]:
    if statuses is None:
        yield UNKNOWN_REVOCATION
    elif check.status is not None:
        yield (
            f"Список статусов от {_moment(statuses.issued)}: {_SAID_OF[check.status]}. "
            "Что изменилось позже, без связи не узнать."
        )
    elif check.kind is Kind.DOWNLOAD:
        yield NO_CODE


def _signatures(check: OfflineCheck) -> Iterator[str]:
    if check.key_id is not None:
        yield f"Ключ: {check.key_id.hex()}"
    if check.pdf is not None:
        for said, holds in (
            ("подписана", check.pdf.is_signed),
            ("подпись охватывает весь файл", check.pdf.is_whole),
            ("после подписи ничего не добавлено", not check.pdf.has_later_changes),
            ("содержимое не изменено", check.pdf.intact),
            ("изменения запрещены подписавшим", check.pdf.is_closed),
        ):
            yield f"Выписка: {said}: {'да' if holds else 'нет'}"
    for name, found in (("Подпись", check.signature), ("Печать файла", check.seal)):
        if found is not None:
            yield from _facts(name, found)


def _facts(name: str, found: SignatureCheck) -> Iterator[str]:
    for said, holds in (
        ("содержимое не изменено", found.intact),
        ("подпись сходится", found.signature_valid),
        ("сертификат ведёт к корневому", found.chain_trusted),
        ("сертификат действовал при подписании", found.certificate_in_dates),
        ("ключ в списке доверенных", found.key_listed),
        ("ключ мог подписывать в это время", found.key_in_term),
    ):
        yield f"{name}: {said}: {'да' if holds else 'нет'}"
    yield f"{name}: ключ {_STATUSES[found.key_status]}"


def _said(check: OfflineCheck) -> Iterator[str]:
    claims, content, download = check.claims, check.content, check.download
    if claims is not None:
        yield f"Книжка: {_number(claims.book_number)}, версия {claims.version}"
        if claims.shown_name:
            yield f"Владелец: {claims.shown_name}, {claims.birth_year} г. р."
        if claims.categories:
            points = ", ".join(str(point) for point in claims.categories)
            yield f"Пункты приказа № 29н: {points}"
        yield f"Код выпущен: {_moment(claims.issued_at)}"
        yield f"Код действует до: {_moment(claims.expires_at)}"
    if content is not None:
        yield f"Книжка: {content.number}, версия {content.version}"
        yield f"Владелец: {content.holder}, {day(content.born_on)}"
        yield f"Профессия: {content.occupation.name}"
        yield f"Действует по: {day(content.valid_until)}"
        yield f"Медорганизация: {content.clinic_name}"
    if download is not None:
        yield f"Подписано: {_moment(download.signed_at)}"
        yield f"Скачано: {_moment(download.exported_at)}, последняя версия тогда была " + str(
            download.current_version
        )
    if check.document_hash:
        yield f"Отпечаток: {short_hash(check.document_hash)}"
        yield f"Отпечаток целиком: {check.document_hash}"
    if claims is not None:
        yield f"На момент выпуска кода: {VERDICTS[_verdict(check)].word.lower()}"


def _verdict(check: OfflineCheck) -> Verdict:
    return check.reasons[0] if check.reasons else Verdict.VALID


def _number(digits: str) -> str:
    try:
        return BookNumber.parse(digits).shown
    except (InvalidValue, ValueError):
        return digits


def _moment(at: datetime) -> str:
    return f"{moment(at)} по Москве"
