"""The clinic's desk: the day's list, and the page of one examination."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.attachments import AttachmentKind
from emk_app.domain.clearance import CONTRAINDICATION_GROUPS, RESTRICTIONS, Fitness
from emk_app.domain.errors import (
    DomainError,
    Invalid,
    InvalidValue,
    NotFound,
    Required,
)
from emk_app.domain.examinations import (
    CorrectionReason,
    Details,
    ItemKind,
    Unlikely,
    read_details,
)
from emk_app.domain.people import parse_past_date
from emk_app.edge.policy import allow
from emk_app.presenting import attachments as papers
from emk_app.presenting import examinations as rows
from emk_app.presenting import exchange, texts
from emk_app.presenting import vaccinations as shots
from emk_app.presenting.attachments import AttachmentRow
from emk_app.presenting.examinations import (
    AppealRow,
    DayRow,
    ExaminationRow,
    MemberRow,
    ProgressRow,
    ResultRow,
    SignatureRow,
)
from emk_app.presenting.formats import day
from emk_app.presenting.vaccinations import RecordRow, StandingRow
from emk_app.services import appealing, attaching, examining, staffing, vaccinating
from emk_app.services.attaching import Folder
from emk_app.services.examining import ExaminationView, Words
from emk_app.services.vaccinating import Card, Typed
from emk_app.states import live
from emk_app.states.session import actor_of, ends_busy, hush, is_fresh, proven, renew, say, warn
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
    appeals: list[AppealRow] = []
    """What a second commission of this clinic is asked to decide; for its chairs."""

    @rx.event
    @allow(Role.CLINIC, quiet=True)
    async def open(self):
        """Begin without what the page before has shown."""
        await renew(self)

    @rx.event(background=True)
    @allow(Role.CLINIC, quiet=True)
    async def follow(self):
        """Show each change of the day while the page is open."""
        async with self:
            actor = await actor_of(self)
        async for _ in live.changes(f"clinic:{actor.clinic_id}"):
            async with self:
                actor = await actor_of(self)
            shown, waiting = await in_thread(_day, actor)
            lines, rest = rows.day_rows(shown), rows.rest_of(shown)
            contested = rows.appeal_rows(waiting)
            async with self:
                if contested != self.appeals:
                    self.appeals = contested
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
    async def take_appeal(self, slug: str):
        """Begin the second commission and go to its page."""
        actor = await actor_of(self)
        try:
            examination_id = await in_thread(
                appealing.take, actor, str(slug)[:TEXT_LIMIT], now=clock.now()
            )
        except DomainError as error:
            await warn(self, error)
            return None
        return rx.redirect(_page_of(examination_id))

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


class StaffState(rx.State):
    """The clinic's staff, and whose studies are whose."""

    rows: list[MemberRow] = []
    is_loaded: bool = False
    is_closed: bool = False
    """Whoever is not a chair finds nothing here."""

    @rx.event(background=True)
    @allow(Role.CLINIC, quiet=True)
    async def follow(self):
        """Show each change of the staff while the page is open."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
        async for _ in live.changes(f"staff:{actor.clinic_id}"):
            # Read under the tab's lock: what was read before an act of this tab is never shown
            # after it.
            async with self:
                actor = await actor_of(self)
                if actor.position is not Position.CHAIR:
                    self.is_loaded = self.is_closed = True
                    return
                self.rows = rows.member_rows(await in_thread(staffing.staff, actor))
                self.is_loaded, self.is_closed = True, False

    @rx.event
    @allow(Role.CLINIC)
    async def set_specialty(self, user_id: int, code: str, given: bool):
        """Give a physician a specialty, or take it away."""
        actor = await actor_of(self)
        member = next((each for each in self.rows if each.id == user_id), None)
        if member is None or not isinstance(code, str):
            return
        codes = set(member.codes) | {code} if given is True else set(member.codes) - {code}
        try:
            await in_thread(
                staffing.set_specialties, actor, member.id, tuple(codes), now=clock.now()
            )
            self.rows = rows.member_rows(await in_thread(staffing.staff, actor))
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.SPECIALTIES_SAVED.format(name=member.name))


class ExaminationState(rx.State):
    """One examination: whom, what was found, what the commission concludes."""

    head: ExaminationRow = ExaminationRow()
    exchange: str = ""
    """How far the conclusion has come on its way to the system of ОМС."""
    progress: ProgressRow = ProgressRow()
    measurements: list[ResultRow] = []
    physicians: list[ResultRow] = []
    labs: list[ResultRow] = []
    instrumental: list[ResultRow] = []
    attestation: list[ResultRow] = []
    further: list[ResultRow] = []
    only_own: bool = True
    """Show a physician nothing but their own studies."""
    performer: str = ""
    device: str = ""
    """Written into every new analysis."""
    further_error: str = ""
    further_serial: int = 0
    standings: list[StandingRow] = []
    records: list[RecordRow] = []
    may_vaccinate: bool = False
    vaccine_kind: str = "done"
    vaccine_errors: dict[str, str] = dict.fromkeys(shots.UNSAID, "")
    vaccine_serial: int = 0
    """Counts what was recorded or ordered: the form begins anew."""
    papers: list[AttachmentRow] = []
    may_attach: bool = False
    case_id: int = 0
    attachment_kind: str = AttachmentKind.LAB_REPORT.value
    """What paper the next file is."""
    chosen_paper: int = 0
    chosen_paper_name: str = ""
    """Which one is about to be removed."""
    earlier: list[SignatureRow] = []
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
        "contraindications": "",
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
    _doubted: dict[str, str] = {}
    _pending: dict[str, str] = {}
    """By code: what was typed and waits to be confirmed, or for the reason of a correction."""
    _wrong_details: dict[str, str] = {}

    GROUPS: ClassVar[dict[ItemKind, str]] = {
        ItemKind.MEASUREMENT: "measurements",
        ItemKind.PHYSICIAN: "physicians",
        ItemKind.LAB: "labs",
        ItemKind.INSTRUMENTAL: "instrumental",
        ItemKind.ATTESTATION: "attestation",
        ItemKind.FURTHER: "further",
    }
    """A var for each group, so that an entry sends its own group and not the whole page."""

    @rx.event
    @allow(Role.CLINIC, quiet=True)
    async def open(self):
        """Begin with an empty page and today's date."""
        if await renew(self):
            self.default_date = day(clock.today())

    @rx.event(background=True)
    @allow(Role.CLINIC, quiet=True)
    async def follow(self):
        """Show each change of the case while the page is open."""
        async with self:
            actor, examination_id = await actor_of(self), self._id()
        try:
            first, *_ = await in_thread(_seen, actor, examination_id)
        except NotFound:
            async with self:
                self.is_missing = self.is_loaded = True
            return
        async for _ in live.changes(f"application:{first.application_id}"):
            async with self:
                actor = await actor_of(self)
            seen = await in_thread(_seen, actor, examination_id)
            async with self:
                self._show(*seen)

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
            if row is not None and not row.is_doubted and self._wrong.pop(row.code, None):
                await self._refresh()
            return
        await self._save(row, typed, row.made_on)

    @rx.event
    @allow(Role.CLINIC)
    async def confirm_rare(self, code: str):
        """Save a rare number that was looked at once more."""
        row = self._row(code)
        if row is None or row.code not in self._doubted or not row.may_edit:
            return
        await self._save(row, self._doubted[row.code], row.made_on, confirmed=True)

    @rx.event
    @allow(Role.CLINIC)
    async def explain(self, code: str, reason: str):
        """Save a correction with its reason; without one the old entry stands again."""
        row = self._row(code)
        if row is None or row.code not in self._pending:
            return
        typed = self._pending[row.code]
        self._pending = _without(self._pending, row.code)
        if str(reason) not in CorrectionReason._value2member_map_ or not row.may_edit:
            await self._refresh()
            return
        await self._save(row, typed, row.made_on, reason=CorrectionReason(str(reason)))

    @rx.event
    @allow(Role.CLINIC)
    async def take_over(self, code: str):
        """Take a result over from the holder's book."""
        row = self._row(code)
        if row is not None and row.offer:
            await self._act(examining.take_over, row.code)

    @rx.event
    @allow(Role.CLINIC)
    async def detail(self, code: str, name: str, text: str):
        """Save who made an analysis, on what, or under which number."""
        row = self._row(code)
        field = str(name)
        if row is None or not row.has_details or field not in ("performer", "device", "number"):
            return
        said = {"performer": row.performer, "device": row.device, "number": row.number}
        typed = str(text)[:WORDS_LIMIT].strip()
        if said[field] != typed:
            await self._put_details(
                row, {**said, field: typed}, from_certificate=row.is_certificate
            )

    @rx.event
    @allow(Role.CLINIC)
    async def certify(self, code: str, given: bool):
        """Say that a result comes from the certificate the holder has brought."""
        row = self._row(code)
        if row is None or not row.has_details or row.is_certificate is (given is True):
            return
        said = {"performer": row.performer, "device": row.device, "number": row.number}
        await self._put_details(row, said, from_certificate=given is True)

    @rx.event
    @allow(Role.CLINIC)
    def set_performer(self, text: str):
        """Keep the laboratory for the analyses that follow."""
        self.performer = str(text)[:TEXT_LIMIT].strip()

    @rx.event
    @allow(Role.CLINIC)
    def set_device(self, text: str):
        """Keep the device for the analyses that follow."""
        self.device = str(text)[:TEXT_LIMIT].strip()

    @rx.event
    @allow(Role.CLINIC)
    async def show_own(self, chosen: bool):
        """Show only the physician's own studies, or all."""
        self.only_own = chosen is True
        await self._refresh()

    @rx.event
    @allow(Role.CLINIC)
    async def order_further(self, form: dict[str, Any]):
        """Order a study beyond the programme."""
        actor, examination_id = await actor_of(self), self._id()
        self.further_error = ""
        name = text_of(form, "further", WORDS_LIMIT)
        try:
            await in_thread(examining.order_further, actor, examination_id, name, now=clock.now())
        except Invalid as error:
            self.further_error = texts.field_sentences(error)["name"]
        except DomainError as error:
            await warn(self, error)
        else:
            self.further_serial += 1
            await say(self, rows.FURTHER_ORDERED)
        await self._refresh()

    @rx.event
    @allow(Role.CLINIC)
    async def cancel_further(self, code: str):
        """Take the order of a further study back."""
        row = self._row(code)
        if row is not None and row.further_id:
            await self._act(examining.cancel_further, row.further_id, done=rows.FURTHER_CANCELLED)

    @rx.event
    @allow(Role.CLINIC)
    def choose_vaccine_kind(self, kind: str):
        """Ask for what this kind of record needs."""
        self.vaccine_kind = str(kind)[:TEXT_LIMIT]
        self.vaccine_errors = dict.fromkeys(self.vaccine_errors, "")

    @rx.event
    @allow(Role.CLINIC)
    async def vaccinate(self, form: dict[str, Any]):
        """Record a dose, an illness, antibodies, an exemption or a refusal."""
        actor, examination_id = await actor_of(self), self._id()
        self.vaccine_errors = dict.fromkeys(self.vaccine_errors, "")
        typed = {name: text_of(form, f"vaccine_{name}", WORDS_LIMIT) for name in shots.UNSAID}
        try:
            await in_thread(
                vaccinating.record, actor, examination_id, Typed(**typed), now=clock.now()
            )
        except Invalid as error:
            self.vaccine_errors = {**self.vaccine_errors, **shots.sentences(error)}
        except DomainError as error:
            await warn(self, error)
        else:
            self.vaccine_serial += 1
            self.vaccine_kind = "done"
            await say(self, shots.RECORDED)
        await self._refresh()

    @rx.event
    @allow(Role.CLINIC)
    async def withdraw_record(self, record_id: int):
        """Take a record of a vaccination back."""
        known = next((each for each in self.records if each.id == record_id), None)
        if known is not None and known.may_withdraw:
            await self._act(vaccinating.withdraw, known.id, done=shots.WITHDRAWN)

    @rx.event
    @allow(Role.CLINIC)
    def choose_attachment_kind(self, kind: str):
        """Note what paper the next file is."""
        if str(kind) in AttachmentKind._value2member_map_:
            self.attachment_kind = str(kind)

    @rx.event
    @allow(Role.CLINIC)
    def choose_paper(self, paper_id: int):
        """Note which paper the window asks about."""
        known = self._paper(paper_id)
        self.chosen_paper = known.id if known else 0
        self.chosen_paper_name = known.name if known else ""

    @rx.event
    @allow(Role.CLINIC)
    async def remove_paper(self):
        """Remove the paper that was chosen."""
        known = self._paper(self.chosen_paper)
        if known is not None and known.may_remove:
            await self._act(attaching.remove, known.id, done=papers.REMOVED)

    @rx.event
    @allow(Role.CLINIC)
    async def withdraw_conclusion(self, form: dict[str, Any]):
        """Open a signed case again to put right what was written."""
        self.errors = {**self.errors, "code": ""}
        if await proven(self, text_of(form, "code", 12)) is None:
            return
        await self._do(examining.withdraw_conclusion, rows.WITHDRAWN)

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
    @ends_busy
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
                _words(form),
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
            self.needs_code = not is_fresh(actor)

    async def _sign(self, form: Any) -> None:
        actor = await proven(self, text_of(form, "code", 12))
        if actor is None:
            return
        try:
            await in_thread(
                examining.conclude_and_sign,
                actor,
                self._id(),
                _fitness(form),
                _words(form),
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

    async def _save(
        self,
        row: ResultRow,
        text: str,
        made_on: str,
        *,
        reason: CorrectionReason | None = None,
        confirmed: bool = False,
    ) -> None:
        """Save one line; what was typed stays where it is wrong, beside what is wrong with it.

        A correction of what somebody may have read already waits for its reason.
        """
        if row.entry_id and reason is None:
            if not row.is_fresh and text != row.value:
                self._pending = {**self._pending, row.code: text}
                await self._refresh()
                return
            reason = CorrectionReason.TYPO if row.is_fresh else CorrectionReason.REFINED
        actor, examination_id = await actor_of(self), self._id()
        wrong, wrong_dates = dict(self._wrong), dict(self._wrong_dates)
        wrong.pop(row.code, None)
        wrong_dates.pop(row.code, None)
        self._doubted = _without(self._doubted, row.code)
        self._pending = _without(self._pending, row.code)
        try:
            if row.entry_id and reason is not None:
                await in_thread(
                    examining.correct_result,
                    actor,
                    examination_id,
                    row.entry_id,
                    text,
                    made_on,
                    reason=reason,
                    confirmed=confirmed,
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
                    confirmed=confirmed,
                    details=self._details_for(row.code),
                    now=clock.now(),
                )
        except Invalid as error:
            said = texts.field_sentences(error)
            if isinstance(error.fields.get("text"), Unlikely):
                self._doubted = {**self._doubted, row.code: text}
            wrong |= {row.code: said["text"]} if "text" in said else {}
            wrong_dates |= {row.code: said["made_on"]} if "made_on" in said else {}
        except DomainError as error:
            wrong[row.code] = texts.sentence(error)
        await hush(self)
        self._wrong, self._wrong_dates = wrong, wrong_dates
        await self._refresh()

    def _details_for(self, code: str) -> Details | None:
        """Return laboratory and device for a new analysis."""
        if not (self.performer or self.device) or code not in {row.code for row in self.labs}:
            return None
        return read_details(self.performer, self.device, "")

    async def _put_details(
        self, row: ResultRow, said: dict[str, str], *, from_certificate: bool
    ) -> None:
        actor, examination_id = await actor_of(self), self._id()
        self._wrong_details = _without(self._wrong_details, row.code)
        try:
            await in_thread(
                examining.put_details,
                actor,
                examination_id,
                row.entry_id,
                **said,
                from_certificate=from_certificate,
                now=clock.now(),
            )
        except Invalid as error:
            sentence = next(iter(texts.field_sentences(error).values()))
            self._wrong_details = {**self._wrong_details, row.code: sentence}
        except DomainError as error:
            await warn(self, error)
        await self._refresh()

    async def _act(self, act: Callable[..., None], which: str | int, *, done: str = "") -> None:
        """Do something with one thing of the case, and show what has become of it."""
        actor, examination_id = await actor_of(self), self._id()
        try:
            await in_thread(act, actor, examination_id, which, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await (say(self, done) if done else hush(self))
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
            self._show(*await in_thread(_seen, actor, self._id()))
        except NotFound:
            self.is_missing = self.is_loaded = True

    def _show(self, shown: ExaminationView, card: Card | None, folder: Folder | None) -> None:
        """Send what differs from what the screen shows."""
        if not self.is_loaded or self.is_missing:
            self.is_loaded, self.is_missing = True, False
        if shown.version < self._version or shown.application_version < self._application_version:
            return
        self._version, self._application_version = shown.version, shown.application_version
        values: dict[str, Any] = {
            "head": rows.examination_row(shown),
            "progress": rows.progress_row(shown),
            "signature": rows.signature_row(shown.signature),
            "earlier": rows.earlier_rows(shown),
            "exchange": exchange.for_clinic(shown.exchange),
            "standings": shots.standing_rows(card.standings) if card else [],
            "records": shots.record_rows(card) if card else [],
            "papers": papers.attachment_rows(folder.papers) if folder else [],
            "may_attach": folder is not None and folder.may_add,
            "case_id": shown.id,
            "may_vaccinate": card is not None and card.may_enter,
        }
        for kind, name in self.GROUPS.items():
            values[name] = rows.result_rows(
                shown,
                kind,
                errors=self._wrong,
                date_errors=self._wrong_dates,
                dates=self._dates,
                default_date=self.default_date,
                doubted=self._doubted,
                pending=self._pending,
                details_errors=self._wrong_details,
                only_own=self.only_own and values["head"].is_physician,
            )
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    def _scold(self, error: Invalid) -> None:
        said = rows.sentences(error)
        self.errors = {**self.errors, **said}
        self.summary = [[name, sentence] for name, sentence in said.items()]

    def _paper(self, paper_id: Any) -> AttachmentRow | None:
        return next((each for each in self.papers if each.id == paper_id), None)

    def _row(self, code: Any) -> ResultRow | None:
        for name in self.GROUPS.values():
            for row in getattr(self, name):
                if row.code == code:
                    return row
        return None

    def _id(self) -> int:
        text = str(getattr(self, "examination_arg", ""))
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _day(actor: Actor) -> tuple[examining.Day, tuple[appealing.Waiting, ...]]:
    """Return the day; for a chair with the appeals that wait."""
    shown = examining.day(actor, now=clock.now())
    if actor.position is not Position.CHAIR:
        return shown, ()
    return shown, appealing.waiting(actor, now=clock.now())


def _seen(actor: Actor, examination_id: int) -> tuple[ExaminationView, Card | None, Folder | None]:
    """Return the case with vaccinations and papers, which a registrar does not see."""
    now = clock.now()
    shown = examining.view(actor, examination_id, now=now)
    if actor.position not in examining.ENTER:
        return shown, None, None
    return (
        shown,
        vaccinating.card(actor, examination_id, now=now),
        attaching.folder(actor, examination_id, now=now),
    )


def _without(words: dict[str, str], code: str) -> dict[str, str]:
    return {key: value for key, value in words.items() if key != code}


def _fitness(form: Any) -> Fitness:
    chosen = text_of(form, "fitness", TEXT_LIMIT)
    try:
        return Fitness(chosen)
    except ValueError:
        raise Invalid({"fitness": Required()}) from None


def _words(form: Any) -> Words:
    names = ("restrictions", "contraindications", "until", "note")
    return Words(
        **{name: text_of(form, name, WORDS_LIMIT) for name in names},
        restriction_codes=_ticked(form, "restriction", RESTRICTIONS),
        contraindication_codes=_ticked(form, "contraindication", CONTRAINDICATION_GROUPS),
    )


def _ticked(form: Any, name: str, codes: Iterable[str]) -> tuple[str, ...]:
    """Return which boxes of a group are ticked; a box is named after its code."""
    return tuple(code for code in codes if text_of(form, f"{name}-{code}", TEXT_LIMIT))


def _page_of(examination_id: int) -> str:
    return f"/clinic/exams/{examination_id}"
