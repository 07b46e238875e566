"""SQLModel tables, one file per aggregate; no behaviour."""

from emk_app.db.tables import (
    alerts,
    applications,
    books,
    clinics,
    consents,
    disclosures,
    examinations,
    exchange,
    federation,
    identities,
    journal,
    news,
    notices,
    people,
    rights,
    visits,
)

__all__ = [
    "alerts",
    "applications",
    "books",
    "clinics",
    "consents",
    "disclosures",
    "examinations",
    "exchange",
    "federation",
    "identities",
    "journal",
    "news",
    "notices",
    "people",
    "rights",
    "visits",
]
