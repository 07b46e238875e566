"""Whether XML from anywhere is safe to read and is a document of ours: XSD, then Schematron."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any, Final

from lxml import etree, isoschematron  # pyright: ignore[reportAttributeAccessIssue]

from emk_app.domain.exchange import (
    DOCUMENT_LIMIT,
    DocumentRefused,
    DocumentTooLarge,
    DocumentUnsafe,
)

RULES: Final = Path(__file__).parent / "rules"
MOST_ELEMENTS: Final = 20_000
DEEPEST: Final = 24

_checking = threading.Lock()
"""Both checkers keep what they found in themselves."""


def check(raw: bytes) -> Any:
    """Return the root of a document that keeps every rule.

    Raises ``DocumentTooLarge``, ``DocumentUnsafe``, or ``DocumentRefused`` with the broken rule:
    the line and kind of an error of the XSD, or the name of an assertion of the Schematron.
    """
    root = parse(raw)
    with _checking:
        xsd, schematron = _checkers()
        if not xsd.validate(root):
            first = xsd.error_log[0]
            raise DocumentRefused(f"xsd:{first.line}:{first.type_name}"[:80])
        if not schematron.validate(root):
            raise DocumentRefused(_broken(schematron))
    return root


def parse(raw: bytes) -> Any:
    """Return the root of XML without anything that makes a reader work or look elsewhere."""
    if len(raw) > DOCUMENT_LIMIT:
        raise DocumentTooLarge
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise DocumentUnsafe("encoding") from None
    # Whatever a parser would do with it, a document of ours declares nothing.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DocumentUnsafe("declaration")
    if "<?xml-stylesheet" in text:
        raise DocumentUnsafe("instruction")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError:
        raise DocumentRefused("xml") from None
    _measure(root)
    return root


def _measure(root: Any) -> None:
    depth = count = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > DEEPEST or count > MOST_ELEMENTS:
            raise DocumentUnsafe("size")


@cache
def _checkers() -> tuple[Any, Any]:
    return (
        etree.XMLSchema(etree.parse(str(RULES / "conclusion.xsd"))),
        isoschematron.Schematron(etree.parse(str(RULES / "conclusion.sch")), store_report=True),
    )


def _broken(schematron: Any) -> str:
    failed = schematron.validation_report.xpath("//*[local-name() = 'failed-assert']/@id")
    return f"rule:{failed[0]}" if failed else "rule"
