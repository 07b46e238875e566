"""News and the state of the service as finished HTML: complete without any script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final

import reflex as rx

from emk_app.components.markup import fixed_id

BULLETIN_SLOT: Final = "<!--VERDICT-BULLETIN-->"
_ADDRESS: Final = re.compile(r"https?://[^\s<>«»\"]*[^\s<>«»\".,;:!?)]")


def bulletin_shell() -> rx.Component:
    """Hold the place of the text in the prerendered page."""
    return rx.html(BULLETIN_SLOT, id=fixed_id("bulletin"))


def head_html(title: str, lead: str = "", back: tuple[str, str] | None = None) -> str:
    """Write the heading of the page; every argument is plain text and is escaped here."""
    return "".join(
        (
            f'<a class="e-link e-back" href="{escape(back[1])}">← {escape(back[0])}</a>'
            if back
            else "",
            f'<div class="e-head"><div><h1 tabindex="-1">{escape(title)}</h1>',
            f'<p class="e-lead">{escape(lead)}</p>' if lead else "",
            "</div></div>",
        )
    )


def text_html(text: str) -> str:
    """Write paragraphs, lists of lines that begin with «- », and addresses as links."""
    return "".join(map(_block, text.split("\n\n")))


def article_html(title: str, when: str, moment: str, text: str) -> str:
    """Write one item; ``when`` is for people, ``moment`` the same for machines."""
    return (
        head_html(title, back=("Новости и обновления", "/news"))
        + f'<p class="e-muted mb-4">{_time(when, moment)}</p>'
        + f'<div class="e-prose">{text_html(text)}</div>'
    )


def list_html(items: Sequence[tuple[str, str, str, str, str]], pages: str) -> str:
    """Write the list; an item is its address, title, when for people and machines, beginning."""
    if not items:
        return (
            '<div class="e-empty"><b>Новостей пока нет</b>'
            "<p>Здесь появятся изменения сервиса и сообщения о работах.</p></div>"
        )
    lines = "".join(
        f'<article class="e-card mb-4"><div class="e-card-head"><h2><a class="e-link"'
        f' href="{escape(href)}">{escape(title)}</a></h2></div>'
        f'<p class="e-muted">{_time(when, moment)}</p><p>{escape(beginning)}</p></article>'
        for href, title, when, moment, beginning in items
    )
    return lines + pages


def pages_html(newer: str, older: str) -> str:
    """Write the ways to newer and older items; an empty address has none."""
    links = "".join(
        f'<a class="btn btn-outline" href="{escape(href)}" rel="{rel}">{text}</a>'
        for href, rel, text in ((newer, "prev", "Новее"), (older, "next", "Раньше"))
        if href
    )
    named = 'aria-label="Страницы новостей"'
    return f'<nav class="e-pager mb-4" {named}>{links}</nav>' if links else ""


def feed_link_html(href: str) -> str:
    """Write the way to the feed."""
    return (
        f'<p class="e-muted"><a class="e-link" href="{escape(href)}">Лента новостей (RSS)</a>: '
        "новости в вашей программе для чтения лент.</p>"
    )


def nothing_html(title: str, text: str, href: str, way: str) -> str:
    """Say that there is no such thing here, and where to go."""
    return (
        head_html(title)
        + f'<p class="mb-6">{escape(text)}</p>'
        + f'<p><a class="btn btn-primary" href="{escape(href)}">{escape(way)}</a></p>'
    )


def _time(when: str, moment: str) -> str:
    return f'<time datetime="{escape(moment)}">{escape(when)}</time>'


def _block(block: str) -> str:
    lines = block.split("\n")
    if all(line.startswith("- ") for line in lines):
        return "<ul>" + "".join(f"<li>{_linked(line[2:])}</li>" for line in lines) + "</ul>"
    return "<p>" + "<br>".join(map(_linked, lines)) + "</p>"


def _linked(line: str) -> str:
    written: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(line):
        href = escape(found[0])
        written.append(escape(line[end : found.start()]))
        written.append(
            f'<a class="e-link [overflow-wrap:anywhere]" href="{href}" rel="noopener">{href}</a>'
        )
        end = found.end()
    return "".join((*written, escape(line[end:])))
