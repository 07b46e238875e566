"""The keyboard alone: no pointer, no shortcut past what the page itself offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e.screens import PATIENCE

FARTHEST: Final = 120
"""Tabs after which somebody would have given up."""

HERE: Final = """() => {
  const here = document.activeElement;
  const style = getComputedStyle(here);
  const label = here.closest("label");
  const shown = (each) => each && (each.outlineStyle !== "none" && each.outlineWidth !== "0px"
    || each.boxShadow !== "none");
  return {
    tag: here.tagName.toLowerCase(), type: here.type ?? "", name: here.name ?? "",
    text: (here.textContent ?? "").trim().slice(0, 60),
    ring: shown(style) || shown(label && getComputedStyle(label))
      || shown(here.parentElement && getComputedStyle(here.parentElement)),
  };
}"""


def here(page: Page) -> dict[str, Any]:
    """Return what has the focus."""
    return page.evaluate(HERE)


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus, which must be seen."""
    target.wait_for()
    passed: list[str] = []
    for _ in range(FARTHEST):
        if target.evaluate("node => node === document.activeElement"):
            found = here(page)
            assert found["ring"], f"the focus can't be seen: {found}"
            return
        page.keyboard.press("Tab")
        at = here(page)
        passed.append(f"{at['tag']} {at['name'] or at['text']}")
    raise AssertionError(f"never reached; passed {passed}")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Reach a button or a link, and press it."""
    tab_to(page, target)
    page.keyboard.press(key)


def write(page: Page, target: Locator, text: str) -> None:
    """Reach a field and type into it."""
    tab_to(page, target)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def pick(page: Page, target: Locator, *, answer: Locator | None = None) -> None:
    """Reach a question with few answers by Tab, its answer by the arrows."""
    wanted = answer or target
    tab_to(page, target)
    page.keyboard.press("Space")
    for _ in range(10):
        if wanted.is_checked():
            break
        page.keyboard.press("ArrowDown")
    expect(wanted).to_be_checked()


def choose(page: Page, target: Locator, text: str) -> None:
    """Reach a list and go down it to the answer."""
    tab_to(page, target)
    for _ in range(FARTHEST):
        if target.locator("option:checked").inner_text() == text:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"no such answer: {text}")


def send_file(page: Page, target: Locator, file: Path) -> None:
    """Reach the field of a file, and answer the window that opens."""
    for last in (False, False, True):
        tab_to(page, target)
        try:
            with page.expect_file_chooser(timeout=PATIENCE if last else PATIENCE / 5) as chooser:
                page.keyboard.press("Enter")
        except PlaywrightTimeout:
            # The field was drawn anew under the key: a person presses once more.
            if last:
                raise
        else:
            chooser.value.set_files(file)
            return
