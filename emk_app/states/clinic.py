"""The clinic's desk: the day's list, and the page of one examination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role, permit_fresh
from emk_app.domain.clearance import Fitness
from emk_app.domain.errors import (
    DomainError,
    FreshFactorNeeded,
    Invalid,
    InvalidValue,
    NotFound,
    Required,
)
from emk_app.domain.examinations import ItemKind
from emk_app.domain.people import parse_past_date
from emk_app.edge.policy import allow
from emk_app.presenting import examinations as rows
from emk_app.presenting import texts
from emk_app.presenting.examinations import (
    DayRow,
    ExaminationRow,
    ProgressRow,
    ResultRow,
    SignatureRow,
)
from emk_app.presenting.formats import day
from emk_app.services import accounts, examining
from emk_app.services.examining import ExaminationView
from emk_app.states import live
from emk_app.states.session import actor_of, hush, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

TEXT_LIMIT: Final = 100
WORDS_LIMIT: Final = 1000


class DayState(rx.State):
    """The applications that chose this clinic."""

    rows: list[DayRow] = []
    rest: str = ""
    is_loaded: bool = False
    problem: str = ""
    """What is wrong with the number that was looked for."""
    found_number: str = ""
    found_slug: str = ""
    """An application whose case is not open yet."""
    found_text: str = ""
    chosen: str = ""
    chosen_slug: str = ""
    chosen_name: str = ""
    """Whose case is about to be opened."""
    may_open: bool = False

    @rx.event
    @allow(Role.CLINIC, quiet=True)
    async def open(self):
        """Begin without what the page before has shown."""
        await hush(self)
        self.reset()

    @rx.event(background=True)
    @allow(Role.CLINIC, quiet=True)
    async def follow(self):
        """Show each change of the day while the page is open."""
        async with self:
            actor = await actor_of(self)
        async for _ in live.changes(f"clinic:{actor.clinic_id}"):
            async with self:
                actor = await actor_of(self)
            shown = await in_thread(examining.day, actor, now=clock.now())
            lines, rest = rows.day_rows(shown), rows.rest_of(shown)
            async with self:
                if (lines, rest) != (self.rows, self.rest) or not self.is_loaded:
                    self.rows, self.rest = lines, rest
                    self.may_open, self.is_loaded = shown.may_open, True

    @rx.event
    @allow(Role.CLINIC)
    async def find(self, form: dict[str, Any]):
        """Go to the examination of a number, or say that it is not open yet."""
        self.problem = self.found_number = self.found_slug = self.found_text = ""
        actor = await actor_of(self)
        try:
            found = await in_thread(examining.find, actor, text_of(form, "number", TEXT_LIMIT))
        except NotFound:
            self.problem = rows.UNKNOWN_NUMBER
        except InvalidValue as error:
            self.problem = texts.sentence(error)
        else:
            if found.examination_id is not None:
                return rx.redirect(_page_of(found.examination_id))
            self.found_number, self.found_slug = found.number.shown, found.number.slug
            self.found_text = rows.UNOPENED if self.may_open else rows.UNOPENED_FOR_PHYSICIAN
        return None

    @rx.event
    @allow(Role.CLINIC)
    def choose(self, slug: str):
        """Note whose case the window asks about."""
        wanted = str(slug)[:TEXT_LIMIT]
        row = next((each for each in self.rows if each.slug == wanted), None)
        self.chosen_slug = wanted
        self.chosen = row.number if row else self.found_number
        self.chosen_name = row.name if row else ""

    @rx.event
    @allow(Role.CLINIC)
    async def open_case(self):
        """Open the examination that was chosen and go to its page."""
        actor = await actor_of(self)
        try:
            examination_id = await in_thread(
                examining.open_case, actor, self.chosen_slug, now=clock.now()
            )
        except DomainError as error:
            await warn(self, error)
            return None
        return rx.redirect(_page_of(examination_id))


class ExaminationState(rx.State):
    """One examination: whom, what was found, what the commission concludes."""

    head: ExaminationRow = ExaminationRow()
    progress: ProgressRow = ProgressRow()
    measurements: list[ResultRow] = []
    physicians: list[ResultRow] = []
    labs: list[ResultRow] = []
    instrumental: list[ResultRow] = []
    attestation: list[ResultRow] = []
    signature: SignatureRow = SignatureRow()
    is_loaded: bool = False
    is_missing: bool = False
    default_date: str = ""
    default_date_error: str = ""
    held: str = ""
    """Code of the list whose answer is chosen and not saved yet."""
    fitness: str = ""
    errors: dict[str, str] = {
        "fitness": "",
        "restrictions": "",
        "until": "",
        "note": "",
        "code": "",
    }
    summary: list[list[str]] = []
    """What keeps the conclusion from being signed: control and sentence."""
    draft: SignatureRow = SignatureRow()
    """The conclusion in words, before it is signed."""
    is_confirming: bool = False
    needs_code: bool = False
    busy: bool = False

    _version: int = 0
    _application_version: int = 0
    """What the screen shows of the case: nothing else is signed, nothing older shown after it."""
    _checked: int = 0
    """What it showed when the conclusion was checked."""
    _wrong: dict[str, str] = {}
    _wrong_dates: dict[str, str] = {}
    _dates: dict[str, str] = {}
    """By code: what is wrong with a line, and the dates typed before their results."""
    _held: dict[str, str] = {}

    GROUPS: ClassVar[dict[ItemKind, str]] = {
        ItemKind.MEASUREMENT: "measurements",
        ItemKind.PHYSICIAN: "physicians",
        ItemKind.LAB: "labs",
        ItemKind.INSTRUMENTAL: "instrumental",
        ItemKind.ATTESTATION: "attestation",
    }
    """A var for each group, so that an entry sends its own group and not the whole page."""

    @rx.event
    @allow(Role.CLINIC, quiet=True)
    async def open(self):
        """Begin with an empty page and today's date."""
        await hush(self)
        self.reset()
        self.default_date = day(clock.today())

    @rx.event(background=True)
    @allow(Role.CLINIC, quiet=True)
    async def follow(self):
        """Show each change of the case while the page is open."""
        async with self:
            actor, examination_id = await actor_of(self), self._id()
        try:
            first = await in_thread(examining.view, actor, examination_id, now=clock.now())
        except NotFound:
            async with self:
                self.is_missing = self.is_loaded = True
            return
        async for _ in live.changes(f"application:{first.application_id}"):
            async with self:
                actor = await actor_of(self)
            shown = await in_thread(examining.view, actor, examination_id, now=clock.now())
            async with self:
                self._show(shown)

    @rx.event
    @allow(Role.CLINIC)
    async def confirm_identity(self):
        """Note that the patient was compared with their papers."""
        await self._do(examining.confirm_identity, rows.IDENTITY_CONFIRMED)

    @rx.event
    @allow(Role.CLINIC)
    async def reopen(self):
        """Go on after a conclusion that was only temporary."""
        await self._do(examining.reopen, rows.REOPENED)

    @rx.event
    @allow(Role.CLINIC)
    async def set_default_date(self, text: str):
        """Put a day into every line that has no result yet."""
        typed = str(text)[:TEXT_LIMIT].strip()
        if typed == self.default_date:
            return
        try:
            self.default_date = day(parse_past_date(typed, clock.today()))
        except InvalidValue as error:
            self.default_date_error = texts.sentence(error)
            return
        self.default_date_error = ""
        await self._refresh()

    @rx.event
    @allow(Role.CLINIC)
    async def enter(self, code: str, text: str):
        """Save a result as it is left; an empty line that was only passed through stays quiet."""
        row = self._row(code)
        typed = str(text)[:TEXT_LIMIT].strip()
        if row is None or not row.may_edit or typed == row.value:
            if row is not None and self._wrong.pop(row.code, None):
                await self._refresh()
            return
        await self._save(row, typed, row.made_on)

    @rx.event
    @allow(Role.CLINIC)
    def hold(self, code: str, option: str):
        """Note what is chosen in a list; the arrows pass through answers nobody means."""
        row = self._row(code)
        if row is not None:
            self._held = {row.code: str(option)[:TEXT_LIMIT]}
            self.held = row.code

    @rx.event
    @allow(Role.CLINIC)
    async def settle(self, code: str):
        """Save what was chosen in a list as it is left."""
        row = self._row(code)
        if row is None or row.code not in self._held:
            return
        option = self._held[row.code]
        self._held, self.held = {}, ""
        if row.may_edit and option != row.value:
            await self._save(row, option, row.made_on)

    @rx.event
    @allow(Role.CLINIC)
    async def enter_date(self, code: str, text: str):
        """Save the day of a study; before its result it is only kept for it."""
        row = self._row(code)
        typed = str(text)[:TEXT_LIMIT].strip()
        if row is None or not row.may_edit or typed == row.made_on:
            return
        if row.entry_id:
            await self._save(row, row.value, typed)
            return
        try:
            self._dates = {**self._dates, row.code: day(parse_past_date(typed, clock.today()))}
            self._wrong_dates.pop(row.code, None)
        except InvalidValue as error:
            self._dates = {**self._dates, row.code: typed}
            self._wrong_dates = {**self._wrong_dates, row.code: texts.sentence(error)}
        await self._refresh()

    @rx.event
    @allow(Role.CLINIC)
    def choose_fitness(self, value: str):
        """Show what the chosen outcome asks for."""
        self.fitness = str(value)[:TEXT_LIMIT]
        self.errors = dict.fromkeys(self.errors, "")
        self.summary = []

    @rx.event
    @allow(Role.CLINIC)
    async def conclude(self, form: dict[str, Any]):
        """Show the conclusion in words; sent once more, it is signed."""
        self.busy = True
        yield
        self.errors, self.summary = dict.fromkeys(self.errors, ""), []
        if self.is_confirming:
            await self._sign(form)
        else:
            await self._check(form)
        await self._refresh()
        self.busy = False

    @rx.event
    @allow(Role.CLINIC)
    def change_mind(self):
        """Go back from the signature to the form."""
        self.is_confirming = False
        self.errors = dict.fromkeys(self.errors, "")

    async def _check(self, form: Any) -> None:
        actor = await actor_of(self)
        try:
            conclusion = await in_thread(
                examining.check_conclusion,
                actor,
                self._id(),
                _fitness(form),
                **_words(form),
                now=clock.now(),
            )
        except Invalid as error:
            self._scold(error)
        except DomainError as error:
            await warn(self, error)
        else:
            await hush(self)
            self.draft = rows.conclusion_row(conclusion)
            self._checked = self._version
            self.is_confirming = True
            self.needs_code = not _is_fresh(actor)

    async def _sign(self, form: Any) -> None:
        try:
            await self._renew_factor(form)
        except DomainError as error:
            self.needs_code = True
            self.errors = {**self.errors, "code": texts.sentence(error)}
            return
        actor = await actor_of(self)
        try:
            await in_thread(
                examining.conclude_and_sign,
                actor,
                self._id(),
                _fitness(form),
                **_words(form),
                seen=self._checked,
                now=clock.now(),
            )
        except Invalid as error:
            self._scold(error)
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.SIGNED)
        self.is_confirming = False

    async def _renew_factor(self, form: Any) -> None:
        """Take a code where the last one is older than five minutes (D13)."""
        actor = await actor_of(self)
        if _is_fresh(actor):
            return
        code = text_of(form, "code", 12)
        if not code:
            raise FreshFactorNeeded
        await in_thread(accounts.renew_factor, actor, code, now=clock.now())
        self.needs_code = False

    async def _save(self, row: ResultRow, text: str, made_on: str) -> None:
        """Save one line; what was typed stays where it is wrong, beside what is wrong with it."""
        actor, examination_id = await actor_of(self), self._id()
        wrong, wrong_dates = dict(self._wrong), dict(self._wrong_dates)
        wrong.pop(row.code, None)
        wrong_dates.pop(row.code, None)
        try:
            if row.entry_id:
                await in_thread(
                    examining.correct_result,
                    actor,
                    examination_id,
                    row.entry_id,
                    text,
                    made_on,
                    now=clock.now(),
                )
            else:
                await in_thread(
                    examining.enter_result,
                    actor,
                    examination_id,
                    row.code,
                    text,
                    made_on,
                    now=clock.now(),
                )
        except Invalid as error:
            said = texts.field_sentences(error)
            wrong |= {row.code: said["text"]} if "text" in said else {}
            wrong_dates |= {row.code: said["made_on"]} if "made_on" in said else {}
        except DomainError as error:
            wrong[row.code] = texts.sentence(error)
        await hush(self)
        self._wrong, self._wrong_dates = wrong, wrong_dates
        await self._refresh()

    async def _do(self, act: Callable[..., None], done: str) -> None:
        actor, examination_id = await actor_of(self), self._id()
        if not self.head.number:
            # A click from the page before: nobody has seen yet whom it is about.
            await self._refresh()
            return
        try:
            await in_thread(act, actor, examination_id, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, done)
        await self._refresh()

    async def _refresh(self) -> None:
        actor = await actor_of(self)
        try:
            self._show(await in_thread(examining.view, actor, self._id(), now=clock.now()))
        except NotFound:
            self.is_missing = self.is_loaded = True

    def _show(self, shown: ExaminationView) -> None:
        """Send what differs from what the screen shows."""
        if not self.is_loaded:
            self.is_loaded = True
        if shown.version < self._version or shown.application_version < self._application_version:
            return
        self._version, self._application_version = shown.version, shown.application_version
        values: dict[str, Any] = {
            "head": rows.examination_row(shown),
            "progress": rows.progress_row(shown),
            "signature": rows.signature_row(shown.signature),
        }
        for kind, name in self.GROUPS.items():
            values[name] = rows.result_rows(
                shown,
                kind,
                errors=self._wrong,
                date_errors=self._wrong_dates,
                dates=self._dates,
                default_date=self.default_date,
            )
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    def _scold(self, error: Invalid) -> None:
        said = rows.sentences(error)
        self.errors = {**self.errors, **said}
        self.summary = [[name, sentence] for name, sentence in said.items()]

    def _row(self, code: Any) -> ResultRow | None:
        for name in self.GROUPS.values():
            for row in getattr(self, name):
                if row.code == code:
                    return row
        return None

    def _id(self) -> int:
        text = str(getattr(self, "examination_arg", ""))
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _fitness(form: Any) -> Fitness:
    chosen = text_of(form, "fitness", TEXT_LIMIT)
    try:
        return Fitness(chosen)
    except ValueError:
        raise Invalid({"fitness": Required()}) from None


def _words(form: Any) -> dict[str, str]:
    names = ("restrictions", "until", "note")
    return {name: text_of(form, name, WORDS_LIMIT) for name in names}


def _is_fresh(actor: Actor) -> bool:
    """Whether the second factor was given so lately that none need be asked for."""
    try:
        permit_fresh(actor, clock.now())
    except FreshFactorNeeded:
        return False
    return True


def _page_of(examination_id: int) -> str:
    return f"/clinic/exams/{examination_id}"
