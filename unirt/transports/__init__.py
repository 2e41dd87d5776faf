"""
The transports that come with unirt; see :mod:`unirt.transport` for what a transport is.

Nothing is imported here, so that a session over memory needs no WebSocket library.
"""
