"""Views of Vars and handlers; no State is imported here."""
