"""The archives that servers install."""
