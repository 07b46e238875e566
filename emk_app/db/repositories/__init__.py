"""Every SELECT and UPDATE; nothing here commits."""
