"""
What TLS trusts where an application gives no context of its own: this machine's certificates.

To read them all takes tens of milliseconds of a processor. At a dial, and every time that a session
moves, all other sessions of the event loop would be late by that; so a thread reads them.
"""

from __future__ import annotations

import asyncio
import ssl

__all__ = ["default_context"]


async def default_context() -> ssl.SSLContext:
    """A context of one's own, which checks certificates and the names in them."""
    return await asyncio.to_thread(ssl.create_default_context)
