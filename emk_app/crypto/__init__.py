"""Mechanisms on bytes: passwords, one-time codes, sealing, signatures, tokens."""
