"""People, how they sign in, and the sessions in which they act."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, UniqueConstraint

from emk_app.db.columns import choice, identity, reference
from emk_app.domain.actors import Position, Role
from emk_app.domain.contacts import LoginKind
from emk_app.domain.factors import Purpose, Way


class User(SQLModel, table=True):
    """A person with an account; everything personal is sealed under the person's own key."""

    __tablename__ = "users"

    id: int = identity()
    uid: str = Field(max_length=32, unique=True)
    """Random name of the person, fixed before the row exists: places of sealed values use it."""
    role: Role = choice(Role, nullable=False)
    clinic_id: int | None = reference("clinics.id", default=None, nullable=True)
    position: Position | None = choice(Position, default=None, nullable=True)
    specialties: str | None = Field(default=None, max_length=200)
    """A physician's, as ``domain.specialties`` writes them."""
    key_sealed: bytes
    """The person's data key, wrapped by the master key."""
    name_sealed: bytes | None = None
    password_hash: str
    totp_sealed: bytes | None = None
    totp_confirmed_at: datetime | None = None
    totp_counter: int | None = None
    """The last accepted TOTP step: each code opens once (D15)."""
    totp_used_at: datetime | None = None
    totp_next_sealed: bytes | None = None
    """The secret that takes the place of the present one as soon as a code proves it."""
    sms_proved_at: datetime | None = None
    """When a code sent by SMS first served as the second factor."""
    sms_off_at: datetime | None = None
    """Since when the owner wants no codes by SMS."""
    password_set_at: datetime | None = None
    """When the password was last changed; never, since the account was made, where None."""
    contact_sealed: bytes | None = None
    """Where notices go: a phone in E.164 or an e-mail address."""
    spare_contact_sealed: bytes | None = None
    """The other one of the two, where both are proved."""
    is_demo: bool = False
    created_at: datetime
    disabled_at: datetime | None = None


class Login(SQLModel, table=True):
    """One way to name oneself at the door: a blind index, never the value (D41)."""

    __tablename__ = "logins"
    __table_args__ = (UniqueConstraint("blind"),)

    id: int = identity()
    user_id: int = reference("users.id", nullable=False)
    kind: LoginKind = choice(LoginKind, nullable=False)
    blind: str = Field(max_length=64)
    value_sealed: bytes


class RecoveryCode(SQLModel, table=True):
    """One of the ten codes that stand in for a lost authenticator, each once (D15)."""

    __tablename__ = "recovery_codes"

    id: int = identity()
    user_id: int = reference("users.id", nullable=False, index=True)
    code_hash: str = Field(max_length=64)
    """Keyed, and bound to the person; the code itself was shown once."""
    made_at: datetime
    used_at: datetime | None = None


class Passkey(SQLModel, table=True):
    """One key that proves its owner (WebAuthn): a telephone, a computer, a token."""

    __tablename__ = "passkeys"
    __table_args__ = (UniqueConstraint("blind"),)

    id: int = identity()
    user_id: int = reference("users.id", nullable=False)
    blind: str = Field(max_length=64)
    """Blind index of the key's own name, by which its answers are found."""
    credential_sealed: bytes
    """The key's own name, told to browsers only after the password."""
    name_sealed: bytes
    """What its owner calls it."""
    public_key: bytes
    """COSE, as the key gave it; nothing can be signed with it."""
    sign_count: int = Field(sa_type=sa.BigInteger)
    """The counter it last signed; zero where it never counts."""
    transports: str = Field(max_length=80)
    """How browsers reach it, separated by commas."""
    created_at: datetime
    used_at: datetime | None = None


class Challenge(SQLModel, table=True):
    """What somebody has to answer, once, from the place it was made for: a key's, or a code's."""

    __tablename__ = "challenges"
    __table_args__ = (UniqueConstraint("place", "purpose", "way"),)

    id: int = identity()
    user_id: int = reference("users.id", nullable=False)
    place: str = Field(max_length=80)
    """The doorstep or the session: an answer from elsewhere is none."""
    purpose: Purpose = choice(Purpose, nullable=False)
    way: Way = choice(Way, nullable=False)
    digest: str = Field(max_length=64)
    tries: int = 0
    expires_at: datetime = Field(index=True)


class UserSession(SQLModel, table=True):
    """One signed-in browser (D10-D12); named by the hash of its cookie."""

    __tablename__ = "sessions"

    id: int = identity()
    ref: str = Field(max_length=64, unique=True)
    user_id: int = reference("users.id", nullable=False)
    factor_at: datetime
    """When the second factor was last given; sensitive acts want it fresh (D13)."""
    device: str = Field(max_length=120)
    """Browser family and system, as shown to the person."""
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    """Absolute end, whatever the person does."""
    revoked_at: datetime | None = None


class Doorstep(SQLModel, table=True):
    """Somebody between the password and the second factor, or in the middle of registering.

    Named by the hash of the anonymous cookie; gone when the session begins or after 15 minutes.
    """

    __tablename__ = "doorsteps"

    id: int = identity()
    ref: str = Field(max_length=64, unique=True)
    user_id: int | None = reference("users.id", default=None, nullable=True)
    """Set once the password was right, or the account made; never for a taken login."""
    kind: LoginKind | None = choice(LoginKind, default=None, nullable=True)
    registration_sealed: bytes | None = None
    """Login, contact and password hash of a registration that waits for its contact code."""
    password_next_hash: str | None = None
    """What takes the place of a forgotten password once the second factor is given (D18)."""
    code_hash: str | None = Field(default=None, max_length=64)
    code_tries: int = 0
    code_sent_at: datetime | None = None
    ticket_hash: str | None = Field(default=None, max_length=64)
    ticket_expires_at: datetime | None = None
    created_at: datetime
    expires_at: datetime = Field(index=True)


class ContactChange(SQLModel, table=True):
    """A new phone or address that waits for the code sent to it."""

    __tablename__ = "contact_changes"
    __table_args__ = (UniqueConstraint("user_id"),)

    id: int = identity()
    user_id: int = reference("users.id", nullable=False)
    contact_sealed: bytes
    code_hash: str = Field(max_length=64)
    code_tries: int = 0
    expires_at: datetime


class Browser(SQLModel, table=True):
    """A browser in which a person has signed in, so that a new one can be told of (D19)."""

    __tablename__ = "browsers"
    __table_args__ = (UniqueConstraint("user_id", "ref"),)

    id: int = identity()
    user_id: int = reference("users.id", nullable=False)
    ref: str = Field(max_length=64)
    """Hash of the browser's lasting cookie, another one for each person."""
    seen_at: datetime


class PasswordReset(SQLModel, table=True):
    """A link that lets its owner choose a new password, once, for a quarter of an hour (D18)."""

    __tablename__ = "password_resets"
    __table_args__ = (UniqueConstraint("ref"), UniqueConstraint("token_hash"))

    id: int = identity()
    ref: str = Field(max_length=43)
    """Random name, fixed before the row exists: the place of the sealed login."""
    login_sealed: bytes | None = None
    """What was typed, until it is found out whose it is."""
    user_id: int | None = reference("users.id", default=None, nullable=True, index=True)
    token_hash: str | None = Field(default=None, max_length=64)
    """Hash of what the link carries; None until it is sent."""
    invites: bool = False
    """Whether it is the first password of somebody whom administrators have invited."""
    created_at: datetime
    expires_at: datetime = Field(index=True)
    used_at: datetime | None = None


class Throttle(SQLModel, table=True):
    """Failures counted under one key within one window (D16)."""

    __tablename__ = "throttles"

    key: str = Field(primary_key=True, max_length=80)
    failures: int
    since: datetime
    blocked_until: datetime | None = None
