"""What a signed conclusion says when it leaves or comes, and what may be done with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.clearance import Conclusion
from emk_app.domain.errors import Conflict, DomainError
from emk_app.domain.examinations import ExaminationKind, ItemKind
from emk_app.domain.people import FullName, Sex
from emk_app.domain.vaccinations import RecordKind
from emk_app.domain.values import Personal

DOCUMENT_LIMIT: Final = 512 * 1024
"""Bytes of one document; a complete examination has about 40 KiB."""
KEPT: Final = timedelta(days=30)
"""How long a document waits for its holder, or for somebody who decides; then it is erased."""
WINDOW: Final = timedelta(minutes=5)
"""How far the moment of a request's signature may be from our clock, both ways."""
FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(hours=6)
LONGEST_TRYING: Final = timedelta(days=7)
TRIES: Final = 60

IDEMPOTENCY_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{8,80}")
NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Format(StrEnum):
    """How a conclusion is written for others."""

    CDA = "cda"
    FHIR = "fhir"


MEDIA_TYPES: Final = {Format.CDA: "application/xml", Format.FHIR: "application/fhir+json"}


class ShipmentState(StrEnum):
    """How far a conclusion on its way out has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    DROPPED = "dropped"


class ReceivedState(StrEnum):
    """What has become of a document from another system."""

    OWN = "own"
    """Our own, come back to us: the embedded default answers itself."""
    LINKED = "linked"
    PENDING = "pending"
    """No holder whose identity was checked has this СНИЛС yet."""
    QUARANTINED = "quarantined"
    EXPIRED = "expired"
    DROPPED = "dropped"


class Doubt(StrEnum):
    """Why a document is kept apart until somebody decides."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    SEVERAL_HOLDERS = "several_holders"
    CLINIC_UNKNOWN = "clinic_unknown"
    UNREADABLE = "unreadable"


class DocumentRefused(DomainError):
    """Not a document of the agreed kind; ``rule`` names what it breaks, never what it says."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class DocumentUnsafe(DocumentRefused):
    """A document type declaration, entities, another encoding, too many or too deep elements."""


class DocumentTooLarge(DocumentRefused):
    """More than ``DOCUMENT_LIMIT`` bytes."""

    def __init__(self) -> None:
        super().__init__("size")


class NotAPartner(DomainError):
    """The request is not signed by a key we know, or the signature does not fit it."""


class Replayed(NotAPartner):
    """A request that was taken already, or one signed too long ago or in the future."""


class UnknownFormat(DomainError):
    """Neither of the two formats."""


class ForeignOrganisation(DomainError):
    """The partner is not registered for the organisation in whose name the document speaks."""


class DocumentDiffers(Conflict):
    """Another document came under this key, or this document said something else before."""


class ShipmentEnded(Conflict):
    """It has been delivered or laid aside: there is nothing to decide."""


@dataclass(frozen=True, slots=True, repr=False)
class Study(Personal):
    """One result; ``value`` is for machines, ``shown`` for people."""

    code: str
    name: str
    kind: ItemKind
    value: str
    shown: str
    deviation: bool
    performed_on: date
    valid_until: date | None
    performer: str = ""
    device: str = ""
    number: str = ""

    @property
    def masked(self) -> str:
        """The code alone: findings stay out of logs."""
        return self.code


@dataclass(frozen=True, slots=True, repr=False)
class Shot(Personal):
    """What is known of one infection, as the clinic recorded it."""

    code: str
    name: str
    kind: RecordKind
    on: date
    dose: str = ""
    vaccine: str = ""
    series: str = ""
    until: date | None = None

    @property
    def masked(self) -> str:
        """The infection alone."""
        return self.code


@dataclass(frozen=True, slots=True)
class Organisation:
    """The clinic that answers for the document."""

    oid: str
    name: str
    ogrn: str
    address: str
    phone: str


@dataclass(frozen=True, slots=True, repr=False)
class Statement(Personal):
    """A signed conclusion with all it stands on, whatever the format.

    ``application`` numbers the referral in the system of the sender, ``version`` the conclusions
    of one examination from 1. ``signed_at`` is UTC, whole seconds.
    """

    application: str
    version: int
    signed_at: datetime
    name: FullName
    born_on: date
    sex: Sex
    snils: str
    referred_on: date
    kind: ExaminationKind
    point: str
    work: str
    """The legal name of the work, as order 29н has it."""
    occupation: str
    book_number: str
    """Twelve digits, or empty before the first book."""
    clinic: Organisation
    chair_id: str
    chair: str
    commission: tuple[str, ...]
    studies: tuple[Study, ...]
    shots: tuple[Shot, ...]
    conclusion: Conclusion

    @property
    def masked(self) -> str:
        """The document's name alone."""
        return self.uid

    @property
    def root(self) -> str:
        """The OID under which the clinic's documents are numbered."""
        return f"{self.clinic.oid}.100.1.1.51"

    @property
    def extension(self) -> str:
        """The document's number under the root."""
        return f"{self.application}-{self.version}"

    @property
    def series(self) -> str:
        """What all versions of the document have in common."""
        return f"{self.clinic.oid}.100.1.1.50^{self.application}"

    @property
    def uid(self) -> str:
        """The document's name in the world."""
        return f"{self.root}^{self.extension}"


def doubt_of(
    name: FullName | None, born_on: date | None, sex: Sex | None, statement: Statement
) -> Doubt | None:
    """Return why a statement does not speak of the person who gave these papers; None if it does.

    Only ё and е, and a patronymic that one side leaves out, are forgiven.
    """
    if name is None or not _same_name(name, statement.name):
        return Doubt.NAME
    if born_on != statement.born_on:
        return Doubt.BIRTH_DATE
    return Doubt.SEX if sex != statement.sex else None


def _same_name(one: FullName, other: FullName) -> bool:
    patronymics = {_plain(each.patronymic) for each in (one, other) if each.patronymic}
    return (
        _plain(one.last) == _plain(other.last)
        and _plain(one.first) == _plain(other.first)
        and len(patronymics) < 2
    )


def _plain(text: str) -> str:
    return text.casefold().replace("ё", "е")


def pause_after(attempts: int, jitter: float) -> timedelta:
    """Return how long to wait after so many failed tries: twice as long each time, at most
    ``LONGEST_PAUSE``; ``jitter`` from 0 to 1 spreads them.
    """
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return pause * (0.75 + jitter / 2)


def is_given_up(attempts: int, age: timedelta) -> bool:
    """Whether a document that failed once more is left for people to look at."""
    return attempts >= TRIES or age >= LONGEST_TRYING
