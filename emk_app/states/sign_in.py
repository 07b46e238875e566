"""The way in: password, second factor, registration."""

from __future__ import annotations

import base64
from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.crypto import qr
from emk_app.domain.accounts import DoorstepExpired
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError, Invalid, NotSignedIn
from emk_app.domain.factors import Way
from emk_app.edge.cookies import Standing
from emk_app.edge.gate import caller_of
from emk_app.edge.policy import allow_anyone
from emk_app.presenting import factors, texts
from emk_app.presenting.factors import WayRow
from emk_app.services import accounts, resetting
from emk_app.services.accounts import Enrolment, Step
from emk_app.states.session import HOME, actor_of, door_of, ends_busy, renew, say, source_of, warn
from emk_app.threads import in_thread

LABELS: Final = {
    "login": "Телефон, почта или ИНН",
    "contact": "Телефон или почта для сообщений",
    "password": "Пароль",
    "repeated": "Пароль ещё раз",
}
"""Names of the fields of the registration, as they stand beside them."""
EMPLOYERS_LOGIN: Final = "Рабочая почта"


def text_of(form: Any, name: str, longest: int = 300) -> str:
    """Return one value of a form as text; the browser may have sent anything."""
    value: Any = form.get(name) if isinstance(form, dict) else None
    return value[:longest] if isinstance(value, str) else ""


class SignInState(rx.State):
    """Signing in, step by step."""

    step: str = "password"
    """``password``, ``enrol``, ``code`` or ``ticket``."""
    way: str = ""
    """How the person proves themselves: a ``Way``."""
    others: list[WayRow] = []
    """What they may choose instead."""
    phone: str = ""
    """Where a code goes by SMS, masked."""
    is_sent: bool = False
    """A code by SMS is on its way."""
    secret: str = ""
    picture: str = ""
    """The authenticator's QR code, a data address."""
    ticket: str = ""
    has_new_password: bool = False
    """A new password waits for the second factor (D18)."""
    problem: str = ""
    busy: bool = False

    @rx.event
    @allow_anyone
    async def load(self):
        """Show the step at which this browser stands."""
        begins = await renew(self)
        caller = caller_of(self.router_data)
        if caller is not None and caller.standing is Standing.SIGNED_IN:
            actor = await actor_of(self)
            return rx.redirect(HOME[actor.role], replace=True)
        if begins:
            await self._show_step()
        return None

    @rx.event
    @allow_anyone
    @ends_busy
    async def give_password(self, form: dict[str, Any]):
        """Check login and password."""
        self.problem, self.busy = "", True
        yield
        try:
            await in_thread(
                accounts.begin_sign_in,
                door_of(self),
                text_of(form, "login"),
                text_of(form, "password"),
                source=source_of(self),
                now=clock.now(),
            )
            await self._show_step()
        except NotSignedIn:
            yield rx.redirect("/ended")
        except DomainError as error:
            self.problem = texts.sentence(error)

    @rx.event
    @allow_anyone
    async def choose_way(self, way: str):
        """Show another way to prove oneself."""
        self.problem = ""
        if str(way) in [each.key for each in self.others]:
            await self._show_step(Way(way))

    @rx.event
    @allow_anyone
    async def send_code(self):
        """Send a code by SMS."""
        self.problem = ""
        try:
            await in_thread(accounts.send_code, door_of(self), now=clock.now())
        except DoorstepExpired as error:
            await self._show_step()
            await warn(self, error)
        except NotSignedIn:
            return rx.redirect("/ended")
        except DomainError as error:
            self.problem = texts.sentence(error)
        else:
            self.is_sent = True
            await say(self, factors.sent_to(self.phone))
        return None

    @rx.event
    @allow_anyone
    async def give_code(self, form: dict[str, Any]):
        """Check a code of the second factor and open the door."""
        self.problem = ""
        try:
            ticket = await in_thread(
                accounts.confirm_code, door_of(self), _given_code(form), now=clock.now()
            )
        except DoorstepExpired as error:
            await self._show_step()
            await warn(self, error)
        except NotSignedIn:
            return rx.redirect("/ended")
        except DomainError as error:
            self.problem = texts.sentence(error)
        else:
            self.secret, self.picture = "", ""
            self.ticket, self.step = ticket, "ticket"
        return None

    async def _show_step(self, chosen: Way | None = None) -> None:
        door = door_of(self)
        step = await in_thread(accounts.step_of, door, now=clock.now())
        self.secret, self.picture, self.is_sent = "", "", False
        self.way, self.others, self.phone = "", [], ""
        if step in (Step.ENROL, Step.CODE):
            offer = await in_thread(accounts.offer_at, door, now=clock.now())
            way = chosen if chosen and chosen in offer.ways else offer.ways[0]
            self.way, self.phone = way.value, offer.phone
            self.others = factors.other_ways(offer, way)
        if step is Step.ENROL and self.way == Way.APP:
            enrolment = await in_thread(accounts.enrolment, door, now=clock.now())
            self.secret, self.picture = await in_thread(authenticator_of, enrolment)
        self.has_new_password = await in_thread(resetting.waits, door, now=clock.now())
        match step:
            case Step.ENROL | Step.CODE:
                self.step = step.value
            case _:
                self.step = "password"


class RegisterState(rx.State):
    """Making an account."""

    step: str = "form"
    """``form`` or ``contact``."""
    errors: dict[str, str] = {}
    summary: list[list[str]] = []
    by_inn: bool = False
    is_employer: bool = False
    """Whether an employer's account is made; else a holder's."""
    problem: str = ""
    busy: bool = False

    @rx.event
    @allow_anyone
    async def load(self):
        """Begin at the beginning."""
        # Whoever types at once may have left the first field by now.
        by_inn = self.by_inn
        await renew(self)
        self.by_inn = by_inn

    @rx.event
    @allow_anyone
    async def load_employer(self):
        """Begin the registration of an employer."""
        await renew(self)
        self.is_employer = True

    @rx.event
    @allow_anyone
    def look_at_login(self, login: str):
        """Ask for a phone or address as well where the login is an ИНН."""
        self.by_inn = _is_inn(str(login))

    @rx.event
    @allow_anyone
    @ends_busy
    async def give_form(self, form: dict[str, Any]):
        """Check the form and send the code."""
        self.errors, self.summary, self.problem, self.busy = {}, [], "", True
        # The field of the contact is there for its mistake to stand at.
        self.by_inn = _is_inn(text_of(form, "login"))
        yield
        try:
            await in_thread(
                accounts.register,
                door_of(self),
                text_of(form, "login"),
                text_of(form, "contact"),
                text_of(form, "password"),
                text_of(form, "repeated"),
                role=Role.EMPLOYER if self.is_employer else Role.HOLDER,
                source=source_of(self),
                now=clock.now(),
            )
            self.step = "contact"
        except NotSignedIn:
            yield rx.redirect("/ended")
        except Invalid as error:
            self.errors = texts.field_sentences(error)
            labels = LABELS | {"login": EMPLOYERS_LOGIN} if self.is_employer else LABELS
            self.summary = texts.summary(error, labels)
        except DomainError as error:
            self.problem = texts.sentence(error)

    @rx.event
    @allow_anyone
    async def give_code(self, form: dict[str, Any]):
        """Prove the contact; the account is made."""
        self.problem = ""
        try:
            await in_thread(
                accounts.confirm_contact, door_of(self), text_of(form, "code"), now=clock.now()
            )
        except DoorstepExpired as error:
            self.reset()
            await warn(self, error)
        except NotSignedIn:
            return rx.redirect("/ended")
        except DomainError as error:
            self.problem = texts.sentence(error)
        else:
            self.reset()
            await say(self, texts.CONTACT_CONFIRMED)
            return rx.redirect("/login")
        return None

    @rx.event
    @allow_anyone
    async def send_again(self):
        """Send a new code."""
        self.problem = ""
        try:
            await in_thread(accounts.resend_contact_code, door_of(self), now=clock.now())
        except DoorstepExpired as error:
            self.reset()
            await warn(self, error)
        except NotSignedIn:
            return rx.redirect("/ended")
        except DomainError as error:
            self.problem = texts.sentence(error)
        else:
            await say(self, texts.CODE_SENT_AGAIN)
        return None

    @rx.event
    @allow_anyone
    def start_over(self):
        """Go back to the form."""
        self.step, self.problem = "form", ""


def _is_inn(login: str) -> bool:
    digits = "".join(sign for sign in login[:60] if sign.isdigit())
    return len(digits) == 12 and "@" not in login and "+" not in login


def _given_code(form: Any) -> str:
    """Return a code of the application, or the recovery code where that form was sent."""
    return text_of(form, "code", 20) or text_of(form, "recovery", 20)


def authenticator_of(enrolment: Enrolment) -> tuple[str, str]:
    """Return the secret in groups of four, and the address of its QR code."""
    secret = enrolment.secret
    grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return grouped, _data_address(enrolment.uri)


def _data_address(text: str) -> str:
    svg = qr.qr_svg(text, title="QR-код для приложения с кодами")
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
