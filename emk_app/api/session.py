"""The session cookie comes and goes by plain HTTP: a websocket can't set one."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from emk_app import clock
from emk_app.api.routing import Endpoint, address_of, caller_of
from emk_app.components.layout import SECURITY_ROUTE
from emk_app.crypto import tokens
from emk_app.domain.errors import NotSignedIn, TooManyAttempts
from emk_app.domain.federation import Outcome, ProviderUnavailable
from emk_app.edge import cookies
from emk_app.edge.cookies import Standing
from emk_app.edge.guard import ADDRESS, BROWSER, CLEAR
from emk_app.edge.policy import ANYONE
from emk_app.presenting.devices import device_name, rough_address
from emk_app.services import accounts, federating
from emk_app.states.session import HOME
from emk_app.threads import in_thread

LONGEST: Final = 2000
"""Signs of each part of a provider's answer."""


async def enter(request: Request) -> Response:
    """Exchange the one-time ticket for a session (D10, D11)."""
    form = parse_qs((await request.body()).decode("latin-1"))
    browser: str = request.scope.get(BROWSER, "") or tokens.new_token()
    try:
        cookie, role = await in_thread(
            accounts.enter,
            caller_of(request).ref,
            form.get("ticket", [""])[0],
            device=device_name(request.headers.get("user-agent", "")),
            browser=browser,
            origin=rough_address(request.scope.get(ADDRESS, "")),
            now=clock.now(),
        )
    except NotSignedIn:
        return RedirectResponse("/login", 303)
    answer = RedirectResponse(HOME[role], 303)
    answer.headers["set-cookie"] = cookies.set_cookie(cookie)
    answer.headers.append("set-cookie", cookies.keep_browser(browser))
    return answer


async def leave(request: Request) -> Response:
    """End the session; nothing of it stays in the browser.

    The browser gets the cookie of a stranger at once: a screen that is still open may reconnect
    before the next page comes, and without a cookie it would be refused.
    """
    await in_thread(accounts.leave, caller_of(request).ref, now=clock.now())
    answer = RedirectResponse("/login", 303)
    answer.headers["set-cookie"] = cookies.set_cookie(tokens.new_token())
    answer.raw_headers.append(CLEAR)
    return answer


async def to_provider(request: Request) -> Response:
    """Send the browser to the provider of identities, to sign in."""
    try:
        address = await in_thread(
            federating.begin,
            caller_of(request).ref,
            source=address_of(request),
            now=clock.now(),
        )
    except (ProviderUnavailable, TooManyAttempts):
        return _told("/login", Outcome.UNAVAILABLE)
    return RedirectResponse(address, 303)


async def from_provider(request: Request) -> Response:
    """Take whoever the provider sent back to the next step; nothing of the answer is kept."""
    caller, said = caller_of(request), request.query_params
    actor = None
    if caller.standing is Standing.SIGNED_IN:
        actor = await in_thread(accounts.actor_of, caller.ref, now=clock.now())
    outcome = await in_thread(
        federating.finish,
        caller.ref,
        said.get("state", "")[:LONGEST],
        said.get("code", "")[:LONGEST],
        said.get("iss", "")[:LONGEST],
        actor,
        now=clock.now(),
    )
    return _told(SECURITY_ROUTE if actor else "/login", outcome)


def _told(page: str, outcome: Outcome) -> Response:
    if outcome is Outcome.CODE:
        return RedirectResponse(page, 303)
    return RedirectResponse(f"{page}?provider={outcome}", 303)


ENDPOINTS = (
    Endpoint("/session/provider", "GET", to_provider, ANYONE),
    Endpoint(federating.BACK, "GET", from_provider, ANYONE),
    Endpoint("/session/enter", "POST", enter, ANYONE),
    Endpoint("/session/leave", "POST", leave, ANYONE),
)
