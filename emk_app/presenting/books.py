"""The holder's book in words: the card, its studies, links, looks, and what a check found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from sys import intern
from typing import Final
from urllib.parse import quote

from emk_app import clock
from emk_app.crypto.signing import KeyStatus
from emk_app.domain.books import BookStatus, Verdict
from emk_app.domain.clearance import ItemState, Light
from emk_app.domain.sharing import (
    DEFAULT_LIFETIME_DAYS,
    LIFETIMES_DAYS,
    LOOKS,
    LinkState,
    ShareScope,
)
from emk_app.presenting.examinations import FITNESS
from emk_app.presenting.formats import NBSP, counted, day, days_left, moment, short_hash
from emk_app.presenting.texts import Label
from emk_app.presenting.verdicts import VERDICTS
from emk_app.services.issuing import BookCard, SignatureFacts
from emk_app.services.sharing import LinkView, LookView

LIGHTS: Final = {
    Light.GREEN: Label(f"в{NBSP}порядке", "success"),
    Light.YELLOW: Label("скоро истечёт", "waiting"),
    Light.RED: Label("просрочено", "danger"),
}
SCOPES: Final = {
    ShareScope.WITH_OCCUPATION: (
        "Имя и вид работы",
        "Фамилия с инициалами, год рождения, для какой работы книжка.",
    ),
    ShareScope.VERDICT_ONLY: ("Только имя", "Фамилия с инициалами и год рождения."),
    ShareScope.ANONYMOUS: ("Без имени", "Только действует книжка или нет, и до какого числа."),
}
LINK_STATES: Final = {
    LinkState.ALIVE: Label("открыта", "success"),
    LinkState.LINK_REVOKED: Label("закрыта вами"),
    LinkState.LINK_EXPIRED: Label("срок прошёл"),
    LinkState.LINK_EXHAUSTED: Label("просмотры закончились"),
}
SUPERSEDED: Final = Label("для прежней версии", "waiting")
TERMS: Final = [(str(days), counted(days, "день", "дня", "дней")) for days in LIFETIMES_DAYS]
DEFAULT_TERM: Final = str(DEFAULT_LIFETIME_DAYS)
ANY_LOOKS: Final = "any"
LOOK_COUNTS: Final = [
    (
        ANY_LOOKS if count is None else str(count),
        "Сколько угодно"
        if count is None
        else counted(count, "просмотр", "просмотра", "просмотров"),
    )
    for count in sorted(LOOKS, key=lambda count: (count is not None, count))
]
_TITLE: Final = quote("Электронная медицинская книжка")
_ASKING: Final = quote("Проверить, действует ли медицинская книжка: ")
SENDING: Final = {
    "Почта": f"mailto:?subject={_TITLE}&body={_ASKING}",
    "Telegram": f"https://t.me/share/url?text={_TITLE}&url=",
    "MAX": f"https://max.ru/:share?text={_ASKING}",
    "ВКонтакте": f"https://vk.com/share.php?title={_TITLE}&url=",
    "WhatsApp": f"https://wa.me/?text={_ASKING}",
}
"""Addresses under which programs and sites take a link to be sent; the quoted link goes last."""
FEW: Final = 6
_ITEMS_TONES: Final = {Light.GREEN: "neutral", Light.YELLOW: "waiting", Light.RED: "danger"}
STATUS_ADVICE: Final = {
    Verdict.NOT_GENUINE: "Напишите в поддержку: сведениям этой книжки сейчас нельзя доверять.",
    Verdict.REVOKED: "Чтобы снова работать, подайте новую заявку.",
    Verdict.SUSPENDED: "Причина указана ниже. Когда её устранят, книжка снова заработает.",
    Verdict.TERM_PASSED: "Продлите книжку в разделе «Срок действия»: пока её нигде не примут.",
    Verdict.ITEMS_OVERDUE: "Пройдите осмотр заново: что именно, сказано в разделе «Срок действия».",
}


@dataclass(frozen=True, slots=True)
class CardRow:
    """The card of the book."""

    id: int = 0
    number: str = ""
    name: str = ""
    born: str = ""
    occupation: str = ""
    work: str = ""
    status: str = ""
    tone: str = "neutral"
    advice: str = ""
    reason: str = ""
    term: str = ""
    until: str = ""
    left: str = ""
    items_until: str = ""
    items_left: str = ""
    items_tone: str = "neutral"
    studies: str = ""
    """How many studies there are, and how many of them want something."""
    names_wanting: bool = False
    """Whether those are so few that they are named apart."""
    conclusion: str = ""
    restrictions: str = ""
    clinic: str = ""
    chair: str = ""
    version: str = ""
    signed: str = ""
    hash_short: str = ""
    hash_full: str = ""
    awaits_receipt: bool = False
    may_share: bool = False
    may_change: bool = False
    is_readable: bool = True


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One study of the book."""

    code: str
    name: str
    value: str
    performed: str
    until: str
    light: str
    tone: str
    wants_something: bool


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link to the book."""

    id: int
    url: str
    quoted: str
    """The same inside another address."""
    label: str
    scope: str
    state: str
    tone: str
    term: str
    looks: str
    is_alive: bool
    is_open: bool
    """Whether it is worth showing: alive, and for the present version."""
    png: str
    svg: str


@dataclass(frozen=True, slots=True)
class LookRow:
    """One look somebody took."""

    id: int
    at: str
    label: str
    viewer: str
    verdict: str
    tone: str


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact that checking the signature found; ``advice`` only where it fails."""

    name: str
    word: str
    tone: str
    text: str = ""
    advice: str = ""


def card_row(card: BookCard) -> CardRow:
    """Return the card as shown to its holder."""
    words = VERDICTS[card.judgement.verdict]
    content = card.content
    ends = card.judgement.readiness.items_valid_until
    return CardRow(
        id=card.id,
        number=card.number.shown,
        name=str(content.holder) if content else "",
        born=day(content.born_on) if content else "",
        occupation=content.occupation.name if content else "",
        work=content.work if content else "",
        status="Подтвердите получение" if card.status is BookStatus.FORMED else words.word,
        tone=words.tone,
        advice=STATUS_ADVICE.get(card.judgement.verdict, ""),
        reason=card.reason,
        term=f"{day(card.issued_on)} – {day(card.valid_until)}",
        until=day(card.valid_until),
        left=days_left(card.valid_until, card.today),
        items_until=day(ends) if ends else "",
        items_left=days_left(ends, card.today) if ends else "",
        items_tone=_ITEMS_TONES[card.judgement.readiness.light],
        studies=_studies(card),
        names_wanting=0 < sum(item.wants_something for item in item_rows(card)) <= FEW,
        conclusion=FITNESS[content.conclusion.fitness].text if content else "",
        restrictions=content.conclusion.restrictions if content else "",
        clinic=content.clinic_name if content else "",
        chair=content.chair_name if content else "",
        version=str(card.version),
        signed=moment(card.signed_at),
        hash_short=short_hash(card.version_hash),
        hash_full=card.version_hash,
        awaits_receipt=card.status is BookStatus.FORMED,
        may_share=card.status is BookStatus.ACTIVE and content is not None,
        may_change=card.status is not BookStatus.REVOKED and content is not None,
        is_readable=content is not None,
    )


def _studies(card: BookCard) -> str:
    lights = Counter(state.light for state in card.judgement.readiness.items)
    every = counted(lights.total(), "исследование", "исследования", "исследований")
    wanting = [
        f"{word} {lights[light]}"
        for light, word in ((Light.RED, "просрочено"), (Light.YELLOW, "скоро истечёт"))
        if lights[light]
    ]
    return f"{every}, из них {', '.join(wanting)}." if wanting else f"{every}, все в порядке."


def item_rows(card: BookCard) -> tuple[ItemRow, ...]:
    """Return the studies of the book with their terms.

    All open books name the same studies and mostly the same days: each word is kept once.
    """
    if card.content is None:
        return ()
    states: dict[str, ItemState] = {state.code: state for state in card.judgement.readiness.items}
    rows: list[ItemRow] = []
    for line in card.content.lines:
        state = states.get(line.code)
        label = LIGHTS[state.light] if state else LIGHTS[Light.GREEN]
        rows.append(
            ItemRow(
                code=intern(line.code),
                name=intern(line.name),
                value=intern(f"{line.value} {line.unit}".strip()),
                performed=intern(day(line.performed_on)),
                until=intern(
                    f"по{NBSP}{day(line.valid_until)}" if line.valid_until else "бессрочно"
                ),
                light=label.text,
                tone=label.tone,
                wants_something=label is not LIGHTS[Light.GREEN],
            )
        )
    return tuple(rows)


def link_row(link: LinkView) -> LinkRow:
    """Return one link as shown to its holder."""
    is_open = link.state is LinkState.ALIVE
    label = SUPERSEDED if is_open and link.is_superseded else LINK_STATES[link.state]
    taken = counted(link.looks, "просмотр", "просмотра", "просмотров")
    picture = f"/api/book/links/{link.id}/qr"
    return LinkRow(
        id=link.id,
        url=link.url,
        quoted=quote(link.url, safe=""),
        label=link.label or "Без названия",
        scope=SCOPES[link.scope][0],
        state=label.text,
        tone=label.tone,
        term=moment(link.expires_at),
        looks=taken if link.max_looks is None else f"{taken} из {link.max_looks}",
        is_alive=is_open,
        is_open=is_open and not link.is_superseded,
        png=f"{picture}.png",
        svg=f"{picture}.svg",
    )


@lru_cache(maxsize=4096)
def look_row(look: LookView) -> LookRow:
    """Return one look as shown to the holder; a hundred stand on a screen to which one is added."""
    words = VERDICTS[look.verdict]
    return LookRow(
        id=look.id,
        at=moment(look.at),
        label=look.label or "Без названия",
        viewer=look.viewer,
        verdict=words.word,
        tone=words.tone,
    )


def fact_rows(facts: SignatureFacts) -> list[FactRow]:
    """Return every fact about the signature and the book, each on its own.

    A fact that fails says what to do about it.
    """
    witness, judgement, signature = facts.witness, facts.judgement, facts.witness.signature
    studies = judgement.readiness
    over = counted(len(studies.overdue), "исследование", "исследования", "исследований")
    status = KEY_STATUSES.get(signature.key_status) if signature.key_status else "ключа в нём нет"
    said = (
        (
            "Документ цел",
            witness.opens,
            "хранится таким, каким его подписали",
            SUPPORT,
        ),
        (
            "Отпечаток совпадает",
            witness.hash_matches,
            f"{short_hash(facts.version_hash)} — сравните с тем, что видно по QR-коду",
            SUPPORT,
        ),
        (
            "Документ этой книжки",
            witness.is_its_own,
            f"книжка {facts.number}, версия {facts.version}",
            SUPPORT,
        ),
        (
            "Подпись верна",
            signature.intact and signature.signature_valid,
            f"подписано {moment(facts.signed_at)} по Москве",
            SUPPORT,
        ),
        (
            "Цепочка сертификатов",
            signature.chain_trusted,
            _chain(facts) or "сертификаты не читаются",
            "Сертификат не ведёт к нашему корневому. " + SUPPORT,
        ),
        (
            "Срок сертификата",
            signature.certificate_in_dates,
            _certificate_dates(facts) or "сертификаты не читаются",
            "При подписании сертификат не действовал. " + SUPPORT,
        ),
        (
            "Ключ в списке доверенных",
            signature.key_listed
            and signature.key_in_term
            and signature.key_status is not KeyStatus.COMPROMISED,
            f"состояние в списке: {status}",
            "Этим ключом подписывать нельзя. Книжку подпишут заново, напишите в поддержку.",
        ),
        (
            "Версия нынешняя",
            judgement.superseded_by is None,
            f"версия {facts.version}",
            "Сделайте новую ссылку: у книжки есть более новая версия.",
        ),
        (
            "Получение подтверждено",
            judgement.received,
            "",
            "Нажмите «Подтвердить получение» выше.",
        ),
        ("Не аннулирована", not judgement.revoked, "", STATUS_ADVICE[Verdict.REVOKED]),
        ("Не приостановлена", not judgement.suspended, "", STATUS_ADVICE[Verdict.SUSPENDED]),
        (
            "Срок книжки",
            not judgement.term_passed,
            f"по {day(judgement.valid_until)} включительно",
            "Продлите книжку в разделе «Срок действия».",
        ),
        (
            "Осмотры и аттестация",
            studies.in_date,
            f"в порядке по {day(studies.items_valid_until)}"
            if studies.in_date and studies.items_valid_until
            else f"просрочено: {over}",
            "Пройдите осмотр заново: что именно, перечислено в разделе «Срок действия».",
        ),
    )
    return [
        FactRow(
            name,
            "да" if holds else "нет",
            _tone(holds),
            text,
            "" if holds else advice,
        )
        for name, holds, text, advice in said
    ]


SUPPORT: Final = "Не показывайте книжку и напишите в поддержку, назовите её номер."
KEY_STATUSES: Final = {
    KeyStatus.ACTIVE: "действует",
    KeyStatus.RETIRED: "сменён, прежние подписи верны",
    KeyStatus.COMPROMISED: "отозван",
}


def _chain(facts: SignatureFacts) -> str:
    if not facts.certificates:
        return ""
    return " ← ".join([each.name for each in facts.certificates] + [facts.certificates[-1].issuer])


def _certificate_dates(facts: SignatureFacts) -> str:
    return "; ".join(
        f"{day(clock.day_of(each.not_before))} – {day(clock.day_of(each.not_after))}"
        for each in facts.certificates
    )


def signature_word(facts: SignatureFacts) -> tuple[str, str]:
    """Return the headline of the check, as the guide names it, and its tone."""
    if facts.witness.is_genuine:
        return "Подпись действительная", "success"
    return "Подпись недействительна", "danger"


def checked_at(at: datetime) -> str:
    """Say when the check was made."""
    return f"Проверено {moment(at)} по Москве"


def _tone(holds: bool) -> str:
    return "success" if holds else "danger"
