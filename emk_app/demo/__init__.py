"""The demo world: a register of clinics and people in different stages; never in production."""
