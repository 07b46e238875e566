"""Files of staff: refused, looked through, put onto the list line by line, given up, forgotten."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books
from emk_app.db.tables.employers import OrganisationMember, StaffUpload
from emk_app.db.tables.journal import AuditEntry, Job
from emk_app.domain import enlisting as rules
from emk_app.domain.actors import Actor, Post, Role
from emk_app.domain.books import BookNumber
from emk_app.domain.employing import AddedBy, Light
from emk_app.domain.enlisting import (
    DayFull,
    NotATable,
    NothingToAdd,
    Outcome,
    UploadState,
    UploadUnderWay,
)
from emk_app.domain.errors import NotFound, NotPermitted, TransitionNotAllowed
from emk_app.domain.switches import Feature
from emk_app.presenting import staff_files
from emk_app.presenting.enlisting import RESULT_HEADS
from emk_app.services import admitting, employing, enlisting, jobs, lookup, sharing
from emk_app.services.employing import Said
from emk_app.services.enlisting import UploadView
from emk_app.working import WORKS
from tests.factories import make_admin, make_book, make_employer, make_holder
from tests.services.test_switching import switch_off

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)
SNILS = "112-233-445 95"
OTHER_SNILS = "112-233-446 96"
HEADS = "Сотрудник;Номер книжки;СНИЛС;Ссылка;Подразделение;Работа"


def bring(employer: Actor, *lines: str, now: datetime, name: str = "штат.csv") -> int:
    return enlisting.accept(employer, "\n".join([HEADS, *lines]).encode(), name, now=now)


def work(now: datetime) -> None:
    jobs.run_due({enlisting.APPLY: WORKS[enlisting.APPLY]}, now=now)


def newest(employer: Actor) -> UploadView:
    return enlisting.shown(employer)[0]


def number_of(book_id: int) -> str:
    with reading() as db:
        return BookNumber.parse(books.get(db, book_id).number).shown


def made(now: datetime) -> tuple[Actor, str]:
    holder = make_holder(now)
    return holder, number_of(make_book(holder, now))


def became(employer: Actor, upload_id: int, now: datetime) -> dict[int, Outcome | None]:
    return {
        line.checked.row.line: line.outcome
        for line in enlisting.lines(employer, upload_id, now=now)
    }


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.EMPLOYER])
def test_only_an_employer_brings_files(role: Role, now: datetime):
    refuse_all(Actor(1, role, organisation_id=1, post=Post.OWNER), 1, now)


def test_viewer_brings_no_files_and_sees_none(now: datetime):
    owner = make_employer(now)
    upload_id = bring(owner, "Анна;1;2;;;", now=now)
    refuse_all(replace(owner, post=Post.VIEWER), upload_id, now)


def refuse_all(actor: Actor, upload_id: int, now: datetime) -> None:
    for act in (
        lambda: enlisting.permit_upload(actor),
        lambda: enlisting.accept(actor, b"x", "x.csv", now=now),
        lambda: enlisting.confirm(actor, upload_id, now=now),
        lambda: enlisting.drop(actor, upload_id, now=now),
        lambda: enlisting.shown(actor),
        lambda: enlisting.lines(actor, upload_id, now=now),
        lambda: enlisting.result(actor, upload_id, now=now),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_file_of_another_organisation_does_not_exist(now: datetime):
    upload_id = bring(make_employer(now), "Анна;1;2;;;", now=now)
    stranger = make_employer(now)
    assert enlisting.shown(stranger) == []
    for act in (
        lambda: enlisting.confirm(stranger, upload_id, now=now),
        lambda: enlisting.drop(stranger, upload_id, now=now),
        lambda: enlisting.lines(stranger, upload_id, now=now),
        lambda: enlisting.result(stranger, upload_id, now=now),
    ):
        with pytest.raises(NotFound):
            act()


def test_file_changes_nothing_until_it_is_confirmed(now: datetime):
    owner = make_employer(now)
    _, number = made(now)
    upload_id = bring(owner, f"Анна;{number};{SNILS};;Кухня;повар", "Вера;1;2;;;", now=now)
    view = newest(owner)
    assert (view.state, view.rows, view.bad, view.done) == (UploadState.CHECKED, 2, 1, 0)
    work(now)
    assert employing.roster(owner, now=now).rows == ()
    with pytest.raises(UploadUnderWay):
        enlisting.permit_upload(owner)
    with pytest.raises(UploadUnderWay):
        bring(owner, "Анна;1;2;;;", now=now)
    enlisting.confirm(owner, upload_id, now=now)
    work(now)
    (row,) = employing.roster(owner, now=now).rows
    assert row.said == Said("Анна", "", "Кухня", "cook")
    assert (row.light, row.added_by) == (Light.GREEN, AddedBy.NUMBER)
    assert newest(owner).state is UploadState.DONE
    assert became(owner, upload_id, now) == {2: Outcome.ADDED, 3: None}
    enlisting.permit_upload(owner)


def test_line_by_line_what_became_of_it(now: datetime):
    owner = make_employer(now)
    seen, seen_number = made(now)
    link = sharing.make(seen, book_of(seen_number), now=now)
    employing.add_by_link(owner, link.url, Said("Прежняя"), now=now)
    closed, closed_number = made(now)
    employing.add_by_number(owner, closed_number, SNILS, Said("Закрыл"), "10.0.0.1", now=now)
    admitting.end(closed, admitting.shown(closed, now=now)[0].id, now=now)
    _, foreign_number = made(now)
    by_link, by_link_number = made(now)
    fresh = sharing.make(by_link, book_of(by_link_number), now=now)
    dead = sharing.make(by_link, book_of(by_link_number), now=now)
    sharing.revoke(by_link, dead.id, now=now)
    upload_id = bring(
        owner,
        f"Новая;{seen_number};{SNILS};;Зал;",
        f"Закрыл;{closed_number};{SNILS};;;",
        f"Чужой;{foreign_number};{OTHER_SNILS};;;",
        f"Нет такой;77-01-999999-26;{SNILS};;;",
        f"Ссылка;;;{fresh.url};;",
        f"Мёртвая;;;{dead.url};;",
        "Не ссылка;;;https://example.ru/;;",
        now=now,
    )
    enlisting.confirm(owner, upload_id, now=now)
    work(now)
    assert became(owner, upload_id, now) == {
        2: Outcome.KNOWN,
        3: Outcome.CLOSED,
        4: Outcome.NOT_FOUND,
        5: Outcome.NOT_FOUND,
        6: Outcome.ADDED,
        7: Outcome.LINK_OVER,
        8: Outcome.NOT_A_LINK,
    }
    rows = {row.said.label: row for row in employing.roster(owner, now=now).rows}
    assert set(rows) == {"Новая", "Закрыл", "Ссылка"}
    # Who was seen by a link is seen by it still, with the name in full.
    assert (rows["Новая"].added_by, rows["Новая"].said.department) == (AddedBy.LINK, "Зал")
    assert rows["Ссылка"].added_by is AddedBy.LINK
    counts = newest(owner).counts
    assert (counts[Outcome.NOT_FOUND], counts[Outcome.ADDED]) == (2, 1)


def book_of(number: str) -> int:
    with reading() as db:
        return books.by_number(db, BookNumber.parse(number)).id


def test_wrong_numbers_are_counted_against_the_book(now: datetime):
    owner = make_employer(now)
    _, number = made(now)
    for _ in range(lookup.BY_NUMBER.tries):
        enlisting.confirm(owner, bring(owner, f"А;{number};{OTHER_SNILS};;;", now=now), now=now)
        work(now)
        assert newest(owner).counts == {Outcome.NOT_FOUND: 1}
    enlisting.confirm(owner, bring(owner, f"А;{number};{SNILS};;;", now=now), now=now)
    work(now)
    assert newest(owner).counts == {Outcome.TOO_OFTEN: 1}


def test_work_goes_on_where_it_was_stopped(now: datetime, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(enlisting, "BATCH", 2)
    owner = make_employer(now)
    lines = [f"Анна {n};;;{link};;" for n, link in enumerate("abcde")]
    upload_id = bring(owner, *lines, now=now)
    enlisting.confirm(owner, upload_id, now=now)
    enlisting.apply(upload_id, now)
    assert (newest(owner).done, newest(owner).state) == (2, UploadState.APPLYING)
    enlisting.apply(upload_id, now)
    work(now)
    assert (newest(owner).done, newest(owner).state) == (5, UploadState.DONE)
    assert newest(owner).counts == {Outcome.NOT_A_LINK: 5}
    enlisting.apply(upload_id, now)
    with reading() as db:
        actions = db.exec(select(AuditEntry.action)).all()
        assert not [job for job in db.exec(select(Job)) if job.failed_at]
    assert actions.count("staff_upload_done") == 1


def test_day_has_so_many_lines_and_no_more(now: datetime, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(enlisting, "DAILY_ROWS", 3)
    owner = make_employer(now)
    enlisting.confirm(owner, bring(owner, "А;;;a;;", "Б;;;b;;", now=now), now=now)
    work(now)
    second = bring(owner, "А;;;a;;", "Б;;;b;;", now=now)
    with pytest.raises(DayFull) as refused:
        enlisting.confirm(owner, second, now=now)
    assert refused.value.left == 1
    enlisting.confirm(owner, second, now=now + DAY)


def test_file_without_a_fit_line_is_not_begun(now: datetime):
    owner = make_employer(now)
    upload_id = bring(owner, "А;1;2;;;", now=now)
    with pytest.raises(NothingToAdd):
        enlisting.confirm(owner, upload_id, now=now)
    with pytest.raises(NotATable):
        enlisting.accept(make_employer(now), b"\0", "x.csv", now=now)


def test_dropped_file_is_gone_and_another_may_come(now: datetime):
    owner = make_employer(now)
    upload_id = bring(owner, "А;;;a;;", now=now)
    enlisting.drop(owner, upload_id, now=now)
    with pytest.raises(TransitionNotAllowed):
        enlisting.drop(owner, upload_id, now=now)
    with pytest.raises(TransitionNotAllowed):
        enlisting.confirm(owner, upload_id, now=now)
    assert enlisting.lines(owner, upload_id, now=now) == []
    upload_id = bring(owner, "А;;;a;;", now=now)
    enlisting.confirm(owner, upload_id, now=now)
    enlisting.drop(owner, upload_id, now=now)
    work(now)
    assert (newest(owner).state, newest(owner).done) == (UploadState.DROPPED, 0)


def test_who_acts_no_longer_has_nothing_done(now: datetime):
    owner = make_employer(now)
    upload_id = bring(owner, "А;;;a;;", now=now)
    enlisting.confirm(owner, upload_id, now=now)
    with unit_of_work() as db:
        member = db.exec(
            select(OrganisationMember).where(OrganisationMember.user_id == owner.user_id)
        ).one()
        member.post = Post.VIEWER
        db.add(member)
    work(now)
    assert (newest(owner).state, newest(owner).done) == (UploadState.DROPPED, 0)


def test_forgotten_file_is_given_up_and_an_old_one_deleted(now: datetime):
    owner = make_employer(now)
    bring(owner, "А;;;a;;", now=now)
    enlisting.sweep(now=now + rules.WAITS - timedelta(seconds=1))
    assert newest(owner).state is UploadState.CHECKED
    enlisting.sweep(now=now + rules.WAITS)
    assert newest(owner).state is UploadState.DROPPED
    enlisting.confirm(owner, bring(owner, "А;;;a;;", now=now), now=now)
    work(now)
    enlisting.sweep(now=now + rules.KEPT + rules.WAITS)
    assert enlisting.shown(owner) == []


def test_numbers_of_people_are_sealed_and_forgotten_with_the_work(now: datetime):
    owner = make_employer(now)
    _, number = made(now)
    upload_id = bring(owner, f"Анна;{number};{SNILS};;;", now=now)
    with reading() as db:
        row = db.get_one(StaffUpload, upload_id)
    assert "Анна".encode() not in (row.rows_sealed or b"")
    enlisting.confirm(owner, upload_id, now=now)
    work(now)
    (line,) = enlisting.lines(owner, upload_id, now=now)
    assert (line.checked.row.number, line.checked.row.snils) == (number, "")
    assert line.checked.problems == {}


def test_result_is_a_table_that_runs_nothing(now: datetime):
    owner = make_employer(now)
    _, number = made(now)
    upload_id = bring(
        owner, f"=HYPERLINK(1);{number};{SNILS};;@x;", "Вера;1;2;;;", f"Яна;;;{'a' * 26};;", now=now
    )
    enlisting.confirm(owner, upload_id, now=now)
    work(now)
    lines = enlisting.result(owner, upload_id, now=now)
    text = staff_files.result_csv(lines).decode("utf-8-sig")
    heads, first, second, third = csv.reader(io.StringIO(text), delimiter=";")
    assert tuple(heads) == RESULT_HEADS
    assert first[:6] == ["2", "'=HYPERLINK(1)", "", "'@x", number, "Добавлен в список"]
    assert first[7] == "Действует"
    assert int(first[9]) > 30
    assert second[5].startswith("Номер книжки: ")
    assert third[5].startswith("Это не ссылка")
    with reading() as db:
        assert "export_staff" in db.exec(select(AuditEntry.action)).all()


def test_by_number_nobody_is_checked_while_that_is_switched_off(now: datetime):
    owner, (_, number) = make_employer(now), made(now)
    switch_off(replace(make_admin(now), factor_at=now), Feature.NUMBER_CHECK, now)
    enlisting.confirm(owner, bring(owner, f"А;{number};{SNILS};;;", now=now), now=now)
    work(now)
    assert newest(owner).counts == {Outcome.OFF: 1}
