"""Passwords that are guessed first, and those that are not."""

from __future__ import annotations

import pytest

from emk_app.domain import guessing
from emk_app.domain.accounts import PasswordNamesLogin, check_new_password


@pytest.mark.parametrize(
    "password",
    [
        "123456789012",
        "1qaz2wsx3edc",
        "1q2w3e4r5t6y",
        "qwerty123456",
        "QwertyQwerty",
        "P@ssw0rd2026!",
        "password12345",
        "йцукенгшщзхъ",
        "Qazwsxedc123",
        "gfhjkm123456",
        "ghbdtn123456",
        "пароль2026!!",
        "зфыыцщкв1234",
        "Парольпароль",
        "НаташаСергей",
        "Moskva2024!!",
        "электроннаямедкнижка",
        "абвгдеёжзийк",
        "9876543210987",
        "aaaabbbbcccc",
        "тропатропатропа",
        "ytrewq654321",
    ],
)
def test_common_password_is_known_in_every_disguise(password: str):
    assert guessing.is_common(password)


@pytest.mark.parametrize(
    "password",
    [
        "лесная тропа 42",
        "вечерний поезд 17",
        "correct horse battery",
        "Наташа купила три арбуза",
        "k3Zq0vTw9LmX",
        "мой синий велосипед",
        "привет из старого дома",
    ],
)
def test_sentence_or_chance_is_no_common_password(password: str):
    assert not guessing.is_common(password)


def test_words_are_in_small_letters_and_once():
    assert len(guessing.words()) > 300
    assert all(word == word.casefold().strip() for word in guessing.words())


def test_long_text_is_looked_at_whole():
    assert guessing.is_common("qwerty12" * 16)
    assert not guessing.is_common("qwerty12" * 15 + "тропинка")


@pytest.mark.parametrize(
    ("password", "own"),
    [
        ("лес anna@example.ru лес", "anna@example.ru"),
        ("тропа vetrova лес", "vetrova@example.ru"),
        ("тропа Ветрова лес", "Ветрова Анна Львовна"),
        ("тропа 8 916 555-01-02", "+79165550102"),
        ("лес 500100732259 лес", "500100732259"),
    ],
)
def test_password_may_not_contain_what_strangers_know(password: str, own: str):
    with pytest.raises(PasswordNamesLogin):
        check_new_password(password, "", own)
    assert check_new_password(password, "", "zakharov@mail.example") == password
