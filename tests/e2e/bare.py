"""The routes of the check without a network alone, behind the guard: no build is needed."""

from __future__ import annotations

from emk_app.api import offline, session, trust
from emk_app.api.routing import routes
from emk_app.edge.guard import Guard, Receive, Scope, Send, refuse
from emk_app.edge.site import Site


async def nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer that there is no more."""
    await refuse(send, 404, "not_found")


site = Guard(Site(routes((*trust.ENDPOINTS, *offline.ENDPOINTS, *session.ENDPOINTS)), nothing))
