"""Conclusions as documents of other systems: written, checked against the schema, read."""
