"""What people are told, by which ways, and when it may leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, cast

from emk_app.domain.accounts import CODE_LIFE, INVITATION_LIFE, RESET_LIFE
from emk_app.domain.errors import Conflict, DomainError


class Channel(StrEnum):
    """How a message leaves."""

    SMS = "sms"
    EMAIL = "email"


class NoticeKind(StrEnum):
    """What a person chooses to be told of, or not."""

    SECURITY = "security"
    APPLICATION = "application"
    APPOINTMENTS = "appointments"
    RESULTS = "results"
    LOOKS = "looks"
    TERMS = "terms"
    SUPPORT = "support"


class News(StrEnum):
    """What has happened."""

    CONTACT_CODE = "contact_code"
    REGISTRATION_TRIED = "registration_tried"
    RESET_ASKED = "reset_asked"
    INVITED = "invited"
    ROLE_CHANGED = "role_changed"
    PASSWORD_RESET = "password_reset"
    NEW_CONTACT_CODE = "new_contact_code"
    CONTACT_CHANGED = "contact_changed"
    CONTACT_REMOVED = "contact_removed"
    NEW_BROWSER = "new_browser"
    FACTOR_ENROLLED = "factor_enrolled"
    FACTOR_REPLACED = "factor_replaced"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_CODE = "factor_code"
    SMS_ENROLLED = "sms_enrolled"
    SMS_REMOVED = "sms_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_COPIED = "passkey_copied"
    PROVIDER_LINKED = "provider_linked"
    PROVIDER_UNLINKED = "provider_unlinked"
    FACTORS_TAKEN = "factors_taken"
    PASSWORD_CHANGED = "password_changed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    APPLICATION_SUBMITTED = "application_submitted"
    CLARIFICATION_ASKED = "clarification_asked"
    APPLICATION_REJECTED = "application_rejected"
    DECISION_UNDONE = "decision_undone"
    APPLICATION_WITHDRAWN = "application_withdrawn"
    DRAFT_EXPIRED = "draft_expired"
    VISIT_MISSED = "visit_missed"
    ANSWER_MISSED = "answer_missed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ERASURE_ASKED = "erasure_asked"
    ERASURE_CANCELLED = "erasure_cancelled"
    ERASED = "erased"
    DATA_READY = "data_ready"
    ALARM = "alarm"
    BOOK_FORMED = "book_formed"
    BOOK_RENEWED = "book_renewed"
    TERM_RENEWED = "term_renewed"
    IDENTITY_CHANGED = "identity_changed"
    IDENTITY_REFUSED = "identity_refused"
    BOOK_SUSPENDED = "book_suspended"
    BOOK_RESUMED = "book_resumed"
    BOOK_REVOKED = "book_revoked"
    VISIT_BOOKED = "visit_booked"
    VISIT_MOVED = "visit_moved"
    VISIT_CANCELLED = "visit_cancelled"
    VISIT_SOON = "visit_soon"
    STUDIES_ORDERED = "studies_ordered"
    CONCLUSION_SIGNED = "conclusion_signed"
    CONCLUSION_RECEIVED = "conclusion_received"
    APPEAL_FILED = "appeal_filed"
    APPEAL_TAKEN = "appeal_taken"
    BOOK_LOOKED_AT = "book_looked_at"
    RECORD_OPENED = "record_opened"
    RECORD_HANDED_OVER = "record_handed_over"
    EMPLOYER_ASKED = "employer_asked"
    EMPLOYER_ADDED = "employer_added"
    MEMBER_INVITED = "member_invited"
    STAFF_ENDS = "staff_ends"
    SUPPORT_ANSWERED = "support_answered"
    SUPPORT_ASKS = "support_asks"
    SUPPORT_OPENED = "support_opened"
    DRAFT_ENDS = "draft_ends"
    VISIT_DUE = "visit_due"
    ANSWER_DUE = "answer_due"
    ITEM_ENDS = "item_ends"
    BOOK_ENDS = "book_ends"


KINDS: Final = {
    News.CONTACT_CODE: NoticeKind.SECURITY,
    News.REGISTRATION_TRIED: NoticeKind.SECURITY,
    News.RESET_ASKED: NoticeKind.SECURITY,
    News.INVITED: NoticeKind.SECURITY,
    News.ROLE_CHANGED: NoticeKind.SECURITY,
    News.PASSWORD_RESET: NoticeKind.SECURITY,
    News.NEW_CONTACT_CODE: NoticeKind.SECURITY,
    News.CONTACT_CHANGED: NoticeKind.SECURITY,
    News.CONTACT_REMOVED: NoticeKind.SECURITY,
    News.NEW_BROWSER: NoticeKind.SECURITY,
    News.FACTOR_ENROLLED: NoticeKind.SECURITY,
    News.FACTOR_REPLACED: NoticeKind.SECURITY,
    News.FACTOR_REMOVED: NoticeKind.SECURITY,
    News.FACTOR_CODE: NoticeKind.SECURITY,
    News.SMS_ENROLLED: NoticeKind.SECURITY,
    News.SMS_REMOVED: NoticeKind.SECURITY,
    News.PASSKEY_ADDED: NoticeKind.SECURITY,
    News.PASSKEY_REMOVED: NoticeKind.SECURITY,
    News.PASSKEY_COPIED: NoticeKind.SECURITY,
    News.PROVIDER_LINKED: NoticeKind.SECURITY,
    News.PROVIDER_UNLINKED: NoticeKind.SECURITY,
    News.FACTORS_TAKEN: NoticeKind.SECURITY,
    News.PASSWORD_CHANGED: NoticeKind.SECURITY,
    News.RECOVERY_CODES_MADE: NoticeKind.SECURITY,
    News.RECOVERY_CODE_USED: NoticeKind.SECURITY,
    News.APPLICATION_SUBMITTED: NoticeKind.APPLICATION,
    News.CLARIFICATION_ASKED: NoticeKind.APPLICATION,
    News.APPLICATION_REJECTED: NoticeKind.APPLICATION,
    News.DECISION_UNDONE: NoticeKind.APPLICATION,
    News.APPLICATION_WITHDRAWN: NoticeKind.APPLICATION,
    News.DRAFT_EXPIRED: NoticeKind.APPLICATION,
    News.VISIT_MISSED: NoticeKind.APPLICATION,
    News.ANSWER_MISSED: NoticeKind.APPLICATION,
    News.CONSENT_WITHDRAWN: NoticeKind.SECURITY,
    News.ERASURE_ASKED: NoticeKind.SECURITY,
    News.ERASURE_CANCELLED: NoticeKind.SECURITY,
    News.ERASED: NoticeKind.SECURITY,
    News.DATA_READY: NoticeKind.SECURITY,
    News.ALARM: NoticeKind.SECURITY,
    News.BOOK_FORMED: NoticeKind.APPLICATION,
    News.BOOK_RENEWED: NoticeKind.APPLICATION,
    News.TERM_RENEWED: NoticeKind.TERMS,
    News.IDENTITY_CHANGED: NoticeKind.APPLICATION,
    News.IDENTITY_REFUSED: NoticeKind.APPLICATION,
    News.BOOK_SUSPENDED: NoticeKind.APPLICATION,
    News.BOOK_RESUMED: NoticeKind.APPLICATION,
    News.BOOK_REVOKED: NoticeKind.APPLICATION,
    News.VISIT_BOOKED: NoticeKind.APPOINTMENTS,
    News.VISIT_MOVED: NoticeKind.APPOINTMENTS,
    News.VISIT_CANCELLED: NoticeKind.APPOINTMENTS,
    News.VISIT_SOON: NoticeKind.APPOINTMENTS,
    News.STUDIES_ORDERED: NoticeKind.RESULTS,
    News.CONCLUSION_SIGNED: NoticeKind.RESULTS,
    News.CONCLUSION_RECEIVED: NoticeKind.RESULTS,
    News.APPEAL_FILED: NoticeKind.RESULTS,
    News.APPEAL_TAKEN: NoticeKind.RESULTS,
    News.BOOK_LOOKED_AT: NoticeKind.LOOKS,
    News.RECORD_OPENED: NoticeKind.LOOKS,
    # Everything the book says has left the service: whoever did not want that must hear of it.
    News.RECORD_HANDED_OVER: NoticeKind.SECURITY,
    News.EMPLOYER_ASKED: NoticeKind.APPLICATION,
    # It goes on until the holder ends it.
    News.EMPLOYER_ADDED: NoticeKind.SECURITY,
    News.MEMBER_INVITED: NoticeKind.APPLICATION,
    News.STAFF_ENDS: NoticeKind.TERMS,
    News.SUPPORT_ANSWERED: NoticeKind.SUPPORT,
    # Somebody wants to see, and sees, more of the person than a ticket shows (D25).
    News.SUPPORT_ASKS: NoticeKind.SECURITY,
    News.SUPPORT_OPENED: NoticeKind.SECURITY,
    News.DRAFT_ENDS: NoticeKind.TERMS,
    News.VISIT_DUE: NoticeKind.TERMS,
    News.ANSWER_DUE: NoticeKind.TERMS,
    News.ITEM_ENDS: NoticeKind.TERMS,
    News.BOOK_ENDS: NoticeKind.TERMS,
}

CODES: Final = frozenset({News.CONTACT_CODE, News.NEW_CONTACT_CODE, News.FACTOR_CODE})
"""What carries a code: it soon says nothing true, and leads nowhere."""
WITH_LINKS: Final = frozenset({News.RESET_ASKED, News.INVITED})
"""What carries a link that lets its reader choose a password."""
OBLIGATORY: Final = frozenset({NoticeKind.SECURITY})
"""What nobody can switch off, and what wakes people at night: the account may be at stake."""
QUIET_AT_FIRST: Final = frozenset({NoticeKind.LOOKS})
"""What is told on the screen alone until the person asks for more."""

EVENING: Final = time(22)
MORNING: Final = time(8)

TRIES: Final = 24
LONGEST_TRYING: Final = timedelta(hours=48)
"""How old an undelivered message may grow; people are told otherwise by then."""
FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(hours=3)


class NotOptional(DomainError):
    """Nobody can switch this kind of notices off."""


class NoContact(DomainError):
    """The person has proved no contact of this channel."""


class LetterEnded(Conflict):
    """The letter has left, or was laid aside: there is nothing to try again."""


Choices = Mapping[tuple[NoticeKind, Channel], bool]


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news with the facts that its words need; no names, no medical facts (D44)."""

    news: News
    number: str = ""
    """The application's number, as it stands in addresses; or the ticket's."""
    code: str = field(default="", repr=False)
    on: date | None = None
    at: datetime | None = None
    source: str = ""
    """From where somebody came: browser, system and a part of the address."""
    counts: tuple[int, ...] = ()
    """How many of each of what the news is about."""

    @property
    def kind(self) -> NoticeKind:
        """What the person chooses it by."""
        return KINDS[self.news]

    @property
    def is_urgent(self) -> bool:
        """Whether it goes first, and by night as well."""
        return self.kind in OBLIGATORY

    def pack(self) -> str:
        """Return the notice as text, for ``read``."""
        said: dict[str, str] = {"news": self.news.value}
        if self.number:
            said["number"] = self.number
        if self.code:
            said["code"] = self.code
        if self.on is not None:
            said["on"] = self.on.isoformat()
        if self.at is not None:
            said["at"] = self.at.isoformat()
        if self.source:
            said["source"] = self.source
        if self.counts:
            said["counts"] = " ".join(map(str, self.counts))
        return json.dumps(said)

    @classmethod
    def read(cls, text: str) -> Notice:
        """Return what ``pack`` wrote; raise ``ValueError`` for anything else."""
        said = json.loads(text)
        if not isinstance(said, dict):
            raise ValueError("not a notice")
        facts = cast("dict[str, Any]", said)
        on, at = facts.get("on"), facts.get("at")
        return cls(
            News(facts.get("news", "")),
            number=str(facts.get("number", "")),
            code=str(facts.get("code", "")),
            on=date.fromisoformat(on) if on else None,
            at=datetime.fromisoformat(at) if at else None,
            source=str(facts.get("source", "")),
            counts=tuple(int(each) for each in str(facts.get("counts", "")).split()),
        )


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in words, as it leaves by one channel."""

    subject: str
    text: str


def is_wanted(kind: NoticeKind, channel: Channel, choices: Choices) -> bool:
    """Whether the person wants this kind by this channel; on the screen it is always told."""
    if kind in OBLIGATORY:
        return True
    return choices.get((kind, channel), kind not in QUIET_AT_FIRST)


def is_quiet(local: datetime) -> bool:
    """Whether it is too late or too early to ring for what can wait: from 22 to 8."""
    return not MORNING <= local.time() < EVENING


def leaves_at(notice: Notice, channel: Channel, local: datetime) -> datetime:
    """Return when it may leave: nobody's telephone rings at night for what can wait.

    ``local`` is the present moment by the clock that the quiet hours are counted by.
    """
    if channel is not Channel.SMS or notice.is_urgent or not is_quiet(local):
        return local
    day = local.date() + timedelta(days=local.time() >= EVENING)
    return datetime.combine(day, MORNING, local.tzinfo)


def good_until(notice: Notice, now: datetime) -> datetime | None:
    """Return after when it says nothing true any more; None where it stays true."""
    if notice.news in CODES:
        return now + CODE_LIFE
    if notice.news is News.RESET_ASKED:
        return now + RESET_LIFE
    if notice.news is News.INVITED:
        return now + INVITATION_LIFE
    return notice.at if notice.news is News.VISIT_SOON else None


def pause_after(attempts: int, jitter: float) -> timedelta:
    """Return how long to wait after so many failed tries: each time twice as long.

    ``jitter`` from 0 to 1 spreads the tries, so that what failed at once does not return at once.
    """
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return pause * (0.75 + jitter / 2)


def is_given_up(attempts: int, age: timedelta) -> bool:
    """Whether a message that failed once more is not tried again."""
    return attempts >= TRIES or age >= LONGEST_TRYING
