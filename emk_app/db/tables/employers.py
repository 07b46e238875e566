"""Employers' organisations, their members, and the staff whose books they may see."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.actors import Post, Role
from emk_app.domain.books import Verdict
from emk_app.domain.employing import AccessState, AddedBy
from emk_app.domain.enlisting import Outcome, UploadState
from emk_app.domain.sharing import ShareScope


class Organisation(SQLModel, table=True):
    """An employer; of an entrepreneur name and ИНН are personal, so all are sealed."""

    __tablename__ = "organisations"
    __table_args__ = (UniqueConstraint("inn_blind"), UniqueConstraint("ogrn_blind"))

    id: int = identity()
    inn_blind: str = Field(max_length=64)
    ogrn_blind: str | None = Field(default=None, max_length=64)
    """None for those begun before the number was looked for."""
    about_sealed: bytes
    """Name, ИНН, ОГРН and contact as JSON, in the place of ``inn_blind``."""
    warned_on: date | None = None
    """The day of the last letters about terms that end: one a day at most."""
    created_at: datetime


class EmployerKey(SQLModel, table=True):
    """A key of an employer's own system; of the key itself only its digest is kept."""

    __tablename__ = "employer_keys"
    __table_args__ = (UniqueConstraint("digest"),)

    id: int = identity()
    organisation_id: int = reference("organisations.id", nullable=False)
    made_by: int = reference("users.id", nullable=False, index=False)
    """On whose authority the bearer acts, as long as they own the organisation's cabinet."""
    name: str = Field(max_length=60)
    digest: str = Field(max_length=64)
    hint: str = Field(max_length=8)
    """The last signs of the key."""
    scopes: str = Field(max_length=120)
    """``KeyScope`` values with commas between."""
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    used_at: datetime | None = None


class StaffGaps(SQLModel, table=True):
    """How many of a staff lack which vaccination: what may be told, and nothing else."""

    __tablename__ = "staff_gaps"

    organisation_id: int = reference("organisations.id", primary_key=True, index=False)
    counted_on: date
    told: str
    """JSON: by infection the total, and the groups of occupations; null is not told."""


class OrganisationMember(SQLModel, table=True):
    """Who acts for an organisation; an account acts for one."""

    __tablename__ = "organisation_members"
    __table_args__ = (UniqueConstraint("user_id"),)

    id: int = identity()
    organisation_id: int = reference("organisations.id", nullable=False)
    user_id: int = reference("users.id", nullable=False, index=False)
    post: Post = choice(Post, nullable=False)
    is_warned: bool = True
    """Whether the member gets the letters about terms that end."""
    created_at: datetime


class MemberInvitation(SQLModel, table=True):
    """Somebody who may become a member by signing in with the address."""

    __tablename__ = "member_invitations"
    __table_args__ = (UniqueConstraint("ref"), UniqueConstraint("organisation_id", "email_blind"))

    id: int = identity()
    ref: str = Field(max_length=32)
    """Random name, fixed before the row exists: the place of the sealed address."""
    organisation_id: int = reference("organisations.id", nullable=False, index=False)
    email_sealed: bytes
    email_blind: str = Field(max_length=64, index=True)
    """Blind index as of a login."""
    post: Post = choice(Post, nullable=False)
    invited_by: int = reference("users.id", nullable=False, index=False)
    created_at: datetime
    expires_at: datetime


class StaffEntry(SQLModel, table=True):
    """One member of staff with the leave to see the book, and what was last seen of it.

    What was seen is the verdict, the term and the group of occupations: nothing medical (D22).
    """

    __tablename__ = "staff_entries"
    __table_args__ = (UniqueConstraint("organisation_id", "holder_id"), UniqueConstraint("ref"))

    id: int = identity()
    ref: str = Field(max_length=32)
    """Random name, fixed before the row exists: the place of the sealed values."""
    organisation_id: int = reference("organisations.id", nullable=False)
    holder_id: int | None = reference("users.id", default=None, nullable=True)
    """None until whoever was invited has answered."""
    contact_blind: str | None = Field(default=None, max_length=64, index=True)
    """Whom an invitation is for: blind index as of a login."""
    said_sealed: bytes
    """What the employer calls the person, the staff number and the contact, as JSON."""
    department: str = Field(max_length=80, default="")
    occupation: str = Field(max_length=40, default="")
    """What the person does at the work place, as the employer says."""
    added_by: AddedBy = choice(AddedBy, nullable=False)
    share_id: int | None = reference("share_links.id", default=None, nullable=True, index=False)
    scope: ShareScope | None = choice(ShareScope, default=None, nullable=True)
    """What of the holder is shown; None by number, where the name is masked."""
    state: AccessState = choice(AccessState, nullable=False)
    asked_at: datetime
    decided_at: datetime | None = None
    until: datetime | None = None
    """When the leave, or the invitation, runs out."""
    ended_at: datetime | None = None
    ended_by: Role | None = choice(Role, default=None, nullable=True)
    removed_at: datetime | None = None
    """When the employer took the person off the list; the holder still sees that there was one."""
    is_counted: bool = False
    """Whether the holder lets the vaccinations be counted, among others and without a name."""
    is_stale: bool = False
    """Whether the book has changed since it was looked at."""
    name_sealed: bytes | None = None
    """Name and year of birth as far as they are shown, as JSON."""
    verdict: Verdict | None = choice(Verdict, default=None, nullable=True)
    valid_until: date | None = None
    ends_on: date | None = Field(default=None, index=True)
    """The last day of the book or of its first study to end, whichever comes first."""
    occupation_group: str = Field(max_length=120, default="")
    checked_at: datetime | None = None
    looked_at: datetime | None = None
    """When a member of the organisation last had it on the screen."""
    warned_for: date | None = None
    """The last day that members were last warned of, and ``warned_mark`` days before it."""
    warned_mark: int | None = None


class StaffUpload(SQLModel, table=True):
    """A file of staff: who brought it, how far it is."""

    __tablename__ = "staff_uploads"
    __table_args__ = (
        UniqueConstraint("ref"),
        # One at a time for each organisation: a second file, or a double click, is refused.
        Index(
            "uq_staff_uploads_open",
            "organisation_id",
            unique=True,
            sqlite_where=text("is_open"),
            postgresql_where=text("is_open"),
        ),
    )

    id: int = identity()
    ref: str = Field(max_length=32)
    """Random name, fixed before the row exists: the place of the sealed lines."""
    organisation_id: int = reference("organisations.id", nullable=False)
    name: str = Field(max_length=120)
    """The file's, as the browser called it."""
    rows_sealed: bytes | None = None
    """The lines as JSON; None once they are forgotten."""
    state: UploadState = choice(UploadState, nullable=False)
    is_open: bool
    brought_by: int = reference("users.id", nullable=False, index=False)
    created_at: datetime
    confirmed_by: int | None = reference("users.id", default=None, nullable=True, index=False)
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    rows: int
    bad: int
    """Lines with something wrong with them: never looked up."""
    done: int = 0


class StaffUploadLine(SQLModel, table=True):
    """What became of one line of a file."""

    __tablename__ = "staff_upload_lines"
    __table_args__ = (UniqueConstraint("upload_id", "line"),)

    id: int = identity()
    upload_id: int = reference("staff_uploads.id", nullable=False, index=False)
    line: int
    outcome: Outcome = choice(Outcome, nullable=False)
    entry_id: int | None = reference("staff_entries.id", default=None, nullable=True, index=False)
