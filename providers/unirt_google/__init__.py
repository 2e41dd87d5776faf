"""The google plug-in."""
