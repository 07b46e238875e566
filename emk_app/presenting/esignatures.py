"""The applicant's electronic signature in words: a sentence for each outcome, a line for each fact.

Holder and operator see the same; the certificate's own words are shown to nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime
from types import MappingProxyType
from typing import Final, Literal

from emk_app.domain.esignature import (
    CERTIFICATE_LIMIT,
    CONTAINER_LIMIT,
    SIGNATURE_LIMIT,
    Algorithm,
    Chain,
    Dates,
    ESignatureCheck,
    Match,
    Outcome,
)
from emk_app.presenting.formats import day, file_size, moment
from emk_app.services.esigning import ESignatureView, Part

Tone = Literal["success", "waiting", "danger"]

SIGNATURE: Final = "signature"
CERTIFICATE: Final = "certificate"
CONTAINER: Final = "container"
PASSWORD: Final = "container_password"
"""Names of the controls, and of the parts in which their files are sent."""

PREFERRED: Final = (
    "Лучше загрузить сертификат (.cer) и отсоединённую подпись (.sig): тогда закрытый ключ "
    "остаётся только у вас."
)
CONTAINER_WARNING: Final = (
    "В файле .pfx лежит ваш закрытый ключ. Сервис откроет его в памяти, подпишет текст заявки и "
    "сразу забудет: сохраняются только сертификат и подпись, файл и пароль нигде не записываются."
)
NOT_ASKED: Final = (
    "Отозван ли сертификат, сервис не проверяет: списки отзыва и службы OCSP он не запрашивает."
)
OPTIONAL: Final = "Подпись не обязательна: без неё заявку подтверждает ваш вход с кодом."
OUTDATED: Final = (
    "Подпись стоит под прежним текстом: после неё данные изменили. Подпишите заявку ещё раз "
    "или удалите подпись и отправьте без неё."
)
EARLIER_TEXT: Final = (
    "Подпись математически верна, но стоит под прежним текстом заявки: после неё данные "
    "исправили по просьбе оператора. Решение примет оператор."
)
SIGNED: Final = (
    "Подписываются данные заявки: всё, что вы ввели на первом шаге, и номер заявки. Сканы, "
    "согласие и выбор медорганизации в подписанный текст не входят."
)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of an outcome: the badge and the sentence under it."""

    tone: Tone
    word: str
    sentence: Callable[[ESignatureCheck], str]


def _always(text: str) -> Callable[[ESignatureCheck], str]:
    return lambda _: text


def _refused(word: str, text: str) -> Words:
    return Words("danger", word, _always(text))


OUTCOMES: Final[Mapping[Outcome, Words]] = MappingProxyType(
    {
        Outcome.FILE_EMPTY: _refused("Файл пуст", "В файле ничего нет. Выберите другой файл."),
        Outcome.TEXT_TOO_LARGE: _refused(
            "Текст заявки слишком длинный",
            "Текст заявки слишком длинный, чтобы проверить под ним подпись. Напишите в поддержку.",
        ),
        Outcome.CERTIFICATE_TOO_LARGE: _refused(
            "Сертификат слишком большой",
            f"Файл сертификата больше {file_size(CERTIFICATE_LIMIT)}. Загрузите файл .cer "
            "с одним вашим сертификатом.",
        ),
        Outcome.SIGNATURE_TOO_LARGE: _refused(
            "Подпись слишком большая",
            f"Файл подписи больше {file_size(SIGNATURE_LIMIT)}. Создайте отсоединённую подпись: "
            "текста заявки в ней быть не должно.",
        ),
        Outcome.CONTAINER_TOO_LARGE: _refused(
            "Файл .pfx слишком большой",
            f"Файл больше {file_size(CONTAINER_LIMIT)}. Выгрузите в .pfx только один ключ "
            "с его сертификатом.",
        ),
        Outcome.PRIVATE_KEY_SENT: _refused(
            "В файле закрытый ключ",
            "В файле закрытый ключ, его нельзя никому передавать. Сервис его не сохранил. "
            "Загрузите сертификат (.cer) и подпись (.sig).",
        ),
        Outcome.CERTIFICATE_NOT_READABLE: _refused(
            "Сертификат не читается",
            "Файл не читается как сертификат. Выгрузите сертификат заново: формат X.509, кодировка "
            "DER или Base64.",
        ),
        Outcome.SIGNATURE_NOT_READABLE: _refused(
            "Подпись не читается",
            "Файл не читается как подпись. Создайте её заново: отсоединённая, формат CAdES-BES, "
            "кодировка DER или Base64.",
        ),
        Outcome.ATTACHED: _refused(
            "Подпись присоединённая",
            "В файл подписи вложен документ. Создайте отсоединённую подпись под текстом заявки: "
            "текст сервис возьмёт сам.",
        ),
        Outcome.NO_SIGNER: _refused(
            "В файле нет подписи",
            "В файле только сертификаты, подписи нет. Подпишите текст заявки и загрузите "
            "файл .sig.",
        ),
        Outcome.SEVERAL_SIGNERS: _refused(
            "Подписей несколько",
            "В файле больше одной подписи. Заявку подписывает один человек: создайте подпись "
            "заново.",
        ),
        Outcome.CERTIFICATE_MISSING: _refused(
            "Нет сертификата",
            "В подписи нет сертификата. Загрузите вместе с ней файл .cer или создайте подпись "
            "заново и включите в неё сертификат.",
        ),
        Outcome.ALGORITHM_OUTDATED: _refused(
            "Устаревший алгоритм",
            "Подпись сделана устаревшим алгоритмом, доверять ему нельзя. Нужен ГОСТ Р 34.10-2012, "
            "ECDSA или RSA от 2048 бит с хешем не слабее SHA-256.",
        ),
        Outcome.ALGORITHM_UNSUPPORTED: _refused(
            "Неизвестный алгоритм",
            "Сервис не знает алгоритма этого ключа или подписи. Подойдут ГОСТ Р 34.10-2012, ECDSA "
            "и RSA.",
        ),
        Outcome.CONTAINER_NOT_READABLE: _refused(
            "Файл .pfx не читается",
            "Файл повреждён или это не контейнер .pfx. Выгрузите его заново или загрузите "
            "сертификат (.cer) и подпись (.sig).",
        ),
        Outcome.CONTAINER_GOST: _refused(
            "Контейнер ГОСТ",
            "Контейнер с ключом ГОСТ сервис открыть не может, пароль здесь ни при чём. Подпишите "
            "текст заявки своей программой и загрузите сертификат (.cer) и подпись (.sig).",
        ),
        Outcome.CONTAINER_UNSUPPORTED: _refused(
            "Контейнер не поддерживается",
            "Ключ в этом файле .pfx защищён способом, которого сервис не знает. Загрузите "
            "сертификат (.cer) и подпись (.sig).",
        ),
        Outcome.CONTAINER_TOO_COSTLY: _refused(
            "Контейнер слишком долго открывать",
            "На открытие этого файла .pfx ушло бы слишком много времени. Выгрузите его с обычными "
            "настройками или загрузите сертификат (.cer) и подпись (.sig).",
        ),
        Outcome.WRONG_PASSWORD: _refused(
            "Неверный пароль",
            "Пароль к файлу .pfx не подошёл. Проверьте раскладку и Caps Lock и введите его "
            "ещё раз.",
        ),
        Outcome.CONTAINER_NO_KEY: _refused(
            "В файле нет ключа",
            "В файле .pfx нет закрытого ключа, подписать заявку нечем. Выгрузите контейнер "
            "вместе с ключом.",
        ),
        Outcome.CONTAINER_SEVERAL_KEYS: _refused(
            "В файле несколько ключей",
            "В файле .pfx несколько ключей, и сервис не знает, каким подписать. Выгрузите "
            "в отдельный файл один ключ с его сертификатом.",
        ),
        Outcome.CONTAINER_NO_CERTIFICATE: _refused(
            "В файле нет сертификата ключа",
            "В файле .pfx нет сертификата к этому ключу. Выгрузите контейнер вместе "
            "с сертификатом.",
        ),
        Outcome.CONTAINER_CHECK_UNAVAILABLE: Words(
            "waiting",
            "Сейчас не получилось",
            _always("Сейчас файл .pfx открыть не получилось. Попробуйте через несколько минут."),
        ),
        Outcome.OTHER_CERTIFICATE: _refused(
            "Другой сертификат",
            "Подпись сделана не тем сертификатом, который загружен. Загрузите сертификат, которым "
            "подписывали.",
        ),
        Outcome.TEXT_DIFFERS: _refused(
            "Подписан другой текст",
            "Подпись сделана под другим текстом: после неё заявку меняли или подписали не тот "
            "файл. Скачайте текст заявки ещё раз и подпишите его, ничего в нём не меняя.",
        ),
        Outcome.SIGNATURE_FALSE: _refused(
            "Подпись неверна",
            "Подпись не сходится с ключом сертификата. Создайте её заново.",
        ),
        Outcome.NOT_BOUND: _refused(
            "Не CAdES-BES",
            "В подписи не закреплён сертификат подписавшего. Создайте её заново в формате "
            "CAdES-BES.",
        ),
        Outcome.NOT_FOR_SIGNING: _refused(
            "Сертификат не для подписи",
            "Этот сертификат не предназначен для подписи документов. Подпишите заявку другим.",
        ),
        Outcome.ISSUER_FORGED: _refused(
            "Сертификат поддельный",
            "Сертификат выдаёт себя за выпущенный доверенным центром, но подпись центра на нём "
            "не сходится. Обратитесь в удостоверяющий центр.",
        ),
        Outcome.NOT_YET_VALID: Words(
            "danger",
            "Сертификат ещё не действует",
            lambda check: (
                f"Сертификат начнёт действовать {_moment(check.valid_from)}. Подпишите заявку "
                "после этого или другим сертификатом."
            ),
        ),
        Outcome.EXPIRED: Words(
            "danger",
            "Срок сертификата истёк",
            lambda check: (
                f"Сертификат действовал до {_moment(check.valid_until)}. Подпишите заявку "
                "действующим сертификатом."
            ),
        ),
        Outcome.NAME_DIFFERS: Words(
            "danger",
            "Другое имя",
            lambda check: (
                f"В сертификате указано другое имя: {check.subject or 'не прочитано'}. Подпишите "
                "заявку своим сертификатом или исправьте имя в заявке."
            ),
        ),
        Outcome.SNILS_DIFFERS: _refused(
            "Другой СНИЛС",
            "СНИЛС в сертификате не такой, как в заявке. Проверьте СНИЛС в заявке или подпишите её "
            "своим сертификатом.",
        ),
        Outcome.UNKNOWN_ISSUER: Words(
            "waiting",
            "Издатель не в списке доверенных",
            _always(
                "Подпись математически верна, издатель не в списке доверенных. Решение примет "
                "оператор."
            ),
        ),
        Outcome.ISSUER_OUT_OF_DATES: Words(
            "waiting",
            "Срок издателя вышел",
            _always(
                "Подпись математически верна, но сертификат удостоверяющего центра сейчас "
                "не действует. Решение примет оператор."
            ),
        ),
        Outcome.NAME_ABSENT: Words(
            "waiting",
            "Имени нет в сертификате",
            _always(
                "Подпись математически верна, но фамилии и имени в сертификате нет. Чья она, "
                "проверит оператор."
            ),
        ),
        Outcome.SNILS_ABSENT: Words(
            "waiting",
            "СНИЛС нет в сертификате",
            _always(
                "Подпись математически верна и имя совпадает, но СНИЛС в сертификате нет. Чья она, "
                "проверит оператор."
            ),
        ),
        Outcome.VALID: Words(
            "success",
            "Подпись верна",
            _always(
                "Подпись верна: текст заявки не изменён, издатель сертификата доверенный, имя "
                "и СНИЛС совпадают с заявкой."
            ),
        ),
    }
)

ALGORITHMS: Final[Mapping[Algorithm, str]] = MappingProxyType(
    {
        Algorithm.RSA: "RSA",
        Algorithm.ECDSA: "ECDSA",
        Algorithm.GOST_256: "ГОСТ Р 34.10-2012, 256 бит",
        Algorithm.GOST_512: "ГОСТ Р 34.10-2012, 512 бит",
    }
)
CHAINS: Final[Mapping[Chain, str]] = MappingProxyType(
    {
        Chain.TRUSTED: "в списке доверенных",
        Chain.UNKNOWN_ISSUER: "не в списке доверенных",
        Chain.FORGED: "подпись издателя не сходится",
    }
)
DATES: Final[Mapping[Dates, str]] = MappingProxyType(
    {
        Dates.IN_FORCE: "действует",
        Dates.NOT_YET: "ещё не действует",
        Dates.EXPIRED: "срок истёк",
        Dates.ISSUER_OUT_OF_DATES: "действует, но срок издателя вышел",
    }
)
MATCHES: Final[Mapping[Match, str]] = MappingProxyType(
    {
        Match.MATCHES: "как в заявке",
        Match.DIFFERS: "не как в заявке",
        Match.ABSENT: "нет в сертификате",
    }
)


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A signature on the screen of its holder or an operator; ``word`` is empty for none."""

    word: str = ""
    tone: str = "neutral"
    text: str = ""
    given: str = ""
    is_outdated: bool = False
    """It is under the text of before: to be given again, or taken away."""
    facts: list[list[str]] = field(default_factory=list[list[str]])
    """What was found, a label and a value a line."""
    text_href: str = ""
    signature_href: str = ""
    certificate_href: str = ""


def row(signature: ESignatureView | None, slug: str, *, is_draft: bool = False) -> SignatureRow:
    """Return the signature of the application of this number; an empty row for none."""
    if signature is None:
        return SignatureRow()
    check, words = signature.check, OUTCOMES[signature.check.outcome]
    word, tone, text = words.word, words.tone, words.sentence(check)
    if check.is_accepted and not signature.is_current:
        word = "Под прежним текстом"
        tone, text = ("danger", OUTDATED) if is_draft else ("waiting", EARLIER_TEXT)
    return SignatureRow(
        word=word,
        tone=tone,
        text=text,
        given=moment(signature.given_at),
        is_outdated=not signature.is_current or not check.is_accepted,
        facts=[[label, value] for label, value in facts(check)],
        text_href=part_href(slug, Part.TEXT),
        signature_href=part_href(slug, Part.SIGNATURE),
        certificate_href=part_href(slug, Part.CERTIFICATE),
    )


def part_href(slug: str, part: Part) -> str:
    """Return the address of a part of the kept signature."""
    return f"/api/esignatures/{slug}/kept/{part}"


def sentence(check: ESignatureCheck) -> str:
    """Return the headline's sentence: what was found, and what to do."""
    return OUTCOMES[check.outcome].sentence(check)


def facts(check: ESignatureCheck) -> tuple[tuple[str, str], ...]:
    """Return what was found, a label and a value a line; what was not looked at is left out."""
    is_read = check.refusal is None
    rows = (
        ("Текст заявки", _said(is_read, check.intact, "не изменён", "другой")),
        ("Подпись", _said(is_read, check.signature_valid, "верна", "неверна")),
        (
            "Сертификат в подписи",
            _said(is_read, check.signing_certificate_bound, "закреплён", "не закреплён"),
        ),
        ("Назначение", _said(is_read, check.may_sign, "подпись", "не для подписи")),
        ("Издатель", check.issuer or ""),
        ("Доверие издателю", CHAINS[check.chain] if check.chain else ""),
        ("Срок сертификата", _term(check)),
        ("Сейчас", DATES[check.dates] if check.dates else ""),
        ("Владелец", str(check.subject or "")),
        ("Имя", MATCHES[check.name] if check.name else ""),
        ("СНИЛС", MATCHES[check.snils] if check.snils else ""),
        ("Алгоритм", ALGORITHMS[check.algorithm] if check.algorithm else ""),
        ("Номер сертификата", (check.serial or "").upper()),
        ("Время по часам подписавшего", _moment(check.claimed_at) if check.claimed_at else ""),
    )
    return tuple((label, value) for label, value in rows if value)


def _said(is_read: bool, holds: bool, yes: str, no: str) -> str:
    return (yes if holds else no) if is_read else ""


def _term(check: ESignatureCheck) -> str:
    if check.valid_from is None or check.valid_until is None:
        return ""
    return f"{_moment(check.valid_from)} – {_moment(check.valid_until)}"


def _moment(at: datetime | None) -> str:
    if at is None:
        return "—"
    # «Without end» is written as the last second of 9999, which Moscow's clock no longer shows.
    return day(at.date()) if at.year in (MINYEAR, MAXYEAR) else moment(at)
