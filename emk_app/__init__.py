"""The electronic medical book (ЭМК): apply, be examined, hold, show, verify."""
