"""The command line: ``python -m emk_app.cli``."""

from __future__ import annotations

import argparse
import csv
import errno
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from emk_app import clock, working
from emk_app.crypto.errors import KeyFolderBroken, KeyRefused
from emk_app.crypto.messages import key_id, read_public
from emk_app.crypto.signing import KeyUse
from emk_app.crypto.trustlist import ListRefused
from emk_app.db import copies, migrations
from emk_app.db.engine import reading
from emk_app.demo import register, world
from emk_app.domain.actors import SYSTEM, Position, Role
from emk_app.domain.errors import DomainError, InvalidValue
from emk_app.domain.register import parse_oid
from emk_app.domain.retention import TABLE
from emk_app.domain.specialties import SPECIALTIES
from emk_app.domain.values import read_words
from emk_app.frontend import ROOT, serve
from emk_app.hardening import close_to_others
from emk_app.keys import exchange_key, key_folder, keystore, require_signers
from emk_app.outbound import anchors
from emk_app.presenting import offline as offline_words
from emk_app.presenting import registers
from emk_app.services import (
    accounts,
    auditing,
    barring,
    delivering,
    erasing,
    exchanging,
    importing,
    offline,
    receiving,
    recovering,
    registering,
    retaining,
    rewrapping,
    rotating,
)
from emk_app.settings import settings
from emk_app.storage import archives

REFUSALS: Final = (
    archives.BadArchive,
    archives.BadPassphrase,
    auditing.BadAnchor,
    copies.NoTool,
    copies.NotEmpty,
    copies.ToolFailed,
    recovering.Unusable,
    anchors.NotKept,
    FileExistsError,
    FileNotFoundError,
)
"""What the command line tells in a sentence, beside the errors of the domain."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    options = _parser().parse_args(arguments)
    close_to_others()
    try:
        return options.run(options)
    except (DomainError, *REFUSALS) as error:
        print(f"refused: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except (KeyRefused, KeyFolderBroken) as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1


def _create_user(options: argparse.Namespace) -> int:
    user_id = accounts.create_user(
        options.role,
        options.login,
        options.password,
        totp_secret=options.totp_secret,
        name=options.name,
        clinic_id=options.clinic,
        position=options.position,
        own_specialties=options.specialty,
        now=clock.now(),
    )
    print(f"user {user_id}")
    return 0


def _shut(options: argparse.Namespace) -> int:
    now = clock.now()
    if options.act == "unbar":
        barring.unbar(SYSTEM, options.login, now=now)
        print("let in again")
        return 0
    acts = {"bar": barring.bar, "take-factors": barring.take_factors}
    act = acts.get(options.act, barring.end_sessions)
    print(f"sessions ended: {act(SYSTEM, options.login, now=now)}")
    return 0


def _seed(_options: argparse.Namespace) -> int:
    if settings().is_production:
        print("refused: there are no demo people in production", file=sys.stderr)
        return 1
    world.build()
    world.print_people()
    return 0


def _codes(_options: argparse.Namespace) -> int:
    if settings().is_production:
        print("refused: there are no demo people in production", file=sys.stderr)
        return 1
    world.print_people()
    return 0


def _openapi(_options: argparse.Namespace) -> int:
    # The whole site is loaded, which no other command needs.
    from emk_app.api.openapi import written
    from emk_app.emk_app import ENDPOINTS

    print(written(ENDPOINTS), end="")
    return 0


def _keys(options: argparse.Namespace) -> int:
    now = clock.now()
    match options.act:
        case "add":
            if options.pkcs12:
                name = rotating.add_container(
                    SYSTEM, options.use, options.pkcs12, root=options.root, now=now
                )
            elif options.pkcs11:
                if options.certificate is None:
                    print("name the file of its certificates: --certificate", file=sys.stderr)
                    return 2
                name = rotating.add_in_module(
                    SYSTEM,
                    options.use,
                    options.pkcs11,
                    options.certificate,
                    root=options.root,
                    now=now,
                )
            else:
                name = rotating.add(SYSTEM, options.use, now=now)
            print(name)
        case "activate":
            rotating.activate(SYSTEM, options.name, now=now)
        case "retire":
            rotating.retire(SYSTEM, options.name, now=now)
        case "compromise":
            rotating.compromise(SYSTEM, options.name, now=now)
        case "rotate":
            print(f"master key {rewrapping.rotate(SYSTEM, now=now)}")
        case "drop":
            rewrapping.drop(SYSTEM, options.number, now=now)
        case act:
            keystore()
            if act == "check":
                require_signers()
            print(f"keys in {key_folder()}")
            for key in rotating.keys(SYSTEM):
                turn = "signs" if key.signs else "-"
                print(
                    f"{key.name}  {key.use}  {key.status}  {turn}  {key.store}  "
                    f"{key.not_before:%Y-%m-%d}..{key.not_after:%Y-%m-%d}"
                )
            if act == "masters":
                ring, under = keystore().keyring, rewrapping.left()
                for kid in ring.kids:
                    turn = "seals" if kid == ring.current else "-"
                    print(f"master {kid}  {turn}  {under[kid]} values")
    return 0


def _upgrade(options: argparse.Namespace) -> int:
    settings().data.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrations.upgrade(options.revision)
    return 0


def _downgrade(options: argparse.Namespace) -> int:
    migrations.downgrade(options.revision)
    return 0


def _verify_audit(options: argparse.Namespace) -> int:
    """Check every entry, and that none of the anchored ones has gone."""
    path = options.anchors or settings().audit_anchor
    heads = auditing.anchors(path) if path is not None and path.exists() else []
    with reading() as db:
        broken = auditing.first_broken(db)
        lost = auditing.first_unanchored(db, heads)
    if broken is not None:
        print(f"broken at entry {broken}")
    elif lost is not None:
        print(f"entry {lost.id} was anchored and is not there as it was")
    else:
        print(f"the audit chain holds, {len(heads)} anchors compared")
    return 0 if broken is None and lost is None else 1


def _anchor_audit(_options: argparse.Namespace) -> int:
    path, url = settings().audit_anchor, settings().anchor_url
    if path is None and url is None:
        print("refused: neither EMK_AUDIT_ANCHOR nor EMK_AUDIT_ANCHOR_URL is set", file=sys.stderr)
        return 1
    if path is not None:
        auditing.anchor(path, now=clock.now())
    if url is not None:
        auditing.anchor_by_post(url, settings().anchor_token, now=clock.now())
    return 0


def _back_up(options: argparse.Namespace) -> int:
    size = recovering.back_up(settings(), _sealed(options), _sealed_keys(options), now=clock.now())
    print(f"{size} bytes in {options.file}")
    return 0


def _restore(options: argparse.Namespace) -> int:
    if options.verify:
        return _prove(options)
    proof = recovering.restore(settings(), _sealed(options), _sealed_keys(options), now=clock.now())
    print(
        f"as it was: {proof.rows} rows, {proof.audit_entries} entries of audit;"
        f" opened what is sealed of {proof.people} people and {proof.files} files"
    )
    return 0


def _prove(options: argparse.Namespace) -> int:
    """Restore into a place that is thrown away, in a process that knows no other place."""
    url = settings().database_url
    with tempfile.TemporaryDirectory(prefix="emk-verify-") as name:
        data = Path(name) / "data"
        data.mkdir(mode=0o700)
        environment = os.environ | {
            "EMK_DATA": str(data),
            "EMK_DATABASE_URL": f"sqlite:///{data / 'emk.db'}",
            "EMK_TRUSTED_ROOTS": "",
            "EMK_AUDIT_ANCHOR": "",
            "EMK_AUDIT_ANCHOR_URL": "",
        }
        arguments = ["restore", str(options.file.resolve())]
        arguments += ["--passphrase-file", str(options.passphrase_file.resolve())]
        if options.with_keys is None:
            recovering.copy_keys(settings(), data)
        else:
            arguments += ["--with-keys", str(options.with_keys.resolve())]
            arguments += ["--keys-passphrase-file", str(options.keys_passphrase_file.resolve())]
        beside = None
        if make_url(url).get_backend_name() != "sqlite":
            beside = f"emk_verify_{secrets.token_hex(6)}"
            environment["EMK_DATABASE_URL"] = copies.make_beside(url, beside)
        try:
            return subprocess.run(
                [sys.executable, "-m", "emk_app.cli", *arguments],
                env=environment,
                cwd=ROOT,
                check=False,
            ).returncode
        finally:
            if beside is not None:
                copies.drop_beside(url, beside)


def _sealed(options: argparse.Namespace) -> recovering.Sealed:
    return recovering.Sealed(options.file, archives.read_passphrase(options.passphrase_file))


def _sealed_keys(options: argparse.Namespace) -> recovering.Sealed | None:
    if options.with_keys is None:
        return None
    if options.keys_passphrase_file is None:
        raise archives.BadPassphrase("the keys want --keys-passphrase-file")
    passphrase = archives.read_passphrase(options.keys_passphrase_file)
    if passphrase == archives.read_passphrase(options.passphrase_file):
        raise archives.BadPassphrase("the keys want a passphrase of their own")
    return recovering.Sealed(options.with_keys, passphrase)


def _erase(options: argparse.Namespace) -> int:
    if options.act == "replay":
        path = options.list or settings().erased_list
        print(f"forgotten anew: {erasing.replay(SYSTEM, path, now=clock.now())}")
        return 0
    if not options.yes:
        print("refused: this can't be undone, say --yes", file=sys.stderr)
        return 2
    print(f"act {erasing.erase(SYSTEM, options.login, now=clock.now())}")
    return 0


def _retention(options: argparse.Namespace) -> int:
    now = clock.now()
    for each, count in retaining.due(SYSTEM, now=now).items():
        line = TABLE[each]
        print(f"{each}  {line.term.days} days since {line.since}, then {line.then}: {count} due")
    if not options.dry_run:
        retaining.run(0, now)
    return 0


def _run_jobs(_options: argparse.Namespace) -> int:
    print(f"jobs tried: {working.once(now=clock.now())}")
    return 0


def _import_clinics(options: argparse.Namespace) -> int:
    with options.file.open("rb") as file:
        wrong = csv.writer(sys.stdout, delimiter=";")
        report = importing.import_file(
            SYSTEM,
            file,
            now=clock.now(),
            dry_run=options.dry_run,
            name=options.file.name,
            on_bad=lambda row: wrong.writerows(registers.bad_lines(row)),
        )
    if not options.dry_run:
        registering.note(SYSTEM, options.file.name, report, now=clock.now())
    done = report.put
    print(
        f"{'would be ' if options.dry_run else ''}added {done.added}, changed {done.changed},"
        f" removed {done.removed}; unchanged {done.unchanged}, bad {report.bad},"
        f" of {report.rows} rows",
        file=sys.stderr,
    )
    return 1 if report.bad else 0


def _generate_clinics(options: argparse.Namespace) -> int:
    with options.file.open("w", encoding="utf-8-sig", newline="") as file:
        count = register.write(file, register.entries(options.count))
    print(f"{count} made-up clinics in {options.file}")
    return 0


def _outbox(options: argparse.Namespace) -> int:
    if options.act == "list":
        for letter in delivering.stuck(SYSTEM, now=clock.now()):
            kind = letter.kind or "unreadable"
            print(
                f"{letter.id}  {letter.created_at:%Y-%m-%d %H:%M}  {letter.channel}  "
                f"{letter.recipient or '-'}  {kind}  {letter.state}  "
                f"{letter.failure or '-'}  tries {letter.attempts}"
            )
        return 0
    if options.letter is None:
        print("name the letter by its number", file=sys.stderr)
        return 2
    act = delivering.retry if options.act == "retry" else delivering.drop
    act(SYSTEM, options.letter, now=clock.now())
    return 0


def _exchange_key(_options: argparse.Namespace) -> int:
    key = exchange_key()
    print(f"key {key.key_id}", file=sys.stderr)
    print(key.public_pem, end="")
    return 0


def _partners(options: argparse.Namespace) -> int:
    if options.act == "list":
        for each in exchanging.list_partners(SYSTEM):
            state = f"removed {each.removed_at:%Y-%m-%d}" if each.removed_at else "in use"
            receipts = "signs receipts" if each.signs_receipts else "-"
            print(f"{each.key_id}  {state}  {receipts}  {each.name}  {' '.join(each.oids) or '-'}")
        return 0
    if options.act == "remove":
        exchanging.remove_partner(SYSTEM, options.key_id, now=clock.now())
        return 0
    try:
        public = read_public(options.key.read_bytes())
        oids = tuple(parse_oid(oid) for oid in options.oid)
        name = read_words(options.name, 2, 80)
    except (ValueError, InvalidValue) as error:
        print(f"refused: {type(error).__name__}", file=sys.stderr)
        return 1
    exchanging.add_partner(
        SYSTEM,
        name,
        public,
        key_id(public),
        oids=oids,
        signs_receipts=options.signs_receipts,
        now=clock.now(),
    )
    print(key_id(public))
    return 0


def _shipments(options: argparse.Namespace) -> int:
    if options.act == "list":
        for each in exchanging.stuck(SYSTEM, now=clock.now()):
            print(
                f"{each.id}  {each.created_at:%Y-%m-%d %H:%M}  examination {each.examination_id}  "
                f"{each.format}  {each.state}  {each.failure or '-'}  tries {each.attempts}"
            )
        return 0
    if options.number is None:
        print("name the document by its number", file=sys.stderr)
        return 2
    act = exchanging.retry if options.act == "retry" else exchanging.drop
    act(SYSTEM, options.number, now=clock.now())
    return 0


def _received(options: argparse.Namespace) -> int:
    if options.act == "list":
        for each in receiving.undecided(SYSTEM, now=clock.now()):
            print(
                f"{each.id}  {each.received_at:%Y-%m-%d %H:%M}  {each.clinic_oid}  {each.state}  "
                f"{each.doubt or '-'}  {each.partner}"
            )
        return 0
    if options.number is None:
        print("name the document by its number", file=sys.stderr)
        return 2
    if options.act == "compare":
        print(receiving.compare_again(SYSTEM, options.number, now=clock.now()))
    else:
        receiving.drop(SYSTEM, options.number, now=clock.now())
    return 0


def _verify(options: argparse.Namespace) -> int:
    """Check without the server; the exit status says what spoke against it (docs/formats.md)."""
    now = options.at or clock.now()
    try:
        root = options.root.read_bytes() if options.root else None
        listed = options.trust_list.read_bytes()
        marked = options.status_list.read_bytes() if options.status_list else None
        said = options.what
        raw = said.encode() if "#" in said else _file_or_text(said)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return offline_words.CAN_T_READ
    try:
        published = offline.read_trust_list(listed, root, now=now)
    except ListRefused as error:
        print(offline_words.REFUSED_LISTS[error.problem], file=sys.stderr)
        return offline_words.LIST_REFUSED
    statuses = None
    try:
        if marked is not None:
            # Under the same root as the list of keys, whoever named it.
            statuses = offline.read_status_list(marked, published.trust.roots[0], now=now)
    except ListRefused as error:
        print(offline_words.REFUSED_STATUSES[error.problem], file=sys.stderr)
        return offline_words.STATUSES_REFUSED
    try:
        check = offline.verify(raw, published.trust, now=now, statuses=statuses)
    except offline.SeveralCodes:
        print(offline_words.SEVERAL_CODES, file=sys.stderr)
        return offline_words.CAN_T_READ
    about = offline_words.list_lines(published, is_pinned=root is not None, now=now)
    print("\n".join([*offline_words.lines(check, statuses), *about]))
    return offline_words.EXIT_STATUS[check.outcome]


def _file_or_text(said: str) -> bytes:
    """Return what a file holds, or the text itself where there is no such file."""
    try:
        return Path(said).read_bytes()
    except FileNotFoundError:
        # A name of a file that was mistyped is told from a code by what codes are made of.
        if said.isalnum() and said.upper() == said:
            return said.encode()
        raise
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return said.encode()
        raise


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=clock.MOSCOW)


def _serve(_options: argparse.Namespace) -> int:
    require_signers()
    serve(settings().host, settings().port)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emk_app.cli", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    user = commands.add_parser("create-user", help="make an account; the old one if it is known")
    user.add_argument("--role", type=Role, choices=list(Role), required=True)
    user.add_argument("--login", required=True, help="phone, e-mail or 12-digit ИНН")
    user.add_argument("--password", required=True)
    user.add_argument("--totp-secret", help="base32; without it the person enrols at sign-in")
    user.add_argument("--name", default="")
    user.add_argument("--clinic", type=int, help="identity of the clinic, for its staff")
    user.add_argument("--position", type=Position, choices=list(Position))
    user.add_argument(
        "--specialty", action="append", default=[], choices=list(SPECIALTIES), help="a physician's"
    )
    user.set_defaults(run=_create_user)

    for act, said in (
        ("bar", "let somebody in no more, and end their sessions at once"),
        ("unbar", "let them in again"),
        ("end-sessions", "end somebody's sessions at once"),
        ("take-factors", "let somebody begin anew who has lost every factor and shown a passport"),
    ):
        shut = commands.add_parser(act, help=said)
        shut.add_argument("login", help="phone, e-mail or 12-digit ИНН")
        shut.set_defaults(run=_shut, act=act)

    seed = commands.add_parser("seed", help="build the demo world; safe to repeat")
    seed.set_defaults(run=_seed)
    codes = commands.add_parser("codes", help="print the demo people with their present codes")
    codes.set_defaults(run=_codes)
    keys = commands.add_parser("keys", help="make the keys at the first start; show, change them")
    keys.set_defaults(run=_keys)
    key_acts = keys.add_subparsers(metavar="ACT", dest="act")
    key_acts.add_parser("list", help="show the keys; so does no act at all")
    key_acts.add_parser("check", help="show the keys, and refuse those that are out of their dates")
    new = key_acts.add_parser("add", help="make or take over a key; it is published, not yet used")
    new.add_argument("use", type=KeyUse, choices=list(KeyUse))
    place = new.add_mutually_exclusive_group()
    place.add_argument("--pkcs12", type=Path, help="container with the key and its certificates")
    place.add_argument("--pkcs11", metavar="LABEL", help="label of the key in the module")
    new.add_argument("--certificate", type=Path, help="certificates of the key in the module")
    new.add_argument("--root", type=Path, help="the root above it, if it is not known yet")
    for act, said in (
        ("activate", "let the key sign from now on"),
        ("retire", "take the key out of use; what it signed holds"),
        ("compromise", "withdraw the key and all it signed; books are signed anew"),
    ):
        key_acts.add_parser(act, help=said).add_argument("name", help="as `keys list` calls it")

    key_acts.add_parser("masters", help="how many values are under which master key")
    key_acts.add_parser("rotate", help="seal by a new master key; a job wraps the rest anew")
    drop = key_acts.add_parser("drop", help="take an old master key off the ring for good")
    drop.add_argument("number", type=int)

    database = commands.add_parser("db", help="bring the schema up or down")
    directions = database.add_subparsers(required=True, metavar="DIRECTION")
    up = directions.add_parser("upgrade")
    up.add_argument("revision", nargs="?", default="head")
    up.set_defaults(run=_upgrade)
    down = directions.add_parser("downgrade")
    down.add_argument("revision")
    down.set_defaults(run=_downgrade)

    audit = commands.add_parser("audit", help="check the audit chain")
    audits = audit.add_subparsers(required=True, metavar="ACT")
    verify = audits.add_parser("verify", help="name the first entry that does not fit")
    verify.add_argument("--anchors", type=Path, help="file to compare with, instead of our own")
    verify.set_defaults(run=_verify_audit)
    audits.add_parser(
        "anchor", help="add the chain's head to the file of anchors, and send it, now"
    ).set_defaults(run=_anchor_audit)

    backup = commands.add_parser("backup", help="copy database and files into one sealed file")
    restore = commands.add_parser("restore", help="fill an empty place from a backup, and check it")
    for command, act in ((backup, _back_up), (restore, _restore)):
        command.add_argument("file", type=Path)
        command.add_argument("--passphrase-file", type=Path, required=True)
        command.add_argument(
            "--with-keys", type=Path, metavar="FILE", help="sealed file of the keys"
        )
        command.add_argument("--keys-passphrase-file", type=Path)
        command.set_defaults(run=act)
    restore.add_argument(
        "--verify", action="store_true", help="restore beside, check, and throw it away"
    )

    erase = commands.add_parser("erase", help="forget a holder, by a wish on paper or an order")
    erasures = erase.add_subparsers(required=True, metavar="ACT", dest="act")
    one = erasures.add_parser("one", help="destroy all that need not be kept, at once")
    one.add_argument("login", help="phone, e-mail or 12-digit ИНН")
    one.add_argument("--yes", action="store_true", help="it can't be undone")
    one.set_defaults(run=_erase)
    anew = erasures.add_parser("replay", help="forget anew whom a backup has brought back")
    anew.add_argument("--list", type=Path, help="list of the erased, instead of our own")
    anew.set_defaults(run=_erase)

    retention = commands.add_parser("retention", help="let go what has been kept long enough")
    retention.add_argument("--dry-run", action="store_true", help="only say how much is due")
    retention.set_defaults(run=_retention)

    work = commands.add_parser("jobs", help="do what is due: checks, reminders, ends of terms")
    work.add_argument("once", choices=["run-once"])
    work.set_defaults(run=_run_jobs)

    clinics = commands.add_parser("clinics", help="the register of clinics")
    acts = clinics.add_subparsers(required=True, metavar="ACT")
    bring = acts.add_parser(
        "import", help="put a CSV or JSON file in; rows that can't be used go to stdout"
    )
    bring.add_argument("file", type=Path)
    bring.add_argument("--dry-run", action="store_true", help="change nothing, only count")
    bring.set_defaults(run=_import_clinics)
    make = acts.add_parser("generate", help="write a made-up register, always the same")
    make.add_argument("count", type=int, help="how many clinics, at most 999999")
    make.add_argument("file", type=Path)
    make.set_defaults(run=_generate_clinics)

    outbox = commands.add_parser("outbox", help="messages that have not left")
    outbox.add_argument("act", choices=["list", "retry", "drop"])
    outbox.add_argument("letter", nargs="?", type=int, help="its number in the list")
    outbox.set_defaults(run=_outbox)

    exchange = commands.add_parser("exchange", help="conclusions to and from other systems")
    parts = exchange.add_subparsers(required=True, metavar="PART")
    own = parts.add_parser("key", help="print our public key, for the other side")
    own.set_defaults(run=_exchange_key)
    partners = parts.add_parser("partners", help="who may send, and whose receipts we believe")
    partner_acts = partners.add_subparsers(required=True, metavar="ACT", dest="act")
    partner_acts.add_parser("list").set_defaults(run=_partners)
    add = partner_acts.add_parser("add", help="register a key, or change what it may do")
    add.add_argument("name")
    add.add_argument("key", type=Path, help="file with the public key, PEM, P-256")
    add.add_argument("--oid", action="append", default=[], help="a clinic it may speak for")
    add.add_argument("--signs-receipts", action="store_true", help="it is who we send to")
    add.set_defaults(run=_partners)
    away = partner_acts.add_parser("remove", help="take a key out of use at once")
    away.add_argument("key_id")
    away.set_defaults(run=_partners)
    sent = parts.add_parser("outbox", help="conclusions that have not left")
    sent.add_argument("act", choices=["list", "retry", "drop"])
    sent.add_argument("number", nargs="?", type=int)
    sent.set_defaults(run=_shipments)
    come = parts.add_parser("received", help="conclusions that wait for a decision or a holder")
    come.add_argument("act", choices=["list", "compare", "drop"])
    come.add_argument("number", nargs="?", type=int)
    come.set_defaults(run=_received)

    verify = commands.add_parser(
        "verify", help="check a code, a saved version or an extract without the server"
    )
    verify.add_argument("what", help="a file (JSON, PDF, picture, text) or a code itself")
    verify.add_argument("--trust-list", type=Path, required=True, help="saved keys.json")
    verify.add_argument("--root", type=Path, help="the root certificate (.cer, .pem) to go by")
    verify.add_argument("--status-list", type=Path, help="saved list of codes that are over")
    verify.add_argument("--at", type=_moment, help="as of this moment, ISO 8601; Moscow if no zone")
    verify.set_defaults(run=_verify)

    description = commands.add_parser("openapi", help="print the description of the API")
    description.set_defaults(run=_openapi)
    server = commands.add_parser("serve", help="serve the built site")
    server.set_defaults(run=_serve)
    return parser


if __name__ == "__main__":
    sys.exit(main())
