"""The administrator's page of the register, in one tab and in two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from emk_app import clock
from emk_app.domain.actors import Actor
from emk_app.services import directory
from emk_app.settings import settings
from emk_app.states.register import ImportsState, RegisterState
from emk_app.states.session import MessageState
from tests.factories import make_admin
from tests.services.test_importing import OID, rows, table
from tests.services.test_registering import bring, work
from tests.states.conftest import Screens

PAGE = "/admin/clinics"


@pytest.fixture
def moment(world: None) -> Iterator[datetime]:
    """Handlers read the clock themselves."""
    yield clock.now()
    for path in (settings().data / "register").glob("*"):
        path.unlink()


@pytest.fixture
def admin(moment: datetime) -> Actor:
    return make_admin(moment)


async def test_file_is_followed_from_the_upload_to_the_register(
    screens: Screens, admin: Actor, moment: datetime
):
    tab = await screens.signed_in(admin.user_id)
    await tab.follow(ImportsState.follow, PAGE)
    await tab.follow(RegisterState.follow, PAGE)
    state = await tab.until(ImportsState, lambda state: state.is_loaded)
    assert (state.current.id, state.history) == (0, [])
    assert (await tab.until(RegisterState, lambda state: state.is_loaded)).is_empty

    import_id = bring(admin, table([*rows(1, 2), "плохая"]), moment)
    state = await tab.until(ImportsState, lambda state: state.current.is_checking)
    work(clock.now())
    state = await tab.until(ImportsState, lambda state: state.current.is_checked)
    current = state.current
    assert (current.added, current.bad, current.unchanged) == ("2", "1", "0")
    assert current.idle == ""
    assert [line[0] for line in state.bad] == ["4"]
    assert state.report_href == f"/api/registers/{import_id}/report"
    assert directory.search().total == 0

    await tab.send(ImportsState.confirm(import_id), PAGE)
    assert (await tab.state(ImportsState)).current.is_applying
    work(clock.now())
    state = await tab.until(ImportsState, lambda state: state.current.id == 0)
    [line] = state.history
    assert (line.state, line.counts) == ("Загружен", ["добавлено 2", "с ошибками 1"])
    assert line.who == "Кедров Лев Львович"
    assert line.report_href
    clinics = await tab.until(RegisterState, lambda state: len(state.rows) == 2)
    assert clinics.rows[0].licence == "Лицензия действует"
    assert tab.errors == []


async def test_page_opened_later_shows_what_waits_for_a_word(
    screens: Screens, admin: Actor, moment: datetime
):
    bring(admin, table(["плохая"]), moment)
    work(clock.now())
    tab = await screens.signed_in(admin.user_id)
    await tab.follow(ImportsState.follow, PAGE)
    state = await tab.until(ImportsState, lambda state: state.is_loaded)
    assert state.current.is_checked
    assert "загружать нечего" in state.current.idle
    assert len(state.bad) == 1


async def test_import_that_somebody_else_gave_up_is_not_put_in(
    screens: Screens, admin: Actor, moment: datetime
):
    import_id = bring(admin, table(rows(1)), moment)
    work(clock.now())
    mine, theirs = [await screens.signed_in(admin.user_id) for _ in range(2)]
    await theirs.send(ImportsState.drop(import_id), PAGE)
    assert (await theirs.state(MessageState)).polite == "Загрузка прекращена."
    await mine.send(ImportsState.confirm(import_id), PAGE)
    assert (await mine.state(MessageState)).assertive
    state = await mine.state(ImportsState)
    assert (state.current.id, state.history[0].state) == (0, "Прекращён")
    work(clock.now())
    assert directory.search().total == 0


@pytest.mark.parametrize("sent", [0, -1, 10**30, "1", None, True, {"id": 1}, [1]])
@pytest.mark.parametrize("name", ["confirm", "drop"])
async def test_forged_identity_is_nobodys_import(
    screens: Screens, admin: Actor, name: str, sent: object
):
    tab = await screens.signed_in(admin.user_id)
    await tab.forge(f"{ImportsState.get_full_name()}.{name}", PAGE, import_id=sent)
    assert not (await tab.state(MessageState)).polite
    assert (await tab.state(ImportsState)).current.id == 0


async def test_clinics_are_sought_by_name_oid_region_and_licence(
    screens: Screens, admin: Actor, moment: datetime
):
    lines = [*rows(1, 2), rows(3)[0].replace("действует", "приостановлена")]
    bring(admin, table(lines), moment)
    work(clock.now())
    tab = await screens.signed_in(admin.user_id)
    await tab.follow(ImportsState.follow, PAGE)
    state = await tab.until(ImportsState, lambda state: state.is_loaded)
    await tab.send(ImportsState.confirm(state.current.id), PAGE)
    work(clock.now())

    async def found() -> set[str]:
        return {row.oid[-1] for row in (await tab.state(RegisterState)).rows}

    await tab.send(RegisterState.type_query("ревда"), PAGE)
    assert await found() == {"1", "2", "3"}
    await tab.send(RegisterState.only_in_force(True), PAGE)
    assert await found() == {"1", "2"}
    await tab.send(RegisterState.type_query(OID.format(2)), PAGE)
    assert await found() == {"2"}
    await tab.send(RegisterState.choose_region("77"), PAGE)
    assert await found() == set()
    assert not (await tab.state(RegisterState)).is_empty
    for wrong in ("\x00", "я" * 5000):
        await tab.send(RegisterState.type_query(wrong), PAGE)
        await tab.send(RegisterState.choose_region(wrong), PAGE)
    assert tab.errors == []
