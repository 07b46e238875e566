"""A built page as a finished answer: no scripts, only the styles it needs, one place to be filled.

Slow telephones read such a page as fast as one written by hand (benchmarks/README.md).
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SCRIPT: Final = re.compile(r"<script\b.*?</script>", re.S)
_LINK: Final = re.compile(r"<link\b[^>]*>")
_STYLE: Final = re.compile(r"<style\b[^>]*>(.*?)</style>", re.S)
_SHEET: Final = re.compile(r'<link\b[^>]*?\bhref="/([^"]+\.css)" rel="stylesheet"[^>]*>')
FIRST: Final = 'data-first=""'
LATE: Final = 'rel="stylesheet" media="print" data-late=""'
_FIRST: Final = re.compile(rf"<(style|noscript) {FIRST}>.*?</\1>", re.S)
_COMMENT: Final = re.compile(r"<!--(?!VERDICT).*?-->|<template\b[^>]*></template>", re.S)
_HIDDEN: Final = re.compile(r'<div hidden=?"?"? id="[SB]:\d+">\s*</div>')
_ROUTER: Final = re.compile(r' data-discover="true"')

_TAG: Final = re.compile(r"<([a-z][a-z0-9-]*)((?:\s[^<>]*)?)>", re.I)
_ATTRIBUTE: Final = re.compile(r'\s([a-z][a-z0-9-]*)(?:="([^"]*)")?', re.I)

_CSS_TOKEN: Final = re.compile(
    r"""/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|[^{};"'/]+|/""", re.S
)
_ARGUMENTS: Final = r"\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)"
_SELECTOR: Final = re.compile(
    rf"""
      ::(?P<element>[\w-]+)(?:{_ARGUMENTS})?
    | :(?:is|where|has)(?P<among>{_ARGUMENTS})
    | :[\w-]+(?:{_ARGUMENTS})?
    | \.(?P<name>(?:[\w-]|\\.)+)
    | \#(?P<id>[\w-]+)
    | \[\s*(?P<attribute>[\w-]+)[^\]]*\]
    | (?P<tag>[\w-]+)
    """,
    re.VERBOSE,
)
_CONTROLS: Final = frozenset({"input", "select", "textarea", "progress"})
_DATES: Final = {"date", "time", "datetime-local", "month", "week"}
_KINDS: Final = {
    "file-selector": {"file"},
    "search": {"search"},
    "date": _DATES,
    "calendar": _DATES,
    "spin-button": _DATES | {"number"},
}
"""Types of input, by what the names of their parts have in them."""
_ONE_OF_LIST: Final = re.compile(rf"(?:[^(),]|{_ARGUMENTS})+")
_EMPTY: Final = re.compile(r"[^{};]+\{\s*\}")
_USED_VARIABLE: Final = re.compile(r"var\(\s*(--[\w-]+)")
_DECLARED: Final = re.compile(r"(--[\w-]+)\s*:((?:[^;{}\"']|\"[^\"]*\"|'[^']*')*);?")
_GROUPS: Final = ("@media", "@supports", "@layer", "@container")


@dataclass(frozen=True, slots=True)
class Shell:
    """The page before and after the place to be filled, ready to be sent either way."""

    head: bytes
    tail: bytes
    policy: str
    """A Content-Security-Policy: only this page's own style applies, and its one script runs."""
    packed_head: bytes
    packed_tail: bytes

    def filled(self, body: str) -> bytes:
        """Return the whole page."""
        return b"".join((self.head, body.encode(), self.tail))

    def packed(self, body: str) -> bytes:
        """Return the whole page as gzip; only ``body`` is compressed anew."""
        plain = body.encode()
        check = zlib.crc32(self.tail, zlib.crc32(plain, zlib.crc32(self.head)))
        length = len(self.head) + len(plain) + len(self.tail)
        return b"".join(
            (
                b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
                self.packed_head,
                _deflate(plain, zlib.Z_FULL_FLUSH),
                self.packed_tail,
                check.to_bytes(4, "little"),
                (length & 0xFFFFFFFF).to_bytes(4, "little"),
            )
        )


def shell(
    html: str,
    css: str,
    slot: str,
    sample: str,
    *,
    script: str = "",
    more_scripts: str = "",
    speaks_to: str = "",
) -> Shell:
    """Make a shell of a built page and its stylesheet; ``sample`` shows what may fill the slot.

    ``script`` is the address of the one script it runs, after the page is shown; ``more_scripts``
    what that may ask for, and ``speaks_to`` where it may ask.
    """
    own_styles = "".join(_STYLE.findall(html))
    bare = stripped(html)
    style = needed(css, bare.replace(slot, sample)) + own_styles
    source = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    icons = "".join(link for link in _LINK.findall(html) if 'rel="icon"' in link)
    page = bare.replace("</head>", f"{icons}<style>{style}</style></head>", 1)
    if script:
        # Last and least: on a slow telephone to ask for it would put off the page itself.
        runs = f'<script src="{script}" defer fetchpriority="low"></script>'
        page = page.replace("</body>", f"{runs}</body>", 1)
    before, after = page.split(slot)
    head, tail = before.encode(), after.encode()
    return Shell(
        head,
        tail,
        policy=f"default-src 'none'; style-src 'sha256-{source}'; img-src 'self'; "
        + (f"script-src {script} {more_scripts}; connect-src {speaks_to}; " if script else "")
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        packed_head=_deflate(head, zlib.Z_FULL_FLUSH),
        packed_tail=_deflate(tail, zlib.Z_FINISH),
    )


def stripped(html: str) -> str:
    """Return the page without scripts, styles, links to files, and what React left for itself."""
    for leftover in (_SCRIPT, _STYLE, _LINK, _COMMENT, _HIDDEN, _ROUTER):
        html = leftover.sub("", html)
    return html


def needed(css: str, html: str) -> str:
    """Return the rules of ``css`` that can apply to ``html``, and the variables those use.

    Errs on the side of keeping: a selector is dropped only for a tag, a class, an id, an attribute
    or a kind of control that the page does not have anywhere.
    """
    kept = _rules(css, _Vocabulary.of(html))
    drawn = set(_USED_VARIABLE.findall(html))
    while True:
        used = drawn | set(_USED_VARIABLE.findall(kept))
        fewer = _EMPTY.sub("", _only(used, kept))
        if fewer == kept:
            return kept
        kept = fewer


def dressed(html: str, css: str) -> str:
    """Return the page with the styles that it begins with in its head.

    It is read as soon as it is there. The sheet of all pages, ``css``, comes meanwhile, and holds
    nothing up: a browser fetches what is for print only without waiting, ``emk.js`` takes it over.
    """
    found = _SHEET.search(html)
    if found is None:
        return html
    link, first = found[0], needed(css, stripped(html))
    late = link.replace('rel="stylesheet"', LATE, 1)
    # Before the sheet: of two rules that fit, the one that comes later there has to win here too.
    parts = f"<style {FIRST}>{first}</style>{late}<noscript {FIRST}>{link}</noscript>"
    return html.replace(link, parts, 1)


def dress(build: Path) -> list[Path]:
    """Dress the pages of a build; return those that have a stylesheet."""
    pages: list[Path] = []
    # A page is written for its address with a slash at the end, too.
    known: dict[str, str] = {}
    for path in sorted(build.rglob("*.html")):
        html = path.read_text(encoding="utf-8")
        if css := _styles_of(html, build):
            if html not in known:
                known[html] = dressed(html, css)
            path.write_text(known[html], encoding="utf-8")
            pages.append(path)
    return pages


def bare(file: Path, build: Path) -> tuple[str, str]:
    """Return a page of the build as it was before ``dress``, and its stylesheet."""
    html = _FIRST.sub("", file.read_text(encoding="utf-8")).replace(LATE, 'rel="stylesheet"')
    return html, _styles_of(html, build)


def _styles_of(html: str, build: Path) -> str:
    return "".join((build / name).read_text(encoding="utf-8") for name in _SHEET.findall(html))


def listed(selectors: str) -> list[str]:
    """Split a list of selectors at its own commas, not at those inside parentheses."""
    return [found[0].strip() for found in _ONE_OF_LIST.finditer(selectors)]


def _only(used: set[str], css: str) -> str:
    return _DECLARED.sub(lambda found: found[0] if found[1] in used else "", css)


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """What a page is made of, as far as selectors can ask."""

    tags: frozenset[str]
    classes: frozenset[str]
    ids: frozenset[str]
    attributes: frozenset[str]
    types: frozenset[str]

    @classmethod
    def of(cls, html: str) -> _Vocabulary:
        tags: set[str] = set()
        values: dict[str, set[str]] = {}
        for tag, attributes in _TAG.findall(html):
            tags.add(tag.lower())
            for name, value in _ATTRIBUTE.findall(attributes):
                values.setdefault(name.lower(), set()).update(value.split())
        return cls(
            frozenset(tags),
            frozenset(values.get("class", ())),
            frozenset(values.get("id", ())),
            frozenset(values),
            frozenset(values.get("type", ())),
        )

    def may_match(self, selector: str) -> bool:
        """Whether nothing in the selector is missing from the page."""
        for found in _SELECTOR.finditer(selector):
            match found.lastgroup:
                case "tag" if found["tag"].lower() not in self.tags:
                    return False
                case "name" if found["name"].replace("\\", "") not in self.classes:
                    return False
                case "id" if found["id"] not in self.ids:
                    return False
                case "attribute" if found["attribute"].lower() not in self.attributes:
                    return False
                case "element" if not self.may_have(found["element"]):
                    return False
                case "among" if not any(map(self.may_match, listed(found["among"][1:-1]))):
                    return False
        return True

    def may_have(self, element: str) -> bool:
        """Whether something on the page may have such a part."""
        if element in ("before", "after", "backdrop", "marker", "selection", "first-letter"):
            return True
        if not self.tags & _CONTROLS:
            return False
        return all(types & self.types for part, types in _KINDS.items() if part in element)


def _rules(css: str, vocabulary: _Vocabulary) -> str:
    kept: list[str] = []
    for prelude, body in _split(css):
        if body is None:
            # Statements such as "@layer base, components" fix the order; they cost nothing.
            kept.append(f"{prelude};" if prelude.startswith("@layer") else "")
        elif prelude.startswith(_GROUPS):
            inner = _rules(body, vocabulary)
            kept.append(f"{prelude}{{{inner}}}" if inner else "")
        elif not prelude.startswith("@"):
            matching = [each for each in listed(prelude) if vocabulary.may_match(each)]
            kept.append(f"{','.join(matching)}{{{body}}}" if matching else "")
    return "".join(kept)


def _split(css: str) -> Iterator[tuple[str, str | None]]:
    """Yield the rules of one level: what stands before the braces, and what stands in them."""
    prelude: list[str] = []
    body: list[str] = []
    depth = 0
    for token in _CSS_TOKEN.findall(css):
        if token.startswith("/*"):
            continue
        if token == "{":
            depth += 1
            if depth > 1:
                body.append(token)
        elif token == "}":
            depth -= 1
            if depth:
                body.append(token)
            else:
                yield "".join(prelude).strip(), "".join(body)
                prelude, body = [], []
        elif depth:
            body.append(token)
        elif token == ";":
            yield "".join(prelude).strip(), None
            prelude = []
        else:
            prelude.append(token)


def _deflate(plain: bytes, end: int) -> bytes:
    """Compress without a header; parts compressed apart can be set one behind the other."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(plain) + packer.flush(end)
