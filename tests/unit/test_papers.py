"""Which papers an application needs: the table walked, and what no longer holds."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from emk_app.domain.documents import LIMITS, MIB, ScanKind
from emk_app.domain.intake import ATTORNEY, AppliedBy, Field, HolderCategory
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.domain.papers import MEDICAL_POINT, OFFERED_IF, REQUIRED_IF, outdated, papers
from emk_app.domain.representation import Basis
from tests.unit.test_intake import FORM, REPRESENTED, TODAY

S = ScanKind
WORKS = {each.point == MEDICAL_POINT: each.code for each in OCCUPATIONS.values()}


@pytest.mark.parametrize(
    ("is_medical", "category", "applied_by", "basis"),
    [*product((True, False), (*HolderCategory, ""), (*AppliedBy, ""), (*Basis, ""))],
)
def test_required_papers_follow_the_answers(
    is_medical: bool, category: str, applied_by: str, basis: str
):
    form = {
        Field.OCCUPATION: WORKS[is_medical],
        Field.CATEGORY: category,
        Field.APPLIED_BY: applied_by,
        Field.REPRESENTATIVE_BASIS: basis,
    }
    expected = {S.PASSPORT, S.POLICY}
    expected |= {S.DIPLOMA} if is_medical else set()
    expected |= (
        {S.STATUS_CERTIFICATE} if category in ("student", "pensioner", "disabled") else set()
    )
    if applied_by == "representative":
        expected |= {S.POWER_OF_ATTORNEY} if basis == "attorney" else set()
        expected |= {S.REPRESENTED_STATUS} if basis in ("parent", "guardian") else set()
    found = papers(form)
    assert set(found.required) == expected
    assert not set(found.required) & set(found.offered)
    assert list(found.required) == sorted(found.required, key=list(S).index)
    assert {S.SNILS, S.CONSENT, S.WORK_CERTIFICATE, S.EXAM_CERTIFICATE} <= set(found.offered)
    assert (S.REPRESENTED_STATUS in (*found.required, *found.offered)) == (
        applied_by == "representative"
    )


def test_occupations_of_point_27_alone_need_a_diploma():
    needing = {
        code for code in OCCUPATIONS if S.DIPLOMA in papers({Field.OCCUPATION: code}).required
    }
    assert needing == {each.code for each in OCCUPATIONS.values() if each.point == "27"}
    assert "nurse" in needing and "cook" not in needing


def test_date_of_an_examination_calls_for_its_certificate():
    assert S.EXAM_CERTIFICATE not in papers({Field.EXAM_CERTIFICATE_ON: " "}).required
    assert S.EXAM_CERTIFICATE in papers({Field.EXAM_CERTIFICATE_ON: "1"}).required


def test_paper_that_nothing_asks_for_any_more_can_still_be_removed():
    assert S.STATUS_CERTIFICATE not in papers({}).offered
    assert S.STATUS_CERTIFICATE in papers({}, {S.STATUS_CERTIFICATE}).offered


def test_every_paper_has_its_place_and_limit():
    asked_by_operators = {S.CLARIFICATION}
    assert {*REQUIRED_IF, *OFFERED_IF} == {*S} - asked_by_operators
    assert {kind for kind in S if LIMITS[kind] == 2 * MIB} == {S.PASSPORT, S.POLICY}
    assert {LIMITS[kind] for kind in S} == {2 * MIB, 5 * MIB}


def test_what_has_run_out_is_not_offered_again():
    form = {**FORM, **REPRESENTED, Field.EXAM_CERTIFICATE_ON: "25.11.2025"}
    assert outdated(form, TODAY) == (frozenset(), frozenset())
    fields, kinds = outdated(form, date(2027, 3, 11))
    assert fields == ATTORNEY | {Field.EXAM_CERTIFICATE_ON}
    assert kinds == {S.POWER_OF_ATTORNEY, S.EXAM_CERTIFICATE}
    assert outdated({}, TODAY) == (frozenset(), frozenset())
