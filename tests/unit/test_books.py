from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.domain.actors import Role
from emk_app.domain.books import (
    FIRST_FORMAT,
    BookContent,
    BookFacts,
    BookNumber,
    BookStatus,
    BookUnreadable,
    Cause,
    Standing,
    Verdict,
    advance_book,
    book_lines,
    book_vaccinations,
    dated_lines,
    document,
    judge,
    read,
    short_hash,
    valid_until,
    years_of_validity,
)
from emk_app.domain.clearance import Conclusion, DatedItem, Fitness, Light
from emk_app.domain.errors import NotPermitted, Required, TransitionNotAllowed
from emk_app.domain.examinations import ExaminationKind, TestResult, parse_entry, programme
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.domain.people import FullName, Sex
from emk_app.domain.sharing import LinkState, ShareLink, ShareScope
from emk_app.domain.vaccinations import Dose, RecordKind, Vaccination
from emk_app.domain.values import NotDigits, WrongLength

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(("age", "years"), [(0, 3), (13, 3), (14, 5), (65, 5), (66, 4), (100, 4)])
def test_term_depends_on_the_age_at_issue(age: int, years: int) -> None:
    assert years_of_validity(age) == years


@pytest.mark.parametrize(
    ("issued_on", "born_on", "until"),
    [
        (date(2026, 11, 23), date(1990, 5, 14), date(2031, 11, 23)),
        (date(2026, 11, 23), date(2012, 11, 24), date(2029, 11, 23)),  # 14 tomorrow
        (date(2026, 11, 23), date(2012, 11, 23), date(2031, 11, 23)),  # 14 today
        (date(2026, 11, 23), date(1960, 11, 24), date(2031, 11, 23)),  # 66 tomorrow
        (date(2026, 11, 23), date(1960, 11, 23), date(2030, 11, 23)),  # 66 today
        (date(2028, 2, 29), date(1990, 5, 14), date(2033, 2, 28)),
        (date(2028, 2, 29), date(1950, 5, 14), date(2032, 2, 29)),
        (date(2026, 2, 28), date(2012, 2, 29), date(2029, 2, 28)),  # 14 on 1 March
    ],
)
def test_book_lasts_through_the_day_of_the_same_number(
    issued_on: date, born_on: date, until: date
) -> None:
    assert valid_until(issued_on, born_on) == until


NUMBER = BookNumber(86, 1, 123, 26)


def test_book_number_has_twelve_digits_in_four_groups() -> None:
    assert NUMBER.shown == str(NUMBER) == "86-01-000123-26"
    assert NUMBER.digits == "860100012326"


@pytest.mark.parametrize("text", ["86-01-000123-26", "860100012326", " 86 01 000123\u201326 "])
def test_book_number_is_read_with_any_blanks_and_dashes(text: str) -> None:
    assert BookNumber.parse(text) == NUMBER


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", Required), ("86010001232", WrongLength), ("86-01-00O123-26", NotDigits)],
)
def test_wrong_book_number_is_refused(text: str, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        BookNumber.parse(text)


@pytest.mark.parametrize(
    "parts", [(100, 1, 1, 26), (1, 100, 1, 26), (1, 1, 10**6, 26), (1, 1, 1, 2026)]
)
def test_number_that_does_not_fit_is_never_made(parts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="no such book number"):
        BookNumber(*parts)


@given(st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_any_twelve_digits_are_read_back(digits: str) -> None:
    assert BookNumber.parse(digits).digits == digits


B = BookStatus
KEEPERS = {Role.OPERATOR, Role.SYSTEM}
ALLOWED = {
    (B.FORMED, B.ACTIVE): {Role.HOLDER},
    (B.ACTIVE, B.SUSPENDED): KEEPERS,
    (B.SUSPENDED, B.ACTIVE): KEEPERS,
    (B.FORMED, B.REVOKED): KEEPERS,
    (B.ACTIVE, B.REVOKED): KEEPERS,
    (B.SUSPENDED, B.REVOKED): KEEPERS,
}


@pytest.mark.parametrize(("source", "target", "role"), list(itertools.product(B, B, Role)))
def test_book_moves_only_by_the_table(source: B, target: B, role: Role) -> None:
    by = ALLOWED.get((source, target), set())
    if role in by:
        assert advance_book(source, target, role) is target
    else:
        with pytest.raises(NotPermitted if by else TransitionNotAllowed):
            advance_book(source, target, role)


STUDIES = programme("23", 36, Sex.FEMALE, ExaminationKind.PRE_PLACEMENT, TODAY)
RESULTS = (
    TestResult("bp", "120/80", deviation=False, performed_on=TODAY),
    TestResult("vision", "1.0/0.6", deviation=True, performed_on=TODAY),
    TestResult("typhoid", "not_found", deviation=False, performed_on=TODAY),
    parse_entry(STUDIES[-1], "01.11.2026", TODAY),
)
CONTENT = BookContent(
    number=NUMBER,
    version=2,
    previous_hash="ab" * 32,
    salt="0f" * 16,
    holder=FullName("Иванова", "Мария", "Сергеевна"),
    born_on=date(1990, 5, 14),
    snils="11223344595",
    occupation=OCCUPATIONS["cook"],
    work=OCCUPATIONS["cook"].work_point.name,
    examination=ExaminationKind.PRE_PLACEMENT,
    lines=book_lines(STUDIES, RESULTS),
    conclusion=Conclusion(Fitness.FIT_WITH_RESTRICTIONS, restrictions="Работа в очках"),
    concluded_on=TODAY,
    clinic_name="ГБУЗ «Городская поликлиника № 1»",
    clinic_oid="1.2.643.5.1.13.13.12.2.77.1",
    clinic_okpo="00032537",
    chair_name="Петров Пётр Петрович",
    issued_on=TODAY,
    valid_until=date(2031, 11, 23),
)


def test_lines_are_in_the_order_of_the_programme_in_words_with_dates() -> None:
    assert [
        (line.code, line.value, line.unit, line.deviation, line.valid_until)
        for line in CONTENT.lines
    ] == [
        ("bp", "120/80", "мм рт. ст.", False, date(2027, 11, 23)),
        ("vision", "1,0/0,6", "", True, date(2027, 11, 23)),
        ("typhoid", "не обнаружено", "", False, None),
        ("hygiene", "01.11.2026", "", False, date(2027, 11, 1)),
    ]


def test_attestation_is_found_among_the_lines() -> None:
    assert CONTENT.attestation == CONTENT.lines[-1]
    assert replace(CONTENT, lines=()).attestation is None


def test_document_says_everything_the_book_says() -> None:
    said = json.dumps(document(CONTENT), ensure_ascii=False)
    for words in (
        "860100012326",
        "Иванова",
        "1990-05-14",
        "11223344595",
        "Повар",
        "контакт с пищевыми продуктами",
        "120/80",
        "Работа в очках",
        "fit_with_restrictions",
        "Городская поликлиника",
        "1.2.643.5.1.13.13.12.2.77.1",
        "00032537",
        "Петров",
        "2031-11-23",
        "ab" * 32,
        "0f" * 16,
    ):
        assert words in said


def leaves(value: Any) -> list[Any]:
    match value:
        case dict():
            return [leaf for each in (*value, *value.values()) for leaf in leaves(each)]
        case list():
            return [leaf for each in value for leaf in leaves(each)]
        case _:
            return [value]


def test_document_is_made_of_words_whole_numbers_and_truth_alone() -> None:
    bare = replace(CONTENT, holder=FullName("Ким", "Юн"), previous_hash="")
    kinds = {type(leaf) for leaf in leaves(document(bare))}
    assert kinds == {str, int, bool}


def test_document_is_in_composed_form() -> None:
    decomposed = replace(CONTENT, chair_name="Андрей".replace("й", "и\u0306"))
    assert document(decomposed) == document(replace(CONTENT, chair_name="Андрей"))


def test_document_reads_back_as_the_same_content() -> None:
    assert read(json.loads(json.dumps(document(CONTENT)))) == CONTENT


words = st.text(alphabet="абвйёЁ -«»", max_size=8)


@given(words, words, st.none() | st.dates(), st.integers(1, 999), words, st.sampled_from(Fitness))
def test_any_content_reads_back(
    last: str, name: str, until: date | None, version: int, note: str, fitness: Fitness
) -> None:
    line = replace(CONTENT.lines[0], name=name, valid_until=until)
    content = replace(
        CONTENT,
        holder=FullName(last, "Мария"),
        version=version,
        lines=(line,),
        conclusion=Conclusion(fitness, note, until, note),
    )
    assert read(document(content)) == content


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda signed: signed.pop(key)


def test_what_was_signed_in_the_first_format_is_read_for_ever() -> None:
    first = replace(CONTENT, format=FIRST_FORMAT)
    signed = document(first)
    assert signed.keys().isdisjoint({"vaccinations", "cause", "made_on", "standing"})
    assert read(json.loads(json.dumps(signed))) == first


def test_vaccinations_are_stated_as_recorded() -> None:
    told = Vaccination("measles", RecordKind.DONE, date(2026, 3, 4), Dose.V1, "ЖКВ", "A-17")
    exempt = Vaccination("flu", RecordKind.EXEMPTION, TODAY, until=date(2027, 3, 4))
    said = replace(
        CONTENT,
        vaccinations=book_vaccinations([told, exempt]),
        cause=Cause.VACCINATION,
        made_on=TODAY,
        standing=Standing.SUSPENDED,
    )
    assert read(json.loads(json.dumps(document(said)))) == said
    assert [(each.name, each.dose, each.until) for each in said.vaccinations] == [
        ("Корь", "V1", None),
        ("Грипп", "", date(2027, 3, 4)),
    ]


@pytest.mark.parametrize(
    "spoil",
    [
        *map(without, document(CONTENT)),
        lambda signed: signed.update(more="words"),
        lambda signed: signed.update(format="emk-book/3"),
        lambda signed: signed.update(format=FIRST_FORMAT),
        lambda signed: signed.update(standing="gone"),
        lambda signed: signed.update(vaccinations=[{}]),
        lambda signed: signed.update(number="8601000123"),
        lambda signed: signed.update(issued_on="23.11.2026"),
        lambda signed: signed.update(holder="Иванова"),
        lambda signed: signed["holder"].update(sex="female"),
        lambda signed: signed["conclusion"].update(fitness="excellent"),
        lambda signed: signed["examination"]["lines"][0].update(colour="red"),
        lambda signed: signed["examination"].update(lines=None),
    ],
)
def test_document_that_says_less_or_more_is_unreadable(
    spoil: Callable[[dict[str, Any]], object],
) -> None:
    signed = document(CONTENT)
    spoil(signed)
    with pytest.raises(BookUnreadable):
        read(signed)


@pytest.mark.parametrize("nothing", [None, [], "", 5, {}])
def test_what_is_no_document_is_unreadable(nothing: object) -> None:
    with pytest.raises(BookUnreadable):
        read(nothing)


def test_content_stays_out_of_the_representation() -> None:
    assert repr(CONTENT) == "BookContent(86-01-000123-26 v2)"
    assert repr(CONTENT.lines[0]) == "BookLine(bp)"


def test_short_hash_is_the_first_sixteen_digits_in_fours() -> None:
    assert short_hash("3f7a91c05be244d1" + "0" * 48) == "3F7A-91C0-5BE2-44D1"


LINK = ShareLink(ShareScope.VERDICT_ONLY, NOW + DAY, looks_allowed=5, looks_taken=4)
VALID = BookFacts(
    signature_genuine=True,
    version=2,
    current_version=2,
    status=BookStatus.ACTIVE,
    valid_until=TODAY,
    items=(DatedItem("bp", TODAY, TODAY), DatedItem("typhoid", TODAY, None)),
    link=LINK,
)

FLIPS: dict[Verdict, dict[str, Any]] = {
    Verdict.LINK_REVOKED: {"link": replace(LINK, revoked_at=NOW)},
    Verdict.LINK_EXPIRED: {"link": replace(LINK, expires_at=NOW)},
    Verdict.LINK_EXHAUSTED: {"link": replace(LINK, looks_taken=5)},
    Verdict.NOT_GENUINE: {"signature_genuine": False},
    Verdict.REVOKED: {"status": BookStatus.REVOKED},
    Verdict.SUSPENDED: {"status": BookStatus.SUSPENDED},
    Verdict.SUPERSEDED: {"current_version": 3},
    Verdict.NOT_RECEIVED: {"status": BookStatus.FORMED},
    Verdict.TERM_PASSED: {"valid_until": TODAY - DAY},
    Verdict.ITEMS_OVERDUE: {"items": (DatedItem("bp", TODAY, TODAY - DAY),)},
}


def test_every_verdict_but_valid_has_its_flip_in_the_order_of_headlines() -> None:
    assert [*FLIPS, Verdict.VALID] == list(Verdict)


@pytest.mark.parametrize("verdict", FLIPS)
def test_one_fact_flipped_makes_a_valid_book_not_valid_for_that_reason_alone(
    verdict: Verdict,
) -> None:
    judgement = judge(replace(VALID, **FLIPS[verdict]), NOW, TODAY)
    assert (judgement.verdict, judgement.reasons) == (verdict, (verdict,))
    assert not judgement.is_valid


@given(st.sets(st.sampled_from(list(FLIPS)), min_size=1))
def test_several_facts_flipped_are_all_told_and_the_first_is_the_headline(
    flipped: set[Verdict],
) -> None:
    facts = VALID
    for verdict in sorted(flipped, key=list(Verdict).index):
        facts = replace(facts, **FLIPS[verdict])
    judgement = judge(facts, NOW, TODAY)
    last_of_its_fact = {
        verdict
        for verdict in flipped
        if all(getattr(facts, name) == value for name, value in FLIPS[verdict].items())
    }
    assert set(judgement.reasons) == last_of_its_fact
    assert (
        judgement.verdict == judgement.reasons[0] == min(last_of_its_fact, key=list(Verdict).index)
    )


facts = st.builds(
    BookFacts,
    signature_genuine=st.booleans(),
    version=st.integers(1, 3),
    current_version=st.integers(1, 3),
    status=st.sampled_from(BookStatus),
    valid_until=st.dates(TODAY - 2 * DAY, TODAY + 2 * DAY),
    items=st.lists(
        st.builds(
            DatedItem,
            st.just("bp"),
            st.none() | st.just(TODAY),
            st.none() | st.dates(TODAY - 2 * DAY, TODAY + 2 * DAY),
        ),
        max_size=2,
    ).map(tuple),
    link=st.none()
    | st.builds(
        ShareLink,
        st.just(ShareScope.VERDICT_ONLY),
        st.sampled_from([NOW - DAY, NOW, NOW + DAY]),
        st.none() | st.just(NOW),
        st.none() | st.just(1),
        st.integers(0, 1),
    ),
)


@given(facts)
def test_book_is_valid_exactly_when_everything_holds(found: BookFacts) -> None:
    holds = (
        found.signature_genuine
        and found.version == found.current_version
        and found.status is BookStatus.ACTIVE
        and found.valid_until >= TODAY
        and bool(found.items)
        and all(
            each.performed_on and (each.valid_until is None or each.valid_until >= TODAY)
            for each in found.items
        )
        and (
            found.link is None
            or (
                found.link.revoked_at is None
                and found.link.expires_at > NOW
                and (found.link.looks_allowed is None or found.link.looks_taken < 1)
            )
        )
    )
    judgement = judge(found, NOW, TODAY)
    assert judgement.is_valid is holds
    assert judgement.is_valid is (judgement.reasons == ())


def test_valid_book_says_each_fact() -> None:
    judgement = judge(VALID, NOW, TODAY)
    assert judgement.verdict is Verdict.VALID
    assert judgement.signature_genuine
    assert judgement.received
    assert judgement.superseded_by is None
    assert not any((judgement.revoked, judgement.suspended, judgement.term_passed))
    assert (judgement.valid_until, judgement.days_left) == (TODAY, 0)
    assert judgement.readiness.light is Light.YELLOW
    assert judgement.link is LinkState.ALIVE


def test_facts_of_a_failing_book_are_told_apart() -> None:
    found = replace(
        VALID,
        current_version=5,
        status=BookStatus.SUSPENDED,
        valid_until=TODAY - 2 * DAY,
        items=(
            DatedItem("bp", TODAY, TODAY - DAY),
            DatedItem("xray", TODAY, TODAY - 3 * DAY),
            DatedItem("ecg", None, None),
        ),
        link=None,
    )
    judgement = judge(found, NOW, TODAY)
    assert judgement.verdict is Verdict.SUSPENDED
    assert judgement.superseded_by == 5
    assert judgement.suspended
    assert not judgement.revoked
    assert (judgement.term_passed, judgement.days_left) == (True, -2)
    assert judgement.items_overdue_since == TODAY - 2 * DAY
    assert [state.code for state in judgement.readiness.overdue] == ["bp", "xray", "ecg"]
    assert judgement.link is None


def test_book_without_a_single_study_is_not_valid() -> None:
    assert judge(replace(VALID, items=()), NOW, TODAY).verdict is Verdict.ITEMS_OVERDUE


def test_version_newer_than_the_current_one_is_not_valid() -> None:
    assert not judge(replace(VALID, current_version=1), NOW, TODAY).is_valid


def test_dead_link_and_false_signature_disclose_nothing() -> None:
    closed = {
        verdict
        for verdict, flip in FLIPS.items()
        if not judge(replace(VALID, **flip), NOW, TODAY).disclosable
    }
    assert closed == {
        Verdict.LINK_REVOKED,
        Verdict.LINK_EXPIRED,
        Verdict.LINK_EXHAUSTED,
        Verdict.NOT_GENUINE,
    }
    assert judge(replace(VALID, link=None), NOW, TODAY).disclosable


def test_book_of_a_real_content_is_valid_until_its_first_study_is_over() -> None:
    found = replace(VALID, valid_until=CONTENT.valid_until, items=dated_lines(CONTENT))
    last = date(2027, 11, 1)  # the attestation
    moment = LINK.expires_at - timedelta(seconds=1)
    assert judge(found, moment, last).is_valid
    after = judge(found, moment, last + DAY)
    assert (after.verdict, after.items_overdue_since) == (Verdict.ITEMS_OVERDUE, last + DAY)
