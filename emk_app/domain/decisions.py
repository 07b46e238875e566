"""Why an application is refused: the grounds to choose from, and what the holder then reads.

The words are part of the decision: it keeps those in which it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from emk_app.domain.errors import NotAChoice, Required
from emk_app.domain.values import one_line

WORDS_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground: its short name for the operator, and the sentences for the holder."""

    code: str
    name: str
    text: str
    needs_note: bool = False


_GROUNDS: Final = (
    Ground(
        "identity_differs",
        "Сведения не совпадают с паспортом",
        "Сведения в заявке не совпадают с паспортом. Подайте новую заявку и заполните её точно "
        "по паспорту.",
    ),
    Ground(
        "another_person",
        "Документы другого человека",
        "К заявке приложены документы другого человека. Подайте новую заявку со своими "
        "документами.",
    ),
    Ground(
        "not_in_force",
        "Документ недействителен",
        "Один из документов недействителен. Замените документ и подайте новую заявку.",
        needs_note=True,
    ),
    Ground(
        "not_genuine",
        "Подлинность документа не подтвердилась",
        "Подлинность документа не подтвердилась. Если это ошибка, напишите в поддержку и "
        "назовите номер заявки.",
        needs_note=True,
    ),
    Ground(
        "already_applied",
        "Заявка этого человека уже рассматривается",
        "Ваша другая заявка уже рассматривается, вторая не нужна. Следите за первой в разделе "
        "«Мои заявки».",
    ),
    Ground(
        "book_not_needed",
        "Для этой работы книжка не нужна",
        "Для работы, указанной в заявке, медицинская книжка не нужна. Если профессия выбрана "
        "неверно, подайте новую заявку.",
    ),
    Ground("other", "Другая причина", "", needs_note=True),
)
GROUNDS: Final[Mapping[str, Ground]] = MappingProxyType({each.code: each for each in _GROUNDS})

FOUND_UNFIT: Final = (
    "Медицинская комиссия установила, что к этой работе есть медицинские противопоказания, поэтому "
    "книжку по этой заявке оформить нельзя. Если вы не согласны, обратитесь во врачебную комиссию "
    "медорганизации: заключение можно обжаловать."
)
"""What the holder reads when the commission's conclusion ends the application."""


def ground(code: str) -> Ground:
    """Return the ground; raise ``Required`` for none and ``NotAChoice`` for an unknown one."""
    if not code:
        raise Required
    if (found := GROUNDS.get(code)) is None:
        raise NotAChoice
    return found


def note_for(chosen: Ground, text: str) -> str:
    """Return the operator's own words beside ``chosen``, on one line.

    Raises ``Required`` where the ground says nothing without them, and as ``one_line``.
    """
    note = one_line(text, WORDS_LIMIT)
    if chosen.needs_note and not note:
        raise Required
    return note


def words(chosen: Ground, note: str) -> str:
    """Return what the holder reads."""
    return " ".join(part for part in (chosen.text, note) if part)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question that is asked so often that its words stand ready."""

    code: str
    name: str
    """For the operator, in short."""
    text: str
    """For the holder: what is wrong, and what to do."""


_ANY_FIELD: Final = (
    Prepared("differs", "Не совпадает с документом", "не совпадает с документом, исправьте."),
    Prepared("incomplete", "Указано не полностью", "указано не полностью, допишите."),
    Prepared("unclear", "Непонятно написано", "написано непонятно, проверьте и введите заново."),
)
_ANY_PAPER: Final = (
    Prepared(
        "illegible",
        "Не читается",
        "не читается. Снимите документ при хорошем свете, чтобы все буквы были видны.",
    ),
    Prepared(
        "cut", "Виден не целиком", "виден не целиком. Снимите так, чтобы были видны все края."
    ),
    Prepared("other_page", "Не та страница", "приложена не та страница. Приложите нужную."),
    Prepared("other_paper", "Не тот документ", "приложен другой документ. Замените его."),
    Prepared("expired", "Срок истёк", "срок документа истёк. Приложите действующий."),
    Prepared("absent", "Нужен, но не приложен", "нужен, но не приложен. Приложите его."),
)
PREPARED: Final[Mapping[str, Prepared]] = MappingProxyType(
    {each.code: each for each in (*_ANY_FIELD, *_ANY_PAPER)}
)


def prepared_for(*, paper: bool) -> tuple[Prepared, ...]:
    """Return the questions that are asked about a paper, or about a field."""
    return _ANY_PAPER if paper else _ANY_FIELD


def questions(prepared: Iterable[tuple[str, str]], own: str) -> str:
    """Return what the holder reads, a line for each thing and one for the operator's own words.

    ``prepared`` are pairs of a thing's name and a code. Raises ``Required`` where nothing is said,
    ``NotAChoice`` for an unknown code, and as ``one_line``.
    """
    lines: list[str] = []
    for name, code in prepared:
        if (found := PREPARED.get(code)) is None:
            raise NotAChoice
        lines.append(f"{name}: {found.text}")
    if line := one_line(own, WORDS_LIMIT):
        lines.append(line)
    if not lines:
        raise Required
    return "\n".join(lines)
