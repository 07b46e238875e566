"""An employer's organisation, its staff, and who may see whose book until when."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from emk_app.domain.books import Verdict
from emk_app.domain.contacts import Login as LoginName
from emk_app.domain.contacts import LoginKind
from emk_app.domain.errors import Conflict, InvalidValue, Required
from emk_app.domain.numbers import Inn, Ogrn
from emk_app.domain.values import one_line

SOON: Final = timedelta(days=30)
NUMBER_LIFE: Final = timedelta(days=365)
"""How long an employer who knew number and СНИЛС sees the term; then both are asked anew."""
INVITATION_LIFE: Final = timedelta(days=30)
ASK_AGAIN_AFTER: Final = timedelta(days=30)
"""Whoever has refused is left in peace for so long."""
NAME_LIMIT: Final = 200
LABEL_LIMIT: Final = 120
TAB_LIMIT: Final = 30
DEPARTMENT_LIMIT: Final = 80
STAFF_LIMIT: Final = 100_000
MEMBER_LIMIT: Final = 50
"""Members of an organisation and those who are invited, together."""
MEMBER_INVITATION_LIFE: Final = timedelta(days=14)


class AddedBy(StrEnum):
    """How somebody came onto the list, which is also by what right the book is seen."""

    LINK = "link"
    NUMBER = "number"
    INVITATION = "invitation"


class AccessState(StrEnum):
    """Whether the organisation may see the book; only ``GRANTED`` shows anything."""

    INVITED = "invited"
    GRANTED = "granted"
    REFUSED = "refused"
    ENDED = "ended"


class Light(StrEnum):
    """The traffic light of one member of staff."""

    GREEN = "green"
    YELLOW = "yellow"
    """May work today, and something is to be done."""
    RED = "red"
    GREY = "grey"
    """Nothing is seen: not granted yet, refused, ended."""


LINK_OVER: Final = frozenset({Verdict.LINK_REVOKED, Verdict.LINK_EXPIRED, Verdict.LINK_EXHAUSTED})
UNSETTLED: Final = frozenset({Verdict.SUPERSEDED})
"""The link shows an older version: a fresh one is needed, the book itself may be in order."""


def state_of(state: AccessState, until: datetime | None, now: datetime) -> AccessState:
    """Return the state as of ``now``: what has run out is over."""
    if state in (AccessState.INVITED, AccessState.GRANTED) and until and now >= until:
        return AccessState.ENDED
    return state


def light_of(
    state: AccessState, verdict: Verdict | None, ends_on: date | None, today: date
) -> Light:
    """Return the light; ``ends_on`` is the last day of the book or of its first study to end."""
    if state is not AccessState.GRANTED or verdict in LINK_OVER:
        return Light.GREY
    if verdict in UNSETTLED:
        return Light.YELLOW
    if verdict is not Verdict.VALID or ends_on is None or ends_on < today:
        return Light.RED
    return Light.YELLOW if ends_on <= today + SOON else Light.GREEN


def organisation_name(text: str) -> str:
    """Return the name of an organisation; raise ``InvalidValue``."""
    return _said(text, NAME_LIMIT)


def label(text: str) -> str:
    """Return what the employer calls a member of staff; raise ``InvalidValue``."""
    return _said(text, LABEL_LIMIT)


def registration(inn: str, ogrn: str) -> None:
    """Check that ИНН and ОГРН are of one kind; raise ``NumbersDiffer``.

    An organisation has 10 and 13 digits, an entrepreneur 12 and 15.
    """
    if Inn.parse(inn).is_personal is not (len(Ogrn.parse(ogrn).digits) == 15):
        raise NumbersDiffer


def invited(text: str) -> LoginName:
    """Return whom to ask: an e-mail address or a mobile phone; raise ``InvalidValue``."""
    name = LoginName.parse(text)
    if name.kind is LoginKind.INN:
        raise NotInvitable
    return name


def _said(text: str, limit: int) -> str:
    said = one_line(text, limit)
    if not said:
        raise Required
    return said


class NumbersDiffer(InvalidValue):
    """The ИНН is of an organisation and the ОГРН of an entrepreneur, or the other way round."""


class NotInvitable(InvalidValue):
    """Nobody is reached by an ИНН."""


class NotALink(InvalidValue):
    """Neither a link of ours to a book nor the code in one."""


class LinkOver(InvalidValue):
    """The link is closed or has run out."""


class OrganisationKnown(Conflict):
    """There is an organisation with this ИНН already."""


class HasOrganisation(Conflict):
    """The person is a member of an organisation already."""


class LastOwner(Conflict):
    """The organisation would have no owner any more."""


class MemberInvited(Conflict):
    """The address has been invited, or is a member's already."""


class MembersFull(Conflict):
    """The organisation has as many members as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} members")
        self.limit = limit


class AccessEnded(Conflict):
    """The holder has closed the access: only the holder can open it again."""


class AskedAlready(Conflict):
    """This person has been asked, and has not answered or has refused lately."""


class StaffFull(Conflict):
    """The list is as long as it may be."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} members of staff")
        self.limit = limit
