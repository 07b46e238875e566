"""The few words every component is written with: values that may be plain or live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import reflex as rx

Text = str | rx.Var[Any]
Flag = bool | rx.Var[Any]
Child = rx.Component | rx.Var[Any] | str
Handler = Any


def when(flag: Flag, then: Child, otherwise: Child | None = None) -> rx.Component:
    """Show ``then`` if ``flag`` holds: decided now if plain, in the browser if a Var."""
    if isinstance(flag, rx.Var):
        shown = rx.cond(flag, _part(then), _part(otherwise))
        return cast("rx.Component", shown)
    return _part(then if flag else otherwise)


def either(flag: Flag, then: Any, otherwise: Any) -> Any:
    """Choose between two values of a property, as :func:`when` chooses between two parts."""
    if isinstance(flag, rx.Var):
        return rx.cond(flag, then, otherwise)
    return then if flag else otherwise


def given(text: Text | None) -> Flag:
    """Whether there is anything to show."""
    if isinstance(text, rx.Var):
        return text.bool()
    return bool(text)


def some(rows: Sequence[Any] | rx.Var[Any]) -> Flag:
    """Whether a list holds anything."""
    if isinstance(rows, rx.Var):
        return rows.to(list).length() > 0
    return bool(rows)


def some_or(rows: Sequence[Any] | rx.Var[Any], otherwise: Any) -> Any:
    """Return the list, or ``otherwise`` while it holds nothing: what ships stands in the pages that
    show it, since every page brings what states begin with.
    """
    return either(some(rows), rows, otherwise)


def repeated(
    rows: Sequence[Any] | rx.Var[Any], shown: Callable[[Any], rx.Component]
) -> list[rx.Component]:
    """Show every row: now those that are known, in the browser those of the state."""
    if isinstance(rows, rx.Var):
        return [rx.foreach(rows, shown)]
    return [shown(row) for row in rows]


def words(*parts: Text) -> Text:
    """Join parts with single spaces, leaving out those that are plainly empty."""
    kept = [part for part in parts if not (isinstance(part, str) and not part)]
    if all(isinstance(part, str) for part in kept):
        return " ".join(str(part) for part in kept)
    joined = rx.Var.create(kept[0]).to(str)
    for part in kept[1:]:
        joined = joined + " " + rx.Var.create(part).to(str)
    return joined


def fixed_id(name: Text) -> rx.Var[Any]:
    """Turn a name into an HTML id without the React ref Reflex makes for a plain string."""
    return rx.Var.create(name)


def listed(children: Sequence[Child | None]) -> list[Child]:
    """Drop the parts a caller left out."""
    return [child for child in children if child is not None]


def keyed(key: Text) -> dict[str, Any]:
    """Tell the rows of a ``rx.foreach`` apart; nothing for a part that stands alone."""
    return {"key": key} if isinstance(key, rx.Var) or key else {}


def _part(child: Child | None) -> rx.Component:
    if child is None:
        return rx.fragment()
    return child if isinstance(child, rx.Component) else rx.fragment(child)
