"""Private files: inspected on the way in, encrypted at rest."""
