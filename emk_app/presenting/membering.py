"""The members of an employer's organisation in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain.actors import Post
from emk_app.presenting.employing import POSTS
from emk_app.presenting.formats import moment
from emk_app.services.membering import Circle, InvitationView, MemberView, Offer

POST_CHOICES: Final = {
    Post.OWNER: ("Владелец", "Может всё, в том числе приглашать и убирать участников."),
    Post.HR: ("Кадровик", "Добавляет сотрудников, загружает списки, меняет записи."),
    Post.VIEWER: ("Наблюдатель", "Видит список и отчёты, ничего не меняет."),
}
POST_OPTIONS: Final = [(post.value, title) for post, (title, _) in POST_CHOICES.items()]


@dataclass(frozen=True)
class MemberRow:
    """One member on the page."""

    id: int
    login: str
    post: str
    post_code: str
    since: str
    is_self: bool
    is_only_owner: bool = False
    """Without whom the organisation would have no owner."""


@dataclass(frozen=True)
class InvitationRow:
    """One address that is invited."""

    id: int
    email: str
    post: str
    until: str


@dataclass(frozen=True)
class OfferRow:
    """An organisation that invites the person."""

    id: int
    organisation: str
    post: str
    until: str


def member_rows(circle: Circle) -> list[MemberRow]:
    """Return the members."""
    owners = sum(view.post is Post.OWNER for view in circle.members)
    return [_member(view, owners) for view in circle.members]


def invitation_rows(circle: Circle) -> list[InvitationRow]:
    """Return who is invited."""
    return [_invitation(view) for view in circle.invited]


def offer_row(offer: Offer) -> OfferRow:
    """Return who invites the person, and as what."""
    return OfferRow(offer.id, offer.organisation, POSTS[offer.post], moment(offer.expires_at))


def _member(view: MemberView, owners: int) -> MemberRow:
    title, _ = POST_CHOICES[view.post]
    return MemberRow(
        view.id,
        view.login,
        title,
        view.post.value,
        moment(view.since),
        view.is_self,
        view.post is Post.OWNER and owners == 1,
    )


def _invitation(view: InvitationView) -> InvitationRow:
    return InvitationRow(
        view.id, view.email, POST_CHOICES[view.post][0], moment(view.expires_at)
    )  # fmt: skip
