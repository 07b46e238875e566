"""Links by which a holder shows the book, their codes, and who looked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlmodel import Session

from emk_app import clock
from emk_app.crypto import cose, qr, tokens
from emk_app.crypto.cose import Claims
from emk_app.crypto.signing import KeyUse
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.quick import reader, together
from emk_app.db.repositories import books, consents
from emk_app.db.repositories.books import LinkLine
from emk_app.db.tables.books import MedicalBook, ShareLink
from emk_app.db.vault import Vault
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.books import BookContent, BookNotShareable, Verdict, check_shareable
from emk_app.domain.consent import ConsentNeeded
from emk_app.domain.fieldpolicy import Viewer, name_for
from emk_app.domain.sharing import (
    DEFAULT_LIFETIME_DAYS,
    LABEL_LIMIT,
    LINKS_AT_ONCE,
    SHOWN,
    LinkState,
    SharedField,
    ShareScope,
    TooManyLinks,
    allowed_looks,
    expiry,
    link_state,
)
from emk_app.domain.sharing import ShareLink as Link
from emk_app.domain.values import Problems, one_line
from emk_app.keys import signer
from emk_app.services import auditing, issuing, statuses
from emk_app.services.verifying import witness_of
from emk_app.settings import settings

LOOKS_SHOWN: Final = 100

TOKEN_VERDICTS: Final = {
    verdict: code
    for code, verdict in enumerate(
        (
            Verdict.VALID,
            Verdict.ITEMS_OVERDUE,
            Verdict.SUPERSEDED,
            Verdict.NOT_RECEIVED,
            Verdict.TERM_PASSED,
            Verdict.SUSPENDED,
            Verdict.REVOKED,
        )
    )
}
"""The numbers by which a signed code tells the verdict at its making (``Claims.verdict``)."""


@dataclass(frozen=True, slots=True)
class LinkView:
    """One link as its holder sees it."""

    id: int
    url: str
    label: str
    scope: ShareScope
    state: LinkState
    is_superseded: bool
    """Whether the book has a newer version than the one the link shows."""
    created_at: datetime
    expires_at: datetime
    max_looks: int | None
    looks: int


@dataclass(frozen=True, slots=True)
class LookView:
    """One look as the holder sees it."""

    id: int
    at: datetime
    label: str
    verdict: Verdict
    viewer: str


@dataclass(frozen=True, slots=True)
class QrCode:
    """What a code says; the picture is drawn from it."""

    url: str

    @property
    def svg(self) -> str:
        """The picture for paper, which gets dirty: level Q."""
        return qr.qr_svg(self.url, "Q", "QR-код медицинской книжки")

    @property
    def png(self) -> bytes:
        """The picture for screens, which are small: level M, coarser modules."""
        return qr.qr_png(self.url, box=10, error="M")


def make(
    actor: Actor,
    book_id: int,
    *,
    scope: ShareScope = ShareScope.WITH_OCCUPATION,
    label: str = "",
    days: int = DEFAULT_LIFETIME_DAYS,
    looks: int | None = None,
    now: datetime,
) -> LinkView:
    """Make a link to the book's current version.

    Raises ``Invalid`` with ``label``, ``days`` and ``looks``, ``BookNotShareable``,
    ``ConsentNeeded`` and ``TooManyLinks``.
    """
    permit(actor, Role.HOLDER)
    problems = Problems()
    said = problems.take("label", one_line, label, LABEL_LIMIT)
    expires_at = problems.take("days", expiry, now, days)
    max_looks = problems.take("looks", allowed_looks, looks)
    problems.raise_any()
    with unit_of_work() as db:
        book = books.own(db, actor, book_id)
        # Held, so that no link slips past a consent that is being taken back.
        consents.hold(db, actor.user_id)
        if consents.is_withdrawn(db, actor.user_id):
            raise ConsentNeeded
        own = vault.vault_for(db, book.holder_id)
        shareable(db, book, book.current_version, own, now)
        every = books.links_of(db, actor.user_id)
        if sum(state_of(each, now) is LinkState.ALIVE for each in every) >= LINKS_AT_ONCE:
            raise TooManyLinks(LINKS_AT_ONCE)
        code, digest = _new_code(db, now)
        link = ShareLink(
            book_id=book.id,
            version=book.current_version,
            digest=digest,
            code_sealed=own.seal(code, *books.CODE, digest),
            scope=scope,
            label=said,
            created_at=now,
            expires_at=expires_at,
            max_looks=max_looks,
        )
        db.add(link)
        db.flush()
        books.tell(db, book)
        auditing.record(
            db, actor, "make_link", f"link:{link.id}", subject_id=book.holder_id, now=now
        )
        return _view(link, book.current_version, own, 0, now)


def _new_code(db: Session, now: datetime) -> tuple[str, str]:
    """Return a code and its digest whose place in the list of statuses no living link has."""
    while True:
        code = tokens.new_share()
        digest = tokens.share_digest(code)
        if not statuses.is_taken(db, digest, now=now):
            return code, digest


def links(actor: Actor, *, now: datetime) -> tuple[LinkView, ...]:
    """Return every link of the holder, newest first."""
    permit(actor, Role.HOLDER)
    with reader() as read:
        with together(read):
            links = _links(read, actor, now)
        return links()


def _links(read: Any, actor: Actor, now: datetime) -> Callable[[], tuple[LinkView, ...]]:
    asked, counted = books.link_lines(read, actor.user_id), books.taken_of(read, actor.user_id)

    def answer() -> tuple[LinkView, ...]:
        lines, taken = asked(), dict(counted())
        if not lines:
            return ()
        own = vault.vault_from(lines[0].holder_uid, lines[0].holder_key)
        return tuple(
            _view(line, line.current_version, own, taken.get(line.id, 0), now) for line in lines
        )

    return answer


def revoke(actor: Actor, link_id: int, *, now: datetime) -> None:
    """Close the link: every look that begins later finds it closed. Closing twice is once."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        link = books.own_link(db, actor, link_id)
        if link.revoked_at is not None:
            return
        link.revoked_at = now
        db.add(link)
        books.tell(db, books.get(db, link.book_id))
        auditing.record(
            db, actor, "revoke_link", f"link:{link.id}", subject_id=actor.user_id, now=now
        )


def looks(actor: Actor, *, limit: int = LOOKS_SHOWN) -> tuple[LookView, ...]:
    """Return the last looks at the holder's books, newest first."""
    permit(actor, Role.HOLDER)
    with reader() as read:
        return _looks(read, actor, limit)()


def links_and_looks(
    actor: Actor, *, now: datetime
) -> tuple[tuple[LinkView, ...], tuple[LookView, ...]]:
    """Return both, for the screen that follows them: at a gate looks come by the second."""
    permit(actor, Role.HOLDER)
    with reader() as read:
        with together(read):
            links, looks = _links(read, actor, now), _looks(read, actor, LOOKS_SHOWN)
        return links(), looks()


def _looks(read: Any, actor: Actor, limit: int) -> Callable[[], tuple[LookView, ...]]:
    asked = books.look_lines(read, actor.user_id, limit)
    return lambda: tuple(
        LookView(look.id, look.at, look.label, Verdict(look.verdict), look.viewer)
        for look in asked()
    )


def code(actor: Actor, link_id: int, *, now: datetime) -> QrCode:
    """Return the QR code of a link: its address, and in the fragment the signed token.

    The fragment never reaches a server; it lets the book be checked without one (verification.md
    section 0). Raises ``BookNotShareable``, also with ``SUPERSEDED`` and the verdicts of a link
    that is over: such a code would lead nobody anywhere.
    """
    permit(actor, Role.HOLDER)
    with reading() as db:
        link = books.own_link(db, actor, link_id)
        book = books.get(db, link.book_id)
        own = vault.vault_for(db, book.holder_id)
        state = state_of(link, now)
        if state is not LinkState.ALIVE:
            raise BookNotShareable(Verdict(state.value))
        if link.version != book.current_version:
            raise BookNotShareable(Verdict.SUPERSEDED)
        content, verdict = shareable(db, book, link.version, own, now)
        version_hash = books.version(db, book.id, link.version).version_hash
        share = books.open_code(own, link)
    said = claims(link, share, content, version_hash, verdict)
    token = cose.issue_token(signer(KeyUse.QR), said)
    return QrCode(qr.share_url(settings().origin, share, token))


def shareable(
    db: Session, book: MedicalBook, number: int, own: Vault, now: datetime
) -> tuple[BookContent, Verdict]:
    """Return what a version says and how it would be judged; raise ``BookNotShareable``."""
    version = books.version(db, book.id, number)
    content = issuing.content_of(witness_of(book, version, own))
    judgement = issuing.judgement_of(book, version, content, now=now)
    check_shareable(judgement)
    if content is None:
        raise BookNotShareable(Verdict.NOT_GENUINE)
    return content, judgement.verdict


def claims(
    link: ShareLink, share: str, content: BookContent, version_hash: str, verdict: Verdict
) -> Claims:
    """Return what the signed code of a link says; all its moments are whole seconds."""
    own = signer(KeyUse.QR)
    fields = SHOWN[link.scope]
    return Claims(
        expires_at=_whole(
            min(link.expires_at, end_of(content.valid_until), cose.latest_expiry(own))
        ),
        # The moment of the link, not of the download: the same link always has the same code.
        issued_at=_whole(max(link.created_at, own.certificate.not_valid_before_utc)),
        share_id=tokens.share_id(share),
        book_number=content.number.digits,
        version=content.version,
        document_hash=bytes.fromhex(version_hash),
        shown_name=(
            name_for(Viewer.BY_LINK, content.holder) if SharedField.NAME in fields else None
        ),
        birth_year=content.born_on.year if SharedField.BIRTH_YEAR in fields else None,
        categories=((int(content.occupation.point),) if SharedField.OCCUPATION in fields else ()),
        verdict=TOKEN_VERDICTS[verdict],
    )


def end_of(day: date) -> datetime:
    """Return the moment after the last one of ``day`` in Moscow."""
    return datetime.combine(day + timedelta(days=1), time(), clock.MOSCOW).astimezone(UTC)


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def state_of(link: ShareLink | LinkLine, now: datetime) -> LinkState:
    """Judge a link as it is stored."""
    return link_state(
        Link(link.scope, link.expires_at, link.revoked_at, link.max_looks, link.looks), now
    )


def _view(
    link: ShareLink | LinkLine, current_version: int, own: Vault, taken: int, now: datetime
) -> LinkView:
    return LinkView(
        id=link.id,
        url=qr.share_url(settings().origin, books.open_code(own, link)),
        label=link.label,
        scope=link.scope,
        state=state_of(link, now),
        is_superseded=link.version != current_version,
        created_at=link.created_at,
        expires_at=link.expires_at,
        max_looks=link.max_looks,
        looks=taken,
    )
