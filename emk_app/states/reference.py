"""Amendments of occupations, studies and of the words of messages, by two administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain import examinations
from emk_app.domain.actors import Actor, Role
from emk_app.domain.amending import (
    BOUNDS,
    MOST_NUMBERS,
    TEXT_LIMIT,
    Facts,
    TypedOccupation,
    TypedStudy,
    TypedTemplate,
    bound_name,
    read_news,
)
from emk_app.domain.errors import DomainError, Invalid
from emk_app.domain.staff import REASON_LIMIT
from emk_app.edge.policy import allow
from emk_app.presenting import notices, shelves
from emk_app.presenting import reference as rows
from emk_app.presenting.reference import AmendmentRow, OccupationRow, OpenStudy, OpenTemplate
from emk_app.presenting.shelves import (
    Lists,
    OccupationShelf,
    PastShelf,
    StudyShelf,
    TemplateShelf,
)
from emk_app.services import amending
from emk_app.states import live
from emk_app.states.apply import number, words_of
from emk_app.states.session import actor_of, hush, is_fresh, proven, renew, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

CONTROLS: Final = (
    *("name", "group", "point", "valid_from", "reason", "title", "text", "sms", "code", "period"),
    *(bound_name(bound, number) for bound in BOUNDS for number in range(MOST_NUMBERS)),
)


class ReferenceState(rx.State):
    """What is listed, what waits, and the form of an amendment."""

    is_loaded: bool = False
    waiting: list[AmendmentRow] = []
    """Amendments to be decided on: always shown, whatever is sought."""
    occupations: list[OccupationShelf] = []
    studies: list[StudyShelf] = []
    templates: list[TemplateShelf] = []
    past: list[PastShelf] = []
    """One shelf at most."""
    query: str = ""
    summary: str = ""
    revision: int = 0
    """Grows when the search is cleared: its field then begins anew."""
    form: str = ""
    """``occupation``, ``study``, ``template``, ``answer``, or none."""
    occupation: OccupationRow = OccupationRow()
    study: OpenStudy = OpenStudy(parts=rows.NO_PARTS)
    template: OpenTemplate = OpenTemplate()
    answering: AmendmentRow = AmendmentRow(0, "", "", "", "", "", "", "", "neutral", False, False)
    form_key: int = 0
    """Another form, with fields of its own, for each thing that is opened."""
    errors: dict[str, str] = dict.fromkeys(CONTROLS, "")
    needs_code: bool = True

    _all: Lists = Lists()

    @rx.event(background=True)
    @allow(Role.ADMIN, quiet=True)
    async def follow(self):
        """Show each change while the page is open."""
        async with self:
            await renew(self)
        async for _ in live.changes(amending.TOPIC):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.ADMIN)
    def seek(self, text: str):
        """Show what holds every word, as it is typed."""
        self.query = words_of(text, shelves.QUERY_LIMIT).strip()
        self._list()

    @rx.event
    @allow(Role.ADMIN)
    def show_all(self):
        """Show everything again, under an empty field."""
        self.query = ""
        self.revision += 1
        self._list()

    @rx.event
    @allow(Role.ADMIN)
    async def begin_occupation(self, code: str):
        """Open the form of an occupation, or of a new one."""
        listed = self._all.occupations
        self.occupation = next((row for row in listed if row.code == code), OccupationRow())
        await self._open("occupation")

    @rx.event
    @allow(Role.ADMIN)
    async def begin_study(self, key: str):
        """Open the form of a study."""
        listed = examinations.listed_study(key, clock.today()) if isinstance(key, str) else None
        if listed is not None:
            self.study = rows.opened_study(listed)
            await self._open("study")

    @rx.event
    @allow(Role.ADMIN)
    async def begin_template(self, news: str):
        """Open the form of a message."""
        known = read_news(news) if isinstance(news, str) else None
        if known is not None:
            self.template = rows.opened(known, clock.today())
            await self._open("template")

    @rx.event
    @allow(Role.ADMIN)
    async def begin_answer(self, amendment_id: int):
        """Look at an amendment that waits."""
        sought = number(amendment_id)
        found = next((row for row in self.waiting if row.id == sought), None)
        if found is not None:
            self.answering = found
            await self._open("answer")

    @rx.event
    @allow(Role.ADMIN)
    def leave(self):
        """Close the form; what was typed is dropped."""
        self.form = ""

    @rx.event
    @allow(Role.ADMIN)
    async def write_occupation(self, form: dict[str, Any]):
        """Ask a colleague to agree to an occupation."""
        typed = TypedOccupation(
            code=self.occupation.code,
            name=text_of(form, "name", 300),
            group=text_of(form, "group", 300),
            point=text_of(form, "point", 10),
            is_closed=text_of(form, "closed", 10) == "closed",
            valid_from=text_of(form, "valid_from", 20),
            reason=text_of(form, "reason", 2 * REASON_LIMIT),
        )
        await self._do(form, amending.write_occupation, typed, said=rows.WRITTEN)

    @rx.event
    @allow(Role.ADMIN)
    async def write_study(self, form: dict[str, Any]):
        """Ask a colleague to agree to a study's period and numbers."""
        names = [bound_name(each, number) for each in BOUNDS for number in range(MOST_NUMBERS)]
        typed = TypedStudy(
            key=self.study.key,
            period=text_of(form, "period", 10),
            bounds={name: text_of(form, name, 20) for name in names},
            valid_from=text_of(form, "valid_from", 20),
            reason=text_of(form, "reason", 2 * REASON_LIMIT),
        )
        await self._do(form, amending.write_study, typed, said=rows.WRITTEN)

    @rx.event
    @allow(Role.ADMIN)
    async def write_template(self, form: dict[str, Any]):
        """Ask a colleague to agree to the words of a message."""
        typed = TypedTemplate(
            news=self.template.news,
            title=text_of(form, "title", 2 * TEXT_LIMIT),
            text=text_of(form, "text", 2 * TEXT_LIMIT),
            sms=text_of(form, "sms", 2 * TEXT_LIMIT),
            valid_from=text_of(form, "valid_from", 20),
            reason=text_of(form, "reason", 2 * REASON_LIMIT),
        )
        news = read_news(typed.news)
        await self._do(
            form,
            amending.write_template,
            typed,
            notices.facts_of(news) if news else Facts({}, frozenset()),
            said=rows.WRITTEN,
            sms_limit=notices.sms_limit(news) if news else 0,
        )

    @rx.event
    @allow(Role.ADMIN)
    async def confirm(self, form: dict[str, Any]):
        """Agree with the colleague."""
        await self._do(form, amending.confirm, self.answering.id, said=rows.CONFIRMED)

    @rx.event
    @allow(Role.ADMIN)
    async def decline(self):
        """Refuse the colleague's amendment, or take back one's own."""
        await self._do({}, amending.decline, self.answering.id, said=rows.DECLINED)

    async def _open(self, form: str) -> None:
        await hush(self)
        self.form, self.errors = form, dict.fromkeys(CONTROLS, "")
        self.form_key += 1
        self.needs_code = not is_fresh(await actor_of(self))

    async def _do(
        self, form: Any, act: Callable[..., Any], *words: Any, said: str, **more: Any
    ) -> None:
        self.errors = dict.fromkeys(CONTROLS, "")
        actor = await proven(self, text_of(form, "code", 12))
        if actor is None:
            return
        try:
            await in_thread(act, actor, *words, **more, now=clock.now())
        except Invalid as error:
            self.errors = {**self.errors, **rows.sentences(error)}
            return
        except DomainError as error:
            await warn(self, error)
        else:
            self.form = ""
            await say(self, said)
        await self._show(actor)

    async def _show(self, actor: Actor) -> None:
        views, today = await in_thread(amending.amendments, actor), clock.today()
        amendments = rows.amendment_rows(views, today)
        self._all = Lists(
            tuple(rows.occupation_rows(views, today)),
            tuple(rows.study_rows(views, today)),
            tuple(rows.template_rows(views, today)),
            tuple(row for row in amendments if not row.is_open),
        )
        waiting = [row for row in amendments if row.is_open]
        if waiting != self.waiting:
            self.waiting = waiting
        self._list()
        self.is_loaded = True

    def _list(self) -> None:
        found = shelves.found(self._all, self.query)
        # What is assigned is sent, and these are long.
        if found.occupations != self.occupations:
            self.occupations = found.occupations
        if found.studies != self.studies:
            self.studies = found.studies
        if found.templates != self.templates:
            self.templates = found.templates
        if found.past != self.past:
            self.past = found.past
        self.summary = found.summary
