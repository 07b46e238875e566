"""Every problem of a field has a Russian sentence that tells what to do."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import date
from typing import get_args

import pytest

import emk_app.crypto
import emk_app.domain
import emk_app.storage
from emk_app.domain.contacts import MixedAlphabets, NotALogin, PhoneLength
from emk_app.domain.errors import Invalid, InvalidValue, NotAChoice, Required, TooLong
from emk_app.domain.intake import FormWarning
from emk_app.domain.numbers import Snils, SnilsLength, WrongCheckDigit
from emk_app.domain.passports import IssuedTooEarly
from emk_app.domain.people import (
    ForeignLetter,
    NoSuchDay,
    NoSuchMonth,
    NotInNames,
    Sex,
    TooOld,
    TooYoung,
    YearOutOfRange,
)
from emk_app.domain.policies import BirthDiffers, SexDiffers
from emk_app.domain.values import NotDigits, TooShort, UnexpectedCharacter, WrongLength
from emk_app.presenting.field_texts import FIELD_ERRORS, WARNINGS, word, word_warning, words


def _subclasses(kind: type[InvalidValue]) -> Iterator[type[InvalidValue]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _ours() -> set[type[InvalidValue]]:
    for package in (emk_app.domain, emk_app.crypto, emk_app.storage):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return {kind for kind in _subclasses(InvalidValue) if kind.__module__.startswith("emk_app.")}


def test_no_problem_lacks_its_sentence() -> None:
    missing = sorted(f"{kind.__module__}.{kind.__name__}" for kind in _ours() - {*FIELD_ERRORS})
    assert not missing, f"add to FIELD_ERRORS in presenting/field_texts.py: {', '.join(missing)}"


def test_no_warning_lacks_its_sentence() -> None:
    assert {*get_args(FormWarning)} == {*WARNINGS}


SENTENCES = [
    (
        SnilsLength(10, Snils("08765430300")),
        "СНИЛС состоит из 11 цифр, а здесь 10. Возможно, пропущен ноль в начале: 087-654-303 00.",
    ),
    (SnilsLength(9), "СНИЛС состоит из 11 цифр, а здесь 9. Сверьте номер с документом."),
    (
        WrongLength(11, (10, 12)),
        "Здесь должно быть 10 или 12 цифр, а набрано 11. Сверьте номер с документом.",
    ),
    (
        WrongLength(3, (4,)),
        "Здесь должно быть 4 цифры, а набрано 3. Сверьте номер с документом.",
    ),
    (
        WrongCheckDigit(),
        "Контрольная цифра не сходится, значит, в номере опечатка. Сверьте его с документом.",
    ),
    (NotDigits("О"), "Вместо буквы «О» наберите цифру 0."),
    (NotDigits("№"), "Здесь нужны только цифры. Уберите знак «№»."),
    (NotDigits("\u20e3"), "Здесь нужны только цифры. Уберите знак с кодом U+20E3."),
    (UnexpectedCharacter("\x00"), "Знак с кодом U+0000 здесь не подходит. Уберите его."),
    (UnexpectedCharacter("\ud800"), "Знак с кодом U+D800 здесь не подходит. Уберите его."),
    (UnexpectedCharacter("😀"), "Знак «😀» здесь не подходит. Уберите его."),
    (
        ForeignLetter("o", "о"),
        "Буква «o» набрана латиницей. Наберите русскую «о»: они похожи только с виду.",
    ),
    (
        ForeignLetter("V", None),
        "Буква «V» не русская. Пишите русскими буквами, как в паспорте.",
    ),
    (NotInNames("."), "Знака «.» в имени не бывает. Пишите полностью, как в паспорте."),
    (NoSuchDay(29, 2, 2026, 28), "В феврале 2026 года 28 дней. Проверьте день."),
    (NoSuchMonth(23), "Месяца 23 не бывает. Сначала пишут день, потом месяц: 25.03.1990."),
    (YearOutOfRange(26), "Год 0026 не подходит. Проверьте все его цифры."),
    (TooOld(121, 120), "По этой дате возраст 121 год. Проверьте год рождения."),
    (
        TooYoung(13, 14),
        "По этой дате возраст 13 лет, а заявление за себя подают с 14 лет. "
        "За ребёнка его подаёт законный представитель.",
    ),
    (
        IssuedTooEarly(date(2004, 5, 14)),
        "Паспорт выдают с 14 лет, здесь не раньше 14.05.2004. "
        "Проверьте дату выдачи и дату рождения.",
    ),
    (
        PhoneLength(9, (10,)),
        "После +7 или 8 должно быть 10 цифр, а здесь 9. Пример: +7 912 345-67-89.",
    ),
    (
        MixedAlphabets("а"),
        "В адресе смешаны русские и латинские буквы. Проверьте раскладку у буквы «а».",
    ),
    (
        NotALogin(0),
        "Введите номер мобильного телефона, адрес электронной почты или ИНН из 12 цифр.",
    ),
    (
        NotALogin(11),
        "Введите номер мобильного телефона, адрес электронной почты или ИНН из 12 цифр. "
        "Сейчас набрано: 11 цифр.",
    ),
    (Required(), "Заполните это поле."),
    (NotAChoice(), "Выберите один из предложенных вариантов."),
    (TooLong(60), "Слишком длинно: можно не больше 60 знаков. Сократите запись."),
    (TooLong(1), "Слишком длинно: можно не больше 1 знака. Сократите запись."),
    (TooShort(5), "Слишком коротко: нужно не меньше 5 знаков. Напишите подробнее."),
    (InvalidValue("anything"), "Это значение не подходит. Проверьте поле."),
]


@pytest.mark.parametrize(("problem", "sentence"), SENTENCES, ids=[s for _, s in SENTENCES])
def test_problem_says_what_to_do(problem: InvalidValue, sentence: str) -> None:
    assert word(problem) == sentence


@pytest.mark.parametrize("sentence", [word(problem) for problem, _ in SENTENCES])
def test_sentence_ends_with_a_full_stop_and_does_not_shout(sentence: str) -> None:
    assert sentence.endswith(".")
    assert not set(sentence) & set('!"')


def test_problem_unknown_to_the_catalogue_speaks_as_its_base() -> None:
    class TooWide(TooLong):
        """Not of the domain."""

    assert word(TooWide(5)) == word(TooLong(5))


def test_form_gets_a_sentence_for_each_field() -> None:
    assert words(Invalid({"snils": Required(), "phone": PhoneLength(9, (10,))})) == {
        "snils": "Заполните это поле.",
        "phone": "После +7 или 8 должно быть 10 цифр, а здесь 9. Пример: +7 912 345-67-89.",
    }


def test_policy_warnings_show_both_sides() -> None:
    assert word_warning(BirthDiffers(date(1990, 5, 14), date(1990, 5, 15))) == (
        "В номере полиса дата рождения 14.05.1990, а в заявлении 15.05.1990. "
        "Сверьте со сканом: само по себе это не причина отказа."
    )
    assert word_warning(SexDiffers(Sex.MALE, Sex.FEMALE)).startswith(
        "В номере полиса пол мужской, а в заявлении женский."
    )
