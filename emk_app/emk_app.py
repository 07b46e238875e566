"""The composition root: pages, routes, the guard before them and the gate before every event."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final, cast

import reflex as rx
from reflex.event import EventSpec
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event.context import EventContext

from emk_app import incidents, working
from emk_app.api import (
    aliases,
    attachments,
    book,
    book_files,
    bulletins,
    check,
    consent,
    employer_v1,
    employers,
    esignatures,
    exchange,
    extracts,
    health,
    identities,
    inspecting,
    offline,
    openapi,
    own_data,
    passkeys,
    records,
    registers,
    scans,
    session,
    support,
    trust,
    verdict,
    visits,
)
from emk_app.api.routing import routes
from emk_app.components import layout
from emk_app.domain.errors import DomainError, NotSignedIn
from emk_app.edge import gate, tabs, trees
from emk_app.edge.guard import App, Guard
from emk_app.edge.site import Metered, Site
from emk_app.outages import is_outage
from emk_app.pages import site_map
from emk_app.presenting import texts
from emk_app.settings import settings
from emk_app.states.session import MessageState

log = logging.getLogger("emk.events")


_failed: deque[str] = deque(maxlen=1000)
"""Events that ended in an incident. What tells of one goes the way that it went: where that fails
too, nobody is told of it, or it would never end.
"""


OUT_OF_ORDER: Final = {
    MessageState.get_full_name(): {
        f"polite{FIELD_MARKER}": "",
        f"assertive{FIELD_MARKER}": texts.OUT_OF_ORDER,
    }
}
"""Sent to the screen past the state and the session, which may be what is away."""
_telling: Final[set[asyncio.Task[None]]] = set()


def tell_user(exception: Exception) -> EventSpec | None:
    """Word a domain error for the person at the screen; log the rest under an incident number."""
    if isinstance(exception, NotSignedIn):
        return rx.redirect(gate.ENDED_PAGE)
    if isinstance(exception, DomainError):
        return _alert(texts.sentence(exception))
    incident = incidents.note(log, "an event", exception)
    event = EventContext.get()
    if is_outage(exception):
        _telling.add(task := asyncio.get_running_loop().create_task(event.emit_delta(OUT_OF_ORDER)))
        task.add_done_callback(_telling.discard)
        return None
    if event.parent_txid in _failed:
        return None
    _failed.append(event.txid)
    return _alert(texts.UNEXPECTED.format(incident=incident))


def _alert(text: str) -> EventSpec:
    # Typed as the decorated method; called on the class it makes the event.
    return cast("EventSpec", MessageState.alert(text))


def note_browser_error(exception: Exception) -> None:
    """Note that a browser failed; its words are not kept (D44)."""
    log.warning("a browser reported an error")


app = rx.App(
    html_lang="ru",
    stylesheets=layout.STYLESHEETS,
    reset_style=False,
    toaster=None,
    app_wraps=layout.app_wraps(),
    head_components=layout.head_components(),
    backend_exception_handler=tell_user,
    frontend_exception_handler=note_browser_error,
)
for page in site_map.PAGES:
    if settings().is_demo or not page.demo_only:
        app.add_page(
            page.apart(),
            route=page.route,
            title=f"{page.title} — ЭМК Онлайн",
            on_load=list(page.on_load),
        )
app.register_lifespan_task(working.lifespan)
trees.install(app)
_wires: Final = gate.install(app)
tabs.install(app)

_ENDPOINTS = (
    *verdict.ENDPOINTS,
    *session.ENDPOINTS,
    *support.ENDPOINTS,
    *passkeys.ENDPOINTS,
    *check.ENDPOINTS,
    *health.ENDPOINTS,
    *trust.ENDPOINTS,
    *offline.ENDPOINTS,
    *scans.ENDPOINTS,
    *attachments.ENDPOINTS,
    *records.ENDPOINTS,
    *registers.ENDPOINTS,
    *inspecting.ENDPOINTS,
    *esignatures.ENDPOINTS,
    *identities.ENDPOINTS,
    *book.ENDPOINTS,
    *book_files.ENDPOINTS,
    *extracts.ENDPOINTS,
    *consent.ENDPOINTS,
    *employers.ENDPOINTS,
    *employer_v1.ENDPOINTS,
    *exchange.ENDPOINTS,
    *visits.ENDPOINTS,
    *own_data.ENDPOINTS,
    *aliases.ENDPOINTS,
    *bulletins.ENDPOINTS,
)
ENDPOINTS = (*_ENDPOINTS, openapi.served(_ENDPOINTS))


def asgi() -> App:
    """Return what the server runs: nothing is reached but through the guard."""
    return Metered(Guard(Site(routes(ENDPOINTS), app(), _wires)))
