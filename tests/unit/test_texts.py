"""Every error has a Russian sentence that says what to do next."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import emk_app.domain
import emk_app.services
from emk_app.domain.actors import Position, Role
from emk_app.domain.errors import DomainError, InvalidValue
from emk_app.presenting import texts

for package in (emk_app.domain, emk_app.services):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)


def kinds(of: type[DomainError]) -> Iterator[type[DomainError]]:
    for kind in of.__subclasses__():
        if not issubclass(kind, InvalidValue) and kind.__module__.startswith("emk_app."):
            yield kind
            yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted(set(kinds(DomainError)), key=lambda kind: kind.__name__))
def test_error_has_a_sentence_of_its_own(kind: type[DomainError]):
    assert kind in texts.ERRORS, f"presenting/texts.py has no sentence for {kind.__name__}"


def test_sentences_end_with_a_point_and_never_shout():
    for kind, word in texts.ERRORS.items():
        if kind.__init__ is DomainError.__init__:
            said = word(kind())
            assert said.endswith(".")
            assert "!" not in said


@pytest.mark.parametrize("kind", [Role, Position])
def test_every_role_and_position_has_a_word(kind: type[Role] | type[Position]):
    words = texts.ROLES if kind is Role else texts.POSITIONS
    assert set(words) == set(kind)


def test_stranger_to_the_catalogue_is_never_shown():
    with pytest.raises(TypeError):
        texts.sentence(ValueError("secret"))
