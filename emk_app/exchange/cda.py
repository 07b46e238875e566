"""СЭМД 230, the conclusion of a worker's examination, as CDA R2 XML.

Identifiers of documents, organisations and people are those of the federal registers; the codes of
sections, studies and answers are ours (docs/exchange.md lists them).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from emk_app.domain.clearance import Conclusion, Fitness
from emk_app.domain.errors import Invalid, InvalidValue
from emk_app.domain.examinations import ExaminationKind, ItemKind
from emk_app.domain.exchange import DocumentRefused, Organisation, Shot, Statement, Study
from emk_app.domain.people import FullName, Sex
from emk_app.domain.vaccinations import RecordKind
from emk_app.exchange import schema

V3: Final = "urn:hl7-org:v3"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
SNILS: Final = "1.2.643.100.3"
OGRN: Final = "1.2.643.100.1"
TEMPLATE: Final = "1.2.643.5.1.13.13.15.111.1"
DOCUMENT_KINDS: Final = "1.2.643.5.1.13.13.11.1520"
DOCUMENT_TYPES: Final = "1.2.643.5.1.13.13.11.1522"
CONFIDENTIALITY: Final = "1.2.643.5.1.13.13.99.2.285"
SEXES: Final = "1.2.643.5.1.13.13.11.1040"
OWN_CODES: Final = "2.25.303467415911870437402719238573204617153"
"""Our code lists: an OID made from a UUID needs no registration (X.667)."""
SECTIONS, STUDIES, FACTS, INFECTIONS, NUMBERS = (f"{OWN_CODES}.{last}" for last in range(1, 6))
TITLE: Final = "Медицинское заключение по результатам медицинского осмотра работника"

SEX_CODES: Final = {Sex.MALE: "1", Sex.FEMALE: "2"}
TITLES: Final = {
    "referral": "Направление",
    "work": "Вид работ",
    "commission": "Врачебная комиссия",
    "infections": "Перенесённые инфекции",
    "vaccinations": "Прививки",
    "specialists": "Осмотры специалистов",
    "lab": "Лабораторные исследования",
    "instrumental": "Инструментальные исследования",
    "measurements": "Измерения и осмотр",
    "attestation": "Гигиеническая подготовка",
    "further": "Дополнительные исследования",
    "conclusion": "Заключение",
}
"""Sections in the document's order."""
BY_KIND: Final = {
    ItemKind.PHYSICIAN: "specialists",
    ItemKind.LAB: "lab",
    ItemKind.INSTRUMENTAL: "instrumental",
    ItemKind.MEASUREMENT: "measurements",
    ItemKind.ATTESTATION: "attestation",
    ItemKind.FURTHER: "further",
}
KIND_OF: Final = {section: kind for kind, section in BY_KIND.items()}
OUTCOMES: Final = {
    Fitness.FIT: "Медицинские противопоказания не выявлены",
    Fitness.FIT_WITH_RESTRICTIONS: "Допущен с ограничениями",
    Fitness.TEMPORARILY_UNFIT: "Выявлены временные медицинские противопоказания",
    Fitness.UNFIT: "Выявлены постоянные медицинские противопоказания",
}
RECORDS: Final = {
    RecordKind.DONE: "привит",
    RecordKind.HAD_DISEASE: "болел",
    RecordKind.IMMUNE: "иммунитет подтверждён серологически",
    RecordKind.EXEMPTION: "медицинский отвод",
    RecordKind.REFUSAL: "отказ",
}
WORDS: Final = {
    "number": "Номер направления",
    "date": "Дата направления",
    "book": "Номер ЭЛМК",
    "point": "Пункт приказа № 29н",
    "name": "Наименование работ",
    "occupation": "Профессия",
    "kind": "Вид осмотра",
    "member": "Член комиссии",
    "fitness": "Вывод",
    "restrictions": "Ограничения",
    "contraindications": "Противопоказания",
    "until": "По (включительно)",
    "note": "Примечание",
    "dose": "Доза",
    "last_day": "Отвод по (включительно)",
}
KINDS: Final = {
    ExaminationKind.PRE_PLACEMENT: "предварительный",
    ExaminationKind.PERIODIC: "периодический",
}

MOSCOW: Final = timezone(timedelta(hours=3))
"""By whose days a document is dated; since 2014 without summer time."""

Element = Any
Fact = tuple[str, str, str]
"""Code, value for machines, words for people."""


def write(statement: Statement) -> bytes:
    """Return the document; always the same bytes for the same statement."""
    root = etree.Element(_v3("ClinicalDocument"), nsmap={None: V3, "xsi": XSI})
    _header(root, statement)
    body = _add(_add(root, "component"), "structuredBody")
    for code, facts in stories(statement).items():
        _facts(body, code, facts)
        if code == "commission":
            _infections(body, statement.shots)
            _vaccinations(body, statement.shots)
            for section, kind in KIND_OF.items():
                studies = [each for each in statement.studies if each.kind is kind]
                if studies:
                    _studies(body, section, studies)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def read(raw: bytes) -> Statement:
    """Return what a document says.

    Raises ``DocumentUnsafe``, ``DocumentTooLarge`` or ``DocumentRefused`` with the rule it breaks.
    """
    root = schema.check(raw)
    try:
        return _read(root)
    except (ValueError, KeyError, AttributeError, StopIteration, InvalidValue, Invalid) as error:
        raise DocumentRefused("content") from error


def _header(root: Element, said: Statement) -> None:
    _add(root, "realmCode", code="RU")
    _add(root, "typeId", root="2.16.840.1.113883.1.3", extension="POCD_MT000040")
    _add(root, "templateId", root=TEMPLATE)
    _add(root, "id", root=said.root, extension=said.extension)
    code = _code(root, "code", "502", DOCUMENT_TYPES, TITLE)
    _code(code, "translation", "230", DOCUMENT_KINDS, f"{TITLE} (CDA) Редакция 1")
    _add(root, "title", TITLE)
    _add(root, "effectiveTime", value=_moment(said.signed_at))
    _code(root, "confidentialityCode", "N", CONFIDENTIALITY, "Обычный")
    _add(root, "languageCode", code="ru-RU")
    series_root, _, series = said.series.partition("^")
    _add(root, "setId", root=series_root, extension=series)
    _add(root, "versionNumber", value=str(said.version))
    _patient(root, said)
    author = _add(root, "author")
    _add(author, "time", value=_moment(said.signed_at))
    _signer(_add(author, "assignedAuthor"), said)
    custodian = _add(_add(root, "custodian"), "assignedCustodian")
    _organisation(custodian, "representedCustodianOrganization", said.clinic)
    authenticator = _add(root, "legalAuthenticator")
    _add(authenticator, "time", value=_moment(said.signed_at))
    _add(authenticator, "signatureCode", code="S")
    _signer(_add(authenticator, "assignedEntity"), said)


def _patient(root: Element, said: Statement) -> None:
    role = _add(_add(root, "recordTarget"), "patientRole")
    _add(role, "id", root=SNILS, extension=said.snils)
    patient = _add(role, "patient")
    name = _add(patient, "name")
    _add(name, "family", said.name.last)
    _add(name, "given", said.name.first)
    if said.name.patronymic:
        _add(name, "given", said.name.patronymic)
    shown = {Sex.MALE: "Мужской", Sex.FEMALE: "Женский"}[said.sex]
    _code(patient, "administrativeGenderCode", SEX_CODES[said.sex], SEXES, shown)
    _add(patient, "birthTime", value=_day(said.born_on))


def _signer(parent: Element, said: Statement) -> None:
    _add(parent, "id", root=f"{said.clinic.oid}.100.1.1.70", extension=said.chair_id)
    _add(_add(parent, "assignedPerson"), "name", said.chair)
    _organisation(parent, "representedOrganization", said.clinic)


def _organisation(parent: Element, tag: str, clinic: Organisation) -> None:
    made = _add(parent, tag)
    _add(made, "id", root=clinic.oid)
    if clinic.ogrn:
        _add(made, "id", root=OGRN, extension=clinic.ogrn)
    _add(made, "name", clinic.name)
    if clinic.phone:
        _add(made, "telecom", value=f"tel:{clinic.phone}")
    if clinic.address:
        _add(made, "addr", clinic.address)


def stories(said: Statement) -> dict[str, list[Fact]]:
    """Return the sections made of plain facts; the others follow the commission."""
    outcome = said.conclusion
    referral = [
        ("number", said.application, said.application),
        ("date", _day(said.referred_on), _words(said.referred_on)),
    ]
    if said.book_number:
        referral.append(("book", said.book_number, said.book_number))
    conclusion = [("fitness", outcome.fitness.value, OUTCOMES[outcome.fitness])]
    for code, text in (
        ("restrictions", outcome.restrictions),
        ("contraindications", outcome.contraindications),
        ("until", _day(outcome.until) if outcome.until else ""),
        ("note", outcome.note),
    ):
        if text:
            shown = _words(outcome.until) if code == "until" and outcome.until else text
            conclusion.append((code, text, shown))
    return {
        "referral": referral,
        "work": [
            ("point", said.point, said.point),
            ("name", said.work, said.work),
            ("occupation", said.occupation, said.occupation),
            ("kind", said.kind.value, KINDS[said.kind]),
        ],
        "commission": [("member", each, each) for each in said.commission],
        "conclusion": conclusion,
    }


def _section(body: Element, code: str, lines: Iterable[str]) -> Element:
    section = _add(_add(body, "component"), "section")
    _code(section, "code", code, SECTIONS, TITLES[code])
    _add(section, "title", TITLES[code])
    told = _add(_add(section, "text"), "list")
    for line in lines:
        _add(told, "item", line)
    return section


def _facts(body: Element, code: str, facts: list[Fact]) -> None:
    section = _section(body, code, [f"{WORDS[name]}: {shown}" for name, _, shown in facts])
    for name, value, shown in facts:
        _fact(_add(section, "entry"), name, value, shown)


def _fact(parent: Element, code: str, value: str, shown: str) -> None:
    made = _add(parent, "observation", classCode="OBS", moodCode="EVN")
    _code(made, "code", code, FACTS, WORDS[code])
    _add(made, "text", shown)
    _add(made, "statusCode", code="completed")
    _value(made, value)


def _studies(body: Element, code: str, studies: list[Study]) -> None:
    lines = [f"{each.name}: {each.shown}, {_words(each.performed_on)}" for each in studies]
    section = _section(body, code, lines)
    for study in studies:
        made = _add(_add(section, "entry"), "observation", classCode="OBS", moodCode="EVN")
        if study.number:
            _add(made, "id", root=NUMBERS, extension=study.number)
        _code(made, "code", study.code, STUDIES, study.name)
        _add(made, "text", study.shown)
        _add(made, "statusCode", code="completed")
        _days(made, study.performed_on, study.valid_until)
        _value(made, study.value)
        _add(made, "interpretationCode", code="A" if study.deviation else "N")
        if study.performer:
            _add(_add(_add(made, "performer"), "representedOrganization"), "name", study.performer)
        if study.device:
            device = _add(_add(made, "participant", typeCode="DEV"), "playingDevice")
            _add(device, "manufacturerModelName", study.device)


def _infections(body: Element, shots: tuple[Shot, ...]) -> None:
    _records(body, "infections", [each for each in shots if each.kind is RecordKind.HAD_DISEASE])


def _vaccinations(body: Element, shots: tuple[Shot, ...]) -> None:
    _records(
        body, "vaccinations", [each for each in shots if each.kind is not RecordKind.HAD_DISEASE]
    )


def _records(body: Element, code: str, shots: list[Shot]) -> None:
    if not shots:
        return
    lines = [f"{each.name}: {RECORDS[each.kind]}, {_words(each.on)}" for each in shots]
    section = _section(body, code, lines)
    for shot in shots:
        entry = _add(section, "entry")
        if shot.kind is RecordKind.DONE:
            made = _add(entry, "substanceAdministration", classCode="SBADM", moodCode="EVN")
        else:
            made = _add(entry, "observation", classCode="OBS", moodCode="EVN")
        _code(made, "code", shot.code, INFECTIONS, shot.name)
        _add(made, "text", RECORDS[shot.kind])
        _add(made, "statusCode", code="completed")
        _days(made, shot.on, shot.until)
        if shot.kind is RecordKind.DONE:
            material = _add(_add(made, "consumable"), "manufacturedMaterial")
            _add(material, "name", shot.vaccine)
            _add(material, "lotNumberText", shot.series)
            if shot.dose:
                _fact(_add(made, "entryRelationship", typeCode="COMP"), "dose", *[shot.dose] * 2)
        else:
            _value(made, shot.kind.value)


def _days(parent: Element, first: date, last: date | None) -> None:
    made = _add(parent, "effectiveTime")
    _add(made, "low", value=_day(first))
    if last is not None:
        _add(made, "high", value=_day(last))


def _value(parent: Element, text: str) -> None:
    made = _add(parent, "value", text)
    made.set(f"{{{XSI}}}type", "ST")


def _code(parent: Element, tag: str, code: str, system: str, name: str) -> Element:
    return _add(parent, tag, code=code, codeSystem=system, displayName=name)


def _add(parent: Element, tag: str, text: str = "", /, **attributes: str) -> Element:
    made = etree.SubElement(parent, _v3(tag), attributes)
    if text:
        made.text = text
    return made


def _v3(tag: str) -> str:
    return f"{{{V3}}}{tag}"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _words(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(MOSCOW):%Y%m%d%H%M%S%z}"


_NS: Final = {"v": V3}


def _read(root: Element) -> Statement:
    patient = _at(root, "v:recordTarget/v:patientRole")
    given = [each.text or "" for each in _all(patient, "v:patient/v:name/v:given")]
    document = _at(root, "v:id")
    sections = {
        _at(each, "v:code").get("code"): each
        for each in _all(root, "v:component/v:structuredBody/v:component/v:section")
    }
    facts = {code: _facts_of(section) for code, section in sections.items()}
    referral, work, end = (dict(facts[code]) for code in ("referral", "work", "conclusion"))
    clinic = _at(root, "v:custodian/v:assignedCustodian/v:representedCustodianOrganization")
    chair = _at(root, "v:legalAuthenticator/v:assignedEntity")
    made = Statement(
        application=referral["number"],
        version=int(_at(root, "v:versionNumber").get("value")),
        signed_at=_read_moment(_at(root, "v:effectiveTime").get("value")),
        name=FullName.parse(
            last=_text(patient, "v:patient/v:name/v:family"),
            first=given[0],
            patronymic=given[1] if len(given) > 1 else "",
        ),
        born_on=_read_day(_at(patient, "v:patient/v:birthTime").get("value")),
        sex=next(
            sex
            for sex, code in SEX_CODES.items()
            if code == _at(patient, "v:patient/v:administrativeGenderCode").get("code")
        ),
        snils=_at(patient, "v:id").get("extension"),
        referred_on=_read_day(referral["date"]),
        kind=ExaminationKind(work["kind"]),
        point=work["point"],
        work=work["name"],
        occupation=work["occupation"],
        book_number=referral.get("book", ""),
        clinic=_read_organisation(clinic),
        chair_id=_at(chair, "v:id").get("extension"),
        chair=_text(chair, "v:assignedPerson/v:name"),
        commission=tuple(value for _, value in facts["commission"]),
        studies=tuple(
            _read_study(made, kind)
            for code, kind in KIND_OF.items()
            if code in sections
            for made in _all(sections[code], "v:entry/v:observation")
        ),
        shots=tuple(
            _read_shot(made)
            for code in ("infections", "vaccinations")
            if code in sections
            for made in _all(sections[code], "v:entry/*")
        ),
        conclusion=Conclusion(
            fitness=Fitness(end["fitness"]),
            restrictions=end.get("restrictions", ""),
            until=_read_day(end["until"]) if "until" in end else None,
            note=end.get("note", ""),
            contraindications=end.get("contraindications", ""),
        ),
    )
    if (document.get("root"), document.get("extension")) != (made.root, made.extension):
        raise DocumentRefused("id")
    return made


def _read_organisation(found: Element) -> Organisation:
    numbers = {each.get("root"): each.get("extension") or "" for each in _all(found, "v:id")}
    phone = found.find("v:telecom", _NS)
    return Organisation(
        oid=_at(found, "v:id").get("root"),
        name=_text(found, "v:name"),
        ogrn=numbers.get(OGRN, ""),
        address=found.findtext("v:addr", "", _NS),
        phone="" if phone is None else phone.get("value").removeprefix("tel:"),
    )


def _facts_of(section: Element) -> list[tuple[str, str]]:
    return [
        (_at(each, "v:code").get("code"), _text(each, "v:value"))
        for each in _all(section, "v:entry/v:observation")
        if _at(each, "v:code").get("codeSystem") == FACTS
    ]


def _read_study(made: Element, kind: ItemKind) -> Study:
    code, number = _at(made, "v:code"), made.find("v:id", _NS)
    return Study(
        code=code.get("code"),
        name=code.get("displayName"),
        kind=kind,
        value=_text(made, "v:value"),
        shown=_text(made, "v:text"),
        deviation=_at(made, "v:interpretationCode").get("code") == "A",
        performed_on=_read_day(_at(made, "v:effectiveTime/v:low").get("value")),
        valid_until=_last_day(made),
        performer=made.findtext("v:performer/v:representedOrganization/v:name", "", _NS),
        device=made.findtext("v:participant/v:playingDevice/v:manufacturerModelName", "", _NS),
        number="" if number is None else number.get("extension"),
    )


def _read_shot(made: Element) -> Shot:
    code = _at(made, "v:code")
    is_done = etree.QName(made).localname == "substanceAdministration"
    material = "v:consumable/v:manufacturedMaterial"
    return Shot(
        code=code.get("code"),
        name=code.get("displayName"),
        kind=RecordKind.DONE if is_done else RecordKind(_text(made, "v:value")),
        on=_read_day(_at(made, "v:effectiveTime/v:low").get("value")),
        dose=made.findtext("v:entryRelationship/v:observation/v:value", "", _NS),
        vaccine=made.findtext(f"{material}/v:name", "", _NS),
        series=made.findtext(f"{material}/v:lotNumberText", "", _NS),
        until=_last_day(made),
    )


def _last_day(made: Element) -> date | None:
    last = made.find("v:effectiveTime/v:high", _NS)
    return None if last is None else _read_day(last.get("value"))


def _read_day(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 a day has no zone


def _read_moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M%S%z").astimezone(UTC)


def _at(parent: Element, path: str) -> Element:
    found = parent.find(path, _NS)
    if found is None:
        raise KeyError(path)
    return found


def _all(parent: Element, path: str) -> list[Element]:
    return parent.findall(path, _NS)


def _text(parent: Element, path: str) -> str:
    return _at(parent, path).text or ""
