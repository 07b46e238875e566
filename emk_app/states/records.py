"""The record shown to a physician: the holder's side and the physician's, both live."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Actor, Role
from emk_app.domain.disclosures import (
    HANDOVER_CONSENT,
    GrantState,
    HandoverScope,
    Purpose,
    RecordPart,
    RecordScope,
)
from emk_app.domain.errors import (
    DomainError,
    FreshFactorNeeded,
    Invalid,
    InvalidValue,
    NotPermitted,
    NotSignedIn,
)
from emk_app.edge.policy import allow
from emk_app.presenting import disclosures as rows
from emk_app.presenting import texts
from emk_app.presenting.attachments import AttachmentRow
from emk_app.presenting.book_vaccinations import ShotRow, shot_rows
from emk_app.presenting.books import CardRow, ItemRow, card_row, item_rows
from emk_app.presenting.disclosures import GrantRow, HandoverRow, RecordRow
from emk_app.presenting.field_texts import word
from emk_app.presenting.formats import hour
from emk_app.services import handing_over, showing
from emk_app.services.examining import ENTER
from emk_app.services.showing import RecordView
from emk_app.settings import settings
from emk_app.states import live
from emk_app.states.session import actor_of, arrive, fresh_actor, hush, say, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
NO_ERRORS: Final = {"receiver": "", "days": "", "consent": "", "code": "", "handover_code": ""}


class RecordsState(rx.State):
    """What the holder lets others read, and what they have read."""

    is_loaded: bool = False
    code: str = ""
    """As it is said; only in the tab that made it, until somebody has entered it."""
    picture: str = ""
    code_until: str = ""
    grants: list[GrantRow] = []
    live_grants: list[GrantRow] = []
    handovers: list[HandoverRow] = []
    errors: dict[str, str] = NO_ERRORS.copy()
    needs_code: bool = False
    handover_needs_code: bool = False
    form_key: int = 0

    _offered: int = 0

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each reading within a moment of it, and the time left."""
        async with self:
            if await arrive(self, hushes=False):
                self.errors = NO_ERRORS.copy()
            actor = await actor_of(self)
        async for changed in live.changes_or_ticks(f"holder:{actor.user_id}"):
            # Time runs out for what is open to a physician; of the rest a tick says nothing.
            if changed or self.live_grants or self.code:
                async with self:
                    await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def offer(self, form: dict[str, Any]):
        """Make a code for a physician."""
        self.errors = NO_ERRORS.copy()
        actor = await self._renewed(form, "code")
        if actor is None:
            self.needs_code = True
            return
        self.needs_code = False
        scope, minutes = text_of(form, "scope"), text_of(form, "minutes")
        try:
            made = await in_thread(
                showing.make,
                actor,
                RecordScope(scope) if scope in set(RecordScope) else RecordScope.WITHOUT_PAPERS,
                int(minutes) if minutes in dict(rows.LENGTHS) else int(rows.DEFAULT_LENGTH),
                now=clock.now(),
            )
        except DomainError as error:
            await warn(self, error)
        else:
            # The card with the code is read aloud by itself; a message would lie over it.
            await hush(self)
            self._offered = made.grant_id
            self.code = rows.code_words(made.code)
            self.picture = rows.code_picture(settings().origin, made.code)
            self.code_until = hour(made.expires_at)
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def end(self, grant_id: int):
        """Shut a physician out, at once."""
        actor = await actor_of(self)
        try:
            await in_thread(showing.end, actor, _id(grant_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Доступ закрыт.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def hand_over(self, form: dict[str, Any]):
        """Make a link for another system."""
        self.errors = NO_ERRORS.copy()
        actor = await self._renewed(form, "handover_code")
        if actor is None:
            self.handover_needs_code = True
            return
        self.handover_needs_code = False
        purpose, scope = text_of(form, "purpose"), text_of(form, "handover_scope")
        days = text_of(form, "days")
        try:
            await in_thread(
                handing_over.make,
                actor,
                text_of(form, "receiver"),
                Purpose(purpose) if purpose in set(Purpose) else Purpose.OTHER,
                HandoverScope(scope) if scope in set(HandoverScope) else HandoverScope.VERDICT,
                int(days) if days in dict(rows.HANDOVER_TERMS) else 0,
                consent_version=HANDOVER_CONSENT if text_of(form, "consent") else "",
                now=clock.now(),
            )
        except Invalid as error:
            self.errors = self.errors | texts.field_sentences(error)
            if self.errors["consent"]:
                self.errors = self.errors | {"consent": "Без согласия передать сведения нельзя."}
        except DomainError as error:
            await warn(self, error)
        else:
            self.form_key += 1
            await say(self, "Ссылка готова. Передайте её получателю: откроется она один раз.")
        await self._show()

    @rx.event
    @allow(Role.HOLDER)
    async def close_handover(self, handover_id: int):
        """Close a link that nobody has fetched yet."""
        actor = await actor_of(self)
        try:
            await in_thread(handing_over.revoke, actor, _id(handover_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Ссылка закрыта.")
        await self._show()

    async def _renewed(self, form: dict[str, Any], name: str) -> Actor | None:
        """Return who acts with a fresh factor, or None where a code has to be typed."""
        try:
            return await fresh_actor(self, text_of(form, name, 12))
        except FreshFactorNeeded:
            self.errors = self.errors | {name: "Введите код: действие надо подтвердить."}
        except DomainError as error:
            self.errors = self.errors | {name: texts.sentence(error)}
        return None

    async def _show(self) -> None:
        actor, now = await actor_of(self), clock.now()
        grants = rows.grant_rows(await in_thread(showing.shown, actor, now=now), now)
        handovers = rows.handover_rows(await in_thread(handing_over.shown, actor, now=now))
        if grants != self.grants:
            self.grants = grants
            self.live_grants = [each for each in grants if each.is_live]
        if handovers != self.handovers:
            self.handovers = handovers
        waiting = rows.STATES[GrantState.WAITING].text
        if self.code and not any(
            each.id == self._offered and each.state == waiting for each in grants
        ):
            self.code = self.picture = self.code_until = ""
        if not self.is_loaded:
            self.is_loaded = True


class ClinicRecordsState(rx.State):
    """A record that a physician reads; gone from here the moment it may not be read any more."""

    is_loaded: bool = False
    is_closed_to: bool = False
    typed: str = ""
    problem: str = ""
    code_problem: str = ""
    needs_code: bool = False
    records: list[RecordRow] = []
    record: RecordRow = RecordRow()
    """The one that is shown or about to be opened."""
    ended: str = ""
    """Why the one that was shown is not any more."""
    part: str = ""
    card: CardRow = CardRow()
    items: tuple[ItemRow, ...] = ()
    shots: list[ShotRow] = []
    papers: list[AttachmentRow] = []

    _until: datetime = LONG_AGO
    _guard: int = 0

    @rx.event(background=True)
    @allow(Role.CLINIC, quiet=True)
    async def follow(self):
        """Show what stands open while the page is there, and close it within a blink of its end."""
        async with self:
            actor = await actor_of(self)
            if await arrive(self, hushes=False):
                self._forget()
                self.ended = self.problem = self.code_problem = ""
                self.typed = self.router.url.query_parameters.get("code", "")[:20]
            self.is_closed_to = actor.position not in ENTER
            if self.is_closed_to:
                self.is_loaded = True
                return
        async for changed in live.changes_or_ticks(f"physician:{actor.user_id}"):
            async with self:
                await self._check(changed=changed)
                self.is_loaded = True

    @rx.event(background=True)
    @allow(Role.CLINIC, quiet=True)
    async def keep(self):
        """Take the record out of this tab when its time is over, wherever the tab has gone."""
        async with self:
            actor = await actor_of(self)
            self._guard += 1
            mine = self._guard
        async for changed in live.changes_or_ticks(f"physician:{actor.user_id}"):
            async with self:
                if self._guard != mine or not self.record.id:
                    return
                try:
                    await self._check(changed=changed)
                except NotSignedIn:
                    self._forget()
                    return
                if not self.record.id:
                    return

    @rx.event
    @allow(Role.CLINIC)
    async def enter(self, form: dict[str, Any]):
        """Enter a code; whose record it opens is shown first."""
        self.problem = self.code_problem = self.ended = ""
        self.typed = text_of(form, "record_code", 400)
        self._forget()
        try:
            actor = await fresh_actor(self, text_of(form, "factor", 12))
        except DomainError as error:
            self.needs_code = True
            self.code_problem = (
                "Введите код: чужую книжку открывают со свежим подтверждением."
                if isinstance(error, FreshFactorNeeded)
                else texts.sentence(error)
            )
            return None
        self.needs_code = False
        try:
            found = await in_thread(showing.claim, actor, self.typed, now=clock.now())
        except InvalidValue as error:
            self.problem = word(error)
            return None
        except NotPermitted:
            raise
        except DomainError as error:
            self.problem = texts.sentence(error)
            return None
        await hush(self)
        self.typed = ""
        self._take(found)
        return ClinicRecordsState.keep

    @rx.event
    @allow(Role.CLINIC)
    async def confirm(self):
        """Confirm that the person named is the one who is here, and begin to read."""
        actor = await actor_of(self)
        try:
            found = await in_thread(showing.open_record, actor, self.record.id, now=clock.now())
            self._take(found)
            await self._read(actor, RecordPart.CONCLUSION)
        except DomainError as error:
            self._forget()
            await warn(self, error)
        await self._check(changed=True)

    @rx.event
    @allow(Role.CLINIC)
    async def resume(self, grant_id: int):
        """Go on with a record that stands open, or with a code entered before."""
        actor = await actor_of(self)
        self._forget()
        self.ended = ""
        for found in await in_thread(showing.records, actor, now=clock.now()):
            if found.grant_id == _id(grant_id):
                self._take(found)
        if self.record.is_open:
            try:
                await self._read(actor, RecordPart.CONCLUSION)
            except DomainError as error:
                self._forget()
                await warn(self, error)
        return ClinicRecordsState.keep if self.record.id else None

    @rx.event
    @allow(Role.CLINIC)
    async def show(self, part: str):
        """Read a part; the holder sees that it was read."""
        actor = await actor_of(self)
        try:
            await self._read(
                actor, RecordPart(part) if part in set(RecordPart) else RecordPart.CONCLUSION
            )
        except DomainError as error:
            self._forget()
            await warn(self, error)

    @rx.event
    @allow(Role.CLINIC)
    async def put_away(self):
        """Stop reading: done, or not the person named."""
        actor = await actor_of(self)
        grant_id = self.record.id
        self._forget()
        try:
            await in_thread(showing.put_away, actor, grant_id, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Книжка закрыта.")
        await self._check(changed=True)

    async def _read(self, actor: Actor, part: RecordPart) -> None:
        """Take one part over, and let go of the one before."""
        found = await in_thread(showing.read, actor, self.record.id, part, now=clock.now())
        self._let_go()
        self.part = part.value
        if part is RecordPart.CONCLUSION:
            self.card = card_row(found.card)
        elif part is RecordPart.STUDIES:
            self.items = item_rows(found.card)
        elif part is RecordPart.VACCINATIONS:
            self.shots = shot_rows(found.card)
        elif part is RecordPart.PAPERS:
            self.papers = rows.paper_rows(found, self.record.id)

    async def _check(self, *, changed: bool) -> None:
        """Close what may not be read any more; ask the database only if something may differ."""
        actor, now = await actor_of(self), clock.now()
        if self.record.id and now < self._until and not changed:
            left = rows.time_left(self._until, now)
            if left != self.record.left:
                self.record = replace(self.record, left=left)
            return
        if not changed and not self.records:
            return
        found = await in_thread(showing.records, actor, now=now)
        listed = [rows.record_row(each, now) for each in found]
        if listed != self.records:
            self.records = listed
        if not self.record.id:
            return
        mine = next((each for each in listed if each.id == self.record.id), None)
        if mine is None:
            self._forget()
            self.ended = "Доступ закончился: владелец закрыл его, или вышло время."
        elif mine != self.record:
            self.record = mine

    def _take(self, found: RecordView) -> None:
        self._let_go()
        self.record = rows.record_row(found, clock.now())
        self._until = found.until

    def _forget(self) -> None:
        """Let nothing of the record stay in this tab."""
        self._let_go()
        self.record, self._until = RecordRow(), LONG_AGO

    def _let_go(self) -> None:
        self.part = ""
        self.card, self.items, self.shots, self.papers = CardRow(), (), [], []


def _id(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0
