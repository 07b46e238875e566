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
        decisions.questions([], " \n ")
    with pytest.raises(TooLong):
        decisions.questions([], "а" * 501)
    assert decisions.questions([], " Какой\nадрес? ") == "Какой адрес?"


def test_prepared_questions_come_a_line_each_before_the_operators_own_words() -> None:
    said = decisions.questions([("СНИЛС", "differs"), ("Паспорт", "cut")], "Спасибо.")
    first, second, own = said.splitlines()
    assert first.startswith("СНИЛС: не совпадает") and second.startswith("Паспорт: виден не")
    assert own == "Спасибо."
    with pytest.raises(NotAChoice):
        decisions.questions([("СНИЛС", "мой_повод")], "Спасибо.")


def test_every_prepared_question_is_about_a_field_or_a_paper_and_says_what_to_do() -> None:
    both = [*decisions.prepared_for(paper=False), *decisions.prepared_for(paper=True)]
    assert {each.code for each in both} == set(decisions.PREPARED) and len(both) > 6
    assert all(each.text.endswith(".") for each in both)
