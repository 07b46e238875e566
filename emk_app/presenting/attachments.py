"""Papers of an examination in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from emk_app.domain.attachments import SIZE_LIMIT, AttachmentKind
from emk_app.domain.documents import MediaType
from emk_app.presenting.formats import counted, file_size, moment, short_person
from emk_app.services.attaching import AttachmentView

KINDS: Final = {
    AttachmentKind.LAB_REPORT: "Бланк анализа",
    AttachmentKind.IMAGE: "Снимок",
    AttachmentKind.FUNCTIONAL: "Запись прибора, например ЭКГ",
    AttachmentKind.CONSULTATION: "Заключение врача",
    AttachmentKind.ATTESTATION: "Документ об аттестации",
    AttachmentKind.OTHER: "Другой документ",
}
LIMIT_TEXT: Final = f"PDF или JPEG, не больше {file_size(SIZE_LIMIT)}"
REMOVED: Final = "Документ удалён."


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """One paper with the addresses of its pages and its file."""

    id: int
    label: str
    name: str
    details: str
    by: str
    pages: list[str]
    file_url: str
    may_remove: bool


def attachment_rows(papers: Iterable[AttachmentView]) -> list[AttachmentRow]:
    """Return the papers, in the order in which they came."""
    return [_row(each) for each in papers]


def _row(paper: AttachmentView) -> AttachmentRow:
    address = f"/api/attachments/{paper.ref}"
    pages = counted(paper.pages, "страница", "страницы", "страниц")
    media = f"PDF, {pages}" if paper.media_type is MediaType.PDF else "JPEG"
    who = f"{short_person(paper.person)}, " if paper.person else ""
    return AttachmentRow(
        id=paper.id,
        label=KINDS[paper.kind],
        name=paper.name,
        details=f"{media}, {file_size(paper.size)}",
        by=f"{who}{moment(paper.added_at)}",
        pages=[f"{address}/preview?page={page + 1}" for page in range(paper.pages)],
        file_url=f"{address}/file",
        may_remove=paper.may_remove,
    )
