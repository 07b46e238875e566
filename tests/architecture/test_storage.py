"""What the browser keeps for us, which signing out leaves there: nothing of anybody (0040)."""

from __future__ import annotations

import re
from pathlib import Path

KEPT = {
    "assets/emk.js": {"localStorage SWITCH", "localStorage READ"},
    "emk_app/offline/page.js": {'indexedDB "emk-check"'},
    "emk_app/offline/worker.js": {"caches CACHE"},
}
"""The switch of the keyboard, the announcement that was put away; root, lists and files of the
check without a network: all public.
"""
USES = re.compile(
    r"\b(localStorage|sessionStorage)\.(?:get|set|remove)Item\(([^,)]+)"
    r"|\b(indexedDB|caches)\.open\(([^,)]+)"
)
NAMES = re.compile(
    r"\b(?:localStorage|sessionStorage|indexedDB|caches|cookieStore|document\.cookie)\b"
)
SCRIPTS = [*Path("assets").rglob("*.js"), *Path("emk_app").rglob("*.js")]
STATE_STORAGE = re.compile(r"\brx\.(?:Cookie|LocalStorage|SessionStorage)\b")


def test_scripts_keep_in_the_browser_only_what_is_nobodys():
    found = {
        path.as_posix(): {" ".join(filter(None, each)) for each in USES.findall(text)}
        for path in SCRIPTS
        if NAMES.search(text := path.read_text(encoding="utf-8"))
    }
    assert found == KEPT


def test_states_keep_nothing_in_the_browser():
    assert not [
        path
        for path in Path("emk_app").rglob("*.py")
        if STATE_STORAGE.search(path.read_text(encoding="utf-8"))
    ]
