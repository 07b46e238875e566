"""«Мои заявки»: filtered, sought through, sorted, page by page; live."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.edge.policy import allow
from emk_app.presenting import applications as rows
from emk_app.presenting import listings
from emk_app.presenting.applications import CaseRow
from emk_app.presenting.listings import Group, Order
from emk_app.services import applying
from emk_app.services.applying import CaseView
from emk_app.states import live
from emk_app.states.apply import words_of
from emk_app.states.session import actor_of
from emk_app.threads import in_thread


class ApplicationsState(rx.State):
    """The list of what was handed in."""

    is_loaded: bool = False
    has_any: bool = False
    has_many: bool = False
    """There is something to choose from."""
    cases: list[CaseRow] = []
    groups: list[list[str]] = []
    group: str = Group.ALL.value
    order: str = Order.NEWEST.value
    query: str = ""
    found: str = ""
    page: int = 1
    pages: int = 1
    revision: int = 0
    """Grows when the conditions are cleared: the controls then begin anew."""

    _all: tuple[CaseView, ...] = ()

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each change of an application within a moment of its commit."""
        async with self:
            actor = await actor_of(self)
        async for _ in live.changes(f"holder:{actor.user_id}"):
            async with self:
                actor = await actor_of(self)
                overview = await in_thread(applying.overview, actor, now=clock.now())
                self._all = overview.cases
                self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def choose_group(self, group: str):
        """Show applications of one kind of status."""
        known = isinstance(group, str) and group in Group._value2member_map_
        self.group, self.page = group if known else Group.ALL.value, 1
        self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def choose_order(self, order: str):
        """Sort the list."""
        known = isinstance(order, str) and order in Order._value2member_map_
        self.order, self.page = order if known else Order.NEWEST.value, 1
        self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def seek(self, text: str):
        """Show those that hold every word."""
        self.query, self.page = words_of(text, listings.QUERY_LIMIT), 1
        self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def turn(self, page: int):
        """Show another page."""
        self.page = _page(page)
        self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def forget_conditions(self):
        """Show everything again."""
        self.group, self.query, self.page = Group.ALL.value, "", 1
        self.revision += 1
        self._show()

    def _show(self) -> None:
        made = listings.listing(
            self._all, Group(self.group), self.query, Order(self.order), self.page
        )
        self.cases = [rows.case_row(case) for case in made.cases]
        self.page, self.pages = made.page, made.pages
        self.groups = listings.group_options(self._all)
        self.found = listings.found_text(made.total)
        self.has_any, self.has_many = bool(self._all), len(self._all) > 1
        self.is_loaded = True


def _page(sent: Any) -> int:
    """Return a page's number from the browser; 1 for what is none."""
    is_number = isinstance(sent, int) and not isinstance(sent, bool)
    return sent if is_number and 0 < sent < 10**6 else 1
