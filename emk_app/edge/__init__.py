"""The door: ASGI guard and event gate, both deny by default."""
