"""What a signature comes to: one headline by a fixed order, and a Russian sentence for each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.esignature import (
    UNDECIDED,
    Algorithm,
    Chain,
    Dates,
    ESignatureCheck,
    Match,
    Outcome,
    Subject,
    match_name,
    match_snils,
)
from emk_app.domain.numbers import Snils
from emk_app.domain.people import FullName
from emk_app.presenting import esignatures

NAME = FullName("Ёлкина", "Мария", "Сергеевна")
SNILS = Snils("11223344595")
GOOD = ESignatureCheck(
    algorithm=Algorithm.GOST_256,
    intact=True,
    signature_valid=True,
    signing_certificate_bound=True,
    may_sign=True,
    chain=Chain.TRUSTED,
    dates=Dates.IN_FORCE,
    name=Match.MATCHES,
    snils=Match.MATCHES,
    subject=Subject("Ёлкина", "Мария Сергеевна", "11223344595", "500100732259"),
    issuer="Пробный центр",
    serial="0a1b",
    fingerprint="00" * 32,
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
    claimed_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
)
SPOILT = {
    Outcome.OTHER_CERTIFICATE: {"certificate_given": False},
    Outcome.TEXT_DIFFERS: {"intact": False},
    Outcome.SIGNATURE_FALSE: {"signature_valid": False},
    Outcome.NOT_BOUND: {"signing_certificate_bound": False},
    Outcome.NOT_FOR_SIGNING: {"may_sign": False},
    Outcome.ISSUER_FORGED: {"chain": Chain.FORGED},
    Outcome.NOT_YET_VALID: {"dates": Dates.NOT_YET},
    Outcome.EXPIRED: {"dates": Dates.EXPIRED},
    Outcome.NAME_DIFFERS: {"name": Match.DIFFERS},
    Outcome.SNILS_DIFFERS: {"snils": Match.DIFFERS},
    Outcome.UNKNOWN_ISSUER: {"chain": Chain.UNKNOWN_ISSUER},
    Outcome.ISSUER_OUT_OF_DATES: {"dates": Dates.ISSUER_OUT_OF_DATES},
    Outcome.NAME_ABSENT: {"name": Match.ABSENT},
    Outcome.SNILS_ABSENT: {"snils": Match.ABSENT},
}


def test_nothing_found_is_nothing_good():
    empty = ESignatureCheck()
    assert not empty.is_valid
    assert not empty.is_genuine
    assert not empty.is_undecided


@pytest.mark.parametrize("outcome", SPOILT)
def test_one_fact_against_it_is_the_headline(outcome: Outcome):
    check = replace(GOOD, **SPOILT[outcome])
    assert check.outcome is outcome
    assert not check.is_valid
    assert check.is_undecided == (outcome in UNDECIDED)


@pytest.mark.parametrize("fact", ["chain", "dates", "name", "snils"])
def test_fact_that_was_not_looked_for_is_not_in_favour(fact: str):
    assert not replace(GOOD, **{fact: None}).is_valid


def test_gravest_fact_is_told_first():
    order = list(Outcome)
    assert list(SPOILT) == [outcome for outcome in order if outcome in SPOILT]
    for worse in SPOILT:
        for lesser in SPOILT:
            changes = SPOILT[lesser] | SPOILT[worse]
            if len(changes) == 2 and order.index(worse) < order.index(lesser):
                assert replace(GOOD, **changes).outcome is worse


@pytest.mark.parametrize("refusal", list(Outcome)[: list(Outcome).index(Outcome.OTHER_CERTIFICATE)])
def test_refusal_comes_before_every_fact(refusal: Outcome):
    check = replace(GOOD, refusal=refusal)
    assert check.outcome is refusal
    assert not check.is_valid
    assert not check.is_genuine


def test_every_fact_in_favour_is_valid():
    assert GOOD.is_valid
    assert GOOD.is_genuine
    assert not GOOD.is_undecided


@pytest.mark.parametrize(
    ("surname", "given", "match"),
    [
        ("Ёлкина", "Мария Сергеевна", Match.MATCHES),
        ("ЕЛКИНА", "МАРИЯ  СЕРГЕЕВНА", Match.MATCHES),
        ("елкина ", " мария сергеевна", Match.MATCHES),
        ("Е\u0308лкина", "Мария\u00a0Сергеевна", Match.MATCHES),
        ("\u200bЁлкина", "Мария Сергеевна\u200e", Match.MATCHES),
        ("Ёлкина", "Мария", Match.DIFFERS),
        ("Ёлкина", "МарияСергеевна", Match.DIFFERS),
        ("Ёлкина", "Сергеевна Мария", Match.DIFFERS),
        ("Ёлкин", "Мария Сергеевна", Match.DIFFERS),
        ("Мария", "Ёлкина Сергеевна", Match.DIFFERS),
        ("Ёлкинa", "Мария Сергеевна", Match.DIFFERS),  # a Latin «a»
        ("Ё" * 100_000, "Мария Сергеевна", Match.DIFFERS),
        ("", "", Match.DIFFERS),
        (None, "Мария Сергеевна", Match.ABSENT),
        ("Ёлкина", None, Match.ABSENT),
    ],
)
def test_name_is_held_against_the_form(surname: str | None, given: str | None, match: Match):
    assert match_name(Subject(surname, given), NAME) is match


def test_name_without_patronymic_and_with_a_hyphen():
    name = FullName("Римский-Корсаков", "Анна-Мария")
    assert match_name(Subject("РИМСКИЙ - КОРСАКОВ", "Анна\u2013Мария"), name) is Match.MATCHES
    assert match_name(Subject("Римский Корсаков", "Анна-Мария"), name) is Match.DIFFERS
    assert match_name(Subject("Римский-Корсаков", "Анна-Мария Петровна"), name) is Match.DIFFERS


@pytest.mark.parametrize(
    ("snils", "match"),
    [
        ("11223344595", Match.MATCHES),
        ("112-233-445 95", Match.MATCHES),
        ("11223344596", Match.DIFFERS),
        ("1122334459", Match.DIFFERS),
        ("", Match.DIFFERS),
        (None, Match.ABSENT),
    ],
)
def test_snils_is_held_against_the_form(snils: str | None, match: Match):
    assert match_snils(Subject(snils=snils), SNILS) is match


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_name_of_a_certificate_gets_an_answer(surname: str, given: str):
    subject = Subject(surname, given, surname)
    assert match_name(subject, NAME) in Match
    assert match_snils(subject, SNILS) in Match


def test_subject_is_masked_in_logs():
    assert repr(GOOD.subject) == "Subject(Ё*** М***)"
    for part in ("Ёлкина", "Мария", "11223344595", "500100732259"):
        assert part not in repr(GOOD)
    assert repr(Subject()) == "Subject()"
    assert repr(Subject("", "")) == "Subject()"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_sentence_of_its_own(outcome: Outcome):
    words = esignatures.OUTCOMES[outcome]
    for check in (GOOD, ESignatureCheck(refusal=outcome)):
        said = words.sentence(check)
        assert said.endswith(".")
        assert "!" not in said
        assert "None" not in said
    assert words.word
    assert not words.word.endswith(".")


def test_sentences_differ():
    check = replace(GOOD, **SPOILT[Outcome.EXPIRED])
    said = [words.sentence(check) for words in esignatures.OUTCOMES.values()]
    assert len(set(said)) == len(said)
    words = [each.word for each in esignatures.OUTCOMES.values()]
    assert len(set(words)) == len(words)


def test_tone_says_what_the_outcome_is():
    for outcome, words in esignatures.OUTCOMES.items():
        later = outcome in UNDECIDED or outcome is Outcome.CONTAINER_CHECK_UNAVAILABLE
        valid = outcome is Outcome.VALID
        assert words.tone == ("success" if valid else "waiting" if later else "danger")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Algorithm, esignatures.ALGORITHMS),
        (Chain, esignatures.CHAINS),
        (Dates, esignatures.DATES),
        (Match, esignatures.MATCHES),
    ],
)
def test_every_fact_has_words(kind, words):
    assert set(words) == set(kind)


def test_gost_container_is_not_called_a_wrong_password():
    said = esignatures.sentence(ESignatureCheck(refusal=Outcome.CONTAINER_GOST))
    assert "неверный" not in said.lower()
    assert ".cer" in said
    assert ".sig" in said


def test_unknown_issuer_is_told_as_the_rule_words_it():
    said = esignatures.sentence(replace(GOOD, chain=Chain.UNKNOWN_ISSUER))
    assert said.startswith("Подпись математически верна, издатель не в списке доверенных.")


def test_dates_are_told():
    assert "01.01.2027 03:00" in esignatures.sentence(replace(GOOD, dates=Dates.EXPIRED))
    assert "01.01.2026 03:00" in esignatures.sentence(replace(GOOD, dates=Dates.NOT_YET))
    forever = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert (
        "31.12.9999"
        in dict(esignatures.facts(replace(GOOD, valid_until=forever)))["Срок сертификата"]
    )


def test_facts_are_told_as_far_as_they_were_seen():
    told = dict(esignatures.facts(GOOD))
    assert told["Текст заявки"] == "не изменён"
    assert told["Владелец"] == "Ёлкина Мария Сергеевна"
    assert told["Алгоритм"] == "ГОСТ Р 34.10-2012, 256 бит"
    assert esignatures.facts(ESignatureCheck(refusal=Outcome.FILE_EMPTY)) == ()
    refused = dict(esignatures.facts(replace(GOOD, refusal=Outcome.EXPIRED)))
    assert "Подпись" not in refused
    assert refused["Издатель"] == "Пробный центр"


def test_revocation_is_said_not_to_be_asked():
    assert "не проверяет" in esignatures.NOT_ASKED
