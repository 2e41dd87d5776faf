"""What the server's events mean: one table of all types, its rows in one room a subject."""

from unirt_openai.inbound.table import HANDLERS, complain, hear

__all__ = ["HANDLERS", "complain", "hear"]
