"""The wizard: every field is saved as it is left, each step has an address of its own."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.clinics import ClinicKind
from emk_app.domain.consent import CURRENT
from emk_app.domain.corrections import SCAN_PREFIX
from emk_app.domain.documents import ScanKind
from emk_app.domain.errors import DomainError, Invalid
from emk_app.domain.intake import Field
from emk_app.domain.occupations import point_of
from emk_app.edge.policy import allow
from emk_app.presenting import applications as rows
from emk_app.presenting import esignatures, registers
from emk_app.presenting.applications import ClinicRow, FieldRow, ProblemRow, ScanRow
from emk_app.presenting.esignatures import SignatureRow
from emk_app.services import applying, directory, esigning, scans
from emk_app.services.applying import DraftView, WizardStep
from emk_app.states import live
from emk_app.states.session import PersonState, actor_of, arrive, ends_busy, renew, say, warn
from emk_app.threads import in_thread

ENTRY: Final = "/cabinet/apply"
NOTHING_WRONG: Final = dict.fromkeys(rows.CONTROLS, "")
SHOWN_AT_ONCE: Final = 10
SHOWN_AT_MOST: Final = 100


class ApplyState(rx.State):
    """The draft, as far as the page shows it."""

    is_loaded: bool = False
    step: str = WizardStep.DETAILS.value
    steps: dict[str, str] = rows.step_states(None, WizardStep.DETAILS)
    number: str = ""
    slug: str = ""
    saved: str = ""
    fields: dict[str, str] = {name.value: "" for name in Field}
    errors: dict[str, str] = dict(NOTHING_WRONG)
    summary: list[list[str]] = []
    """What was wrong when the person pressed «Далее»: control and sentence."""
    hints: list[str] = []
    work: str = ""
    """What the chosen occupation means for the examination."""
    scans: dict[str, ScanRow] = rows.scan_rows(())
    needs: dict[str, bool] = rows.needs(None)
    offers: dict[str, bool] = rows.offers(None)
    has_others: bool = False
    """Some papers that nobody must show are there, or something is wrong with them."""
    clinic: ClinicRow = ClinicRow()
    clinic_id: int = 0
    has_clinic: bool = False
    consented: bool = False
    signature: SignatureRow = SignatureRow()
    can_sign: bool = False
    answers: list[FieldRow] = []
    papers: list[ScanRow] = []
    problems: list[ProblemRow] = []
    """What keeps the application from being handed in, on the last step."""
    other_number: str = ""
    other_href: str = ""
    """An application that is still under way."""
    revision: int = 0
    """Grows when the form was changed elsewhere: choices on the screen then begin anew."""
    busy: bool = False
    sent_number: str = ""
    sent_href: str = ""
    sent_text: str = ""
    is_gone: bool = False
    """The draft was handed in, or dropped, in another tab."""

    _draft_id: int = 0
    _scolded: list[str] = []
    """Controls outside the form, named by the last «Далее»."""

    @rx.event
    @allow(Role.HOLDER)
    async def resume(self):
        """Go on where the draft was left."""
        await arrive(self)
        actor = await actor_of(self)
        draft = await in_thread(applying.standing_draft, actor, now=clock.now())
        step = draft.step if draft else WizardStep.DETAILS
        return rx.redirect(rows.step_href(step), replace=True)

    @rx.event
    @allow(Role.HOLDER)
    async def open(self, step: str):
        """Show a step; a step is remembered as soon as there is a draft to remember it."""
        wanted = _step(step)
        if not await renew(self) and self.is_loaded:
            # ``follow`` shows what has changed; what was just handed in is told on this page alone.
            return None
        actor = await actor_of(self)
        draft = await in_thread(applying.standing_draft, actor, now=clock.now())
        if draft is None and wanted is not WizardStep.DETAILS:
            return rx.redirect(rows.step_href(WizardStep.DETAILS), replace=True)
        if draft is not None and draft.step is not wanted:
            draft = await in_thread(
                applying.remember_step, actor, draft.id, wanted, now=clock.now()
            )
        overview = await in_thread(applying.overview, actor, now=clock.now())
        others = [row for row in map(rows.case_row, overview.cases) if row.is_open]
        self.step = wanted.value
        if others:
            self.other_number, self.other_href = others[0].number, others[0].href
        self._show(draft)
        return None

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show what other tabs and devices change in the same draft."""
        async with self:
            actor = await actor_of(self)
        async for _ in live.changes(f"holder:{actor.user_id}"):
            async with self:
                actor = await actor_of(self)
                draft = await in_thread(applying.standing_draft, actor, now=clock.now())
                if self.sent_number:
                    continue
                if draft is None or (self.slug and draft.number.slug != self.slug):
                    self.is_gone = self.is_gone or bool(self.slug)
                elif self.is_loaded:
                    shown = (self.fields, self.consented)
                    self._show(draft)
                    self.revision += (self.fields, self.consented) != shown

    @rx.event
    @allow(Role.HOLDER)
    async def change(self, name: str, text: str):
        """Save one field as it is left and say what is wrong with it."""
        field = _field(name)
        typed = str(text)
        if field is None or (not typed and not self.fields.get(field)):
            # An empty field that was only passed through is not scolded.
            return
        await self._save({field: typed})

    @rx.event
    @allow(Role.HOLDER)
    async def finish_details(self, form: dict[str, Any]):
        """Save the whole first step and go on, if nothing is wrong in it."""
        answers = {field: self.fields.get(field, "") for field in Field}
        if isinstance(form, dict):
            answers |= {
                field: text for field in Field if isinstance(text := form.get(field.value), str)
            }
        draft = await self._save(answers)
        return self._go_on(draft, WizardStep.DETAILS, WizardStep.PAPERS)

    @rx.event
    @allow(Role.HOLDER)
    async def finish_papers(self):
        """Go on to the clinic, if the papers are there."""
        return self._go_on(await self._standing(), WizardStep.PAPERS, WizardStep.CLINIC)

    @rx.event
    @allow(Role.HOLDER)
    async def finish_clinic(self):
        """Go on to the review, if a clinic is chosen."""
        return self._go_on(await self._standing(), WizardStep.CLINIC, WizardStep.REVIEW)

    @rx.event
    @allow(Role.HOLDER)
    async def remove_scan(self, name: str):
        """Take a scan out of the draft."""
        kind = scan_kind(name)
        if kind is None:
            return
        actor, application_id = await self._target()
        try:
            await in_thread(scans.remove, actor, application_id, kind, now=clock.now())
        except DomainError as error:
            await warn(self, error)
            return
        self._show(await self._standing())
        await say(self, f"{self.scans[name].label}: скан удалён.")

    @rx.event
    @allow(Role.HOLDER)
    async def choose_clinic(self, clinic_id: int):
        """Choose a clinic of the list."""
        actor, application_id = await self._target()
        try:
            await in_thread(
                applying.choose_clinic, actor, application_id, number(clinic_id), now=clock.now()
            )
        except DomainError as error:
            await warn(self, error)
            return
        self._show(await self._standing())
        await say(self, f"Выбрана организация «{self.clinic.name}».")

    @rx.event
    @allow(Role.HOLDER)
    async def consent(self, given: bool):
        """Give the consent to the text on the page, or take it back."""
        actor, application_id = await self._target()
        try:
            await in_thread(
                applying.set_consent,
                actor,
                application_id,
                given=given is True,
                version=CURRENT.version,
                now=clock.now(),
            )
        except DomainError as error:
            self.revision += 1
            await warn(self, error)
        self._show(await self._standing())

    @rx.event
    @allow(Role.HOLDER)
    async def remove_signature(self):
        """Take the electronic signature away."""
        actor, application_id = await self._target()
        try:
            await in_thread(esigning.remove, actor, application_id, now=clock.now())
        except DomainError as error:
            await warn(self, error)
            return
        self._show(await self._standing())
        await say(self, "Подпись удалена.")

    @rx.event
    @allow(Role.HOLDER)
    @ends_busy
    async def submit(self):
        """Hand the application in."""
        self.busy, self.problems = True, []
        yield
        actor, application_id = await self._target()
        try:
            done = await in_thread(applying.submit, actor, application_id, now=clock.now())
        except Invalid as error:
            self._scolded = list(error.fields)
            self._show(await self._standing())
            self.problems = rows.problem_rows(error.fields)
        except DomainError as error:
            await warn(self, error)
        else:
            self.sent_number = done.number.shown
            self.sent_href = rows.case_href(done.number)
            self.sent_text = rows.submitted_text(done)
            # The person is now called by the name in the application.
            yield PersonState.load

    async def _target(self) -> tuple[Actor, int]:
        """Return who acts and which draft is meant: the one on the screen, or a new one.

        The service refuses it if it is foreign, or was handed in meanwhile.
        """
        actor = await actor_of(self)
        if self._draft_id:
            return actor, self._draft_id
        return actor, (await in_thread(applying.draft, actor, now=clock.now())).id

    async def _standing(self) -> DraftView | None:
        actor = await actor_of(self)
        return await in_thread(applying.standing_draft, actor, now=clock.now())

    async def _save(self, typed: dict[Field, str]) -> DraftView | None:
        actor, application_id = await self._target()
        try:
            draft = await in_thread(
                applying.change_fields, actor, application_id, typed, now=clock.now()
            )
        except DomainError as error:
            await warn(self, error)
            return None
        self._show(draft)
        return draft

    def _go_on(
        self, draft: DraftView | None, step: WizardStep, following: WizardStep
    ) -> EventSpec | None:
        """Say what is wrong on this step, or go to the next."""
        if draft is None:
            return None
        wrong = {
            name: sentence
            for name, sentence in rows.sentences(draft.lacking).items()
            if rows.step_of(name) is step
        }
        self._scolded = list(wrong)
        self.summary = rows.summary_lines(wrong)
        self._show(draft)
        return None if wrong else rx.redirect(rows.step_href(following))

    def _show(self, draft: DraftView | None) -> None:
        step = WizardStep(self.step)
        self.is_loaded = True
        self.steps = rows.step_states(draft, step)
        if draft is None:
            return
        lacking = rows.sentences(draft.lacking)
        self._draft_id = draft.id
        self.number, self.slug = draft.number.shown, draft.number.slug
        self.saved = rows.saved(draft)
        self.errors = (
            NOTHING_WRONG
            | rows.sentences(draft.problems)
            | {name: lacking[name] for name in self._scolded if name in lacking}
        )
        self.problems = [row for row in self.problems if row.name in lacking]
        self.summary = [line for line in self.summary if line[0] in lacking]
        # Only what the step shows leaves the server (D23).
        match step:
            case WizardStep.DETAILS:
                self.fields = rows.typed(draft)
                self.hints = rows.warnings_of(draft)
                self.work = rows.work_text(draft.fields)
            case WizardStep.PAPERS:
                date = Field.EXAM_CERTIFICATE_ON
                self.fields |= {date.value: rows.typed(draft)[date]}
                self.scans = rows.scan_rows(draft.scans, draft.fields)
                self.needs, self.offers = rows.needs(draft), rows.offers(draft)
                others = {date.value, *(name for name, is_there in self.offers.items() if is_there)}
                self.has_others = any(
                    self.errors[name] or (name in self.scans and self.scans[name].name)
                    for name in others
                )
            case WizardStep.CLINIC:
                self._show_clinic(draft)
            case WizardStep.REVIEW:
                self._show_clinic(draft)
                self.answers = rows.answers(draft)
                self.papers = rows.paper_rows(draft.scans, draft.fields)
                self.hints = rows.warnings_of(draft)
                self.consented = draft.is_consented
                self.signature = esignatures.row(draft.signature, self.slug, is_draft=True)
                self.can_sign = draft.applicant is not None

    def _show_clinic(self, draft: DraftView) -> None:
        self.clinic = rows.clinic_row(draft.clinic)
        self.clinic_id, self.has_clinic = self.clinic.id, draft.clinic is not None


class ClinicSearchState(rx.State):
    """The search of clinics, on the wizard's page and on a case's."""

    query: str = ""
    region: str = ""
    kind: str = ""
    with_policy: bool = False
    in_force: bool = False
    for_work: bool = True
    """Only those that examine for the holder's occupation."""
    has_work: bool = False
    found: list[ClinicRow] = []
    total: str = ""
    corrected: str = ""
    has_more: bool = False
    is_searched: bool = False
    regions: list[list[str]] = []
    kinds: list[list[str]] = registers.kind_options(directory.Counts())
    policy_count: str = ""
    licence_count: str = ""
    relaxations: list[list[str]] = []
    """Conditions without which something would be found, where nothing is."""
    revision: int = 0
    """Grows when filters are not as the person left them: the controls then begin anew."""

    _place: str = ""
    _point: str = ""
    _shown: int = SHOWN_AT_ONCE

    @rx.event
    @allow(Role.HOLDER)
    async def begin(self):
        """Show the first clinics for the occupation of the draft, or the search left before."""
        actor = await actor_of(self)
        draft = await in_thread(applying.standing_draft, actor, now=clock.now())
        point = point_of(draft.fields.get(Field.OCCUPATION, "")) if draft else None
        await self._begin(draft.number.slug if draft else "", point or "")

    @rx.event(supersedes=True)
    @allow(Role.HOLDER)
    async def type_query(self, text: str):
        """Search while a name or code is typed; the next letter takes the place of the last."""
        self.query = words_of(text, directory.LONGEST_QUERY)
        await self._search_anew()

    @rx.event
    @allow(Role.HOLDER)
    async def choose_region(self, code: str):
        """Search in one region, or everywhere."""
        self.region = words_of(code, 2)
        await self._search_anew()

    @rx.event
    @allow(Role.HOLDER)
    async def choose_kind(self, kind: str):
        """Search for one type of clinic, or all."""
        self.kind = words_of(kind, 20)
        await self._search_anew()

    @rx.event
    @allow(Role.HOLDER)
    async def only_with_policy(self, wanted: bool):
        """Search among those with «Электронный полис»."""
        self.with_policy = wanted is True
        await self._search_anew()

    @rx.event
    @allow(Role.HOLDER)
    async def only_in_force(self, wanted: bool):
        """Search among those whose licence stands."""
        self.in_force = wanted is True
        await self._search_anew()

    @rx.event
    @allow(Role.HOLDER)
    async def only_for_work(self, wanted: bool):
        """Search among those that examine for the occupation."""
        self.for_work = wanted is True
        await self._search_anew()

    @rx.event
    @allow(Role.HOLDER)
    async def relax(self, name: str):
        """Drop one condition."""
        match str(name):
            case "region":
                self.region = ""
            case "kind":
                self.kind = ""
            case "with_electronic_policy":
                self.with_policy = False
            case "in_force":
                self.in_force = False
            case "point":
                self.for_work = False
            case _:
                return
        self.revision += 1
        await self._search_anew()

    @rx.event
    @allow(Role.HOLDER)
    async def forget_filters(self):
        """Search everywhere again."""
        self.query, self.region, self.kind = "", "", ""
        self.with_policy, self.in_force, self.for_work = False, False, False
        self.revision += 1
        await self._search_anew()

    @rx.event
    @allow(Role.HOLDER)
    async def show_more(self):
        """Show the next clinics of the same search."""
        self._shown = min(self._shown + SHOWN_AT_ONCE, SHOWN_AT_MOST)
        await self._search()

    async def _begin(self, place: str, point: str) -> None:
        """Begin at ``place``; who comes back to it finds the search as it was."""
        if (self._place, self._point) != (place, point):
            revision = self.revision
            self.reset()
            self._place, self._point, self.has_work = place, point, bool(point)
            self.revision = revision + 1
        await self._search()

    async def _search_anew(self) -> None:
        self._shown = SHOWN_AT_ONCE
        await self._search()

    async def _search(self) -> None:
        point = self._point or None
        filters: dict[str, Any] = {
            "region": self.region or None,
            "kind": ClinicKind(self.kind) if self.kind in ClinicKind._value2member_map_ else None,
            "with_electronic_policy": self.with_policy,
            "in_force": self.in_force,
            "point": point if self.for_work else None,
        }
        query = self.query
        found = await in_thread(directory.search, query, **filters, limit=self._shown)
        totals = {} if found.total else await in_thread(directory.relaxed, query, **filters)
        self.found = [rows.clinic_row(clinic, point) for clinic in found.clinics]
        self.total = rows.found_text(found.total, is_known=found.is_total_known)
        self.corrected = registers.corrected_text(found, query)
        self.regions = registers.region_options(found.counts)
        self.kinds = registers.kind_options(found.counts)
        self.policy_count = registers.flag_count(found.counts.with_electronic_policy)
        self.licence_count = registers.flag_count(found.counts.in_force)
        self.relaxations = registers.relaxations(totals)
        self.has_more = len(self.found) < min(found.total, SHOWN_AT_MOST)
        self.is_searched = True


def number(sent: Any) -> int:
    """Return an identity from the browser; 0, which nothing has, for what is none."""
    is_number = isinstance(sent, int) and not isinstance(sent, bool)
    return sent if is_number and 0 < sent < 2**63 else 0


def words_of(sent: Any, longest: int) -> str:
    """Return text from the browser without the marks that no database takes."""
    return "".join(each for each in str(sent)[:longest] if each.isprintable())


def scan_kind(name: Any) -> ScanKind | None:
    """Return the kind of the paper whose control is called ``name``."""
    bare = str(name).removeprefix(SCAN_PREFIX)
    return ScanKind(bare) if bare in ScanKind._value2member_map_ else None


def _field(name: Any) -> Field | None:
    return Field(name) if str(name) in Field._value2member_map_ else None


def _step(step: Any) -> WizardStep:
    known = WizardStep._value2member_map_
    return WizardStep(step) if str(step) in known else WizardStep.DETAILS
