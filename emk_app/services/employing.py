"""An employer's organisation and the list of its staff: who may work today, and until when.

An entry shows what a look at the book would show (D22): the verdict, the term, the group of
occupations and the name as the holder chose; nothing medical. What was seen is kept in the row, so
that a long list is one query; a change of the book marks it, and it is looked at again when the
list is next read.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session, select

from emk_app import clock
from emk_app.crypto import tokens
from emk_app.crypto.errors import SealBroken
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import books, employers
from emk_app.db.repositories.employers import StaffFilter, topic_of
from emk_app.db.tables.books import MedicalBook, ShareLink
from emk_app.db.tables.employers import Organisation, OrganisationMember, StaffEntry
from emk_app.db.tables.people import User
from emk_app.domain import employing as rules
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Post, Role, permit, permit_post
from emk_app.domain.books import BookFacts, BookNumber, Judgement, Verdict, dated_lines, judge
from emk_app.domain.contacts import Email
from emk_app.domain.contacts import Login as LoginName
from emk_app.domain.employing import (
    DEPARTMENT_LIMIT,
    INVITATION_LIFE,
    NUMBER_LIFE,
    STAFF_LIMIT,
    TAB_LIMIT,
    AccessEnded,
    AccessState,
    AddedBy,
    AskedAlready,
    HasOrganisation,
    Light,
    LinkOver,
    NotALink,
    OrganisationKnown,
    StaffFull,
)
from emk_app.domain.errors import Invalid, NotAChoice, NotFound
from emk_app.domain.fieldpolicy import Viewer, name_for
from emk_app.domain.notices import News, Notice
from emk_app.domain.numbers import Inn, Ogrn
from emk_app.domain.occupations import point_of
from emk_app.domain.sharing import SHOWN, LinkState, SharedField, link_state
from emk_app.domain.sharing import ShareLink as LinkFacts
from emk_app.domain.values import Problems, one_line
from emk_app.services import accounts, auditing, issuing, lookup, notifying, throttling, verifying

PAGE: Final = 50
EXPORT_PIECE: Final = 500
SEEN_FIELDS: Final = "name,verdict,valid_until,occupation_group"
EDITORS: Final = (Post.OWNER, Post.HR)
CHECK_AGE: Final = timedelta(hours=1)
"""How old what was seen may grow while nobody says that the book has changed."""
CHECKS_AT_ONCE: Final = 200
LOOK_PAUSE: Final = timedelta(hours=1)
VIEWER: Final = "Список сотрудников"
INVITATIONS: Final = Rule(tries=200, window=timedelta(days=1), longest_block=timedelta(days=1))
TO_ONE: Final = Rule(tries=5, window=timedelta(days=1), longest_block=timedelta(days=1))
"""Requests that one person is sent a day, from all employers together."""


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """One's own organisation."""

    id: int
    name: str
    inn: str
    ogrn: str
    contact: str
    post: Post


@dataclass(frozen=True, slots=True)
class Said:
    """What the employer says of a member of staff."""

    label: str = field(default="", repr=False)
    tab: str = field(default="", repr=False)
    department: str = ""
    occupation: str = ""


@dataclass(frozen=True, slots=True)
class StaffView:
    """One line of the list."""

    id: int
    said: Said
    name: str = field(repr=False)
    """As the holder shows it; empty where nothing is shown."""
    added_by: AddedBy
    contact: str = field(repr=False)
    state: AccessState
    ended_by: Role | None
    light: Light
    verdict: Verdict | None
    ends_on: date | None
    """The last day of the book or of its first study to end."""
    days_left: int | None
    group: str
    until: datetime | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Roster:
    """One page of the list, with the numbers of the whole."""

    organisation_id: int
    counts: dict[Light, int]
    departments: tuple[str, ...]
    occupations: tuple[str, ...]
    rows: tuple[StaffView, ...]
    found: int
    page: int
    pages: int


def organisation(actor: Actor) -> OrganisationView | None:
    """Return the organisation that the actor is a member of."""
    permit(actor, Role.EMPLOYER)
    if actor.organisation_id is None or actor.post is None:
        return None
    with reading() as db:
        about = employers.open_about(db.get_one(Organisation, actor.organisation_id))
    return OrganisationView(
        actor.organisation_id, about["name"], about["inn"], about["ogrn"], about["contact"],
        actor.post,
    )  # fmt: skip


def found(actor: Actor, name: str, inn: str, ogrn: str, contact: str, *, now: datetime) -> int:
    """Begin an organisation, whose owner the actor becomes; return its identity.

    Raises ``Invalid`` with ``name``, ``inn``, ``ogrn`` and ``contact``, ``OrganisationKnown`` and
    ``HasOrganisation``.
    """
    permit(actor, Role.EMPLOYER)
    problems = Problems()
    said = problems.take("name", rules.organisation_name, name)
    own_inn = problems.take("inn", Inn.parse, inn)
    own_ogrn = problems.take("ogrn", Ogrn.parse, ogrn)
    mail = problems.take("contact", Email.parse, contact)
    if not {"inn", "ogrn"} & problems.fields.keys():
        problems.take("ogrn", rules.registration, inn, ogrn)
    problems.raise_any()
    with unit_of_work() as db:
        # Held, so that of two forms sent at once one begins an organisation.
        db.get_one(User, actor.user_id, with_for_update=True)
        if employers.acting(db, actor).organisation_id is not None:
            raise HasOrganisation
        if employers.by_inn(db, own_inn.digits) or employers.by_ogrn(db, own_ogrn.digits):
            raise OrganisationKnown
        about = {
            "name": said, "inn": own_inn.digits, "ogrn": own_ogrn.digits, "contact": str(mail),
        }  # fmt: skip
        blind = employers.blind_of(own_inn.digits)
        row = Organisation(
            inn_blind=blind,
            ogrn_blind=employers.ogrn_blind_of(own_ogrn.digits),
            about_sealed=employers.seal_about(blind, about),
            created_at=now,
        )
        db.add(row)
        db.flush()
        db.add(
            OrganisationMember(
                organisation_id=row.id, user_id=actor.user_id, post=Post.OWNER, created_at=now
            )
        )
        changes.announce(db, topic_of(row.id))
        auditing.record(
            db, actor, "found_organisation", f"organisation:{row.id}",
            fields="name,inn,ogrn,contact", now=now,
        )  # fmt: skip
        return row.id


def roster(
    actor: Actor,
    wanted: StaffFilter | None = None,
    query: str = "",
    page: int = 1,
    *,
    now: datetime,
) -> Roster:
    """Return a page of the list as the books are now; ``query`` seeks in what the employer says."""
    organisation_id = permit_post(actor, *Post)
    wanted = wanted or StaffFilter()
    today = clock.day_of(now)
    _look_again(organisation_id, now=now)
    with reading() as db:
        if query.strip():
            sought = query.strip().casefold()[: rules.LABEL_LIMIT]
            every = [
                row
                for row in employers.entries(db, organisation_id, wanted, now, today)
                if sought in _searchable(row)
            ]
            total = len(every)
            page, pages = _place(page, total)
            rows: Sequence[StaffEntry] = every[(page - 1) * PAGE : page * PAGE]
        else:
            total = employers.count(db, organisation_id, wanted, now, today)
            page, pages = _place(page, total)
            rows = employers.entries(
                db, organisation_id, wanted, now, today, skip=(page - 1) * PAGE, limit=PAGE
            )
        found_roster = Roster(
            organisation_id=organisation_id,
            counts=employers.counts(db, organisation_id, now, today),
            departments=tuple(employers.departments(db, organisation_id)),
            occupations=tuple(employers.occupations(db, organisation_id)),
            rows=tuple(view_of(row, now) for row in rows),
            found=total,
            page=page,
            pages=pages,
        )
        seen = [
            row.id
            for row in rows
            if row.state is AccessState.GRANTED
            and (row.looked_at is None or row.looked_at <= now - LOOK_PAUSE)
        ]
    if seen:
        _note_look(actor, organisation_id, seen, now=now)
    return found_roster


def export(
    actor: Actor, wanted: StaffFilter | None = None, *, now: datetime
) -> Iterator[tuple[StaffView, ...]]:
    """Note that the list is taken away, and return it piece by piece, as the books are now."""
    organisation_id = permit_post(actor, *Post)
    _look_again(organisation_id, now=now)
    with unit_of_work() as db:
        auditing.record(
            db,
            actor,
            "export_staff",
            f"organisation:{organisation_id}",
            fields=SEEN_FIELDS,
            now=now,
        )
    with reading() as db:
        ids = employers.places(db, organisation_id, wanted or StaffFilter(), now, clock.day_of(now))
    return _pieces(organisation_id, ids, now)


def _pieces(
    organisation_id: int, ids: Sequence[int], now: datetime
) -> Iterator[tuple[StaffView, ...]]:
    for at in range(0, len(ids), EXPORT_PIECE):
        with reading() as db:
            rows = employers.entries_at(db, organisation_id, ids[at : at + EXPORT_PIECE])
        yield tuple(view_of(row, now) for row in rows)


def add_by_link(actor: Actor, pasted: str, said: Said, *, now: datetime) -> int:
    """Add who has given a link to the book, or its code; return the entry's identity.

    The leave lasts as long as the link. It counts as one look at it. Raises ``Invalid`` with
    ``link`` and the fields of ``said``, ``AccessEnded`` and ``StaffFull``.
    """
    organisation_id = permit_post(actor, *EDITORS)
    problems = Problems()
    words = problems.take("said", _checked, said)
    code = problems.take("link", _code_in, pasted)
    problems.raise_any()
    try:
        result = verifying.look(code, VIEWER, now=now)
    except NotFound:
        raise Invalid({"link": NotALink()}) from None
    if result.verdict in rules.LINK_OVER:
        raise Invalid({"link": LinkOver()})
    with unit_of_work() as db:
        return put_by_link(db, actor, organisation_id, code, words, now=now)


def put_by_link(
    db: Session, actor: Actor, organisation_id: int, code: str, words: Said, *, now: datetime
) -> int:
    """Put who has given a link onto the list; part of the caller's transaction.

    The look at it is counted already. Raises ``AccessEnded`` and ``StaffFull``.
    """
    link = db.exec(select(ShareLink).where(ShareLink.digest == tokens.share_digest(code))).one()
    book = books.get(db, link.book_id)
    # An old link does not open again what its holder has closed since.
    entry = _entry_for(
        db, organisation_id, book.holder_id, again=lambda at: link.created_at > at, now=now
    )
    _grant(entry, AddedBy.LINK, words, until=link.expires_at, now=now)
    entry.share_id, entry.scope = link.id, link.scope
    return _added(db, actor, entry, now)


def add_by_number(
    actor: Actor, number: str, snils: str, said: Said, address: str, *, now: datetime
) -> int:
    """Add who has given the book's number and the СНИЛС; return the entry's identity.

    The name is masked, the holder is told and may end it. Raises as ``lookup.by_number``, with
    the fields of ``said``, ``AccessEnded`` and ``StaffFull``.
    """
    organisation_id = permit_post(actor, *EDITORS)
    problems = Problems()
    words = problems.take("said", _checked, said)
    problems.raise_any()
    lookup.by_number(number, snils, address, now=now)
    with unit_of_work() as db:
        book = books.by_number(db, BookNumber.parse(number))
        return put_by_number(db, actor, organisation_id, book, words, now=now)


def put_by_number(
    db: Session,
    actor: Actor,
    organisation_id: int,
    book: MedicalBook,
    words: Said,
    *,
    now: datetime,
) -> int:
    """Put the holder of a book, whose СНИЛС was known, onto the list, and tell the holder.

    Part of the caller's transaction. Raises ``AccessEnded`` and ``StaffFull``.
    """
    entry = _entry_for(db, organisation_id, book.holder_id, again=lambda _: False, now=now)
    _grant(entry, AddedBy.NUMBER, words, until=now + NUMBER_LIFE, now=now)
    entry.share_id = entry.scope = None
    entry_id = _added(db, actor, entry, now)
    notifying.tell(
        db,
        db.get_one(User, book.holder_id),
        Notice(News.EMPLOYER_ADDED, at=now),
        dedupe=f"employer-added:{entry.id}:{now:%Y%m%d%H%M%S}",
        now=now,
    )
    return entry_id


def say_of(
    db: Session, actor: Actor, organisation_id: int, holder_id: int, words: Said, *, now: datetime
) -> int | None:
    """Say something else of who is seen already; return the entry, None where nobody is seen.

    Part of the caller's transaction.
    """
    entry = employers.of_holder(db, organisation_id, holder_id)
    if (
        entry is None
        or entry.removed_at is not None
        or rules.state_of(entry.state, entry.until, now) is not AccessState.GRANTED
    ):
        return None
    _say(entry, words)
    db.add(entry)
    employers.tell(db, entry)
    _audit(db, actor, entry, "change_staff", now)
    return entry.id


def invite(actor: Actor, contact: str, said: Said, *, now: datetime) -> int:
    """Ask the owner of an e-mail address or phone to show the book; return the entry's identity.

    Whether anybody has an account with that contact is not told. Raises ``Invalid`` with
    ``contact`` and the fields of ``said``, ``AskedAlready``, ``TooManyAttempts``, ``StaffFull``.
    """
    organisation_id = permit_post(actor, *EDITORS)
    problems = Problems()
    words = problems.take("said", _checked, said)
    name = problems.take("contact", rules.invited, contact)
    problems.raise_any()
    blind = vault.blind(f"login-{name.kind}", name.value)
    throttling.spend(
        (throttling.key_of("employer-invite", str(organisation_id)), INVITATIONS),
        (throttling.key_of("employer-invited", blind), TO_ONE),
        now=now,
    )
    with unit_of_work() as db:
        _check_room(db, organisation_id, now)
        for earlier in employers.invited_by(db, organisation_id, blind):
            _check_may_ask(earlier, now)
        ref = secrets.token_hex(16)
        entry = StaffEntry(
            ref=ref,
            organisation_id=organisation_id,
            contact_blind=blind,
            said_sealed=_sealed(ref, words, contact=name.value),
            department=words.department,
            occupation=words.occupation,
            added_by=AddedBy.INVITATION,
            state=AccessState.INVITED,
            asked_at=now,
            until=now + INVITATION_LIFE,
        )
        db.add(entry)
        db.flush()
        _tell_invited(db, entry, name, now)
        changes.announce(db, topic_of(organisation_id))
        _audit(db, actor, entry, "invite_staff", now)
        return entry.id


def change(actor: Actor, entry_id: int, said: Said, *, now: datetime) -> None:
    """Say something else of a member of staff; raise ``Invalid`` with the fields of ``said``."""
    organisation_id = permit_post(actor, *EDITORS)
    problems = Problems()
    words = problems.take("said", _checked, said)
    problems.raise_any()
    with unit_of_work() as db:
        entry = employers.own_entry(db, organisation_id, entry_id)
        _say(entry, words)
        db.add(entry)
        employers.tell(db, entry)
        _audit(db, actor, entry, "change_staff", now)


def remove(actor: Actor, entry_id: int, *, now: datetime) -> None:
    """Take somebody off the list: nothing is seen any more, and nothing that was seen is kept."""
    organisation_id = permit_post(actor, *EDITORS)
    with unit_of_work() as db:
        entry = employers.own_entry(db, organisation_id, entry_id)
        entry.removed_at = now
        end(db, entry, Role.EMPLOYER, now)
        _audit(db, actor, entry, "remove_staff", now)


def end(db: Session, entry: StaffEntry, by: Role, now: datetime) -> None:
    """End a leave and forget what was seen by it; part of the caller's transaction.

    What the holder has ended or refused stays so, also where the employer tidies the list.
    """
    if entry.state in (AccessState.GRANTED, AccessState.INVITED):
        entry.state, entry.ended_at, entry.ended_by = AccessState.ENDED, now, by
    entry.is_counted = False
    forget(entry)
    db.add(entry)
    employers.tell(db, entry)


def forget(entry: StaffEntry) -> None:
    """Forget everything that was seen of the book."""
    entry.name_sealed = entry.verdict = entry.valid_until = entry.ends_on = None
    entry.occupation_group, entry.is_stale = "", False


def look_at(db: Session, entry: StaffEntry, *, now: datetime) -> None:
    """Look at the book behind a granted entry and keep what may be shown of it."""
    assert entry.holder_id is not None
    link = db.get(ShareLink, entry.share_id) if entry.share_id is not None else None
    book = books.get(db, link.book_id) if link else books.newest_of(db, entry.holder_id)
    forget(entry)
    entry.checked_at = now
    db.add(entry)
    if book is None:
        return
    try:
        own = vault.vault_for(db, entry.holder_id)
    except SealBroken:
        entry.verdict = Verdict.NOT_GENUINE
        return
    version = books.version(db, book.id, link.version if link else book.current_version)
    content = issuing.content_of(verifying.witness_of(book, version, own))
    # The list follows, and does not count as a look each time.
    facts = LinkFacts(link.scope, link.expires_at, link.revoked_at) if link else None
    if facts and link_state(facts, now) is not LinkState.ALIVE:
        entry.verdict = Verdict(link_state(facts, now).value)
        return
    if content is None:
        entry.verdict = Verdict.NOT_GENUINE
        return
    judgement = judge(
        BookFacts(
            signature_genuine=True,
            version=version.version,
            current_version=book.current_version,
            status=book.status,
            valid_until=content.valid_until,
            items=dated_lines(content),
            link=facts,
        ),
        now,
        clock.day_of(now),
    )
    entry.verdict, entry.valid_until = judgement.verdict, content.valid_until
    entry.ends_on = _ends_on(judgement)
    shown = SHOWN[entry.scope] if entry.scope else frozenset[SharedField]()
    if entry.scope is None or SharedField.NAME in shown:
        viewer = Viewer.EMPLOYER if entry.scope else Viewer.BY_NUMBER
        name = name_for(viewer, content.holder)
        entry.name_sealed = employers.seal_name(entry.ref, {"name": name})
    if SharedField.OCCUPATION in shown:
        entry.occupation_group = content.occupation.group


def following(
    actor: Actor, wanted: StaffFilter, after: int, limit: int, *, now: datetime
) -> tuple[tuple[StaffView, ...], int]:
    """Return up to ``limit`` entries after the identity ``after``, and how many there are in all.

    For who reads the list part by part: what changes meanwhile moves nobody from part to part.
    """
    organisation_id = permit_post(actor, *Post)
    today = clock.day_of(now)
    _look_again(organisation_id, now=now)
    with reading() as db:
        rows = employers.entries_after(db, organisation_id, wanted, now, today, after, limit)
        total = employers.count(db, organisation_id, wanted, now, today)
        views = tuple(view_of(row, now) for row in rows)
        seen = [row.id for row in rows if row.state is AccessState.GRANTED]
    if seen:
        _note_look(actor, organisation_id, seen, now=now)
    return views, total


def one(actor: Actor, entry_id: int, *, now: datetime) -> StaffView:
    """Return an entry of the list; raise ``NotFound``."""
    organisation_id = permit_post(actor, *Post)
    with unit_of_work() as db:
        return view_of(employers.own_entry(db, organisation_id, entry_id), now)


def view_of(entry: StaffEntry, now: datetime) -> StaffView:
    """Return a line of the list; of a leave that is over only what the employer said."""
    said = employers.open_said(entry)
    state = rules.state_of(entry.state, entry.until, now)
    is_seen = state is AccessState.GRANTED
    today = clock.day_of(now)
    ends_on = entry.ends_on if is_seen else None
    return StaffView(
        id=entry.id,
        said=Said(said["label"], said["tab"], entry.department, entry.occupation),
        name=employers.open_name(entry).get("name", "") if is_seen else "",
        added_by=entry.added_by,
        contact=said.get("contact", ""),
        state=state,
        ended_by=entry.ended_by,
        light=rules.light_of(state, entry.verdict, entry.ends_on, today),
        verdict=entry.verdict if is_seen else None,
        ends_on=ends_on,
        days_left=(ends_on - today).days if ends_on else None,
        group=entry.occupation_group if is_seen else "",
        until=entry.until,
        checked_at=entry.checked_at,
    )


def _ends_on(judgement: Judgement) -> date:
    items = judgement.readiness.items_valid_until
    return min(judgement.valid_until, items) if items else judgement.valid_until


def _look_again(organisation_id: int, *, now: datetime) -> None:
    with reading() as db:
        if not employers.stale_of(db, organisation_id, now, CHECK_AGE, 1):
            return
    with unit_of_work() as db:
        for entry in employers.stale_of(
            db, organisation_id, now, CHECK_AGE, CHECKS_AT_ONCE, held=True
        ):
            look_at(db, entry, now=now)


def _note_look(actor: Actor, organisation_id: int, ids: Collection[int], *, now: datetime) -> None:
    with unit_of_work() as db:
        if employers.mark_looked(db, ids, now, LOOK_PAUSE):
            auditing.record(
                db, actor, "see_staff", f"organisation:{organisation_id}",
                fields=SEEN_FIELDS, now=now,
            )  # fmt: skip


def _entry_for(
    db: Session,
    organisation_id: int,
    holder_id: int,
    *,
    again: Callable[[datetime], bool],
    now: datetime,
) -> StaffEntry:
    """Return the organisation's entry for the holder, or a new one; raise ``AccessEnded``.

    ``again`` says whether what the holder closed at that moment may be open once more.
    """
    db.get_one(Organisation, organisation_id, with_for_update=True)
    entry = employers.of_holder(db, organisation_id, holder_id)
    if entry is None:
        _check_room(db, organisation_id, now)
        return StaffEntry(
            ref=secrets.token_hex(16),
            organisation_id=organisation_id,
            holder_id=holder_id,
            said_sealed=b"",
            added_by=AddedBy.LINK,
            state=AccessState.GRANTED,
            asked_at=now,
        )
    closed_by_holder = entry.state is AccessState.REFUSED or entry.ended_by is Role.HOLDER
    at = entry.ended_at or entry.decided_at
    if closed_by_holder and (at is None or not again(at)):
        raise AccessEnded
    return entry


def _grant(
    entry: StaffEntry, added_by: AddedBy, words: Said, *, until: datetime, now: datetime
) -> None:
    entry.added_by, entry.state = added_by, AccessState.GRANTED
    entry.asked_at = entry.decided_at = now
    entry.until = until
    # Who is added anew has not agreed to this leave.
    entry.is_counted = False
    entry.ended_at = entry.ended_by = entry.removed_at = entry.contact_blind = None
    _say(entry, words)


def _added(db: Session, actor: Actor, entry: StaffEntry, now: datetime) -> int:
    db.add(entry)
    db.flush()
    look_at(db, entry, now=now)
    employers.tell(db, entry)
    _audit(db, actor, entry, f"add_staff_by_{entry.added_by}", now)
    return entry.id


def _check_room(db: Session, organisation_id: int, now: datetime) -> None:
    today = clock.day_of(now)
    if employers.count(db, organisation_id, StaffFilter(), now, today) >= STAFF_LIMIT:
        raise StaffFull(STAFF_LIMIT)


def _check_may_ask(earlier: StaffEntry, now: datetime) -> None:
    match rules.state_of(earlier.state, earlier.until, now):
        case AccessState.INVITED | AccessState.GRANTED:
            raise AskedAlready
        case AccessState.REFUSED if (earlier.decided_at or now) > now - rules.ASK_AGAIN_AFTER:
            raise AskedAlready
        case _:
            pass


def _tell_invited(db: Session, entry: StaffEntry, name: LoginName, now: datetime) -> None:
    user = accounts.user_by_login(db, name)
    if user is None or user.role is not Role.HOLDER or user.disabled_at is not None:
        return
    changes.announce(db, f"holder:{user.id}")
    notifying.tell(
        db, user, Notice(News.EMPLOYER_ASKED, at=now), dedupe=f"employer-asked:{entry.id}", now=now
    )


def _code_in(pasted: str) -> str:
    try:
        return lookup.share_in(pasted)
    except lookup.NotACode:
        raise NotALink from None


def _checked(said: Said) -> Said:
    problems = Problems()
    checked = Said(
        label=problems.take("label", rules.label, said.label),
        tab=problems.take("tab", one_line, said.tab, TAB_LIMIT),
        department=problems.take("department", one_line, said.department, DEPARTMENT_LIMIT),
        occupation=said.occupation,
    )
    if said.occupation:
        problems.take("occupation", _listed, said.occupation)
    problems.raise_any()
    return checked


def _say(entry: StaffEntry, words: Said) -> None:
    contact = employers.open_said(entry).get("contact", "") if entry.said_sealed else ""
    entry.said_sealed = _sealed(entry.ref, words, contact=contact)
    entry.department, entry.occupation = words.department, words.occupation


def _sealed(ref: str, words: Said, *, contact: str) -> bytes:
    return employers.seal_said(ref, {"label": words.label, "tab": words.tab, "contact": contact})


def _searchable(entry: StaffEntry) -> str:
    said = employers.open_said(entry)
    return f"{said['label']} {said['tab']} {said.get('contact', '')}".casefold()


def _place(page: int, total: int) -> tuple[int, int]:
    pages = max(-(-total // PAGE), 1)
    return min(max(page, 1), pages), pages


def _audit(db: Session, actor: Actor, entry: StaffEntry, action: str, now: datetime) -> None:
    auditing.record(db, actor, action, f"staff:{entry.id}", subject_id=entry.holder_id, now=now)


def _listed(code: str) -> str:
    """Return an occupation that is listed or was: who works as it may go on."""
    if point_of(code) is None:
        raise NotAChoice
    return code
