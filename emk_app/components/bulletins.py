"""News and the state of the service as finished HTML: complete without any script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Final

import reflex as rx

from emk_app.components.icons import PATHS, TONE_ICONS
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


def state_html(tone: str, headline: str, text: str) -> str:
    """Write how the whole does."""
    return (
        f'<div class="e-notice mb-4" data-tone="{escape(tone)}">{_icon(tone)}'
        f'<div class="e-notice-body"><b>{escape(headline)}</b><p>{escape(text)}</p></div></div>'
    )


def windows_html(windows: Sequence[tuple[str, str, str, str]]) -> str:
    """Write announced hours: tone, state, when, what is done."""
    return "".join(
        f'<div class="e-notice mb-4" data-tone="{escape(tone)}">{_icon(tone)}'
        f'<div class="e-notice-body"><b>Плановые работы. {escape(state)}: {escape(when)}</b>'
        f"{text_html(text)}</div></div>"
        for tone, state, when, text in windows
    )


def part_html(name: str, state: str, tone: str, share: str, days: Sequence[tuple[str, str]]) -> str:
    """Write one part: how it does, and a bar for each day; what is not well is also said."""
    bars = "".join(
        f'<rect data-tone="{escape(each)}" x="{4 * n}" y="0" width="3" height="32">'
        f"<title>{escape(said)}</title></rect>"
        for n, (each, said) in enumerate(days)
    )
    bad = [said for each, said in days if each in ("danger", "waiting")]
    spoken = "; ".join(bad[-10:]) or "сбоев не отмечено"
    return (
        f'<div class="e-card mb-4"><div class="e-card-head"><h2>{escape(name)}</h2>'
        f'<span class="e-badge" data-tone="{escape(tone)}">{_icon(tone)}{escape(state)}</span>'
        f'</div><svg class="e-days" viewBox="0 0 {4 * len(days)} 32" preserveAspectRatio="none"'
        f' role="img" aria-label="{len(days)} дней: {escape(spoken)}">{bars}</svg>'
        f'<p class="e-muted">{len(days)} дней назад — сегодня'
        f"{'; ' + escape(share) if share else ''}</p></div>"
    )


def incidents_html(rows: Sequence[tuple[str, str]]) -> str:
    """Write what went wrong."""
    told = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(when)}</dd></div>" for what, when in rows
    )
    shown = (
        f'<dl class="e-list">{told}</dl>' if told else '<p class="e-muted">Сбоев не отмечено.</p>'
    )
    return f'<section class="e-section"><h2>Сбои за 90 дней</h2>{shown}</section>'


def _icon(tone: str) -> str:
    return (
        '<svg class="e-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        ' stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"'
        f' focusable="false"><path d="{PATHS[TONE_ICONS[tone]]}"/></svg>'
    )
