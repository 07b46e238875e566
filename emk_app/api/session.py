"""The session cookie comes and goes by plain HTTP: a websocket can't set one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from emk_app import clock
from emk_app.api.routing import Endpoint, caller_of
from emk_app.domain.errors import NotSignedIn
from emk_app.edge import cookies
from emk_app.edge.policy import ANYONE
from emk_app.presenting.devices import device_name
from emk_app.services import accounts
from emk_app.states.session import HOME
from emk_app.threads import in_thread


async def enter(request: Request) -> Response:
    """Exchange the one-time ticket for a session (D10, D11)."""
    form = await request.form(max_files=0, max_fields=4)
    ticket = form.get("ticket")
    try:
        cookie, role = await in_thread(
            accounts.enter,
            caller_of(request).ref,
            ticket if isinstance(ticket, str) else "",
            device=device_name(request.headers.get("user-agent", "")),
            now=clock.now(),
        )
    except NotSignedIn:
        return RedirectResponse("/login", 303)
    answer = RedirectResponse(HOME[role], 303)
    answer.headers["set-cookie"] = cookies.set_cookie(cookie)
    return answer


async def leave(request: Request) -> Response:
    """End the session; nothing of it stays in the browser."""
    await in_thread(accounts.leave, caller_of(request).ref, now=clock.now())
    answer = RedirectResponse("/login", 303)
    answer.headers["set-cookie"] = cookies.drop_cookie()
    answer.headers["clear-site-data"] = '"storage"'
    return answer


ENDPOINTS = (
    Endpoint("/session/enter", "POST", enter, ANYONE),
    Endpoint("/session/leave", "POST", leave, ANYONE),
)
