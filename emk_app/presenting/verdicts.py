"""A look in words: the page for people and the answer for machines, which say the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from emk_app.domain.books import Verdict
from emk_app.presenting import formats
from emk_app.presenting.formats import day, short_hash
from emk_app.services.verifying import LookResult

Tone = Literal["success", "waiting", "danger", "neutral"]

NEW_LINK: Final = "Попросите владельца показать свежий QR-код или прислать новую ссылку."
NO_ADMISSION: Final = "Пока книжка не подтверждена, к работе не допускайте."
TO_SUPPORT: Final = (
    "Сообщите в поддержку ЭМК Онлайн и назовите время проверки. Владелец может сделать это сам "
    "из личного кабинета."
)
COMPARE: Final = "Сверьте имя и год рождения с паспортом: ссылку можно переслать, а паспорт — нет."
COMPARE_ANONYMOUS: Final = (
    "Ссылка не называет владельца. Чтобы узнать, чья это книжка, попросите ссылку с именем и "
    "сверьте его с паспортом."
)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a verdict: the badge, the sentence under it, and what to do."""

    tone: Tone
    word: str
    sentence: Callable[[LookResult], str]
    advice: tuple[str, ...] = ()


def _items_overdue(result: LookResult) -> str:
    term = f"Срок книжки по {_day(result.valid_until)}, но"
    if result.items_overdue_since is None:
        return f"{term} осмотр или аттестация не пройдены."
    return f"{term} осмотр или аттестация просрочены с {day(result.items_overdue_since)}."


VERDICTS: Final[Mapping[Verdict, Words]] = {
    Verdict.VALID: Words(
        "success",
        "Действует",
        lambda _: "Подпись подлинная, срок не истёк, осмотры и аттестация в порядке.",
    ),
    Verdict.LINK_REVOKED: Words(
        "waiting",
        "Ссылка закрыта",
        lambda _: "Владелец закрыл доступ по этой ссылке. О самой книжке это ничего не говорит.",
        (NEW_LINK, NO_ADMISSION),
    ),
    Verdict.LINK_EXPIRED: Words(
        "waiting",
        "Срок ссылки прошёл",
        lambda _: "Ссылка больше не показывает книжку. О самой книжке это ничего не говорит.",
        (NEW_LINK, NO_ADMISSION),
    ),
    Verdict.LINK_EXHAUSTED: Words(
        "waiting",
        "Просмотры закончились",
        lambda _: (
            "Владелец разрешил открыть эту ссылку определённое число раз, и они использованы. "
            "О самой книжке это ничего не говорит."
        ),
        (NEW_LINK, NO_ADMISSION),
    ),
    Verdict.NOT_GENUINE: Words(
        "danger",
        "Подлинность не подтверждена",
        lambda _: "Подпись не прошла проверку. Сведениям этой книжки нельзя доверять.",
        ("К работе по этой книжке не допускайте.", TO_SUPPORT),
    ),
    Verdict.REVOKED: Words(
        "danger",
        "Аннулирована",
        lambda _: "Эта книжка аннулирована и больше не действует.",
        (
            "К работе по этой книжке не допускайте.",
            "Владельцу нужна новая книжка: попросите его подать заявку на ЭМК Онлайн.",
        ),
    ),
    Verdict.SUSPENDED: Words(
        "danger",
        "Приостановлена",
        lambda _: "Действие книжки приостановлено.",
        (
            "Пока действие не возобновлено, к работе не допускайте.",
            "Владелец видит в личном кабинете, что сделать. Проверьте книжку ещё раз позже.",
        ),
    ),
    Verdict.SUPERSEDED: Words(
        "waiting",
        "Заменена новой версией",
        lambda result: (
            f"Эта ссылка ведёт на версию {result.version}, а сейчас у книжки версия "
            f"{result.superseded_by}."
        ),
        (NEW_LINK, NO_ADMISSION),
    ),
    Verdict.NOT_RECEIVED: Words(
        "waiting",
        "Ещё не выдана",
        lambda _: "Книжка подписана, но владелец не подтвердил получение.",
        (
            "Попросите владельца нажать «Подтвердить получение» в личном кабинете.",
            NO_ADMISSION,
        ),
    ),
    Verdict.TERM_PASSED: Words(
        "danger",
        "Срок истёк",
        lambda result: f"Книжка действовала по {_day(result.valid_until)} включительно.",
        (
            "Попросите владельца продлить книжку в личном кабинете.",
            "До продления к работе не допускайте.",
        ),
    ),
    Verdict.ITEMS_OVERDUE: Words(
        "danger",
        "Осмотр просрочен",
        _items_overdue,
        (
            "Попросите владельца пройти осмотр или аттестацию: что именно, он видит в кабинете.",
            "До этого к работе не допускайте.",
        ),
    ),
}


def page_words(result: LookResult) -> dict[str, Any]:
    """Return what the page of the verdict says, as ``components.verdict`` takes it."""
    words = VERDICTS[result.verdict]
    known = result.version is not None
    return {
        "tone": words.tone,
        "word": words.word,
        "until": f"по {_day(result.valid_until)} включительно" if result.is_valid else "",
        "sentence": words.sentence(result),
        "name": result.name or "",
        "compare": (COMPARE if result.name else COMPARE_ANONYMOUS) if known else "",
        "facts": _facts(result) if known else (),
        "advice": words.advice,
        "hash_short": short_hash(result.version_hash) if result.version_hash else "",
        "hash_full": result.version_hash or "",
        "checked_at": f"{formats.clock_time(result.checked_at)} {_date_of(result)} по Москве",
    }


def answer(result: LookResult) -> dict[str, Any]:
    """Return the same for machines; dates are ISO, what is not told is null."""
    return {
        "verdict": result.verdict.value,
        "is_valid": result.is_valid,
        "reasons": [reason.value for reason in result.reasons],
        "message": VERDICTS[result.verdict].word,
        "name": result.name,
        "birth_year": result.birth_year,
        "occupation_group": result.occupation_group,
        "issued_on": _iso(result.issued_on),
        "valid_until": _iso(result.valid_until),
        "items_valid_until": _iso(result.items_valid_until),
        "items_overdue_since": _iso(result.items_overdue_since),
        "version": result.version,
        "superseded_by": result.superseded_by,
        "version_hash": result.version_hash,
        "issuer": result.issuer,
        "checked_at": result.checked_at.isoformat(timespec="seconds"),
    }


UNKNOWN_LINK: Final[Mapping[str, Any]] = {
    "tone": "neutral",
    "word": "Книжка не найдена",
    "sentence": "По этой ссылке ничего нет.",
    "advice": (
        "Проверьте, что ссылка скопирована целиком: в коде 26 латинских букв и цифр.",
        NEW_LINK,
        NO_ADMISSION,
    ),
}
TOO_MANY: Final[Mapping[str, Any]] = {
    "tone": "neutral",
    "word": "Слишком много проверок",
    "sentence": "С вашего адреса открыли слишком много ссылок подряд.",
    "advice": ("Подождите минуту и откройте ссылку снова.",),
}
PREVIEW: Final[Mapping[str, Any]] = {
    "tone": "neutral",
    "word": "Проверка медкнижки",
    "sentence": "Откройте ссылку, чтобы узнать, действует ли книжка.",
}


def out_of_order(incident: str) -> dict[str, Any]:
    """Return what the page says when the check itself has failed."""
    return {
        "tone": "neutral",
        "word": "Проверить не удалось",
        "sentence": "Сервис не смог проверить книжку. О самой книжке это ничего не говорит.",
        "advice": (
            "Откройте ссылку ещё раз через минуту.",
            f"Если не поможет, сообщите поддержке номер ошибки {incident}.",
            NO_ADMISSION,
        ),
    }


def _facts(result: LookResult) -> tuple[tuple[str, str], ...]:
    others = ", ".join(
        VERDICTS[reason].word.lower()
        for reason in result.reasons[1:]
        # An overdue study has a line of its own.
        if reason is not Verdict.ITEMS_OVERDUE or result.items_overdue_since is None
    )
    rows = (
        ("Год рождения", str(result.birth_year or "")),
        ("Работа", result.occupation_group or ""),
        ("Срок книжки", f"{_day(result.issued_on)} – {_day(result.valid_until)}"),
        ("Осмотры и аттестация", _items(result)),
        ("Кроме того", others),
        ("Версия", str(result.version)),
        ("Подписано", result.issuer or ""),
    )
    return tuple((label, value) for label, value in rows if value)


def _items(result: LookResult) -> str:
    if result.items_overdue_since is not None:
        return f"просрочены с {day(result.items_overdue_since)}"
    if result.items_valid_until is None or Verdict.ITEMS_OVERDUE in result.reasons:
        return ""
    return f"в порядке по {day(result.items_valid_until)}"


def _date_of(result: LookResult) -> str:
    return formats.moment(result.checked_at).split()[0]


def _day(on: date | None) -> str:
    return day(on) if on else "—"


def _iso(on: date | None) -> str | None:
    return on.isoformat() if on else None
