"""Faults: logged under a number that the person is told, never in the error's own words."""

from __future__ import annotations

import logging
import secrets
import traceback

from emk_app import figures


def note(log: logging.Logger, where: str, error: BaseException) -> str:
    """Log ``error`` and return its incident number."""
    incident = secrets.token_hex(4)
    figures.INCIDENTS.labels(log.name, type(error).__name__).inc()
    log.error("incident %s at %s: %s", incident, where, trace(error), extra={"incident": incident})
    return incident


def trace(error: BaseException) -> str:
    """Return on one line what kinds of errors led to this one, and the lines they passed.

    Their messages are left out: they quote what people type and what the database holds (D44).
    """
    said: list[str] = []
    current: BaseException | None = error
    while current is not None:
        passed = " > ".join(
            f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno}"
            for frame in traceback.extract_tb(current.__traceback__, limit=-12)
        )
        said.append(f"{type(current).__name__} [{passed}]")
        current = current.__cause__ or current.__context__
    return " from ".join(said)
