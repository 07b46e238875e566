"""Conclusions as documents: what was written is what is read, and nothing else is."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from emk_app.crypto.canonical import canonical
from emk_app.domain.clearance import Conclusion, Fitness
from emk_app.domain.exchange import (
    DOCUMENT_LIMIT,
    LONGEST_PAUSE,
    LONGEST_TRYING,
    TRIES,
    DocumentRefused,
    DocumentTooLarge,
    DocumentUnsafe,
    Doubt,
    Statement,
    doubt_of,
    is_given_up,
    pause_after,
)
from emk_app.domain.people import FullName, Sex
from emk_app.exchange import cda, fhir
from tests.statements import made

VECTORS = Path(__file__).parents[1] / "vectors" / "exchange"
FORMATS = [cda, fhir]
CONCLUSIONS = [
    Conclusion(Fitness.FIT),
    Conclusion(Fitness.FIT, note="осмотр через год"),
    Conclusion(Fitness.FIT_WITH_RESTRICTIONS, "без высоты"),
    Conclusion(
        Fitness.TEMPORARILY_UNFIT, until=date(2027, 1, 9), contraindications="острое заболевание"
    ),
    Conclusion(Fitness.UNFIT, contraindications="болезни сердца"),
]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("conclusion", CONCLUSIONS, ids=lambda each: each.fitness)
def test_what_is_read_is_what_was_written(form: Any, conclusion: Conclusion):
    said = made(conclusion=conclusion)
    assert form.read(form.write(said)) == said


@pytest.mark.parametrize("form", FORMATS)
def test_little_is_written_where_little_is_known(form: Any):
    said = made(
        studies=(),
        shots=(),
        book_number="",
        name=FullName("Ли", "Ён", None),
        clinic=dataclasses.replace(made().clinic, ogrn="", address="", phone=""),
    )
    assert form.read(form.write(said)) == said


@pytest.mark.parametrize(("form", "name"), [(cda, "conclusion.xml"), (fhir, "conclusion.json")])
def test_the_golden_document_is_written_to_the_byte(form: Any, name: str):
    assert form.write(made()) == (VECTORS / name).read_bytes()


def test_a_second_implementation_reads_the_bundle():
    bundle: Any = Bundle.model_validate_json(fhir.write(made()))
    kinds = [each.resource.get_resource_type() for each in bundle.entry]
    assert bundle.type == "document" and kinds[0] == "Composition"
    assert kinds.count("Immunization") == 3 and kinds.count("Patient") == 1
    addresses = {each.fullUrl for each in bundle.entry}
    composition = bundle.entry[0].resource
    told = {entry.reference for section in composition.section for entry in section.entry}
    assert told < addresses
    assert len(addresses) == len(bundle.entry)
    assert composition.subject.reference in addresses


def altered(change: Callable[[str], str]) -> bytes:
    before = cda.write(made()).decode()
    after = change(before)
    assert after != before
    return after.encode()


BROKEN: dict[str, tuple[Callable[[str], str], str]] = {
    "another template": (lambda xml: xml.replace("15.111.1", "15.111.2"), "rule:template"),
    "another kind": (lambda xml: xml.replace('code="230"', 'code="194"'), "rule:kind"),
    "СНИЛС of ten digits": (lambda xml: xml.replace("11223344595", "1122334459"), "rule:snils"),
    "an element too many": (lambda xml: xml.replace("<title>", "<extra/><title>", 1), "xsd"),
    "an attribute too many": (lambda xml: xml.replace("<realmCode ", '<realmCode x="1" '), "xsd"),
    "no day of a study": (
        lambda xml: re.sub(r"<effectiveTime>\s*<low(?s:.*?)</effectiveTime>", "", xml, count=1),
        "rule:",
    ),
    "a day that is none": (lambda xml: xml.replace("20261119", "20261139", 1), "xsd"),
    "the thirtieth of February": (lambda xml: xml.replace('"19900327"', '"19900230"'), "content"),
    "a study after the signature": (
        lambda xml: xml.replace('low value="20261119"', 'low value="20261121"', 1),
        "rule:not-later",
    ),
    "a study before birth": (
        lambda xml: xml.replace('low value="20261119"', 'low value="19800101"', 1),
        "rule:after-birth",
    ),
    "fit with restrictions": (
        lambda xml: xml.replace(">fit_with_restrictions<", ">fit<"),
        "rule:restrictions",
    ),
    "an outcome of its own": (
        lambda xml: xml.replace(">fit_with_restrictions<", ">superfit<"),
        "rule:outcome",
    ),
    "a custodian that is not the author": (
        lambda xml: xml.replace("12.2.78.5001", "12.2.78.5002", 1),
        "rule:id-of-custodian",
    ),
    "a version that is not in the name": (
        lambda xml: xml.replace('versionNumber value="1"', 'versionNumber value="2"'),
        "rule:set",
    ),
    "the same study twice": (
        lambda xml: xml.replace('code="ecg"', 'code="therapist"'),
        "rule:study-once",
    ),
    "a section twice": (
        lambda xml: xml.replace('<code code="lab"', '<code code="instrumental"'),
        "rule:twice",
    ),
    "a story that tells less": (
        lambda xml: xml.replace("<item>Глюкоза", "<item>x</item><item>Глюкоза"),
        "rule:told",
    ),
    "not XML": (lambda xml: xml[:-20], "xml"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_document_that_breaks_a_rule_is_refused_by_its_name(what: str):
    change, rule = BROKEN[what]
    with pytest.raises(DocumentRefused) as caught:
        cda.read(altered(change))
    assert caught.value.rule.startswith(rule)


LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10)
)  # fmt: skip


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
        f"<!DOCTYPE x [{LAUGHS}]>",
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]>',
        '<?xml-stylesheet href="http://127.0.0.1:1/x.xsl"?>',
    ],
    ids=["file", "dtd", "laughs", "parameter", "stylesheet"],
)
def test_what_makes_a_reader_work_or_look_elsewhere_is_refused(head: str):
    first, rest = cda.write(made()).decode().split("\n", 1)
    with pytest.raises(DocumentUnsafe):
        cda.read(f"{first}\n{head}\n{rest.replace('норма', '&l9;', 1)}".encode())


def test_another_encoding_hides_nothing():
    xml = cda.write(made()).decode().replace("UTF-8", "UTF-16")
    with pytest.raises(DocumentUnsafe):
        cda.read(xml.encode("utf-16"))
    with pytest.raises(DocumentRefused):
        cda.read(b'<?xml version="1.0" encoding="UTF-7"?>+ADw-x/+AD4-')


def test_depth_and_breadth_have_bounds():
    deep = "<a>" * 200 + "</a>" * 200
    wide = "<a>" + "<b/>" * 60_000 + "</a>"
    for xml in (deep, wide):
        with pytest.raises(DocumentUnsafe):
            cda.read(xml.encode())


@pytest.mark.parametrize("form", FORMATS)
def test_a_document_has_a_bound(form: Any):
    with pytest.raises(DocumentTooLarge):
        form.read(b" " * (DOCUMENT_LIMIT + 1))


def test_a_comment_says_nothing():
    xml = cda.write(made()).decode().replace("118/76</", "118/<!-- 0 -->76</")
    assert cda.read(xml.encode()) == made()


BUNDLES: dict[str, Callable[[dict[str, Any]], object]] = {
    "something more": lambda bundle: bundle.update(extra=1),
    "something less": lambda bundle: bundle["entry"].pop(),
    "another order": lambda bundle: bundle["entry"].reverse(),
    "another type": lambda bundle: bundle.update(type="collection"),
    "another name": lambda bundle: bundle["identifier"].update(value="other-1"),
    "a float": lambda bundle: bundle.update(x=1.5),
}


@pytest.mark.parametrize("what", BUNDLES)
def test_a_bundle_of_another_profile_is_refused(what: str):
    bundle = json.loads(fhir.write(made()))
    BUNDLES[what](bundle)
    with pytest.raises(DocumentRefused):
        fhir.read(json.dumps(bundle).encode())


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"\xff", b"[" * 5000, b'{"entry":[]}'])
def test_what_is_no_bundle_is_refused(raw: bytes):
    with pytest.raises(DocumentRefused):
        fhir.read(raw)


def test_a_bundle_may_be_written_with_blanks():
    spaced = json.dumps(json.loads(fhir.write(made())), indent=2, ensure_ascii=False).encode()
    assert spaced != canonical(json.loads(spaced))
    assert fhir.read(spaced) == made()


PERSON = (FullName("Иванова", "Мария", "Сергеевна"), date(1990, 3, 27), Sex.FEMALE)


@pytest.mark.parametrize(
    ("said", "doubt"),
    [
        (made(), None),
        (made(name=FullName("ИВАНОВА", "мария", None)), None),
        (made(name=FullName("Иванова", "Марья", "Сергеевна")), Doubt.NAME),
        (made(name=FullName("Петрова", "Мария", "Сергеевна")), Doubt.NAME),
        (made(name=FullName("Иванова", "Мария", "Ивановна")), Doubt.NAME),
        (made(born_on=date(1990, 3, 28)), Doubt.BIRTH_DATE),
        (made(sex=Sex.MALE), Doubt.SEX),
    ],
)
def test_a_statement_is_compared_with_the_papers(said: Statement, doubt: Doubt | None):
    assert doubt_of(*PERSON, said) is doubt


def test_unreadable_papers_agree_with_nothing():
    assert doubt_of(None, None, None, made()) is Doubt.NAME


def test_a_statement_names_nobody_in_a_log():
    shown = repr(made())
    assert "Иванова" not in shown and "11223344595" not in shown


def test_pauses_grow_to_their_bound_and_end():
    pauses = [pause_after(tries, 0.5) for tries in range(1, 30)]
    assert pauses == sorted(pauses) and pauses[-1] == LONGEST_PAUSE
    assert not is_given_up(1, timedelta(0))
    assert is_given_up(TRIES, timedelta(0)) and is_given_up(1, LONGEST_TRYING)
