"""Mail by SMTP: over TLS from the start, or by STARTTLS, which is then not optional."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from emk_app.domain.contacts import Email
from emk_app.domain.gateways import Security, SmtpServer
from emk_app.outbound.transports import Letter, NotSent, Postponed, Refused, Unavailable

PATIENCE: Final = 10.0
"""Seconds to wait for each answer; a letter takes at most eight of them, less than a lease."""


class Smtp:
    """Hands letters to one server, a connection each."""

    def __init__(
        self,
        server: SmtpServer,
        sender: Address,
        *,
        manage_url: str = "",
        context: ssl.SSLContext | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._server = server
        self._sender = sender
        self._manage_url = manage_url
        self._context = context or ssl.create_default_context()
        self._patience = patience

    def send(self, letter: Letter, at: datetime) -> None:
        """Return once the server has taken the letter; raise what became of it otherwise."""
        message = self.message(letter, at)
        try:
            with self._connected() as connection:
                try:
                    connection.send_message(message)
                except smtplib.SMTPException as error:
                    raise _of_letter(error) from None
        except NotSent:
            raise
        except (smtplib.SMTPException, OSError) as error:
            raise _of_server(error) from None

    def message(self, letter: Letter, at: datetime) -> EmailMessage:
        """Return the letter as it goes over the wire; the same letter has the same Message-ID."""
        said = EmailMessage(policy=SMTP)
        domain = self._sender.domain
        local, _, host = Email(letter.recipient).ascii.rpartition("@")
        said["From"] = self._sender
        said["To"] = Address(username=local, domain=host)
        said["Subject"] = letter.subject
        said["Date"] = at
        name = hashlib.sha256(letter.dedupe.encode()).hexdigest()[:40]
        said["Message-ID"] = f"<{name}@{domain}>"
        said["Auto-Submitted"] = "auto-generated"
        said["X-Auto-Response-Suppress"] = "All"
        said["List-Id"] = f"<notices.{domain}>"
        if letter.is_optional and self._manage_url:
            said["List-Unsubscribe"] = f"<{self._manage_url}>"
        said.set_content(letter.text + "\n", cte="base64")
        return said

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        connection = (
            smtplib.SMTP_SSL(timeout=self._patience, context=self._context)
            if server.security is Security.TLS
            else smtplib.SMTP(timeout=self._patience)
        )
        try:
            # ``connect`` takes the name from here, which TLS then checks.
            connection._host = server.host  # pyright: ignore[reportAttributeAccessIssue]
            code, _ = connection.connect(server.host, server.port)
            if code != 220:
                raise Unavailable("busy")
            if server.security is Security.STARTTLS:
                connection.starttls(context=self._context)
            if server.user:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection


def _of_letter(error: smtplib.SMTPException) -> NotSent:
    """Tell what an answer to a letter means: 5xx is for good, 4xx for now (RFC 5321, 4.2.1)."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _ in error.recipients.values()]
        case smtplib.SMTPNotSupportedError():
            return Refused("refused")
        case smtplib.SMTPResponseException():
            codes = [error.smtp_code]
        case _:
            return Unavailable("unreachable")
    if 421 in codes:
        return Unavailable("busy")
    if isinstance(error, smtplib.SMTPSenderRefused) and codes[0] // 100 == 5:
        # Our own address is not liked: no fault of this letter.
        return Unavailable("unauthorized")
    return Refused("refused") if codes[0] // 100 == 5 else Postponed("busy")


def _of_server(error: Exception) -> NotSent:
    match error:
        case smtplib.SMTPAuthenticationError() | smtplib.SMTPNotSupportedError():
            return Unavailable("unauthorized")
        case ssl.SSLError():
            return Unavailable("unauthorized")
        case smtplib.SMTPResponseException():
            return Unavailable("busy")
        case _:
            return Unavailable("unreachable")
