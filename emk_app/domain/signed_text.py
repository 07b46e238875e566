"""What the applicant's electronic signature is put under: the form, read, as one plain document.

It is made from the values, not from what was typed: another spelling of the same number changes
nothing. Papers, consent and clinic are no part of it: they may change without the form.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Final, cast

from emk_app.domain.applications import TrackingNumber
from emk_app.domain.intake import Applicant
from emk_app.domain.occupations import Occupation

FORMAT: Final = "emk.application/1"


def document(number: TrackingNumber, applicant: Applicant) -> dict[str, object]:
    """Return the document to be put into canonical form (RFC 8785) and signed.

    It follows the fields of ``Applicant`` whatever they are; what is left empty is left out.
    """
    return {"format": FORMAT, "number": number.slug, "applicant": _plain(applicant)}


def _plain(value: object) -> object:
    """Return a value as JSON says it: a value of one part as that part, dates in ISO form."""
    match value:
        case None | bool() | int():
            return value
        case StrEnum():
            return value.value
        case str():
            return unicodedata.normalize("NFC", value)
        case date():
            return value.isoformat()
        case Occupation():
            # The rest of the line is reference data, which may be put right later.
            return value.code
        case tuple():
            return [_plain(each) for each in cast("tuple[object, ...]", value)]
        case _ if dataclasses.is_dataclass(value):
            parts = {
                field.name: _plain(getattr(value, field.name))
                for field in dataclasses.fields(value)
            }
            if len(parts) == 1:
                return next(iter(parts.values()))
            return {name: part for name, part in parts.items() if part not in (None, "")}
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a signed text")
