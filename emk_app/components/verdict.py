"""The verdict an employer reads after a scan: finished HTML, complete without any script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final, Literal

import reflex as rx

from emk_app.components.icons import PATHS
from emk_app.components.markup import fixed_id

VerdictTone = Literal["success", "waiting", "danger", "neutral"]

VERDICT_SLOT: Final = "<!--VERDICT-->"

_DRAWN: Final[dict[str, str]] = {
    "success": PATHS["check"],
    "waiting": PATHS["alert"],
    "danger": PATHS["cross"],
    "neutral": PATHS["search"],
}


def verdict_html(
    *,
    tone: VerdictTone,
    word: str,
    sentence: str,
    until: str = "",
    name: str = "",
    facts: Sequence[tuple[str, str]] = (),
    advice: Sequence[str] = (),
    compare: str = "",
    hash_short: str = "",
    hash_full: str = "",
    checked_at: str = "",
    level: Literal[1, 2] = 1,
    live: str = "",
) -> str:
    """Write the block: colour, icon and word first, then until when, for whom and for which work.

    Every argument is plain text and is escaped here. ``tone`` colours the head, ``compare`` is
    the request to compare the name with a passport, ``checked_at`` is a time such as 14:05:09,
    ``level`` the level of the heading (1 where the verdict is the page), ``live`` the address where
    ``assets/emk-verdict.js`` hears of changes while the page is open.
    """
    body = "".join(
        (
            f'<p class="e-verdict-name">{escape(name)}</p>' if name else "",
            f'<p class="e-verdict-compare">{escape(compare)}</p>' if compare else "",
            _advice(advice, level + 1),
            _facts(facts),
            _hash(hash_short, hash_full),
            '<p class="e-muted">Проверено в '
            f'<b class="e-number" data-checked="">{escape(checked_at)}</b></p>'
            if checked_at
            else "",
        )
    )
    return "".join(
        (
            f'<div class="e-verdict" data-tone="{escape(tone)}"',
            f' data-live="{escape(live)}"' if live else "",
            '><div class="e-verdict-top">',
            '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5"'
            ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
            f'<path d="{_DRAWN[tone]}"/></svg>',
            f'<h{level} class="e-verdict-word" tabindex="-1">{escape(word)}</h{level}>',
            f'<p class="e-verdict-until">{escape(until)}</p>' if until else "",
            f'<p class="e-verdict-sentence">{escape(sentence)}</p>' if sentence else "",
            "</div>",
            f'<div class="e-verdict-body">{body}</div>' if body else "",
            "</div>",
        )
    )


def verdict(**said: Any) -> rx.Component:
    """Show the same block inside a screen, from plain values as in :func:`verdict_html`."""
    return rx.html(verdict_html(**said))


def verdict_live(markup: rx.Var[Any]) -> rx.Component:
    """Show a block that a state has written with :func:`verdict_html`."""
    return rx.html(markup)


def verdict_shell() -> rx.Component:
    """Hold the place of the verdict in the prerendered page."""
    return rx.html(VERDICT_SLOT, id=fixed_id("verdict"))


def _advice(lines: Sequence[str], level: int) -> str:
    if not lines:
        return ""
    listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<div class="e-prose"><h{level}>Что делать</h{level}><ul>{listed}</ul></div>'


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    if not facts:
        return ""
    rows = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in facts
    )
    return f'<dl class="e-list">{rows}</dl>'


def _hash(short: str, full: str) -> str:
    if not short:
        return ""
    rest = f'<code translate="no" data-hash="">{escape(full)}</code>' if full else ""
    return (
        '<div class="e-verdict-hash"><p>Отпечаток версии</p>'
        f'<b translate="no">{escape(short)}</b>{rest}</div>'
    )
