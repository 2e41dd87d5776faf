"""
The deck: what records cassettes and plays them, for everything that a program connects to.

:func:`unirt.cassette` puts a cassette in; while it is in, :func:`unirt.connect` is recorded or
played, and so is code that drives the vendors' own SDKs. Decks stack, and the stack is the
process's: applications run in other threads and event loops than their tests.

This file and :mod:`~unirt.deck.stack` import nothing, for ``connect()`` asks them each time.
"""
