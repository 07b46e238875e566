"""What is asked of every screen, and the few things that every story does on them."""

from __future__ import annotations

import os
import re
import time
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Frame, Locator, Page, Request, Response, WebSocket

from tests.running import ROOT

PATIENCE: Final = 20_000
"""Milliseconds after which a screen that has not changed never will."""
SCREENSHOTS: Final = ROOT / "screenshots"
PICTURES: Final = os.environ.get("EMK_TEST_PICTURES", "yes") == "yes"
"""Whether a screen that was looked at leaves pictures: a quarter of a look, and no judgement."""
MEASURED: Final[list[str]] = []
"""How long live screens took, for the end of the run; nothing fails for it."""
AXE: Final = Axe()
RULES: Final = {
    "runOnly": [
        "wcag2a",
        "wcag2aa",
        "wcag21a",
        "wcag21aa",
        "wcag22aa",
        "best-practice",
    ],
    "resultTypes": ["violations"],
}
COLOURS: Final = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "target-size"]},
    "resultTypes": ["violations"],
}

SHOWN: Final = {"exclude": ["tbody > tr:nth-child(n+41)"]}
"""Rows of a long table are made alike, and forty of them are as good as three hundred."""

LATIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9'-]*")
ALLOWED_LATIN: Final = re.compile(
    r"""
      https?://localhost:\d+\S*                   # the service's own addresses
    | localhost:\d+\S*
    | [\w.+-]+@[\w.-]+\.[a-z]{2,}                 # addresses of mail
    | \b(QR|PDF|JPEG|GIF|PNG|WebP|CSV|XLSX|JSON|OID|RSS)\b     # what Russians call by these letters
    | «[A-Za-z]»                                  # a letter that should have been Russian
    | \bGoogle\ Authenticator\b|\b(Chrome|Firefox|Safari|Linux|Windows|Android|macOS|iOS)\b
    | \b[0-9A-F]{4}(-[0-9A-F]{4}){1,7}\b          # a short hash
    | \b[A-Z2-9]{5}-[A-Z2-9]{5}\b                 # a recovery code
    | \b[0-9A-Fa-f]{16,64}\b                      # a full one
    | [\w-]*\.(pdf|jpe?g|cer|sig|pfx|p12|json|csv)\b  # names of files, and what they end with
    | \b(oid|nameFull|regionId|inn)\b             # columns of the federal register
    | \b(HL7\ FHIR|CAdES-BES|OCSP|RSA|ECDSA|Caps\ Lock)\b    # what has no other name
    """,
    re.X,
)

# Text that can be seen or is read aloud; code is not language.
WORDS: Final = """() => {
  const out = [];
  const hidden = (node) => !node.checkVisibility({ checkVisibilityCSS: true });
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    const apart = parent.closest("script, style, noscript, code, [translate=no]");
    if (!node.data.trim() || apart) continue;
    if (!hidden(parent)) out.push(node.data.trim());
  }
  for (const node of document.body.querySelectorAll("*"))
    for (const name of ["aria-label", "title", "alt", "placeholder"])
      if (node.getAttribute(name) && !hidden(node)) out.push(node.getAttribute(name));
  out.push(document.title);
  return out;
}"""

# Elements that stick out to the right of the window and are not inside something that scrolls.
OVERFLOW: Final = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = (node) => {
    for (let at = node.parentElement; at && at !== document.body; at = at.parentElement) {
      const how = getComputedStyle(at).overflowX;
      if (how !== "visible" && at.getBoundingClientRect().right <= wide + 1) return true;
    }
    return false;
  };
  const found = [...document.body.querySelectorAll("*")].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width && box.right > wide + 1 && node.checkVisibility({ checkVisibilityCSS: true })
      && !scrolls(node);
  });
  const page = document.documentElement.scrollWidth;
  return (page > wide ? [`page ${page} > ${wide}`] : []).concat(
    found.slice(0, 5).map((node) => node.outerHTML.slice(0, 160)));
}"""

# Text whose font is not the site's: an element the style sheet has not reached.
UNSTYLED: Final = """() => {
  const site = getComputedStyle(document.body).fontFamily;
  const mono = /mono|consol|courier|menlo/i;
  const found = [];
  if (!/sans|system-ui/i.test(site)) found.push(`body: ${site}`);
  for (const node of document.body.querySelectorAll("*")) {
    if (!node.checkVisibility({ checkVisibilityCSS: true })) continue;
    const own = [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    const control = node.matches("button, input:not([type=hidden]), select, textarea");
    const font = getComputedStyle(node).fontFamily;
    if ((own || control) && font !== site && !mono.test(font) && !node.closest("svg"))
      found.push(`${font}: ${node.outerHTML.slice(0, 160)}`);
  }
  return found.slice(0, 5);
}"""


# Axe reads the same few colours of a screen thousands of times: a third of its time.
REMEMBER_COLOURS: Final = """(() => {
  const colour = axe.commons.color.Color.prototype, parse = colour.parseString, known = new Map();
  colour.parseString = function (text) {
    if (known.has(text)) [this.r, this.g, this.b, this.alpha] = known.get(text);
    else {
      parse.call(this, text);
      known.set(text, [this.r, this.g, this.b, this.alpha]);
    }
    return this;
  };
})()"""

# From here on a colour that changes has changed at once: what inherits it would set out on its own
# way when the one above has ended, and every such way takes frames.
AT_ONCE: Final = """() => {
  if (document.adoptedStyleSheets.some((each) => each.isOfLooks)) return;
  const sheet = new CSSStyleSheet();
  sheet.isOfLooks = true;
  sheet.replaceSync("*, ::before, ::after, ::backdrop { transition: none !important; }");
  document.adoptedStyleSheets.push(sheet);
}"""

# Animations that end, ended: a screen is judged as it stands, not on its way there. The script of
# the page puts it into the other colours some frames after the browser was told; where somebody has
# chosen the colours it never does.
SETTLE: Final = """async (scheme) => {
  const frame = () => new Promise(requestAnimationFrame);
  const named = document.documentElement.classList;
  const isOnItsWay = () => named.contains(scheme === "dark" ? "light" : "dark");
  for (let left = 60; left && isOnItsWay(); left--) await frame();
  for (let left = 30, still = 0; left && still < 2; left--) {
    await frame();
    const moving = document.getAnimations().filter(
      (each) => each.effect.getComputedTiming().iterations !== Infinity
        && each.playState !== "finished");
    for (const each of moving) each.finish();
    still = moving.length ? 0 : still + 1;
  }
}"""


LONGEST: Final = 200
"""Characters of a line that is told beside a failure."""
UNTOLD: Final = re.compile(r"GET \S+\.(js|css|woff2|svg|png|ico|wasm)(\?\S*)?: (200|304)$")
"""Parts of pages that have come as they should."""
STATE: Final = "reflex___state____state."
EVENT: Final = re.compile(r'^4[02]/_event,.*?"name":"([\w.$]+)"')
"""What the page asks of the server; the first thing it asks comes with the connection."""


def last_of(lines: Sequence[str], count: int) -> str:
    """Return the last lines, none of them too long for the report of a run."""
    return "\n".join(each[:LONGEST] for each in lines[-count:])


class Watched:
    """A page whose console, policy violations and failures are kept, and what its sockets did.

    What happens while the test itself is busy is heard, and given its time, when it looks again.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.lines: list[str] = []
        self.problems: list[str] = []
        self._since = time.monotonic()
        page.on("websocket", self._connected)
        page.on("framenavigated", self._moved)
        page.on("close", lambda _: self._say("the page is closed"))
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._note(f"error in the page: {error}"))
        page.on("requestfailed", self._miss)
        page.on("response", self._answered)
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) => console.error("
            "`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))"
        )

    def tell(self) -> str:
        """Return what is told beside a failure: the last that happened, parts of pages apart."""
        return last_of([each for each in self.lines if not UNTOLD.search(each)], 40)

    def keep(self, folder: Path, name: str) -> None:
        """Keep what is needed to see why a test has failed."""
        folder.mkdir(parents=True, exist_ok=True)
        if not self.page.is_closed():
            self.page.screenshot(path=folder / f"{name}.png", full_page=True, timeout=20_000)
            (folder / f"{name}.html").write_text(self.page.content(), encoding="utf-8")
        (folder / f"{name}.log").write_text("\n".join(self.lines), encoding="utf-8")

    def _say(self, line: str) -> None:
        self.lines.append(f"{time.monotonic() - self._since:7.2f} {line}")

    def _moved(self, frame: Frame) -> None:
        if frame == self.page.main_frame:
            self._say(f"at {frame.url}")

    def _connected(self, socket: WebSocket) -> None:
        # Never what is sent: people's own words are in it.
        self._say("socket opens")
        socket.on("close", lambda _: self._say("socket closed"))
        socket.on("socketerror", lambda error: self._say(f"socket failed: {error}"))
        socket.on("framesent", self._sent)

    def _sent(self, frame: str | bytes) -> None:
        if isinstance(frame, str) and (event := EVENT.search(frame)):
            path = urllib.parse.urlsplit(self.page.url).path
            self._say(f"sends {event.group(1).removeprefix(STATE)} from {path}")

    def _hear(self, message: ConsoleMessage) -> None:
        line = f"{message.type}: {message.text} ({message.location.get('url')})"
        self._say(line)
        # Answers above 399 are noted by themselves, with their status.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(line)

    def _note(self, line: str) -> None:
        self._say(line)
        self.problems.append(line)

    def _miss(self, request: Request) -> None:
        # A page that is left cancels what it has asked for; that is no failure.
        if request.failure not in ("net::ERR_ABORTED", None):
            self._say(f"{request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        line = f"{response.request.method} {response.url}: {response.status}"
        self._say(line)
        if response.status >= 500:
            self.problems.append(line)


def shown(what: str, act: Callable[[], object], *signs: Locator) -> None:
    """Act, and wait until another person's screen shows it by itself; note how long that took."""
    since = time.perf_counter()
    act()
    acted = time.perf_counter()
    for sign in signs:
        sign.wait_for(timeout=5_000)
    seen = time.perf_counter()
    MEASURED.append(f"{what}: act {acted - since:.2f} s, seen {seen - acted:.2f} s later")


def look(page: Page, name: str) -> None:
    """Ask of the screen, wide in light and narrow in dark, what is asked of all; keep pictures."""
    SCREENSHOTS.mkdir(exist_ok=True)
    before = page.viewport_size
    page.evaluate(AT_ONCE)
    # Colours and widths don't know of each other, so each is looked at once in the other's company;
    # names and roles are the same in both. A screen is looked at last as it was: to lay it out anew
    # takes its time.
    for width, height, scheme in sorted(
        ((1280, 900, "light"), (390, 844, "dark")),
        key=lambda way: before is not None and before["width"] == way[0],
    ):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        if page.viewport_size != {"width": width, "height": height}:
            page.set_viewport_size({"width": width, "height": height})
        page.evaluate(SETTLE, scheme)
        where = f"{name} at {width} {scheme}"
        suffix = "" if scheme == "light" else "-dark"
        if PICTURES:
            page.screenshot(
                path=SCREENSHOTS / f"{name}-{width}{suffix}.jpg", full_page=True, quality=80
            )
        check_axe(page, where, RULES if scheme == "light" else COLOURS)
        check_width(page, where)
        check_styles(page, where)
    check_quiet(page, name)
    check_words(page, name)
    if before and page.viewport_size != before:
        page.set_viewport_size(before)


def check_axe(page: Page, where: str, rules: dict[str, Any] = RULES) -> None:
    """Fail if axe finds anything."""
    # Half a megabyte of script, which the document may have from the look before.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
        page.evaluate(REMEMBER_COLOURS)
    found: Any = page.evaluate("([where, rules]) => axe.run(where, rules)", [SHOWN, rules])[
        "violations"
    ]
    told = [
        f"{each['id']} ({each['impact']}): {each['help']}\n    "
        + "\n    ".join(node["html"][:200] for node in each["nodes"][:4])
        for each in found
    ]
    assert not told, f"{where}:\n" + "\n".join(told)


def check_quiet(page: Page, where: str) -> None:
    """Fail if a change of the screen would have all of it read aloud anew."""
    live = "[role=status], [role=alert], [role=log], [aria-live]:not([aria-live=off])"
    inside = page.locator(live).filter(has=page.locator("h1"))
    assert inside.count() == 0, f"{where}: the whole screen is a live region"


def check_words(page: Page, where: str) -> None:
    """Fail if there is anything but Russian on the screen."""
    texts: list[str] = page.evaluate(WORDS)
    english = [text for text in texts if LATIN.search(ALLOWED_LATIN.sub("", text))]
    assert not english, f"{where}: not Russian: {english}"


def check_width(page: Page, where: str) -> None:
    """Fail if anything sticks out of the window sideways."""
    found: list[str] = page.evaluate(OVERFLOW)
    assert not found, f"{where}: too wide: {found}"


def check_styles(page: Page, where: str) -> None:
    """Fail if the style sheet has not reached an element."""
    found: list[str] = page.evaluate(UNSTYLED)
    assert not found, f"{where}: unstyled: {found}"
