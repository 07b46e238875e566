"""The environment, read once into one frozen value; what is wrong stops the start."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from emk_app.crypto.backends import Backends
from emk_app.domain.contacts import Email, Phone
from emk_app.domain.errors import InvalidValue
from emk_app.domain.exchange import Format
from emk_app.domain.gateways import Security, SmtpServer

K = TypeVar("K", bound=StrEnum)

DEFAULT_PORTS = {"http": 80, "https": 443}
DEMO_SUPPORT = Address("Поддержка ЭМК Онлайн", "support", "emk.example.ru")
DEMO_HOTLINE = "+78000000000"
SMTP_SCHEMES = {
    "smtps": (Security.TLS, 465),
    "smtp": (Security.STARTTLS, 587),
    "smtp+plain": (Security.NONE, 25),
}
SHORTEST_TOKEN = 32
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Environment(StrEnum):
    """What kind of world the process serves."""

    DEV = "dev"
    TEST = "test"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How the log is written."""

    PLAIN = "plain"
    JSON = "json"


class BadSetting(ValueError):
    """A variable of the environment can't be used; the message names it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """A provider of identities, as OpenID Connect names its parts."""

    issuer: str
    client: str
    secret: Path
    """File with the client's secret."""
    name: str
    """What people call it, as it stands on the button after «Войти через»."""
    scope: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator of the service decides."""

    environment: Environment
    host: str
    port: int
    origin: str
    """Scheme, host and port under which browsers see the service; no trailing slash."""
    data: Path
    """Folder for the embedded database, keys and files; mode 0700."""
    database_url: str
    redis_url: str | None
    trusted_proxy_hops: int
    clamd: str | None
    """Address of the virus scanner, like ``tcp:127.0.0.1:3310``; without it scans go unscanned."""
    trusted_roots: Path
    """Folder of the issuers' certificates that holders' electronic signatures are trusted by."""
    reads_pictures: bool
    """Whether passports are read by the extra ``ocr``; else people do it."""
    smtp: SmtpServer | None
    """Who takes our mail; without one, letters wait in the outbox, or go to the demo's file."""
    mail_from: Address | None
    """The sender of our mail; there is one wherever there is a server."""
    support_mail: Address
    """Where people write when something is stuck."""
    support_phone: str
    """The hotline, in E.164; empty where there is none."""
    sms_url: str | None
    """Address of the SMS gateway (docs/sms-gateway.md)."""
    sms_token: str = field(repr=False)
    sms_sender: str
    exchange_url: str | None
    """Where signed conclusions go (docs/exchange.md); without one they wait, or go to ourselves."""
    exchange_format: Format
    logs_as_json: bool
    """Whether the log is in lines of JSON, for machines, or in plain ones, for eyes."""
    drain: int
    """Seconds for which a process that was told to stop says so before it goes."""
    audit_anchor: Path | None
    """File outside the data folder to which the head of the audit chain is added once a day."""
    anchor_url: str | None
    """Address of a machine that keeps the head of the audit chain, sent every hour."""
    anchor_token: str = field(repr=False)
    erased_list: Path
    """File of the pseudonyms of those who were forgotten, for after a restore (D53)."""
    operator: str
    """Who answers for the personal data, with the address: acts of destruction name it."""
    least_free: int
    """Bytes that must be free in the data folder for the service to call itself ready."""
    metrics_host: str
    metrics_port: int | None
    """Where figures for Prometheus are served; nowhere without a port."""
    metrics_token: str = field(repr=False)
    """Bearer token that Prometheus shows; demanded wherever others than this machine may ask."""
    exchanges_with_itself: bool
    """The embedded default outside production: our own receiving end, over real HTTP."""
    key_backends: Backends = field(repr=False)
    """What opens signing keys that lie in a container or a module (docs/keys.md)."""
    stamp_url: str | None
    """Address of a time-stamp server (RFC 3161), whose word extracts carry; without one, none."""
    identity_provider: ProviderSettings | None
    """Who else signs people in (OpenID Connect); without one, passwords alone do."""
    test_clock: Path | None
    """File with an offset in seconds added to the clock; never in production."""

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def is_demo(self) -> bool:
        """Whether demo people, the outbox page and the component page exist."""
        return not self.is_production

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https, so that cookies carry ``Secure`` and ``__Host-``."""
        return self.origin.startswith("https://")


def read(environ: Mapping[str, str]) -> Settings:
    """Build the settings; raise ``BadSetting`` rather than fall back where a value is unusable."""
    environment = _choice(environ, "EMK_ENV", Environment, Environment.DEV)
    port = _number(environ, "EMK_PORT", 8000, low=1, high=65535)
    data = Path(environ.get("EMK_DATA") or ".data").resolve()
    origin = _origin(environ.get("EMK_ORIGIN") or f"http://localhost:{port}")
    clock = environ.get("EMK_TEST_CLOCK")
    if environment is Environment.PRODUCTION:
        if not environ.get("EMK_ORIGIN"):
            raise BadSetting("EMK_ORIGIN", "must be set in production")
        if not origin.startswith("https://"):
            raise BadSetting("EMK_ORIGIN", "must be https in production")
        if clock:
            raise BadSetting("EMK_TEST_CLOCK", "refused in production")
        if not environ.get("EMK_DATA"):
            raise BadSetting("EMK_DATA", "must be set in production")
        if not environ.get("EMK_SUPPORT_MAIL"):
            raise BadSetting("EMK_SUPPORT_MAIL", "must be set in production")
        for name in ("EMK_SMTP_URL", "EMK_SMS_URL", "EMK_EXCHANGE_URL"):
            if not environ.get(name):
                raise BadSetting(
                    name, "must be set in production; none says that messages wait unsent"
                )
        for name in ("CODESPACES", "CODESPACE_NAME"):
            if environ.get(name):
                raise BadSetting(name, "a development workspace can't serve production")
    smtp = _smtp(environ.get("EMK_SMTP_URL"))
    mail_from = _address(environ, "EMK_MAIL_FROM")
    if smtp is not None and mail_from is None:
        raise BadSetting("EMK_MAIL_FROM", "must be set beside EMK_SMTP_URL")
    sms_url = _gateway_url(environ, "EMK_SMS_URL", "https://sms.example.ru/messages")
    sms_token = _token(environ, "EMK_SMS_TOKEN")
    if sms_url is not None and not sms_token:
        raise BadSetting("EMK_SMS_TOKEN", "must be set beside EMK_SMS_URL")
    exchange_url = _gateway_url(environ, "EMK_EXCHANGE_URL", "https://oms.example.ru/documents")
    usual_log = LogFormat.JSON if environment is Environment.PRODUCTION else LogFormat.PLAIN
    metrics_host = environ.get("EMK_METRICS_HOST") or "127.0.0.1"
    metrics_token = _token(environ, "EMK_METRICS_TOKEN")
    if metrics_host not in LOOPBACK and len(metrics_token) < SHORTEST_TOKEN:
        raise BadSetting(
            "EMK_METRICS_TOKEN", "must have 32 signs or more where others may ask for figures"
        )
    metrics_port = _number(environ, "EMK_METRICS_PORT", 0, low=0, high=65535) or None
    if metrics_port == port:
        raise BadSetting("EMK_METRICS_PORT", "must not be the port of the site")
    return Settings(
        environment=environment,
        host=environ.get("EMK_HOST") or "127.0.0.1",
        port=port,
        origin=origin,
        data=data,
        database_url=environ.get("EMK_DATABASE_URL") or f"sqlite:///{data / 'emk.db'}",
        redis_url=_redis(environ, environment),
        trusted_proxy_hops=_number(environ, "EMK_TRUSTED_PROXY_HOPS", 0, low=0, high=10),
        clamd=environ.get("EMK_CLAMD") or None,
        trusted_roots=Path(environ.get("EMK_TRUSTED_ROOTS") or data / "trusted-roots").resolve(),
        reads_pictures=_reads_pictures(environ),
        smtp=smtp,
        mail_from=mail_from,
        support_mail=_address(environ, "EMK_SUPPORT_MAIL") or DEMO_SUPPORT,
        support_phone=_phone(environ, environment),
        sms_url=sms_url,
        sms_token=sms_token,
        sms_sender=_sms_sender(environ.get("EMK_SMS_SENDER") or ""),
        exchange_url=exchange_url,
        exchange_format=_choice(environ, "EMK_EXCHANGE_FORMAT", Format, Format.CDA),
        logs_as_json=_choice(environ, "EMK_LOG", LogFormat, usual_log) is LogFormat.JSON,
        drain=_number(environ, "EMK_DRAIN_SECONDS", 0, low=0, high=60),
        audit_anchor=_outside(environ, "EMK_AUDIT_ANCHOR", data),
        anchor_url=_gateway_url(
            environ, "EMK_AUDIT_ANCHOR_URL", "https://anchors.example.ru/heads"
        ),
        anchor_token=_token(environ, "EMK_AUDIT_ANCHOR_TOKEN"),
        erased_list=Path(environ.get("EMK_ERASED_LIST") or data / "erased.jsonl").resolve(),
        operator=environ.get("EMK_OPERATOR") or "",
        least_free=_number(environ, "EMK_LEAST_FREE_MB", 200, low=0, high=10**9) * 1024**2,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        metrics_token=metrics_token,
        exchanges_with_itself=(
            environment is not Environment.PRODUCTION and not environ.get("EMK_EXCHANGE_URL")
        ),
        key_backends=_key_backends(environ),
        stamp_url=_gateway_url(environ, "EMK_TSA_URL", "https://tsa.example.ru"),
        identity_provider=_identity_provider(environ),
        test_clock=Path(clock) if clock else None,
    )


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return read(os.environ)


def _key_backends(environ: Mapping[str, str]) -> Backends:
    module = environ.get("EMK_PKCS11_MODULE") or ""
    if module:
        for name in ("EMK_PKCS11_TOKEN", "EMK_PKCS11_PIN_FILE"):
            if not environ.get(name):
                raise BadSetting(name, "must be set beside EMK_PKCS11_MODULE")
        if importlib.util.find_spec("pkcs11") is None:
            raise BadSetting("EMK_PKCS11_MODULE", "the extra hsm is not installed")
    return Backends(
        passphrase=_secret_file(environ, "EMK_PKCS12_PASSPHRASE_FILE"),
        module=Path(module).resolve() if module else None,
        token=environ.get("EMK_PKCS11_TOKEN") or "",
        pin=_secret_file(environ, "EMK_PKCS11_PIN_FILE"),
    )


def _identity_provider(environ: Mapping[str, str]) -> ProviderSettings | None:
    issuer = _gateway_url(environ, "EMK_OIDC_ISSUER", "https://id.example.ru")
    if issuer is None:
        return None
    if urlsplit(issuer).query:
        raise BadSetting("EMK_OIDC_ISSUER", "must have no query")
    client = _token(environ, "EMK_OIDC_CLIENT")
    if not client:
        raise BadSetting("EMK_OIDC_CLIENT", "must be set beside EMK_OIDC_ISSUER")
    secret = _secret_file(environ, "EMK_OIDC_SECRET_FILE")
    if secret is None or not secret.is_file():
        raise BadSetting("EMK_OIDC_SECRET_FILE", "must name a file beside EMK_OIDC_ISSUER")
    name = (environ.get("EMK_OIDC_NAME") or "ЕСИА").strip()
    if not 0 < len(name) <= 40 or not name.isprintable():
        raise BadSetting("EMK_OIDC_NAME", "must be up to 40 printable signs")
    scope = (environ.get("EMK_OIDC_SCOPE") or "openid snils").split()
    if "openid" not in scope:
        raise BadSetting("EMK_OIDC_SCOPE", "must hold openid")
    return ProviderSettings(issuer, client, secret, name, " ".join(scope))


def _secret_file(environ: Mapping[str, str], name: str) -> Path | None:
    """Read where a secret lies; never beside the sources, where it would be given away."""
    text = environ.get(name)
    if not text:
        return None
    path = Path(text).resolve()
    if path.is_relative_to(Path(__file__).parents[1]) and "site-packages" not in path.parts:
        raise BadSetting(name, "a secret does not lie in the folder of the sources")
    return path


def _redis(environ: Mapping[str, str], environment: Environment) -> str | None:
    """Read where the state of screens lies: whoever writes there runs code in us (D31)."""
    url = environ.get("EMK_REDIS_URL")
    if not url:
        return None
    name, like = "EMK_REDIS_URL", "must be like rediss://emk:password@redis.example.ru:6379/0"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadSetting(name, like) from None
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise BadSetting(name, like)
    if parts.scheme == "redis" and parts.hostname not in LOOPBACK:
        raise BadSetting(name, "must be rediss://, except on this machine itself")
    if environment is Environment.PRODUCTION and parts.scheme != "unix" and not parts.password:
        raise BadSetting(name, "must have a password in production")
    return url


def _reads_pictures(environ: Mapping[str, str]) -> bool:
    wanted = environ.get("EMK_OCR") or "auto"
    if wanted not in ("auto", "on", "off"):
        raise BadSetting("EMK_OCR", "must be auto, on or off")
    is_installed = all(importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime"))
    if wanted == "on" and not is_installed:
        raise BadSetting("EMK_OCR", "the extra is not installed: run .ci/setup ocr")
    return is_installed and wanted != "off"


def _smtp(text: str | None) -> SmtpServer | None:
    """Read ``smtps://user:password@host``, ``smtp://…`` (STARTTLS) or ``smtp+plain://…``.

    Without encryption only a relay on this machine is spoken to.
    """
    if not text or text == "none":
        return None
    name, like = "EMK_SMTP_URL", "must be like smtps://user:password@mail.example.ru:465"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BadSetting(name, like) from None
    if parts.scheme not in SMTP_SCHEMES or not parts.hostname:
        raise BadSetting(name, like)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadSetting(name, "must be scheme, user, password, host and port only")
    security, usual = SMTP_SCHEMES[parts.scheme]
    if security is Security.NONE and parts.hostname not in LOOPBACK:
        raise BadSetting(name, "must be encrypted, except to this machine itself")
    if bool(parts.username) != bool(parts.password):
        raise BadSetting(name, "must have both user and password, or neither")
    return SmtpServer(
        parts.hostname,
        port or usual,
        security,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def _address(environ: Mapping[str, str], name: str) -> Address | None:
    """Read ``ЭМК Онлайн <noreply@example.ru>``, or the address alone."""
    text = environ.get(name)
    if not text:
        return None
    shown, said = parseaddr(text)
    try:
        local, _, domain = Email.parse(said).ascii.rpartition("@")
        return Address(shown or "ЭМК Онлайн", local, domain)
    except (InvalidValue, ValueError):
        raise BadSetting(name, "must be like ЭМК Онлайн <noreply@example.ru>") from None


def _phone(environ: Mapping[str, str], environment: Environment) -> str:
    """Read the number of the hotline; the demo has one that nobody answers."""
    text = environ.get("EMK_SUPPORT_PHONE")
    if not text:
        return "" if environment is Environment.PRODUCTION else DEMO_HOTLINE
    try:
        return Phone.parse(text).e164
    except (InvalidValue, ValueError):
        raise BadSetting("EMK_SUPPORT_PHONE", "must be a phone like +74951234567") from None


def _gateway_url(environ: Mapping[str, str], name: str, example: str) -> str | None:
    text = environ.get(name)
    if not text or text == "none":
        return None
    like = f"must be like {example}"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise BadSetting(name, like) from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username or parts.fragment:
        raise BadSetting(name, like)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise BadSetting(name, "must be https, except to this machine itself")
    return text


def _outside(environ: Mapping[str, str], name: str, data: Path) -> Path | None:
    """Read the path of a file that whoever changes the data folder does not change with it."""
    text = environ.get(name)
    if not text:
        return None
    path = Path(text).resolve()
    if path.is_relative_to(data):
        raise BadSetting(name, "must be outside EMK_DATA, best on another machine's disk")
    return path


def _token(environ: Mapping[str, str], name: str) -> str:
    text = environ.get(name) or ""
    if not text.isascii() or any(not " " < sign < "\x7f" for sign in text):
        raise BadSetting(name, "must be printable ASCII without spaces")
    return text


def _sms_sender(text: str) -> str:
    """Read the name messages come from; operators take up to 11 Latin letters, digits and signs."""
    if not re.fullmatch(r"[A-Za-z0-9 ._-]{0,11}", text):
        raise BadSetting("EMK_SMS_SENDER", "must be up to 11 Latin letters and digits")
    return text


def _number(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = environ.get(name)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise BadSetting(name, f"{text!r} is not a number") from None
    if not low <= value <= high:
        raise BadSetting(name, f"must be from {low} to {high}")
    return value


def _choice(environ: Mapping[str, str], name: str, kind: type[K], default: K) -> K:
    text = environ.get(name)
    if not text:
        return default
    try:
        return kind(text)
    except ValueError:
        raise BadSetting(name, f"must be one of {', '.join(kind)}") from None


def _origin(text: str) -> str:
    """Return the origin exactly as browsers write it, or they would be taken for strangers."""
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:
        raise BadSetting("EMK_ORIGIN", "must be like https://emk.example.ru") from None
    if parts.scheme not in DEFAULT_PORTS or not host or "*" in text:
        raise BadSetting("EMK_ORIGIN", "must be like https://emk.example.ru")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise BadSetting("EMK_ORIGIN", "must be scheme, host and port only")
    host = f"[{host}]" if ":" in host else host
    is_default = port in (None, DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}" + ("" if is_default else f":{port}")
