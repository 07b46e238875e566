"""The session cookie comes and goes by plain HTTP: a websocket can't set one."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from emk_app import clock
from emk_app.api.routing import Endpoint, caller_of
from emk_app.domain.errors import NotSignedIn
from emk_app.edge import cookies
from emk_app.edge.guard import CLEAR
from emk_app.edge.policy import ANYONE
from emk_app.presenting.devices import device_name
from emk_app.services import accounts
from emk_app.states.session import HOME
from emk_app.threads import in_thread


async def enter(request: Request) -> Response:
    """Exchange the one-time ticket for a session (D10, D11)."""
    form = parse_qs((await request.body()).decode("latin-1"))
    try:
        cookie, role = await in_thread(
            accounts.enter,
            caller_of(request).ref,
            form.get("ticket", [""])[0],
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
    answer.raw_headers.append(CLEAR)
    return answer


ENDPOINTS = (
    Endpoint("/session/enter", "POST", enter, ANYONE),
    Endpoint("/session/leave", "POST", leave, ANYONE),
)
