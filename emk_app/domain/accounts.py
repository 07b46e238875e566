"""What a password must be, and how a sign-in can be refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Final

from emk_app.domain import guessing
from emk_app.domain.errors import Conflict, DomainError, Invalid, InvalidValue, TooLong

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 128
PART_TOLD: Final = 4
"""Signs of a name or mailbox that a password must not contain."""
NUMBER_TOLD: Final = 7
"""Figures of a telephone or ИНН that a password must not contain."""

IDLE_STAFF: Final = timedelta(minutes=15)
IDLE_HOLDER: Final = timedelta(minutes=30)
LONGEST_SESSION: Final = timedelta(hours=12)
TICKET_LIFE: Final = timedelta(seconds=30)
DOORSTEP_LIFE: Final = timedelta(minutes=15)
RESET_LIFE: Final = timedelta(minutes=15)
CODE_LIFE: Final = timedelta(minutes=5)
CODE_TRIES: Final = 5


class WrongCredentials(DomainError):
    """The login or the password is wrong; which one is never said (D17)."""


class WrongCode(DomainError):
    """The code is wrong, used already, or too old; which one is never said."""


class WrongContactCode(WrongCode):
    """The code sent to a phone or address is wrong, too old, or was tried too often."""


class NothingToReplace(DomainError):
    """No new authenticator waits for its first code: begin again."""


class ResetLinkOver(DomainError):
    """The link for a new password was used, is too old, or never was: ask for another."""


class DoorstepExpired(DomainError):
    """More than 15 minutes between two steps of signing in: begin again."""


class PasswordTooShort(InvalidValue):
    """Fewer than ``minimum`` characters (D14)."""

    def __init__(self, minimum: int) -> None:
        super().__init__(f"shorter than {minimum}")
        self.minimum = minimum


class PasswordTooCommon(InvalidValue):
    """One of the first that an attacker tries."""


class PasswordNamesLogin(InvalidValue):
    """The password contains the login, the contact or the name."""


class WrongPresentPassword(InvalidValue):
    """The password given as the present one is not."""


class SamePassword(InvalidValue):
    """The new password is the present one."""


class SameContact(InvalidValue):
    """The new phone or address is one of those that are known already."""


class LastContact(Conflict):
    """Without it the person could not be reached, or could not sign in."""


class ContactTaken(DomainError):
    """Somebody else signs in by this phone or address; told only to who has proved it."""


class PasswordsDiffer(InvalidValue):
    """The repetition is not the same."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How many tries in how long, before the door stays shut for a growing while (D16)."""

    tries: int
    window: timedelta
    longest_block: timedelta = timedelta(minutes=15)
    is_quota: bool = False
    """Whether the door stays shut until the window ends instead: never more than ``tries``."""


SIGN_IN_ACCOUNT: Final = Rule(tries=5, window=timedelta(minutes=15))
SIGN_IN_SOURCE: Final = Rule(tries=30, window=timedelta(minutes=15))
SIGN_IN_EVERYBODY: Final = Rule(tries=300, window=timedelta(seconds=10), is_quota=True)
"""Wrong passwords from everywhere together: a guess over many accounts and addresses is slowed."""
SECOND_FACTOR: Final = (
    Rule(tries=5, window=timedelta(minutes=5), is_quota=True),
    Rule(tries=20, window=timedelta(hours=1), is_quota=True),
    Rule(tries=50, window=timedelta(days=1), is_quota=True),
)
"""Wrong codes; a right one is not counted."""
REGISTER_SOURCE: Final = Rule(tries=20, window=timedelta(hours=1))
PROVIDER_SOURCE: Final = Rule(tries=20, window=timedelta(minutes=15), is_quota=True)
"""Ways to the provider of identities that one address may set out on."""
PROVIDER_TO_ALL: Final = Rule(tries=600, window=timedelta(minutes=1), is_quota=True)
"""The same from everywhere: each asks something of the provider."""
MESSAGES: Final = (
    Rule(tries=1, window=timedelta(minutes=1), is_quota=True),
    Rule(tries=3, window=timedelta(hours=1), is_quota=True),
    Rule(tries=5, window=timedelta(days=1), is_quota=True),
)
"""What strangers can have sent to one phone or address."""
BROWSER_KEPT: Final = timedelta(days=400)
"""How long a browser is known after its last sign-in; browsers keep no cookie for longer."""
RESET_SOURCE: Final = Rule(tries=20, window=timedelta(hours=1))
INVITATION_LIFE: Final = timedelta(days=3)
"""How long an invitation to an account waits to be followed: a weekend is slept over."""
PEOPLE_SEARCH: Final = Rule(tries=60, window=timedelta(hours=1), is_quota=True)
"""Searches of accounts by one administrator (D41)."""
RESET_LINK: Final = Rule(tries=30, window=timedelta(minutes=15))
MESSAGES_TO_ALL: Final = Rule(tries=1000, window=timedelta(hours=1), is_quota=True)
"""And to all of them together: each message costs money."""
LONGEST_WINDOW: Final = timedelta(days=1)
FIRST_BLOCK: Final = timedelta(seconds=30)


def blocked_for(failures: int, rule: Rule, passed: timedelta) -> timedelta:
    """Return how long the door stays shut after ``failures``: each time twice as long.

    ``passed`` of the window is over; a quota opens again with the next one.
    """
    over = failures - rule.tries
    if over < 0:
        return timedelta(0)
    if rule.is_quota:
        return rule.window - passed
    return min(FIRST_BLOCK * 2 ** min(over, 16), rule.longest_block)


def check_new_password(password: str, *own: str) -> str:
    """Return the password in NFC; raise why it is unfit: length and guesses alone count (D14).

    ``own`` is what strangers may know of the person: login, contact, name.
    """
    text = unicodedata.normalize("NFC", password)
    if len(text) < SHORTEST_PASSWORD:
        raise PasswordTooShort(SHORTEST_PASSWORD)
    if len(text) > LONGEST_PASSWORD:
        raise TooLong(LONGEST_PASSWORD)
    if guessing.is_common(text):
        raise PasswordTooCommon
    if any(_names(text, each) for each in own):
        raise PasswordNamesLogin
    return text


def choose_password(
    password: str, repeated: str, *own: str, is_present: Callable[[str], bool] = lambda _: False
) -> str:
    """Return in NFC a new password that was given twice.

    Raises ``Invalid`` with ``password`` or ``repeated``. ``own`` is as for ``check_new_password``;
    one that ``is_present`` is not chosen again.
    """
    try:
        text = check_new_password(password, *own)
        if is_present(text):
            raise SamePassword
    except InvalidValue as error:
        raise Invalid({"password": error}) from None
    if password != repeated:
        raise Invalid({"repeated": PasswordsDiffer()})
    return text


class Strength(IntEnum):
    """How long a password resists somebody who guesses."""

    UNFIT = 1
    """Refused: too short, common, or made of what is known of the person."""
    GOOD = 2
    STRONG = 3


STRONG_LENGTH: Final = 18
STRONG_PARTS: Final = 3
"""So long, of so many words or runs, a password need fear no guess at all."""


def strength_of(password: str, *own: str) -> Strength:
    """Return how strong a password is by the rules that refuse it."""
    try:
        text = check_new_password(password, *own)
    except InvalidValue:
        return Strength.UNFIT
    parts = re.findall(r"[^\W\d_]+|\d+", text)
    strong = len(text) >= STRONG_LENGTH and len(set(parts)) >= STRONG_PARTS
    return Strength.STRONG if strong else Strength.GOOD


def _names(password: str, own: str) -> bool:
    """Whether the password contains something of one's own: a name, a mailbox, a number."""
    folded = password.casefold()
    digits = "".join(sign for sign in folded if sign.isdigit())
    number = "".join(sign for sign in own if sign.isdigit())[-10:]
    if len(number) >= NUMBER_TOLD and number in digits:
        return True
    parts = [own, *re.split(r"[@\s]", own)]
    return any(len(part) >= PART_TOLD and part.casefold() in folded for part in parts)
