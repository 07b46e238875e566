"""What leaves for the outside: SMS, mail."""
