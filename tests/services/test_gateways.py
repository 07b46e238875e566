"""What our gateways do with every answer of a real server on the other side."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from emk_app.domain.gateways import Security, SmtpServer
from emk_app.outbound.sms import SmsGateway
from emk_app.outbound.smtp import Smtp
from emk_app.outbound.transports import Letter, NotSent, Postponed, Refused, Unavailable

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SENDER = Address("ЭМК Онлайн", "noreply", "emk.example.ru")
MANAGE = "https://emk.example.ru/cabinet/notices/settings"
TEXT = "Медкнижка готова. Подтвердите получение в личном кабинете." + "ё" * 400
MAIL = Letter("email", "anna@example.ru", TEXT, "book:1:v1:email", "Медкнижка готова", True)
SMS = Letter("sms", "+79125550102", "Медкнижка готова.", "book:1:v1:sms")
SHORT = 0.4


class Sink:
    """A mail server that takes everything, or answers what it is told to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.to_rcpt = self.to_data = ""
        self.hangs_up = False

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any):
        if self.to_rcpt:
            return self.to_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.hangs_up:
            server.transport.abort()
            return "421 gone"
        if self.to_data:
            return self.to_data
        self.taken.append(envelope.content)
        self.recipients.append(envelope.rcpt_tos)
        return "250 taken"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of "localhost" that only this test trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    """Start a mail server without encryption."""
    taken = Sink()
    controller = Controller(taken, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield taken, controller.port
    controller.stop()


def plain(port: int, **more: Any) -> Smtp:
    return Smtp(SmtpServer("127.0.0.1", port, Security.NONE), SENDER, manage_url=MANAGE, **more)


def outcome(gateway: Smtp | SmsGateway, letter: Letter) -> NotSent:
    with pytest.raises(NotSent) as caught:
        gateway.send(letter, AT)
    assert letter.recipient not in str(caught.value)
    return caught.value


def test_letter_arrives_whole_in_russian_and_says_that_a_machine_wrote_it(sink: tuple[Sink, int]):
    taken, port = sink
    plain(port).send(MAIL, AT)
    (raw,) = taken.taken
    read = BytesParser(policy=default).parsebytes(raw)
    assert taken.recipients == [["anna@example.ru"]]
    assert read["subject"] == "Медкнижка готова"
    assert str(read["from"]) == "ЭМК Онлайн <noreply@emk.example.ru>"
    assert read.get_content().strip().replace("\r\n", "\n") == TEXT
    assert read["auto-submitted"] == "auto-generated"
    assert read["list-id"] == "<notices.emk.example.ru>"
    assert read["list-unsubscribe"] == f"<{MANAGE}>"
    assert read["date"].datetime == AT
    assert all(len(line) <= 998 and line.isascii() for line in raw.split(b"\r\n"))


def test_what_can_not_be_switched_off_offers_no_way_to_do_so(sink: tuple[Sink, int]):
    taken, port = sink
    plain(port).send(Letter("email", MAIL.recipient, "x", "code:1", "Код"), AT)
    assert b"List-Unsubscribe" not in taken.taken[0]


def test_letter_sent_twice_is_known_by_its_message_id(sink: tuple[Sink, int]):
    taken, port = sink
    for letter in (MAIL, MAIL, Letter("email", MAIL.recipient, "x", "other", "Другое")):
        plain(port).send(letter, AT)
    ids = [BytesParser(policy=default).parsebytes(raw)["message-id"] for raw in taken.taken]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@emk.example.ru>") and "book" not in ids[0]


def test_russian_domain_is_written_as_dns_knows_it(sink: tuple[Sink, int]):
    taken, port = sink
    plain(port).send(Letter("email", "anna@почта.рф", "x", "1", "Тема"), AT)
    assert taken.recipients == [["anna@xn--80a1acny.xn--p1ai"]]


@pytest.mark.parametrize(
    ("at", "answer", "kind", "reason"),
    [
        ("rcpt", "550 no such user anna@example.ru", Refused, "refused"),
        ("rcpt", "450 mailbox busy", Postponed, "busy"),
        ("rcpt", "421 closing", Unavailable, "busy"),
        ("data", "554 looks like spam", Refused, "refused"),
        ("data", "452 no space", Postponed, "busy"),
    ],
)
def test_answer_of_the_mail_server_decides(
    sink: tuple[Sink, int], at: str, answer: str, kind: type[NotSent], reason: str
):
    taken, port = sink
    setattr(taken, f"to_{at}", answer)
    error = outcome(plain(port), MAIL)
    assert (type(error), error.reason) == (kind, reason)


def test_mail_server_that_hangs_up_is_tried_again(sink: tuple[Sink, int]):
    taken, port = sink
    taken.hangs_up = True
    assert type(outcome(plain(port), MAIL)) is Unavailable


def test_mail_server_that_is_not_there_or_says_nothing_is_tried_again():
    assert type(outcome(plain(free_port()), MAIL)) is Unavailable
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        gateway = plain(silent.getsockname()[1], patience=SHORT)
        assert type(outcome(gateway, MAIL)) is Unavailable


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_mail_over_tls_with_a_password(security: Security, certificate: Path):
    taken = Sink()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate)

    def known(_s: Any, _session: Any, _e: Any, _mechanism: str, said: Any) -> AuthResult:
        assert isinstance(said, LoginPassword)
        is_right = (said.login, said.password) == (b"emk", b"word")
        return AuthResult(success=is_right, handled=False)

    more: dict[str, Any] = {"authenticator": known, "auth_required": True}
    if security is Security.TLS:
        more |= {"ssl_context": serving, "auth_require_tls": False}
    else:
        more |= {"tls_context": serving, "require_starttls": True}
    controller = Controller(taken, hostname="127.0.0.1", port=free_port(), **more)
    controller.start()
    try:
        trusting = ssl.create_default_context(cafile=str(certificate))
        right = SmtpServer("localhost", controller.port, security, "emk", "word")
        wrong = SmtpServer("localhost", controller.port, security, "emk", "other")
        Smtp(right, SENDER, context=trusting).send(MAIL, AT)
        assert len(taken.taken) == 1
        error = outcome(Smtp(wrong, SENDER, context=trusting), MAIL)
        assert (type(error), error.reason) == (Unavailable, "unauthorized")
        # A certificate that nobody vouches for is no protection.
        assert type(outcome(Smtp(right, SENDER), MAIL)) is Unavailable
    finally:
        controller.stop()
    assert len(taken.taken) == 1


def test_password_is_not_said_to_a_server_without_encryption(sink: tuple[Sink, int]):
    _, port = sink
    server = SmtpServer("127.0.0.1", port, Security.STARTTLS, "emk", "word")
    assert type(outcome(Smtp(server, SENDER), MAIL)) is Unavailable


class Receiver(ThreadingHTTPServer):
    """An SMS gateway after docs/sms-gateway.md, that can also be told to misbehave."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.accepted: dict[str, dict[str, str]] = {}
        self.calls: list[dict[str, str]] = []
        self.answer: tuple[int, dict[str, str], bytes] | None = None
        self.behaviour = ""
        self.woken = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/messages"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append(dict(self.headers))
        if self.server.behaviour == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.connection.close()
            return
        if self.server.behaviour == "slow":
            self.server.woken.wait(10)
            return
        code, headers, body = self.server.answer or (0, {}, b"")
        if not code:
            key = self.headers["Idempotency-Key"]
            known = self.server.accepted.setdefault(key, said)
            code, body = 202, json.dumps({"id": f"m-{known['id']}"}).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.woken.set()
    made.shutdown()
    made.server_close()


def gateway(receiver: Receiver, **more: Any) -> SmsGateway:
    return SmsGateway(receiver.url, "t0ken", sender="EMK", **more)


def test_message_is_accepted_once_however_often_it_is_sent(receiver: Receiver):
    for _ in range(2):
        gateway(receiver).send(SMS, AT)
    assert receiver.accepted == {
        SMS.dedupe: {"id": SMS.dedupe, "to": SMS.recipient, "text": SMS.text, "sender": "EMK"}
    }
    assert len(receiver.calls) == 2
    assert {call["Authorization"] for call in receiver.calls} == {"Bearer t0ken"}


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (400, Refused, "refused"),
        (422, Refused, "refused"),
        (401, Unavailable, "unauthorized"),
        (403, Unavailable, "unauthorized"),
        (404, Unavailable, "unauthorized"),
        (408, Postponed, "busy"),
        (429, Unavailable, "busy"),
        (500, Unavailable, "busy"),
        (503, Unavailable, "busy"),
        (302, Unavailable, "unclear"),
    ],
)
def test_answer_of_the_sms_gateway_decides(
    receiver: Receiver, code: int, kind: type[NotSent], reason: str
):
    receiver.answer = (code, {"Location": "http://127.0.0.1:1/"}, b'{"id": "1"}')
    error = outcome(gateway(receiver), SMS)
    assert (type(error), error.reason) == (kind, reason)
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>sign in</html>", b"[]", b"{}", b'{"id": null}', b'"' + b"x" * 10**6]
)
def test_good_answer_that_names_no_message_is_not_believed(receiver: Receiver, body: bytes):
    receiver.answer = (200, {}, body)
    error = outcome(gateway(receiver), SMS)
    assert (type(error), error.reason) == (Unavailable, "unclear")


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ("90", timedelta(seconds=90)),
        ("Mon, 23 Nov 2026 09:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 23 Nov 2026 08:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("", None),
    ],
)
def test_gateway_may_ask_to_wait(receiver: Receiver, said: str, pause: timedelta | None):
    receiver.answer = (429, {"Retry-After": said}, b"")
    assert outcome(gateway(receiver), SMS).retry_after == pause


@pytest.mark.parametrize("behaviour", ["reset", "slow"])
def test_gateway_that_breaks_off_or_says_nothing_is_tried_again(receiver: Receiver, behaviour: str):
    receiver.behaviour = behaviour
    sending = gateway(receiver, patience=SHORT)
    assert type(outcome(sending, SMS)) is Unavailable
    receiver.behaviour = ""
    receiver.woken.set()
    sending.send(SMS, AT)
    assert list(receiver.accepted) == [SMS.dedupe]


def test_gateway_that_is_not_there_is_tried_again():
    nobody = SmsGateway(f"http://127.0.0.1:{free_port()}/", "t0ken")
    assert type(outcome(nobody, SMS)) is Unavailable
