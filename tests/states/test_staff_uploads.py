"""The page of files: followed live, confirmed, given up; nonsense changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emk_app import clock
from emk_app.domain.actors import Actor, Post
from emk_app.domain.enlisting import UploadState
from emk_app.pages.menus import STAFF_UPLOADS
from emk_app.services import enlisting
from emk_app.states.staff_uploads import StaffUploadsState
from tests.factories import make_book, make_employer, make_employers_user, make_holder
from tests.services.test_enlisting import SNILS, bring, newest, number_of, work
from tests.states.conftest import Screen, Screens
from tests.states.test_employer import NONSENSE


async def page(screens: Screens, owner: Actor) -> Screen:
    tab = await screens.signed_in(owner.user_id)
    await tab.follow(StaffUploadsState.follow, STAFF_UPLOADS)
    await tab.until(StaffUploadsState, lambda state: state.is_loaded)
    return tab


async def test_file_is_seen_confirmed_and_followed_to_its_end(screens: Screens):
    now = clock.now()
    owner, holder = make_employer(now), make_holder(now)
    number = number_of(make_book(holder, now))
    tab = await page(screens, owner)
    state = await tab.state(StaffUploadsState)
    assert (state.may_upload, state.current.id) == (True, 0)
    upload_id = bring(owner, f"Анна;{number};{SNILS};;Кухня;король", "Вера;1;2;;;", now=now)
    state = await tab.until(StaffUploadsState, lambda state: state.current.is_checked)
    assert (state.current.good, state.current.bad) == (1, 1)
    assert "«король»" in state.current.remark
    assert [(row.line, row.label) for row in state.bad] == [("3", "Вера")]
    assert "Номер книжки" in state.bad[0].what
    assert [(row.label, row.book, row.what) for row in state.good] == [("Анна", number, "Кухня")]
    await tab.send(StaffUploadsState.confirm(upload_id), STAFF_UPLOADS)
    state = await tab.until(StaffUploadsState, lambda state: state.current.is_applying)
    assert state.current.progress == "Проверено 0 из 1"
    work(clock.now())
    state = await tab.until(StaffUploadsState, lambda state: state.current.is_done)
    assert (state.current.added, state.current.failed) == ("1", "1")
    assert state.xlsx == f"/api/employer/uploads/{upload_id}/result.xlsx"
    bring(owner, "Анна;;;x;;", now=now)
    state = await tab.until(StaffUploadsState, lambda state: state.current.is_checked)
    assert state.history[0].counts == "добавлено 1, обновлено 0, не добавлено 1"


async def test_file_is_given_up_once(screens: Screens):
    owner = make_employer(clock.now())
    upload_id = bring(owner, "Анна;;;x;;", now=clock.now())
    tab = await page(screens, owner)
    await tab.send(StaffUploadsState.drop(upload_id), STAFF_UPLOADS)
    state = await tab.until(StaffUploadsState, lambda state: not state.current.id)
    assert state.history[0].state == "Прекращён"
    await tab.send(StaffUploadsState.confirm(upload_id), STAFF_UPLOADS)
    assert newest(owner).state is UploadState.DROPPED


async def test_who_may_not_bring_files_is_told(screens: Screens):
    tab = await page(screens, make_employers_user(clock.now()))
    assert not (await tab.state(StaffUploadsState)).may_upload


@pytest.mark.parametrize("sent", NONSENSE)
async def test_what_no_page_sends_changes_nothing(sent: Any, screens: Screens):
    owner = make_employer(clock.now())
    bring(owner, "Анна;;;x;;", now=clock.now())
    tab = await page(screens, owner)
    name = StaffUploadsState.get_full_name()
    for handler in ("confirm", "drop"):
        await tab.forge(f"{name}.{handler}", STAFF_UPLOADS, upload_id=sent)
    assert tab.errors == []
    assert newest(owner).state is UploadState.CHECKED
    assert enlisting.shown(replace(owner, post=Post.HR))
