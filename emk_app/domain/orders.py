"""Taking a book out of force and putting it back: one operator orders, another one answers.

A suspension acts at once and stands only if a second operator confirms it in time; everything else
waits for the second (docs/decisions/0022).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from emk_app.domain.actors import Role
from emk_app.domain.books import BookStatus
from emk_app.domain.errors import Conflict, NotAChoice, NotPermitted, Required
from emk_app.domain.values import one_line

NOTE_LIMIT: Final = 500
CONFIRM_WITHIN: Final = timedelta(hours=72)
"""How long a suspension stands on one operator's word: a weekend and a day."""


class OrderKind(StrEnum):
    """What is ordered."""

    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"


class OrderAnswer(StrEnum):
    """What became of an order: the second operator's word, the first one's own, or nobody's."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"
    TAKEN_BACK = "taken_back"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class OrderGround:
    """A ground to choose: its name for operators, the sentence for the holder, and for what."""

    code: str
    name: str
    text: str
    kinds: frozenset[OrderKind]
    needs_note: bool = False


_STOP: Final = frozenset({OrderKind.SUSPEND, OrderKind.REVOKE})
_SUSPEND: Final = frozenset({OrderKind.SUSPEND})
_REVOKE: Final = frozenset({OrderKind.REVOKE})
_RESUME: Final = frozenset({OrderKind.RESUME})

_GROUNDS: Final = (
    OrderGround(
        "papers_doubtful",
        "Документы вызывают сомнение",
        "Проверяем документы, по которым оформлена книжка.",
        _SUSPEND,
    ),
    OrderGround(
        "papers_false",
        "Документы недействительны",
        "Документы, по которым оформлена книжка, недействительны.",
        _REVOKE,
    ),
    OrderGround(
        "disavowed",
        "Медорганизация не подтверждает заключение",
        "Медорганизация не подтвердила заключение, по которому оформлена книжка.",
        _STOP,
    ),
    OrderGround(
        "another_person",
        "Книжка оформлена на другого человека",
        "Книжка оформлена по документам другого человека.",
        _REVOKE,
    ),
    OrderGround(
        "prescription",
        "Предписание санитарной службы",
        "Получено предписание санитарной службы.",
        _SUSPEND,
        needs_note=True,
    ),
    OrderGround(
        "handed_on",
        "Книжку показывает другой человек",
        "Есть сведения, что книжку показывает другой человек.",
        _SUSPEND,
    ),
    OrderGround(
        "holders_wish",
        "Заявление владельца",
        "По вашему заявлению.",
        _STOP | _RESUME,
    ),
    OrderGround("mistake", "Оформлена по ошибке", "Книжка оформлена по ошибке.", _REVOKE),
    OrderGround(
        "cleared_up",
        "Причина устранена",
        "Причина устранена.",
        _RESUME,
    ),
    OrderGround("other", "Другая причина", "", _STOP | _RESUME, needs_note=True),
)
ORDER_GROUNDS: Final[Mapping[str, OrderGround]] = MappingProxyType(
    {each.code: each for each in _GROUNDS}
)

_FROM: Final = {
    OrderKind.SUSPEND: frozenset({BookStatus.ACTIVE}),
    OrderKind.RESUME: frozenset({BookStatus.SUSPENDED}),
    OrderKind.REVOKE: frozenset({BookStatus.FORMED, BookStatus.ACTIVE, BookStatus.SUSPENDED}),
}


class NotOrderable(Conflict):
    """The book does not stand so that this could be done with it."""


class CommissionsMatter(Conflict):
    """A medical conclusion has suspended the book: the next conclusion lifts it, no operator."""


class OrderPending(Conflict):
    """Another order about the book waits for its answer."""


class NothingOrdered(Conflict):
    """There is no order to answer: somebody has, or its time has run out."""


class SameHand(NotPermitted):
    """Whoever has ordered something does not confirm it."""


def permit_order(kind: OrderKind, status: BookStatus, suspended_by: Role | None) -> None:
    """Refuse what cannot be done with the book; raises ``NotOrderable``, ``CommissionsMatter``."""
    if status not in _FROM[kind]:
        raise NotOrderable
    if kind is OrderKind.RESUME and suspended_by is Role.SYSTEM:
        raise CommissionsMatter


def orderable(status: BookStatus, suspended_by: Role | None) -> tuple[OrderKind, ...]:
    """Return what can be ordered about a book that stands so."""
    return tuple(
        kind
        for kind in OrderKind
        if status in _FROM[kind] and not (kind is OrderKind.RESUME and suspended_by is Role.SYSTEM)
    )


def permit_confirming(ordered_by: int, confirmed_by: int) -> None:
    """Raise ``SameHand`` unless these are two people."""
    if ordered_by == confirmed_by:
        raise SameHand("who ordered does not confirm")


def read_kind(text: str) -> OrderKind:
    """Return the kind; raise ``Required`` and ``NotAChoice``."""
    if not text:
        raise Required
    try:
        return OrderKind(text)
    except ValueError:
        raise NotAChoice from None


def read_ground(code: str, kind: OrderKind) -> OrderGround:
    """Return a ground for this kind; raise ``Required`` and ``NotAChoice``."""
    if not code:
        raise Required
    found = ORDER_GROUNDS.get(code)
    if found is None or kind not in found.kinds:
        raise NotAChoice
    return found


def read_note(text: str, ground: OrderGround | None) -> str:
    """Return the note on one line; raise ``Required`` where the ground says nothing without."""
    line = one_line(text, NOTE_LIMIT)
    if not line and ground is not None and ground.needs_note:
        raise Required
    return line


def words_of(ground: OrderGround, note: str) -> str:
    """Return what the holder reads."""
    return " ".join(part for part in (ground.text, note) if part)


def grounds_for(kinds: Iterable[OrderKind]) -> tuple[OrderGround, ...]:
    """Return the grounds of any of these kinds, in the order of the catalogue."""
    wanted = frozenset(kinds)
    return tuple(each for each in ORDER_GROUNDS.values() if each.kinds & wanted)
