"""What our production build changes in the frontend that Reflex writes."""

from __future__ import annotations

from typing import Final, Unpack

from reflex_base.plugins import Plugin
from reflex_base.plugins.base import PreCompileContext

STATE_SCRIPT: Final = "utils/state.js"
TAKES_HOST: Final = "    endpoint.hostname = frontend_hostname;\n"
TAKES_PORT: Final = "    endpoint.port = window.location.port;\n"
DROPS_PORT: Final = (
    '      endpoint.port = ""; // Assume websocket is on https port via load balancer.\n'
)


class ScriptChanged(RuntimeError):
    """Reflex's own script is not the one this change was written for."""

    def __init__(self, line: str) -> None:
        super().__init__(f"{STATE_SCRIPT} does not have exactly one line {line.strip()!r}")


class SameOrigin(Plugin):
    """Let the browser talk to the host and port it came from.

    Stock Reflex bakes the port into the bundle, so that one build serves one port only.
    """

    def pre_compile(self, **context: Unpack[PreCompileContext]) -> None:
        """Ask for the change of Reflex's script."""
        context["add_modify_task"](STATE_SCRIPT, talk_to_own_origin)


def talk_to_own_origin(script: str) -> str:
    """Return Reflex's state script with the port taken from the address of the page.

    A script changed already is returned as it is. Raises ``ScriptChanged``.
    """
    if TAKES_HOST + TAKES_PORT in script:
        return script
    for line in (TAKES_HOST, DROPS_PORT):
        if script.count(line) != 1:
            raise ScriptChanged(line)
    return script.replace(DROPS_PORT, "").replace(TAKES_HOST, TAKES_HOST + TAKES_PORT)
