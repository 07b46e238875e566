"""What can go wrong, as types that carry facts; the Russian words are in ``presenting``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum


class DomainError(Exception):
    """Something the rules refuse."""


class NotSignedIn(DomainError):
    """Nobody acts: no session, or it has ended."""


class NotPermitted(DomainError):
    """The actor may not do this."""


class FreshFactorNeeded(NotPermitted):
    """The act needs a second factor given within the last five minutes (D13)."""


class NotFound(DomainError):
    """No such thing, or not the actor's: outside, the two look the same (D21)."""


class Conflict(DomainError):
    """The world has moved on since the actor looked."""


class ChangedMeanwhile(Conflict):
    """Somebody else was faster."""

    def __init__(self, by: str | None = None, at: datetime | None = None) -> None:
        super().__init__("changed meanwhile")
        self.by = by
        self.at = at


class TransitionNotAllowed(Conflict):
    """The table of steps has no such step."""

    def __init__(self, current: StrEnum, target: StrEnum) -> None:
        super().__init__(f"no step from {current} to {target}")
        self.current = current
        self.target = target


class InvalidValue(DomainError):
    """One value is not what its field needs; subclasses say how."""


class Required(InvalidValue):
    """The field is empty and must not be."""


class TooLong(InvalidValue):
    """More characters than ``limit``."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"longer than {limit}")
        self.limit = limit


class NotAChoice(InvalidValue):
    """None of the offered values."""


class Invalid(DomainError):
    """Several fields of one form, each with its own problem."""

    def __init__(self, fields: Mapping[str, InvalidValue]) -> None:
        super().__init__(", ".join(f"{name}: {error}" for name, error in fields.items()))
        self.fields = dict(fields)


class TooManyAttempts(DomainError):
    """Throttled until ``until`` (D16)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"throttled until {until:%H:%M:%S}")
        self.until = until


class WrongMediaType(DomainError):
    """What was sent is announced as something else than what is read there."""


class Malformed(DomainError):
    """What another system sent does not follow the description of the API.

    ``faults`` names places and kinds of fault, never what was sent: it may be about a person.
    """

    def __init__(self, faults: tuple[tuple[str, str], ...]) -> None:
        super().__init__(", ".join(f"{place}: {kind}" for place, kind in faults))
        self.faults = faults
