"""What our production build changes in the frontend that Reflex writes."""

from __future__ import annotations

import re
from typing import Final, Unpack

from reflex_base.plugins import Plugin
from reflex_base.plugins.base import PreCompileContext

STATE_SCRIPT: Final = "utils/state.js"
TAKES_HOST: Final = "    endpoint.hostname = frontend_hostname;\n"
TAKES_PORT: Final = "    endpoint.port = window.location.port;\n"
DROPS_PORT: Final = (
    '      endpoint.port = ""; // Assume websocket is on https port via load balancer.\n'
)

EVALUATES: Final = re.compile(r"\beval(\?\.)?\(")
REFUSED: Final = """\
// No page may make code of text (D02); without a word of it this file is bundled like others.
const refused = () => {
  throw new EvalError("code from text is refused");
};
"""

LEAVES: Final = '    window.addEventListener("beforeunload", disconnectTrigger);\n'
CONNECTS_AGAIN: Final = "      socket.current.auth = bootAuth(false);\n"
CONNECTS_STILL: Final = "      socket.current.auth = bootAuth(!window.emkHeard?.at);\n"

VITE_SETTINGS: Final = "vite.config.js"
IMPORTS: Final = 'import emk, { OUR_GROUPS } from "../emk_app/bundled/vite.mjs";\n'
PLUGINS: Final = "  plugins: [\n"
GROUPS: Final = "          groups: [\n"

MOVE: Final = "move"
"""What a server says to a page that shall connect anew."""
LISTENS: Final = '  socket.current.on("new_token", async (new_token) => {\n'
BEGINS, ENDS = "  // Ours begins.\n", "  // Ours ends.\n"
MOVES: Final = f"""\
{BEGINS}\
  // Closed so, and not by its own disconnect(), it connects again by itself, once it has gone.
  const again = () => socket.current.io.engine.close();
  socket.current.on("{MOVE}", (pause) => window.setTimeout(again, pause));
  window.addEventListener("emk-connect", again);
  // When the server was last heard, for emk.js to say how old the screen is.
  const heard = (on) => () => {{
    const was = window.emkHeard;
    const since = was && was.on === on ? was.since : Date.now();
    window.emkHeard = {{ at: on ? Date.now() : was?.at, on, since }};
  }};
  for (const word of ["connect", "event"]) socket.current.on(word, heard(true));
  socket.current.io.on("ping", heard(true));
  for (const word of ["disconnect", "connect_error"]) socket.current.on(word, heard(false));
{ENDS}"""


class ScriptChanged(RuntimeError):
    """Reflex's own script is not the one this change was written for."""

    def __init__(self, name: str, line: str) -> None:
        super().__init__(f"{name} does not have exactly one line {line.strip()!r}")


class OwnSocket(Plugin):
    """Let the browser talk to the host and port it came from, and move between our processes.

    Stock Reflex bakes the port into the bundle, so that one build serves one port only. And a
    socket that the server closes loses what the page is saying at that moment: told to move, the
    page takes leave itself, and says the rest to whom it comes to. It keeps when it last heard.

    A page that was never connected says that it is new, however often it has tried: one that comes
    back is left as it was. And it takes leave as it is hidden, not when something begins that may
    turn out to be a download, a letter or a call.
    """

    def pre_compile(self, **context: Unpack[PreCompileContext]) -> None:
        """Ask for the change of Reflex's script."""
        context["add_modify_task"](STATE_SCRIPT, own_socket)


class OwnBundle(Plugin):
    """Leave out of the bundle what no page of ours can reach, and send it as few answers."""

    def pre_compile(self, **context: Unpack[PreCompileContext]) -> None:
        """Ask for the change of vite's settings."""
        context["add_modify_task"](VITE_SETTINGS, own_bundle)


def own_bundle(settings: str) -> str:
    """Return the settings of vite with our plugin and groups (``bundled/vite.mjs``).

    Raises ``ScriptChanged``.
    """
    if IMPORTS in settings:
        return settings
    for line, into in (
        (PLUGINS, PLUGINS + "    emk(),\n"),
        (GROUPS, GROUPS + "            ...OUR_GROUPS,\n"),
    ):
        settings = _changed(settings, line, into, VITE_SETTINGS)
    return IMPORTS + settings


def own_socket(script: str) -> str:
    """Return Reflex's state script with the port taken from the address of the page, moving.

    A script changed already, by an earlier version too, is changed into the same. Raises
    ``ScriptChanged``.
    """
    if TAKES_HOST + TAKES_PORT not in script:
        script = _changed(script, TAKES_HOST, TAKES_HOST + TAKES_PORT)
        script = _changed(script, DROPS_PORT, "")
    if CONNECTS_STILL not in script:
        script = _changed(script, LEAVES, "")
        script = _changed(script, CONNECTS_AGAIN, CONNECTS_STILL)
    if REFUSED not in script:
        script = EVALUATES.sub("refused(", script) + REFUSED
    earlier = re.compile(f"{re.escape(BEGINS)}.*?{re.escape(ENDS)}", re.DOTALL)
    return _changed(earlier.sub("", script), LISTENS, MOVES + LISTENS)


def _changed(script: str, line: str, into: str, name: str = STATE_SCRIPT) -> str:
    if script.count(line) != 1:
        raise ScriptChanged(name, line)
    return script.replace(line, into)
