"""What one row of a register of clinics says: field names of the federal register, and ours."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Final

from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.errors import DomainError, InvalidValue, NotAChoice, Required, TooLong
from emk_app.domain.numbers import Inn, Ogrn, Okpo
from emk_app.domain.occupations import POINTS
from emk_app.domain.people import parse_date
from emk_app.domain.regions import REGIONS
from emk_app.domain.values import Problems, one_line, read_digits

_OID: Final = re.compile(r"1\.2\.643\.5\.1\.13\.13\.12\.[1-4]\.\d{1,2}\.\d{1,6}")
"""Organisations of the health system; the last part but one is the region (НСИ)."""
_YES: Final = frozenset({"да", "1", "true", "yes", "+"})
_NO: Final = frozenset({"нет", "0", "false", "no", "-", ""})
_LICENCES: Final = {
    "действует": LicenceStatus.ACTIVE,
    "приостановлена": LicenceStatus.SUSPENDED,
    "прекращена": LicenceStatus.ENDED,
    "": LicenceStatus.UNKNOWN,
    **{status.value: status for status in LicenceStatus},
}
_KINDS: Final = (
    (ClinicKind.POLYCLINIC, ("поликлин", "амбулатор")),
    (ClinicKind.HOSPITAL, ("больниц", "госпитал")),
    (ClinicKind.CENTRE, ("центр", "диспансер", "медико-санитарн")),
)
"""Beginnings of words by which the guide's three types are told from each other («Шаг 3»)."""


class NotAnOid(InvalidValue):
    """Not an OID of a medical organisation: 1.2.643.5.1.13.13.12.*.RR.N."""


class NotAFlag(InvalidValue):
    """Neither «да» nor «нет»."""


class NotAMedicalKind(InvalidValue):
    """Neither a polyclinic nor a hospital nor a centre: nobody is examined there for a book."""


class OidRepeated(InvalidValue):
    """An OID that an earlier line of the same file has."""


class DemoNotAccepted(InvalidValue):
    """A made-up clinic where people look for real ones."""


class NotARegister(DomainError):
    """The file has no header with ``oid``, ``nameFull`` and ``regionId``, or is no table at all."""


class ColumnsAmiss(InvalidValue):
    """A row with more or fewer cells than the header."""


class NotText(InvalidValue):
    """A row that is not text in the encoding of the file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A clinic as the register has it; the names are those of the table's columns."""

    oid: str
    name: str
    short_name: str = ""
    kind: ClinicKind = ClinicKind.CENTRE
    region_code: str = ""
    inn: str = ""
    kpp: str = ""
    ogrn: str = ""
    okpo: str = ""
    federal_id: str = ""
    subject_id: str = ""
    subject_name: str = ""
    department: str = ""
    parent_oid: str = ""
    address: str = ""
    phone: str = ""
    hours: str = ""
    licence_number: str = ""
    licence_status: LicenceStatus = LicenceStatus.UNKNOWN
    licensed_on: date | None = None
    licensed_until: date | None = None
    has_electronic_policy: bool = False
    is_connected: bool = False
    has_oms_contract: bool = False
    points: str = ""
    is_demo: bool = False
    deleted_on: date | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says of a clinic: an entry, and which of its columns the file has at all."""

    entry: Entry
    columns: frozenset[str]

    def values(self) -> dict[str, Any]:
        """Return the columns that the file has, with what it says."""
        return {name: getattr(self.entry, name) for name in COLUMNS if name in self.columns}

    def digest(self) -> str:
        """Return the same 32 digits for the same said values."""
        said = "\x1f".join(f"{name}={value}" for name, value in self.values().items())
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


COLUMNS: Final = tuple(field.name for field in fields(Entry))
REQUIRED: Final = ("oid", "nameFull", "regionId")


def read_header(cells: Iterable[str]) -> list[str]:
    """Return the known names of a file's columns in its order, "" for those that mean nothing here.

    Raises ``Required`` where ``oid``, ``nameFull`` or ``regionId`` is missing.
    """
    known = {name.casefold(): name for name in (*_FIELDS, *_KIND_FIELDS)}
    header = [known.get(cell.strip().lstrip("\ufeff").casefold(), "") for cell in cells]
    if not set(REQUIRED) <= set(header):
        raise Required
    return header


def read(row: Mapping[str, str], *, today: date, accepts_demo: bool = True) -> Said:
    """Read one row by the register's field names; raise ``Invalid`` with those names.

    A deletion after ``today`` is not one yet; a licence that ended before ``today`` has ended,
    whatever its status says.
    """
    problems = Problems()
    found: dict[str, Any] = {}
    for name, text in row.items():
        if name in _FIELDS:
            column, parse = _FIELDS[name]
            found[column] = problems.take(name, parse, text)
    found["kind"] = problems.take("organizationType", _kind_of, row)
    if found.get("is_demo") and not accepts_demo:
        problems.fields["demo"] = DemoNotAccepted()
    problems.raise_any()
    found["short_name"] = found.get("short_name") or found["name"][:350]
    if (until := found.get("licensed_until")) and until < today:
        found["licence_status"] = LicenceStatus.ENDED
    if (deleted_on := found.get("deleted_on")) and deleted_on > today:
        found["deleted_on"] = None
    return Said(Entry(**found), frozenset(found))


def written(entry: Entry) -> dict[str, str]:
    """Return the row that is read as this entry."""
    values = asdict(entry)
    return {name: _shown(values[column]) for name, (column, _) in _FIELDS.items()} | {
        "licenceStatus": next(
            word for word, status in _LICENCES.items() if status is entry.licence_status
        ),
        "organizationType": _KIND_NAMES[entry.kind],
    }


def parse_oid(text: str) -> str:
    """Read the OID of a medical organisation; raise ``Required`` or ``NotAnOid``."""
    line = _line(text, 60)
    if not line:
        raise Required
    if not is_oid(line):
        raise NotAnOid
    return line


def is_oid(text: str) -> bool:
    """Whether the text is the OID of a medical organisation."""
    return _OID.fullmatch(text) is not None


def _kind_of(row: Mapping[str, str]) -> ClinicKind:
    """Tell the type by what the register calls it, else by its name; or ``NotAMedicalKind``."""
    called = " ".join(row.get(name, "") for name in _KIND_FIELDS).casefold()
    for text in (called, row.get("nameFull", "").casefold()):
        for kind, beginnings in _KINDS:
            if any(beginning in text for beginning in beginnings):
                return kind
    raise NotAMedicalKind


def _line(text: str, limit: int) -> str:
    """Return the text on one line; plain ones, nearly all, by the short way."""
    if not text.isprintable():
        return one_line(text, limit)
    line = " ".join(text.split())
    if len(line) > limit:
        raise TooLong(limit)
    return line


def _text(limit: int, *, required: bool = False) -> Callable[[str], str]:
    def parse(text: str) -> str:
        line = _line(text, limit)
        if required and not line:
            raise Required
        return line

    return parse


def _optional(parse: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: parse(text) if text.strip() else ""


def _date(text: str) -> date | None:
    # The federal register also writes a time of the day after the date.
    bare = text.strip().split("T")[0].split(" ")[0]
    return parse_date(bare) if bare else None


def _flag(text: str) -> bool:
    word = text.strip().casefold()
    if word not in _YES | _NO:
        raise NotAFlag
    return word in _YES


def _licence(text: str) -> LicenceStatus:
    word = text.strip().casefold()
    if word not in _LICENCES:
        raise NotAChoice
    return _LICENCES[word]


def _region(text: str) -> str:
    code = text.strip().zfill(2)
    if code not in REGIONS:
        raise NotAChoice
    return code


def _points(text: str) -> str:
    points = sorted({point for point in re.split(r"[,;\s]+", text) if point})
    if not set(points) <= set(POINTS):
        raise NotAChoice
    return ",".join(points)


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "да" if value else "нет"
        case date():
            return f"{value:%d.%m.%Y}"
        case _:
            return str(value)


_FIELDS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "oid": ("oid", parse_oid),
    "nameFull": ("name", _text(400, required=True)),
    "nameShort": ("short_name", _text(350)),
    "regionId": ("region_code", _region),
    "inn": ("inn", _optional(lambda text: Inn.parse(text).digits)),
    "kpp": ("kpp", _optional(lambda text: read_digits(text, 9))),
    "ogrn": ("ogrn", _optional(lambda text: Ogrn.parse(text).digits)),
    "okpo": ("okpo", _optional(lambda text: Okpo.parse(text).digits)),
    "id": ("federal_id", _text(20)),
    "medicalSubjectId": ("subject_id", _text(20)),
    "medicalSubjectName": ("subject_name", _text(350)),
    "moDeptName": ("department", _text(350)),
    "parentOid": ("parent_oid", _optional(parse_oid)),
    "address": ("address", _text(400)),
    "phone": ("phone", _text(60)),
    "hours": ("hours", _text(120)),
    "licenceNumber": ("licence_number", _text(40)),
    "licenceStatus": ("licence_status", _licence),
    "licenceDate": ("licensed_on", _date),
    "licenceEndDate": ("licensed_until", _date),
    "omsContract": ("has_oms_contract", _flag),
    "connected": ("is_connected", _flag),
    "electronicPolicy": ("has_electronic_policy", _flag),
    "points": ("points", _points),
    "demo": ("is_demo", _flag),
    "deleteDate": ("deleted_on", _date),
}
_KIND_FIELDS: Final = ("organizationType", "moAgencyKind")
HEADER: Final = (*_FIELDS, "organizationType")
_KIND_NAMES: Final = {
    ClinicKind.POLYCLINIC: "Поликлиника",
    ClinicKind.HOSPITAL: "Больница",
    ClinicKind.CENTRE: "Центр",
}
