"""The demo world: whom it holds, and that building it twice changes nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.demo import people
from emk_app.demo import world as demo
from emk_app.domain.actors import Actor, Role
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.books import Verdict
from emk_app.domain.documents import ScanKind
from emk_app.services import accounts, applying, auditing, booking, scheduling, sharing, verifying
from emk_app.services.accounts import Step
from tests.conftest import make_new
from tests.scenes import Scenes


@pytest.fixture(scope="module")
def built(migrated: Scenes) -> dict[str, Actor]:
    make_new(migrated)
    return _build()


def _build() -> dict[str, Actor]:
    demo.build()
    clinic_ids = demo.demo_clinics()
    return {resident.login: demo.settle(resident, clinic_ids) for resident in people.RESIDENTS}


def counts() -> dict[str, int]:
    with reading() as db:
        return {
            table.name: db.connection()
            .execute(sa.select(sa.func.count()).select_from(table))
            .scalar_one()
            for table in SQLModel.metadata.sorted_tables
        }


def verdict_of(actor: Actor) -> Verdict:
    link = sharing.links(actor, now=clock.now())[0]
    return verifying.look(link.url.rpartition("/")[2], "Chrome", now=clock.now()).verdict


def test_clinic_of_the_demo_receives_and_somebody_has_booked(built: dict[str, Actor]):
    now = clock.now()
    chair, vera = built[people.CHAIR.login], built[people.MINOR_HOLDER.login]
    assert [each.ahead for each in scheduling.rooms(chair, now=now)] == [1, 0]
    (number,) = booking.bookable(vera, now=now)
    shown = booking.booking(vera, number.slug, now=now)
    assert shown.visit is not None and shown.visit.is_ahead


def test_everybody_the_demo_promises_is_there_and_can_sign_in(built: dict[str, Actor]):
    roles = [actor.role for actor in built.values()]
    assert roles.count(Role.HOLDER) >= 3
    assert roles.count(Role.OPERATOR) == 2
    assert len({actor.clinic_id for actor in built.values() if actor.clinic_id}) == 2
    assert {Role.EMPLOYER, Role.ADMIN} <= set(roles)
    for resident in people.RESIDENTS:
        step = accounts.begin_sign_in(
            "d" * 64, resident.login, people.PASSWORD, source=resident.login, now=clock.now()
        )
        assert step is Step.CODE


def test_holders_stand_in_different_stages(built: dict[str, Actor]):
    now = clock.now()
    anna = built[people.DRAFT_HOLDER.login]
    draft = applying.standing_draft(anna, now=now)
    assert draft is not None
    boris = applying.overview(built[people.WAITING_HOLDER.login], now=now)
    assert [case.status for case in boris.cases] == [ApplicationStatus.UNDER_REVIEW]


def test_minor_has_shown_what_a_represented_student_must(built: dict[str, Actor]):
    vera = built[people.MINOR_HOLDER.login]
    (case,) = applying.overview(vera, now=clock.now()).cases
    assert case.status is ApplicationStatus.RECEIVED
    seen = applying.case(vera, case.number.slug, now=clock.now())
    assert {ScanKind.STATUS_CERTIFICATE, ScanKind.REPRESENTED_STATUS} < {
        scan.kind for scan in seen.scans
    }


def test_links_show_a_valid_an_expired_and_a_revoked_book(built: dict[str, Actor]):
    assert verdict_of(built[people.BOOK_HOLDER.login]) is Verdict.VALID
    assert verdict_of(built[people.EXPIRED_HOLDER.login]) is Verdict.TERM_PASSED
    assert verdict_of(built[people.REVOKED_HOLDER.login]) is Verdict.REVOKED


def test_building_twice_changes_nothing(built: dict[str, Actor]):
    before = counts()
    assert _build() == built
    assert counts() == before
    assert before["clinics"] >= 2000


def test_audit_chain_of_the_whole_story_holds(built: dict[str, Actor]):
    with reading() as db:
        assert auditing.first_broken(db) is None
