"""The employer's list on the screen, and the holder's list of employers; both live."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import reflex as rx

from emk_app import clock
from emk_app.db.repositories.employers import StaffFilter, topic_of
from emk_app.domain.actors import Actor, Role
from emk_app.domain.employing import AddedBy, Light
from emk_app.domain.errors import DomainError, Invalid, NotFound
from emk_app.domain.occupations import listed_on
from emk_app.domain.sharing import ShareScope
from emk_app.edge.policy import allow
from emk_app.presenting import employing as rows
from emk_app.presenting import texts
from emk_app.presenting.employing import CountRow, EmployerRow, OrganisationRow, StaffRow
from emk_app.services import admitting, employing
from emk_app.services.employing import Said
from emk_app.states import live
from emk_app.states.apply import number, words_of
from emk_app.states.session import actor_of, renew, say, source_of, warn
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

EMPLOYER: Final = "/employer"
NO_ERRORS: Final[dict[str, str]] = dict.fromkeys(
    (
        *("name", "inn", "ogrn", "contact"),
        *("link", "number", "snils", "invited"),
        *("label", "tab", "department", "occupation"),
    ),
    "",
)


class EmployerState(rx.State):
    """The staff of one's organisation."""

    is_loaded: bool = False
    organisation: OrganisationRow = OrganisationRow()
    counts: list[CountRow] = []
    staff: list[StaffRow] = []
    found: str = ""
    page: int = 1
    pages: int = 1
    is_empty: bool = False
    """Nobody has ever been added."""
    departments: list[list[str]] = []
    occupations: list[list[str]] = []
    light: str = ""
    department: str = ""
    occupation: str = ""
    query: str = ""
    files_query: str = ""
    """The filters as the query of the addresses of files; never the words that are sought."""
    way: str = AddedBy.LINK.value
    editing: StaffRow = StaffRow()
    errors: dict[str, str] = NO_ERRORS.copy()
    form_key: int = 0

    @rx.event(background=True)
    @allow(Role.EMPLOYER, quiet=True)
    async def follow(self):
        """Show the list as the books are, while the page is open."""
        async with self:
            await renew(self)
            actor = await actor_of(self)
            if actor.organisation_id is None:
                self.is_loaded = True
                return
        async for _ in live.changes(topic_of(actor.organisation_id)):
            async with self:
                await self._show(await actor_of(self))

    @rx.event
    @allow(Role.EMPLOYER)
    async def begin(self, form: dict[str, Any]):
        """Begin an organisation."""
        self.errors = NO_ERRORS.copy()
        said = [text_of(form, name) for name in ("name", "inn", "ogrn", "contact")]
        actor = await actor_of(self)
        try:
            await in_thread(employing.found, actor, *said, now=clock.now())
        except Invalid as error:
            self.errors = self.errors | texts.field_sentences(error)
        except DomainError as error:
            await warn(self, error)
        else:
            # The page is opened anew: what follows then ends with it.
            return rx.redirect(EMPLOYER, replace=True)
        return None

    @rx.event
    @allow(Role.EMPLOYER)
    async def choose_way(self, way: str):
        """Choose how the next one is added."""
        if isinstance(way, str) and way in set(AddedBy):
            self.way, self.errors = way, NO_ERRORS.copy()

    @rx.event
    @allow(Role.EMPLOYER)
    async def add(self, form: dict[str, Any]):
        """Add somebody in the chosen way."""
        self.errors = NO_ERRORS.copy()
        actor, said, now = await actor_of(self), _said(form), clock.now()
        try:
            match self.way:
                case AddedBy.NUMBER:
                    await in_thread(
                        employing.add_by_number,
                        actor,
                        text_of(form, "number", 60),
                        text_of(form, "snils", 60),
                        said,
                        source_of(self),
                        now=now,
                    )
                case AddedBy.INVITATION:
                    await in_thread(
                        employing.invite, actor, text_of(form, "invited"), said, now=now
                    )
                case _:
                    await in_thread(
                        employing.add_by_link, actor, text_of(form, "link", 1000), said, now=now
                    )
        except Invalid as error:
            self._refuse(error)
        except NotFound:
            self.errors = self.errors | {"number": rows.NOT_FOUND}
        except DomainError as error:
            await warn(self, error)
        else:
            self.form_key += 1
            invited = self.way == AddedBy.INVITATION
            await say(self, "Запрос отправлен." if invited else "Сотрудник добавлен.")
            await self._show(actor)

    @rx.event
    @allow(Role.EMPLOYER)
    async def edit(self, entry_id: int):
        """Begin to change what is said of one member of staff, or leave it with 0."""
        self.errors = NO_ERRORS.copy()
        wanted = number(entry_id)
        self.editing = next((row for row in self.staff if row.id == wanted), StaffRow())

    @rx.event
    @allow(Role.EMPLOYER)
    async def save(self, form: dict[str, Any]):
        """Keep what was changed."""
        self.errors = NO_ERRORS.copy()
        actor = await actor_of(self)
        try:
            await in_thread(employing.change, actor, self.editing.id, _said(form), now=clock.now())
        except Invalid as error:
            self._refuse(error)
            return
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Изменения сохранены.")
        self.editing = StaffRow()
        await self._show(actor)

    @rx.event
    @allow(Role.EMPLOYER)
    async def remove(self, entry_id: int):
        """Take somebody off the list."""
        actor = await actor_of(self)
        try:
            await in_thread(employing.remove, actor, number(entry_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Сотрудник убран из списка.")
        await self._show(actor)

    @rx.event
    @allow(Role.EMPLOYER)
    async def choose_light(self, light: str):
        """Show those under one light, or all."""
        is_known = isinstance(light, str) and light in set(Light)
        self.light = light if is_known else ""
        await self._show_anew()

    @rx.event
    @allow(Role.EMPLOYER)
    async def choose_department(self, department: str):
        """Show one department, or all."""
        self.department = words_of(department, 80)
        await self._show_anew()

    @rx.event
    @allow(Role.EMPLOYER)
    async def choose_occupation(self, occupation: str):
        """Show one occupation, or all."""
        self.occupation = words_of(occupation, 40)
        await self._show_anew()

    @rx.event(supersedes=True)
    @allow(Role.EMPLOYER)
    async def type_query(self, text: str):
        """Seek while a name or a number is typed."""
        self.query = words_of(text, 120)
        await self._show_anew()

    @rx.event
    @allow(Role.EMPLOYER)
    async def turn(self, page: int):
        """Show another page."""
        self.page = number(page) or 1
        await self._show(await actor_of(self))

    def _refuse(self, error: Invalid) -> None:
        said = texts.field_sentences(error)
        # The service names what it was given; the form calls two of them otherwise.
        named = {name.removeprefix("said_"): text for name, text in said.items()}
        if "contact" in named:
            named["invited"] = named.pop("contact")
        self.errors = self.errors | named

    async def _show_anew(self) -> None:
        self.page = 1
        await self._show(await actor_of(self))

    async def _show(self, actor: Actor) -> None:
        if actor.organisation_id is None:
            self.is_loaded = True
            return
        wanted = StaffFilter(
            Light(self.light) if self.light else None, self.department, self.occupation
        )
        organisation = await in_thread(employing.organisation, actor)
        found = await in_thread(
            employing.roster, actor, wanted, self.query, self.page, now=clock.now()
        )
        self.organisation = rows.organisation_row(organisation)
        self.counts = rows.count_rows(found.counts)
        self.staff = rows.staff_rows(found)
        self.found = rows.found_text(found.found)
        self.page, self.pages = found.page, found.pages
        chosen = {
            "light": self.light, "department": self.department, "occupation": self.occupation,
        }  # fmt: skip
        said = urlencode({name: value for name, value in chosen.items() if value})
        self.files_query = f"?{said}" if said else ""
        self.is_empty = not sum(found.counts.values())
        self.departments = [[each, each] for each in found.departments]
        self.occupations = [
            [code, each.name]
            for code in found.occupations
            if (each := listed_on(code, clock.today())) is not None
        ]
        self.is_loaded = True


class EmployersState(rx.State):
    """The employers who see the holder's book, and those who ask to."""

    is_loaded: bool = False
    asking: list[EmployerRow] = []
    others: list[EmployerRow] = []

    @rx.event(background=True)
    @allow(Role.HOLDER, quiet=True)
    async def follow(self):
        """Show each request as it comes, while the page is open."""
        async with self:
            await renew(self, hushes=False)
            actor = await actor_of(self)
        async for changed in live.changes_or_ticks(f"holder:{actor.user_id}"):
            # Time runs out for employers who may look; of who asks a tick says nothing.
            if changed or self.others:
                async with self:
                    await self._show(await actor_of(self))

    @rx.event
    @allow(Role.HOLDER)
    async def grant(self, form: dict[str, Any]):
        """Let the employer see the verdict and the term."""
        scope, days = text_of(form, "employer_scope"), text_of(form, "employer_days")
        actor = await actor_of(self)
        try:
            await in_thread(
                admitting.grant,
                actor,
                _id(text_of(form, "entry", 20)),
                ShareScope(scope) if scope in set(ShareScope) else ShareScope.VERDICT_ONLY,
                int(days) if days in dict(rows.GRANT_TERMS) else 0,
                is_counted=bool(text_of(form, "employer_counted")),
                now=clock.now(),
            )
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Доступ открыт.")
        await self._show(actor)

    @rx.event
    @allow(Role.HOLDER)
    async def refuse(self, entry_id: int):
        """Refuse a request."""
        actor = await actor_of(self)
        try:
            await in_thread(admitting.refuse, actor, number(entry_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Вы отказали в доступе.")
        await self._show(actor)

    @rx.event
    @allow(Role.HOLDER)
    async def be_counted(self, entry_id: int, is_counted: bool):
        """Let the vaccinations be counted in an employer's report, or no longer."""
        actor, agreed = await actor_of(self), is_counted is True
        try:
            await in_thread(admitting.be_counted, actor, number(entry_id), agreed, now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, rows.COUNTED_SAID if agreed else rows.NOT_COUNTED_SAID)
        await self._show(actor)

    @rx.event
    @allow(Role.HOLDER)
    async def end(self, entry_id: int):
        """Shut an employer out, at once."""
        actor = await actor_of(self)
        try:
            await in_thread(admitting.end, actor, number(entry_id), now=clock.now())
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Доступ закрыт.")
        await self._show(actor)

    async def _show(self, actor: Actor) -> None:
        every = [
            rows.employer_row(view)
            for view in await in_thread(admitting.shown, actor, now=clock.now())
        ]
        asking = [row for row in every if row.is_asking]
        others = [row for row in every if not row.is_asking]
        if (asking, others) != (self.asking, self.others):
            self.asking, self.others = asking, others
        if not self.is_loaded:
            self.is_loaded = True


def _said(form: Any) -> Said:
    names = ("label", "tab", "department", "occupation")
    return Said(*(text_of(form, name) for name in names))


def _id(text: str) -> int:
    return number(int(text)) if text.isascii() and text.isdigit() else 0
