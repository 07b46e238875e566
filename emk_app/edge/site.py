"""Our own routes first, then the built pages and the framework."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from starlette.routing import Match, Route

from emk_app import figures
from emk_app.edge.guard import App, Message, Receive, Scope, Send, refuse
from emk_app.edge.headers import BUILD

OWN_PREFIXES = ("/api/", "/session/", "/.well-known/")


ROUTE: Final = "emk.route"
"""Key of the scope under which ``Metered`` finds which route answered."""


class Metered:
    """Counts and times the answers, the guard's own refusals included."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note how it was answered."""
        if scope["type"] == "websocket":
            with figures.SOCKETS.track_inprogress():
                await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = ["refused"]
        status = 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        since = time.perf_counter()
        figures.begin_request()
        try:
            await self._app({**scope, ROUTE: route}, receive, noted)
        finally:
            figures.end_request()
            seconds = time.perf_counter() - since
            figures.count_request(route[0], scope["method"], status, seconds)


def name_route(scope: Scope, route: str) -> None:
    """Tell ``Metered`` the pattern of the route that answers."""
    if ROUTE in scope:
        scope[ROUTE][0] = route


class Site:
    """Answers our routes and sockets before the framework's layers see the request."""

    def __init__(self, routes: Sequence[Route], framework: App, sockets: App | None = None) -> None:
        # What a path begins with rules out most routes for less than a look at each pattern.
        self._routes = [(route.path.partition("{")[0], route) for route in routes]
        self._framework = framework
        self._sockets = sockets or framework
        self._pages = {
            "/" + path.relative_to(BUILD).with_suffix("").as_posix()
            for path in BUILD.rglob("*.html")
            if path.name != "index.html" and not path.name.startswith(("__", "404"))
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to whoever answers it."""
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._framework(scope, receive, send)
            return
        path: str = scope["path"]
        methods: set[str] = set()
        for beginning, route in self._routes:
            if not path.startswith(beginning):
                continue
            match, child = route.matches(scope)
            if match is Match.FULL:
                name_route(scope, route.path)
                await route.handle({**scope, **child}, receive, send)
                return
            if match is Match.PARTIAL:
                methods |= route.methods or set()
        name_route(scope, "assets" if path.startswith("/assets/") else "pages")
        if methods:
            await refuse(send, 405, "wrong_method", methods=methods)
        elif path.startswith(OWN_PREFIXES) or path in ("/404.html", "/__spa-fallback.html"):
            await refuse(send, 404, "not_found")
        else:
            bare = path.rstrip("/")
            if bare in self._pages:
                # The page itself, without the static server's redirect to a trailing slash.
                scope = {**scope, "path": bare + ".html", "raw_path": (bare + ".html").encode()}
            await self._framework(scope, receive, send)
