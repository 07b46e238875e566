"""SQLModel tables, one file per aggregate; no behaviour."""
