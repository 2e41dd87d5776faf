"""The openai plug-in."""
