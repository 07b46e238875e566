"""Search in Russian texts: forms of words, beginnings, dates, and what is not found."""

from __future__ import annotations

import pytest

from emk_app.domain.searching import QUERY_LIMIT, WORD_LIMIT, Piece, Query, stem

RECORD = (
    "Прививка: гепатит В",
    "прививка сделана, доза первая, Регевак, серия АБВ-100/7, 17.11.2026, Пётр Ёлкин",
)


@pytest.mark.parametrize(
    "asked",
    [
        "гепатит",
        "ГЕПАТИТА",
        "гепатит в",
        "прививки",
        "прививок",
        "прив",
        "елкин",
        "ёлкина",
        "ЁЛКИНУ",
        "Петр",
        "17.11.2026",
        "17.11",
        "11.2026",
        "2026",
        "ноябрь",
        "17 ноября 2026",
        "серия абв",
        "АБВ-100/7",
        "абв 100",
        "регевак первой",
        "первая дозы",
    ],
)
def test_what_people_type_is_found(asked: str):
    assert Query.parse(asked).missing(RECORD) == frozenset()


@pytest.mark.parametrize(
    "asked",
    ["корь", "гепатит корь", "18.11.2026", "октябрь", "026", "епатит", "гепатит А", "8 ноября"],
)
def test_what_is_not_there_is_not_found(asked: str):
    assert Query.parse(asked).missing(RECORD)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("кровь", "крови"),
        ("корь", "кори"),
        ("прививок", "прививка"),
        ("анализов", "анализ"),
        ("ограничениями", "ограничение"),
        ("терапевтом", "терапевт"),
        ("сентябре", "сентябрь"),
        ("врачебной", "врачебная"),
    ],
)
def test_forms_of_one_word_have_one_stem(one: str, other: str):
    assert stem(one) == stem(other)


def test_words_that_differ_have_stems_that_differ():
    words = "корь краснуха кровь дифтерия терапевт дерматовенеролог сифилис столбняк"
    assert len({stem(word) for word in words.split()}) == len(words.split())


def test_text_is_cut_where_it_is_found_and_nowhere_else():
    assert Query.parse("ёлкин").pieces("Врач Елкина П. П.") == (
        Piece("Врач ", False),
        Piece("Елкина", True),
        Piece(" П. П.", False),
    )
    assert Query.parse("май").pieces("01.05.2026, 01.06.2026") == (
        Piece("01.05.2026", True),
        Piece(", 01.06.2026", False),
    )
    assert Query.parse("нет").pieces("") == (Piece("", False),)


@pytest.mark.parametrize("text", ["<b>корь</b>", "корь", "а корь б корь", "İ корь", "ﬁ корь", "ß"])
def test_pieces_are_the_text_again(text: str):
    assert "".join(piece.text for piece in Query.parse("корь i fi").pieces(text)) == text


@pytest.mark.parametrize("text", ["", " ", "?!…", "<>&", "_", "\x00", "\ud800"])
def test_signs_alone_are_no_query(text: str):
    assert Query.parse(text).words == ()


def test_long_query_is_read_as_far_as_the_limits():
    assert len(Query.parse("а б в г д е ж з и к л м н").words) == WORD_LIMIT
    assert Query.parse("x" * 10**6).words == ("x" * QUERY_LIMIT,)
