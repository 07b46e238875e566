"""What a search through the holder's own record finds, in words and with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from emk_app.domain.books import BookContent, BookLine, BookVaccination
from emk_app.domain.searching import Piece, Query, hits
from emk_app.domain.vaccinations import Dose, RecordKind
from emk_app.presenting.applications import KINDS as EXAMINATION_KINDS
from emk_app.presenting.attachments import KINDS as PAPER_KINDS
from emk_app.presenting.book_versions import CAUSES, STANDINGS
from emk_app.presenting.examinations import FITNESS
from emk_app.presenting.formats import NBSP, counted, day, plural
from emk_app.presenting.vaccinations import DOSES
from emk_app.presenting.vaccinations import KINDS as RECORDS
from emk_app.services.finding import FoundPaper, FoundVersion, OwnRecord

SHOWN: Final = 50
"""Results on the screen; whoever has more narrows the search."""
NO_WORDS: Final = "Введите слово или дату, например «гепатит», «терапевт» или «11.2026»."
NOTHING: Final = (
    "Ничего не нашлось. Попробуйте другое слово или только его начало: ищем по осмотрам, "
    "прививкам, ограничениям, врачам, датам и прежним версиям."
)
_BOOK: Final = "#book"


@dataclass(frozen=True)
class PieceRow:
    """A part of a text; ``is_hit`` is to be marked."""

    text: str
    is_hit: bool


@dataclass(frozen=True)
class FoundRow:
    """One place of the record."""

    key: str
    title: list[PieceRow]
    text: list[PieceRow]
    where: str
    href: str


@dataclass(frozen=True)
class _Said:
    """Something the record says; the same words in many versions are said once."""

    title: str
    text: str
    href: str


def rows_of(record: OwnRecord, text: str) -> tuple[list[FoundRow], str]:
    """Return what is found and one sentence about it; nothing of ``text`` is in the sentence."""
    query = Query.parse(text)
    if not query.words:
        return [], NO_WORDS
    found: list[tuple[tuple[bool, int], FoundRow]] = []
    for said, where, is_present in _all(record):
        texts = (said.title, said.text)
        if query.missing(texts):
            continue
        row = FoundRow(
            key=str(len(found)),
            title=as_rows(query.pieces(said.title)),
            text=as_rows(query.pieces(said.text)),
            where=where,
            href=said.href,
        )
        found.append(((not is_present, -hits(query, texts)), row))
    if not found:
        return [], NOTHING
    # What holds today comes first; the order of the record decides the rest.
    rows = [row for _, row in sorted(found, key=lambda each: each[0])]
    return rows[:SHOWN], _summary(len(rows))


def _summary(count: int) -> str:
    if count > SHOWN:
        return f"Нашлось {count}, показаны первые {SHOWN}. Добавьте слово, чтобы сузить поиск."
    word = plural(count, "Нашлась", "Нашлись", "Нашлось")
    return f"{word} {counted(count, 'запись', 'записи', 'записей')}."


def as_rows(pieces: Iterable[Piece]) -> list[PieceRow]:
    """Return the pieces of a text as a screen takes them."""
    return [PieceRow(each.text, each.is_hit) for each in pieces]


def _all(record: OwnRecord) -> Iterator[tuple[_Said, str, bool]]:
    """Yield everything that is said, where, and whether the current version says it."""
    # Newest first, so that the first place of the same words is the one that holds today.
    places: dict[tuple[str, str], tuple[_Said, list[FoundVersion]]] = {}
    for version in record.versions:
        for said in _of_version(version):
            places.setdefault((said.title, said.text), (said, []))[1].append(version)
    for said, versions in places.values():
        is_present = any(each.is_current and each.is_newest_book for each in versions)
        yield said, _where(versions, is_present=is_present), is_present
    for paper in record.papers:
        yield _paper(paper), "Документы осмотра", True


def _where(versions: list[FoundVersion], *, is_present: bool) -> str:
    numbers = sorted(each.content.version for each in versions if each.is_newest_book)
    if is_present:
        earlier = len(numbers) - 1
        if not earlier:
            return "В текущей версии"
        others = counted(earlier, "прежней", "прежних", "прежних")
        return f"В текущей версии и{NBSP}ещё в{NBSP}{others}"
    if numbers:
        word = "прежней версии" if len(numbers) == 1 else "прежних версиях"
        return f"Только в{NBSP}{word} {_ranges(numbers)}"
    return f"В{NBSP}прежней книжке {versions[0].content.number}"


def _ranges(numbers: list[int]) -> str:
    """Return «1–4, 7» for rising numbers."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{part[0]}–{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def _of_version(version: FoundVersion) -> Iterator[_Said]:
    content = version.content
    for title, text in _facts(content):
        if text:
            yield _Said(title, text, _BOOK)
    for line in content.lines:
        yield _study(line, version)
    for each in content.vaccinations:
        yield _shot(each, version)
    if content.cause and content.made_on:
        title = f"Версия {content.version}: {CAUSES[content.cause]}"
        yield _Said(title, f"Выпущена {day(content.made_on)}", "#versions")


def _facts(content: BookContent) -> Iterator[tuple[str, str]]:
    outcome, work = content.conclusion, content.occupation
    yield "Номер книжки", content.number.shown
    yield "Владелец", str(content.holder)
    yield "Дата рождения", day(content.born_on)
    yield "СНИЛС", content.snils
    yield "Профессия", work.name
    yield "Вид работ", content.work
    yield "Осмотр", EXAMINATION_KINDS[content.examination].text
    yield "Срок действия", f"{day(content.issued_on)} – {day(content.valid_until)}"
    yield "Состояние", STANDINGS[content.standing]
    yield "Заключение", f"{FITNESS[outcome.fitness].text}, {day(content.concluded_on)}"
    yield "Ограничения", outcome.restrictions
    yield "Ограничения по", day(outcome.until) if outcome.until else ""
    yield "Примечание", outcome.note
    yield (
        "Медорганизация",
        f"{content.clinic_name}, ОКПО {content.clinic_okpo}".removesuffix(", ОКПО "),
    )
    yield "Председатель комиссии", content.chair_name


def _study(line: BookLine, version: FoundVersion) -> _Said:
    parts = (
        f"{line.value} {line.unit}".strip(),
        "отклонение" if line.deviation else "",
        f"сделано {day(line.performed_on)}",
        f"действует по {day(line.valid_until)}" if line.valid_until else "бессрочно",
    )
    is_shown = version.is_current and version.is_newest_book
    href = f"#study-{line.code}" if is_shown else "#versions"
    return _Said(line.name, ", ".join(part for part in parts if part), href)


def _shot(each: BookVaccination, version: FoundVersion) -> _Said:
    parts = (
        RECORDS[RecordKind(each.kind)],
        f"доза {DOSES[Dose(each.dose)]}" if each.dose else "",
        each.vaccine,
        f"серия {each.series}" if each.series else "",
        day(each.on),
        f"по {day(each.until)}" if each.until else "",
    )
    is_shown = version.is_current and version.is_newest_book
    href = "#vaccinations" if is_shown else "#versions"
    return _Said(f"Прививка: {each.name}", ", ".join(part for part in parts if part), href)


def _paper(paper: FoundPaper) -> _Said:
    text = f"{paper.name}, {day(paper.added_on)}"
    return _Said(PAPER_KINDS[paper.kind], text, f"/cabinet/applications/{paper.number}")
