"""Plain HTTP routes for what must not be a websocket event."""
