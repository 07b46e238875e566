"""The holder's visit: when to come, what to bring, another time, not at all."""

from __future__ import annotations

import contextlib
import secrets
from datetime import datetime

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.errors import DomainError, NotFound
from emk_app.domain.visits import SlotTaken
from emk_app.edge.policy import allow
from emk_app.presenting import texts
from emk_app.presenting import visits as rows
from emk_app.presenting.visits import BringRow, DayChoice, TimeChoice, VisitRow
from emk_app.services import booking
from emk_app.services.booking import Booking, Slot
from emk_app.states import live
from emk_app.states.session import actor_of, ends_busy, renew, say, warn
from emk_app.threads import in_thread


class VisitsState(rx.State):
    """The visit of one application, and the times that are free."""

    is_loaded: bool = False
    is_missing: bool = False
    visit: VisitRow = VisitRow()
    others: list[list[str]] = []
    """Number and address of the other applications to book for."""
    bring: list[BringRow] = []
    studies: list[str] = []
    nearest: str = ""
    """The first free time in words; empty where none is."""
    days: list[DayChoice] = []
    """Those of the strip that are shown together."""
    times: list[TimeChoice] = []
    chosen_day: str = ""
    chosen_time: str = ""
    has_times: bool = False
    has_earlier: bool = False
    has_later: bool = False
    is_moving: bool = False
    problem: str = ""
    busy: bool = False

    _slots: list[tuple[str, int]] = []
    _sequence: int = 0
    _clinic_id: int = 0
    _first: int = 0
    """Which day of all is the first on the strip."""
    _key: str = ""
    """Names the wish that is about to be sent: sent twice, it books once."""

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show the visit and the free times, each change within a moment of its commit."""
        async with self:
            if await renew(self):
                self._key = secrets.token_hex(16)
            actor = await actor_of(self)
        clinic_id = -1
        while True:
            # Another clinic has other times: they are followed instead.
            topics = (f"holder:{actor.user_id}", f"slots:{clinic_id}")
            async with contextlib.aclosing(live.changes(*topics)) as stirred:
                async for _ in stirred:
                    async with self:
                        actor = await actor_of(self)
                        await self._load(actor)
                        shown = self._clinic_id
                    if shown != clinic_id:
                        clinic_id = shown
                        break

    @rx.event
    @allow(Role.HOLDER)
    def choose_day(self, value: str):
        """Show the times of a day."""
        wanted = str(value)
        if any(each.value == wanted for each in self.days):
            self.chosen_day, self.chosen_time, self.problem = wanted, "", ""
            self._show_times()

    @rx.event
    @allow(Role.HOLDER)
    def choose_time(self, value: str):
        """Note the time that is about to be booked."""
        wanted = str(value)
        if any(each.value == wanted and not each.is_full for each in self.times):
            self.chosen_time, self.problem = wanted, ""

    @rx.event
    @allow(Role.HOLDER)
    def choose_nearest(self):
        """Choose the first free time."""
        first = next((each for each in self._slots if each[1] > 0), None)
        if first is not None:
            self._choose(first[0])

    @rx.event
    @allow(Role.HOLDER)
    def earlier(self):
        """Show the days before."""
        self._first = max(self._first - rows.DAYS_AT_ONCE, 0)
        self._turn()

    @rx.event
    @allow(Role.HOLDER)
    def later(self):
        """Show the days after."""
        self._first += rows.DAYS_AT_ONCE
        self._turn()

    @rx.event
    @allow(Role.HOLDER)
    def begin_move(self):
        """Show the free times to choose another one."""
        self.is_moving, self.problem = True, ""

    @rx.event
    @allow(Role.HOLDER)
    def change_mind(self):
        """Keep the visit as it is."""
        self.is_moving, self.chosen_time, self.problem = False, "", ""

    @rx.event
    @allow(Role.HOLDER)
    @ends_busy
    async def book(self):
        """Book the chosen time or, where a visit is ahead, move it there."""
        if not self.chosen_time:
            self.problem = rows.NO_TIME_CHOSEN
            return
        self.busy, self.problem = True, ""
        yield
        actor, starts_at = await actor_of(self), datetime.fromisoformat(self.chosen_time)
        slug, key, now = self.visit.slug, self._key, clock.now()
        is_move = self.visit.is_ahead
        try:
            if is_move:
                await in_thread(booking.move, actor, slug, starts_at, seen=self._sequence, now=now)
            else:
                await in_thread(booking.book, actor, slug, starts_at, key=key, now=now)
        except SlotTaken as error:
            self.chosen_time, self.problem = "", texts.sentence(error)
        except DomainError as error:
            await warn(self, error)
            self.is_moving = False
        else:
            self._key = secrets.token_hex(16)
            self.is_moving, self.chosen_time = False, ""
            await say(self, rows.MOVED if is_move else rows.BOOKED)
        await self._load(actor)

    @rx.event
    @allow(Role.HOLDER)
    async def cancel(self):
        """Cancel the visit."""
        actor = await actor_of(self)
        try:
            await in_thread(
                booking.cancel, actor, self.visit.slug, seen=self._sequence, now=clock.now()
            )
        except DomainError as error:
            await warn(self, error)
        else:
            self._key = secrets.token_hex(16)
            await say(self, rows.CANCELLED)
        self.is_moving = False
        await self._load(actor)

    async def _load(self, actor: Actor) -> None:
        """Read the application of the address or, without one, the newest to book for."""
        now = clock.now()
        numbers = await in_thread(booking.bookable, actor, now=now)
        asked = str(getattr(self, "number_arg", ""))[:60] or (numbers[0].slug if numbers else "")
        try:
            found = await in_thread(booking.booking, actor, asked, now=now)
        except NotFound:
            self.is_loaded = self.is_missing = True
            return
        self._show(found)
        self.others = rows.others(numbers, found.number.slug)

    def _show(self, found: Booking) -> None:
        self.is_loaded, self.is_missing = True, False
        self.visit = rows.visit_row(found)
        self.bring = rows.bring_rows(found)
        self.studies = [each.name for each in found.studies]
        self._sequence = found.visit.sequence if found.visit else 0
        self._clinic_id = found.clinic.id if found.clinic else 0
        self._slots = [(each.starts_at.isoformat(), each.free) for each in found.slots]
        first = next((each for each in found.slots if each.free > 0), None)
        self.nearest = rows.slot_words(first) if first else ""
        self.has_times = bool(found.slots)
        if not self.chosen_day and first is not None:
            self.chosen_day = first.starts_at.date().isoformat()
        self._turn(follow_day=not self.days)

    def _choose(self, value: str) -> None:
        self.chosen_day, self.chosen_time, self.problem = value[:10], value, ""
        self._turn(follow_day=True)

    def _turn(self, *, follow_day: bool = False) -> None:
        """Show the days of the strip from the first on; those that are over fall out."""
        every = rows.day_choices(self._all())
        position = next((n for n, each in enumerate(every) if each.value == self.chosen_day), None)
        if follow_day and position is not None:
            self._first = position - position % rows.DAYS_AT_ONCE
        if self._first >= len(every):
            self._first = 0
        self.days = every[self._first : self._first + rows.DAYS_AT_ONCE]
        self.has_earlier = self._first > 0
        self.has_later = self._first + rows.DAYS_AT_ONCE < len(every)
        self._show_times()

    def _show_times(self) -> None:
        self.times = rows.time_choices(self._all(), self.chosen_day)
        is_free = any(each.value == self.chosen_time and not each.is_full for each in self.times)
        if self.chosen_time and not is_free:
            self.chosen_time = ""

    def _all(self) -> list[Slot]:
        return [Slot(datetime.fromisoformat(value), free) for value, free in self._slots]
