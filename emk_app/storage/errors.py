"""Refusals that are about checking a file and not about the file's form."""

from __future__ import annotations

from emk_app.domain.errors import DomainError, InvalidValue


class ScanInfected(InvalidValue):
    """The virus scanner knows the file; ``name`` is what the scanner calls it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"infected with {name}")
        self.name = name


class ScanCheckUnavailable(DomainError):
    """Files can't be checked just now, so none is accepted (D42): try again later."""


class ESignatureCheckUnavailable(DomainError):
    """Signatures of this kind can't be checked just now: try again later."""
