"""The employer's list and the holder's list of employers, in two tabs at once."""

from __future__ import annotations

from typing import Any

import pytest

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.repositories import employers
from emk_app.domain.actors import Actor, Role
from emk_app.services import accounts, employing, sharing
from emk_app.services.employing import Said
from emk_app.states.employer import EMPLOYER, EmployersState, EmployerState
from tests.factories import PASSWORD, SECRET, make_book, make_holder
from tests.states.conftest import Screen, Screens

ACCESS = "/cabinet/book/access"
ORGANISATION = {
    "name": "Кафе на Мира",
    "inn": "7707083893",
    "ogrn": "1027700132195",
    "contact": "hr@example.ru",
}
SAID = {"label": "Иванова М.", "tab": "17", "department": "Кухня", "occupation": "cook"}
NONSENSE: tuple[Any, ...] = (None, -1, 10**30, True, "", "x" * 5000, [], {}, {"a": [1]})


def made_employer() -> int:
    return accounts.create_user(
        Role.EMPLOYER,
        "hr@example.ru",
        PASSWORD,
        totp_secret=SECRET,
        name="Кафе на Мира",
        now=clock.now(),
    )


def made_owner() -> Actor:
    actor = Actor(made_employer(), Role.EMPLOYER)
    employing.found(actor, *ORGANISATION.values(), now=clock.now())
    with reading() as db:
        return employers.acting(db, actor)


async def employers_tab(screens: Screens, user_id: int) -> Screen:
    screen = await screens.signed_in(user_id)
    await screen.follow(EmployerState.follow, EMPLOYER)
    await screen.until(EmployerState, lambda state: state.is_loaded)
    return screen


async def test_organisation_is_begun_on_the_page(screens: Screens):
    tab = await employers_tab(screens, made_employer())
    assert (await tab.state(EmployerState)).organisation.name == ""
    await tab.send(EmployerState.begin({**ORGANISATION, "inn": "1"}), EMPLOYER)
    state = await tab.state(EmployerState)
    assert state.errors["inn"]
    assert not state.errors["name"]
    await tab.send(EmployerState.begin(ORGANISATION), EMPLOYER)
    assert tab.gone_to == EMPLOYER
    await tab.follow(EmployerState.follow, EMPLOYER)
    state = await tab.until(EmployerState, lambda state: state.organisation.may_edit)
    assert "7707083893" in state.organisation.about
    assert (state.is_empty, state.staff) == (True, [])


async def test_added_by_link_and_followed_until_the_link_is_closed(screens: Screens):
    owner, holder = made_owner(), make_holder(clock.now())
    book_id = make_book(holder, clock.now())
    link = sharing.make(holder, book_id, now=clock.now())
    tab = await employers_tab(screens, owner.user_id)
    await tab.send(EmployerState.add({**SAID, "label": "", "link": "x"}), EMPLOYER)
    state = await tab.state(EmployerState)
    assert state.errors["label"]
    assert state.errors["link"]
    await tab.send(EmployerState.add({**SAID, "link": link.url}), EMPLOYER)
    (row,) = (await tab.state(EmployerState)).staff
    assert (row.label, row.tone, row.state) == ("Иванова М.", "success", "Действует")
    assert row.until
    assert "дн" in row.left
    sharing.revoke(holder, link.id, now=clock.now())
    state = await tab.until(EmployerState, lambda state: state.staff[0].tone == "neutral")
    assert (state.staff[0].state, state.staff[0].name) == ("Ссылка закрыта", "")


async def test_invited_holder_answers_and_ends_while_the_employer_watches(screens: Screens):
    owner, holder = made_owner(), make_holder(clock.now(), "ask@example.ru")
    make_book(holder, clock.now())
    theirs = await employers_tab(screens, owner.user_id)
    mine = await screens.signed_in(holder.user_id)
    await mine.follow(EmployersState.follow, ACCESS)
    await mine.until(EmployersState, lambda state: state.is_loaded)
    await theirs.send(EmployerState.choose_way("invitation"), EMPLOYER)
    await theirs.send(EmployerState.add({**SAID, "invited": "ask@example.ru"}), EMPLOYER)
    state = await mine.until(EmployersState, lambda state: bool(state.asking))
    (request,) = state.asking
    assert request.organisation == "Кафе на Мира"
    form = {"entry": str(request.id), "employer_scope": "verdict_only", "employer_days": "90"}
    await mine.send(EmployersState.grant(form | {"employer_counted": "on"}), ACCESS)
    await theirs.until(EmployerState, lambda state: state.staff[0].tone == "success")
    state = await mine.state(EmployersState)
    assert (state.asking, state.others[0].is_granted) == ([], True)
    assert state.others[0].is_counted
    await mine.send(EmployersState.be_counted(request.id, False), ACCESS)
    assert not (await mine.state(EmployersState)).others[0].is_counted
    await mine.send(EmployersState.be_counted(request.id, True), ACCESS)
    assert (await mine.state(EmployersState)).others[0].is_counted
    await mine.send(EmployersState.end(request.id), ACCESS)
    state = await theirs.until(EmployerState, lambda state: state.staff[0].tone == "neutral")
    assert (state.staff[0].state, state.staff[0].name) == ("Доступ завершён", "")
    assert (await mine.state(EmployersState)).others[0].state == "закрыт вами"


async def test_refused_request_is_told_as_no_more_than_that(screens: Screens):
    owner, holder = made_owner(), make_holder(clock.now(), "no@example.ru")
    entry_id = employing.invite(owner, "no@example.ru", Said("Анна"), now=clock.now())
    mine = await screens.signed_in(holder.user_id)
    await mine.send(EmployersState.refuse(entry_id), ACCESS)
    assert (await mine.state(EmployersState)).others[0].state == "вы отказали"
    theirs = await employers_tab(screens, owner.user_id)
    assert (await theirs.state(EmployerState)).staff[0].state == "Отказ в доступе"


async def test_by_number_what_is_wrong_is_told_beside_its_field(screens: Screens):
    tab = await employers_tab(screens, made_owner().user_id)
    await tab.send(EmployerState.choose_way("number"), EMPLOYER)
    await tab.send(EmployerState.add({**SAID, "number": "1", "snils": "1"}), EMPLOYER)
    state = await tab.state(EmployerState)
    assert state.errors["number"]
    assert state.errors["snils"]
    form = {**SAID, "number": "770100000126", "snils": "112-233-445 95"}
    await tab.send(EmployerState.add(form), EMPLOYER)
    assert (await tab.state(EmployerState)).errors["number"]


async def test_list_is_filtered_edited_and_shortened(screens: Screens):
    owner = made_owner()
    for name, department in (("Анна", "Кухня"), ("Вера", "Зал")):
        contact = f"{department.encode().hex()}@example.ru"
        employing.invite(owner, contact, Said(name, "", department, "cook"), now=clock.now())
    tab = await employers_tab(screens, owner.user_id)

    async def names() -> list[str]:
        return [row.label for row in (await tab.state(EmployerState)).staff]

    await tab.send(EmployerState.choose_department("Зал"), EMPLOYER)
    assert await names() == ["Вера"]
    await tab.send(EmployerState.choose_department(""), EMPLOYER)
    await tab.send(EmployerState.type_query("анн"), EMPLOYER)
    assert await names() == ["Анна"]
    await tab.send(EmployerState.type_query(""), EMPLOYER)
    await tab.send(EmployerState.choose_light("green"), EMPLOYER)
    assert await names() == []
    assert not (await tab.state(EmployerState)).is_empty
    await tab.send(EmployerState.choose_light("grey"), EMPLOYER)
    first = (await tab.state(EmployerState)).staff[0]
    await tab.send(EmployerState.edit(first.id), EMPLOYER)
    await tab.send(EmployerState.save({**SAID, "label": ""}), EMPLOYER)
    assert (await tab.state(EmployerState)).errors["label"]
    await tab.send(EmployerState.save({**SAID, "label": "Яна"}), EMPLOYER)
    assert "Яна" in await names()
    await tab.send(EmployerState.remove(first.id), EMPLOYER)
    assert len(await names()) == 1


@pytest.mark.parametrize("sent", NONSENSE)
async def test_what_no_page_sends_changes_nothing(sent: Any, screens: Screens):
    owner = made_owner()
    employing.invite(owner, "who@example.ru", Said("Анна"), now=clock.now())
    tab = await employers_tab(screens, owner.user_id)
    name = EmployerState.get_full_name()
    for handler, argument in (
        *(("begin", "form"), ("add", "form"), ("save", "form")),
        *(("choose_way", "way"), ("edit", "entry_id"), ("remove", "entry_id")),
        *(("choose_department", "department"), ("choose_occupation", "occupation")),
        *(("choose_light", "light"), ("turn", "page"), ("type_query", "text")),
    ):
        await tab.forge(f"{name}.{handler}", EMPLOYER, **{argument: sent})
    assert tab.errors == []
    assert len(employing.roster(owner, now=clock.now()).rows) == 1


async def test_holder_sends_nonsense_and_nothing_opens(screens: Screens):
    owner, holder = made_owner(), make_holder(clock.now(), "me@example.ru")
    employing.invite(owner, "me@example.ru", Said("Анна"), now=clock.now())
    tab = await screens.signed_in(holder.user_id)
    name = EmployersState.get_full_name()
    for sent in NONSENSE:
        await tab.forge(f"{name}.grant", ACCESS, form=sent)
        await tab.forge(f"{name}.refuse", ACCESS, entry_id=sent)
        await tab.forge(f"{name}.end", ACCESS, entry_id=sent)
        await tab.forge(f"{name}.be_counted", ACCESS, entry_id=sent, is_counted=sent)
    assert tab.errors == []
    (row,) = employing.roster(owner, now=clock.now()).rows
    assert row.state == "invited"
