"""Pure rules and tables of the medical book: no framework, no I/O, no clock."""
