"""The way back in: a link for a forgotten password, and the new password."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app import clock
from emk_app.domain.errors import DomainError, Invalid, NotSignedIn
from emk_app.edge.policy import allow_anyone
from emk_app.presenting import texts
from emk_app.services import resetting
from emk_app.states.session import door_of, ends_busy, renew, source_of
from emk_app.states.sign_in import text_of
from emk_app.threads import in_thread

LOGIN: Final = "Телефон, почта или ИНН"
LABELS: Final = {"password": "Новый пароль", "repeated": "Новый пароль ещё раз"}
"""Names of the fields, as they stand beside them."""
TOKEN_LENGTH: Final = 43


class RecoverState(rx.State):
    """Asking for a link."""

    is_sent: bool = False
    error: str = ""
    problem: str = ""
    busy: bool = False

    @rx.event
    @allow_anyone
    async def load(self):
        """Begin at the beginning."""
        await renew(self)

    @rx.event
    @allow_anyone
    @ends_busy
    async def ask(self, form: dict[str, Any]):
        """Have the link sent, if somebody has this login."""
        self.error, self.problem, self.busy = "", "", True
        yield
        try:
            login = text_of(form, "login")
            await in_thread(resetting.ask, login, source=source_of(self), now=clock.now())
            self.is_sent = True
        except Invalid as error:
            self.error = texts.field_sentences(error)["login"]
        except DomainError as error:
            self.problem = texts.sentence(error)

    @rx.event
    @allow_anyone
    def start_over(self):
        """Go back to the form."""
        self.is_sent, self.problem = False, ""


class NewPasswordState(rx.State):
    """Choosing a new password by the link."""

    errors: dict[str, str] = {}
    summary: list[list[str]] = []
    problem: str = ""
    busy: bool = False

    @rx.event
    @allow_anyone
    async def load(self):
        """Begin at the beginning; somebody who is signed in changes the password in there."""
        await renew(self)
        try:
            door_of(self)
        except NotSignedIn:
            return rx.redirect("/cabinet/security", replace=True)
        return None

    @rx.event
    @allow_anyone
    @ends_busy
    async def give(self, form: dict[str, Any]):
        """Take the new password; the second factor is asked next."""
        self.errors, self.summary, self.problem, self.busy = {}, [], "", True
        yield
        try:
            await in_thread(
                resetting.give_password,
                door_of(self),
                text_of(form, "token", TOKEN_LENGTH),
                text_of(form, "password"),
                text_of(form, "repeated"),
                source=source_of(self),
                now=clock.now(),
            )
            yield rx.redirect("/login", replace=True)
        except NotSignedIn:
            yield rx.redirect("/ended")
        except Invalid as error:
            self.errors = texts.field_sentences(error)
            self.summary = texts.summary(error, LABELS)
        except DomainError as error:
            self.problem = texts.sentence(error)
