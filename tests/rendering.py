"""Components as HTML, for tests that need no build: no handlers, of a choice both sides."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any, Final
from xml.etree import ElementTree

import reflex as rx

PROP: Final = re.compile(r'(?s)"?([A-Za-z-]+)"?:(.*)')
NAMES: Final = {
    "className": "class",
    "htmlFor": "for",
    "defaultValue": "value",
    "defaultChecked": "checked",
    "viewBox": "viewBox",
}
VOID: Final = {"img", "input", "link", "meta", "path"}
GUARDED: Final = re.compile(r'\(isNotNullOrUndefined\("[^"]*"\) \? ("[^"]*") : ""\)')


def html(component: rx.Component) -> str:
    """Return the markup a browser would be given."""
    return _html(component.render())


def tree(component: rx.Component) -> ElementTree.Element:
    """Return the markup as a tree with one root."""
    return ElementTree.fromstring(f"<root>{html(component)}</root>")


def text(component: rx.Component) -> str:
    """Return the words alone, one space between them."""
    return " ".join(" ".join(tree(component).itertext()).split())


def _html(part: dict[str, Any]) -> str:
    if "contents" in part:
        return escape(str(_value(part["contents"])))
    if "cond_state" in part:
        return _html(part["true_value"]) + _html(part["false_value"])
    inner = "".join(map(_html, part["children"]))
    if part["name"] in ("Fragment", "ErrorBoundary"):
        return inner
    name = part["name"].strip('"')
    tag = {"ReactRouterLink": "a"}.get(name, name)
    attributes = ""
    for prop in part["props"]:
        matched = PROP.fullmatch(prop)
        assert matched, prop
        key, value = matched[1], _value(matched[2])
        if key == "dangerouslySetInnerHTML":
            inner = json.loads(matched[2].split(":", 1)[1].strip(" })"))
        elif value is not None and value is not False:
            key = "href" if key == "to" else NAMES.get(key, key.lower())
            attributes += f' {key}="{escape("" if value is True else str(value))}"'
    return f"<{tag}{attributes}/>" if tag in VOID else f"<{tag}{attributes}>{inner}</{tag}>"


def _value(script: str) -> Any:
    """Read a literal; what only a browser can work out is left out."""
    guarded = GUARDED.fullmatch(script)
    try:
        return json.loads(guarded[1] if guarded else script)
    except json.JSONDecodeError:
        return None
