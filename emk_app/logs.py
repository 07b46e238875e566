"""How the log is written: one line a record, in words or in JSON, without personal data (D44).

Our own records quote nothing that people typed; this is the net under those of others.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Final

from emk_app import incidents

HIDDEN: Final = "…"

_PRIVATE: Final = re.compile(
    "|".join(
        (
            # Our log is in English: Russian in it is a name, an address, an answer in a form.
            r"[А-Яа-яЁё]+(?:[ \-.,]+[А-Яа-яЁё]+)*",
            r"(?:\\u04[0-9a-f]{2})+",
            r"(?:%d[01]%[89ab][0-9a-f])+",
            r"(?:\\xd[01]\\x[89ab][0-9a-f])+",
            # Mail addresses, encoded too.
            r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+",
            # Secrets in addresses of gateways and databases.
            r"(?<=://)[^\s/@]+@",
            # Digests and keys; what else is a secret tells by its letters, below.
            r"\b(?:[0-9a-f]{2}){16,}\b",
            # Dates of birth and of papers.
            r"\b\d{2}\.\d{2}\.\d{4}\b",
            r"\b\d{4}-\d{2}-\d{2}\b",
            # СНИЛС, phones, passports, policies.
            r"\+?\d(?:(?:[ ()\-+]|%2[089bd]){0,4}\d){8,}",
        )
    ),
    re.IGNORECASE,
)
_CASED: Final = re.compile(
    r"(?<![\w/.-])(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{20,}"
    r"|\b[A-Z2-7]{16,}\b"
)
_SIX: Final = re.compile(r"(?<!\d)\d{6}(?!\d)")
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def clean(text: str, *, is_ours: bool = True) -> str:
    """Return ``text`` on one line, with what may be somebody's hidden.

    Numbers of six digits are identities of rows where the words are ours, else codes and indexes.
    """
    hidden = _CASED.sub(HIDDEN, _PRIVATE.sub(HIDDEN, text))
    return _BREAKS.sub(" ", hidden if is_ours else _SIX.sub(HIDDEN, hidden))


class PlainLines(logging.Formatter):
    """``LEVEL logger: message``, for eyes."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = _fields(record)
        error = f" ({fields['error']})" if "error" in fields else ""
        return f"[{record.levelname}] {fields['logger']}: {fields['message']}{error}"


class JsonLines(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"at": at, "level": record.levelname.lower(), **_fields(record)})


def configuration(*, as_json: bool) -> dict[str, Any]:
    """Return what ``logging.config.dictConfig`` wants, the server's own loggers included."""
    kind = JsonLines if as_json else PlainLines
    console = {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stdout"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": f"{kind.__module__}.{kind.__qualname__}"}},
        "handlers": {"console": console},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "_granian": {"handlers": ["console"], "level": "INFO", "propagate": False},
            "granian.access": {"handlers": ["console"], "level": "INFO", "propagate": False},
        },
    }


def _fields(record: logging.LogRecord) -> dict[str, str]:
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        message = "a record that can't be put together"
    fields = {
        "logger": record.name,
        "message": clean(message, is_ours=record.name.startswith("emk.")),
    }
    if isinstance(incident := getattr(record, "incident", None), str):
        fields["incident"] = incident
    if record.exc_info and record.exc_info[1] is not None:
        # Kinds and places, never the words: they quote what was typed.
        fields["error"] = incidents.trace(record.exc_info[1])
    return fields
