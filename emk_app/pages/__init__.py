"""Pages bind components to states."""
