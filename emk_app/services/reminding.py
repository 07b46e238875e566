"""Reminders of what ends: the book itself, and each study in it (domain.md 1.6)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from emk_app import clock, incidents
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books
from emk_app.domain.books import BookStatus, dated_lines
from emk_app.domain.notices import News, Notice
from emk_app.domain.reminders import MARKS, due_mark
from emk_app.services import issuing
from emk_app.services.verifying import witness_of

log = logging.getLogger("emk.reminding")

JOB: Final = "remind_of_terms"
BATCH: Final = 200


def run(_target_id: int, now: datetime) -> None:
    """Remind the holders of every end that is near; safe to repeat."""
    for book_id in _candidates(clock.day_of(now)):
        try:
            remind(book_id, now=now)
        except Exception as error:
            # What fails is noted and does not keep the others waiting.
            incidents.note(log, f"reminders of book {book_id}", error)


def remind(book_id: int, *, now: datetime) -> int:
    """Tell the holder of each end whose mark is reached, once a mark; return how many were due.

    A book that is suspended, revoked or was never received reminds nobody; nor do the words of an
    earlier version, or of one that is not genuine. Once a day.
    """
    today = clock.day_of(now)
    with unit_of_work() as db:
        book = books.locked(db, book_id)
        if book.status is not BookStatus.ACTIVE or book.reminded_on == today:
            return 0
        book.reminded_on = today
        db.add(book)
        version = books.version(db, book.id, book.current_version)
        content = issuing.content_of(witness_of(book, version, vault.vault_for(db, book.holder_id)))
        if content is None:
            return 0
        ends = {each.valid_until for each in dated_lines(content) if each.valid_until}
        due = [(News.BOOK_ENDS, content.valid_until), *((News.ITEM_ENDS, end) for end in ends)]
        told = [
            (news, end, mark)
            for news, end in sorted(due, key=lambda each: (each[1], each[0]))
            if (mark := due_mark((end - today).days)) is not None
        ]
        for news, end, mark in told:
            issuing.tell(
                db, book, Notice(news, on=end), occasion=f"{news}:{end:%Y%m%d}:{mark}", now=now
            )
    return len(told)


def _candidates(today: date) -> Iterator[int]:
    """Yield the books that may have to remind of something, a batch at a time."""
    newest = 0
    while True:
        with reading() as db:
            batch = books.ending(
                db, today, today + timedelta(days=max(MARKS)), after=newest, limit=BATCH
            )
        yield from batch
        if len(batch) < BATCH:
            return
        newest = batch[-1]
