"""An employer's staff: refusals first, then what is seen and what no longer is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from emk_app import clock
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import employers
from emk_app.db.repositories.employers import StaffFilter
from emk_app.db.tables.employers import StaffEntry
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor, Post, Role
from emk_app.domain.books import BookNumber, Verdict
from emk_app.domain.employing import (
    AccessEnded,
    AccessState,
    AskedAlready,
    HasOrganisation,
    Light,
    LinkOver,
    NotALink,
    NotInvitable,
    NumbersDiffer,
    OrganisationKnown,
    light_of,
)
from emk_app.domain.errors import Invalid, NotFound, NotPermitted, Required
from emk_app.domain.sharing import ShareScope
from emk_app.services import admitting, consenting, employing, issuing, sharing
from emk_app.services.employing import Said
from tests import factories
from tests.factories import (
    acting_employer,
    made_organisation_numbers,
    make_employers_user,
    make_ending_book,
    make_officer,
)
from tests.scenes import kept

make_employer = kept(factories.make_employer)
make_holder = kept(factories.make_holder)
make_book = kept(factories.make_book)

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)
SNILS = "112-233-445 95"
"""The one that factories give every holder."""
COOK = Said("Иванова М.", "17", "Кухня", "cook")


def link_of(holder: Actor, book_id: int, now: datetime, **given: object) -> str:
    return sharing.make(holder, book_id, now=now, **given).url  # pyright: ignore[reportArgumentType]


def only_row(employer: Actor, now: datetime) -> employing.StaffView:
    (row,) = employing.roster(employer, now=now).rows
    return row


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.EMPLOYER])
def test_only_an_employer_has_staff(role: Role, now: datetime):
    actor = Actor(1, role, organisation_id=1, post=Post.OWNER)
    for act in (
        lambda: employing.organisation(actor),
        lambda: employing.found(
            actor, "Кафе", *made_organisation_numbers(), "hr@example.ru", now=now
        ),
        lambda: employing.roster(actor, now=now),
        lambda: employing.add_by_link(actor, "x", COOK, now=now),
        lambda: employing.add_by_number(actor, "1", "2", COOK, "10.0.0.1", now=now),
        lambda: employing.invite(actor, "a@example.ru", COOK, now=now),
        lambda: employing.change(actor, 1, COOK, now=now),
        lambda: employing.remove(actor, 1, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HOLDER])
def test_only_a_holder_admits(role: Role, now: datetime):
    actor = Actor(1, role)
    for act in (
        lambda: admitting.shown(actor, now=now),
        lambda: admitting.grant(actor, 1, ShareScope.VERDICT_ONLY, 30, now=now),
        lambda: admitting.refuse(actor, 1, now=now),
        lambda: admitting.end(actor, 1, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_viewer_sees_and_changes_nothing(now: datetime):
    owner = make_employer(now)
    holder = make_holder(now)
    url = link_of(holder, make_book(holder, now), now)
    entry_id = employing.add_by_link(owner, url, COOK, now=now)
    viewer = replace(owner, post=Post.VIEWER)
    assert only_row(viewer, now).id == entry_id
    for act in (
        lambda: employing.add_by_link(viewer, url, COOK, now=now),
        lambda: employing.add_by_number(viewer, "1", "2", COOK, "10.0.0.1", now=now),
        lambda: employing.invite(viewer, "a@example.ru", COOK, now=now),
        lambda: employing.change(viewer, entry_id, COOK, now=now),
        lambda: employing.remove(viewer, entry_id, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_organisation_is_checked_and_begun_once(now: datetime):
    employer, (inn, ogrn) = make_employers_user(now), made_organisation_numbers()
    with pytest.raises(NotPermitted):
        employing.roster(employer, now=now)
    with pytest.raises(Invalid) as refused:
        employing.found(employer, " ", "7707083894", "1", "нет", now=now)
    assert set(refused.value.fields) == {"name", "inn", "ogrn", "contact"}
    with pytest.raises(Invalid) as refused:
        employing.found(employer, "Кафе", "500100732259", ogrn, "hr@example.ru", now=now)
    assert isinstance(refused.value.fields["ogrn"], NumbersDiffer)
    employing.found(employer, "Кафе на Мира", inn, ogrn, "HR@Example.ru", now=now)
    shown = employing.organisation(acting_employer(employer))
    assert shown is not None
    assert (shown.name, shown.inn, shown.ogrn, shown.post) == (
        "Кафе на Мира",
        inn,
        ogrn,
        Post.OWNER,
    )
    with pytest.raises(HasOrganisation):
        employing.found(employer, "Кафе", *made_organisation_numbers(), "hr@example.ru", now=now)
    with pytest.raises(OrganisationKnown):
        employing.found(make_employers_user(now), "Кафе", inn, ogrn, "hr@example.ru", now=now)


def test_link_shows_the_verdict_until_it_is_closed(now: datetime):
    owner, holder = make_employer(now), make_holder(now)
    book_id = make_book(holder, now)
    link = sharing.make(holder, book_id, now=now)
    employing.add_by_link(owner, link.url, COOK, now=now)
    row = only_row(owner, now)
    assert (row.light, row.verdict, row.state) == (Light.GREEN, Verdict.VALID, AccessState.GRANTED)
    assert row.said == COOK
    assert row.name.startswith("Иванова")
    assert row.group
    assert row.days_left and row.days_left > 30
    assert [look.viewer for look in sharing.looks(holder)] == [employing.VIEWER]
    sharing.revoke(holder, link.id, now=now)
    row = only_row(owner, now)
    assert (row.light, row.name, row.group, row.ends_on) == (Light.GREY, "", "", None)
    with pytest.raises(Invalid) as refused:
        employing.add_by_link(owner, link.url, COOK, now=now)
    assert isinstance(refused.value.fields["link"], LinkOver)


@pytest.mark.parametrize("pasted", ["", "x", "https://example.ru/v/x", "/v/" + "a" * 26])
def test_what_is_no_link_of_ours_is_refused(pasted: str, now: datetime):
    with pytest.raises(Invalid) as refused:
        employing.add_by_link(make_employer(now), pasted, COOK, now=now)
    assert isinstance(refused.value.fields["link"], NotALink)


def test_everything_wrong_with_a_form_is_told_at_once(now: datetime):
    with pytest.raises(Invalid) as refused:
        employing.invite(make_employer(now), "500100732259", Said("", "1" * 99), now=now)
    fields = refused.value.fields
    assert isinstance(fields["contact"], NotInvitable)
    assert isinstance(fields["said_label"], Required)
    assert set(fields) == {"contact", "said_label", "said_tab"}
    with pytest.raises(Invalid) as refused:
        employing.invite(make_employer(now), "a@b.ru", Said("А", occupation="king"), now=now)
    assert set(refused.value.fields) == {"said_occupation"}


def test_number_with_snils_shows_a_masked_name_and_is_told_to_the_holder(now: datetime):
    owner, holder = make_employer(now), make_holder(now)
    card_number = book_number(make_book(holder, now))
    with pytest.raises(NotFound):
        employing.add_by_number(owner, card_number, "112-233-446 96", COOK, "10.0.0.1", now=now)
    employing.add_by_number(owner, card_number, SNILS, COOK, "10.0.0.1", now=now)
    row = only_row(owner, now)
    assert row.light is Light.GREEN
    assert "*" in row.name
    assert row.group == ""
    (seen,) = admitting.shown(holder, now=now)
    assert (seen.organisation, seen.state) == ("Кафе на Мира", AccessState.GRANTED)
    admitting.end(holder, seen.id, now=now)
    admitting.end(holder, seen.id, now=now)
    with pytest.raises(AccessEnded):
        employing.add_by_number(owner, card_number, SNILS, COOK, "10.0.0.1", now=now)


def book_number(book_id: int) -> str:
    from emk_app.db.repositories import books

    with reading() as db:
        return BookNumber.parse(books.get(db, book_id).number).digits


def test_invited_holder_grants_sees_and_ends(now: datetime):
    owner, holder = make_employer(now), make_holder(now, "ask@example.ru")
    make_book(holder, now)
    employing.invite(owner, "ask@example.ru", COOK, now=now)
    asked = only_row(owner, now)
    assert (asked.state, asked.light, asked.name) == (AccessState.INVITED, Light.GREY, "")
    with pytest.raises(AskedAlready):
        employing.invite(owner, "Ask@example.ru", COOK, now=now)
    (seen,) = admitting.shown(holder, now=now)
    for days in (0, 1, 366):
        with pytest.raises(Invalid):
            admitting.grant(holder, seen.id, ShareScope.VERDICT_ONLY, days, now=now)
    admitting.grant(holder, seen.id, ShareScope.VERDICT_ONLY, 30, now=now)
    with pytest.raises(NotFound):
        admitting.refuse(holder, seen.id, now=now)
    row = only_row(owner, now)
    assert (row.light, row.group) == (Light.GREEN, "")
    assert row.name.startswith("Иванова")
    (seen,) = admitting.shown(holder, now=now)
    assert seen.looked_at == now
    admitting.end(holder, seen.id, now=now)
    row = only_row(owner, now)
    assert (row.state, row.light, row.name, row.ends_on) == (
        AccessState.ENDED,
        Light.GREY,
        "",
        None,
    )
    with reading() as db:
        entry = db.exec(select(StaffEntry)).one()
    assert (entry.name_sealed, entry.verdict, entry.ends_on) == (None, None, None)


def test_leave_runs_out_by_itself(now: datetime):
    owner, holder = make_employer(now), make_holder(now, "term@example.ru")
    make_book(holder, now)
    employing.invite(owner, "term@example.ru", COOK, now=now)
    (seen,) = admitting.shown(holder, now=now)
    admitting.grant(holder, seen.id, ShareScope.VERDICT_ONLY, 30, now=now)
    assert only_row(owner, now + 30 * DAY - timedelta(seconds=1)).light is not Light.GREY
    row = only_row(owner, now + 30 * DAY)
    assert (row.state, row.light, row.name) == (AccessState.ENDED, Light.GREY, "")
    assert employing.roster(owner, StaffFilter(Light.GREY), now=now + 30 * DAY).found == 1


def test_refusal_is_respected_for_a_month(now: datetime):
    owner, holder = make_employer(now), make_holder(now, "no@example.ru")
    employing.invite(owner, "no@example.ru", COOK, now=now)
    (seen,) = admitting.shown(holder, now=now)
    admitting.refuse(holder, seen.id, now=now)
    assert only_row(owner, now).state is AccessState.REFUSED
    with pytest.raises(AskedAlready):
        employing.invite(owner, "no@example.ru", COOK, now=now + 29 * DAY)
    employing.invite(owner, "no@example.ru", COOK, now=now + 30 * DAY)


def test_request_of_another_is_nobodys_business(now: datetime):
    owner, other = make_employer(now), make_holder(now)
    make_holder(now, "mine@example.ru")
    entry_id = employing.invite(owner, "mine@example.ru", COOK, now=now)
    assert admitting.shown(other, now=now) == ()
    for act in (
        lambda: admitting.grant(other, entry_id, ShareScope.VERDICT_ONLY, 30, now=now),
        lambda: admitting.refuse(other, entry_id, now=now),
        lambda: admitting.end(other, entry_id, now=now),
    ):
        with pytest.raises(NotFound):
            act()


def test_staff_of_another_organisation_does_not_exist(now: datetime):
    owner, stranger = make_employer(now), make_employer(now)
    entry_id = employing.invite(owner, "who@example.ru", COOK, now=now)
    assert employing.roster(stranger, now=now).rows == ()
    for act in (
        lambda: employing.change(stranger, entry_id, COOK, now=now),
        lambda: employing.remove(stranger, entry_id, now=now),
    ):
        with pytest.raises(NotFound):
            act()


def test_nobody_learns_whether_a_contact_has_an_account(now: datetime):
    owner = make_employer(now)
    make_holder(now, "there@example.ru")
    for contact in ("there@example.ru", "nobody@example.ru"):
        employing.invite(owner, contact, COOK, now=now)
    one, two = employing.roster(owner, now=now).rows
    assert replace(one, id=0, contact="") == replace(two, id=0, contact="")


def test_change_of_the_book_is_seen_at_once(now: datetime):
    owner, holder = make_employer(now), make_holder(now)
    book_id = make_book(holder, now)
    employing.add_by_link(owner, link_of(holder, book_id, now), COOK, now=now)
    assert only_row(owner, now).light is Light.GREEN
    issuing.revoke(make_officer(now), book_id, "Подложная справка", now=now)
    row = only_row(owner, now)
    assert (row.light, row.verdict) == (Light.RED, Verdict.REVOKED)


@pytest.mark.parametrize(
    ("left", "light"), [(31, Light.GREEN), (30, Light.YELLOW), (0, Light.YELLOW), (-1, Light.RED)]
)
def test_light_by_days_is_the_same_in_the_list_and_in_its_counts(
    left: int, light: Light, now: datetime
):
    owner, holder = make_employer(now), make_holder(now)
    book_id = make_ending_book(holder, now, max(left, 0))
    employing.add_by_link(owner, link_of(holder, book_id, now, days=365), COOK, now=now)
    then = now + DAY if left < 0 else now
    found = employing.roster(owner, StaffFilter(light), now=then)
    assert found.rows[0].light is light
    assert (found.counts[light], found.found) == (1, 1)
    assert found.rows[0].days_left == left


def test_light_of_every_state_and_verdict_is_the_same_in_sql(now: datetime):
    owner, today = make_employer(now), clock.day_of(now)
    assert owner.organisation_id is not None
    entry_id = employing.invite(owner, "every@example.ru", COOK, now=now)
    for state in AccessState:
        for verdict in (None, *Verdict):
            for ends_on in (None, today - DAY, today, today + 30 * DAY, today + 31 * DAY):
                with unit_of_work() as db:
                    entry = db.get_one(StaffEntry, entry_id)
                    entry.state, entry.verdict, entry.ends_on = state, verdict, ends_on
                    db.add(entry)
                    db.flush()
                    numbers = employers.counts(db, owner.organisation_id, now, today)
                assert numbers[light_of(state, verdict, ends_on, today)] == 1


def test_list_is_filtered_sought_and_ordered_by_end(now: datetime):
    owner = make_employer(now)
    for name, left in (("Яна", 200), ("Анна", 5), ("Вера", 60)):
        holder = make_holder(now)
        url = link_of(holder, make_ending_book(holder, now, left), now)
        department = "Зал" if name == "Вера" else "Кухня"
        said = Said(name, f"0{left}", department, "cook")
        employing.add_by_link(owner, url, said, now=now)
    employing.invite(owner, "last@example.ru", Said("Без книжки"), now=now)

    def names(wanted: StaffFilter | None = None, query: str = "") -> list[str]:
        return [row.said.label for row in employing.roster(owner, wanted, query, now=now).rows]

    assert names() == ["Анна", "Вера", "Яна", "Без книжки"]
    assert names(StaffFilter(department="Кухня")) == ["Анна", "Яна"]
    assert names(StaffFilter(occupation="cook", light=Light.GREEN)) == ["Вера", "Яна"]
    assert names(query="анн") == ["Анна"]
    assert names(query="0200") == ["Яна"]
    assert names(query="last@") == ["Без книжки"]
    found = employing.roster(owner, page=99, now=now)
    assert (found.departments, found.occupations) == (("Зал", "Кухня"), ("cook",))
    assert (found.page, found.pages) == (1, 1)


def test_list_is_taken_away_in_the_order_of_the_screen_while_it_changes(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(employing, "EXPORT_PIECE", 2)
    owner = make_employer(now)
    added: dict[str, int] = {}
    for name, left in (("Яна", 200), ("Анна", 5), ("Вера", 60), ("Зоя", 90)):
        holder = make_holder(now)
        url = link_of(holder, make_ending_book(holder, now, left), now)
        added[name] = employing.add_by_link(owner, url, Said(name), now=now)
    employing.invite(owner, "last@example.ru", Said("Без книжки"), now=now)
    shown = [row.said.label for row in employing.roster(owner, now=now).rows]
    whole = employing.export(owner, now=now)
    assert [view.said.label for views in whole for view in views] == shown
    green = employing.export(owner, StaffFilter(Light.GREEN), now=now)
    assert [view.said.label for views in green for view in views] == ["Вера", "Зоя", "Яна"]
    begun = employing.export(owner, now=now)
    first = [view.said.label for view in next(begun)]
    # Who goes meanwhile is not told of, and nobody is left out or comes twice for it.
    employing.remove(owner, added["Анна"], now=now)
    employing.remove(owner, added["Зоя"], now=now)
    rest = [view.said.label for views in begun for view in views]
    assert (first, rest) == (["Анна", "Вера"], ["Яна", "Без книжки"])


def test_same_person_stands_once_and_removed_is_gone(now: datetime):
    owner, holder = make_employer(now), make_holder(now)
    book_id = make_book(holder, now)
    first = employing.add_by_link(owner, link_of(holder, book_id, now), COOK, now=now)
    again = Said("Мария", "", "Зал")
    assert employing.add_by_link(owner, link_of(holder, book_id, now), again, now=now) == first
    employing.change(owner, first, replace(again, tab="9"), now=now)
    assert only_row(owner, now).said == replace(again, tab="9")
    employing.remove(owner, first, now=now)
    assert employing.roster(owner, now=now).rows == ()
    (seen,) = admitting.shown(holder, now=now)
    assert (seen.state, seen.ended_by) == (AccessState.ENDED, Role.EMPLOYER)
    with pytest.raises(NotFound):
        employing.remove(owner, first, now=now)


def test_closed_access_is_opened_by_a_newer_link_alone(now: datetime):
    owner, holder = make_employer(now), make_holder(now)
    book_id = make_book(holder, now)
    old = link_of(holder, book_id, now)
    employing.add_by_link(owner, old, COOK, now=now)
    admitting.end(holder, admitting.shown(holder, now=now)[0].id, now=now + DAY)
    with pytest.raises(AccessEnded):
        employing.add_by_link(owner, old, COOK, now=now + 2 * DAY)
    fresh = link_of(holder, book_id, now + 2 * DAY)
    employing.add_by_link(owner, fresh, COOK, now=now + 2 * DAY)
    assert only_row(owner, now + 2 * DAY).state is AccessState.GRANTED


def test_withdrawn_consent_shuts_employers_out(now: datetime):
    owner, holder = make_employer(now), make_holder(now, "away@example.ru")
    make_book(holder, now)
    employing.invite(owner, "away@example.ru", COOK, now=now)
    (seen,) = admitting.shown(holder, now=now)
    admitting.grant(holder, seen.id, ShareScope.WITH_OCCUPATION, 90, now=now)
    assert only_row(owner, now).group
    consenting.withdraw(holder, now=now)
    row = only_row(owner, now)
    assert (row.state, row.group, row.name) == (AccessState.ENDED, "", "")


def test_nothing_personal_stands_in_clear_and_each_act_is_audited(now: datetime):
    owner, holder = make_employer(now), make_holder(now, "clear@example.ru")
    make_book(holder, now)
    employing.invite(owner, "clear@example.ru", COOK, now=now)
    (seen,) = admitting.shown(holder, now=now)
    admitting.grant(holder, seen.id, ShareScope.WITH_OCCUPATION, 90, now=now)
    employing.roster(owner, now=now)
    with reading() as db:
        entry = db.exec(select(StaffEntry)).one()
        actions = set(db.exec(select(AuditEntry.action)).all())
    assert "Иванов" not in repr(entry.model_dump())
    assert "clear@" not in repr(entry.model_dump())
    assert {"found_organisation", "invite_staff", "admit_employer", "see_staff"} <= actions
