"""Who may call what: every handler and every route says so, or the start fails (D20)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from emk_app.domain.actors import Role

MARK: Final = "__emk_access__"

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in."""

    roles: frozenset[Role]
    is_open: bool = False
    """Anybody, signed in or not."""
    extends_idle: bool = True
    """Whether the call counts as the person being there (D12)."""

    def admits(self, role: Role | None) -> bool:
        """Whether somebody of ``role``, or nobody (None), may come in."""
        return self.is_open or role in self.roles


ANYONE: Final = Access(frozenset(), is_open=True, extends_idle=False)
SIGNED_IN: Final = Access(frozenset(Role) - {Role.SYSTEM})


def roles(*those: Role) -> Access:
    """Return the access of ``those`` roles alone."""
    return Access(frozenset(those))


def allow(*those: Role, quiet: bool = False) -> Callable[[F], F]:
    """Declare that only ``those`` roles may call this handler; stands below ``@rx.event``.

    ``quiet`` calls, like a screen that follows changes, do not count as the person being there.
    """
    if not those:
        raise TypeError("name the roles; for everybody use allow_anyone")
    return _mark(Access(frozenset(those), extends_idle=not quiet))


def allow_signed_in(*, quiet: bool = False) -> Callable[[F], F]:
    """Declare that anybody who is signed in may call this handler."""
    return _mark(Access(SIGNED_IN.roles, extends_idle=not quiet))


def allow_anyone(handler: F) -> F:
    """Declare that this handler is open to strangers."""
    return _mark(ANYONE)(handler)


def access_of(handler: Callable[..., Any]) -> Access | None:
    """Return what the handler declares, or None where it declares nothing."""
    return getattr(handler, MARK, None)


class Undeclared(RuntimeError):
    """Something callable from outside does not say who may call it."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__("no declared access: " + ", ".join(sorted(names)))


def _mark(access: Access) -> Callable[[F], F]:
    def mark(handler: F) -> F:
        setattr(handler, MARK, access)
        return handler

    return mark
