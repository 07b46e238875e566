"""Domain to screen: flat rows, the Russian catalogue, formats."""
