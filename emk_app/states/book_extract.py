"""«Скачать выписку PDF»: made when it is first asked for, then the same file again."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.domain.actors import Role
from emk_app.domain.errors import DomainError
from emk_app.edge.policy import allow
from emk_app.presenting import extracts as words
from emk_app.services import extracts, issuing
from emk_app.states.session import actor_of, ends_busy, say, warn
from emk_app.threads import in_thread


class BookExtractState(rx.State):
    """Whether an extract is on its way."""

    busy: bool = False

    @rx.event
    @allow(Role.HOLDER)
    @ends_busy
    async def download(self):
        """Make the extract where there is none, and hand it to the browser."""
        actor, now = await actor_of(self), clock.now()
        self.busy = True
        yield
        try:
            card = await in_thread(issuing.card, actor, now=now)
            if card is None:
                return
            await in_thread(
                extracts.make,
                actor,
                card.id,
                label=words.LINK_LABEL,
                printed=words.printed,
                now=now,
            )
        except DomainError as error:
            await warn(self, error)
        else:
            await say(self, "Выписка готова. Её код появился среди ваших ссылок.")
            yield rx.download(f"/api/book/{card.id}/extract.pdf")
