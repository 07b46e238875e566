"""The guide says what the program's own tables say, and is found by words."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from emk_app.domain import (
    books,
    clearance,
    deadlines,
    documents,
    examinations,
    occupations,
    representation,
    visits,
)
from emk_app.domain.documents import ScanKind
from emk_app.domain.examinations import AmendedStudy
from emk_app.domain.intake import Field, HolderCategory
from emk_app.domain.occupations import OCCUPATIONS, POINTS, Amended, WorkPoint
from emk_app.domain.papers import papers
from emk_app.domain.vaccinations import INFECTIONS
from emk_app.presenting import guide
from emk_app.presenting.applications import SCAN_KINDS
from emk_app.presenting.formats import NBSP

ON = date(2026, 11, 26)
SOURCE = Path(guide.__file__)
NUMERALS = (
    "один|одна|одну|одного|два|две|двух|три|трёх|четыр|пять|пяти|шест|семь|семи|восемь|девят|"
    "десят|сорок|сто\\b|полгода|месяц|недел"
)
"""Beginnings of words that tell a number or a term."""


def said() -> str:
    told: list[str] = []
    for topic in guide.topics(ON):
        told += [topic.title, topic.lead]
        for entry in topic.entries:
            told += [entry.title, *entry.lines]
    return "\n".join(told).replace(NBSP, " ")


def texts_of(path: Path) -> list[str]:
    """Return the texts of a module but its docstrings and forms of counted words."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    counted = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("counted", "plural")
        for argument in node.args
    }
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in counted | bare
    ]


def test_no_number_is_typed_in_the_guide():
    typed = [
        text
        for text in texts_of(SOURCE)
        # Names of laws are names.
        if text not in guide.LAWS.replace(NBSP, " ")
        and re.search(rf"\d|\b(?:{NUMERALS})", text.lower())
        # «делают один раз» is how often, not how long.
        and "один раз" not in text
    ]
    assert typed == []


def test_every_occupation_is_there_once_in_its_group():
    who = guide.topics(ON)[0]
    assert who.id == "who"
    assert sorted(line for entry in who.entries for line in entry.lines) == sorted(
        each.name for each in OCCUPATIONS.values()
    )
    for entry in who.entries:
        assert {each.group for each in OCCUPATIONS.values() if each.name in entry.lines} == {
            entry.title
        }


def set_limits(patch: pytest.MonkeyPatch) -> None:
    limits = dict.fromkeys(ScanKind, 9 * documents.MIB) | {
        ScanKind.PASSPORT: 4 * documents.MIB,
        ScanKind.POLICY: 4 * documents.MIB,
    }
    patch.setattr(documents, "LIMITS", MappingProxyType(limits))


def set_hygiene(patch: pytest.MonkeyPatch) -> None:
    def changed(each: WorkPoint) -> WorkPoint:
        return WorkPoint(
            each.point,
            each.name,
            each.short_name,
            each.in_elmk_registry,
            18 if each.point == "23" else each.hygiene_months,
            each.requirements,
        )

    patch.setattr(examinations, "POINTS", {point: changed(each) for point, each in POINTS.items()})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p: p.setattr(deadlines, "SHORTEST_DAYS", 4), "от 4 до 7 рабочих дней"),
        (lambda p: p.setattr(deadlines, "LONGEST_DAYS", 21), "от 3 до 21 рабочего дня"),
        (lambda p: p.setattr(deadlines, "PAPERS_DAYS", 6), "проверяют не дольше 6 рабочих дней"),
        (lambda p: p.setattr(deadlines, "CONCLUSION_DAYS", 5), "готовят не дольше 5 рабочих дней"),
        (lambda p: p.setattr(deadlines, "LATE_DAYS", 14), "больше 14 рабочих дней"),
        (lambda p: p.setattr(clearance, "SOON_DAYS", 45), "за 45 дней до конца срока"),
        (lambda p: p.setattr(guide, "MARKS", (0, 3, 14)), "за 14 дней, за 3 дня и в последний"),
        (lambda p: p.setattr(representation, "FULL_AGE", 21), "с 21 года"),
        (lambda p: p.setattr(documents, "MAX_PAGES", 21), "не больше 21 страницы"),
        (set_limits, "паспорт и полис до 4 МБ, остальные документы до 9 МБ"),
        (set_hygiene, "Пищевые продукты, торговля и общественное питание: 18 месяцев"),
        (
            lambda p: p.setattr(books, "years_of_validity", lambda age: 6 if age < 50 else 2),
            "6 лет со дня выдачи (2 года, если владелец старше 49 лет)",
        ),
        (
            lambda p: p.setattr(books, "years_of_validity", lambda _age: 1),
            "1 год со дня выдачи.",
        ),
        (
            lambda p: p.setattr(visits, "_TABLE", [{"what": "Зонт", "why": "Если дождь"}]),
            "Зонт: если дождь",
        ),
    ],
)
def test_changed_table_changes_the_guide(
    change: Callable[[pytest.MonkeyPatch], None], told: str, monkeypatch: pytest.MonkeyPatch
):
    assert told not in said()
    change(monkeypatch)
    assert told in said()


@pytest.fixture
def amended() -> Iterator[None]:
    """Amend two periods, make a study of every year one that is made once, and rename cooks."""
    examinations.amend(
        [
            AmendedStudy("hygiene:23", ON, 18),
            AmendedStudy("mammography", ON, 36),
            AmendedStudy("staph:27", ON, None),
        ]
    )
    occupations.amend([Amended("cook", ON, "Повар высокой кухни", "Ресторанное дело", "23")])
    yield
    examinations.amend([])
    occupations.amend([])


def test_page_as_built_is_right_until_something_is_amended():
    assert guide.amended(ON) == {}
    assert guide.topics(ON) == guide.shipped()


@pytest.mark.usefixtures("amended")
def test_amended_facts_are_told_from_their_day_on():
    assert guide.amended(ON - timedelta(days=1)) == {}
    told = guide.amended(ON)
    assert set(told) == {"who", "terms"}
    terms = {each.title: each.lines for each in told["terms"]}
    assert (
        "Пищевые продукты, торговля и общественное питание: 18\u00a0месяцев"
        in (terms["Гигиеническая подготовка и аттестация"])
    )
    (periods,) = terms["Врачи и исследования"]
    assert periods.startswith("Результат действует 1\u00a0год или 3\u00a0года, смотря")
    assert "Повар высокой кухни" in {
        line for each in told["who"] if each.title == "Ресторанное дело" for line in each.lines
    }


@pytest.mark.usefixtures("amended")
def test_amended_facts_are_found():
    assert found("высокой кухни")[0] == ["Повар высокой кухни"]
    assert any("18\u00a0месяцев" in line for line in found("подготовка аттестация")[0])


def test_search_forgets_what_is_amended_no_more(amended: None):
    assert found("высокой кухни")[0] == ["Повар высокой кухни"]
    occupations.amend([])
    assert found("высокой кухни")[0] != ["Повар высокой кухни"]


def test_papers_of_the_guide_are_those_the_form_asks_for():
    topic = next(each for each in guide.topics(ON) if each.id == "papers")
    entries = {entry.title: entry.lines for entry in topic.entries}
    for kind in papers({}).required:
        assert any(line.startswith(f"{SCAN_KINDS[kind]}:") for line in entries["Каждому"])
    for category, title in (
        (HolderCategory.STUDENT, "Студент: дополнительно"),
        (HolderCategory.PENSIONER, "Пенсионер: дополнительно"),
        (HolderCategory.DISABLED, "Есть инвалидность: дополнительно"),
    ):
        more = set(papers({Field.CATEGORY: category}).required) - set(papers({}).required)
        assert len(entries[title]) == len(more) == 1
    assert entries["Медицина и фармация: дополнительно"] == (SCAN_KINDS[ScanKind.DIPLOMA],)
    assert sum("представитель" in title for title in entries) == 3
    assert entries["Можно приложить"] == tuple(SCAN_KINDS[each] for each in papers({}).offered)


def test_studies_and_vaccinations_of_the_guide_are_those_of_the_tables():
    folder = SOURCE.parents[1] / "domain" / "refdata"
    table: dict[str, Any] = json.loads((folder / "programme.json").read_text(encoding="utf-8"))
    topic = next(each for each in guide.topics(ON) if each.id == "examination")
    told = {line for entry in topic.entries for line in entry.lines}
    for row in [*table["guide"], *table["general"], *table["hygiene"]]:
        assert row["name"] in told
    everybody, sometimes = topic.entries[:2]
    by_sex = {row["name"] for row in table["general"] if "sex" in row}
    assert not by_sex & set(everybody.lines)
    assert "Маммография в двух проекциях" in sometimes.lines
    shots = topic.entries[-1].lines[0]
    assert all(each.name in shots for each in INFECTIONS.values())


def found(words: str) -> tuple[list[str], str]:
    rows, summary = guide.find(words, ON)
    return ["".join(piece.text for piece in row.text) for row in rows], summary


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("повар", "Повар, пекарь, кондитер"),
        ("ПОВАРУ", "Повар, пекарь, кондитер"),
        ("нужна ли книжка повару", "Повар, пекарь, кондитер"),
        ("сколько действует книжка", "Книжка действует"),
        ("студент", "Студенческий билет"),
        ("гепатит", "Гепатит В"),
        ("приказ 29н", "№ 29н"),
    ],
)
def test_guide_is_found_by_words(words: str, line: str):
    lines, summary = found(words)
    assert any(line in each.replace(NBSP, " ") for each in lines[:5]), lines
    assert "ответ" in summary


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("паспарт", "паспорт"), ("повору", "повар"), ("парекмахер", "парикмахер")],
)
def test_mistyped_word_is_put_right_and_told(typed: str, meant: str):
    lines, summary = found(typed)
    assert lines == found(meant)[0]
    assert summary.startswith(f"Показано по запросу «{meant}».")


def test_nothing_is_said_in_a_sentence_that_repeats_nothing():
    assert found("   ") == ([], guide.NO_WORDS)
    assert found("криптовалюта") == ([], guide.NOTHING)


def test_words_that_stand_nowhere_together_are_told_of():
    assert found("повар маммография")[1].startswith("Всех слов вместе нигде нет")


def test_what_is_found_leads_to_its_section():
    rows, _ = guide.find("работодатель", ON)
    assert {row.href for row in rows} <= {f"#{topic.id}" for topic in guide.topics(ON)}
    assert any(piece.is_hit for row in rows for piece in [*row.title, *row.text])
