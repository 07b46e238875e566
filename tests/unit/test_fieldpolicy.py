from __future__ import annotations

from datetime import date

import pytest

from emk_app.domain.actors import SYSTEM, Actor, Position, Role
from emk_app.domain.errors import NotPermitted
from emk_app.domain.fieldpolicy import (
    POLICY,
    HolderField,
    Sight,
    Viewer,
    birth_for,
    name_for,
    permit_sight,
    sees,
    sight_of,
    viewer_of,
)
from emk_app.domain.people import FullName
from emk_app.domain.sharing import SHOWN, SharedField

NAME = FullName("Иванова", "Мария", "Сергеевна")
MEDICAL = {HolderField.RESULTS, HolderField.CONCLUSION, HolderField.EXAMINATION_PAPERS}
STRANGERS = {Viewer.EMPLOYER, Viewer.BY_LINK, Viewer.BY_NUMBER}


def not_hidden(viewer: Viewer) -> set[HolderField]:
    return {field for field in HolderField if sight_of(viewer, field) is not Sight.HIDDEN}


def test_table_says_something_of_every_field_to_every_viewer():
    assert set(POLICY) == set(Viewer)
    assert all(set(row) == set(HolderField) for row in POLICY.values())


def test_holder_sees_everything_of_their_own():
    assert set(POLICY[Viewer.HOLDER].values()) == {Sight.SHOWN}


def test_medical_fields_are_the_holders_and_the_physicians():
    seeing = {viewer for viewer in Viewer for field in MEDICAL if sees(viewer, field)}
    assert seeing == {Viewer.HOLDER, Viewer.PHYSICIAN, Viewer.CHAIR}
    # A registrar learns that somebody comes again, and not why.
    assert not_hidden(Viewer.REGISTRAR) & MEDICAL == {HolderField.CONCLUSION}


@pytest.mark.parametrize("viewer", sorted(STRANGERS))
def test_strangers_learn_the_term_and_no_more_than_a_masked_name_and_what_goes_with_it(
    viewer: Viewer,
):
    allowed = {
        HolderField.NAME: Sight.MASKED,
        HolderField.BIRTH_DATE: Sight.MASKED,
        HolderField.OCCUPATION: Sight.MASKED,
        HolderField.TERM: Sight.SHOWN,
    }
    assert POLICY[viewer].items() <= {
        *allowed.items(),
        *((field, Sight.HIDDEN) for field in HolderField),
    }


def test_support_knows_the_application_and_hardly_the_person():
    assert not_hidden(Viewer.SUPPORT) == {HolderField.NAME, HolderField.APPLICATION}
    assert not MEDICAL & not_hidden(Viewer.BREAK_GLASS)
    assert HolderField.SCANS not in not_hidden(Viewer.BREAK_GLASS)


def test_administrators_see_where_a_letter_goes_and_nothing_else():
    assert not_hidden(Viewer.ADMIN) == {HolderField.PHONE, HolderField.EMAIL}
    assert not any(sees(Viewer.ADMIN, field) for field in HolderField)


def test_no_link_tells_more_than_the_table():
    fields = {
        SharedField.NAME: HolderField.NAME,
        SharedField.BIRTH_YEAR: HolderField.BIRTH_DATE,
        SharedField.OCCUPATION: HolderField.OCCUPATION,
    }
    assert set(fields) == set(SharedField)
    for shown in SHOWN.values():
        assert {fields[each] for each in shown} <= not_hidden(Viewer.BY_LINK)


def test_name_is_written_for_who_reads_it():
    assert {viewer: name_for(viewer, NAME) for viewer in Viewer} == {
        **dict.fromkeys(Viewer, "Иванова Мария Сергеевна"),
        Viewer.EMPLOYER: "Иванова М. С.",
        Viewer.BY_LINK: "Иванова М. С.",
        Viewer.SUPPORT: "Иванова М.",
        Viewer.BY_NUMBER: "И*** Мария С***",
        Viewer.ADMIN: "",
    }


def test_birth_date_is_a_day_a_year_or_nothing():
    born_on = date(1990, 3, 27)
    assert birth_for(Viewer.OPERATOR, born_on) == born_on
    assert birth_for(Viewer.BY_LINK, born_on) == 1990
    assert birth_for(Viewer.SUPPORT, born_on) is None


def test_actor_looks_in_the_capacity_of_role_and_position():
    staff = {each: Actor(1, Role.CLINIC, clinic_id=1, position=each) for each in Position}
    assert {each: viewer_of(actor) for each, actor in staff.items()} == {
        Position.REGISTRAR: Viewer.REGISTRAR,
        Position.PHYSICIAN: Viewer.PHYSICIAN,
        Position.CHAIR: Viewer.CHAIR,
    }
    for role in (Role.HOLDER, Role.OPERATOR, Role.EMPLOYER, Role.SUPPORT, Role.ADMIN):
        assert viewer_of(Actor(1, role)) == role.value


@pytest.mark.parametrize("actor", [SYSTEM, Actor(1, Role.CLINIC)])
def test_who_has_no_capacity_looks_at_nothing(actor: Actor):
    with pytest.raises(NotPermitted):
        viewer_of(actor)


def test_what_is_masked_or_hidden_is_not_permitted_in_full():
    permit_sight(Actor(1, Role.OPERATOR), HolderField.SCANS)
    for role, field in ((Role.ADMIN, HolderField.PHONE), (Role.SUPPORT, HolderField.SCANS)):
        with pytest.raises(NotPermitted):
            permit_sight(Actor(1, role), field)
