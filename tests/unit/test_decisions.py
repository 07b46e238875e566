from __future__ import annotations

import pytest

from emk_app.domain import decisions
from emk_app.domain.errors import NotAChoice, Required
from emk_app.domain.values import TooLong


@pytest.mark.parametrize(("code", "problem"), [("", Required), ("мой_повод", NotAChoice)])
def test_only_a_ground_of_the_list_is_taken(code: str, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        decisions.ground(code)


def test_ground_that_says_nothing_by_itself_needs_the_operators_words() -> None:
    for chosen in decisions.GROUNDS.values():
        if chosen.needs_note:
            with pytest.raises(Required):
                decisions.note_for(chosen, " ")
        else:
            assert decisions.note_for(chosen, "") == ""
            assert decisions.words(chosen, "") == chosen.text != ""


def test_holder_reads_the_ground_and_then_the_operators_words() -> None:
    chosen = decisions.ground("not_in_force")
    said = decisions.words(chosen, decisions.note_for(chosen, "Срок полиса\nистёк."))
    assert said == f"{chosen.text} Срок полиса истёк."


def test_question_is_asked_in_words_of_reasonable_length() -> None:
    with pytest.raises(Required):
        decisions.question(" \n ")
    with pytest.raises(TooLong):
        decisions.question("а" * 501)
    assert decisions.question(" Какой\nадрес? ") == "Какой адрес?"
