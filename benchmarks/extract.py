"""A version signed and its extract made, beside pyHanko's bare signature of the same file.

``python -m benchmarks.extract`` prints one JSON object: medians in milliseconds, by the clock and
of the processor's time in all threads.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from pyhanko.keys import internal
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from benchmarks import shelf
from emk_app import clock
from emk_app.crypto import canonical, certificates, cose, pades, qr, sealing, signing, tokens
from emk_app.crypto.signing import FileSigner
from emk_app.db.tables.books import ShareLink
from emk_app.domain.books import BookContent, Verdict, document
from emk_app.domain.sharing import ShareScope
from emk_app.keys import keystore
from emk_app.presenting import extracts as presenting
from emk_app.services import sharing
from emk_app.services.extracts import Said
from emk_app.settings import settings

ROUNDS = 100
WARM = 5


class Desk:
    """One key and its certificate, in our hands and in pyHanko's."""

    def __init__(self) -> None:
        made = clock.now()
        root_key, issuing_key, key = (certificates.new_key() for _ in range(3))
        root = certificates.root_certificate(root_key, made)
        issuing = certificates.issuing_certificate(issuing_key.public_key(), root, root_key, made)
        own = certificates.signer_certificate(
            "Подпись", key.public_key(), issuing, issuing_key, made
        )
        self.now = made + timedelta(hours=1)
        self.signer = FileSigner(key, own, (issuing,))
        store = SimpleCertificateStore()
        store.register(internal.translate_pyca_cryptography_cert_to_asn1(issuing))
        self.bare = signers.SimpleSigner(
            internal.translate_pyca_cryptography_cert_to_asn1(own),
            internal.translate_pyca_cryptography_key_to_asn1(key),
            store,
        )


class Watch:
    """What each work took: by the clock, and of the processor."""

    def __init__(self) -> None:
        self._taken: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)

    @contextmanager
    def on(self, name: str) -> Generator[None, None, None]:
        began, busy = time.perf_counter(), time.process_time()
        yield
        spent = time.perf_counter() - began, time.process_time() - busy
        self._taken[name].append(spent)

    def medians(self) -> dict[str, dict[str, float]]:
        return {
            name: {
                "clock": 1000 * median(clock for clock, _ in spent[WARM:]),
                "processor": 1000 * median(busy for _, busy in spent[WARM:]),
            }
            for name, spent in self._taken.items()
        }


def measure() -> dict[str, dict[str, float]]:
    """Return what each work takes; every round is another book, or typst would remember it."""
    desk, watch = Desk(), Watch()
    own = secrets.token_bytes(32)
    for serial in range(1, WARM + ROUNDS + 1):
        content = shelf.content(serial, desk.now)
        with watch.on("version"):
            digest = _version(content, desk, own)
        with watch.on("sheet"):
            extract, sheet = _sheet(content, digest, desk.now)
        # First one, then the other: neither always finds the memory warm.
        for name in ("signature", "bare") if serial % 2 else ("bare", "signature"):
            with watch.on(name):
                if name == "bare":
                    _bare(sheet, extract, desk)
                else:
                    pades.sign_pdf(sheet, desk.signer, extract, now=desk.now)
    return watch.medians()


def _version(content: BookContent, desk: Desk, own: bytes) -> str:
    raw = canonical.canonical(document(content))
    signing.sign_document(desk.signer, raw).pack()
    sealing.seal(own, raw, "book_versions|canonical|1|1")
    return canonical.sha256(raw).hex()


def _sheet(content: BookContent, digest: str, now: datetime) -> tuple[pades.Extract, bytes]:
    share = tokens.new_share()
    link = ShareLink(
        book_id=1,
        version=1,
        digest="",
        code_sealed=b"",
        scope=ShareScope.WITH_OCCUPATION,
        label="",
        created_at=now,
        expires_at=sharing.end_of(content.valid_until),
    )
    claims = sharing.claims(link, share, content, digest, Verdict.VALID)
    token = cose.issue_token(keystore().qr_signer, claims)
    code = qr.share_url(settings().origin, share, token)
    sheet = presenting.printed(Said(content, digest, now, code, now))
    return pades.Extract(content.number.digits, 1, digest, share, token), sheet


def _bare(sheet: bytes, extract: pades.Extract, desk: Desk) -> Any:
    """Sign as pyHanko's documentation says, in one call and to the same effect."""
    return signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(sheet)),
        signers.PdfSignatureMetadata(
            field_name=pades.FIELD,
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
            contact_info=extract.said,
        ),
        signer=desk.bare,
    )


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="emk-bench-") as folder:
        os.environ |= {"EMK_ENV": "test", "EMK_DATA": str(Path(folder) / "data")}
        print(json.dumps(measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
