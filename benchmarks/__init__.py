"""Measurements beside plain peers, on one machine, in one run."""
