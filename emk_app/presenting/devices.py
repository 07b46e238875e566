"""What a browser calls itself, in words a person knows; as coarse as it gets."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final

BROWSERS: Final = (
    ("YaBrowser", "Яндекс Браузер"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@lru_cache(maxsize=1024)
def device_name(user_agent: str) -> str:
    """Write «Chrome, Windows»; what is not known is left out."""
    named = (
        next((name for mark, name in marks if mark in user_agent), "")
        for marks in (BROWSERS, SYSTEMS)
    )
    return ", ".join(name for name in named if name) or "неизвестное устройство"


def rough_address(address: str) -> str:
    """Write «адрес 203.0.*.*»: enough to know one's own provider, too little to find a home."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "адрес неизвестен"
    if parsed.is_private:
        return "местная сеть"
    if isinstance(parsed, ipaddress.IPv4Address):
        return f"адрес {'.'.join(address.split('.')[:2])}.*.*"
    return f"адрес {':'.join(parsed.exploded.split(':')[:2])}:…"
