"""Undoing a decision: the full product of where it stands and who acts."""

from __future__ import annotations

import itertools

import pytest

from emk_app.domain import reversals
from emk_app.domain.actors import Role
from emk_app.domain.applications import (
    ApplicationStatus,
    PapersTrack,
    advance,
    advance_papers,
)
from emk_app.domain.errors import NotPermitted, Required, TransitionNotAllowed
from emk_app.domain.reversals import NotReversible, Replaced, SameEyes
from emk_app.domain.values import TooLong

A, P = ApplicationStatus, PapersTrack
UNDONE = {("under_review", "approved"), ("rejected", "rejected")}
PRODUCT = list(itertools.product(A, P, Role))


@pytest.mark.parametrize(("status", "papers", "role"), PRODUCT)
def test_decision_is_undone_only_by_the_table_and_by_two_operators(
    status: A, papers: P, role: Role
) -> None:
    def undo(asked_by: int, confirmed_by: int) -> tuple[A, P]:
        return reversals.reverse(status, papers, role, asked_by=asked_by, confirmed_by=confirmed_by)

    if (status, papers) not in UNDONE:
        with pytest.raises(TransitionNotAllowed):
            undo(1, 2)
    elif role is not Role.OPERATOR:
        with pytest.raises(NotPermitted):
            undo(1, 2)
    else:
        assert undo(1, 2) == (A.UNDER_REVIEW, P.WAITING)
        with pytest.raises(SameEyes):
            undo(2, 2)


@pytest.mark.parametrize("role", Role)
def test_nobody_undoes_a_decision_by_an_ordinary_step(role: Role) -> None:
    with pytest.raises(TransitionNotAllowed):
        advance(A.REJECTED, A.UNDER_REVIEW, role)
    for papers in (P.APPROVED, P.REJECTED):
        with pytest.raises(TransitionNotAllowed):
            advance_papers(papers, P.WAITING, role)


@pytest.mark.parametrize(("status", "papers"), list(itertools.product(A, P)))
def test_wish_is_taken_only_where_the_decision_can_be_undone(status: A, papers: P) -> None:
    if (status, papers) in UNDONE:
        reversals.permit_reversal(status, papers, ())
    else:
        with pytest.raises(NotReversible):
            reversals.permit_reversal(status, papers, ())


@pytest.mark.parametrize("later", A)
def test_refusal_stays_once_the_holder_has_begun_anew(later: A) -> None:
    if later in {A.REJECTED, A.WITHDRAWN, A.EXPIRED}:
        reversals.permit_reversal(A.REJECTED, P.REJECTED, [later])
    else:
        with pytest.raises(Replaced):
            reversals.permit_reversal(A.REJECTED, P.REJECTED, [later])
    reversals.permit_reversal(A.UNDER_REVIEW, P.APPROVED, [later])


def test_reason_says_something_of_reasonable_length() -> None:
    with pytest.raises(Required):
        reversals.reason(" \n ")
    with pytest.raises(TooLong):
        reversals.reason("а" * 501)
    assert reversals.reason(" Не тот\nчеловек. ") == "Не тот человек."
